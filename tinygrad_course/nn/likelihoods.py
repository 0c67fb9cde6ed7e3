"""Losses that are negative log-likelihoods of numbers: of a normal and of a Poisson distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arraylike import Value
from .arguments import array, fine, reduced, taken_as
from .loss import Loss

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def _are_variances(var: Any) -> str:
    return f"gaussian_nll_loss: a variance is 0 or more, not {var.min():.4g}" if (var < 0).any() else ""


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, *, reduction: str = "mean"
) -> Value:
    """(log var + (input - target)² / var) / 2: under a normal distribution (Nix and Weigend 1994).

    Parameters
    ----------
    input : Value or array
        Means.
    target : Value or array
        What was observed, in a shape that broadcasts.
    var : Value, array or float
        Variances: in the shape of `input`, without its last axis, or with 1 there, or one for all.
    full : bool
        Add the constant log(2π) / 2.
    eps : float
        Smaller variances count as this; no gradient goes through that choice, as in PyTorch.
    reduction : str
        "mean", "sum" or "none".

    Raises
    ------
    ValueError
        If a variance is negative, or its shape does not fit.

    Examples
    --------
    >>> gaussian_nll_loss([0.0], [2.0], [1.0]).item()
    2.0
    """
    input = array(input)
    target = taken_as(target, input)
    if isinstance(var, float):
        var = np.full_like(input.numpy() if isinstance(input, Value) else input, var)
    var = taken_as(var, input)
    if var.shape == input.shape[:-1] != input.shape and input.ndim:
        var = _numpy.expand_dims(var, -1)
    if var.shape not in (input.shape, (*input.shape[:-1], 1)):
        raise ValueError(
            f"gaussian_nll_loss: var has shape {var.shape}; an input of shape {input.shape} takes that, "
            f"{(*input.shape[:-1], 1)} or {input.shape[:-1]}"
        )
    plain = var.numpy() if isinstance(var, Value) else var
    fine(_are_variances, plain)
    var = var + np.maximum(eps - plain, 0).astype(plain.dtype)
    each = 0.5 * (_numpy.log(var) + _numpy.square(input - target) / var)
    return reduced(each + 0.5 * math.log(2 * math.pi) if full else each, reduction)


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Value:
    """rate - target · log rate: a count's under a Poisson distribution, up to a constant.

    Parameters
    ----------
    input : Value or array
        Logarithms of the rates, or the rates.
    target : Value or array
        Counts, in a shape that broadcasts.
    log_input : bool
        Whether the input holds logarithms.
    full : bool
        Add Stirling's approximation of log target!, where the target is above 1.
    eps : float
        Added to a rate before its logarithm is taken.
    reduction : str
        "mean", "sum" or "none".
    """
    input = array(input)
    target = taken_as(target, input)
    if log_input:
        each = _numpy.exp(input) - target * input
    else:
        each = input - target * _numpy.log(input + eps)
    if full:
        count = _numpy.where(target > 1, target, 1.0)
        stirling = count * _numpy.log(count) - count + 0.5 * _numpy.log(2 * math.pi * count)
        each = each + _numpy.where(target > 1, stirling, 0.0)
    return reduced(each, reduction)


class GaussianNLLLoss(Loss):
    """See `nn.functional.gaussian_nll_loss`."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        self.full, self.eps, self.reduction = full, eps, reduction

    def forward(self, input: Any, target: Any, var: Any) -> Value:
        return gaussian_nll_loss(input, target, var, self.full, self.eps, reduction=self.reduction)


class PoissonNLLLoss(Loss):
    """See `nn.functional.poisson_nll_loss`."""

    def __init__(
        self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
    ) -> None:
        self.log_input, self.full, self.eps, self.reduction = log_input, full, eps, reduction

    def forward(self, input: Any, target: Any) -> Value:
        return poisson_nll_loss(
            input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction
        )
