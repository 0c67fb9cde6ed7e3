"""Optimizers as functions, as HIPS autograd has them: they take a tree of arrays, and give a new one.

``adam(grad, params)`` calls ``grad(params, i)`` and ``callback(params, i, gradient)`` for i = 0, 1, ...
"""

from __future__ import annotations

from typing import Any

from ..trees import leaves, rebuilt


def _descent(grad: Any, x: Any, callback: Any, num_iters: int, memory: tuple[float, ...], step: Any) -> Any:
    """`num_iters` steps, where ``step(i, x, g, *memory)`` gives a leaf of the tree and its memory anew."""
    state = [(part, *memory) for part in leaves(x)]
    for i in range(num_iters):
        g = grad(x, i)
        if callback is not None:
            callback(x, i, g)
        pairs = zip(state, leaves(g), strict=True)
        state = [step(i, part, slope, *kept) for (part, *kept), slope in pairs]
        x = rebuilt(x, [part for part, *_ in state])
    return x


def sgd(
    grad: Any, x: Any, callback: Any = None, num_iters: int = 200, step_size: float = 0.1, mass: float = 0.9
) -> Any:
    """Gradient descent with momentum.

    Examples
    --------
    >>> from tinygrad_course import grad
    >>> round(sgd(grad(lambda x, i: (x - 3.0) ** 2), 0.0), 3)
    3.0
    """

    def step(i: int, x: Any, g: Any, v: Any) -> Any:
        v = mass * v - (1 - mass) * g
        return x + step_size * v, v

    return _descent(grad, x, callback, num_iters, (0.0,), step)


def rmsprop(
    grad: Any, x: Any, callback: Any = None, num_iters: int = 100, step_size: float = 0.1,
    gamma: float = 0.9, eps: float = 1e-8,
) -> Any:  # fmt: skip
    """Gradients over their usual size (Tieleman and Hinton 2012); their mean square starts from 1."""

    def step(i: int, x: Any, g: Any, v: Any) -> Any:
        v = gamma * v + (1 - gamma) * g**2
        return x - step_size * g / (v**0.5 + eps), v

    return _descent(grad, x, callback, num_iters, (1.0,), step)


def adam(
    grad: Any, x: Any, callback: Any = None, num_iters: int = 100, step_size: float = 0.001,
    b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8,
) -> Any:  # fmt: skip
    """The mean gradient over its usual size (Kingma and Ba 2015)."""

    def step(i: int, x: Any, g: Any, m: Any, v: Any) -> Any:
        m, v = (1 - b1) * g + b1 * m, (1 - b2) * g**2 + b2 * v
        mean, size = m / (1 - b1 ** (i + 1)), (v / (1 - b2 ** (i + 1))) ** 0.5
        return x - step_size * mean / (size + eps), m, v

    return _descent(grad, x, callback, num_iters, (0.0, 0.0), step)
