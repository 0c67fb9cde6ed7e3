"""The usual methods of an array, for Value: each is one NumPy call, which records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..derivatives import cast
from ..later import later
from .at import At

if TYPE_CHECKING:
    from . import Value

Axis = int | tuple[int, ...] | None
_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def over_axes(name: str, axis: Axis, more: Any, keepdims: bool, torch: dict[str, Any]) -> dict[str, Any]:
    """The keywords of a reduction, which may be called as PyTorch's are: ``dim=``, ``keepdim=``.

    Raises
    ------
    TypeError
        For a second axis that is not in a tuple, for another keyword, and for both words for one thing.
    """
    if more:
        axes = (axis, *more)
        said = f"{name}{axes}: several axes are one tuple, v.{name}(axis={axes})"
        raise TypeError(f"{said}; keepdims and ddof are given by name")
    over = {"axis": axis, "keepdims": keepdims}
    for word, mine in (("dim", "axis"), ("keepdim", "keepdims")):
        if word in torch:
            if over[mine] is not None and over[mine] is not False:
                raise TypeError(f"{name}: {word}= and {mine}= are two words for one thing; give one of them")
            over[mine] = torch.pop(word)
    if torch:
        raise TypeError(f"{name}: there is no keyword {next(iter(torch))}=; it takes axis= and keepdims=")
    return over


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
        return _numpy.max(self, **over_axes("max", axis, more, keepdims, torch))

    def min(self, axis: Axis = None, *more: Any, keepdims: bool = False, **torch: Any) -> Value:
        """The smallest entry over `axis`; ties share its gradient equally."""
        return _numpy.min(self, **over_axes("min", axis, more, keepdims, torch))

    def var(
        self, axis: Axis = None, *more: Any, ddof: int = 0, keepdims: bool = False, **torch: Any
    ) -> Value:
        """The variance over `axis`, divided by n - `ddof`."""
        return _numpy.var(self, ddof=ddof, **over_axes("var", axis, more, keepdims, torch))

    def std(
        self, axis: Axis = None, *more: Any, ddof: int = 0, keepdims: bool = False, **torch: Any
    ) -> Value:
        """The standard deviation over `axis`; its gradient is 0 where all entries are equal."""
        return _numpy.std(self, ddof=ddof, **over_axes("std", axis, more, keepdims, torch))

    def cumsum(self, axis: int | None = None) -> Value:
        """Running sums along `axis`."""
        return _numpy.cumsum(self, axis=axis)

    def clip(self, low: Any = None, high: Any = None) -> Value:
        """The entries, but at least `low` and at most `high`."""
        return _numpy.clip(self, low, high)

    def dot(self, other: Any) -> Value:
        """`np.dot` with another Value or array."""
        return _numpy.dot(self, other)

    def reshape(self, *shape: Any, order: str = "C") -> Value:
        """The same entries in another shape: ``v.reshape(2, -1)`` or ``v.reshape((2, -1))``."""
        return _numpy.reshape(self, shape[0] if len(shape) == 1 else shape, order=order)

    def transpose(self, *axes: Any) -> Value:
        """The axes in another order, reversed if none is given."""
        order: Any = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
        return _numpy.transpose(self, order or None)

    def swapaxes(self, first: int, second: int) -> Value:
        """Two axes exchanged."""
        return _numpy.swapaxes(self, first, second)

    def squeeze(self, axis: Axis = None) -> Value:
        """Without the axes of length 1."""
        return _numpy.squeeze(self, axis)

    def flatten(self) -> Value:
        """All entries along one axis."""
        return _numpy.reshape(self, -1)

    ravel = flatten

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
