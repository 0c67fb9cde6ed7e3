"""Simplify a program: plain passes, each over one list of instructions.

`without_repeats` computes nothing twice, `without_dead` drops what no result needs, and `with_buffers` says
which results can be written into memory that is free by then.  None of them changes a bit of any result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..derivatives import TABLE, neural
from ..trees import mapped
from .facts import row_of
from .grouped import Group
from .keys import key_of
from .randomness import generators_in
from .state import Effect
from .traced import copied
from .variables import Instruction, Variable, expect, variables_in


def substituted(tree: Any, new: dict[Variable, Variable]) -> Any:
    """`tree` with Variables replaced."""
    return mapped(lambda v: new.get(v, v) if isinstance(v, Variable) else v, tree)


def changes_nothing(instruction: Instruction) -> bool:
    """Whether the result is the first argument itself: a reshape to the shape that it has."""
    first = instruction.args[0] if instruction.args else None
    return (
        instruction.function is np.reshape
        and isinstance(first, Variable)
        and first.shape == instruction.out.shape
    )


def is_unlike(instruction: Instruction) -> bool:
    """Whether an instruction made twice is not the same: it draws, has an effect, or copies."""
    args = (*instruction.args, *instruction.kwargs.values())
    row = row_of(instruction.function)
    draws = row is not None and row.draws and args[-1] is None  # a seed draws the same each time
    effect = instruction.function is copied or isinstance(instruction.function, Effect)
    return draws or effect or bool(generators_in(args))


def without_repeats(
    instructions: Iterable[Instruction],
) -> tuple[list[Instruction], dict[Variable, Variable]]:
    """Each computation once; also which variable stands for which.

    Of a gradient that is left to the caller no copy is made, if it is nobody else's.
    """
    new: dict[Variable, Variable] = {}
    given: set[Variable] = set()
    seen: dict[Any, Variable] = {}
    kept = []
    for instruction in instructions:
        args, kwargs = substituted(instruction.args, new), substituted(instruction.kwargs, new)
        out = instruction.out
        if out.source is not None:
            out.source = new.get(out.source, out.source)
        unlike = object() if is_unlike(instruction) else None
        strict = instruction.strict and isinstance(instruction.function, np.ufunc)
        key = key_of((instruction.function, args, kwargs, strict)), unlike
        if changes_nothing(instruction):
            new[out] = args[0]
        elif key in seen:
            new[out] = seen[key]
        elif _may_be_given(instruction, args[0] if args else None, given):
            given.add(args[0])
            new[out] = args[0]
        else:
            seen[key] = out
            kept.append(replace(instruction, args=args, kwargs=kwargs))
    return kept, new


def _may_be_given(instruction: Instruction, original: Any, given: set[Variable]) -> bool:
    """Whether an instruction copies what is nobody's: neither an input, nor a view, nor given away before."""
    if instruction.function is not copied or not isinstance(original, Variable):
        return False
    return not (original.is_input or original.source or original in given)


def without_dead(instructions: Sequence[Instruction], needed: Iterable[Variable]) -> list[Instruction]:
    """Only what `needed` variables depend on, and what checks its argument."""
    wanted = set(needed)
    kept = []
    for instruction in reversed(instructions):
        keep = instruction.function is expect or isinstance(instruction.function, Effect)
        if keep or instruction.out in wanted or generators_in(instruction.args):
            kept.append(instruction)
            wanted.update(instruction.reads)
    return kept[::-1]


@dataclass(slots=True)
class Plan:
    """Where results are written: for an instruction's variable, the number of a buffer."""

    places: dict[Variable, int] = field(default_factory=dict)
    buffers: list[tuple[tuple[int, ...], Any]] = field(default_factory=list)  # shape and dtype of each
    groups: list[Group] = field(default_factory=list)


SLOPE = TABLE[neural.slope].function
"""The gradient of the softmax cross-entropy."""


def is_slope(instruction: Instruction) -> bool:
    """Whether an instruction is written out as a product and a subtraction in place: a `SLOPE` of rows."""
    return instruction.function is SLOPE and len(instruction.out.shape) == 2


def with_buffers(
    instructions: Sequence[Instruction], kept: Iterable[Variable], groups: Sequence[Group] = ()
) -> Plan:
    """Give every intermediate result a buffer, shared by results that are never needed at the same time.

    `kept` are given to the caller and so get memory of their own.  A result may take the very buffer of an
    argument that is not needed any more where the operation works entry by entry.
    """
    last: dict[Variable, int] = {}
    for i, instruction in enumerate(instructions):
        for v in (instruction.out, *instruction.reads):
            last[v.root] = i
    for v in kept:
        last[v.root] = len(instructions)
    of_group = {i.out: group for group in groups for i in group.instructions}
    numbers = {instruction.out: i for i, instruction in enumerate(instructions)}
    looped = set()  # read in a loop, whose later rounds read it too
    for group in groups:
        end = numbers[group.instructions[-1].out]
        for v in variables_in([i.args for i in group.instructions]):
            if v.root not in group.inner and last[v.root] <= end:
                last[v.root] = end
                looped.add(v.root)
    plan = Plan(groups=list(groups))
    free: dict[tuple[tuple[int, ...], Any], list[int]] = {}
    for i, instruction in enumerate(instructions):
        out, function = instruction.out, instruction.function
        used = {v.root for v in instruction.reads}
        if out in of_group and of_group[out].instructions[-1] is instruction:
            used |= {v for v in looped if last[v] == i}
        ending = [v for v in used if last[v] == i and v in plan.places]
        elementwise = (isinstance(function, np.ufunc) and function.signature is None) or is_slope(instruction)
        args = variables_in(instruction.args)
        viewed = {v.root for v in args if v.source is not None}
        over = {v for v in args if (v.shape, v.dtype) == (out.shape, out.dtype)} - viewed - looped
        over = over if elementwise else set()  # may be written over: read at the very place that is written
        for v in ending:
            if v in over:
                free.setdefault(plan.buffers[plan.places[v]], []).append(plan.places[v])
        fits = (
            (isinstance(function, np.ufunc) or elementwise)
            and out.contiguous
            and out.shape != ()
            and out.source is None
        )
        if fits and last[out] < len(instructions) and "dtype" not in instruction.kwargs:
            room = of_group[out].room(out) if out in of_group else out.shape
            spare = free.get((room, out.dtype))
            if not spare:
                spare = [len(plan.buffers)]
                plan.buffers.append((room, out.dtype))
            plan.places[out] = spare.pop()
        for v in ending:
            if v not in over:
                free.setdefault(plan.buffers[plan.places[v]], []).append(plan.places[v])
    return plan
