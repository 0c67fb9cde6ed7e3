"""Keys: what is told apart where signatures, instructions and whole runs are compared.

Things with equal keys may stand in for each other.  1, 1.0 and True are three things, 0.0 and -0.0 two, and
nan is equal to itself; functions that are made anew are equal if their code and what they hold is.
"""

from __future__ import annotations

import hashlib
import types
from typing import Any

import numpy as np

from ..arraylike import Value
from .kinds import KNOWN, PRINTED
from .traced import Traced
from .variables import Variable

OPAQUE = (*KNOWN, type, types.ModuleType)
DEEP = 20  # attributes of attributes are compared so far


class Same:
    """Stands for one object in a key: equal to nothing but itself, and kept alive."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.thing is other.thing

    def __hash__(self) -> int:
        return id(self.thing)


def key_of(thing: Any, depth: int = 0) -> Any:
    """Something hashable that is equal for equal things only.

    Examples
    --------
    >>> key_of((1.0, [np.ones(2)])) == key_of((1.0, [np.ones(2)]))
    True
    >>> key_of(0.0) == key_of(-0.0), key_of(1) == key_of(True)
    (False, False)
    """
    kind = type(thing)
    if kind in (int, bool, str, bytes, types.BuiltinFunctionType, types.MethodType):
        return kind, thing
    if kind in (float, complex) or isinstance(thing, PRINTED):
        return kind, repr(thing)
    if kind is Variable:
        return kind, thing.number, thing.shape, thing.dtype, thing.is_number
    if kind is Same:
        return thing
    parts: Any = None
    if isinstance(thing, (tuple, list)):
        parts = thing
    elif isinstance(thing, dict):
        parts = [*thing, *thing.values()]
    elif isinstance(thing, slice):
        parts = thing.start, thing.stop, thing.step
    elif isinstance(thing, Traced):
        parts = (thing.variable,)
    elif isinstance(thing, Value):
        parts = thing.requires_grad, thing.data
    elif isinstance(thing, (np.ndarray, np.generic)):
        if thing.dtype == object:
            parts = thing.shape, thing.tolist()
        else:
            return kind, thing.dtype.str, thing.shape, hashlib.blake2b(thing.tobytes()).digest()
    elif isinstance(thing, types.FunctionType):
        parts = Same(thing.__code__), thing.__defaults__, [c.cell_contents for c in thing.__closure__ or ()]
    elif isinstance(thing, (set, frozenset)):
        return kind, frozenset([key_of(part, depth + 1) for part in thing])
    elif getattr(kind, "__getstate__", None) is object.__getstate__ and not isinstance(thing, OPAQUE):
        parts = [state] if (state := thing.__getstate__()) else None  # its attributes
    if parts is None or depth > DEEP:
        return Same(thing)
    return kind, *[key_of(part, depth + 1) for part in parts]
