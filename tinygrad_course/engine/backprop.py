"""The walk: backpropagation through a recorded graph, for every operation in the same few lines.

A recorded value knows its row of the table, the arguments it was computed from, and which of them were
values (its parents).  The walk goes through the recorded values from the youngest to the oldest.  A value is
always younger than its parents, so when its turn comes, everything that used it has already been visited and
its gradient is complete: that is the topological sort, and it costs nothing.  At each value the walk calls
the row's rules, undoes broadcasting, and adds what comes out to the parents' gradients.

Until the pass is through, its gradients stand in a dictionary of its own, and it runs in a context of its
own; so whatever interrupts it leaves everything outside as it was.  Nothing here is recursive: a graph may be
as deep as memory allows.
"""

from __future__ import annotations

import contextlib
import threading
from contextvars import copy_context
from typing import Any

import numpy as np

from ..locks import alone
from .record import ancestors
from .table import Row, derivative
from .watch import bring_home, walking

_publishing = threading.RLock()  # one pass at a time adds to what stands in `.grad`


def backpropagate(root: Any, cotangent: Any, *, inputs: Any = None, create_graph: bool = False) -> list[Any]:
    """Carry `cotangent` from `root` back through everything it was computed from.

    Parameters
    ----------
    root : Value
        Where to start.
    cotangent : float, array or Value
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
    if inputs is None:
        values = nodes = ancestors([root])
    else:
        ends, oldest = set(inputs), min((v.serial for v in inputs), default=0)
        values = [v for v in ancestors([root], oldest, ends) if v.serial >= oldest]
        nodes = [v for v in values if v not in ends]
    gradients = dict.fromkeys(values)
    gradients[root] = cotangent
    copy_context().run(walk, Pass(nodes, gradients, create_graph))  # what a walk sets ends with its context
    bring_home(root.primal, gradients)
    if inputs is None:
        alone(_publishing, lambda: publish(gradients))
    return [gradients.get(v) for v in inputs or ()]


def walk(this: Pass) -> None:
    """Bring the gradient of every node to its parents, from the youngest node to the oldest."""
    walking.set(True)
    np.seterr(divide="ignore", over="ignore", under="ignore", invalid="raise")
    for node in this.nodes:
        if node.row is not None:
            this.pull(node)


class Pass:
    """One backward pass: the recorded values to go through, and the gradients that have come to them."""

    def __init__(self, nodes: list[Any], gradients: dict[Any, Any], create_graph: bool = False) -> None:
        self.nodes, self.gradients, self.create_graph = nodes, gradients, create_graph
        self.marks: dict[Any, Any] = {}

    def pull(self, node: Any) -> None:
        """Bring the gradient of `node` to its parents: local derivative times upstream gradient, for each."""
        g, out, row, args, kwargs = self.gradients[node], node.primal, node.row, node.args, node.kwargs
        operands, parents = row.operands(args), node.parents
        if type(g) is tuple:  # of an operation with several results, not all of which were used
            g = tuple(np.zeros_like(o) if part is None else part for part, o in zip(g, out, strict=True))
        if self.create_graph:
            args = row.with_operands(args, list(map(as_recorded, operands, parents)))
            out = tuple(node[i] for i in range(len(out))) if type(out) is tuple else node
            kwargs = {name: a for name, a in kwargs.items() if name != "residuals"}  # they have no record
        for i, (parent, operand) in enumerate(zip(parents, operands)):
            if parent is not None and parent in self.gradients:
                check_unchanged(node, parent, operand)
                try:
                    c = self.contribution(node, i, (g, out, *args), kwargs)
                except TypeError as error:
                    instead = "rules are called as rule(g, out, *args), and use NumPy's functions: np.cos"
                    raise TypeError(f"backward: rule {i} of {row.name} failed: {error}; {instead}") from error
                with np.errstate(invalid="ignore"):  # in a sum of inf and -inf, nan is right
                    self.give(parent, fitted(c, operand, row), g)

    def give(self, parent: Any, c: Any, g: Any) -> None:
        """Add the contribution `c`, which was made from the gradient `g`, to the gradient of `parent`."""
        before = self.gradients[parent]
        if before is not None:
            c = add(before, c)
        elif parent.row is None and type(c) is np.ndarray and (c is g or c.base is not None):
            c = c.copy()  # two leaves never share the memory of a gradient
        self.gradients[parent] = c

    def contribution(self, node: Any, i: int, given: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What rule `i` of `node` makes of (g, out, *args).

        A rule that fails on Python's floats, or meets 0 / 0 or 0 · inf, is called once more as NumPy computes
        it.  There a zero gradient that comes from a choice (where, clip, an index, a mask) absorbs an
        infinite slope; one that is a real factor does not, and nan is right.
        """
        rule = node.row.rule(i)
        with contextlib.suppress(ArithmeticError, ValueError):
            c = rule(*given, **kwargs)
            if type(c) is not complex and (type(c) is not float or c == c):
                return c
        given = tuple(np.float64(a) if type(a) is float else a for a in given)
        with contextlib.suppress(FloatingPointError):
            return rule(*given, **kwargs)
        with np.errstate(invalid="ignore"):
            c = rule(*given, **kwargs)
        return np.where(self.mark(node) == 0, 0.0, c) if node.row.elementwise else c

    def mark(self, node: Any) -> Any:
        """0 where the gradient of `node` is a zero that comes from a choice.

        nan is sent through the same rules, in a pass of its own: times any factor it stays nan, and only a
        choice makes it zero.
        """
        if not self.marks:
            self.marks = {**dict.fromkeys(self.gradients), self.nodes[0]: self.gradients[self.nodes[0]]}
            this = Pass(self.nodes, self.marks)
            this.marks = self.marks
            for v in [v for v in self.nodes if v.row is not None]:
                self.marks[v] = marked(self.marks[v], 1.0 if v.row.chooses else np.nan)
                this.pull(v)
        return self.marks[node]


def marked(g: Any, sign: float) -> Any:
    """`sign` in place of every entry of the gradient `g` that is not zero."""
    if g is None or type(g) is tuple:
        return g and tuple(marked(part, sign) for part in g)
    g = getattr(g, "primal", g)
    return np.where(g == 0, g, sign).astype(g.dtype) if hasattr(g, "dtype") else sign if g else 0.0


def publish(gradients: dict[Any, Any]) -> None:
    """Add gradients to the leaves' `.grad` and set them on the values between: all of them or none."""
    before = {v: v.grad for v in gradients if v.grad is not None}
    sums = {v: add(g, gradients[v]) for v, g in before.items() if v.row is None}
    try:
        for v, g in {**gradients, **sums}.items() if sums else gradients.items():
            v.grad = g
    except BaseException:
        for v in gradients:
            v.grad = before.get(v)
        raise


def fitted(c: Any, like: Any, row: Row) -> Any:
    """A gradient in the shape and dtype of the argument it belongs to: broadcasting is undone here."""
    if type(like) is tuple:
        return tuple(None if part is None else fitted(part, x, row) for part, x in zip(c, like, strict=True))
    if is_number(like):
        return c if is_number(getattr(c, "primal", c)) else total(c)
    if issubclass(type(c), (float, int, np.generic)):
        c = np.array(c)
    if c.shape != like.shape:
        extra = c.ndim - like.ndim
        shape = (1,) * extra + like.shape
        if extra < 0 or any(n not in (1, m) and m == m for n, m in zip(shape, c.shape)):  # nan: who knows
            said = f"{row.name}: a rule gave a gradient of shape {c.shape} for an argument of {like.shape}"
            raise ValueError(f"{said}; a rule returns the argument's shape, or one that it broadcasts to")
        stretched = tuple(a for a, (n, m) in enumerate(zip(shape, c.shape)) if n == 1 != m)
        c = np.squeeze(np.sum(c, axis=stretched, keepdims=True), tuple(range(extra)))
    return c if c.dtype == like.dtype else c.astype(like.dtype)


def is_number(data: Any) -> bool:
    """Whether `data` is a single Python number, or stands for one: it has no shape."""
    return type(data) is float or not (hasattr(data, "shape") or type(data) is tuple)


def add(a: Any, b: Any) -> Any:
    """The sum of two gradients; of an operation with several results they are tuples with None for zero."""
    if a is None or b is None:
        return b if a is None else a
    if type(a) is tuple:
        return tuple(map(add, a, b))
    return settled(a + b)


def settled(out: Any) -> Any:
    """A result as a Value holds it: NumPy's scalars become arrays without axes."""
    return np.array(out) if issubclass(type(out), np.generic) else out


def as_recorded(operand: Any, parent: Any) -> Any:
    """What a rule gets for an argument when its result is to be recorded: the Value, as it was then."""
    if parent is None or type(operand) is tuple:
        return operand
    then = parent if parent.primal is operand else np.positive(parent)
    then.primal = operand
    return then


def check_unchanged(node: Any, parent: Any, operand: Any) -> None:
    """Raise if the array that was recorded has been written to since (a rebound `.data` is harmless)."""
    now = parent.primal
    numpys = now is not operand and all(issubclass(type(x), np.ndarray) for x in (operand, now))
    if numpys and np.may_share_memory(operand, now):
        who = repr(parent.name) if parent.name else f"an argument of shape {operand.shape}"
        said = f"backward: {who} was updated in place after {node.row.name} recorded it: its old data is gone"
        raise RuntimeError(f"{said}; run the forward pass again, or update with p.data = p.data - ...")


def _total(x: Any) -> Any:
    """The sum of all entries as a Python float (of foreign data, without axes): how it reaches a scalar."""
    return float(np.sum(x)) if isinstance(x, (float, np.ndarray, np.generic)) else np.sum(x)


total = derivative(_total, lambda g, out, x: np.broadcast_to(g, np.shape(x)), formula="Σ x over all entries")
