"""What the checkers take and say: results and arguments of every form, chance, jumps, edges, assertions."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_course import Value, derivative, gradcheck, gradgradcheck
from tinygrad_course.testing import arrays, check_operation

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])


def wrong_square(x):
    return derivative(lambda x: x * x, lambda g, out, x: g * x)(x)


# A rule that is right, and whose own derivative is not
half_right = derivative(lambda x: x**3, lambda g, out, x: 3 * g * wrong_square(x))


# Results
@pytest.mark.parametrize(
    "nest",
    [
        lambda y: (y,), lambda y: [[y]], lambda y: {"a": y}, lambda y: {"a": ({"b": [y]}, 1)},
        lambda y: (1.0, y), lambda y: (y.data, y), lambda y: (None, "text", y),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_found_in_any_nesting(nest):
    with pytest.raises(AssertionError, match="the rules give"):
        gradcheck(lambda x: nest(wrong_square(x)), 3.0)
    with pytest.raises(AssertionError, match="the rules give"):
        gradgradcheck(lambda x: nest(half_right(x)), X)


@pytest.mark.parametrize(
    "nest", [lambda y: y, lambda y: (y,), lambda y: [{"a": y}], lambda y: float(y), lambda y: None]
)
def test_results_outside_of_the_graph_are_told(nest):
    with pytest.raises(TypeError, match="left the graph"):
        gradcheck(lambda x: nest(x.data * 2), 3.0)


def test_numbers_beside_the_results_must_not_change():
    assert gradcheck(lambda x: (x * 2, 5.0, np.arange(3), "text", None), 3.0)
    assert gradcheck(lambda x: [x.data * 0 + 5.0], 3.0)
    with pytest.raises(AssertionError, match="the rules give 2"):
        gradcheck(lambda x: (x * 2, x.data * 2), 3.0)


# Arguments
def test_arguments_may_be_trees():
    def f(p, x):
        return np.tanh(x @ p["w"] + p["b"][0])

    parameters = {"w": np.arange(6.0).reshape(3, 2) / 5, "b": [np.array([0.1, 0.2])]}
    assert gradcheck(f, parameters, X)
    assert gradgradcheck(f, parameters, X)
    with pytest.raises(AssertionError, match=r"argument 0\['b'\]\[0\], entry 1: the rules give"):
        gradcheck(lambda p: [wrong_square(p["b"][0][1])], parameters)


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (np.sum, (X, 1)),
        (lambda x, axis: np.sum(x, axis), (X, (0, 1))),
        (np.take, (X, np.array([0, 2]))),
        (lambda x, i: x[i], (X, 1)),
        (lambda x, i: x[i], (X, [1, 0])),
        (lambda x, i: x[i], (X, np.int64(1))),
        (lambda x, i: x[i], (X, np.array([True, False]))),
        (lambda x, i: x[i], (X, (slice(None), 1))),
        (np.repeat, (X, 2)),
        (lambda n, x: np.roll(x, n), (2, X)),
        (np.where, (X > 0, X, 2.0)),
        (lambda x, f: f(x), (X, np.tanh)),
        (lambda x, how: x * (how == "twice"), (X, "twice")),
        (lambda x, n: x * n, (X, 3)),
        (lambda x, n: x * n, (X, np.array([1, 2, 3]))),
        (lambda x, n: x * n, (X, [1, 2, 3])),
        (lambda x, nothing: x * 2, (X, None)),
        (np.tanh, (X.astype(np.float16),)),
        (np.tanh, ([[0.5, 1.0], [2.0, 3.0]],)),
        (np.tanh, (np.float32(0.5),)),
    ],
)
def test_arguments_may_be_anything(f, args):
    assert gradcheck(f, *args)
    assert gradgradcheck(f, *args)


def test_whole_numbers_are_checked_where_they_can_be():
    for n in (3, np.int64(3), [3], np.array([3])):
        with pytest.raises(AssertionError, match="argument 0"):
            gradcheck(lambda x: wrong_square(x), n)
    with pytest.raises(AssertionError, match="argument 1"):
        gradcheck(lambda x, n, axis: np.sum(x, axis) * wrong_square(n), X, 3, 0)
    with pytest.raises(TypeError, match="no number to check"):
        gradcheck(lambda x: x, "text")


# Places without a derivative
def test_a_jump_is_called_one():
    for f in (np.sign, np.floor, lambda x: np.heaviside(x, 0.5)):
        with pytest.raises(AssertionError, match="jumps at this point"):
            gradcheck(lambda x, f=f: x + f(x), np.array([0.5, 0.0]))
    check_operation(np.sign, lambda g, out, x: 0 * g)
    check_operation(np.floor, lambda g, out, x: 0 * g)
    with pytest.raises(AssertionError, match="expected 0, got 1"):
        check_operation(np.sign, lambda g, out, x: g)


def test_an_edge_of_the_domain_is_called_one():
    with pytest.raises(AssertionError, match="not finite or not defined beside this point"):
        gradcheck(lambda x: np.arcsin(x) + x, 1.0)

    def asserting(x):
        if not np.all(x >= 0):
            raise AssertionError("negative")
        return np.sqrt(x)

    with pytest.raises(AssertionError, match="not defined beside"):
        gradcheck(derivative(asserting, lambda g, out, x: g / 2), 0.0)
    check_operation(asserting, lambda g, out, x: g / (2 * out), low=0.0)
    with pytest.raises(AssertionError, match="the rule for argument 0 is wrong"):
        check_operation(asserting, lambda g, out, x: g / out, low=0.0)
    with pytest.raises(
        ValueError, match=r"raises AssertionError: negative at\n  argument 0 = -1.\nsay where"
    ):
        check_operation(asserting, lambda g, out, x: g / (2 * out))


@pytest.mark.parametrize("distance", [1e-6, 1e-8, 1e-10])
def test_a_kink_nearby_does_not_matter(distance):
    assert gradcheck(lambda x: np.maximum(x, 0), np.array([distance, -distance, 1.0]))
    assert gradcheck(np.max, np.array([1.0, 1.0 + distance]))
    assert gradcheck(lambda x: np.abs(x - 3.0), 3.0 + distance)
    wrong = derivative(lambda x: np.maximum(x, 0), lambda g, out, x: g * (x > 2 * distance))
    with pytest.raises(AssertionError, match="the rules give 0"):
        gradcheck(wrong, distance)


# Chance
def test_a_random_function_is_called_random():
    rng = np.random.default_rng(0)
    for f in (
        lambda x: x * rng.normal(),
        lambda x: x * rng.integers(2, size=x.shape),
        lambda x: x + rng.normal(size=x.shape),
    ):
        with pytest.raises(AssertionError, match="random"):
            gradcheck(f, X)
        with pytest.raises(AssertionError, match="random"):
            gradgradcheck(lambda x, f=f: f(x) ** 2, X)
        with pytest.raises(AssertionError, match=r"the function (or a rule )?is random"):
            check_operation(f, lambda g, out, x: g)
    counter = itertools.count()
    with pytest.raises(AssertionError, match="random"):
        gradcheck(lambda x: x * next(counter), 1.0)
    assert gradcheck(lambda x: x * np.random.default_rng(0).normal(size=x.shape), X)


# check_operation: results and arguments
def test_operations_with_several_results():
    parts = lambda x: (x[:1] * 2, np.sum(x))
    rows = {"inputs": st.tuples(arrays((3,)))}
    check_operation(parts, lambda g, out, x: np.concatenate([2 * g[0], [0, 0]]) + g[1], **rows)
    with pytest.raises(AssertionError, match="the rule for argument 0 is wrong"):
        check_operation(parts, lambda g, out, x: np.concatenate([2 * g[0], [0, 0]]), **rows)
    check_operation(np.modf, lambda g, out, x: g[0], avoid=[-2, -1, 0, 1, 2])


def test_arguments_without_a_rule_are_handed_on():
    square = lambda g, out, x, n: g * n * x ** (n - 1)
    check_operation(lambda x, n: x**n, square, inputs=st.tuples(arrays(), st.integers(1, 4)))
    check_operation(lambda x, n: x**n, square, None, inputs=st.tuples(arrays(), st.integers(1, 4)))
    check_operation(np.multiply, lambda g, out, x, y: g * y, None)
    check_operation(np.multiply, None, lambda g, out, x, y: g * x)
    picked = lambda g, out, x, index: np.bincount(index, g, len(x))
    indices = st.lists(st.integers(0, 2), min_size=1, max_size=4).map(np.array)
    check_operation(lambda x, index: x[index], picked, inputs=st.tuples(arrays((3,)), indices))
    check_operation(
        lambda x, axis: np.sum(x, axis),
        lambda g, out, x, axis: np.expand_dims(g, axis) + 0 * x,
        inputs=st.tuples(arrays((2, 3)), st.sampled_from([0, 1, -1])),
    )
    with pytest.raises(AssertionError, match="argument 1 = 2"):
        check_operation(
            lambda x, n: x**n, lambda g, out, x, n: g, inputs=st.tuples(arrays(), st.integers(1, 4))
        )
    with pytest.raises(TypeError, match=r"write inputs=st.tuples"):
        check_operation(np.exp, lambda g, out, x: g * out, inputs=arrays((3,)))


def test_numbers_may_be_python_s():
    numbers = st.tuples(st.floats(0.5, 2.0), st.integers(1, 3))
    check_operation(np.multiply, lambda g, out, x, y: g * y, lambda g, out, x, y: g * x, inputs=numbers)
    with pytest.raises(AssertionError, match="argument 1 = 1\n"):
        check_operation(np.multiply, lambda g, out, x, y: g * y, lambda g, out, x, y: g, inputs=numbers)


@settings(max_examples=5, deadline=None)
@given(arrays((2,), low=0.5))
def test_the_checkers_work_inside_of_a_test_with_generated_inputs(w):
    check_operation(lambda x: w * x, lambda g, out, x: g * w, inputs=st.tuples(arrays((2,))), examples=5)
    with pytest.raises(AssertionError, match="the rule for argument 0 is wrong"):
        check_operation(lambda x: w * x, lambda g, out, x: 2 * g * w, inputs=st.tuples(arrays((2,))))
    assert gradcheck(lambda x: w * x, w)


# Messages
def test_numbers_are_told_apart():
    with pytest.raises(
        AssertionError, match=r"expected 229400, got 229402.5|expected \S+, got \S+"
    ) as failure:
        check_operation(
            np.square, lambda g, out, x: 2.0001 * g * x, inputs=st.tuples(st.just(np.array(114.7e3)))
        )
    expected, _, got = str(failure.value).rsplit("expected ", 1)[1].partition(", got ")
    assert expected != got and float(expected) == pytest.approx(229400, rel=1e-5)


@pytest.mark.parametrize(
    ("rule", "advice"),
    [
        (lambda g, x: g, r"a rule is called as rule\(g, out, \.\.\.\)"),
        (lambda g, out: g, r"a rule is called as rule\(g, out, \.\.\.\)"),
        (lambda g, out, x: g * math.cos(x), r"np.cos\(x\), and not math.cos\(x\)"),
        (lambda g, out, x: g * float(np.cos(x)), r"np.cos\(x\), and not math.cos\(x\)"),
        (lambda g, out, x: g[:, :, :, :, 0] * x, "a rule raised an error"),
        (lambda g, out, x: None, "wrong|raised"),
    ],
)
def test_a_rule_that_cannot_be_called_is_told_what_to_write(rule, advice):
    with pytest.raises(AssertionError, match=advice):
        check_operation(np.sin, rule)


# Strategies
@pytest.mark.parametrize(("low", "high"), [(1, 1), (0.1, 0.1), (0, 1e-300), (1e8, 1e8 + 1), (-1e-8, 1e-8)])
def test_arrays_of_narrow_domains(low, high):
    @settings(max_examples=20)
    @given(arrays(low=low, high=high))
    def stay_inside(x):
        assert np.all((x >= low) & (x <= high))

    stay_inside()
    if low > 0:
        check_operation(np.log, lambda g, out, x: g / x, low=low, high=high, examples=10)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"low": 2, "high": 1}, "low must not be above high"),
        ({"low": 0, "high": np.inf}, "both finite"),
        ({"low": 1, "high": 1, "avoid": [1]}, "nothing is left between 1 and 1"),
        ({"low": 1, "high": 1, "distinct": True}, "3 distinct entries do not fit"),
    ],
)
def test_arrays_of_impossible_domains(how, words):
    with pytest.raises(ValueError, match=words):
        given(arrays((3,), **how))(lambda x: None)()


# Without hypothesis
def test_the_package_is_whole_without_hypothesis():
    code = """
import sys
sys.modules["hypothesis"] = None
from tinygrad_course import *
from tinygrad_course.testing import gradcheck as same
assert gradcheck is same and gradcheck(lambda x: x * x, 3.0) and gradgradcheck(lambda x: x * x, 3.0)
try:
    testing.check_operation
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "check_operation needs hypothesis: pip install 'tinygrad_course[test]'" in done.stdout


def of_data(x):
    """`x` without its record."""
    return x.data if isinstance(x, Value) else x


@pytest.mark.parametrize(
    ("function", "rule", "says"),
    [
        (
            lambda x: x**3,
            lambda g, out, x: g * 3 * of_data(x) ** 2,
            r"of a rule by argument 0 is wrong:\n.*\n  expected 6, got 0",
        ),
        (np.tanh, lambda g, out, x: g * (1 - of_data(out) ** 2), "of a rule by argument 0 is wrong"),
        (np.exp, lambda g, out, x: of_data(g) * out, "of a rule by g is wrong"),
    ],
)
def test_a_rule_whose_own_derivative_is_wrong_is_found(function, rule, says):
    """The slope is right, but the rule has taken a number out of the record."""
    with pytest.raises(AssertionError, match=f"the derivative {says}"):
        check_operation(function, rule, examples=20)


def test_rules_for_arrays_alone_are_checked_once():
    check_operation(np.sin, lambda g, out, x: g * np.cos(np.asarray(x)), examples=20)
