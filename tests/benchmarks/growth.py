"""How time and memory grow with the batch, the width, the depth and the number of nodes.

The network is that of the lecture, a training step with Adam; where the depth grows, its hidden layers are of
64 units.  The chain multiplies and adds numbers, forward and backward.  Time is the median of several steps;
memory is what tracemalloc counts at the peak of a second, untimed run: setting up and two steps (PyTorch's
memory is its own and is not counted).
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .trainers import TRAINERS
from .works import Step, batch_of, first_weights, one_thread


def network(n: int, *hidden: int) -> Callable[[str], Step]:
    """A training step on a batch of `n`."""

    def setup(engine: str) -> Step:
        trainer = TRAINERS[engine](first_weights((784, *hidden, 10)), n)
        x, y = map(trainer.take, batch_of(n))
        return lambda: trainer.train(x, y)

    return setup


def chain(n: int) -> Callable[[str], Step]:
    """`n` operations on numbers, forward and backward; by hand every number is kept in a list."""

    def hand() -> float:
        y, g, kept = 0.3, 1.0, []
        for _ in range(n // 2):
            kept.append(y)
            y = y * 0.5 + 0.1
        for _ in reversed(kept):
            g = g * 0.5
        return g

    def setup(engine: str) -> Step:
        if engine == "hand":
            return hand
        if engine == "torch":
            torch = one_thread()
            start = lambda: torch.tensor(0.3, requires_grad=True)
        else:
            from tinygrad_course import Value

            start = lambda: Value(0.3)

        def step() -> float:
            x = y = start()
            for _ in range(n // 2):
                y = y * 0.5 + 0.1
            y.backward()
            return float(x.grad)

        return step

    return setup


NETWORKS = ("hand", "ours", "compiled", "torch")
SERIES: dict[str, tuple[str, dict[str, int], list[int], Callable[[int], Callable[[str], Step]]]] = {
    # name -> axis, the engines and how far they go, the sizes, the work of a size
    "batch": (
        "images a batch",
        dict.fromkeys(NETWORKS, 4096),
        [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096],
        lambda n: network(n, 100),
    ),
    "width": (
        "hidden units, batch 128",
        dict.fromkeys(NETWORKS, 2048),
        [16, 32, 64, 128, 256, 512, 1024, 2048],
        lambda n: network(128, n),
    ),
    "depth": (
        "hidden layers of 64, batch 128",
        dict.fromkeys(NETWORKS, 64),
        [1, 2, 4, 8, 16, 32, 64],
        lambda n: network(128, *[64] * n),
    ),
    "nodes": (
        "numbers in a chain",
        {"hand": 10**6, "ours": 10**6, "torch": 10**4},
        [100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000],
        chain,
    ),
}


def measure_growth(series: str, engine: str) -> dict[str, list[float]]:
    """Seconds a step, and the peak of the memory in bytes, for each size."""
    _, engines, sizes, work_of = SERIES[series]
    sizes = [n for n in sizes if n <= engines[engine]]
    seconds = [median_step(work_of(n)(engine)) for n in sizes]
    peaks = [] if engine == "torch" else [peak_of(work_of(n), engine) for n in sizes]
    return {"sizes": sizes, "seconds": seconds, "bytes": peaks}


def median_step(step: Step) -> float:
    """Of at least three steps, for about 0.2 seconds; before them one that is not counted."""
    step()
    found: list[float] = []
    while len(found) < 3 or (sum(found) < 0.2 and len(found) < 200):
        start = time.perf_counter()
        step()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def peak_of(setup: Callable[[str], Step], engine: str) -> int:
    tracemalloc.start()
    step = setup(engine)
    step()
    step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def exponent(sizes: list[int], values: list[float]) -> float:
    """The slope of the logarithms over the upper half of the sizes."""
    half = len(sizes) // 2
    return float(np.polyfit(np.log(sizes[half:]), np.log(values[half:]), 1)[0])


def grow(run: Callable[[str, str], Any]) -> dict[str, Any]:
    """All series, each engine in a process of its own, with the exponents; printed as they come."""
    result: dict[str, Any] = {}
    for series, (axis, engines, _, _) in SERIES.items():
        print(f"\n{series}: {axis}, exponents of time and memory")
        result[series] = {}
        for engine in engines:
            if not (found := run(series, engine)):
                continue
            for what in ("seconds", "bytes"):
                found[f"{what}_exponent"] = exponent(found["sizes"], found[what]) if found[what] else None
            result[series][engine] = found
            memory = f"n^{found['bytes_exponent']:.2f}" if found["bytes"] else "-"
            print(f"  {engine:<12} n^{found['seconds_exponent']:.2f} {memory:>9}")
    return result


def plain_ticks(axis: Any) -> None:
    """Numbers along log axes as one says them: 1, 2 and 5 of each power of ten, or 1 alone."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for side, (low, high) in ((axis.xaxis, axis.get_xlim()), (axis.yaxis, axis.get_ylim())):
        side.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 150 else (1,), numticks=12))
        side.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.10g}"))
        side.set_minor_formatter(NullFormatter())


def draw_growth(growth: dict[str, Any], path: Path) -> None:
    """Time above, memory below, a column for what grows; log axes, so that an exponent is a slope."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    fig, axes = plt.subplots(2, len(SERIES), figsize=(16, 7.5), sharex="col", layout="constrained")
    rows = [("seconds", 1e3, "ms a step"), ("bytes", 2**-20, "peak MB")]
    for column, (series, engines) in enumerate(growth.items()):
        for axis, (what, scale, label) in zip(axes[:, column], rows):
            for engine, found in engines.items():
                if found[what]:
                    place = NETWORKS.index(engine)
                    axis.plot(
                        found["sizes"], np.multiply(found[what], scale), marker="osD^"[place], markersize=4,
                        color=f"C{place}", label=f"{engine} ∝ n^{found[f'{what}_exponent']:.2f}",
                    )  # fmt: skip
            axis.set(xscale="log", yscale="log")
            plain_ticks(axis)
            axis.grid(color="0.92")
            axis.legend(frameon=False, fontsize=9)
            if column == 0:
                axis.set_ylabel(label)
        axes[0, column].set_title(series)
        axes[1, column].set_xlabel(SERIES[series][0])
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, dpi=110)
    print(f"\nwrote {path}")
