"""The traced run: a function on arrays that stand in for its arguments and parameters."""

from __future__ import annotations

import inspect
import itertools
import operator
import threading
import types
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any, cast

import numpy as np

from ..arraylike import Value
from ..arraylike.errors import written_over
from ..derivatives import Row
from ..engine.backprop import backpropagate
from ..engine.record import ancestors, next_serial
from ..engine.watch import Watch, recording_mode
from ..engine.watch import recording as recording_by
from ..trees import leaves
from .closure import held_by
from .keys import key_of
from .kinds import is_fed
from .randomness import Randomness
from .state import Effect, Place, named_effect, values_in
from .tape import Tape
from .traced import Decides, OutOfReach, Traced, TraceError, TypeOf, copied, refused
from .variables import Names, Variable
from .watched import Held, Spot

_BUNDLE = Row(
    tuple, rule_for_all=lambda i, g, out, parts: g[i], sequence=True
)  # several results, to walk from at once


Fixed = dict[int, str]
"""The scalar arguments that a program is for, by number: the name of each, and the line where it decides."""


class Run:
    """One run of a function on Traced arrays, and what came of it."""

    def __init__(self, held: Held, recording: bool, fixed: Fixed) -> None:
        self.recording, self.start = recording, next_serial()
        self.fixed, self._numbers = fixed, itertools.count()
        self.values = list(held.values)
        self.held = held
        self.tape = Tape(randomness=Randomness(held.generators, held.drawing))
        self.strayed = False  # whether random numbers were drawn that are not on the tape
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
        self.places: list[tuple[Place, Any, Any]] = []  # with its stand-in object, and what was there before
        self.result: Any = None
        self._given: list[tuple[str, Any, Any]] = []  # stand-ins for lists and dicts, and copies of them
        self._standing: list[Spot] = []
        self._during: list[Any] = []

    def given(self, thing: Any, name: str, inside: bool = False) -> Any:
        """A stand-in for an argument."""
        kind = type(thing)
        if is_fed(kind, inside):
            number = next(self._numbers)
            if number in self.fixed:
                return thing
            traced = self._input(thing, name)
            if isinstance(thing, (int, np.generic)):
                self.tape.scalars[traced.variable] = frozenset([number])
            return traced
        if kind is Value:
            n, traced = len(self.inputs), self.given(thing.data, thing.name or name)
            if any(thing is v for _, v in self.values):  # its data are those of the parameter
                return thing
            stand_in = Value(traced, requires_grad=thing.requires_grad, name=thing.name)
            self.arguments.append((n, stand_in, thing))
            self.learns(n, stand_in)
            return stand_in
        if isinstance(thing, tuple) or kind is list:
            parts = [self.given(part, f"{name}{i}", True) for i, part in enumerate(thing)]
            if kind is list:
                self._given.append((name, parts, parts.copy()))
            return parts if kind is list else kind._make(parts) if hasattr(kind, "_fields") else kind(parts)
        if kind is dict:
            entries = {key: self.given(part, str(key), inside) for key, part in thing.items()}
            self._given.append((name, entries, entries.copy()))
            return entries
        return thing

    def _input(self, thing: Any, name: str) -> Traced:
        traced = self.tape.input(thing)
        self.names.give(traced.variable, name)
        self.inputs.append(traced)
        return traced

    def learns(self, target: int | Value, stand_in: Value) -> None:
        """Note where a gradient shall come back to, if one shall."""
        if self.recording and stand_in.requires_grad:
            self.learning.append((target, stand_in, stand_in.data.variable))

    def stand_in(self) -> None:
        """Let Traced arrays stand in for parameters, their gradients, and all arrays that are held."""
        given = len(self.inputs)
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
            self.places.append(((n, "primal"), stand_in, stand_in.data))
            self.current[id(stand_in), "primal"] = stand_in.data
            stand_in.grad = value.grad
            self._stand_in((n, "grad"), stand_in, "grad")
        known: dict[int, Traced] = {}  # one array in two places has one stand-in
        for number, spot in enumerate(self.held.spots, given):
            spot.thing = spot.now
            self._standing.append(spot)
            if not isinstance(spot.thing, (np.ndarray, float)):
                spot.put(TypeOf if spot.thing is type else OutOfReach(spot.name, spot.thing))
                continue
            now = known.get(id(spot.thing))
            if now is None or isinstance(spot.thing, float):
                now = known[id(spot.thing)] = self._input(spot.thing, spot.name or "held")
                self.reads.append(((number, "now"), now))
            spot.put(now)
        self._during = self.held.now()

    def _stand_in(self, place: Place, thing: Any, name: str) -> None:
        attribute, now = place[1], getattr(thing, place[1])
        self.places.append((place, thing, now))
        if isinstance(now, (np.ndarray, np.generic)) or type(now) is float:
            now = self._input(now, name)
            self.reads.append((place, now))
            setattr(thing, attribute, now)
        self.current[id(thing), attribute] = now

    def perform(self, function: Callable[..., Any], args: Any, kwargs: Any, then: Any) -> Any:
        """Run the function, and ``then(run, result)`` while Traced arrays still stand in."""
        stand_ins = [self.given(a, name) for a, name in zip(args, argument_names(function, len(args)))]
        named = {key: self.given(a, key) for key, a in kwargs.items()}
        self.stand_in()
        with recording_by(Tracing(self, bool(recording_mode.get()))):
            self.result = function(*stand_ins, **named)
            if self.recording:
                self.check_leaves(leaves(self.result))
            done = then(self, self.result)
        self.strayed = self.tape.randomness.has_strayed()
        self._restore_places()
        self._check_world()
        return done

    def _restore_places(self) -> None:
        for (_, attribute), thing, before in self.places:
            if getattr(thing, attribute) is not before:
                setattr(thing, attribute, before)
        self.tape.randomness.restore()

    def restore(self) -> None:
        """Put everything back that was there before."""
        self._restore_places()
        for spot in reversed(self._standing):
            spot.put(spot.thing)
        if self.held.changed():
            self.held.restore()

    def _check_world(self) -> None:
        """Refuse what a program could not do again."""
        name = self.held.difference(self._during)
        for argument, now, was in self._given:
            if not same_things(now, was):
                name = argument
        if name is not None:
            raise refused(
                f"the function assigns {name}, which a program would not do again", "return it instead"
            )

    def changes(self) -> list[tuple[Place, Any]]:
        """The places where something else stands than what the program has put there or found, and what."""
        found = []
        for place, thing, _ in self.places:
            now = getattr(thing, place[1])
            if now is not self.current[id(thing), place[1]]:
                if type(now) is Value:
                    raise refused(
                        "a gradient that is recorded (create_graph=True) is left behind in .grad",
                        "take it out: g, p.grad = p.grad, None",
                    )
                found.append((place, self._own(now) if place[1] == "grad" else self.own(now)))
                self.current[id(thing), place[1]] = now
        return found

    def own(self, result: Any) -> Any:
        """The data of a result, copied if every run would give this array: the caller may write into it."""
        data = result.data if type(result) is Value else result
        return self.tape.call(copied, (data,), {}) if type(data) is np.ndarray else data

    def _own(self, gradient: Any) -> Any:
        """A copy of a gradient that is left behind: no two of them share memory, and none is a buffer."""
        data = gradient.data if isinstance(gradient, Traced) else gradient
        return self.tape.call(copied, (gradient,), {}) if isinstance(data, np.ndarray) else gradient

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
        for spot in self._standing:
            if type(spot.thing) is float:  # a learning rate, which may be another one from now on
                spot.put(OutOfReach(spot.name, spot.thing))
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
        """Raise Missed if gradients would reach leaves that nobody named, and that were there before."""
        known = {id(v) for _, v, _ in self.learning}
        roots = [o for o in outs if type(o) is Value]
        if told := written_over(roots):
            raise refused(told, "write into a copy there, v = v.copy()")
        leaves = [v for v in ancestors(roots) if v.row is None and v.requires_grad]
        if missed := [v for v in leaves if id(v) not in known and v.serial < self.start]:
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
        if not self.learning:
            raise refused(
                "the function gives a Value that requires a gradient only of Values that it makes itself",
                "make them once, outside, or with requires_grad=False",
            )

    def _walk(self, root: Value, g: Any) -> None:
        """Walk back; note the gradients and what each is the gradient of; leave every `.grad` as it was."""
        before = [(v, v.grad) for v in ancestors([root])]
        for v, _ in before:
            v.grad = None
        try:
            backpropagate(root, g)
            self.learning = [part for part in self.learning if part[1].grad is not None]
            self.gradients = [self._own(v.grad) for _, v, _ in self.learning]
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
    fixed: Fixed,
) -> tuple[Run, Any]:
    """Run `function` on Traced arrays, and ``then(run, result)`` while they still stand in.

    That is done twice: what is not the same the second time changes by itself, and is refused.  Where the
    value of a scalar argument decides something, that is noted in `fixed`, and the argument itself given.

    Both runs start from the same random numbers: a function that draws some which are not on the tape does so
    in both.  Where only one run has seen that, another thread has drawn, and perhaps also where both have.
    """
    known, strayed = list(held.values), 0
    for _ in range(100):
        try:
            once, _done = _performed(function, args, kwargs, held, recording, then, fixed)
            run, done = _performed(function, args, kwargs, held, recording, then, fixed)
        except Decides:
            continue  # `fixed` has more now
        except Missed as missed:
            held.found(missed.values)
            continue
        if once.strayed and run.strayed:
            strayed += 1
            if strayed < 10 and threading.active_count() > 1:
                continue
            raise refused(
                "random numbers are drawn as plain arrays, which would be the same at each run",
                "give them as an argument, or draw them in nn.functional.dropout(x, p, rng=generator)",
            )
        check_alike(once, run)
        return run, done
    held.values[:] = known
    raise TraceError("compile: the function makes new parameters at every call; make them once, outside")


def _performed(
    function: Any, args: Any, kwargs: Any, held: Held, recording: bool, then: Any, fixed: Fixed
) -> Any:
    """One run, which leaves everything as it was, even where it is interrupted."""
    run, done = Run(held, recording, fixed), None
    try:
        try:
            done = copy_context().run(run.perform, function, args, kwargs, then)
        finally:
            run.restore()
    except BaseException as error:
        run.restore()  # should putting back have been interrupted
        cause = error.__cause__ or error.__context__
        if isinstance(cause, TraceError) and isinstance(error, (TypeError, ValueError)):
            raise cause from None  # NumPy has met it in `a[0] = x`, and has words of its own for that
        if not run.tape.deciding or not isinstance(error, Exception):
            raise
    if run.tape.deciding:  # even if the function has caught what told of it
        inputs = {number: v for v, numbers in run.tape.scalars.items() if v.is_input for number in numbers}
        fixed.update({n: f"{run.names.given[inputs[n]]}, in {at}" for n, at in run.tape.deciding.items()})
        raise Decides
    return run, done


def check_alike(once: Run, again: Run) -> None:
    """Refuse a function whose two runs have not written down the same, with the line of the first difference.

    A clock that is hidden somewhere, a generator of random numbers that is made at each call, or a file that
    is read give other constants the second time.
    """
    line = ""
    for a, b in itertools.zip_longest(once.tape.instructions, again.tape.instructions):
        line = (b or a).line
        if a is None or b is None or key_of(a) != key_of(b):
            break
    else:
        if key_of(once.result) == key_of(again.result):
            return
    raise TraceError(
        "compile: what the function computes with is something else each time it is run"
        f"{line and ', in '}{line}\nit may come from a clock, a file, or random numbers from a generator "
        "that is made anew: get it outside, and give it as an argument"
    )


def same_things(one: Any, other: Any) -> bool:
    """Whether two lists or dicts hold the very same things."""
    if isinstance(one, dict):
        return list(one) == list(other) and same_things(list(one.values()), list(other.values()))
    return len(one) == len(other) and all(map(operator.is_, one, other))


def argument_names(function: Callable[..., Any], n: int) -> list[str]:
    try:
        parameters = inspect.signature(getattr(function, "forward", function)).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:n]
    return [*names, *(f"x{i}" for i in range(len(names), n))]
