"""Functions of scipy.interpolate: the cubic spline through points.

The spline is written down in NumPy calls, so gradients of every order go to where it is asked for, to the
heights of the points, and to where the points lie.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine.table import nondifferentiable

ENDS = ("not-a-knot", "natural", "clamped", "periodic")
(_increases,) = nondifferentiable(lambda x: bool(np.all(np.diff(x) > 0)))
(_closes,) = nondifferentiable(lambda y: bool(np.allclose(y[0], y[-1], rtol=1e-15, atol=1e-15)))


def _end(bc_type: str, unit: Any, h: Any, d: Any) -> tuple[Any, Any]:
    """The equation for the slopes at the first end; that for the last one comes from everything reversed."""
    if bc_type == "clamped":
        return unit[0], 0 * d[0]
    if bc_type == "natural":  # the second derivative is 0
        return 2 * unit[0] + unit[1], 3 * d[0]
    if len(unit) < 4:  # a parabola, or a line
        return unit[0] + unit[1], 2 * d[0]
    a, b = h[0] ** 2, h[1] ** 2  # the third derivative is the same in the first two intervals
    return b * (unit[0] + unit[1]) - a * (unit[1] + unit[2]), 2 * (b * d[0] - a * d[1])


def _slopes(bc_type: str, h: Any, d: Any) -> Any:
    """The derivatives at the points, from their distances `h` and the slopes `d` of the chords.

    They make the second derivatives equal on both sides of each point (de Boor, A Practical Guide to
    Splines, chapter 4).
    """
    if len(h) == 1 and bc_type == "not-a-knot":
        return np.concatenate([d, d])
    before, after = (np.roll(h, 1), h) if bc_type == "periodic" else (h[:-1], h[1:])
    chord_before, chord_after = (np.roll(d, 1, 0), d) if bc_type == "periodic" else (d[:-1], d[1:])
    before, after = before[:, None], after[:, None]
    n = len(before) if bc_type == "periodic" else len(before) + 2
    unit = np.eye(n)
    left, middle, right = unit[:-2], unit[1:-1], unit[2:]
    if bc_type == "periodic":
        left, middle, right = np.roll(unit, 1, 0), unit, np.roll(unit, -1, 0)
    matrix = after * left + 2 * (before + after) * middle + before * right
    wanted = 3 * (after * chord_before + before * chord_after)
    if bc_type == "periodic":
        slopes = np.linalg.solve(matrix, wanted)
        return np.concatenate([slopes, slopes[:1]])
    first, of_first = _end(bc_type, unit, h, d)
    last, of_last = _end(bc_type, unit[::-1], h[::-1], d[::-1])
    matrix = np.concatenate([first[None], matrix, last[None]])
    return np.linalg.solve(matrix, np.concatenate([of_first[None], wanted, of_last[None]]))


class CubicSpline:
    """The piecewise cubic curve with two continuous derivatives through the points (x, y).

    Parameters
    ----------
    x : Value or array, shape (n,)
        Where the points lie, increasing.
    y : Value or array, shape (..., n, ...)
        What the curve passes through, with n entries along `axis`.
    axis : int
        The axis of y that belongs to x.
    bc_type : {"not-a-knot", "natural", "clamped", "periodic"}
        What is known at the ends.

    Raises
    ------
    TypeError
        For another bc_type.
    ValueError
        If x does not increase, its length is not that of y, or the first and last heights of a periodic
        curve are not the same.

    Examples
    --------
    >>> from tinygrad_course import Value
    >>> y = Value([0.0, 1.0, 4.0, 9.0])
    >>> out = CubicSpline([0.0, 1.0, 2.0, 3.0], y)(1.5)
    >>> round(out.item(), 12)
    2.25
    >>> out.backward()
    >>> y.grad.round(4)
    array([-0.0625,  0.5625,  0.5625, -0.0625])
    """

    def __init__(self, x: Any, y: Any, axis: int = 0, bc_type: str = "not-a-knot") -> None:
        if bc_type not in ENDS:
            raise TypeError(
                f"CubicSpline: bc_type {bc_type!r} is not known here; SciPy's own takes plain arrays"
            )
        x, y = (a if hasattr(a, "shape") else np.asarray(a) for a in (x, y))
        self.axis, self.bc_type = axis % np.ndim(y), bc_type
        self.x, y = x, np.moveaxis(y, self.axis, 0)
        if np.ndim(x) != 1 or len(x) < 2 or len(x) != len(y):
            raise ValueError(f"CubicSpline: {len(y)} heights need as many places, 2 or more, not {x.shape}")
        if not _increases(x):
            raise ValueError("CubicSpline: x must increase; sort the points, and take no place twice")
        if bc_type == "periodic" and not _closes(y):
            raise ValueError("CubicSpline: the first and the last height of a periodic curve are the same")
        self.shape = y.shape[1:]
        self.y = np.reshape(y, (len(x), -1))
        self._h = x[1:] - x[:-1]
        self._d = (self.y[1:] - self.y[:-1]) / self._h[:, None]
        self._slopes = _slopes(bc_type, self._h, self._d)

    def __call__(self, x: Any, nu: int = 0) -> Any:
        """The curve at `x`, or its derivative of order `nu`."""
        shape = np.shape(x)
        x = np.reshape(x if hasattr(x, "shape") else np.asarray(x, float), (-1,))
        if self.bc_type == "periodic":
            period = self.x[-1] - self.x[0]
            x = x - np.floor((x - self.x[0]) / period) * period
        i = np.clip(np.searchsorted(self.x, x, side="right") - 1, 0, len(self.x) - 2)
        u, h, d = (x - self.x[i])[:, None], self._h[i][:, None], self._d[i]
        first, last = self._slopes[i], self._slopes[i + 1]
        powers = [self.y[i], first, (3 * d - 2 * first - last) / h, (first + last - 2 * d) / h**2]
        out = 0 * powers[0]
        for k in range(3, nu - 1, -1):
            out = out * u + math.perm(k, nu) * powers[k]
        out = np.reshape(out, (*shape, *self.shape))
        return np.moveaxis(out, range(len(shape)), range(self.axis, self.axis + len(shape)))
