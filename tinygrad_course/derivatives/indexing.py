"""Rows of indexing: taking entries out (`v[index]`), adding entries in (`scatter`), assignment (`v.at`)."""

import operator
from typing import Any

import numpy as np

from ..engine.table import derivative
from .shaping import any_foreign


def _is_basic(index):
    """Whether `index` is made of whole numbers, slices, None and ... only: then no entry is taken twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None
        or part is Ellipsis
        or (isinstance(part, (int, np.integer, slice)) and not isinstance(part, bool))
        for part in parts
    )


OFTEN = 32
"""From so many times on, a row that is named comes often."""


def _scatter(g, index, shape):
    """Zeros of `shape` with `g` added in at `index`; what is named several times adds up."""
    out = np.zeros_like(g, shape=shape)
    if any_foreign(g) and _is_basic(index):  # which may not take None where it is written into
        index = tuple(part for part in (index if isinstance(index, tuple) else (index,)) if part is not None)
        g = np.reshape(g, out[index].shape)
    if _is_basic(index) or (isinstance(index, np.ndarray) and index.dtype == bool):
        out[index] = g
    elif isinstance(index, np.ndarray) and len(shape) > 1 and g.size:
        _add_rows(out, index, g)
    else:
        np.add.at(out, index, g)
    return out


def _add_rows(out, index, g):
    """Add the rows of `g` to the rows of `out` named in `index`, which are 0.

    Sorted, the rows of one name stand together.  Where no name comes often, the first rows of all names are
    added up with the second ones, the third ones, and so on; else neighbours are added in pairs, then pairs
    of pairs.  Both are few operations on whole arrays.
    """
    index = np.where(index < 0, index + len(out), index).ravel()
    short = index.astype(np.min_scalar_type(len(out)))  # which sorts faster
    order = np.argsort(short, kind="stable")
    names, rows = index[order], g.reshape(len(index), *out.shape[1:])
    starts = np.flatnonzero(np.concatenate([[True], names[1:] != names[:-1]]))
    counts = np.diff(starts, append=len(names))
    # np.take is the quicker one, but makes a copy of what does not stand in order in memory
    taken = (lambda i: np.take(rows, i, axis=0)) if rows.flags.c_contiguous else rows.__getitem__
    if (most := counts.max()) <= OFTEN:
        starts = starts[np.argsort((most - counts).astype(np.uint8), kind="stable")]  # often before seldom
        sums = taken(order[starts])
        for k, more in enumerate(len(starts) - np.cumsum(np.bincount(counts))[1:-1], 1):
            sums[:more] += taken(order[starts[:more] + k])
        out[names[starts]] = sums
        return
    place = np.arange(len(names)) - np.repeat(starts, counts)
    sums, step = taken(order), 1
    while step < most:
        second = np.flatnonzero(place & (2 * step - 1) == step)
        both = np.take(sums, second - step, axis=0)
        both += np.take(sums, second, axis=0)
        sums[second - step] = both
        step *= 2
    out[names[starts]] = np.take(sums, starts, axis=0)


scatter = derivative(
    _scatter,
    lambda g, out, x, index, shape: g[index],
    javascript="scatter",
    formula="zeros with x added in at index",
    torch="index_add",
)
getitem = derivative(
    operator.getitem,
    lambda g, out, x, index: scatter(g, index, x.shape),
    javascript="index",
    formula="x[index]",
    latex="x_{index}",
    result="part",
    onnx="index",
)


# Assignment: v.at[index].set(x) and .add(x)
def is_last(index: Any, shape: tuple[int, ...]) -> Any:
    """For each entry that `index` chooses, whether no later one is at the same place: then it stays."""
    places = np.zeros(shape, int)
    numbers = np.arange(np.size(places[index])).reshape(np.shape(places[index]))
    places[index] = numbers
    return places[index] == numbers


def _set_at(x, index, new):
    """A copy of `x` with x[index] = new."""
    out = x.copy()
    out[index] = new
    return out


def _set_at_rest(g, out, x, index, new):
    return set_at(g, index, 0.0)


def _set_at_new(g, out, x, index, new):
    return g[index] if _is_basic(index) else np.where(is_last(index, x.shape), g[index], 0.0)


def _add_at(x, index, new):
    """A copy of `x` with `new` added at `index`; what is named several times adds up."""
    out = x.copy()
    if _is_basic(index):
        out[index] += new
    else:
        np.add.at(out, index, new)
    return out


set_at = derivative(
    _set_at, _set_at_rest, None, _set_at_new, javascript="set_at", formula="x with x[index] = new"
)
add_at = derivative(
    _add_at,
    lambda g, out, x, index, new: g,
    None,
    lambda g, out, x, index, new: g[index],
    javascript="add_at",
    formula="x with x[index] += new",
)


def along_axis(index, axis, shape):
    """`index` of take_along_axis as an index for all axes: each entry keeps its place along the others."""
    grid = list(np.ogrid[tuple(slice(n) for n in shape)])
    grid[axis % len(shape)] = index
    return tuple(grid)


def _take_along_axis_rule(g, out, x, indices, axis=-1):
    if axis is None:
        return np.reshape(scatter(g, indices, (x.size,)), x.shape)
    shape = tuple(n if a == axis % x.ndim else m for a, (n, m) in enumerate(zip(x.shape, g.shape)))
    return scatter(
        g, along_axis(indices, axis, g.shape), shape
    )  # the walk undoes broadcasting over the other axes


derivative(
    np.take_along_axis,
    _take_along_axis_rule,
    javascript="take_along_axis",
    formula="x at index along axis",
    torch="torch.take_along_dim(x, indices, dim=axis)",
    onnx="take_along_axis",
)


def picked_along(x: Any, index: Any, axis: int) -> Any:
    """``np.take_along_axis(x, index, axis)`` for one number along `axis`, also where that is unknown."""
    if not any_foreign(x, index):
        return np.take_along_axis(x, index, axis)
    numbers = np.arange(x.shape[axis], like=index).reshape(
        [-1 if a == axis % x.ndim else 1 for a in range(x.ndim)]
    )
    return np.sum(np.where(index == numbers, x, 0.0), axis=axis, keepdims=True)
