"""Attention (Vaswani et al. 2017): outputs are means of values, weighted by how well queries fit keys."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..arraylike import Value
from ..derivatives import neural
from . import init
from .arguments import array, count_of, taken_as
from .init import Rng
from .linear import Linear
from .module import Module
from .normalization import dropout

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    rng: Rng = None,
) -> Value:
    """softmax(query @ keyᵀ · scale) @ value, for any axes of batches and heads before the last two.

    Parameters
    ----------
    query : Value or array of shape (..., L, E)
        What each of L places asks for.
    key : Value or array of shape (..., S, E)
        What each of S places offers.
    value : Value or array of shape (..., S, V)
        What it has.
    attn_mask : array of shape (..., L, S), optional
        Booleans, True where a query may look at a key; or numbers to be added to the scores.
    dropout_p : float
        How probable it is for a weight to be dropped (give 0 when not training).
    is_causal : bool
        Let every place look only at those up to itself.
    scale : float, optional
        1 / √E if not given.
    enable_gqa : bool
        Let several heads of queries share one of keys and values (Ainslie et al. 2023): axis -3 of the query
        is a multiple of theirs.
    rng : int or Generator, optional
        Where the choices of dropout come from.

    Returns
    -------
    Value or array of shape (..., L, V)
        Zeros for a query that may look at nothing.

    Raises
    ------
    ValueError
        If both `attn_mask` and `is_causal` are given, or the shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.array([[1.0], [2.0], [3.0]])
    >>> zeros = np.zeros((3, 4))
    >>> scaled_dot_product_attention(zeros, zeros, values, is_causal=True)
    array([[1. ],
           [1.5],
           [2. ]])
    """
    query, key, value = array(query), array(key), array(value)
    if enable_gqa:
        key, value = (_shared_heads(query, x) for x in (key, value))
    if is_causal:
        if attn_mask is not None:
            raise ValueError("scaled_dot_product_attention: give attn_mask or is_causal=True, not both")
        attn_mask = np.tri(query.shape[-2], key.shape[-2], dtype=bool)
    if attn_mask is not None:
        attn_mask = _mask_of("scaled_dot_product_attention: attn_mask", attn_mask, "may")
    return _attended(query, key, value, attn_mask, dropout_p, scale, rng)[0]


def _shared_heads(query: Any, x: Any) -> Any:
    """Keys or values, each repeated for the heads of queries that share it."""
    if min(query.ndim, x.ndim) < 3 or query.shape[-3] % max(1, x.shape[-3]):
        raise ValueError(
            f"scaled_dot_product_attention: with enable_gqa the heads of the query {query.shape} (axis -3) "
            f"are a multiple of those of key and value, {x.shape}"
        )
    return _numpy.repeat(x, query.shape[-3] // x.shape[-3], axis=-3)


def _attended(
    query: Any, key: Any, value: Any, mask: Any, dropout_p: float, scale: float | None, rng: Rng
) -> tuple[Any, Any]:
    """What the queries get, and the weights with which."""
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ValueError(
            f"attention: query {query.shape} and key {key.shape} must agree in the last axis, "
            f"key and value {value.shape} in the last but one"
        )
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = _numpy.matmul(query * scale, _numpy.swapaxes(key, -1, -2))
    if mask is None:
        weights = neural.softmax(scores)
    else:
        if mask.dtype == bool:
            seen = mask
        else:
            with np.errstate(over="ignore"):  # -1e9 is -inf in float16
                mask = taken_as(mask, scores)
            seen = mask > -np.inf
            scores = scores + _numpy.where(seen, mask, 0.0)
        some = np.any(seen, axis=-1, keepdims=True)  # a query that sees nothing gets zeros, and not nan
        unseen = taken_as(np.where(some, -np.inf, 0.0), scores)
        weights = neural.softmax(_numpy.where(seen, scores, unseen)) * some
    weights = dropout(weights, dropout_p, rng=rng)
    return _numpy.matmul(weights, value), weights


class MultiheadAttention(Module):
    """Attention of several heads, each on its own part of the vectors, between linear layers.

    Parameters
    ----------
    embed_dim : int
        The length of the vectors that come in and go out.
    num_heads : int
        How many heads; `embed_dim` is divided among them.
    dropout : float
        How probable it is for a weight to be dropped while training.
    bias : bool
        False leaves the biases out.
    batch_first : bool
        Whether the axes are (N, length, embed_dim), and not (length, N, embed_dim) as is usual for PyTorch.
    dtype : dtype
        The parameters' and so the outputs' precision.
    rng : int or Generator, optional
        Where initial weights and the choices of dropout come from.

    Attributes
    ----------
    in_proj_weight : Value of shape (3 embed_dim, embed_dim)
        The layers for queries, keys and values, one below the other.
    in_proj_bias : Value of shape (3 embed_dim,), or None
    out_proj : Linear

    Raises
    ------
    ValueError
        If `embed_dim` does not divide into heads, or shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> layer = nn.MultiheadAttention(8, 2, batch_first=True, rng=0)
    >>> x = np.random.default_rng(0).normal(size=(5, 3, 8))
    >>> out, weights = layer(x, x, x)
    >>> out.shape, weights.shape
    ((5, 3, 8), (5, 3, 3))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        batch_first: bool = False,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        embed_dim = count_of("MultiheadAttention", "embed_dim", embed_dim)
        num_heads = count_of("MultiheadAttention", "num_heads", num_heads)
        if num_heads < 1 or embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: {embed_dim} entries do not divide into {num_heads} heads")
        self.rng = np.random.default_rng(rng)
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.dropout, self.batch_first = dropout, batch_first
        self.in_proj_weight = Value(np.empty((3 * embed_dim, embed_dim), dtype), name="in_proj_weight")
        init.xavier_uniform_(self.in_proj_weight, rng=self.rng)
        self.in_proj_bias = Value(np.zeros(3 * embed_dim, dtype), name="in_proj_bias") if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype, rng=self.rng)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """Attention of `query` to `key` and `value`, each of shape (L, N, embed_dim) or (L, embed_dim).

        Parameters
        ----------
        query, key, value : Value or array
            The same thing three times is self-attention.
        key_padding_mask : array of shape (N, S), optional
            True for keys that are only padding (or numbers to be added to the scores).
        need_weights : bool
            Whether the weights are returned too.
        attn_mask : array of shape (L, S) or (N · num_heads, L, S), optional
            True where a query may **not** look at a key (or numbers to be added to the scores).
        average_attn_weights : bool
            Whether the weights returned are the mean over heads.
        is_causal : bool
            Let every place look only at those up to itself.

        Returns
        -------
        tuple
            The output in the shape of `query`, and the weights (N, L, S), or None.
        """
        query, key, value = (taken_as(x, self.in_proj_weight) for x in (query, key, value))
        single = query.ndim == 2
        if single:
            query, key, value = (_numpy.expand_dims(x, 0) for x in (query, key, value))
        elif not self.batch_first:
            query, key, value = (_numpy.swapaxes(x, 0, 1) for x in (query, key, value))
        n, length, _ = query.shape
        mask = self._mask(n, length, key.shape[1], key_padding_mask, attn_mask, is_causal)
        query, key, value = (self._heads(x, part) for part, x in enumerate((query, key, value)))
        dropped = self.dropout if self.training else 0.0
        out, weights = _attended(query, key, value, mask, dropped, None, self.rng)
        out = self.out_proj(_numpy.reshape(_numpy.swapaxes(out, 1, 2), (n, length, self.embed_dim)))
        if single:
            out, weights = out[0], weights[0]
        elif not self.batch_first:
            out = _numpy.swapaxes(out, 0, 1)
        if not need_weights:
            return out, None
        return out, weights.mean(axis=-3) if average_attn_weights else weights

    def _heads(self, x: Any, part: int) -> Any:
        """Queries, keys or values of all heads, (N, heads, length, entries of a head)."""
        rows = slice(part * self.embed_dim, (part + 1) * self.embed_dim)
        bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
        x = neural.linear(x, self.in_proj_weight[rows], bias)
        n, length, entries = x.shape
        return _numpy.swapaxes(
            _numpy.reshape(x, (n, length, self.num_heads, entries // self.num_heads)), 1, 2
        )

    def _mask(
        self, n: int, length: int, sources: int, key_padding_mask: Any, attn_mask: Any, is_causal: bool
    ) -> Any:
        """All masks as one, to be added to scores of shape (N, heads, L, S)."""
        mask: Any = None
        if is_causal and attn_mask is None:
            attn_mask = ~np.tri(length, sources, dtype=bool)
        if attn_mask is not None:
            mask = _added("attn_mask", attn_mask)
            if mask.ndim == 3:
                mask = mask.reshape(n, self.num_heads, length, sources)
        if key_padding_mask is not None:
            padding = _added("key_padding_mask", key_padding_mask)
            padding = padding.reshape(n, 1, 1, sources)
            mask = padding if mask is None else mask + padding
        return mask

    def extra_repr(self) -> str:
        return f"{self.embed_dim}, {self.num_heads}" + (", batch_first=True" if self.batch_first else "")


def _mask_of(who: str, mask: Any, may: str) -> Any:
    """A mask as an array, if it is of booleans or of numbers to be added to scores, which 0 and 1 are not."""
    mask = array(mask)
    if mask.dtype.kind not in "bf":
        raise TypeError(
            f"{who} holds {mask.dtype}, which could be choices or numbers to be added to the scores; for "
            f"choices write mask.astype(bool): True where a query {may} look at a key"
        )
    return mask


def _added(name: str, mask: Any) -> Any:
    """A mask that is True where nothing may be seen as numbers to be added to the scores."""
    mask = _mask_of(f"MultiheadAttention: {name}", mask, "may not")
    return np.where(mask, -np.inf, 0.0) if mask.dtype == bool else mask
