"""Hypothesis strategies for testing an operation of your own: shapes, arrays, operands that broadcast.

Generated inputs find what chosen ones miss: an axis of length 1 that was stretched, an empty array, a
transposed view, a value used twice.  Needs hypothesis (``pip install 'tinygrad_course[test]'``).

Examples
--------
>>> import numpy as np
>>> from hypothesis import given, settings
>>> from tinygrad_course import derivative
>>> from tinygrad_course.gradcheck import gradcheck
>>> softsign = derivative(lambda x: x / (1 + np.abs(x)), lambda g, out, x: g / (1 + np.abs(x)) ** 2)
>>> @settings(max_examples=20, database=None)
... @given(arrays(avoid=[0]))
... def test_softsign(x):
...     gradcheck(softsign, x)
>>> test_softsign()
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

try:
    from hypothesis import strategies as st
except ImportError as error:  # pragma: no cover
    raise ImportError(
        "tinygrad_course.testing needs hypothesis: pip install 'tinygrad_course[test]'"
    ) from error

Shape = tuple[int, ...]
_LAYOUTS = ["plain", "fortran", "strided", "reversed", "readonly"]


@st.composite
def shapes(
    draw: st.DrawFn,
    *,
    min_dims: int = 0,
    max_dims: int = 4,
    min_side: int = 0,
    max_side: int = 4,
    max_size: int = 24,
) -> Shape:
    """Shapes of arrays: no axes at all, axes of length 0 and 1, up to four axes.

    Parameters
    ----------
    min_dims, max_dims : int, optional
        How many axes.
    min_side, max_side : int, optional
        How long an axis is.
    max_size : int, optional
        How many entries in all at most: finite differences look at each.

    Returns
    -------
    strategy of tuple of int

    Examples
    --------
    >>> from hypothesis import find
    >>> find(shapes(min_dims=2), lambda shape: shape[0] > 1)
    (2, 0)
    """
    shape = draw(st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims))
    while math.prod(shape) > max_size:
        shape[shape.index(max(shape))] -= 1
    return tuple(shape)


@st.composite
def broadcastable(
    draw: st.DrawFn,
    count: int = 2,
    *,
    min_side: int = 0,
    max_side: int = 3,
    max_dims: int = 4,
    max_size: int = 24,
) -> tuple[Shape, ...]:
    """Several shapes that broadcast together: leading axes missing, axes of length 1 beside longer ones.

    Parameters
    ----------
    count : int, optional
        How many shapes.
    min_side, max_side, max_dims, max_size : int, optional
        As in `shapes`, for the shape that they broadcast to.

    Returns
    -------
    strategy of tuple of shapes

    Examples
    --------
    >>> from hypothesis import find
    >>> find(broadcastable(min_side=2), lambda pair: pair[0] != pair[1] and len(pair[0]) == len(pair[1]))
    ((1,), (2,))
    """
    whole = draw(shapes(max_dims=max_dims, min_side=min_side, max_side=max_side, max_size=max_size))
    found = []
    for _ in range(count):
        missing = draw(st.integers(0, len(whole)))
        found.append(tuple(1 if draw(st.booleans()) else n for n in whole[missing:]))
    return tuple(found)


@st.composite
def arrays(
    draw: st.DrawFn,
    shape: Shape | st.SearchStrategy[Shape] | None = None,
    *,
    low: float = -2.0,
    high: float = 2.0,
    avoid: Sequence[float] = (),
    distinct: bool = False,
    dtype: Any = np.float64,
    layouts: bool = True,
) -> Any:
    """Arrays of round numbers, the same in float32 and float64, in every memory layout.

    Parameters
    ----------
    shape : tuple of int or strategy, optional
        Any of `shapes()` if not given.
    low, high : float, optional
        The entries lie between these two (included): the domain of your operation.
    avoid : sequence of float, optional
        Stay well away from these entries, where your operation has a kink or a pole.
    distinct : bool, optional
        No two entries are equal or close (for sort, max, median).
    dtype : dtype, optional
        Of the array.
    layouts : bool, optional
        Besides plain arrays give transposed, strided, reversed and read-only ones.

    Returns
    -------
    strategy of array

    Examples
    --------
    >>> from hypothesis import find
    >>> find(arrays((2, 2), low=0.5), lambda x: x.sum() > 4)
    array([[2. , 0.5],
           [1. , 1. ]])
    """
    if not isinstance(shape, tuple):
        shape = draw(shapes() if shape is None else shape)
    size = math.prod(shape)
    levels = _levels(low, high, avoid, size if distinct else 0)
    if distinct:
        if size > len(levels):
            raise ValueError(f"arrays: {size} distinct entries do not fit between {low} and {high}")
        spread = np.sort(levels)[np.linspace(0, len(levels) - 1, size).astype(int)]
        entries = spread[draw(st.permutations(range(size)))] if size else np.zeros(0)
    else:
        entries = levels[np.frombuffer(draw(st.binary(min_size=size, max_size=size)), np.uint8) % len(levels)]
    x = entries.reshape(shape).astype(dtype)
    return _laid_out(x, draw(st.sampled_from(_LAYOUTS))) if layouts else x


def _levels(low: float, high: float, avoid: Sequence[float], least: int) -> Any:
    """The numbers that entries are taken from, simplest first: about 64 binary fractions in [low, high]."""
    step = 2.0 ** math.floor(math.log2((high - low) / max(48, 2 * least)))
    levels = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
    for kink in avoid:
        levels = levels[np.abs(levels - kink) > 1.5 * step]
    simple = np.abs(levels) + 4.0 * (levels % 1 != 0) + 0.5 * (levels < 0) + 1.5 * (levels == 0)
    return levels[np.argsort(simple, kind="stable")][:256]


def _laid_out(x: Any, layout: str) -> Any:
    """The same entries in another memory layout."""
    if layout == "fortran":
        return np.copy(x, order="F")
    if layout == "strided" and x.ndim:
        return np.repeat(x, 2, axis=-1)[..., ::2]
    if layout == "reversed" and x.ndim:
        return np.flip(np.ascontiguousarray(np.flip(x)))
    if layout == "readonly":
        x.flags.writeable = False
    return x
