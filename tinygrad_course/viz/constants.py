"""The constants of a graph: which are drawn, which uses are one box, and what they are called.

Arrays are told apart by identity.  A plain number has none, so every use of it is a box of its own; only
beside the numbered weights of neurons (``w.0``, ``w.1``) it is known to be one input of the layer, x1 or x2.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np

from ..derivatives import Row
from ..insight.edges import argument_name
from .labels import as_numpy
from .nodes import Graph, Node, is_differentiable

_PLACE = re.compile(r"(\.?)(\d+)$")


def is_plain_number(operand: Any) -> bool:
    """Whether an operand is a single plain number; a bool is a setting."""
    single = isinstance(operand, (int, float, np.number)) or (
        hasattr(operand, "dtype") and not np.ndim(operand)
    )
    return single and not isinstance(operand, (bool, np.bool_)) and as_numpy(operand).dtype.kind in "iuf"


def is_drawn(row: Row, i: int, operand: Any) -> bool:
    """Whether a constant operand has a box: arrays, and numbers that are calculated with.

    The 0 that Python's `sum` starts from and an exponent stand in the operation's label.
    """
    if not is_plain_number(operand):
        return hasattr(operand, "dtype") and as_numpy(operand).dtype.kind in "iuf" and np.ndim(operand) > 0
    if not is_differentiable(row, i) or row.sequence:
        return False
    starts_a_sum = row.function is np.add and i == 0 and float(operand) == 0
    return not starts_a_sum and f"** {argument_name(row, i)}" not in row.formula


class Numbers:
    """The boxes of plain numbers so far."""

    def __init__(self) -> None:
        self._last: dict[Any, tuple[Node, set[Node]]] = {}

    def known(self, row: Row, i: int, number: float, beside: Node | None) -> Node | None:
        """The box of an earlier use, if this is the same input of another neuron."""
        node, users = self._last.get(self._key(row, i, number, beside), (None, set()))
        return node if node is not None and beside not in users else None

    def used(self, node: Node, row: Row, i: int, beside: Node | None) -> None:
        """Remember a use.  A weight takes each input once: where it comes again, another sample begins."""
        key = self._key(row, i, float(node.data), beside)
        if beside is not None and key is not None:
            last, users = self._last.get(key, (node, set()))
            self._last[key] = (node, (users if last is node else set()) | {beside})

    def _key(self, row: Row, i: int, number: float, beside: Node | None) -> Any:
        place = _place(beside)
        return None if place is None else (row, i, float(number), place)


def _place(weight: Node | None) -> str | None:
    """The number of an input, from the weight that it is multiplied with: ``w.0`` is x1, and ``w1`` is x1."""
    found = None if weight is None else _PLACE.search(weight.name)
    if found is None:
        return None
    return f"x{int(found[2]) + 1}" if found[1] else f"x{found[2]}"


def name_constants(graph: Graph, layered: bool) -> None:
    """Give constants without a name the name of what they are for.

    What meets the output of a network, behind its last parameter, is its target (a number only as the
    difference from the last layer itself: losses have numbers of their own); what a numbered weight is
    multiplied with is x1 or x2; others are called as the operation's rule calls them, or input.  Numbers that
    are none of these stay nameless.
    """
    learned: set[Node] = set()  # depends on a parameter
    for node in graph.nodes:
        if node.kind == "parameter" or any(edge.source in learned for edge in node.inputs):
            learned.add(node)
    ahead: set[Node] = set()  # a parameter is still to come
    for node in reversed(graph.nodes):
        for edge in node.outputs:
            if edge.target in ahead or any(other.source.kind == "parameter" for other in edge.target.inputs):
                ahead.add(node)
    for node in graph.nodes:
        if node.operation or node.name or node.kind == "parameter" or not node.outputs:
            continue
        edge = node.outputs[0]
        beside = [other.source for other in edge.target.inputs if other is not edge]
        place = next((p for source in beside if source.kind == "parameter" and (p := _place(source))), None)
        outputs = [source for source in beside if source in learned and source.kind != "parameter"]
        if is_plain_number(node.data):
            is_difference = edge.target.row.function is np.subtract
            outputs = [source for source in outputs if is_difference and source.group is not None]
        argument = argument_name(edge.target.row, edge.operand)
        if layered and outputs and edge.target not in ahead and edge.target.group is None:
            node.name = "target"
        elif is_plain_number(node.data):
            node.name = place or ""
        else:
            node.name = argument if len(argument) > 1 and " " not in argument else "input"
    _number(graph)


def _number(graph: Graph) -> None:
    """Tell constants of one name apart: ``input``, ``input 2``."""
    met = Counter(node.name for node in graph.nodes if node.name and node.value is not None)
    for node in graph.nodes:
        if node.value is None and node.name and node.kind == "input":
            met[node.name] += 1
            if met[node.name] > 1:
                node.name = f"{node.name} {met[node.name]}"
