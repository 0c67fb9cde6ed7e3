"""Rows of convolution and pooling over one axis or several, by sliding windows.

A convolution is linear in its input and linear in its weight, so that ⟨y, convolution(x, w)⟩ has three
gradients: with respect to y the convolution itself, with respect to x `convolution_input`, with respect to w
`convolution_weight`.  Each of the three functions has the other two for rules, to every order.
Likewise `windows` lays the windows of an array out along axes of their own, and `overlap_add` puts them back.
"""

import math
from typing import Any

import numpy as np

from ..engine.table import composed, derivative, nondifferentiable, opaque
from .indexing import picked_along
from .products import swap
from .shaping import any_foreign

CACHED = 2**18
"""So many entries are worked on at a time, few enough to stay close to the processor."""


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
    javascript="windows",
    onnx="windows",
)
overlap_add: Any = derivative(
    opaque(_overlap_add),
    lambda g, out, x, sizes, kernel, stride, padding, dilation: windows(g, kernel, stride, padding, dilation),
    formula="windows put back, what overlaps added up",
    javascript="overlap_add",
)


def _columns(x, kernel, stride, padding, dilation, groups):
    """The windows of a few samples at a time: which samples, and (samples, groups, terms, places)."""
    view, n = _windows(x, kernel, stride, padding, dilation), len(kernel)
    terms, places = x.shape[1] // groups * math.prod(kernel), math.prod(view.shape[view.ndim - n :])
    for part in _parts(x.shape[0], groups * terms * places):
        yield part, np.reshape(view[part], (-1, groups, terms, places))


def _parts(count, entries):
    """Slices of `count` samples with so many entries each."""
    step = max(1, CACHED // max(1, entries))
    return [slice(i, min(i + step, count)) for i in range(0, count, step)]


def _convolution(x, weight, stride, padding, dilation, groups):
    """Σ weight[:, c, k] · x[:, c, o · stride + k · dilation] over channels c and places k of the kernel.

    Parameters
    ----------
    x : array of shape (N, channels, *sizes)
    weight : array of shape (out, channels / groups, *kernel)
    stride, padding, dilation : tuple of int, of pairs, of int
        As in `windows`.
    groups : int
        Channels and outputs are divided into so many groups that have nothing to do with one another.

    Returns
    -------
    array of shape (N, out, *positions)
    """
    out, inner, *kernel = weight.shape
    matrix = np.reshape(weight, (groups, out // groups, inner * math.prod(kernel)))
    positions = _positions(x.shape[2:], kernel, stride, padding, dilation)
    if any_foreign(x, weight):
        columns = np.reshape(
            _windows(x, kernel, stride, padding, dilation),
            (x.shape[0], groups, matrix.shape[-1], math.prod(positions)),
        )
        return np.reshape(np.matmul(matrix, columns), (x.shape[0], out, *positions))
    shape, dtype = (x.shape[0], groups, out // groups, math.prod(positions)), np.result_type(x, weight)
    sums = np.empty_like(x, shape=shape, dtype=dtype)
    for part, columns in _columns(x, kernel, stride, padding, dilation, groups):
        np.matmul(matrix, columns, out=sums[part])
    return np.reshape(sums, (x.shape[0], out, *positions))


def _convolution_input(y, weight, sizes, stride, padding, dilation, groups):
    """The input (N, channels, *sizes) that a convolution takes `y` back to: its gradient."""
    if all(step == 1 for step in stride):
        return _convolution_input_by_lines(y, weight, sizes, padding, dilation, groups)
    out, inner, *kernel = weight.shape
    matrix = swap(np.reshape(weight, (groups, out // groups, inner * math.prod(kernel))))
    positions = y.shape[2:]
    rows = np.reshape(y, (y.shape[0], groups, out // groups, math.prod(positions)))
    shape, dtype = (y.shape[0], groups * inner, *sizes), np.result_type(y, weight)
    x = np.empty_like(y, shape=shape, dtype=dtype)
    for part in _parts(y.shape[0], groups * inner * math.prod(kernel) * math.prod(positions)):
        columns = np.reshape(np.matmul(matrix, rows[part]), (-1, groups * inner, *kernel, *positions))
        x[part] = _overlap_add(columns, sizes, kernel, stride, padding, dilation)
    return x


def _convolution_input_by_lines(y, weight, sizes, padding, dilation, groups):
    """`_convolution_input` with stride 1.

    Zeros are put behind each line of `y`, as far as a line of the padded input goes.  Then what belongs to
    one place of the kernel is one stretch of memory, and is added to another one.
    """
    out, inner, *kernel = weight.shape
    padded = [size + sum(pair) for size, pair in zip(sizes, padding)]
    lines = np.zeros_like(y, shape=(*y.shape[:3], *padded[1:]))
    lines[tuple(map(slice, y.shape))] = y
    length, places = math.prod(lines.shape[2:]), list(np.ndindex(*kernel))
    steps = [d * math.prod(padded[a + 1 :]) for a, d in enumerate(dilation)]
    starts = [sum(k * step for k, step in zip(place, steps)) for place in places]
    matrix = np.reshape(weight, (groups, out // groups, inner, len(places)))
    matrix = np.reshape(np.transpose(matrix, (0, 3, 2, 1)), (groups, len(places) * inner, out // groups))
    rows = np.reshape(lines, (y.shape[0], groups, out // groups, length))
    shape, dtype = (y.shape[0], groups * inner, *sizes), np.result_type(y, weight)
    x = np.empty_like(y, shape=shape, dtype=dtype)
    inside = tuple(slice(before, before + size) for size, (before, _) in zip(sizes, padding))
    for part in _parts(y.shape[0], groups * inner * len(places) * length):
        products = np.reshape(np.matmul(matrix, rows[part]), (-1, groups, len(places), inner, length))
        sums = np.zeros_like(products, shape=(len(products), groups, inner, length + starts[-1]))
        for i, start in enumerate(starts):
            sums[..., start : start + length] += products[:, :, i]
        whole = np.reshape(sums[..., : math.prod(padded)], (len(products), groups * inner, *padded))
        x[part] = whole[(..., *inside)]
    return x


def _convolution_weight(x, y, kernel, stride, padding, dilation, groups):
    """The weight (out, channels / groups, *kernel) that leads from `x` to `y`: its gradient."""
    out, inner = y.shape[1], x.shape[1] // groups
    rows = np.reshape(y, (y.shape[0], groups, out // groups, math.prod(y.shape[2:])))
    shape, dtype = (groups, out // groups, inner * math.prod(kernel)), np.result_type(x, y)
    weight = np.zeros_like(y, shape=shape, dtype=dtype)
    for part, columns in _columns(x, kernel, stride, padding, dilation, groups):
        weight += np.sum(np.matmul(rows[part], swap(columns)), axis=0)
    return np.reshape(weight, (out, inner, *kernel))


def _positions(sizes, kernel, stride, padding, dilation):
    """How many windows there are along each axis."""
    steps = zip(sizes, kernel, stride, padding, dilation)
    return tuple((size + sum(pair) - d * (k - 1) - 1) // s + 1 for size, k, s, pair, d in steps)


def _max_pool(x, kernel, stride, padding, dilation):
    """The largest entry of every window; of equal ones the first gets the gradient, as in PyTorch."""
    entries, axis = _entries(windows(x, kernel, stride, padding, dilation, -np.inf), len(kernel))
    first = _first_largest(entries, axis, x.shape, kernel, stride, padding, dilation)
    return np.squeeze(picked_along(entries, first, axis), axis)


def _max_pool_places(x, kernel, stride, padding, dilation):
    """Where those are: the number of each in its image, counted row by row."""
    n = len(kernel)
    entries, axis = _entries(_windows(x, kernel, stride, padding, dilation, -np.inf), n)
    first = _first_largest(entries, axis, x.shape, kernel, stride, padding, dilation)
    sizes = x.shape[x.ndim - n :]
    numbers, _ = _entries(
        _windows(np.arange(math.prod(sizes)).reshape(sizes), kernel, stride, padding, dilation, -1), n
    )
    return np.squeeze(np.take_along_axis(np.broadcast_to(numbers, entries.shape), first, axis), axis)


def _entries(view, n):
    """The entries of each window along one axis, and which axis that is."""
    leading = view.ndim - 2 * n
    shape = (*view.shape[:leading], math.prod(view.shape[leading : leading + n]), *view.shape[leading + n :])
    return np.reshape(view, shape), leading


def _first_largest(entries, axis, shape, kernel, stride, padding, dilation):
    """Which entry along `axis` is the first of the largest."""
    first = np.expand_dims(np.argmax(entries, axis=axis), axis)
    if any(map(any, padding)):  # where all is -inf, the first one that is an entry and not padding
        inside = np.ones(shape[len(shape) - len(kernel) :], bool)
        there, _ = _entries(_windows(inside, kernel, stride, padding, dilation, False), len(kernel))
        real = np.expand_dims(np.argmax(there, axis=0), 0)
        first = np.where(picked_along(entries, first, axis) == -np.inf, real, first)
    return first


def _avg_pool(x, kernel, stride, padding, count_include_pad=True):
    """The mean of every window, with the padding's zeros as entries or not."""
    n = len(kernel)
    one, axes = (1,) * n, tuple(range(-2 * n, -n))
    sums = np.sum(windows(x, kernel, stride, padding, one), axis=axes)
    if count_include_pad:
        return sums / math.prod(kernel)
    inside = np.ones(x.shape[x.ndim - n :], x.dtype)
    return sums / np.sum(_windows(inside, kernel, stride, padding, one), axis=axes)


convolution = derivative(
    opaque(_convolution),
    lambda g, out, x, weight, *how, **by_name: convolution_input(g, weight, x.shape[2:], *how, **by_name),
    lambda g, out, x, weight, *how, **by_name: convolution_weight(x, g, weight.shape[2:], *how, **by_name),
    formula="Σ weight[k] · x[o · stride + k · dilation]",
    javascript="convolution",
    onnx="convolution",
)
convolution_input: Any = derivative(
    opaque(_convolution_input),
    lambda g, out, y, weight, sizes, *how, **by_name: convolution(g, weight, *how, **by_name),
    lambda g, out, y, weight, sizes, *how, **by_name: convolution_weight(
        g, y, weight.shape[2:], *how, **by_name
    ),
    formula="Σ weight[k] · y[o] at o · stride + k · dilation",
    javascript="convolution_input",
    onnx="convolution_input",
)
convolution_weight: Any = derivative(
    opaque(_convolution_weight),
    lambda g, out, x, y, kernel, *how, **by_name: convolution_input(y, g, x.shape[2:], *how, **by_name),
    lambda g, out, x, y, kernel, *how, **by_name: convolution(x, g, *how, **by_name),
    formula="Σ y[o] · x[o · stride + k · dilation] at k",
    javascript="convolution_weight",
)
max_pool = composed(
    _max_pool,
    _max_pool,
    formula="largest entry of every window",
    kink="to the first among ties",
    onnx="max_pool",
)
avg_pool = composed(_avg_pool, _avg_pool, formula="mean of every window", onnx="avg_pool")
(max_pool_places,) = nondifferentiable(_max_pool_places)
