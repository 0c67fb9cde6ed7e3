"""One way of looking at a graph: which layers are open, and what is then seen as boxes and links.

A closed layer is one box.  An open one is a frame around what is in it.  The links between boxes are the
graph's edges; where a closed layer hides their ends, all that run between the same two boxes are one link.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from .labels import cut, gradient_text, plain, value_text, width
from .layers import chain, short_name
from .nodes import Edge, Graph, Group, Node

CELL = 6.7
"""The width of a character of the pictures' font, in pixels."""

LINE = 15
"""The height of a line of text."""


Picture = tuple[float, float]
"""How wide and how high the heat map of an array is, or the coloured mark of a number."""


@dataclass(slots=True, eq=False)
class Box:
    """A node, or a closed layer, as a rectangle of lines of text, as large as they need.

    In the page it also has room for a picture of its value, and one of the gradient beside it.
    """

    kind: str
    lines: list[str]
    within: Group | None = None
    node: Node | None = None
    group: Group | None = None
    picture: Picture = (0.0, 0.0)
    w: float = 0.0
    h: float = 0.0

    def __post_init__(self) -> None:
        least = 13.0 if len(self.lines) > 1 else 7.0  # a number without a name is small
        cells = max(least, *map(width, self.lines)) + 2 * (
            self.kind == "layer"
        )  # which has a sign to open it
        self.w = round(cells * CELL + 18 + 10 * (self.kind == "input"), 1)
        self.h = LINE * len(self.lines) + 10 + (self.picture[1] + 4 if self.picture[1] else 0)

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


Texts = dict[Node | Group, list[str]]
"""The lines of text in each node's box, and in the box of each group when it is closed."""


def view_of(
    graph: Graph, texts: Texts, closed: Container[Group] = (), pictures: Mapping[Node, Picture] | None = None
) -> View:
    """Look at `graph` with the groups in `closed` closed and all others open."""
    pictures = pictures or {}
    boxes: list[Box] = []
    seen_as: list[Box] = []  # for each node
    shut: dict[Group | None, Box | None] = {None: None}  # for each group: the box of what closes it off
    for group in graph.groups:
        shut[group] = shut[group.parent]
        if shut[group] is None and group in closed:
            shut[group] = Box("layer", texts[group], group.parent, group=group)
    met = set()
    for node in graph.nodes:
        box = shut[node.group]
        if box is None:
            box = Box(node.kind, texts[node], node.group, node, picture=pictures.get(node, (0.0, 0.0)))
        if box not in met:
            met.add(box)
            boxes.append(box)
        seen_as.append(box)
    links: dict[Any, Link] = {}
    for edge in graph.edges:
        source, target = seen_as[edge.source.id], seen_as[edge.target.id]
        if source is not target:
            one = edge if source.node and target.node else None
            links.setdefault((source, target, one), Link(source, target, [])).edges.append(edge)
    frames = [group for group in graph.groups if shut[group] is None]
    return View(boxes, frames, list(links.values()))


def texts_of(graph: Graph, titles: Mapping[Node, str] | None = None) -> Texts:
    """What is written in the boxes of a graph; with `titles`, every box shows what it is called."""
    texts: Texts = {node: _node_lines(node, label_of(node, titles)) for node in graph.nodes}
    inside: dict[Group, list[Node]] = {group: [] for group in graph.groups}
    for node in graph.nodes:
        for group in chain(node.group):
            inside[group].append(node)
    return texts | {group: _group_lines(group, nodes) for group, nodes in inside.items()}


def titles_of(graph: Graph) -> dict[Node, str]:
    """What each node is called in sentences: its name, or ``v7``; a number without a name is only itself."""
    roots = {
        root: f"result {i}" if len(graph.roots) > 1 else "result" for i, root in enumerate(graph.roots, 1)
    }
    return {
        node: plain(node.name) or ("" if node.is_bare else roots.get(node) or f"v{node.id}")
        for node in graph.nodes
    }


def label_of(node: Node, titles: Mapping[Node, str] | None) -> str:
    """What a node is called in its box: in full where that is short, else without the layer around it."""
    name = plain(node.name) if titles is None else titles[node]
    short = plain(short_name(node)) or name
    return name if titles is not None and len(name) <= 14 else short


def _node_lines(node: Node, label: str) -> list[str]:
    """Operation, name and value, gradient."""
    value = value_text(node.data)
    if node.is_bare:
        return [value]
    if not node.operation:
        title = cut(label) or node.kind
        return [title, value] if node.value is None else [title, value, gradient_text(node.gradient)]
    return [cut(node.operation), f"{cut(label, 16)} {value}".strip(), gradient_text(node.gradient)]


def _group_lines(group: Group, inside: list[Node]) -> list[str]:
    """The layer's name, and how much is in it."""
    operations = sum(bool(node.operation) for node in inside)
    entries = sum(node.value.size for node in inside if node.kind == "parameter" and node.value is not None)
    lines = [cut(plain(group.label))]
    lines += [_count(operations, "operation")] if operations else []
    lines += [_count(entries, "parameter")] if entries else []
    return lines


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"
