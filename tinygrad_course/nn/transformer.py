"""The encoder of a transformer (Vaswani et al. 2017): attention and a network, each beside a shortcut."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..arraylike import Value
from . import functional as F
from .arguments import taken_as
from .attention import MultiheadAttention
from .init import Rng
from .linear import Linear
from .module import Module
from .normalization import Dropout, LayerNorm


class TransformerEncoderLayer(Module):
    """Self-attention and a network of two linear layers, each added to what came in and normalized.

    Parameters
    ----------
    d_model : int
        The length of the vectors.
    nhead : int
        How many heads attention has.
    dim_feedforward : int
        How many neurons stand between the two linear layers.
    dropout : float
        How probable it is for an entry to be dropped while training.
    activation : {"relu", "gelu"} or callable
        What is between the two linear layers.
    layer_norm_eps : float
        Added to variances.
    batch_first : bool
        Whether the axes are (N, length, d_model), and not (length, N, d_model) as is usual for PyTorch.
    norm_first : bool
        Whether normalization comes before attention and the network, and not after the sums.
    bias : bool
        False leaves all biases out.
    dtype : dtype
        The parameters' precision.
    rng : int or Generator, optional
        Where initial weights and the choices of dropout come from.

    Raises
    ------
    ValueError
        If there is no such activation.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, rng=0)
    >>> layer(np.ones((5, 3, 8))).shape
    (5, 3, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Any = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        known = {"relu": F.relu, "gelu": F.gelu}
        if not callable(activation) and activation not in known:
            raise ValueError(
                f"TransformerEncoderLayer: activation is 'relu', 'gelu' or a function, not {activation!r}"
            )
        rng = np.random.default_rng(rng)
        self.activation = activation if callable(activation) else known[activation]
        self.norm_first = norm_first
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype, rng=rng
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype, rng=rng)
        self.dropout = Dropout(dropout, rng=rng)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype, rng=rng)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2 = Dropout(dropout, rng=rng), Dropout(dropout, rng=rng)

    def forward(
        self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Value:
        """Vectors of the same shape.

        Parameters
        ----------
        src : Value or array of shape (length, N, d_model), (N, length, d_model) or (length, d_model)
            Sequences of vectors.
        src_mask : array of shape (length, length), optional
            True where a place may **not** look, or numbers to be added to the scores.
        src_key_padding_mask : array of shape (N, length), optional
            True for places that are only padding.
        is_causal : bool
            Let every place look only at those up to itself.
        """
        x = taken_as(src, self.linear1.weight)
        masks = (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            x = x + self._attention(self.norm1(x), *masks)
            return x + self._network(self.norm2(x))
        x = self.norm1(x + self._attention(x, *masks))
        return self.norm2(x + self._network(x))

    def _attention(self, x: Any, mask: Any, padding: Any, is_causal: bool) -> Any:
        out, _ = self.self_attn(x, x, x, padding, False, mask, is_causal=is_causal)
        return self.dropout1(out)

    def _network(self, x: Any) -> Any:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerEncoder(Module):
    """Several layers like the one given, one after the other.

    Parameters
    ----------
    encoder_layer : TransformerEncoderLayer
        The layer, of which each of them is a copy, as in PyTorch with the same weights at first.
    num_layers : int
        How many.
    norm : Module, optional
        A normalization of what comes out.
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self.layers = [copy.deepcopy(encoder_layer) for _ in range(num_layers)]
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Value:
        """Vectors of the same shape; arguments of `TransformerEncoderLayer`."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, is_causal)
        return src if self.norm is None else self.norm(src)
