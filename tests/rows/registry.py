"""The register of cases, and the strategies that most of them are made of (how to use it: the package)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygrad_course.derivatives import TABLE, Row
from tinygrad_course.testing import arrays, broadcastable, shapes

with contextlib.suppress(ImportError):
    from tinygrad_course.derivatives import scipy_distributions  # noqa: F401 (its rows are some of ROWS)

try:
    import torch
except ImportError:
    torch = None

__all__ = [
    "CASES",
    "ROWS",
    "Call",
    "Case",
    "along",
    "apart",
    "arrays",
    "axes",
    "binary",
    "broadcastable",
    "call",
]
__all__ += ["case", "fixed", "floats", "masked", "name_of", "numbers", "shapes", "st", "torch", "unary"]


@dataclass
class Call:
    """The arguments of one call of an operation."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class fixed:
    """An argument that is never differentiated."""

    value: Any


@dataclass(repr=False)
class Case:
    """Calls of one operation of the table, and what to compare them with."""

    function: Callable[..., Any]
    calls: st.SearchStrategy[Call]
    reference: Callable[..., Any]
    torch: str | Callable[..., Any] | None
    edges: int
    view: Callable[[Any], Any]
    before: Callable[..., tuple[Any, ...]]
    second: bool

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # how hypothesis shows it
        printer.text(f"<case {self.name}>")

    @property
    def row(self) -> Row:
        return TABLE[self.function]

    @property
    def name(self) -> str:
        return name_of(self.function)


ROWS = {  # without what tests and examples register for themselves
    f: row
    for f, row in TABLE.items()
    if not str(getattr(f, "__module__", "")).startswith(("test", "__main__"))
}
CASES: list[Case] = []


def name_of(function):
    """A short name, such as ``"linalg.outer"``."""
    linalg = (getattr(function, "__module__", None) or "").startswith("numpy.linalg")
    return ("linalg." if linalg else "") + TABLE[function].name


def case(
    function,
    calls,
    *,
    torch=None,
    reference=None,
    edges=None,
    view=lambda out: out,
    before=lambda *args: args,
    second=True,
):
    """Register calls of `function`, which must have a row in the table."""
    row = TABLE[function]
    if reference is None:
        numpys = isinstance(function, (np.ufunc, type(np.sum)))
        assert numpys, f"{row.name} is not NumPy's: give it a reference"
        reference = function
    if edges is None:
        edges = row.function.nin if isinstance(row.function, np.ufunc) and row.elementwise else 0
    CASES.append(Case(function, calls, reference, torch, edges, view, before, second))


def call(*args: Any, **kwargs: Any) -> st.SearchStrategy[Call]:
    """Calls with these arguments; each keyword is given or left out."""
    strategy = lambda x: x if isinstance(x, st.SearchStrategy) else st.just(x)
    keywords = st.fixed_dictionaries({}, optional={name: strategy(x) for name, x in kwargs.items()})
    return st.builds(Call, st.tuples(*map(strategy, args)), keywords)


def floats(low=-2.0, high=2.0, avoid=()):
    """Python floats, round ones, between `low` and `high`."""
    return arrays((), low=low, high=high, avoid=avoid, layouts=False).map(float)


def numbers(shape=None, **domain):
    """An argument of an elementwise operation: an array of `shape`, or now and then a Python float."""
    return st.one_of(arrays(shape, **domain), arrays(shape, **domain), floats(**domain))


def unary(**domain):
    """Calls with one argument; `domain` is `low`, `high`, `avoid` as in `arrays`."""
    return numbers(**domain).map(lambda x: Call((x,)))


@st.composite
def binary(draw, first=None, second=None, **domain):
    """Calls with two arguments that broadcast; `first` and `second` are domains (dicts) of one of them."""
    shapes = draw(broadcastable(2))
    return Call(tuple(draw(numbers(s, **(d or domain))) for s, d in zip(shapes, (first, second))))


def apart(x, k):
    """`x` moved to the multiples of 1/4 plus k/16: operands of different `k` never have close entries."""
    moved = x - x % 0.25 + k / 16
    return moved if type(x) is float else np.asarray(moved)


@st.composite
def axes(draw, ndim, several=True):
    """None, an axis, or a tuple of them, from the front or from the back."""
    kinds = [st.none()]
    if ndim:
        kinds.append(st.integers(-ndim, ndim - 1))
    if several:
        order = draw(st.permutations(range(ndim)))
        chosen = tuple(a - ndim if draw(st.booleans()) else a for a in order[: draw(st.integers(0, ndim))])
        kinds.append(st.just(chosen))
    return draw(st.one_of(kinds))


@st.composite
def along(draw, *, least=0, several=True, min_dims=0, keepdims=True, options=None, **domain):
    """Calls with one array and an `axis`, by position or by keyword, as reductions take them.

    `least` is the shortest axis, `options` further keywords (strategies), `domain` as in `arrays`.
    """
    x = draw(arrays(shapes(min_dims=min_dims, min_side=least), **domain))
    axis = draw(axes(x.ndim, several))
    kwargs = {name: draw(strategy) for name, strategy in (options or {}).items() if draw(st.booleans())}
    if keepdims and draw(st.booleans()):
        kwargs["keepdims"] = draw(st.booleans())
    if draw(st.booleans()):
        return Call((x, axis), kwargs)
    return Call((x,), kwargs if axis is None and draw(st.booleans()) else {"axis": axis, **kwargs})


@st.composite
def masked(draw, calls):
    """The same calls with `where=`, of the array's shape or of one that broadcasts to it."""
    call = draw(calls)
    shape = tuple(1 if draw(st.booleans()) else n for n in call.args[0].shape)
    where = np.asarray(draw(arrays(shape)) > -1)
    where[(0,) * where.ndim if where.size else ...] = True
    return Call(call.args, {**call.kwargs, "where": where})
