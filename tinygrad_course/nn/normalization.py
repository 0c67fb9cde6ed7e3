"""Layers that keep numbers in bounds: normalization over a sample or over a batch, dropout."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..arraylike import Value
from ..arraylike.foreign import all_computed
from ..derivatives import neural
from ..engine.watch import walking, watching
from ..locks import alone, write_at_once
from .arguments import array, count_of, named_axis, taken_as, widened
from .init import Rng
from .module import Module

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values
_moving = threading.RLock()  # one batch at a time moves running statistics


def layer_norm(
    input: Any,
    normalized_shape: int | tuple[int, ...],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Value:
    """Every sample with mean 0 and variance 1 over its last axes, times `weight`, plus `bias`.

    Parameters
    ----------
    input : Value or array of shape (..., *normalized_shape)
        Samples.
    normalized_shape : int or tuple of int
        The sizes of those last axes.
    weight, bias : Value or array of shape `normalized_shape`, optional
        What the result is multiplied with, and what is added to it.
    eps : float
        Added to the variance, which may be 0.

    Raises
    ------
    ValueError
        If the input does not end in `normalized_shape`.

    Examples
    --------
    >>> import numpy as np
    >>> layer_norm(np.array([[1.0, 3.0], [0.0, 100.0]]), 2).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    input = array(input)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ValueError(
            f"layer_norm: the input has shape {input.shape}, and should end in normalized_shape, {shape}"
        )
    return affine(neural.standardize(input, tuple(range(-len(shape), 0)), eps), weight, bias)


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Value:
    """Every channel with mean 0 and variance 1 over the batch, times `weight`, plus `bias`.

    Parameters
    ----------
    input : Value or array of shape (N, channels, ...)
        Samples.
    running_mean, running_var : array of shape (channels,), or None
        Mean and variance of what was seen so far.  Used unless `training`, which moves them, in place,
        towards those of the batch.
    weight, bias : Value or array of shape (channels,), optional
        What each channel is multiplied with, and what is added to it.
    training : bool
        Whether the batch's own mean and variance are used.
    momentum : float
        How far the running ones are moved.
    eps : float
        Added to the variance, which may be 0.

    Raises
    ------
    ValueError
        If there is only one entry to a channel while training, or the shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> mean, var = np.zeros(1), np.ones(1)
    >>> batch_norm(np.array([[1.0], [3.0]]), mean, var, training=True).round(3)
    array([[-1.],
           [ 1.]])
    >>> mean, var
    (array([0.2]), array([1.1]))
    """
    input = array(input)
    _check_channels(input, running_mean, running_var, weight, bias)
    if (running_mean is None) != (running_var is None):
        raise ValueError("batch_norm: give both running_mean and running_var, or neither")
    if not training:
        return _with_statistics(input, running_mean, running_var, weight, bias, eps)
    if running_mean is not None and input.size and not walking.get():
        move((running_mean, running_var), _statistics(input), momentum)
    return _with_own_statistics(input, weight, bias, eps)


def _check_channels(input: Any, *vectors: Any) -> None:
    if input.ndim < 2:
        raise ValueError(f"batch_norm: the input has the axes (N, channels, ...), not shape {input.shape}")
    for vector in vectors:
        if vector is not None and vector.shape != input.shape[1:2]:
            raise ValueError(
                f"batch_norm: the input of shape {input.shape} has {input.shape[1]} channels (axis 1), and "
                f"one of the statistics or parameters has shape {vector.shape}"
            )


def _with_statistics(input: Any, mean: Any, var: Any, weight: Any, bias: Any, eps: float) -> Any:
    if mean is None or var is None:
        raise ValueError("batch_norm: without training=True it needs running_mean and running_var")
    out = (input - along_channels(mean, input)) / along_channels(_numpy.sqrt(var + eps), input)
    return affine(out, along_channels(weight, input), along_channels(bias, input))


def _with_own_statistics(input: Any, weight: Any, bias: Any, eps: float) -> Any:
    if input.size and input.size == input.shape[1]:
        raise ValueError(
            f"batch_norm: a batch of shape {input.shape} has one entry to a channel, whose variance is 0; "
            "train with more samples, or call eval() first"
        )
    if (watch := watching()) is not None:
        watch.training("batch normalization uses the batch's mean")
    out = neural.standardize(input, (0, *range(2, input.ndim)), eps) if input.size else input
    return affine(out, along_channels(weight, input), along_channels(bias, input))


def _statistics(input: Any) -> tuple[Any, Any]:
    """Mean and variance (divided by n - 1) of each channel, as plain arrays; Dask's are computed here."""
    data = widened(input.data if isinstance(input, Value) else input)  # in float16 squares overflow
    axes = (0, *range(2, data.ndim))
    return all_computed(np.mean(data, axis=axes), np.var(data, axis=axes, ddof=1))


def move(running: Any, found: Any, share: Any) -> None:
    """Move running statistics in place towards those that were found, all of them or none."""
    alone(_moving, lambda: write_at_once((old, ..., new) for old, new in _moved(running, found, share)))


def _moved(running: Any, found: Any, share: Any) -> list[tuple[Any, Any]]:
    """Each of the running statistics, and what it becomes when it moves towards what was found."""
    return [(old, (old + share * (new - old)).astype(old.dtype)) for old, new in zip(running, found)]


def along_channels(vector: Any, input: Any) -> Any:
    """A number for each channel in a shape that lies along axis 1 of `input`."""
    return None if vector is None else _numpy.reshape(vector, (-1,) + (1,) * (input.ndim - 2))


def affine(x: Any, weight: Any, bias: Any) -> Any:
    """x · weight + bias, or without what is None."""
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def normalize(
    input: Any, p: float = 2.0, dim: int | None = None, eps: float = 1e-12, *, axis: int | None = None
) -> Value:
    """Vectors along one axis (axis 1 if not said otherwise) divided by their p-norm, but by `eps` at least.

    Examples
    --------
    >>> normalize([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    along = named_axis("normalize", dim, axis, 1)
    input = array(input)
    wide = widened(input)
    found = wide / _numpy.maximum(_numpy.linalg.vector_norm(wide, ord=p, axis=along, keepdims=True), eps)
    return found if wide is input else found.astype(input.dtype)


def dropout(input: Any, p: float = 0.5, training: bool = True, *, rng: Rng = None) -> Value:
    """Each entry becomes 0 with probability `p`, and is divided by 1 - p otherwise, so that the mean stays.

    Parameters
    ----------
    input : Value or array
        What goes in.
    p : float
        How probable it is to be dropped.
    training : bool
        False returns the input as it is.
    rng : int or Generator, optional
        Where the choice comes from: a generator chooses anew each time, a number always the same entries.

    Raises
    ------
    ValueError
        If `p` is no probability.

    Examples
    --------
    >>> import numpy as np
    >>> dropout(np.ones(6), 0.5, rng=0)
    array([2., 0., 0., 0., 2., 2.])
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is a probability, from 0 to 1, not {p}")
    if not training or p == 0:
        return input
    return neural.dropout(array(input), p, rng)[0]


class LayerNorm(Module):
    """`nn.functional.layer_norm` with a weight and a bias of its own.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        The sizes of the last axes of what comes in.
    eps : float
        Added to the variance.
    elementwise_affine : bool
        False leaves weight and bias out.
    bias : bool
        False leaves the bias out.
    dtype : dtype
        The parameters' precision.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> nn.LayerNorm(4)(np.arange(4.0)).numpy().round(3)
    array([-1.342, -0.447,  0.447,  1.342], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float32,
    ) -> None:
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps, self.dtype = shape, eps, np.dtype(dtype)
        self.elementwise_affine = elementwise_affine
        self.weight = Value(np.ones(shape, dtype), name="weight") if elementwise_affine else None
        self.bias = Value(np.zeros(shape, dtype), name="bias") if elementwise_affine and bias else None

    def forward(self, input: Any) -> Value:
        """`input` normalized over its last axes."""
        return layer_norm(taken_as(input, self), self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}" + ("" if self.weight is not None else ", elementwise_affine=False")


class _BatchNorm(Module):
    """What `BatchNorm1d` and `BatchNorm2d` share."""

    _ndims: tuple[int, ...] = ()
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        *,
        dtype: DTypeLike = np.float32,
    ) -> None:
        num_features = count_of(type(self).__name__, "num_features", num_features)
        self.num_features, self.eps, self.momentum, self.affine = num_features, eps, momentum, affine
        self.weight = Value(np.ones(num_features, dtype), name="weight") if affine else None
        self.bias = Value(np.zeros(num_features, dtype), name="bias") if affine else None
        self.register_buffer("running_mean", np.zeros(num_features, dtype))
        self.register_buffer("running_var", np.ones(num_features, dtype))
        self.register_buffer("num_batches_tracked", np.array(0))

    def forward(self, input: Any) -> Value:
        """`input` normalized by the batch while training, by what was seen before when not."""
        input = taken_as(input, self.running_mean)
        if input.ndim not in self._ndims:
            shapes = {2: "(N, channels)", 3: "(N, channels, length)", 4: "(N, channels, height, width)"}
            wanted = " or ".join(shapes[n] for n in self._ndims)
            raise ValueError(f"{type(self).__name__} takes inputs of shape {wanted}, and got {input.shape}")
        _check_channels(input, self.running_mean)
        if not self.training:
            return _with_statistics(
                input, self.running_mean, self.running_var, self.weight, self.bias, self.eps
            )
        out = _with_own_statistics(input, self.weight, self.bias, self.eps)
        if input.size and not walking.get():  # what runs within a backward pass runs for the second time
            alone(_moving, lambda: self._move(*_statistics(input)))
        return out

    def _move(self, mean: Any, var: Any) -> None:
        """Take a batch's mean and variance into the running ones."""
        tracked = self.num_batches_tracked + 1
        share = self.momentum
        if share is None:
            share = (1 / tracked).astype(self.running_mean.dtype)
        moved = _moved((self.running_mean, self.running_var), (mean, var), share)
        names = ("running_mean", "running_var", "num_batches_tracked")
        write_at_once(
            (vars(self), name, new) for name, new in zip(names, (*(new for _, new in moved), tracked))
        )

    def extra_repr(self) -> str:
        said = f"{self.num_features}" + ("" if self.eps == 1e-5 else f", eps={self.eps}")
        said += "" if self.momentum == 0.1 else f", momentum={self.momentum}"
        return said + ("" if self.weight is not None else ", affine=False")


class BatchNorm1d(_BatchNorm):
    """`BatchNorm2d` for inputs of shape (N, channels) or (N, channels, length)."""

    _ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """`nn.functional.batch_norm` with parameters and running statistics of its own (Ioffe and Szegedy 2015).

    Parameters
    ----------
    num_features : int
        How many channels there are.
    eps : float
        Added to the variance.
    momentum : float or None
        How far the running mean and variance are moved towards each batch's while training; with None they
        are the plain means over all batches.  A batch without samples moves nothing.
    affine : bool
        False leaves weight and bias out.
    dtype : dtype
        The parameters' precision.

    Attributes
    ----------
    weight, bias : Value of shape (num_features,), or None
    running_mean, running_var : array of shape (num_features,)
        Mean and variance of what was seen while training; used after `eval()`.
    num_batches_tracked : array
        How many batches that were.

    Raises
    ------
    ValueError
        If the input has another number of axes or channels, or one entry to a channel while training.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> layer = nn.BatchNorm2d(3)
    >>> images = np.random.default_rng(0).normal(5.0, 2.0, (8, 3, 10, 10))
    >>> layer(images).numpy().std().round(3)
    np.float32(1.0)
    >>> layer.running_mean.round(1)
    array([0.5, 0.5, 0.5], dtype=float32)
    """

    _ndims = (4,)


class Dropout(Module):
    """`nn.functional.dropout` while training, and nothing after `eval()`.

    Parameters
    ----------
    p : float
        How probable it is for an entry to be dropped.
    rng : int or Generator, optional
        Where the choices come from.

    Raises
    ------
    ValueError
        If `p` is no probability.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> layer = nn.Dropout(0.5, rng=0)
    >>> layer(np.ones(6))
    array([2., 0., 0., 0., 2., 2.])
    >>> layer.eval()(np.ones(6))
    array([1., 1., 1., 1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, *, rng: Rng = None) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is a probability, from 0 to 1, not {p}")
        self.p, self.rng = p, np.random.default_rng(rng)

    def forward(self, input: Any) -> Value:
        return dropout(input, self.p, self.training, rng=self.rng)

    def extra_repr(self) -> str:
        return f"{self.p}"
