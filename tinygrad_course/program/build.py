"""Make a program: run a function on Traced arrays, simplify what was written down, and let Python run it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

from ..backprop import backpropagate
from ..derivatives import Row
from ..value import _NO_KEYWORDS, Value, _result, _settled
from .passes import Plan, with_buffers, without_dead, without_repeats
from .source import executable, readable
from .tape import Instruction, Names, Tape, Traced, TraceError, Variable

_BUNDLE = Row(
    tuple, each=lambda i, g, out, parts: g[i], sequence=True
)  # several results, to walk from at once


class Program:
    """A traced function for one signature, ready to run.

    Attributes
    ----------
    values : list of (str, Value)
        The parameters it reads at each call.
    buffers : list of (module, str)
        The arrays of modules that it reads and may replace.
    targets : list of int or Value
        What gradients come back to: leaves of the arguments by number, and parameters.
    result : tree
        What the function gave: leaves are Values and arrays, of this one run.
    source : str
        The program as NumPy source.
    """

    def __init__(self, function: Callable[..., Any], values: Any, buffers: Any) -> None:
        self.function = function
        self.values: list[tuple[str, Value]] = values
        self.buffers: list[tuple[Any, str]] = buffers
        self.targets: list[int | Value] = []
        self.learns: list[bool] = []  # of the outputs: Values with a gradient, or plain arrays and constants
        self.structure: Any = None
        self.source = ""
        self._plan = Plan()
        self._code: Callable[..., Any] = lambda *a: None
        self._free: list[list[Any]] = []

    def start(self, data: list[Any]) -> tuple[Any, list[Any]]:
        """Run the forward pass: what the backward pass goes on with, and the outputs."""
        run = self._code(_Lease(self._free, self._plan), *data)
        return run, next(run)

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


class _Lease:
    """Memory for one run, given back for later runs when nothing refers to this one any more."""

    __slots__ = ("arrays", "free")

    def __init__(self, free: list[list[Any]], plan: Plan) -> None:
        self.free = free
        try:
            self.arrays = free.pop()
        except IndexError:
            self.arrays = [np.empty(shape, dtype) for shape, dtype in plan.buffers]

    def __del__(self) -> None:
        self.free.append(self.arrays)


class _Run:
    """One run of a function on Traced arrays, and what came of it."""

    def __init__(self, recording: bool) -> None:
        self.recording = recording
        self.tape = Tape()
        self.names = Names()
        self.inputs: list[Traced] = []
        self.learning: list[tuple[int | Value, Value, Variable]] = []  # target, its stand-in, its variable
        self.seeds: list[Traced] = []
        self.gradients: list[Any] = []
        self.backward_from = 0

    def given(self, thing: Any, name: str) -> Any:
        """A stand-in for an argument, or for the data of a parameter."""
        kind = type(thing)
        if kind is np.ndarray or kind is float:
            traced = self.tape.input(thing)
            self.names.give(traced._variable, name)
            self.inputs.append(traced)
            return traced
        if kind is Value:
            traced = self.given(thing._data, thing.name or name)
            stand_in = Value(traced, requires_grad=thing._parents is not None, name=thing.name)
            self.learns(len(self.inputs) - 1, stand_in, traced)
            return stand_in
        if kind is tuple or kind is list:
            return kind(self.given(part, f"{name}{i}") for i, part in enumerate(thing))
        if kind is dict:
            return {key: self.given(part, str(key)) for key, part in thing.items()}
        return thing

    def learns(self, target: int | Value, stand_in: Value, traced: Traced) -> None:
        """Note where a gradient shall come back to, if one shall."""
        if self.recording and stand_in._parents is not None:
            self.learning.append((target, stand_in, traced._variable))

    def back(self, outs: list[Any]) -> None:
        """Run the walk back from the results, on Traced arrays too."""
        self.backward_from = len(self.tape.instructions)
        values = [o for o in outs if type(o) is Value and o._parents is not None]
        if not values:
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


def trace(
    function: Callable[..., Any],
    args: Any,
    kwargs: Any,
    values: list[tuple[str, Value]],
    modules: list[Any],
    recording: bool,
) -> Program:
    """Run `function` on Traced arrays and make a program of what happens."""
    buffers = [(m, name) for m in modules for name in getattr(m, "_buffers", ())]
    for _ in range(100):
        run = _Run(recording)
        stand_ins = [run.given(a, name) for a, name in zip(args, _argument_names(function, len(args)))]
        named = {key: run.given(a, key) for key, a in kwargs.items()}
        with _restored(values, buffers):
            for name, value in values:
                value._data = run.given(value._data, name)
                run.learns(value, value, value._data)
            for module, name in buffers:
                setattr(module, name, run.given(getattr(module, name), name))
            result = function(*stand_ins, **named)
            outs = leaves_of(result)
            missed = _unknown_leaves(outs, {id(v) for _, v, _ in run.learning}) if recording else []
            if not missed:
                run.back(outs)
                replaced = [getattr(module, name) for module, name in buffers]
        if not missed:
            _name_results(run, outs)
            return _program(Program(function, values, buffers), run, result, outs, replaced)
        values += missed  # found only by running: once more, with stand-ins for them too
    raise TraceError("compile: the function makes new parameters at every call; make them once, outside")


def _program(program: Program, run: _Run, result: Any, outs: list[Any], replaced: list[Any]) -> Program:
    """Simplify and print what was written down."""
    forward_only = {i.out for i in run.tape.instructions[: run.backward_from]}
    instructions, same = without_repeats(run.tape.instructions)

    def final(thing: Any) -> Any:
        thing = thing._data if type(thing) is Value else thing
        return same.get(thing._variable, thing._variable) if isinstance(thing, Traced) else thing

    given = {t._variable for t in run.inputs}
    new_buffers = [final(b) for b in replaced]
    returned = [final(o) for o in outs]
    returned += [None if b in given else b for b in new_buffers]
    gradients = [final(c) for c in run.gradients]
    needed = [v for v in (*returned, *gradients) if isinstance(v, Variable)]
    instructions = without_dead(instructions, needed)
    forward = [i for i in instructions if i.out in forward_only]
    backward = [i for i in instructions if i.out not in forward_only]
    program.targets = [t for t, _, _ in run.learning] if run.gradients else []
    program.learns = [type(o) is Value and o._parents is not None for o in outs]
    program.structure = mapped(result, type)
    program._plan = with_buffers([*forward, *backward], needed)
    parts = Parts(run, forward, backward, returned, gradients)
    program._code = executable(parts, program._plan)
    program.source = readable(parts, getattr(program.function, "__name__", "function"), len(outs))
    return program


class Parts:
    """What is printed: the two lists of instructions, what goes in and what comes out."""

    def __init__(
        self, run: _Run, forward: list[Instruction], backward: list[Instruction], outs: Any, gradients: Any
    ) -> None:
        self.names = run.names.given
        self.inputs = [t._variable for t in run.inputs]
        self.seeds = run.seeds
        self.forward, self.backward = forward, backward
        self.outs, self.gradients = outs, gradients
        self.targets = [self.names[variable] for _, _, variable in run.learning]


def _argument_names(function: Callable[..., Any], n: int) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    names = [p.name for p in parameters if p.kind != p.VAR_POSITIONAL][:n]
    return [*names, *(f"x{i}" for i in range(len(names), n))]


@contextmanager
def _restored(values: list[tuple[str, Value]], buffers: list[tuple[Any, str]]) -> Iterator[None]:
    """Give parameters and buffers their own data back after this block, in which Traced arrays stand in."""
    data, arrays = [v._data for _, v in values], [getattr(m, name) for m, name in buffers]

    try:
        yield
    finally:
        for (_, value), before in zip(values, data):
            value._data = before
        for (module, name), before in zip(buffers, arrays):
            setattr(module, name, before)


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


def _unknown_leaves(outs: list[Any], known: set[int]) -> list[tuple[str, Value]]:
    """Leaves that gradients would reach and that nobody named."""
    leaves = [v for v in _graph(outs) if v._row is None and v._parents is not None]
    return [(v.name or "parameter", v) for v in leaves if id(v) not in known]


def _name_results(run: _Run, outs: list[Any]) -> None:
    """Give variables the names that the user gave to Values."""
    for value in _graph(outs):
        if value.name and isinstance(value._data, Traced):
            run.names.give(value._data._variable, value.name)
