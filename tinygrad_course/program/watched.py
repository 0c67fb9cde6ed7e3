"""What a function holds besides its arguments, compared at every call with what it was.

Its result depends on two sorts of things.  Arrays, and the data of Values, are inputs of its program: they
are read at each call.  All else (numbers, names, functions, the entries of lists and dicts) is watched:
`changed` compares it, mostly object by object, with what was found when the function was looked into.
"""

from __future__ import annotations

import itertools
import operator
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arraylike import Value
from .keys import Same

END = object()
"""Stands where nothing is."""


class Key:
    """A long key that is hashed once."""

    __slots__ = ("_hash", "parts")

    def __init__(self, parts: tuple[Any, ...]) -> None:
        self.parts, self._hash = parts, hash(parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and (self is other or self.parts == other.parts)

    def __hash__(self) -> int:
        return self._hash


class Each:
    """What a function gives for each of some things, computed anew whenever it is gone through."""

    __slots__ = ("function", "things")

    def __init__(self, function: Callable[..., Any], *things: Iterable[Any]) -> None:
        self.function, self.things = function, things

    def __iter__(self) -> Any:
        return map(self.function, *self.things)


@dataclass(slots=True)
class Spot:
    """A place outside the function where something else stands while it is traced.

    Attributes
    ----------
    name : str
        For people.
    thing : array, float or object
        What is there.
    put : callable
        Assigns to the place.
    read : callable or None
        For a number of an optimizer: gives it as it is just now.
    """

    name: str
    thing: Any
    put: Callable[[Any], None]
    read: Callable[[], Any] | None = None

    @property
    def now(self) -> Any:
        """The array, or the number, that a program reads there."""
        return self.thing if self.read is None else self.read()


@dataclass(slots=True)
class Watched:
    """Something that is compared: going through `view` gave `was`, which ``back(was)`` puts back."""

    names: list[str]
    view: Iterable[Any]
    back: Callable[[list[Any]], Any]
    was: list[Any]

    def now(self) -> list[Any]:
        try:
            return list(self.view)
        except (LookupError, ValueError, AttributeError):
            return [END]  # a name is gone


class Held:
    """What a function holds.

    Attributes
    ----------
    values : list of (str, Value)
        Leaves, with names, each once, in order.
    modules : list
    generators : list of numpy.random.Generator
    drawing : list
        Sources of random numbers that a program cannot draw from.
    spots : list of Spot
        Where Traced arrays shall stand in for arrays (and for numbers of an optimizer), and where a traced
        function must not look, such as a clock.
    watched, contents : list of Watched
        What is compared by identity, and by what is in it.
    objects : list
        Those among the arguments that were looked into.
    """

    def __init__(self) -> None:
        self.values: list[tuple[str, Value]] = []
        self.modules: list[Any] = []
        self.generators: list[np.random.Generator] = []
        self.drawing: list[Any] = []
        self.spots: list[Spot] = []
        self.watched: list[Watched] = []
        self.contents: list[Watched] = []
        self.objects: list[Any] = []
        self.tokens: list[Any] = []

    def settle(self) -> Held:
        """Everything is found: note how it is now."""
        views = [w.view for w in self.watched]
        self._views = [*views, (END,)]
        self._was = list(itertools.chain.from_iterable(self._views))
        loose = [i for i, x in enumerate(self._was) if not _same_if_equal(x)]
        self._loose = operator.itemgetter(*loose, -1, -1)
        self._was_loose = self._loose(self._was)
        self._sized: list[Any] = [view for view in views if hasattr(view, "__len__")]
        self._sizes = list(map(len, self._sized))
        self.found([])
        return self

    def found(self, values: list[tuple[str, Value]]) -> None:
        """Take in Values that only a run of the function has shown."""
        self.values += values
        parts = [*[v for _, v in self.values], *self.modules, *self.generators]
        self.key = Key((*self.tokens, *[w.was[0] for w in self.contents], *map(Same, parts)))
        self.numbers = {id(v): i for i, (_, v) in enumerate(self.values)}

    def changed(self) -> bool:
        """Whether anything is not what it was any more."""
        try:
            now = list(itertools.chain.from_iterable(self._views))
            if len(now) != len(self._was) or list(map(len, self._sized)) != self._sizes:
                return True
            if not all(map(operator.is_, self._loose(now), self._was_loose)) or now != self._was:
                return True
            return any(w.now() != w.was for w in self.contents) if self.contents else False
        except (LookupError, ValueError, AttributeError, RuntimeError):
            return True

    def now(self) -> list[list[Any]]:
        """All that is compared by identity."""
        return [w.now() for w in self.watched]

    def difference(self, was: list[list[Any]]) -> str | None:
        """The name of something that is not as it was, `was` from `now`."""
        for w, before, now in zip(self.watched, was, self.now()):
            pairs = itertools.zip_longest(now, before, w.names, fillvalue=END)
            for thing, other, name in pairs:
                if thing is not other:
                    return str(name) if name is not END else f"something new beside {w.names[-1:]}"
        return next((w.names[0] for w in self.contents if w.now() != w.was), None)

    def restore(self) -> None:
        """Put back what was there."""
        for w in self.watched:
            now = w.now()
            if len(now) != len(w.was) or not all(map(operator.is_, now, w.was)):
                w.back(w.was)
        for w in self.contents:
            if w.now() != w.was:
                w.back(w.was)


def _same_if_equal(thing: Any) -> bool:
    """Whether what equals a thing is the thing itself, or as good; lists of such things compare quickly."""
    return (
        thing is None
        or type(thing) in (str, types.CodeType)
        or getattr(type(thing), "__eq__", None) is object.__eq__
    )


# Contents, and putting back
def entries(array: Any) -> Any:
    if array.dtype == object:
        return tuple(map(Same, array.flat))
    mask = getattr(array, "mask", np.ma.nomask)
    return array.dtype.str, array.shape, array.strides, array.tobytes(), mask.tobytes()


def fill(array: Any, was: list[Any]) -> None:
    if array.dtype == object:
        array.flat = [same.thing for same in was[0]]
    elif array.flags.writeable:
        array[...] = np.frombuffer(was[0][3], array.dtype).reshape(array.shape)


def is_empty(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return True
    return False


def forget(thing: dict[Any, Any], was: list[Any]) -> None:
    """Take out of a dict what was not in it."""
    for key in thing.keys() - set(was):
        del thing[key]


def refill(thing: Any, was: Any) -> None:
    """Give a list, deque, set or dict the entries that it had."""
    thing.clear()
    (thing.update if hasattr(thing, "update") else thing.extend)(was)


def reclass(thing: type, was: dict[str, Any]) -> None:
    for key in vars(thing).keys() - was.keys():
        delattr(thing, key)
    for key, part in was.items():
        if vars(thing).get(key) is not part:
            setattr(thing, key, part)


def reassign(places: list[tuple[Any, str]], was: list[Any]) -> None:
    """Give attributes back what they were."""
    for (thing, name), part in zip(places, was):
        if getattr(thing, name, END) is not part:
            object.__setattr__(thing, name, part)


def reenter(places: list[tuple[dict[str, Any], str]], was: list[Any]) -> None:
    """Give entries of dicts back what they were."""
    for (known, key), part in zip(places, was):
        known.pop(key, None) if part is END else known.__setitem__(key, part)
