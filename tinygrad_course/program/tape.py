"""The tape: the NumPy calls of one run of a function, in order.

A function is run once on `Traced` arrays; every NumPy call of its forward and of its backward pass is
computed on the real data here, and written down as one instruction.
"""

from __future__ import annotations

import operator
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..trees import leaves, mapped
from .facts import row_of
from .keys import key_of
from .kinds import ARRAYS
from .randomness import Randomness, generators_in
from .state import Effect
from .traced import Decides, Traced, data_in, found, noted_in, refused, traced_as, users_line
from .variables import Instruction, Variable, expect


@dataclass(slots=True)
class Tape:
    """The calls of one run, in order."""

    instructions: list[Instruction] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)
    thread: int = field(default_factory=threading.get_ident)
    randomness: Randomness = field(default_factory=lambda: Randomness([], []))
    parameters: set[Variable] = field(default_factory=set)  # data of parameters, which may be replaced
    stale: set[Variable] = field(default_factory=set)  # memory that an effect has written into
    views: list[weakref.ref[Traced]] = field(default_factory=list)
    looking: int = 0  # into functions of our own: what do they consist of?
    constants: dict[int, tuple[Any, Any]] = field(default_factory=dict)  # arrays by id, as they were last
    scalars: dict[Variable, frozenset[int]] = field(default_factory=dict)  # made of these arguments alone
    deciding: dict[int, str] = field(default_factory=dict)  # those whose values decide something: the line

    @property
    def elsewhere(self) -> bool:
        """Whether another thread asks, which met a traced parameter by randomness: it just gets results."""
        return threading.get_ident() != self.thread

    def variable(self, data: Any) -> Variable:
        """A new variable that looks like `data`."""
        is_number = type(data) in (float, int)
        contiguous = not isinstance(data, np.ndarray) or data.flags.c_contiguous
        dtype = np.dtype(type(data)) if is_number else getattr(data, "dtype", None)
        new = Variable(len(self.variables), np.shape(data) if dtype else (), dtype, contiguous, is_number)
        self.variables.append(new)
        return new

    def input(self, data: Any) -> Traced:
        """An array that is given anew at every call of the program."""
        traced = traced_as(data, self.variable(data), self)
        traced.variable.is_input = True
        return traced

    def decide(self, traced: Traced) -> None:
        """Raise if `traced` was computed from scalar arguments alone: the program is for their values."""
        if numbers := self.scalars.get(traced.variable):
            self.deciding.update(dict.fromkeys(numbers - self.deciding.keys(), users_line()))
            raise Decides

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Compute ``function(*args, **kwargs)`` on the data and write it down."""
        drawing = generators_in((*args, *kwargs.values()))
        if not all(map(self.randomness.knows, drawing)):
            raise refused(
                "a generator is made at each call", "make it once, outside, or give a number, rng=0"
            )
        out = function(*data_in(args), **data_in(kwargs))
        for generator in drawing:
            self.randomness.drawn(generator)
        return out if self.elsewhere else self.noted(function, args, kwargs, out)

    def decided(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """What a function of our own gives that looks at the data; a later run must find the same answer."""
        answer = function(*data_in(args), **data_in(kwargs))
        if self.elsewhere:
            return answer
        if not isinstance(answer, (bool, str)):
            return self.noted(function, args, kwargs, answer)
        self.noted(expect, (answer, function, *args), kwargs, None)
        return answer

    def noted(self, function: Callable[..., Any], args: Any, kwargs: Any, out: Any) -> Any:
        """Write down a call that gave `out`, as a Traced array (or a tuple of them)."""
        for thing in leaves((args, kwargs)):
            if issubclass(type(thing), np.ndarray) and type(thing) not in (*ARRAYS, np.memmap):
                raise refused(
                    f"a {type(thing).__name__} is computed with, and a program knows NumPy's plain arrays",
                    "use np.asarray(x), and what else it holds (a mask) as an array of its own",
                )
        variable = self.variable(out)
        if self.stale and any(t.variable.root in self.stale for t in found((args, kwargs))):
            raise refused(
                "what was computed before a step of the optimizer is used after it, which has changed the "
                "parameters in place",
                "compute it again after the step",
            )
        if self.scalars:
            self._of_scalars(function, args, kwargs, variable)
        if not isinstance(function, Effect):  # which may want to write into its arguments
            args, kwargs = mapped(self._as_now, args), mapped(self._as_now, kwargs)
        refs, named = noted_in(args), noted_in(kwargs)
        strict = np.geterr()["invalid"] == "raise"
        self.instructions.append(Instruction(function, refs, named, variable, strict, users_line()))
        if isinstance(out, (tuple, list)):
            whole = traced_as(out, variable, self)
            parts = [self.noted(operator.getitem, (whole, i), {}, part) for i, part in enumerate(out)]
            return type(out)(*parts) if hasattr(out, "_fields") else type(out)(parts)
        if isinstance(out, np.ndarray):
            for traced in found((args, kwargs)):
                if isinstance(traced.data, np.ndarray) and np.may_share_memory(out, traced.data):
                    variable.source = traced.variable
                    break
        result = traced_as(out, variable, self)
        if variable.source is not None:
            self.views.append(weakref.ref(result))
        return result

    def _as_now(self, thing: Any) -> Any:
        """A constant array as it is now: the function may write into it later."""
        if type(thing) not in ARRAYS or not thing.flags.writeable:
            return thing
        _, copy = self.constants.get(id(thing), (None, None))
        if copy is None or key_of(copy) != key_of(thing):
            copy = thing.copy()
            self.constants[id(thing)] = thing, copy
        return copy

    def _of_scalars(self, function: Callable[..., Any], args: Any, kwargs: Any, out: Variable) -> None:
        """Note what is made of scalar arguments alone; what is no arithmetic is for their values only."""
        operands = found((args, kwargs))
        scalars = [t for t in operands if t.variable in self.scalars]
        row = row_of(function)
        free: tuple[Any, ...] = ()
        if function is float or (row is not None and row.shaping):
            free = args[:1]
        elif row is not None and row.elementwise and row.function is not np.power:  # whose rule looks at it
            free = args
        for traced in scalars:
            if not any(traced is a for a in free):
                self.decide(traced)
        if scalars and len(scalars) == len(operands):
            self.scalars[out] = frozenset().union(*[self.scalars[t.variable] for t in scalars])
