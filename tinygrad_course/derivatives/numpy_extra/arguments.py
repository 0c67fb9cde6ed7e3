"""What compositions need to know about their arguments: their axes, and slices along one of them."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..shaping import cast


def array(x):
    """`x`, as an array if it is a number or a list of numbers (Values and arrays stay what they are)."""
    return x if hasattr(x, "shape") else np.asarray(x)


def one_axis(x, axis):
    """`axis` counted from the front.  Raises if `x` does not have it."""
    return normalize_axis_index(axis, np.ndim(x))


def all_axes(x, axis):
    """`axis` (None, a number, or several) as a tuple of numbers counted from the front."""
    return tuple(range(np.ndim(x))) if axis is None else normalize_axis_tuple(axis, np.ndim(x))


def whole(x, what):
    """`x`, which is made of whole numbers.  Raises for a Value, which is made of floats."""
    if hasattr(x, "apply_row"):
        raise TypeError(f"{what} is made of whole numbers, and a Value holds floats; give plain ones")
    return x


def along(x, axis, part):
    """The entries of `x` at `part`, a slice, a number or an index array, along one axis."""
    return x[(*(slice(None),) * one_axis(x, axis), part)]


def stretched(x, ndim, axis):
    """`x`, which has one axis, with axes of length 1 around it, so that it lies along `axis` of `ndim`."""
    return np.reshape(x, [-1 if a == axis else 1 for a in range(ndim)])


def flattened(x, axis):
    """`x` with the axes `axis` as one axis, the last, behind the others."""
    axes = all_axes(x, axis)
    others = [a for a in range(np.ndim(x)) if a not in axes]
    return np.reshape(
        np.transpose(x, (*others, *axes)),
        (*(x.shape[a] for a in others), int(np.prod([x.shape[a] for a in axes]))),
    )


def like(x, dtype):
    """`x` in the floating-point dtype `dtype`, itself where it has that already."""
    return x if x.dtype == dtype else cast(x, dtype)
