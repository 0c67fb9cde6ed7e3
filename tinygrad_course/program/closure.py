"""Look into a function: find everything that its result depends on besides its arguments.

From the function one goes to what its code names (closure, globals, attributes of Python's modules), from
there to what stands in lists, dicts, attributes and classes, and so on: a table says for each type of thing
what is inside.  What Python, NumPy and this package consist of is known and not looked into.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..arraylike import Value
from .inside import VISITORS, visit_object
from .keys import Same, key_of
from .kinds import ARRAYS, EVERYTHING, NUMBERS, counts_by_itself, is_module, is_outside, is_plain
from .watched import Each, Held, Snapshot, Spot, back_dict, back_names, entries, fill


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
    for thing in reversed((function, *others)):
        scan.add("", thing)
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
    """

    def __init__(self, live: bool) -> None:
        self.held, self.live = Held(), live
        self.noted, self.asked = True, frozenset[str]()
        self.seen: dict[tuple[int, bool], int] = {}
        self.kept: list[Any] = []
        self.waiting: list[tuple[str, Any, Any, bool, frozenset[str]]] = []
        self.named: dict[int, tuple[dict[str, Any], dict[str, None]]] = {}  # of globals: names that code asks
        self.looks: list[tuple[str, Any, str]] = []  # attributes that Python itself gives: name, thing, which
        self.names: set[str] = set()  # all names in code so far
        self.unnamed: dict[str, list[Any]] = {}  # methods that no code has named yet
        self.foreign = 0
        self.numbers: dict[int, int] = {}  # of arrays: those that are the same one have the same number
        self.arrays_in: dict[int, bool] = {}

    def add(self, name: str, thing: Any, put: Callable[[Any], None] | None = None) -> None:
        """Look at this later; ``put(x)`` puts x in its place."""
        self.waiting.append((name, thing, put, self.noted, self.asked))

    def add_if_named(self, name: str, method: Any, put: Callable[[Any], None]) -> None:
        """Look at a method later, once any code names it."""
        if name in self.names or self.names & EVERYTHING:
            self.add(name, method, put)
        else:
            self.unnamed.setdefault(name, []).append((name, method, put, self.noted, frozenset[str]()))

    def name(self, names: frozenset[str]) -> None:
        """Code has these names: methods that are called so are looked at."""
        self.names |= names
        for name in sorted(self.unnamed.keys() & (self.unnamed.keys() if names & EVERYTHING else names)):
            self.waiting += self.unnamed.pop(name)

    def inside(self, name: str, parts: Iterable[tuple[str, Any, Any]]) -> None:
        """Look at the parts of a thing, in their order."""
        for key, part, put in reversed(list(parts)):
            self.add(f"{name}.{key}" if name and key else name or key, part, put)

    def token(self, *parts: Any) -> None:
        if self.noted:
            self.held.tokens.extend(parts)

    def run(self) -> None:
        while self.waiting:
            name, thing, put, self.noted, self.asked = self.waiting.pop()
            if is_plain(thing):
                self.token(key_of(thing))
                continue
            if isinstance(thing, np.ndarray):
                self.array(name, thing, put)
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
            self.held.compare(Snapshot(name or type(thing).__name__, thing, read, back))

    def outside(self, name: str, thing: Any, put: Any) -> None:
        """Keep a function that is traced from using what gives something else each time."""
        if is_outside(thing, self.asked) and put is not None and self.noted:
            self.held.spots.append(Spot(name, thing, put))

    def watch(
        self, names: list[str], view: Iterable[Any], back: Callable[[], None], sized: Any = None
    ) -> None:
        if self.noted:
            self.held.watch(names, view, back, sized)

    def mapping(self, name: str, thing: dict[Any, Any], but: tuple[str, ...] = ()) -> None:
        """The entries of a dict, except for some names."""
        names = [str(key) for key in thing]
        self.token(len(thing) - len([k for k in but if k in thing]))
        if any(key in thing for key in but):
            chosen = [key for key in thing if key not in but]
            self.watch(list(map(str, chosen)), Each(thing.get, chosen), back_dict(thing), thing)
        else:
            self.watch(names, thing.keys(), lambda: None, thing)
            self.watch(names, thing.values(), back_dict(thing))
        parts: list[tuple[str, Any, Any]] = []
        for key, part in thing.items():
            if key not in but:
                place = functools.partial(thing.__setitem__, key)
                if type(part) is float and not self.noted:
                    self.held.spots.append(Spot(str(key), part, place, functools.partial(thing.get, key)))
                    continue
                if is_plain(key):
                    self.token(key_of(key))
                else:
                    parts.append(("", key, None))
                parts.append((str(key), part, place))
        self.inside(name, parts)

    def settled(self) -> Held:
        """What was found, ready to be compared."""
        held = self.held
        for known, asked in self.named.values():
            held.watch(list(asked), Each(known.get, list(asked)), back_names(known, asked))
        names, things, attributes = zip(*self.looks) if self.looks else ((), (), ())
        put = [functools.partial(setattr, t, a, getattr(t, a)) for t, a in zip(things, attributes)]
        back = [p for p, a in zip(put, attributes) if a == "cell_contents"]
        held.watch(list(names), Each(getattr, things, attributes), lambda: [p() for p in back])
        return held.settle()
