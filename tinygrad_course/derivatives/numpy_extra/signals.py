"""Rows of sequences: correlation and convolution, interpolation."""

import numpy as np

from ...engine.table import composed, derivative
from .arguments import array, like


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
