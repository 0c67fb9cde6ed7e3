"""A graph's forward and backward pass as a list of events, and the numbers that belong to them.

The events say what happens in which order: an operation is computed ("forward"), the gradient of the result
is set ("seed"), a gradient flows along an edge and is added ("backward"), all is "done".  They are the same
in every step of a training run; what differs from step to step is in a `Frame`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arraylike import Value
from ..insight.edges import contribution
from ..insight.names import is_single
from .flow import backward_steps
from .labels import as_numpy
from .nodes import Graph, Node

MOST_VALUES = 400
"""So many entries of an array are shown one by one."""

MOST_CELLS = 28
"""A heat map has at most so many rows and columns."""

Frame = dict[str, Any]
"""The numbers of one pass, ready for JSON: `data`, `grad`, `seeds`, `steps`, and the `loss`."""


def events_of(graph: Graph) -> list[tuple[str, int]]:
    """What happens, in order: ("forward", node), ("seed", node), ("backward", edge), ("done", node)."""
    events = [("forward", node.id) for node in graph.nodes if node.operation]
    events += [("seed", root.id) for root in graph.roots]
    for node in reversed(graph.nodes):
        events += [("backward", edge.id) for edge in node.inputs if edge.carries_gradient]
    return [*events, ("done", graph.root.id)]


def frame_of(graph: Graph) -> Frame:
    """The numbers of the graph's forward and backward pass.

    The gradient starts from the `.grad` of each result if there is one, and otherwise from 1; all others are
    computed anew, so that what was left in `.grad` by other passes does not matter.

    Raises
    ------
    ValueError
        If nothing was recorded.
    RuntimeError
        If an array was updated in place since it was recorded.
    """
    seeds = {root.id: _seed(root) for root in graph.roots}
    gradients = dict(seeds)
    steps: dict[int, Any] = {}
    for step in backward_steps(graph, *seeds.values()):
        target, source = step.edge.target, step.edge.source
        gradients[source.id] = step.now
        numbers = [_short(x) for x in (step.contribution, step.before, step.now)]
        local = None
        if is_single(step.contribution) and is_single(target.data) and target.value is not None:
            one = 1.0 if type(step.upstream) is float else np.ones_like(step.upstream)
            local = _number(contribution(target.value, step.edge.operand, one))
        steps[step.edge.id] = [local, *numbers]
    return {
        "loss": _number(graph.root.data) if is_single(graph.root.data) else None,
        "data": [_full(node.data) for node in graph.nodes],
        "grad": [_full(gradients.get(node.id)) for node in graph.nodes],
        "seeds": {id: _full(seed) for id, seed in seeds.items()},
        "steps": [steps.get(edge.id) for edge in graph.edges],
        "calls": [node.operation for node in graph.nodes],
        "differs": [node.id for node in graph.nodes if _accumulated(node.value, gradients.get(node.id))],
    }


def _seed(root: Node) -> Any:
    """The gradient that a result starts with; the `.grad` of one that was used further holds more."""
    if root.gradient is not None and not root.outputs:
        return root.gradient
    return 1.0 if type(root.data) is float else np.ones_like(root.data)


def _accumulated(value: Value | None, gradient: Any) -> bool:
    """Whether a leaf's `.grad` holds more than this pass: earlier ones were added, and not zeroed."""
    if value is None or value.row is not None or value.grad is None or gradient is None:
        return False
    kept = value.grad.data if isinstance(value.grad, Value) else value.grad
    return not np.allclose(as_numpy(kept), as_numpy(gradient), rtol=1e-4, atol=1e-9, equal_nan=True)


# Numbers for JSON
def _number(x: Any) -> float | str:
    """A float; what JSON has no word for is "nan", "inf" or "-inf"."""
    x = as_numpy(x)
    number = float(x) if x.dtype != np.float32 else float(f"{float(x):.9g}")
    return number if math.isfinite(number) else str(number)


def _short(x: Any) -> Any:
    """A number; of an array its shape, smallest, mean and largest entry and its norm; None for none."""
    if x is None:
        return None
    if isinstance(x, tuple):
        parts = [part for part in x if part is not None]
        return _short(parts[0]) if len(parts) == 1 else {"parts": [_short(part) for part in parts]}
    if is_single(x):
        return _number(x)
    array = as_numpy(x)
    summary: dict[str, Any] = {"shape": list(array.shape)}
    if array.size:
        with np.errstate(over="ignore", invalid="ignore"):
            for name, of in (("min", np.min), ("mean", np.mean), ("max", np.max)):
                summary[name] = _number(of(array))
            summary["norm"] = _number(np.sqrt(np.sum(np.square(array, dtype=float))))
    return summary


def _full(x: Any) -> Any:
    """As `_short`, and of an array the first entries and a heat map too."""
    summary = _short(x)
    if isinstance(summary, dict) and "min" in summary and not isinstance(x, tuple):
        array = as_numpy(x)
        summary["dtype"] = str(array.dtype)
        summary["values"] = [_number(entry) for entry in array.ravel()[:MOST_VALUES]]
        summary["heat"] = _heat(array)
    return summary


def _heat(array: np.ndarray[Any, Any]) -> list[list[int]]:
    """Rows of whole numbers from -100 to 100, relative to the largest; a large array's means over blocks."""
    rows = array.reshape(-1, array.shape[-1]).astype(float)
    rows = np.nan_to_num(rows, posinf=0.0, neginf=0.0)
    for axis in (0, 1):
        n = rows.shape[axis]
        if n > MOST_CELLS:
            edges = np.linspace(0, n, MOST_CELLS + 1).astype(int)
            counts = np.diff(edges).reshape((-1, 1) if axis == 0 else (1, -1))
            rows = np.add.reduceat(rows, edges[:-1], axis=axis) / counts
    largest = float(np.max(np.abs(rows)))
    return np.rint(rows * (100 / largest if largest else 0.0)).astype(int).tolist()
