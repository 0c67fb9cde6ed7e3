"""The quick walk: the engine's `walk` with the cases that are nearly all written out.

An operation on Python floats needs no look at shapes, and one or two arrays whose gradients have the right
shape already need none of what undoes broadcasting.  Everything else is `Pass.pull`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.backprop import Pass, add, check_unchanged, fitted
from ..engine.record import MANY, ONE
from ..engine.watch import walking


def walk(this: Pass) -> None:
    """Bring the gradient of every node to its parents, from the youngest node to the oldest."""
    walking.set(True)
    np.seterr(divide="ignore", over="ignore", under="ignore", invalid="raise")
    gradients = this.gradients
    for node in this.nodes:
        y = node.y
        if y is MANY or this.create_graph or type(node.primal) is tuple:
            this.pull(node)
        elif type(node.primal) is not float:
            pull_arrays(this, node)
        elif not pull_floats(gradients, node, y):
            this.pull(node)


def pull_floats(gradients: dict[Any, Any], node: Any, y: Any) -> bool:
    """`Pass.pull` for one or two Python floats.

    Returns False, with nothing done, where a rule fails or gives no number: then `Pass.pull` looks closer.
    """
    g, x, px, py, rules = gradients[node], node.x, node.px, node.py, node.row.rules
    try:
        if y is ONE:
            cx, cy, y = rules[0](g, node.primal, x), 0.0, 0.0
        else:
            cx = 0.0 if px is None else rules[0](g, node.primal, x, y)
            cy = 0.0 if py is None else rules[1](g, node.primal, x, y)
    except (ArithmeticError, ValueError, TypeError):
        return False
    if not (type(x) is type(y) is type(cx) is type(cy) is float and cx == cx and cy == cy):
        return False
    if px is not None and px in gradients:
        before = gradients[px]
        gradients[px] = cx if before is None else before + cx
    if py is not None and py in gradients:
        before = gradients[py]
        gradients[py] = cy if before is None else before + cy
    return True


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
        if not (type(c) is np.ndarray is type(x) and c.dtype is x.dtype and c.shape == x.shape):
            c = closer(this, c, x, node, 0, g)
        before = gradients[parent]
        if before is not None:
            gradients[parent] = quick_sum(before, c)
        elif parent.row is None and type(c) is np.ndarray and (c is g or c.base is not None):
            gradients[parent] = c.copy()
        else:
            gradients[parent] = c
    parent = node.py
    if parent is not None and parent in gradients:
        if parent.primal is not y:
            check_unchanged(node, parent, y)
        try:
            c = row.rules[1](g, out, x, y)
        except (ArithmeticError, ValueError):
            c = None
        if not (type(c) is np.ndarray is type(y) and c.dtype is y.dtype and c.shape == y.shape):
            c = closer(this, c, y, node, 1, g)
        before = gradients[parent]
        if before is not None:
            gradients[parent] = quick_sum(before, c)
        elif parent.row is None and type(c) is np.ndarray and (c is g or c.base is not None):
            gradients[parent] = c.copy()
        else:
            gradients[parent] = c


def quick_sum(a: Any, b: Any) -> Any:
    """`add` of two gradients that are arrays nearly always."""
    if type(a) is np.ndarray is type(b):
        try:
            c = a + b
            if type(c) is np.ndarray:
                return c
        except FloatingPointError:
            pass
    with np.errstate(invalid="ignore"):
        return add(a, b)


def closer(this: Pass, c: Any, operand: Any, node: Any, i: int, g: Any) -> Any:
    """What rule `i` gave, fitted to its operand; `c` is None where it failed, and it is called once more."""
    if c is None or type(c) is complex or (type(c) is float and c != c):
        c = this.contribution(node, i, (g, node.primal, *node.args), {})
    with np.errstate(invalid="ignore"):
        return fitted(c, operand, node.row)
