"""Value: NumPy data plus the record of the operation that made it.

NumPy itself asks a Value to compute when it meets one: ``np.exp(v)`` and ``array @ v`` arrive here, and
`apply` computes the operation on the data as usual and writes the record.  `backward` walks those records.
A Value that holds a Python number stays a Python float, as the lecture draws it; anything else is an array.

Everything that makes a Value look like an array (operators, methods, text, errors that teach) stands in
`arraylike`, which completes this class.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .backprop import backpropagate, is_number, settled
from .record import Record
from .table import TABLE, Row
from .watch import Watch, recording, recording_mode, watching

NUMBER = Row(float)  # an array without axes as a Python float


class Value(Record):
    """A number or an array that remembers how it was computed: what the engine needs of it."""

    __slots__ = ()
    __hash__ = object.__hash__

    @classmethod
    def recorded(cls, data: Any, row: Row, args: Any, kwargs: dict[str, Any], parents: Any) -> Any:
        """A Value that records how it was computed; a constant if none of its parents is a Value."""
        value = object.__new__(cls)
        Record.__init__(value, data, any(p is not None for p in parents))
        if value.active:
            value.remember(row, args, kwargs, parents)
        return value

    def backward(self, gradient: Any = None, *, create_graph: bool = False) -> None:
        """Bring the gradient of this value to everything it was computed from, starting with 1 or `gradient`.

        It is added into the `.grad` of the leaves, and set on the values between.
        """
        seed = one_like(self.primal) if gradient is None else gradient
        if (watch := watching()) is not None:
            watch.backward(self, seed)
        backpropagate(self, seed, create_graph=create_graph)

    # NumPy's protocols: np.exp(v), np.concatenate([v, w]), array @ v come here
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return self.apply_row(*self.understood(ufunc, method, inputs, kwargs))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self.apply_row(*self.understood(func, "__call__", args, kwargs))

    @classmethod
    def understood(cls, function: Any, method: str, args: Any, kwargs: Any) -> tuple[Row, Any, Any]:
        """What NumPy asks for: a row of the table, the arguments and the keywords."""
        if method != "__call__" or function not in TABLE:
            raise TypeError(f"{function.__name__} ({method}) has no row in the table of derivatives")
        return TABLE[function], args, kwargs

    @classmethod
    def apply_row(cls, row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Compute an operation on `args`, Values among them, and record it; functions of our own ask this."""
        return apply(cls, row, args, kwargs)


def no_grad() -> recording:
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
    return recording(False)


def apply(kind: type[Value], row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Compute an operation of the table on `args`, Values among them, and record it in Values of `kind`."""
    if row.composition is not None:
        return row.composition(*args, **kwargs)
    if row.nondifferentiable:
        return computed(row, stripped(args), {name: stripped(a) for name, a in kwargs.items()})
    operands = row.operands(args)
    values = [a if isinstance(a, Value) else None for a in operands]
    parents = [v if v is not None and v.active and row.has_rule(i) else None for i, v in enumerate(values)]
    data = [_plain(row, i, a) if v is None else v.primal for i, (a, v) in enumerate(zip(operands, values))]
    args = row.with_operands(args, data)
    out = computed(row.residuals or row, args, kwargs)
    if row.residuals is not None:
        out, residuals = out
        kwargs = {**kwargs, "residuals": residuals}
    several = isinstance(out, (tuple, list))
    held = tuple(map(settled, out)) if several else settled(out)
    if not several and all(v is None or is_number(v.primal) for v in values):
        held = as_number(held)
    mode = recording_mode.get()
    value = kind.recorded(held, row, args, kwargs, tuple(parents) if mode else ())
    if isinstance(mode, Watch):
        mode.saw(value, row, args, operands)
    return like_sequence(out, [value[i] for i in range(len(out))]) if several else value


def computed(row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result on plain data.  Foreign data is asked one thing: whether it applies rows in its own way."""
    for a in row.operands(args):
        if (handler := getattr(type(a), "apply_row", None)) is not None:
            return handler(a, row, args, kwargs)
    if row.scalar is not None and not kwargs and all(type(a) is float for a in args):
        try:
            return row.scalar(*args)
        except (ArithmeticError, ValueError):
            pass  # where Python's floats raise, NumPy gives inf or nan
    return row.function(*args, **kwargs)


def _plain(row: Row, i: int, a: Any) -> Any:
    """Operand `i` where it is no Value: a list of numbers is an array."""
    listed = isinstance(a, (list, tuple)) and (row.sequence or (i < len(row.rules) and row.rules[i]))
    return np.asarray(a) if listed else a


def stripped(a: Any) -> Any:
    """`a` with plain data in place of Values, in lists and tuples too."""
    if isinstance(a, (list, tuple)):
        return like_sequence(a, [stripped(item) for item in a])
    return a.primal if isinstance(a, Value) else a


def like_sequence(sequence: Any, parts: list[Any]) -> Any:
    """`parts` in the kind of tuple or list that `sequence` is."""
    return type(sequence)(*parts) if hasattr(sequence, "_fields") else type(sequence)(parts)


def as_number(out: Any) -> Any:
    """The result of an operation on numbers only: a number again, if it is a single one."""
    if is_number(out) or out.ndim or out.dtype != float:
        return out
    ours = isinstance(out, np.ndarray) or hasattr(type(out), "apply_row")
    return computed(NUMBER, (out,), {}) if ours else out


def one_like(data: Any) -> Any:
    """1 in the shape and dtype of `data`, where a backward pass starts."""
    return 1.0 if is_number(data) else np.ones_like(data)
