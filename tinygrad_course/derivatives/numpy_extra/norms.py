"""Rows of norms of vectors and matrices, of every order that NumPy has, and the condition number.

A norm has a kink where everything is 0; the derivative taken there is 0, as for |x|.
"""

import numpy as np

from ...engine.table import composed, derivative
from ..elementwise import through_kink
from ..reductions import restore
from .arguments import one_axis

KINK = "0 where the norm is 0; shared equally among ties of the largest (smallest)"


def _vector_norm_rule(g, out, x, axis=None, keepdims=False, ord=2):
    g, out = restore(g, x, axis, keepdims), restore(out, x, axis, keepdims)
    size = np.abs(x)
    if ord == 0:
        return g * np.zeros_like(size)
    if ord in (np.inf, -np.inf):
        ties = size == out
        return g * np.sign(x) * (ties / np.sum(ties, axis=axis, keepdims=True))
    if ord == 1:
        return g * np.sign(x)
    zero = out == 0
    if ord == 2:
        return through_kink(g, x / (out + zero), zero)
    steep = (size == 0) if ord < 2 else zero  # there the slope of size ** (ord - 1) is infinite
    return through_kink(g, np.sign(x) * (size / (out + zero) + (size == 0)) ** (ord - 1), steep)


derivative(
    np.linalg.vector_norm,
    _vector_norm_rule,
    formula="(Σ |x|^ord)^(1/ord) over axis",
    kink=KINK,
    javascript="norm(x, axis, ord)",
)


def _norm_of_matrices(x, ord, axis, keepdims):
    """The norm of the matrices in the two axes `axis` of `x`."""
    rows, columns = (one_axis(x, a) for a in axis)
    if rows == columns:
        raise ValueError(f"norm: axis={axis} names one axis twice; a matrix has two")
    if ord in (None, "fro", "f"):
        return np.linalg.vector_norm(x, axis=(rows, columns), keepdims=keepdims)
    if ord in (1, -1, np.inf, -np.inf):
        add, compared = (rows, columns) if ord in (1, -1) else (columns, rows)
        sums = np.sum(np.abs(x), axis=add, keepdims=True)
        out = np.max(sums, axis=compared, keepdims=True) if ord > 0 else np.min(sums, compared, keepdims=True)
    elif ord in (2, -2, "nuc"):
        s = np.linalg.svdvals(np.moveaxis(x, (rows, columns), (-2, -1)))
        out = np.sum(s, -1) if ord == "nuc" else np.max(s, -1) if ord == 2 else np.min(s, -1)
        out = np.expand_dims(out, tuple(sorted((rows, columns))))
    else:
        raise ValueError(f"norm: matrices have the orders 'fro', 'nuc', 1, -1, 2, -2, inf, -inf, not {ord!r}")
    return out if keepdims else np.squeeze(out, (rows, columns))


def _norm(x, ord=None, axis=None, keepdims=False):
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (int(axis),)
    if (ord is None and axis is None) or len(axes) == 1:
        if isinstance(ord, str):
            raise ValueError(f"norm: {ord!r} is a norm of matrices, and of axis {axes} those are vectors")
        return np.linalg.vector_norm(x, axis=axes, keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) != 2:
        raise ValueError(
            f"norm: order {ord!r} is for the one axis of a vector or the two of a matrix, and not for "
            f"{len(axes)}; say which with axis="
        )
    return _norm_of_matrices(x, ord, axes, keepdims)


composed(
    np.linalg.norm,
    _norm,
    formula="|x|, of vectors or matrices",
    torch="torch.linalg.norm(x, ord=ord, dim=axis, keepdim=keepdims)",
)
composed(
    np.linalg.matrix_norm,
    lambda x, keepdims=False, ord="fro": _norm_of_matrices(x, ord, (-2, -1), keepdims),
    formula="|x| of matrices",
)


def _cond(x, p=None):
    """|x| |x⁻¹|, of the singular values if those decide."""
    if p not in (None, 2, -2):
        axes = (-2, -1)
        return np.linalg.norm(x, p, axes) * np.linalg.norm(np.linalg.inv(x), p, axes)
    s = np.linalg.svdvals(x)
    largest, smallest = s[..., 0], s[..., -1]
    zero = largest == 0  # then the condition is infinite
    return (smallest + zero) / largest if p == -2 else (largest + zero) / smallest


composed(np.linalg.cond, _cond, formula="|x| |x⁻¹|", domain="x invertible")
