"""More optimizers by PyTorch's names: Adagrad, Adamax, NAdam and RAdam.

They are what `methods` are: a few lines of mathematics, here on whole vectors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..arraylike import Value
from .methods import Adam, positive
from .optimizer import Optimizer

Params = Iterable[Value] | Iterable[dict[str, Any]]


class Adagrad(Optimizer):
    """Gradients over the root of the sum of all their squares (Duchi et al. 2011).

    ::

        v = v + g²
        p = p - lr / (1 + (t - 1) · lr_decay) · g / (√v + eps)

    Parameters
    ----------
    params : iterable of Value
        What to learn.
    lr : float
        The learning rate.
    lr_decay : float
        How fast it falls.
    weight_decay : float
        Adds this multiple of each parameter to its gradient.
    initial_accumulator_value : float
        What v starts from.
    eps : float
        Keeps the division from blowing up where gradients are nearly 0.

    Examples
    --------
    >>> from tinygrad_course import Value, optim
    >>> x = Value(4.0)
    >>> optimizer = optim.Adagrad([x], lr=1.0)
    >>> (x * x).backward()
    >>> optimizer.step()
    >>> round(x.data, 6)
    3.0
    """

    memory = ("square_sum",)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        self.maximize = maximize
        self.lr_decay, self.weight_decay = positive(self, lr_decay=lr_decay, weight_decay=weight_decay)
        self.initial_accumulator_value, self.eps = positive(
            self, initial_accumulator_value=initial_accumulator_value, eps=eps
        )
        super().__init__(params, lr)

    def update(self, p: Any, g: Any, scratch: Any, step: int, *memory: Any) -> None:
        (v,) = memory
        g += self.weight_decay * p
        v += g * g
        rate = self.lr / (1 + (step - 1) * self.lr_decay)
        p -= rate * g / (np.sqrt(v + self.initial_accumulator_value) + self.eps)


class Adamax(Adam):
    """`Adam` with the largest gradient so far in place of the usual size (Kingma and Ba 2015).

    ::

        m = beta1 · m + (1 - beta1) · g
        u = max(beta2 · u, |g| + eps)
        p = p - lr / (1 - beta1^t) · m / u
    """

    memory = ("mean", "largest")

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, maximize=maximize)

    passes = Optimizer.passes

    def update(self, p: Any, g: Any, scratch: Any, step: int, *memory: Any) -> None:
        m, u = memory
        beta1, beta2 = self.betas
        g += self.weight_decay * p
        m += (1 - beta1) * (g - m)
        np.maximum(beta2 * u, np.abs(g) + self.eps, out=u)
        p -= self.lr / (1 - beta1**step) * m / u


class NAdam(Adam):
    """`Adam` that looks a step of its momentum ahead (Dozat 2016), with a momentum that grows to beta1.

    ::

        mu_t = beta1 · (1 - 0.96^(t · momentum_decay) / 2)
        p = p - lr · (mu_(t+1) · m / (1 - mu_1 ⋯ mu_(t+1)) + (1 - mu_t) · g / (1 - mu_1 ⋯ mu_t)) / (√v̂ + eps)
    """

    memory = ("mean", "square_mean")

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        (self.momentum_decay,) = positive(self, momentum_decay=momentum_decay)
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    passes = Optimizer.passes

    def _momentum(self, step: int) -> float:
        return float(self.betas[0] * (1 - 0.5 * 0.96 ** (step * self.momentum_decay)))

    def update(self, p: Any, g: Any, scratch: Any, step: int, *memory: Any) -> None:
        m, v = memory
        beta1, beta2 = self.betas
        _decay(self, p, g)
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g * g - v)
        size = np.sqrt(v / (1 - beta2**step)) + self.eps
        so_far = math.prod(self._momentum(t) for t in range(1, step + 1))
        now, ahead = self._momentum(step), self._momentum(step + 1)
        p -= self.lr * ((1 - now) / (1 - so_far) * g + ahead / (1 - so_far * ahead) * m) / size


class RAdam(Adam):
    """`Adam` that divides by the usual size only once enough gradients were seen (Liu et al. 2020).

    Until then, where the variance of that size has no bound, it goes along the mean alone.
    """

    memory = ("mean", "square_mean")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    passes = Optimizer.passes

    def update(self, p: Any, g: Any, scratch: Any, step: int, *memory: Any) -> None:
        m, v = memory
        beta1, beta2 = self.betas
        _decay(self, p, g)
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g * g - v)
        mean = m / (1 - beta1**step)
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / (1 - beta2**step)
        if length > 5:
            share = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            mean *= math.sqrt(share * (1 - beta2**step)) / (np.sqrt(v) + self.eps)
        p -= self.lr * mean


def _decay(optimizer: Any, p: Any, g: Any) -> None:
    """Weight decay through the gradient, or past it."""
    if optimizer.decoupled_weight_decay:
        p *= 1 - optimizer.lr * optimizer.weight_decay
    else:
        g += optimizer.weight_decay * p
