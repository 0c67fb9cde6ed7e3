"""The words in which a graph is described: nodes, edges, and the groups (layers) that nodes belong to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives import Row
from ..insight.edges import argument_name


@dataclass(slots=True, eq=False)
class Group:
    """A layer (or a stretch of a long graph) that is drawn as one box, open or closed."""

    id: int
    path: tuple[str, ...]
    parent: Group | None
    label: str


@dataclass(slots=True, eq=False)
class Node:
    """A recorded value, or a constant array that an operation was given.

    `kind` is "input", "parameter", "operation" or "loss"; `value` is None for a constant; `operation` is
    empty for what was not computed.
    """

    id: int
    kind: str
    data: Any
    value: Value | None = None
    operation: str = ""
    name: str = ""
    group: Group | None = None
    inputs: list[Edge] = field(default_factory=list)
    outputs: list[Edge] = field(default_factory=list)

    @property
    def row(self) -> Row:
        """The operation's row of the table."""
        row = None if self.value is None else self.value.row
        if row is None:
            raise ValueError("an input or a parameter has no operation")
        return row

    @property
    def is_bare(self) -> bool:
        """Whether it is a plain number without a name, of which only the number is shown."""
        return self.value is None and not self.name and np.ndim(self.data) == 0

    @property
    def gradient(self) -> Any:
        """What `backward` left in `.grad`, as plain numbers."""
        grad = None if self.value is None else self.value.grad
        return grad.data if isinstance(grad, Value) else grad


@dataclass(slots=True, eq=False)
class Edge:
    """`source` is operand number `operand` of the operation that made `target`."""

    id: int
    source: Node
    target: Node
    operand: int

    @property
    def argument(self) -> str:
        """What the operation's rule calls this operand: ``x``, ``weight``."""
        return argument_name(self.target.row, self.operand)

    @property
    def carries_gradient(self) -> bool:
        """Whether the backward pass goes along this edge (not to constants)."""
        return self.source.value is not None


@dataclass(slots=True, eq=False)
class Graph:
    """Everything that the results `roots` were computed from, in the order of computation."""

    roots: list[Node]
    nodes: list[Node]
    edges: list[Edge]
    groups: list[Group]

    @property
    def root(self) -> Node:
        """The result, of several the first."""
        return self.roots[0]


def is_differentiable(row: Row, i: int) -> bool:
    """Whether the operation has a derivative with respect to its argument `i`."""
    return row.rule_for_all is not None or (i < len(row.rules) and callable(row.rules[i]))
