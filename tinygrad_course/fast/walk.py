"""The quick walk: the engine's `walk` with the cases that are nearly all written out.

An operation on Python floats needs no look at shapes, and arrays whose gradients have the right shape already
need nothing of what undoes broadcasting.  Everything else is `Pass.pull`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from sys import getrefcount
from typing import Any

import numpy as np

from ..arraylike import Value
from ..blocks import LEAST
from ..engine.backprop import Pass, add, as_recorded, check_unchanged, fitted
from ..engine.record import MANY, ONE
from ..engine.table import TABLE
from ..engine.watch import walking

NO_KEYWORDS: dict[str, Any] = {}
SUM = TABLE[np.add]
array = np.ndarray


def references(gradients: dict[Any, Any]) -> int:
    """What `getrefcount` says, asked as in `pull_arrays`, of a gradient that only the pass holds."""
    before = gradients[None]
    return getrefcount(before)


ALONE = references({None: np.empty(0)})
serial_of = operator.attrgetter("serial")


def ancestors(roots: Iterable[Any], since: int = 0, stop: Iterable[Any] = ()) -> list[Any]:
    """`engine.record.ancestors`, written out for one and two operands."""
    found = list(dict.fromkeys(roots))
    seen, ends = {None, *found}, set(stop)
    bounded = since > 0 or bool(ends)
    for value in found:  # grows while we go through it
        if bounded and (value.serial < since or value in ends):
            continue
        if value.y is MANY:
            new = set(value.px) - seen
            seen |= new
            found += new
            continue
        parent = value.px
        if parent not in seen:
            seen.add(parent)
            found.append(parent)
        parent = value.py
        if parent not in seen:
            seen.add(parent)
            found.append(parent)
    found.sort(key=serial_of, reverse=True)
    return found


def walk(this: Pass) -> None:
    """Bring the gradient of every node to its parents, from the youngest node to the oldest."""
    walking.set(True)
    np.seterr(divide="ignore", over="ignore", under="ignore", invalid="raise")
    gradients, recorded = this.gradients, this.create_graph
    inside = len(this.nodes) == len(gradients)  # no parent stands outside
    for node in this.nodes:
        row, out, y = node.row, node.primal, node.y
        if row is None:
            continue
        if recorded or y is MANY:
            pull(this, node)
            continue
        if type(out) is not float:
            if type(out) is tuple:
                pull(this, node)
            else:
                pull_arrays(this, gradients, node, row, out, y)
            continue
        # One or two Python floats: where a rule fails or gives no number, `Pass.pull` looks closer.
        g, x, px = gradients[node], node.x, node.px
        try:
            if y is ONE:
                c = row.rules[0](g, out, x)
                if type(c) is float is type(x) and c == c:
                    before = gradients[px]
                    gradients[px] = c if before is None else before + c
                else:
                    this.pull(node)
                continue
            py = node.py
            if row is SUM:  # half of what neurons do, and its rules give the gradient as it is
                c = d = g
            else:
                c = 0.0 if px is None else row.rules[0](g, out, x, y)
                d = 0.0 if py is None else row.rules[1](g, out, x, y)
        except (ArithmeticError, ValueError, TypeError, KeyError):
            this.pull(node)
            continue
        if not (type(c) is type(d) is float is type(x) is type(y) and c == c and d == d):
            this.pull(node)
            continue
        if px is not None and (inside or px in gradients):
            before = gradients[px]
            gradients[px] = c if before is None else before + c
        if py is not None and (inside or py in gradients):
            before = gradients[py]
            gradients[py] = d if before is None else before + d


def pull_arrays(this: Pass, gradients: dict[Any, Any], node: Any, row: Any, out: Any, y: Any) -> None:
    """`Pass.pull` for one or two operands of which some are arrays."""
    g, x = gradients[node], node.x
    i, parent, operand = 0, node.px, x
    while True:
        if parent in gradients:
            if parent.primal is not operand:
                check_unchanged(node, parent, operand)
            c, usual = None, False
            try:
                c = row.rules[i](g, out, x) if y is ONE else row.rules[i](g, out, x, y)
                if (
                    type(c) is array is type(operand)
                    and c.dtype is operand.dtype
                    and c.shape == operand.shape
                ):
                    before = gradients[parent]
                    if before is not None:
                        if before.nbytes >= LEAST and before.base is None and getrefcount(before) == ALONE:
                            with np.errstate(invalid="ignore"):
                                c = np.add(before, c, before)  # nobody else has it: in its own memory
                        else:
                            c = before + c  # where this fails, as inf - inf does, `c` is as the rule gave it
                    elif parent.row is None and (c is g or c.base is not None):
                        c = c.copy()
                    gradients[parent] = c if type(c) is array else np.array(c)
                    usual = True
            except (ArithmeticError, ValueError):
                pass
            except TypeError:
                this.pull(node)  # which says whose rule failed
                raise
            if not usual:
                closer(this, parent, operand, c, node, i, (g, out, *node.args), NO_KEYWORDS)
        if i or y is ONE:
            return
        i, parent, operand = 1, node.py, y


def pull(this: Pass, node: Any) -> None:
    """`Pass.pull` for any number of operands, and for gradients that are recorded."""
    gradients, row, out, x, y = this.gradients, node.row, node.primal, node.x, node.y
    g, (args, kwargs) = gradients[node], x if y is MANY else (node.args, NO_KEYWORDS)
    if type(g) is tuple or type(out) is tuple:
        this.pull(node)
        return
    operands, parents = row.operands(args), node.parents
    if this.create_graph:
        args, out = row.with_operands(args, list(map(as_recorded, operands, parents))), node
        if "residuals" in kwargs:
            kwargs = {name: a for name, a in kwargs.items() if name != "residuals"}
    for i, parent in enumerate(parents):
        if parent not in gradients:
            continue
        operand = operands[i]
        if parent.primal is not operand:
            check_unchanged(node, parent, operand)
        try:
            c = (row.rules[i] if row.rules else row.rule(i))(g, out, *args, **kwargs)
        except (ArithmeticError, ValueError):
            c = None
        except TypeError:
            this.pull(node)  # which says whose rule failed
            raise
        a = c.primal if type(c) is Value else c
        usual = type(a) is np.ndarray is type(operand) and a.dtype is operand.dtype
        if usual and a.shape == operand.shape and (a is not c or (c is not g and c.base is None)):
            before = gradients[parent]
            gradients[parent] = c if before is None else quietly(add, before, c)
        else:
            closer(this, parent, operand, c, node, i, (g, out, *args), kwargs)


def closer(
    this: Pass, parent: Any, operand: Any, c: Any, node: Any, i: int, given: Any, kwargs: dict[str, Any]
) -> None:
    """Give to its parent what rule `i` made of `given`; where it failed, `c` is None."""
    if c is None or type(c) is complex or (type(c) is float and c != c):
        c = this.contribution(node, i, given, kwargs)
    quietly(this.give, parent, quietly(fitted, c, operand, node.row), given[0])


def quietly(function: Callable[..., Any], *args: Any) -> Any:
    """What `function` gives, also where it meets inf - inf: for a sum, nan is right."""
    try:
        return function(*args)
    except FloatingPointError:
        with np.errstate(invalid="ignore"):
            return function(*args)
