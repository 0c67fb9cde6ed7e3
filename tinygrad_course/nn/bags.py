"""Bags of vectors, and a layer of two inputs: sums over looked-up rows, and x1 · W · x2."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..arraylike import Value
from . import init
from .arguments import array, count_of, fine, settings_of, taken_as
from .embedding import embedding
from .init import Rng
from .module import Module

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Value:
    """Σ input1[i] · weight[k, i, j] · input2[j], plus bias[k].

    Parameters
    ----------
    input1 : Value or array of shape (..., in1)
    input2 : Value or array of shape (..., in2)
    weight : Value or array of shape (out, in1, in2)
    bias : Value or array of shape (out,), optional

    Returns
    -------
    Value or array of shape (..., out)

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> bilinear([[1.0, 2.0]], [[3.0]], [[[1.0], [10.0]]])
    array([[63.]])
    """
    input1, input2, weight = array(input1), array(input2), array(weight)
    wanted = (*input1.shape[-1:], *input2.shape[-1:])
    if weight.ndim != 3 or weight.shape[1:] != wanted or input1.shape[:-1] != input2.shape[:-1]:
        raise ValueError(
            f"bilinear: inputs of shapes {input1.shape} and {input2.shape} take a weight (out, in1, in2) "
            f"that ends in {wanted}, not {weight.shape}, and agree in all axes but the last"
        )
    out = _numpy.einsum("...i,kij,...j->...k", input1, weight, input2)
    return out if bias is None else out + array(bias)


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    mode: str = "mean",
    *,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Value:
    """For every bag of whole numbers the mean, the sum or the maximum of the rows that they name.

    Parameters
    ----------
    input : array of int of shape (bags, length) or (numbers,)
        Row numbers; all bags of one length, or one after the other.
    weight : Value or array of shape (num_embeddings, embedding_dim)
        The table.
    offsets : array of int of shape (bags,)
        Where each bag begins, if the numbers stand one after the other.
    mode : {"mean", "sum", "max"}
        What is made of a bag's rows; an empty bag gives zeros.
    per_sample_weights : Value or array in the shape of `input`, optional
        Factors of the rows, for sums.
    include_last_offset : bool
        Whether the last offset is where the last bag ends.
    padding_idx : int, optional
        Rows of this number do not count.

    Returns
    -------
    Value or array of shape (bags, embedding_dim)

    Raises
    ------
    ValueError
        If shapes do not fit, or there is no such mode.

    Examples
    --------
    >>> import numpy as np
    >>> table = np.array([[1.0], [2.0], [4.0]])
    >>> embedding_bag(np.array([0, 1, 2]), table, np.array([0, 1]), mode="sum")
    array([[1.],
           [6.]])
    """
    input, weight = array(input), array(weight)
    if mode not in ("mean", "sum", "max"):
        raise ValueError(f"embedding_bag: mode is 'mean', 'sum' or 'max', not {mode!r}")
    if per_sample_weights is not None and (mode != "sum" or per_sample_weights.shape != input.shape):
        raise ValueError("embedding_bag: per_sample_weights are for mode='sum', one for each number")
    bag_of, bags = _bags(input, offsets, include_last_offset)
    numbers = input.reshape(-1)
    rows = embedding(numbers, weight)
    counted = np.ones(numbers.shape, bool)
    if padding_idx is not None:
        counted = numbers != padding_idx % weight.shape[0]
    member = (bag_of == np.arange(bags)[:, None]) & counted  # (bags, numbers)
    counts = member.sum(1, keepdims=True)
    if mode == "max":
        inside = _numpy.where(member[..., None], rows, -np.inf)
        plain = inside.numpy() if isinstance(inside, Value) else inside
        if not numbers.size:
            return _numpy.zeros((bags, weight.shape[1]), weight.dtype)
        first = np.argmax(plain, axis=1)[:, None]
        largest = _numpy.squeeze(_numpy.take_along_axis(inside, first, 1), 1)
        return _numpy.where(counts > 0, largest, 0.0)
    shares: Any = member.astype(weight.dtype)
    if mode == "mean":
        shares = shares / np.maximum(counts, 1).astype(weight.dtype)
    elif per_sample_weights is not None:
        shares = shares * _numpy.reshape(taken_as(per_sample_weights, weight), (1, -1))
    return _numpy.matmul(shares, rows)


def _bags(input: Any, offsets: Any, include_last_offset: bool) -> tuple[Any, int]:
    """Which bag each number belongs to, and how many bags there are."""
    if input.ndim == 2 and offsets is None:
        return np.repeat(np.arange(input.shape[0]), input.shape[1]), input.shape[0]
    if input.ndim != 1 or offsets is None:
        raise ValueError(
            f"embedding_bag: input is (bags, length) without offsets, or (numbers,) with them, not "
            f"{input.shape} {'without' if offsets is None else 'with'} them"
        )
    starts = array(offsets)
    ends = np.append(starts[1:], starts[-1:] if include_last_offset else len(input))
    starts = starts[:-1] if include_last_offset else starts
    fine(_are_starts, starts, len(input))
    bag_of = np.searchsorted(starts, np.arange(len(input)), side="right") - 1
    if include_last_offset and len(starts):
        bag_of = np.where(np.arange(len(input)) < ends[len(starts) - 1], bag_of, -1)
    return bag_of, len(starts)


def _are_starts(starts: Any, length: int) -> str:
    if not len(starts) or (starts[0] == 0 and (np.diff(starts) >= 0).all() and starts[-1] <= length):
        return ""
    return f"embedding_bag: offsets rise from 0 up to {length}, and are {starts}"


class Bilinear(Module):
    """`nn.functional.bilinear` with a weight and a bias of its own, which start as PyTorch's do.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> nn.Bilinear(3, 4, 5, rng=0)(np.ones((2, 3)), np.ones((2, 4))).shape
    (2, 5)
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        names = {"in1_features": in1_features, "in2_features": in2_features, "out_features": out_features}
        in1, in2, out = (count_of("Bilinear", name, n) for name, n in names.items())
        self.in1_features, self.in2_features, self.out_features = in1, in2, out
        rng, bound = np.random.default_rng(rng), 1 / math.sqrt(in1) if in1 else 0.0
        self.weight = init.uniform_(
            Value(np.empty((out, in1, in2), dtype), name="weight"), -bound, bound, rng=rng
        )
        self.bias = None
        if bias:
            self.bias = init.uniform_(Value(np.empty(out, dtype), name="bias"), -bound, bound, rng=rng)

    def forward(self, input1: Any, input2: Any) -> Value:
        return bilinear(taken_as(input1, self.weight), taken_as(input2, self.weight), self.weight, self.bias)

    def extra_repr(self) -> str:
        return settings_of(self)


class EmbeddingBag(Module):
    """`nn.functional.embedding_bag` with a table of its own.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import nn
    >>> nn.EmbeddingBag(10, 3, mode="sum", rng=0)(np.array([[1, 2], [4, 4]])).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        mode: str = "mean",
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        self.num_embeddings = count_of("EmbeddingBag", "num_embeddings", num_embeddings)
        self.embedding_dim = count_of("EmbeddingBag", "embedding_dim", embedding_dim)
        self.mode, self.include_last_offset, self.padding_idx = mode, include_last_offset, padding_idx
        self.weight = Value(np.empty((num_embeddings, embedding_dim), dtype), name="weight")
        init.normal_(self.weight, rng=rng)
        if padding_idx is not None:
            self.weight.data[padding_idx] = 0.0

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Value:
        return embedding_bag(
            input,
            self.weight,
            offsets,
            self.mode,
            per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset,
            padding_idx=self.padding_idx,
        )

    def extra_repr(self) -> str:
        return settings_of(self)
