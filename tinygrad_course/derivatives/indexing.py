"""Rows of indexing: taking entries out (`v[index]`) and its reverse, adding entries in (`scatter`)."""

import operator

import numpy as np

from .table import derivative


def _is_basic(index):
    """Whether `index` is made of whole numbers, slices, None and ... only: then no entry is taken twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None
        or part is Ellipsis
        or (isinstance(part, (int, np.integer, slice)) and not isinstance(part, bool))
        for part in parts
    )


def _scatter(g, index, shape):
    """Zeros of `shape` with `g` added in at `index`; what is named several times adds up."""
    out = np.zeros_like(g, shape=shape)
    if _is_basic(index) or (isinstance(index, np.ndarray) and index.dtype == bool):
        out[index] = g
    elif isinstance(index, np.ndarray) and len(shape) > 1 and g.size:
        _add_rows(out, index, g)
    else:
        np.add.at(out, index, g)
    return out


def _add_rows(out, index, g):
    """Add the rows of `g` to the rows of `out` named in `index`, sorted so that each is summed in one go."""
    index = np.where(index < 0, index + len(out), index).ravel()
    order = np.argsort(index, kind="stable")
    rows, starts = np.unique(index[order], return_index=True)
    out[rows] = np.add.reduceat(g.reshape(len(index), *out.shape[1:])[order], starts, axis=0)


scatter = derivative(
    _scatter, lambda g, out, x, index, shape: g[index], formula="zeros with x added in at index"
)
getitem = derivative(
    operator.getitem,
    lambda g, out, x, index: scatter(g, index, x.shape),
    formula="x[index]",
)


def _along(index, axis, shape):
    """`index` of take_along_axis as an index for all axes: each entry keeps its place along the others."""
    grid = list(np.ogrid[tuple(slice(n) for n in shape)])
    grid[axis % len(shape)] = index
    return tuple(grid)


def _take_along_axis_rule(g, out, x, index, axis=-1):
    if axis is None:
        return np.reshape(scatter(g, index, (x.size,)), x.shape)
    shape = tuple(n if a == axis % x.ndim else m for a, (n, m) in enumerate(zip(x.shape, g.shape)))
    return scatter(g, _along(index, axis, g.shape), shape)  # the walk undoes broadcasting over the other axes


derivative(np.take_along_axis, _take_along_axis_rule, formula="x at index along axis")
