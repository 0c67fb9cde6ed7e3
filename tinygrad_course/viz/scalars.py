"""The graph of arrays taken apart: the same computation recorded again, number by number.

Each array becomes an array of single Values, and each operation is computed on them: entry by entry if that
is what it does (found out by trying it on random numbers), and otherwise by the operation's own NumPy code,
which adds and multiplies the Values themselves.  What comes out is compared with what the operation gives for
plain numbers; where it differs or fails, the graph is not taken apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives import Row
from .graph import Results
from .labels import as_numpy
from .layers import Homes
from .nodes import Graph, Node

MOST = 1200
"""The largest graph of single numbers that is made."""

Objects = np.ndarray[Any, Any]


@dataclass
class Apart:
    """A graph recorded once more, number by number.

    `sample` is the one of `samples` that it was recorded for, None if it is of all together.  `origins` says
    of each leaf, by its serial number, which node it is an entry of and which entry: of the sample's own if
    that node has entries of every sample (`by_sample`).  `homes` says in which layer values may be drawn.
    """

    results: Results = ()
    sample: int | None = None
    samples: int = 1
    origins: dict[int, tuple[Node, int]] = field(default_factory=dict)
    homes: Homes = field(default_factory=dict)
    by_sample: set[Node] = field(default_factory=set)

    @property
    def note(self) -> str:
        """Which sample it is of."""
        return "" if self.sample is None else f"sample {self.sample + 1} of {self.samples}"


def scalar_record(graph: Graph) -> Apart | None:
    """The same graph, recorded number by number.

    A graph over several samples is taken apart for one of them only, if that is possible.  None if the
    graph is of single numbers already, too large, or has an operation that cannot be taken apart.
    """
    parts = [node.data if isinstance(node.data, tuple) else (node.data,) for node in graph.nodes]
    if not 1 < max(sum(map(np.size, data)) for data in parts) <= MOST:
        return None
    inputs = [as_numpy(node.data) for node in graph.nodes if node.kind == "input" and np.ndim(node.data)]
    samples = {len(data) for data in inputs}
    if len(samples) == 1 and samples != {1}:
        zeros = np.sum([np.sum(data.reshape(len(data), -1) == 0, axis=1) for data in inputs[:1]], axis=0)
        one = int(np.argmin(zeros))  # zeros would hide what is multiplied
        if _record(graph, apart := Apart(sample=one, samples=len(zeros))):
            return apart
    return apart if _record(graph, apart := Apart()) else None


def _record(graph: Graph, apart: Apart) -> bool:
    """Record the graph anew on single Values, of one sample of the inputs or of all; False if that fails."""
    values: dict[int, Any] = {}  # node id: its Values
    numbers: dict[int, Any] = {}  # node id: the same as plain numbers
    of_sample = set()  # what depends on the inputs
    first = Value(0.0).serial
    try:
        for node in graph.nodes:
            start = Value(0.0).serial
            if node.operation:
                values[node.id] = _computed(node, values, numbers)
                if apart.sample is not None and any(edge.source.id in of_sample for edge in node.inputs):
                    of_sample.add(node.id)
                    _check_sample(node, numbers[node.id], apart.sample)
            else:
                data = as_numpy(node.data)
                if apart.sample is not None and node.kind == "input" and data.ndim:
                    data = data[apart.sample : apart.sample + 1]
                    of_sample.add(node.id)
                    apart.by_sample.add(node)
                values[node.id] = _leaves(node, data, apart)
                numbers[node.id] = data.astype(float) if data.dtype.kind == "f" else data
            end = Value(0.0).serial
            home = node.group.path if node.group is not None else ()
            apart.homes.update(dict.fromkeys(range(start, end), home))
            if end - first > 4 * MOST:
                return False
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError):
        return False
    roots = [values[root.id] for root in graph.roots]
    roots = [root.item() if isinstance(root, np.ndarray) and root.size == 1 else root for root in roots]
    if not all(isinstance(root, Value) for root in roots):
        return False
    for root, node in zip(roots, graph.roots):
        if root.row is not None:
            root.name = f"sample's {node.name or 'loss'}" if apart.sample is not None else node.name
    apart.results = roots if len(roots) > 1 else roots[0]
    return True


def _check_sample(node: Node, numbers: Any, sample: int) -> None:
    """Raise unless each sample is computed by itself, along the first axis, until they are add up."""
    if np.ndim(node.data):
        recorded = as_numpy(node.data)[sample : sample + 1]
        same = np.shape(numbers) == recorded.shape
        if not same or not np.allclose(numbers, recorded, rtol=1e-3, atol=1e-5, equal_nan=True):
            raise ValueError(f"{node.operation} mixes samples")


def _leaves(node: Node, data: np.ndarray[Any, Any], apart: Apart) -> Any:
    """An array of leaves.  Whole numbers, such as class numbers, stay as they are."""
    if data.dtype.kind != "f":
        return data
    out = np.empty(data.shape, dtype=object)
    for entry, index in enumerate(np.ndindex(data.shape)):
        name = _entry_name(node, index[1:] if node in apart.by_sample else index)
        leaf = Value(float(data[index]), name=name)
        out[index] = leaf
        apart.origins[leaf.serial] = node, entry
    return out


def _entry_name(node: Node, index: tuple[int, ...]) -> str:
    """``hidden.weight`` at (2, 0) is ``hidden.neurons.2.weight.0``: the first axis is the neurons'."""
    layer, _, short = node.name.rpartition(".")
    places = [str(i) for i in index]
    if node.kind == "parameter" and node.group is not None and layer and len(index) <= 2 and index:
        return ".".join([layer, "neurons", places[0], short, *places[1:]])
    if node.kind == "input" and len(index) == 1 and np.shape(node.data)[-1] == 1:
        return node.name  # one target a sample
    return ".".join([node.name or node.kind, *places])


def _computed(node: Node, apart: dict[int, Any], numbers: dict[int, Any]) -> Any:
    """One operation on arrays of Values; raises where it cannot be taken apart."""
    row, value = node.row, node.value
    assert value is not None
    operands = list(row.operands(value.args))
    plain = list(operands)
    for edge in node.inputs:
        operands[edge.operand] = apart[edge.source.id]
        plain[edge.operand] = numbers[edge.source.id]
    args, plain_args = row.with_operands(value.args, operands), row.with_operands(value.args, plain)
    expected = row.function(*plain_args, **value.kwargs)
    numbers[node.id] = expected
    if _is_entry_by_entry(row, plain, value.kwargs):
        out: Any = _entry_by_entry(row, operands, value.kwargs)
    else:
        out = _on_objects(row, args, value.kwargs, np.shape(expected))
    if isinstance(expected, (list, tuple)):
        return out
    if isinstance(out, Value):
        out, entry = np.empty((), dtype=object), out
        out[()] = entry
    got = np.vectorize(lambda v: v.data if isinstance(v, Value) else float(v), otypes=[float])(out)
    if got.shape != np.shape(expected) or not np.allclose(got, expected, rtol=1e-6, equal_nan=True):
        raise ValueError(f"{row.name} on single numbers gives something else")
    return out


def _on_objects(row: Row, args: tuple[Any, ...], kwargs: dict[str, Any], shape: tuple[int, ...]) -> Any:
    """NumPy's own code on arrays of Values."""
    try:
        return row.function(*args, **kwargs)
    except TypeError:  # a mean that ends in one object is not finished by NumPy, but one in an array is
        return np.reshape(row.function(*args, **{**kwargs, "keepdims": True}), shape)


def _is_entry_by_entry(row: Row, plain: list[Any], kwargs: dict[str, Any]) -> bool:
    """Whether the operation works entry by entry, tried on random numbers of the same shapes."""
    if row.sequence:
        return False
    rng = np.random.default_rng(0)
    tried = [
        rng.uniform(0.1, 0.9, x.shape) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x
        for x in plain
    ]
    try:
        together = np.asarray(row.function(*tried, **kwargs))
        one_by_one = _entry_by_entry(row, tried, kwargs)
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError):
        return False
    return together.shape == one_by_one.shape and bool(
        np.allclose(together, one_by_one.astype(float), equal_nan=True)
    )


def _entry_by_entry(row: Row, operands: list[Any], kwargs: dict[str, Any]) -> Objects:
    """The operation on each entry by itself, recorded where entries are Values."""
    arrays = [x for x in operands if isinstance(x, np.ndarray)]
    shape = np.broadcast_shapes(*(x.shape for x in arrays))
    spread = [np.broadcast_to(x, shape) if isinstance(x, np.ndarray) else x for x in operands]
    out = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        entries = tuple(x[index] if isinstance(x, np.ndarray) else x for x in spread)
        if any(isinstance(entry, Value) for entry in entries):
            out[index] = Value.apply_row(row, entries, kwargs)
        else:
            out[index] = row.function(*entries, **kwargs)
    return out
