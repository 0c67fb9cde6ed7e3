"""What passes between the grader and a submission's process: one line of JSON a message, and plain data only.

Numbers, texts, lists, tuples, dicts and arrays of numbers come out as what they were.  A Value travels as its
data, and of anything else only the text that shows it arrives.  Nothing that is read here can run code.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

_NUMBERS = re.compile(r"[<>|=][biufc]\d{1,2}")


@dataclass(frozen=True)
class Other:
    """Something that is no plain data, by the text that shows it."""

    text: str

    def __repr__(self) -> str:
        return self.text


def written(message: Any) -> bytes:
    """A message as one line.

    Examples
    --------
    >>> written((1.0, [2, None]))
    b'{"tuple": [1.0, [2, null]]}\\n'
    """
    return json.dumps(_packed(message)).encode() + b"\n"


def read(line: bytes) -> Any:
    """The message that a line holds.

    Raises
    ------
    ValueError
        If the line is no message.

    Examples
    --------
    >>> read(written({"w": np.array([1.0, 2.0]), "b": (3, float)}))
    {'w': array([1., 2.]), 'b': (3, <class 'float'>)}
    """
    try:
        return _unpacked(json.loads(line))
    except (TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError(f"no message: {line[:80]!r}") from error


def _packed(thing: Any) -> Any:
    thing = thing.numpy() if hasattr(thing, "requires_grad") and hasattr(thing, "numpy") else thing
    if isinstance(thing, np.ndarray | np.generic) and thing.dtype.kind in "biufc":
        raw = base64.b64encode(np.ascontiguousarray(thing).tobytes()).decode()
        return {"array": [thing.dtype.str, np.shape(thing), raw, isinstance(thing, np.generic)]}
    if thing is None or type(thing) in (bool, int, float, str):
        return thing
    if isinstance(thing, list):
        return [_packed(part) for part in thing]
    if isinstance(thing, tuple):
        return {"tuple": [_packed(part) for part in thing]}
    if isinstance(thing, dict):
        return {"dict": [[_packed(key), _packed(part)] for key, part in thing.items()]}
    return {"other": repr(thing)[:500]}


def _unpacked(data: Any) -> Any:
    if isinstance(data, list):
        return [_unpacked(part) for part in data]
    if not isinstance(data, dict):
        return data
    ((kind, content),) = data.items()
    return _KINDS[kind](content)


def _array(content: Any) -> Any:
    dtype, shape, raw, scalar = content
    if not _NUMBERS.fullmatch(dtype) or math.prod(shape) < 0:
        raise ValueError(f"no array of numbers: {dtype} {shape}")
    array = np.frombuffer(base64.b64decode(raw), dtype).reshape(shape).copy()
    return array[()] if scalar else array


_KINDS: dict[str, Callable[[Any], Any]] = {
    "array": _array,
    "tuple": lambda parts: tuple(map(_unpacked, parts)),
    "dict": lambda pairs: {_unpacked(key): _unpacked(part) for key, part in pairs},
    "other": lambda text: Other(str(text)),
}
