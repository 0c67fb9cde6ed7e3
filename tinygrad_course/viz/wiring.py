"""Which neuron is fed by which others, through which weights: the circles and lines that the lecture draws.

It is read from the record of one sample's pass, so a network may be put together in any way, as long as its
Linear layers stand one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..arraylike import Value
from ..engine.record import ancestors
from ..nn.linear import Linear
from ..nn.module import Module

OTHER = "viz.player(loss, path) plays the graph of any network"


@dataclass(frozen=True, eq=False)
class Column:
    """A layer as it is drawn, its neurons above one another.

    Attributes
    ----------
    name : str
        What the network calls it.
    weight, bias : Value
        As in `Linear`; `bias` may be None.
    sums, outputs : Value of shape (1, neurons)
        The numbers before and after the activation.
    activation : str
        The names of the operations between them.
    """

    name: str
    weight: Value
    bias: Value | None
    sums: Value
    outputs: Value
    activation: str


def columns_of(model: Module, x: Value, result: Value) -> list[Column]:
    """The layers of a network, from its first to its last.

    Parameters
    ----------
    model : Module
        The network.
    x : Value of shape (1, features)
        One sample.
    result : Value of shape (1, outputs)
        What the network made of it.

    Returns
    -------
    list of Column

    Raises
    ------
    ValueError
        If it has no Linear layers, or they do not stand one after the other.

    Examples
    --------
    >>> from tinygrad_course import nn
    >>> model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=0))
    >>> x = Value([[0.5, -1.0]])
    >>> [(column.name, column.activation) for column in columns_of(model, x, model(x))]
    [('0', 'tanh'), ('2', '')]
    """
    layers = {
        id(part.weight): (name, part) for name, part in model.named_modules() if isinstance(part, Linear)
    }
    columns: list[Column] = []
    outputs = result
    for sums in ancestors([result]):  # the last layer first
        name, part = next((layers[id(p)] for p in sums.parents if id(p) in layers), ("", None))
        if part is None:
            continue
        if any(part.weight is column.weight for column in columns):
            raise ValueError(f"lab: {name} is used twice, and a line is one weight; {OTHER}")
        if not outputs.shape == sums.shape == (1, part.weight.shape[0]):
            raise ValueError(
                f"lab: {name} makes {sums.shape} of one sample, and {outputs.shape} is what the next layer "
                f"gets; its circles are (1, {part.weight.shape[0]}) before and after the activation; {OTHER}"
            )
        between = ancestors([outputs], stop=[sums])
        if any(v is x for v in between):
            raise ValueError(
                f"lab: something goes past {name}; lab draws layers one after the other; {OTHER}"
            )
        words = [v.row.name for v in reversed(between) if v.row is not None and v is not sums]
        columns.append(Column(name, part.weight, part.bias, sums, outputs, ", ".join(dict.fromkeys(words))))
        outputs = next(p for p in sums.parents if p is not part.weight and p is not part.bias)
    if not columns or outputs is not x:
        raise ValueError(
            "lab: circles and lines are drawn of nn.Linear layers, the first of which is given the sample as "
            f"it is, or of neurons (nn.MLP), and this {type(model).__name__} is something else; {OTHER}"
        )
    return columns[::-1]
