"""The lecture's 784-100-10 network: one training step, five epochs, and the memory of one huge batch."""

from __future__ import annotations

import ctypes
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .trainers import TRAINERS, Trainer
from .works import WORKS, Step, Work, batch_of, engine, first_weights, one_thread, resident

LIMITS = {
    1: "eager ≤ 1.45 × hand, whole ≤ 1.15 ×",
    50: "eager ≤ 1.25 × hand, whole ≤ 1.08 ×",
    128: "eager ≤ 1.12 × hand, whole ≤ 1.04 ×",
    1024: "eager ≤ 1.05 × hand, whole ≤ 1.0 ×",
}
BATCH, EPOCHS, IMAGES = 128, 5, 60_000


def one_step(name: str, n: int) -> Step:
    trainer = TRAINERS[name](first_weights(), n)
    x, y = map(trainer.take, batch_of(n))
    return lambda: trainer.train(x, y)


for size, limit in LIMITS.items():
    WORKS[f"mnist-{size}"] = Work(f"MNIST step 784-100-10, Adam, batch {size}", limit, before=3)
    for name in TRAINERS:
        engine(f"mnist-{size}", name)(lambda name=name, size=size: one_step(name, size))


WORKS["epochs"] = Work(
    "5 epochs of MNIST, batch 128, Adam, CPU time",
    "eager ≤ 1.1 × hand, whole ≤ 1.06 ×",
    "s",
    own=True,
    tolerance=0.01,
)
WORKS["whole-batch"] = Work(
    "peak memory of 60,000 images as one batch, forward and backward", "compiled ≤ 80 MB", "MB", own=True
)


def real_images() -> tuple[np.ndarray, ...]:
    """MNIST, its pixels in float32 of mean 0 and deviation 1: images and labels to learn, and to test on."""
    from tinygrad_course import data

    digits = data.mnist()
    train, test = (
        (images.reshape(-1, 784) / np.float32(255) - np.float32(0.1307)) / np.float32(0.3081)
        for images in (digits.train_images, digits.test_images)
    )
    return train, digits.train_labels.astype(int), test, digits.test_labels


def right(weights: list[np.ndarray], images: np.ndarray, labels: np.ndarray) -> float:
    """The part of the images that the network knows."""
    w1, b1, w2, b2 = weights
    return float(((np.maximum(images @ w1.T + b1, 0) @ w2.T + b2).argmax(axis=1) == labels).mean())


def shuffled(trainer: Trainer, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> Iterator[Any]:
    """The full batches of one epoch, picked by NumPy."""
    order = rng.permutation(len(x))
    for i in range(0, len(x) - BATCH + 1, BATCH):
        rows = order[i : i + BATCH]
        yield trainer.take(x[rows]), trainer.take(y[rows])


def five_epochs(name: str, loader: bool = False) -> Step:
    """A step is the whole training, compiling included; its figure is the CPU time of all threads."""
    trainer, rng = TRAINERS[name](first_weights(), BATCH), np.random.default_rng(0)
    x, y, test_x, test_y = real_images()
    epoch_of = lambda: shuffled(trainer, x, y, rng)
    if loader:
        from torch.utils.data import DataLoader, TensorDataset

        one_thread().manual_seed(0)
        pairs = TensorDataset(trainer.take(x), trainer.take(y))
        batches: Iterable[Any] = DataLoader(pairs, batch_size=BATCH, shuffle=True, drop_last=True)
        epoch_of = lambda: iter(batches)

    def step() -> tuple[float, float]:
        start = time.process_time()
        for _ in range(EPOCHS):
            for images, labels in epoch_of():
                trainer.train(images, labels)
        seconds = time.process_time() - start
        return seconds, right(trainer.weights(), test_x, test_y)

    return step


for name in TRAINERS:
    engine("epochs", name)(lambda name=name: five_epochs(name))
    if name == "torch":
        engine("epochs", "torch loader")(lambda: five_epochs("torch", loader=True))


def whole_batch(name: str) -> Step:
    """Megabytes that a forward and backward pass takes at the peak, above the data and the weights.

    It is the lower of two passes, as some engines compile in the first.  What NumPy allocates is counted by
    tracemalloc, with what is held between the passes.  PyTorch and JAX have allocators of their own: for them
    it is how far the resident memory rises, once what is free has gone back to the system.  A small
    batch goes before all, so that imports do not count.
    """
    small = TRAINERS[name](first_weights(), 8)
    small.gradients(*map(small.take, batch_of(8)))
    x, y = map(small.take, batch_of(IMAGES))
    rises = name in ("torch", "jax")

    def step() -> tuple[float, float]:
        peaks, loss, start = [], 0.0, 0
        if not rises:
            tracemalloc.start()
        trainer = TRAINERS[name](first_weights(), IMAGES)
        for _ in range(2):
            if rises:
                forget_peak()
                start = resident()
            tracemalloc.reset_peak()
            loss = trainer.gradients(x, y)
            peaks.append(peak_resident() - start if rises else tracemalloc.get_traced_memory()[1])
        return min(peaks) / 2**20, loss

    return step


def forget_peak() -> None:
    """Give free memory back, and count the highest resident memory from now on (Linux with glibc)."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def peak_resident() -> int:
    """The highest resident memory in bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


for name in (name for name in TRAINERS if name != "whole"):  # what is measured ends with the gradients
    engine("whole-batch", name)(lambda name=name: whole_batch(name))
