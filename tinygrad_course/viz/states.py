"""Which layers are open in the page: the states of a graph that are laid out beforehand, and its levels.

A state is a set of open groups.  There is one for each level of detail and for each group opened by itself;
if there are few groups, one for every combination.  A graph with too many boxes side by side is first cut
into parts, so that it can be shown closed.
"""

from __future__ import annotations

import heapq
import itertools
import re

from ..insight.names import is_single
from .layers import chain
from .nodes import Graph, Group, Node

OPEN = 1000
"""A graph of more nodes is never shown with everything open."""

SIDE_BY_SIDE = 150
"""More boxes than that in one frame are gathered in parts of a hundred."""

MOST_STATES = 64
"""All combinations of open groups are laid out if there are no more than these."""

State = frozenset[Group]


def cut_into_parts(graph: Graph) -> None:
    """Gather what is too much for one frame in groups of their own, each a stretch of the computation."""
    for frame in [None, *graph.groups]:
        items = _in_order(graph, frame)
        while len(items) > SIDE_BY_SIDE:
            path = frame.path if frame is not None else ()
            parts: list[Node | Group] = []
            for start in range(0, len(items), 100):
                part = Group(0, path, frame, f"part {len(parts) + 1}")
                for item in items[start : start + 100]:
                    if isinstance(item, Node):
                        item.group = part
                    else:
                        item.parent = part
                parts.append(part)
            items = parts
    groups = {group for node in graph.nodes for group in chain(node.group)}
    first: dict[Group, int] = {}
    for node in graph.nodes:
        for group in chain(node.group):
            first.setdefault(group, node.id)
    graph.groups = sorted(groups, key=lambda group: (len(chain(group)), first[group]))
    for i, group in enumerate(graph.groups):
        group.id = i


def _in_order(graph: Graph, frame: Group | None) -> list[Node | Group]:
    """What is directly in `frame`, each after what it depends on; leaves just before they are used."""
    inside: list[Node | Group | None] = []
    for node in graph.nodes:
        around = chain(node.group)
        if frame is None:
            inside.append(around[0] if around else node)
        elif frame in around:
            depth = around.index(frame) + 1
            inside.append(around[depth] if depth < len(around) else node)
        else:
            inside.append(None)
    age: dict[Node | Group, float] = {}
    for node, item in zip(graph.nodes, inside):
        if item is not None:
            is_leaf = item is node and not node.operation and node.outputs
            age.setdefault(item, node.outputs[0].target.id - 0.5 if is_leaf else float(node.id))
    after: dict[Node | Group, set[Node | Group]] = {item: set() for item in age}
    waiting = dict.fromkeys(age, 0)
    for edge in graph.edges:
        source, target = inside[edge.source.id], inside[edge.target.id]
        if source is not None and target is not None and source is not target and target not in after[source]:
            after[source].add(target)
            waiting[target] += 1
    tie = itertools.count()
    ready = [(age[item], next(tie), item) for item in age if not waiting[item]]
    heapq.heapify(ready)
    order = []
    while ready:
        item = heapq.heappop(ready)[2]
        order.append(item)
        for target in after[item]:
            waiting[target] -= 1
            if not waiting[target]:
                heapq.heappush(ready, (age[target], next(tie), target))
    done = set(order)
    return order + [item for item in age if item not in done]  # layers that use each other


def levels_of(graph: Graph) -> list[tuple[str, State]]:
    """The levels of detail with their names, the coarsest first."""
    depths = [len(chain(group)) for group in graph.groups]
    levels = []
    for depth in range(max(depths, default=0)):
        closed = [group for group, d in zip(graph.groups, depths) if d == depth + 1]
        opened = frozenset(group for group, d in zip(graph.groups, depths) if d <= depth)
        levels.append((_level_name(closed, depth), opened))
    if not levels or len(graph.nodes) <= OPEN:
        name = "Values" if all(is_single(node.data) for node in graph.nodes) else "Tensors"
        levels.append((name, frozenset(graph.groups)))
    return levels


def _level_name(groups: list[Group], depth: int) -> str:
    """``neurons.0`` and ``neurons.1`` are "Neurons"; layers of many names are "Modules"."""
    stems = {re.sub(r"[. ]\d+$", "", group.label.split(",")[0].split(" ")[0]) for group in groups}
    stem = stems.pop() if len(stems) == 1 else ""
    if stem.isalpha() and len(groups) > 1:
        return (stem if stem.endswith("s") else stem + "s").capitalize()
    return ("Modules", "Parts")[depth] if depth < 2 else f"Parts {depth}"


def states_of(graph: Graph) -> list[State]:
    """All states to lay out: those of the levels first."""
    states = dict.fromkeys(state for _, state in levels_of(graph))
    inside: dict[Group | None, list[Group]] = {}
    for group in graph.groups:
        inside.setdefault(group.parent, []).append(group)
        states[frozenset(chain(group))] = None
    if _count(inside, None) <= MOST_STATES:
        states.update(dict.fromkeys(_combinations(inside, None)))
    if len(graph.nodes) > OPEN:
        states.pop(frozenset(graph.groups), None)
    return list(states)


def _count(inside: dict[Group | None, list[Group]], frame: Group | None) -> int:
    """How many states what is in `frame` can have."""
    count = 1
    for group in inside.get(frame, ()):
        count = min(count * (1 + _count(inside, group)), MOST_STATES + 1)
    return count


def _combinations(inside: dict[Group | None, list[Group]], frame: Group | None) -> list[State]:
    choices = [
        [frozenset[Group](), *(state | {group} for state in _combinations(inside, group))]
        for group in inside.get(frame, ())
    ]
    return [frozenset().union(*choice) for choice in itertools.product(*choices)]
