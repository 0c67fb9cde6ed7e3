"""Functions with a derivative of their own, functions that are run twice, and stopped gradients."""

import gc
import threading
import weakref

import numpy as np
import pytest

from tinygrad_course import (
    Value,
    checkpoint,
    custom_derivative,
    grad,
    gradcheck,
    gradgradcheck,
    hessian,
    hvp,
    jacobian,
    jvp,
    nn,
    no_grad,
    stop_gradient,
    value_and_grad,
    vjp,
)  # fmt: skip


# custom_derivative
def power(x, y):
    return x**y


BY_VJP = custom_derivative(power, vjp=lambda g, out, x, y: (g * y * x ** (y - 1), g * out * np.log(x)))
BY_JVP = custom_derivative(power, jvp=lambda t, out, x, y: t[0] * y * x ** (y - 1) + t[1] * out * np.log(x))


@pytest.mark.parametrize("own", [BY_VJP, BY_JVP])
def test_a_rule_for_one_mode_serves_both_and_every_order(own):
    x, y = np.array([[1.5, 2.0, 0.5]]), np.array([[2.0], [0.5]])
    assert gradcheck(own, x, y) and gradgradcheck(own, x, y)
    assert gradcheck(own, 1.5, 2.5) and gradgradcheck(own, 1.5, 2.5)
    tangents = (np.ones((1, 3)), np.array([[1.0], [2.0]]))
    np.testing.assert_allclose(jvp(own, (x, y), tangents)[1], jvp(np.power, (x, y), tangents)[1])
    np.testing.assert_allclose(jacobian(own)(x, y), jacobian(np.power)(x, y))
    total = lambda f: lambda x: f(x, y).sum()
    np.testing.assert_allclose(hessian(total(own))(x), hessian(total(np.power))(x))
    np.testing.assert_allclose(hvp(total(own), x, x), hvp(total(np.power), x, x))
    third = grad(grad(grad(lambda x: own(x, 4.0))))(2.0)
    assert type(third) is float and np.isclose(third, 48.0)


@pytest.mark.parametrize("own", [BY_VJP, BY_JVP])
def test_a_function_with_its_own_rule_on_numbers_constants_and_values(own):
    assert type(own(2.0, 3.0)) is float and own(2.0, 3.0) == 8.0
    out = own(Value(2.0), 3.0)
    assert type(out.data) is float and out.requires_grad
    out.backward()
    assert not own(Value(2.0, requires_grad=False), 3.0).requires_grad
    with no_grad():
        assert not own(Value(2.0), 3.0).requires_grad
    x = Value(np.ones((2, 3)))
    own(x, Value(np.float32(2.0))).sum().backward()
    assert x.grad.tolist() == [[2.0] * 3] * 2
    assert grad(own, argnums=1)(np.e, 1.0) == pytest.approx(np.e)


def test_rules_get_keywords_and_may_give_nothing():
    own = custom_derivative(
        lambda x, n, *, scale: scale * x**n,
        vjp=lambda g, out, x, n, *, scale: (g * scale * n * x ** (n - 1), None),
    )
    assert grad(own)(2.0, 3.0, scale=10.0) == 120.0
    assert grad(own, argnums=1)(2.0, 3.0, scale=10.0) == 0.0
    assert type(custom_derivative(np.sin, vjp=lambda g, out, x: (g * np.cos(x),))(Value(0.5)).data) is float
    straight = custom_derivative(np.round, vjp=lambda g, out, x: (g,))
    assert grad(lambda x: (straight(x) * x).sum())(np.array([0.4, 1.6])).tolist() == [0.4, 3.6]


def test_a_function_that_is_not_looked_into():
    def bisect(a):
        low, high = np.zeros_like(a), np.maximum(a, 1)
        for _ in range(80):
            middle = (low + high) / 2
            low, high = np.where(middle**3 < a, middle, low), np.where(middle**3 < a, high, middle)
        return low

    cube_root = custom_derivative(bisect, vjp=lambda g, out, a: (g / (3 * out**2),))
    assert gradcheck(cube_root, np.array([0.5, 2.0, 8.0]))
    np.testing.assert_allclose(
        np.diag(hessian(lambda a: cube_root(a).sum())(np.array([8.0, 27.0]))), [-2 / 288, -2 / 2187]
    )


def test_errors_of_functions_with_their_own_rule():
    rule = lambda g, out, x: (g,)
    for wrong in ({}, {"vjp": rule, "jvp": rule}):
        with pytest.raises(TypeError, match="give one rule"):
            custom_derivative(power, **wrong)
    with pytest.raises(TypeError, match=r"power: its vjp must give a tuple, .* 2 arguments; it gave a float"):
        grad(custom_derivative(power, vjp=lambda g, out, x, y: g))(2.0, 3.0)
    with pytest.raises(TypeError, match="a tuple of 1"):
        grad(custom_derivative(power, vjp=lambda g, out, x, y: (g,)))(2.0, 3.0)
    with pytest.raises(ValueError, match="power: a rule gave a gradient of shape"):
        grad(lambda x: custom_derivative(power, vjp=lambda g, out, x, y: (np.ones(7), g))(x, 2).sum())(
            np.ones(3)
        )
    with pytest.raises(TypeError, match="in a list or by keyword"):
        custom_derivative(sum, vjp=rule)([Value(1.0), Value(2.0)])
    with pytest.raises(TypeError, match="in a list or by keyword"):
        BY_VJP(2.0, y=Value(1.0))
    w = Value(3.0)
    with pytest.raises(TypeError, match="is a Value that it uses not an argument"):
        grad(custom_derivative(lambda x: w * x, vjp=rule))(2.0)
    with pytest.raises(TypeError, match="gave a NoneType"):
        grad(custom_derivative(lambda x: None, vjp=rule))(2.0)


# checkpoint
def network(rng):
    w = [Value(rng.normal(size=(4, 4)), name=f"w{i}") for i in range(3)]
    return w, lambda x: np.tanh(np.tanh(np.tanh(x @ w[0]) @ w[1]) @ w[2])


def test_a_checkpoint_changes_no_gradient():
    w, f = network(np.random.default_rng(0))
    x = Value(np.random.default_rng(1).normal(size=(2, 4)))
    (f(x) * f(f(x))).sum().backward()
    right = [v.grad for v in (x, *w)]
    for v in (x, *w):
        v.grad = None
    g = checkpoint(f)
    (g(x) * checkpoint(lambda x: g(g(x)))(x)).sum().backward()
    for v, gradient in zip((x, *w), right):
        np.testing.assert_allclose(v.grad, gradient, rtol=1e-12)


def test_a_checkpoint_has_derivatives_of_every_order():
    f = lambda x, y: {"product": np.sin(x) * y, "sum": [x + y.sum(), 3.0]}
    total = lambda f: lambda x, y: (f(x, y)["product"] ** 2).sum() * (f(x, y)["sum"][0] ** 2).sum()
    x, y = np.array([0.3, 1.0]), np.array([2.0, -1.0])
    for transform in (grad, hessian, lambda f: jacobian(hessian(f))):
        np.testing.assert_allclose(transform(total(checkpoint(f)))(x, y), transform(total(f))(x, y))
    assert checkpoint(f)(x, y)["sum"][1] == 3.0
    assert jvp(checkpoint(np.sin), (0.5,), (1.0,)) == jvp(np.sin, (0.5,), (1.0,))
    assert grad(grad(checkpoint(lambda x: x**3)))(2.0) == 12.0
    assert grad(lambda x: x * grad(checkpoint(lambda y: x * y))(1.0))(2.0) == 4.0


def test_a_checkpoint_of_values_that_depend_on_each_other():
    a = Value(2.0)
    b = a * a
    f = lambda x: x * a * b * b
    checkpoint(f)(b).backward()  # a⁷
    assert a.grad == 7 * 2**6


def test_a_checkpoint_remembers_only_what_goes_in_and_out():
    alive = []

    def f(x):
        for _ in range(20):
            x = np.tanh(x)
            alive.append(weakref.ref(x.data))
        return x

    x = Value(np.ones(1000))
    kept = f(x)
    assert sum(r() is not None for r in alive) == 20
    del kept
    alive.clear()
    out = checkpoint(f)(x)
    assert sum(r() is not None for r in alive) == 1
    out.sum().backward()
    assert len(alive) == 40
    gc.collect()
    assert x.grad.shape == (1000,)


def test_a_second_run_unlike_the_first_is_an_error():
    rng = np.random.default_rng(0)
    noisy = checkpoint(lambda x: x * rng.normal(size=3))
    with pytest.raises(RuntimeError, match="not like the first"):
        grad(lambda x: noisy(x).sum())(np.ones(3))

    w, x = Value(np.ones(3)), Value(np.ones(3))
    out = checkpoint(lambda x: (w * x).sum())(x)
    w.data = np.zeros(3)
    with pytest.raises(RuntimeError, match="not like the first"):
        out.backward()
    w, x = Value(2.0), Value(0.0)
    out = checkpoint(lambda x: w * x)(x)
    w.data = 3.0  # the result is the same, its gradient is not
    with pytest.raises(RuntimeError, match="not like the first"):
        out.backward()
    w, x = Value(np.ones(3)), Value(np.ones(3))
    out = checkpoint(lambda x: (w * x).sum())(x)
    w.data -= 0.5
    with pytest.raises(RuntimeError):
        out.backward()
    assert w.grad is None and x.grad is None

    used = [Value(1.0), Value(1.0)]
    with pytest.raises(RuntimeError, match="not like the first"):
        checkpoint(lambda x: x * used.pop())(Value(2.0)).backward()


def test_a_checkpoint_without_gradients_is_the_function():
    f = checkpoint(lambda x: x * 2)
    assert f(3.0) == 6.0 and f(Value(3.0, requires_grad=False)).item() == 6.0
    with no_grad():
        assert not f(Value(3.0)).requires_grad
    x = Value(3.0)
    assert checkpoint(lambda x: x.item())(x) == 3.0
    assert checkpoint(lambda x: x)(x).requires_grad
    outside = Value(1.0)
    assert checkpoint(lambda x: outside)(x) is outside
    with no_grad():
        pass
    y = f(x)
    with no_grad():
        y.backward()
    assert x.grad == 2.0


def test_checkpoints_in_threads():
    w, f = network(np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(2, 4))
    right = grad(lambda x: f(x).sum())(x).numpy()
    wrong = []

    def work():
        for _ in range(20):
            if not np.allclose(grad(lambda x: checkpoint(f)(x).sum())(x).numpy(), right):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong and all(v.grad is None for v in w)


def test_a_checkpoint_of_layers_of_a_network():
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(3, 5, rng=rng), nn.Tanh(), nn.Linear(5, 2, rng=rng))
    x = np.ones((4, 3), np.float32)
    (net(x) ** 2).sum().backward()
    right = [p.grad for p in net.parameters()]
    net.zero_grad()
    (checkpoint(net)(x) ** 2).sum().backward()
    for p, gradient in zip(net.parameters(), right):
        np.testing.assert_allclose(p.grad, gradient, rtol=1e-6)


# stop_gradient
def test_a_stopped_gradient():
    assert grad(lambda x: x * stop_gradient(x) ** 2)(3.0) == 9.0
    x = Value(2.0)
    stopped = stop_gradient({"a": [x, 5.0], "b": x * x})
    assert stopped["a"][1] == 5.0 and stopped["b"].item() == 4.0 and not stopped["b"].requires_grad
    out, tangent = jvp(lambda x: stop_gradient(x) * x, (3.0,), (1.0,))
    assert (out, tangent) == (9.0, 3.0)
    assert value_and_grad(lambda x: stop_gradient(x * x))(3.0) == (9.0, 0.0)
    assert vjp(stop_gradient, np.ones(2))[1](np.ones(2))[0].tolist() == [0.0, 0.0]
