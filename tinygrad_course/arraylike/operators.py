"""Operators: ``v + w``, ``2 * v``, ``v @ w`` and ``-v`` are NumPy's functions by other names.

Comparisons only look.  While recording, ``v += w`` means ``v = v + w``.  Under `no_grad` it writes into a
leaf, which is how a step of gradient descent is written: ``with no_grad(): p -= 0.1 * p.grad``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..derivatives import neural
from ..engine.table import TABLE
from ..engine.value import stripped
from ..engine.watch import recording_mode
from .truth import comparison

if TYPE_CHECKING:
    from . import Value

Operator = Callable[[Any, Any], "Value"]


def operand(other: Any) -> Any:
    """What stands beside a Value in an operator, if it is a number, an array or a list of numbers."""
    if isinstance(other, (np.number, np.bool_)):  # with a dtype that counts
        return other
    if issubclass(type(other), (int, float)):
        return float(other)
    if isinstance(other, (list, tuple)):
        return np.asarray(other)
    return other if hasattr(type(other), "__array_ufunc__") else NotImplemented


def binary(function: Callable[..., Any]) -> tuple[Operator, Operator]:
    """The operator of a row with two arguments, and the one for a Value on the right of something else."""
    row = TABLE[function]

    def forward(self: Any, other: Any) -> Any:
        other = operand(other)
        return NotImplemented if other is NotImplemented else self.apply_row(row, (self, other), {})

    def reflected(self: Any, other: Any) -> Any:
        other = operand(other)
        return NotImplemented if other is NotImplemented else self.apply_row(row, (other, self), {})

    forward.row = reflected.row = row  # type: ignore[attr-defined]
    return forward, reflected


def unary(function: Callable[..., Any]) -> Callable[[Any], Value]:
    """The operator or method of a row with one argument."""
    row = TABLE[function]

    def method(self: Any) -> Any:
        return self.apply_row(row, (self,), {})

    method.__name__, method.__doc__ = row.name, f"{row.formula}, entry by entry."
    method.row = row  # type: ignore[attr-defined]
    return method


def in_place(
    forward: Callable[[Any, Any], Any], write: Callable[[Any, Any], Any]
) -> Callable[[Any, Any], Any]:
    """``v += w``: a new Value while recording; otherwise the leaf itself has other numbers from now on."""

    def method(self: Any, other: Any) -> Any:
        if recording_mode.get() or self.row is not None:
            return forward(self, other)
        other = operand(other)
        if other is not NotImplemented:
            self.data = write(self.primal, stripped(other))
        return NotImplemented if other is NotImplemented else self

    method.row = getattr(forward, "row", None)  # type: ignore[attr-defined]
    return method


class Operators:
    """The operators of `Value`."""

    __slots__ = ()
    __hash__ = object.__hash__

    # Comparisons are plain booleans
    __eq__ = comparison(operator.eq)
    __ne__ = comparison(operator.ne)
    __lt__ = comparison(operator.lt)
    __le__ = comparison(operator.le)
    __gt__ = comparison(operator.gt)
    __ge__ = comparison(operator.ge)

    __add__, __radd__ = binary(np.add)
    __sub__, __rsub__ = binary(np.subtract)
    __mul__, __rmul__ = binary(np.multiply)
    __truediv__, __rtruediv__ = binary(np.divide)
    __pow__, __rpow__ = binary(np.power)
    __mod__, __rmod__ = binary(np.remainder)
    __matmul__, __rmatmul__ = binary(np.matmul)
    __floordiv__ = comparison(operator.floordiv)  # whole numbers have no slope: plain, like comparisons
    __rfloordiv__ = comparison(lambda x, y: y // x)
    __neg__ = unary(np.negative)
    __pos__ = unary(np.positive)
    __abs__ = unary(np.absolute)

    __iadd__ = in_place(__add__, operator.iadd)
    __isub__ = in_place(__sub__, operator.isub)
    __imul__ = in_place(__mul__, operator.imul)
    __itruediv__ = in_place(__truediv__, operator.itruediv)
    __ipow__ = in_place(__pow__, operator.ipow)
    __imod__ = in_place(__mod__, operator.imod)
    __imatmul__ = in_place(__matmul__, operator.imatmul)
    __ifloordiv__ = in_place(__floordiv__, operator.ifloordiv)

    def __divmod__(self, other: Any) -> tuple[Any, Any]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Any, Any]:
        return other // self, other % self

    abs = unary(np.absolute)
    exp = unary(np.exp)
    log = unary(np.log)
    log10 = unary(np.log10)
    sqrt = unary(np.sqrt)
    sin = unary(np.sin)
    cos = unary(np.cos)
    tanh = unary(np.tanh)
    relu = unary(neural.relu)
    sigmoid = unary(neural.sigmoid)
    softplus = unary(neural.softplus)
