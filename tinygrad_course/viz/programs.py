"""A compiled program as a graph: its instructions in two frames, the forward and the backward pass."""

from __future__ import annotations

from ..program.compiled import Compiled
from ..program.source import Printer, is_view
from ..program.variables import Variable, expect
from .labels import cut
from .nodes import Edge, Graph, Group, Node
from .views import Texts


def program_graph(compiled: Compiled) -> tuple[Graph, Texts]:
    """The program that was made last, and what is written in its boxes: operation, name and shape.

    The names are those of `Compiled.source`.

    Raises
    ------
    RuntimeError
        If nothing was compiled yet.
    ValueError
        If the program is empty.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import Value, compile
    >>> w = Value([1.0, -2.0], name="w")
    >>> loss = compile(lambda x: (w * x).sum())
    >>> _ = loss(np.ones(2))
    >>> graph, texts = program_graph(loss)
    >>> [" ".join(texts[node]) for node in graph.nodes]
    ['x (2,)', 'w (2,)', 'g', 'multiply p (2,)', 'sum total', 'broadcast to d_p (2,)', 'multiply d_w (2,)']
    """
    parts = compiled.latest.parts
    printer = Printer(parts.names, gradient_of=parts.gradient_of)
    printer.lines([*parts.forward, *parts.backward])
    names = printer.names.given
    nodes: list[Node] = []
    edges: list[Edge] = []
    texts: Texts = {}
    made: dict[Variable, Node] = {}

    def add(variable: Variable, kind: str, operation: str = "", group: Group | None = None) -> Node:
        node = Node(len(nodes), kind, None, None, operation, names[variable], group)
        shape = str(variable.shape) if variable.shape else ""
        lines = [operation, f"{names[variable]} {shape}"] if operation else [names[variable], shape]
        texts[node] = [cut(line.strip()) for line in lines if line.strip()]
        nodes.append(node)
        made[variable] = node
        return node

    for variable in parts.inputs:
        add(variable, "parameter" if names[variable] in parts.targets else "input")
    for seed in parts.seeds:
        add(seed.variable, "input")
    groups = [Group(i, (label,), None, label) for i, label in enumerate(("forward", "backward"))]
    results = [out for out in parts.outs[: parts.results] if isinstance(out, Variable)]
    for group, instructions in zip(groups, (parts.forward, parts.backward)):
        texts[group] = [group.label]
        for instruction in instructions:
            out, function = instruction.out, instruction.function
            sources = [made[v] for v in instruction.reads if v in made]
            if function is expect or not sources:
                continue
            if is_view(instruction):
                made[out] = sources[0]  # seen where it is used, as in the source
                continue
            name = getattr(function, "__name__", "step").strip("_").replace("_", " ")
            node = add(out, "loss" if out in results else "operation", name, group)
            for i, source in enumerate(sources):
                edge = Edge(len(edges), source, node, i)
                edges.append(edge)
                source.outputs.append(edge)
                node.inputs.append(edge)
    if not nodes:
        raise ValueError("the program computes nothing from what it is given, so there is nothing to draw")
    used = [group for group in groups if any(node.group is group for node in nodes)]
    return Graph([nodes[-1]], nodes, edges, used), texts
