"""PyTorch's names for what NumPy calls otherwise, as methods of Value; each is a NumPy call or two.

A name that NumPy's arrays have too keeps NumPy's meaning, but for what is no use on a record: ``v.sort()``
gives a pair, as PyTorch's does, and ``v.transpose(1, 2)`` of a Value with more axes exchanges two.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..derivatives.indexing import add_at
from ..engine.value import stripped

if TYPE_CHECKING:
    from . import Value

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


class Sorted(NamedTuple):
    """Entries in order, and where each stood before."""

    values: Any
    indices: Any


class TorchLike:
    """What people who know PyTorch look for among a Value's methods."""

    __slots__ = ()

    def view(self, *shape: Any) -> Value:
        """The same entries in another shape, as `reshape`."""
        return _numpy.reshape(self, shape[0] if len(shape) == 1 else shape)

    def permute(self, *dims: Any) -> Value:
        """All axes in another order."""
        order = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
        return _numpy.transpose(self, order)

    def unsqueeze(self, dim: int) -> Value:
        """A new axis of length 1 in front of axis `dim`."""
        return _numpy.expand_dims(self, dim)

    def expand(self, *sizes: Any) -> Value:
        """Axes of length 1 repeated to `sizes`; -1 leaves an axis as it is."""
        given = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
        own = (1,) * (len(given) - np.ndim(stripped(self))) + np.shape(stripped(self))
        return _numpy.broadcast_to(self, tuple(n if m == -1 else m for n, m in zip(own, given)))

    def clone(self) -> Value:
        """A recorded copy."""
        return _numpy.copy(self)

    def contiguous(self) -> Value:
        """The Value itself: NumPy's functions take any layout."""
        return self  # type: ignore[return-value]

    def split(self, split_size: int | list[int], dim: int = 0) -> tuple[Value, ...]:
        """Parts of `split_size` entries along an axis, the last one shorter; or of the sizes in a list."""
        n = np.shape(stripped(self))[dim]
        sizes = split_size if isinstance(split_size, (list, tuple)) else None
        if sizes is not None and sum(sizes) != n:
            raise ValueError(f"split: the sizes {sizes} do not add up to the length {n} of axis {dim}")
        cuts = range(split_size, n, split_size) if sizes is None else np.cumsum(sizes)[:-1]  # type: ignore
        return tuple(_numpy.split(self, list(cuts), dim))

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Value, ...]:
        """At most `chunks` parts along an axis, all equally long but for the last."""
        return self.split(math.ceil(np.shape(stripped(self))[dim] / chunks) or 1, dim)

    def masked_fill(self, mask: Any, value: Any) -> Value:
        """The entries, but `value` where `mask` is true."""
        return _numpy.where(stripped(mask), value, self)

    def gather(self, dim: int, index: Any) -> Value:
        """The entries whose place along `dim` stands in `index`; along the others they keep theirs."""
        index = np.asarray(index)
        return self._corner(dim, index)[_places(dim, index)]

    def scatter_add(self, dim: int, index: Any, src: Any) -> Value:
        """A new Value with the entries of `src` added at the places along `dim` that `index` names."""
        index = np.asarray(index)
        return add_at(self, _places(dim, index), src[tuple(map(slice, index.shape))])

    def _corner(self: Any, dim: int, index: Any) -> Any:
        """As many entries along the other axes as `index` has."""
        dim = dim % index.ndim
        return self[tuple(slice(None if a == dim else n) for a, n in enumerate(index.shape))]

    def sort(self, dim: int = -1, descending: bool = False) -> Sorted:
        """The entries in order, and where each stood before."""
        data = stripped(self)
        order = np.argsort(-data if descending else data, axis=dim, kind="stable")
        return Sorted(_numpy.take_along_axis(self, order, dim), order)

    def topk(self, k: int, dim: int = -1, largest: bool = True) -> Sorted:
        """The `k` largest entries (or smallest) along an axis, in order, and where they stand."""
        values, order = self.sort(dim, largest)
        n = np.shape(order)[dim]
        if not 0 <= k <= n:
            raise ValueError(f"topk: there are {n} entries along axis {dim}, and {k} were asked for")
        first = (slice(None),) * (dim % np.ndim(order)) + (slice(k),)
        return Sorted(values[first], order[first])

    # What has no slope is plain
    def tolist(self) -> Any:
        """The data as a number or nested lists of numbers."""
        return np.asarray(stripped(self)).tolist()


def _places(dim: int, index: Any) -> tuple[Any, ...]:
    """`index` along `dim` as an index for all axes: each entry keeps its place along the others."""
    grid = list(np.ogrid[tuple(map(slice, index.shape))])
    grid[dim] = index
    return tuple(grid)
