"""Check a file of solved exercises: ``python -m demos.check exercises.py``.

For each exercise it tries inputs from the smallest on and shows the first one where the answer is not what
it should be.  That comes from trying, from tables, or from the library: the solutions are not in here.
"""

import argparse
import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import style

from tinygrad_course import Value, data, derivative, optim
from tinygrad_course.nn import functional as F


@dataclass
class Case:
    """An input as text, what should come out, how to get what comes out, and how much they may differ."""

    text: str
    expected: Any
    run: Callable[[], Any]
    tolerance: float = 1e-6


def neuron(solve: Callable[..., Any]) -> Iterator[Case]:
    numbers = ([], 0.5), ([1.0], 0.0), ([2.0], -1.0), ([1.0, -2.0], 0.5), ([0.5, 3.0, -1.0], 0.25)
    for w, b in numbers:
        x = [1.0, 0.5, -2.0][: len(w)]
        expected = F.sigmoid(b + np.dot(x, w))
        yield Case(f"x = {x}, w = {w}, b = {b}", expected, lambda x=x, w=w, b=b: solve(x, w, b))
    for name, i in (("w[0]", 0), ("b", 2)):
        parameters = [Value(n) for n in (1.0, -2.0, 0.5)]
        slope = F.sigmoid(-0.5) * (1 - F.sigmoid(-0.5))

        def run(p: list[Value] = parameters, i: int = i) -> Any:
            solve([1.0, 1.0], p[:2], p[2]).backward()
            return p[i].grad

        yield Case(f"gradient of {name} for Values x = [1, 1], w = [1, -2], b = 0.5", slope, run)


def perceptron_step(solve: Callable[..., Any]) -> Iterator[Case]:
    rows = [  # w, b, x, label, new w, new b
        ([0.0], 0.0, [1.0], 1, [1.0], 1.0),
        ([0.0], 0.0, [1.0], -1, [-1.0], -1.0),
        ([1.0], 0.0, [1.0], 1, [1.0], 0.0),
        ([1.0], 0.0, [2.0], -1, [-1.0], -1.0),
        ([1.0], -2.0, [1.0], 1, [2.0], -1.0),
        ([1.0, -1.0], 0.5, [2.0, 1.0], 1, [1.0, -1.0], 0.5),
        ([1.0, -1.0], 0.5, [2.0, 1.0], -1, [-1.0, -2.0], -0.5),
        ([0.5, 0.5], -1.0, [1.0, 1.0], -1, [-0.5, -0.5], -2.0),
    ]
    for w, b, x, label, new_w, new_b in rows:
        before = np.array(w)
        yield Case(
            f"w = {w}, b = {b}, x = {x}, label = {label}",
            (np.array(new_w), new_b),
            lambda w=before, b=b, x=x, label=label: solve(w, b, np.array(x), label),
        )
        yield Case(f"the array w = {w}, afterwards", np.array(w), lambda w=before: w)


def xor_weights(solve: Callable[..., Any]) -> Iterator[Case]:
    inputs, target = data.gates("xor")

    def table() -> tuple[list[tuple[int, ...]], list[int]]:
        first, second, last = solve()
        hidden = np.column_stack([inputs @ w + b > 0 for b, *w in (first, second)]).astype(int)
        return [tuple(h) for h in hidden.T.tolist()], (hidden @ last[1:] + last[0] > 0).astype(int).tolist()

    for i, x in enumerate(inputs.astype(int).tolist()):
        yield Case(f"x = {x}", int(target[i]), lambda i=i: table()[1][i])
    lecture = {tuple(data.gates(gate)[1].astype(int).tolist()) for gate in ("or", "and")}
    yield Case("whether the hidden neurons are an OR and an AND", False, lambda: set(table()[0]) == lecture)


def softsign_rule(solve: Callable[..., Any]) -> Iterator[Case]:
    def softsign(x: Any) -> Any:
        return x / (1 + np.abs(x))

    def slope(x: Any, small: float = 1e-6) -> Any:
        return (softsign(x + small) - softsign(x - small)) / (2 * small)

    for x in (0.0, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0):
        for g in (1.0, -2.0):
            run = lambda g=g, x=x: solve(g, softsign(x), x)
            yield Case(f"g = {g}, x = {x}", g * slope(x), run, 1e-5)
    places = np.array([[0.5, -1.0], [2.0, -4.0]])

    def second() -> Any:
        x = Value(places)
        derivative(lambda x: softsign(x), solve)(x).sum().backward(create_graph=True)
        first, x.grad = x.grad, None
        first.sum().backward()
        return x.grad

    curved = (slope(places + 1e-4) - slope(places - 1e-4)) / 2e-4
    yield Case(f"second derivative at x = {places.tolist()}", curved, second, 1e-3)


def cross_entropy_gradient(solve: Callable[..., Any]) -> Iterator[Case]:
    rows = [[0.0], [0.0, 0.0], [1.0, 0.0], [0.5, -1.0, 2.0], [3.0, 3.0, 3.0, -3.0], [1000.0, 0.0, -1000.0]]
    for logits in rows:
        for label in range(len(logits)):
            x = Value(logits)
            F.cross_entropy(x, np.array(label)).backward()
            run = lambda logits=logits, label=label: solve(np.array(logits), label)
            yield Case(f"logits = {logits}, label = {label}", x.grad, run)


def momentum_step(solve: Callable[..., Any]) -> Iterator[Case]:
    for lr, momentum in ((1.0, 0.0), (0.5, 0.0), (1.0, 0.5), (0.1, 0.9)):
        weights, velocity = np.array([1.0, -2.0]), np.zeros(2)
        p = Value(weights.copy())
        optimizer = optim.SGD([p], lr=lr, momentum=momentum)
        for step, gradient in enumerate(([1.0, 0.0], [0.5, -1.0], [0.0, 2.0])):
            before = p.data.copy()
            p.grad = np.array(gradient)
            optimizer.step()
            moved = ((before - p.data) / lr).round(12)  # which is the velocity
            arrays = before, velocity, np.array(gradient)
            yield Case(
                f"step {step + 1}: weights = {before.tolist()}, velocity = {velocity.tolist()}, "
                f"gradient = {gradient}, lr = {lr}, momentum = {momentum}",
                (p.data.copy(), moved),
                lambda arrays=arrays, lr=lr, momentum=momentum: solve(
                    *(a.copy() for a in arrays), lr, momentum
                ),
            )
            velocity = moved
    kept = [np.array([1.0]), np.array([2.0]), np.array([3.0])]

    def afterwards() -> Any:
        solve(*kept, 0.1, 0.9)
        return tuple(kept)

    yield Case("the arrays weights = [1.0], velocity = [2.0], gradient = [3.0], afterwards",
               tuple(a.copy() for a in kept), afterwards)  # fmt: skip


def learning_rate(solve: Callable[..., Any]) -> Iterator[Case]:
    high, low = (1 + np.sqrt(0.5)) / 2, (1 - np.sqrt(0.5)) / 2
    rows = [  # step, warmup, steps, top, rate
        (0, 1, 2, 1.0, 0.0), (1, 1, 2, 1.0, 1.0), (2, 1, 2, 1.0, 0.0),
        (0, 0, 2, 1.0, 1.0), (1, 0, 2, 1.0, 0.5), (1, 2, 6, 1.0, 0.5),
        (3, 2, 6, 1.0, high), (4, 2, 6, 1.0, 0.5), (5, 2, 6, 1.0, low),
        (10, 100, 1100, 0.004, 0.0004), (600, 100, 1100, 0.004, 0.002), (1100, 100, 1100, 0.004, 0.0),
    ]  # fmt: skip
    for step, warmup, steps, top, rate in rows:
        text = f"step = {step}, warmup = {warmup}, steps = {steps}, top = {top}"
        yield Case(text, rate, lambda s=step, w=warmup, n=steps, t=top: solve(s, w, n, t), 1e-9)


def he_initialisation(solve: Callable[..., Any]) -> Iterator[Case]:
    def drawn(fan_in: int, fan_out: int, seed: int = 0) -> Any:
        return np.asarray(solve(fan_in, fan_out, np.random.default_rng(seed)))

    for sizes in ((1, 1), (2, 3), (784, 100)):
        name = "fan_in = {}, fan_out = {}".format(*sizes)
        yield Case(f"{name}: shape", sizes[::-1], lambda s=sizes: drawn(*s).shape)
    for fan_in, fan_out in ((1, 100_000), (2, 50_000), (784, 100)):
        name = f"fan_in = {fan_in}, fan_out = {fan_out}"
        deviation = np.sqrt(2 / fan_in)
        within = {"fan_in": fan_in, "fan_out": fan_out}
        yield Case(f"{name}: mean over standard deviation", 0.0,
                   lambda k=within: drawn(**k).mean() / drawn(**k).std(), 0.02)  # fmt: skip
        yield Case(
            f"{name}: standard deviation", deviation, lambda k=within: drawn(**k).std(), 0.02 * deviation
        )
        yield Case(f"{name}: share within one standard deviation (of a normal distribution)", 0.6827,
                   lambda k=within: (abs(drawn(**k)) < drawn(**k).std()).mean(), 0.01)  # fmt: skip
    yield Case("the same numbers from the same seed", True, lambda: bool((drawn(3, 2) == drawn(3, 2)).all()))
    yield Case("the same from another seed", False, lambda: bool((drawn(3, 2) == drawn(3, 2, seed=1)).all()))


def dropout(solve: Callable[..., Any]) -> Iterator[Case]:
    def dropped(x: Any, p: float, training: bool = True) -> Any:
        return solve(x, p, training, np.random.default_rng(0))

    x = np.array([1.0, -2.0, 3.0])
    yield Case(f"x = {x.tolist()}, p = 0, training", x, lambda: dropped(x, 0.0))
    yield Case(f"x = {x.tolist()}, p = 0.5, not training", x, lambda: dropped(x, 0.5, False))
    for p in (0.5, 0.2):
        ones = np.ones(20_000)
        kinds = lambda p=p, ones=ones: tuple(np.unique(np.asarray(dropped(ones, p)).round(9)).tolist())
        yield Case(f"x = 20000 ones, p = {p}, training: the different entries", (0.0, 1 / (1 - p)), kinds)
        share = lambda p=p, ones=ones: (np.asarray(dropped(ones, p)) == 0).mean()
        yield Case(f"x = 20000 ones, p = {p}, training: share of zeros", p, share, 0.02)

    def through() -> Any:
        value = Value(np.ones(10))
        out = dropped(value, 0.5)
        out.sum().backward()
        return value.grad - out.data

    yield Case("x = a Value of 10 ones, p = 0.5, training: gradient less output", np.zeros(10), through)


def early_stopping(solve: Callable[..., Any]) -> Iterator[Case]:
    rows = [  # losses, patience, last, best
        ([1.0], 1, 0, 0),
        ([2.0, 1.0], 1, 1, 1),
        ([1.0, 2.0], 1, 1, 0),
        ([1.0, 1.0], 1, 1, 0),
        ([1.0, 1.0, 0.5], 1, 1, 0),
        ([1.0, 2.0, 0.5], 1, 1, 0),
        ([1.0, 2.0, 0.5], 2, 2, 2),
        ([3.0, 2.0, 2.5, 2.4, 1.0], 2, 3, 1),
        ([3.0, 2.0, 2.5, 1.0, 1.5, 1.2], 2, 5, 3),
        ([3.0, 2.0, 2.5, 1.0, 1.5, 1.2, 0.9], 3, 6, 6),
        ([1.0, 2.0, 3.0, 4.0], 9, 3, 0),
    ]
    for losses, patience, last, best in rows:
        text = f"losses = {losses}, patience = {patience}"
        yield Case(text, (last, best), lambda losses=losses, n=patience: solve(list(losses), n))


EXERCISES = (
    neuron, perceptron_step, xor_weights, softsign_rule, cross_entropy_gradient,
    momentum_step, learning_rate, he_initialisation, dropout, early_stopping,
)  # fmt: skip


def same(got: Any, expected: Any, tolerance: float) -> bool:
    """Whether an answer has the expected kind and shape, and its numbers are within the tolerance."""
    if isinstance(expected, tuple):
        return (
            isinstance(got, tuple | list)
            and len(got) == len(expected)
            and all(same(g, e, tolerance) for g, e in zip(got, expected))
        )
    got = got.numpy() if isinstance(got, Value) else got
    try:
        got = np.asarray(got, float)
    except (TypeError, ValueError):
        return False
    return got.shape == np.shape(expected) and bool(
        np.allclose(got, expected, rtol=tolerance, atol=tolerance)
    )


def judge(exercise: Callable[..., Iterator[Case]], solved: ModuleType) -> tuple[bool, str]:
    """Whether the exercise of that name is right in the module, and what to say of it."""
    solve = getattr(solved, exercise.__name__, None)
    if solve is None:
        return False, "is missing"
    for case in exercise(solve):
        try:
            got = case.run()
        except NotImplementedError:
            return False, "is not written yet"
        except Exception as error:
            return False, f"fails for {case.text}\n       with {type(error).__name__}: {error}"
        if not same(got, case.expected, case.tolerance):
            numbers = f"expected {shown(case.expected)}\n       got      {shown(got)}"
            return False, f"differs for {case.text}\n       {numbers}"
    return True, "is right"


def shown(answer: Any) -> str:
    """An answer as a person reads it."""
    if isinstance(answer, tuple | list):
        return "(" + ", ".join(map(shown, answer)) + ")"
    answer = answer.numpy() if isinstance(answer, Value) else answer
    if isinstance(answer, np.ndarray):
        return np.array2string(answer, precision=6, separator=", ", threshold=20).replace("\n", "")
    return f"{answer:.6g}" if isinstance(answer, float | np.floating) else repr(answer)


def load(path: Path) -> ModuleType:
    """The file of solutions as a module."""
    spec = importlib.util.spec_from_file_location("solved", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m demos.check", description=__doc__.split("\n\n")[0])
    parser.add_argument("file", type=Path, help="your copy of demos/exercises.py")
    style.plain_signs()
    args = parser.parse_args(argv)
    if not args.file.is_file():
        parser.error(
            f"there is no file {args.file}; start with a copy of {Path(__file__).parent / 'exercises.py'}"
        )
    try:
        solved = load(args.file)
    except Exception as error:
        parser.error(f"{args.file} does not run: {type(error).__name__}: {error}")
    right = 0
    for number, exercise in enumerate(EXERCISES, 1):
        good, text = judge(exercise, solved)
        right += good
        mark = ("✓", "green") if good else ("✗", "red")
        style.say(f"{number:4} ", mark, f" {exercise.__name__} {text}")
    print(f"\n{right} of {len(EXERCISES)} are right")
    return 0 if right == len(EXERCISES) else 1


if __name__ == "__main__":
    sys.exit(style.run(main))
