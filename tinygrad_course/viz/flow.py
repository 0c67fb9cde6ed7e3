"""What flows along an edge in the backward pass: the rule, as it is written in the table, and its numbers."""

from __future__ import annotations

import functools
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import backprop
from ..derivatives import Row
from ..value import Value
from .nodes import Edge, Graph


def rule_text(row: Row, i: int) -> str:
    """The rule for operand `i` as it is written in the table; empty where its source is not at hand.

    Examples
    --------
    >>> from tinygrad_course.derivatives import TABLE
    >>> rule_text(TABLE[np.multiply], 0)
    'g * y'
    """
    rule = row.each or (row.rules[i] if i < len(row.rules) else None)
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
    row, out, args = value._row, value._data, value._args
    if row is None or value._parents is None or value._parents[i] is None:
        raise ValueError(f"contribution: operand {i} is a constant, so no gradient comes to it")
    if type(gradient) is tuple:  # of an operation with several results, not all of which were used
        gradient = tuple(np.zeros_like(o) if g is None else g for g, o in zip(gradient, out, strict=True))
    rule = row.rules[i] if row.each is None else functools.partial(row.each, i)
    assert rule is not None  # or nothing would have been recorded
    with np.errstate(divide="ignore", over="ignore", under="ignore", invalid="raise"):
        return backprop.contribution(
            value, value._parents[i], rule, row.operands(args)[i], gradient, out, args
        )


@dataclass(slots=True, eq=False)
class Step:
    """One edge of the backward pass: the gradient of its source was `before` and is `now`, the sum."""

    edge: Edge
    upstream: Any
    contribution: Any
    before: Any
    now: Any


def backward_steps(graph: Graph, gradient: Any) -> Iterator[Step]:
    """Walk back from `gradient` at the root, in the order and with the numbers of `backward`.

    No `.grad` is changed.  A value's gradient is complete when its turn comes to be the edge's target.
    """
    gradients: dict[int, Any] = {graph.root.id: gradient}
    for node in reversed(graph.nodes):
        upstream = gradients.get(node.id)
        for edge in node.inputs:
            if edge.carries_gradient and node.value is not None:
                c = contribution(node.value, edge.operand, upstream)
                before = gradients.get(edge.source.id)
                now = c if before is None else backprop._sum(before, c)
                gradients[edge.source.id] = now
                yield Step(edge, upstream, c, before, now)
