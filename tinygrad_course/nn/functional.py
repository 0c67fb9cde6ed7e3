"""Functions that networks are made of, with PyTorch's names and the order of its arguments.

They take Values, arrays and numbers.  Where PyTorch says `dim`, NumPy's `axis` is understood too.  Plain
arrays given as targets or weights are taken in the precision of the input.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives import neural, reductions
from ..derivatives.neural import elu, gelu, hardtanh, leaky_relu, linear, mish, relu, sigmoid, silu, softsign
from ..engine.watch import watching
from .arguments import (
    array,
    class_numbers,
    class_shares,
    class_weights,
    fine,
    named_axis,
    pair,
    reduced,
    shared_out,
    taken_as,
    weighted,
    without_ignored,
)
from .attention import scaled_dot_product_attention
from .bags import bilinear, embedding_bag
from .convolution import conv1d, conv2d, pad
from .distances import (
    cdist,
    cosine_similarity,
    huber_loss,
    kl_div,
    nll_loss,
    pairwise_distance,
    smooth_l1_loss,
)
from .embedding import embedding, one_hot
from .group_norm import dropout1d, dropout2d, group_norm, instance_norm, rms_norm
from .likelihoods import gaussian_nll_loss, poisson_nll_loss
from .margins import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    soft_margin_loss,
    triplet_margin_loss,
)
from .more_activations import (
    celu,
    glu,
    gumbel_softmax,
    hardshrink,
    hardsigmoid,
    hardswish,
    logsigmoid,
    relu6,
    selu,
    softmin,
    softshrink,
    taken,
    tanhshrink,
    threshold,
)
from .normalization import batch_norm, dropout, layer_norm, normalize
from .pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    avg_pool1d,
    avg_pool2d,
    max_pool1d,
    max_pool2d,
)
from .resizing import fold, interpolate, pixel_shuffle, pixel_unshuffle, unfold
from .transposed import conv_transpose1d, conv_transpose2d

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cdist",
    "celu",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "dropout1d",
    "dropout2d",
    "elu",
    "embedding",
    "embedding_bag",
    "fold",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "group_norm",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "logsumexp",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "mish",
    "mse_loss",
    "multi_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "rms_norm",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "triplet_margin_loss",
    "unfold",
]

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


# Activations that PyTorch gives other arguments than their rows have
def tanh(input: Any) -> Any:
    """The hyperbolic tangent."""
    return _numpy.tanh(input)


def softplus(input: Any, beta: float = 1.0, threshold: float | None = None) -> Value:
    """log(1 + exp(beta · input)) / beta, a smooth ReLU.

    It is exact for large inputs as it is; where PyTorch's `threshold` is given, inputs for which beta · input
    is above it are given back as they are (PyTorch's own 20 changes the ninth digit).
    """
    input = array(input)
    smooth = neural.softplus(input) if beta == 1 else neural.softplus(input * beta) / beta
    return smooth if threshold is None else _numpy.where(input * beta > threshold, input, smooth)


def prelu(input: Any, weight: Any) -> Value:
    """input where it is positive, weight · input elsewhere; `weight` is one number or one a channel (axis 1).

    Examples
    --------
    >>> prelu([[-1.0, -1.0]], [0.5, 0.25])
    array([[-0.5 , -0.25]])
    """
    input, weight = array(input), array(weight)
    channels = input.shape[1] if len(input.shape) > 1 else 1
    if weight.size not in (1, channels):
        raise ValueError(
            f"prelu: weight has {weight.size} numbers; an input of shape {input.shape} takes 1"
            + (f", or {channels}, one a channel (axis 1)" if channels > 1 else "")
        )
    lying = (weight.size,) + (1,) * (len(input.shape) - 2) if weight.size > 1 else (1,) * len(input.shape)
    return neural.prelu(input, _numpy.reshape(weight, lying))


def softmax(input: Any, dim: int | None = None, *, axis: int | None = None, dtype: Any = None) -> Value:
    """exp(input) / Σ exp(input) along one axis, the last one if not said otherwise; `dtype` is the result's.

    Examples
    --------
    >>> softmax([[0.0, 0.0], [1000.0, 0.0]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    return neural.softmax(taken(input, dtype), axis=named_axis("softmax", dim, axis, -1))


def log_softmax(input: Any, dim: int | None = None, *, axis: int | None = None, dtype: Any = None) -> Value:
    """log softmax(input), without ever taking the logarithm of a rounded 0."""
    return neural.log_softmax(taken(input, dtype), axis=named_axis("log_softmax", dim, axis, -1))


def logsumexp(
    input: Any,
    dim: int | tuple[int, ...] | None = None,
    keepdim: bool = False,
    *,
    axis: int | tuple[int, ...] | None = None,
) -> Value:
    """log Σ exp(input) along one axis or several, all of them if none is named."""
    return reductions.logsumexp(
        array(input), axis=named_axis("logsumexp", dim, axis, None), keepdims=bool(keepdim)
    )


# Losses
def mse_loss(input: Any, target: Any, *, reduction: str = "mean") -> Value:
    """The squares of the differences.

    Parameters
    ----------
    input, target : Value or array
        Predictions, and what they should have been, in the same shape.
    reduction : str
        "mean" or "sum" of all entries, or "none" to have each.

    Raises
    ------
    ValueError
        If the shapes differ.  That NumPy could broadcast them makes it worse: (3, 1) and (3,) would be
        compared each with each, 9 differences instead of 3.

    Examples
    --------
    >>> mse_loss([1.0, 2.0], [1.0, 4.0]).item()
    2.0
    """
    input, target = pair("mse_loss", input, target)
    return reduced(_numpy.square(input - target), reduction)


def l1_loss(input: Any, target: Any, *, reduction: str = "mean") -> Value:
    """The absolute differences; arguments and errors of `mse_loss`."""
    input, target = pair("l1_loss", input, target)
    return reduced(_numpy.absolute(input - target), reduction)


def _are_probabilities(p: Any) -> str:
    if np.all((p >= 0) & (p <= 1)):
        return ""
    return (
        f"binary_cross_entropy: the inputs must be probabilities, and range from {np.min(p):.4g} to "
        f"{np.max(p):.4g}; use binary_cross_entropy_with_logits for a network's plain outputs"
    )


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Value:
    """-log of the probability that was given to the truth, for yes-or-no targets.

    Parameters
    ----------
    input : Value or array
        Probabilities of "yes", from 0 to 1.
    target : Value or array
        1 for yes, 0 for no, or a probability; in the shape of `input`.
    weight : array, optional
        A factor for each entry, in a shape that broadcasts.
    reduction : str
        "mean", "sum" or "none".

    Raises
    ------
    ValueError
        If the shapes differ, or an input is not a probability.

    Notes
    -----
    As in PyTorch a logarithm counts as -100 at least, so a probability of 0 for the truth costs 100 and not
    infinity.  `binary_cross_entropy_with_logits` needs no such limit.

    Examples
    --------
    >>> binary_cross_entropy([0.5, 0.5], [1.0, 0.0]).item()  # log 2
    0.6931471805599453
    """
    input, target = pair("binary_cross_entropy", input, target)
    if (watch := watching()) is not None:
        watch.loss("BCELoss", input, target)
    fine(_are_probabilities, input.data if isinstance(input, Value) else input)
    return reduced(weighted(-(target * _log(input) + (1 - target) * _log(1 - input)), weight), reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
) -> Value:
    """`binary_cross_entropy` of sigmoid(input), computed without rounding or overflow on the way.

    Parameters
    ----------
    input : Value or array
        Logits: any numbers, positive where the network says yes.
    target : Value or array
        1 for yes, 0 for no, or a probability; in the shape of `input`.
    weight : array, optional
        A factor for each entry, in a shape that broadcasts.
    reduction : str
        "mean", "sum" or "none".
    pos_weight : array, optional
        How many times as much a "yes" counts as a "no", where one of them is rare.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    input, target = pair("binary_cross_entropy_with_logits", input, target)
    if (watch := watching()) is not None:
        watch.loss("BCEWithLogitsLoss", input, target, neural.sigmoid)
    miss = neural.softplus(-input)
    if pos_weight is not None:
        miss = miss * ((taken_as(pos_weight, input) - 1) * target + 1)
    return reduced(weighted((1 - target) * input + miss, weight), reduction)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Value:
    """-log softmax(input) of the true class.

    Parameters
    ----------
    input : Value or array
        Logits of shape (N, classes), (N, classes, ...), or (classes,) for one sample.
    target : array
        Class numbers in the shape of `input` without its axis of classes, or probabilities (one-hot, say)
        in the shape of `input`.
    weight : array, optional
        A factor for each class.
    ignore_index : int
        Samples of this class number do not count.
    reduction : str
        "mean" (weighted, where there are weights), "sum" or "none".
    label_smoothing : float
        This share of each target is spread evenly over all classes.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a class number is none.
    TypeError
        If class numbers are not integers.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import Value
    >>> logits = Value([[0.0, 0.0], [0.0, 0.0]])
    >>> loss = cross_entropy(logits, np.array([0, 1]))
    >>> loss.backward()
    >>> logits.grad
    array([[-0.25,  0.25],
           [ 0.25, -0.25]])
    """
    input, target = array(input), array(target)
    shape, axis = input.shape, 1 if len(input.shape) > 1 else 0
    if not shape:
        raise ValueError("cross_entropy: input is one number; give it a logit for each class, (N, classes)")
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing is from 0 to 1, not {label_smoothing}")
    if weight is not None:
        weight = class_weights("cross_entropy", input, weight)
    if (watch := watching()) is not None:
        shares = target if target.shape == shape else None
        watch.loss("CrossEntropyLoss", input, shares, neural.softmax)
    if target.shape == shape:
        return _cross_entropy_of_shares(input, target, weight, axis, label_smoothing, reduction)
    other = f" or {shape} (probabilities)"
    target, counted = class_numbers("cross_entropy", input, target, ignore_index, other)
    share = class_shares(target, weight, counted, input.dtype)
    input = without_ignored(input, counted)
    if label_smoothing:
        classes = np.arange(shape[axis]).reshape(-1, *[1] * (len(shape) - 1 - axis))
        hot = np.expand_dims(target, axis) == classes
        each = _cross_entropy_of_shares(input, hot, weight, axis, label_smoothing, "none")
        return reduced(shared_out(each, None, counted), reduction, share)
    each = neural.softmax_cross_entropy(input, target)
    return reduced(shared_out(each, share, counted), reduction, share)


def _cross_entropy_of_shares(
    input: Any, target: Any, weight: Any, axis: int, label_smoothing: float, reduction: str
) -> Any:
    """Cross-entropy where each class has a share in the target."""
    target = taken_as(target, input)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / input.shape[axis]
    if weight is not None:
        target = target * weight.reshape(-1, *[1] * (len(input.shape) - 1 - axis))
    return reduced(neural.softmax_cross_entropy(input, target), reduction)


def _log(p: Any) -> Any:
    """log p, but -100 at least."""
    return _numpy.maximum(_numpy.log(_numpy.maximum(p, 1e-44)), -100.0)
