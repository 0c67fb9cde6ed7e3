"""What a network is to learn, as the page of `lab` needs it: one sample at a time, and how losses add up.

The page holds the program of one sample and runs it over all points, so that points can come and go.  It has
to know whether the loss of all is the sum or the mean of the samples' losses, and where one class ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arraylike import Value
from ..engine.value import no_grad
from ..nn.activations import ReLU
from ..nn.linear import Linear, Sequential
from ..nn.module import Module
from ..nn.neuron import MLP, Layer, Neuron


@dataclass(eq=False)
class Task:
    """A network made of Linear layers, the points and the loss.

    Attributes
    ----------
    network : Module
        Takes (n, features); where the model was one of neurons, the same in Linear layers.
    neurons : bool
        Whether it was: then the loss is called for one sample, with single numbers.
    x : array of shape (n, features)
    y : array of shape (n,) or (n, outputs)
    loss : callable
    """

    network: Module
    neurons: bool
    x: NDArray[Any]
    y: NDArray[Any]
    loss: Callable[[Any, Any], Any]

    def target(self, i: int) -> Any:
        """The target of a sample: a Value, or plain class numbers, as losses want them."""
        y = self.y[i].reshape(-1) if self.neurons else self.y[i : i + 1]
        return y if self.class_numbers else Value(y.astype(self.x.dtype), name="y")

    @cached_property
    def class_numbers(self) -> bool:
        """Whether targets are whole numbers that say which of several outputs should be the largest."""
        return self.y.dtype.kind in "iu" and self.y.ndim == 1 and self.outputs > 1

    @cached_property
    def outputs(self) -> int:
        """How many numbers the network gives for a sample."""
        with no_grad():
            return int(self.network(Value(self.x[:1])).size)

    def loss_of(self, result: Value, target: Any) -> Value:
        """The loss of one sample, from its result of shape (1, outputs)."""
        if self.neurons:
            numbers = [result[0, j] for j in range(self.outputs)]
            given = target[0] if self.y.ndim == 1 else target
            value = self.loss(numbers[0] if self.outputs == 1 else numbers, given)
        else:
            value = self.loss(result, target)
        if not isinstance(value, Value) or value.shape != ():
            what = f"shape {value.shape}" if isinstance(value, Value) else f"a {type(value).__name__}"
            raise ValueError(
                f"lab: loss(model(x), y) must give one recorded number, a Value of shape (), not {what}; "
                "nn.MSELoss() and the others give one, the mean"
            )
        return value

    @cached_property
    def mean(self) -> bool:
        """Whether the loss of all samples is the mean of theirs; False for the sum."""
        if self.neurons or len(self.x) == 1:
            return True
        with no_grad():
            each = [
                self.loss_of(self.network(self.x[i : i + 1]), self.target(i)).item()
                for i in range(len(self.x))
            ]
            target = self.y if self.class_numbers else Value(self.y.astype(self.x.dtype))
            whole = self.loss(self.network(self.x), target).item()
        for mean, expected in ((True, np.mean(each)), (False, np.sum(each))):
            if np.isclose(whole, expected, rtol=1e-4, atol=1e-7):
                return mean
        raise ValueError(
            f"lab: the loss of all samples is {whole:.6g}, while the losses of the samples have the mean "
            f"{np.mean(each):.6g} and the sum {np.sum(each):.6g}; the page computes them one by one, so it "
            "must be one of these: without weights of classes, without layers that look at several samples"
        )

    @cached_property
    def classes(self) -> list[list[float]] | None:
        """The target of each class: of two with one output, of as many as outputs; None for any numbers."""
        if self.class_numbers:
            return [[float(k)] for k in range(self.outputs)]
        rows = np.unique(self.y.reshape(len(self.y), -1), axis=0).astype(float)
        if self.outputs == 1:
            return rows.tolist() if len(rows) == 2 else None
        truths = np.eye(self.outputs)
        return truths.tolist() if all(row.tolist() in truths.tolist() for row in rows) else None

    @cached_property
    def border(self) -> tuple[float, float]:
        """Where a single output turns from one class to the other, and how far from there it is sure.

        It turns where both targets would cost the same.
        """
        if self.outputs > 1:
            return 0.0, 1.0
        low, high = float(self.y.min()), float(self.y.max())
        middle, half = (low + high) / 2, (high - low) / 2 or 1.0
        if self.classes is None:
            return middle, half
        ends = [self.target(int(i)) for i in (self.y.argmin(), self.y.argmax())]
        for height in (middle, 0.0):
            with no_grad():
                costs = [
                    self.loss_of(Value(np.full((1, 1), height, self.x.dtype)), end).item() for end in ends
                ]
            if abs(costs[0] - costs[1]) < 1e-5 * (1 + abs(costs[0])):
                return height, half if height == middle != 0.0 or low == -high else 3.0
        return middle, half


def task_of(model: Module, x: ArrayLike, y: ArrayLike, loss: Callable[[Any, Any], Any]) -> Task:
    """Take what `lab` was given.

    Raises
    ------
    TypeError
        If `model` is no Module, or `loss` cannot be called.
    ValueError
        If `x` and `y` are not a sample and a target a row.
    """
    if not isinstance(model, Module):
        raise TypeError(
            f"lab: model is a Module, such as nn.Sequential or nn.MLP, and not a {type(model).__name__}"
        )
    if not callable(loss):
        raise TypeError(
            "lab: loss is called with prediction and target, such as nn.MSELoss(), and this is a "
            f"{type(loss).__name__}"
        )
    x, y = (np.asarray(part.data if isinstance(part, Value) else part) for part in (x, y))
    if x.ndim != 2 or y.ndim not in (1, 2) or len(x) != len(y) or not x.size or not y.size:
        raise ValueError(
            "lab: x has a sample a row, (n, features), and y a target for each, (n,) or (n, outputs); these "
            f"are {x.shape} and {y.shape}"
        )
    for name, part in (("x", x), ("y", y)):
        if part.dtype.kind not in "biuf" or not np.isfinite(part).all():
            raise ValueError(f"lab: {name} must be finite real numbers, and some of it ({part.dtype}) is not")
    layers = (
        model.layers if isinstance(model, MLP) else [model] if isinstance(model, Layer) else _alone(model)
    )
    network: Module = model
    if layers:
        parts: list[Module] = []
        for layer in layers:
            parts.append(Linear.from_layer(layer))
            if layer.neurons[0].nonlin:
                parts.append(ReLU())
        network = Sequential(*parts)
    dtype = next((p.dtype for p in network.parameters() if p.dtype.kind == "f"), np.dtype(float))
    return Task(network, bool(layers), x.astype(dtype), y, loss)


def _alone(model: Module) -> list[Layer]:
    """A single neuron as a layer of one."""
    if not isinstance(model, Neuron):
        return []
    layer = Layer(len(model.w), 1, model.nonlin, rng=0)
    layer.neurons = [model]
    return [layer]
