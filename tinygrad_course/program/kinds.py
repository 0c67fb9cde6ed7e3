"""Kinds of things that a function may hold: what never changes, what is known, what nobody can watch."""

from __future__ import annotations

import datetime
import decimal
import fractions
import functools
import os
import pathlib
import random
import sys
import time
import types
from typing import Any

import numpy as np

from ..arraylike.truth import Truth
from ..files import PACKAGE

EXACT = (int, bool, float, complex, str, bytes, type(None), type(Ellipsis), type(NotImplemented))
PRINTED = (
    range, fractions.Fraction, decimal.Decimal, pathlib.PurePath,
    datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo, np.dtype,
)  # fmt: skip
"""Things that never change, and are told apart by their text: 0.0 from -0.0, nan equal to itself."""
KNOWN = (
    np.ufunc, type(np.sum), types.CodeType, types.GetSetDescriptorType, types.MemberDescriptorType,
    types.WrapperDescriptorType, types.MethodDescriptorType, types.GenericAlias,
)  # fmt: skip
OUTSIDE = {time.time_ns, time.monotonic_ns, time.perf_counter_ns, os.urandom}
OUTSIDE |= {
    getattr(time, name)
    for name in "time monotonic perf_counter process_time thread_time localtime gmtime ctime".split()  # noqa: SIM905
}
OUTSIDE |= {getattr(np, name) for name in ("load", "loadtxt", "genfromtxt", "fromfile")}
OUTSIDE |= {open, input, os.getcwd, os.listdir}
"""Clocks, the system's random numbers, and what reads files."""
HEAP = 1 << 9  # the flag of classes that are not written in C
ARRAYS = (np.ndarray, Truth)  # whose entries are all that they hold
FED = frozenset([*ARRAYS, float, *[np.dtype(letter).type for letter in "efdg"]])
WHOLE = frozenset([int, *[np.dtype(letter).type for letter in "bhilqBHILQ"]])
"""What is given to a program anew at each call; whole numbers are, unless they stand in a list or a tuple."""
NUMBERS = "biufc"  # kinds of dtypes that a program computes with
EVERYTHING = {"getattr", "vars", "__dict__"}  # names that reach any other
PYTHONS = os.path.dirname(os.__file__)
OURS = __name__.partition(".")[0]


def is_plain(thing: Any) -> bool:
    """Whether a thing never changes, and holds nothing."""
    return type(thing) in EXACT or isinstance(thing, (*PRINTED, np.generic))


def is_fed(kind: type, inside: bool) -> bool:
    """Whether an argument of a type is given anew at each call, `inside` a list or a tuple."""
    return kind in FED or (kind in WHOLE and not inside)


def is_module(thing: Any) -> bool:
    """Whether `thing` is a module of a network (from a higher floor): it has parameters and a mode."""
    return hasattr(type(thing), "named_parameters") and hasattr(type(thing), "training")


def is_outside(thing: Any, asked: frozenset[str]) -> bool:
    """Whether a thing gives something else each time: a clock, a file, an iterator; or is `type`."""
    if isinstance(thing, type):
        dated = thing is datetime.datetime or thing is datetime.date
        return thing is type or (dated and bool(asked & {"now", "today", "utcnow"}))
    if isinstance(thing, (types.BuiltinFunctionType, types.FunctionType, type(np.sum))):
        return thing in OUTSIDE
    if isinstance(thing, random.SystemRandom):
        return True
    return hasattr(type(thing), "__next__") and is_known(root_of(type(thing)))


def root_of(thing: Any) -> str:
    """The package that a class or module comes from."""
    if isinstance(thing, type) and thing.__module__ == "builtins" and thing.__flags__ & HEAP:
        return ""  # made by exec
    module = getattr(thing, "__name__" if isinstance(thing, types.ModuleType) else "__module__", "")
    return module.partition(".")[0] if isinstance(module, str) else ""


@functools.cache
def is_known(root: str) -> bool:
    """Whether a package is Python's own, NumPy, or installed: its code stays as it is."""
    if root in ("numpy", "builtins") or root in sys.stdlib_module_names or root.startswith("_cython"):
        return True
    return root != OURS and is_known_file(getattr(sys.modules.get(root), "__file__", None) or "")


def is_known_file(name: str) -> bool:
    """Whether a file belongs to Python, to this package, or to another one that is installed."""
    return name.startswith((PACKAGE, PYTHONS, "<frozen")) or "-packages" in name


def counts_by_itself(thing: Any) -> bool:
    """Whether `thing` is an optimizer or a schedule of this package: its steps are effects."""
    step = getattr(type(thing), "step", None)
    return isinstance(step, types.FunctionType) and step.__code__.co_filename.startswith(PACKAGE)
