"""Convolution and padding over one axis (signals) or two (images), as functions and as layers.

Shapes are PyTorch's: input (N, channels, length) or (N, channels, height, width), or without N for a single
sample; weight (out_channels, in_channels / groups, *kernel_size).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..arraylike import Value
from ..derivatives import convolution
from . import init
from .arguments import array, count_of, numbers, taken_as
from .init import Rng
from .module import Module

Size = int | tuple[int, ...]
_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Value:
    """`conv2d` with one axis instead of two.

    Examples
    --------
    >>> import numpy as np
    >>> signal, difference = np.array([[[1.0, 4.0, 9.0, 16.0]]]), np.array([[[-1.0, 1.0]]])
    >>> conv1d(signal, difference)
    array([[[3., 5., 7.]]])
    """
    return _convolved("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Value:
    """Slide the kernels of `weight` over images: at every place, the sum of products with what lies below.

    Parameters
    ----------
    input : Value or array of shape (N, in_channels, height, width) or (in_channels, height, width)
        Images.
    weight : Value or array of shape (out_channels, in_channels / groups, kernel_height, kernel_width)
        A kernel for each output channel.
    bias : Value or array of shape (out_channels,), optional
        What is added to every place of an output channel.
    stride : int or pair of int
        How far the kernel goes from place to place.
    padding : int, pair of int, "valid" or "same"
        How many zeros surround the images; "same" (with stride 1) leaves their size as it is.
    dilation : int or pair of int
        How far apart in the image neighbours in the kernel are.
    groups : int
        Divides channels and outputs into so many groups that have nothing to do with one another.

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
    >>> from tinygrad_course import Value
    >>> image, kernel = np.ones((1, 1, 3, 3)), Value(np.ones((1, 1, 2, 2)))
    >>> out = conv2d(image, kernel, padding=1)
    >>> out.numpy()[0, 0]
    array([[1., 2., 2., 1.],
           [2., 4., 4., 2.],
           [2., 4., 4., 2.],
           [1., 2., 2., 1.]])
    """
    return _convolved("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def _convolved(
    who: str,
    n: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Any:
    """A convolution over `n` axes."""
    (input, single), weight = batched(who, n, input), array(weight)
    if weight.ndim != n + 2:
        raise ValueError(
            f"{who}: weight has {n + 2} axes, (out, in / groups, *kernel), not shape {weight.shape}"
        )
    out, inner, *kernel = weight.shape
    if groups < 1 or out % groups or input.shape[1] != inner * groups:
        raise ValueError(
            f"{who}: the input has {input.shape[1]} channels (shape {input.shape}); a weight of shape "
            f"{weight.shape} with groups={groups} takes {inner * groups}, and gives {out} in as many groups"
        )
    if bias is not None and (bias := array(bias)).shape != (out,):
        raise ValueError(f"{who}: bias has shape {bias.shape}, and there are {out} output channels")
    stride, dilation = numbers(who, "stride", stride, n), numbers(who, "dilation", dilation, n)
    pairs = padding_pairs(who, padding, kernel, stride, dilation)
    check_fits(who, input, kernel, pairs, dilation)
    result = convolution.convolution(input, weight, stride, pairs, dilation, groups)
    result = result if bias is None else result + _numpy.reshape(bias, (out,) + (1,) * n)
    return result[0] if single else result


def batched(who: str, n: int, input: Any) -> tuple[Any, bool]:
    """The input as a batch, and whether it was a single sample."""
    input = array(input)
    if input.ndim not in (n + 1, n + 2):
        axes = "(N, channels, length)" if n == 1 else "(N, channels, height, width)"
        raise ValueError(f"{who}: the input has the axes {axes}, or those without N, not shape {input.shape}")
    single = input.ndim == n + 1
    return input[None] if single else input, single


def padding_pairs(
    who: str, padding: Any, kernel: Any, stride: Any, dilation: Any
) -> tuple[tuple[int, int], ...]:
    """How many zeros come before and after each axis."""
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ValueError(f"{who}: padding='same' is for stride 1, not {stride}; give it as numbers")
        more = [d * (k - 1) for k, d in zip(kernel, dilation)]
        return tuple((m // 2, m - m // 2) for m in more)
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f"{who}: padding is a number, a pair, 'valid' or 'same', not {padding!r}")
    given = (0,) * len(kernel) if padding == "valid" else numbers(who, "padding", padding, len(kernel), 0)
    return tuple((p, p) for p in given)


def check_fits(who: str, input: Any, kernel: Any, pairs: Any, dilation: Any) -> None:
    for size, k, (before, after), d in zip(input.shape[2:], kernel, pairs, dilation):
        if size + before + after < d * (k - 1) + 1:
            raise ValueError(
                f"{who}: the kernel reaches over {d * (k - 1) + 1} entries, and the input of shape "
                f"{input.shape} has only {size + before + after} of them, padding included"
            )


MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
PADDINGS = ("zeros", "reflect", "replicate", "circular")


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Value:
    """Put entries around an array, or (for negative numbers) take some away.

    Parameters
    ----------
    input : Value or array
        What is to be padded.
    pad : sequence of int
        How many entries come before and after the last axis, then the last but one, and so on:
        (left, right, top, bottom) for images.
    mode : str
        "constant", "reflect" (without repeating the edge), "replicate" (the edge) or "circular".
    value : float, optional
        The constant: 0 if not given.

    Raises
    ------
    ValueError
        If `pad` does not fit the axes, or there is no such mode.

    Examples
    --------
    >>> pad([[1.0, 2.0, 3.0]], (1, 2), mode="replicate")
    array([[1., 1., 2., 3., 3., 3.]])
    """
    input, given = array(input), list(pad)
    if len(given) % 2 or len(given) > 2 * input.ndim:
        raise ValueError(
            f"pad: two numbers an axis, from the last axis on; {len(given)} do not fit shape {input.shape}"
        )
    if mode not in MODES:
        raise ValueError(f"pad: mode is one of {', '.join(MODES)}, not {mode!r}")
    if value is not None and mode != "constant":
        raise ValueError(f"pad: value is for mode='constant', not for {mode!r}")
    pairs = [(0, 0)] * (input.ndim - len(given) // 2) + list(zip(given[::2], given[1::2]))[::-1]
    widths = [(max(a, 0), max(b, 0)) for a, b in pairs]
    settings = {"constant_values": value or 0.0} if mode == "constant" else {}

    def cut(x: Any) -> Any:
        return x[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, pairs))]

    if min(given, default=0) >= 0:
        return _numpy.pad(input, widths, MODES[mode], **settings)
    if mode == "replicate":  # the edge is the whole input's, also where all of it is cut off
        return cut(_numpy.pad(input, widths, "edge"))
    return _numpy.pad(cut(input), widths, MODES[mode], **settings)


class _Conv(Module):
    """What `Conv1d` and `Conv2d` share."""

    _axes = 0

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        who, rng = type(self).__name__, np.random.default_rng(rng)
        in_channels, out_channels = (
            count_of(who, "in_channels", in_channels),
            count_of(who, "out_channels", out_channels),
        )
        groups = count_of(who, "groups", groups)
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{who}: {in_channels} channels and {out_channels} outputs do not divide into {groups} groups"
            )
        if padding_mode not in PADDINGS:
            raise ValueError(f"{who}: padding_mode is one of {', '.join(PADDINGS)}, not {padding_mode!r}")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.padding_mode = (
            numbers(who, "kernel_size", kernel_size, self._axes),
            padding_mode,
        )
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        fan_in = math.prod(shape[1:])
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        self.weight = init.uniform_(Value(np.empty(shape, dtype), name="weight"), -bound, bound, rng=rng)
        self.bias = None
        if bias:
            self.bias = Value(np.empty(out_channels, dtype), name="bias")
            init.uniform_(self.bias, -bound, bound, rng=rng)

    def forward(self, input: Any) -> Value:
        """The output channels for inputs of shape (N, in_channels, ...)."""
        who, input, padding = type(self).__name__, taken_as(input, self.weight), self.padding
        if self.padding_mode != "zeros":
            stride, dilation = (numbers(who, n, getattr(self, n), self._axes) for n in ("stride", "dilation"))
            pairs = padding_pairs(who, padding, self.kernel_size, stride, dilation)
            input, padding = pad(input, [n for pair in pairs[::-1] for n in pair], self.padding_mode), 0
        return _convolved(
            who, self._axes, input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def extra_repr(self) -> str:
        out, inner = self.weight.shape[:2]
        said = [f"{inner * self.groups}", f"{out}", f"kernel_size={self.kernel_size}"]
        usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "padding_mode": "zeros"}
        for name, default in usual.items():
            if (given := getattr(self, name)) != default:
                said.append(f"{name}={given!r}")
        return ", ".join(said) + ("" if self.bias is not None else ", bias=False")


class Conv1d(_Conv):
    """`nn.functional.conv1d` with a weight and a bias of its own; arguments and attributes of `Conv2d`."""

    _axes = 1


class Conv2d(_Conv):
    """`nn.functional.conv2d` with a weight and a bias of its own.

    Both start uniformly between ±1/√fan_in, as in PyTorch, where an output sees fan_in inputs.

    Parameters
    ----------
    in_channels, out_channels : int
        How many channels come in and go out.
    kernel_size : int or pair of int
        Height and width of the kernels.
    stride, padding, dilation, groups
        As in `nn.functional.conv2d`.
    bias : bool
        False leaves the bias out.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What the padding consists of; see `nn.functional.pad`.
    dtype : dtype
        The parameters' and so the outputs' precision.
    rng : int or Generator, optional
        Where the initial weights come from.

    Attributes
    ----------
    weight : Value of shape (out_channels, in_channels / groups, kernel_height, kernel_width)
    bias : Value of shape (out_channels,), or None

    Raises
    ------
    ValueError
        If channels and groups do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> layer = nn.Conv2d(1, 8, 3, padding=1, rng=0)
    >>> layer(np.zeros((5, 1, 28, 28))).shape
    (5, 8, 28, 28)
    >>> layer
    Conv2d(1, 8, kernel_size=(3, 3), padding=1)
    """

    _axes = 2
