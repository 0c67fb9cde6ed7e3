"""Time this library beside hand-written NumPy and the other engines that are installed.

    python -m tests.benchmarks                     every piece of work
    python -m tests.benchmarks mnist-128 scalars   some of them
    python -m tests.benchmarks --rounds 9 --json out/benchmarks.json --figure out/benchmarks.png

Each measurement is a process of its own with one BLAS thread.  The engines take turns, round after round, so
that a machine that gets busy slows all of them; what counts is the ratio of the medians to the hand-written
NumPy of the same run.  Every engine also reports a check value (a loss, a sum of gradients): one that differs
is marked, so that a fast wrong answer shows.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from .works import ENGINES, WORKS

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("works", nargs="*", help=f"which of: {', '.join(WORKS)}")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each engine (default 5)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--figure", type=Path, help="draw the ratios into this PNG")
    parser.add_argument("--one", nargs=2, metavar=("WORK", "ENGINE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure_here(*options.one)))
        return
    if unknown := [w for w in options.works if w not in WORKS]:
        parser.error(f"no such work: {', '.join(unknown)}; there are {', '.join(WORKS)}")
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, {options.rounds} rounds, one BLAS thread")
    figures: dict[str, Any] = {"load": load, "rounds": options.rounds, "works": {}}
    for name in options.works or WORKS:
        figures["works"][name] = result = compare(name, options.rounds)
        print_work(name, result)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(figures, indent=1))
    if options.figure:
        draw(figures, options.figure)


def measure_here(name: str, engine: str) -> dict[str, Any]:
    """Run one work on one engine in this process: microseconds a step, the check value, the peak memory."""
    import resource
    import time

    work = WORKS[name]
    step = work.engines[engine]()
    check = step()
    repeats, elapsed = 1, 0.0
    while True:  # long enough that the clock does not matter, at most about a second
        start = time.perf_counter()
        for _ in range(repeats):
            step()
        elapsed = time.perf_counter() - start
        if elapsed > 0.2 or repeats >= 10_000:
            break
        repeats = min(10_000, max(repeats * 2, int(repeats * 0.3 / max(elapsed, 1e-6))))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"us": elapsed / repeats * 1e6 / work.per, "check": float(check), "peak_mb": peak}


def compare(name: str, rounds: int) -> dict[str, Any]:
    """All installed engines on one work, taking turns."""
    engines = [e for e in WORKS[name].engines if importlib.util.find_spec(ENGINES[e])]
    runs: dict[str, list[dict[str, Any]]] = {e: [] for e in engines}
    environment = dict(os.environ, **dict.fromkeys(THREADS, "1"))
    for _ in range(rounds):
        for engine in engines:
            command = [sys.executable, "-m", "tests.benchmarks", "--one", name, engine]
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            if done.returncode:
                print(f"  {engine} failed: {done.stderr.strip().splitlines()[-1]}")
                continue
            runs[engine].append(json.loads(done.stdout))
    result = {
        e: {
            "us": statistics.median(r["us"] for r in found),
            "lowest": min(r["us"] for r in found),
            "highest": max(r["us"] for r in found),
            "peak_mb": statistics.median(r["peak_mb"] for r in found),
            "check": found[-1]["check"],
        }
        for e, found in runs.items()
        if found
    }
    first = next(iter(result.values()), None)
    for figures in result.values():
        figures["ratio"] = figures["us"] / first["us"] if first else float("nan")
        figures["agrees"] = bool(first) and abs(figures["check"] - first["check"]) <= 1e-3 * max(
            1, abs(first["check"])
        )
    return result


def print_work(name: str, result: dict[str, Any]) -> None:
    """One table: the engines of a work, fastest first."""
    work = WORKS[name]
    print(f"\n{name}: {work.about}   (must be: {work.target})")
    reference = next(iter(result), "")
    print(f"  {'engine':<12} {'median':>12} {'low - high':>23} {'÷ ' + reference:>9} {'peak MB':>8}")
    for engine, f in sorted(result.items(), key=lambda item: item[1]["us"]):
        spread = f"{f['lowest']:.4g} - {f['highest']:.4g}"
        wrong = "" if f["agrees"] else f"  ANSWER DIFFERS: {f['check']:.6g}"
        print(
            f"  {engine:<12} {f['us']:>9.4g} µs {spread:>23} {f['ratio']:>9.2f} {f['peak_mb']:>8.0f}{wrong}"
        )


def draw(figures: dict[str, Any], path: Path) -> None:
    """The ratios of all works as bars on a log axis."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    works = figures["works"]
    fig, axis = plt.subplots(figsize=(9, 0.7 * len(works) + 1.5), layout="constrained")
    names = list(ENGINES)
    for row, result in enumerate(works.values()):
        for engine, f in result.items():
            place = names.index(engine)
            axis.plot(
                f["ratio"], row, marker="os^Dv<>Px*"[place], color=f"C{place}", linestyle="", label=engine
            )
        axis.axhline(row, color="0.9", zorder=0)
    handles = dict(zip(*reversed(axis.get_legend_handles_labels())))
    axis.legend(handles.values(), handles.keys(), loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    axis.set(xscale="log", xlabel="time ÷ hand-written NumPy", yticks=range(len(works)), yticklabels=works)
    axis.invert_yaxis()
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, dpi=120)
    print(f"\nwrote {path}")


if __name__ == "__main__":
    main()
