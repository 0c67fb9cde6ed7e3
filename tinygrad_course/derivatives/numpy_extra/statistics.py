"""Rows of statistics: ranges, weighted means, covariance and correlation, counts with weights."""

import numpy as np

from ...engine.table import composed, derivative
from ..reductions import extreme_rule
from .arguments import all_axes, array, like

derivative(
    np.amax, extreme_rule, chooses=True, formula="largest a over axis", kink="shared equally among ties"
)
derivative(
    np.amin, extreme_rule, chooses=True, formula="smallest a over axis", kink="shared equally among ties"
)


def _ptp(a, axis=None, out=None, keepdims=False):
    return np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims)


composed(np.ptp, _ptp, formula="largest minus smallest a over axis", kink="shared equally among ties")


def _average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    a = array(a)
    axis = None if axis is None else all_axes(a, axis)
    if weights is None:
        mean = np.mean(a, axis, keepdims=keepdims)
        total = np.full(np.shape(mean), a.size / max(np.size(mean), 1), mean.dtype)
    else:
        weights = _like_entries(array(weights), a, axis)
        weights = like(weights, np.result_type(a.dtype, weights.dtype))
        total = np.sum(weights, axis, keepdims=keepdims)
        if np.any(total == 0):
            raise ZeroDivisionError("average: the weights sum to zero, so there is no average")
        mean = np.sum(a * weights, axis, keepdims=keepdims) / total
        total = np.broadcast_to(total, np.shape(mean))
    return (mean, total) if returned else mean


def _like_entries(weights, a, axis):
    """The weights of an average in the number of axes of `a`: given for every entry, or for `axis` alone."""
    if weights.shape == a.shape:
        return weights
    axes = all_axes(a, axis)
    if axis is None or weights.shape != tuple(a.shape[i] for i in axes):
        raise ValueError(f"average: weights of shape {weights.shape} for a of shape {a.shape}, axis {axis}")
    weights = np.transpose(weights, np.argsort(axes))
    return np.reshape(weights, [n if i in axes else 1 for i, n in enumerate(a.shape)])


composed(np.average, _average, formula="Σ weights · a / Σ weights over axis")


def _cov_weights(n, fweights, aweights):
    """The product of the frequencies and the weights of n observations; None if there are neither."""
    if fweights is not None and (np.any(fweights != np.round(fweights)) or np.any(array(fweights) < 0)):
        raise TypeError("cov: fweights says how often each observation came: whole numbers from 0 on")
    weights = [array(w) for w in (fweights, aweights) if w is not None]
    if any(w.shape != (n,) for w in weights):
        raise ValueError(f"cov: {n} observations need {n} weights, not {weights[-1].shape}")
    return None if not weights else weights[0] if len(weights) == 1 else weights[0] * weights[1]


def _cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None):
    if max(np.ndim(m), 0 if y is None else np.ndim(y)) > 2:
        raise ValueError("cov: takes one axis or two: variables and observations")
    if ddof is not None and ddof != int(ddof):
        raise ValueError(f"cov: ddof is a whole number, not {ddof}")
    x = np.atleast_2d(m) if rowvar or np.ndim(m) == 1 else np.transpose(np.atleast_2d(m))
    if not x.shape[0]:
        return x[:, :0]
    if y is not None:
        y = np.atleast_2d(y)
        x = np.concatenate([x, y if rowvar or y.shape[0] == 1 else np.transpose(y)])
    x = like(x, np.result_type(x.dtype, np.float64) if dtype is None else np.dtype(dtype))
    ddof = ddof if ddof is not None else 0 if bias else 1
    w = _cov_weights(x.shape[1], fweights, aweights)
    mean, total = _average(x, 1, w, True, keepdims=True)
    total = total[0, 0]
    free = total - (ddof if aweights is None else ddof * np.sum(w * aweights) / total)
    centred = x - mean
    products = np.matmul(centred, np.transpose(centred if w is None else centred * w))
    return np.squeeze(products / (free if free > 0 else 0.0))


def _corrcoef(x, y=None, rowvar=True, *, dtype=None):
    c = _cov(x, y, rowvar, dtype=dtype)
    if not np.ndim(c):
        return c / c
    spread = np.sqrt(np.diagonal(c))
    return np.clip(c / spread[:, None] / spread[None, :], -1, 1)


composed(np.cov, _cov, formula="mean of (x - mean x)(y - mean y) of every two variables")
composed(np.corrcoef, _corrcoef, formula="cov / √(var x · var y) of every two variables")

derivative(
    np.bincount,
    None,
    lambda g, out, x, weights, minlength=0: np.take(g, x),
    None,
    formula="sum of the weights of each number in x",
    sized_by_data=True,
)
