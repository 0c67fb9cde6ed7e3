"""What is inside a thing, by its type: the table that a scan of a function's closure goes by.

A visitor is called as ``visit(scan, name, thing, put)``.  It tells the scan what makes the thing what it is
(`token`), what to compare at each call (`watch`, `contents`), and which parts to look at next (`inside`),
each with a function that puts something else in the part's place, where that can be done.
"""

from __future__ import annotations

import builtins
import collections
import contextlib
import dis
import enum
import functools
import gc
import operator
import os
import pickle
import random
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arraylike import Value
from .keys import Same, key_of
from .kinds import (
    EVERYTHING,
    KNOWN,
    OURS,
    is_known,
    is_known_file,
    is_module,
    is_outside,
    root_of,
)
from .traced import TraceError
from .watched import entries, is_empty, reclass, refill

if TYPE_CHECKING:
    from .closure import Scan


def _value(scan: Scan, name: str, thing: Value, put: Any) -> None:
    if thing.row is None:
        scan.held.values.append((name or thing.name or "value", thing))
    else:  # a result of earlier: it stays as it is, unless it is written into
        scan.token(Same(thing))
        if isinstance(thing.data, np.ndarray):
            scan.contents(name, thing.data, entries)


def _dict(scan: Scan, name: str, thing: Any, put: Any) -> None:
    scan.token(type(thing))
    if thing is vars(builtins):  # in a module's globals, which are looked at as a dict
        return
    scan.mapping(name, thing)
    if type(thing) is not dict:
        _attributes(scan, name, thing)


def _proxy(scan: Scan, name: str, thing: Any, put: Any) -> None:
    scan.token(*map(key_of, thing))
    scan.watch([name], thing.values(), lambda was: None)
    scan.inside(name, ((str(key), part, None) for key, part in thing.items()))


def _sequence(scan: Scan, name: str, thing: Any, put: Any) -> None:
    scan.token(type(thing), len(thing))
    names = [f"{name}[{i}]" for i in range(len(thing))] if len(thing) < 50 else [name]
    scan.watch(names, thing, functools.partial(refill, thing))
    scan.inside(name, ((str(i), x, functools.partial(thing.__setitem__, i)) for i, x in enumerate(thing)))
    if type(thing) not in (list, collections.deque):
        _attributes(scan, name, thing)


def _set(scan: Scan, name: str, thing: Any, put: Any) -> None:
    scan.token(type(thing), len(thing))
    if isinstance(thing, set):
        scan.watch([name], thing, functools.partial(refill, thing))
    scan.inside(name, (("", part, None) for part in thing))


def _tuple(scan: Scan, name: str, thing: Any, put: Any) -> None:
    if not _has_arrays(thing, scan.arrays_in) and scan.again(thing):
        return
    scan.token(type(thing), len(thing))
    whole = None if put is None else Whole(thing, put)
    parts = ((str(i), x, whole and functools.partial(whole.put, i)) for i, x in enumerate(thing))
    scan.inside(name, parts)
    scan.kept.append(thing)
    if type(thing) is not tuple and not hasattr(thing, "_fields"):
        _attributes(scan, name, thing)


class Whole:
    """A tuple in its place: parts cannot be put into it, so another tuple takes its place."""

    def __init__(self, thing: tuple[Any, ...], place: Callable[[Any], None]) -> None:
        self.thing, self.parts, self.place = thing, list(thing), place

    def put(self, i: int, new: Any) -> None:
        self.parts[i] = new
        if all(map(operator.is_, self.parts, self.thing)):
            return self.place(self.thing)
        kind: Any = type(self.thing)
        return self.place(kind._make(self.parts) if hasattr(kind, "_fields") else kind(self.parts))


def _generator(scan: Scan, name: str, thing: Any, put: Any) -> None:
    scan.held.generators.append(thing)


def _drawing(scan: Scan, name: str, thing: Any, put: Any) -> None:
    """Something that random numbers come from and that a program cannot draw from."""
    scan.token(Same(thing))
    scan.held.drawing.append(thing)


def _function(scan: Scan, name: str, thing: types.FunctionType, put: Any) -> None:
    scan.token(Same(thing.__code__), len(thing.__closure__ or ()))
    if thing.__module__ == "os":
        scan.inside("", [("environ", os.environ, None)])
    if not is_known_file(thing.__code__.co_filename):
        _of_code(scan, name, thing)
    elif not thing.__closure__:
        return
    for key, cell in zip(thing.__code__.co_freevars, thing.__closure__ or ()):
        if is_empty(cell):
            scan.contents(key, cell, is_empty)
        else:
            part, put_part = cell.cell_contents, functools.partial(setattr, cell, "cell_contents")
            scan.watch_each(getattr, cell, ["cell_contents"], key)
            scan.inside(name, [(key, part, put_part)])
    if wrapped := vars(thing).get("__wrapped__"):
        scan.inside("", [(name, wrapped, None)])


def _of_code(scan: Scan, name: str, thing: types.FunctionType) -> None:
    """What the code of a function names, and its defaults."""
    scan.watch_each(getattr, thing, ("__code__", "__defaults__", "__kwdefaults__"), thing.__name__)
    names = dict.fromkeys(_names(thing.__code__))
    scan.name(frozenset(names))
    known = thing.__globals__
    used = known if _reads_all(thing.__code__) else names
    of_python = vars(builtins)
    scan.watch_each(dict.get, known, [key for key in used if key in known or key in of_python])
    parts: list[tuple[str, Any, Any]] = [
        (key, known[key], functools.partial(known.__setitem__, key)) for key in used if key in known
    ]
    hidden = [key for key in names if key not in known and is_outside(of_python.get(key), scan.asked)]
    parts += [(key, of_python[key], functools.partial(hide, known, key)) for key in hidden]
    parts += [("", sys.modules[key], None) for key in names if key not in known and key in sys.modules]
    parts.append(("", thing.__defaults__ or (), functools.partial(setattr, thing, "__defaults__")))
    parts.append(("", thing.__kwdefaults__ or {}, None))
    if vars(thing).keys() - {"__wrapped__"}:
        parts.append(("", vars(thing), None))
    scan.inside(name, parts)


def hide(known: dict[str, Any], name: str, new: Any) -> None:
    """Put something in the place of a function of Python's own: under its name among a module's globals."""
    if new is getattr(builtins, name):
        known.pop(name, None)
    else:
        known[name] = new


def _reads_all(code: types.CodeType) -> bool:
    """Whether code may read any global by its name in a string."""
    asked = {"globals", "eval", "exec"} & set(code.co_names)
    found = asked and {i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"}
    return bool(asked & found) if found else False


def _names(code: types.CodeType) -> Iterator[str]:
    """The global names and attributes in a function's code, and in the code of functions inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _python_module(scan: Scan, name: str, thing: types.ModuleType, put: Any) -> None:
    """Of a module of Python's: what the code names."""
    scan.seen.pop((id(thing), scan.noted), None)  # other code names other things of it
    attributes, known = vars(thing), is_known(root_of(thing)) or root_of(thing) == OURS
    everything = scan.asked & EVERYTHING and not known
    chosen = [key for key in (attributes if everything else scan.asked) if key in attributes]
    chosen = [key for key in chosen if not (key.startswith("__") and key.endswith("__"))]
    for key in sorted(scan.watch_each(dict.get, attributes, chosen)):
        part = attributes[key]
        if part is type:
            raise TraceError("compile: builtins.type knows nothing of traced arrays; write type(x)")
        usable = not known or is_outside(part, scan.asked)
        scan.token(key)
        scan.inside(name, [(key, part, functools.partial(attributes.__setitem__, key) if usable else None)])


def _class(scan: Scan, name: str, thing: type, put: Any) -> None:
    scan.token(Same(thing))
    if thing is Value or issubclass(thing, (np.generic, BaseException)) or is_known(root_of(thing)):
        return
    scan.inside("", [("", kind, None) for kind in (type(thing), *thing.__mro__) if kind not in (thing, type)])
    if issubclass(thing, enum.Enum):
        return scan.inside(name, ((key, part, None) for key, part in thing.__members__.items()))
    attributes = vars(thing)
    names = [f"{thing.__name__}.{key}" for key in attributes]
    before = dict(attributes)
    scan.watch(names, attributes.values(), lambda was: reclass(thing, before))
    for key, part in reversed(list(attributes.items())):
        plain = isinstance(part, types.FunctionType) and not part.__closure__
        if plain and is_known_file(part.__code__.co_filename):
            scan.token(Same(part))
            continue
        put_part = functools.partial(setattr, thing, key)
        special = key.startswith("__") and key.endswith("__")
        if special and not callable(part):
            continue
        overrides = any(key in vars(kind) for kind in thing.__mro__[1:] if root_of(kind) == OURS)
        if isinstance(part, METHODS) and not (special or overrides):
            scan.inside_if_named(key, part, put_part)
        else:
            scan.inside("", [(key, part, put_part)])


LIMIT = 1000  # so many objects of other packages are looked into
METHODS = (types.FunctionType, property, classmethod, staticmethod, functools.cached_property)


def _builtin(scan: Scan, name: str, thing: Any, put: Any) -> None:
    """A function written in C; of a method, the object."""
    scan.token(type(thing), getattr(thing, "__qualname__", ""))
    owner = getattr(thing, "__self__", None)
    if owner is not None and not isinstance(owner, (types.ModuleType, type)):
        scan.inside("", [(name, owner, None)])


def _partial(scan: Scan, name: str, thing: Any, put: Any) -> None:
    scan.token(type(thing))

    def again(args: Any) -> None:
        thing.__setstate__((thing.func, args, thing.keywords, vars(thing) or None))

    scan.inside(name, [("", thing.func, None), ("", thing.args, again), ("", thing.keywords, None)])


def _consists(scan: Scan, name: str, thing: Any, put: Any) -> None:
    """A thing that consists of other things and never changes."""
    scan.token(type(thing))
    scan.inside(name, (("", part, None) for part in gc.get_referents(thing)))


def _buffer(scan: Scan, name: str, thing: Any, put: Any) -> None:
    scan.contents(name, thing, bytes, functools.partial(operator.setitem, thing, slice(None)))


def _known(scan: Scan, name: str, thing: Any, put: Any) -> None:
    scan.token(Same(thing))


def _variable(scan: Scan, name: str, thing: Any, put: Any) -> None:
    """A context variable, or a weak reference: what it gives just now."""

    def now(x: Any) -> Same:
        return Same(x.get(None) if isinstance(x, ContextVar) else x())

    scan.contents(name, thing, now)
    scan.inside("", [(name, now(thing).thing, None)])


def visit_object(scan: Scan, name: str, thing: Any, put: Any) -> None:
    """Any other object: its class and its attributes; or what `pickle` would keep of it."""
    kind = type(thing)
    scan.token(Same(thing))
    scan.foreign += is_known(root_of(kind))
    aside = root_of(kind) in ("logging", "threading", "_thread", "warnings")  # tells of a run, or guards it
    if scan.foreign > LIMIT or (aside and not isinstance(thing, threading.local)):
        return
    if _has(thing, "__wrapped__") and (kind.__module__.startswith(OURS) or is_known(root_of(kind))):
        return scan.inside("", [(name, thing.__wrapped__, None)])
    with_array = _has(kind, "__array__")
    inside = _has(thing, "__dict__") or any("__slots__" in vars(k) for k in kind.__mro__)
    if inside:
        _attributes(scan, name, thing)
    if with_array or not inside:
        read = (lambda x: entries(np.asarray(x))) if with_array else pickle.dumps
        with contextlib.suppress(Exception):  # whatever a type raises that cannot be read so
            if read(thing) == read(thing):
                scan.contents(name, thing, read)


def _has(thing: Any, name: str) -> bool:
    """Whether a thing has an attribute; foreign ones may raise anything when asked."""
    with contextlib.suppress(Exception):
        return hasattr(thing, name)
    return False


def _attributes(scan: Scan, name: str, thing: Any) -> None:
    kind = type(thing)
    if not is_known(root_of(kind)):
        scan.inside("", [("", kind, None)])
    if is_module(thing):
        scan.held.modules.append(thing)
    slots = [n for part in kind.__mro__ for n in _listed(vars(part).get("__slots__", ()))]
    there = [n for n in slots if _has(thing, n) and n not in ("__dict__", "__weakref__")]
    scan.watch_each(getattr, thing, slots, name)
    scan.inside(
        name, ((n, getattr(thing, n), functools.partial(object.__setattr__, thing, n)) for n in there)
    )
    if _has(thing, "__dict__") and isinstance(thing.__dict__, dict):
        scan.watch_each(getattr, thing, ("__class__", "__dict__"), kind.__name__)
        scan.mapping(name, thing.__dict__, getattr(thing, "buffer_names", ()) if is_module(thing) else ())


def _listed(names: Any) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _has_arrays(thing: Any, known: dict[int, bool]) -> bool:
    """Whether there is an array in nested tuples."""
    if isinstance(thing, tuple):
        if id(thing) not in known:
            known[id(thing)] = any(_has_arrays(part, known) for part in thing)
        return known[id(thing)]
    return isinstance(thing, np.ndarray)


CONSISTING: tuple[Any, ...] = (
    slice, types.MethodType, staticmethod, classmethod, property, functools.cached_property,
    functools.partialmethod, type({}.keys()), type({}.values()), type({}.items()),
)  # fmt: skip
VISITORS: dict[type, Callable[..., None]] = {
    Value: _value, dict: _dict, list: _sequence, collections.deque: _sequence, set: _set, frozenset: _set,
    tuple: _tuple, np.random.Generator: _generator, np.random.RandomState: _drawing,
    np.random.BitGenerator: _drawing, random.Random: _drawing, types.FunctionType: _function,
    types.ModuleType: _python_module, type: _class, types.BuiltinFunctionType: _builtin,
    types.MethodWrapperType: _builtin, functools.partial: _partial, types.MappingProxyType: _proxy,
    bytearray: _buffer, memoryview: _buffer, ContextVar: _variable, weakref.ref: _variable,
    **dict.fromkeys(CONSISTING, _consists), **dict.fromkeys(KNOWN, _known),
}  # fmt: skip
