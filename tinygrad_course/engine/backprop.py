"""The walk: backpropagation through a recorded graph, for every operation in the same few lines.

A recorded value knows its row of the table, the operands it was computed from, and which of them were
values (its parents).  The walk goes through the recorded values from the youngest to the oldest.  A value is
always younger than its parents, so when its turn comes, everything that used it has already been visited and
its gradient is complete: that is the topological sort, and it costs nothing.  At each value the walk calls
the row's rules, undoes broadcasting, and adds what comes out to the parents' gradients.

Nothing here is recursive, so a graph may be as deep as memory allows.
"""

from __future__ import annotations

import functools
import gc
import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..derivatives import Row, Rule, cast, result_at, total

PENDING: Any = object()
"""Stands in `.grad` while the walk has reached a value and no gradient has come back to it yet."""

# The C library hands large arrays back to the system when they go, and pages that are fresh again cost more
# than the arithmetic on them: a chain of four operations on a million numbers takes five times as long.  It
# learns what to keep from what is freed, so it is shown one array, as large as it learns from, never written.
np.empty(2**25 - 2**16, np.uint8)

ONE: Any = object()
"""In place of the second operand of a record: there is only one."""

MANY: Any = object()
"""In place of the second operand of a record: there are any number, and the first is a tuple of all."""

serial = operator.attrgetter("serial")


def backpropagate(
    root: Any, gradient: Any, *, inputs: Sequence[Any] | None = None, create_graph: bool = False
) -> list[Any]:
    """Carry `gradient` from `root` back through everything it was computed from.

    Parameters
    ----------
    root : Value
        Where to start.
    gradient : float, array or Value
        The gradient of the final result with respect to `root`, of its shape and dtype.
    inputs : sequence of Value, optional
        Without it, gradients are added into the leaves' `.grad` and set on the values between.  With it, the
        walk stops at these values, returns their gradients, and leaves every `.grad` as it was.
    create_graph : bool
        Hand Values to the rules, so that the gradients are recorded and can be differentiated again.

    Returns
    -------
    list
        The gradients of `inputs`; None for one that `root` does not depend on.
    """
    oldest = min(map(serial, inputs)) if inputs else 0
    plain = inputs is None and not create_graph
    collecting = gc.isenabled()
    gc.disable()  # the walk makes no cycles, and the collector would search the whole graph again and again
    kept = [(v, v.grad) for v in inputs or ()]
    for v, _ in kept:
        v.grad = PENDING  # as if it had been reached: the walk does not go behind it
    order, before = _reached(root, oldest)
    before += kept
    finished = False
    try:
        if root.grad is PENDING:
            root.grad = gradient
        with np.errstate(divide="ignore", over="ignore", under="ignore", invalid="raise"):
            for node in order:
                if plain and type(node.primal) is float and _pull_floats(node):
                    continue
                if create_graph or node.y is MANY or node.kwargs or type(node.primal) is tuple:
                    _pull(node, oldest, create_graph)
                else:
                    _pull_two(node, oldest)
        finished = inputs is None
        return [None if v.grad is PENDING else v.grad for v, _ in kept]
    finally:
        if not finished:
            for node in order:
                node.grad = None
        for v, g in before:
            if not finished:
                v.grad = g
            elif v.row is None and g is not None:
                v.grad = summed(g, v.grad)
        if collecting:
            gc.enable()


def _reached(root: Any, oldest: int) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """The recorded values that `root` depends on, youngest first; and what stood in `.grad` before.

    The second has all leaves, and those of the others that had a gradient.
    """
    order: list[Any] = []
    before: list[tuple[Any, Any]] = []
    for node in itertools.chain([None], order):  # grows while we go through it
        parents: Any = (root,)
        if node is not None:
            parents = node.px if node.y is MANY else (node.px, node.py)
        for value in parents:
            if value is not None and value.grad is not PENDING and value.serial >= oldest:
                if value.row is None or value.grad is not None:
                    before.append((value, value.grad))
                if value.row is not None:
                    order.append(value)
                value.grad = PENDING
    order.sort(key=serial, reverse=True)
    return order, before


def _pull(node: Any, oldest: int, create_graph: bool) -> None:
    """Bring the gradient of `node` to its parents: local derivative times upstream gradient, for each."""
    g, out, row, args, kwargs = node.grad, node.primal, node.row, node.args, node.kwargs
    operands, parents, rules = row.operands(args), node.parents, row.rules
    if type(g) is tuple:  # of an operation with several results, not all of which were used
        g = tuple(np.zeros_like(o) if part is None else part for part, o in zip(g, out, strict=True))
    if create_graph:
        args = row.with_operands(args, list(map(_as_value, operands, parents)))
        out = tuple(result_at(node, i) for i in range(len(out))) if type(out) is tuple else node
        if "residuals" in kwargs:  # it has no record
            kwargs = {name: a for name, a in kwargs.items() if name != "residuals"}
    if row.rule_for_all is not None:
        rules = [functools.partial(row.rule_for_all, i) for i in range(len(operands))]
    for parent, rule, like in zip(parents, rules, operands):
        if parent is None or parent.serial < oldest:
            continue
        if parent.primal is not like:
            _check_unchanged(node, parent, like)
        try:
            c = rule(g, out, *args, **kwargs)
        except (ArithmeticError, ValueError):
            c = None
        a = getattr(c, "primal", c)
        if not (type(a) is np.ndarray is type(like) and a.dtype is like.dtype and a.shape == like.shape):
            c = _closer(c, like, row, rule, g, out, args, kwargs)
        if parent.grad is not PENDING:
            c = summed(parent.grad, c)
        elif parent.row is None and type(c) is np.ndarray and (c is g or c.base is not None):
            c = c.copy()  # two leaves never share the memory of a gradient
        parent.grad = c


def _pull_two(node: Any, oldest: int) -> None:
    """`_pull` for one or two operands: the same, written out for both, as this is where the time goes."""
    g, out, row, x, y = node.grad, node.primal, node.row, node.x, node.y
    rules = row.rules
    parent = node.px
    if parent is not None and parent.serial >= oldest:
        if parent.primal is not x:
            _check_unchanged(node, parent, x)
        try:
            c = rules[0](g, out, x) if y is ONE else rules[0](g, out, x, y)
        except (ArithmeticError, ValueError):
            c = None
        if not (type(c) is np.ndarray is type(x) and c.dtype is x.dtype and c.shape == x.shape):
            c = _closer(c, x, row, rules[0], g, out, node.args, node.kwargs)
        if parent.grad is not PENDING:
            c = summed(parent.grad, c)
        elif parent.row is None and type(c) is np.ndarray and (c is g or c.base is not None):
            c = c.copy()
        parent.grad = c
    parent = node.py
    if parent is not None and parent.serial >= oldest:
        if parent.primal is not y:
            _check_unchanged(node, parent, y)
        try:
            c = rules[1](g, out, x, y)
        except (ArithmeticError, ValueError):
            c = None
        if not (type(c) is np.ndarray is type(y) and c.dtype is y.dtype and c.shape == y.shape):
            c = _closer(c, y, row, rules[1], g, out, node.args, node.kwargs)
        if parent.grad is not PENDING:
            c = summed(parent.grad, c)
        elif parent.row is None and type(c) is np.ndarray and (c is g or c.base is not None):
            c = c.copy()
        parent.grad = c


def _pull_floats(node: Any) -> bool:
    """`_pull` for one or two Python floats: the same again, with no shapes to look at.

    Returns False, with nothing done, where a rule fails or gives no number: then `_pull_two` looks closer.
    """
    g, out, row, x, y, px, py = (
        node.grad, node.primal, node.row, node.x, node.y, node.px, node.py,
    )  # fmt: skip
    try:
        if node.kwargs or y is MANY:
            return False
        if y is ONE:
            cx, y, cy = row.rules[0](g, out, x), 0.0, 0.0
        else:
            cx = 0.0 if px is None else row.rules[0](g, out, x, y)
            cy = 0.0 if py is None else row.rules[1](g, out, x, y)
    except (ArithmeticError, ValueError, TypeError):
        return False
    if not (type(x) is type(y) is type(cx) is type(cy) is float and cx == cx and cy == cy):
        return False
    if px is not None:
        px.grad = cx if px.grad is PENDING else px.grad + cx
    if py is not None:
        py.grad = cy if py.grad is PENDING else py.grad + cy
    return True


def _closer(
    c: Any, like: Any, row: Row, rule: Rule, g: Any, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What a rule gave for the argument `like`, looked at more closely; None where it failed."""
    if c is None or type(c) is complex or (type(c) is float and c != c):  # Python's (-1.0) ** 0.5 is complex
        c = _careful(row, rule, g, out, args, kwargs)
    return _quiet(_fitted, c, like, row)


def _careful(row: Row, rule: Rule, g: Any, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a rule that failed on Python floats, or that met 0 / 0 or 0 · inf, once more as NumPy computes it.

    Where the incoming gradient is 0, so is what an elementwise operation passes on, however steep it is.
    """
    numbers = [np.float64(a) if type(a) is float else a for a in (g, out, *args)]
    try:
        return rule(*numbers, **kwargs)
    except FloatingPointError:
        with np.errstate(invalid="ignore"):
            c = rule(*numbers, **kwargs)
        return np.where(g == 0, 0.0, c) if row.elementwise else c


def _fitted(c: Any, like: Any, row: Row) -> Any:
    """A gradient in the shape and dtype of the argument it belongs to: broadcasting is undone here."""
    if type(like) is float or getattr(like, "is_float", False):
        return c if type(getattr(c, "primal", c)) is float else total(c)
    if type(like) is tuple:
        return tuple(None if part is None else _fitted(part, x, row) for part, x in zip(c, like, strict=True))
    if isinstance(c, (float, int, np.generic)):
        c = np.array(c)
    if c.shape != like.shape:
        extra = c.ndim - like.ndim
        shape = (1,) * extra + like.shape
        if extra < 0 or any(n not in (1, m) for n, m in zip(shape, c.shape)):
            raise ValueError(
                f"{row.name}: a rule gave a gradient of shape {c.shape} for an argument of {like.shape}; "
                "a rule returns the argument's shape, or one that it broadcasts to"
            )
        stretched = tuple(a for a, (n, m) in enumerate(zip(shape, c.shape)) if n == 1 != m)
        c = np.reshape(np.sum(c, axis=stretched, keepdims=True), like.shape)
    if c.dtype != like.dtype:
        c = cast(c, like.dtype)
    return c


def summed(a: Any, b: Any) -> Any:
    """The sum of two gradients; of an operation with several results they are tuples with None for zero."""
    if type(a) is tuple:
        return tuple(y if x is None else x if y is None else summed(x, y) for x, y in zip(a, b, strict=True))
    try:
        c = a + b
    except FloatingPointError:  # inf - inf
        c = _quiet(operator.add, a, b)
    return c if type(c) is np.ndarray or not isinstance(c, np.generic) else np.array(c)


def _quiet(function: Callable[..., Any], *args: Any) -> Any:
    """What `function` gives, also where it meets inf - inf: for a sum, nan is right."""
    try:
        return function(*args)
    except FloatingPointError:
        with np.errstate(invalid="ignore"):
            return function(*args)


def _as_value(recorded: Any, parent: Any) -> Any:
    """What a rule gets for an argument when its result is to be recorded: the Value, as it was then."""
    if parent is None or type(recorded) is tuple:
        return recorded
    if parent.primal is recorded:
        return parent
    then = np.positive(parent)
    then.primal = recorded
    return then


def _check_unchanged(node: Any, parent: Any, recorded: Any) -> None:
    """Raise if the array that was recorded has been written to since (a rebound `.data` is harmless)."""
    now = parent.primal
    if (
        isinstance(recorded, np.ndarray)
        and isinstance(now, np.ndarray)
        and np.may_share_memory(recorded, now)
    ):
        who = repr(parent.name) if parent.name else f"an argument of shape {recorded.shape}"
        raise RuntimeError(
            f"backward: {who} was updated in place after {node.row.name} recorded it, so its old data is "
            "gone; run the forward pass again before backward, or update with p.data = p.data - ..."
        )
