"""More losses, and how alike vectors are: Huber's loss, negative log-likelihood, divergence, cosine."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives import neural
from ..derivatives.indexing import picked_along
from .arguments import (
    array,
    class_numbers,
    class_shares,
    class_weights,
    named_axis,
    pair,
    reduced,
    shared_out,
    widened,
    without_ignored,
)
from .loss import Loss
from .module import Module

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def huber_loss(input: Any, target: Any, *, reduction: str = "mean", delta: float = 1.0) -> Value:
    """Half the square of small differences, and for those beyond `delta` a straight line: less of outliers.

    Parameters
    ----------
    input, target : Value or array
        Predictions, and what they should have been, in the same shape.
    reduction : str
        "mean", "sum" or "none".
    delta : float
        Where the line begins.

    Raises
    ------
    ValueError
        If the shapes differ, or `delta` is not positive.

    Examples
    --------
    >>> huber_loss([0.0, 0.0], [1.0, 10.0], reduction="none")
    array([0.5, 9.5])
    """
    if delta <= 0:
        raise ValueError(f"huber_loss: delta is positive, not {delta}")
    input, target = pair("huber_loss", input, target)
    return reduced(neural.huber(input - target, delta), reduction)


def smooth_l1_loss(input: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0) -> Value:
    """`huber_loss` with ``delta=beta``, divided by `beta`; the absolute difference for ``beta=0``."""
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta is at least 0, not {beta}")
    input, target = pair("smooth_l1_loss", input, target)
    away = input - target
    return reduced(_numpy.absolute(away) if beta == 0 else neural.huber(away, beta) / beta, reduction)


def nll_loss(
    input: Any, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Value:
    """Minus the log-probability of the true class: `cross_entropy` after a log_softmax of one's own.

    Parameters
    ----------
    input : Value or array of shape (N, classes), (N, classes, ...) or (classes,)
        Log-probabilities.
    target : array of int
        Class numbers in the shape of `input` without its axis of classes.
    weight : array of shape (classes,), optional
        A factor for each class.
    ignore_index : int
        Samples of this class number do not count.
    reduction : str
        "mean" (weighted, where there are weights), "sum" or "none".

    Raises
    ------
    ValueError
        If the shapes do not fit, or a class number is none.
    TypeError
        If class numbers are not integers.
    """
    input, target = array(input), array(target)
    if weight is not None:
        weight = class_weights("nll_loss", input, weight)
    target, counted = class_numbers("nll_loss", input, target, ignore_index)
    share = class_shares(target, weight, counted, input.dtype)
    axis = 1 if input.ndim > 1 else 0
    input = without_ignored(input, counted)
    each = -_numpy.squeeze(picked_along(input, np.expand_dims(target, axis), axis), axis)
    return reduced(shared_out(each, share, counted), reduction, share)


def kl_div(input: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Value:
    """The divergence Σ target · (log target - input) of Kullback and Leibler (1951), entry by entry.

    Parameters
    ----------
    input : Value or array
        Log-probabilities.
    target : Value or array
        Probabilities (their logarithms, with `log_target`) in the shape of `input`.
    reduction : str
        "batchmean" (the sum divided by the length of the first axis, which is the divergence of the
        definition), "mean" of all entries, "sum" or "none".
    log_target : bool
        Whether `target` holds logarithms.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> kl_div(np.log([[0.5, 0.5]]), [[1.0, 0.0]], reduction="batchmean").round(6)  # log 2
    np.float64(0.693147)
    """
    input, target = pair("kl_div", input, target)
    if log_target:
        each = _numpy.exp(target) * (target - input)
    else:  # 0 · log 0 is 0
        each = target * (_numpy.log(_numpy.where(target > 0, target, 1.0)) - input)
    return each.sum() / input.shape[0] if reduction == "batchmean" else reduced(each, reduction)


def cosine_similarity(
    x1: Any, x2: Any, dim: int | None = None, eps: float = 1e-8, *, axis: int | None = None
) -> Value:
    """The cosine of the angle between vectors along one axis (axis 1 if not said otherwise).

    Lengths below `eps` count as `eps`.  The shapes may be any that broadcast.

    Examples
    --------
    >>> cosine_similarity([[1.0, 0.0]], [[3.0, 4.0]])
    array([0.6])
    """
    along = named_axis("cosine_similarity", dim, axis, 1)
    x1, x2 = array(x1), array(x2)
    shape, dtype = np.broadcast_shapes(x1.shape, x2.shape), np.result_type(x1.dtype, x2.dtype)
    both = [widened(_numpy.broadcast_to(x, shape)) for x in (x1, x2)]
    first, second = (
        x / _numpy.maximum(_numpy.linalg.vector_norm(x, axis=along, keepdims=True), eps) for x in both
    )
    found = _numpy.sum(first * second, axis=along)
    return found.astype(dtype) if dtype == np.float16 else found


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Value:
    """The p-norm of x1 - x2 + eps along the last axis; the shapes may be any that broadcast.

    Examples
    --------
    >>> pairwise_distance([[0.0, 0.0]], [[3.0, 4.0]], eps=0.0)
    array([5.])
    """
    away = array(x1) - array(x2) + eps
    return _numpy.linalg.vector_norm(away, ord=p, axis=-1, keepdims=bool(keepdim))


def cdist(x1: Any, x2: Any, p: float = 2.0) -> Value:
    """The distances of every row of `x1` from every row of `x2`.

    Parameters
    ----------
    x1 : Value or array of shape (..., N, D)
    x2 : Value or array of shape (..., M, D)
    p : float
        Which norm: 0 counts the entries that differ, inf takes the largest difference.

    Returns
    -------
    Value or array of shape (..., N, M)

    Examples
    --------
    >>> cdist([[0.0, 0.0], [3.0, 0.0]], [[0.0, 4.0]])
    array([[4.],
           [5.]])
    """
    x1, x2 = array(x1), array(x2)
    return pairwise_distance(x1[..., :, None, :], x2[..., None, :, :], p, 0.0)


class PairwiseDistance(Module):
    """See `nn.functional.pairwise_distance`."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        self.p, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Any, x2: Any) -> Value:
        return pairwise_distance(x1, x2, self.p, self.eps, self.keepdim)


class HuberLoss(Loss):
    """See `nn.functional.huber_loss`."""

    def __init__(self, *, reduction: str = "mean", delta: float = 1.0) -> None:
        self.reduction, self.delta = reduction, delta

    def forward(self, input: Any, target: Any) -> Value:
        return huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class SmoothL1Loss(Loss):
    """See `nn.functional.smooth_l1_loss`."""

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        self.reduction, self.beta = reduction, beta

    def forward(self, input: Any, target: Any) -> Value:
        return smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class NLLLoss(Loss):
    """See `nn.functional.nll_loss`."""

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        self.weight, self.ignore_index, self.reduction = weight, ignore_index, reduction

    def forward(self, input: Any, target: Any) -> Value:
        return nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class KLDivLoss(Loss):
    """See `nn.functional.kl_div`."""

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        self.reduction, self.log_target = reduction, log_target

    def forward(self, input: Any, target: Any) -> Value:
        return kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class CosineSimilarity(Module):
    """See `nn.functional.cosine_similarity`."""

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        self.dim, self.eps = dim, eps

    def forward(self, x1: Any, x2: Any) -> Value:
        return cosine_similarity(x1, x2, self.dim, self.eps)
