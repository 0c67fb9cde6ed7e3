"""`compile`: turn a function of Values, arrays and modules into a straight program of NumPy calls."""

from __future__ import annotations

import contextlib
import functools
import threading
import types
import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives import result_at
from ..engine.backprop import backpropagate, settled
from ..engine.watch import recording_mode, watching
from ..later import in_a_notebook
from ..locks import alone
from ..trees import leaves as tree_leaves
from .build import Program, trace
from .closure import held_by
from .keys import key_of
from .kinds import ARRAYS, FED, WHOLE, is_fed, is_plain
from .run import Fixed
from .state import put
from .traced import Traced, TraceError
from .watched import Held

KEPT, MOST = 16, 256  # programs of one function at first, and later, if nothing else is asked for
PILE = 8  # so many programs for values of one argument are said
_tracing = threading.RLock()


class Compiled:
    """A compiled function: call it like the function.  `compile` makes it."""

    def __init__(self, function: Callable[..., Any], kept: int | None = None) -> None:
        functools.update_wrapper(self, function)
        self.function, self.asked, self.kept = function, kept, kept or KEPT
        self._programs: OrderedDict[Any, Program] = OrderedDict()
        self._held: OrderedDict[tuple[int, ...], Held] = OrderedDict()  # by the objects among the arguments
        self._live = True  # arrays that are held are inputs of programs
        self._dropped: set[int] = set()
        self._told = self._told_of_values = False
        self._values: dict[Any, set[Any]] = {}  # of such arguments, those that there were
        self._fixed: dict[Any, Fixed] = {}  # the key of arguments -> those whose values decide something
        self._uses_gradients = False
        self._methods: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if watching() is not None:  # who looks at each operation wants to see them
            return self.function(*args, **kwargs)
        try:
            leaves, key, objects = flattened(args, kwargs)
            held = self._holders(objects)
            signature = self._signature(key, held, leaves)
        except _Inside:  # called while another function is traced: part of that program
            return self.function(*args, **kwargs)
        program = self._programs.get(signature)
        if program is None:
            try:
                job = functools.partial(self._traced, key, args, kwargs, held, leaves, objects)
                program, held = alone(_tracing, job)
            except ArithmeticError:  # floats that NumPy would have computed with: as without compile
                return self.function(*args, **kwargs)
        elif len(self._programs) > 1:
            with contextlib.suppress(KeyError):  # another thread has dropped it
                self._programs.move_to_end(signature)
        return self._run(program, held, leaves, args, kwargs)

    def _signature(self, key: Any, held: Held, leaves: list[Any]) -> Any:
        """All that a program depends on."""
        parameters = [signature_of(v.primal, v.active) for _, v in held.values]
        given = [held.numbers.get(id(x)) for x in leaves if type(x) is Value]  # parameters as arguments
        signature: tuple[Any, ...] = (recording_mode.get(), key, *parameters, *given, held.key)
        if self._fixed:
            signature += tuple([key_of(leaves[i]) for i in self._fixed.get(key, ())])
        if self._uses_gradients:
            owners = [*[v for _, v in held.values], *[x for x in leaves if type(x) is Value]]
            signature += (tuple([_of_gradient(v.grad) for v in owners]),)
        return signature

    def program(self, *args: Any, **kwargs: Any) -> Program:
        """The program for such arguments, which is made if there is none; nothing is run."""
        leaves, key, objects = flattened(args, kwargs)
        held = self._holders(objects)
        return alone(_tracing, lambda: self._traced(key, args, kwargs, held, leaves, objects)[0])

    def held_data(self, program: Program, *args: Any) -> list[Any]:
        """What a program reads besides its arguments, in the order of its inputs."""
        leaves, _, objects = flattened(args, {})
        return _read(program, self._holders(objects), program.given(leaves))

    @property
    def latest(self) -> Program:
        """The program that was made last.

        Raises
        ------
        RuntimeError
            If nothing was compiled yet.
        """
        if not self._programs:
            raise RuntimeError("compile: the function was not called yet, so it has no program; call it once")
        return next(reversed(self._programs.values()))

    @property
    def source(self) -> str:
        """The program that was made last as NumPy source that runs on its own.

        Raises
        ------
        RuntimeError
            If nothing was compiled yet.
        """
        return self.latest.source

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        """A compiled method, of one object: each object has programs of its own."""
        if owner is None:
            return self
        return alone(_tracing, lambda: self._method_of(owner))

    def _method_of(self, owner: Any) -> Compiled:
        if self._methods is None:
            self._methods = weakref.WeakKeyDictionary()
        bound = self._methods.get(owner)
        if bound is None:
            bound = self._methods[owner] = Compiled(_Method(self.function, weakref.ref(owner)), self.asked)
        return bound

    def __reduce__(self) -> Any:
        return Compiled, (self.function, self.asked)  # a copy compiles anew: the function must be picklable

    def __repr__(self) -> str:
        name, n = getattr(self.function, "__name__", type(self.function).__name__), len(self._programs)
        return f"compile({name}), {n} program{'' if n == 1 else 's'} so far"

    _repr_mimebundle_ = in_a_notebook

    def _holders(self, objects: list[Any]) -> Held:
        """What the function holds, and the objects among its arguments."""
        place = (*map(id, objects),)
        held = self._held.get(place)
        if held is None or held.changed():  # while another function is traced, other things stand in places
            return alone(_tracing, lambda: self._held_anew(place, objects))
        return held

    def _held_anew(self, place: Any, objects: list[Any]) -> Held:
        held = self._held[place] = held_by(self.function, *objects, live=self._live)
        held.objects = objects  # while they are alive, no other one has their id
        if len(self._held) > self.kept:
            self._held.popitem(last=False)
        return held

    def _traced(
        self, key: Any, args: Any, kwargs: Any, held: Held, leaves: list[Any], objects: list[Any]
    ) -> tuple[Program, Held]:
        program = self._programs.get(self._signature(key, held, leaves))
        if program is None:
            fixed = self._fixed.get(key, {}).copy()
            program, held = self._made(args, kwargs, held, objects, fixed)
            if fixed:
                self._fixed[key] = fixed
                self._tell_of_values(key, fixed, leaves)
            self._uses_gradients |= program.uses_gradients  # then they belong to the signature
            signature = self._signature(key, held, leaves)
            self._programs[signature] = program
            self._limit(hash(signature))
        return program, held

    def _made(
        self, args: Any, kwargs: Any, held: Held, objects: list[Any], fixed: Fixed
    ) -> tuple[Program, Held]:
        """A new program; where arrays that are held cannot be its inputs, their contents are watched."""
        recording = recording_mode.get()
        try:
            return trace(self.function, args, kwargs, held, recording, fixed), held
        except ArithmeticError:
            raise
        except Exception as error:
            if not self._live or not any(isinstance(s.thing, np.ndarray) for s in held.spots):
                raise
            watched = held_by(self.function, *objects, live=False)
            try:
                program = trace(self.function, args, kwargs, watched, recording, fixed)
            except Exception as other:
                told = isinstance(error, TraceError) or not isinstance(other, TraceError)
                raise (error if told else other) from None
            self._live = False
            self._held.clear()
            watched.objects = objects
            self._held[(*map(id, objects),)] = watched
            return program, watched

    def _tell_of_values(self, key: Any, fixed: Fixed, leaves: list[Any]) -> None:
        """Say once that programs are piling up, one for each value of an argument."""
        for i, name in () if self._told_of_values else fixed.items():
            values = self._values.setdefault((key, i), set())
            values.add(key_of(leaves[i]))
            if len(values) == PILE:
                self._told_of_values = True
                self._values.clear()
                warnings.warn(
                    f"{self!r}: a program was made for each of {PILE} values of the argument {name}\n"
                    "there its value decides something (a size, a branch, an exponent), and a program takes "
                    "milliseconds to make; do that outside and give what comes of it, such as an array",
                    RuntimeWarning,
                    stacklevel=6,
                )
                return

    def _limit(self, made: int) -> None:
        """Keep so many programs, those that were used last; where that is too few, more, or say so once."""
        again = made in self._dropped
        if again and self.asked is None and self.kept < MOST:
            self.kept *= 2
            self._dropped.clear()
        elif again and not self._told:
            self._told = True
            warnings.warn(
                f"{self!r}: a program was made again that had made room for others, as only {self.kept} are "
                f"kept; keep more, compile(function, kept={4 * self.kept}), or use fewer different shapes",
                RuntimeWarning,
                stacklevel=5,
            )
        if len(self._programs) > self.kept:
            dropped, _ = self._programs.popitem(last=False)
            if not self._told:
                self._dropped.add(hash(dropped))

    def _run(self, program: Program, held: Held, leaves: list[Any], args: Any, kwargs: Any) -> Any:
        leaves = program.given(leaves)
        data = [x.data if type(x) is Value else x for x in leaves] + _read(program, held, leaves)
        try:
            run, outs = program.start(data)
        except (ArithmeticError, ValueError):  # as without compile, this time
            return self.function(*args, **kwargs)
        for (t, name), new in zip(program.writes, outs[len(program.learns) :]):
            put((leaves[t] if type(t) is int else t, name), new)
        learned = [settled(o) for o, learns in zip(outs, program.learns) if learns]
        if not learned:
            return program.rebuilt(outs)
        parents: Any = tuple([leaves[t] if type(t) is int else t for t in program.targets])
        operands = ([p.data for p in parents],)
        record = {"call": _Backward(self, program, run, data, parents, args, kwargs)}
        if len(learned) == 1:
            return program.rebuilt(outs, [Value.recorded(learned[0], program.row, operands, record, parents)])
        whole = Value.recorded(tuple(learned), program.row, operands, record, parents)
        return program.rebuilt(outs, [result_at(whole, i) for i in range(len(learned))])


def _read(program: Program, held: Held, leaves: list[Any]) -> list[Any]:
    """What a program reads besides its arguments."""
    things = [*leaves, *held.spots]
    return [getattr(things[t] if type(t) is int else t, name) for t, name in program.reads]


class _Method:
    """A function bound to an object that it does not keep alive."""

    def __init__(self, function: Callable[..., Any], owner: Callable[[], Any]) -> None:
        self.function, self.owner = function, owner
        self.__name__ = getattr(function, "__name__", "method")

    @property
    def __wrapped__(self) -> Any:
        return types.MethodType(self.function, self.owner())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(self.owner(), *args, **kwargs)


class _Inside(Exception):
    """An argument is traced already."""


class _Backward:
    """The rule of a compiled call: its backward program, run once for all arguments."""

    __slots__ = ("args", "compiled", "data", "for_g", "found", "kwargs", "parents", "program", "run")

    def __init__(
        self, compiled: Compiled, program: Program, run: Any, data: Any, parents: Any, args: Any, kwargs: Any
    ):
        self.compiled, self.program, self.run, self.data = compiled, program, run, data
        self.parents, self.args, self.kwargs = parents, args, kwargs
        self.for_g: Any = None
        self.found: Any = None

    def __call__(self, i: int, g: Any, out: Any, operands: Any) -> Any:
        if self.for_g is not g:
            self.found, self.for_g = self._gradients(g, out), g
        found = self.found[i]
        if i == len(self.found) - 1:
            self.found = self.for_g = None  # nothing keeps them alive but those who asked
        return np.zeros_like(operands[i]) if found is None else found

    def _gradients(self, g: Any, out: Any) -> Any:
        seeds = list(g) if type(g) is tuple else [g]
        if any(type(s) is Value for s in seeds):
            return self._eagerly(seeds, create_graph=True)
        try:
            run, self.run = self.run, None
            if run is None:  # a second backward through the same call
                run, _ = self.program.start(self.data)
            return run.send(seeds)
        except (ArithmeticError, ValueError):  # as without compile, this time
            return self._eagerly(seeds, create_graph=False)

    def _eagerly(self, seeds: list[Any], create_graph: bool) -> Any:
        """The gradients through the function itself: where they are to be recorded, or 0 / 0 turned up."""
        result = self.compiled.function(*self.args, **self.kwargs)
        outs = [v for v in tree_leaves(result) if type(v) is Value and v.requires_grad]
        total: list[Any] = [None] * len(self.parents)
        for out, seed in zip(outs, seeds):
            found = backpropagate(out, seed, inputs=self.parents, create_graph=create_graph)
            total = [b if a is None else a if b is None else a + b for a, b in zip(total, found)]
        return total


def _of_gradient(gradient: Any) -> Any:
    """A gradient in a signature."""
    if gradient is None or type(gradient) is Value:
        return type(gradient)
    return signature_of(settled(gradient), None)


def flattened(args: Any, kwargs: Any) -> tuple[list[Any], Any, list[Any]]:
    """What is given anew at each call (arrays, Values, floats), a key for the rest, objects to look into."""
    leaves: list[Any] = []
    objects: list[Any] = []
    key = [_key_of(thing, leaves, objects) for thing in args]
    if kwargs:
        key.append(_key_of(kwargs, leaves, objects))
    return leaves, (*key,), objects


def _key_of(thing: Any, leaves: list[Any], objects: list[Any], inside: bool = False) -> Any:
    kind = type(thing)
    if is_fed(kind, inside) or issubclass(kind, Traced):
        leaves.append(thing)
        return signature_of(thing, None)
    if kind is Value:
        leaves.append(thing)
        return (kind, signature_of(thing.primal, thing.active))
    if kind is int or kind is str or thing is None:
        return (kind, thing)
    if isinstance(thing, tuple) or kind is list:
        return (kind, *[_key_of(part, leaves, objects, True) for part in thing])
    if kind is dict:
        return (dict, *[(key, _key_of(part, leaves, objects, inside)) for key, part in thing.items()])
    if is_plain(thing):
        return key_of(thing)
    if isinstance(thing, np.ndarray):
        raise TraceError(
            f"compile: an argument is a {kind.__name__}, and a program knows NumPy's plain arrays only; "
            "give np.asarray(x), and what else it holds (a mask) as an array of its own"
        )
    objects.append(thing)
    return kind


def signature_of(data: Any, learns: bool | None) -> Any:
    """What a program depends on of an array: everything but its entries."""
    kind = type(data)
    if kind in ARRAYS:
        return (data.shape, data.dtype, data.strides, learns)
    if kind in FED or kind in WHOLE:
        return (kind, learns)
    if issubclass(kind, Traced):
        raise _Inside
    raise TypeError(f"compile works on NumPy's arrays and Python floats, not on {kind.__name__}")


def compile(function: Callable[..., Any], *, kept: int | None = None) -> Compiled:
    """Turn a function of Values, arrays and modules into a straight program of NumPy calls.

    The function is run once for each signature of shapes and dtypes, and every NumPy call of its forward and
    backward pass is written down, simplified, and given memory to write into.  After that a call runs the
    program: the same calls with the same results, bit for bit, without what recording and walking cost.

    Arrays, floats, whole numbers and NumPy's scalars are given to the program at each call.  Where the value
    of a whole number or a scalar decides something (a size, an index, a branch, an exponent), and where it
    stands in a list or a tuple, there is a program for each value.

    Parameters
    ----------
    function : callable
        Takes Values, arrays, numbers, modules and lists, tuples and dicts of them, and gives Values.  The
        Values, arrays and modules that it uses besides its arguments are found, and read at every call; what
        else it uses is watched.
    kept : int, optional
        How many programs are kept, one for each signature: those that were used last.  If it is not given,
        16, and up to 256 where programs that had made room for others are needed again.

    Returns
    -------
    Compiled
        To be called like `function`; `backward` on its result runs the compiled backward pass.  Its
        `source` is the program as NumPy source.

    Raises
    ------
    TraceError
        At the first call, if what the function does depends on the data, or on something that can neither be
        read nor watched, such as a clock.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import Value, compile
    >>> w = Value([1.0, -2.0], name="w")
    >>> loss = compile(lambda x: ((w * x) ** 2).sum())
    >>> loss(np.array([3.0, 1.0])).backward()
    >>> w.grad
    array([18., -4.])
    """
    if not callable(function):
        raise TypeError(f"compile: expected a function, got {type(function).__name__}")
    if kept is not None and (not isinstance(kept, int) or kept < 1):
        raise ValueError(f"compile: kept is how many programs are kept, 1 or more, and is {kept!r}")
    return function if isinstance(function, Compiled) else Compiled(function, kept)
