"""Value: NumPy data plus the record of the operation that made it.

Operators, NumPy functions and methods on Values compute on the data as usual and write a record: the
operation's row in the table, its arguments as they were, and which of them were Values.  `backward` walks
those records.  A Value that holds a Python number stays a Python float, so a network of single neurons runs
at the speed of Python arithmetic; anything else is an array.
"""

from __future__ import annotations

import inspect
import itertools
import operator
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FunctionType
from typing import Any

import numpy as np

from ..arraylike.contents import Contents, checked
from ..arraylike.errors import accepted_keywords, explained, no_assignment, no_method, no_row, place_of_out
from ..arraylike.methods import Methods
from ..derivatives import TABLE, Row, indexing, neural, result_at
from ..derivatives.numpy_extra import running
from .backprop import MANY, ONE, backpropagate

# Whether to record, one a thread and a task: True, False, or a watch (see insight.watch) that is shown every
# operation; it is as true as what it stands for, and has no quick path.
recording_mode: ContextVar[Any] = ContextVar("recording_mode", default=True)
current_mode = recording_mode.get
next_serial = itertools.count(1).__next__
walking = threading.RLock()  # one backward pass at a time writes into .grad
NO_KEYWORDS: dict[str, Any] = {}
# What operands are nearly always: then NumPy's function can be called on them as it is.
_USUAL = frozenset({np.ndarray, int, bool, str, tuple, list, slice, type, type(None), type(Ellipsis)})
_new = object.__new__


@contextmanager
def no_grad() -> Iterator[None]:
    """Record nothing in this block (or, as ``@no_grad()``, in this function): results are plain constants.

    Examples
    --------
    >>> from tinygrad_course import Value, no_grad
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """
    token = recording_mode.set(getattr(recording_mode.get(), "paused", False))
    try:
        yield
    finally:
        recording_mode.reset(token)


def watching() -> Any:
    """The watch that is set in this block; None nearly always."""
    mode = current_mode()
    return None if mode is True or mode is False else mode


def _rebuilt(data: Any, requires_grad: bool, name: str | None, grad: Any) -> Value:
    """A leaf from what `copy` and `pickle` keep: everything but the record."""
    value = Value(data, requires_grad=requires_grad, name=name)
    value.grad = grad
    return value


def result_of(
    data: Any, row: Row | None, args: tuple[Any, ...], kwargs: dict[str, Any], parents: Any
) -> Value:
    """A Value that records how it was computed (or a constant: no row, and None for parents)."""
    if parents is None:
        value = recorded(data, None, None, ONE, None, None)
        value.active = False
    else:
        n = len(args) if row is not None and row.rule_for_all is None and len(args) == len(parents) else 0
        if n == 1:
            value = recorded(data, row, args[0], ONE, parents[0], None)
        elif n == 2:
            value = recorded(data, row, *args, *parents)
        else:
            value = recorded(data, row, args, MANY, parents, None)
        value.kwargs = kwargs
    return value


def recorded(data: Any, row: Row | None, x: Any, y: Any, px: Any, py: Any) -> Value:
    """A Value that was computed from the operands x and y, which came from the Values px and py."""
    value: Value = _new(Value)
    value.primal = data
    value.row = row
    value.x = x
    value.y = y
    value.px = px
    value.py = py
    value.kwargs = NO_KEYWORDS
    value.active = True
    value.grad = None
    value.name = None
    value.serial = next_serial()
    return value


def apply(row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Compute an operation of the table on `args`, Values among them, and record it."""
    if row.composition is not None:
        try:
            return row.composition(*args, **kwargs)
        except Exception as error:
            if (told := _told_by_numpy(row, args, kwargs)) is not None:
                raise told from error
            raise
    if row.nondifferentiable:
        args, kwargs = _stripped(args), {name: _stripped(a) for name, a in kwargs.items()}
    elif kwargs and any(isinstance(a, Value) for a in kwargs.values()):
        args, kwargs = _positional(row, args, kwargs)
    operands = row.operands(args)
    data: list[Any] = []
    parents: list[Value | None] = []
    learns = False
    for i, a in enumerate(operands):
        parent = None
        if isinstance(a, Value):
            if a.active and row.has_rule(i):
                parent, learns = a, True
            a = a.primal
        elif isinstance(a, (list, tuple)) and (row.sequence or (i < len(row.rules) and row.rules[i])):
            a = np.asarray(a)  # a list of numbers beside a Value
        data.append(a)
        parents.append(parent)
    args = row.with_operands(args, data)
    try:
        usual = _USUAL.issuperset(map(type, data))
        called = row.residuals or row
        out = called.function(*args, **kwargs) if usual else _computed(called, args, kwargs, operands)
        if row.residuals is not None:
            out, kwargs = out[0], {**kwargs, "residuals": out[1]}
    except (ValueError, TypeError, IndexError, AttributeError, np.linalg.LinAlgError) as error:
        raise explained(row, args, error) from error
    if row.nondifferentiable:
        return out
    several = isinstance(out, (tuple, list))
    if type(out) is not np.ndarray or out.dtype.kind != "f":
        out = _like(out, list(map(settled, out))) if several else settled(out)
        _check_real(row, out)
    held = tuple(out) if several else out
    mode = current_mode()
    if learns and mode:
        value = result_of(held, row, args, kwargs, tuple(parents))
    else:
        value = result_of(held, None, (), NO_KEYWORDS, None)
    if mode is not True and mode is not False:
        mode.saw(value, row, args, operands)
    return _like(out, [result_at(value, i) for i in range(len(out))]) if several else value


def _told_by_numpy(row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Exception | None:
    """The error that NumPy raises for a call whose composition failed; None for functions of our own."""
    if not isinstance(row.function, (np.ufunc, type(np.sum))):
        return None
    args = _stripped(args)
    try:
        row.function(*args, **{name: _stripped(a) for name, a in kwargs.items()})
    except (ValueError, TypeError, IndexError, AttributeError, np.linalg.LinAlgError) as error:
        return explained(row, args, error)
    return None


def _computed(row: Row, args: tuple[Any, ...], kwargs: dict[str, Any], operands: tuple[Any, ...]) -> Any:
    """The result on plain data.  Operations on Python floats only give a Python float."""
    if row.scalar is not None and not kwargs:
        if all(type(a) is float for a in args):
            try:
                return row.scalar(*args)
            except (ArithmeticError, ValueError):
                return float(row.function(*args))
        for a in args:  # an array that traces asks to be told, as it cannot see this from a NumPy call
            if hasattr(a, "_numbers") and (out := a._numbers(row, args)) is not NotImplemented:
                return out
    out = _called(row, args, kwargs)
    if row.nondifferentiable:
        return out
    if not all(_is_float(o.primal) for o in operands if isinstance(o, Value)):
        return settled(out)
    if hasattr(out, "_as_float"):  # an array that traces
        return out._as_float()
    number = isinstance(out, (np.float64, np.ndarray)) and out.ndim == 0 and out.dtype == float
    return float(out) if number else settled(out)


def _called(row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The function's result.  NumPy asks arrays that trace by itself; for functions of our own we do."""
    if type(row.function) is FunctionType:
        for a in args:
            if hasattr(a, "apply_row"):
                return a.apply_row(row, args, kwargs)
    return row.function(*args, **kwargs)


def _is_float(data: Any) -> bool:
    return type(data) is float or getattr(data, "is_float", False)


def _check_real(row: Row, out: Any) -> None:
    """Raise if a result is not of real floating-point numbers (of several, whole numbers may be some)."""
    several = isinstance(out, (tuple, list))
    for part in out if several else (out,):
        kind = "f" if type(part) is float else part.dtype.kind
        if kind != "f" and (kind == "c" or not several):
            raise TypeError(
                f"{row.name}: the result is {part.dtype}, and a Value holds real floating-point numbers; "
                "give plain arrays, v.numpy(), for a result that keeps no record"
            )


def settled(out: Any) -> Any:
    """A result as a Value holds it: NumPy's scalars become arrays without axes."""
    return np.array(out) if isinstance(out, np.generic) else out


def _like(sequence: Any, parts: list[Any]) -> Any:
    """`parts` in the kind of tuple or list that NumPy returned."""
    return type(sequence)(*parts) if hasattr(sequence, "_fields") else type(sequence)(parts)


def _stripped(a: Any) -> Any:
    """`a` with plain data in place of Values, in lists and tuples too."""
    if isinstance(a, (list, tuple)):
        return _like(a, [_stripped(item) for item in a])
    return a.primal if isinstance(a, Value) else a


def one_like(data: Any) -> Any:
    """1 in the shape and dtype of `data`, where a backward pass starts."""
    if type(data) is float:
        return 1.0
    return np.array(1, data.dtype) if type(data) is np.ndarray and not data.ndim else np.ones_like(data)


def _positional(
    row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Values given by keyword (``np.clip(x, a_min=v)``) in their places among the arguments."""
    places = list(inspect.signature(row.function).parameters.values())
    rest = dict(kwargs)
    for place in places[len(args) :]:
        if not any(isinstance(a, Value) for a in rest.values()):
            break
        if place.name in rest:
            args = (*args, rest.pop(place.name))
        elif place.default in (None, True, False, 0):
            args = (*args, place.default)
        else:
            break
    for name, a in rest.items():
        if isinstance(a, Value):
            raise TypeError(
                f"{row.name}: no gradient goes through the keyword {name}; give a plain array, v.numpy()"
            )
    return args, rest


_DIRECT: dict[Row | None, Callable[..., Any]] = {}
"""What records an operation with one or two arguments quickly, by its row."""


def _binary(ufunc: np.ufunc) -> tuple[Callable[[Value, Any], Value], Callable[[Value, Any], Value]]:
    """The operator of a row with two arguments, and the one for a Value on the right of something else.

    Two floats or two arrays, which is nearly always, are recorded right here; `apply` does the rest.
    """
    row = TABLE[ufunc]
    scalar = row.scalar or _no_scalar

    def forward(self: Value, other: Any) -> Value:
        x, px = self.primal, self if self.active else None
        if type(other) is Value:
            y, py = other.primal, other if other.active else None
            usual = type(x) is type(y)
        else:
            y, py = _beside(x, other, ufunc), None
            usual = y is not None
        if usual and (px is not None or py is not None) and current_mode() is True:
            try:
                out = scalar(x, y) if type(x) is float else ufunc(x, y) if type(x) is np.ndarray else None
                if type(out) is type(x):
                    return recorded(out, row, x, y, px, py)
            except (ArithmeticError, ValueError, TypeError):
                pass  # apply finds out why
        other = _operand(other)
        return NotImplemented if other is NotImplemented else apply(row, (self, other), NO_KEYWORDS)

    def reflected(self: Value, other: Any) -> Value:
        x = self.primal
        if self.active and current_mode() is True and type(x) in (float, np.ndarray):
            try:
                if (y := _beside(x, other, ufunc)) is not None:
                    out = scalar(y, x) if type(x) is float else ufunc(y, x)
                    if type(out) is type(x):
                        return recorded(out, row, y, x, None, self)
            except (ArithmeticError, ValueError, TypeError):
                pass
        other = _operand(other)
        return NotImplemented if other is NotImplemented else apply(row, (other, self), NO_KEYWORDS)

    _DIRECT[row] = forward
    return forward, reflected


def _no_scalar(*numbers: float) -> None:
    """In place of an operation on Python floats, where a row has none."""


def _beside(data: Any, other: Any, ufunc: np.ufunc) -> Any:
    """A number or an array as it stands beside `data`; None for anything else."""
    kind = type(other)
    if kind is float or kind is int:  # as an array: NumPy would convert it anew wherever it is used
        number = float(other)
        return np.array(number, data.dtype) if type(data) is np.ndarray and ufunc is not np.power else number
    return other if kind is np.ndarray is type(data) and other.dtype.kind != "c" else None


def _operand(other: Any) -> Any:
    """What stands beside a Value in an operator, if it is a number, an array or a list of numbers."""
    if isinstance(other, (int, float)):
        return other if isinstance(other, np.generic) else float(other)
    if isinstance(other, (list, tuple)):
        return np.asarray(other)
    return other if hasattr(type(other), "__array_ufunc__") else NotImplemented


def _unary(function: Callable[..., Any]) -> Callable[[Value], Value]:
    """The operator or method of a row with one argument."""
    row = TABLE[function]
    scalar = row.scalar

    def method(self: Value) -> Value:
        x = self.primal
        if self.active and current_mode() is True:
            try:
                if type(x) is float and scalar is not None:
                    return recorded(scalar(x), row, x, ONE, self, None)
                if type(x) is np.ndarray and type(out := row.function(x)) is np.ndarray:
                    return recorded(out, row, x, ONE, self, None)
            except (ArithmeticError, ValueError):
                pass  # apply finds out why
        return apply(row, (self,), NO_KEYWORDS)

    method.__name__, method.__doc__ = row.name, f"{row.formula}, entry by entry."
    _DIRECT[row] = method
    return method


def _comparison(compare: Callable[[Any, Any], Any]) -> Callable[[Value, Any], Any]:
    """A comparison of the data; nothing is recorded."""

    def method(self: Value, other: Any) -> Any:
        return compare(self.primal, other.primal if isinstance(other, Value) else other)

    return method


_GETITEM = TABLE[indexing.getitem]
_METHODS: dict[tuple[Any, str], Callable[..., Any]] = {
    (np.add, "reduce"): np.sum,
    (np.multiply, "reduce"): np.prod,
    (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min,
    (np.add, "accumulate"): np.cumsum,
    (np.multiply, "accumulate"): np.cumprod,
    (np.maximum, "accumulate"): running.running_max,
    (np.minimum, "accumulate"): running.running_min,
}


class Value(Contents, Methods):
    """A number or an array that remembers how it was computed.

    Parameters
    ----------
    data : float, int, array or nested list of numbers
        A Python number stays a Python float.  Anything else becomes an array, or stays one (it is not
        copied), with its own dtype; integers and booleans become the default float.
    requires_grad : bool
        Whether `backward` shall bring a gradient here.
    name : str, optional
        For pictures and messages.

    Attributes
    ----------
    grad : float, array, Value or None
        The gradient that `backward` brought here, in the shape and dtype of `data`; None before.
    name : str or None
        For pictures and messages.

    Raises
    ------
    TypeError
        If the data are not real numbers.
    ValueError
        If the rows of a nested list are not equally long.

    Examples
    --------
    >>> from tinygrad_course import Value
    >>> w, x = Value([1.0, -2.0], name="w"), Value([3.0, 0.5], name="x")
    >>> loss = (w * x).sum() ** 2
    >>> loss.backward()
    >>> w.grad
    array([12.,  2.])
    """

    # The record: the operation's row, its operands x and y as they were, and the Values px and py that they
    # came from (None where no gradient goes).  With one operand y is ONE; with more, y is MANY, and x and px
    # are tuples.  Two operands are held without tuples, as the collector would have to go through those.
    __slots__ = ("active", "grad", "kwargs", "name", "primal", "px", "py", "row", "serial", "x", "y")
    __hash__ = object.__hash__

    def __init__(self, data: Any, *, requires_grad: bool = True, name: str | None = None) -> None:
        self.primal = checked(data)
        self.grad: Any = None
        self.name = name
        self.row: Row | None = None
        self.x = self.px = self.py = None
        self.y: Any = ONE
        self.kwargs = NO_KEYWORDS
        self.active = bool(requires_grad)
        self.serial: int = next_serial()

    @property
    def args(self) -> tuple[Any, ...]:
        """All arguments of the operation, as they were."""
        if self.row is None or self.y is MANY:
            return self.x or ()
        return (self.x,) if self.y is ONE else (self.x, self.y)

    @property
    def parents(self) -> tuple[Value | None, ...] | None:
        """The Value that each operand came from; None for a constant, which no gradient reaches."""
        if not self.active or self.row is None:
            return () if self.active else None
        if self.y is MANY:
            return self.px
        return (self.px,) if self.y is ONE else (self.px, self.py)

    # What it holds
    @property
    def data(self) -> Any:
        """The number or array.  A leaf's may be rebound or updated in place (``p.data -= step``)."""
        return self.primal

    @data.setter
    def data(self, new: Any) -> None:
        in_place = new is self.primal and isinstance(new, np.ndarray)
        new = checked(new)
        if in_place or self.row is None:
            self.primal = new.view() if in_place else new  # another object: older records can tell
        if self.row is not None:
            raise RuntimeError(
                f"data of a result of {self.row.name} cannot be set: its record would no longer be true. "
                "Set the data of leaves, or go on from a copy: v.detach()"
            )

    @property
    def requires_grad(self) -> bool:
        """Whether `backward` brings a gradient here.  It can be set on leaves."""
        return self.active

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self.row is not None:
            raise RuntimeError(
                f"requires_grad of a result of {self.row.name} follows from its arguments; use v.detach()"
            )
        self.active = bool(wanted)

    @property
    def T(self) -> Value:
        """The transpose, all axes in reverse order."""
        return self.transpose()

    def detach(self) -> Value:
        """A Value of the same data without a record or a gradient."""
        return Value(self.primal, requires_grad=False, name=self.name)

    def backward(self, gradient: Any = None, *, create_graph: bool = False) -> None:
        """Find the gradient of this value with respect to everything it was computed from.

        Adds it into the `.grad` of the leaves and sets the `.grad` of the values between.

        Parameters
        ----------
        gradient : float, array or Value, optional
            The gradient of the final result with respect to this value; 1 if this is a single number.
        create_graph : bool
            Record the gradients too: `.grad` are Values and can be differentiated in turn.

        Raises
        ------
        RuntimeError
            If nothing was recorded, or an array was updated in place since.
        ValueError
            If `gradient` is missing and this is not a single number, or has another shape.

        Examples
        --------
        >>> from tinygrad_course import Value
        >>> x = Value(3.0)
        >>> (x * x * x).backward(create_graph=True)
        >>> x.grad.data
        27.0
        >>> slope, x.grad = x.grad, None
        >>> slope.backward()
        >>> x.grad
        18.0
        """
        if not self.active:
            raise RuntimeError(
                "backward: this Value has no record: it has requires_grad=False, is detached, or was "
                "computed under no_grad, or from constants only. Start from Values with requires_grad=True"
            )
        data = self.primal
        if gradient is None:
            if self.size != 1:
                raise ValueError(
                    f"backward: a value of shape {self.shape} is not a single number, so it has no one "
                    "gradient; make it one first (v.sum(), v.mean()), or give backward the one to start from"
                )
            seed = one_like(data)
        elif isinstance(gradient, Value):
            seed = gradient if create_graph else gradient.primal
        elif type(data) is float:
            seed = float(gradient)
        else:
            seed = np.array(gradient, data.dtype) if isinstance(data, np.ndarray) else gradient
        if gradient is not None and np.shape(seed) != self.shape:
            raise ValueError(
                f"backward: gradient has shape {np.shape(seed)}, but the value has shape {self.shape}; give "
                f"one for each of its entries, such as np.ones({self.shape})"
            )
        if create_graph and not isinstance(seed, Value):
            seed = Value(seed, requires_grad=False)
        if (watch := watching()) is not None:
            watch.backward(self, seed)
        if hasattr(data, "_walked_from"):  # an array that traces wants to know
            data._walked_from(self)
        with walking:
            backpropagate(self, seed, create_graph=create_graph)

    # NumPy's protocols: np.exp(v), np.concatenate([v, w]), array @ v come here
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        row = TABLE.get(ufunc)
        direct = _DIRECT.get(row) if method == "__call__" and not kwargs else None
        if direct is not None and type(inputs[0]) is Value and type(inputs[-1]) in _DIRECT_OPERANDS:
            return direct(*inputs)
        if method == "outer":
            x, y = inputs
            return ufunc(np.reshape(x, np.shape(x) + (1,) * np.ndim(y)), y, **kwargs)
        if kwargs:
            kwargs = accepted_keywords(ufunc, method, kwargs)
        if method != "__call__":
            if (function := _METHODS.get((ufunc, method))) is None:
                raise no_method(ufunc, method)
            return apply(TABLE[function], inputs, {"axis": 0, **kwargs})
        if row is None:
            raise no_row(f"np.{ufunc.__name__}")
        return apply(row, inputs, kwargs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if (row := TABLE.get(func)) is None:
            raise no_row(f"{func.__module__}.{func.__name__}")
        if len(args) > (place := place_of_out(func)) and args[place] is not None:
            kwargs = {**kwargs, "out": args[place]}
        if "out" in kwargs:
            kwargs = accepted_keywords(func, "__call__", kwargs)
        return apply(row, args, kwargs)

    @staticmethod
    def apply_row(row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return apply(row, args, kwargs)  # for functions of our own (see derivatives.table)

    def __iter__(self) -> Iterator[Value]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Value:
        if type(self.primal) is float:
            raise TypeError(
                "a Value of a single number has no entries to index; give Value a list or an array"
            )
        return apply(_GETITEM, (self, index), NO_KEYWORDS)

    def __setitem__(self, index: Any, new: Any) -> None:
        raise no_assignment(self.name, index)

    # Keeping
    def __reduce__(self) -> Any:
        return _rebuilt, (self.primal, self.requires_grad, self.name, self.grad)

    def __copy__(self) -> Value:
        return _rebuilt(self.primal, self.requires_grad, self.name, self.grad)

    # Comparisons are plain booleans
    __eq__ = _comparison(operator.eq)
    __ne__ = _comparison(operator.ne)
    __lt__ = _comparison(operator.lt)
    __le__ = _comparison(operator.le)
    __gt__ = _comparison(operator.gt)
    __ge__ = _comparison(operator.ge)

    # Operators
    __add__, __radd__ = _binary(np.add)
    __sub__, __rsub__ = _binary(np.subtract)
    __mul__, __rmul__ = _binary(np.multiply)
    __truediv__, __rtruediv__ = _binary(np.divide)
    __pow__, __rpow__ = _binary(np.power)
    __mod__, __rmod__ = _binary(np.remainder)
    __floordiv__ = _comparison(operator.floordiv)  # whole numbers have no slope: plain, like comparisons
    __rfloordiv__ = _comparison(lambda x, y: y // x)
    __matmul__, __rmatmul__ = _binary(np.matmul)
    __neg__ = _unary(np.negative)
    __pos__ = _unary(np.positive)
    __abs__ = _unary(np.absolute)

    def __divmod__(self, other: Any) -> tuple[Any, Value]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Any, Value]:
        return other // self, other % self

    # The usual methods
    exp = _unary(np.exp)
    log = _unary(np.log)
    sqrt = _unary(np.sqrt)
    sin = _unary(np.sin)
    cos = _unary(np.cos)
    tanh = _unary(np.tanh)
    relu = _unary(neural.relu)
    sigmoid = _unary(neural.sigmoid)
    softplus = _unary(neural.softplus)


_DIRECT_OPERANDS = frozenset({Value, np.ndarray})
for _function, row in TABLE.items():
    if row not in _DIRECT and None not in row.rules and isinstance(_function, np.ufunc):
        if (_function.nin, _function.nout) == (1, 1) and row.rules:
            _unary(_function)
        elif (_function.nin, _function.nout) == (2, 1) and len(row.rules) == 2:
            _binary(_function)
