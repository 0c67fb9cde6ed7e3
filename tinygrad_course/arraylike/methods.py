"""The usual methods of an array, for Value: each is one NumPy call, which records."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..derivatives import cast
from ..engine.value import stripped
from ..later import later
from .at import At

if TYPE_CHECKING:
    from . import Value

Axis = int | tuple[int, ...] | None
_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def over_axes(name: str, axis: Axis, more: Any, keepdims: bool, torch: dict[str, Any]) -> dict[str, Any]:
    """The keywords of a reduction, which may be called as PyTorch's are: ``dim=``, ``keepdim=``; none of all.

    Raises
    ------
    TypeError
        For a second axis that is not in a tuple, for another keyword, and for both words for one thing.
    """
    if more:
        axes = (axis, *more)
        said = f"{name}{axes}: several axes are one tuple, v.{name}(axis={axes})"
        raise TypeError(f"{said}; keepdims and ddof are given by name")
    if axis is None and keepdims is False and not torch:
        return {}
    over = {"axis": axis, "keepdims": keepdims}
    for word, mine in (("dim", "axis"), ("keepdim", "keepdims")):
        if word in torch:
            if over[mine] is not None and over[mine] is not False:
                raise TypeError(f"{name}: {word}= and {mine}= are two words for one thing; give one of them")
            over[mine] = torch.pop(word)
    if torch:
        raise TypeError(f"{name}: there is no keyword {next(iter(torch))}=; it takes axis= and keepdims=")
    return over


def freedom(name: str, ddof: int | None, torch: dict[str, Any]) -> int:
    """`ddof`, or PyTorch's word for it.

    Raises
    ------
    TypeError
        For a call in PyTorch's words that does not say it: PyTorch means 1 then, and NumPy 0.
    """
    asked = bool(torch) and ddof is None
    if "unbiased" in torch:
        ddof, asked = int(torch.pop("unbiased")), False
    if "correction" in torch:
        ddof, asked = torch.pop("correction"), False
    if asked:
        raise TypeError(
            f"{name}: PyTorch divides by n - 1 where nothing is said, and NumPy by n: write "
            f"v.{name}(axis, ddof=1) for the one, ddof=0 for the other"
        )
    return ddof or 0


def no_pair(name: str, torch: dict[str, Any]) -> None:
    """Raise for ``v.max(dim=1)``, which is a pair in PyTorch."""
    if torch.keys() & {"dim", "keepdim"}:
        raise TypeError(
            f"{name}: v.{name}(dim=1) is a pair in PyTorch, the entries and where they stand; NumPy gives "
            f"the entries: write v.{name}(axis=1) for them, v.arg{name}(1) for the places, v.sort(1) for both"
        )


class Methods:
    """What `Value` has in common with NumPy's arrays: methods that call the NumPy function of their name."""

    __slots__ = ()

    @property
    def at(self) -> At:
        """Assignment that gives a new Value: ``v.at[index].set(x)``, ``.add(x)``, ``.multiply(x)``."""
        return At(self)

    def sum(self, axis: Axis = None, *more: Any, keepdims: bool = False, **torch: Any) -> Value:
        """The sum over `axis`, or over everything."""
        return _numpy.sum(self, **over_axes("sum", axis, more, keepdims, torch))

    def mean(self, axis: Axis = None, *more: Any, keepdims: bool = False, **torch: Any) -> Value:
        """The mean over `axis`, or over everything."""
        return _numpy.mean(self, **over_axes("mean", axis, more, keepdims, torch))

    def prod(self, axis: Axis = None, *more: Any, keepdims: bool = False, **torch: Any) -> Value:
        """The product over `axis`, or over everything."""
        return _numpy.prod(self, **over_axes("prod", axis, more, keepdims, torch))

    def max(self, axis: Axis = None, *more: Any, keepdims: bool = False, **torch: Any) -> Value:
        """The largest entry over `axis`; ties share its gradient equally."""
        no_pair("max", torch)
        return _numpy.max(self, **over_axes("max", axis, more, keepdims, torch))

    def min(self, axis: Axis = None, *more: Any, keepdims: bool = False, **torch: Any) -> Value:
        """The smallest entry over `axis`; ties share its gradient equally."""
        no_pair("min", torch)
        return _numpy.min(self, **over_axes("min", axis, more, keepdims, torch))

    def var(
        self, axis: Axis = None, *more: Any, ddof: int | None = None, keepdims: bool = False, **torch: Any
    ) -> Value:
        """The variance over `axis`, divided by n - `ddof` (which is 0, or PyTorch's `correction`)."""
        ddof = freedom("var", ddof, torch)
        return _numpy.var(self, ddof=ddof, **over_axes("var", axis, more, keepdims, torch))

    def std(
        self, axis: Axis = None, *more: Any, ddof: int | None = None, keepdims: bool = False, **torch: Any
    ) -> Value:
        """The standard deviation over `axis`, as `var`; its gradient is 0 where all entries are equal."""
        ddof = freedom("std", ddof, torch)
        return _numpy.std(self, ddof=ddof, **over_axes("std", axis, more, keepdims, torch))

    def all(self, axis: Axis = None, *more: Any, keepdims: bool = False, **torch: Any) -> Any:
        """Whether all entries along `axis`, or all at all, are other than 0: plain booleans."""
        return np.all(stripped(self), **over_axes("all", axis, more, keepdims, torch))

    def any(self, axis: Axis = None, *more: Any, keepdims: bool = False, **torch: Any) -> Any:
        """Whether any entry along `axis`, or any at all, is other than 0: plain booleans."""
        return np.any(stripped(self), **over_axes("any", axis, more, keepdims, torch))

    def argmax(self, axis: int | None = None, *, keepdims: bool = False, **torch: Any) -> Any:
        """Where the largest entry stands along `axis`, or among all: plain whole numbers."""
        return np.argmax(stripped(self), **over_axes("argmax", axis, (), keepdims, torch))

    def argmin(self, axis: int | None = None, *, keepdims: bool = False, **torch: Any) -> Any:
        """Where the smallest entry stands along `axis`, or among all: plain whole numbers."""
        return np.argmin(stripped(self), **over_axes("argmin", axis, (), keepdims, torch))

    def cumsum(self, axis: int | None = None, **torch: Any) -> Value:
        """Running sums along `axis`."""
        over = over_axes("cumsum", axis, (), False, torch)
        return _numpy.cumsum(self, axis=over.get("axis"))

    def clip(self, low: Any = None, high: Any = None) -> Value:
        """The entries, but at least `low` and at most `high`."""
        return _numpy.clip(self, low, high)

    def dot(self, other: Any) -> Value:
        """`np.dot` with another Value or array."""
        return _numpy.dot(self, other)

    def reshape(self, *shape: Any, order: str = "C") -> Value:
        """The same entries in another shape: ``v.reshape(2, -1)`` or ``v.reshape((2, -1))``."""
        other = {} if order == "C" else {"order": order}  # a keyword that Dask does not know
        return _numpy.reshape(self, shape[0] if len(shape) == 1 else shape, **other)

    def transpose(self, *axes: Any) -> Value:
        """The axes in another order, reversed if none is given.

        Two whole numbers are two axes to exchange, as in PyTorch, where there are more axes than these; where
        there are two axes they are their new order, as in NumPy.
        """
        order: Any = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
        if len(axes) == 2 and np.ndim(stripped(self)) > 2:
            return _numpy.swapaxes(self, *axes)
        return _numpy.transpose(self, order or None)

    def swapaxes(self, first: int, second: int) -> Value:
        """Two axes exchanged."""
        return _numpy.swapaxes(self, first, second)

    def squeeze(self, axis: Axis = None, **torch: Any) -> Value:
        """Without the axes of length 1."""
        return _numpy.squeeze(self, over_axes("squeeze", axis, (), False, torch).get("axis"))

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Value:
        """All entries along one axis; or those of the axes from `start_dim` to `end_dim`."""
        shape = np.shape(stripped(self)) or (1,)
        first, last = start_dim % len(shape), end_dim % len(shape)
        return _numpy.reshape(self, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))

    def ravel(self) -> Value:
        """All entries along one axis."""
        return _numpy.reshape(self, -1)

    def copy(self) -> Value:
        """A recorded copy."""
        return _numpy.copy(self)

    def explain(self, *, of: Any = None, index: Any = None) -> Any:
        """Where `.grad` came from, as `tinygrad_course.explain` tells it."""
        return later("insight", "explain")(self, of=of, index=index)

    def astype(self, dtype: Any) -> Value:
        """The entries in another floating-point dtype."""
        if np.dtype(dtype).kind != "f":
            raise TypeError(
                f"astype({np.dtype(dtype)}): a Value holds floats; v.numpy().astype(...) gives a plain array"
            )
        return cast(self, np.dtype(dtype))
