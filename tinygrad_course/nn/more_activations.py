"""More activations, as functions and as modules: cut off, shrunk, gated, and drawn by chance.

Each is a line of NumPy on operations that have rows, so none needs a rule of its own.  Where a slope jumps it
is the one that PyTorch takes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives import neural
from .arguments import array, named_axis
from .init import Rng
from .module import Module

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def celu(input: Any, alpha: float = 1.0) -> Value:
    """input where it is positive, alpha · (exp(input / alpha) - 1) elsewhere (Barron 2017).

    Examples
    --------
    >>> celu([-1.0, 2.0], alpha=0.5).round(4)
    array([-0.4323,  2.    ])
    """
    if alpha == 0:
        raise ValueError("celu: alpha divides the input, and is not 0")
    input = array(input)
    below = _numpy.expm1(_numpy.where(input > 0, 0.0, input) / alpha)
    return _numpy.where(input > 0, input, alpha * below)


def selu(input: Any) -> Value:
    """scale · elu(input, alpha), with the two numbers for which layers keep mean 0 and variance 1.

    Klambauer et al. (2017), whose numbers these are.
    """
    input = array(input)
    below = _numpy.expm1(_numpy.where(input > 0, 0.0, input))
    return _numpy.where(input > 0, SELU_SCALE * input, SELU_SCALE * SELU_ALPHA * below)


def glu(input: Any, dim: int = -1) -> Value:
    """a · sigmoid(b) for the two halves a and b of the input along one axis (Dauphin et al. 2017).

    Raises
    ------
    ValueError
        If the axis has no two halves.
    """
    input = array(input)
    if not input.shape or input.shape[dim] % 2:
        raise ValueError(f"glu: axis {dim} of shape {input.shape} does not divide into two halves")
    a, b = _numpy.split(input, 2, axis=dim)
    return a * neural.sigmoid(b)


def hardshrink(input: Any, lambd: float = 0.5) -> Value:
    """input where it is farther than `lambd` from 0, and 0 elsewhere."""
    input = array(input)
    return _numpy.where((input > lambd) | (input < -lambd), input, 0.0)


def softshrink(input: Any, lambd: float = 0.5) -> Value:
    """input moved towards 0 by `lambd`, and 0 where it is closer than that.

    Raises
    ------
    ValueError
        If `lambd` is negative.
    """
    if lambd < 0:
        raise ValueError(f"softshrink: lambd is 0 or more, not {lambd}")
    input = array(input)
    return _numpy.where(input > lambd, input - lambd, _numpy.where(input < -lambd, input + lambd, 0.0))


def tanhshrink(input: Any) -> Value:
    """input - tanh(input)."""
    return array(input) - _numpy.tanh(input)


def threshold(input: Any, threshold: float, value: float) -> Value:
    """input where it is above `threshold`, and `value` elsewhere."""
    input = array(input)
    return _numpy.where(input > threshold, input, float(value))


def relu6(input: Any) -> Value:
    """input, but at least 0 and at most 6."""
    return neural.hardtanh(array(input), 0.0, 6.0)


def hardsigmoid(input: Any) -> Value:
    """A straight line for a sigmoid: input / 6 + 1/2, but at least 0 and at most 1."""
    return neural.hardtanh(array(input) + 3.0, 0.0, 6.0) / 6.0


def hardswish(input: Any) -> Value:
    """input · hardsigmoid(input) (Howard et al. 2019)."""
    input = array(input)
    return _numpy.where(input <= -3, 0.0, _numpy.where(input < 3, input * (input + 3.0) / 6.0, input))


def logsigmoid(input: Any) -> Value:
    """log sigmoid(input), without the logarithm of a rounded 0."""
    return -neural.softplus(-array(input))


def softmin(input: Any, dim: int | None = None, *, axis: int | None = None, dtype: Any = None) -> Value:
    """softmax(-input): the smallest entry gets the most."""
    return neural.softmax(-taken(input, dtype), axis=named_axis("softmin", dim, axis, -1))


def taken(input: Any, dtype: Any) -> Any:
    """The input as an array, of that dtype if one is asked for."""
    input = array(input)
    return input if dtype is None else input.astype(dtype)


def gumbel_softmax(
    logits: Any, tau: float = 1.0, hard: bool = False, dim: int = -1, *, rng: Rng = None
) -> Value:
    """A random choice among classes through which a gradient goes (Jang et al. 2017; Maddison et al. 2017).

    Parameters
    ----------
    logits : Value or array
        Log-probabilities, up to a constant.
    tau : float
        The temperature: near 0 the result is nearly one-hot.
    hard : bool
        Give the one-hot choice itself, with the gradient of the soft one.
    dim : int
        The axis of the classes.
    rng : int or Generator, optional
        Where the choice comes from.

    Raises
    ------
    ValueError
        If `tau` is not positive.

    Examples
    --------
    >>> gumbel_softmax(np.log([0.2, 0.3, 0.5]), hard=True, rng=0)
    array([0., 0., 1.])
    """
    if tau <= 0:
        raise ValueError(f"gumbel_softmax: tau is positive, not {tau}")
    logits = array(logits)
    noise = np.random.default_rng(rng).gumbel(size=logits.shape).astype(logits.dtype)
    soft = neural.softmax((logits + noise) / tau, axis=dim)
    if not hard:
        return soft
    plain = soft.numpy() if isinstance(soft, Value) else soft
    one_hot = np.zeros_like(plain)
    np.put_along_axis(one_hot, np.expand_dims(plain.argmax(dim), dim), 1, dim)
    return (one_hot - plain) + soft if isinstance(soft, Value) else one_hot


class CELU(Module):
    """See `nn.functional.celu`."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, input: Any) -> Value:
        return celu(input, self.alpha)

    def extra_repr(self) -> str:
        return "" if self.alpha == 1 else f"{self.alpha}"


class SELU(Module):
    """See `nn.functional.selu`."""

    def forward(self, input: Any) -> Value:
        return selu(input)


class GLU(Module):
    """See `nn.functional.glu`."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Value:
        return glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Hardshrink(Module):
    """See `nn.functional.hardshrink`."""

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = lambd

    def forward(self, input: Any) -> Value:
        return hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Softshrink(Module):
    """See `nn.functional.softshrink`."""

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = lambd

    def forward(self, input: Any) -> Value:
        return softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Tanhshrink(Module):
    """See `nn.functional.tanhshrink`."""

    def forward(self, input: Any) -> Value:
        return tanhshrink(input)


class Threshold(Module):
    """See `nn.functional.threshold`."""

    def __init__(self, threshold: float, value: float) -> None:
        self.threshold, self.value = threshold, value

    def forward(self, input: Any) -> Value:
        return threshold(input, self.threshold, self.value)

    def extra_repr(self) -> str:
        return f"{self.threshold}, {self.value}"


class ReLU6(Module):
    """See `nn.functional.relu6`."""

    def forward(self, input: Any) -> Value:
        return relu6(input)


class Hardsigmoid(Module):
    """See `nn.functional.hardsigmoid`."""

    def forward(self, input: Any) -> Value:
        return hardsigmoid(input)


class Hardswish(Module):
    """See `nn.functional.hardswish`."""

    def forward(self, input: Any) -> Value:
        return hardswish(input)


class LogSigmoid(Module):
    """See `nn.functional.logsigmoid`."""

    def forward(self, input: Any) -> Value:
        return logsigmoid(input)


class Softmin(Module):
    """See `nn.functional.softmin`."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Value:
        return softmin(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
