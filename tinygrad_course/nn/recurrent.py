"""Recurrent cells: one step in time, from an input and what is remembered to what is remembered next.

A sequence is a loop over its steps, and backpropagation through time is backpropagation through that loop.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..arraylike import Value
from ..derivatives.neural import linear, relu, sigmoid
from . import init
from .arguments import count_of, taken_as
from .init import Rng
from .module import Module

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def rnn_step(
    x: Any, h: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any, *, nonlinearity: str
) -> Value:
    """tanh(W_ih x + b_ih + W_hh h + b_hh), or relu of that."""
    function: Any = relu if nonlinearity == "relu" else np.tanh
    return function(linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh))


def lstm_step(
    x: Any, h: Any, c: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any
) -> tuple[Value, Value]:
    """c' = forget · c + input · candidate, h' = output · tanh c'; gives (h', c')."""
    sums = linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh)
    i, f, g, o = _numpy.split(sums, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * _numpy.tanh(g)
    return sigmoid(o) * _numpy.tanh(c), c


def gru_step(x: Any, h: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> Value:
    """h' = update · h + (1 - update) · candidate."""
    r, z, n = _numpy.split(linear(x, weight_ih, bias_ih), 3, axis=-1)
    hr, hz, hn = _numpy.split(linear(h, weight_hh, bias_hh), 3, axis=-1)
    update = sigmoid(z + hz)
    candidate = _numpy.tanh(n + sigmoid(r + hr) * hn)
    return update * h + (1 - update) * candidate


class _Cell(Module):
    """What all cells share: weights for the input and for the state, of one gate or several.

    Parameters
    ----------
    input_size, hidden_size : int
        How many numbers come in, and how many are remembered.
    bias : bool
        False leaves both biases out.
    dtype : dtype
        The parameters' and so the state's precision.
    rng : int or Generator, optional
        Where the initial weights come from: uniform between ±1/√hidden_size, as in PyTorch.
    """

    _gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        self.input_size = input_size = count_of(type(self).__name__, "input_size", input_size)
        self.hidden_size = hidden_size = count_of(type(self).__name__, "hidden_size", hidden_size)
        self.bias, rng = bias, np.random.default_rng(rng)
        bound = 1 / math.sqrt(hidden_size) if hidden_size else 0.0

        def made(name: str, *shape: int) -> Value:
            return init.uniform_(Value(np.empty(shape, dtype), name=name), -bound, bound, rng=rng)

        rows = self._gates * hidden_size
        self.weight_ih = made("weight_ih", rows, input_size)
        self.weight_hh = made("weight_hh", rows, hidden_size)
        self.bias_ih = made("bias_ih", rows) if bias else None
        self.bias_hh = made("bias_hh", rows) if bias else None

    def _taken(self, x: Any, *states: Any) -> list[Any]:
        """Input and states in the cell's precision; zeros for a state that is not given."""
        x = taken_as(x, self.weight_ih)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ValueError(
                f"{type(self).__name__} takes inputs of shape (N, {self.input_size}) or "
                f"({self.input_size},), and got {x.shape}"
            )
        shape = (*x.shape[:-1], self.hidden_size)
        taken = [np.zeros(shape, x.dtype) if s is None else taken_as(s, self.weight_hh) for s in states]
        for state in taken:
            if state.shape != shape:
                raise ValueError(
                    f"{type(self).__name__}: for an input of shape {x.shape} the state has shape {shape}, "
                    f"and not {state.shape}"
                )
        return [x, *taken]

    def _parameters(self) -> tuple[Any, ...]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias_ih is not None else ", bias=False")


class RNNCell(_Cell):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh) (Elman 1990); `nonlinearity` may be "relu" instead.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> cell, h = nn.RNNCell(3, 5, rng=0), None
    >>> for x in np.ones((4, 2, 3)):  # four steps of two sequences
    ...     h = cell(x, h)
    >>> h.shape
    (2, 5)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNNCell: nonlinearity is 'tanh' or 'relu', not {nonlinearity!r}")
        super().__init__(input_size, hidden_size, bias, dtype=dtype, rng=rng)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Value:
        """The next state from inputs (N, input_size) and the state (N, hidden_size), zeros if not given."""
        x, h = self._taken(input, hx)
        return rnn_step(x, h, *self._parameters(), nonlinearity=self.nonlinearity)


class LSTMCell(_Cell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997): gates decide what the cell keeps and shows.

    c' = forget · c + input · candidate, h' = output · tanh c'; the rows of the weights are those of the
    input, forget, candidate and output gates, in this order.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> h, c = nn.LSTMCell(3, 5, rng=0)(np.ones((2, 3)))
    >>> h.shape, c.shape
    ((2, 5), (2, 5))
    """

    _gates = 4

    def forward(self, input: Any, hx: tuple[Any, Any] | None = None) -> tuple[Value, Value]:
        """The next (h, c) from inputs (N, input_size) and the last (h, c), zeros if not given."""
        x, h, c = self._taken(input, *(hx or (None, None)))
        return lstm_step(x, h, c, *self._parameters())


class GRUCell(_Cell):
    """Gated recurrent unit (Cho et al. 2014): h' = update · h + (1 - update) · candidate.

    The rows of the weights are those of the reset and update gates and of the candidate, in this order.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> nn.GRUCell(3, 5, rng=0)(np.ones((2, 3))).shape
    (2, 5)
    """

    _gates = 3

    def forward(self, input: Any, hx: Any = None) -> Value:
        """The next state from inputs (N, input_size) and the state (N, hidden_size), zeros if not given."""
        x, h = self._taken(input, hx)
        return gru_step(x, h, *self._parameters())
