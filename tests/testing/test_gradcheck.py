"""gradcheck, gradgradcheck and check_operation: wrong rules are caught and explained, right ones are not."""

import importlib
import sys

import numpy as np
import pytest
from hypothesis import strategies as st

from tinygrad_course import Value, derivative, gradcheck, gradgradcheck
from tinygrad_course.derivatives.indexing import scatter
from tinygrad_course.testing import arrays, check_operation


# gradcheck
def test_right_gradients_pass():
    x, y = np.array([[0.5, -1.0, 2.0]]), np.array([[1.0], [0.25]])
    assert gradcheck(lambda x, y: np.sin(x) * y, x, y)
    assert gradgradcheck(lambda x, y: np.sin(x) * y, x, y)
    assert gradcheck(lambda a, b: (a * b, a / b, 3.0), 2.0, 3.0)
    assert gradgradcheck(lambda a, b: [a * b, a / b], 2.0, 3.0)
    assert gradcheck(lambda a, b: a * 2, 1.0, np.ones(2))  # b does not matter
    assert gradgradcheck(lambda a: a * 2, np.ones(2))
    assert gradcheck(np.exp, np.zeros((0, 2)))
    assert (
        gradcheck(np.exp, Value([1.0])) and gradcheck(np.exp, np.ones(2, np.float32)) and gradcheck(np.exp, 1)
    )


def test_a_failure_names_the_argument_the_entry_and_both_numbers():
    wrong = derivative(lambda x, y: x * y, lambda g, out, x, y: g * y, lambda g, out, x, y: g * y)
    with pytest.raises(AssertionError) as failure:
        gradcheck(lambda x, y: np.sum(wrong(x, y)), np.array([1.0, 2.0]), np.array([1.0, 5.0]))
    message, _, measured = str(failure.value).rpartition(" ")
    assert message == "gradcheck: argument 1, entry 1: the rules give 5.0, finite differences measure"
    assert float(measured) == pytest.approx(2.0)


def test_a_wrong_entry_anywhere_is_found():
    for index in np.ndindex(2, 3):
        off = np.ones((2, 3))
        off[index] = 1.01
        f = derivative(lambda x: 2 * x, lambda g, out, x, off=off: 2 * g * off)
        with pytest.raises(AssertionError, match=f"entry {index[0]}, {index[1]}"):
            gradcheck(f, np.ones((2, 3)))


def test_second_derivatives_are_checked_on_their_own():
    """The first derivative is right, and its own derivative is not recorded."""
    f = derivative(lambda x: x**3, lambda g, out, x: g * (3 * (x.data if isinstance(x, Value) else x) ** 2))
    assert gradcheck(f, np.array([1.0, 2.0]))
    with pytest.raises(AssertionError, match=r"the rules give 0\.0"):
        gradgradcheck(f, np.array([1.0, 2.0]))


def test_functions_that_leave_the_graph_are_caught():
    with pytest.raises(AssertionError, match="the rules give"):
        gradcheck(lambda x: x * 2 + x.detach() ** 2, 3.0)
    with pytest.raises(TypeError, match="left the graph"):
        gradcheck(lambda x: x.data * 2, 3.0)


def test_results_and_gradients_that_are_not_finite_are_caught():
    with np.errstate(all="ignore"):
        with pytest.raises(AssertionError, match="not finite"):
            gradcheck(np.log, np.array([1.0, 0.0]))
        f = derivative(lambda x: x + 1, lambda g, out, x: g * np.where(x == 0, np.nan, 1.0))
        with pytest.raises(AssertionError, match="argument 0, entry 1: the rules give nan"):
            gradcheck(f, np.array([1.0, 0.0]))


def test_kinks_are_pointed_out():
    with pytest.raises(AssertionError, match="kink"):
        gradcheck(lambda x: np.where(x > 0, x, 0.2 * x), 0.0)


def test_tolerances_and_steps_can_be_chosen():
    f = derivative(lambda x: x * 1.0, lambda g, out, x: 1.001 * g)
    with pytest.raises(AssertionError):
        gradcheck(f, 1.0)
    assert gradcheck(f, 1.0, rtol=1e-2)
    assert gradcheck(f, 1.0, atol=1e-2, eps=1e-3)


# check_operation: a bank of wrong rules, (function, rules, inputs or domain)
def slot(i):
    """The rule of a product for operand `i`."""
    return lambda g, out, *xs: g * np.prod([x for k, x in enumerate(xs) if k != i], axis=0)


def add_up(x, index):
    return x[index]


INDEX = np.array([0, 2, 0])
ROWS = {"inputs": st.tuples(arrays((3,)))}
MATRIX = {"inputs": st.tuples(arrays((2, 3)))}
PRODUCT = {"inputs": st.tuples(arrays((2, 3)), arrays((3, 2)))}
TIES = {"inputs": st.tuples(arrays((3,), low=0.0, high=2.0))}
POSITIVE = {"low": 0.5}


def overwritten(g, out, x):
    out = np.zeros_like(x)
    out[INDEX] = g
    return out


def first_of_the_ties(g, out, x):
    return g * (np.arange(x.size) == np.argmax(x)) * 2


WRONG = {
    "sign of minus": (np.subtract, [lambda g, out, x, y: g, lambda g, out, x, y: g], {}),
    "sign of cos": (np.cos, [lambda g, out, x: g * np.sin(x)], {}),
    "sign of 1/x": (lambda x: 1 / x, [lambda g, out, x: g / x**2], POSITIVE),
    "forgotten factor of x²": (np.square, [lambda g, out, x: g * x], {}),
    "forgotten factor of x³": (lambda x: x**3, [lambda g, out, x: g * x**2], {}),
    "forgotten upstream gradient": (np.square, [lambda g, out, x: 2 * x], {}),
    "upstream gradient twice": (np.exp, [lambda g, out, x: g * g * out], {}),
    "forgotten chain": (lambda x: np.sin(2 * x), [lambda g, out, x: g * np.cos(2 * x)], {}),
    "out for x": (np.exp, [lambda g, out, x: g * x], {}),
    "x for out": (np.tanh, [lambda g, out, x: g * (1 - x * x)], {}),
    "no square in tanh": (np.tanh, [lambda g, out, x: g * (1 - out)], {}),
    "sigmoid without 1 - s": (lambda x: 1 / (1 + np.exp(-x)), [lambda g, out, x: g * out], {}),
    "half forgotten in sqrt": (np.sqrt, [lambda g, out, x: g / out], POSITIVE),
    "log to the wrong base": (np.log2, [lambda g, out, x: g / x], POSITIVE),
    "operands exchanged": (
        np.divide,
        [lambda g, out, x, y: g / x, lambda g, out, x, y: -g * out / y],
        POSITIVE,
    ),
    "second rule of division": (
        np.divide,
        [lambda g, out, x, y: g / y, lambda g, out, x, y: g / y],
        POSITIVE,
    ),
    "constant exponent only": (
        np.power,
        [lambda g, out, x, y: g * y * x ** (y - 1), lambda g, out, x, y: 0 * g],
        POSITIVE,
    ),
    "both of a product": (np.multiply, [slot(0), lambda g, out, x, y: g * y], {}),
    "averaged instead of summed": (
        np.add,
        [lambda g, out, x, y: np.full_like(x, np.mean(g)) if g.size else g, lambda g, out, x, y: g],
        {},
    ),
    "first row instead of the sum": (
        np.add,
        [lambda g, out, x, y: g[0] if g.ndim > x.ndim and len(g) else g, lambda g, out, x, y: g],
        {},
    ),
    "sum over the wrong axis": (
        lambda x: np.sum(x, 0),
        [lambda g, out, x: np.sum(x) * 0 + np.sum(g)],
        MATRIX,
    ),
    "mean without its count": (lambda x: np.mean(x), [lambda g, out, x: g * np.ones_like(x)], MATRIX),
    "count of the wrong axis": (
        lambda x: np.mean(x, 0),
        [lambda g, out, x: g * np.ones_like(x) / x.shape[1]],
        MATRIX,
    ),
    "softmax as if entry by entry": (
        lambda x: np.exp(x) / np.sum(np.exp(x)),
        [lambda g, out, x: g * out * (1 - out)],
        ROWS,
    ),
    "transposed left factor": (
        np.matmul,
        [lambda g, out, x, y: y @ g.T, lambda g, out, x, y: x.T @ g],
        PRODUCT,
    ),
    "factors exchanged": (
        np.matmul,
        [lambda g, out, x, y: g @ y.T, lambda g, out, x, y: (g.T @ x).T[::-1]],
        PRODUCT,
    ),
    "not transposed back": (np.transpose, [lambda g, out, x: np.reshape(g, x.shape)], MATRIX),
    "not flipped back": (np.flip, [lambda g, out, x: g], ROWS),
    "cumulated forwards": (np.cumsum, [lambda g, out, x: np.cumsum(g)], ROWS),
    "= for += in an index": (lambda x: x[INDEX], [overwritten], ROWS),
    "twice the first of equal ones": (np.max, [first_of_the_ties], TIES),
    "everything to all equal ones": (np.max, [lambda g, out, x: g * (x == out)], TIES),
    "both of equal operands": (
        np.maximum,
        [lambda g, out, x, y: g * (x >= y), lambda g, out, x, y: g * (y >= x)],
        {},
    ),
    "beyond the kink": (lambda x: np.maximum(x, 0), [lambda g, out, x: g * (x > 1)], {}),
    "outside of the slopes at a kink": (
        np.abs,
        [lambda g, out, x: g * np.where(x == 0, 3.0, np.sign(x))],
        {},
    ),
    "wrong far out only": (lambda x: x * 3, [lambda g, out, x: g * np.where(np.abs(x) > 1.9, 2.0, 3.0)], {}),
    "wrong at 0 only": (lambda x: x * 3, [lambda g, out, x: g * np.where(x == 0, 0.0, 3.0)], {}),
    "an axis of length 1": (lambda x: x * 3, [lambda g, out, x: 3 * g * (1 + (1 in x.shape))], {}),
    "four axes": (lambda x: x * 3, [lambda g, out, x: 3 * g * (1 + (x.ndim == 4))], {}),
    "wrong shape": (lambda x: np.sum(x, 0), [lambda g, out, x: g[:1]], MATRIX),
    "an error": (np.exp, [lambda g, out, x: g[0] * out], {}),
    "in C order only": (lambda x: x * 3, [lambda g, out, x: 3 * g * (1 + (not x.flags.c_contiguous))], {}),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_rules_are_caught(name):
    function, rules, how = WRONG[name]
    with pytest.raises(AssertionError) as failure:
        check_operation(function, *rules, **how)
    assert "argument 0 = " in str(failure.value)


RIGHT = {
    "x + y": (np.add, [lambda g, out, x, y: g, lambda g, out, x, y: g], {}),
    "x / y": (np.divide, [lambda g, out, x, y: g / y, lambda g, out, x, y: -g * out / y], POSITIVE),
    "x y": (np.multiply, [slot(0), slot(1)], {}),
    "tanh": (np.tanh, [lambda g, out, x: g * (1 - out * out)], {}),
    "|x|, 1 at 0": (np.abs, [lambda g, out, x: g * np.where(x >= 0, 1.0, -1.0)], {}),
    "|x|, 0 at 0": (np.abs, [lambda g, out, x: g * np.sign(x)], {}),
    "max, shared": (np.max, [lambda g, out, x: g * (x == out) / np.sum(x == out)], TIES),
    "max, to the first": (np.max, [lambda g, out, x: g * (np.arange(x.size) == np.argmax(x))], TIES),
    "maximum": (np.maximum, [lambda g, out, x, y: g * (x > y), lambda g, out, x, y: g * (x <= y)], {}),
    "sum": (lambda x: np.sum(x, 0), [lambda g, out, x: np.broadcast_to(g, x.shape)], MATRIX),
    "matmul": (np.matmul, [lambda g, out, x, y: g @ y.T, lambda g, out, x, y: x.T @ g], PRODUCT),
    "index": (lambda x: x[INDEX], [lambda g, out, x: scatter(g, INDEX, x.shape)], ROWS),
    "cumsum": (np.cumsum, [lambda g, out, x: np.cumsum(g[::-1])[::-1]], ROWS),
    "transpose": (np.transpose, [lambda g, out, x: g.T], MATRIX),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_rules_are_not(name):
    function, rules, how = RIGHT[name]
    check_operation(function, *rules, **how)


def test_the_smallest_failure_is_told_in_words():
    def told(function, *rules, **how):
        with pytest.raises(AssertionError) as failure:
            check_operation(function, *rules, **how)
        return str(failure.value)

    plain = told(np.square, lambda g, out, x: g * x)
    assert plain == "square: the rule for argument 0 is wrong:\n  argument 0 = 1.\n  expected 2, got 1"
    stretched = told(np.add, *WRONG["first row instead of the sum"][1])
    assert "when the arguments have different shapes" in stretched
    readable = told(lambda x: x * 3, lambda g, out, x: 3 * g * (1 + (not x.flags.c_contiguous)))
    assert "a view with other strides" in readable
    assert "read-only" in told(lambda x: x * 3, lambda g, out, x: 3 * g * (1 + (not x.flags.writeable)))
    assert "together: expected 1, got 2" in told(np.maximum, *WRONG["both of equal operands"][1])
    assert "something between -1 and 1, got 3" in told(np.abs, *WRONG["outside of the slopes at a kink"][1])
    assert "do not add up when entries are equal" in told(
        np.max, WRONG["everything to all equal ones"][1][0], **TIES
    )
    assert "AttributeError" in told(np.exp, lambda g, out, x: g.no_such_method())


def test_a_function_outside_of_its_domain_is_told_from_a_wrong_rule():
    with pytest.raises(ValueError, match="low="):
        check_operation(np.log, lambda g, out, x: g / x)
    check_operation(np.log, lambda g, out, x: g / x, low=0.25)


def test_the_table_is_left_alone():
    from tinygrad_course.derivatives import TABLE

    before = dict(TABLE)
    check_operation(np.exp, lambda g, out, x: g * out)
    assert before == TABLE


def test_without_hypothesis_the_extra_is_named(monkeypatch):
    for name in [m for m in sys.modules if m.split(".")[0] == "hypothesis"]:
        monkeypatch.setitem(sys.modules, name, None)
    for name in [m for m in sys.modules if m.startswith("tinygrad_course.testing")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImportError, match=r"tinygrad_course\[test\]"):
        _ = importlib.import_module("tinygrad_course.testing").check_operation


def test_steps_that_leave_the_real_numbers_are_not_taken():
    """With an entry far away the eigenvalues are complex, which is a TypeError."""
    rows = [[3.2265625, 0.3203125, 0.171875], [0.234375, 6.125, 0.265625], [0.421875, 0.1328125, 9.4140625]]
    matrix = np.array(rows)
    assert gradcheck(lambda x: (np.linalg.eig(x)[0], np.linalg.eig(x)[1] ** 2), matrix)
