"""The traced run: a function on arrays that stand in for its arguments and parameters."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np

from ..arraylike import Value
from ..derivatives import Row
from ..engine.backprop import backpropagate
from ..engine.record import ancestors
from ..engine.watch import Watch, recording_mode
from ..engine.watch import recording as recording_by
from ..trees import leaves
from .closure import Held, held_by
from .randomness import Randomness
from .state import Effect, Place, named_effect, values_in
from .tape import Tape
from .traced import Traced, TraceError, refused
from .variables import Names, Variable

_BUNDLE = Row(
    tuple, rule_for_all=lambda i, g, out, parts: g[i], sequence=True
)  # several results, to walk from at once


class Run:
    """One run of a function on Traced arrays, and what came of it."""

    def __init__(self, held: Held, recording: bool) -> None:
        self.recording = recording
        self.values = list(held.values)
        self.held = held
        self.tape = Tape(randomness=Randomness(held.generators))
        self.names = Names()
        self.inputs: list[Traced] = []
        self.learning: list[tuple[int | Value, Value, Variable]] = []  # target, its stand-in, its variable
        self.arguments: list[tuple[int, Value, Value]] = []  # number, stand-in, the Value itself
        self.seeds: list[Traced] = []
        self.gradients: list[Any] = []
        self.gradient_of: dict[Variable, Variable] = {}
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
            self.names.give(traced.variable, name)
            self.inputs.append(traced)
            return traced
        if kind is Value:
            n, traced = len(self.inputs), self.given(thing.data, thing.name or name)
            if any(thing is v for _, v in self.values):  # its data are those of the parameter
                return thing
            stand_in = Value(traced, requires_grad=thing.requires_grad, name=thing.name)
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
        if self.recording and stand_in.requires_grad:
            self.learning.append((target, stand_in, stand_in.data.variable))

    def __enter__(self) -> Run:
        """Let Traced arrays stand in for parameters, their gradients, and the arrays of modules."""
        for name, value in self.values:
            self._stand_in((value, "primal"), value, name)
            self.tape.parameters.add(value.data.variable)
            self.learns(value, value)
        for module in self.held.modules:
            for name in getattr(module, "buffer_names", ()):
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
            self.names.give(now.variable, name)
            self.inputs.append(now)
            self.reads.append((place, now))
            setattr(thing, attribute, now)
        self.places.append((place, thing))
        self.current[id(thing), attribute] = now

    def __exit__(self, *error: Any) -> None:
        for thing, attribute, before in self._before:
            setattr(thing, attribute, before)
        self.tape.randomness.restore()

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
        if missing := [v for v in concerned if (id(v), "primal") not in self.current]:
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
        likely = [getattr(v, changes).data for v, _ in reads]
        arguments = ([new for _, new in puts], *args)
        result, *news = self.tape.noted(call, arguments, kwargs, [example, *likely])
        for (value, attribute), new in zip(reads, news):
            if attribute == "primal":
                self.tape.stale.add(value.data.variable.root)
                self.tape.parameters.add(new.variable)
            setattr(value, attribute, new)
            self.current[id(value), attribute] = new
        return result if example is not None else None

    def check_leaves(self, outs: list[Any]) -> None:
        """Raise Missed if gradients would reach leaves that nobody named."""
        known = {id(v) for _, v, _ in self.learning}
        roots = [o for o in outs if type(o) is Value]
        leaves = [v for v in ancestors(roots) if v.row is None and v.requires_grad]
        if missed := [v for v in leaves if id(v) not in known]:
            raise Missed(missed)

    def back(self, outs: list[Any]) -> None:
        """Run the walk back from the results, on Traced arrays too."""
        self.backward_from = len(self.tape.instructions)
        values = [o for o in outs if type(o) is Value and o.requires_grad]
        if not values or not self.recording or self.tape.stale:
            return
        for value in values:
            data = value.data.data
            seed = self.tape.input(1.0 if type(data) is float else np.ones_like(data))
            self.names.give(seed.variable, "g")
            self.seeds.append(seed)
        root, g = values[0], cast(Any, self.seeds[0])
        if len(values) > 1:
            parts = [v.data for v in values]
            root, g = (
                Value.recorded(tuple(parts), _BUNDLE, (parts,), {}, tuple(values)),
                tuple(self.seeds),
            )
        self._walk(root, g)

    def _walk(self, root: Value, g: Any) -> None:
        """Walk back; note the gradients and what each is the gradient of; leave every `.grad` as it was."""
        before = [(v, v.grad) for v in ancestors([root])]
        for v, _ in before:
            v.grad = None
        try:
            backpropagate(root, g)
            self.gradients = [v.grad for _, v, _ in self.learning]
            pairs = [(v.grad, v.data) for v, _ in before]
            self.gradient_of = {
                c.variable: x.variable for c, x in pairs if isinstance(c, Traced) and isinstance(x, Traced)
            }
        finally:
            for v, gradient in before:
                v.grad = gradient


class Tracing(Watch):
    """What tells a run of the effects that are called, and of backward passes in the function."""

    def __init__(self, run: Run, recording: bool) -> None:
        super().__init__(recording)
        self.run = run

    def set_to(self, recording: bool) -> Tracing:
        return Tracing(self.run, recording)

    def backward(self, root: Any, seed: Any, oldest: int = 0) -> None:
        self.run.check_leaves([root])

    def effect(self, function: Any, args: Any, kwargs: Any, changes: str, example: Any) -> Any:
        return self.run.note(function, args, kwargs, changes, example)


class Missed(Exception):
    """Parameters that only tracing has found: once more, with stand-ins for them too."""

    def __init__(self, values: list[Value]) -> None:
        super().__init__()
        self.values = [(v.name or "parameter", v) for v in values]


def _nothing() -> None:
    pass


def traced(
    function: Callable[..., Any],
    args: Any,
    kwargs: Any,
    held: Held,
    recording: bool,
    then: Callable[[Run, Any], Any],
) -> tuple[Run, Any]:
    """Run `function` on Traced arrays, and ``then(run, result)`` while they still stand in."""
    known = list(held.values)
    for _ in range(100):
        run = Run(held, recording)
        stand_ins = [run.given(a, name) for a, name in zip(args, argument_names(function, len(args)))]
        named = {key: run.given(a, key) for key, a in kwargs.items()}
        try:
            with run, recording_by(Tracing(run, bool(recording_mode.get()))):
                result = function(*stand_ins, **named)
                if recording:
                    run.check_leaves(leaves(result))
                done = then(run, result)
                _check_world(run, held)
            return run, done
        except Missed as missed:
            held.found(missed.values)
    held.values[:] = known
    raise TraceError("compile: the function makes new parameters at every call; make them once, outside")


def _check_world(run: Run, held: Held) -> None:
    """Refuse what a program could not do again."""
    if run.tape.randomness.has_strayed():
        raise refused(
            "random numbers are drawn as plain arrays, which would be the same at each run",
            "give them as an argument, or draw them in nn.functional.dropout(x, p, rng=generator)",
        )
    if (name := held.changed()) is not None:
        held.restore()
        raise refused(f"the function assigns {name}, which a program would not do again", "return it instead")


def argument_names(function: Callable[..., Any], n: int) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    names = [p.name for p in parameters if p.kind != p.VAR_POSITIONAL][:n]
    return [*names, *(f"x{i}" for i in range(len(names), n))]
