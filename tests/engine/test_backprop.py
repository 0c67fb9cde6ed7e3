"""The walk itself: order, sums over paths, broadcasting undone, several results, what rules may return."""

import collections
import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_course import Value, derivative
from tinygrad_course.engine import backprop, record
from tinygrad_course.engine.backprop import backpropagate
from tinygrad_course.testing import arrays, broadcastable


# Order and sums
def test_every_rule_runs_once_with_the_complete_gradient():
    seen = []
    double = derivative(lambda x: 2 * x, lambda g, out, x: (seen.append(float(g)), 2 * g)[1])
    x = Value(1.0)
    y = double(x)
    z = y + y * y + np.exp(y) * y
    z.backward()
    assert seen == [pytest.approx(1 + 4 + 3 * np.exp(2.0))]


def test_old_values_in_new_operations():
    """The youngest first: a value made early and used late waits for everyone."""
    x = Value(2.0)
    early = x * 3.0
    late = early
    for _ in range(5):
        late = late * early
    late.backward()
    assert x.grad == pytest.approx(6 * 3.0**6 * 2.0**5)
    assert early.grad == pytest.approx(6 * 6.0**5)


def test_gradients_of_values_between_can_be_looked_at():
    a, b = Value(2.0), Value(-3.0)
    c = a * b
    d = c + 10.0
    out = d * d
    out.backward()
    assert (out.grad, d.grad, c.grad, a.grad, b.grad) == (1.0, 8.0, 8.0, -24.0, 16.0)


# Broadcasting
@given(broadcastable(3), st.data())
def test_broadcasting_is_undone(shapes, data):
    """The gradient of each operand sums over everything that it was stretched along."""
    xs = [data.draw(arrays(shape)) for shape in shapes]
    values = [Value(x) for x in xs]
    (values[0] + values[1] * values[2]).sum().backward()
    whole = np.broadcast_shapes(*shapes)
    factors = [1.0, xs[2], xs[1]]
    for v, factor in zip(values, factors):
        full = np.broadcast_to(factor, whole)
        extra = tuple(range(len(whole) - v.ndim))
        kept = tuple(len(extra) + a for a, n in enumerate(v.shape) if n == 1)
        expected = full.sum(axis=(*extra, *kept)).reshape(v.shape)
        np.testing.assert_allclose(v.grad, expected, atol=1e-12)
        assert v.grad.shape == v.shape


def test_numbers_and_arrays_together():
    number, array = Value(2.0), Value(np.ones((2, 3), np.float32))
    (number * array).sum().backward()
    assert type(number.grad) is float and number.grad == 6.0
    assert array.grad.dtype == np.float32
    (np.exp(number) * 3.0 + array[0, 0] * number).backward()
    assert type(number.grad) is float


# What rules get and may return
def test_rules_get_keywords_defaults_and_constants_as_they_were_given():
    seen = {}

    def rule(g, out, x, k, *, scale=1.0):
        seen.update(k=k, scale=scale, out=out.copy())
        return g * k * scale

    f = derivative(lambda x, k, *, scale=1.0: x * k * scale, rule)
    x = Value([1.0, 2.0])
    f(x, 3, scale=0.5).sum().backward()
    assert seen["k"] == 3 and seen["scale"] == 0.5
    np.testing.assert_array_equal(seen["out"], [1.5, 3.0])
    np.testing.assert_array_equal(x.grad, 1.5)


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, out, x: 2.0,
        lambda g, out, x: 2,
        lambda g, out, x: np.float64(2.0),
        lambda g, out, x: np.full((5, 2, 3), 0.4),
        lambda g, out, x: np.full((2, 3), 2, np.float32),
        lambda g, out, x: np.full((2, 3), 2),
    ],
)
def test_what_a_rule_returns_is_fitted_to_its_argument(rule):
    f = derivative(lambda x: 2 * x, rule)
    for x in (Value(np.ones((2, 3))), Value(np.ones((2, 3), np.float32))):
        if np.shape(rule(1, 1, 1)) == ():
            x = Value(np.array(x.data[0, 0]))
        f(x).sum().backward()
        assert x.grad.shape == x.shape and x.grad.dtype == x.dtype
        np.testing.assert_allclose(x.grad, 2.0, rtol=1e-6)


@pytest.mark.parametrize("shape", [(3,), (2,), (3, 2), (2, 3, 1), ()])
def test_a_gradient_of_an_impossible_shape_raises_and_names_the_operation(shape):
    def twice(x):
        return 2 * x

    f = derivative(twice, lambda g, out, x: np.ones(shape))
    with pytest.raises(ValueError, match=r"twice: .*\(2, 3\)"):
        f(Value(np.ones((2, 3)))).sum().backward()


def test_derivative_refuses_what_cannot_be_a_rule():
    with pytest.raises(TypeError, match="lambda g, out, x"):
        derivative(lambda x: x, 2.0)
    with pytest.raises(TypeError, match="lambda g, out, x"):
        derivative("exp")
    with pytest.raises(TypeError, match="not both"):
        derivative(lambda x: x, lambda g, out, x: g, rule_for_all=lambda i, g, out, x: g)


def test_arguments_without_a_rule_are_constants():
    f = derivative(lambda x, y: x * y, lambda g, out, x, y: g * y, None)
    x, y = Value([1.0, 2.0]), Value([3.0, 4.0])
    f(x, y).sum().backward()
    np.testing.assert_array_equal(x.grad, [3.0, 4.0])
    assert y.grad is None
    assert not f(x.detach(), y).requires_grad


def test_a_rule_for_all_operands_and_one_for_a_list():
    total = derivative(lambda *xs: sum(xs), rule_for_all=lambda i, g, out, *xs: (i + 1) * g)
    a, b = Value(1.0), Value([1.0, 2.0])
    total(a, 5.0, b).sum().backward()
    assert a.grad == 2.0
    np.testing.assert_array_equal(b.grad, 3.0)


# Several results
Pair = collections.namedtuple("Pair", "double triple")
calls = []


def pair_rule(g, out, x):
    calls.append(tuple(type(part) for part in g))
    return 2 * g[0] + 3 * g[1]


pair = derivative(lambda x: Pair(2 * x, 3 * x), pair_rule)


@pytest.mark.parametrize(("use", "expected"), [((0,), 2), ((1,), 3), ((0, 1), 5), ((1, 0, 1), 8)])
@pytest.mark.parametrize("create_graph", [False, True])
def test_several_results_and_not_all_used(use, expected, create_graph):
    x = Value(np.ones(2))
    results = pair(x)
    assert type(results) is Pair and all(isinstance(r, Value) for r in results)
    calls.clear()
    sum(results[i].sum() for i in use).backward(create_graph=create_graph)
    assert len(calls) == 1
    np.testing.assert_array_equal(x.grad.data if create_graph else x.grad, expected)


def test_results_of_constants_are_constants():
    double, _ = pair(Value(np.ones(2), requires_grad=False))
    assert not double.requires_grad
    assert type(pair(np.ones(2))) is Pair


# Around the walk
def test_create_graph_with_a_value_for_the_gradient():
    x, seed = Value([1.0, 2.0]), Value([3.0, 4.0])
    (x * x).backward(seed, create_graph=True)
    x.grad.sum().backward()
    np.testing.assert_array_equal(seed.grad, [2.0, 4.0])


def test_walks_to_chosen_inputs():
    x = Value(2.0)
    y = x * x
    z = np.sin(y) * y
    (dy,) = backpropagate(z, 1.0, inputs=[y])
    assert dy == pytest.approx(np.sin(4.0) + 4 * np.cos(4.0))
    dx, dy_too = backpropagate(z * x, 1.0, inputs=[x, y])  # x as if y did not depend on it
    assert (dx, dy_too) == (z.data, pytest.approx(2 * dy))
    assert backpropagate(x, 1.0, inputs=[y, z]) == [None, None]
    assert backpropagate(z, 5.0, inputs=[z]) == [5.0]
    assert [v.grad for v in (x, y, z)] == [None] * 3


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(enabled):
    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        x = Value(2.0)
        (x * x).backward()
        assert gc.isenabled() is enabled
        with pytest.raises(ValueError):
            derivative(lambda x: x, lambda g, out, x: np.ones(3))(Value(np.ones(2))).sum().backward()
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


def test_memory_goes_when_the_last_name_for_the_graph_goes():
    gc.disable()
    try:
        x = Value(np.ones(10))
        middle = np.exp(x)
        watched = weakref.ref(middle.data)
        out = (middle * 2).sum()
        out.backward()
        del middle
        assert watched() is not None
        del out
        assert watched() is None
    finally:
        gc.enable()


def test_errors_settings_of_numpy_do_not_reach_into_the_walk():
    with np.errstate(all="raise"):
        x = Value([1.0, 2.0])
        y = (x * 1e100).sum()
        z = (x / 1e-200).sum()
        y.backward(1e-320)
        z.backward(1e200)
    np.testing.assert_array_equal(x.grad, np.inf)


def test_a_keyword_reaches_the_rule_of_numbers_and_arrays_alike():
    scaled = derivative(lambda x, by=1.0: x * by, lambda g, out, x, by=1.0: g * by)
    for data in (2.0, np.array([2.0])):
        x = Value(data)
        scaled(x, by=3.0).backward()
        assert x.grad == 3.0


def test_a_root_that_is_given_twice_is_found_once():
    x = Value(2.0)
    y = x * x
    for search in (record.ancestors, backprop.ancestors):
        assert search([y, y, x]) == [y, x]
