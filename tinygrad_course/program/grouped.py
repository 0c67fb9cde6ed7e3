"""Groups: steps of a program that go through large arrays row by row are made together, block by block.

Step after step, arrays that are larger than the processor's cache are fetched from memory each time.  In a
loop over blocks of rows all steps are made on one block while it is in the cache, and results that only these
steps need are never longer than a block.  Every entry is computed as before: the bits are the same.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..blocks import blocks
from .facts import row_of
from .variables import Instruction, Variable

FEW = 4  # up to so many blocks lie in the cache anyway


@dataclass(slots=True)
class Group:
    """Instructions that are made in one loop, `step` of the `rows` at a time.

    Attributes
    ----------
    cut : list of Variable
        What is read block by block, and is made outside.
    whole : list of Variable
        Results that are needed after the loop.
    views : list of Instruction
        Views that are needed after the loop, and made once more.
    inner : set of Variable
        All others.
    """

    instructions: list[Instruction]
    rows: int
    step: int
    cut: list[Variable]
    whole: list[Variable]
    views: list[Instruction]
    inner: set[Variable]

    def room(self, variable: Variable) -> tuple[int, ...]:
        """The shape of the memory for a result."""
        return (self.step, *variable.shape[1:]) if variable in self.inner else variable.shape


def is_view(instruction: Instruction) -> bool:
    return instruction.out.source is not None


def is_cut(variable: Variable, instruction: Instruction) -> bool:
    """Whether an instruction that works row by row reads this row by row, and not all of it for each row."""
    axes = len(instruction.args[0].shape if is_reduction(instruction) else instruction.out.shape)
    cut = len(variable.shape) == axes and variable.shape[0] == instruction.out.shape[0]
    return cut or is_view(instruction)


def is_reduction(instruction: Instruction) -> bool:
    row = row_of(instruction.function)
    return row is not None and row.reduction is not None


def by_rows(instruction: Instruction) -> bool:
    """Whether each row of the result is computed from the same row of what is not broadcast to it."""
    args, kwargs, out = instruction.args, instruction.kwargs, instruction.out
    if not out.shape or (args and isinstance(args[0], (list, tuple))):
        return False
    if not all(isinstance(a, Variable) or np.ndim(a) == 0 for a in args[:1]):
        return False
    if instruction.function is operator.getitem:  # only new axes
        index = args[1] if isinstance(args[1], tuple) else ()
        return (
            is_view(instruction)
            and index[:1] == (slice(None),)
            and all(p in (None, slice(None)) for p in index)
        )
    if is_reduction(instruction):
        axes = len(args[0].shape)
        axis = kwargs.get("axis", args[1] if len(args) == 2 else None)
        last = axes > 1 and axis in (-1, axes - 1)
        return last and args[0].contiguous and kwargs.keys() <= {"axis", "keepdims"}
    elementwise = isinstance(instruction.function, np.ufunc) and instruction.function.signature is None
    return (
        elementwise
        and out.contiguous
        and not kwargs
        and all(isinstance(a, Variable) or np.ndim(a) == 0 for a in args)
    )


def grouped(instructions: Sequence[Instruction], kept: Iterable[Variable]) -> list[Group]:
    """The groups of instructions that are worth a loop; `kept` are needed after all of them."""
    users: dict[Variable, set[int]] = {x: {-1} for v in kept for x in (v, v.root)}
    for i, instruction in enumerate(instructions):
        for v in instruction.reads:
            users.setdefault(v, set()).add(i)
            users.setdefault(v.root, set()).add(i)
    found: list[Group] = []
    start = 0
    while start < len(instructions):
        stop, cut, uncut, made = start, set[Variable](), set[Variable](), set[Variable]()
        while stop < len(instructions) and _fits(instructions[start], instructions[stop]):
            read = set(instructions[stop].reads)
            by_row = {v for v in read if is_cut(v, instructions[stop])}
            if (read - by_row) & (cut | made) or by_row & uncut:
                break  # no variable is read in both ways
            cut, uncut, made = cut | by_row, uncut | (read - by_row), made | {instructions[stop].out}
            stop += 1
        part = instructions[start:stop]
        inside = set(range(start, stop))
        later = [i for i in part if users.get(i.out, set()) - inside]
        whole, views = [i.out for i in later if not is_view(i)], [i for i in later if is_view(i)]
        width = max([math.prod(v.shape[1:]) * v.dtype.itemsize for v in made | cut], default=0)
        pieces = blocks(part[0].out.shape[0], width) if part and width else []
        if len(pieces) > FEW and len(part) > 1:
            given = [v for v in dict.fromkeys(v for i in part for v in i.reads) if v in cut - made]
            inner = {v.root for v in made} - {*whole} - {v.root for v in given}
            found.append(Group([*part], part[0].out.shape[0], pieces[0].stop, given, whole, views, inner))
        start = max(stop, start + 1)
    return found


def _fits(first: Instruction, one: Instruction) -> bool:
    """Whether an instruction may be made in the loop that `first` begins."""
    return by_rows(one) and one.strict == first.strict and one.out.shape[0] == first.out.shape[0]
