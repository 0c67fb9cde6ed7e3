"""Programs that people bring along, beside the libraries that they were written for: ``changes | ratio``.

    taskset -c 0 python -m tests.benchmarks.brought

The first ten are gradients in the way of HIPS autograd, written once for any `np` and `grad`; the others are
the programs of tests/ports, as PyTorch's users write them.  A ratio is the processor's time here divided by
that there: the shortest of rounds in which the libraries take turns, on one thread, results compared.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy

from tinygrad_course import compile, grad

sys.path.insert(0, str(Path(__file__).parent.parent))

ROUNDS = 7
rng = numpy.random.default_rng(0)


def logistic_regression(np: Any, grad: Any) -> tuple[Any, ...]:
    inputs, wanted = rng.normal(size=(200, 5)), rng.integers(0, 2, 200)

    def loss(weights: Any) -> Any:
        right = 0.5 * (np.tanh(np.dot(inputs, weights) / 2) + 1)
        return -np.sum(np.log(right * wanted + (1 - right) * (1 - wanted)))

    return grad(loss), rng.normal(size=5)


def neural_net(np: Any, grad: Any) -> tuple[Any, ...]:
    inputs, wanted = rng.normal(size=(64, 10)), numpy.eye(3)[rng.integers(0, 3, 64)]

    def loss(params: Any) -> Any:
        x = inputs
        for w, b in params[:-1]:
            x = np.tanh(np.dot(x, w) + b)
        w, b = params[-1]
        out = np.dot(x, w) + b
        most = np.max(out, axis=1, keepdims=True)
        out = out - most - np.log(np.sum(np.exp(out - most), axis=1, keepdims=True))
        return -np.sum(out * wanted)

    sizes = [10, 32, 32, 3]
    return grad(loss), [(rng.normal(size=(m, n)) / m, numpy.zeros(n)) for m, n in itertools.pairwise(sizes)]


def gaussian_process(np: Any, grad: Any) -> tuple[Any, ...]:
    x = rng.normal(size=(40, 1))
    y = numpy.sin(3 * x[:, 0])

    def loss(params: Any) -> Any:
        distances = np.sum(((x[:, None, :] - x[None, :, :]) / np.exp(params[2])) ** 2, axis=2)
        cov = np.exp(params[0]) * np.exp(-0.5 * distances) + np.exp(params[1]) * np.eye(40)
        return 0.5 * np.dot(y, np.linalg.solve(cov, y)) + 0.5 * np.linalg.slogdet(cov)[1]

    return grad(loss), numpy.array([0.1, -2.0, 0.3])


def recurrent_net(np: Any, grad: Any) -> tuple[Any, ...]:
    series = rng.normal(size=(20, 8, 4))

    def loss(params: Any) -> Any:
        state, total = np.zeros((8, 16)), 0.0
        for x in series[:-1]:
            state = np.tanh(np.dot(x, params["in"]) + np.dot(state, params["state"]) + params["bias"])
        for x in series[-1:]:
            total = total + np.sum((np.dot(state, params["out"]) - x) ** 2)
        return total

    shapes = {"in": (4, 16), "state": (16, 16), "bias": (16,), "out": (16, 4)}
    return grad(loss), {name: 0.3 * rng.normal(size=shape) for name, shape in shapes.items()}


def mixture(np: Any, grad: Any) -> tuple[Any, ...]:
    data = rng.normal(size=(100, 2))

    def loss(params: Any) -> Any:
        weights, means, scales = params[:3], params[3:9].reshape((3, 2)), params[9:]
        squares = np.sum((data[:, None, :] - means[None, :, :]) ** 2, axis=2)
        out = weights - np.log(np.sum(np.exp(weights))) - 0.5 * squares * np.exp(-2 * scales) - 2 * scales
        most = np.max(out, axis=1, keepdims=True)
        return -np.sum(most[:, 0] + np.log(np.sum(np.exp(out - most), axis=1)))

    return grad(loss), rng.normal(size=12)


def variational_inference(np: Any, grad: Any) -> tuple[Any, ...]:
    noise = rng.normal(size=(50, 2))

    def loss(params: Any) -> Any:
        mean, log_std = params[:2], params[2:]
        x = noise * np.exp(log_std) + mean
        density = -0.5 * (x[:, 1] / 1.35) ** 2 - 0.5 * (x[:, 0] / np.exp(x[:, 1])) ** 2 - x[:, 1]
        return -np.mean(density) - np.sum(log_std)

    return grad(loss), rng.normal(size=4)


def pendulum(np: Any, grad: Any) -> tuple[Any, ...]:
    def loss(start: Any) -> Any:
        angle, speed = start[0], start[1]
        for _ in range(60):
            speed = speed - 0.05 * np.sin(angle)
            angle = angle + 0.05 * speed
        return (angle - 1.0) ** 2 + speed**2

    return grad(loss), numpy.array([0.5, 0.2])


def rosenbrock(np: Any, grad: Any) -> tuple[Any, ...]:
    vector = rng.normal(size=50)

    def value(x: Any) -> Any:
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    slope = grad(value)
    return grad(lambda x: np.dot(slope(x), vector)), rng.normal(size=50)


def factorization(np: Any, grad: Any) -> tuple[Any, ...]:
    table, seen = rng.normal(size=(30, 20)), rng.random((30, 20)) < 0.5

    def loss(params: Any) -> Any:
        left, right = params
        misses = np.where(seen, table - np.dot(left, right.T), 0.0)
        return np.sum(misses**2) + 0.1 * (np.sum(left**2) + np.sum(right**2))

    return grad(loss), (rng.normal(size=(30, 4)), rng.normal(size=(20, 4)))


def derivatives_of_tanh(np: Any, grad: Any) -> tuple[Any, ...]:
    f = np.tanh
    for _ in range(3):
        f = (lambda inner: grad(lambda x: np.sum(inner(x))))(f)
    return f, numpy.linspace(-3, 3, 200)


GRADIENTS: list[Callable[..., Any]] = [
    logistic_regression, neural_net, gaussian_process, recurrent_net, mixture, variational_inference,
    pendulum, rosenbrock, factorization, derivatives_of_tanh,
]  # fmt: skip
CHANGES = {"physics": "imports, 1 line", "kalman": "imports, 1 line"}


def seconds(step: Callable[[], Any], least: float = 0.05) -> float:
    """The processor's time of one step: as many as fill the `least` time."""
    count, start, passed = 0, time.process_time(), 0.0
    while not count or passed < least:
        step()
        count, passed = count + 1, time.process_time() - start
    return passed / count


def shortest(steps: list[Callable[[], Any]], least: float = 0.05) -> list[float]:
    """The shortest time of each, in rounds in which they take turns."""
    return [min(column) for column in zip(*[[seconds(s, least) for s in steps] for _ in range(ROUNDS)])]


def flat(tree: Any) -> Any:
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, (list, tuple)) else None
    return numpy.ravel(tree) if parts is None else numpy.concatenate([flat(part) for part in parts])


def of_gradients(program: Callable[..., Any]) -> tuple[str, ...]:
    global rng
    import autograd

    made = []
    for np, slope in ((autograd.numpy, autograd.grad), (numpy, grad)):
        rng = numpy.random.default_rng(0)
        made.append(program(np, slope))
    (theirs, x), (ours, _) = made
    quick = compile(ours)
    for f in (ours, quick, quick):
        numpy.testing.assert_allclose(flat(f(x)), flat(theirs(x)), rtol=1e-8, atol=1e-10)
    there, here, compiled = shortest([lambda: theirs(x), lambda: ours(x), lambda: quick(x)])
    return program.__name__, "imports", f"{here / there:.2f}", f"{compiled / there:.2f}"


def of_ports(program: Callable[..., Any]) -> tuple[str, ...]:
    from ports.test_ports import our_library, torch_library

    states: list[Any] = []
    numpy.testing.assert_allclose(program(torch_library(states)), program(our_library(states)), rtol=2e-4)
    there, here = shortest([lambda: program(torch_library([])), lambda: program(our_library(states))], 0.0)
    return program.__name__, CHANGES.get(program.__name__, "imports"), f"{here / there:.2f}", ""


def main() -> None:
    import torch
    from ports.programs import PROGRAMS

    torch.set_num_threads(1)
    print("| program | changes needed | ratio to autograd or PyTorch | compiled |")
    print("| --- | --- | --- | --- |")
    for measure, programs in ((of_gradients, GRADIENTS), (of_ports, PROGRAMS)):
        for program in programs:
            print("|", " | ".join(measure(program)), "|", flush=True)


if __name__ == "__main__":
    main()
