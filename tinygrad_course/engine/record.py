"""The record: what a value remembers of the operation that made it.

That is the operation's row in the table, the arguments as they were, and which of them were values: its
parents.  Following parents from a result leads back through everything that it was computed from, which is
all that backpropagation, pictures and explanations need.

A graph has as many records as operations, so they are kept small: one or two operands stand in slots of their
own (x, y, and their parents px, py), and only what does not fit there is put into tuples.  This file knows
that; everybody else reads `row`, `args`, `kwargs` and `parents`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from .table import Row

# In place of the second operand: there is only one
ONE: Any = object()

# In place of the second operand: x is the pair of all arguments and keywords, px has all parents
MANY: Any = object()

next_serial = itertools.count(1).__next__


class Record:
    """What was computed (`primal`: a float, an array, or a tuple of several results), and how.

    `active` says whether a gradient is wanted here; `serial` numbers the values in the order in which they
    came to be, so that a value is always younger than its parents; `line` is the line of source that asked
    for the operation, where somebody is watching.
    """

    __slots__ = ("active", "grad", "line", "name", "primal", "px", "py", "row", "serial", "x", "y")

    def __init__(self, primal: Any, active: bool, name: str | None = None) -> None:
        self.primal, self.active, self.name = primal, active, name
        nothing: Any = None
        self.row = self.x = self.px = self.py = self.grad = self.line = nothing
        self.y, self.serial = ONE, next_serial()

    def remember(self, row: Row, args: tuple[Any, ...], kwargs: dict[str, Any], parents: Any) -> None:
        """Keep how this was computed: `parents` has the value, or None, for each operand of the row."""
        self.row = row
        if kwargs or not 1 <= len(args) == len(parents) <= 2 or row.rule_for_all is not None:
            self.x, self.y, self.px = (args, kwargs), MANY, parents
        elif len(args) == 1:
            self.x, self.px = args[0], parents[0]
        else:
            (self.x, self.y), (self.px, self.py) = args, parents

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments of the operation, as they were; () for a leaf."""
        if self.y is MANY:
            return self.x[0]
        return () if self.row is None else (self.x,) if self.y is ONE else (self.x, self.y)

    @property
    def kwargs(self) -> dict[str, Any]:
        """The keywords of the operation."""
        return self.x[1] if self.y is MANY else {}

    @property
    def parents(self) -> tuple[Any, ...]:
        """For each operand the value that it came from, or None where no gradient goes; () for a leaf."""
        if self.y is MANY:
            return self.px
        return () if self.row is None else (self.px,) if self.y is ONE else (self.px, self.py)


def ancestors(roots: Iterable[Any], since: int = 0, stop: Iterable[Any] = ()) -> list[Any]:
    """Everything that `roots` were computed from and they themselves, the youngest first.

    Parameters
    ----------
    roots : values
        Where to start.
    since : int
        Do not go behind what is older than this serial number.
    stop : values
        Do not go behind these.

    Examples
    --------
    >>> from tinygrad_course import Value
    >>> x = Value(2.0, name="x")
    >>> y = x * x + x
    >>> [v.name or v.row.name for v in ancestors([y])]
    ['add', 'multiply', 'x']
    """
    found = list(dict.fromkeys(roots))
    seen, ends = set(found), set(stop)
    for value in found:  # grows while we go through it
        if value.serial >= since and value not in ends:
            for parent in value.px if value.y is MANY else (value.px, value.py):
                if parent is not None and parent not in seen:
                    seen.add(parent)
                    found.append(parent)
    found.sort(key=lambda v: v.serial, reverse=True)
    return found
