"""Comparisons: plain boolean arrays, but for what they say where Python asks for one truth: ``if v > 0:``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.value import stripped


class Truth(np.ndarray[Any, np.dtype[np.bool_]]):
    """The result of comparing an array: an array of booleans, and what is computed from it is plain.

    Examples
    --------
    >>> from tinygrad_course import Value
    >>> v = Value([1.0, -2.0])
    >>> v > 0
    array([ True, False])
    >>> type((v > 0) * 1.0).__name__
    'ndarray'
    """

    def __bool__(self) -> bool:
        if self.size == 1:
            return bool(self.item())
        raise ValueError(
            f"a comparison of shape {self.shape} has as many answers, and `if` needs one: (v > 0).any() or "
            "(v > 0).all(); np.where(v > 0, a, b) chooses entry by entry"
        )

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return array[()] if return_scalar else as_truth(array)

    def astype(self, *args: Any, **kwargs: Any) -> Any:
        """The booleans as numbers, in a plain array."""
        return np.asarray(self).astype(*args, **kwargs)

    def __repr__(self) -> str:
        return repr(np.asarray(self))


def as_truth(result: Any) -> Any:
    """Booleans of NumPy's as `Truth`, and anything else as it is."""
    return result.view(Truth) if type(result) is np.ndarray and result.dtype == bool else result


def comparison(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A comparison of the data; nothing is recorded."""

    def method(self: Any, other: Any) -> Any:
        return as_truth(compare(self.primal, stripped(other)))

    return method
