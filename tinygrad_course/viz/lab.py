"""`lab`: the page of a network that is live, and opens with the circles and lines of the lecture."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import data
from ..arraylike import Value
from ..engine.value import no_grad
from ..nn.module import Module
from ..nn.stateless import functional_call
from ..program.export.graphs import GraphProgram, graph_program
from .events import frame_of
from .graph import graph_of
from .page import Extra, page_of
from .pictures import path_of
from .player import Page
from .task import Task, task_of
from .wiring import OTHER, Column, columns_of

MOST_POINTS, MOST_NEURONS = 1000, 64
"""So many points, and so many neurons beside one another, can still be seen."""

ALL = "all_points"
"""What the page calls the loss of all points."""

SCRIPTS = ("samples.js", "sweep.js", "network.js", "plane.js", "features.js", "lab.js")

SECTION = '<section id="network" aria-label="The network" hidden></section>'

SLIDES: dict[str, list[list[list[float]]]] = {
    "AND of the slide": [[[-30, 20, 20]]],
    "OR of the slide": [[[-10, 20, 20]]],
    "XOR of the slide's table": [[[-10, 20, 20], [-30, 20, 20]], [[-10, 20, -20]]],
    "XOR as the slide prints it": [[[-10, 20, 20], [-30, 20, 20]], [[-30, 20, -20]]],
}
"""The lecture's networks: of each layer the neurons, each with its bias and its weights."""


def lab(
    model: Module,
    x: ArrayLike,
    y: ArrayLike,
    loss: Callable[[Any, Any], Any],
    path: str | os.PathLike[str] | None = None,
) -> Page:
    """Make a page in which a network can be touched: neurons as circles, weights as lines, all of it live.

    Every number can be changed, and the network trains in the page.  With two inputs it shows the decision
    regions and the points, which can be dragged, added and removed, each neuron's half of the plane inside
    its circle, and the hidden space.

    Parameters
    ----------
    model : Module
        Made of `Linear` layers, one after the other, with anything between them that keeps the shape; or a
        `Neuron`, `Layer` or `MLP`, which the page computes as Linear layers, the same numbers to 1e-12.
    x : array of shape (n, features)
        The samples.
    y : array of shape (n,) or (n, outputs)
        Their targets, as `loss` takes them.
    loss : callable
        ``loss(model(x), y)`` gives one number, a sum or a mean over the samples.  For neurons, which see one
        sample at a time, ``loss(model(x[i]), y[i])`` does, and the page takes the mean.
    path : str or path, optional
        Where to write the page; without it, it is only returned (and shown, in a notebook).

    Returns
    -------
    Page
        With the text in `.html`.

    Raises
    ------
    TypeError
        If `model` is no Module, or `loss` cannot be called.
    ValueError
        If the network cannot be drawn so, `x` and `y` do not fit, there are more than 1,000 samples or 64
        neurons in a layer, or the loss is neither the sum nor the mean of the samples' losses.
    TraceError
        If the page cannot compute an operation of the network or the loss.

    Examples
    --------
    >>> from tinygrad_course import data, nn, viz
    >>> x, y = data.gates("xor")
    >>> model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Sigmoid(), nn.Linear(2, 1, rng=0))
    >>> page = viz.lab(model, x, y[:, None], nn.BCEWithLogitsLoss())
    >>> page.html.startswith("<!DOCTYPE html>")
    True
    """
    path = None if path is None else path_of("lab", model, path)
    task = task_of(model, x, y, loss)
    value, network = described(task)
    graph = graph_of(value, task.network)
    title = f"{type(model).__name__}, {network['title']}"
    extra = Extra(SCRIPTS, ("lab.css",), SECTION, {"network": network}, first="network", loss=ALL)
    page = Page(page_of(graph, [frame_of(graph)], title, module=task.network, extra=extra))
    if path is not None:
        page.save(path)
    return page


def described(task: Task) -> tuple[Value, dict[str, Any]]:
    """The loss of one sample, and what the page's script has to know of the network, ready for JSON."""
    sample, target = Value(task.x[:1], name="x"), task.target(0)
    result = task.network(sample)
    columns = columns_of(task.network, sample, result)
    sizes = [task.x.shape[1], *(column.sums.size for column in columns)]
    _check_sizes(len(task.x), sizes)
    value = task.loss_of(result, target)
    value.name = "loss"
    program = graph_program([value])
    names = {id(leaf): name for name, leaf in program.inputs.items()}
    if id(target) not in names:
        raise ValueError(
            f"lab: the loss does not use y as it is given, so points could not be moved; {OTHER}"
        )
    border, scale = task.border
    parameters = [program.values[p.serial] for p in task.network.parameters() if p.serial in program.values]
    given = {"name": "as given", "points": _short(task.x), "targets": _short(task.y.reshape(len(task.y), -1))}
    return value, {
        "title": "-".join(map(str, sizes)),
        "columns": [_column(column, program) for column in columns],
        "x": names[id(sample)],
        "y": names[id(target)],
        "arrays": {"x": program.arrays[names[id(sample)]], "y": program.arrays[names[id(target)]]},
        "loss": program.values[value.serial],
        "all": ALL,
        "mean": task.mean,
        "parameters": parameters,
        "gradient": {name: program.gradients[name] for name in parameters},
        "classes": task.classes,
        "border": border,
        "scale": scale,
        "sum": 0.0 if columns[-1].activation else border,
        "sets": [given, *_sets(task)],
        "weights": _slides(task, columns, program),
    }


def _check_sizes(samples: int, sizes: list[int]) -> None:
    if samples > MOST_POINTS:
        raise ValueError(
            f"lab: {samples:,} points are too many to see and to move; give it x[:{MOST_POINTS}] and "
            f"y[:{MOST_POINTS}]"
        )
    if max(sizes) > MOST_NEURONS:
        raise ValueError(
            f"lab: of a network {'-'.join(map(str, sizes))}, {max(sizes)} circles would stand above one "
            f"another, and more than {MOST_NEURONS} cannot be told apart; {OTHER}"
        )


def _column(column: Column, program: GraphProgram) -> dict[str, Any]:
    """A layer, in the names of the program."""
    size, inputs = column.weight.shape
    name = program.values
    return {
        "activation": column.activation,
        "size": size,
        "inputs": inputs,
        "weight": name[column.weight.serial],
        "bias": None if column.bias is None else name.get(column.bias.serial),
        "sums": name[column.sums.serial],
        "outputs": name[column.outputs.serial],
    }


def _short(array: Any) -> Any:
    """Numbers for JSON, in no more digits than they have."""
    digits = 9 if array.dtype == np.float32 else 17
    return [[float(f"{number:.{digits}g}") for number in row] for row in array.tolist()]


def _sets(task: Task) -> list[dict[str, Any]]:
    """The lecture's sets, for networks with two inputs and two classes."""
    if task.x.shape[1] != 2 or task.classes is None or len(task.classes) != 2:
        return []
    made: dict[str, Any] = {name.upper(): data.gates(name) for name in ("and", "or", "xor")}
    made |= {make.__name__: make(100) for make in (data.blobs, data.moons, data.circles, data.spirals)}
    return [
        {
            "name": name,
            "points": x.round(3).tolist(),
            "targets": [task.classes[int(label)] for label in labels],
        }
        for name, (x, labels) in made.items()
    ]


def _slides(task: Task, columns: list[Column], program: GraphProgram) -> list[dict[str, Any]]:
    """The lecture's networks of this shape, where its gate comes out; the slide's slip is shown beside it."""
    found: list[dict[str, Any]] = []
    if task.classes != [[0.0], [1.0]] or 2 * len(columns) != len(task.network.parameters()):
        return found
    shape = [column.weight.shape for column in columns]
    parameters = task.network.named_parameters()
    places = {id(p): name for name, p in parameters}
    for name, layers in SLIDES.items():
        if [(len(neurons), len(neurons[0]) - 1) for neurons in layers] != shape:
            continue
        x, truth = data.gates(name.split()[0].lower())
        values: dict[str, list[float]] = {}
        for column, neurons in zip(columns, layers):
            values[places[id(column.weight)]] = [w for _, *weights in neurons for w in weights]
            values[places[id(column.bias)]] = [bias for bias, *_ in neurons]
        state = {key: np.reshape(values[key], p.shape) for key, p in parameters}
        with no_grad():
            answer = (
                functional_call(task.network, state, x.astype(task.x.dtype)).numpy()[:, 0] > task.border[0]
            )
        if (answer == truth).all() or found:
            found.append(
                {"name": name, "values": {program.values[p.serial]: values[key] for key, p in parameters}}
            )
    return found
