"""Scalar by scalar: micrograd's moons demo, a chain of neurons, a very long chain."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .works import WORKS, Step, Work, engine

WORKS["moons"] = Work(
    "micrograd's demo, MLP(2, [16, 16, 1]), 100 samples", "eager ≤ 0.25 × micrograd, compiled ≤ 0.01 ×"
)
WORKS["neurons"] = Work(
    "(x·w + b).tanh(), one operation, forward and backward", "eager ≤ 0.26 × micrograd", per=300
)
WORKS["long-chain"] = Work("1,000,000 operations in a row, one node", "≤ 1.5 µs, ≤ 260 bytes", per=1_000_000)
WORKS["small-arrays"] = Work(
    "999 operations on shape (4,), one operation", "eager ≤ 2.4 × hand, compiled ≤ 1.2 ×", per=999
)


def moons_set() -> tuple[np.ndarray, np.ndarray]:
    from tinygrad_course import data

    points, labels = data.moons(100, noise=0.1, seed=1)
    return points, 2.0 * labels - 1


def moons_weights() -> list[float]:
    return np.random.default_rng(0).uniform(-1, 1, 337).tolist()


def moons_loss(model: Any, points: Any, targets: Any) -> Any:
    """The demo's loss: a hinge for each sample, and the squares of all parameters."""
    scores = [model(point) for point in points]
    losses = [(1 + -t * s).relu() for t, s in zip(targets, scores)]
    return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())


def moons_step(MLP: Any, zero: Callable[[Any], None], prepare: Callable[[Any], Any] = lambda f: f) -> Step:
    points, targets = moons_set()
    model = MLP(2, [16, 16, 1])
    for p, w in zip(model.parameters(), moons_weights()):
        p.data = w
    points, targets = points.tolist(), targets.tolist()
    loss_of = prepare(lambda: moons_loss(model, points, targets))

    def step() -> float:
        zero(model)
        loss = loss_of()
        loss.backward()
        return float(loss.data) + float(sum(p.grad for p in model.parameters()))

    return step


@engine("moons", "micrograd")
def moons_micrograd() -> Step:
    from micrograd.nn import MLP

    return moons_step(MLP, lambda model: model.zero_grad())


@engine("moons", "ours")
def moons_ours() -> Step:
    from tinygrad_course import nn

    return moons_step(nn.MLP, lambda model: model.zero_grad())


@engine("moons", "compiled")
def moons_compiled() -> Step:
    from tinygrad_course import compile, nn

    return moons_step(nn.MLP, lambda model: model.zero_grad(), compile)


def chain_of_neurons(Number: Callable[[float], Any]) -> Step:
    def step() -> float:
        x, w, b = Number(0.3), Number(0.4), Number(0.5)
        y = x
        for _ in range(100):
            y = (y * w + b).tanh()
        y.backward()
        return float(w.grad)

    return step


@engine("neurons", "hand")
def neurons_hand() -> Step:
    def step() -> float:
        w, b, y = 0.4, 0.5, 0.3
        seen = []
        for _ in range(100):
            before, y = y, math.tanh(y * w + b)
            seen.append((before, y))
        g, gw = 1.0, 0.0
        for before, after in reversed(seen):
            g *= 1 - after * after
            gw += g * before
            g *= w
        return gw

    return step


@engine("neurons", "ours")
def neurons_ours() -> Step:
    from tinygrad_course import Value

    return chain_of_neurons(Value)


@engine("neurons", "compiled")
def neurons_compiled() -> Step:
    from tinygrad_course import Value, compile

    w, b = Value(0.4), Value(0.5)

    @compile
    def out(y: Any) -> Any:
        for _ in range(100):
            y = (y * w + b).tanh()
        return y

    def step() -> float:
        w.grad = b.grad = None
        out(0.3).backward()
        return float(w.grad)

    return step


@engine("neurons", "micrograd")
def neurons_micrograd() -> Step:
    from micrograd.engine import Value

    class WithTanh(Value):
        def tanh(self) -> Any:
            t = math.tanh(self.data)
            out = Value(t, (self,), "tanh")

            def backward() -> None:
                self.grad += (1 - t * t) * out.grad

            out._backward = backward
            return out

    Value.tanh = WithTanh.tanh
    return chain_of_neurons(Value)


@engine("neurons", "torch")
def neurons_torch() -> Step:
    import torch

    torch.set_num_threads(1)
    return chain_of_neurons(lambda x: torch.tensor(x, requires_grad=True, dtype=torch.float64))


def long_chain(start: Any, factor: float, back: Callable[[Any], Any]) -> Step:
    def step() -> float:
        x = start()
        y = x
        for _ in range(1_000_000):
            y = y * factor
        back(y)
        return float(x.grad)

    return step


@engine("long-chain", "ours")
def long_chain_ours() -> Step:
    from tinygrad_course import Value

    return long_chain(lambda: Value(1.0), 1.0000001, lambda y: y.backward())


@engine("long-chain", "torch")
def long_chain_torch() -> Step:
    import torch

    torch.set_num_threads(1)
    start = lambda: torch.tensor(1.0, requires_grad=True, dtype=torch.float64)
    return long_chain(start, 1.0000001, lambda y: y.backward())


def small_arrays(
    array: Callable[[Any], Any], tanh: Callable[[Any], Any], back: Callable[[Any, Any], Any]
) -> Step:
    x0, w0 = np.linspace(0.1, 0.4, 4), np.linspace(0.5, 0.8, 4)

    def step() -> float:
        x, w = array(x0), array(w0)
        y = x
        for _ in range(333):
            y = tanh(y * w + x)
        back(y, np.ones(4))
        return float(w.grad.sum())

    return step


@engine("small-arrays", "hand")
def small_arrays_hand() -> Step:
    x, w = np.linspace(0.1, 0.4, 4), np.linspace(0.5, 0.8, 4)
    outs, t = np.empty((334, 4)), np.empty(4)
    rows = list(outs)

    def step() -> float:
        rows[0][:] = x
        for before, after in itertools.pairwise(rows):
            np.multiply(before, w, out=after)
            np.add(after, x, out=after)
            np.tanh(after, out=after)
        g, gw, gx = np.ones(4), np.zeros(4), np.zeros(4)
        for i in range(333, 0, -1):
            np.multiply(rows[i], rows[i], out=t)
            np.subtract(1, t, out=t)
            np.multiply(g, t, out=g)
            np.add(gx, g, out=gx)
            np.multiply(g, rows[i - 1], out=t)
            np.add(gw, t, out=gw)
            np.multiply(g, w, out=g)
        return float(gw.sum())

    return step


@engine("small-arrays", "ours")
def small_arrays_ours() -> Step:
    from tinygrad_course import Value

    return small_arrays(Value, np.tanh, lambda y, g: y.backward(g))


@engine("small-arrays", "compiled")
def small_arrays_compiled() -> Step:
    from tinygrad_course import Value, compile

    x, w = Value(np.linspace(0.1, 0.4, 4)), Value(np.linspace(0.5, 0.8, 4))

    @compile
    def out() -> Any:
        y = x
        for _ in range(333):
            y = np.tanh(y * w + x)
        return y

    def step() -> float:
        x.grad = w.grad = None
        out().backward(np.ones(4))
        return float(w.grad.sum())

    return step


@engine("small-arrays", "torch")
def small_arrays_torch() -> Step:
    import torch

    torch.set_num_threads(1)
    array = lambda x: torch.tensor(x, requires_grad=True)
    return small_arrays(array, torch.tanh, lambda y, g: y.backward(torch.tensor(g)))


@engine("small-arrays", "mygrad")
def small_arrays_mygrad() -> Step:
    import mygrad as mg

    return small_arrays(mg.tensor, mg.tanh, lambda y, g: y.backward(g))
