"""Rows of diagonals of matrices, and of what is above and below them."""

import operator

import numpy as np

from ...engine.table import composed, derivative
from ..indexing import scatter
from .arguments import array, one_axis


def _diagonal(a, offset=0, axis1=0, axis2=1):
    first, second, offset = one_axis(a, axis1), one_axis(a, axis2), operator.index(offset)
    if first == second:
        raise ValueError(f"diagonal: axis1 and axis2 are the same axis {first}")
    a = np.moveaxis(a, (first, second), (-2, -1))
    places = np.arange(max(0, min(a.shape[-2] + min(offset, 0), a.shape[-1] - max(offset, 0))))
    return a[..., places - min(offset, 0), places + max(offset, 0)]


def _diag(v, k=0):
    v = array(v)
    if v.ndim == 2:
        return _diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"diag: takes one axis or two, not shape {v.shape}; np.diagflat takes any")
    n = v.shape[0] + abs(k)
    places = np.arange(v.shape[0])
    return scatter(v, (places - min(k, 0), places + max(k, 0)), (n, n))


def _trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    return np.sum(_diagonal(a, offset, axis1, axis2), -1, dtype=dtype)


composed(
    np.diagonal,
    _diagonal,
    formula="the diagonal of the matrices along two axes",
    torch="torch.diagonal(a, offset=offset, dim1=axis1, dim2=axis2)",
)
composed(np.diag, _diag, formula="the diagonal of a matrix, or the matrix with this diagonal")
composed(
    np.diagflat, lambda v, k=0: _diag(np.ravel(v), k), formula="matrix with the entries of v as its diagonal"
)
composed(np.trace, _trace, formula="sum of the diagonal")
derivative(
    np.tril,
    lambda g, out, m, k=0: np.tril(g, k),
    formula="m on and below a diagonal, else 0",
    torch="torch.tril(m, diagonal=k)",
)
derivative(
    np.triu,
    lambda g, out, m, k=0: np.triu(g, k),
    formula="m on and above a diagonal, else 0",
    torch="torch.triu(m, diagonal=k)",
)
