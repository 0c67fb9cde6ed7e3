"""The graph behind a value, described once: its nodes, edges and layers.

Everything that shows or explains a recorded graph reads this description: DOT, SVG, the page that plays
backpropagation.  It is taken from the record and the table alone; no operation is listed here.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives import Row
from ..engine.record import ancestors
from ..insight.edges import argument_name
from ..trees import leaves
from .labels import brief, call_text
from .layers import find_layers
from .nodes import Edge, Graph, Node, is_differentiable

_INPUT_NAME = re.compile(r"(x|y|input|target|image|label)s?_?[\d₀-₉]*(\.\d+)*")


Results = Value | tuple[Any, ...] | list[Any] | dict[Any, Any]
"""What a picture is drawn of: a Value, or any nesting of tuples, lists and dicts of Values."""


def graph_of(value: Results, module: Any = None) -> Graph:
    """Read the graph that `value` was computed from out of its record.

    Parameters
    ----------
    value : Value, or tuple, list or dict of Values
        The result, usually a loss; or several results, which are drawn together.
    module : Module, optional
        Anything with `named_parameters()`; its parameters get their dotted names, and layers their classes.

    Returns
    -------
    Graph

    Raises
    ------
    TypeError
        If `value` is neither.
    ValueError
        If it is empty.

    Examples
    --------
    >>> from tinygrad_course import Value
    >>> w, x = Value(2.0, name="w"), Value(3.0, name="x")
    >>> [(node.kind, node.operation, node.name) for node in graph_of((w * x).tanh()).nodes]
    [('parameter', '', 'w'), ('input', '', 'x'), ('operation', 'multiply', ''), ('loss', 'tanh', '')]
    """
    results = results_of(value)
    named = [] if module is None else module.named_parameters()
    names = {id(p): name for name, p in named}
    frozen = {id(p.data): name for name, p in named if not p.requires_grad}  # constants to the record
    nodes: list[Node] = []
    edges: list[Edge] = []
    known: dict[int, Node] = {}  # by identity, of Values and of constant arrays alike

    def add(key: Any, node: Node) -> Node:
        nodes.append(node)
        known[id(key)] = node
        return node

    for v in reversed(ancestors(results)):
        name = names.get(id(v), v.name or "")
        if v.row is None:
            kind = "input" if _is_input(v, name, names) else "parameter"
            add(v, Node(len(nodes), kind, v.data, v, name=name))
            continue
        sources = []
        for i, (operand, parent) in enumerate(zip(v.row.operands(v.args), v.parents)):
            if parent is not None:
                sources.append((i, known[id(parent)]))
            elif _is_drawn(v.row, i, operand):
                name_of = frozen.get(id(operand)) or _constant_name(v.row, i)
                kind = "parameter" if id(operand) in frozen else "input"
                constant = known.get(id(operand)) or add(
                    operand, Node(len(nodes), kind, operand, name=name_of)
                )
                sources.append((i, constant))
        drawn = {i for i, _ in sources}
        node = add(v, Node(len(nodes), "operation", v.data, v, _call(v, drawn), name))
        for i, source in sources:
            edge = Edge(len(edges), source, node, i)
            edges.append(edge)
            source.outputs.append(edge)
            node.inputs.append(edge)
    roots = [known[id(v)] for v in results]
    for root in roots:
        if root.operation:
            root.kind = "loss"
    return Graph(roots, nodes, edges, find_layers(nodes, module))


def results_of(value: Any) -> list[Value]:
    """The Values whose graph is drawn, each once."""
    results = leaves(value)
    given = type(value).__name__
    if not results:
        raise ValueError(f"a picture is drawn of one Value or several, and this {given} is empty")
    for result in results:
        if not isinstance(result, Value):
            inside = "" if result is value else f" in the {given}"
            raise TypeError(
                "a picture is drawn of a Value, such as a loss, and this is "
                f"{type(result).__name__}{inside}; give the Value that the network returned, or several"
            )
    return list({id(result): result for result in results}.values())


def _is_input(v: Value, name: str, parameters: dict[int, str]) -> bool:
    """Without a module to ask, an input is told from a parameter by its name: x, x1, input, y, target."""
    if parameters:
        return id(v) not in parameters
    return not v.requires_grad or _INPUT_NAME.fullmatch(name.lower()) is not None


def _is_drawn(row: Row, i: int, operand: Any) -> bool:
    """Constant arrays are drawn if the operation has a derivative there; numbers stand in its label."""
    return is_differentiable(row, i) and hasattr(operand, "dtype") and np.size(operand) > 1


def _constant_name(row: Row, i: int) -> str:
    name = argument_name(row, i)
    return name if len(name) > 1 and " " not in name else "input"


def _call(v: Value, drawn: set[int]) -> str:
    assert v.row is not None
    operands = ["·" if i in drawn else brief(a) for i, a in enumerate(v.row.operands(v.args))]
    if v.row.sequence:  # one list of operands, then the rest
        return call_text(v.row.name, [*operands, *map(brief, v.args[1:])], v.kwargs)
    return call_text(v.row.name, operands, v.kwargs)
