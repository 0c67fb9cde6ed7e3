"""What a function holds besides its arguments, compared at every call with what it was.

Its result depends on two sorts of things.  Arrays, and the data of Values, are inputs of its program: they
are read at each call.  All else (numbers, names, functions, the entries of lists and dicts) is watched:
`changed` compares it, mostly object by object, with what was found when the function was looked into.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arraylike import Value
from .keys import Same

END = object()


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


@dataclass(slots=True)
class Snapshot:
    """Something that is compared by its contents: ``read(thing)`` was `was`; ``back(was)`` puts it back."""

    name: str
    thing: Any
    read: Callable[[Any], Any]
    back: Callable[[Any], None]
    was: Any = None


class Held:
    """What a function holds.

    Attributes
    ----------
    values : list of (str, Value)
        Leaves, with names, each once, in order.
    modules : list
    generators : list of numpy.random.Generator
    spots : list of Spot
        Where Traced arrays shall stand in for arrays (and for numbers of an optimizer), and where a traced
        function must not look, such as a clock.
    drawing : list of Snapshot
        Sources of random numbers that a program cannot draw from.
    """

    def __init__(self) -> None:
        self.values: list[tuple[str, Value]] = []
        self.modules: list[Any] = []
        self.generators: list[np.random.Generator] = []
        self.spots: list[Spot] = []
        self.drawing: list[Snapshot] = []
        self.objects: list[Any] = []  # those among the arguments
        self.tokens: list[Any] = []
        self.key = Key(())
        self.numbers: dict[int, int] = {}
        self._views: list[tuple[list[str], Iterable[Any]]] = []
        self._sized: list[Any] = []
        self._snapshots: list[Snapshot] = []
        self._backs: list[Callable[[], Any]] = []
        self._flat: list[Iterable[Any]] = []
        self._was: list[Any] = []
        self._sizes: list[int] = []

    # What is found
    def watch(
        self, names: list[str], view: Iterable[Any], back: Callable[[], Any], sized: Any = None
    ) -> None:
        """Compare what `view` gives, each time it is gone through, and the size of `sized`."""
        self._views.append((names, view))
        self._backs.append(back)
        if sized is not None:
            self._sized.append(sized)

    def compare(self, snapshot: Snapshot) -> None:
        """Compare contents."""
        snapshot.was = snapshot.read(snapshot.thing)
        self._snapshots.append(snapshot)

    def settle(self) -> Held:
        """Everything is found: note how it is now."""
        self._flat = [*[view for _, view in self._views], (END,)]
        self._was, self._sizes = self.now(), list(map(len, self._sized))
        self._settle_key()
        return self

    def _settle_key(self) -> None:
        parts = [*[v for _, v in self.values], *self.modules, *self.generators]
        contents = [s.was for s in self._snapshots]
        self.key = Key((*self.tokens, *contents, *map(Same, parts)))
        self.numbers = {id(v): i for i, (_, v) in enumerate(self.values)}

    def feed(self, i: int) -> Any:
        """The array, or the number, in a spot."""
        spot = self.spots[i]
        return spot.thing if spot.read is None else spot.read()

    def found(self, values: list[tuple[str, Value]]) -> None:
        """Take in Values that only a run of the function has shown."""
        self.values += values
        self._settle_key()

    # Whether it is as it was
    def now(self) -> list[Any]:
        """All that is compared by identity."""
        return list(itertools.chain.from_iterable(self._flat))

    def changed(self) -> bool:
        """Whether anything is not what it was any more."""
        try:
            same = all(map(operator.is_, itertools.chain.from_iterable(self._flat), self._was))
            if not same or list(map(len, self._sized)) != self._sizes:
                return True
            return any(s.read(s.thing) != s.was for s in self._snapshots) if self._snapshots else False
        except (LookupError, ValueError, AttributeError, RuntimeError):
            return True  # a name is gone

    def difference(self, was: list[Any]) -> str | None:
        """The name of something that is not as it was, `was` from `now`."""
        before = iter(was)
        for names, view in self._views:
            try:
                now = list(view)
            except (LookupError, ValueError, AttributeError):
                return names[0]
            for i, thing in enumerate(now):
                if next(before, END) is not thing:
                    return names[i] if i < len(names) else f"something new beside {names[-1:]}"
        if list(map(len, self._sized)) != self._sizes:
            return "a list or dict"
        return next((s.name for s in self._snapshots if s.read(s.thing) != s.was), None)

    def restore(self) -> None:
        """Put back what was there."""
        for back in self._backs:
            back()
        for s in self._snapshots:
            if s.read(s.thing) != s.was:
                s.back(s.was)


# Contents, and putting back
def entries(array: Any) -> Any:
    if array.dtype == object:
        return tuple(map(Same, array.flat))
    mask = getattr(array, "mask", None)
    return (
        array.dtype.str,
        array.shape,
        array.strides,
        array.tobytes(),
        None if mask is None else mask.tobytes(),
    )


def fill(array: Any, was: Any) -> None:
    if array.dtype == object:
        array.flat = [same.thing for same in was]
    elif array.flags.writeable:
        array[...] = np.frombuffer(was[3], array.dtype).reshape(array.shape)


def converted(thing: Any) -> Any:
    return entries(np.asarray(thing))


def is_empty(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return True
    return False


def back_dict(thing: dict[Any, Any]) -> Callable[[], None]:
    was = dict(thing)

    def back() -> None:
        if len(was) != len(thing) or not all(map(operator.is_, thing.values(), was.values())):
            thing.clear()
            thing.update(was)

    return back


def back_names(known: dict[str, Any], names: Iterable[str]) -> Callable[[], None]:
    was = {key: known[key] for key in names if key in known}

    def back() -> None:
        for key in names:
            if key not in was:
                known.pop(key, None)
        known.update(was)

    return back


def refill(thing: Any, was: list[Any]) -> None:
    thing.clear()
    thing.extend(was)


def reset(thing: set[Any], was: set[Any]) -> None:
    thing.clear()
    thing.update(was)


def reclass(thing: type, was: dict[str, Any]) -> None:
    for key in vars(thing).keys() - was.keys():
        delattr(thing, key)
    for key, part in was.items():
        if vars(thing).get(key) is not part:
            setattr(thing, key, part)


def reattribute(thing: Any, was: list[tuple[str, Any]]) -> None:
    for key, part in was:
        object.__setattr__(thing, key, part)
