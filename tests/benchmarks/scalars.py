"""Scalar by scalar: micrograd's moons demo, a chain of neurons, a very long chain; and very small arrays."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .works import WORKS, Step, Work, engine, jax_of, one_thread, resident

LONG = 1_000_000
WORKS["moons"] = Work(
    "micrograd's demo, MLP(2, [16, 16, 1]), 100 samples", "eager ≤ 0.2 × micrograd, compiled ≤ 0.014 ×", "ms"
)
WORKS["neurons"] = Work(
    "(x·w + b).tanh(), one operation, forward and backward", "≤ 0.45 × micrograd, compiled ≤ 0.06 ×", per=300
)
WORKS["long-chain"] = Work("1,000,000 operations in a row, one node", "≤ 1.5 µs", per=LONG, once=True)
WORKS["long-chain-memory"] = Work("the same, memory of one node", "≤ 260 bytes", "B", per=LONG, own=True)
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


@engine("moons", "hand")
def moons_hand() -> Step:
    """A sample at a time, as the demo goes, with a matrix product for each layer."""
    points, targets = moons_set()
    flat, grad = np.array(moons_weights()), np.empty(337)
    layers, start = [], 0
    for n_in, n_out in ((2, 16), (16, 16), (16, 1)):  # a neuron's weights and its bias are a row
        stop = start + n_out * (n_in + 1)
        layers.append([a[start:stop].reshape(n_out, n_in + 1) for a in (flat, grad)])
        start = stop
    (m1, g1), (m2, g2), (m3, g3) = layers
    w1, b1, w2, b2, w3, b3 = (a for m in (m1, m2, m3) for a in (m[:, :-1], m[:, -1]))

    def step() -> float:
        np.multiply(flat, 2e-4, out=grad)
        loss = 1e-4 * float(flat @ flat)
        for x, t in zip(points, targets):
            h = np.maximum(w1 @ x + b1, 0)
            k = np.maximum(w2 @ h + b2, 0)
            margin = 1 - t * float((w3 @ k + b3)[0])
            if margin <= 0:
                continue
            loss += margin / 100
            d = -t / 100
            g3[0, :-1] += d * k
            g3[0, -1] += d
            dk = d * w3[0] * (k > 0)
            g2[:, :-1] += dk[:, None] * h
            g2[:, -1] += dk
            dh = (dk @ w2) * (h > 0)
            g1[:, :-1] += dh[:, None] * x
            g1[:, -1] += dh
        return loss + float(grad.sum())

    return step


@engine("moons", "micrograd")
def moons_micrograd() -> Step:
    from micrograd.nn import MLP

    return moons_step(MLP, lambda model: model.zero_grad())


@engine("moons", "torch")
def moons_torch() -> Step:
    """The demo's own classes on tensors of one number."""
    torch = one_thread()
    tensor = lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True)
    points, targets = moons_set()
    points, targets = points.tolist(), targets.tolist()
    numbers = map(tensor, moons_weights())
    layers = [
        [([next(numbers) for _ in range(n_in)], next(numbers)) for _ in range(n_out)]
        for n_in, n_out in ((2, 16), (16, 16), (16, 1))
    ]
    params = [p for layer in layers for w, b in layer for p in (*w, b)]

    def score(point: Any) -> Any:
        for i, layer in enumerate(layers):
            point = [sum((wi * xi for wi, xi in zip(w, point)), b) for w, b in layer]
            point = [p.relu() for p in point] if i < 2 else point
        return point[0]

    def step() -> float:
        for p in params:
            p.grad = None
        losses = [(1 + -t * score(point)).relu() for t, point in zip(targets, points)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in params)
        loss.backward()
        return loss.item() + sum(p.grad.item() for p in params)

    return step


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
    torch = one_thread()
    return chain_of_neurons(lambda x: torch.tensor(x, requires_grad=True, dtype=torch.float64))


@engine("neurons", "mygrad")
def neurons_mygrad() -> Step:
    import mygrad as mg

    def step() -> float:
        x, w, b = mg.tensor(0.3), mg.tensor(0.4), mg.tensor(0.5)
        y = x
        for _ in range(100):
            y = mg.tanh(y * w + b)
        y.backward()
        return float(w.grad)

    return step


@engine("neurons", "autograd")
def neurons_autograd() -> Step:
    import autograd
    import autograd.numpy as anp

    def out(x: Any, w: Any, b: Any) -> Any:
        for _ in range(100):
            x = anp.tanh(x * w + b)
        return x

    gradient = autograd.grad(out, (0, 1, 2))
    return lambda: float(gradient(0.3, 0.4, 0.5)[1])


def times(y: Any) -> Any:
    """A million multiplications in a row."""
    for _ in range(LONG):
        y = y * 1.0000001
    return y


def long_chain(name: str, start: Callable[[], Any]) -> None:
    """Register how an engine builds the chain and walks back, and how much memory the chain takes."""

    def step() -> float:
        x = start()
        times(x).backward()
        return float(x.grad)

    def held() -> tuple[float, float]:
        x = start()
        before = resident()
        y = times(x)
        taken = resident() - before
        y.backward()
        return taken, float(x.grad)

    engine("long-chain", name)(lambda: step)
    engine("long-chain-memory", name)(lambda: held)


@engine("long-chain", "hand")
def long_chain_hand() -> Step:
    """Every number on the way is kept, as where the derivative depends on it."""
    seen = np.empty(LONG).data

    def step() -> float:
        y = 1.0
        for i in range(LONG):
            seen[i] = y
            y = y * 1.0000001
        g = 1.0
        for _ in range(LONG):
            g = g * 1.0000001
        return g

    return step


def ours_start() -> Any:
    from tinygrad_course import Value

    return Value(1.0)


def torch_start() -> Any:
    torch = one_thread()
    return torch.tensor(1.0, requires_grad=True, dtype=torch.float64)


long_chain("ours", ours_start)
long_chain("torch", torch_start)


@engine("long-chain", "autograd")
def long_chain_autograd() -> Step:
    import autograd

    gradient = autograd.grad(times)
    return lambda: float(gradient(1.0))


# micrograd sorts the graph by recursion, which Python stops; MyGrad does not come to an end within minutes


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
    torch = one_thread()
    array = lambda x: torch.tensor(x, requires_grad=True)
    return small_arrays(array, torch.tanh, lambda y, g: y.backward(torch.tensor(g)))


@engine("small-arrays", "mygrad")
def small_arrays_mygrad() -> Step:
    import mygrad as mg

    return small_arrays(mg.tensor, mg.tanh, lambda y, g: y.backward(g))


@engine("small-arrays", "jax")
def small_arrays_jax() -> Step:
    import jax

    def out(x: Any, w: Any) -> Any:
        return jax.lax.fori_loop(0, 333, lambda i, y: jax.numpy.tanh(y * w + x), x).sum()

    gradient = jax_of(jax.grad(out, (0, 1)), np.linspace(0.1, 0.4, 4), np.linspace(0.5, 0.8, 4), double=True)
    return lambda: float(np.asarray(gradient()[1]).sum())


@engine("small-arrays", "autograd")
def small_arrays_autograd() -> Step:
    import autograd
    import autograd.numpy as anp

    def out(x: Any, w: Any) -> Any:
        y = x
        for _ in range(333):
            y = anp.tanh(y * w + x)
        return anp.sum(y)

    gradient = autograd.grad(out, (0, 1))
    return lambda: float(gradient(np.linspace(0.1, 0.4, 4), np.linspace(0.5, 0.8, 4))[1].sum())
