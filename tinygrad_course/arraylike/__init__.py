"""What makes a Value look like an array: the `Value` that everybody uses is the engine's, completed here.

`operators`, `methods` and `contents` are its parts, `at` assigns to entries, `calls` reads what NumPy asks
for, and `errors` has the words for what cannot be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..derivatives import indexing, result_at
from ..engine import value as engine
from ..engine.backprop import is_number, total
from ..engine.record import Record
from ..engine.table import TABLE, Row
from ..engine.value import one_like
from ..lines import pointing
from . import hooks
from .at import write
from .calls import as_numbers, positional, understood, undivided
from .contents import Contents, check_real, checked
from .errors import FAILURES, explained, refuse_strange, written_over
from .foreign import applied_to_lazy, fits, in_kind_of, lazy_in
from .methods import Methods
from .namespace import Namespace
from .operators import Operators
from .torchlike import TorchLike

__all__ = ["Value"]

_GETITEM = TABLE[indexing.getitem]


class Value(Operators, Methods, TorchLike, Contents, engine.Value):
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
        The gradient that `backward` brought here, in the shape and dtype of `data`; None before, and
        where nothing that `backward` went through was computed from this.
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

    __slots__ = ()
    __array_priority__ = 1e4  # arrays with rules of their own leave it to a Value to refuse them

    def __init__(self, data: Any, *, requires_grad: bool = True, name: str | None = None) -> None:
        Record.__init__(self, checked(data), bool(requires_grad), name)

    @classmethod
    @pointing
    def apply_row(cls, row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Compute an operation on `args`, Values among them, and record it, or say what is wrong with it."""
        try:
            if row.composition is None and (not args or any(isinstance(a, Value) for a in kwargs.values())):
                args, kwargs = positional(row, args, kwargs)
            for a in (*row.operands(args), *kwargs.values()):
                refuse_strange(a, row.name)
            args = as_numbers(args) if row.elementwise and None not in row.rules else args
            row = row if row.composition is None else undivided(row, args)
            apply = applied_to_lazy if lazy_in((args, kwargs)) else engine.apply
            out = apply(cls, row, args, kwargs)
            constant = row.nondifferentiable and row.shapes_only and isinstance(out, np.ndarray)
            return Value(out, requires_grad=False) if constant and out.dtype.kind == "f" else out
        except FAILURES as error:
            if (told := explained(row, args, kwargs, error)) is error:
                raise
            raise told from None

    @classmethod
    def recorded(cls, data: Any, row: Row, args: Any, kwargs: dict[str, Any], parents: Any) -> Any:
        """A Value that records how it was computed; a constant if none of its parents is a Value."""
        check_real(data)
        return super().recorded(data, row, args, kwargs, parents)

    understood = staticmethod(pointing(understood))

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """Where code for the array API finds its functions: NumPy's, and makers of constant Values."""
        return _NAMESPACE

    @pointing
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
        if gradient is None and self.size != 1:
            raise ValueError(
                f"backward: a value of shape {self.shape} is not a single number, so it has no one "
                "gradient; make it one first (v.sum(), v.mean()), or give backward the one to start from"
            )
        if gradient is not None and not fits(np.shape(gradient), self.shape):
            raise ValueError(
                f"backward: gradient has shape {np.shape(gradient)}, but the value has shape {self.shape}; "
                f"give one for each of its entries, such as np.ones({self.shape})"
            )
        if create_graph and isinstance(gradient, Value):
            seed: Any = self._recorded_seed(gradient)
        else:
            seed = self._seed(gradient.primal if isinstance(gradient, Value) else gradient)
            seed = Value(seed, requires_grad=False) if create_graph else seed
        try:
            super().backward(seed, create_graph=create_graph)
        except Exception:
            if told := written_over([self]):
                raise RuntimeError(f"backward: {told}") from None
            raise

    def _seed(self, gradient: Any) -> Any:
        """Where to start: 1, or `gradient` in the dtype of the data and in memory of its own."""
        if gradient is None:
            return one_like(self.primal)
        if is_number(self.primal):
            return float(gradient)
        return in_kind_of(self.primal, gradient)

    def _recorded_seed(self, gradient: Value) -> Value:
        """`gradient` as a number or an array, as the data is, and in its dtype."""
        if is_number(self.primal):
            return gradient if is_number(gradient.primal) else total(gradient)
        if is_number(gradient.primal):
            return gradient * Value(np.ones_like(self.primal), requires_grad=False)
        return gradient if gradient.dtype == self.dtype else gradient.astype(self.dtype)

    def register_hook(self, hook: Callable[[Any], Any]) -> hooks.Handle:
        """Let a function see the gradient of this result, and give another one in its place.

        Parameters
        ----------
        hook : callable
            Given the gradient at every backward pass; what it returns, unless None, goes back instead.

        Returns
        -------
        Handle
            ``handle.remove()`` takes the hook away.

        Raises
        ------
        TypeError
            If this is a leaf, whose `.grad` can be changed after backward.

        Examples
        --------
        >>> from tinygrad_course import Value
        >>> x = Value(3.0)
        >>> y = x * x
        >>> handle = y.register_hook(lambda gradient: 10 * gradient)
        >>> y.backward()
        >>> x.grad
        60.0
        """
        return hooks.attach(self, hook)

    @property
    def T(self) -> Value:
        """The transpose, all axes in reverse order."""
        return self.transpose()

    def detach(self) -> Value:
        """A Value of the same data without a record or a gradient."""
        return Value(self.primal, requires_grad=False, name=self.name)

    def __iter__(self) -> Iterator[Value]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Value:
        if type(self.primal) is tuple:  # of an operation with several results
            return result_at(self, index)
        if is_number(self.primal):
            raise TypeError(
                "a Value of a single number has no entries to index; give Value a list or an array"
            )
        return self.apply_row(_GETITEM, (self, index), {})

    @pointing
    def __setitem__(self, index: Any, new: Any) -> None:
        write(self, index, new)

    # Keeping: everything but the record
    def __reduce__(self) -> Any:
        return _rebuilt, (self.primal, self.active, self.name, self.grad)

    def __copy__(self) -> Value:
        return _rebuilt(self.primal, self.active, self.name, self.grad)


def _rebuilt(data: Any, requires_grad: bool, name: str | None, grad: Any) -> Value:
    """A leaf from what `copy` and `pickle` keep."""
    value = Value(data, requires_grad=requires_grad, name=name)
    value.grad = grad
    return value


_NAMESPACE = Namespace(Value)
