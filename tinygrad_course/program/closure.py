"""Look into a function: find everything that its result depends on besides its arguments.

From the function one goes to what its code names (closure, globals, attributes of Python's modules), from
there to what stands in lists, dicts, attributes and classes, and so on: a table says for each type of thing
what is inside.  What Python, NumPy and this package consist of is known and not looked into.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..arraylike import Value
from .inside import VISITORS, visit_object
from .keys import Same, key_of
from .kinds import ARRAYS, EVERYTHING, NUMBERS, counts_by_itself, is_module, is_outside, is_plain
from .watched import END, Each, Held, Spot, Watched, entries, fill, forget, reassign, reenter, refill


def held_by(function: Callable[..., Any], *others: Any, live: bool = True) -> Held:
    """What `function` and `others` hold.

    Parameters
    ----------
    function, *others : objects
        Where to start.
    live : bool
        Arrays shall be inputs of a program; otherwise their contents are compared.
    """
    scan = Scan(live)
    scan.inside("", [("", thing, None) for thing in (function, *others)])
    scan.run()
    return scan.settled()


class Scan:
    """The way through all that is held.  What is still to be looked at waits on a stack.

    Attributes
    ----------
    noted : bool
        Whether the thing that is just looked at is watched: not what an optimizer or a schedule has counted.
    asked : frozenset of str
        The names in the code that led here.
    looks : dict
        What is watched of many things, by how it is read: a name for people, the thing, and which attribute
        or entry.
    """

    def __init__(self, live: bool) -> None:
        self.held, self.live = Held(), live
        self.noted, self.asked = True, frozenset[str]()
        self.looks: dict[Any, dict[tuple[int, str], tuple[str, Any, str]]] = {getattr: {}, dict.get: {}}
        self.seen: dict[tuple[int, bool], int] = {}
        self.kept: list[Any] = []
        self.waiting: list[tuple[str, Any, Any, bool, frozenset[str]]] = []
        self.names: set[str] = set()  # all names in code so far
        self.unnamed: dict[str, list[Any]] = {}  # methods that no code has named yet
        self.foreign = 0
        self.numbers: dict[int, int] = {}  # of arrays: those that are the same one have the same number
        self.arrays_in: dict[int, bool] = {}

    # The way
    def inside(self, name: str, parts: Iterable[tuple[str, Any, Any]]) -> None:
        """Look at the parts of a thing later, in their order; ``put(x)`` puts x in a part's place."""
        for key, part, put in reversed(list(parts)):
            full = f"{name}.{key}" if name and key else name or key
            self.waiting.append((full, part, put, self.noted, self.asked))

    def inside_if_named(self, name: str, method: Any, put: Callable[[Any], None]) -> None:
        """Look at a method later, once any code names it."""
        if name in self.names or self.names & EVERYTHING:
            self.inside("", [(name, method, put)])
        else:
            self.unnamed.setdefault(name, []).append((name, method, put, self.noted, frozenset[str]()))

    def name(self, names: frozenset[str]) -> None:
        """Code has these names: methods that are called so are looked at."""
        self.asked = names
        self.names |= names
        for name in sorted(self.unnamed.keys() & (self.unnamed.keys() if names & EVERYTHING else names)):
            self.waiting += self.unnamed.pop(name)

    def run(self) -> None:
        while self.waiting:
            name, thing, put, self.noted, self.asked = self.waiting.pop()
            if is_plain(thing):
                self.token(key_of(thing))
                continue
            if isinstance(thing, np.ndarray):
                self.array(name, thing, put)
                continue
            if is_outside(thing, self.asked):
                self.token(Same(thing))
                self.held.spots += [Spot(name, thing, put)] if put is not None and self.noted else []
                continue
            always = is_module(thing) or isinstance(thing, (Value, np.random.Generator))
            self.noted = always or (self.noted and not counts_by_itself(thing))
            if isinstance(thing, tuple) or not self.again(thing):
                visit = next((VISITORS[k] for k in type(thing).__mro__ if k in VISITORS), visit_object)
                visit(self, name, thing, put)

    def again(self, thing: Any) -> bool:
        """Whether this was looked into already."""
        before = self.seen.get((id(thing), self.noted))
        if before is None:
            self.seen[id(thing), self.noted] = len(self.seen)
            self.kept.append(thing)
            return False
        self.token("again", before)
        return True

    # What is found
    def token(self, *parts: Any) -> None:
        """What makes the thing what it is."""
        if self.noted:
            self.held.tokens.extend(parts)

    def array(self, name: str, thing: Any, put: Any) -> None:
        if not self.noted:
            return
        if self.live and put is not None and type(thing) in ARRAYS and thing.dtype.kind in NUMBERS:
            self.held.spots.append(Spot(name, thing, put))
            number = self.numbers.setdefault(id(thing), len(self.numbers))
            self.token((thing.shape, thing.dtype, thing.strides, number))
        elif not self.again(thing):
            self.contents(name, thing, entries, functools.partial(fill, thing))
            if type(thing) not in ARRAYS:
                visit_object(self, name, thing, None)
            if thing.dtype == object:
                self.inside(name, ((str(i), part, None) for i, part in enumerate(thing.flat)))

    def contents(
        self, name: str, thing: Any, read: Callable[[Any], Any], back: Any = lambda was: None
    ) -> None:
        """Compare by contents, which are part of the key."""
        if self.noted:
            self.token(Same(type(thing)))
            was = [read(thing)]
            self.held.contents.append(Watched([name or type(thing).__name__], Each(read, [thing]), back, was))

    def watch(self, names: list[str], view: Iterable[Any], back: Callable[[Any], Any]) -> None:
        """Compare what `view` gives, one by one."""
        if self.noted:
            self.held.watched.append(Watched(names, view, back, list(view)))

    def watch_each(self, look: Any, thing: Any, keys: Iterable[str], name: str = "") -> list[str]:
        """Compare what ``look(thing, key)`` gives for some keys, there or not; which of them are new."""
        known = self.looks[look]
        new = [key for key in keys if (id(thing), key) not in known]
        if self.noted:
            known.update({(id(thing), key): (name or key, thing, key) for key in new})
        return new

    def mapping(self, name: str, thing: dict[Any, Any], but: tuple[str, ...] = ()) -> None:
        """The entries of a dict, except for some names."""
        keys, chosen = list(thing), [key for key in thing if key not in but]
        names = list(map(str, keys))
        self.token(len(chosen))
        self.watch(names, thing.keys(), functools.partial(forget, thing))
        if but:
            self.watch_each(dict.get, thing, chosen)
        else:
            self.watch(names, thing.values(), lambda was: refill(thing, zip(keys, was)))
        parts: list[tuple[str, Any, Any]] = []
        for key in chosen:
            part, place = thing[key], functools.partial(thing.__setitem__, key)
            if type(part) is float and not self.noted:  # a rate, which is read as it is just now
                self.held.spots.append(Spot(str(key), part, place, functools.partial(thing.get, key)))
                self.held.tokens.append(key)
                continue
            if is_plain(key):
                self.token(key_of(key))
            else:
                parts.append(("", key, None))
            parts.append((str(key), part, place))
        self.inside(name, parts)

    def settled(self) -> Held:
        """What was found, ready to be compared."""
        for look, back in ((getattr, reassign), (dict.get, reenter)):
            if places := self.looks[look].values():
                names, things, keys = map(list, zip(*places))
                view = Each(look, things, keys, itertools.repeat(END))
                put = functools.partial(back, list(zip(things, keys)))
                self.held.watched.append(Watched(names, view, put, list(view)))
        return self.held.settle()
