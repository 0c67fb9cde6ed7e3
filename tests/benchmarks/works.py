"""The pieces of work that are timed, each written for every engine as a person who knows that engine would.

A work maps engines to functions that set it up and return one step to repeat; a step returns what is checked:
a number, or the gradients.  The first engine of a work is what the others are compared with.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Step = Callable[[], Any]

ENGINES = {  # name -> the module that has to be installed
    "hand": "numpy",
    "ours": "tinygrad_course",
    "compiled": "tinygrad_course.program",
    "whole": "tinygrad_course.program",  # a training step in one program: loss, backward, optimizer
    "torch": "torch",
    "torch loader": "torch",
    "jax": "jax",
    "mygrad": "mygrad",
    "autograd": "autograd",
    "micrograd": "micrograd",
}
SCALES = {"µs": 1e6, "ms": 1e3, "s": 1.0}  # of a second; other units are measured by the step itself


@dataclass
class Work:
    """A piece of work: what it is, what ours must reach, and how each engine does it."""

    about: str
    target: str
    unit: str = "µs"
    per: float = 1.0  # a step's figure is divided by this (operations in a chain)
    own: bool = (
        False  # a step measures itself and returns (figure in `unit`, what is checked), once a process
    )
    once: bool = False  # a step is so long that the first is the measurement
    before: int = 1  # steps before the check: more where a wrong gradient shows only later
    tolerance: float = 1e-3  # how far a check value may be from the first engine's
    engines: dict[str, Callable[[], Step]] = field(default_factory=dict)


WORKS: dict[str, Work] = {}


def engine(work: str, name: str) -> Callable[[Callable[[], Step]], Callable[[], Step]]:
    """Register the decorated function as how `name` does `work`."""

    def register(setup: Callable[[], Step]) -> Callable[[], Step]:
        WORKS[work].engines[name] = setup
        return setup

    return register


def checked(result: Any) -> float:
    """One number that stands for a step's result: of gradients, every entry counts by its place and sign."""
    if isinstance(result, (int, float)):
        return float(result)
    flat = np.concatenate([np.asarray(part, float).ravel() for part in result])
    return float(np.linspace(1, 2, flat.size) @ (np.abs(flat) + flat / 2))


def resident() -> int:
    """The bytes of memory this process has now."""
    import resource
    from pathlib import Path

    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def single(*shape: int) -> np.ndarray:
    """Noise in float32; each process draws the same."""
    return RNG.standard_normal(shape, dtype=np.float32)


RNG = np.random.default_rng(0)


def batch_of(n: int) -> tuple[np.ndarray, np.ndarray]:
    """`n` images of noise in 784 float32 and their labels: speed does not depend on what is on them."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, 784), dtype=np.float32), rng.integers(0, 10, n)


def first_weights(sizes: tuple[int, ...] = (784, 100, 10)) -> list[np.ndarray]:
    """The same starting weights for every engine: for (784, 100, 10) (100, 784), (100,), (10, 100), (10,)."""
    rng = np.random.default_rng(1)
    return [
        rng.uniform(-1 / k**0.5, 1 / k**0.5, shape).astype(np.float32)
        for k, n in itertools.pairwise(sizes)
        for shape in ((n, k), (n,))
    ]


def one_thread() -> Any:
    """PyTorch on one thread."""
    import torch

    torch.set_num_threads(1)
    return torch


def jax_of(f: Callable[..., Any], *data: np.ndarray, double: bool = False) -> Step:
    """A step that runs the jitted `f` of JAX arrays until it is done."""
    import jax

    jax.config.update("jax_enable_x64", double)
    arrays, g = [jax.numpy.asarray(d) for d in data], jax.jit(f)
    return lambda: jax.block_until_ready(g(*arrays))
