"""Rows of the operations that only move entries: reshape, transpose, join, split, stretch.

Their rules move the gradient back to where the entries came from.
"""

import functools
import math
from typing import Any

import numpy as np

from ..engine.table import Row, derivative, register


def _cast(x, dtype):
    """`x` in another dtype."""
    return np.array(x, dtype) if type(x) is float else x.astype(dtype)


cast = derivative(
    _cast,
    lambda g, out, x, dtype: g,
    formula="x in another dtype",
    torch="torch.as_tensor(x).to(dtype)",
    javascript="cast",
    shaping=True,
    latex="x",
    onnx="cast",
)


def wide(x):
    """`x` as float32 if it is float16, whose range is too small for squares and for sums of many."""
    return cast(x, np.float32) if getattr(x, "dtype", None) == np.float16 else x


def laid_over(x, like):
    """``np.broadcast_to(x, np.shape(like))``; of small arrays in a tenth of its time."""
    shape = getattr(like, "shape", ())
    if type(x) is np.ndarray:
        return stretched(x, shape)
    return np.broadcast_to(x, shape) if are_known(shape) else x + np.zeros_like(like)


def stretched(x, shape):
    """``np.broadcast_to(x, shape)`` of NumPy's own arrays."""
    if x.ndim and (x.ndim != len(shape) or not x.flags.c_contiguous):
        return np.broadcast_to(x, shape)
    strides = [0 if n == 1 else step for n, step in zip(x.shape, x.strides)] if x.ndim else (0,) * len(shape)
    view = np.ndarray(shape, x.dtype, x, 0, strides)
    view.flags.writeable = False
    return view


def any_foreign(*arrays: Any) -> bool:
    """Whether any, or what a Value holds, is another library's array, which may know no index by arrays."""
    data = [getattr(x, "primal", x) for x in arrays]
    return any(hasattr(type(x), "__array_function__") and not isinstance(x, np.ndarray) for x in data)


def are_known(shape):
    """Whether all lengths are numbers: of a Dask array that was chosen by a mask some are nan."""
    return all(n == n for n in shape)


def in_wide(function):
    """`function`, with its first argument taken to float32 on the way if that is float16."""

    @functools.wraps(function)
    def computed(x, *args, **kwargs):
        out = function(wide(x), *args, **kwargs)
        return cast(out, np.float16) if getattr(x, "dtype", None) == np.float16 else out

    return computed


def _result_at(results, i):
    """Result number `i` of an operation with several results."""
    return results[i]


def _result_at_rule(g, out, results, i):
    return tuple(g if j == i else None for j in range(len(results)))


result_at = derivative(_result_at, _result_at_rule, formula="result i of several")


derivative(
    np.copy,
    lambda g, out, x, order="K", subok=False: g,
    formula="x",
    torch="x.clone()",
    shaping=True,
    latex="x",
    onnx="cast",
)


def _is_fortran(x):
    """Whether `x` lies in memory with its first axis the fastest: then order "A" means "F"."""
    return issubclass(type(x), np.ndarray) and x.flags.fnc


def _numbered(x):
    """The numbers of the entries of `x`, counted along its rows, as they lie in memory: order "K"."""
    numbers = np.empty_like(x, dtype=int)
    numbers[...] = np.reshape(np.arange(numbers.size), numbers.shape)
    return np.ravel(numbers, "K")


is_fortran = register(Row(_is_fortran, nondifferentiable=True))
numbered = register(Row(_numbered, nondifferentiable=True))


def _reshape_rule(g, out, x, shape=None, order="C", **_):
    if order == "A":
        order = "F" if is_fortran(x) else "C"
    return np.reshape(g, np.shape(x), **({} if order == "C" else {"order": order}))


def _ravel_rule(g, out, x, order="C"):
    if order == "K":
        return np.reshape(g[np.argsort(numbered(x))], np.shape(x))
    return _reshape_rule(g, out, x, order=order)


derivative(
    np.ravel, _ravel_rule, formula="x as one axis", torch="reshape", shaping=True, latex="x", onnx="reshape"
)
derivative(
    np.reshape,
    _reshape_rule,
    formula="x in another shape",
    torch="reshape",
    shaping=True,
    latex="x",
    onnx="reshape",
)
derivative(
    np.transpose,
    lambda g, out, x, axes=None: np.transpose(
        g, None if axes is None else np.argsort([a % x.ndim for a in np.ravel(axes)]).tolist()
    ),
    formula="x with its axes in another order",
    torch="permute",
    shaping=True,
    latex=r"x^{\top}",
    onnx="permute",
)
derivative(
    np.swapaxes,
    lambda g, out, x, axis1, axis2: np.swapaxes(g, axis1, axis2),
    formula="x with two axes exchanged",
    torch="torch.swapaxes(x, axis1, axis2)",
    shaping=True,
    latex=r"x^{\top}",
    onnx="permute",
)
derivative(
    np.moveaxis,
    lambda g, out, x, source, destination: np.moveaxis(g, destination, source),
    formula="x with axes moved",
    torch="torch.moveaxis(x, source, destination)",
    shaping=True,
    onnx="permute",
)
derivative(
    np.squeeze,
    lambda g, out, x, axis=None: np.reshape(g, np.shape(x)),
    formula="x without axes of length 1",
    torch="reshape",
    shaping=True,
    latex="x",
    onnx="reshape",
)
derivative(
    np.expand_dims,
    lambda g, out, x, axis: np.reshape(g, np.shape(x)),
    formula="x with new axes of length 1",
    torch="reshape",
    shaping=True,
    latex="x",
    onnx="reshape",
)
derivative(
    np.broadcast_to,
    lambda g, out, x, shape, subok=False: g,
    javascript="pick",
    formula="x stretched to a shape",
    torch="torch.broadcast_to(x, shape)",
    latex="x",
    result="spread",
    onnx="expand",
)
derivative(
    np.flip,
    lambda g, out, x, axis=None: np.flip(g, axis),
    formula="x backwards along axis",
    torch="flip",
    shaping=True,
    onnx="flip",
)


def _concatenate_rule(i, g, out, arrays, axis=0, out_=None, **_):
    if axis is None:
        sizes = [math.prod(np.shape(a)) for a in arrays[: i + 1]]
        return np.reshape(g[sum(sizes[:-1]) : sum(sizes)], np.shape(arrays[i]))
    start = sum(a.shape[axis] for a in arrays[:i])
    along = slice(start, start + arrays[i].shape[axis])
    return g[(slice(None),) * (axis % out.ndim) + (along,)]


def _stack_rule(i, g, out, arrays, axis=0, out_=None, **_):
    return g[(slice(None),) * (axis % out.ndim) + (i,)]


derivative(
    np.concatenate,
    rule_for_all=_concatenate_rule,
    sequence=True,
    formula="arrays one after the other along axis",
    torch="torch.cat(arrays, dim=axis)",
    javascript="join",
    onnx="join",
)
derivative(
    np.stack,
    rule_for_all=_stack_rule,
    sequence=True,
    formula="arrays side by side along a new axis",
    torch="torch.stack(arrays, dim=axis)",
    javascript="join",
    onnx="join",
)
