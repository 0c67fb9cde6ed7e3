"""Rows of sequences: correlation and convolution, interpolation, evenly spaced numbers, constant arrays."""

import numpy as np

from ...engine.table import composed, derivative
from .arguments import array, like
from .nondifferentiable import constant


# Correlation and convolution
def _whole(g, m, n, mode):
    """The gradient of a correlation of m and n entries among zeros, as of one in the mode "full"."""
    shorter = min(m, n)
    if mode == "valid":
        before = shorter - 1
    elif mode == "same":
        before = shorter - 1 - shorter // 2 if m >= n else shorter // 2
    else:
        return g
    after = m + n - 1 - before - g.shape[0]
    return np.concatenate([np.zeros(before, g.dtype), g, np.zeros(after, g.dtype)])


derivative(
    np.correlate,
    lambda g, out, a, v, mode="valid": np.convolve(_whole(g, a.shape[0], v.shape[0], mode), v, "valid"),
    lambda g, out, a, v, mode="valid": np.flip(
        np.correlate(_whole(g, a.shape[0], v.shape[0], mode), a, "valid")
    ),
    formula="Σ a[n + k] · v[n] for every shift k",
)


def _convolve(a, v, mode="full"):
    a, v = np.atleast_1d(array(a)), np.atleast_1d(array(v))
    a, v = (a, v) if a.shape[0] >= v.shape[0] else (v, a)
    return np.correlate(a, np.flip(v), mode)


composed(np.convolve, _convolve, formula="Σ a[k - n] · v[n] for every shift k")


# Interpolation
def _interp(x, xp, fp, left=None, right=None, period=None):
    x, xp, fp = array(x), array(xp), array(fp)
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.shape[0]:
        raise ValueError(
            f"interp: xp and fp are points on one axis, and got shapes {xp.shape} and {fp.shape}"
        )
    if period is not None:
        if period == 0:
            raise ValueError("interp: the period cannot be 0")
        period, left, right = abs(period), None, None
        x, xp = x % period, xp % period
        order = np.argsort(xp)
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    inside = fp[0]
    if (n := xp.shape[0]) > 1:
        i = np.clip(np.searchsorted(xp, x, "right") - 1, 0, n - 2)
        inside = (fp[i + 1] - fp[i]) / (xp[i + 1] - xp[i]) * (x - xp[i]) + fp[i]
    out = np.where(x > xp[-1], fp[-1] if right is None else right, inside)
    return like(np.where(x < xp[0], fp[0] if left is None else left, out), np.dtype(float))


composed(
    np.interp,
    _interp,
    formula="the line through the points (xp, fp) at x",
    kink="the slope to the right at a point of xp, to the left at the last",
)


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


# Constant arrays, and other dtypes
def _full_like(a, fill_value, dtype=None, order="K", subok=True, shape=None, *, device=None):
    dtype = np.dtype(a.dtype if dtype is None else dtype)
    if not hasattr(fill_value, "apply_row") or dtype.kind != "f":
        return np.full_like(constant(a), constant(fill_value), dtype, order, subok, shape)
    shape = a.shape if shape is None else shape
    return like(np.broadcast_to(fill_value, shape), dtype)


composed(np.full_like, _full_like, formula="an array like a with fill_value everywhere")
if hasattr(np, "astype"):  # since NumPy 2.1
    composed(
        np.astype,
        lambda x, dtype, /, *, copy=True, device=None: x.astype(dtype),
        formula="x in another dtype",
    )
