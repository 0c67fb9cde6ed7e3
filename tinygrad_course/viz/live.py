"""What makes a page live: the graph as a program in JavaScript, and what its page must know of it.

Where a graph cannot be written as a program, the page says why and replays what was recorded.
"""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arraylike import Value
from ..program.export.graphs import GraphProgram, graph_program
from ..program.traced import TraceError
from .events import Frame
from .labels import as_numpy
from .nodes import Edge, Graph, Node
from .scalars import Apart

MOST_NODES = 3000
"""A graph of more nodes is replayed."""

MOST_BYTES = 4_000_000
"""So many bytes of numbers a live page holds at most."""

_DTYPES = {"Float64Array": "<f8", "Float32Array": "<f4", "Int32Array": "<i4", "Uint8Array": "<u1"}


class NotLive(Exception):
    """Why a page is a replay."""


@dataclass
class Part:
    """A graph's program, and what the page must know of it.

    `names` and `gradients` say for each node, `contributions` for each edge what it is called in the program.
    """

    script: str
    data: dict[str, Any]
    names: list[str | None]
    gradients: list[str | None]
    contributions: list[str | None]
    program: GraphProgram = field(repr=False)


def live_part(graph: Graph, titles: dict[Node, str], script_name: str, loss: str | None = None) -> Part:
    """Write a graph as a program.

    Parameters
    ----------
    titles : dict
        What each node is called in the page.
    script_name : str
        What the program is called in the page's script.
    loss : str, optional
        What the page shows as the loss and trains, if that is not the first result.

    Raises
    ------
    NotLive
        If it cannot be written; says why.
    """
    if len(graph.nodes) > MOST_NODES:
        raise NotLive(f"it has {len(graph.nodes):,} values, and up to {MOST_NODES:,} are computed in a page")
    if any(not _starts_from_one(root) for root in graph.roots):
        raise NotLive("its backward pass began from a gradient of its own, not from 1")
    values = [root.value for root in graph.roots if root.value is not None]
    numbers = {
        (edge.target.value.serial, edge.operand): edge.source.id
        for edge in graph.edges
        if edge.source.value is None and edge.target.value is not None
    }
    try:
        program = graph_program(values, numbers)
    except TraceError as error:
        raise NotLive(str(error).removeprefix("emit: ")) from error
    names = [_name(program, node) for node in graph.nodes]
    for node, name in zip(graph.nodes, names):
        if name is None and node.operation:
            raise NotLive(f"{titles[node]}, the result of {node.row.name}, has several parts")
    if sum(as_numpy(_data(leaf)).nbytes for leaf in program.inputs.values()) > MOST_BYTES:
        raise NotLive(f"it has more than {MOST_BYTES:,} bytes of parameters and inputs")
    of_name = {name: node for node, name in reversed(list(zip(graph.nodes, names))) if name is not None}
    learned = [n for n, leaf in program.inputs.items() if n in of_name and _is_learned(of_name[n], leaf)]
    root = names[graph.root.id]
    assert root is not None
    data = {
        "program": script_name,
        "inputs": {n: _input(leaf, program.arrays[n], of_name.get(n)) for n, leaf in program.inputs.items()},
        "shapes": {n: list(shape) for n, shape in program.shapes.items()},
        "gradients": program.gradients,
        "parameters": [n for n in learned if n in program.gradients],
        "titles": _told_apart({name: titles[node] for name, node in reversed(of_name.items())}),
        "loss": loss or root,
        "results": [loss] if loss else [names[root.id] for root in graph.roots],
    }
    gradients = [_gradient(program, node, name) for node, name in zip(graph.nodes, names)]
    contributions = [_contribution(program, edge) for edge in graph.edges]
    return Part(program.script(script_name), data, names, gradients, contributions, program)


def _told_apart(titles: dict[str, str]) -> dict[str, str]:
    """Titles of which each is given once: ``w`` and ``w (2)``."""
    met: Counter[str] = Counter()
    apart = {}
    for name, title in titles.items():
        met[title] += 1
        apart[name] = title if met[title] == 1 else f"{title} ({met[title]})"
    return apart


def _data(leaf: Any) -> Any:
    return leaf.data if isinstance(leaf, Value) else leaf


def _starts_from_one(root: Node) -> bool:
    used_further = bool(root.outputs)
    return root.gradient is None or used_further or bool(np.all(as_numpy(root.gradient) == 1))


def _is_learned(node: Node, leaf: Any) -> bool:
    return node.kind == "parameter" and isinstance(leaf, Value)


def _name(program: GraphProgram, node: Node) -> str | None:
    if node.value is not None:
        return program.values.get(node.value.serial)
    for edge in node.outputs:
        if edge.target.value is not None:
            return program.operands.get((edge.target.value.serial, edge.operand))
    return None


def _gradient(program: GraphProgram, node: Node, name: str | None) -> str | None:
    if node.value is not None:
        return program.gradient_names.get(node.value.serial)
    return program.gradients.get(name or "")


def _contribution(program: GraphProgram, edge: Edge) -> str | None:
    value = edge.target.value
    return None if value is None else program.contributions.get((value.serial, edge.operand))


def _input(leaf: Any, array: str, node: Node | None) -> dict[str, Any]:
    """An input as it was when the page was made."""
    return {"array": array, "data": encoded(_data(leaf), array), "kind": node.kind if node else "number"}


def encoded(data: Any, array: str) -> float | str:
    """A number, or the bytes of the typed array of that class, as text."""
    if array == "number":
        number = float(as_numpy(data))
        return number if np.isfinite(number) else str(number)
    return base64.b64encode(as_numpy(data).astype(_DTYPES[array]).tobytes()).decode()


def lens_part(part: Part, apart: Apart, graph: Graph, titles: dict[Node, str], script_name: str) -> Part:
    """The program of a graph that was taken apart into numbers, with links to the entries of the first one's.

    A link is a name in the first program, an entry, and how far apart the samples' entries are.

    Raises
    ------
    NotLive
        If it cannot be written; says why.
    """
    lens = live_part(graph, titles, script_name)
    links = {}
    for name, leaf in lens.program.inputs.items():
        if isinstance(leaf, Value) and leaf.serial in apart.origins:
            node, entry = apart.origins[leaf.serial]
            stride = int(np.size(node.data)) // apart.samples if node in apart.by_sample else 0
            links[name] = [part.names[node.id], entry, stride]
    fixed = any(as_numpy(node.data).dtype.kind != "f" for node in apart.by_sample)  # classes: other entries
    lens.data |= {
        "links": links,
        "sample": apart.sample or 0,
        "samples": 1 if apart.sample is None or fixed else apart.samples,
    }
    return lens


def history(part: Part, graph: Graph, frames: list[Frame]) -> list[dict[str, Any]]:
    """The steps of a recorded run, with all that the program was computed from.

    Raises
    ------
    NotLive
        If an array is so large that the record has only a summary of it, or changes its shape.
    """
    leaves = [(node, name) for node, name in zip(graph.nodes, part.names) if name in part.data["inputs"]]
    steps = []
    for frame in frames:
        inputs = {}
        for node, name in leaves:
            kept, array = frame["data"][node.id], part.data["inputs"][name]["array"]
            if np.shape(node.data) != tuple(kept["shape"] if isinstance(kept, dict) else ()):
                raise NotLive("its arrays have other shapes in other steps")
            if isinstance(kept, dict) and len(kept.get("values", ())) < np.size(node.data):
                raise NotLive("a recorded run keeps only summaries of arrays as large as these")
            inputs[name] = encoded(np.array(kept["values"] if isinstance(kept, dict) else kept, float), array)
        steps.append({"inputs": inputs, "loss": frame["loss"], "label": frame["label"]})
    return steps


def loading_lines(graph: Graph, module: Any) -> str:
    """The Python lines that load the weights which the page gave."""
    if module is not None:
        change = [
            "state = model.state_dict()",
            "state.update((name, np.array(w, state[name].dtype)) for name, w in weights.items())",
            "model.load_state_dict(state)",
        ]
    else:
        names = [node.name for node in graph.nodes if node.kind == "parameter" and node.name.isidentifier()]
        change = [
            f"for v in [{', '.join(names)}]:",
            "    v.data = np.array(weights[v.name], v.dtype) if v.shape else weights[v.name]",
        ]
    read = ["import json", "import numpy as np", "", 'weights = json.load(open("weights.json"))']
    return "\n".join([*read, *change])
