"""Rows of differences of neighbours along an axis, and of the slopes and areas that are made of them."""

import numpy as np

from ...engine.table import composed
from .arguments import all_axes, along, array, like, one_axis, stretched


def _diff(a, n=1, axis=-1, prepend=None, append=None):
    x = array(a)
    if n < 0:
        raise ValueError(f"diff: n is how many times to take differences, and cannot be {n}")
    if not n:
        return x
    axis = one_axis(x, axis)
    shape = [1 if k == axis else m for k, m in enumerate(x.shape)]
    parts = [
        np.broadcast_to(part, shape) if np.ndim(part) == 0 else part
        for part in (prepend, x, append)
        if part is not None
    ]
    x = np.concatenate(parts, axis) if len(parts) > 1 else x
    for _ in range(n):
        x = along(x, axis, slice(1, None)) - along(x, axis, slice(None, -1))
    return x


def _ediff1d(ary, to_end=None, to_begin=None):
    x = np.ravel(array(ary))
    parts = [x[1:] - x[:-1]]
    parts = parts if to_begin is None else [np.ravel(array(to_begin)), *parts]
    parts = parts if to_end is None else [*parts, np.ravel(array(to_end))]
    return np.concatenate(parts, dtype=x.dtype) if len(parts) > 1 else parts[0]


composed(np.diff, _diff, formula="differences of neighbours along axis")
composed(np.ediff1d, _ediff1d, formula="differences of neighbours, all entries in one line")


def _gradient(f, *varargs, axis=None, edge_order=1):
    f, spacing = array(f), varargs
    axes = all_axes(f, axis)
    if len(spacing) not in (0, 1, len(axes)) or (len(spacing) == 1 < len(axes) and np.ndim(spacing[0])):
        raise TypeError(f"gradient: {len(spacing)} spacings for {len(axes)} axes; give one, or one an axis")
    steps = spacing * len(axes) if len(spacing) == 1 else spacing or (1.0,) * len(axes)
    dtype = f.dtype if f.dtype.kind == "f" else np.dtype(float)
    slopes = [like(_slope(f, step, a, edge_order), dtype) for step, a in zip(steps, axes)]
    return slopes[0] if len(axes) == 1 else tuple(slopes)


def _slope(f, step, axis, edge_order):
    """The slope of `f` along one axis: of the parabola through each entry and its neighbours.

    `step` is the distance of neighbours, or the coordinates.  At the ends it is the slope of the line through
    two entries, or with `edge_order` 2 of the parabola through three.
    """
    n = f.shape[axis]
    if edge_order not in (1, 2) or n <= edge_order:
        raise ValueError(f"gradient: axis {axis} of {n} entries is too short for edge_order={edge_order}")
    step = array(step)
    if step.ndim and step.shape != (n,):
        raise ValueError(f"gradient: {step.shape} coordinates for axis {axis} of {n} entries")
    h = stretched(_diff(step), f.ndim, axis) if step.ndim else np.broadcast_to(step, [1] * f.ndim)
    last = h.shape[axis]
    at = lambda start, stop: along(f, axis, slice(start, stop))
    width = lambda start, stop: along(h, axis, slice(start, stop) if last > 1 else slice(None))
    if not step.ndim:
        inner = (at(2, n) - at(0, n - 2)) / (2.0 * step)
    else:
        left, right = width(0, n - 2), width(1, n - 1)
        inner = (
            at(0, n - 2) * (-right / (left * (left + right)))
            + at(1, n - 1) * ((right - left) / (left * right))
            + at(2, n) * (left / (right * (left + right)))
        )
    first, end = width(0, 1), width(n - 2, n - 1)
    if edge_order == 1:
        begin = (at(1, 2) - at(0, 1)) / first
        final = (at(n - 1, n) - at(n - 2, n - 1)) / end
    else:
        second, before = width(1, 2), width(n - 3, n - 2)
        begin = (
            at(0, 1) * (-(2 * first + second) / (first * (first + second)))
            + at(1, 2) * ((first + second) / (first * second))
            - at(2, 3) * (first / (second * (first + second)))
        )
        final = (
            at(n - 3, n - 2) * (end / (before * (before + end)))
            - at(n - 2, n - 1) * ((before + end) / (before * end))
            + at(n - 1, n) * ((2 * end + before) / (end * (before + end)))
        )
    return np.concatenate([begin, inner, final], axis)


composed(np.gradient, _gradient, formula="slope of f along each axis, from neighbouring entries")


def _trapezoid(y, x=None, dx=1.0, axis=-1):
    y = array(y)
    place = one_axis(y, axis)
    if x is not None:
        x = array(x)
        dx = stretched(_diff(x), y.ndim, place) if x.ndim == 1 else _diff(x, axis=axis)
    pairs = along(y, place, slice(1, None)) + along(y, place, slice(None, -1))
    return np.sum(dx * pairs / 2.0, place)


composed(np.trapezoid, _trapezoid, formula="area under y along axis, by trapezoids")
