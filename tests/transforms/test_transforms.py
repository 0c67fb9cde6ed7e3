"""The transforms: values, structures, nesting, and that they leave nothing behind."""

import gc
import math
import sys
import threading
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_course import Value, grad, hessian, hvp, jacobian, jvp, no_grad, value_and_grad, vjp
from tinygrad_course.engine.watch import recording_mode, walking

Pair = namedtuple("Pair", "left right")
numbers = st.floats(-2, 2).map(lambda x: round(x, 3))


def measured(f, x, eps=1e-6):
    """The derivative of every entry of f by every entry of x, by central differences."""
    x = np.asarray(x, float)
    columns = []
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = eps
        columns.append((np.asarray(f(x + step)) - np.asarray(f(x - step))) / (2 * eps))
    return np.stack(columns, -1).reshape(columns[0].shape + x.shape)


def smooth(x):
    """A function of an array with off-diagonal second derivatives, in several kinds of operations."""
    y = np.tanh(x @ x.T) + np.exp(-x.sum(axis=0)) * x[:1]
    return (y * np.sin(y)).sum() + np.log(1 + x[0] ** 2).mean()


# Values
@given(numbers)
def test_grad_of_a_number_is_a_number(x):
    slope = grad(lambda x: x * x * x)(x)
    assert type(slope) is float and math.isclose(slope, 3 * x * x)
    value, slope = value_and_grad(lambda x: np.sin(x))(x)
    assert type(value) is float and (value, slope) == (math.sin(x), math.cos(x))


@given(st.integers(0, 2**31))
def test_all_transforms_agree_with_finite_differences(seed):
    rng = np.random.default_rng(seed)
    x, v = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    plain = lambda x: smooth(Value(x)).item()
    slope = measured(plain, x)
    curvature = measured(grad(smooth), x)
    np.testing.assert_allclose(grad(smooth)(x), slope, atol=1e-6)
    np.testing.assert_allclose(jacobian(smooth)(x), slope, atol=1e-6)
    np.testing.assert_allclose(jvp(smooth, (x,), (v,))[1], (slope * v).sum(), atol=1e-5)
    np.testing.assert_allclose(hessian(smooth)(x), curvature, atol=1e-5)
    np.testing.assert_allclose(hvp(smooth, x, v), np.tensordot(curvature, v, 2), atol=1e-5)


@given(st.integers(0, 2**31))
def test_jvp_and_vjp_are_transposes(seed):
    rng = np.random.default_rng(seed)
    f = lambda p: {"a": p[0] @ p[1], "b": [np.exp(p[0]).sum(), p[1].T * 2]}
    x = [rng.normal(size=(2, 3)), rng.normal(size=(3, 4))]
    t = [rng.normal(size=(2, 3)), rng.normal(size=(3, 4))]
    c = {"a": rng.normal(size=(2, 4)), "b": [rng.normal(), rng.normal(size=(4, 3))]}
    out, tangent = jvp(f, (x,), (t,))
    again, pullback = vjp(f, x)
    (gradient,) = pullback(c)
    forward = (
        (tangent["a"] * c["a"]).sum() + tangent["b"][0] * c["b"][0] + (tangent["b"][1] * c["b"][1]).sum()
    )
    assert np.isclose(forward, sum((g * s).sum() for g, s in zip(gradient, t)))
    assert out["a"].tolist() == again["a"].tolist() == (x[0] @ x[1]).tolist()


def test_forward_mode_at_a_steep_place():
    with np.errstate(divide="ignore"):
        assert jvp(np.sqrt, (0.0,), (2.0,)) == (0.0, math.inf)
        assert jvp(np.sqrt, (np.zeros(2),), (np.array([1.0, 2.0]),))[1].tolist() == [math.inf] * 2


def test_pullback_can_be_called_again_with_the_same_result():
    out, pullback = vjp(lambda x, y: (x * y, x + y), 3.0, 5.0)
    assert out == (15.0, 8.0)
    assert pullback((1.0, 0.0)) == (5.0, 3.0) == pullback((1.0, 0.0))
    assert pullback((1.0, 1.0)) == (6.0, 4.0)


def test_a_cotangent_is_not_handed_out_again():
    cotangent = np.ones(2)
    gradients = vjp(lambda x, y: x + y, np.ones(2), np.ones(2))[1](cotangent)
    (identical,) = vjp(lambda x: x, np.ones(2))[1](cotangent)
    arrays = [cotangent, *gradients, identical]
    assert not any(np.may_share_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])


# Structures
def test_gradients_have_the_structure_of_the_argument():
    tree = {"w": [np.ones((2, 3)), (2.0, np.float32(3.0))], "pair": Pair(np.ones(2, np.float32), 4)}
    f = lambda t: (
        t["w"][0].sum() * t["w"][1][0] + t["w"][1][1] ** 2 + (t["pair"].left * t["pair"].right).sum()
    )
    g = grad(f)(tree)
    assert list(g) == ["w", "pair"] and type(g["pair"]) is Pair and type(g["w"][1]) is tuple
    np.testing.assert_array_equal(g["w"][0], np.full((2, 3), 2.0))
    assert g["w"][1] == (6.0, 6.0) and type(g["w"][1][0]) is float
    assert g["w"][1][1].dtype == g["pair"].left.dtype == np.float32
    assert g["pair"].left.tolist() == [4, 4] and g["pair"].right == 2.0
    ordered = grad(lambda t: t["b"] * t["a"])(OrderedDict(b=2.0, a=3.0))
    assert type(ordered) is OrderedDict and list(ordered.items()) == [("b", 3.0), ("a", 2.0)]


def test_several_arguments():
    f = lambda x, y, z, *, scale=1.0: scale * x * y**2 * z
    assert grad(f, argnums=1)(2.0, 3.0, 5.0) == 60.0
    assert grad(f, argnums=-1)(2.0, 3.0, 5.0) == 18.0
    assert grad(f, argnums=(2, 0))(2.0, 3.0, 5.0, scale=10.0) == (180.0, 450.0)
    assert grad(f, argnums=[0])(2.0, 3.0, 5.0) == (45.0,)
    assert value_and_grad(f, (0, 1))(2.0, 3.0, 5.0) == (90.0, (45.0, 60.0))
    assert hessian(f, (0, 1))(2.0, 3.0, 5.0) == ((0.0, 30.0), (30.0, 20.0))
    assert jacobian(f, (1,))(2.0, 3.0, 5.0) == (60.0,)


def test_the_same_value_given_twice_is_two_arguments():
    assert grad(lambda x, y: x * y + x, argnums=(0, 1))(*[3.0] * 2) == (4.0, 3.0)
    v = Value(3.0)
    first, second = grad(lambda x, y: x * y + x, argnums=(0, 1))(v, v)
    assert (first.item(), second.item()) == (4.0, 3.0)


def test_aux_is_handed_on():
    f = lambda x: (x * x, {"twice": 2 * x, "name": "f", "array": np.ones(2)})
    gradient, aux = grad(f, has_aux=True)(3.0)
    assert (gradient, aux["twice"], aux["name"]) == (6.0, 6.0, "f") and type(aux["twice"]) is float
    (value, aux), gradient = value_and_grad(f, has_aux=True)(3.0)
    assert (value, gradient, aux["twice"]) == (9.0, 6.0, 6.0)
    out, pullback, aux = vjp(f, 3.0, has_aux=True)
    assert (out, pullback(1.0), aux["twice"]) == (9.0, (6.0,), 6.0)
    out, tangent, aux = jvp(f, (3.0,), (1.0,), has_aux=True)
    assert (out, tangent, aux["twice"]) == (9.0, 6.0, 6.0)
    assert jacobian(f, has_aux=True)(3.0)[0] == 6.0 and jacobian(f, has_aux=True)(3.0)[1]["twice"] == 6.0
    assert hessian(f, has_aux=True)(3.0)[0] == 2.0 and hessian(f, has_aux=True)(3.0)[1]["twice"] == 6.0
    with pytest.raises(TypeError, match=r"pair \(result, aux\)"):
        grad(lambda x: x, has_aux=True)(3.0)


def test_an_argument_that_is_ignored_has_zeros():
    x = {"used": np.ones(2), "not": np.ones((2, 3), np.float32), "number": 1.0}
    g = grad(lambda p, q: p["used"].sum(), argnums=(0, 1))(x, [np.ones(4)])
    assert g[0]["not"].shape == (2, 3) and g[0]["not"].dtype == np.float32 and not g[0]["not"].any()
    assert g[0]["number"] == 0.0 and type(g[0]["number"]) is float
    assert g[1][0].tolist() == [0.0] * 4
    assert grad(lambda x: 7.0)(2.0) == 0.0 and grad(lambda x: Value(7.0))(2.0) == 0.0
    assert jacobian(lambda x: np.ones(2))(np.ones(3)).tolist() == [[0.0] * 3] * 2
    assert jvp(lambda x: np.ones(2), (3.0,), (1.0,))[1].tolist() == [0.0, 0.0]
    assert vjp(lambda x: (x, np.ones(2)), 3.0)[1]((1.0, np.ones(2))) == (1.0,)
    assert hvp(lambda x: x[0], [3.0, np.ones(2)], [1.0, np.ones(2)])[1].tolist() == [0.0, 0.0]


def test_empty_trees_and_arrays():
    assert grad(lambda p: 3.0 * Value(2.0))([]) == []
    assert grad(lambda x: x.sum())(np.ones((0, 3))).shape == (0, 3)
    assert jacobian(lambda x: x * 2)(np.ones((0, 3))).shape == (0, 3, 0, 3)
    assert jvp(lambda x: x * 2, (np.ones(0),), (np.ones(0),))[1].shape == (0,)


def test_whole_numbers_become_floats():
    assert grad(lambda x: x * x)(3) == 6.0
    assert grad(lambda x: (x * x).sum())(np.array([1, 2])).tolist() == [2.0, 4.0]


def test_jacobians_have_the_shapes_of_result_and_argument():
    f = lambda p: [p["x"] * p["y"], p["x"].sum()]
    x = {"x": np.arange(6.0).reshape(2, 3), "y": 2.0}
    first, second = jacobian(f)(x)
    assert first["x"].shape == (2, 3, 2, 3) and first["y"].shape == (2, 3) == second["x"].shape
    assert first["x"][1, 2].tolist() == [[0, 0, 0], [0, 0, 2]] and second["y"] == 0.0
    np.testing.assert_array_equal(first["y"], x["x"])
    assert jacobian(lambda x: x * np.ones(3))(2.0).tolist() == [1, 1, 1]
    assert type(jacobian(lambda x: x * x)(2.0)) is float


# Nesting
def test_third_derivatives():
    assert grad(grad(grad(lambda x: x**4)))(2.0) == 48.0
    assert math.isclose(grad(grad(grad(np.sin)))(0.7), -math.cos(0.7))
    t = math.tanh(0.3)
    assert math.isclose(grad(grad(grad(np.tanh)))(0.3), (1 - t * t) * (6 * t * t - 2))
    third = jacobian(hessian(lambda x: x[0] ** 2 * x[1] + x[1] ** 3))(np.array([2.0, 3.0]))
    assert third.tolist() == [[[0, 2], [2, 0]], [[2, 0], [0, 6]]]
    assert hessian(grad(lambda x: x**5))(2.0) == 240.0


@pytest.mark.parametrize(
    "name", ["exp", "log", "sin", "cos", "tanh", "arctan", "sqrt", "square", "log1p", "expm1"]
)
def test_third_derivatives_of_smooth_functions(name):
    f, x = getattr(np, name), np.array([0.4, 0.9, 1.7])
    second = grad(lambda x: grad(lambda x: grad(lambda x: f(x).sum())(x).sum())(x).sum())
    third = grad(lambda x: second(x).sum())
    slope = np.diag(measured(second, x))
    np.testing.assert_allclose(third(x), slope, rtol=1e-6)


def test_perturbations_are_not_confused():
    assert grad(lambda x: x * grad(lambda y: x * y)(1.0))(2.0) == 4.0
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(2.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y * y)(x))(3.0) == 54.0
    assert grad(lambda x: grad(lambda y: y * y * x)(2.0))(5.0) == 4.0
    assert grad(lambda x: vjp(lambda y: y * y, x)[1](x)[0])(3.0) == 12.0
    assert grad(lambda x: jvp(lambda y: x * y * y, (2.0,), (x,))[1])(3.0) == 24.0
    assert grad(lambda c: vjp(lambda y: y * y, 3.0)[1](c)[0])(1.0) == 6.0
    assert grad(lambda t: jvp(lambda y: y * y, (3.0,), (t,))[1])(1.0) == 6.0
    assert jvp(lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1], (2.0,), (1.0,)) == (2.0, 1.0)
    assert jvp(lambda x: x * grad(lambda y: x * y)(1.0), (2.0,), (1.0,)) == (4.0, 4.0)
    assert grad(lambda x: x * jacobian(lambda y: x * y)(np.ones(2))[1, 1])(2.0) == 4.0
    assert grad(lambda x: hvp(lambda y: x * y**3, 1.0, 1.0))(2.0) == 6.0
    assert grad(lambda x: hessian(lambda y: x * (y**3).sum())(np.ones(2)).sum())(2.0) == 12.0
    assert grad(lambda x, y: x * grad(lambda y: x * y)(y), argnums=(0, 1))(2.0, 3.0) == (4.0, 0.0)


def test_forward_and_reverse_nest_in_every_order():
    f = lambda x: np.sin(x) * x**2
    second = lambda x: -math.sin(x) * x**2 + 4 * x * math.cos(x) + 2 * math.sin(x)
    along = lambda f: lambda x: jvp(f, (x,), (1.0,))[1]
    for outer in (grad, along, jacobian):
        for inner in (grad, along, jacobian):
            assert math.isclose(outer(inner(f))(1.3), second(1.3))
    assert math.isclose(hessian(f)(1.3), second(1.3))
    assert math.isclose(hvp(f, 1.3, 2.0), 2 * second(1.3))


def test_a_function_may_use_values_that_are_not_its_arguments():
    x = Value(2.0)
    inner = grad(lambda y: x * y * y)(3.0)
    assert isinstance(inner, Value) and inner.item() == 12.0
    inner.backward()
    assert x.grad == 6.0
    with no_grad():
        assert grad(lambda y: x * y * y)(3.0) == 12.0
    out, pullback = vjp(lambda y: x * y, 3.0)
    assert isinstance(out, Value) and isinstance(pullback(1.0)[0], Value)
    gradient, seen = grad(lambda y: (y * y, x), has_aux=True)(3.0)
    assert seen is x and isinstance(gradient, Value)
    constant = Value(1.0, requires_grad=False)
    gradient, seen = grad(lambda y: (y * y, [constant, y]), has_aux=True)(3.0)
    assert seen[0] is constant and seen[1] == 3.0 and gradient == 6.0


def test_on_values_they_give_values():
    x = Value(3.0)
    slope = grad(lambda x: x**3)(x)
    assert isinstance(slope, Value) and slope.item() == 27.0
    slope.backward()
    assert x.grad == 18.0
    constant = grad(lambda x: x**3)(x.detach())
    assert isinstance(constant, Value) and not constant.requires_grad
    value, gradient = value_and_grad(lambda p, q: p["w"] * q)({"w": 2.0}, Value(5.0, requires_grad=False))
    assert (value.item(), gradient["w"].item()) == (10.0, 5.0) and not gradient["w"].requires_grad
    ignored = grad(lambda x: 1.0)(x)
    assert isinstance(ignored, Value) and ignored.item() == 0.0
    with no_grad():
        slope = grad(lambda x: x**3)(x)
    assert isinstance(slope, Value) and slope.item() == 27.0 and not slope.requires_grad


def test_no_grad_around_and_inside():
    def half(x):
        with no_grad():
            y = x * x
        return x * y

    assert grad(half)(3.0) == 9.0
    with no_grad():
        assert grad(grad(lambda x: x**3))(2.0) == 12.0
        assert jvp(lambda x: x**3, (2.0,), (1.0,)) == (8.0, 12.0)
        assert hessian(lambda x: (x**3).sum())(np.ones(2)).tolist() == [[6, 0], [0, 6]]
        assert not recording_mode.get()
    assert recording_mode.get()


def test_gradient_of_a_penalty_on_the_gradient():
    x = np.array([0.5, -1.0, 2.0])
    penalty = lambda x: (grad(lambda x: np.exp(np.sin(x)).sum())(x) ** 2).sum()
    np.testing.assert_allclose(grad(penalty)(x), measured(lambda x: penalty(Value(x)).item(), x), rtol=1e-5)


# What is left behind
def test_no_gradient_outside_is_touched():
    w, x = Value([1.0, 2.0]), Value([3.0, 4.0])
    (w * x).sum().backward()
    before = w.grad, x.grad
    middle = w * 2
    grad(lambda y: (middle * y).sum())(np.ones(2))
    grad(lambda y: (w * y).sum())(x)
    jacobian(lambda y: w * y)(x)
    hessian(lambda y: (w * y**3).sum())(np.ones(2))
    jvp(lambda y: w * y, (x,), (np.ones(2),))
    assert w.grad is before[0] and x.grad is before[1] and middle.grad is None


def test_an_exception_leaves_nothing_behind():
    w, kept = Value([1.0, 2.0]), []
    w.grad = np.array([5.0, 5.0])

    def broken(x):
        kept.append(x)
        raise KeyError("broken")

    for transform in (grad, jacobian, hessian, value_and_grad):
        with pytest.raises(KeyError):
            transform(broken)(np.ones(2))
    with pytest.raises(KeyError):
        jvp(broken, (1.0,), (1.0,))
    assert recording_mode.get() and not walking.get()

    def changed(x):
        y = x * w
        y.data[...] = 7.0
        out = (y * y).sum()
        x.data += 1.0
        kept.append((x, y, out))
        return out

    with pytest.raises(RuntimeError, match="updated in place"):
        grad(changed)(np.ones(2))
    assert all(v.grad is None for v in kept[-1]) and w.grad.tolist() == [5.0, 5.0]


def test_no_cycle_is_left_for_the_collector():
    def everything():
        grad(grad(lambda x: np.sin(x) * x))(1.0)
        value_and_grad(lambda p: (p["x"] @ p["x"]).sum(), has_aux=False)({"x": np.ones((2, 2))})
        _, pullback = vjp(lambda x: (x, x * x), np.ones(2))
        pullback((np.ones(2), np.ones(2)))
        jvp(lambda x: x * x, (np.ones(2),), (np.ones(2),))
        hvp(lambda x: (x**3).sum(), np.ones(2), np.ones(2))
        jacobian(lambda x: np.outer(x, x))(np.ones(2))
        jacobian(hessian(lambda x: (x**3).sum()))(np.ones(2))

    everything()
    gc.collect()
    gc.disable()
    try:
        everything()
        assert gc.collect() == 0
    finally:
        gc.enable()


def in_threads(work, n=8):
    """Run work(0) ... work(n - 1) at the same time; raises what they raise."""
    errors, start = [], threading.Barrier(n)

    def run(i):
        try:
            start.wait()
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_2400_nested_gradients_in_8_threads():
    shared, wrong = Value(2.0), []

    def work(i):
        for k in range(300):
            x = 1.0 + i + k / 300
            second = grad(lambda y: y * grad(lambda z: y * z**3)(y))(x)  # y · 3y³
            slope = grad(lambda y: shared * y * y)(x)
            if not (math.isclose(second, 12 * x**3) and math.isclose(slope.item(), 4 * x)):
                wrong.append(x)

    in_threads(work)
    assert not wrong and shared.grad is None


def test_one_pullback_in_8_threads():
    def deep(x):
        for _ in range(40):
            x = np.tanh(x @ x.T + x)
        return x

    _, pullback = vjp(deep, np.arange(9.0).reshape(3, 3) / 9)
    cotangents = [np.eye(3) * (i + 1) for i in range(8)]
    right, wrong = [pullback(c)[0] for c in cotangents], []

    def work(i):
        for _ in range(50):
            if not np.array_equal(pullback(cotangents[i])[0], right[i]):
                wrong.append(i)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        in_threads(work)
    finally:
        sys.setswitchinterval(interval)
    assert not wrong


# What cannot be
@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: grad(lambda x: x)(np.ones(2)), ValueError, r"single number, and it gave \(2,\) float64"),
        (lambda: grad(lambda x: [x, x])(1.0), ValueError, "gave .number, number.; make it one"),
        (lambda: value_and_grad(lambda x: x)(np.ones(2)), ValueError, "value_and_grad: .* single number"),
        (lambda: hessian(lambda x: x)(np.ones(2)), ValueError, "single number"),
        (lambda: grad(lambda x: None)(1.0), TypeError, "gave None .is its return missing"),
        (lambda: vjp(lambda x: [x, "word"], 1.0), TypeError, "gave 'word'"),
        (lambda: grad(lambda x: x, argnums=1)(1.0), ValueError, "argnums=1, .* 1 positional"),
        (lambda: grad(lambda x: x, argnums=(0, -3))(1.0, 2.0), ValueError, r"argnums=\(0, -3\)"),
        (lambda: grad(lambda x: x)(x=1.0), ValueError, "0 positional .* by keyword"),
        (lambda: grad(lambda x: x, argnums=True)(1.0), TypeError, "argnums must be"),
        (lambda: grad(lambda x: x, argnums="x")(1.0), TypeError, "argnums must be"),
        (lambda: grad(lambda x: x, argnums=(0.0,))(1.0), TypeError, "argnums must be"),
        (
            lambda: grad(lambda p: p["w"][1])({"w": [1.0, "two"]}),
            TypeError,
            r"argument 0\['w'\]\[1\] is 'two'",
        ),
        (lambda: grad(lambda x: x)(1j), TypeError, "argument 0 is complex"),
        (lambda: jacobian(lambda x: x)(np.ones(2) * 1j), TypeError, r"argument 0 is \(2,\) complex128"),
        (lambda: grad(lambda x: x)(None), TypeError, "argument 0 is None"),
        (
            lambda: vjp(lambda x: x, np.ones(2))[1](np.ones(3)),
            ValueError,
            r"cotangent must have the shape \(2,\)",
        ),
        (lambda: vjp(lambda x: [x, x], 1.0)[1](1.0), ValueError, "cotangent must be a list of 2 parts"),
        (lambda: vjp(lambda x: {"a": x}, 1.0)[1]({"b": 1.0}), ValueError, "dict with the keys .'a'."),
        (
            lambda: jvp(lambda x: x, (1.0,), (np.ones(2),)),
            ValueError,
            r"tangents\[0\] must have the shape \(\)",
        ),
        (lambda: jvp(lambda x: x, (1.0,), (1.0, 2.0)), ValueError, "tangents must be a tuple of 1 parts"),
        (lambda: jvp(lambda x: x, 1.0, 1.0), TypeError, r"jvp\(f, \(x,\), \(t,\)\)"),
        (
            lambda: hvp(lambda x: x.sum(), np.ones(2), np.ones(3)),
            ValueError,
            r"hvp: v must have the shape \(2,\)",
        ),
    ],
)
def test_errors_say_what_to_do(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


# Against PyTorch
def test_the_same_as_torch_func():
    torch = pytest.importorskip("torch", reason="PyTorch, the extra named oracle, is not installed")
    rng = np.random.default_rng(1)
    w, x = rng.normal(size=(3, 4)), rng.normal(size=(5, 3))
    v = rng.normal(size=(3, 4))
    ours = lambda w: np.log(np.exp(np.tanh(x @ w)).sum(axis=1)).mean()
    theirs = lambda w: torch.log(torch.exp(torch.tanh(torch.tensor(x) @ w)).sum(1)).mean()
    rows = lambda w: np.exp(np.tanh(x @ w)).sum(axis=1)
    their_rows = lambda w: torch.exp(torch.tanh(torch.tensor(x) @ w)).sum(1)
    tw, tv = torch.tensor(w), torch.tensor(v)
    same = lambda a, b: np.testing.assert_allclose(a, b.numpy(), rtol=1e-10, atol=1e-12)
    same(grad(ours)(w), torch.func.grad(theirs)(tw))
    same(jacobian(rows)(w), torch.func.jacrev(their_rows)(tw))
    same(hessian(ours)(w), torch.func.hessian(theirs)(tw))
    same(jvp(rows, (w,), (v,))[1], torch.func.jvp(their_rows, (tw,), (tv,))[1])
    same(vjp(rows, w)[1](x[:, 0])[0], torch.func.vjp(their_rows, tw)[1](torch.tensor(x[:, 0]))[0])
    third = torch.func.jacrev(torch.func.hessian(lambda w: theirs(w.reshape(3, 4))))
    same(jacobian(hessian(lambda w: ours(w.reshape(3, 4))))(w.ravel()), third(tw.ravel()))
