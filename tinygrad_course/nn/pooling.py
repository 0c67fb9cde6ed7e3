"""Pooling over one axis (signals) or two (images): one number for every window, as functions and as layers.

Shapes are (N, channels, length) or (N, channels, height, width), or those without N.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives import convolution
from .arguments import array, numbers, settings_of
from .convolution import Size, batched, check_fits, padding_pairs
from .module import Module

Sizes = int | None | tuple[int | None, ...]
_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def max_pool1d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """`max_pool2d` with one axis instead of two.

    Examples
    --------
    >>> max_pool1d([[1.0, 4.0, 2.0, 3.0]], 2)
    array([[4., 3.]])
    """
    return _max_pool(
        "max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool2d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest entry of every window; of equal ones the first gets the gradient.

    Parameters
    ----------
    input : Value or array of shape (N, channels, height, width) or (channels, height, width)
        Images.
    kernel_size : int or pair of int
        The window.
    stride : int or pair of int, optional
        How far it goes from place to place: by its own size if not given.
    padding : int or pair of int
        How many entries of -inf surround the images: half a window at most.
    dilation : int or pair of int
        How far apart in the image neighbours in the window are.
    ceil_mode : bool
        Whether a last window counts that is only begun.
    return_indices : bool
        Give also where the largest entries are: numbers in an image as one row.

    Returns
    -------
    Value or array, and with `return_indices` an array of int of that shape

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """
    return _max_pool(
        "max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def _max_pool(
    who: str,
    n: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    """`max_pool2d` over `n` axes."""
    input = array(input)
    if input.dtype.kind in "iu":  # -inf is no whole number
        input = input.astype(float)
    spread, (input, single) = numbers(who, "dilation", dilation, n), batched(who, n, input)
    kernel, steps, pairs = _pooling(who, n, kernel_size, stride, padding)
    check_fits(who, input, kernel, pairs, spread)
    more = _begun(input.shape[2:], kernel, steps, pairs, spread) if ceil_mode else pairs
    how = (kernel, steps, more, spread)
    results = [convolution.max_pool(input, *how)]
    if return_indices:
        plain = input.numpy() if isinstance(input, Value) else input
        results.append(convolution.max_pool_places(plain, *how))
    results = [result[0] for result in results] if single else results
    return tuple(results) if return_indices else results[0]


def avg_pool1d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Value:
    """`avg_pool2d` with one axis instead of two.

    Examples
    --------
    >>> avg_pool1d([[1.0, 4.0, 2.0, 3.0]], 2)
    array([[2.5, 2.5]])
    """
    return _avg_pool("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Value:
    """The mean of every window.

    Parameters
    ----------
    input, kernel_size, stride, padding, ceil_mode
        As in `max_pool2d`, with zeros for padding.
    count_include_pad : bool
        Whether the zeros of the padding count as entries.
    divisor_override : int, optional
        What sums are divided by, in place of the number of entries.

    Raises
    ------
    ValueError
        If shapes do not fit, or the divisor is 0.

    Examples
    --------
    >>> import numpy as np
    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """
    if divisor_override == 0:
        raise ValueError("avg_pool2d: divisor_override is what sums are divided by, and is not 0")
    return _avg_pool(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def _avg_pool(
    who: str,
    n: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None,
) -> Any:
    """`avg_pool2d` over `n` axes."""
    kernel, steps, pairs = _pooling(who, n, kernel_size, stride, padding)
    input, single = batched(who, n, input)
    one = (1,) * n
    check_fits(who, input, kernel, pairs, one)
    if ceil_mode and divisor is None:  # entries that only a begun window reaches count in no mean
        more = _begun(input.shape[2:], kernel, steps, pairs, one)
        inside = np.ones(tuple(np.add(input.shape[2:], 0 if not count_include_pad else np.sum(pairs, 1))))
        around = tuple((0, m - p) for (_, m), (_, p) in zip(more, pairs)) if count_include_pad else more
        shares = convolution.avg_pool(inside[None, None], kernel, steps, around)
        shares = np.where(shares == 0, np.nan, shares).astype(input.dtype)
        result = convolution.avg_pool(input, kernel, steps, more) / shares
    elif divisor is None:
        result = convolution.avg_pool(input, kernel, steps, pairs, count_include_pad)
    else:
        more = _begun(input.shape[2:], kernel, steps, pairs, one) if ceil_mode else pairs
        result = convolution.avg_pool(input, kernel, steps, more) * (math.prod(kernel) / divisor)
    return result[0] if single else result


def _pooling(who: str, n: int, kernel_size: Any, stride: Any, padding: Any) -> Any:
    """Kernel, stride and padding of a pooling function."""
    kernel = numbers(who, "kernel_size", kernel_size, n)
    steps = kernel if stride is None else numbers(who, "stride", stride, n)
    pairs = padding_pairs(who, padding, kernel, steps, (1,) * n)
    if any(before > k // 2 for k, (before, _) in zip(kernel, pairs)):
        raise ValueError(f"{who}: padding={padding} is more than half of the window {kernel}")
    return kernel, steps, pairs


def _begun(sizes: Any, kernel: Any, stride: Any, pairs: Any, dilation: Any) -> tuple[tuple[int, int], ...]:
    """The padding with which a last window that is begun inside the input or its left padding is whole."""
    widened = []
    for size, k, s, (before, after), d in zip(sizes, kernel, stride, pairs, dilation):
        reach = d * (k - 1) + 1
        count = -(-(size + before + after - reach) // s) + 1
        if (count - 1) * s >= size + before:
            count -= 1
        widened.append((before, max(after, (count - 1) * s + reach - size - before)))
    return tuple(widened)


def adaptive_avg_pool1d(input: Any, output_size: Sizes) -> Value:
    """`adaptive_avg_pool2d` with one axis instead of two."""
    return _adaptive_mean("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Any, output_size: Sizes) -> Value:
    """The means of as many ranges of rows and columns as the output has, which cover the input evenly.

    Parameters
    ----------
    input : Value or array of shape (N, channels, height, width) or (channels, height, width)
        Images.
    output_size : int, None, or pair of them
        Height and width of the output; None keeps the input's.

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> adaptive_avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), (1, 2))
    array([[[[6.5, 8.5]]]])
    """
    return _adaptive_mean("adaptive_avg_pool2d", 2, input, output_size)


def _adaptive_mean(who: str, n: int, input: Any, output_size: Any) -> Any:
    """Means of ranges are products with matrices, one an axis."""
    input, single = batched(who, n, input)
    for axis, ranges in enumerate(_ranges(who, input, output_size, n), 2):
        mean = np.zeros((len(ranges), input.shape[axis]), input.dtype)
        for row, (start, end) in zip(mean, ranges):
            row[start:end] = 1 / (end - start)
        last = axis == input.ndim - 1
        input = _numpy.matmul(input, mean.T) if last else _numpy.matmul(mean, input)
    return input[0] if single else input


def adaptive_max_pool1d(input: Any, output_size: Sizes, return_indices: bool = False) -> Any:
    """`adaptive_max_pool2d` with one axis instead of two."""
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Sizes, return_indices: bool = False) -> Any:
    """The largest entries in as many ranges of rows and columns as the output has; see `adaptive_avg_pool2d`.

    With `return_indices` also where they are, as in `max_pool2d`.
    """
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


def _adaptive_max(who: str, n: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    input, single = batched(who, n, input)
    sizes, entries = input.shape[2:], input
    places = np.arange(math.prod(sizes)).reshape(sizes)
    for axis, ranges in enumerate(_ranges(who, input, output_size, n)):
        longest = max((end - start for start, end in ranges), default=1)
        inside = np.array([[min(i, e - 1) for i in range(s, s + longest)] for s, e in ranges], int)
        places = np.moveaxis(np.take(places, inside.reshape(len(ranges), longest), axis), axis + 1, -1)
    windows = places.reshape(*places.shape[:n], -1)  # the numbers of the entries in each window
    entries = _numpy.reshape(input, (*input.shape[:2], -1))[:, :, windows]
    plain = entries.numpy() if isinstance(entries, Value) else entries
    first = np.expand_dims(np.argmax(plain, -1), -1)
    found = _numpy.squeeze(_numpy.take_along_axis(entries, first, -1), -1)
    numbers_of = np.take_along_axis(np.broadcast_to(windows, plain.shape), first, -1)[..., 0]
    found, numbers_of = (found[0], numbers_of[0]) if single else (found, numbers_of)
    return (found, numbers_of) if return_indices else found


def _ranges(who: str, input: Any, output_size: Any, n: int) -> list[list[tuple[int, int]]]:
    """For each axis, from where to where the entries of the output reach."""
    given = tuple(output_size) if hasattr(output_size, "__iter__") else (output_size,) * n
    sizes = input.shape[2:]
    wanted = numbers(who, "output_size", [s if g is None else g for g, s in zip(given, sizes)], n, 0)
    if len(given) != n or 0 in sizes:
        raise ValueError(f"{who}: an input of shape {input.shape} has no output of size {output_size}")
    return [[(i * s // m, -(-(i + 1) * s // m)) for i in range(m)] for m, s in zip(wanted, sizes)]


class _Pool(Module):
    """What the layers of pooling share: how they are shown."""

    def extra_repr(self) -> str:
        return settings_of(self)


class _MaxPool(_Pool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size, self.stride, self.padding, self.dilation = kernel_size, stride, padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def _settings(self) -> tuple[Any, ...]:
        return (
            self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices,
        )  # fmt: skip


class MaxPool1d(_MaxPool):
    """`nn.functional.max_pool1d` as a layer."""

    def forward(self, input: Any) -> Any:
        return max_pool1d(input, *self._settings())


class MaxPool2d(_MaxPool):
    """`nn.functional.max_pool2d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> nn.MaxPool2d(2)(np.zeros((5, 8, 28, 28))).shape
    (5, 8, 14, 14)
    """

    def forward(self, input: Any) -> Any:
        return max_pool2d(input, *self._settings())


class AvgPool1d(_Pool):
    """`nn.functional.avg_pool1d` as a layer."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Any) -> Value:
        return avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )


class AvgPool2d(_Pool):
    """`nn.functional.avg_pool2d` as a layer."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        self.kernel_size, self.stride, self.padding, self.ceil_mode = kernel_size, stride, padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input: Any) -> Value:
        return avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class _AdaptiveAvgPool(_Pool):
    def __init__(self, output_size: Sizes) -> None:
        self.output_size = output_size


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """`nn.functional.adaptive_avg_pool1d` as a layer."""

    def forward(self, input: Any) -> Value:
        return adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """`nn.functional.adaptive_avg_pool2d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> nn.AdaptiveAvgPool2d(1)(np.ones((5, 8, 7, 7))).shape
    (5, 8, 1, 1)
    """

    def forward(self, input: Any) -> Value:
        return adaptive_avg_pool2d(input, self.output_size)


class _AdaptiveMaxPool(_Pool):
    def __init__(self, output_size: Sizes, return_indices: bool = False) -> None:
        self.output_size, self.return_indices = output_size, return_indices


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """`nn.functional.adaptive_max_pool1d` as a layer."""

    def forward(self, input: Any) -> Any:
        return adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """`nn.functional.adaptive_max_pool2d` as a layer."""

    def forward(self, input: Any) -> Any:
        return adaptive_max_pool2d(input, self.output_size, self.return_indices)
