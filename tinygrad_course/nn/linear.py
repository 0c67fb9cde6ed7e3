"""Linear: a layer of neurons as one matrix product; Sequential, Flatten, and the lecture's MNIST network."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..arraylike import Value
from ..derivatives.neural import linear, relu
from . import init
from .arguments import count_of
from .init import Rng
from .module import Module
from .neuron import Layer


class Linear(Module):
    """``x @ weight.T + bias``: all the sums of a layer of neurons, for any number of samples at once.

    Weight and bias start uniformly between ±1/√in_features, as in PyTorch.

    Parameters
    ----------
    in_features, out_features : int
        How many inputs, how many outputs.
    bias : bool
        False leaves the bias out.
    dtype : dtype
        The parameters' and so the outputs' precision.  Plain arrays and lists given as `x` are taken in it.
    rng : int or Generator, optional
        Where the initial weights come from.

    Attributes
    ----------
    weight : Value of shape (out_features, in_features)
    bias : Value of shape (out_features,), or None

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> layer = nn.Linear(784, 100, rng=0)
    >>> layer(np.zeros((5, 784))).shape
    (5, 100)
    >>> layer.weight.dtype
    dtype('float32')
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        in_features = count_of("Linear", "in_features", in_features)
        out_features = count_of("Linear", "out_features", out_features)
        self.in_features, self.out_features = in_features, out_features
        rng = np.random.default_rng(rng)
        bound = 1 / math.sqrt(in_features) if in_features else 0.0
        self.weight = Value(np.empty((out_features, in_features), dtype), name="weight")
        init.uniform_(self.weight, -bound, bound, rng=rng)
        self.bias = None
        if bias:
            self.bias = init.uniform_(
                Value(np.empty(out_features, dtype), name="bias"), -bound, bound, rng=rng
            )

    def forward(self, input: Any) -> Value:
        """The sums for inputs of shape (..., in_features)."""
        if type(input) is not Value and getattr(input, "dtype", None) != self.weight.data.dtype:
            input = (
                input.astype(self.weight.dtype)
                if hasattr(input, "astype")
                else np.array(input, self.weight.dtype)
            )
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        out_features, in_features = self.weight.shape
        return f"{in_features}, {out_features}" + ("" if self.bias is not None else ", bias=False")

    @classmethod
    def from_layer(cls, layer: Layer) -> Linear:
        """The same sums as a `Layer` of neurons, in float64; a ReLU, if the neurons have one, comes after it.

        Examples
        --------
        >>> import numpy as np
        >>> from tinygrad_course import nn
        >>> neurons = nn.Layer(3, 2, rng=0)
        >>> one_by_one = neurons([1.0, -2.0, 0.5])
        >>> at_once = nn.Linear.from_layer(neurons)([1.0, -2.0, 0.5]).relu()
        >>> np.allclose([v.item() for v in one_by_one], at_once.numpy(), rtol=0, atol=1e-12)
        True
        """
        weight = np.array([[w.item() for w in neuron.w] for neuron in layer.neurons])
        made = cls(weight.shape[1], weight.shape[0], dtype=float, rng=0)
        made.weight.data = weight
        made.bias.data = np.array([neuron.b.item() for neuron in layer.neurons])  # type: ignore[union-attr]
        return made

    def to_layer(self, nonlin: bool = False) -> Layer:
        """The same sums as a `Layer` of neurons; with `nonlin`, each followed by a ReLU."""
        out_features, in_features = self.weight.shape
        layer = Layer(in_features, out_features, nonlin, rng=0)
        biases = np.zeros(out_features) if self.bias is None else self.bias.data
        for neuron, row, bias in zip(layer.neurons, self.weight.data.tolist(), biases.tolist()):
            neuron.b.data = bias
            for w, number in zip(neuron.w, row):
                w.data = number
        return layer


class Sequential(Module):
    """Modules one after the other, each given what the one before it returned.

    Parameters
    ----------
    *modules : Module
        In the order of the data's way; their names are ``"0"``, ``"1"``, ...

    Raises
    ------
    TypeError
        If one is not a Module.

    Examples
    --------
    >>> from tinygrad_course import nn
    >>> network = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    >>> network
    Sequential(
      (0): Linear(2, 8)
      (1): Tanh()
      (2): Linear(8, 1)
    )
    >>> network([[0.0, 1.0], [1.0, 1.0]]).shape
    (2, 1)
    """

    def __init__(self, *modules: Module) -> None:
        for i, module in enumerate(modules):
            if not isinstance(module, Module):
                raise TypeError(
                    f"Sequential: part {i} is a {type(module).__name__}, not a Module; write "
                    "Sequential(*parts) for a list of them, and nn.ReLU() for the function relu"
                )
            setattr(self, str(i), module)

    def __iter__(self) -> Iterator[Module]:
        return (part for part in vars(self).values() if isinstance(part, Module))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, i: int | slice) -> Module:
        parts = list(self)
        return Sequential(*parts[i]) if isinstance(i, slice) else parts[i]

    def forward(self, input: Any) -> Value:
        """What the last module returns."""
        for module in self:
            input = module(input)
        return input


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` as one: images of shape (N, 28, 28) become (N, 784).

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> nn.Flatten()(np.zeros((5, 28, 28))).shape
    (5, 784)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Value:
        """`input` in its new shape."""
        input = input if hasattr(input, "shape") else np.asarray(input)
        axes = range(len(input.shape))
        try:
            start, end = axes[self.start_dim], axes[self.end_dim]
        except IndexError:
            start, end = 1, 0
        if start > end:
            raise ValueError(
                f"Flatten: an array of shape {input.shape} has no axes from {self.start_dim} to "
                f"{self.end_dim}; the first axis counts the samples: input[None] is a batch of one"
            )
        shape = (*input.shape[:start], math.prod(input.shape[start : end + 1]), *input.shape[end + 1 :])
        flat: Any = np.reshape(input, shape)
        return flat

    def extra_repr(self) -> str:
        return "" if (self.start_dim, self.end_dim) == (1, -1) else f"{self.start_dim}, {self.end_dim}"


class Unflatten(Module):
    """One axis as several: the other way round than `Flatten`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> nn.Unflatten(1, (28, 28))(np.zeros((5, 784))).shape
    (5, 28, 28)
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Any) -> Value:
        """`input` in its new shape."""
        input = input if hasattr(input, "shape") else np.asarray(input)
        dim = range(len(input.shape))[self.dim]
        given: Any = np.reshape(input, (*input.shape[:dim], *self.unflattened_size, *input.shape[dim + 1 :]))
        return given

    def extra_repr(self) -> str:
        return f"{self.dim}, {self.unflattened_size}"


class MnistMLP(Module):
    """The lecture's network for digits: 784 pixels, 100 hidden neurons with ReLU, 10 outputs.

    It returns logits, which `CrossEntropyLoss` takes; the largest is the predicted digit.

    Parameters
    ----------
    dtype : dtype
        The precision of parameters and outputs.
    rng : int or Generator, optional
        Where the initial weights come from.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> network = nn.MnistMLP(rng=0)
    >>> network(np.zeros((3, 28, 28))).shape
    (3, 10)
    """

    def __init__(self, *, dtype: DTypeLike = np.float32, rng: Rng = None) -> None:
        rng = np.random.default_rng(rng)
        self.hidden = Linear(784, 100, dtype=dtype, rng=rng)
        self.output = Linear(100, 10, dtype=dtype, rng=rng)

    def forward(self, images: Any) -> Value:
        """The logits of images of shape (N, 28, 28) or (N, 784)."""
        shape = images.shape
        if shape[1:] == (28, 28):
            images = images.reshape(shape[0], 784)
        elif len(shape) != 2 or shape[1] != 784:
            raise ValueError(
                f"MnistMLP takes images of shape (N, 28, 28) or (N, 784), and got {shape}"
                + ("; images[None] makes one image a batch of one" if shape in ((28, 28), (784,)) else "")
            )
        return self.output(relu(self.hidden(images)))
