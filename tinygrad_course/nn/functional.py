"""Functions that networks are made of, with PyTorch's names and the order of its arguments.

They take Values, arrays and numbers.  Where PyTorch says `dim`, NumPy's `axis` is understood too.  Plain
arrays given as targets or weights are taken in the precision of the input.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..derivatives import neural, reductions
from ..derivatives.neural import gelu, leaky_relu, linear, relu, sigmoid, silu
from ..value import Value

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "gelu",
    "l1_loss",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsumexp",
    "mse_loss",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values
tanh = _numpy.tanh


# Activations that PyTorch gives more arguments than their rows have
def softplus(input: Any, beta: float = 1.0) -> Any:
    """log(1 + exp(beta · input)) / beta, a smooth ReLU.

    PyTorch's `threshold` is not needed: this is exact for large inputs as it is.
    """
    return neural.softplus(input) if beta == 1 else neural.softplus(input * beta) / beta


def softmax(input: Any, dim: int | None = None, *, axis: int | None = None) -> Any:
    """exp(input) / Σ exp(input) along one axis, the last one if not said otherwise.

    Examples
    --------
    >>> softmax([[0.0, 0.0], [1000.0, 0.0]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    return neural.softmax(_array(input), axis=_axis("softmax", dim, axis, -1))


def log_softmax(input: Any, dim: int | None = None, *, axis: int | None = None) -> Any:
    """log softmax(input), without ever taking the logarithm of a rounded 0."""
    return neural.log_softmax(_array(input), axis=_axis("log_softmax", dim, axis, -1))


def logsumexp(
    input: Any,
    dim: int | tuple[int, ...] | None = None,
    keepdim: bool = False,
    *,
    axis: int | tuple[int, ...] | None = None,
) -> Any:
    """log Σ exp(input) along one axis or several, all of them if none is named."""
    return reductions.logsumexp(
        _array(input), axis=_axis("logsumexp", dim, axis, None), keepdims=bool(keepdim)
    )


# Losses
def mse_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
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
    input, target = _pair("mse_loss", input, target)
    return _reduced(_numpy.square(input - target), reduction)


def l1_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The absolute differences; arguments and errors of `mse_loss`."""
    input, target = _pair("l1_loss", input, target)
    return _reduced(_numpy.absolute(input - target), reduction)


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Any:
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
    input, target = _pair("binary_cross_entropy", input, target)
    p = input.data if isinstance(input, Value) else input
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError(
            f"binary_cross_entropy: the inputs must be probabilities, and range from {np.min(p):.4g} to "
            f"{np.max(p):.4g}; use binary_cross_entropy_with_logits for a network's plain outputs"
        )
    return _reduced(_weighted(-(target * _log(input) + (1 - target) * _log(1 - input)), weight), reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
) -> Any:
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
    input, target = _pair("binary_cross_entropy_with_logits", input, target)
    miss = neural.softplus(-input)
    if pos_weight is not None:
        miss = miss * ((_taken_as(pos_weight, input) - 1) * target + 1)
    return _reduced(_weighted((1 - target) * input + miss, weight), reduction)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
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
    input, target = _array(input), _array(target)
    shape, axis = input.shape, 1 if len(input.shape) > 1 else 0
    if not shape:
        raise ValueError("cross_entropy: input is one number; give it a logit for each class, (N, classes)")
    classes = shape[axis]
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing is from 0 to 1, not {label_smoothing}")
    if weight is not None:
        weight = _taken_as(weight, input)
        if weight.shape != (classes,):
            raise ValueError(
                f"cross_entropy: weight has shape {weight.shape}, and there are {classes} classes"
            )
    if target.shape == shape:
        return _cross_entropy_of_shares(input, target, weight, axis, label_smoothing, reduction)
    samples = shape[:axis] + shape[axis + 1 :]
    if target.shape != samples:
        raise ValueError(
            f"cross_entropy: for logits of shape {shape} the target has shape {samples} (class numbers) or "
            f"{shape} (probabilities), and not {target.shape}"
        )
    if isinstance(target, Value) or target.dtype.kind not in "iu":
        raise TypeError(
            f"cross_entropy: class numbers are integers in a plain array, and these are {target.dtype}"
            f"{' in a Value' if isinstance(target, Value) else '; convert them with target.astype(int)'}"
        )
    counted = None
    if not neural.only_classes(target, classes, ignore_index):
        counted = target != ignore_index
        target = np.where(counted, target, 0)
        if not neural.only_classes(target, classes):
            raise ValueError(
                f"cross_entropy: the numbers of {classes} classes go from 0 to {classes - 1}, and those "
                f"of the target from {target.min()} to {target.max()}"
            )
    if counted is None and weight is None and not label_smoothing:
        return _reduced(neural.softmax_cross_entropy(input, target), reduction)
    share = np.ones(target.shape, input.dtype) if weight is None else weight[target]
    if counted is not None:
        share = share * counted
    if label_smoothing:
        hot = np.expand_dims(target, axis) == np.arange(classes).reshape(-1, *[1] * (len(shape) - 1 - axis))
        each = _cross_entropy_of_shares(input, hot, weight, axis, label_smoothing, "none")
        each = each if counted is None else each * counted
    else:
        each = neural.softmax_cross_entropy(input, target) * share
    return each.sum() / share.sum() if reduction == "mean" else _reduced(each, reduction)


def _cross_entropy_of_shares(
    input: Any, target: Any, weight: Any, axis: int, label_smoothing: float, reduction: str
) -> Any:
    """Cross-entropy where each class has a share in the target."""
    target = _taken_as(target, input)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / input.shape[axis]
    if weight is not None:
        target = target * weight.reshape(-1, *[1] * (len(input.shape) - 1 - axis))
    return _reduced(neural.softmax_cross_entropy(input, target), reduction)


def _log(p: Any) -> Any:
    """log p, but -100 at least."""
    return _numpy.maximum(_numpy.log(_numpy.maximum(p, 1e-44)), -100.0)


# Arguments
def _array(x: Any) -> Any:
    """Lists and numbers as arrays; Values and arrays as they are."""
    return x if hasattr(x, "shape") else np.asarray(x)


def _taken_as(x: Any, like: Any) -> Any:
    """A plain array or list in the dtype of `like`."""
    x = _array(x)
    return x if isinstance(x, Value) or x.dtype == like.dtype else x.astype(like.dtype)


def _axis(who: str, dim: Any, axis: Any, default: Any) -> Any:
    if dim is not None and axis is not None:
        raise TypeError(f"{who}: dim and axis are two names for one thing; give one of them")
    return default if dim is None and axis is None else axis if dim is None else dim


def _pair(who: str, input: Any, target: Any) -> tuple[Any, Any]:
    """Input and target of a loss, in the same shape and, where plain, the same floating-point dtype."""
    input = _array(input)
    if input.dtype.kind != "f":
        input = input.astype(float)
    target = _taken_as(target, input)
    if input.shape != target.shape:
        fits = input.size == target.size
        raise ValueError(
            f"{who}: input has shape {input.shape}, target {target.shape}, and each entry has a target "
            "of its own" + (f"; target.reshape({input.shape}) would fit" if fits else "")
        )
    return input, target


def _weighted(each: Any, weight: Any) -> Any:
    if weight is None:
        return each
    weight = _taken_as(weight, each)
    pairs = zip(weight.shape[::-1], each.shape[::-1])
    if len(weight.shape) > len(each.shape) or any(n not in (1, there) for n, there in pairs):
        raise ValueError(
            f"weight has shape {weight.shape}, which does not broadcast to the input's {each.shape}"
        )
    return each * weight


def _reduced(each: Any, reduction: str) -> Any:
    if reduction == "mean":
        return each.mean()
    if reduction == "sum":
        return each.sum()
    if reduction == "none":
        return each
    raise ValueError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}")
