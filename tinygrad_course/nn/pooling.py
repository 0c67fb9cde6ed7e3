"""Pooling over one axis (signals) or two (images), as functions and as layers: one number for every window."""

from __future__ import annotations

from typing import Any

from ..arraylike import Value
from ..derivatives import convolution
from .arguments import array, numbers
from .convolution import Size, batched, check_fits, padding_pairs
from .module import Module


def max_pool2d(
    input: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1
) -> Value:
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
    who, input = "max_pool2d", array(input)
    if input.dtype.kind in "iu":  # -inf is no whole number
        input = input.astype(float)
    kernel, steps, pairs = _pooling(who, kernel_size, stride, padding)
    spread, (input, single) = numbers(who, "dilation", dilation, 2), batched(who, 2, input)
    check_fits(who, input, kernel, pairs, spread)
    result = convolution.max_pool(input, kernel, steps, pairs, spread)
    return result[0] if single else result


def avg_pool2d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    *,
    count_include_pad: bool = True,
) -> Value:
    """The mean of every window; arguments of `max_pool2d`.

    `count_include_pad` says whether the zeros of the padding count as entries.

    Examples
    --------
    >>> import numpy as np
    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """
    who = "avg_pool2d"
    kernel, steps, pairs = _pooling(who, kernel_size, stride, padding)
    input, single = batched(who, 2, input)
    check_fits(who, input, kernel, pairs, (1, 1))
    result = convolution.avg_pool(input, kernel, steps, pairs, count_include_pad)
    return result[0] if single else result


def _pooling(who: str, kernel_size: Any, stride: Any, padding: Any) -> Any:
    """Kernel, stride and padding of a pooling function."""
    kernel = numbers(who, "kernel_size", kernel_size, 2)
    steps = kernel if stride is None else numbers(who, "stride", stride, 2)
    pairs = padding_pairs(who, padding, kernel, steps, (1, 1))
    if any(before > k // 2 for k, (before, _) in zip(kernel, pairs)):
        raise ValueError(f"{who}: padding={padding} is more than half of the window {kernel}")
    return kernel, steps, pairs


class MaxPool2d(Module):
    """`nn.functional.max_pool2d` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> nn.MaxPool2d(2)(np.zeros((5, 8, 28, 28))).shape
    (5, 8, 14, 14)
    """

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1
    ) -> None:
        self.kernel_size, self.stride, self.padding, self.dilation = kernel_size, stride, padding, dilation

    def forward(self, x: Any) -> Value:
        return max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation)

    def extra_repr(self) -> str:
        return _pool_repr(self) + ("" if self.dilation == 1 else f", dilation={self.dilation}")


class AvgPool2d(Module):
    """`nn.functional.avg_pool2d` as a layer."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        *,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.count_include_pad = count_include_pad

    def forward(self, x: Any) -> Value:
        return avg_pool2d(
            x, self.kernel_size, self.stride, self.padding, count_include_pad=self.count_include_pad
        )

    def extra_repr(self) -> str:
        return _pool_repr(self) + ("" if self.count_include_pad else ", count_include_pad=False")


def _pool_repr(pool: Any) -> str:
    said = f"kernel_size={pool.kernel_size}"
    said += "" if pool.stride is None else f", stride={pool.stride}"
    return said + ("" if pool.padding == 0 else f", padding={pool.padding}")
