"""What the table knows of the functions that a program calls.

Its instructions call the functions of rows, what computes rows on Python floats, and Python's operators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
            _ROWS.update(dict.fromkeys((row.operator, row.scalar, row.function), row))
        _ROWS.pop(None, None)
    return _ROWS.get(function)
