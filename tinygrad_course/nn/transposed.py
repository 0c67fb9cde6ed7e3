"""Transposed convolution over one axis (signals) or two (images), as functions and as layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..arraylike import Value
from ..derivatives import convolution
from . import init
from .arguments import array, count_of, numbers, settings_of, taken_as
from .convolution import Size, batched
from .init import Rng
from .module import Module
from .resizing import sliding

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Value:
    """`conv_transpose2d` with one axis instead of two."""
    return _transposed(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Value:
    """What a convolution's gradient does: every entry of the input lays a kernel into a larger image.

    Parameters
    ----------
    input : Value or array of shape (N, in_channels, height, width) or (in_channels, height, width)
        Images.
    weight : Value or array of shape (in_channels, out_channels / groups, kernel_height, kernel_width)
        The kernels.
    bias : Value or array of shape (out_channels,), optional
        What is added to every place of an output channel.
    stride : int or pair of int
        How far apart the kernels are laid.
    padding : int or pair of int
        How many entries are taken off on every side.
    output_padding : int or pair of int
        How many are put on at the end of each axis.
    groups : int
        Divides channels and outputs into so many groups that have nothing to do with one another.
    dilation : int or pair of int
        How far apart the entries of a kernel are laid.

    Returns
    -------
    Value or array of shape (N, out_channels, ...)

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> conv_transpose2d(np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2)), stride=2)[0, 0].shape
    (4, 4)
    """
    return _transposed(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def _transposed(
    who: str,
    n: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Any:
    """`conv_transpose2d` over `n` axes: what takes a convolution's output back to its input."""
    (input, single), weight = batched(who, n, input), array(weight)
    if weight.ndim != n + 2:
        raise ValueError(
            f"{who}: weight has {n + 2} axes, (in, out / groups, *kernel), not shape {weight.shape}"
        )
    inner, out, *_ = weight.shape
    if groups < 1 or input.shape[1] != inner or inner % groups:
        raise ValueError(
            f"{who}: the input has {input.shape[1]} channels (shape {input.shape}); a weight of shape "
            f"{weight.shape} takes {inner}, in {groups} groups"
        )
    if bias is not None and (bias := array(bias)).shape != (out * groups,):
        raise ValueError(f"{who}: bias has shape {bias.shape}, and there are {out * groups} output channels")
    kernel, steps, pairs, spread = sliding(who, n, weight.shape[2:], stride, padding, dilation)
    more = numbers(who, "output_padding", output_padding, n, 0)
    if any(m >= max(s, d) for m, s, d in zip(more, steps, spread)):
        raise ValueError(f"{who}: output_padding={output_padding} is smaller than stride or dilation")
    every = zip(input.shape[2:], kernel, steps, pairs, spread, more)
    sizes = tuple((size - 1) * s - sum(p) + d * (k - 1) + m + 1 for size, k, s, p, d, m in every)
    if min(sizes) < 1:
        raise ValueError(f"{who}: an input of shape {input.shape} would give an output of size {sizes}")
    ends = tuple((before, after - m) for (before, after), m in zip(pairs, more))
    beyond = tuple(max(0, -after) for _, after in ends)  # what is put on where no kernel reaches
    inside = tuple(size - m for size, m in zip(sizes, beyond))
    ends = tuple((before, max(0, after)) for before, after in ends)
    result = convolution.convolution_input(input, weight, inside, steps, ends, spread, groups)
    if any(beyond):
        result = _numpy.pad(result, [(0, 0), (0, 0), *((0, m) for m in beyond)])
    result = result if bias is None else result + _numpy.reshape(bias, (-1, *(1,) * n))
    return result[0] if single else result


class _ConvTranspose(Module):
    """What `ConvTranspose1d` and `ConvTranspose2d` share."""

    _axes = 0

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        who, rng = type(self).__name__, np.random.default_rng(rng)
        self.in_channels = count_of(who, "in_channels", in_channels)
        self.out_channels = count_of(who, "out_channels", out_channels)
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{who}: {in_channels} channels and {out_channels} outputs do not divide into {groups} groups"
            )
        self.kernel_size = numbers(who, "kernel_size", kernel_size, self._axes)
        self.stride, self.padding, self.output_padding = stride, padding, output_padding
        self.groups, self.dilation = groups, dilation
        shape = (in_channels, out_channels // groups, *self.kernel_size)
        fan_in = math.prod(shape[1:])  # as PyTorch counts it
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        self.weight = init.uniform_(Value(np.empty(shape, dtype), name="weight"), -bound, bound, rng=rng)
        self.bias = None
        if bias:
            self.bias = Value(np.empty(out_channels, dtype), name="bias")
            init.uniform_(self.bias, -bound, bound, rng=rng)

    def forward(self, input: Any) -> Value:
        """The output channels for inputs of shape (N, in_channels, ...)."""
        return _transposed(
            type(self).__name__,
            self._axes,
            taken_as(input, self.weight),
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding,
            self.groups,
            self.dilation,
        )

    def extra_repr(self) -> str:
        return settings_of(self)


class ConvTranspose1d(_ConvTranspose):
    """`nn.functional.conv_transpose1d` with a weight and a bias of its own, which start as PyTorch's do."""

    _axes = 1


class ConvTranspose2d(_ConvTranspose):
    """`nn.functional.conv_transpose2d` with a weight and a bias of its own, which start as PyTorch's do.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1, rng=0)(np.zeros((5, 8, 14, 14))).shape
    (5, 1, 28, 28)
    """

    _axes = 2
