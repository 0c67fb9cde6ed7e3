"""What functions of `nn` do with their arguments first: make them fit, or say why they do not."""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arraylike import Value
from ..arraylike.foreign import is_lazy, looked_at
from ..derivatives import neural
from ..derivatives.shaping import any_foreign
from ..lines import pointing

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def array(x: Any) -> Any:
    """Lists and numbers as arrays; Values and arrays as they are."""
    return x if hasattr(x, "shape") else np.asarray(x)


def taken_as(x: Any, like: Any) -> Any:
    """A plain array or list in the dtype of `like`."""
    x = array(x)
    return x if isinstance(x, Value) or x.dtype == like.dtype else x.astype(like.dtype)


def widened(x: Any) -> Any:
    """float16 as float32, for squares and quotients on the way to a result that float16 can hold."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


@pointing
def named_axis(who: str, dim: Any, axis: Any, default: Any) -> Any:
    """The axis that PyTorch calls `dim` and NumPy `axis`."""
    if dim is not None and axis is not None:
        raise TypeError(f"{who}: dim and axis are two names for one thing; give one of them")
    return default if dim is None and axis is None else axis if dim is None else dim


@functools.lru_cache(maxsize=256)
def _signature(initialiser: Any) -> inspect.Signature:
    return inspect.signature(initialiser)


def check_call(kind: type, given: tuple[Any, ...], settings: dict[str, Any]) -> None:
    """Raise if a class cannot be called with these arguments, and say how it is."""
    if kind.__init__ is object.__init__:  # type: ignore[misc]
        raise TypeError(f"{kind.__name__} is made without arguments: {kind.__name__}()")
    signature = _signature(kind.__init__)  # type: ignore[misc]
    try:
        signature.bind(None, *given, **settings)
    except TypeError as error:
        hint = ""
        if len(given) == 1 and isinstance(given[0], (list, tuple)):
            hint = f"; its numbers are no list: {kind.__name__}({', '.join(map(repr, given[0]))})"
        _, *parameters = signature.parameters.values()
        plain = [
            p.replace(
                annotation=p.empty,
                default="..." if callable(p.default) and p.default is not p.empty else p.default,
            )
            for p in parameters
        ]
        raise TypeError(
            f"{kind.__name__}: {error}; it is made as {kind.__name__}{inspect.Signature(plain)}{hint}"
        ) from None


def settings_of(module: Any) -> str:
    """What a module was made with, as its text shows it: what has no default, and what is not the default."""
    _, *parameters = _signature(type(module).__init__).parameters.values()
    shown = []
    for p in parameters:
        if not hasattr(module, p.name):
            continue
        value = getattr(module, p.name)
        if isinstance(value, Value) or (value is None and p.default is True):
            value = value is not None  # a parameter of the layer, or none, as it was asked for
        if p.default is p.empty or value != p.default:
            shown.append(f"{p.name}={value!r}")
    return ", ".join(shown)


@pointing
def count_of(who: str, name: str, given: Any, least: int = 0) -> int:
    """How many of something there are, as an int."""
    try:
        found = operator.index(given)
    except TypeError:
        raise TypeError(f"{who}: {name} is a whole number, not {given!r} ({type(given).__name__})") from None
    if found < least:
        raise ValueError(f"{who}: {name} is {least} or more, not {given!r}")
    return found


@pointing
def numbers(who: str, name: str, x: Any, n: int, least: int = 1) -> tuple[int, ...]:
    """One number for each of `n` axes, from one number for all or from a sequence of them."""
    given = tuple(x) if hasattr(x, "__iter__") else (x,)
    given = given * n if len(given) == 1 else given
    if len(given) != n or not all(isinstance(a, (int, np.integer)) and a >= least for a in given):
        raise ValueError(
            f"{who}: {name} is a whole number from {least} on, or {n} of them, one an axis; not {x!r}"
        )
    return tuple(int(a) for a in given)


@pointing
def pair(who: str, input: Any, target: Any) -> tuple[Any, Any]:
    """Input and target of a loss, in the same shape and, where plain, the same floating-point dtype."""
    input = array(input)
    if input.dtype.kind != "f":
        input = input.astype(float)
    target = taken_as(target, input)
    if input.shape != target.shape:
        fits = input.size == target.size
        raise ValueError(
            f"{who}: input has shape {input.shape}, target {target.shape}, and each entry has a target "
            "of its own" + (f"; target.reshape({input.shape}) would fit" if fits else "")
        )
    return input, target


def fine(check: Callable[..., str], *data: Any) -> None:
    """Raise ValueError with what `check` says against these numbers, if it says anything.

    A compiled function asks again at each call; what is lazy is not looked at.
    """
    if not any(map(is_lazy, data)) and (said := neural.complaint(check, *data)):
        raise ValueError(said)


@pointing
def class_numbers(
    who: str, input: Any, target: Any, ignore_index: int | None = None, otherwise: str = ""
) -> Any:
    """Class numbers that can be looked up, and which samples count, which is None if all do."""
    axis = 1 if len(input.shape) > 1 else 0
    classes, samples = input.shape[axis], input.shape[:axis] + input.shape[axis + 1 :]
    if target.shape != samples:
        raise ValueError(
            f"{who}: for an input of shape {input.shape} the target has shape {samples} (class numbers)"
            f"{otherwise}, and not {target.shape}" + _other_targets(input, target, samples)
        )
    if isinstance(target, Value) or target.dtype.kind not in "iu":
        raise TypeError(
            f"{who}: class numbers are integers in a plain array, and these are {target.dtype}"
            f"{' in a Value' if isinstance(target, Value) else '; convert them with target.astype(int)'}"
        )
    ignored = -1 if ignore_index is None else ignore_index
    if not is_lazy(target) and neural.only_classes(target, classes, ignored):
        return target, None

    def check(target: Any) -> None:
        if not neural.only_classes(target, classes):
            span = neural.span(target)
            raise ValueError(
                f"{who}: the numbers of {classes} classes go from 0 to {classes - 1}, and those of the "
                f"target {span}"
                + ("; count them from 0: target - 1" if span == f"from 1 to {classes}" else "")
            )

    if ignore_index is None:
        return looked_at(target, check), None
    counted = target != ignore_index
    return looked_at(np.where(counted, target, 0), check), counted


def _other_targets(input: Any, target: Any, samples: tuple[int, ...]) -> str:
    """What to write instead, for targets of a wrong shape."""
    if len(target.shape) == len(input.shape) + 1 and target.shape[:1] == input.shape[:1]:
        return "; logits come first: cross_entropy(logits, target)"
    fits = math.prod(target.shape) == math.prod(samples)
    return f"; target.reshape({samples}) would fit" if fits and target.shape else ""


@pointing
def class_weights(who: str, input: Any, weight: Any) -> Any:
    """A factor for each class, in the dtype of `input`."""
    weight, classes = taken_as(weight, input), input.shape[1 if len(input.shape) > 1 else 0]
    if weight.shape != (classes,):
        raise ValueError(f"{who}: weight has shape {weight.shape}, and there are {classes} classes")
    return weight


@pointing
def weighted(each: Any, weight: Any) -> Any:
    """The entries of a loss times their weights."""
    if weight is None:
        return each
    weight = taken_as(weight, each)
    pairs = zip(weight.shape[::-1], each.shape[::-1])
    if len(weight.shape) > len(each.shape) or any(n not in (1, there) for n, there in pairs):
        raise ValueError(
            f"weight has shape {weight.shape}, which does not broadcast to the input's {each.shape}"
        )
    return each * weight


def class_shares(target: Any, weight: Any, counted: Any, dtype: Any) -> Any:
    """How much each sample counts: the weight of its class, or 0; None if all count alike."""
    if weight is None and counted is None:
        return None
    if weight is None:
        share = np.ones(target.shape, dtype)
    else:
        share = neural.embedding(target, weight[:, None])[..., 0] if any_foreign(target) else weight[target]
    return share if counted is None else share * counted


def shared_out(each: Any, share: Any, counted: Any) -> Any:
    """The loss of each sample times its share, and exactly 0 for those that do not count."""
    each = each if share is None else each * share
    return each if counted is None else _numpy.where(counted, each, 0.0)


def without_ignored(input: Any, counted: Any) -> Any:
    """Logits with 0 in place of those of samples that do not count, which may be nan."""
    axis = 1 if len(input.shape) > 1 else 0
    return input if counted is None else _numpy.where(np.expand_dims(counted, axis), input, 0.0)


@pointing
def reduced(each: Any, reduction: str, share: Any = None) -> Any:
    """The mean (by shares, if there are any) or the sum of a loss, or every entry of it."""
    if reduction == "mean":
        return each.mean() if share is None else each.sum() / share.sum()
    if reduction == "sum":
        return each.sum()
    if reduction == "none":
        return each
    raise ValueError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}")
