"""One way of looking at a graph: which layers are open, and what is then seen as boxes and links.

A closed layer is one box.  An open one is a frame around what is in it.  The links between boxes are the
graph's edges; where a closed layer hides their ends, all that run between the same two boxes are one link.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from .labels import cut, gradient_text, plain, value_text, width
from .layers import chain, short_name
from .nodes import Edge, Graph, Group, Node

CELL = 6.7
"""The width of a character of the pictures' font, in pixels."""

LINE = 15
"""The height of a line of text."""


@dataclass(slots=True, eq=False)
class Box:
    """A node, or a closed layer, as a rectangle of lines of text inside the frame of `within`."""

    kind: str
    lines: list[str]
    within: Group | None
    node: Node | None = None
    group: Group | None = None
    w: float = 0.0
    h: float = 0.0

    @property
    def key(self) -> str:
        """The id of its element in a picture: ``n3`` of node 3, ``g1`` of group 1."""
        return f"n{self.node.id}" if self.node is not None else f"g{self.group.id if self.group else ''}"


@dataclass(slots=True, eq=False)
class Link:
    """The edges from one box to another: a single one between two nodes."""

    source: Box
    target: Box
    edges: list[Edge]


@dataclass(slots=True, eq=False)
class View:
    """What is seen: boxes in the order of computation, frames (outer ones first), and links."""

    boxes: list[Box]
    frames: list[Group]
    links: list[Link]


def view_of(graph: Graph, closed: Container[Group] = ()) -> View:
    """Look at `graph` with the groups in `closed` closed and all others open."""
    boxes: list[Box] = []
    frames: dict[Group, None] = {}
    seen_as: list[Box] = []  # for each node
    of_group: dict[Group, Box] = {}
    for node in graph.nodes:
        around = chain(node.group)
        shut = next((i for i, group in enumerate(around) if group in closed), len(around))
        frames.update(dict.fromkeys(around[:shut]))
        within = around[shut - 1] if shut else None
        if shut == len(around):
            seen_as.append(node_box(node, within))
            boxes.append(seen_as[-1])
        else:
            group = around[shut]
            if group not in of_group:
                of_group[group] = Box("layer", [], within, group=group)
                boxes.append(of_group[group])
            seen_as.append(of_group[group])
    for group, box in of_group.items():
        _size(box, group_lines(graph, group))
    links: dict[tuple[Box, Box], Link] = {}
    for edge in graph.edges:
        source, target = seen_as[edge.source.id], seen_as[edge.target.id]
        if source.node and target.node:
            links[source, target, edge.operand] = Link(source, target, [edge])  # type: ignore[index]
        elif source is not target:
            links.setdefault((source, target), Link(source, target, [])).edges.append(edge)
    order = sorted(frames, key=lambda group: group.id)
    return View(boxes, order, list(links.values()))


def node_box(node: Node, within: Group | None = None) -> Box:
    """The box of one node, as large as its text needs."""
    box = Box(node.kind, [], within, node=node)
    _size(box, node_lines(node))
    return box


def node_lines(node: Node) -> list[str]:
    """What is written in a node: operation, name and value, gradient."""
    name = plain(short_name(node))
    value = value_text(node.data)
    if not node.operation:
        title = cut(name) or node.kind
        return [title, value] if node.value is None else [title, value, gradient_text(node.gradient)]
    return [cut(node.operation), f"{cut(name, 16)} {value}".strip(), gradient_text(node.gradient)]


def group_lines(graph: Graph, group: Group) -> list[str]:
    """What is written in a closed layer: its name, what is inside."""
    inside = [node for node in graph.nodes if group in chain(node.group)]
    operations = sum(bool(node.operation) for node in inside)
    parameters = [node for node in inside if node.kind == "parameter"]
    entries = sum(node.value.size for node in parameters if node.value is not None)
    parts = [_count(operations, "operation")] if operations else []
    parts += [f"{entries:,} parameter{'s' * (entries != 1)}"] if parameters else []
    return [cut(group.label), *parts]


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"


def _size(box: Box, lines: list[str]) -> None:
    box.lines = lines
    box.w = round(max(max(map(width, lines)) * CELL, 12 * CELL) + 18 + 10 * (box.kind == "input"), 1)
    box.h = LINE * len(lines) + 10
