"""Recurrent layers over whole sequences: cells, step after step, in several layers and both directions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..arraylike import Value
from . import init
from .arguments import array, count_of, fine, taken_as
from .init import Rng
from .module import Module
from .normalization import dropout
from .recurrent import gru_step, lstm_step, rnn_step

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


class _Recurrent(Module):
    """What the three layers share: the arguments of `LSTM`, its parameters' names, the loop over steps."""

    _gates = 1
    _states = 1
    weight_ih_l0: Value
    weight_hh_l0: Value

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        who = type(self).__name__
        self.input_size = count_of(who, "input_size", input_size)
        self.hidden_size = count_of(who, "hidden_size", hidden_size)
        self.num_layers = count_of(who, "num_layers", num_layers, 1)
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional, self.rng = bidirectional, np.random.default_rng(rng)
        bound = 1 / math.sqrt(hidden_size) if hidden_size else 0.0
        for ending, inner in self._endings():
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (inner,), "weight_hh": (hidden_size,)}
            shapes |= {"bias_ih": (), "bias_hh": ()} if bias else {}
            for name, shape in shapes.items():
                parameter = Value(np.empty((self._gates * hidden_size, *shape), dtype), name=name + ending)
                setattr(self, name + ending, init.uniform_(parameter, -bound, bound, rng=self.rng))

    def _endings(self) -> list[tuple[str, int]]:
        """What the names of each layer's and direction's parameters end in, and how many numbers it reads."""
        ways = ("", "_reverse") if self.bidirectional else ("",)
        inner = [self.input_size, *[len(ways) * self.hidden_size] * (self.num_layers - 1)]
        return [(f"_l{layer}{way}", inner[layer]) for layer in range(self.num_layers) for way in ways]

    def _step(self, x: Any, states: list[Any], parameters: tuple[Any, ...]) -> list[Any]:
        """One step of a cell."""
        raise NotImplementedError

    def forward(self, input: Any, hx: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        """The last layer's states at all steps, and each layer's states after the last step.

        Parameters
        ----------
        input : Value or array of shape (length, N, input_size), or (length, input_size)
            Sequences, or a single one; (N, length, input_size) with `batch_first`.
        hx : array of shape (layers · directions, N, hidden_size), optional
            The first states, zeros if not given; for an LSTM a pair (h, c).
        lengths : sequence of int, optional
            How long each sequence is: behind its end the output is 0, and the last state is that at its end.

        Returns
        -------
        tuple
            The output (length, N, directions · hidden_size), and the states in the shape of `hx`.

        Raises
        ------
        ValueError
            If shapes do not fit.
        """
        x = taken_as(input, self.weight_ih_l0)
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            axes = (
                f"(N, length, {self.input_size})" if self.batch_first else f"(length, N, {self.input_size})"
            )
            raise ValueError(f"{type(self).__name__} takes inputs of shape {axes}, and got {x.shape}")
        single = x.ndim == 2
        x = x[:, None] if single else _numpy.swapaxes(x, 0, 1) if self.batch_first else x
        steps, n, _ = x.shape
        endings = self._endings()
        given = self._first(hx, len(endings), n, single, x.dtype)
        ends = None if lengths is None else self._ends(lengths, steps, n)
        rows = [x[t] for t in range(steps)]
        lasts: list[list[Any]] = []
        ways = 2 if self.bidirectional else 1
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                rows = [dropout(row, self.dropout, rng=self.rng) for row in rows]
            outs = []
            for way in range(ways):
                number = layer * ways + way
                out, last = self._run(rows, [s[number] for s in given], endings[number][0], way == 1, ends)
                outs.append(out)
                lasts.append(last)
            rows = outs[0] if ways == 1 else [_numpy.concatenate(pair, axis=-1) for pair in zip(*outs)]
        output = _numpy.stack(rows)
        states = [_numpy.stack([last[i] for last in lasts]) for i in range(self._states)]
        if single:
            output, states = output[:, 0], [state[:, 0] for state in states]
        elif self.batch_first:
            output = _numpy.swapaxes(output, 0, 1)
        return output, tuple(states) if self._states > 1 else states[0]

    def _first(self, hx: Any, count: int, n: int, single: bool, dtype: Any) -> list[Any]:
        """The first states, each of shape (layers · directions, N, hidden_size)."""
        shape = (count, n, self.hidden_size)
        if hx is None:
            return [np.zeros(shape, dtype)] * self._states
        states = [taken_as(s, self.weight_hh_l0) for s in (hx if self._states > 1 else (hx,))]
        states = [s[:, None] if single else s for s in states]
        if len(states) != self._states or any(s.shape != shape for s in states):
            raise ValueError(
                f"{type(self).__name__}: hx has shape {shape}{', twice' * (self._states > 1)}, and not "
                f"{[s.shape for s in states]}"
            )
        return states

    def _ends(self, lengths: Any, steps: int, n: int) -> Any:
        ends = array(lengths)
        fine(_are_lengths, ends, steps, n, type(self).__name__)
        return ends[:, None]

    def _run(
        self, rows: list[Any], states: list[Any], ending: str, backwards: bool, ends: Any
    ) -> tuple[list[Any], list[Any]]:
        """One layer in one direction: its state at each step, and the last ones."""
        names = [name + ending for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        parameters = tuple(getattr(self, name, None) for name in names)
        outs: dict[int, Any] = {}
        for t in reversed(range(len(rows))) if backwards else range(len(rows)):
            new = self._step(rows[t], states, parameters)
            if ends is not None:
                new = [_numpy.where(t < ends, after, before) for after, before in zip(new, states)]
            states = new
            outs[t] = states[0] if ends is None else _numpy.where(t < ends, states[0], 0.0)
        return [outs[t] for t in range(len(rows))], states

    def extra_repr(self) -> str:
        said = [f"{self.input_size}", f"{self.hidden_size}"]
        usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        said += [f"{name}={getattr(self, name)}" for name, u in usual.items() if getattr(self, name) != u]
        return ", ".join(said)


def _are_lengths(lengths: Any, steps: int, n: int, who: str) -> str:
    whole = lengths.shape == (n,) and lengths.dtype.kind in "iu"
    if whole and (lengths >= 1).all() and (lengths <= steps).all():
        return ""
    return f"{who}: lengths are {n} whole numbers from 1 to {steps}, not {lengths}"


class RNN(_Recurrent):
    """`RNNCell` over sequences; arguments of `LSTM`, and after num_layers "tanh" or "relu"."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity is 'tanh' or 'relu', not {nonlinearity!r}")
        self.nonlinearity = nonlinearity
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            dtype=dtype,
            rng=rng,
        )

    def _step(self, x: Any, states: list[Any], parameters: tuple[Any, ...]) -> list[Any]:
        return [rnn_step(x, states[0], *parameters, nonlinearity=self.nonlinearity)]


class LSTM(_Recurrent):
    """`LSTMCell` over sequences, in layers and directions, with PyTorch's names for everything.

    Parameters
    ----------
    input_size, hidden_size : int
        How many numbers come in at each step, and how many are remembered.
    num_layers : int
        So many layers, each of which reads what the one below it gave.
    bias : bool
        False leaves the biases out.
    batch_first : bool
        Whether the axes are (N, length, input_size), and not (length, N, input_size) as is usual for PyTorch.
    dropout : float
        How probable it is for an entry between two layers to be dropped while training.
    bidirectional : bool
        Whether every layer reads the sequence from its end too; both states stand side by side.
    dtype : dtype
        The parameters' and so the states' precision.
    rng : int or Generator, optional
        Where initial weights and the choices of dropout come from.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> output, (h, c) = nn.LSTM(3, 5, num_layers=2, rng=0)(np.ones((7, 4, 3)))
    >>> output.shape, h.shape
    ((7, 4, 5), (2, 4, 5))
    """

    _gates = 4
    _states = 2

    def _step(self, x: Any, states: list[Any], parameters: tuple[Any, ...]) -> list[Any]:
        return list(lstm_step(x, *states, *parameters))


class GRU(_Recurrent):
    """`GRUCell` over sequences; arguments of `LSTM`."""

    _gates = 3

    def _step(self, x: Any, states: list[Any], parameters: tuple[Any, ...]) -> list[Any]:
        return [gru_step(x, states[0], *parameters)]
