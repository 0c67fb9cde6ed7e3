"""Randomness: what a program draws is drawn anew at each run, from the same generators as without a program.

Tracing draws too, as it runs the function once; afterwards every generator is put back to where it was.
Numbers that are drawn in a way that a program cannot repeat are refused.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterable
from typing import Any

import numpy as np


def generators_in(args: Iterable[Any]) -> list[np.random.Generator]:
    """The generators among the arguments of a call."""
    return [a for a in args if isinstance(a, np.random.Generator)]


class Randomness:
    """The generators that a function may draw from while it is traced, and how far each has got."""

    def __init__(self, generators: list[np.random.Generator]) -> None:
        self.generators = generators
        self._before = [g.bit_generator.state for g in generators]
        self._now = list(self._before)
        self._elsewhere = self._others()

    def drawn(self, generator: np.random.Generator) -> None:
        """A call on the tape has drawn from `generator`."""
        for i, known in enumerate(self.generators):
            if known is generator:
                self._now[i] = generator.bit_generator.state

    def knows(self, generator: np.random.Generator) -> bool:
        """Whether the generator was there before the function was called."""
        return any(known is generator for known in self.generators)

    def has_strayed(self) -> bool:
        """Whether anything was drawn that is not on the tape."""
        moved = any(_differ(g.bit_generator.state, now) for g, now in zip(self.generators, self._now))
        return moved or _differ(self._others(), self._elsewhere)

    def restore(self) -> None:
        """Put the generators back to where they were before the function was traced."""
        for generator, state in zip(self.generators, self._before):
            generator.bit_generator.state = state
        if _differ(self._others(), self._elsewhere):
            random.setstate(self._elsewhere[0])
            np.random.set_state(self._elsewhere[1])  # noqa: NPY002

    @staticmethod
    def _others() -> Any:
        return random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002


def _differ(one: Any, other: Any) -> bool:
    """Whether two states of generators differ; there are arrays in some."""
    return pickle.dumps(one) != pickle.dumps(other)
