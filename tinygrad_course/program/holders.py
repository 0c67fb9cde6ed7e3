"""Find what a function uses besides its arguments: the Values and modules in its closure, globals and object.

Their data are read at every call of a compiled function, so they become inputs of the program.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..value import Value

SKIPPED = (
    types.ModuleType,
    type,
    np.ndarray,
    np.generic,
    np.ufunc,
    str,
    bytes,
    int,
    float,
    types.BuiltinFunctionType,
)


def held_by(function: Callable[..., Any], *others: Any) -> tuple[list[tuple[str, Value]], list[Any]]:
    """The leaf Values, with names, and the modules that `function` and `others` hold, each once, in order."""
    values: dict[int, tuple[str, Value]] = {}
    modules: dict[int, Any] = {}
    seen: set[int] = set()
    waiting: list[tuple[str, Any, int]] = [("", thing, 0) for thing in reversed((function, *others))]
    while waiting:
        name, thing, depth = waiting.pop()
        if id(thing) in seen or isinstance(thing, SKIPPED) or depth > 8:
            continue
        seen.add(id(thing))
        if isinstance(thing, Value):
            if thing._row is None:
                values[id(thing)] = (name or thing.name or "value", thing)
            continue
        if is_module(thing):
            modules[id(thing)] = thing
        inside = [(f"{name}.{key}" if name and key else name or key, part) for key, part in _inside(thing)]
        waiting.extend((key, part, depth + 1) for key, part in reversed(inside))
    return list(values.values()), list(modules.values())


def is_module(thing: Any) -> bool:
    """Whether `thing` is a module of a network (from a higher floor): it has parameters and a mode."""
    return hasattr(type(thing), "named_parameters") and hasattr(type(thing), "training")


def _inside(thing: Any) -> Iterator[tuple[str, Any]]:
    """The things that `thing` holds, with their names."""
    if isinstance(thing, dict):
        yield from ((str(key), part) for key, part in thing.items())
    elif isinstance(thing, (list, tuple)):
        yield from ((str(i), part) for i, part in enumerate(thing))
    elif isinstance(thing, functools.partial):
        yield "", thing.func
        yield "", thing.args
        yield from thing.keywords.items()
    elif isinstance(thing, types.MethodType):
        yield "", thing.__self__
        yield "", thing.__func__
    elif isinstance(thing, types.FunctionType):
        code, cells = thing.__code__, thing.__closure__ or ()
        for key, cell in zip(code.co_freevars, cells):
            try:
                yield key, cell.cell_contents
            except ValueError:  # not filled yet
                continue
        for key in _names(code):
            if key in thing.__globals__:
                yield key, thing.__globals__[key]
        yield "", thing.__defaults__ or ()
        yield from (thing.__kwdefaults__ or {}).items()
    elif hasattr(thing, "__dict__") and type(thing).__module__ not in ("builtins", "numpy"):
        yield from vars(thing).items()
        if not is_module(thing) and callable(thing):
            yield "", type(thing).__call__


def _names(code: types.CodeType) -> Iterator[str]:
    """The global names in a function's code, and in the code of functions inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
