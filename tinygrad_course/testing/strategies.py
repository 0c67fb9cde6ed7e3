"""Hypothesis strategies: shapes, arrays, operands that broadcast, and whole random graphs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

from ..derivatives.neural import sigmoid, softplus

Shape = tuple[int, ...]
_LAYOUTS = ["plain", "fortran", "strided", "reversed", "readonly"]


def shapes(
    *,
    min_dims: int = 0,
    max_dims: int = 4,
    min_side: int = 0,
    max_side: int = 4,
    max_size: int = 24,
) -> st.SearchStrategy[Shape]:
    """Shapes of arrays: no axes at all, axes of length 0 and 1, up to four axes.

    Parameters
    ----------
    min_dims, max_dims : int, optional
        How many axes.
    min_side, max_side : int, optional
        How long an axis is.
    max_size : int, optional
        How many entries in all at most: finite differences look at each.

    Returns
    -------
    strategy of tuple of int

    Examples
    --------
    >>> from hypothesis import find
    >>> find(shapes(min_dims=2), lambda shape: shape[0] > 1)
    (2, 0)
    """
    wanted = array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)
    return wanted.filter(lambda shape: math.prod(shape) <= max_size)


def broadcastable(
    count: int = 2,
    *,
    min_side: int = 0,
    max_side: int = 3,
    max_dims: int = 4,
    max_size: int = 24,
) -> st.SearchStrategy[tuple[Shape, ...]]:
    """Several shapes that broadcast together: leading axes missing, axes of length 1 beside longer ones.

    Parameters
    ----------
    count : int, optional
        How many shapes.
    min_side, max_side, max_dims, max_size : int, optional
        As in `shapes`, for the shape that they broadcast to.

    Returns
    -------
    strategy of tuple of shapes

    Examples
    --------
    >>> from hypothesis import find
    >>> import numpy as np
    >>> first, second = find(broadcastable(), lambda pair: pair[0] != pair[1])
    >>> len(np.broadcast_shapes(first, second))  # they do broadcast
    1
    """
    together = mutually_broadcastable_shapes(
        num_shapes=count, max_dims=max_dims, min_side=min_side, max_side=max_side
    )
    small = together.filter(lambda found: math.prod(found.result_shape) <= max_size)
    return small.map(lambda found: found.input_shapes)


@st.composite
def arrays(
    draw: st.DrawFn,
    shape: Shape | st.SearchStrategy[Shape] | None = None,
    *,
    low: float = -2.0,
    high: float = 2.0,
    avoid: Sequence[float] = (),
    distinct: bool = False,
    dtype: Any = np.float64,
    layouts: bool = True,
) -> Any:
    """Arrays of round numbers, the same in float32 and float64, in every memory layout.

    Parameters
    ----------
    shape : tuple of int or strategy, optional
        Any of `shapes()` if not given.
    low, high : float, optional
        The entries lie between these two (included): the domain of your operation.
    avoid : sequence of float, optional
        Stay well away from these entries, where your operation has a kink or a pole.
    distinct : bool, optional
        No two entries are equal or close (for sort, max, median).
    dtype : dtype, optional
        Of the array.
    layouts : bool, optional
        Besides plain arrays give transposed, strided, reversed and read-only ones.

    Returns
    -------
    strategy of array

    Examples
    --------
    >>> from hypothesis import find
    >>> x = find(arrays((2, 2), low=0.5), lambda x: x.sum() > 4)
    >>> x.shape, bool(x.min() >= 0.5)
    ((2, 2), True)
    """
    if not isinstance(shape, tuple):
        shape = draw(shapes() if shape is None else shape)
    size = math.prod(shape)
    levels = _levels(low, high, avoid, size if distinct else 0)
    if distinct:
        if size > len(levels):
            raise ValueError(f"arrays: {size} distinct entries do not fit between {low} and {high}")
        spread = np.sort(levels)[np.linspace(0, len(levels) - 1, size).astype(int)]
        entries = spread[draw(st.permutations(range(size)))] if size else np.zeros(0)
    else:
        entries = levels[np.frombuffer(draw(st.binary(min_size=size, max_size=size)), np.uint8) % len(levels)]
    x = entries.reshape(shape).astype(dtype)
    return _laid_out(x, draw(st.sampled_from(_LAYOUTS))) if layouts else x


def _levels(low: float, high: float, avoid: Sequence[float], least: int) -> Any:
    """The numbers that entries are taken from, simplest first: about 64 binary fractions in [low, high]."""
    if not -np.inf < low <= high < np.inf:
        raise ValueError(f"arrays: low must not be above high, and both finite; got low={low}, high={high}")
    levels, step = np.array([low], float), 0.0
    if low < high:
        step = 2.0 ** math.floor(math.log2((high - low) / max(48, 2 * least)))
        levels = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
    for kink in avoid:
        levels = levels[np.abs(levels - kink) > 1.5 * step]
    if not levels.size:
        raise ValueError(f"arrays: nothing is left between {low} and {high} when {list(avoid)} are avoided")
    simple = np.abs(levels) + 4.0 * (levels % 1 != 0) + 0.5 * (levels < 0) + 1.5 * (levels == 0)
    return levels[np.argsort(simple, kind="stable")][:256]


def _laid_out(x: Any, layout: str) -> Any:
    """The same entries in another memory layout."""
    if layout == "fortran":
        return np.copy(x, order="F")
    if layout == "strided" and x.ndim:
        return np.repeat(x, 2, axis=-1)[..., ::2]
    if layout == "reversed" and x.ndim:
        return np.flip(np.ascontiguousarray(np.flip(x)))
    if layout == "readonly":
        x.flags.writeable = False
    return x


_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values
_WHOLE = (2, 3)  # what all arrays of a graph broadcast to


def _stretched(x: Any) -> Any:
    return _numpy.broadcast_to(x, _WHOLE)


# Operations of one and of two operands that keep numbers of moderate size moderate, and have no kinks
_ON_NUMBERS: dict[str, Callable[..., Any]] = {
    "negative": lambda x: -x,
    "sine": lambda x: _numpy.sin(x),
    "cosine": lambda x: _numpy.cos(x),
    "tanh": lambda x: _numpy.tanh(x),
    "arctan": lambda x: _numpy.arctan(x),
    "bell": lambda x: _numpy.exp(-(x**2)),
    "root": lambda x: _numpy.sqrt(1 + x * x) / 2,
    "logarithm": lambda x: _numpy.log(2 + _numpy.sin(x)),
    "sigmoid": lambda x: sigmoid(x),
    "softplus": lambda x: softplus(x) / 2,
    "average": lambda x, y: (x + y) / 2,
    "difference": lambda x, y: 0.5 * (x - y),
    "product": lambda x, y: x * y / 2,
    "quotient": lambda x, y: x / (2 + _numpy.cos(y)),
    "power": lambda x, y: (1.5 + _numpy.sin(x)) ** _numpy.tanh(y),
}
_ON_ARRAYS: dict[str, Callable[..., Any]] = {
    **_ON_NUMBERS,
    "column means": lambda x: _numpy.mean(x, axis=0, keepdims=True) if x.ndim else x,
    "row maxima, softly": lambda x: _numpy.log(_numpy.mean(_numpy.exp(_stretched(x)), axis=1, keepdims=True)),
    "transposed twice": lambda x: _numpy.swapaxes(_numpy.transpose(_stretched(x)), 0, 1),
    "entries, some twice": lambda x: _stretched(x)[:, [2, 0, 0]],
    "a row": lambda x: _stretched(x)[1],
    "matrix product": lambda x, y: _stretched(x) @ _numpy.transpose(_stretched(y)) @ _stretched(y) / 6,
    "joined": lambda x, y: _numpy.concatenate([_stretched(x), _stretched(y)])[1:3],
    "chosen": lambda x, y: _numpy.where([True, False, True], x, y),
}


@dataclass
class Graph:
    """A random function of several numbers or arrays, as a list of steps; its result is one number.

    Attributes
    ----------
    inputs : tuple of float or array
        Where to evaluate it: ``graph(*graph.inputs)``.
    steps : list of (str, tuple of int)
        The operation and the numbers of its operands: inputs first, then the results of earlier steps.
    """

    inputs: tuple[Any, ...]
    steps: list[tuple[str, tuple[int, ...]]]

    def __call__(self, *inputs: Any) -> Any:
        """The mean of all entries of all results that no later step uses, for Values as for plain arrays."""
        known = list(inputs)
        used: set[int] = set()
        for operation, operands in self.steps:
            known.append(_ON_ARRAYS[operation](*(known[i] for i in operands)))
            used.update(operands)
        return sum(_numpy.mean(v) for i, v in enumerate(known) if i not in used)


@st.composite
def graphs(
    draw: st.DrawFn, *, min_operations: int = 1, max_operations: int = 40, scalars: bool = False
) -> Graph:
    """Random functions of up to three inputs, in which results are used again and again.

    Parameters
    ----------
    min_operations, max_operations : int, optional
        How many steps.
    scalars : bool, optional
        Python floats, and not arrays of shapes that broadcast.

    Returns
    -------
    strategy of Graph

    Examples
    --------
    >>> from hypothesis import find
    >>> graph = find(graphs(scalars=True), lambda graph: len(graph.steps) == 2)
    >>> graph
    Graph(inputs=(1.0,), steps=[('negative', (0,)), ('negative', (0,))])
    >>> float(graph(3.0))  # the mean of each of the two, added
    -6.0
    """
    operations = _ON_NUMBERS if scalars else _ON_ARRAYS
    inputs = []
    for _ in range(draw(st.integers(1, 3))):
        shape = () if scalars else draw(st.sampled_from([(), (3,), (1, 3), (2, 1), (2, 3)]))
        x = draw(arrays(shape))
        inputs.append(float(x) if scalars else x)
    steps: list[tuple[str, tuple[int, ...]]] = []
    for _ in range(draw(st.integers(min_operations, max_operations))):
        operation = draw(st.sampled_from(list(operations)))
        count = operations[operation].__code__.co_argcount
        last = len(inputs) + len(steps) - 1
        steps.append((operation, tuple(draw(st.integers(0, last)) for _ in range(count))))
    return Graph(tuple(inputs), steps)
