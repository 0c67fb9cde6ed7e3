"""Neuron, Layer, MLP: a network drawn neuron by neuron, every weight a number of its own.

A neuron adds up its inputs, each times a weight, and a bias, and passes the sum through a threshold (ReLU).
A layer is a list of neurons that see the same inputs; a multi-layer perceptron is a list of layers.  It is
slow, and every single multiplication can be looked at.  `Linear` is a whole layer at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arraylike import Value
from .arguments import count_of
from .init import Rng
from .module import Module

ONE_AT_A_TIME = "give it one sample at a time, [net(x) for x in samples]; nn.Linear takes many at once"


class Neuron(Module):
    """One neuron: ``relu(w[0] * x[0] + w[1] * x[1] + ... + b)``.

    The weights start anywhere between -1 and 1, the bias at 0, as in micrograd.

    Parameters
    ----------
    nin : int
        How many inputs it has.
    nonlin : bool
        False leaves the ReLU out.
    rng : int or Generator, optional
        Where the initial weights come from.

    Attributes
    ----------
    w : list of Value
        The weights, one an input.
    b : Value
        The bias.

    Examples
    --------
    >>> from tinygrad_course import nn
    >>> neuron = nn.Neuron(2, nonlin=False)
    >>> neuron.b.data, neuron.w[0].data, neuron.w[1].data = -30.0, 20.0, 20.0
    >>> neuron([1.0, 1.0]).item()
    10.0
    """

    def __init__(self, nin: int, nonlin: bool = True, *, rng: Rng = None) -> None:
        rng = np.random.default_rng(rng)
        nin = count_of("Neuron", "nin", nin)
        self.w = [Value(rng.uniform(-1, 1), name=f"w{i}") for i in range(nin)]
        self.b = Value(0.0, name="b")
        self.nonlin = nonlin

    def forward(self, x: Sequence[Any]) -> Value:
        """The neuron's output for one sample.

        Parameters
        ----------
        x : sequence of float or Value
            One number an input.

        Raises
        ------
        ValueError
            If there are not exactly `nin` of them, or they are not single numbers.
        """
        x = _sample(x)
        if len(x) != len(self.w):
            given = f"{len(x)} rows: {ONE_AT_A_TIME}" if len(x) and np.shape(x[0]) else f"{len(x)} numbers"
            raise ValueError(f"Neuron has {len(self.w)} inputs and was given {given}")
        total = self.b
        for w, number in zip(self.w, x):
            total = total + w * number
        if total.shape:
            raise ValueError(
                f"Neuron takes single numbers, and an input has shape {total.shape}: {ONE_AT_A_TIME}"
            )
        return total.relu() if self.nonlin else total

    def extra_repr(self) -> str:
        return f"{len(self.w)}, {'relu' if self.nonlin else 'linear'}"


class Layer(Module):
    """Neurons side by side, all with the same inputs.

    Parameters
    ----------
    nin, nout : int
        How many inputs, how many neurons.
    nonlin : bool
        False leaves the ReLU out.
    rng : int or Generator, optional
        Where the initial weights come from.

    Attributes
    ----------
    neurons : list of Neuron

    Examples
    --------
    >>> from tinygrad_course import nn
    >>> len(nn.Layer(2, 3)([0.5, -1.0]))
    3
    """

    def __init__(self, nin: int, nout: int, nonlin: bool = True, *, rng: Rng = None) -> None:
        rng = np.random.default_rng(rng)
        self.neurons = [Neuron(nin, nonlin, rng=rng) for _ in range(count_of("Layer", "nout", nout))]

    def forward(self, x: Sequence[Any]) -> Any:
        """The neurons' outputs for one sample: a list, or one Value where there is one neuron."""
        x = _sample(x)
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out


class MLP(Module):
    """A multi-layer perceptron: ReLU in the hidden layers, none in the last.

    Parameters
    ----------
    nin : int
        How many inputs it has.
    nouts : sequence of int
        How many neurons each layer has; the last are the outputs.
    rng : int or Generator, optional
        Where the initial weights come from.

    Attributes
    ----------
    layers : list of Layer

    Examples
    --------
    >>> from tinygrad_course import nn
    >>> network = nn.MLP(2, [16, 16, 1], rng=0)
    >>> len(network.parameters())
    337
    >>> network([1.0, -2.0]).shape
    ()
    """

    def __init__(self, nin: int, nouts: Sequence[int], *more: int, rng: Rng = None) -> None:
        if more or not hasattr(nouts, "__iter__"):
            raise TypeError(f"MLP: the sizes of all its layers are one list: MLP({nin}, {[nouts, *more]})")
        rng = np.random.default_rng(rng)
        sizes = [nin, *nouts]
        last = len(nouts) - 1
        self.layers = [Layer(sizes[i], sizes[i + 1], nonlin=i != last, rng=rng) for i in range(len(nouts))]

    def forward(self, x: Sequence[Any]) -> Any:
        """The outputs for one sample: a list, or one Value where there is one output."""
        for layer in self.layers:
            x = layer(x)
        return x


def _sample(x: Any) -> Any:
    """One sample as a list of numbers; a single number is a list of one."""
    if isinstance(x, (list, tuple)):
        return x
    if isinstance(x, Value):
        return list(x) if x.shape else [x]
    return np.atleast_1d(x).tolist()
