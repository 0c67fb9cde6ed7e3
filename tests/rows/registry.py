"""The register of cases, and the strategies that most of them are made of.  How to use it: see the package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygrad_course.derivatives import TABLE, Row
from tinygrad_course.testing import arrays, broadcastable, shapes

try:
    import torch
except ImportError:
    torch = None

__all__ = ["CASES", "Call", "Case", "arrays", "binary", "broadcastable", "call", "case", "fixed", "floats"]
__all__ += ["numbers", "shapes", "st", "torch", "unary"]


@dataclass
class Call:
    """The arguments of one call of an operation."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class fixed:
    """An argument that is never differentiated."""

    value: Any


@dataclass
class Case:
    """Calls of one operation of the table, and what to compare them with."""

    function: Callable[..., Any]
    calls: st.SearchStrategy[Call]
    reference: Callable[..., Any]
    torch: str | Callable[..., Any] | None
    edges: int
    view: Callable[[Any], Any]
    second: bool

    @property
    def row(self) -> Row:
        return TABLE[self.function]

    @property
    def name(self) -> str:
        module = getattr(self.function, "__module__", "") or ""
        return ("linalg." if "linalg" in module and module.startswith("numpy") else "") + self.row.name


CASES: list[Case] = []


def case(function, calls, *, torch=None, reference=None, edges=None, view=lambda out: out, second=True):
    """Register calls of `function`, which must have a row in the table."""
    row = TABLE[function]
    if reference is None:
        assert function is row.function, f"{row.name} is not NumPy's: give it a reference"
        reference = function
    if edges is None:
        edges = row.function.nin if row.elementwise else 0
    CASES.append(Case(function, calls, reference, torch, edges, view, second))


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
    """Calls with two arguments that broadcast; the domains of either (dicts) are that of both if not given."""
    shapes = draw(broadcastable(2))
    return Call(tuple(draw(numbers(s, **(d or domain))) for s, d in zip(shapes, (first, second))))
