"""Rows of new arrays: evenly spaced numbers between two Values, and one Value everywhere."""

import numpy as np

from ...engine.table import composed
from .arguments import array, like
from .nondifferentiable import constant


# Evenly spaced numbers
def _ends(function, start, stop):
    """Both ends of a range in one shape, and in the dtype that NumPy uses for it."""
    dtype = function(constant(start), constant(stop), 1).dtype
    return np.broadcast_arrays(like(array(start), dtype), like(array(stop), dtype))


def _linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None):
    start, stop = _ends(np.linspace, start, stop)
    if num < 0:
        raise ValueError(f"linspace: cannot make {num} numbers")
    gaps = num - 1 if endpoint else num
    delta = stop - start
    places = np.reshape(np.arange(num, dtype=delta.dtype), (num, *(1,) * start.ndim))
    step = delta / gaps if gaps > 0 else delta * np.nan
    out = start + (places * step if gaps > 0 else places * delta)
    if endpoint and num > 1:
        out = np.concatenate([out[:-1], np.expand_dims(stop, 0)])
    out = np.moveaxis(out, 0, axis)
    out = out if dtype is None else out.astype(dtype)
    return (out, step) if retstep else out


def _logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    start, stop = _ends(np.logspace, start, stop)
    if np.ndim(base):
        start, stop, base = np.broadcast_arrays(start, stop, base)
        base = np.expand_dims(base, axis)
    out = base ** _linspace(start, stop, num, endpoint, axis=axis)
    return out if dtype is None else out.astype(dtype)


def _geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    start, stop = _ends(np.geomspace, start, stop)
    if np.any(start * stop <= 0):
        raise ValueError("geomspace: start and stop must not be 0, and must have the same sign")
    sign = np.sign(start)
    out = sign * _logspace(np.log10(start * sign), np.log10(stop * sign), num, endpoint)
    if num:
        ends = [np.expand_dims(end, 0) for end in ((start, stop) if endpoint and num > 1 else (start,))]
        out = np.concatenate([ends[0], out[1 : num + 1 - len(ends)], *ends[1:]])
    out = np.moveaxis(out, 0, axis)
    return out if dtype is None else out.astype(dtype)


composed(np.linspace, _linspace, formula="num numbers from start to stop, the same steps apart")
composed(np.logspace, _logspace, formula="base ** linspace(start, stop)")
composed(
    np.geomspace,
    _geomspace,
    formula="num numbers from start to stop, the same factor apart",
    domain="start and stop of one sign",
)


# Constant arrays
def _full_like(a, fill_value, dtype=None, order="K", subok=True, shape=None, *, device=None):
    dtype = np.dtype(a.dtype if dtype is None else dtype)
    if not hasattr(fill_value, "apply_row"):
        if dtype.kind != "f":
            return np.full_like(constant(a), fill_value, dtype, order, subok, shape)
        return like(np.ones_like(a, dtype, order, subok, shape) * fill_value, dtype)
    shape = np.empty_like(constant(a), dtype, order, subok, shape).shape  # NumPy judges the arguments
    return like(np.broadcast_to(fill_value, shape), dtype)


composed(np.full_like, _full_like, formula="an array like a with fill_value everywhere")
