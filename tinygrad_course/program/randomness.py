"""Randomness: what a program draws is drawn anew at each run, from the same generators as without a program.

Tracing draws too, as it runs the function once; afterwards every source is put back to where it was.
Numbers that are drawn in a way that a program cannot repeat are refused.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterable
from typing import Any

import numpy as np

GLOBAL: list[Any] = [random.random.__self__, np.random.random.__self__]  # type: ignore[attr-defined]


def generators_in(args: Iterable[Any]) -> list[np.random.Generator]:
    """The generators among the arguments of a call."""
    return [a for a in args if type(a) is np.random.Generator]


def state_of(source: Any) -> bytes:
    """How far a source of random numbers has got."""
    return pickle.dumps(source.__getstate__())


class Randomness:
    """What a function may draw from while it is traced, and how far each source has got.

    Parameters
    ----------
    generators : list of Generator
        What calls on the tape may draw from.
    others : list
        Sources that a program cannot draw from.
    """

    def __init__(self, generators: list[np.random.Generator], others: list[Any]) -> None:
        self.generators = generators
        self._sources = [*[g.bit_generator for g in generators], *others, *GLOBAL]
        self._before = list(map(state_of, self._sources))
        self._now = list(self._before)

    def drawn(self, generator: np.random.Generator) -> None:
        """A call on the tape has drawn from `generator`."""
        for i, known in enumerate(self.generators):
            if known is generator:
                self._now[i] = state_of(self._sources[i])

    def knows(self, generator: np.random.Generator) -> bool:
        """Whether the generator was there before the function was called."""
        return any(known is generator for known in self.generators)

    def has_strayed(self) -> bool:
        """Whether anything was drawn that is not on the tape."""
        return list(map(state_of, self._sources)) != self._now

    def restore(self) -> None:
        """Put the sources back to where they were before the function was traced."""
        for source, state in zip(self._sources, self._before):
            if state_of(source) != state:
                source.__setstate__(pickle.loads(state))
