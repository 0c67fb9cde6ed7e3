"""What each module of a network called: found by calling a copy of the network once more.

The record of a graph says which operation was computed from what, not on whose behalf.  So a copy of the
network is given the same input, and notes for each of its modules what is recorded while it is called; the
graph's operations are then recognised by their order and their parameters.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..arraylike import Value
from ..engine.record import ancestors
from ..trees import leaves
from .nodes import Node

Sign = tuple[str, tuple[str, ...]]
"""How an operation is recognised: its name, and the names of the parameters that it uses."""

Paths = dict[Node, str]
"""For each operation the dotted name of the innermost module that called it."""


def called_by(nodes: list[Node], module: Any) -> Paths | None:
    """Which module called each operation; None where the network cannot be called once more.

    A module without parameters that calls one operation only, such as ``Sigmoid``, is left out: its operation
    belongs to what is around it.
    """
    if module is None:
        return None
    operations = [node for node in nodes if node.operation]
    signs = [_sign(node) for node in operations]
    for given in _inputs(nodes):
        made = _made(module, given)
        found: Paths = {}
        for start in _occurrences(signs, [sign for sign, _ in made]):
            found |= {operations[start + k]: path for k, (_, path) in enumerate(made)}
        if found:
            return found
    return None


def _inputs(nodes: list[Node]) -> Iterator[Any]:
    """What the network may have been given: the first few inputs."""
    inputs = [node for node in nodes if node.kind == "input" and np.ndim(node.data)]
    for node in inputs[:3]:
        yield node.data if node.value is None else node.value


def _sign(node: Node) -> Sign:
    parameters = [edge.source.name for edge in node.inputs if edge.source.kind == "parameter"]
    return node.row.name, tuple(parameters)


def _made(module: Any, given: Any) -> list[tuple[Sign, str]]:
    """What a copy of the network records for an input, in order, each with the module that called it."""
    try:
        module = copy.deepcopy(module)
        calls: list[tuple[int, int, str]] = []
        for path, part in module.named_modules():
            _watch(part, path, calls)
        first = Value(0.0).serial
        results = [v for v in leaves(module(given)) if isinstance(v, Value)]
        names = {id(p): name for name, p in module.named_parameters()}
    except Exception:  # whatever a network of someone's own needs, it was not this
        return []
    made = []
    for v in sorted(ancestors(results), key=lambda v: v.serial):
        if v.row is not None and v.serial > first:
            around = [(end - start, path) for start, end, path in calls if start < v.serial < end]
            parameters = tuple(names[id(p)] for p in v.parents if id(p) in names)
            made.append(((v.row.name, parameters), min(around)[1] if around else ""))
    many = Counter(path for _, path in made)
    owners = {name.rpartition(".")[0] for name in names.values()}
    return [
        (sign, path if many[path] > 1 or _owns(path, owners) else path.rpartition(".")[0])
        for sign, path in made
    ]


def _owns(path: str, owners: set[str]) -> bool:
    """Whether the module at `path` has parameters, in it or in a part of it."""
    return any(owner == path or owner.startswith(f"{path}.") for owner in owners)


def _watch(part: Any, path: str, calls: list[tuple[int, int, str]]) -> None:
    """Note for every call of a module the serial numbers between which its values lie."""
    forward = part.forward

    def watched(*args: Any, **kwargs: Any) -> Any:
        start = Value(0.0).serial
        result = forward(*args, **kwargs)
        calls.append((start, Value(0.0).serial, path))
        return result

    part.forward = watched


def _occurrences(signs: list[Sign], wanted: list[Sign]) -> Iterator[int]:
    """Where a run of signs occurs in others, without overlap."""
    start = 0
    while wanted and start + len(wanted) <= len(signs):
        if signs[start : start + len(wanted)] == wanted:
            yield start
            start += len(wanted)
        else:
            start += 1
