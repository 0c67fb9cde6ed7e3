"""Whole numbers as vectors: looked up in a table that is learned, or one-hot."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..arraylike import Value
from ..arraylike.foreign import is_lazy, looked_at
from ..derivatives import neural
from ..engine.table import nondifferentiable
from ..transforms import custom_derivative
from . import init
from .arguments import array, count_of
from .init import Rng
from .module import Module


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
) -> Value:
    """The rows of `weight` that the whole numbers `input` name.

    Parameters
    ----------
    input : array of int
        Row numbers, in any shape.
    weight : Value or array of shape (num_embeddings, embedding_dim)
        The table.
    padding_idx : int, optional
        The row of this number gets no gradient.
    max_norm : float, optional
        The rows that are named and longer than this are shortened first, in the table itself.
    norm_type : float
        The p of the p-norm that `max_norm` is for.
    scale_grad_by_freq : bool
        Divide the gradient of each row by how often it is named.

    Returns
    -------
    Value or array of shape (*input.shape, embedding_dim)

    Raises
    ------
    TypeError
        If `input` does not hold integers.
    IndexError
        If there is no row of a number.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import Value
    >>> table = Value([[0.0, 1.0], [2.0, 3.0]])
    >>> embedding(np.array([1, 1, 0]), table).sum().backward()
    >>> table.grad
    array([[1., 1.],
           [2., 2.]])
    """
    input, weight = _whole("embedding", input), array(weight)
    if weight.ndim != 2:
        raise ValueError(f"embedding: weight is a table of two axes, not of shape {weight.shape}")
    rows = weight.shape[0]

    def check(input: Any) -> None:
        if not neural.only_classes(input, rows):
            raise IndexError(
                f"embedding: the rows of the table go from 0 to {rows - 1}, and the numbers given "
                f"{neural.span(input)}"
            )

    input = looked_at(input, check)
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise IndexError(f"embedding: padding_idx={padding_idx} is no row of a table of {rows} rows")
        padding_idx %= rows
    if max_norm is not None:
        _shorten(input, weight, max_norm, norm_type)
    out = neural.embedding(input, weight, padding_idx)
    return _by_frequency(out, _times(input)) if scale_grad_by_freq else out


def _times_of(input: Any) -> Any:
    """How often each of the numbers stands in `input`."""
    _, which, counts = np.unique(input, return_inverse=True, return_counts=True)
    return counts[which.reshape(np.shape(input))]


(_times,) = nondifferentiable(_times_of)
_by_frequency = custom_derivative(
    lambda x, times: x * 1.0, vjp=lambda g, out, x, times: (g / times[..., None].astype(g.dtype), None)
)


def _shorten(input: Any, weight: Any, max_norm: float, norm_type: float) -> None:
    """Give rows of the table that are named and longer than `max_norm` this length, as PyTorch does it."""
    if isinstance(weight, Value) and weight.row is not None:
        raise TypeError("embedding: max_norm changes the table itself, which is a result; give a leaf")
    table = weight.data if isinstance(weight, Value) else weight
    norm = np.linalg.norm(table, norm_type, 1, keepdims=True)
    named = np.isin(np.arange(len(table)), input)[:, None]
    short = np.where(named & (norm > max_norm), table * (max_norm / (norm + 1e-7)), table)
    if isinstance(weight, Value):
        weight.data = short
    else:
        weight[...] = short


def one_hot(input: Any, num_classes: int = -1) -> NDArray[np.int64]:
    """For each number a vector of zeros with a 1 at its place.

    Parameters
    ----------
    input : array of int
        Class numbers, in any shape.
    num_classes : int
        The length of the vectors: one more than the largest number, if not given.

    Returns
    -------
    array of int of shape (*input.shape, num_classes)

    Raises
    ------
    TypeError
        If `input` does not hold integers.
    ValueError
        If a number is negative or too large.

    Examples
    --------
    >>> one_hot([1, 0], 3)
    array([[0, 1, 0],
           [1, 0, 0]])
    """
    input = _whole("one_hot", input)
    if num_classes == -1:
        if not input.size:
            raise ValueError(
                "one_hot: there are no numbers to tell how many classes there are; say num_classes"
            )
        if is_lazy(input):
            raise TypeError("one_hot: how many classes a Dask array has is not known yet; say num_classes")
        num_classes = int(input.max()) + 1

    def check(input: Any) -> None:
        if not neural.only_classes(input, num_classes):
            raise ValueError(
                f"one_hot: the numbers of {num_classes} classes go from 0 to {num_classes - 1}, and those "
                f"given {neural.span(input)}"
            )

    return (looked_at(input, check)[..., None] == np.arange(num_classes)).astype(np.int64)


def _whole(who: str, input: Any) -> Any:
    input = array(input)
    if isinstance(input, Value) or input.dtype.kind not in "iu":
        raise TypeError(
            f"{who}: the numbers to look up are integers in a plain array, and these are {input.dtype}; "
            "convert them with .astype(int)"
        )
    return input


class Embedding(Module):
    """A table of vectors that are learned, one for each whole number from 0 on.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        How many vectors, and how long.
    padding_idx : int, optional
        This row is zero and stays so.
    max_norm, norm_type, scale_grad_by_freq
        As for `nn.functional.embedding`.
    dtype : dtype
        The precision.
    rng : int or Generator, optional
        Where the initial vectors come from: they are normally distributed.

    Examples
    --------
    >>> from tinygrad_course import nn
    >>> letters = nn.Embedding(27, 10, rng=0)
    >>> letters([[0, 5, 13]]).shape
    (1, 3, 10)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        self.padding_idx, self.max_norm = padding_idx, max_norm
        self.norm_type, self.scale_grad_by_freq = norm_type, scale_grad_by_freq
        num_embeddings = count_of("Embedding", "num_embeddings", num_embeddings)
        embedding_dim = count_of("Embedding", "embedding_dim", embedding_dim)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.weight = Value(np.empty((num_embeddings, embedding_dim), dtype), name="weight")
        init.normal_(self.weight, rng=rng)
        if padding_idx is not None:
            self.weight.data[padding_idx] = 0.0

    def forward(self, input: Any) -> Value:
        """The vectors of the numbers in `input`."""
        options = self.max_norm, self.norm_type, self.scale_grad_by_freq
        return embedding(input, self.weight, self.padding_idx, *options)

    def extra_repr(self) -> str:
        rows, length = self.weight.shape
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False}
        told = [f", {k}={getattr(self, k)}" for k, v in usual.items() if getattr(self, k) != v]
        return f"{rows}, {length}" + "".join(told)
