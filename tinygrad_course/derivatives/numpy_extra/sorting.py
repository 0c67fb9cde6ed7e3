"""Rows of order: sort, partition, and what stands at a given share of the sorted entries (quantiles).

The order is taken as it is: a small change of the entries does not change it.  Where entries are equal, it is
the order in which they came.
"""

import functools
import inspect

import numpy as np

from ...engine.table import TABLE, Row, derivative
from .arguments import all_axes, array, flattened
from .nondifferentiable import constant


def _permuted_rule(g, out, a, axis=-1, **_):
    """The rule of any function that puts the entries along an axis into another order."""
    if axis is None:
        return np.reshape(_permuted_rule(g, out, np.ravel(a)), np.shape(a))
    in_order = np.take_along_axis(g, np.argsort(out, axis, kind="stable"), axis)
    ranks = np.argsort(np.argsort(a, axis, kind="stable"), axis)
    return np.take_along_axis(in_order, ranks, axis)


derivative(
    np.sort,
    lambda g, out, a, axis=-1, kind=None, order=None, **_: _permuted_rule(g, out, a, axis),
    formula="a in rising order along axis",
    kink="equal entries in the order in which they came",
)
derivative(
    np.partition,
    lambda g, out, a, kth, axis=-1, kind=None, order=None: _permuted_rule(g, out, a, axis),
    formula="a along axis with the entry number kth in its place",
    kink="equal entries in the order in which they came",
)


# Quantiles: sums of sorted entries, each with its share
_MORE = {
    "linear": -1, "hazen": 0, "interpolated_inverted_cdf": 0, "weibull": 1, "median_unbiased": 1 / 3,
    "normal_unbiased": 1 / 4,
}  # fmt: skip
"""Of n entries the place of a quantile moves n and so much more with q; with other methods it jumps."""


def _place(count, q, method):
    """Where in `count` sorted entries the quantiles `q` are, as NumPy itself tells of 0, 1, 2, ..."""
    return np.quantile(np.arange(max(count, 1), dtype=float), np.ravel(q), method=method)[:, None]


def _shares(n, count, q, method):
    """How much of each of n sorted entries is in the quantiles `q` of the first `count`: (quantiles, n)."""
    place = _place(count, q, method)
    below = np.floor(constant(place))
    above = place - below
    return (np.arange(n) == below) * (1 - above) + (np.arange(n) == below + 1) * above


def _slopes(n, count, q, method):
    """How these shares answer to `q`; not at all where a quantile is one of the entries."""
    place = _place(count, q, method)
    apart = (np.arange(n) == np.ceil(place)).astype(float) - (np.arange(n) == np.floor(place))
    return apart * (count + _MORE[method]) if method in _MORE else np.zeros_like(apart)


def _in_rows(sorted_ones, rows, q, method, skip_nan):
    """For each entry of a row (the last axis) what `sorted_ones` gives in its place: (..., quantiles, n)."""
    n = rows.shape[-1]
    counts = np.sum(~np.isnan(rows), -1) if skip_nan else np.full(rows.shape[:-1], n)
    known, which = np.unique(counts, return_inverse=True)
    tables = [sorted_ones(n, count, q, method)[None] for count in known]
    tables = np.concatenate([np.zeros((0, np.size(q), n)), *tables])
    ranks = np.argsort(np.argsort(rows, -1, kind="stable"), -1)
    return np.take_along_axis(tables[np.reshape(which, counts.shape)], ranks[..., None, :], -1)


def _hits(rows, results):
    """The same where a quantile is one of the entries, which it is if they have weights."""
    hits = rows[..., None, :] == results[..., None]
    return hits / np.maximum(np.sum(hits, -1, keepdims=True), 1)


def _check_order(q, axis, skip_nan):
    """Raise where NumPy mixes up the axes of its result, which it does in its functions without nan."""
    if skip_nan and np.ndim(q) > 1 and isinstance(axis, tuple) and len(axis) > 1:
        raise TypeError(
            f"nanquantile, nanpercentile: with q of shape {np.shape(q)} over the axes {axis} NumPy mixes up "
            "the axes of its result; give q as a vector, np.ravel(q), and reshape the result"
        )


def _quantile_rule(
    g, out, a, q, axis=None, out_=None, overwrite_input=False, method="linear", keepdims=False,
    weights=None, interpolation=None, skip_nan=False,
):  # fmt: skip
    _check_order(q, axis, skip_nan)
    axes, shape = all_axes(a, axis), np.shape(a)
    rows = flattened(array(constant(a)), axis)
    if weights is None:
        shares = _in_rows(_shares, rows, q, interpolation or method, skip_nan)
    else:
        shares = _hits(rows, _quantiles_last(constant(out), q, rows))
    back = np.matmul(np.expand_dims(_quantiles_last(g, q, rows), -2), shares.astype(rows.dtype))
    order = (*(i for i in range(len(shape)) if i not in axes), *axes)
    return np.transpose(np.reshape(back, [shape[i] for i in order]), np.argsort(order))


def _share_rule(
    g, out, a, q, axis=None, out_=None, overwrite_input=False, method="linear", keepdims=False,
    weights=None, interpolation=None, skip_nan=False,
):  # fmt: skip
    """How quantiles answer to `q`: between two entries by how far these are apart."""
    _check_order(q, axis, skip_nan)
    rows = flattened(array(a), axis)
    if weights is not None:
        return np.zeros_like(constant(q))
    slopes = _in_rows(_slopes, constant(rows), constant(q), interpolation or method, skip_nan)
    rows = np.where(np.isnan(constant(rows)), 0.0, rows) if skip_nan else rows
    each = np.sum(slopes * rows[..., None, :], -1) * _quantiles_last(g, q, rows)
    return np.reshape(np.sum(each, tuple(range(np.ndim(each) - 1))), np.shape(q))


def _quantiles_last(x, q, rows):
    """What is shaped like the quantiles, with those of one row as the last axis."""
    return np.moveaxis(np.reshape(x, (np.size(q), *rows.shape[:-1])), 0, -1)


def _percentile_rule(g, out, a, q, *args, **kwargs):
    return _quantile_rule(g, out, a, np.true_divide(q, 100), *args, **kwargs)


def _per_cent_rule(g, out, a, q, *args, **kwargs):
    return _share_rule(g, out, a, np.true_divide(q, 100), *args, **kwargs) / 100


def _median_rule(g, out, a, axis=None, out_=None, overwrite_input=False, keepdims=False, skip_nan=False):
    return _quantile_rule(g, out, a, 0.5, axis, skip_nan=skip_nan)


def _without_nan(rule):
    return lambda *args, **kwargs: rule(*args, **kwargs, skip_nan=True)


def _untouched(function):
    """`function`, never working in the memory of its argument, which overwrite_input allows it to."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def computed(*args, **kwargs):
        given = signature.bind(*args, **kwargs)
        given.arguments.pop("overwrite_input", None)
        return function(*given.args, **given.kwargs)

    return computed


SHARE = "equal entries in the order in which they came; by q none where a quantile is one of the entries"
for plain, without_nan, rules, what in (
    (
        np.quantile,
        np.nanquantile,
        (_quantile_rule, _share_rule),
        "the entry below which the share q of a lies",
    ),
    (
        np.percentile,
        np.nanpercentile,
        (_percentile_rule, _per_cent_rule),
        "the entry below which q % of a lie",
    ),
    (np.median, np.nanmedian, (_median_rule,), "the entry in the middle of the sorted a"),
):
    kink = SHARE if len(rules) > 1 else "equal entries in the order in which they came"
    TABLE[plain] = Row(_untouched(plain), rules, formula=what, kink=kink)
    what += ", without nan"
    TABLE[without_nan] = Row(
        _untouched(without_nan), tuple(map(_without_nan, rules)), formula=what, kink=kink
    )
