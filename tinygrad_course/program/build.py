"""Make a program: run a function on Traced arrays, simplify what was written down, and let Python run it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..arraylike import Value
from ..arraylike.foreign import NUMPYS, has_foreign
from ..blocks import lined_up
from ..derivatives import Row
from ..engine.backprop import settled
from ..engine.record import ancestors
from ..trees import leaves, mapped
from .grouped import Group, grouped
from .passes import Plan, with_buffers, without_dead, without_repeats
from .run import Fixed, Run, traced
from .source import executable, readable
from .state import Effect, Place
from .traced import Traced, refused
from .variables import Instruction, Variable, variables_in
from .watched import Held


@dataclass
class Parts:
    """What is printed: the two lists of instructions, what goes in and what comes out.

    `results` of the outputs are the function's, the others go into places; `values` has the names of
    parameters' data by id, and `gradient_of` says which variable is the gradient of which.
    """

    names: dict[Variable, str]
    inputs: list[Variable]
    seeds: list[Traced]
    forward: list[Instruction]
    backward: list[Instruction]
    outs: list[Any]
    gradients: list[Any]
    results: int
    targets: list[str]
    values: dict[int, str]
    gradient_of: dict[Variable, Variable]
    groups: list[Group]


@dataclass
class Program:
    """A traced function for one signature, ready to run.

    Attributes
    ----------
    reads : list of places
        The parameters' data, the arrays of modules, perhaps gradients, and what stands in the spots of what
        is held, that it reads at each call.
    writes : list of places
        What it replaces at each call; the new ones come after the outputs.
    targets : list of int or Value
        What gradients come back to: leaves of the arguments by number, and parameters.
    learns : list of bool
        Of each output, whether it is a Value with a gradient.
    uses_gradients : bool
        Whether it reads or changes `.grad`.
    structure : tree
        The types of what the function gives.
    fixed : dict
        The arguments whose values the program is for, by number.
    """

    function: Callable[..., Any]
    parts: Parts
    plan: Plan
    reads: list[Place]
    writes: list[Place]
    targets: list[int | Value]
    learns: list[bool]
    uses_gradients: bool
    structure: Any
    fixed: Fixed

    def __post_init__(self) -> None:
        """Make `row`, what a call is recorded with: the record's keyword `call` knows how to run back."""
        self.row = Row(self.function, tuple(map(_rule, range(len(self.targets)))), sequence=True)
        self._code = executable(self.parts, self.plan)
        self._free: list[list[Any]] = []

    @functools.cached_property
    def source(self) -> str:
        """The program as NumPy source."""
        return readable(self.parts, getattr(self.function, "__name__", "function"))

    def given(self, leaves: list[Any]) -> list[Any]:
        """Those of a call's arguments that are given to the program."""
        return [x for i, x in enumerate(leaves) if i not in self.fixed] if self.fixed else leaves

    def start(self, data: list[Any]) -> tuple[Any, list[Any]]:
        """Run the forward pass: what the backward pass goes on with, and the outputs.

        Raises
        ------
        Broken
            If it fails after an effect, so that it cannot be run again from the start.
        """
        lease = _Lease(self._free, self.plan)
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
            self.arrays = [lined_up(shape, dtype) for shape, dtype in plan.buffers]

    def __del__(self) -> None:
        if hasattr(self, "arrays"):  # it is set last, and may be missing after an interruption
            self.free.append(self.arrays)


def trace(
    function: Callable[..., Any], args: Any, kwargs: Any, held: Held, recording: bool, fixed: Fixed
) -> Program:
    """Run `function` on Traced arrays and make a program of what happens.

    `fixed` has the arguments that are known to decide something; others are added.
    """
    for given in leaves((args, kwargs)):
        if has_foreign(data := getattr(given, "primal", given)):
            raise refused(f"a {type(data).__name__} of {type(data).__module__} is an argument", NUMPYS)

    def then(run: Run, result: Any) -> Any:
        outs = leaves(result)
        writes, given = run.changes(), [run.own(o) for o in outs]
        run.back(outs)
        return mapped(type, result), outs, [*given, *[new for _, new in writes]], writes

    run, (structure, outs, given, writes) = traced(function, args, kwargs, held, recording, then, fixed)
    for value in ancestors([o for o in outs if type(o) is Value]):
        if value.name and isinstance(value.data, Traced):
            run.names.give(value.data.variable, value.name)  # the user's own names
    instructions, same = without_repeats(run.tape.instructions)

    def final(thing: Any) -> Any:
        thing = thing.data if type(thing) is Value else thing
        return same.get(thing.variable, thing.variable) if isinstance(thing, Traced) else thing

    effects = [i for i in instructions if isinstance(i.function, Effect)]
    returned, gradients = (
        [*map(final, given)],
        [*map(final, run.gradients)],
    )
    needed = variables_in([*returned, *gradients, *[i.args for i in effects]])
    used = {v for i in run.tape.instructions for v in i.reads}
    read_grad = any(t.variable in used for (_, attribute), t in run.reads if attribute == "grad")
    instructions = without_dead(instructions, needed)
    used = {v for i in instructions for v in i.reads} | set(needed)
    unused = {t.variable for _, t in run.reads} - used
    reads = [(place, t) for place, t in run.reads if t.variable not in unused]
    forward_only = {i.out for i in run.tape.instructions[: run.backward_from]}
    forward = [i for i in instructions if i.out in forward_only]
    backward = [i for i in instructions if i.out not in forward_only]
    later = [v for i in backward for v in i.reads]
    groups = [*grouped(forward, [*needed, *later]), *grouped(backward, needed)]
    parts = Parts(
        names=run.names.given,
        inputs=[t.variable for t in run.inputs if t.variable not in unused],
        seeds=run.seeds,
        forward=forward,
        backward=backward,
        outs=returned,
        gradients=gradients,
        results=len(outs),
        targets=[run.names.given[variable] for _, _, variable in run.learning],
        values={id(p[0]): run.names.given[t.variable] for p, t in reads if p[1] == "primal"},
        gradient_of={same.get(c, c): same.get(x, x) for c, x in run.gradient_of.items()},
        groups=groups,
    )
    return Program(
        function,
        parts,
        with_buffers([*forward, *backward], needed, groups),
        reads=[place for place, _ in reads],
        writes=[place for place, _ in writes],
        targets=[t for t, _, _ in run.learning] if gradients else [],
        learns=[bool(gradients) and type(o) is Value and o.requires_grad for o in outs],
        uses_gradients=bool(effects) or read_grad or any(place[1] == "grad" for place, _ in writes),
        structure=structure,
        fixed=dict(fixed),
    )


def _rule(i: int) -> Callable[..., Any]:
    """The rule for target `i` of a program."""
    return lambda g, out, operands, call: call(i, g, out, operands)
