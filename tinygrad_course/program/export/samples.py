"""A program for any number of samples, found by running a function with three numbers of them.

The three programs are laid on one another.  A size or a number that is not the same in all of them has to
grow with the samples, as times · n + plus, and so has a constant array.  Anything else that differs is
refused with the line that made it.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arraylike import Value
from ...engine.value import no_grad
from ...trees import leaves, mapped
from ..build import Program
from ..compiled import Compiled
from ..traced import TraceError
from ..variables import Instruction, Variable, expect

COUNTS = (5, 7, 11)
"""So many samples the function is given."""


@dataclass(frozen=True, slots=True)
class Size:
    """A whole number that depends on how many samples there are: times · n + plus."""

    times: int
    plus: int

    def __str__(self) -> str:
        many = "batch" if self.times == 1 else f"{self.times}*batch"
        return many + (f"{self.plus:+}" if self.plus else "")


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """A constant array that depends on how many samples there are: its shape, and what it is for `COUNTS`."""

    shape: tuple[int | Size, ...]
    arrays: tuple[Any, ...]


@dataclass
class Joined:
    """The one program: its steps, results and inputs, and every variable's shape."""

    steps: list[Instruction]
    results: list[Any]
    inputs: list[Variable]
    shapes: dict[Variable, tuple[int | Size, ...]]
    programs: list[Program]
    held: list[Any]  # the data of the inputs that are no arguments


def joined(function: Callable[..., Any], args: Sequence[Any], batch: int | None) -> Joined:
    """The forward program of a function, for any length of its arguments' axis `batch`.

    Raises
    ------
    TraceError
        If the function fails with another number of samples, or takes other steps.
    """
    compiled = Compiled(function)
    programs = [forward(compiled, args)]
    held = compiled.held_data(programs[0], *args)
    found = _sampled(args, batch)
    if batch is not None and found:
        n, programs = found[0].shape[batch], []
        for count in COUNTS:
            try:
                programs.append(forward(compiled, [_resized(a, count, batch, found) for a in args]))
            except Exception as error:
                raise TraceError(
                    f"emit: with {count} samples along axis {batch}, in place of {n}, the function fails: "
                    f"{error}\nbatch=None makes a model of just these sizes, and batch=1 one in which the "
                    "second axis counts the samples"
                ) from error
    return _Joining(programs).whole(held)


def forward(compiled: Compiled, args: Sequence[Any]) -> Program:
    """The program of a function without its way back."""
    with no_grad():
        return compiled.program(*args)


def _sampled(args: Sequence[Any], batch: int | None) -> list[Any]:
    """The arguments that hold samples: arrays as long along the axis as the first, or else Values."""
    arrays: list[Any] = [x for x in leaves(args) if isinstance(x, np.ndarray)]
    arrays = arrays or [x for x in leaves(args) if isinstance(x, Value) and isinstance(x.data, np.ndarray)]
    fitting = [x for x in arrays if batch is not None and x.ndim > batch]
    return [x for x in fitting if x.shape[batch] == fitting[0].shape[batch]]


def _resized(arg: Any, count: int, batch: int, found: list[Any]) -> Any:
    """An argument with so many samples: those that are there, again and again."""

    def resized(x: Any) -> Any:
        if not any(x is f for f in found):
            return x
        data = x.data if isinstance(x, Value) else x
        if not data.shape[batch]:
            raise ValueError("there is no sample in the example to take more of; give one")
        data = np.take(data, np.arange(count) % data.shape[batch], axis=batch)
        return Value(data, requires_grad=x.requires_grad, name=x.name) if isinstance(x, Value) else data

    return mapped(resized, arg)


class _Joining:
    """Lays programs on one another; `same` says which variable of the first one another one is."""

    def __init__(self, programs: list[Program]) -> None:
        self.programs = programs
        self.same: dict[Variable, Variable] = {}
        self.shapes: dict[Variable, tuple[int | Size, ...]] = {}
        self.line = ""

    def whole(self, held: list[Any]) -> Joined:
        listed = [[i for i in p.parts.forward if i.function is not expect] for p in self.programs]
        first = self.programs[0].parts
        for inputs in zip(*(p.parts.inputs for p in self.programs)):
            self.variable(inputs)
        steps = []
        for same in zip(*listed):
            step, self.line = same[0], same[0].line
            args, kwargs = self.thing([(i.function, i.args, i.kwargs) for i in same])[1:]
            self.variable([i.out for i in same])
            steps.append(Instruction(step.function, args, kwargs, step.out, step.strict, step.line))
        if len({*map(len, listed)}) > 1:
            raise self.differs()
        results = self.thing([p.parts.outs[: p.parts.results] for p in self.programs])
        return Joined(steps, results, first.inputs, self.shapes, self.programs, held)

    def variable(self, same: Sequence[Variable]) -> None:
        """Note that these variables are one, and its shape."""
        for v in same:
            self.same[v] = same[0]
        if len({len(v.shape) for v in same}) > 1 or len({v.dtype for v in same}) > 1:
            raise self.differs()
        self.shapes[same[0]] = tuple(self.number(sizes) for sizes in zip(*(v.shape for v in same)))

    def thing(self, same: Sequence[Any]) -> Any:
        """What stands in one place of all programs, as one."""
        first = same[0]
        if any(type(x) is not type(first) for x in same):
            raise self.differs()
        if isinstance(first, slice):
            return slice(*(self.thing([getattr(x, e) for x in same]) for e in ("start", "stop", "step")))
        if isinstance(first, (tuple, list, dict)):
            if any(len(x) != len(first) for x in same):
                raise self.differs()
            if isinstance(first, dict):
                return {key: self.thing([x[key] for x in same]) for key in first}
            return type(first)(self.thing(parts) for parts in zip(*same))
        if isinstance(first, Variable):
            if any(self.same.get(x) is not first for x in same):
                raise self.differs()
            return first
        if isinstance(first, np.ndarray) and first.shape:
            return self.array(same)
        if isinstance(first, (int, float, np.number, np.ndarray)) and not isinstance(first, bool):
            return self.number(same)
        if any(x is not first and x != first for x in same):
            raise self.differs()
        return first

    def array(self, same: Sequence[Any]) -> Any:
        first = same[0]
        if all(x.shape == first.shape and x.tobytes() == first.tobytes() for x in same):
            return first
        if any(x.ndim != first.ndim or x.dtype != first.dtype for x in same):
            raise self.differs()
        return Grown(tuple(self.number(sizes) for sizes in zip(*(x.shape for x in same))), tuple(same))

    def number(self, same: Sequence[Any]) -> Any:
        """A number that is the same in all programs, or a `Size`."""
        first, *others = same
        if all(x == first or (x != x and first != first) for x in others):
            return first
        a, b = (x - first for x in map(float, others))
        times = a / (COUNTS[1] - COUNTS[0])
        plus = float(first) - times * COUNTS[0]
        if not (times.is_integer() and plus.is_integer() and b == times * (COUNTS[2] - COUNTS[0])):
            texts = ", ".join(f"{x} for {n}" for x, n in zip(same, COUNTS))
            raise TraceError(
                f"emit: a number depends on how many samples there are, and is no multiple of them ({texts})"
                f"{_at(self.line)}\ndivide by x.shape[0] itself, or take the mean; or give batch=None "
                "for a model of just these sizes"
            )
        return Size(int(times), int(plus))

    def differs(self) -> TraceError:
        return TraceError(
            f"emit: with another number of samples the function takes other steps{_at(self.line)}\nlet "
            "NumPy go through the samples, not a loop; where the second axis counts them give batch=1, and "
            "batch=None for a model of just these sizes"
        )


def _at(line: str) -> str:
    name, _, number = line.rpartition(":")
    return f", in {line}: {linecache.getline(name, int(number)).strip()}" if name else ""
