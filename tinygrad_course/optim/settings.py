"""What optimizers and schedules are given: checked once, with an answer to what beginners write instead."""

from __future__ import annotations

import math
import numbers
import operator
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arraylike import Value
from ..lines import pointing

LARGEST = sys.float_info.max


@pointing
def number(who: str, name: str, given: Any, least: float = -LARGEST, most: float = LARGEST) -> float:
    """`given` as a float, if it is a number from `least` to `most`.

    Examples
    --------
    >>> number("SGD", "momentum", 1, 0, 1)
    1.0
    """
    real = isinstance(given, (numbers.Real, np.ndarray))
    if not real or np.ndim(given) or np.iscomplexobj(given):
        hint = "; write it without quotes" if isinstance(given, str) else ""
        hint = "; give its data, v.item()" if isinstance(given, Value) and not given.shape else hint
        raise TypeError(f"{who}: {name} is a number, not {given!r} ({type(given).__name__}){hint}")
    try:
        found = float(given)
    except OverflowError:
        found = math.inf
    if not least <= found <= most:
        bounds = f"from {least:g} to {most:g}" if most < LARGEST else f"{least:g} or more"
        bounds = "a finite number" if least == -LARGEST else bounds
        raise ValueError(f"{who}: {name} must be {bounds}, and is {given!r}")
    return found


@pointing
def count(who: str, name: str, given: Any) -> int:
    """`given` as an int, if it is a whole number from 1 on."""
    try:
        found = operator.index(given)
    except TypeError:
        raise TypeError(
            f"{who}: {name} counts steps and is a whole number, not {given!r} ({type(given).__name__})"
        ) from None
    if found < 1:
        raise ValueError(f"{who}: {name} must be 1 or more, and is {given!r}")
    return found


@pointing
def parameter_list(who: str, params: Any) -> list[Value]:
    """Parameters as a list, if they are Values."""
    if not hasattr(params, "__iter__") or hasattr(params, "parameters") or isinstance(params, Value):
        what = "[value]" if isinstance(params, Value) else "model.parameters()"
        what += ", with its brackets" if callable(params) and not hasattr(params, "parameters") else ""
        raise TypeError(f"{who}: expected a list of parameters, got a {type(params).__name__}; give {what}")
    listed = list(params)
    if not listed:
        used = "; an iterator gives its items only once: keep a list" if hasattr(params, "__next__") else ""
        raise ValueError(f"{who}: there are no parameters to learn; does the model have any?{used}")
    for i, p in enumerate(listed):
        if not isinstance(p, Value):
            raise TypeError(
                f"{who}: parameter {i} is a {type(p).__name__}, not a Value; give model.parameters()"
            )
    return listed


@pointing
def check_keys(who: str, state: Any, own: Mapping[str, Any]) -> None:
    """Raise unless `state` is a mapping with exactly the names of `own`, and of the same kind of object."""
    if not isinstance(state, Mapping):
        raise TypeError(
            f"load_state_dict: a {who} goes on from a dict, as its state_dict() gives it, not from a "
            f"{type(state).__name__}"
            + ("; read the file first: nn.load(path)" if isinstance(state, str) else "")
        )
    if set(own) != set(state):
        raise ValueError(
            f"load_state_dict: this {who} keeps {', '.join(own)}, and the state has {', '.join(state)}"
        )
    if (kind := str(state["kind"])) != who:
        raise ValueError(f"load_state_dict: the state is that of a {kind}, and this is a {who}")
