"""Rows of what passes over nan: choices between two numbers, reductions, numbers in the place of nan.

The reductions are those of `reductions`, with nan replaced or masked before.
"""

import numpy as np

from ...engine.table import TABLE, Row, composed, derivative
from ..reductions import extreme_rule

# Numbers instead of nan
derivative(
    np.fmax,
    lambda g, out, x, y: g * np.logical_or(x >= y, np.isnan(y)),
    lambda g, out, x, y: g * np.logical_not(np.logical_or(x >= y, np.isnan(y))),
    chooses=True,
    formula="the larger of x and y, where one is nan the other",
    kink="all to x where x = y",
    torch="fmax",
)
derivative(
    np.fmin,
    lambda g, out, x, y: g * np.logical_or(x <= y, np.isnan(y)),
    lambda g, out, x, y: g * np.logical_not(np.logical_or(x <= y, np.isnan(y))),
    chooses=True,
    formula="the smaller of x and y, where one is nan the other",
    kink="all to x where x = y",
    torch="fmin",
)


def _nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    if not copy:
        raise TypeError("copy=False writes into what has been recorded; write v = np.nan_to_num(v)")
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


TABLE[np.nan_to_num] = Row(
    _nan_to_num,
    (lambda g, out, x, *_, **__: np.where(np.isfinite(x), g, 0.0),),
    formula="x with numbers in place of nan and ±inf",
    kink="0 where a number was put in place",
)


# Reductions
def _filled(function, number):
    """`function` with `number`, which changes nothing, in the place of nan."""

    def composition(a, axis=None, dtype=None, *more, **keywords):
        return function(np.where(np.isnan(a), number, a), axis, dtype, *more, **keywords)

    return composition


composed(np.nansum, _filled(np.sum, 0.0), formula="sum of a over axis, without nan")
composed(np.nanprod, _filled(np.prod, 1.0), formula="product of a over axis, without nan")
composed(np.nancumsum, _filled(np.cumsum, 0.0), formula="running sum of a along axis, without nan")
composed(np.nancumprod, _filled(np.cumprod, 1.0), formula="running product of a along axis, without nan")


def _numbers(a, where):
    """`a` with 0 for nan, and the mask of the entries that count."""
    if np.result_type(where).kind != "b":
        raise TypeError("where= is made of True and False; compare first: v > 0")
    missing = np.isnan(a)
    return np.where(missing, 0.0, a), np.logical_and(where, np.logical_not(missing))


def _nanmean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=True):
    a, where = _numbers(a, where)
    return np.mean(a, axis, dtype, keepdims=keepdims, where=where)


def _nanvar(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, **more):
    a, where = _numbers(a, where)
    return np.var(a, axis, dtype, ddof=ddof, keepdims=keepdims, where=where, **more)


def _nanstd(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, **more):
    a, where = _numbers(a, where)
    return np.std(a, axis, dtype, ddof=ddof, keepdims=keepdims, where=where, **more)


composed(np.nanmean, _nanmean, formula="mean of a over axis, without nan")
composed(np.nanvar, _nanvar, formula="mean of (a - mean a)² over axis, without nan")
composed(np.nanstd, _nanstd, formula="√(nanvar a)", kink="0 where all entries are equal")

kink = "shared equally among ties"
derivative(np.nanmax, extreme_rule, formula="largest a over axis, without nan", kink=kink)
derivative(np.nanmin, extreme_rule, formula="smallest a over axis, without nan", kink=kink)
