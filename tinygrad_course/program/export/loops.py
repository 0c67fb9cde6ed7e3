"""Loops over arrays that lie flat in memory: where an entry stands, and the `for` lines that visit them all.

A `Place` says where the entries of an array are found: at ``name[start + i * stride + ...]``.  A transposed,
stretched or sliced array is a place with other strides and no memory of its own.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Shape = tuple[int, ...]
LETTERS = ["i", "j", "k", "l", "q", "r", "u", "h", *(f"i{n}" for n in range(8, 33))]
"""The names of loop variables."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the entries of an array are; `number` where `name` itself is the only one."""

    name: str
    shape: Shape = ()
    strides: Shape = ()
    start: int = 0
    number: bool = False

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def positions(self) -> Any:
        """The position of every entry in the flat array."""
        grid = np.ogrid[tuple(map(slice, self.shape))]
        return sum(map(operator.mul, grid, self.strides), np.full(self.shape, self.start))

    def showing(self, positions: Any) -> Place | None:
        """The same memory, with the entries at `positions`; None where no strides lead there.

        Examples
        --------
        >>> x = whole("x", (2, 3))
        >>> x.showing(x.positions.T)
        Place(name='x', shape=(3, 2), strides=(1, 3), start=0, number=False)
        >>> x.showing(x.positions[:, [2, 0, 0]]) is None
        True
        """
        positions = np.asarray(positions)
        first = int(positions.flat[0]) if positions.size else 0
        strides = []
        for axis, n in enumerate(positions.shape):
            second = tuple(int(a == axis) for a in range(positions.ndim))
            strides.append(int(positions[second]) - first if n > 1 and positions.size else 0)
        seen = replace(self, shape=positions.shape, strides=tuple(strides), start=first)
        return seen if np.array_equal(seen.positions, positions) else None

    def stretched(self, shape: Shape) -> Place:
        """The place broadcast to a shape."""
        strides = [0 if n == 1 else s for n, s in zip(self.shape, self.strides)]
        return replace(self, shape=shape, strides=(*(0,) * (len(shape) - self.ndim), *strides))

    def along(self, axes: Sequence[int]) -> Place:
        """The entries that are first along all axes but these."""
        shape, strides = ([steps[a] for a in axes] for steps in (self.shape, self.strides))
        return replace(self, shape=tuple(shape), strides=tuple(strides))

    def position(self, indices: Sequence[str]) -> str:
        """Where in the flat array the entry at these indices is, as text."""
        terms = [i if s == 1 else f"{s} * {i}" for i, s in zip(indices, self.strides) if s]
        return " + ".join([*terms, str(self.start)] if self.start or not terms else terms)

    def at(self, indices: Sequence[str]) -> str:
        """The entry at these indices, as text."""
        return self.name if self.number else f"{self.name}[{self.position(indices)}]"


def whole(name: str, shape: Shape) -> Place:
    """The place of an array that lies in memory row by row; without axes it is a number."""
    strides = tuple(math.prod(shape[a + 1 :]) for a in range(len(shape)))
    return Place(name, shape, strides, number=not shape)


def collapsed(places: Sequence[Place]) -> list[Place]:
    """Places of one shape with neighbouring axes taken together wherever all of them allow it.

    Examples
    --------
    >>> [p.shape for p in collapsed([whole("x", (2, 1, 3)), whole("y", (2, 1, 3))])]
    [(6,), (6,)]
    >>> [p.shape for p in collapsed([whole("x", (2, 3)), whole("y", (3,)).stretched((2, 3))])]
    [(2, 3), (2, 3)]
    """
    shape: list[int] = []
    strides: list[list[int]] = [[] for _ in places]
    for axis, n in enumerate(places[0].shape):
        steps = [p.strides[axis] for p in places]
        if n == 1:
            continue
        if shape and all(s[-1] == step * n for s, step in zip(strides, steps)):
            shape[-1] *= n
            for s, step in zip(strides, steps):
                s[-1] = step
        else:
            shape.append(n)
            for s, step in zip(strides, steps):
                s.append(step)
    return [replace(p, shape=tuple(shape), strides=tuple(s)) for p, s in zip(places, strides)]


def loops(sizes: Sequence[int], body: Callable[[list[str]], Iterable[str]], after: int = 0) -> list[str]:
    """Nested loops over so many entries each, around the lines that `body` gives for the loop variables.

    Examples
    --------
    >>> print("\\n".join(loops((2, 3), lambda at: [f"z[{at[0]}] += x[{at[1]}];"])))
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 3; j++) z[i] += x[j];
    """
    letters = LETTERS[after : after + len(sizes)]
    lines = list(body(letters))
    for letter, n in reversed(list(zip(letters, sizes))):
        head = f"for (let {letter} = 0; {letter} < {n}; {letter}++)"
        if len(lines) == 1 and not lines[0].startswith("for"):
            lines = [f"{head} {lines[0]}"]
        elif lines[0].startswith("for") and all(line.startswith(" ") or line == lines[0] for line in lines):
            lines = [head, *indented(lines)]
        else:
            lines = [f"{head} {{", *indented(lines), "}"]
    return lines


def indented(lines: Iterable[str]) -> list[str]:
    """Lines two spaces further in."""
    return [f"  {line}" for line in lines]
