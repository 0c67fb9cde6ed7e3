"""Rows of sliding windows, and what is made of them: convolution and pooling over one axis or several.

`windows` lays every window of an array out along axes of its own; `overlap_add` is its reverse, and each is
the other's rule.  With them a convolution is one matrix product, and pooling is a mean or a maximum.
"""

import math

import numpy as np

from .table import composed, derivative


def _windows(x, kernel, stride, padding, dilation, fill=0.0):
    """The windows of the last axes of `x`: x[..., o · stride + k · dilation] at [..., k, o].

    Parameters
    ----------
    x : array of shape (..., *sizes)
    kernel, stride, dilation : tuple of int
        One number for each of the last axes.
    padding : tuple of pairs
        How many entries of `fill` are put before and after the others.

    Returns
    -------
    array of shape (..., *kernel, *positions)
    """
    n = len(kernel)
    if any(after or before for before, after in padding):
        x = np.pad(x, ((0, 0),) * (x.ndim - n) + tuple(padding), constant_values=fill)
    reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation))
    slid = np.lib.stride_tricks.sliding_window_view(x, reach, axis=tuple(range(-n, 0)))
    slid = slid[(..., *(slice(None, None, s) for s in stride), *(slice(None, None, d) for d in dilation))]
    return np.moveaxis(slid, range(-n, 0), range(-2 * n, -n))


def _overlap_add(x, sizes, kernel, stride, padding, dilation):
    """Windows put back where they came from, with what overlaps added up: the reverse of `windows`."""
    n = len(kernel)
    padded = tuple(size + before + after for size, (before, after) in zip(sizes, padding))
    out = np.zeros_like(x, shape=x.shape[: x.ndim - 2 * n] + padded)
    positions = x.shape[x.ndim - n :]
    for offset in np.ndindex(*kernel):
        starts = [k * d for k, d in zip(offset, dilation)]
        along = [slice(a, a + s * (m - 1) + 1, s) for a, s, m in zip(starts, stride, positions)]
        out[(..., *along)] += x[(..., *offset, *(slice(None),) * n)]
    return out[(..., *(slice(before, before + size) for size, (before, _) in zip(sizes, padding)))]


windows = derivative(
    _windows,
    lambda g, out, x, kernel, stride, padding, dilation, fill=0.0: overlap_add(
        g, x.shape[x.ndim - len(kernel) :], kernel, stride, padding, dilation
    ),
    formula="x[o · stride + k · dilation] at [k, o]",
)
overlap_add = derivative(
    _overlap_add,
    lambda g, out, x, sizes, kernel, stride, padding, dilation: windows(g, kernel, stride, padding, dilation),
    formula="windows put back, what overlaps added up",
)


def _convolution(x, weight, bias, stride, padding, dilation, groups):
    """Σ weight[:, c, k] · x[:, c, o · stride + k · dilation] over channels c and places k, plus bias.

    Parameters
    ----------
    x : array of shape (N, channels, *sizes)
    weight : array of shape (out, channels / groups, *kernel)
    bias : array of shape (out,), or None
    stride, padding, dilation : tuple of int, of pairs, of int
        As in `windows`.
    groups : int
        Channels and outputs are divided into so many groups that have nothing to do with one another.
    """
    n, out = len(stride), weight.shape[0]
    view = windows(x, weight.shape[2:], stride, padding, dilation)
    positions = view.shape[view.ndim - n :]
    terms = math.prod(weight.shape[1:])
    columns = np.reshape(view, (x.shape[0], groups, terms, math.prod(positions)))
    sums = np.matmul(np.reshape(weight, (groups, out // groups, terms)), columns)
    sums = np.reshape(sums, (x.shape[0], out, *positions))
    return sums if bias is None else sums + np.reshape(bias, (out,) + (1,) * n)


def _max_pool(x, kernel, stride, padding, dilation):
    """The largest entry of every window; of equal ones the first gets the gradient, as in PyTorch."""
    view = windows(x, kernel, stride, padding, dilation, -np.inf)
    n = len(kernel)
    shape = (*view.shape[: view.ndim - 2 * n], math.prod(kernel), *view.shape[view.ndim - n :])
    entries, axis = np.reshape(view, shape), len(shape) - n - 1
    first = np.expand_dims(np.argmax(entries, axis=axis), axis)
    return np.squeeze(np.take_along_axis(entries, first, axis), axis)


def _avg_pool(x, kernel, stride, padding, count_include_pad=True):
    """The mean of every window, with the padding's zeros as entries or not."""
    n = len(kernel)
    one, axes = (1,) * n, tuple(range(-2 * n, -n))
    sums = np.sum(windows(x, kernel, stride, padding, one), axis=axes)
    if count_include_pad:
        return sums / math.prod(kernel)
    inside = np.ones(x.shape[x.ndim - n :], x.dtype)
    return sums / np.sum(_windows(inside, kernel, stride, padding, one), axis=axes)


convolution = composed(
    _convolution, _convolution, formula="Σ weight[k] · x[o · stride + k · dilation] + bias"
)
max_pool = composed(
    _max_pool, _max_pool, formula="largest entry of every window", kink="to the first among ties"
)
avg_pool = composed(_avg_pool, _avg_pool, formula="mean of every window")
