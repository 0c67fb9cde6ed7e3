"""Keep gradients from growing beyond a bound before an optimizer's step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..arraylike import Value
from .effects import effect
from .settings import number, parameter_list


@effect(changes="grad", example=1.0)
def clip_grad_norm_(parameters: Value | Iterable[Value], max_norm: float) -> float:
    """Shrink all gradients together so that their length, as one long vector, is `max_norm` at most.

    Parameters
    ----------
    parameters : iterable of Value, or one Value
        Those without a gradient are left out, and one that is listed twice counts once.
    max_norm : float
        The greatest length allowed.

    Returns
    -------
    float
        The length before.

    Raises
    ------
    ValueError
        If `max_norm` is negative, or there are no parameters.
    TypeError
        If something is not a Value, or `max_norm` is not a number.

    Examples
    --------
    >>> from tinygrad_course import Value, optim
    >>> x = Value([1.0, 1.0])
    >>> (x * [3.0, 4.0]).sum().backward()
    >>> optim.clip_grad_norm_([x], max_norm=1.0)
    5.0
    >>> x.grad.round(3)
    array([0.6, 0.8])
    """
    max_norm = number("clip_grad_norm_", "max_norm", max_norm, 0, math.inf)
    given = parameter_list("clip_grad_norm_", [parameters] if isinstance(parameters, Value) else parameters)
    found = list({id(p): p for p in given if p.grad is not None}.values())
    before = [p.grad for p in found]
    lengths = [_length(g.data if isinstance(g, Value) else g) for g in before]
    total = math.nan if any(map(math.isnan, lengths)) else math.hypot(*lengths)
    share = max_norm / (total + 1e-6)  # as in PyTorch, where nothing is divided by 0
    if share < 1 or math.isnan(share):
        shrunk = [_times(g, share) for g in before]
        try:
            _give(found, shrunk)
        except BaseException:  # interrupted: all gradients are shrunk, or none
            _give(found, before)
            raise
    return total


def _length(gradient: Any) -> float:
    """The length of one gradient; squares neither overflow nor vanish on the way."""
    top = float(np.max(np.abs(gradient), initial=0.0))
    if not 0 < top < math.inf:
        return top
    return top * float(np.linalg.vector_norm(np.divide(gradient, top, dtype=float)))


def _times(gradient: Any, share: float) -> Any:
    """`gradient` times a factor that its own dtype may be too narrow for."""
    if isinstance(gradient, (Value, float)):
        return gradient * share
    return np.multiply(gradient, share, dtype=np.result_type(gradient, float)).astype(gradient.dtype)


def _give(parameters: list[Value], gradients: list[Any]) -> None:
    for p, gradient in zip(parameters, gradients):
        p.grad = gradient
