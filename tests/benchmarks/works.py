"""The pieces of work that are timed, each written for every engine as a person who knows that engine would.

A work maps engines to functions that set it up and return one step to repeat; a step returns a check value.
The first engine of a work is what the others are compared with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

Step = Callable[[], float]

ENGINES = {  # name -> the module that has to be installed
    "hand": "numpy",
    "ours": "tinygrad_course",
    "compiled": "tinygrad_course.program",
    "torch": "torch",
    "jax": "jax",
    "mygrad": "mygrad",
    "autograd": "autograd",
    "micrograd": "micrograd",
}


@dataclass
class Work:
    """A piece of work: what it is, what ours must reach, and how each engine does it."""

    about: str
    target: str
    per: float = 1.0  # a step's time is divided by this (operations in a chain)
    engines: dict[str, Callable[[], Step]] = field(default_factory=dict)


WORKS: dict[str, Work] = {}


def engine(work: str, name: str) -> Callable[[Callable[[], Step]], Callable[[], Step]]:
    """Register the decorated function as how `name` does `work`."""

    def register(setup: Callable[[], Step]) -> Callable[[], Step]:
        WORKS[work].engines[name] = setup
        return setup

    return register


def batch_of(n: int) -> tuple[np.ndarray, np.ndarray]:
    """`n` images of noise in 784 float32 and their labels: speed does not depend on what is on them."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, 784)).astype(np.float32), rng.integers(0, 10, n)


def first_weights() -> list[np.ndarray]:
    """The same starting weights for every engine: (100, 784), (100,), (10, 100), (10,)."""
    rng = np.random.default_rng(1)
    return [
        rng.uniform(-1 / k**0.5, 1 / k**0.5, shape).astype(np.float32)
        for k, shape in [(784, (100, 784)), (784, (100,)), (100, (10, 100)), (100, (10,))]
    ]


from . import arrays, mnist, scalars  # noqa: E402, F401  (they register their works)
