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
def _shares(n, count, q, method):
    """How much of each of n sorted entries is in the quantiles `q` of the first `count`: (quantiles, n).

    NumPy itself tells where a quantile lies: it is asked for the quantile of 0, 1, 2, ...
    """
    place = np.quantile(np.arange(max(count, 1), dtype=float), np.ravel(q), method=method)[:, None]
    below = np.floor(place)
    above = place - below
    return (np.arange(n) == below) * (1 - above) + (np.arange(n) == below + 1) * above


def _shares_of_rows(rows, q, method, skip_nan):
    """How much of each entry is in the quantiles of its row (the last axis): (..., quantiles, n)."""
    n = rows.shape[-1]
    counts = np.sum(~np.isnan(rows), -1) if skip_nan else np.full(rows.shape[:-1], n)
    known, which = np.unique(counts, return_inverse=True)
    tables = np.array([_shares(n, count, q, method) for count in known]).reshape(len(known), np.size(q), n)
    ranks = np.argsort(np.argsort(rows, -1, kind="stable"), -1)
    return np.take_along_axis(tables[np.reshape(which, counts.shape)], ranks[..., None, :], -1)


def _shares_of_hits(rows, results):
    """The same where a quantile is one of the entries, which it is if they have weights."""
    hits = rows[..., None, :] == results[..., None]
    return hits / np.maximum(np.sum(hits, -1, keepdims=True), 1)


def _quantile_rule(
    g, out, a, q, axis=None, out_=None, overwrite_input=False, method="linear", keepdims=False,
    weights=None, interpolation=None, skip_nan=False,
):  # fmt: skip
    axes, shape = all_axes(a, axis), np.shape(a)
    rows = flattened(array(constant(a)), axis)
    quantiles_last = lambda x: np.moveaxis(np.reshape(x, (np.size(q), *rows.shape[:-1])), 0, -1)
    if weights is None:
        shares = _shares_of_rows(rows, q, interpolation or method, skip_nan)
    else:
        shares = _shares_of_hits(rows, quantiles_last(constant(out)))
    back = np.matmul(np.expand_dims(quantiles_last(g), -2), shares.astype(rows.dtype))
    order = (*(i for i in range(len(shape)) if i not in axes), *axes)
    return np.transpose(np.reshape(back, [shape[i] for i in order]), np.argsort(order))


def _percentile_rule(g, out, a, q, *args, **kwargs):
    return _quantile_rule(g, out, a, np.true_divide(q, 100), *args, **kwargs)


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


for plain, without_nan, rule, what in (
    (np.quantile, np.nanquantile, _quantile_rule, "the entry below which the share q of a lies"),
    (np.percentile, np.nanpercentile, _percentile_rule, "the entry below which q % of a lie"),
    (np.median, np.nanmedian, _median_rule, "the entry in the middle of the sorted a"),
):
    kink = "equal entries in the order in which they came"
    TABLE[plain] = Row(_untouched(plain), (rule,), formula=what, kink=kink)
    what += ", without nan"
    TABLE[without_nan] = Row(_untouched(without_nan), (_without_nan(rule),), formula=what, kink=kink)
