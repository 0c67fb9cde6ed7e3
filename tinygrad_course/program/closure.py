"""Find what a function uses besides its arguments: Values, modules and generators in its closure and globals.

Their data are read at every call of a compiled function, so they become inputs of the program.  Numbers and
other plain things are constants of a program; `Held.changed` tells, at each call, whether they still are what
they were.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arraylike import Value
from ..files import PACKAGE

PLAIN = (int, float, complex, str, bytes, type(None), np.generic, np.dtype)
SKIPPED = (*PLAIN, types.ModuleType, type, np.ndarray, np.ufunc, types.BuiltinFunctionType)


class Same:
    """Stands for one object in a key: equal to nothing but itself, and kept alive."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.thing is other.thing

    def __hash__(self) -> int:
        return id(self.thing)


class Key:
    """A long key that is hashed once."""

    __slots__ = ("_hash", "parts")

    def __init__(self, parts: tuple[Any, ...]) -> None:
        self.parts, self._hash = parts, hash(parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and (self is other or self.parts == other.parts)

    def __hash__(self) -> int:
        return self._hash


@dataclass
class Held:
    """What a function holds.

    Attributes
    ----------
    values : list of (str, Value)
        Leaves, with names, each once, in order.
    modules : list
    generators : list of numpy.random.Generator
    constants : list
        A key for the plain things: numbers and strings by value, arrays by identity.
    """

    values: list[tuple[str, Value]] = field(default_factory=list)
    modules: list[Any] = field(default_factory=list)
    generators: list[np.random.Generator] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    _entries: list[tuple[Any, Any, Any]] = field(default_factory=list)  # container, key, what was there
    _cells: list[tuple[str, Any, Any]] = field(default_factory=list)
    _sizes: list[tuple[Any, int]] = field(default_factory=list)

    @functools.cached_property
    def key(self) -> Any:
        """The constants and everything whose data are read, as a key."""
        parts = [*[v for _, v in self.values], *self.modules, *self.generators]
        return Key((*self.constants, *map(Same, parts)))

    def found(self, values: list[tuple[str, Value]]) -> None:
        """Take in Values that only a run of the function has shown."""
        self.values += values
        self.__dict__.pop("key", None)

    def changed(self) -> str | None:
        """The name of something that is not what it was any more."""
        try:
            for container, key, was in self._entries:
                if container[key] is not was:
                    return str(key)
            for key, cell, was in self._cells:
                if cell.cell_contents is not was:
                    return str(key)
            for container, n in self._sizes:
                if len(container) != n:
                    return f"a {type(container).__name__} of {n} things"
        except (KeyError, IndexError, ValueError):
            return "a name"
        return None

    def restore(self) -> None:
        """Put back what was there."""
        for _, cell, was in self._cells:
            cell.cell_contents = was
        for container, n in self._sizes:
            if isinstance(container, list):
                del container[n:]
            else:
                for key in list(container)[n:]:
                    del container[key]
        for container, key, was in self._entries:
            container[key] = was


def held_by(function: Callable[..., Any], *others: Any) -> Held:
    """What `function` and `others` hold."""
    held = Held()
    unnoted = Held()
    seen: dict[int, Any] = {}
    waiting: list[tuple[str, Any, int, bool]] = [("", t, 0, True) for t in reversed((function, *others))]
    while waiting:
        name, thing, depth, noted = waiting.pop()
        if id(thing) in seen or isinstance(thing, SKIPPED) or depth > 12:
            continue
        seen[id(thing)] = thing
        if isinstance(thing, Value):
            if thing.row is None:
                held.values.append((name or thing.name or "value", thing))
            continue
        if isinstance(thing, np.random.Generator):
            held.generators.append(thing)
            continue
        if is_module(thing):
            held.modules.append(thing)
        # what an optimizer or a schedule has counted and set is its own affair
        noted = is_module(thing) or (noted and not hasattr(type(thing), "step"))
        inside = []
        for key, part in _inside(thing, held if noted else unnoted):
            inside.append((f"{name}.{key}" if name and key else name or key, part, depth + 1, noted))
        waiting.extend(reversed(inside))
    return held


def is_module(thing: Any) -> bool:
    """Whether `thing` is a module of a network (from a higher floor): it has parameters and a mode."""
    return hasattr(type(thing), "named_parameters") and hasattr(type(thing), "training")


def _inside(thing: Any, held: Held) -> Iterator[tuple[str, Any]]:
    """The things that `thing` holds, with their names; where they are is noted in `held`."""

    def entries(container: Any, items: Any) -> Iterator[tuple[str, Any]]:
        for key, part in items:
            if isinstance(part, (types.ModuleType, type)) or part is container:
                continue
            if isinstance(part, (*PLAIN, np.ndarray)):
                if isinstance(part, np.ndarray) and not isinstance(thing, types.FunctionType):
                    continue
                held.constants.append(_key(part))
            held._entries.append((container, key, part))
            yield str(key), part

    if isinstance(thing, dict):
        held._sizes.append((thing, len(thing)))
        yield from entries(thing, list(thing.items()))
    elif isinstance(thing, list):
        held._sizes.append((thing, len(thing)))
        numbers = len(thing) > 100 and isinstance(thing[0], PLAIN)
        yield from () if numbers else entries(thing, list(enumerate(thing)))
    elif isinstance(thing, tuple):
        held.constants.extend(_key(part) for part in thing if isinstance(part, PLAIN))
        yield from ((str(i), part) for i, part in enumerate(thing))
    elif isinstance(thing, functools.partial):
        yield "", thing.func
        yield "", thing.args
        yield "", thing.keywords
    elif isinstance(thing, types.MethodType):
        yield "", thing.__self__
        yield "", thing.__func__
    elif isinstance(thing, types.FunctionType):
        if not _is_ours(thing):
            yield from _of_function(thing, held, entries)
    elif hasattr(thing, "__wrapped__"):
        yield "", thing.__wrapped__
    elif hasattr(thing, "__dict__") and type(thing).__module__ not in ("builtins", "numpy"):
        attributes = vars(thing)
        held._sizes.append((attributes, len(attributes)))
        others = (
            ("training", *getattr(thing, "buffer_names", ())) if is_module(thing) else ()
        )  # read at each call
        items = [(k, part) for k, part in attributes.items() if k not in others]
        yield from entries(attributes, items)
        for kind in type(thing).__mro__:
            if kind.__module__ not in ("builtins", "abc"):
                yield from (
                    ("", part) for part in vars(kind).values() if isinstance(part, types.FunctionType)
                )


def _of_function(
    thing: types.FunctionType, held: Held, entries: Callable[..., Any]
) -> Iterator[tuple[str, Any]]:
    code, cells = thing.__code__, thing.__closure__ or ()
    for key, cell in zip(code.co_freevars, cells):
        try:
            part = cell.cell_contents
        except ValueError:  # not filled yet
            continue
        held._cells.append((key, cell, part))
        if isinstance(part, (*PLAIN, np.ndarray)):
            held.constants.append(_key(part))
        yield key, part
    names = dict.fromkeys(key for key in _names(code) if key in thing.__globals__)
    yield from entries(thing.__globals__, [(key, thing.__globals__[key]) for key in names])
    yield "", thing.__defaults__ or ()
    yield "", thing.__kwdefaults__ or {}


def _key(part: Any) -> Any:
    """A plain thing in a key: 1, 1.0 and True are three things."""
    if isinstance(part, np.ndarray):
        return Same(part)
    return (type(part), str(part)) if isinstance(part, (float, np.generic)) else (type(part), part)


def _is_ours(function: types.FunctionType) -> bool:
    return function.__code__.co_filename.startswith(PACKAGE)


def _names(code: types.CodeType) -> Iterator[str]:
    """The global names in a function's code, and in the code of functions inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
