"""Cases of the rows that only move entries."""

import numpy as np

from rows.registry import Call, arrays, axes, call, case, shapes, st
from tinygrad_course import derivative
from tinygrad_course.derivatives import cast

anything = arrays(shapes())
orders = st.sampled_from(["C", "F", "A"])


def shapes_of(size):
    """Ways to arrange `size` entries."""
    if size == 0:
        return [(0,), (2, 0), (0, 3, 1)]
    pairs = [(a, size // a) for a in range(1, size + 1) if size % a == 0]
    return [(size,), (-1,), -1, (1, size, 1), *pairs, *((a, -1) for a, _ in pairs)]


@st.composite
def reshaped(draw):
    x = draw(anything)
    shape = draw(st.sampled_from(shapes_of(x.size)))
    return Call((x, shape), {"order": draw(orders)} if draw(st.booleans()) else {})


case(np.reshape, reshaped())
case(np.reshape, anything.map(lambda x: Call((x, shapes_of(x.size)[0]))), torch="reshape")
case(np.ravel, call(anything, order=st.sampled_from(["C", "F", "A", "K"])))
case(np.copy, call(anything, order=orders))
case(cast, call(arrays(), np.dtype("f8")), reference=lambda x, dtype: np.array(x, dtype))


@st.composite
def reordered(draw):
    """Any order of the axes, counted from the front or from the back."""
    x = draw(anything)
    order = draw(st.permutations(range(x.ndim)))
    order = [a - x.ndim if draw(st.booleans()) else a for a in order]
    return Call((x, draw(st.sampled_from([order, tuple(order), None]))))


case(np.transpose, reordered())
case(np.transpose, call(arrays(shapes(min_dims=2, max_dims=2)), (1, 0)), torch="permute")


@st.composite
def two_axes(draw):
    x = draw(arrays(shapes(min_dims=1)))
    axis = st.integers(-x.ndim, x.ndim - 1)
    return Call((x, draw(axis), draw(axis)))


@st.composite
def several_axes(draw):
    x = draw(arrays(shapes(min_dims=2)))
    start, end = (draw(st.permutations(range(-x.ndim, 0)))[:2] for _ in range(2))
    return Call((x, start, end))


case(np.swapaxes, two_axes(), torch="swapaxes")
case(np.moveaxis, two_axes(), torch="moveaxis")
case(np.moveaxis, several_axes())


@st.composite
def squeezed(draw):
    x = draw(arrays(shapes(max_side=2)))
    ones = [a - x.ndim if draw(st.booleans()) else a for a, n in enumerate(x.shape) if n == 1]
    return Call((x, draw(st.sampled_from([None, tuple(ones), *ones]))))


@st.composite
def expanded(draw):
    x = draw(arrays(shapes(max_dims=3)))
    axis = st.integers(-x.ndim - 1, x.ndim)
    return Call((x, draw(st.one_of(axis, st.just((0, -1)), st.just((1,)) if x.ndim else axis))))


@st.composite
def stretched(draw):
    shape = draw(shapes())
    start = draw(st.integers(0, len(shape)))
    x = draw(arrays(tuple(1 if draw(st.booleans()) else n for n in shape[start:])))
    return Call((x, shape))


case(np.squeeze, squeezed())
case(np.expand_dims, expanded())
case(np.broadcast_to, stretched(), torch="broadcast_to")


@st.composite
def flipped(draw):
    x = draw(anything)
    return Call((x, draw(axes(x.ndim)))) if draw(st.booleans()) else Call((x,))


case(np.flip, flipped())


# Joining and splitting
@st.composite
def joined(draw, new_axis=False):
    """One to three arrays of one shape, but along the axis; the same array may come twice."""
    shape = draw(shapes(min_dims=1, max_dims=3, max_side=3, max_size=12))
    axis = draw(st.integers(-len(shape) - new_axis, len(shape) - 1 + new_axis))
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        mine = list(shape)
        if not new_axis:
            mine[axis] = draw(st.integers(0, 3))
        parts.append(draw(arrays(tuple(mine))))
    sequence = draw(st.sampled_from([list, tuple]))(parts)
    return Call((sequence, axis)) if draw(st.booleans()) else Call((sequence,), {"axis": axis})


@st.composite
def end_to_end(draw):
    parts = [draw(arrays(shapes(max_dims=2, max_size=6))) for _ in range(draw(st.integers(1, 3)))]
    return Call((parts,), {"axis": None})


case(np.concatenate, joined(), torch="concatenate")
case(np.concatenate, end_to_end())
case(np.stack, joined(new_axis=True), torch="stack")


@st.composite
def cut(draw, equal):
    """An array in equal or unequal parts, or cut at given places, beyond its end too."""
    x = draw(arrays(shapes(min_dims=1)))
    axis = draw(st.integers(-x.ndim, x.ndim - 1))
    n = x.shape[axis]
    counts = [k for k in range(1, n + 1) if not n % k] if equal and n else [1, 2, 3, 5]
    parts = draw(st.one_of(st.sampled_from(counts), st.lists(st.integers(0, n + 1), max_size=3).map(sorted)))
    return Call((x, parts), {"axis": axis} if axis or draw(st.booleans()) else {})


case(np.split, cut(equal=True))
case(np.array_split, cut(equal=False))


def _product_and_sum(x, y):
    """An operation with two results of different shapes: x · y and the sum of it."""
    return x * y, np.sum(x * y)


product_and_sum = derivative(
    _product_and_sum,
    lambda g, out, x, y: (g[0] + g[1]) * y,
    lambda g, out, x, y: (g[0] + g[1]) * x,
)
case(product_and_sum, st.tuples(arrays((2, 3)), arrays((3,))).map(Call), reference=_product_and_sum)
