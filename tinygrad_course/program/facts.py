"""What the table knows of the functions that a program calls.

Its instructions call the functions of rows, what computes rows on Python floats, and Python's operators.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..derivatives import TABLE, Row

_ROWS: dict[Any, Row] = {}


def row_of(function: Callable[..., Any]) -> Row | None:
    """The row of a function that an instruction calls, None if it is no operation of the table.

    Examples
    --------
    >>> import math
    >>> row_of(math.exp)
    <row exp>
    """
    if function in TABLE:
        return TABLE[function]
    if function not in _ROWS:
        for row in TABLE.values():
            for known in (row.operator, row.scalar, row.function, inspect.unwrap(row.function)):
                _ROWS.setdefault(known, row)  # abs is np.absolute before it is np.fabs
        del _ROWS[None]
    return _ROWS.get(function)


def name_of(function: Callable[..., Any]) -> str:
    """What people call a function that an instruction calls.

    Examples
    --------
    >>> import operator
    >>> name_of(operator.add), name_of(sorted)
    ('add', 'sorted')
    """
    row = row_of(function)
    return row.name if row else getattr(function, "__name__", "a function").strip("_<>")


def parameters(row: Row) -> dict[str, Any]:
    """The names of an operation's arguments, as its rules have them, and their defaults.

    Examples
    --------
    >>> parameters(TABLE[np.multiply])
    {'x': <class 'inspect._empty'>, 'y': <class 'inspect._empty'>}
    >>> parameters(TABLE[np.cumsum])
    {'x': <class 'inspect._empty'>, 'axis': None, 'dtype': None, 'out_': None}
    """
    if isinstance(row.function, np.ufunc):
        return dict.fromkeys("xyz"[: row.function.nin], inspect.Parameter.empty)
    if row.rule_for_all is not None:
        function, before = row.rule_for_all, 3
    else:
        function, before = next(
            ((rule, 2) for rule in row.rules if callable(rule)), (row.composition or row.function, 0)
        )
    found = list(inspect.signature(function).parameters.values())[before:]
    named = [p for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return {p.name: None if p.default is np._NoValue else p.default for p in named}


def arguments(row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by the names of `parameters`, those that are not given with their defaults.

    Examples
    --------
    >>> arguments(TABLE[np.flip], ("an array",), {"axis": 0})
    {'x': 'an array', 'axis': 0}
    """
    known = parameters(row)
    return {**known, **dict(zip(known, args)), **kwargs}


def is_neutral(reduction: np.ufunc | None, initial: Any) -> bool:
    """Whether a reduction that starts with `initial` gives what it gives without.

    Examples
    --------
    >>> is_neutral(np.maximum, -np.inf), is_neutral(np.add, 1.0)
    (True, False)
    """
    if reduction is None or not isinstance(initial, (int, float)):
        return False
    return all(reduction(initial, x) == x for x in (-1e308, -2.0, 2.0, 1e308))
