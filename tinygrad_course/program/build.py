"""Make a program: run a function on Traced arrays, simplify what was written down, and let Python run it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives import Row
from ..engine.record import ancestors
from ..engine.value import settled
from ..trees import leaves, mapped
from .passes import Plan, variables_in, with_buffers, without_dead, without_repeats
from .run import Run, traced
from .source import executable, readable
from .state import Effect, Place
from .tape import Tape
from .traced import Traced, copied
from .variables import Instruction, Variable
from .watched import Held


class Program:
    """A traced function for one signature, ready to run.

    Attributes
    ----------
    reads : list of places
        The parameters' data, the arrays of modules, and perhaps gradients, that it reads at each call.
    fed : list of int
        The numbers of the spots in what is held whose arrays it reads after those.
    writes : list of places
        What it replaces at each call; the new ones come after the outputs.
    targets : list of int or Value
        What gradients come back to: leaves of the arguments by number, and parameters.
    learns : list of bool
        Of each output, whether it is a Value with a gradient.
    effects : bool
        Whether it calls for effects, such as an optimizer's step.
    uses_gradients : bool
        Whether it reads or changes `.grad`.
    row : Row
        What a call is recorded with; the record's keyword `call` knows how to run back.
    source : str
        The program as NumPy source.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.reads: list[Place] = []
        self.fed: list[int] = []
        self.writes: list[Place] = []
        self.targets: list[int | Value] = []
        self.learns: list[bool] = []
        self.effects = self.uses_gradients = False
        self.row = Row(function)
        self.structure: Any = None
        self.parts: Any = None
        self._plan = Plan()
        self._code: Callable[..., Any] = lambda *a: None
        self._free: list[list[Any]] = []

    @functools.cached_property
    def source(self) -> str:
        """The program as NumPy source."""
        return readable(self.parts, getattr(self.function, "__name__", "function"))

    def start(self, data: list[Any]) -> tuple[Any, list[Any]]:
        """Run the forward pass: what the backward pass goes on with, and the outputs.

        Raises
        ------
        Broken
            If it fails after an effect, so that it cannot be run again from the start.
        """
        lease = _Lease(self._free, self._plan)
        run = self._code(lease, *data)
        try:
            return run, next(run)
        except (ArithmeticError, ValueError) as error:
            if lease.changed:
                raise Broken(
                    f"compile: {error}, after the program had changed parameters; without compile this call "
                    "may succeed"
                ) from error
            raise

    def rebuilt(self, outs: list[Any], learned: Sequence[Value] = ()) -> Any:
        """The outputs in the structure that the function gave, `learned` those that have a gradient."""
        if self.structure is Value and learned:
            return learned[0]
        found, following = iter(zip(outs, self.learns)), iter(learned)

        def leaf(kind: type) -> Any:
            out, learns = next(found)
            return (
                next(following)
                if learns
                else Value(settled(out), requires_grad=False)
                if kind is Value
                else out
            )

        return mapped(leaf, self.structure)


class Broken(RuntimeError):
    """A run failed halfway."""


class _Lease:
    """Memory for one run, given back for later runs when nothing refers to this one any more."""

    __slots__ = ("arrays", "changed", "free")

    def __init__(self, free: list[list[Any]], plan: Plan) -> None:
        self.free, self.changed = free, False
        try:
            self.arrays = free.pop()
        except IndexError:
            self.arrays = [np.empty(shape, dtype) for shape, dtype in plan.buffers]

    def __del__(self) -> None:
        if hasattr(self, "arrays"):  # it is set last, and may be missing after an interruption
            self.free.append(self.arrays)


def trace(function: Callable[..., Any], args: Any, kwargs: Any, held: Held, recording: bool) -> Program:
    """Run `function` on Traced arrays and make a program of what happens."""

    def then(run: Run, result: Any) -> Any:
        outs = leaves(result)
        writes = run.changes()
        run.back(outs)
        return result, outs, writes

    run, (result, outs, writes) = traced(function, args, kwargs, held, recording, then)
    _name_results(run, outs)
    return _program(Program(function), run, result, outs, writes)


def _program(program: Program, run: Run, result: Any, outs: list[Any], writes: Any) -> Program:
    """Simplify and print what was written down."""
    forward_only = {i.out for i in run.tape.instructions[: run.backward_from]}
    used = {v for i in run.tape.instructions for v in variables_in([i.args, i.kwargs])}
    instructions, same = without_repeats(run.tape.instructions)

    def final(thing: Any) -> Any:
        thing = thing.data if type(thing) is Value else thing
        return same.get(thing.variable, thing.variable) if isinstance(thing, Traced) else thing

    program.effects = any(isinstance(i.function, Effect) for i in instructions)
    changed = program.effects or any(a == "grad" for (_, a), _ in writes)
    program.uses_gradients = changed or any(t.variable in used for p, t in run.reads if p[1] == "grad")
    owner = Owner(run.tape)
    instructions = owner.of_effects(instructions)
    start = len(owner.copies)
    written = [owner.own(final(new)) if a == "grad" else final(new) for (_, a), new in writes]
    ending, owner.copies = owner.copies[start:], []
    gradients = [owner.own(final(c)) for c in run.gradients]
    forward_only |= {i.out for i in instructions if i.out in owner.early} | {i.out for i in ending}
    returned = [*[final(o) for o in outs], *written]
    needed = [v for v in (*returned, *gradients, *owner.taken) if isinstance(v, Variable)]
    instructions = without_dead([*instructions, *ending, *owner.copies], needed)
    used = {v for i in instructions for v in variables_in([i.args, i.kwargs])} | set(needed)
    unused = {t.variable for _, t in [*run.reads, *run.fed]} - used
    run.inputs = [t for t in run.inputs if t.variable not in unused]
    run.reads = [(place, t) for place, t in run.reads if t.variable not in unused]
    run.fed = [(i, t) for i, t in run.fed if t.variable not in unused]
    program.fed = [i for i, _ in run.fed]
    forward = [i for i in instructions if i.out in forward_only]
    backward = [i for i in instructions if i.out not in forward_only]
    program.targets = [t for t, _, _ in run.learning] if run.gradients else []
    learns = bool(run.gradients)
    program.learns = [learns and type(o) is Value and o.requires_grad for o in outs]
    program.structure = mapped(type, result)
    program.reads, program.writes = [place for place, _ in run.reads], [place for place, _ in writes]
    program.row = Row(program.function, tuple(map(_rule, range(len(program.targets)))), sequence=True)
    program._plan = with_buffers([*forward, *backward], needed)
    program.parts = Parts(run, forward, backward, returned, gradients, len(outs))
    program.parts.gradient_of = {same.get(c, c): same.get(x, x) for c, x in run.gradient_of.items()}
    program._code = executable(program.parts, program._plan)
    return program


def _rule(i: int) -> Callable[..., Any]:
    """The rule for target `i` of a program."""
    return lambda g, out, operands, call: call(i, g, out, operands)


class Owner:
    """Sees to it that no two gradients share their memory, and that none is a buffer of the program."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.taken: set[Variable] = set()
        self.early: set[Variable] = set()
        self.copies: list[Instruction] = []

    def own(self, thing: Any) -> Any:
        """`thing`, a variable or a constant array, or a copy of it."""
        if isinstance(thing, Variable):
            shared = thing in self.taken or thing.is_input or thing.source is not None
            if thing.is_float or not shared:
                self.taken.add(thing)
                return thing
            like: Any = np.empty(thing.shape, thing.dtype)
        elif isinstance(thing, np.ndarray):
            like = thing
        else:
            return thing
        copy = self.tape.variable(like)
        self.copies.append(Instruction(copied, (thing,), {}, copy))
        self.taken.add(copy)
        return copy

    def of_effects(self, instructions: list[Instruction]) -> list[Instruction]:
        """`instructions` with copies of what effects put into `.grad`, where they need to be."""
        found: list[Instruction] = []
        for i in instructions:
            if isinstance(i.function, Effect):
                new, *rest = i.args
                pairs = zip(i.function.puts, new)
                new = [self.own(x) if place[1] == "grad" else x for place, x in pairs]
                i = Instruction(i.function, (new, *rest), i.kwargs, i.out, i.strict)
                self.taken |= set(variables_in([i.args, i.kwargs]))
                self.early |= {c.out for c in self.copies}
                found += self.copies
                self.copies = []
            found.append(i)
        return found


class Parts:
    """What is printed: the two lists of instructions, what goes in and what comes out."""

    def __init__(
        self,
        run: Run,
        forward: list[Instruction],
        backward: list[Instruction],
        outs: Any,
        gradients: Any,
        results: int,
    ) -> None:
        self.names = run.names.given
        self.inputs = [t.variable for t in run.inputs]
        self.values = {id(place[0]): self.names[t.variable] for place, t in run.reads if place[1] == "primal"}
        self.seeds = run.seeds
        self.forward, self.backward = forward, backward
        self.outs, self.gradients = outs, gradients
        self.gradient_of: dict[Variable, Variable] = {}  # which variable is the gradient of which
        self.results = results  # so many of the outputs are the function's, the others go into places
        self.targets = [self.names[variable] for _, _, variable in run.learning]


def _name_results(run: Run, outs: list[Any]) -> None:
    """Give variables the names that the user gave to Values."""
    for value in ancestors([o for o in outs if type(o) is Value]):
        if value.name and isinstance(value.data, Traced):
            run.names.give(value.data.variable, value.name)
