"""Functions of scipy.interpolate: the cubic spline through points."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import interpolate

from ..derivatives import derivative


def _spline(x: Any, y: Any, knots: Any, bc_type: str, nu: int) -> Any:
    """The spline through (knots, y), or its derivative of order nu, at x."""
    return interpolate.CubicSpline(knots, y, bc_type=bc_type)(x, nu)


def _spline_x(g: Any, out: Any, x: Any, y: Any, knots: Any, bc_type: str, nu: int) -> Any:
    slope = spline(x, y, knots, bc_type, nu + 1)
    return np.sum(g * slope, axis=tuple(range(np.ndim(x), np.ndim(slope))))


def _spline_y(g: Any, out: Any, x: Any, y: Any, knots: Any, bc_type: str, nu: int) -> Any:
    """The spline is linear in y: its columns are the splines through the unit vectors."""
    columns = spline(x, np.eye(len(knots)), knots, bc_type, nu)
    over = tuple(range(np.ndim(x)))
    return np.tensordot(columns, g, (over, over))


spline: Any = derivative(
    _spline,
    _spline_x,
    _spline_y,
    formula="the cubic spline through (knots, y) at x",
    kink="none up to order 2",
)


class CubicSpline:
    """The piecewise cubic curve with two continuous derivatives through the points (x, y).

    Parameters
    ----------
    x : array, shape (n,)
        Where the points lie, increasing; no gradient goes there.
    y : Value or array, shape (..., n, ...)
        What the curve passes through, with n entries along `axis`.
    axis : int
        The axis of y that belongs to x.
    bc_type : {"not-a-knot", "natural", "clamped"}
        What is known at the ends.

    Raises
    ------
    TypeError
        If x is a Value, or bc_type is another.

    Examples
    --------
    >>> from tinygrad_course import Value
    >>> y = Value([0.0, 1.0, 4.0, 9.0])
    >>> out = CubicSpline([0.0, 1.0, 2.0, 3.0], y)(1.5)
    >>> out.item()
    2.25
    >>> out.backward()
    >>> y.grad
    array([-0.0625,  0.5625,  0.5625, -0.0625])
    """

    def __init__(self, x: Any, y: Any, axis: int = 0, bc_type: str = "not-a-knot") -> None:
        if hasattr(x, "requires_grad"):
            raise TypeError("CubicSpline: no gradient goes to the places x of the points; give x.numpy()")
        if bc_type not in ("not-a-knot", "natural", "clamped"):
            raise TypeError(
                f"CubicSpline: bc_type {bc_type!r} is not known here; SciPy's own takes plain arrays"
            )
        y = y if hasattr(y, "shape") else np.asarray(y)
        self.x, self.axis, self.bc_type = np.asarray(x), axis % np.ndim(y), bc_type
        self.y = np.moveaxis(y, self.axis, 0)

    def __call__(self, x: Any, nu: int = 0) -> Any:
        """The curve at `x`, or its derivative of order `nu`."""
        out = spline(x if hasattr(x, "shape") else np.asarray(x), self.y, self.x, self.bc_type, nu)
        return np.moveaxis(out, range(np.ndim(x)), range(self.axis, self.axis + np.ndim(x)))
