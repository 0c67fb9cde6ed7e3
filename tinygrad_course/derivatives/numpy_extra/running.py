"""Rows of what runs along an axis: products, sums and extremes so far, and any function of two arguments."""

import numpy as np

from ...engine.table import composed, derivative
from .arguments import array, one_axis
from .nondifferentiable import constant


# Products so far
def _cumprod_rule(g, out, x, axis=None, dtype=None, out_=None):
    if axis is None or not np.ndim(x):
        return np.reshape(_cumprod_first(g, np.ravel(x)), np.shape(x))
    return np.moveaxis(_cumprod_first(np.moveaxis(g, axis, 0), np.moveaxis(x, axis, 0)), 0, axis)


def _cumprod_first(g, x):
    """The rule along the first axis: what came before an entry, times s, where s[i] = g[i] + x[i+1] · s[i+1].

    Nothing is divided, so entries may be 0.  The recurrence is solved in log n steps: each doubles how far
    ahead `s` looks, `ahead` being the product of the entries passed over.
    """
    n = x.shape[0]
    if n < 2:
        return g
    one, zero = np.ones_like(x[:1]), np.zeros_like(x[:1])
    s, ahead, step = g, np.concatenate([x[1:], zero]), 1
    while step < n:
        s = np.concatenate([s[:-step] + ahead[:-step] * s[step:], s[-step:]])
        ahead = np.concatenate([ahead[:-step] * ahead[step:], ahead[-step:]])
        step *= 2
    return s * np.concatenate([one, np.cumprod(x[:-1], axis=0)])


derivative(
    np.cumprod,
    _cumprod_rule,
    formula="running product of x along axis",
    torch="cumprod",
)


def _cumulative(function, start):
    """`function`, cumsum or cumprod, as np.cumulative_sum and np.cumulative_prod call it."""

    def composition(x, /, *, axis=None, dtype=None, include_initial=False):
        x = np.atleast_1d(array(x))
        if axis is None and x.ndim > 1:
            raise ValueError(f"cumulative_{function.__name__[3:]}: x of shape {x.shape} needs an axis")
        axis = one_axis(x, 0 if axis is None else axis)
        out = function(x, axis, dtype)
        if not include_initial:
            return out
        shape = [1 if a == axis else n for a, n in enumerate(x.shape)]
        return np.concatenate([np.full(shape, start, out.dtype), out], axis)

    return composition


if hasattr(np, "cumulative_sum"):  # since NumPy 2.1
    composed(np.cumulative_sum, _cumulative(np.cumsum, 0), formula="running sum of x along axis")
    composed(np.cumulative_prod, _cumulative(np.cumprod, 1), formula="running product of x along axis")


# Extremes so far
def _so_far(ufunc, formula):
    """A row for `ufunc.accumulate`: the entries that the result consists of are taken from the argument."""

    def running(x, axis=0, dtype=None):
        return ufunc.accumulate(x, axis, dtype)

    def composition(x, axis=0, dtype=None):
        plain = constant(x)
        out = ufunc.accumulate(plain, axis)
        places = np.arange(x.shape[axis]).reshape([-1 if a == axis % x.ndim else 1 for a in range(x.ndim)])
        newest = np.maximum.accumulate(np.where((plain == out) | np.isnan(plain), places, 0), axis)
        taken = np.take_along_axis(x, newest, axis)
        return taken if dtype is None else taken.astype(dtype)

    running.__name__ = f"running_{ufunc.__name__[:3]}"
    return composed(running, composition, formula=formula, kink="the last one among ties")


running_max = _so_far(np.maximum, "largest x so far along axis")
running_min = _so_far(np.minimum, "smallest x so far along axis")


# Any ufunc of two arguments, step by step
def _first(ufunc, x, axis, dtype):
    """`x` with `axis` in front, in the dtype that is computed in."""
    return np.moveaxis(x if dtype is None else x.astype(dtype), axis, 0)


def accumulated(ufunc, x, axis=0, dtype=None):
    """``ufunc.accumulate``: out[k] = ufunc(out[k - 1], x[k])."""
    ufunc.accumulate(constant(x), axis, dtype)  # NumPy judges the arguments
    rows = _first(ufunc, x, axis, dtype)
    out = [rows[0]] if len(rows) else []
    for row in rows[1:]:
        out.append(ufunc(out[-1], row))
    return np.moveaxis(np.stack(out), 0, axis) if out else x


def reduced_at(ufunc, x, indices, axis=0, dtype=None):
    """``ufunc.reduceat``: what ufunc makes of each part x[indices[k] : indices[k + 1]]."""
    ufunc.reduceat(constant(x), indices, axis, dtype)
    rows = _first(ufunc, x, axis, dtype)
    out = []
    for start, stop in zip(indices, [*indices[1:], len(rows)]):
        part = rows[start]
        for row in rows[start + 1 : stop]:
            part = ufunc(part, row)
        out.append(part)
    return np.moveaxis(np.stack(out), 0, axis)
