"""Make a program: run a function on Traced arrays, simplify what was written down, and let Python run it."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np

from ..backprop import backpropagate
from ..derivatives import Row
from ..effects import noted_by
from ..value import _NO_KEYWORDS, Value, _result, _settled
from .chance import Chance
from .holders import Held, held_by
from .passes import Plan, variables_in, with_buffers, without_dead, without_repeats
from .source import executable, readable
from .state import Effect, Place, named_effect, values_in
from .tape import Instruction, Names, Tape, Traced, TraceError, Variable, _copied, refused

_BUNDLE = Row(
    tuple, each=lambda i, g, out, parts: g[i], sequence=True
)  # several results, to walk from at once


class Program:
    """A traced function for one signature, ready to run.

    Attributes
    ----------
    reads : list of places
        The parameters' data, the arrays of modules, and perhaps gradients, that it reads at each call.
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
    source : str
        The program as NumPy source.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.reads: list[Place] = []
        self.writes: list[Place] = []
        self.targets: list[int | Value] = []
        self.learns: list[bool] = []
        self.effects = self.uses_gradients = False
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
        found, following = iter(zip(outs, self.learns)), iter(learned)

        def leaf(kind: type) -> Any:
            out, learns = next(found)
            return (
                next(following)
                if learns
                else Value(_settled(out), requires_grad=False)
                if kind is Value
                else out
            )

        return mapped(self.structure, leaf)


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
        self.free.append(self.arrays)


class _Run:
    """One run of a function on Traced arrays, and what came of it."""

    def __init__(self, held: Held, extra: list[tuple[str, Value]], recording: bool) -> None:
        self.recording = recording
        self.values = [*held.values, *extra]
        self.held = held
        self.tape = Tape(chance=Chance(held.generators))
        self.names = Names()
        self.inputs: list[Traced] = []
        self.learning: list[tuple[int | Value, Value, Variable]] = []  # target, its stand-in, its variable
        self.arguments: list[tuple[int, Value, Value]] = []  # number, stand-in, the Value itself
        self.seeds: list[Traced] = []
        self.gradients: list[Any] = []
        self.backward_from = 0
        self.reads: list[tuple[Place, Traced]] = []
        self.current: dict[tuple[int, str], Any] = {}  # what the program has put into a place, or found there
        self.places: list[tuple[Place, Any]] = []  # each with its stand-in object
        self._before: list[tuple[Any, str, Any]] = []

    def given(self, thing: Any, name: str) -> Any:
        """A stand-in for an argument."""
        kind = type(thing)
        if kind is np.ndarray or kind is float:
            traced = self.tape.input(thing)
            self.names.give(traced._variable, name)
            self.inputs.append(traced)
            return traced
        if kind is Value:
            n, traced = len(self.inputs), self.given(thing._data, thing.name or name)
            if any(thing is v for _, v in self.values):  # its data are those of the parameter
                return thing
            stand_in = Value(traced, requires_grad=thing._parents is not None, name=thing.name)
            self.arguments.append((n, stand_in, thing))
            self.learns(n, stand_in)
            return stand_in
        if kind is tuple or kind is list:
            return kind(self.given(part, f"{name}{i}") for i, part in enumerate(thing))
        if kind is dict:
            return {key: self.given(part, str(key)) for key, part in thing.items()}
        return thing

    def learns(self, target: int | Value, stand_in: Value) -> None:
        """Note where a gradient shall come back to, if one shall."""
        if self.recording and stand_in._parents is not None:
            self.learning.append((target, stand_in, stand_in._data._variable))

    def __enter__(self) -> _Run:
        """Let Traced arrays stand in for parameters, their gradients, and the arrays of modules."""
        for name, value in self.values:
            self._stand_in((value, "_data"), value, name)
            self.tape.parameters.add(value._data._variable)
            self.learns(value, value)
        for module in self.held.modules:
            for name in getattr(module, "_buffers", ()):
                self._stand_in((module, name), module, name)
            self._stand_in((module, "training"), module, "training")
        for name, value in self.values:
            self._stand_in((value, "grad"), value, f"{name}_grad")
        for n, stand_in, value in self.arguments:
            stand_in.grad = value.grad
            self._stand_in((n, "grad"), stand_in, "grad")
        return self

    def _stand_in(self, place: Place, thing: Any, name: str) -> None:
        attribute, now = place[1], getattr(thing, place[1])
        self._before.append((thing, attribute, now))
        if isinstance(now, (np.ndarray, np.generic)) or type(now) is float:
            now = self.tape.input(now)
            self.names.give(now._variable, name)
            self.inputs.append(now)
            self.reads.append((place, now))
            setattr(thing, attribute, now)
        self.places.append((place, thing))
        self.current[id(thing), attribute] = now

    def __exit__(self, *error: Any) -> None:
        for thing, attribute, before in self._before:
            setattr(thing, attribute, before)
        self.tape.chance.restore()

    def changes(self) -> list[tuple[Place, Any]]:
        """The places where something else stands than what the program has put there or found, and what."""
        found = []
        for place, thing in self.places:
            now = getattr(thing, place[1])
            if now is not self.current[id(thing), place[1]]:
                if type(now) is Value:
                    raise refused(
                        "a gradient that is recorded (create_graph=True) is left behind in .grad",
                        "take it out: g, p.grad = p.grad, None",
                    )
                found.append((place, now))
                self.current[id(thing), place[1]] = now
        return found

    def note(self, function: Any, args: Any, kwargs: Any, changes: str, example: Any) -> Any:
        """Write down the call of an effect; the program makes it."""
        args = tuple([list(a) if isinstance(a, Iterator) else a for a in args])
        concerned = [v for _, v in held_by(_nothing, *args, *kwargs.values()).values]
        if missing := [v for v in concerned if (id(v), "_data") not in self.current]:
            raise Missed(missing)
        if any(v is stand_in for _, stand_in, _ in self.arguments for v in values_in((args, kwargs))):
            raise refused(
                f"{function.__name__} is to change an argument of the function",
                "let the function find its parameters in a module or a closure",
            )
        reads = [(v, changes) for v in concerned if changes and isinstance(getattr(v, changes), Traced)]
        puts = [(place, new) for place, new in self.changes() if not isinstance(place[0], int)]
        name = named_effect(function, args)
        if "." in function.__qualname__ and args:
            function, args = types.MethodType(function, args[0]), args[1:]
        call = Effect(function, name, [place for place, _ in puts], list(reads))
        likely = [getattr(v, changes)._data for v, _ in reads]
        arguments = ([new for _, new in puts], *args)
        result, *news = self.tape.noted(call, arguments, kwargs, [example, *likely])
        for (value, attribute), new in zip(reads, news):
            if attribute == "_data":
                self.tape.stale.add(value._data._variable.root)
                self.tape.parameters.add(new._variable)
            setattr(value, attribute, new)
            self.current[id(value), attribute] = new
        return result if example is not None else None

    def back(self, outs: list[Any]) -> None:
        """Run the walk back from the results, on Traced arrays too."""
        self.backward_from = len(self.tape.instructions)
        values = [o for o in outs if type(o) is Value and o._parents is not None]
        if not values or not self.recording or self.tape.stale:
            return
        for value in values:
            data = value._data._data
            seed = self.tape.input(1.0 if type(data) is float else np.ones_like(data))
            self.names.give(seed._variable, "g")
            self.seeds.append(seed)
        root, g = values[0], cast(Any, self.seeds[0])
        if len(values) > 1:
            parts = [v._data for v in values]
            root, g = _result(tuple(parts), _BUNDLE, (parts,), _NO_KEYWORDS, tuple(values)), tuple(self.seeds)
        self.gradients = backpropagate(root, g, inputs=[v for _, v, _ in self.learning])


class Missed(Exception):
    """Parameters that only tracing has found: once more, with stand-ins for them too."""

    def __init__(self, values: list[Value]) -> None:
        super().__init__()
        self.values = [(v.name or "parameter", v) for v in values]


def _nothing() -> None:
    pass


def trace(function: Callable[..., Any], args: Any, kwargs: Any, held: Held, recording: bool) -> Program:
    """Run `function` on Traced arrays and make a program of what happens."""
    extra: list[tuple[str, Value]] = []
    for _ in range(100):
        run = _Run(held, extra, recording)
        stand_ins = [run.given(a, name) for a, name in zip(args, _argument_names(function, len(args)))]
        named = {key: run.given(a, key) for key, a in kwargs.items()}
        try:
            with run, noted_by(run.note):
                result = function(*stand_ins, **named)
                outs = leaves_of(result)
                if recording:
                    _check_leaves(outs, {id(v) for _, v, _ in run.learning})
                writes = run.changes()
                run.back(outs)
                _check_world(run, held)
            break
        except Missed as missed:
            extra += missed.values
    else:
        raise TraceError("compile: the function makes new parameters at every call; make them once, outside")
    _name_results(run, outs)
    return _program(Program(function), run, result, outs, writes)


def _check_world(run: _Run, held: Held) -> None:
    """Refuse what a program could not do again."""
    if run.tape.chance.has_strayed():
        raise refused(
            "random numbers are drawn as plain arrays, which would be the same at each run",
            "give them as an argument, or draw them in nn.functional.dropout(x, p, rng=generator)",
        )
    if (name := held.changed()) is not None:
        held.restore()
        raise refused(f"the function assigns {name}, which a program would not do again", "return it instead")


def _program(program: Program, run: _Run, result: Any, outs: list[Any], writes: Any) -> Program:
    """Simplify and print what was written down."""
    forward_only = {i.out for i in run.tape.instructions[: run.backward_from]}
    used = {v for i in run.tape.instructions for v in variables_in([i.args, i.kwargs])}
    instructions, same = without_repeats(run.tape.instructions)

    def final(thing: Any) -> Any:
        thing = thing._data if type(thing) is Value else thing
        return same.get(thing._variable, thing._variable) if isinstance(thing, Traced) else thing

    program.effects = any(isinstance(i.function, Effect) for i in instructions)
    changed = program.effects or any(a == "grad" for (_, a), _ in writes)
    program.uses_gradients = changed or any(t._variable in used for p, t in run.reads if p[1] == "grad")
    owner = Owner(run.tape)
    instructions = owner.of_effects(instructions)
    start = len(owner.copies)
    written = [owner.own(final(new)) if a == "grad" else final(new) for (_, a), new in writes]
    ending, owner.copies = owner.copies[start:], []
    gradients = [None if c is None else owner.own(final(c)) for c in run.gradients]
    forward_only |= {i.out for i in instructions if i.out in owner.early} | {i.out for i in ending}
    returned = [*[final(o) for o in outs], *written]
    needed = [v for v in (*returned, *gradients, *owner.taken) if isinstance(v, Variable)]
    instructions = without_dead([*instructions, *ending, *owner.copies], needed)
    used = {v for i in instructions for v in variables_in([i.args, i.kwargs])} | set(needed)
    unused = {t._variable for _, t in run.reads} - used
    run.inputs = [t for t in run.inputs if t._variable not in unused]
    run.reads = [(place, t) for place, t in run.reads if t._variable not in unused]
    forward = [i for i in instructions if i.out in forward_only]
    backward = [i for i in instructions if i.out not in forward_only]
    program.targets = [t for t, _, _ in run.learning] if run.gradients else []
    learns = bool(run.gradients)
    program.learns = [learns and type(o) is Value and o._parents is not None for o in outs]
    program.structure = mapped(result, type)
    program.reads, program.writes = [place for place, _ in run.reads], [place for place, _ in writes]
    program._plan = with_buffers([*forward, *backward], needed)
    program.parts = Parts(run, forward, backward, returned, gradients, len(outs))
    program._code = executable(program.parts, program._plan)
    return program


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
        self.copies.append(Instruction(_copied, (thing,), {}, copy))
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
        run: _Run,
        forward: list[Instruction],
        backward: list[Instruction],
        outs: Any,
        gradients: Any,
        results: int,
    ) -> None:
        self.names = run.names.given
        self.inputs = [t._variable for t in run.inputs]
        self.values = {id(place[0]): self.names[t._variable] for place, t in run.reads if place[1] == "_data"}
        self.seeds = run.seeds
        self.forward, self.backward = forward, backward
        self.outs, self.gradients = outs, gradients
        self.results = results  # so many of the outputs are the function's, the others go into places
        self.targets = [self.names[variable] for _, _, variable in run.learning]


def _argument_names(function: Callable[..., Any], n: int) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    names = [p.name for p in parameters if p.kind != p.VAR_POSITIONAL][:n]
    return [*names, *(f"x{i}" for i in range(len(names), n))]


def leaves_of(tree: Any) -> list[Any]:
    """The leaves of nested tuples, lists and dicts."""
    if isinstance(tree, (tuple, list)):
        return [leaf for part in tree for leaf in leaves_of(part)]
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in leaves_of(part)]
    return [tree]


def mapped(tree: Any, leaf: Callable[[Any], Any]) -> Any:
    """`tree` with ``leaf(x)`` for every leaf x."""
    if isinstance(tree, (tuple, list)):
        parts = [mapped(part, leaf) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    if isinstance(tree, dict):
        return {k: mapped(part, leaf) for k, part in tree.items()}
    return leaf(tree)


def _graph(outs: list[Any]) -> Iterator[Value]:
    """Every Value that the Values among `outs` were computed from."""
    seen: set[int] = set()
    waiting = [o for o in outs if type(o) is Value]
    while waiting:
        value = waiting.pop()
        if id(value) not in seen:
            seen.add(id(value))
            yield value
            waiting += [p for p in value._parents or () if p is not None]


def _check_leaves(outs: list[Any], known: set[int]) -> None:
    """Raise Missed if gradients would reach leaves that nobody named."""
    missed = [v for v in _graph(outs) if v._row is None and v._parents is not None and id(v) not in known]
    if missed:
        raise Missed(missed)


def _name_results(run: _Run, outs: list[Any]) -> None:
    """Give variables the names that the user gave to Values."""
    for value in _graph(outs):
        if value.name and isinstance(value._data, Traced):
            run.names.give(value._data._variable, value.name)
