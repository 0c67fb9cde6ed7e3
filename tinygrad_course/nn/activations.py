"""Activations as modules, to put between the layers of a `Sequential`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..arraylike import Value
from . import functional as F
from .arguments import taken_as
from .module import Module


class ReLU(Module):
    """max(x, 0).

    Examples
    --------
    >>> import numpy as np
    >>> ReLU()(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """

    def forward(self, input: Any) -> Value:
        return F.relu(input)


class LeakyReLU(Module):
    """x where it is positive, `negative_slope` · x elsewhere."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, input: Any) -> Value:
        return F.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        return f"{self.negative_slope}"


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, input: Any) -> Value:
        return F.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input: Any) -> Value:
        return F.tanh(input)


class Softplus(Module):
    """log(1 + exp(beta · x)) / beta, a smooth ReLU."""

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    def forward(self, input: Any) -> Value:
        return F.softplus(input, self.beta)

    def extra_repr(self) -> str:
        return "" if self.beta == 1 else f"{self.beta}"


class GELU(Module):
    """x · Φ(x), Φ the normal distribution function; ``approximate="tanh"`` is a cheaper formula."""

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, input: Any) -> Value:
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return "" if self.approximate == "none" else repr(self.approximate)


class SiLU(Module):
    """x · sigmoid(x)."""

    def forward(self, input: Any) -> Value:
        return F.silu(input)


class ELU(Module):
    """x where it is positive, `alpha` · (exp x - 1) elsewhere."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, input: Any) -> Value:
        return F.elu(input, self.alpha)

    def extra_repr(self) -> str:
        return "" if self.alpha == 1 else f"{self.alpha}"


class PReLU(Module):
    """x where it is positive, weight · x elsewhere, the weight learned: one, or one a channel (axis 1).

    Examples
    --------
    >>> import numpy as np
    >>> PReLU()(np.array([-1.0, 2.0])).numpy()
    array([-0.25,  2.  ], dtype=float32)
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: DTypeLike = np.float32) -> None:
        self.num_parameters, self.init = num_parameters, init
        self.weight = Value(np.full(num_parameters, init, dtype), name="weight")

    def forward(self, input: Any) -> Value:
        return F.prelu(taken_as(input, self.weight), self.weight)

    def extra_repr(self) -> str:
        return f"{self.weight.size}"


class Hardtanh(Module):
    """x, but at least `min_val` and at most `max_val`."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Any) -> Value:
        return F.hardtanh(input, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        return f"{self.min_val}, {self.max_val}"


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input: Any) -> Value:
        return F.softsign(input)


class Mish(Module):
    """x · tanh(softplus(x))."""

    def forward(self, input: Any) -> Value:
        return F.mish(input)


class Softmax(Module):
    """Probabilities from logits along one axis.  `CrossEntropyLoss` wants the logits, not these."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Value:
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """The logarithms of `Softmax`."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Value:
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
