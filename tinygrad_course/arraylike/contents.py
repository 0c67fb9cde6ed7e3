"""What a Value holds, looked at from outside: shape and dtype, plain numbers, text.  Nothing is recorded."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..engine.backprop import is_number
from ..engine.record import Record
from ..later import in_a_notebook
from .errors import HINTED, no_attribute, refuse_strange
from .leaving import as_float, no_array

SIGNS = {
    operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/", math.pow: "**",
}  # fmt: skip
"""Python's sign for an operation on two numbers, by what computes it."""


class Missing:
    """In place of a method that people look for: asking for it says what to write.

    `__getattr__` would do so for every name, and make every use of every other attribute slower.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, value: Any, kind: Any = None) -> Any:
        raise no_attribute(self.name)


class Contents(Record):
    """The part of `Value` that only looks at its data, or says why the data cannot be had that way."""

    __slots__ = ()

    @property
    def data(self) -> Any:
        """The number or array.  A leaf's may be rebound or updated in place (``p.data -= step``)."""
        return self.primal

    @data.setter
    def data(self, new: Any) -> None:
        if self.row is not None:
            raise RuntimeError(
                f"data of a result of {self.row.name} cannot be set: its record would no longer be true. "
                "Set the data of leaves, or go on from a copy: v.detach()"
            )
        in_place = new is self.primal and issubclass(type(new), np.ndarray)
        self.primal = new.view() if in_place else checked(new)  # another object: older records can tell

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

    # micrograd's words for what the record keeps
    @property
    def label(self) -> str:
        """The name, as micrograd calls it; empty where there is none."""
        return self.name or ""

    @label.setter
    def label(self, name: str) -> None:
        self.name = name or None

    @property
    def _prev(self) -> tuple[Any, ...]:
        """The Values that this was computed from."""
        return tuple(p for p in self.parents if p is not None)

    @property
    def _op(self) -> str:
        """The operation that this was computed by: a sign such as ``"+"``, or its name; empty for a leaf."""
        return "" if self.row is None else SIGNS.get(self.row.scalar, self.row.name)

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis; ``()`` for a number."""
        return self.primal.shape if type(self.primal) is np.ndarray else np.shape(self.primal)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return np.ndim(self.primal)

    @property
    def size(self) -> int:
        """The number of entries; nan where a Dask array does not know its lengths."""
        return 1 if is_number(self.primal) else self.primal.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type; float64 for a Python number."""
        return np.dtype(float) if type(self.primal) is float else self.primal.dtype

    @property
    def device(self) -> str:
        """Where the data is, for code that asks: always "cpu"."""
        return "cpu"

    def item(self) -> float:
        """The only entry, as a Python float that records nothing."""
        if self.size != 1:
            raise ValueError(
                f"item: a Value of shape {self.shape} has {self.size} entries; v.numpy() gives them all"
            )
        return float(self.primal if is_number(self.primal) else self.primal.reshape(()))

    def numpy(self) -> Any:
        """The data as an array that records nothing (not a copy)."""
        return np.array(self.primal) if type(self.primal) is float else self.primal

    # What would lose the record
    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise no_array(self)

    def __float__(self) -> float:
        return as_float(self)

    def __index__(self) -> int:
        raise TypeError(
            "v as a whole number would leave the record: write int(v.item()) for the number of a "
            "single-entry Value, v.numpy() for the array, np.exp(v) in place of a math function"
        )

    __int__ = __complex__ = __index__

    def __round__(self, digits: int | None = None) -> Any:
        raise TypeError(
            "round(v) has no slope, so nothing could be learned through it: write round(v.item(), 2) for a "
            "number to show, np.round(v.numpy(), 2) for an array"
        )

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"the truth of a Value of shape {self.shape} is ambiguous: use (v > 0).any() or .all(), "
                "np.where(v > 0, a, b) to choose entry by entry, np.logical_and for 'and'"
            )
        return bool(self.primal)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a single number; v.size is its number of entries")
        if self.shape[0] != self.shape[0]:
            raise TypeError("len() of a Dask array that does not know its length: x.compute_chunk_sizes()")
        return self.shape[0]

    for _name in HINTED:
        vars()[_name] = Missing(_name)
    del _name

    # Showing it
    _repr_mimebundle_ = in_a_notebook

    def __repr__(self) -> str:
        text = repr(self.primal) if type(self.primal) is float else _text(self.primal)
        more = "" if self.name is None else f", name={self.name!r}"
        more += "" if self.active else ", requires_grad=False"
        more += "" if type(self.primal) is float or self.dtype == float else f", dtype={self.dtype}"
        return f"Value({text}{more})"

    def __format__(self, spec: str) -> str:
        if not spec:
            return repr(self)
        if self.size != 1:
            raise TypeError(
                f"format {spec!r} needs a single number, and this Value has shape {self.shape}; use v.numpy()"
            )
        return format(self.item(), spec)


def _text(array: Any) -> str:
    return (
        np.array2string(array, separator=", ", prefix="Value(")
        if isinstance(array, np.ndarray)
        else repr(array)
    )


def checked(data: Any) -> Any:
    """What a Value holds for `data`: a Python float, or an array of real floating-point numbers."""
    if type(data) is float:
        return data
    if hasattr(type(data), "apply_row") and not isinstance(data, Contents):  # it stands for data
        return data.as_data() if hasattr(data, "as_data") else data
    if isinstance(data, (int, float, np.integer, np.bool_)):  # a bool is an int too, a np.float64 a float
        return number_of(data)
    if isinstance(data, np.ndarray):
        refuse_strange(data, "Value")
    if isinstance(data, Contents):
        raise TypeError("Value(v) of a Value: use v itself, or v.detach() for a copy without its record")
    array = (
        data
        if hasattr(type(data), "__array_function__") and not isinstance(data, np.generic)
        else _array_of(data)
    )
    if array.dtype.kind in "iub":
        return array.astype(float)
    if array.dtype.kind != "f":
        raise TypeError(
            f"Value holds real numbers, and got {type(data).__name__} of dtype {array.dtype}"
            + _HOW_TO_MAKE_NUMBERS.get(array.dtype.kind, "")
        )
    return array


_HOW_TO_MAKE_NUMBERS = {
    "c": "; split it into .real and .imag",
    "U": "; convert text first: Value(float(text))",
    "O": "; is a return missing? np.stack([v, w]) joins Values",
}


def number_of(data: Any) -> float:
    """A number of Python or NumPy as a Python float."""
    try:
        return float(data)
    except OverflowError:
        raise OverflowError(
            f"Value: a whole number of {len(str(abs(data)))} digits is larger than a float can be (about "
            "1.8e308); work with its logarithm, math.log(n)"
        ) from None


def check_real(data: Any) -> None:
    """Raise if a result is not of real floating-point numbers (of several, whole numbers may be some)."""
    several = type(data) is tuple
    for part in data if several else (data,):
        kind = "f" if is_number(part) else part.dtype.kind
        if kind != "f" and (kind == "c" or not several):
            raise TypeError(
                f"the result is {part.dtype}, and a Value holds real floating-point numbers; "
                "give plain arrays, v.numpy(), for a result that keeps no record"
            )


def _array_of(data: Any) -> Any:
    try:
        return np.asarray(data)
    except ValueError as error:
        raise ValueError(
            f"Value: the rows of this {type(data).__name__} are not equally long: {error} Fill them up with "
            "zeros, or keep a list of Values, one a row"
        ) from None
