"""Rows of the operations that make one number of many: sums, means, products, extremes, spreads.

A result that lost its axes has to be stretched over them again before it meets the argument: `restore`.
"""

import math

import numpy as np

from ..engine.backprop import total
from ..engine.table import TABLE, derivative
from .elementwise import through_kink
from .shaping import are_known, in_wide, laid_over, wide


def axes_of(x, axis):
    """`axis` (None, a number, or several) as a tuple of numbers from 0 to x.ndim - 1."""
    if axis is None:
        return tuple(range(np.ndim(x)))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % np.ndim(x) for a in axes) if np.ndim(x) else ()  # a single number takes 0 and -1, too


def restore(reduced, x, axis, keepdims=False):
    """`reduced` with the axes that a reduction of `x` took away back in place, of length 1."""
    if keepdims or not getattr(reduced, "ndim", 0):  # a single number stretches as it is
        return reduced
    axes = axes_of(x, axis)
    if not are_known(x.shape):
        return reduced[tuple(None if a in axes else slice(None) for a in range(x.ndim))]
    return np.reshape(reduced, [1 if a in axes else n for a, n in enumerate(x.shape)])


def count(x, axis):
    """How many entries of `x` go into one entry of the result."""
    if axis is None:
        return getattr(x, "size", 1)
    n = 1
    for a in axes_of(x, axis) if np.ndim(x) else ():
        n *= x.shape[a]
    return n


def _sum_rule(g, out, x, axis=None, dtype=None, out_=None, keepdims=False, initial=0, where=True):
    g = laid_over(restore(g, x, axis, keepdims), x)
    return g if where is True else np.where(where, g, 0.0)


derivative(
    np.sum,
    _sum_rule,
    javascript="sum(x, axis)",
    formula="sum of x over axis",
    torch="torch.sum(x, dim=axis, keepdim=keepdims, dtype=dtype)",
    latex=r"\sum x",
    result="total",
    reduction=np.add,
    onnx="ReduceSum(x, axis)",
)


def _selected(x, axis, where):
    """How many entries of `x` a mean over `axis` counts, in the shape of the mean with its axes kept."""
    n = count(x, axis)
    if n != n:  # nan: of a Dask array
        return np.sum(np.logical_and(where, np.ones_like(x)), axis=axis, keepdims=True)
    return n if where is True else np.sum(np.broadcast_to(where, np.shape(x)), axis=axis, keepdims=True)


def _mean_rule(g, out, x, axis=None, dtype=None, out_=None, keepdims=False, where=True):
    g = laid_over(restore(wide(g), x, axis, keepdims) / _selected(x, axis, where), x)
    return g if where is True else np.where(where, g, 0.0)


derivative(
    np.mean,
    _mean_rule,
    javascript="mean(x, axis)",
    formula="mean of x over axis",
    torch="torch.mean(x, dim=axis, keepdim=keepdims, dtype=dtype)",
    latex=r"\mathrm{mean}\left( x \right)",
    onnx="ReduceMean(x, axis)",
)


def _var_rule(g, out, x, axis=None, dtype=None, out_=None, ddof=0, keepdims=False, where=True, **more):
    ddof = more.get("correction", ddof)
    masked = {} if where is True else {"where": where}
    mean = more["mean"] if "mean" in more else np.mean(x, axis=axis, keepdims=True, **masked)
    free = _selected(x, axis, where) - np.asarray(ddof, float)
    g = restore(wide(g), x, axis, keepdims) * (x - mean) * (2 / free if np.ndim(free) or free else math.inf)
    return g if where is True else np.where(where, g, 0.0)


def _std_rule(g, out, x, axis=None, dtype=None, out_=None, ddof=0, keepdims=False, where=True, **more):
    equal = out == 0
    slope = _var_rule(0.5 / (out + equal), out, x, axis, dtype, None, ddof, keepdims, where, **more)
    return through_kink(restore(g, x, axis, keepdims), slope, restore(equal, x, axis, keepdims))


derivative(
    np.var,
    _var_rule,
    javascript="variance(x, axis, ddof)",
    formula="mean of (x - mean x)² over axis",
    torch="torch.var(x, dim=axis, correction=ddof, keepdim=keepdims)",
    onnx="variance",
)
derivative(
    np.std,
    _std_rule,
    formula="√(var x)",
    kink="0 where all entries are equal",
    javascript="Math.sqrt(variance(x, axis, ddof))",
    torch="torch.std(x, dim=axis, correction=ddof, keepdim=keepdims)",
    onnx="variance",
)


def extreme_rule(g, out, x, axis=None, out_=None, keepdims=False, initial=None, where=True):
    ties = x == restore(out, x, axis, keepdims)
    if where is not True:
        ties = np.logical_and(ties, where)
    shares = np.sum(ties, axis=axis, keepdims=True)
    if initial is not None:  # it takes part in a tie as one entry more
        shares = shares + (restore(out, x, axis, keepdims) == initial)
    return restore(g, x, axis, keepdims) * (ties / shares)  # no entry equals a nan: 0 / 0, nan for all


derivative(
    np.max,
    extreme_rule,
    chooses=True,
    javascript="max(x, axis)",
    formula="largest x over axis",
    kink="shared equally among ties",
    torch="torch.amax(x, dim=axis, keepdim=keepdims)",
    latex=r"\max x",
    result="top",
    reduction=np.maximum,
    onnx="ReduceMax(x, axis)",
)
derivative(
    np.min,
    extreme_rule,
    chooses=True,
    javascript="min(x, axis)",
    formula="smallest x over axis",
    kink="shared equally among ties",
    torch="torch.amin(x, dim=axis, keepdim=keepdims)",
    latex=r"\min x",
    reduction=np.minimum,
    onnx="ReduceMin(x, axis)",
)


def product_of_others(x):
    """For each entry along the first axis, the product of all others, without dividing (an entry may be 0).

    Neighbours are multiplied in pairs; the pairs' others times the neighbour are an entry's others.
    """
    n = x.shape[0]
    if n <= 1:
        return np.ones_like(x)
    if n % 2:
        x = np.concatenate([x, np.ones_like(x[:1])])
    left, right = x[0::2], x[1::2]
    others = product_of_others(left * right)
    both = np.stack([others * right, others * left], axis=1)
    return np.reshape(both, x.shape)[:n]


def _prod_rule(g, out, x, axis=None, dtype=None, out_=None, keepdims=False, initial=1, where=True):
    initial = 1 if initial is None else initial
    if not np.ndim(x):
        return g * initial
    axes = axes_of(x, axis)
    order = (*axes, *(a for a in range(x.ndim) if a not in axes))
    kept = x if where is True else np.where(where, x, 1.0)
    front = np.transpose(kept, order)
    others = product_of_others(np.reshape(front, (count(x, axis), *front.shape[len(axes) :])))
    others = np.transpose(np.reshape(others, front.shape), tuple(np.argsort(order)))
    g = restore(g, x, axis, keepdims) * others * initial
    return g if where is True else np.where(where, g, 0.0)


derivative(
    np.prod,
    _prod_rule,
    javascript="prod(x, axis)",
    reduction=np.multiply,
    formula="product of x over axis",
    torch="torch.prod(x, dim=axis, keepdim=keepdims, dtype=dtype)",
    onnx="ReduceProd(x, axis)",
)


def _cumsum_rule(g, out, x, axis=None, dtype=None, out_=None):
    if axis is None:
        return np.reshape(np.flip(np.cumsum(np.flip(g))), np.shape(x))
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis)


derivative(np.cumsum, _cumsum_rule, formula="running sum of x along axis", torch="cumsum", onnx="running")


def largest(x, axis):
    """The largest entries along `axis`, for taking away before exp; of none, -inf."""
    start = {"initial": -np.inf} if 0 in np.shape(x) else {}
    return np.max(x, axis=axis, keepdims=True, **start)


@in_wide
def _logsumexp(x, axis=None, keepdims=False):
    """log Σ exp x over `axis`, without overflow: the largest entry is taken out first."""
    top = largest(x, axis)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        out = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return out if keepdims else np.squeeze(out, axis if axis is None else axes_of(x, axis))


def _logsumexp_rule(g, out, x, axis=None, keepdims=False):
    return restore(g, x, axis, keepdims) * np.exp(x - restore(out, x, axis, keepdims))


logsumexp = derivative(_logsumexp, _logsumexp_rule, formula="log Σ exp x over axis")

TABLE[total].torch, TABLE[total].javascript = "torch.sum(x)", "sum(x, axis)"
