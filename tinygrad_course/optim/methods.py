"""The optimizers themselves: each is a few lines of mathematics, written as passes over vectors in place.

In every list of `passes`, `p` are all parameters, `g` their gradients and `s` is room for intermediate
results; ``(np.multiply, v, momentum, v)`` says v = v · momentum, and no pass makes a new array.  Given the
same gradients, each optimizer goes the way that PyTorch's goes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..arraylike import Value
from .optimizer import Optimizer
from .settings import number

Passes = list[tuple[Any, ...]]  # each a ufunc, its arguments, and where its result goes


class SGD(Optimizer):
    """Gradient descent: a step against the gradient, or against a running sum of gradients (momentum).

    ::

        v = momentum · v + g
        p = p - lr · v                        (nesterov: p - lr · (g + momentum · v))

    Parameters
    ----------
    params : iterable of Value
        What to learn.
    lr : float
        The learning rate.
    momentum : float
        How much of the last step's velocity stays.
    weight_decay : float
        Adds this multiple of each parameter to its gradient.
    nesterov : bool
        Looks one step of the momentum ahead.
    dampening : float
        How much of each gradient after the first does not enter the velocity.
    maximize : bool
        Go up, not down.

    Raises
    ------
    ValueError, TypeError
        As `Optimizer`; or if a setting is negative, or `nesterov` is without momentum.

    Examples
    --------
    >>> from tinygrad_course import Value, optim
    >>> x = Value(4.0)
    >>> optimizer = optim.SGD([x], lr=0.25)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (x * x).backward()
    ...     optimizer.step()
    >>> x.data
    0.5
    """

    def __init__(
        self,
        params: Iterable[Value] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        momentum: float = 0.0,
        *,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        dampening: float = 0.0,
        maximize: bool = False,
    ) -> None:
        momentum, weight_decay = positive(self, momentum=momentum, weight_decay=weight_decay)
        (self.dampening,) = positive(self, dampening=dampening)
        if nesterov and (not momentum or dampening):
            raise ValueError(
                "SGD: nesterov looks ahead along the momentum, so momentum must be above 0, and dampening 0"
            )
        self.momentum, self.weight_decay, self.nesterov = momentum, weight_decay, nesterov
        self.maximize = maximize
        self.memory = ("velocity",) if momentum else ()
        super().__init__(params, lr)

    def passes(self, p: Any, g: Any, scratch: Any, step: int, *memory: Any) -> Passes:
        decay, momentum, lr = _constants(p, self.weight_decay, self.momentum, self.lr)
        s, passes = scratch, _decayed(p, g, decay, scratch)
        if memory:
            (v,) = memory
            if self.dampening and step > 1:
                (kept,) = _constants(p, 1 - self.dampening)
                passes += [(np.multiply, v, momentum, v), (np.multiply, g, kept, s), (np.add, v, s, v)]
            else:
                passes += [(np.multiply, v, momentum, v), (np.add, v, g, v)]
            if self.nesterov:
                passes += [(np.multiply, v, momentum, s), (np.add, g, s, g)]
            else:
                g = v
        return [*passes, (np.multiply, g, lr, s), (np.subtract, p, s, p)]


class Adam(Optimizer):
    """Steps of about `lr` for every number: the mean gradient over its usual size (Kingma and Ba 2015).

    ::

        m = mean of the gradients so far, each counting beta1 times the next one
        v = mean of their squares, each counting beta2 times the next one
        p = p - lr · m / (√v + eps)

    Parameters
    ----------
    params : iterable of Value
        What to learn.
    lr : float
        The learning rate.
    betas : (float, float)
        How long the two means remember.
    eps : float
        Keeps the division from blowing up where gradients are nearly 0.
    weight_decay : float
        Adds this multiple of each parameter to its gradient.  `AdamW` has the decay that is usually meant.
    amsgrad : bool
        Divide by the largest v so far (Reddi et al. 2018).
    maximize : bool
        Go up, not down.
    decoupled_weight_decay : bool
        Let the decay be that of `AdamW`.

    Raises
    ------
    ValueError, TypeError
        As `Optimizer`; or if a beta is not from 0 to 1, or another setting is negative.

    Notes
    -----
    The memory holds sums of c · g and of (c · g)², each counting beta times the next one, with
    c = √(1 - beta2): that makes the second one the mean v, and the first a multiple of the mean m.  After t
    steps the weights of v add up to 1 - beta2^t only, and those of m likewise; to divide by that is Adam's
    bias correction.  It is put, with the multiple, into the two numbers of the last passes.
    """

    memory: tuple[str, ...] = ("sum", "square_mean")

    def __init__(
        self,
        params: Iterable[Value] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        self.amsgrad, self.maximize, self.decoupled_weight_decay = amsgrad, maximize, decoupled_weight_decay
        if amsgrad:
            self.memory = (*self.memory, "largest_square_mean")
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(f"{type(self).__name__}: betas are two numbers, (0.9, 0.999), not {betas!r}")
        self.betas = below_one(self, "beta", betas[0]), below_one(self, "beta", betas[1])
        self.eps, self.weight_decay = positive(self, eps=eps, weight_decay=weight_decay)
        super().__init__(params, lr)

    def passes(self, p: Any, g: Any, scratch: Any, step: int, *memory: Any) -> Passes:
        if self.decoupled_weight_decay:
            (kept,) = _constants(p, 1 - self.lr * self.weight_decay)
            decay = [(np.multiply, p, kept, p)] if self.weight_decay else []
        else:
            (share,) = _constants(p, self.weight_decay)
            decay = _decayed(p, g, share, scratch)
        return [*decay, *self._descent(p, g, scratch, step, *memory)]

    def _descent(self, p: Any, g: Any, s: Any, step: int, m: Any, v: Any, *largest: Any) -> Passes:
        c = math.sqrt(1 - self.betas[1])
        weight = (1 - self.betas[0] ** step) / (1 - self.betas[0])
        root = math.sqrt(1 - self.betas[1] ** step)
        # m / (c · weight) / (√v / root + eps) = root / (c · weight) · m / (√v + root · eps)
        beta1, beta2, c, eps, rate = _constants(
            p, *self.betas, c, root * self.eps, self.lr * root / (c * weight)
        )
        return [
            (np.multiply, g, c, s),
            (np.multiply, m, beta1, m),
            (np.add, m, s, m),
            (np.multiply, s, s, s),
            (np.multiply, v, beta2, v),
            (np.add, v, s, v),
            *[(np.fmax, top, v, top) for top in largest],
            (np.sqrt, largest[0] if largest else v, s),
            (np.add, s, eps, s),
            (np.divide, m, s, s),
            (np.multiply, s, rate, s),
            (np.subtract, p, s, p),
        ]


class AdamW(Adam):
    """`Adam` with a decay of its own for every parameter (Loshchilov and Hutter 2019).

    The decay does not go through the gradient: each step first takes
    ``p = p · (1 - lr · weight_decay)``.  The parameters are those of `Adam`.
    """

    def __init__(
        self,
        params: Iterable[Value] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
        )


class RMSprop(Optimizer):
    """Gradients over their usual size (Tieleman and Hinton 2012).

    ::

        v = mean of the squared gradients, each counting alpha times the next one (starting from 0)
        u = momentum · u + g / (√v + eps)
        p = p - lr · u

    Parameters
    ----------
    params : iterable of Value
        What to learn.
    lr : float
        The learning rate.
    alpha : float
        How long the mean remembers.
    eps : float
        Keeps the division from blowing up where gradients are nearly 0.
    weight_decay : float
        Adds this multiple of each parameter to its gradient.
    momentum : float
        How much of the last step stays.
    centered : bool
        Divide by the gradients' usual distance from their mean, and not from 0 (Graves 2013).
    maximize : bool
        Go up, not down.

    Raises
    ------
    ValueError, TypeError
        As `Optimizer`; or if `alpha` is not from 0 to 1, or another setting is negative.
    """

    def __init__(
        self,
        params: Iterable[Value] | Iterable[dict[str, Any]],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        maximize: bool = False,
    ) -> None:
        self.centered, self.maximize = centered, maximize
        self.alpha = below_one(self, "alpha", alpha)
        self.eps, self.weight_decay = positive(self, eps=eps, weight_decay=weight_decay)
        (self.momentum,) = positive(self, momentum=momentum)
        self.memory = ("square_mean", *["velocity"] * (momentum > 0), *["mean"] * centered)
        super().__init__(params, lr)

    def passes(self, p: Any, g: Any, scratch: Any, step: int, *memory: Any) -> Passes:
        s, v = scratch, memory[0]
        alpha, rest, eps = _constants(p, self.alpha, 1 - self.alpha, self.eps)
        decay, momentum, lr = _constants(p, self.weight_decay, self.momentum, self.lr)
        passes = [
            *_decayed(p, g, decay, s),
            (np.multiply, v, alpha, v),
            (np.multiply, g, g, s),
            (np.multiply, s, rest, s),
            (np.add, v, s, v),
        ]
        if self.centered:
            mean = memory[-1]
            passes += [(np.subtract, g, mean, s), (np.multiply, s, rest, s), (np.add, mean, s, mean)]
            passes += [(np.multiply, mean, mean, s), (np.subtract, v, s, s), (np.sqrt, s, s)]
        else:
            passes += [(np.sqrt, v, s)]
        passes += [(np.add, s, eps, s), (np.divide, g, s, g)]
        if self.momentum:
            u = memory[1]
            passes += [(np.multiply, u, momentum, u), (np.add, u, g, u)]
            g = u
        return [*passes, (np.multiply, g, lr, s), (np.subtract, p, s, p)]


def _decayed(p: Any, g: Any, decay: Any, s: Any) -> Passes:
    """The passes that add `decay` times each parameter to its gradient."""
    return [(np.multiply, p, decay, s), (np.add, g, s, g)] if decay else []


def _constants(p: Any, *numbers: float) -> list[Any]:
    """Numbers as arrays without axes, in the vector's dtype: what NumPy multiplies by fastest."""
    return [np.array(number, p.dtype) for number in numbers]


def positive(optimizer: Optimizer, **settings: Any) -> list[float]:
    """Settings that are numbers from 0 on."""
    return [number(type(optimizer).__name__, name, given, least=0) for name, given in settings.items()]


def below_one(optimizer: Optimizer, name: str, given: Any) -> float:
    """A setting that says how long a mean remembers: for ever would be 1."""
    return number(type(optimizer).__name__, name, given, 0, math.nextafter(1, 0))
