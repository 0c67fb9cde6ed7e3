"""Normalization within a sample: over groups of channels, each of them, or by squares; channels dropped."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..arraylike import Value
from ..arraylike.foreign import all_computed
from ..derivatives import neural
from ..engine.watch import walking
from .arguments import array, count_of, settings_of, taken_as, widened
from .init import Rng
from .module import Module
from .normalization import affine, along_channels, batch_norm, dropout, move

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Value:
    """Every group of channels of a sample with mean 0 and variance 1 (Wu and He 2018).

    Parameters
    ----------
    input : Value or array of shape (N, channels, ...)
        Samples.
    num_groups : int
        Into so many groups the channels are divided.
    weight, bias : Value or array of shape (channels,), optional
        What each channel is multiplied with, and what is added to it.
    eps : float
        Added to the variance, which may be 0.

    Raises
    ------
    ValueError
        If the channels do not divide so.

    Examples
    --------
    >>> group_norm([[1.0, 3.0, 10.0, 30.0]], 2).round(3)
    array([[-1.,  1., -1.,  1.]])
    """
    input = array(input)
    if input.ndim < 2 or num_groups < 1 or input.shape[1] % num_groups:
        raise ValueError(
            f"group_norm: an input of shape {input.shape}, (N, channels, ...), does not divide into "
            f"{num_groups} groups of channels"
        )
    if input.size:
        n, channels, *rest = input.shape
        grouped = _numpy.reshape(input, (n, num_groups, channels // num_groups, *rest))
        axes = tuple(range(2, grouped.ndim))
        out = _numpy.reshape(neural.standardize(grouped, axes, eps), input.shape)
    else:
        out = input
    return affine(out, along_channels(weight, input), along_channels(bias, input))


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Value:
    """Every channel of every sample with mean 0 and variance 1 (Ulyanov et al. 2016).

    Parameters
    ----------
    input : Value or array of shape (N, channels, length, ...)
        Samples.
    running_mean, running_var : array of shape (channels,), optional
        Mean and variance of what was seen so far: moved in place with `use_input_stats`, used without.
    weight, bias : Value or array of shape (channels,), optional
        What each channel is multiplied with, and what is added to it.
    use_input_stats : bool
        Whether the sample's own mean and variance are used.
    momentum : float
        How far the running ones are moved.
    eps : float
        Added to the variance, which may be 0.

    Raises
    ------
    ValueError
        If there is only one entry to a channel, or no statistics where they are needed.
    """
    input = array(input)
    if input.ndim < 3 or (use_input_stats and input.size and input[0, 0].size == 1):
        raise ValueError(
            f"instance_norm: each channel needs more than one entry, (N, channels, length, ...), and the "
            f"input has shape {input.shape}"
        )
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    axes = tuple(range(2, input.ndim))
    if running_mean is not None and input.size and not walking.get():
        data = widened(input.numpy() if isinstance(input, Value) else input)
        found = all_computed(np.mean(data, (0, *axes)), np.mean(np.var(data, axes, ddof=1), 0))
        move((running_mean, running_var), found, momentum)
    out = neural.standardize(input, axes, eps) if input.size else input
    return affine(out, along_channels(weight, input), along_channels(bias, input))


def rms_norm(
    input: Any, normalized_shape: int | tuple[int, ...], weight: Any = None, eps: float | None = None
) -> Value:
    """Every sample divided by the root of the mean of its squares (Zhang and Sennrich 2019), times `weight`.

    Parameters
    ----------
    input : Value or array of shape (..., *normalized_shape)
        Samples.
    normalized_shape : int or tuple of int
        The sizes of the last axes, over which the mean goes.
    weight : Value or array of shape `normalized_shape`, optional
        What the result is multiplied with.
    eps : float, optional
        Added to the mean of the squares; the dtype's own if not given.

    Raises
    ------
    ValueError
        If the input does not end in `normalized_shape`.

    Examples
    --------
    >>> rms_norm([[3.0, 4.0]], 2).round(3)
    array([[0.849, 1.131]])
    """
    input = array(input)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ValueError(
            f"rms_norm: the input has shape {input.shape}, and should end in normalized_shape, {shape}"
        )
    eps = float(np.finfo(input.dtype).eps) if eps is None else eps
    axes = tuple(range(-len(shape), 0))
    mean = _numpy.mean(_numpy.square(input), axis=axes, keepdims=True)
    return affine(input / _numpy.sqrt(mean + eps), weight, None)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, *, rng: Rng = None) -> Value:
    """`dropout` of whole channels of signals, (N, channels, length) or (channels, length)."""
    return _dropped("dropout1d", 1, input, p, training, rng)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, *, rng: Rng = None) -> Value:
    """`dropout` of whole channels of images (Tompson et al. 2015), (N, channels, height, width) or without N.

    Examples
    --------
    >>> import numpy as np
    >>> dropout2d(np.ones((1, 4, 2, 2)), 0.5, rng=0)[0, :, 0, 0]
    array([2., 0., 0., 0.])
    """
    return _dropped("dropout2d", 2, input, p, training, rng)


def _dropped(who: str, n: int, input: Any, p: float, training: bool, rng: Rng) -> Any:
    input = array(input)
    if input.ndim not in (n + 1, n + 2):
        raise ValueError(
            f"{who}: the input has {n + 2} axes, (N, channels, ...), or {n + 1}, not {input.shape}"
        )
    kept = dropout(np.ones((*input.shape[:-n], *(1,) * n), input.dtype), p, training, rng=rng)
    return input * kept if training and p else input


class GroupNorm(Module):
    """`nn.functional.group_norm` with a weight and a bias of its own.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> nn.GroupNorm(2, 6)(np.ones((5, 6, 4, 4))).shape
    (5, 6, 4, 4)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.num_groups = count_of("GroupNorm", "num_groups", num_groups, 1)
        self.num_channels = count_of("GroupNorm", "num_channels", num_channels)
        if num_channels % num_groups:
            raise ValueError(f"GroupNorm: {num_channels} channels do not divide into {num_groups} groups")
        self.eps, self.affine, self.dtype = eps, affine, np.dtype(dtype)
        self.weight = Value(np.ones(num_channels, dtype), name="weight") if affine else None
        self.bias = Value(np.zeros(num_channels, dtype), name="bias") if affine else None

    def forward(self, input: Any) -> Value:
        return group_norm(taken_as(input, self), self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}" + ("" if self.affine else ", affine=False")


class _InstanceNorm(Module):
    """What `InstanceNorm1d` and `InstanceNorm2d` share."""

    _axes = 0
    running_mean: Any
    running_var: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.num_features = count_of(type(self).__name__, "num_features", num_features)
        self.eps, self.momentum, self.affine = eps, momentum, affine
        self.track_running_stats, self.dtype = track_running_stats, np.dtype(dtype)
        self.weight = Value(np.ones(num_features, dtype), name="weight") if affine else None
        self.bias = Value(np.zeros(num_features, dtype), name="bias") if affine else None
        if track_running_stats:
            self.register_buffer("running_mean", np.zeros(num_features, dtype))
            self.register_buffer("running_var", np.ones(num_features, dtype))
            self.register_buffer("num_batches_tracked", np.array(0))  # which PyTorch keeps, and never moves

    def forward(self, input: Any) -> Value:
        input = taken_as(input, self)
        if input.ndim not in (self._axes + 1, self._axes + 2):
            raise ValueError(
                f"{type(self).__name__} takes inputs of {self._axes + 2} axes, (N, channels, ...), or those "
                f"without N, and got {input.shape}"
            )
        single = input.ndim == self._axes + 1
        mean, var = (self.running_mean, self.running_var) if self.track_running_stats else (None, None)
        own = self.training or not self.track_running_stats
        out = instance_norm(
            input[None] if single else input,
            mean,
            var,
            self.weight,
            self.bias,
            own,
            self.momentum,
            self.eps,
        )
        return out[0] if single else out

    def extra_repr(self) -> str:
        return settings_of(self)


class InstanceNorm1d(_InstanceNorm):
    """`nn.functional.instance_norm` of signals, (N, channels, length)."""

    _axes = 1


class InstanceNorm2d(_InstanceNorm):
    """`nn.functional.instance_norm` of images, (N, channels, height, width)."""

    _axes = 2


class RMSNorm(Module):
    """`nn.functional.rms_norm` with a weight of its own."""

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: DTypeLike = np.float32,
    ) -> None:
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps, self.dtype = shape, eps, np.dtype(dtype)
        self.elementwise_affine = elementwise_affine
        self.weight = Value(np.ones(shape, dtype), name="weight") if elementwise_affine else None

    def forward(self, input: Any) -> Value:
        return rms_norm(taken_as(input, self), self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}" + ("" if self.weight is not None else ", elementwise_affine=False")


class _DropoutOfChannels(Module):
    def __init__(self, p: float = 0.5, *, rng: Rng = None) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: p is a probability, from 0 to 1, not {p}")
        self.p, self.rng = p, np.random.default_rng(rng)

    def extra_repr(self) -> str:
        return f"{self.p}"


class Dropout1d(_DropoutOfChannels):
    """`nn.functional.dropout1d` while training, and nothing after `eval()`."""

    def forward(self, input: Any) -> Value:
        return dropout1d(input, self.p, self.training, rng=self.rng)


class Dropout2d(_DropoutOfChannels):
    """`nn.functional.dropout2d` while training, and nothing after `eval()`."""

    def forward(self, input: Any) -> Value:
        return dropout2d(input, self.p, self.training, rng=self.rng)
