"""The backward pass, edge by edge, with its numbers: what the page plays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..engine import backprop
from ..insight.edges import contribution
from .nodes import Edge, Graph


@dataclass(slots=True, eq=False)
class Step:
    """One edge of the backward pass: the gradient of its source was `before` and is `now`, the sum."""

    edge: Edge
    upstream: Any
    contribution: Any
    before: Any
    now: Any


def backward_steps(graph: Graph, *seeds: Any) -> Iterator[Step]:
    """Walk back from a gradient at each root, in the order and with the numbers of `backward`.

    No `.grad` is changed.  A value's gradient is complete when its turn comes to be the edge's target.
    """
    gradients = {root.id: seed for root, seed in zip(graph.roots, seeds)}
    for node in reversed(graph.nodes):
        upstream = gradients.get(node.id)
        for edge in node.inputs:
            if edge.carries_gradient and node.value is not None:
                c = contribution(node.value, edge.operand, upstream)
                before = gradients.get(edge.source.id)
                now = c if before is None else backprop.add(before, c)
                gradients[edge.source.id] = now
                yield Step(edge, upstream, c, before, now)
