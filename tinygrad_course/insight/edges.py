"""One edge of a recorded graph: what its argument is called, the rule for it, and what comes back along it.

Everything that shows or explains backpropagation asks here: the ledger of a gradient, `blame`, the pictures
and the page that plays both passes.
"""

from __future__ import annotations

import linecache
from typing import Any, cast

from ..arraylike import Value
from ..derivatives import Row
from ..engine.backprop import backpropagate


def argument_name(row: Row, i: int) -> str:
    """What the row's rule calls operand `i`."""
    if row.rule_for_all is not None:
        return f"operand {i}"
    code = getattr(row.rules[i], "__code__", None) if i < len(row.rules) else None
    names = code.co_varnames[2 : code.co_argcount] if code is not None else ()
    return names[i] if i < len(names) else f"operand {i}"


def rule_text(row: Row, i: int) -> str:
    """The rule for operand `i` as it is written in the table; empty where its source is not at hand.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course.derivatives import TABLE
    >>> rule_text(TABLE[np.multiply], 0)
    'g * y'
    """
    rule = row.rule_for_all or (row.rules[i] if i < len(row.rules) else None)
    code = getattr(rule, "__code__", None)
    if code is None or code.co_name != "<lambda>":
        return ""
    places = [p for p in code.co_positions() if None not in p and p[3]]
    if not places:
        return ""
    first, last = min((p[0], p[2]) for p in places), max((p[1], p[3]) for p in places)
    lines = [linecache.getline(code.co_filename, n).encode() for n in range(first[0], last[0] + 1)]
    if not all(lines):
        return ""
    lines[-1] = lines[-1][: last[1]]
    lines[0] = lines[0][first[1] :]
    return " ".join(b" ".join(lines).decode(errors="replace").split())


def contribution(value: Value, i: int, gradient: Any) -> Any:
    """What operand `i` of the operation that made `value` is given when `gradient` has come to `value`.

    This is the very number that the backward pass adds into the operand's gradient: the table's rule, with
    broadcasting undone.

    Parameters
    ----------
    value : Value
        A result of an operation.
    i : int
        The number of the operand.
    gradient : float or array
        The gradient with respect to `value`, complete.

    Returns
    -------
    float or array
        Of the operand's shape and dtype.

    Raises
    ------
    ValueError
        If the operand is a constant.
    RuntimeError
        If the operand was updated in place since it was recorded.

    Examples
    --------
    >>> from tinygrad_course import Value
    >>> w, x = Value(2.0), Value(3.0)
    >>> contribution(w * x, 0, 1.0)
    3.0
    """
    parents = value.parents
    if parents is None or not parents or (parent := parents[i]) is None:
        raise ValueError(f"contribution: operand {i} is a constant, so no gradient comes to it")
    row = cast(Row, value.row)
    only = tuple(p if k == i else None for k, p in enumerate(parents))
    one_edge = Value.recorded(value.data, row, value.args, value.kwargs, only)
    return backpropagate(one_edge, gradient, inputs=[parent])[0]
