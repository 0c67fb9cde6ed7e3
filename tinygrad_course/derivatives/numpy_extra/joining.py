"""Rows of putting arrays together and taking them apart: compositions of concatenate, reshape, indexing."""

import numpy as np

from ...engine.table import composed
from .arguments import all_axes, along, array, one_axis, whole


# At least so many axes
def _at_least(ndim):
    """atleast_1d, atleast_2d, atleast_3d: new axes in front, but the third one behind."""

    def one(x):
        x = array(x)
        shape = x.shape
        if len(shape) < min(ndim, 2):
            shape = (1,) * (min(ndim, 2) - len(shape)) + shape
        shape += (1,) * (ndim - len(shape))
        return x if shape == x.shape else np.reshape(x, shape)

    def composition(*arys):
        return one(arys[0]) if len(arys) == 1 else tuple(map(one, arys))

    return composition


composed(np.atleast_1d, _at_least(1), formula="x with at least one axis", torch="reshape", onnx="reshape")
composed(np.atleast_2d, _at_least(2), formula="x with at least two axes", torch="reshape", onnx="reshape")
composed(np.atleast_3d, _at_least(3), formula="x with at least three axes", torch="reshape", onnx="reshape")


# Joining
def _vstack(tup, *, dtype=None, casting="same_kind"):
    return np.concatenate([np.atleast_2d(x) for x in tup], 0, dtype=dtype, casting=casting)


def _hstack(tup, *, dtype=None, casting="same_kind"):
    parts = [np.atleast_1d(x) for x in tup]
    axis = 0 if parts and parts[0].ndim == 1 else 1
    return np.concatenate(parts, axis, dtype=dtype, casting=casting)


def _dstack(tup):
    return np.concatenate([np.atleast_3d(x) for x in tup], 2)


def _column_stack(tup):
    parts = map(array, tup)
    return np.concatenate([x if x.ndim > 1 else np.reshape(x, (-1, 1)) for x in parts], 1)


def _append(arr, values, axis=None):
    if axis is None:
        return np.concatenate([np.ravel(arr), np.ravel(values)])
    return np.concatenate([array(arr), array(values)], axis)


def _depth(arrays):
    """How deep the lists of np.block are nested."""
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(part) for part in arrays}
    if len(depths) != 1:
        raise ValueError("block: every list holds at least one array, and all are nested equally deep")
    return 1 + depths.pop()


def _block(arrays):
    depth = _depth(arrays)
    ndim = max(depth, *map(np.ndim, _leaves(arrays)))

    def joined(part, level):
        if isinstance(part, list):
            return np.concatenate([joined(p, level + 1) for p in part], level - depth)
        part = array(part)
        return np.reshape(part, (1,) * (ndim - part.ndim) + part.shape)

    return joined(arrays, 0)


def _leaves(arrays):
    return [leaf for part in arrays for leaf in _leaves(part)] if isinstance(arrays, list) else [arrays]


composed(np.vstack, _vstack, formula="arrays below each other")
composed(np.hstack, _hstack, formula="arrays beside each other")
composed(np.dstack, _dstack, formula="arrays behind each other, along the third axis")
composed(np.column_stack, _column_stack, formula="arrays as columns beside each other")
composed(np.append, _append, formula="values behind arr along axis")
composed(np.block, _block, formula="nested lists of arrays joined as blocks")


# Taking apart
def _array_split(ary, indices_or_sections, axis=0):
    ary = array(ary)
    axis = one_axis(ary, axis)
    n = ary.shape[axis]
    if np.ndim(indices_or_sections):
        cuts = list(indices_or_sections)
    else:
        parts = int(indices_or_sections)
        if parts < 1:
            raise ValueError(f"array_split: cannot make {parts} parts of an array")
        size, longer = divmod(n, parts)
        cuts = [i * size + min(i, longer) for i in range(1, parts)]
    return [along(ary, axis, slice(a, b)) for a, b in zip([0, *cuts], [*cuts, n])]


def _split(ary, indices_or_sections, axis=0):
    n = np.shape(ary)[one_axis(ary, axis)]
    if np.ndim(indices_or_sections) == 0 and n % indices_or_sections:
        raise ValueError(
            f"split: axis {axis} of shape {np.shape(ary)} does not divide into {indices_or_sections} equal "
            "parts; use np.array_split for unequal ones"
        )
    return _array_split(ary, indices_or_sections, axis)


composed(np.array_split, _array_split, formula="x in pieces along axis")
composed(np.split, _split, formula="x in equal pieces along axis")


def _split_along(name, axis, least):
    """hsplit, vsplit, dsplit: np.split along a fixed axis, with at least `least` axes."""

    def composition(ary, indices_or_sections):
        if np.ndim(ary) < least:
            raise ValueError(f"{name}: needs at least {least} axes, and got shape {np.shape(ary)}")
        return np.split(ary, indices_or_sections, axis if np.ndim(ary) > 1 else 0)

    return composition


composed(
    np.hsplit, _split_along("hsplit", 1, 1), formula="x in parts along the second axis (of one, the first)"
)
composed(np.vsplit, _split_along("vsplit", 0, 2), formula="x in parts along the first axis")
composed(np.dsplit, _split_along("dsplit", 2, 3), formula="x in parts along the third axis")
if hasattr(np, "unstack"):  # since NumPy 2.1
    composed(
        np.unstack,
        lambda x, /, *, axis=0: tuple(along(x, axis, i) for i in range(x.shape[one_axis(x, axis)])),
        formula="the entries of x along axis, one by one",
    )


# Repeating
def _tile(A, reps):
    reps = (reps,) if np.ndim(reps) == 0 else tuple(reps)
    ndim = max(len(reps), A.ndim)
    reps, shape = (1,) * (ndim - len(reps)) + reps, (1,) * (ndim - A.ndim) + A.shape
    spread = [m for r, n in zip(reps, shape) for m in (r, n)]
    start = [m for n in shape for m in (1, n)]
    return np.reshape(np.broadcast_to(np.reshape(A, start), spread), [r * n for r, n in zip(reps, shape)])


def _repeat(a, repeats, axis=None):
    a, axis = (np.ravel(a), 0) if axis is None else (a, one_axis(a, axis))
    return along(a, axis, np.repeat(np.arange(a.shape[axis]), whole(repeats, "repeats")))


def _resize(a, new_shape):
    shape = (new_shape,) if np.ndim(new_shape) == 0 else tuple(new_shape)
    size = int(np.prod(shape))
    if size < 0 or min(shape, default=0) < 0:
        raise ValueError(f"resize: the axes of {shape} cannot be shorter than 0")
    a = np.ravel(a)
    if not a.shape[0]:
        return np.zeros(shape, a.dtype)
    return np.reshape(a[np.arange(size) % a.shape[0]], shape)


composed(np.tile, _tile, formula="copies of A beside each other")
composed(np.repeat, _repeat, formula="each entry of a several times along axis")
composed(np.resize, _resize, formula="the entries of a, over and over, in a new shape")


# Inserting and deleting
def _insert(arr, obj, values, axis=None):
    arr, axis = (np.ravel(array(arr)), 0) if axis is None else (array(arr), one_axis(arr, axis))
    values, n = array(values), arr.shape[axis]
    values = np.reshape(values, (1,) * (arr.ndim - values.ndim) + values.shape)
    if np.ndim(obj) == 0 and not isinstance(obj, slice):
        values = np.moveaxis(values, 0, axis)
    places = (
        np.insert(np.arange(n), whole(obj, "obj"), -1).size - n
    )  # how many places obj names; at one, all values go in
    new = values.shape[axis] if places == 1 else places
    shape = [new if a == axis else m for a, m in enumerate(arr.shape)]
    both = np.concatenate([arr, np.broadcast_to(values, shape)], axis, dtype=arr.dtype)
    return along(both, axis, np.insert(np.arange(n), obj, np.arange(n, n + new)))


def _delete(arr, obj, axis=None):
    arr, axis = (np.ravel(arr), 0) if axis is None else (arr, one_axis(arr, axis))
    return along(arr, axis, np.delete(np.arange(arr.shape[axis]), whole(obj, "obj")))


composed(np.insert, _insert, formula="arr with values put in before obj along axis")
composed(np.delete, _delete, formula="arr without the entries obj along axis")


# Stretching to one shape
def _broadcast_arrays(*args, subok=False):
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(array(x), shape) for x in args)


def _meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing is 'xy' or 'ij', not {indexing!r}")
    ndim = len(xi)
    grids = [np.reshape(x, [-1 if a == i else 1 for a in range(ndim)]) for i, x in enumerate(xi)]
    if indexing == "xy" and ndim > 1:
        grids = [np.swapaxes(x, 0, 1) for x in grids]
    return tuple(grids) if sparse else _broadcast_arrays(*grids)


composed(np.broadcast_arrays, _broadcast_arrays, formula="all arrays in the shape that they broadcast to")
composed(np.meshgrid, _meshgrid, formula="coordinates of a grid")


# The same function for every slice
def _apply_along_axis(func1d, axis, arr, *args, **kwargs):
    axis = one_axis(arr, whole(axis, "axis"))
    rows = np.moveaxis(arr, axis, -1)
    if not rows.size:
        raise ValueError(f"apply_along_axis: shape {arr.shape} has no slices to call the function on")
    results = [func1d(rows[place], *args, **kwargs) for place in np.ndindex(rows.shape[:-1])]
    inner = np.shape(results[0])
    out = np.reshape(np.stack(results), rows.shape[:-1] + inner)
    ends = range(rows.ndim - 1, rows.ndim - 1 + len(inner))
    return np.moveaxis(out, tuple(ends), tuple(range(axis, axis + len(inner))))


def _apply_over_axes(func, a, axes):
    for axis in all_axes(a, axes if np.ndim(whole(axes, "axes")) == 0 else tuple(axes)):
        out = func(a, axis)
        a = out if np.ndim(out) == np.ndim(a) else np.expand_dims(out, axis)
    return a


composed(np.apply_along_axis, _apply_along_axis, formula="func1d of every slice along axis")
composed(np.apply_over_axes, _apply_over_axes, formula="func over one axis after the other")
