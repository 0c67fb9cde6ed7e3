"""Initial values for parameters: PyTorch's initialisers, with the source of randomness given openly.

Each function gives a parameter new data of its shape and dtype and returns the parameter.  `rng` is a seed or
a ``np.random.Generator``; parameters that take a seed each would all start with the same numbers, so
a network makes one generator and hands it to all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arraylike import Value

Rng = int | np.random.Generator | None


def fans(parameter: Value) -> tuple[int, int]:
    """How many inputs an output of this weight sees, and how many outputs see an input: (fan_in, fan_out).

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import Value
    >>> fans(Value(np.zeros((100, 784))))
    (784, 100)
    """
    shape = parameter.shape
    if len(shape) < 2:
        raise ValueError(
            f"fans: a weight has two axes or more, (out, in, ...), and this has shape {shape}; "
            "use uniform_, normal_ or zeros_ for it"
        )
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the spread of a layer's outputs, for the activation behind it.

    Parameters
    ----------
    nonlinearity : str
        linear, sigmoid, tanh, relu or leaky_relu.
    param : float, optional
        The negative slope of leaky_relu, 0.01 if not given.

    Raises
    ------
    ValueError
        For any other name.
    """
    slope = 0.01 if param is None else param
    gains = {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2.0),
        "leaky_relu": math.sqrt(2.0 / (1 + slope * slope)),
    }
    if nonlinearity not in gains:
        raise ValueError(f"calculate_gain: {nonlinearity!r} is not one of {', '.join(gains)}")
    return gains[nonlinearity]


def _filled(parameter: Value, draw: Callable[[tuple[int, ...]], Any]) -> Value:
    number = type(parameter.data) is float
    new = draw(parameter.shape)
    parameter.data = float(new) if number else np.asarray(new, parameter.dtype)
    return parameter


def constant_(parameter: Value, val: float) -> Value:
    """`val` everywhere."""
    return _filled(parameter, lambda shape: np.full(shape, val))


def zeros_(parameter: Value) -> Value:
    """0 everywhere."""
    return constant_(parameter, 0.0)


def ones_(parameter: Value) -> Value:
    """1 everywhere."""
    return constant_(parameter, 1.0)


def uniform_(parameter: Value, a: float = 0.0, b: float = 1.0, *, rng: Rng = None) -> Value:
    """Any number from `a` to `b`, all equally likely.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import Value
    >>> w = uniform_(Value(np.zeros(1000)), -2.0, 2.0, rng=0)
    >>> bool(w.data.min() >= -2 and w.data.max() <= 2)
    True
    """
    return _filled(parameter, lambda shape: np.random.default_rng(rng).uniform(a, b, shape))


def normal_(parameter: Value, mean: float = 0.0, std: float = 1.0, *, rng: Rng = None) -> Value:
    """Normally distributed."""
    return _filled(parameter, lambda shape: np.random.default_rng(rng).normal(mean, std, shape))


def xavier_uniform_(parameter: Value, gain: float = 1.0, *, rng: Rng = None) -> Value:
    """Uniform with variance 2 gain² / (fan_in + fan_out) (Glorot and Bengio 2010)."""
    bound = gain * math.sqrt(6.0 / sum(fans(parameter)))
    return uniform_(parameter, -bound, bound, rng=rng)


def xavier_normal_(parameter: Value, gain: float = 1.0, *, rng: Rng = None) -> Value:
    """Normal with variance 2 gain² / (fan_in + fan_out)."""
    return normal_(parameter, 0.0, gain * math.sqrt(2.0 / sum(fans(parameter))), rng=rng)


def kaiming_uniform_(
    parameter: Value,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: Rng = None,
) -> Value:
    """Uniform with variance gain² / fan (He et al. 2015).

    Parameters
    ----------
    parameter : Value
        A weight, (out, in, ...).
    a : float
        The negative slope of a leaky_relu behind the layer; 0 is ReLU.
    mode : str
        fan_in keeps the spread of outputs, fan_out that of gradients.
    nonlinearity : str
        As in `calculate_gain`.
    rng : int or Generator, optional
        Where the numbers come from.
    """
    bound = math.sqrt(3.0) * _kaiming_std(parameter, a, mode, nonlinearity)
    return uniform_(parameter, -bound, bound, rng=rng)


def kaiming_normal_(
    parameter: Value,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: Rng = None,
) -> Value:
    """Normal with variance gain² / fan; the arguments of `kaiming_uniform_`."""
    return normal_(parameter, 0.0, _kaiming_std(parameter, a, mode, nonlinearity), rng=rng)


def _kaiming_std(parameter: Value, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"kaiming: mode is 'fan_in' or 'fan_out', not {mode!r}")
    fan = fans(parameter)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)
