"""Which layer each node belongs to, found from the names of the parameters.

``hidden.weight`` belongs to the layer ``hidden``, ``layers.0.neurons.1.b`` to ``layers.0`` and inside it to
``neurons.1``.  An operation belongs to the module that called it, where that is known; else to the layer
whose parameters it uses.  One that uses none belongs to the layer that all of its operands come from, if it
puts several together or keeps the shape: a sum over a layer's output, or a loss, stands apart.
"""

from __future__ import annotations

import re
from typing import Any

from .called import called_by
from .labels import shape
from .nodes import Group, Node

_PATH = re.compile(r"\w+(\.\w+)+")
_DEEPEST = 8  # layers within layers; what is deeper stays in the name
_STEP = re.compile(r"[^.]+(?:\.\d+)*(?=\.|$)")  # "layers.0.weight": layers.0, weight


Homes = dict[int, tuple[str, ...]]
"""For values by serial number: the path of the layer that they are in, or in a part of."""


def _classes(module: Any) -> dict[str, str]:
    return {} if module is None else {name: type(part).__name__ for name, part in module.named_modules()}


def find_layers(nodes: list[Node], module: Any = None, homes: Homes | None = None) -> list[Group]:
    """Set each node's group, and give all groups, parents before their children.

    A group never takes in an operation that depends on the group through something outside: such an operation
    opens the layer's next visit (a layer that is used twice), so that groups can be drawn from left to right.
    """
    classes = _classes(module)
    called = called_by(nodes, module)
    groups: dict[tuple[tuple[str, int], ...], Group] = {}
    visits: dict[tuple[str, ...], int] = {}
    left: list[int] = []  # for each node: the groups that it is behind, one bit each

    def opened(path: tuple[str, ...]) -> Group | None:
        group: Group | None = None
        key: tuple[tuple[str, int], ...] = ()
        for depth, step in enumerate(path, 1):
            visit = visits.get(path[:depth], 1)
            key = (*key, (step, visit))
            if key not in groups:
                kind = classes.get(".".join(path[:depth]))
                label = f"{step} {kind}" if kind else step
                label += f", use {visit}" if visit > 1 else ""
                groups[key] = Group(len(groups), path[:depth], group, label)
            group = groups[key]
        return group

    for node in nodes:
        sources = [edge.source for edge in node.inputs]
        if not node.operation:
            path = _path(node)
        elif called is not None:
            path = tuple(_STEP.findall(called.get(node, "")))[:_DEEPEST]
        else:
            path = _path_of_operation(node)
            home = (homes or {}).get(node.value.serial if node.value is not None else -1, path)
            path = path if path[: len(home)] == home and home else ()
        behind = 0
        for source in sources:
            behind |= left[source.id]
        for part in chain(opened(path)):
            if behind >> part.id & 1:  # the outermost that was left starts anew, and with it all inside
                visits[part.path] = visits.get(part.path, 1) + 1
                break
        node.group = opened(path)
        around = chain(node.group)
        for source in sources:
            for part in chain(source.group) if source.operation else ():
                if part not in around:
                    behind |= 1 << part.id
        left.append(behind)
    used = {part for node in nodes for part in chain(node.group)}
    found = [group for group in groups.values() if group in used]
    for i, group in enumerate(found):
        group.id = i
    return found


def chain(group: Group | None) -> list[Group]:
    """A group and those around it, the outermost first."""
    around = []
    while group is not None:
        around.append(group)
        group = group.parent
    return around[::-1]


def _path(node: Node) -> tuple[str, ...]:
    """The layers that a parameter's dotted name tells of: ``layers.0.weight`` is in ``layers.0``."""
    if node.kind != "parameter" or not _PATH.fullmatch(node.name):
        return ()
    return tuple(_STEP.findall(node.name)[:-1][:_DEEPEST])


def _path_of_operation(node: Node) -> tuple[str, ...]:
    """The layer of the parameters it uses; without any, the layer that all its operands come from."""
    used = [path for edge in node.inputs if (path := _path(edge.source))]
    if used:
        return _common(used)
    if len(node.inputs) == 1 and shape(node.data) != shape(node.inputs[0].source.data):
        return ()
    return _common([edge.source.group.path if edge.source.group else () for edge in node.inputs])


def _common(paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    shortest = min(paths, key=len)
    same = 0
    while same < len(shortest) and all(path[same] == shortest[same] for path in paths):
        same += 1
    return shortest[:same]


def short_name(node: Node) -> str:
    """A node's name without that of the layer it is drawn in."""
    layer = ".".join(node.group.path) + "." if node.group is not None else ""
    return node.name.removeprefix(layer)
