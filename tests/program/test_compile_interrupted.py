"""Ctrl-C at any line of a first call leaves nothing behind, and the next call is right."""

from __future__ import annotations

import os

import numpy as np
from following import X, same
from interrupting import Interrupter

from tinygrad_course import Value, compile, nn, optim
from tinygrad_course.engine.watch import recording_mode

PLACES = int(os.environ.get("TINYGRAD_COURSE_PLACES", "60"))  # so many of the lines are interrupted


class Held:
    """A function with everything that stand-ins take the place of while it is traced."""

    k = 2.0

    def __init__(self):
        self.drop = nn.Dropout(0.5, rng=1)
        self.net = nn.Sequential(nn.Linear(3, 2, rng=0), nn.BatchNorm1d(2), self.drop)
        self.optimizer = optim.SGD(self.net.parameters(), lr=0.5)
        self.batch = {"x": np.tile(X, (2, 1)).astype(np.float32), "pair": (X.copy(), [1.0])}
        self.steps = iter([1.0])
        self.w = Value(X.copy())

    def __call__(self, x):
        scale = self.k * self.optimizer.lr * self.batch["pair"][1][0]
        return (self.net(self.batch["x"]).sum() + (self.w * x * self.batch["pair"][0]).sum()) * scale

    def state(self):
        """All that an interruption must leave as it is."""
        things = [v.data for v in (*self.net.parameters(), self.w)] + list(self.net.state_dict().values())
        things += [self.batch["x"], *self.batch["pair"], self.optimizer.lr, self.k]
        assert all(type(t) in (np.ndarray, list, float) for t in things)
        assert recording_mode.get() is True
        assert type(self.steps) is type(iter([])) and list(self.batch) == ["x", "pair"]
        assert all(v.grad is None for v in (*self.net.parameters(), self.w))
        return [*map(np.array, things), str(self.drop.rng.bit_generator.state)]


def call(held, f):
    out = f(X)
    out.backward()
    got = [out.data, held.w.grad, *(p.grad for p in held.net.parameters())]
    for v in (*held.net.parameters(), held.w):
        v.grad = None
    return got


def test_an_interrupted_first_call_leaves_nothing_behind():
    expected, later = Held(), Held()
    first = [call(expected, expected) for _ in range(2)]
    counting = Interrupter()
    counting.run(lambda: compile(later).program(X))
    places = np.unique(np.linspace(1, counting.count, PLACES).astype(int))
    for n in places:
        held = Held()
        before = held.state()
        f = compile(held)
        Interrupter(n).run(lambda: f.program(X))  # noqa: B023
        for a, b in zip(held.state(), before, strict=True):
            np.testing.assert_array_equal(a, b)
        for wanted in first:
            same(call(held, f), wanted)
    assert len(places) > 30
