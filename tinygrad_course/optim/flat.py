"""Parameters side by side in one vector, so that an optimizer's mathematics is a few passes over one array.

A network has many parameters of many shapes, and an optimizer does the same to each number of each of them.
`FlatArrays` copies the arrays of one dtype into one vector and gives every parameter its part of that vector
back as its data; `FlatNumbers` does it for parameters that are Python floats.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ..arraylike import Value
from ..blocks import lined_up


class FlatArrays:
    """Array parameters of one dtype as one vector, of which their data are views from now on.

    Parameters
    ----------
    values : list of Value
        Leaves whose data are NumPy arrays of one dtype.

    Attributes
    ----------
    values : list of Value
    name : str
        The dtype's name.
    bounds : list of int
        Where each value begins in the vectors, and where the last one ends.
    data, gradient : array
        All parameters, and room for all gradients; for those of float16 in float32.
    gradients : list of array
        For each value where its gradient is, as a vector: its own memory, or its part of `gradient`.
    """

    def __init__(self, values: list[Value]) -> None:
        dtype = values[0].dtype
        self.values = values
        self.name = str(dtype)
        self.bounds = [0, *itertools.accumulate(v.size for v in values)]
        self.data = lined_up(self.bounds[-1], dtype)
        self.gradient = lined_up(self.bounds[-1], np.result_type(dtype, np.float32))
        self._shapes = [v.shape for v in values]
        self._places = [self._view(self.data, i) for i in range(len(values))]
        self._parts = [self.gradient[a:b] for a, b in itertools.pairwise(self.bounds)]
        self.gradients = list(self._parts)
        self._given: list[Any] = [None] * len(values)
        self.read()
        self.write(0, len(values))

    def __reduce__(self) -> Any:
        return FlatArrays, (self.values,)  # a copy has views of its own vector

    def _view(self, vector: Any, i: int) -> Any:
        return vector[self.bounds[i] : self.bounds[i + 1]].reshape(self._shapes[i])

    def read(self, negative: bool = False, together: bool = False) -> list[bool]:
        """Find the gradients, and bring in the data of values that were given other data.

        Tells who has a gradient.  Those that are `negative`, or wanted `together`, or that are not alone in
        memory of their own, are brought into the vector.
        """
        has_gradient = []
        for i, value in enumerate(self.values):
            if value.primal is not self._given[i]:
                _check(value, value.data, self._shapes[i], self.data.dtype, "data")
                self._places[i][...] = value.data
            gradient = value.grad
            has_gradient.append(gradient is not None)
            if gradient is None:
                continue
            if isinstance(gradient, Value):
                gradient = gradient.data
            if type(gradient) is not np.ndarray or gradient.shape != self._shapes[i]:
                _check(value, gradient, self._shapes[i], self.data.dtype, "gradient")
            elif not (negative or together) and self._is_its_own(gradient):
                self.gradients[i] = gradient.reshape(-1)
                continue
            self.gradients[i] = self._parts[i]
            (np.negative if negative else np.positive)(gradient, self._parts[i].reshape(self._shapes[i]))
        return has_gradient

    def _is_its_own(self, gradient: Any) -> bool:
        own = gradient.base is None and gradient.flags.c_contiguous
        return own and gradient.dtype is self.gradient.dtype

    def write(self, first: int, last: int) -> None:
        """Give the values from `first` to `last` their parts of the vector, which have changed.

        Each time as a new view: older records still hold the old one, and can tell by that.
        """
        for i in range(first, last):
            self._given[i] = self.values[i].primal = self._places[i].view()


class FlatNumbers:
    """Parameters that are Python floats as one vector, and back; the attributes of `FlatArrays`."""

    name = "number"

    def __init__(self, values: list[Value]) -> None:
        self.values = values
        self.bounds = list(range(len(values) + 1))
        self.data = np.empty(len(values))
        self.gradient = np.empty(len(values))
        self.gradients = [self.gradient[i : i + 1] for i in range(len(values))]

    def read(self, negative: bool = False, together: bool = False) -> list[bool]:
        """Bring in all numbers and all gradients; tells who has a gradient."""
        numbers = [v.data for v in self.values]
        gradients = [0.0 if v.grad is None else v.grad for v in self.values]
        gradients = [g.data if isinstance(g, Value) else g for g in gradients]
        for what, found in (("data", numbers), ("gradient", gradients)):
            if any(type(x) is not float for x in found):
                for value, x in zip(self.values, found):
                    _check(value, x, (), np.dtype(float), what)
        self.data[:] = numbers
        (np.negative if negative else np.positive)(gradients, self.gradient)
        return [v.grad is not None for v in self.values]

    def write(self, first: int, last: int) -> None:
        """Give the values from `first` to `last` their new numbers."""
        for value, number in zip(self.values[first:last], self.data[first:last].tolist()):
            value.primal = number


def _check(value: Value, array: Any, shape: tuple[int, ...], dtype: np.dtype[Any], what: str) -> None:
    """Raise if what a parameter holds has become something else since the optimizer was made."""
    who = f"parameter {value.name!r}" if value.name else f"a parameter of shape {shape}"
    if not isinstance(array, (np.ndarray, np.generic, float, int)):
        raise TypeError(
            f"optimizer: the {what} of {who} is a {type(array).__name__}; optimizers work in NumPy's memory "
            "and need np.ndarray"
        )
    if np.shape(array) != shape:
        hint = "; make a new optimizer for new shapes" if what == "data" else ""
        raise ValueError(
            f"optimizer: the {what} of {who} has shape {np.shape(array)} and should have {shape}{hint}"
        )
    if what == "data" and np.asarray(array).dtype != dtype:
        raise TypeError(
            f"optimizer: {who} was {dtype} when the optimizer was made and is {np.asarray(array).dtype} now; "
            "make a new optimizer"
        )
