"""Quick recording: an operation on one or two Python floats, or one or two arrays, in the fewest steps.

Each function here stands for one of `arraylike.operators`, which it asks when anything is unusual: a watch, a
constant, a number that Python's floats cannot give, an array of another kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arraylike import Value, operators
from ..arraylike.errors import FAILURES
from ..arraylike.operators import Operators
from ..arraylike.truth import Truth
from ..derivatives.shaping import stretched
from ..engine.record import MANY, ONE, next_serial
from ..engine.table import TABLE, Row
from ..engine.watch import recording_mode

_mode = recording_mode.get
_stretched: Any = stretched  # rules have no types
_new = object.__new__
_USUAL = frozenset({np.ndarray, Truth, int, float, bool, str, type(None)})
_SCALARS = frozenset(np.dtype(letter).type for letter in "?bhilqBHILQefd")
_QUICK: dict[Any, tuple[Callable[..., Any], ...]] = {}
"""What records a ufunc of one or two arguments quickly; of two, also for a Value that is the second."""


def recorded(data: Any, row: Any, x: Any, y: Any, px: Any, py: Any) -> Value:
    """A Value that was computed from the operands x and y, which came from the Values px and py."""
    value: Value = _new(Value)
    value.primal = data
    value.row = row
    value.x = x
    value.y = y
    value.px = px
    value.py = py
    value.active = True
    value.grad = None
    value.name = None
    value.line = None
    value.serial = next_serial()
    return value


def binary(row: Row, plain: Callable[..., Any], plain_reflected: Callable[..., Any]) -> tuple[Any, Any]:
    """The quick operators of a row with two arguments, in place of the plain ones."""
    function, scalar = row.function, row.scalar or _no_scalar
    beside = _beside_powers if function is np.power else _beside

    def forward(self: Value, other: Any) -> Any:
        x, px = self.primal, self if self.active else None
        if type(other) is Value:
            y, py = other.primal, other if other.active else None
            usual = type(x) is type(y)
        else:
            y, py = beside(x, other), None
            usual = y is not None
        if usual and (px is not None or py is not None) and _mode() is True:
            try:
                out = scalar(x, y) if type(x) is float else function(x, y) if type(x) is np.ndarray else None
                if type(out) is type(x):
                    return recorded(out, row, x, y, px, py)
            except (ArithmeticError, ValueError, TypeError):
                pass  # the plain operator finds out why
        return plain(self, other)

    def reflected(self: Value, other: Any) -> Any:
        x = self.primal
        if self.active and _mode() is True and type(x) in (float, np.ndarray):
            try:
                if (y := beside(x, other)) is not None:
                    out = scalar(y, x) if type(x) is float else function(y, x)
                    if type(out) is type(x):
                        return recorded(out, row, y, x, None, self)
            except (ArithmeticError, ValueError, TypeError):
                pass
        return plain_reflected(self, other)

    return forward, reflected


def _no_scalar(*numbers: float) -> None:
    """In place of an operation on Python floats, where a row has none."""


def _beside(data: Any, other: Any) -> Any:
    """A number or an array as it stands beside `data`; None for anything else."""
    kind = type(other)
    if kind is float or kind is int:  # as an array: NumPy would convert it anew wherever it is used
        return np.array(float(other), data.dtype) if type(data) is np.ndarray else float(other)
    if kind is np.ndarray:
        return other if type(data) is np.ndarray and other.dtype.kind != "c" else None
    if kind not in _SCALARS:
        return None
    if type(data) is np.ndarray:
        return np.array(other)
    return None if other.dtype.kind == "f" and kind is not np.float64 else float(other)


def _beside_powers(data: Any, other: Any) -> Any:
    """The same for an exponent, which stays the number that it is: its rule looks at it."""
    if type(other) in _SCALARS and type(data) is np.ndarray:
        return other
    return float(other) if type(other) is float or type(other) is int else _beside(data, other)


def unary(row: Row, plain: Callable[..., Any]) -> Callable[[Value], Any]:
    """The quick operator or method of a row with one argument, in place of the plain one."""
    scalar, compute = row.scalar, row.function

    def method(self: Value) -> Any:
        x = self.primal
        if self.active and _mode() is True:
            try:
                if type(x) is float and scalar is not None:
                    return recorded(scalar(x), row, x, ONE, self, None)
                if type(x) is np.ndarray and type(out := compute(x)) is np.ndarray:
                    return recorded(out, row, x, ONE, self, None)
            except (ArithmeticError, ValueError):
                pass  # the plain operator finds out why
        return plain(self)

    method.__name__, method.__doc__ = row.name, plain.__doc__
    return method


def _reduction(function: Callable[..., Any], reduce: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's function for the reduction of a ufunc, without what it does before it calls that."""

    def compute(x: Any, axis: Any = None, *rest: Any, **more: Any) -> Any:
        return function(x, axis, *rest, **more) if rest or more else reduce(x, axis)

    return compute


def _mean(x: Any, *rest: Any, **more: Any) -> Any:
    """`np.mean`; of all entries, where their number is known to the last bit, without what it does before."""
    if rest or more or x.dtype.char not in "fd" or not 0 < x.size < 2**24:
        return np.mean(x, *rest, **more)
    return np.add.reduce(x, None) / x.size


def _broadcast_to(x: Any, shape: Any, **more: Any) -> Any:
    usual = not more and type(shape) is tuple and x.ndim == 0  # others may not fit
    return _stretched(x, shape) if usual else np.broadcast_to(x, shape, **more)


# In place of a row's function, with the same results
_COMPUTE: dict[Any, Callable[..., Any]] = {np.mean: _mean, np.broadcast_to: _broadcast_to}


def applied(plain: Callable[..., Any]) -> Callable[..., Any]:
    """The quick way to record any row of arrays: what is usual needs few of the looks that `apply` takes."""

    def apply_row(cls: Any, row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if (
            row.composition is not None
            or row.nondifferentiable
            or row.rule_for_all is not None
            or _mode() is not True
            or len(args) < len(row.rules)
        ):
            return plain(row, args, kwargs)
        rules, data, parents, active = row.rules, [], [], False
        for i, a in enumerate(args):
            kind, parent = type(a), None
            if kind is Value:
                if a.active and i < len(rules) and rules[i] is not ...:
                    if rules[i] is not None:
                        parent, active = a, True
                elif a.active:
                    return plain(row, args, kwargs)
                a = a.primal
                if type(a) is not np.ndarray:
                    return plain(row, args, kwargs)
            elif kind not in _USUAL and not (kind is tuple and i >= len(rules)):
                return plain(row, args, kwargs)
            data.append(a)
            parents.append(parent)
        if kwargs and Value in map(type, kwargs.values()):
            return plain(row, args, kwargs)
        try:
            if row.residuals is None:
                out = _COMPUTE.get(row.function, row.function)(*data, **kwargs)
            else:
                out, kept = row.residuals.function(*data, **kwargs)
                kwargs = {**kwargs, "residuals": kept}
        except (ArithmeticError, *FAILURES):
            return plain(row, args, kwargs)  # which says what is wrong
        if isinstance(out, np.generic):
            out = np.array(out)
        if type(out) is not np.ndarray or out.dtype.kind != "f":
            return plain(row, args, kwargs)
        if not active:
            constant = recorded(out, None, None, ONE, None, None)
            constant.active = False
            return constant
        if kwargs or len(data) > 2:
            return recorded(out, row, (tuple(data), kwargs), MANY, tuple(parents), None)
        if len(data) == 1:
            return recorded(out, row, data[0], ONE, parents[0], None)
        return recorded(out, row, data[0], data[1], parents[0], parents[1])

    return apply_row


def protocol(plain: Callable[..., Any]) -> Callable[..., Any]:
    """The quick way in for ``np.exp(v)`` and ``array + v``."""

    def __array_ufunc__(self: Value, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs and (quick := _QUICK.get(ufunc)) is not None:
            first, last = type(inputs[0]), type(inputs[-1])
            if first is Value and (last is Value or last is np.ndarray or last in _SCALARS):
                return quick[0](*inputs)
            if last is Value and (first is np.ndarray or first in _SCALARS):
                return quick[1](*inputs[::-1])
        return plain(self, ufunc, method, *inputs, **kwargs)

    return __array_ufunc__


def install() -> None:
    """Put the quick functions in the places of the plain ones."""
    for name, plain in list(vars(Operators).items()):
        row = getattr(plain, "row", None)
        if row is None:
            continue
        if plain.__code__.co_argcount == 1:
            setattr(Value, name, unary(row, plain))
        elif name[2] != "r":
            reflected = getattr(Operators, f"__r{name[2:]}", plain)
            forward, backward = binary(row, plain, reflected)
            setattr(Value, name, forward)
            if reflected is not plain:
                setattr(Value, f"__r{name[2:]}", backward)
    for function, row in TABLE.items():
        if row.reduction is not None:
            _COMPUTE[function] = _reduction(function, row.reduction.reduce)
        if isinstance(function, np.ufunc) and row.rules and None not in row.rules and function.nout == 1:
            if function.nin == 1:
                _QUICK[function] = (unary(row, operators.unary(function)),)
            elif function.nin == len(row.rules) == 2:
                _QUICK[function] = binary(row, *operators.binary(function))
    setattr(Value, "apply_row", classmethod(applied(Value.apply_row)))  # noqa: B010
    setattr(Value, "__array_ufunc__", protocol(Value.__array_ufunc__))  # noqa: B010
