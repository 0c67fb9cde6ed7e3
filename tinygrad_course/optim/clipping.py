"""Keep gradients from growing beyond a bound before an optimizer's step."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ..arraylike import Value
from ..engine.watch import effect


@effect(changes="grad", example=1.0)
def clip_grad_norm_(parameters: Iterable[Value], max_norm: float) -> float:
    """Shrink all gradients together so that their length, as one long vector, is `max_norm` at most.

    Parameters
    ----------
    parameters : iterable of Value
        Those without a gradient are left out.
    max_norm : float
        The greatest length allowed.

    Returns
    -------
    float
        The length before.

    Raises
    ------
    ValueError
        If `max_norm` is negative.

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
    if not max_norm >= 0:
        raise ValueError(f"clip_grad_norm_: max_norm must be 0 or more, and is {max_norm!r}")
    found = [p for p in parameters if p.grad is not None]
    gradients = [p.grad.data if isinstance(p.grad, Value) else p.grad for p in found]
    total = math.sqrt(sum(float(np.vdot(g, g)) for g in gradients))
    share = max_norm / (total + 1e-6)  # as in PyTorch, where nothing is divided by 0
    if share < 1 or math.isnan(share):
        for p in found:
            p.grad = p.grad * share
    return total
