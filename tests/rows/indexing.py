"""Cases of the rows that take entries out and put them back."""

import numpy as np

from rows.registry import Call, arrays, case, shapes, st
from tinygrad_course.derivatives.indexing import getitem, scatter


@st.composite
def slices(draw, n):
    """Any slice, with steps of either sign."""
    end = st.one_of(st.none(), st.integers(-n - 1, n + 1))
    return slice(draw(end), draw(end), draw(st.sampled_from([None, 1, 2, -1, -2])))


@st.composite
def basic(draw, shape):
    """Integers, slices, None, and an Ellipsis before or after them."""
    count = draw(st.integers(0, len(shape)))
    dots = draw(st.sampled_from(["before", "after", "none"]))
    parts = []
    for n in shape[len(shape) - count :] if dots == "before" else shape[:count]:
        parts.append(draw(st.one_of(slices(n), st.integers(-n, n - 1)) if n else slices(n)))
        if draw(st.integers(0, 3)) == 0:
            parts.append(None)
    parts = [..., *parts] if dots == "before" else [*parts, ...] if dots == "after" else parts
    return parts[0] if len(parts) == 1 and draw(st.booleans()) else tuple(parts)


@st.composite
def advanced(draw, shape):
    """Integer arrays (entries repeat), lists and masks, with slices and integers between them."""
    whole = draw(shapes(max_dims=2, min_side=1, max_side=3, max_size=5))
    parts, n_arrays = [], 0
    for n in shape:
        kind = draw(st.sampled_from(["array", "array", "list", "slice", "integer"]))
        if kind == "slice" or n == 0:
            parts.append(draw(slices(n)))
        elif kind == "integer":
            parts.append(draw(st.integers(-n, n - 1)))
        else:
            stretched = tuple(1 if draw(st.booleans()) else m for m in whole)
            index = np.floor(draw(arrays(stretched, low=0, high=63)) % (2 * n)).astype(int) - n
            parts.append(index.tolist() if kind == "list" else index)
            n_arrays += 1
    index = tuple(parts)
    return index[0] if len(index) == 1 and draw(st.booleans()) else index


@st.composite
def masks(draw, shape):
    """A mask over the first axes, alone, as a list, or with a slice after it."""
    upto = draw(st.integers(0, len(shape)))
    mask = draw(arrays(shape[:upto])) > 0
    more = (slice(None, None, -1),) if upto < len(shape) and draw(st.booleans()) else ()
    if more:
        return (mask, *more)
    return mask.tolist() if upto == 1 and draw(st.booleans()) else mask


@st.composite
def indexed(draw, kinds=(basic, advanced, masks)):
    x = draw(arrays(shapes(min_dims=1)))
    return Call((x, draw(draw(st.sampled_from(kinds))(x.shape))))


@st.composite
def scattered(draw):
    whole, index = draw(indexed()).args
    x = draw(arrays(np.shape(whole[index])))
    return Call((x, index, whole.shape))


def slow_scatter(x, index, shape):
    """Entry by entry: where each place of `shape` ends up is read off an array of their numbers."""
    out = np.zeros(shape, np.asarray(x).dtype)
    places = np.arange(out.size).reshape(shape)[index]
    for place, entry in zip(np.ravel(places), np.ravel(x)):
        out[np.unravel_index(place, shape)] += entry
    return out


case(getitem, indexed(), reference=lambda x, index: x[index])
case(getitem, indexed([advanced]), reference=lambda x, index: x[index])
case(scatter, scattered(), reference=slow_scatter)


@st.composite
def along_axis(draw):
    """An index for every place along an axis; the other axes of either may be 1 and are stretched."""
    x = draw(arrays(shapes(min_dims=1, min_side=1)))
    axis = draw(st.integers(-x.ndim, x.ndim - 1))
    shape = [draw(st.sampled_from([1, n])) if n > 1 else draw(st.sampled_from([1, 2])) for n in x.shape]
    shape[axis] = draw(st.integers(0, 3))
    index = np.floor(draw(arrays(tuple(shape), low=0, high=63)) % (2 * x.shape[axis])).astype(int)
    if draw(st.integers(0, 3)) == 0:
        return Call((x, index.ravel() % x.size), {"axis": None})
    return Call((x, index - x.shape[axis], axis))


case(np.take_along_axis, along_axis())
