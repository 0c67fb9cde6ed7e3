"""The graph behind a value, described once: its nodes, edges and layers.

Everything that shows or explains a recorded graph reads this description: DOT, SVG, the page that plays
backpropagation.  It is taken from the record and the table alone; no operation is listed here.
"""

from __future__ import annotations

import re
from typing import Any

from ..arraylike import Value
from ..derivatives import Row
from ..engine.record import ancestors
from ..trees import leaves
from .constants import Numbers, is_drawn, is_plain_number, name_constants
from .labels import brief, call_text
from .layers import Homes, find_layers
from .nodes import Edge, Graph, Node

_INPUT_NAME = re.compile(r"(x|y|input|target|image|label)s?_?[\d₀-₉]*(\.\d+)*")


Results = Value | tuple[Any, ...] | list[Any] | dict[Any, Any]
"""What a picture is drawn of: a Value, or any nesting of tuples, lists and dicts of Values."""


def graph_of(value: Results, module: Any = None, homes: Homes | None = None) -> Graph:
    """Read the graph that `value` was computed from out of its record.

    Parameters
    ----------
    value : Value, or tuple, list or dict of Values
        The result, usually a loss; or several results, which are drawn together.
    module : Module, optional
        Anything with `named_parameters()`; its parameters get their dotted names, and layers their classes.
    homes : dict, optional
        For values by serial number: the layers that they may be in, ``("0",)``, where that is known already.

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
    numbers = Numbers()

    def add(node: Node, key: Any = None) -> Node:
        nodes.append(node)
        if key is not None:
            known[id(key)] = node
        return node

    def constant(row: Row, i: int, operand: Any, beside: Node | None) -> Node:
        if is_plain_number(operand):
            node = numbers.known(row, i, operand, beside) or add(Node(len(nodes), "input", operand))
            numbers.used(node, row, i, beside)
            return node
        kind = "parameter" if id(operand) in frozen else "input"
        name = frozen.get(id(operand), "")
        return known.get(id(operand)) or add(Node(len(nodes), kind, operand, name=name), operand)

    for v in reversed(ancestors(results)):
        name = names.get(id(v), v.name or "")
        if v.row is None:
            kind = "input" if _is_input(v, name, names) else "parameter"
            add(Node(len(nodes), kind, v.data, v, name=name), v)
            continue
        parents = [None if parent is None else known[id(parent)] for parent in v.parents]
        beside = next((node for node in parents if node is not None and node.kind == "parameter"), None)
        sources = []
        for i, (operand, parent) in enumerate(zip(v.row.operands(v.args), parents)):
            if parent is not None:
                sources.append((i, parent))
            elif is_drawn(v.row, i, operand):
                sources.append((i, constant(v.row, i, operand, beside)))
        drawn = {i for i, _ in sources}
        node = add(Node(len(nodes), "operation", v.data, v, _call(v, drawn), name), v)
        for i, source in sources:
            edge = Edge(len(edges), source, node, i)
            edges.append(edge)
            source.outputs.append(edge)
            node.inputs.append(edge)
    roots = [known[id(v)] for v in results]
    for root in roots:
        if root.operation:
            root.kind = "loss"
    graph = Graph(roots, nodes, edges, find_layers(nodes, module, homes))
    layered = module is not None or bool(graph.groups)
    name_constants(graph, layered)
    if layered:  # a network's own numbers are in the way
        _leave_out(graph, [node for node in graph.nodes if node.is_bare])
    return graph


def _leave_out(graph: Graph, numbers: list[Node]) -> None:
    """Put these numbers back into the labels of the operations that use them."""
    gone = set(numbers)
    for edge in [edge for number in numbers for edge in number.outputs]:
        user = edge.target
        user.inputs.remove(edge)
        if user.value is not None:
            user.operation = _call(user.value, {other.operand for other in user.inputs})
    graph.nodes = [node for node in graph.nodes if node not in gone]
    graph.edges = [edge for edge in graph.edges if edge.source not in gone]
    for i, node in enumerate(graph.nodes):
        node.id = i
    for i, edge in enumerate(graph.edges):
        edge.id = i


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


def _call(v: Value, drawn: set[int]) -> str:
    assert v.row is not None
    operands = ["·" if i in drawn else brief(a) for i, a in enumerate(v.row.operands(v.args))]
    if v.row.sequence:  # one list of operands, then the rest
        return call_text(v.row.name, [*operands, *map(brief, v.args[1:])], v.kwargs)
    return call_text(v.row.name, operands, v.kwargs)
