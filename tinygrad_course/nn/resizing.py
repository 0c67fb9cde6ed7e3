"""Images in another size: windows laid out and put back, interpolation, shuffled pixels.

Shapes are (N, channels, length) or (N, channels, height, width); where PyTorch takes them, those without N.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives import convolution
from .arguments import array, count_of, numbers, settings_of
from .convolution import Size, batched
from .module import Module

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def unfold(input: Any, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Value:
    """The windows of images as columns: convolution is a matrix product with these.

    Parameters
    ----------
    input : Value or array of shape (N, channels, height, width) or (channels, height, width)
        Images.
    kernel_size, dilation, padding, stride : int or pair of int
        As in `conv2d`.

    Returns
    -------
    Value or array of shape (N, channels · entries of a window, windows)

    Examples
    --------
    >>> import numpy as np
    >>> unfold(np.arange(6.0).reshape(1, 1, 2, 3), (2, 2))[0].T  # each row is a window
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.]])
    """
    who = "unfold"
    kernel, steps, pairs, spread = sliding(who, 2, kernel_size, stride, padding, dilation)
    input, single = batched(who, 2, input)
    counts = _counts(input.shape[2:], kernel, steps, pairs, spread)
    if min(counts) < 1:
        raise ValueError(f"{who}: the window {kernel} does not fit into an input of shape {input.shape}")
    view = convolution.windows(input, kernel, steps, pairs, spread)
    columns = _numpy.reshape(view, (input.shape[0], input.shape[1] * math.prod(kernel), math.prod(counts)))
    return columns[0] if single else columns


def fold(
    input: Any,
    output_size: Size,
    kernel_size: Size,
    dilation: Size = 1,
    padding: Size = 0,
    stride: Size = 1,
) -> Value:
    """Columns put back as windows of an image; where windows overlap, the entries are added up.

    Parameters
    ----------
    input : Value or array of shape (N, channels · entries of a window, windows) or without N
        As `unfold` gives it.
    output_size : int or pair of int
        Height and width of the image.
    kernel_size, dilation, padding, stride : int or pair of int
        As in `conv2d`.

    Returns
    -------
    Value or array of shape (N, channels, height, width)

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> fold(np.ones((1, 4, 2)), (2, 3), (2, 2))[0, 0]
    array([[1., 2., 1.],
           [1., 2., 1.]])
    """
    who, input = "fold", array(input)
    kernel, steps, pairs, spread = sliding(who, 2, kernel_size, stride, padding, dilation)
    sizes = numbers(who, "output_size", output_size, 2)
    counts = _counts(sizes, kernel, steps, pairs, spread)
    single, entries = input.ndim == 2, math.prod(kernel)
    input = input[None] if single else input
    if input.ndim != 3 or input.shape[1] % entries or input.shape[2] != math.prod(counts) or min(counts) < 1:
        raise ValueError(
            f"{who}: an image of {sizes} has {math.prod(counts)} windows {kernel} of {entries} entries, and "
            f"the input has shape {input.shape}; it is (N, channels · {entries}, {math.prod(counts)})"
        )
    view = _numpy.reshape(input, (input.shape[0], input.shape[1] // entries, *kernel, *counts))
    image = convolution.overlap_add(view, sizes, kernel, steps, pairs, spread)
    return image[0] if single else image


def sliding(who: str, n: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """Kernel, stride, padding in pairs and dilation, each with a number an axis."""
    kernel, steps = numbers(who, "kernel_size", kernel_size, n), numbers(who, "stride", stride, n)
    around = numbers(who, "padding", padding, n, 0)
    return kernel, steps, tuple((p, p) for p in around), numbers(who, "dilation", dilation, n)


def _counts(sizes: Any, kernel: Any, stride: Any, pairs: Any, dilation: Any) -> tuple[int, ...]:
    """How many windows there are along each axis."""
    every = zip(sizes, kernel, stride, pairs, dilation)
    return tuple((size + sum(p) - d * (k - 1) - 1) // s + 1 for size, k, s, p, d in every)


def interpolate(
    input: Any,
    size: Size | None = None,
    scale_factor: float | tuple[float, ...] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Value:
    """Images in another size, from their nearest entries or in straight lines between them.

    Parameters
    ----------
    input : Value or array of shape (N, channels, *sizes)
        Signals or images.
    size : int or tuple of int, optional
        The new sizes.
    scale_factor : float or tuple of float, optional
        How many times as large, in place of `size`.
    mode : {"nearest", "linear", "bilinear"}
        "linear" is for one axis, "bilinear" for two.
    align_corners : bool, optional
        Whether the first and last entries stay at the ends, and not the edges of their pixels.
    recompute_scale_factor : bool, optional
        Whether places are reckoned from the whole sizes, and not from `scale_factor` as it is.

    Returns
    -------
    Value or array of shape (N, channels, *new sizes)

    Raises
    ------
    ValueError
        If neither or both of size and scale_factor are given, or there is no such mode.

    Examples
    --------
    >>> import numpy as np
    >>> interpolate(np.array([[[0.0, 2.0]]]), size=4, mode="linear")
    array([[[0. , 0.5, 1.5, 2. ]]])
    """
    input = array(input)
    n, straight = input.ndim - 2, mode in ("linear", "bilinear")
    if mode not in ("nearest", "linear", "bilinear") or n != {"linear": 1, "bilinear": 2}.get(mode, n):
        raise ValueError(
            f"interpolate: mode is 'nearest', 'linear' (for one axis) or 'bilinear' (for two), not {mode!r} "
            f"for an input of shape {input.shape}"
        )
    if align_corners is not None and not straight:
        raise ValueError(f"interpolate: align_corners is for linear and bilinear, not for {mode}")
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give size or scale_factor, one of them")
    factors: Any = [None] * n
    if scale_factor is None:
        sizes = numbers("interpolate", "size", size, n)
    else:
        factors = list(scale_factor) if hasattr(scale_factor, "__iter__") else [scale_factor] * n
        sizes = tuple(math.floor(old * factor) for old, factor in zip(input.shape[2:], factors))
        factors = [None] * n if recompute_scale_factor else factors
    for axis, (new, factor) in enumerate(zip(sizes, factors), 2):
        old = input.shape[axis]
        step = old / new if factor is None else 1 / factor
        if not straight:
            places = np.minimum(np.floor(np.arange(new) * step).astype(int), old - 1)
            input = _numpy.take(input, places, axis=axis)
            continue
        between = _line(old, new, step, bool(align_corners), input.dtype)
        last = axis == input.ndim - 1
        input = _numpy.matmul(input, between.T) if last else _numpy.matmul(between, input)
    return input


def _line(old: int, new: int, step: float, align_corners: bool, dtype: Any) -> Any:
    """The matrix (new, old) that interpolates in straight lines."""
    if align_corners:
        places = np.arange(new) * ((old - 1) / (new - 1) if new > 1 else 0.0)
    else:
        places = np.maximum((np.arange(new) + 0.5) * step - 0.5, 0.0)
    left = np.minimum(np.floor(places).astype(int), old - 1)
    share = np.clip(places - left, 0.0, 1.0)
    matrix, rows = np.zeros((new, old), dtype), np.arange(new)
    np.add.at(matrix, (rows, left), 1 - share)
    np.add.at(matrix, (rows, np.minimum(left + 1, old - 1)), share)
    return matrix


def pixel_shuffle(input: Any, upscale_factor: int) -> Value:
    """Channels as pixels: (..., C · r², H, W) becomes (..., C, H · r, W · r) (Shi et al. 2016).

    Raises
    ------
    ValueError
        If the channels do not divide so.
    """
    input = array(input)
    r = count_of("pixel_shuffle", "upscale_factor", upscale_factor, 1)
    if input.ndim < 3 or input.shape[-3] % (r * r):
        raise ValueError(f"pixel_shuffle: the channels of shape {input.shape} do not divide by {r}²")
    *leading, c, h, w = input.shape
    parts = _numpy.reshape(input, (*leading, c // (r * r), r, r, h, w))
    k = len(leading)
    parts = _numpy.transpose(parts, (*range(k), k, k + 3, k + 1, k + 4, k + 2))
    return _numpy.reshape(parts, (*leading, c // (r * r), h * r, w * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Value:
    """Pixels as channels, the reverse of `pixel_shuffle`.

    Raises
    ------
    ValueError
        If height and width do not divide so.
    """
    input = array(input)
    r = count_of("pixel_unshuffle", "downscale_factor", downscale_factor, 1)
    if input.ndim < 3 or input.shape[-2] % r or input.shape[-1] % r:
        raise ValueError(f"pixel_unshuffle: the sizes of shape {input.shape} do not divide by {r}")
    *leading, c, h, w = input.shape
    parts = _numpy.reshape(input, (*leading, c, h // r, r, w // r, r))
    k = len(leading)
    parts = _numpy.transpose(parts, (*range(k), k, k + 2, k + 4, k + 1, k + 3))
    return _numpy.reshape(parts, (*leading, c * r * r, h // r, w // r))


class _Shown(Module):
    def extra_repr(self) -> str:
        return settings_of(self)


class Unfold(_Shown):
    """`nn.functional.unfold` as a layer."""

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> None:
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Any) -> Value:
        return unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(_Shown):
    """`nn.functional.fold` as a layer."""

    def __init__(
        self,
        output_size: Size,
        kernel_size: Size,
        dilation: Size = 1,
        padding: Size = 0,
        stride: Size = 1,
    ) -> None:
        self.output_size, self.kernel_size, self.dilation = output_size, kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: Any) -> Value:
        return fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)


class Upsample(_Shown):
    """`nn.functional.interpolate` as a layer."""

    def __init__(
        self,
        size: Size | None = None,
        scale_factor: float | tuple[float, ...] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def forward(self, input: Any) -> Value:
        return interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )


class PixelShuffle(_Shown):
    """`nn.functional.pixel_shuffle` as a layer."""

    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = upscale_factor

    def forward(self, input: Any) -> Value:
        return pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(_Shown):
    """`nn.functional.pixel_unshuffle` as a layer."""

    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = downscale_factor

    def forward(self, input: Any) -> Value:
        return pixel_unshuffle(input, self.downscale_factor)
