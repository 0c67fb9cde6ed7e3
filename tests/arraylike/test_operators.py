"""Updates in place, PyTorch's words for axes, arrays with rules of their own, and own rules that fail."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest

from tinygrad_course import Value, compile, derivative, nn, no_grad

IN_PLACE = {
    "iadd": 0.5, "isub": 0.5, "imul": 3.0, "itruediv": 4.0, "ipow": 2.0, "imod": 0.75, "ifloordiv": 0.75,
}  # fmt: skip


@pytest.mark.parametrize("name", IN_PLACE)
@pytest.mark.parametrize("data", [2.0, np.array([1.0, 2.5]), np.array([1.0, 2.5], np.float32), np.array(1.5)])
def test_under_no_grad_operators_write_into_a_leaf(name, data):
    other, update = IN_PLACE[name], getattr(operator, name)
    expected = update(np.array(data), other)
    p = first = Value(data if isinstance(data, float) else data.copy())
    with no_grad():
        p = update(p, other)
    assert p is first and p.requires_grad and p.dtype == np.asarray(data).dtype
    np.testing.assert_array_equal(first.numpy(), expected)
    assert (type(first.data) is float) is isinstance(data, float)


def test_under_no_grad_a_matrix_product_is_written_too():
    p = first = Value(np.eye(2))
    with no_grad():
        p @= np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(first.data, [[1, 2], [3, 4]])


def test_the_update_of_every_course_trains():
    net, x = nn.Linear(1, 1, rng=0), np.array([[1.0], [2.0]])
    losses = []
    for _ in range(50):
        loss = nn.functional.mse_loss(net(x), 3 * x + 1)
        losses.append(loss.item())
        net.zero_grad()
        loss.backward()
        with no_grad():
            for p in net.parameters():
                p -= 0.1 * p.grad
    assert losses[-1] < 0.05 * losses[0]


def test_an_older_graph_sees_that_it_was_written_to():
    p = Value([1.0, 2.0])
    loss = (p * p).sum()
    with no_grad():
        p -= 1.0
    with pytest.raises(RuntimeError, match="updated in place"):
        loss.backward()


def test_while_recording_it_means_a_new_value():
    v = first = Value(1.0)
    v += first * 2
    v.backward()
    assert first.data == 1.0 and v.data == 3.0 and first.grad == 3.0
    w = Value([1.0, 2.0], requires_grad=False)
    before = w
    w *= 2
    np.testing.assert_array_equal(before.data, [1, 2])


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "var", "std"])
def test_reductions_take_pytorchs_words_and_refuse_what_clashes(name):
    v = Value(np.arange(6.0).reshape(2, 3) ** 2)
    reduce = getattr(v, name)
    expected = getattr(np, name)(v.numpy(), axis=1, keepdims=True)
    np.testing.assert_array_equal(reduce(1, keepdims=True).data, expected)
    if name in ("max", "min"):
        for words in ({"dim": 1}, {"axis": 1, "keepdim": True}):
            with pytest.raises(TypeError, match=rf"is a pair in PyTorch.* v\.{name}\(axis=1\)"):
                reduce(**words)
        return
    if name in ("var", "std"):
        with pytest.raises(TypeError, match=r"PyTorch divides by n - 1 .*ddof=1.*ddof=0"):
            reduce(1, keepdim=True)
        biased = reduce(dim=1, keepdim=True, correction=0)
        np.testing.assert_array_equal(biased.data, expected)
        np.testing.assert_array_equal(reduce(1, unbiased=True).data, reduce(1, ddof=1).data)
        return
    np.testing.assert_array_equal(reduce(dim=1, keepdim=True).data, expected)
    with pytest.raises(TypeError, match=r"several axes are one tuple"):
        reduce(0, 1)
    for axis in (0, 1):
        with pytest.raises(TypeError, match="two words for one thing"):
            reduce(axis, dim=1)
    with pytest.raises(TypeError, match="no keyword foo="):
        reduce(foo=1)


@pytest.mark.parametrize("name", ["repeat", "clamp", "argsort", "nonzero", "grad_fn", "real"])
def test_a_missing_method_says_what_to_write(name):
    with pytest.raises(AttributeError, match=f"no '{name}'; (write|NumPy's functions)"):
        getattr(Value([1.0]), name)
    assert not hasattr(Value([1.0]), "anything_else")


@pytest.mark.parametrize("other", [np.ma.array([1.0, 2.0], mask=[0, 1]), np.asmatrix([[1.0, 2.0]])])
def test_arrays_with_rules_of_their_own_are_refused(other):
    v = Value([1.0, 2.0])
    calls = [
        lambda: v * other, lambda: other * v, lambda: np.add(other, v), lambda: np.add(v, other),
        lambda: np.concatenate([v, other]), lambda: np.where(other > 1, v, 0), lambda: Value(other),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(TypeError):
            call()
    with pytest.raises(TypeError, match="rules of its own"):
        v * other


def test_labelled_arrays_are_refused_with_the_way_out():
    pandas = pytest.importorskip("pandas")
    v, series = Value([1.0, 2.0]), pandas.Series([1.0, 2.0])
    for call in (lambda: v * series, lambda: series * v, lambda: np.multiply(series, v)):
        with pytest.raises(TypeError, match=r"numpy\(\)"):
            call()
    np.testing.assert_array_equal(Value(series).data, [1, 2])


def test_a_rule_that_cannot_be_called_is_refused_at_once():
    with pytest.raises(TypeError, match=r"this one takes \(g, x\)"):
        derivative(lambda x: x, lambda g, x: g)
    with pytest.raises(TypeError, match=r"rule_for_all\(i, g, out, \*args\)"):
        derivative(lambda x: x, rule_for_all=lambda i, g, x: g)
    derivative(lambda x: x, lambda *args: args[0])
    derivative(lambda x: x, lambda g, *more: g)


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_rule_that_fails_is_named(create_graph):
    cosine = derivative(lambda x: np.sin(x), lambda g, out, x: g * math.cos(x))
    with pytest.raises(TypeError, match=r"rule 0 of <lambda> failed.*np\.cos"):
        cosine(Value(np.ones(3))).sum().backward(create_graph=create_graph)


def test_a_number_that_no_float_can_hold():
    with pytest.raises(OverflowError, match="401 digits"):
        Value(10**400)


def test_matrix_products_say_what_would_fit_before_anything_else():
    with pytest.raises(
        ValueError,
        match=r"^matmul\(\(2, 3\) float64, \(2, 3\) float64\): the last axis .* x @ y.T would fit\n",
    ):
        Value(np.ones((2, 3))) @ Value(np.ones((2, 3)))


def test_no_grad_holds_in_the_steps_of_a_generator():
    @no_grad()
    def steps(x):
        for k in range(3):
            yield x * k

    x = Value(2.0)
    seen = []
    for y in steps(x):
        seen.append((y.requires_grad, (x * 1.0).requires_grad))
    assert seen == [(False, True)] * 3
    assert (x * x).requires_grad


def test_gradients_have_the_byte_order_and_dtype_of_the_data_and_memory_of_their_own():
    for f in (lambda x: (x * 2).sum(), compile(lambda x: (x * 2).sum())):
        x = Value(np.ones(2, ">f4"))
        f(x).backward()
        assert x.grad.dtype == np.dtype(">f4")
    w, cotangent = Value(np.ones(2, np.float32)), Value(np.ones(2))
    y = w * 1
    y.backward(cotangent)
    assert w.grad.dtype == y.grad.dtype == np.float32
    for given in (cotangent.data, np.ones(2, np.float32)):
        y.backward(given)
        assert not np.shares_memory(y.grad, given) and not np.shares_memory(w.grad, given)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("seed", [1.5, np.array(1.5), np.float32(1.5)])
@pytest.mark.parametrize(
    "result", [lambda x: np.linalg.det(x), lambda x: x.sum() * 2.0, lambda x: (x.sum()).astype("f4")]
)
def test_numbers_and_arrays_without_axes_start_a_pass_alike(result, seed, create_graph):
    x, once = Value([[2.0, 1.0], [0.5, 3.0]]), Value([[2.0, 1.0], [0.5, 3.0]])
    result(once).backward()
    for given in (seed, Value(seed)):
        x.grad = None
        result(x).backward(given, create_graph=create_graph)
        got = x.grad.data if create_graph else x.grad
        np.testing.assert_allclose(got, 1.5 * once.grad)
        number = Value(2.0)
        (number * number).backward(given, create_graph=create_graph)
        assert (number.grad.data if create_graph else number.grad) == 6.0
