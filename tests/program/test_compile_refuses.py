"""What changes by itself, and what changes something else, is refused where it is compiled."""

from __future__ import annotations

import collections
import datetime
import itertools
import os
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from following import X, refuses, same

from tinygrad_course import TraceError, compile


class Net:
    def __init__(self):
        self.act = None


held = X.copy()


def _rebinds(x):
    global held
    held += 1.0
    return x * held


def _writes_an_entry(x):
    held[0] += 1.0
    return x * held


WRITES: list[Callable[..., Any]] = [
    _rebinds,
    _writes_an_entry,
    lambda x: np.add(held, 1.0, out=held) * x,
    lambda x: (held.fill(2.0), x * held)[1],
    lambda x: (np.copyto(held, x), x * held)[1],
    lambda x: (held.sort(), x * held)[1],
    lambda x: (np.put(held, [0], [1.0]), x * held)[1],
    lambda x: (np.random.default_rng(0).shuffle(held), x * held)[1],
    lambda x: (random.Random(0).shuffle(held), x * held)[1],
    lambda x: (held.resize(3), np.negative.at(held, [0]), x * held)[2],
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("write", WRITES)
def test_writing_into_a_held_array_is_refused(write):
    array, before = held, held.copy()
    with pytest.raises(TraceError):
        compile(write)(X)
    assert held is array
    same(held, before)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["list"].append(1.0),
        lambda c: c["list"].pop(),
        lambda c: c.update(new=1.0),
        lambda c: c["set"].add(7),
        lambda c: c["deque"].rotate(),
        lambda c: setattr(c["net"], "act", 3),
        lambda c: setattr(Net, "extra", 3),
        lambda c: c["list"].append(c["list"].pop(0)),
        lambda c: c["cell"](2.0),
    ],
)
def test_changing_what_is_held_is_refused_and_undone(change):
    number = 1.0

    def cell(new):
        nonlocal number
        number = new

    held = {"list": [1.0, 2.0], "set": {1}, "deque": collections.deque([1, 2]), "net": Net(), "cell": cell}
    act = held["net"].act
    for _ in range(2):
        with pytest.raises(TraceError, match="assigns"):
            compile(lambda x: (change(held), x * held["list"][0])[1])(X)
    assert held["list"] == [1.0, 2.0] and held["set"] == {1} and list(held["deque"]) == [1, 2]
    assert held["net"].act is act and not hasattr(Net, "extra") and len(held) == 5 and number == 1.0


def test_changing_a_list_or_dict_that_is_given_is_refused():
    refuses(lambda parts: (parts.append(1.0), parts[0] * 2.0)[1], [X], match="assigns")
    refuses(lambda parts: (parts.pop("y"), parts["x"] * 2.0)[1], {"x": X, "y": X}, match="assigns")


# What changes by itself
ITERATOR, COUNT = iter([1.0, 2.0, 3.0]), itertools.count(1)
DRAWING, STATE = random.Random(0), np.random.RandomState(0)
DRAW = STATE.normal
SYSTEM = random.SystemRandom()


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * next(ITERATOR),
        lambda x: x * next(COUNT),
        lambda x: x * sum(ITERATOR),
        lambda x: x * DRAWING.random(),
        lambda x: x * STATE.normal(size=3),
        lambda x: x * DRAW(size=3),
        lambda x: x * random.random(),
        lambda x: x * np.random.default_rng().random(3),
        lambda x: x * np.random.RandomState().random(3),
        lambda x: x * random.Random().random(),
        lambda x: x * SYSTEM.random(),
        lambda x: x * time.time(),
        lambda x: x * time.perf_counter(),
        lambda x: x * time.localtime().tm_year,
        lambda x: x * datetime.datetime.now().year,
        lambda x: x * datetime.date.today().year,
        lambda x: x * np.loadtxt(["1.0"]),
        lambda x: x * int.from_bytes(os.urandom(4), "little"),
        lambda x: (x, id(object()) * time.time_ns()),
        lambda x: x * len(open(os.devnull).read()),  # noqa: SIM115
        lambda x: x * len(os.listdir(os.curdir)),
    ],
)
def test_what_gives_something_else_each_time_is_refused_with_the_line(function):
    states = DRAWING.getstate(), STATE.get_state()[2], random.getstate()
    refuses(function)
    assert next(iter([DRAWING.getstate()])) == states[0] and STATE.get_state()[2] == states[1]
    assert random.getstate() == states[2]


def test_an_iterator_is_not_used_up_by_a_refusal():
    steps = iter([1.0, 2.0])
    refuses(lambda x: x * next(steps), match="steps")
    assert next(steps) == 1.0
