"""A state machine: data in containers of all kinds, changed at random between calls of a compiled function.

At each call the compiled function gives the bits that the function gives without `compile`, or it raises
TraceError; there is no third way.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import types
from fractions import Fraction
from typing import Any

import numpy as np
from following import X, same
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tinygrad_course import TraceError, Value, compile


class Box:
    """An object with an attribute, and a property that reads it."""

    def __init__(self, thing):
        self.thing = thing

    @property
    def through(self):
        return self.thing


class Slots:
    __slots__ = ("thing",)

    def __init__(self, thing):
        self.thing = thing


@dataclasses.dataclass
class Data:
    thing: Any


Pair = collections.namedtuple("Pair", "thing other")


def in_a_dict(thing):
    held = {"thing": thing}
    return (lambda: held["thing"]), (lambda new: held.update(thing=new))


def in_a_list(thing):
    held = [1.0, thing]
    return (lambda: held[1]), (lambda new: held.__setitem__(1, new))


def in_a_long_list(thing):
    held = [float(i) for i in range(150)] + [thing]
    return (lambda: held[150]), (lambda new: held.__setitem__(150, new))


def in_a_tuple(thing):
    held = [(1.0, (thing, "name"))]
    return (lambda: held[0][1][0]), (lambda new: held.__setitem__(0, (1.0, (new, "name"))))


def in_a_named_tuple(thing):
    held = {"pair": Pair(thing, 2.0)}
    return (lambda: held["pair"].thing), (lambda new: held.update(pair=Pair(new, 2.0)))


def in_a_deque(thing):
    held = collections.deque([thing, 1.0])
    return (lambda: held[0]), (lambda new: held.__setitem__(0, new))


def in_a_cell(thing):
    def put(new):
        nonlocal thing
        thing = new

    return (lambda: thing), put


def in_a_default(thing):
    def get(thing=thing):
        return thing

    return get, (lambda new: setattr(get, "__defaults__", (new,)))


def in_a_keyword_default(thing):
    def get(*, thing=thing):
        return thing

    return get, (lambda new: get.__kwdefaults__.update(thing=new))


def in_a_partial(thing):
    held = [functools.partial(lambda thing: thing, thing)]
    return (lambda: held[0]()), (lambda new: held.__setitem__(0, functools.partial(lambda thing: thing, new)))


def in_an_attribute(thing):
    held = Box(thing)
    return (lambda: held.thing), (lambda new: setattr(held, "thing", new))


def behind_a_property(thing):
    held = Box(thing)
    return (lambda: held.through), (lambda new: setattr(held, "thing", new))


def in_a_class(thing):
    kind = type("Kind", (), {"thing": thing, "__module__": __name__})
    held = kind()
    return (lambda: held.thing), (lambda new: setattr(kind, "thing", new))


def in_slots(thing):
    held = Slots(thing)
    return (lambda: held.thing), (lambda new: setattr(held, "thing", new))


def in_a_dataclass(thing):
    held = {"data": Data(thing)}
    return (lambda: held["data"].thing), (lambda new: held.update(data=Data(new)))


def in_a_module(thing):
    held = types.ModuleType("held")
    held.thing = thing
    return (lambda: held.thing), (lambda new: setattr(held, "thing", new))


def in_a_global(thing):
    scope = {"thing": thing, "__name__": "scope"}
    exec("def get():\n    return thing", scope)
    return scope["get"], (lambda new: scope.update(thing=new))


def in_a_functions_attribute(thing):
    def get():
        return get.thing

    get.thing = thing
    return get, (lambda new: setattr(get, "thing", new))


def in_a_method_of_an_object(thing):
    held = Box(None)
    held.thing = lambda: thing

    def put(new):
        held.thing = lambda: new

    return (lambda: held.thing()), put


HOLDERS = [f for name, f in list(globals().items()) if name.startswith(("in_a", "in_s", "behind"))]


def numbers():
    return st.sampled_from([2.0, -0.5, 0.0, -0.0, 3, True, np.float32(1.5), np.float64(-0.0), Fraction(1, 3)])


def arrays():
    entries = st.lists(st.sampled_from([0.0, -0.0, 0.5, -1.25, 2.0]), min_size=3, max_size=3)
    return st.builds(np.array, entries, st.sampled_from([np.float64, np.float32]))


def things():
    return st.one_of(
        numbers(),
        arrays(),
        st.builds(Value, arrays()),
        st.sampled_from([np.tanh, np.sin, np.negative]),
        st.builds(lambda a, b: (a, {"b": b}), arrays(), arrays()),
    )


def used(x, thing):
    """Something that depends on all of a thing."""
    if callable(thing):
        return thing(x)
    if isinstance(thing, tuple):
        return x + thing[0] * thing[1]["b"]
    if isinstance(thing, Fraction):
        return x * float(thing)
    if isinstance(thing, np.ndarray):
        return np.copysign(x, thing) if isinstance(x, np.ndarray) else x * thing - thing.mean()
    return x * thing + 1.0


def outcome(function, *args):
    """The result and the gradients of a call."""
    out = function(*args)
    values = [a for a in args if isinstance(a, Value)] + function.parameters()
    for v in values:
        v.grad = None
    if isinstance(out, Value) and out.requires_grad:
        out.backward(np.ones(out.shape))
    return [out, *(v.grad for v in values if v.grad is not None), sum(v.grad is None for v in values)]


class Function:
    """What is compiled: it uses the thing in each of its places, one after the other."""

    def __init__(self, getters):
        self.getters = getters

    def __call__(self, x):
        for get in self.getters:
            x = used(x, get())
        return x

    def parameters(self):
        return [thing for get in self.getters if isinstance(thing := get(), Value)]


class Watching(RuleBasedStateMachine):
    """Data in three places, changed between calls."""

    @initialize(start=st.lists(st.tuples(st.sampled_from(HOLDERS), things()), min_size=3, max_size=3))
    def begin(self, start):
        places = [make(thing) for make, thing in start]
        self.putters = [put for _, put in places]
        self.function = Function([get for get, _ in places])
        self.compiled = compile(self.function)
        self.compiled.parameters = self.function.parameters
        self.earlier = [thing for _, thing in start]

    @rule(i=st.integers(0, 2), thing=things())
    def replace(self, i, thing):
        self.earlier.append(self.function.getters[i]())
        self.putters[i](thing)

    @rule(i=st.integers(0, 2), j=st.integers(0, 100))
    def bring_back(self, i, j):
        self.putters[i](self.earlier[j % len(self.earlier)])

    @rule(i=st.integers(0, 2), j=st.integers(0, 2))
    def exchange(self, i, j):
        a, b = self.function.getters[i](), self.function.getters[j]()
        self.putters[i](b)
        self.putters[j](a)

    @rule(i=st.integers(0, 2), k=st.integers(0, 2), entry=st.sampled_from([7.0, -0.0, 0.0]))
    def write_into(self, i, k, entry):
        thing = self.function.getters[i]()
        thing = thing.data if isinstance(thing, Value) else thing[0] if isinstance(thing, tuple) else thing
        if isinstance(thing, np.ndarray):
            thing[k] = entry

    @rule(i=st.integers(0, 2))
    def freeze(self, i):
        thing = self.function.getters[i]()
        if isinstance(thing, Value):
            thing.requires_grad = not thing.requires_grad

    @rule(i=st.integers(0, 2))
    def exchange_getters(self, i):
        self.function.getters.append(self.function.getters.pop(i))
        self.putters.append(self.putters.pop(i))

    @invariant()
    def it_is_as_without(self):
        if not hasattr(self, "compiled"):
            return
        for x in (X, np.ones((2, 3), np.float32), Value(X[::-1])):
            with np.errstate(all="ignore"):
                expected = outcome(self.function, x)
                try:
                    got = outcome(self.compiled, x)
                except TraceError as error:
                    event(str(error).split(",")[0][:60])
                    continue
            event("the same bits")
            same(got, expected)


TestWatching = Watching.TestCase
TestWatching.settings = settings(max_examples=max(25, settings().max_examples // 4), stateful_step_count=12)
