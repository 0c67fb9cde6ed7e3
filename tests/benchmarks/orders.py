"""Derivatives of derivatives: a gradient of a gradient, and the Hessian of a small network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .works import WORKS, Step, Work, engine, jax_of, one_thread

WORKS["second-order"] = Work(
    "gradient of a gradient, 1,000 numbers", "eager ≤ 0.8 × torch, compiled ≤ 0.22 ×"
)
WORKS["hessian"] = Work("Hessian of 201 parameters (MLP 2-50-1)", "≤ 12 ms", "ms")


@engine("second-order", "hand")
def second_order_hand() -> Step:
    """With t = tanh x and s = 1 - t²: the gradient is g = t + x s, that of g² is 2 g · 2 s (1 - x t)."""
    x = np.linspace(-1, 1, 1000)
    t, s, g, h = (np.empty_like(x) for _ in range(4))
    one, four = np.array(1.0), np.array(4.0)

    def step() -> list[np.ndarray]:
        np.tanh(x, out=t)
        np.multiply(t, t, out=s)
        np.subtract(one, s, out=s)
        np.multiply(x, s, out=g)
        np.add(t, g, out=g)
        np.multiply(x, t, out=h)
        np.subtract(one, h, out=h)
        np.multiply(h, s, out=h)
        np.multiply(h, g, out=h)
        np.multiply(h, four, out=h)
        return [h]

    return step


def twice(grad: Callable[[Any], Any], module: Any) -> Callable[[Any], Any]:
    """The gradient of the sum of squares of a gradient, with an engine's own `grad`."""
    first = grad(lambda x: module.sum(module.tanh(x) * x))
    return grad(lambda x: module.sum(first(x) ** 2))


@engine("second-order", "ours")
def second_order_ours() -> Step:
    from tinygrad_course import grad

    x, second = np.linspace(-1, 1, 1000), twice(grad, np)
    return lambda: [second(x)]


@engine("second-order", "compiled")
def second_order_compiled() -> Step:
    from tinygrad_course import compile, grad

    x, second = np.linspace(-1, 1, 1000), compile(twice(grad, np))
    return lambda: [second(x)]


@engine("second-order", "torch")
def second_order_torch() -> Step:
    torch = one_thread()
    x = torch.linspace(-1, 1, 1000, dtype=torch.float64, requires_grad=True)

    def step() -> Any:
        (g,) = torch.autograd.grad((torch.tanh(x) * x).sum(), x, create_graph=True)
        return torch.autograd.grad((g * g).sum(), x)

    return step


@engine("second-order", "jax")
def second_order_jax() -> Step:
    import jax

    second = twice(jax.grad, jax.numpy)
    return jax_of(lambda x: [second(x)], np.linspace(-1, 1, 1000), double=True)


@engine("second-order", "autograd")
def second_order_autograd() -> Step:
    import autograd
    import autograd.numpy as anp

    x, second = np.linspace(-1, 1, 1000), twice(autograd.grad, anp)
    return lambda: [second(x)]


def small_network(w: Any, module: Any, x: Any, y: Any) -> Any:
    """Mean squared error of an MLP 2-50-1 whose 201 parameters are one vector."""
    hidden = module.tanh(x @ w[:100].reshape(2, 50) + w[100:150])
    return module.mean((hidden @ w[150:200] + w[200] - y) ** 2)


def hessian_set() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, 2))
    return rng.standard_normal(201) * 0.3, x, np.sin(x[:, 0])


@engine("hessian", "hand")
def hessian_hand() -> Step:
    """2/100 times JᵀJ, of the residuals' derivatives, plus the residuals times their second derivatives.

    A residual's second derivatives are 0 but between the weights into and out of the same hidden unit.
    """
    w, x, y = hessian_set()
    z = np.column_stack([x, np.ones(100)])  # the bias is a third input
    pairs = (z[:, :, None] * z[:, None, :]).reshape(100, 9)
    jacobian, h = np.ones((100, 201)), np.empty((201, 201))
    into, out = np.arange(150).reshape(3, 50), np.arange(150, 200)

    def step() -> list[np.ndarray]:
        v = w[150:200]
        hidden = np.tanh(z @ w[:150].reshape(3, 50))
        slope = 1 - hidden * hidden
        r = hidden @ v + w[200] - y
        np.multiply(z[:, :, None], (slope * v)[:, None, :], out=jacobian[:, :150].reshape(100, 3, 50))
        jacobian[:, 150:200] = hidden
        np.matmul(jacobian.T, jacobian, out=h)
        weighted = r[:, None] * slope
        within = (pairs.T @ (weighted * hidden)).reshape(3, 3, 50) * (-2 * v)
        between = z.T @ weighted
        h[into[:, None], into[None]] += within
        h[into, out] += between
        h[out, into] += between
        np.multiply(h, 2 / 100, out=h)
        return [h]

    return step


@engine("hessian", "ours")
def hessian_ours() -> Step:
    from tinygrad_course import hessian

    w, x, y = hessian_set()
    h = hessian(lambda w: small_network(w, np, x, y))
    return lambda: [h(w)]


@engine("hessian", "torch")
def hessian_torch() -> Step:
    torch = one_thread()
    w, x, y = map(torch.tensor, hessian_set())
    f = lambda w: small_network(w, torch, x, y)
    return lambda: [torch.autograd.functional.hessian(f, w)]


@engine("hessian", "jax")
def hessian_jax() -> Step:
    import jax

    w, x, y = hessian_set()
    return jax_of(jax.hessian(lambda w: small_network(w, jax.numpy, x, y)), w, double=True)


@engine("hessian", "autograd")
def hessian_autograd() -> Step:
    import autograd
    import autograd.numpy as anp

    w, x, y = hessian_set()
    h = autograd.hessian(lambda w: small_network(w, anp, x, y))
    return lambda: [h(w)]
