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
def clip_grad_norm_(parameters: Value | Iterable[Value], max_norm: float, norm_type: float = 2.0) -> float:
    """Shrink all gradients together so that their length, as one long vector, is `max_norm` at most.

    Parameters
    ----------
    parameters : iterable of Value, or one Value
        Those without a gradient are left out, and one that is listed twice counts once.
    max_norm : float
        The greatest length allowed.
    norm_type : float
        Which length: 2 is Euclid's, 1 the sum of sizes, inf the largest size.

    Returns
    -------
    float
        The length before.

    Raises
    ------
    ValueError
        If `max_norm` is negative, `norm_type` not above 0, or there are no parameters.
    TypeError
        If something is not a Value, or a setting is not a number.

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
    norm_type = number("clip_grad_norm_", "norm_type", norm_type, math.nextafter(0, 1), math.inf)
    found = _with_gradients("clip_grad_norm_", parameters)
    before = [p.grad for p in found]
    lengths = [_length(g.data if isinstance(g, Value) else g, norm_type) for g in before]
    total = _length(np.array(lengths), norm_type)
    share = max_norm / (total + 1e-6)  # as in PyTorch, where nothing is divided by 0
    if share < 1 or math.isnan(share):
        _replace(found, [_times(g, share) for g in before])
    return total


@effect(changes="grad")
def clip_grad_value_(parameters: Value | Iterable[Value], clip_value: float) -> None:
    """Cut every entry of every gradient off at `clip_value` and at its negative.

    Parameters
    ----------
    parameters : iterable of Value, or one Value
        Those without a gradient are left out.
    clip_value : float
        The greatest size allowed.

    Raises
    ------
    ValueError
        If `clip_value` is negative, or there are no parameters.
    TypeError
        If something is not a Value, or `clip_value` is not a number.

    Examples
    --------
    >>> from tinygrad_course import Value, optim
    >>> x = Value([1.0, 1.0])
    >>> (x * [3.0, -0.5]).sum().backward()
    >>> optim.clip_grad_value_([x], 1.0)
    >>> x.grad
    array([ 1. , -0.5])
    """
    most = number("clip_grad_value_", "clip_value", clip_value, 0, math.inf)
    found = _with_gradients("clip_grad_value_", parameters)
    _replace(found, [_cut(p.grad, most) for p in found])


def _with_gradients(who: str, parameters: Value | Iterable[Value]) -> list[Value]:
    """The parameters that have a gradient, each once."""
    given = parameter_list(who, [parameters] if isinstance(parameters, Value) else parameters)
    return list({id(p): p for p in given if p.grad is not None}.values())


def _length(gradient: Any, norm_type: float) -> float:
    """The length of one gradient; squares neither overflow nor vanish on the way."""
    top = float(np.max(np.abs(gradient), initial=0.0))
    if not 0 < top < math.inf:
        return top
    return top * float(np.linalg.vector_norm(np.divide(gradient, top, dtype=float), ord=norm_type))


def _times(gradient: Any, share: float) -> Any:
    """`gradient` times a factor that its own dtype may be too narrow for."""
    if isinstance(gradient, (Value, float)):
        return gradient * share
    return np.multiply(gradient, share, dtype=np.result_type(gradient, float)).astype(gradient.dtype)


def _cut(gradient: Any, most: float) -> Any:
    """`gradient` with its entries between -`most` and `most`."""
    if isinstance(gradient, float):
        return gradient if gradient != gradient else max(-most, min(most, gradient))
    return gradient.clip(-most, most)


def _replace(parameters: list[Value], gradients: list[Any]) -> None:
    """Give parameters other gradients: all of them, or none where it is interrupted."""
    before = [p.grad for p in parameters]
    try:
        _give(parameters, gradients)
    except BaseException:
        _give(parameters, before)
        raise


def _give(parameters: list[Value], gradients: list[Any]) -> None:
    for p, gradient in zip(parameters, gradients):
        p.grad = gradient
