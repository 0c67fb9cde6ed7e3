"""Losses as modules: made once with their settings, called with predictions and targets."""

from __future__ import annotations

from typing import Any

from ..arraylike import Value
from . import functional as F
from .loss import Loss


class MSELoss(Loss):
    """Squared differences; `reduction` is "mean", "sum" or "none".  See `nn.functional.mse_loss`.

    Examples
    --------
    >>> MSELoss()([1.0, 2.0], [1.0, 4.0]).item()
    2.0
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        self.reduction = reduction

    def forward(self, input: Any, target: Any) -> Value:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """Absolute differences.  See `nn.functional.l1_loss`."""

    def __init__(self, *, reduction: str = "mean") -> None:
        self.reduction = reduction

    def forward(self, input: Any, target: Any) -> Value:
        return F.l1_loss(input, target, reduction=self.reduction)


class BCELoss(Loss):
    """Cross-entropy of probabilities with yes-or-no targets.  See `nn.functional.binary_cross_entropy`."""

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        self.weight, self.reduction = weight, reduction

    def forward(self, input: Any, target: Any) -> Value:
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """Cross-entropy of sigmoid(input) with yes-or-no targets.

    See `nn.functional.binary_cross_entropy_with_logits`.
    """

    def __init__(self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None) -> None:
        self.weight, self.reduction, self.pos_weight = weight, reduction, pos_weight

    def forward(self, input: Any, target: Any) -> Value:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class CrossEntropyLoss(Loss):
    """-log softmax of the true class, from logits.  See `nn.functional.cross_entropy`.

    Examples
    --------
    >>> import numpy as np
    >>> loss = CrossEntropyLoss()(np.zeros((2, 10)), np.array([3, 7]))
    >>> bool(np.isclose(loss, np.log(10)))
    True
    """

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        self.weight, self.ignore_index = weight, ignore_index
        self.reduction, self.label_smoothing = reduction, label_smoothing

    def forward(self, input: Any, target: Any) -> Value:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )
