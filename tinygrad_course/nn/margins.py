"""Losses that ask for a margin between what belongs together and what does not."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives import neural
from ..derivatives.indexing import picked_along
from .arguments import array, class_numbers, class_weights, reduced, taken_as
from .distances import cosine_similarity, pairwise_distance
from .loss import Loss

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def _beyond(x: Any) -> Any:
    """max(0, x), with slope 1 at 0 as PyTorch's clamp has."""
    return _numpy.where(x >= 0, x, 0.0)


def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean"
) -> Value:
    """max(0, -target · (input1 - input2) + margin): the first should be the larger where the target is 1.

    Parameters
    ----------
    input1, input2 : Value or array
        Scores, in shapes that broadcast.
    target : array
        1 where input1 should be the larger, -1 where input2 should.
    margin : float
        By how much.
    reduction : str
        "mean", "sum" or "none".

    Examples
    --------
    >>> margin_ranking_loss([2.0], [1.5], [1], margin=1.0)
    np.float64(0.5)
    """
    input1, input2 = array(input1), array(input2)
    return reduced(_beyond(-taken_as(target, input1) * (input1 - input2) + margin), reduction)


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, *, reduction: str = "mean") -> Value:
    """A distance itself where the target is 1, and max(0, margin - distance) where it is -1.

    Parameters
    ----------
    input : Value or array
        Distances.
    target : array
        1 for pairs that belong together, -1 for others; in a shape that broadcasts.
    margin : float
        How far apart those others should be.
    reduction : str
        "mean", "sum" or "none".
    """
    input, target = array(input), array(target)
    apart = _numpy.where(target == 1, 0.0, _beyond(margin - input))
    return reduced(apart + _numpy.where(target == -1, 0.0, input), reduction)


def soft_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Value:
    """log(1 + exp(-target · input)), for targets of 1 and -1; nothing overflows."""
    input = array(input)
    return reduced(neural.softplus(-taken_as(target, input) * input), reduction)


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean"
) -> Value:
    """1 - cosine where the target is 1, and max(0, cosine - margin) where it is -1.

    Parameters
    ----------
    input1, input2 : Value or array of shape (N, D) or (D,)
        Vectors.
    target : array of shape (N,) or ()
        1 for pairs that should point the same way, -1 for others.
    margin : float
        From -1 to 1.
    reduction : str
        "mean", "sum" or "none".

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    input1, input2, target = array(input1), array(input2), array(target)
    if input1.ndim not in (1, 2) or target.ndim != input1.ndim - 1:
        raise ValueError(
            f"cosine_embedding_loss: inputs of shape {input1.shape} take a target of shape "
            f"{input1.shape[:-1]}, not {target.shape}; they are (N, D) and (N,), or (D,) and ()"
        )
    cosine = cosine_similarity(input1, input2, dim=-1, eps=0.0)
    apart = _numpy.where(target == -1, _beyond(cosine - margin), 0.0)
    return reduced(_numpy.where(target == 1, 1 - cosine, apart), reduction)


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    *,
    reduction: str = "mean",
) -> Value:
    """The mean over classes of max(0, margin - score of the true class + score)^p (Crammer and Singer 2001).

    Parameters
    ----------
    input : Value or array of shape (N, classes) or (classes,)
        Scores.
    target : array of int of shape (N,) or ()
        Class numbers.
    p : int
        1 or 2.
    margin : float
        By how much the true class should lead.
    weight : array of shape (classes,), optional
        A factor for each class.
    reduction : str
        "mean", "sum" or "none".

    Raises
    ------
    ValueError
        If `p` is neither 1 nor 2, or shapes do not fit.
    """
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p is 1 or 2, not {p}")
    input, target = array(input), array(target)
    if input.ndim == 1 and target.shape == (1,):
        target = target[0]
    target, _ = class_numbers("multi_margin_loss", input, target)
    column = np.expand_dims(target, -1)
    lead = _beyond(margin - picked_along(input, column, -1) + input)
    lead = lead if p == 1 else lead * lead
    if weight is not None:
        lead = lead * np.expand_dims(class_weights("multi_margin_loss", input, weight)[target], -1)
    others = np.arange(input.shape[-1]) != column
    return reduced(_numpy.where(others, lead, 0.0).sum(-1) / input.shape[-1], reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Value:
    """max(0, distance to the positive - distance to the negative + margin) (Schroff et al. 2015).

    Parameters
    ----------
    anchor, positive, negative : Value or array of shape (N, D) or (D,)
        Vectors; the positive should be closer to the anchor than the negative.
    margin : float
        By how much.
    p : float
        Which norm measures distances.
    eps : float
        Added to differences.
    swap : bool
        Take the distance from positive to negative where that is the shorter one (Balntas et al. 2016).
    reduction : str
        "mean", "sum" or "none".
    """
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = _numpy.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(_beyond(near - far + margin), reduction)


class MarginRankingLoss(Loss):
    """See `nn.functional.margin_ranking_loss`."""

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        self.margin, self.reduction = margin, reduction

    def forward(self, input1: Any, input2: Any, target: Any) -> Value:
        return margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class HingeEmbeddingLoss(Loss):
    """See `nn.functional.hinge_embedding_loss`."""

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        self.margin, self.reduction = margin, reduction

    def forward(self, input: Any, target: Any) -> Value:
        return hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class SoftMarginLoss(Loss):
    """See `nn.functional.soft_margin_loss`."""

    def __init__(self, *, reduction: str = "mean") -> None:
        self.reduction = reduction

    def forward(self, input: Any, target: Any) -> Value:
        return soft_margin_loss(input, target, reduction=self.reduction)


class CosineEmbeddingLoss(Loss):
    """See `nn.functional.cosine_embedding_loss`."""

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        self.margin, self.reduction = margin, reduction

    def forward(self, input1: Any, input2: Any, target: Any) -> Value:
        return cosine_embedding_loss(input1, input2, target, self.margin, reduction=self.reduction)


class MultiMarginLoss(Loss):
    """See `nn.functional.multi_margin_loss`."""

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean"
    ) -> None:
        self.p, self.margin, self.weight, self.reduction = p, margin, weight, reduction

    def forward(self, input: Any, target: Any) -> Value:
        return multi_margin_loss(input, target, self.p, self.margin, self.weight, reduction=self.reduction)


class TripletMarginLoss(Loss):
    """See `nn.functional.triplet_margin_loss`."""

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        *,
        reduction: str = "mean",
    ) -> None:
        self.margin, self.p, self.eps, self.swap, self.reduction = margin, p, eps, swap, reduction

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Value:
        return triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, reduction=self.reduction
        )
