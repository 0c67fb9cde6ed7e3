"""What a step on a Dask cluster costs beside one in one process, what it moves, what more workers would do.

    python -m tests.benchmarks.cluster                      overheads, bytes, growth and the simulation
    python -m tests.benchmarks.cluster --images 10000000    an epoch of so many images that lie on disk

The network is the lecture's in float32, its loss compiled, one thread a process.  A step is the gradient
alone; the optimizer's part is the same everywhere.  Times are minima over rounds in which the kinds take
turns, of the wall's clock; beside them stands the CPU time of all processes.

The simulation takes for a step of N workers, one shard a worker, of B images together

    T(N, B) = fixed + c(B / N) + 2 task (N - 1) + 2 hop ceil(log2 N),    c(b) = start + image b,

where every number is measured here: `fixed` is a step of one worker without its computing, `task` what the
scheduler and the client compute for a task more (a worker more is two: a gradient and a mean), `hop` the way
of all parameters from one worker to another as results of tasks.  Parameters spread from worker to worker as
gradients come together, so both take log2 N hops.  It is assumed that all workers are equally quick, that the
network is as quick as this machine's own, and that no two of the four parts overlap.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import psutil
from distributed import Client, LocalCluster, wait

from tinygrad_course import compile, data, nn, no_grad, optim, parallel
from tinygrad_course.nn import functional as F

from .works import batch_of

BATCHES = (128, 1024, 8192)
SIZES = (1, 2, 4, 16, 64, 256, 1024)
QUIET = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": 60}


def loss(model: nn.Module, x: Any, y: Any) -> Any:
    return F.cross_entropy(model(x), y)


class Bench:
    """A cluster of two workers, and steps of several kinds on it."""

    def __init__(self, client: Client) -> None:
        self.client, self.workers = client, sorted(client.nthreads())
        self.model = nn.MnistMLP(rng=0)
        self.alone = compile(loss)
        self.over = parallel.value_and_grad(compile(loss), self.model, client)

    def one_process(self, n: int) -> Callable[[], Any]:
        x, y = batch_of(n)

        def step() -> None:
            self.model.zero_grad()
            self.alone(self.model, x, y).backward()

        return step

    def on(self, workers: int, n: int, shards: int | None = None) -> Callable[[], Any]:
        """A step of `n` images on so many workers, which have their shards already."""
        places, shards = self.workers[:workers], shards or workers
        futures = [
            self.client.submit(batch_of, n // shards, workers=[places[k % workers]], pure=False)
            for k in range(shards)
        ]
        wait(futures)
        return lambda: self.over(futures)

    def cpu(self) -> float:
        """Seconds that all processes have computed so far."""
        return time.process_time() + sum(self.client.run(time.process_time).values())

    def hop(self, hops: int = 20) -> float:
        """Seconds for all parameters to go from one worker to the other, as results of tasks."""
        arrays = [p.data.copy() for p in self.model.parameters()]
        first = self.client.submit(list, arrays, workers=[self.workers[0]], pure=False)
        wait(first)

        def chain(places: list[str]) -> float:
            start, now = time.perf_counter(), first
            for place in places:
                now = self.client.submit(list, now, workers=[place], pure=False)
            wait(now)
            return (time.perf_counter() - start) / len(places)

        return min(chain([self.workers[(k + 1) % 2] for k in range(hops)]) for _ in range(5))


def timed(steps: dict[Any, Callable[[], Any]], cpu: Callable[[], float], rounds: int) -> dict[Any, Any]:
    """Milliseconds of each kind of step, of the wall's clock and of CPU: minima; they take turns."""
    best = dict.fromkeys(steps, (np.inf, np.inf))
    for step in steps.values():
        step()
    for _ in range(rounds):
        for name, step in steps.items():
            start, before, repeats = time.perf_counter(), cpu(), 0
            walls = []
            while time.perf_counter() < start + 0.3 or repeats < 5:
                began = time.perf_counter()
                step()
                walls.append(time.perf_counter() - began)
                repeats += 1
            found = 1000 * min(walls), 1000 * (cpu() - before) / repeats
            best[name] = tuple(map(min, best[name], found))
    return best


def moved(step: Callable[[], Any], repeats: int = 20) -> float:
    """Kilobytes that a step sends over this machine's loopback, whoever sends: the least of three rounds."""
    counts = []
    for _ in range(3):
        before = psutil.net_io_counters(pernic=True)["lo"].bytes_sent
        for _ in range(repeats):
            step()
        counts.append((psutil.net_io_counters(pernic=True)["lo"].bytes_sent - before) / repeats / 1000)
    return min(counts)


def simulated(found: dict[str, float], workers: int, batch: int) -> float:
    """Milliseconds of a step on a cluster: the formula above."""
    hops = math.ceil(math.log2(workers)) if workers > 1 else 0
    computing = found["start"] + found["image"] * batch / workers
    return found["fixed"] + computing + 2 * found["task"] * (workers - 1) + 2 * found["hop"] * hops


def measure(bench: Bench, rounds: int) -> None:
    """Print the tables."""
    size = sum(p.data.nbytes for p in bench.model.parameters()) / 1000
    kinds = {(n, k): bench.on(k, n) if k else bench.one_process(n) for n in (*BATCHES, 2) for k in range(3)}
    took = timed(kinds, bench.cpu, rounds)
    print("\nmilliseconds a step (CPU of all processes), and kilobytes moved by it")
    print(
        f"{'images':>8} {'one process':>18} {'1 worker':>18} {'2 workers':>18} {'moved by 2':>12} {'data':>9}"
    )
    for n in BATCHES:
        cells = [f"{took[n, k][0]:8.1f} ({took[n, k][1]:6.1f})" for k in range(3)]
        print(f"{n:8}", *(f"{c:>18}" for c in cells), f"{moved(kinds[n, 2]):12.0f} {n * 3.144:9.0f}")
    print(f"(parameters and a gradient of them have {size:.0f} kB each)")

    many = [2, 8, 32, 128]
    shards = timed({k: bench.on(2, 2 * k, k) for k in many}, time.process_time, rounds)
    task, _ = np.polyfit(many, [shards[k][1] for k in many], 1) / 2
    image, start = np.polyfit([2, *BATCHES], [took[n, 0][0] for n in (2, *BATCHES)], 1)
    fixed = took[2, 1][0] - took[2, 0][0]
    hop = 1000 * bench.hop()
    found = {"fixed": fixed, "start": max(start, 0.0), "image": image, "task": task, "hop": hop}
    print("\nmeasured, in milliseconds:", ", ".join(f"{name} {ms:.4f}" for name, ms in found.items()))
    print(
        "\nsimulated: times as quick as one process, by images a step and workers; the last columns: best N"
    )
    print(f"{'images':>10}", *(f"{n:>7}" for n in SIZES), f"{'best':>12}")
    for factor, batches in ((1, (1024, 8192, 65536, 1_048_576)), (100, (1024, 8192, 65536))):
        print(f"computing takes {factor} times what it does here")
        for batch in batches:
            network = {**found, "image": factor * found["image"]}
            alone = network["start"] + network["image"] * batch
            gains = {n: alone / simulated(network, n, batch) for n in range(1, 1025)}
            best = max(gains, key=gains.__getitem__)
            print(f"{batch:10}", *(f"{gains[n]:7.2f}" for n in SIZES), f"{gains[best]:6.1f} at {best}")


# Out of core
def store(folder: Path, n: int, chunk: int = 10_000) -> None:
    """Write `n` images and labels, drawn from MNIST's, a chunk at a time."""
    digits, rng = data.mnist(), np.random.default_rng(0)
    header = {"descr": "|u1", "fortran_order": False}
    with open(folder / "images.npy", "wb") as images, open(folder / "labels.npy", "wb") as labels:
        np.lib.format.write_array_header_1_0(images, {**header, "shape": (n, 784)})
        np.lib.format.write_array_header_1_0(labels, {**header, "shape": (n,)})
        for start in range(0, n, chunk):
            rows = rng.integers(0, len(digits.train_labels), min(chunk, n - start))
            digits.train_images[rows].tofile(images)
            digits.train_labels[rows].astype(np.uint8).tofile(labels)


def read(folder: Path, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """A shard: these rows of the files, and no others."""
    images, labels = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("images", "labels"))
    return np.asarray(images[start:stop]) / np.float32(255), np.asarray(labels[start:stop], np.int64)


def peak() -> int:
    """The most memory that this process has had, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1000


def epoch(client: Client, folder: Path, n: int, rows: int = 10_000) -> None:
    """An epoch with Adam: each step's shards are read on the workers, and gone after it."""
    model = nn.MnistMLP(rng=0)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    over = parallel.value_and_grad(compile(loss), model, client)
    start, before = time.perf_counter(), time.process_time()
    for first in range(0, n, 2 * rows):
        starts = [k for k in (first, first + rows) if k < n]
        shards = [client.submit(read, folder, k, min(k + rows, n), pure=False) for k in starts]
        value, gradients = over(shards)
        for p, gradient in zip(model.parameters(), gradients):
            p.grad = gradient
        optimizer.step()
        if first // (2 * rows) % 50 == 0:
            print(f"{first:12,} images, loss {value:.4f}", flush=True)
    seconds, cpu = time.perf_counter() - start, time.process_time() - before
    computed = sum(client.run(time.process_time).values())
    digits = data.mnist()
    with no_grad():
        answers = model(digits.test_images.reshape(-1, 784) / np.float32(255)).numpy().argmax(axis=1)
    peaks = [*client.run(peak).values(), peak()]
    print(
        f"{n:,} images of 784 in {seconds:.0f} s ({cpu:.0f} s of CPU here, {computed:.0f} s on the workers), "
        f"loss {value:.4f}, test accuracy {np.mean(answers == digits.test_labels):.2%}\n"
        f"on disk {n * 785 / 1e9:.2f} GB, as float32 {n * 3136 / 1e9:.1f} GB; most memory: "
        f"workers {peaks[0]} and {peaks[1]} MB, client and scheduler {peaks[2]} MB, together {sum(peaks)} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.cluster",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, help="an epoch of so many images, out of core")
    parser.add_argument("--out", type=Path, help="where the images are written to (a temporary folder)")
    options = parser.parse_args()
    limit = "450MB" if options.images else "auto"
    with LocalCluster(2, memory_limit=limit, **QUIET) as cluster, Client(cluster) as client:
        if not options.images:
            measure(Bench(client), options.rounds)
            return
        with tempfile.TemporaryDirectory(dir=options.out) as folder:
            store(Path(folder), options.images)
            epoch(client, Path(folder), options.images)


if __name__ == "__main__":
    main()
