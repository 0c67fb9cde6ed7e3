"""The quick walk: the engine's `walk` with the cases that are nearly all written out.

An operation on Python floats needs no look at shapes, and one or two arrays whose gradients have the right
shape already need none of what undoes broadcasting.  Everything else is `Pass.pull`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..arraylike import Value
from ..engine.backprop import Pass, add, as_recorded, check_unchanged, fitted
from ..engine.record import MANY, ONE
from ..engine.watch import walking

serial_of = operator.attrgetter("serial")


def ancestors(roots: Iterable[Any], since: int = 0, stop: Iterable[Any] = ()) -> list[Any]:
    """`engine.record.ancestors`, written out for one and two operands."""
    found = list(roots)
    seen, ends = set(found), set(stop)
    bounded = since > 0 or bool(ends)
    for value in found:  # grows while we go through it
        if bounded and (value.serial < since or value in ends):
            continue
        if value.y is MANY:
            for parent in value.px:
                if parent is not None and parent not in seen:
                    seen.add(parent)
                    found.append(parent)
            continue
        parent = value.px
        if parent is not None and parent not in seen:
            seen.add(parent)
            found.append(parent)
        parent = value.py
        if parent is not None and parent not in seen:
            seen.add(parent)
            found.append(parent)
    found.sort(key=serial_of, reverse=True)
    return found


def walk(this: Pass) -> None:
    """Bring the gradient of every node to its parents, from the youngest node to the oldest."""
    walking.set(True)
    np.seterr(divide="ignore", over="ignore", under="ignore", invalid="raise")
    gradients = this.gradients
    inside = len(this.nodes) == len(gradients)  # no parent stands outside
    if this.create_graph:
        for node in this.nodes:
            if node.row is not None:
                pull(this, node)
        return
    for node in this.nodes:
        row, out, y = node.row, node.primal, node.y
        if row is None:
            continue
        if type(out) is not float or y is MANY:
            if y is MANY or type(out) is tuple:
                pull(this, node)
            else:
                pull_arrays(this, node)
            continue
        # One or two Python floats: where a rule fails or gives no number, `pull` looks closer.
        g, x, px, py = gradients[node], node.x, node.px, node.py
        try:
            if y is ONE:
                c = row.rules[0](g, out, x)
                if not (type(c) is float is type(x) and c == c):
                    this.pull(node)
                else:
                    before = gradients[px]
                    gradients[px] = c if before is None else before + c
                continue
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


def pull(this: Pass, node: Any) -> None:
    """`Pass.pull` for any number of operands, and for gradients that are recorded."""
    g, row, kwargs = this.gradients[node], node.row, node.kwargs
    if type(g) is tuple or type(node.primal) is tuple:
        this.pull(node)
        return
    args, parents, out = node.args, node.parents, node.primal
    operands = row.operands(args)
    if this.create_graph:
        args, out = row.with_operands(args, list(map(as_recorded, operands, parents))), node
        if "residuals" in kwargs:
            kwargs = {name: a for name, a in kwargs.items() if name != "residuals"}
    for i, (parent, operand) in enumerate(zip(parents, operands)):
        if parent is None or parent not in this.gradients:
            continue
        if parent.primal is not operand:
            check_unchanged(node, parent, operand)
        try:
            rule = row.rules[i] if row.rule_for_all is None else row.rule(i)
            c = rule(g, out, *args, **kwargs)
        except (ArithmeticError, ValueError):
            c = None
        except TypeError:
            this.pull(node)  # which says whose rule failed
            raise
        a = c.primal if type(c) is Value else c
        if not (
            type(a) is type(operand)
            and (
                (type(a) is np.ndarray and a.dtype is operand.dtype and a.shape == operand.shape)
                or (type(a) is float and a == a)
            )
        ):
            if c is None or type(c) is complex or (type(c) is float and c != c):
                c = this.contribution(node, i, (g, out, *args), kwargs)
            c = quietly(fitted, c, operand, row)
        give(this.gradients, parent, c, g)


def give(gradients: dict[Any, Any], parent: Any, c: Any, g: Any) -> None:
    """`Pass.give`, with a sum that needs no look at what it adds up."""
    before = gradients[parent]
    if before is not None:
        gradients[parent] = quick_sum(before, c)
    elif parent.row is None and type(c) is np.ndarray and (c is g or c.base is not None):
        gradients[parent] = c.copy()
    else:
        gradients[parent] = c


def pull_arrays(this: Pass, node: Any) -> None:
    """`Pass.pull` for one or two operands of which some are arrays."""
    gradients, out, row, x, y = this.gradients, node.primal, node.row, node.x, node.y
    g = gradients[node]
    parent = node.px
    if parent is not None and parent in gradients:
        if parent.primal is not x:
            check_unchanged(node, parent, x)
        try:
            c = row.rules[0](g, out, x) if y is ONE else row.rules[0](g, out, x, y)
        except (ArithmeticError, ValueError):
            c = None
        except TypeError:
            this.pull(node)  # which says whose rule failed
            raise
        if not (type(c) is np.ndarray is type(x) and c.dtype is x.dtype and c.shape == x.shape):
            c = closer(this, c, x, node, 0, g)
        give(gradients, parent, c, g)
    parent = node.py
    if parent is not None and parent in gradients:
        if parent.primal is not y:
            check_unchanged(node, parent, y)
        try:
            c = row.rules[1](g, out, x, y)
        except (ArithmeticError, ValueError):
            c = None
        except TypeError:
            this.pull(node)  # which says whose rule failed
            raise
        if not (type(c) is np.ndarray is type(y) and c.dtype is y.dtype and c.shape == y.shape):
            c = closer(this, c, y, node, 1, g)
        give(gradients, parent, c, g)


def quick_sum(a: Any, b: Any) -> Any:
    """`add` of two gradients that are arrays nearly always."""
    if type(a) is type(b) and type(a) is not tuple:
        try:
            c = a + b
            if type(c) is type(a):
                return c
        except FloatingPointError:
            pass  # inf - inf
    return quietly(add, a, b)


def closer(this: Pass, c: Any, operand: Any, node: Any, i: int, g: Any) -> Any:
    """What rule `i` gave, fitted to its operand; `c` is None where it failed, and it is called once more."""
    if c is None or type(c) is complex or (type(c) is float and c != c):
        c = this.contribution(node, i, (g, node.primal, *node.args), {})
    return quietly(fitted, c, operand, node.row)


def quietly(function: Callable[..., Any], *args: Any) -> Any:
    """What `function` gives, also where it meets inf - inf: for a sum, nan is right."""
    try:
        return function(*args)
    except FloatingPointError:
        with np.errstate(invalid="ignore"):
            return function(*args)
