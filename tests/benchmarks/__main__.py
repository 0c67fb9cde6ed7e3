"""Time this library beside hand-written NumPy and the other engines that are installed.

    python -m tests.benchmarks                     every piece of work
    python -m tests.benchmarks mnist-128 moons     some of them
    python -m tests.benchmarks --rounds 9 --json out/benchmarks.json --figure out/benchmarks.png
    python -m tests.benchmarks --growth out/growth.png      time and memory against size, nothing else

Each measurement is a process of its own, pinned to one core: XLA takes two threads whatever it is told.
What counts is CPU time, of all threads; the wall's is beside it.  The engines take turns, round after round,
so that a machine that gets busy slows all of them; ratios are those of the medians to the hand-written NumPy
of the same run.  Every engine also reports a check value (a loss, or its gradients in one number): one that
differs is marked, so that a fast wrong answer shows.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from . import arrays, mnist, models, orders, peers, scalars, startup  # noqa: F401  (they register works)
from .growth import draw_growth, grow, measure_growth
from .works import ENGINES, SCALES, WORKS, checked

ENVIRONMENT = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1") | {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}
MARKERS = "osDp^vPX*<"  # one an engine


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("works", nargs="*", help=f"which of: {', '.join(WORKS)}")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each engine (default 5)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--figure", type=Path, help="draw the ratios into this PNG")
    parser.add_argument("--growth", type=Path, help="draw time and memory against size into this PNG")
    parser.add_argument("--one", nargs=2, metavar=("WORK", "ENGINE"), help=argparse.SUPPRESS)
    parser.add_argument("--series", nargs=2, metavar=("SERIES", "ENGINE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one or options.series:
        pin()
    if options.one:
        print(json.dumps(measure_here(*options.one)))
        return
    if options.series:
        print(json.dumps(measure_growth(*options.series)))
        return
    if unknown := [w for w in options.works if w not in WORKS]:
        parser.error(f"no such work: {', '.join(unknown)}; there are {', '.join(WORKS)}")
    figures: dict[str, Any] = {"machine": machine(), "rounds": options.rounds, "works": {}}
    works = options.works or ([] if options.growth else list(WORKS))
    rounds = f", {options.rounds} rounds" if works else ""
    print(f"{os.cpu_count()} cores, load {load()}{rounds}, one thread on one core each, CPU time")
    for name in works:
        figures["works"][name] = result = compare(name, options.rounds)
        print_work(name, result)
    if options.growth:
        figures["growth"] = grow(lambda series, engine: in_process("--series", series, engine))
        draw_growth(figures["growth"], options.growth)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(figures, indent=1))
    if options.figure:
        draw(figures, options.figure)


def machine() -> dict[str, Any]:
    """What the figures were taken on and with."""
    versions = {}
    for module in dict.fromkeys(m.split(".")[0] for m in ENGINES.values()):
        try:
            versions[module] = importlib.metadata.version(module)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {"cores": os.cpu_count(), "load": load(), "python": platform.python_version(), **versions}


def pin() -> None:
    """Keep this process, and those that it starts, on one of the cores that it may use."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def load() -> float:
    """How many processes wanted a core, on average over the last minute."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else float("nan")


def installed(engine: str) -> bool:
    return importlib.util.find_spec(ENGINES[engine]) is not None


def measure_here(name: str, engine: str) -> dict[str, Any]:
    """Run one work on one engine in this process: its figure, the check value, the peak memory."""
    import resource

    work = WORKS[name]
    step = work.engines[engine]()
    start, wall_start = time.process_time(), time.perf_counter()
    result = step()
    elapsed, wall, repeats = time.process_time() - start, time.perf_counter() - wall_start, 1
    figure, result = result if work.own else (0.0, result)
    for _ in range(work.before - 1):
        result = step()
    check = checked(result)
    while not (work.own or work.once):  # long enough that the clock does not matter, at most about a second
        start, wall_start = time.process_time(), time.perf_counter()
        for _ in range(repeats):
            step()
        elapsed, wall = time.process_time() - start, time.perf_counter() - wall_start
        if elapsed > 0.2 or repeats >= 10_000:
            break
        repeats = min(10_000, max(repeats * 2, int(repeats * 0.3 / max(elapsed, 1e-6))))
    if not work.own:
        figure = elapsed / repeats * SCALES[work.unit]
    per = repeats * work.per / SCALES.get(work.unit, 1.0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"figure": figure / work.per, "wall": wall / per, "check": check, "peak_mb": peak}


def in_process(*arguments: str) -> Any:
    """What a fresh process of this module prints, or None where it fails."""
    command = [sys.executable, "-m", "tests.benchmarks", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | ENVIRONMENT)
    if done.returncode:
        print(f"  {arguments[-1]} failed: {(done.stderr.strip() or str(done.returncode)).splitlines()[-1]}")
        return None
    return json.loads(done.stdout)


def compare(name: str, rounds: int) -> dict[str, Any]:
    """All installed engines on one work, taking turns."""
    work = WORKS[name]
    runs: dict[str, list[dict[str, Any]]] = {e: [] for e in work.engines if installed(e)}
    loads = []
    for _ in range(rounds):
        loads.append(load())
        for engine, found in runs.items():
            if one := in_process("--one", name, engine):
                found.append(one)
    result = {
        e: {
            "median": statistics.median(r["figure"] for r in found),
            "lowest": min(r["figure"] for r in found),
            "highest": max(r["figure"] for r in found),
            "wall": statistics.median(r["wall"] for r in found),
            "peak_mb": statistics.median(r["peak_mb"] for r in found),
            "check": found[-1]["check"],
        }
        for e, found in runs.items()
        if found
    }
    first = next(iter(result.values()), {})
    for figures in result.values():
        figures["ratios"] = {e: figures["median"] / f["median"] for e, f in result.items() if f["median"]}
        allowed = work.tolerance * max(abs(first["check"]), 1e-9)
        figures["agrees"] = bool(abs(figures["check"] - first["check"]) <= allowed)
    return {"unit": work.unit, "loads": loads, "engines": result}


def print_work(name: str, result: dict[str, Any]) -> None:
    """One table: the engines of a work, lowest first, and how ours stand to the others."""
    work, engines = WORKS[name], result["engines"]
    print(f"\n{name}: {work.about}   (must be: {work.target}; load {max(result['loads'])})")
    reference = next(iter(engines), "")
    wall = "" if work.own else "on the wall"
    print(
        f"  {'engine':<12} {'median':>12} {'low - high':>23} {wall:>11} {'÷ ' + reference:>9} {'peak MB':>8}"
    )
    for engine, f in sorted(engines.items(), key=lambda item: item[1]["median"]):
        spread = f"{f['lowest']:.4g} - {f['highest']:.4g}"
        wrong = "" if f["agrees"] else f"  ANSWER DIFFERS: {f['check']:.6g}"
        print(
            f"  {engine:<12} {f['median']:>9.4g} {work.unit:<2} {spread:>23} "
            f"{'' if work.own else format(f['wall'], '.4g'):>11} "
            f"{f['ratios'].get(reference, float('nan')):>9.2f} {f['peak_mb']:>8.0f}{wrong}"
        )
    for mine in ("ours", "compiled", "whole"):
        if mine in engines:
            others = [f"{r:.2g} × {e}" for e, r in engines[mine]["ratios"].items() if e != mine]
            print(f"  {mine} = {', '.join(others)}")


def draw(figures: dict[str, Any], path: Path) -> None:
    """The ratios of all works to their first engine on a log axis; each engine has its height in a row."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    works = {name: r["engines"] for name, r in figures["works"].items() if r["engines"]}
    fig, axis = plt.subplots(figsize=(10, 0.5 * len(works) + 1.5), layout="constrained")
    labels = []
    for row, (name, engines) in enumerate(works.items()):
        reference = next(iter(engines))
        labels.append(name if reference == "hand" else f"{name} (÷ {reference})")
        axis.axhspan(row - 0.5, row + 0.5, color="0.95" if row % 2 else "1", zorder=0)
        for place, engine in enumerate(ENGINES):
            ratio = engines.get(engine, {"ratios": {}})["ratios"].get(reference, 0)
            if engine != reference and ratio > 0.01:  # an import of nothing takes no time, give or take
                height = row + 0.8 * (place / (len(ENGINES) - 1) - 0.5)
                size = 7 if engine in ("ours", "compiled", "whole") else 5
                axis.plot(ratio, height, MARKERS[place], color=f"C{place}", label=engine, markersize=size)
    axis.axvline(1, color="0.4", linewidth=1, zorder=1)
    found = dict(zip(*reversed(axis.get_legend_handles_labels())))
    order = [e for e in ENGINES if e in found]
    axis.legend([found[e] for e in order], order, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    axis.set(xscale="log", xlabel="÷ hand-written NumPy", yticks=range(len(works)), yticklabels=labels)
    axis.set_ylim(len(works) - 0.5, -0.5)
    axis.xaxis.set_major_formatter("{x:g}")
    axis.grid(axis="x", color="0.85")
    axis.set_axisbelow(True)
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, dpi=120)
    print(f"\nwrote {path}")


if __name__ == "__main__":
    main()
