"""Batch: many arrays of one shape that look like one, so that one walk carries many cotangents at a time.

A batch has the shape of one of its arrays, and NumPy functions called on it work on all of them: to the walk,
and to the rules of the table, it is simply a gradient.  Rules are linear in the gradient, so a batch can be
kept as a sum of terms ``rows * factor``, where `rows` differs from array to array and `factor` is shared.  An
elementwise rule then changes only the small factor, and what is the same all along an axis is stored once.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..derivatives import TABLE, Row, cast, indexing, total

Term = tuple[Any, Any]
"""Rows of shape (n, ...), with the axes of the batch, of length 1 where stretched; a factor or None."""

MOST_TERMS = 6
"""A sum of more terms is added up."""

SHORT = 2
"""A matrix product over so few is kept as that many terms."""


class Batch(NDArrayOperatorsMixin):
    """`n` arrays of one `shape`: ``Batch.of(rows)`` holds ``rows[0], rows[1], ...``.

    Examples
    --------
    >>> batch = Batch.of(np.eye(2))
    >>> (batch * np.array([3.0, 4.0]) + batch).rows
    array([[4., 0.],
           [0., 5.]])
    """

    __slots__ = ("_terms", "dtype", "n", "shape")

    def __init__(self, n: int, shape: tuple[int, ...], dtype: Any, terms: list[Term]) -> None:
        self.n, self.shape, self.dtype, self._terms = n, shape, dtype, terms

    @classmethod
    def of(cls, rows: Any) -> Batch:
        """The batch of the arrays in `rows`; without a term if all are zero."""
        return cls(len(rows), rows.shape[1:], rows.dtype, [(rows, None)] if rows.any() else [])

    @property
    def rows(self) -> Any:
        """The arrays, side by side along a new first axis."""
        full = (self.n, *self.shape)
        if len(self._terms) == 1 and self._terms[0][1] is None and self._terms[0][0].shape == full:
            return self._terms[0][0].astype(self.dtype, copy=False)
        rows = np.zeros(full, self.dtype)
        for term in self._terms:
            rows += _product(*term)
        self._terms = [(rows, None)]
        return rows

    @property
    def ndim(self) -> int:
        """The number of axes of each array."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of entries of each array."""
        return int(np.prod(self.shape))

    @property
    def T(self) -> Batch:
        """Every array transposed."""
        return _transpose(self)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        index = index if isinstance(index, tuple) else (index,)
        if _keeps_first_axis(index):
            return Batch.of(self.rows[(slice(None), *index)])
        return looped(operator.getitem, [self, index])

    def __bool__(self) -> bool:
        raise TypeError("a batch of gradients is neither true nor false")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("a batch of gradients is not one array")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if "out" in kwargs:
            raise TypeError(f"{ufunc.__name__}: a rule does not write into a gradient")
        if method != "__call__" or kwargs:
            return looped(getattr(ufunc, method), inputs, **kwargs)
        return _computed(TABLE.get(ufunc), ufunc, inputs, kwargs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return _computed(TABLE.get(function), function, args, kwargs)

    @staticmethod
    def apply_row(row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """For the functions of our own (see derivatives.table)."""
        return _computed(row, row.function, args, kwargs)


def _computed(row: Row | None, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """What a function gives, as its row knows it, or else from one array after the other."""
    if row is None:
        return looped(function, args, **kwargs)
    if row.shapes_only:
        return function(*_each(args, _example), **_each(kwargs, _example))
    out = row.batched(*args, **kwargs) if row.batched else None
    if out is None and row.elementwise and not kwargs and getattr(function, "nout", 1) == 1:
        out = _elementwise(function, *args)
    return looped(function, args, **kwargs) if out is None else out


def batched(*functions: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate what computes some operations of the table on batches."""

    def register(rule: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            TABLE[function].batched = rule
        return rule

    return register


def looped(function: Callable[..., Any], args: Sequence[Any], **kwargs: Any) -> Any:
    """`function`, whatever it does, on one array after the other."""
    results = []
    for i in range(_length([args, kwargs])):
        args_i, kwargs_i = _each([list(args), kwargs], lambda x, i=i: x.rows[i])  # type: ignore[misc]
        results.append(function(*args_i, **kwargs_i))
    if isinstance(results[0], (tuple, list)):
        return type(results[0])(Batch.of(np.stack(parts)) for parts in zip(*results, strict=True))
    return Batch.of(np.stack(results))


def _length(tree: Any) -> int:
    """How many arrays the batches in `tree` hold."""
    if isinstance(tree, Batch):
        return tree.n
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, (list, tuple)) else ()
    return max(map(_length, parts), default=0)


def _each(tree: Any, function: Callable[[Batch], Any]) -> Any:
    """`tree` with what `function` makes of it in place of every batch."""
    if isinstance(tree, Batch):
        return function(tree)
    if isinstance(tree, dict):
        return {key: _each(part, function) for key, part in tree.items()}
    return type(tree)(_each(part, function) for part in tree) if type(tree) in (list, tuple) else tree


def _example(x: Batch) -> Any:
    """An array like those of a batch."""
    return np.broadcast_to(np.zeros((), x.dtype), x.shape)


# Elementwise operations.  This and what follows returns None for a case that it does not know
def _product(rows: Any, factor: Any) -> Any:
    """``rows * factor``; where a row is 0 so is the product, however steep the function is there."""
    if factor is None:
        return rows
    try:
        with np.errstate(invalid="raise"):
            return rows * factor
    except FloatingPointError:
        with np.errstate(invalid="ignore"):
            return np.where(rows == 0, 0.0, rows * factor)


def _sum_of(f: Any, g: Any) -> Any:
    """The sum of two factors."""
    return (1.0 if f is None else f) + (1.0 if g is None else g)


def _aligned(rows: Any, ndim: int) -> Any:
    """`rows` with axes of length 1 put in after the first, so that each has `ndim` axes."""
    if rows.ndim == ndim + 1:
        return rows
    return rows.reshape(len(rows), *(1,) * (ndim + 1 - rows.ndim), *rows.shape[1:])


def _elementwise(function: Callable[..., Any], *inputs: Any) -> Batch:
    ndim = max(getattr(x, "ndim", 0) for x in inputs)
    return Batch.of(function(*(_aligned(x.rows, ndim) if isinstance(x, Batch) else x for x in inputs)))


@batched(np.broadcast_to)
def _broadcast_to(x: Batch, shape: Any) -> Batch:
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    return Batch(x.n, shape, x.dtype, [(_aligned(rows, len(shape)), f) for rows, f in x._terms])


def _scaled(x: Any, y: Any, operation: Callable[[Any, Any], Any]) -> Batch | None:
    if isinstance(y, Batch):
        return None
    if np.ndim(y) and y.shape != x.shape:
        x = _broadcast_to(x, np.broadcast_shapes(x.shape, y.shape))
    terms = [(rows, operation(1.0 if f is None else f, y)) for rows, f in x._terms]
    return Batch(x.n, x.shape, np.result_type(x.dtype, y), terms)


@batched(np.multiply)
def _multiply(x: Any, y: Any) -> Batch | None:
    return _scaled(x, y, operator.mul) if isinstance(x, Batch) else _scaled(y, x, operator.mul)


@batched(np.divide)
def _divide(x: Any, y: Any) -> Batch | None:
    return _scaled(x, y, operator.truediv)


@batched(np.add)
def _add(x: Any, y: Any) -> Batch | None:
    if not (isinstance(x, Batch) and isinstance(y, Batch)):
        return None
    if x.shape != y.shape:
        shape = np.broadcast_shapes(x.shape, y.shape)
        x, y = _broadcast_to(x, shape), _broadcast_to(y, shape)
    terms = list(x._terms)
    for rows, f in y._terms:
        i = next((i for i, term in enumerate(terms) if term[0] is rows), None)
        if i is None:
            terms.append((rows, f))
        else:
            terms[i] = (rows, _sum_of(terms[i][1], f))
    out = Batch(x.n, x.shape, np.result_type(x.dtype, y.dtype), terms)
    return out if len(terms) <= MOST_TERMS else Batch.of(out.rows)


batched(np.subtract)(lambda x, y: _add(x, -y))
batched(np.negative)(lambda x: _multiply(x, -1.0))
batched(cast)(lambda x, dtype: Batch.of(x.rows.astype(dtype)))


# Matrix products
@batched(np.matmul)
def _matmul(x: Any, y: Any) -> Batch | None:
    if isinstance(x, Batch) and isinstance(y, Batch):
        return None
    if x.ndim == 1:
        return np.matmul(x[None, :], y)[..., 0, :]
    if y.ndim == 1:
        return np.matmul(x, y[:, None])[..., 0]
    if x.shape[-1] == 1 == y.shape[-2]:
        return _multiply(x, y)
    if x.ndim > 2 or y.ndim > 2:
        ndim = max(x.ndim, y.ndim)
        return Batch.of(np.matmul(*(_aligned(z.rows, ndim) if isinstance(z, Batch) else z for z in (x, y))))
    if isinstance(y, Batch):
        return _product_from_left(x, y)
    _gather(x)
    return _transpose(_product_from_left(y.T, _transpose(x)))


def _product_from_left(a: Any, x: Batch) -> Batch:
    """``a @ x`` for a matrix `a` and a batch of matrices, where terms that are stretched need less."""
    (m, s), (_, k) = a.shape, x.shape
    _gather(x)
    terms = []
    for rows, f in x._terms:
        tall, wide = _varies(f)
        if rows.shape[1] < s:  # the same all along the axis that is add over: sum the factor
            terms.append((rows, a @ np.array(np.broadcast_to(1.0 if f is None else f, x.shape))))
        elif not tall and s <= SHORT:  # a sum of few, each the same all along the new axis but for a factor
            parts = [(rows[:, i : i + 1], a[:, i : i + 1]) for i in range(s)]
            terms += [(part, column if f is None else column * f) for part, column in parts]
        elif not tall:
            terms.append((a @ rows, f))
        elif not wide:
            terms.append(((a * f.T) @ rows, None))
        elif rows.shape[2] < k and m <= x.n:  # all that is shared becomes one matrix
            shared = (a.T[:, :, None] * f[:, None, :]).reshape(s, m * k)
            terms.append(((rows[:, :, 0] @ shared).reshape(x.n, m, k), None))
        else:
            terms.append((a @ _product(rows, f), None))
    return Batch(x.n, (m, k), np.result_type(a, x.dtype), terms)


def _varies(f: Any) -> tuple[bool, bool]:
    """Whether the factor of a matrix differs from row to row, and from column to column."""
    shape = (1, 1, *np.shape(f))[-2:]
    return shape[0] > 1, shape[1] > 1


def _gather(x: Batch) -> None:
    """Multiply in the factors that can only be multiplied in, once for all who use `x`."""
    full = [t for t in x._terms if t[0].shape[1:] == x.shape and all(_varies(t[1]))]
    if full:
        rows = _product(*full[0])
        for term in full[1:]:
            rows = rows + _product(*term)
        x._terms = [t for t in x._terms if not any(t is other for other in full)] + [(rows, None)]


# Functions of axes: the first axis of rows belongs to the batch
@batched(np.transpose)
def _transpose(x: Batch, axes: Any = None) -> Batch:
    axes = [a % x.ndim for a in (range(x.ndim)[::-1] if axes is None else axes)]
    moved = (0, *(a + 1 for a in axes))
    terms = [
        (rows.transpose(moved), f if np.ndim(f) == 0 else _aligned(f[None], x.ndim).transpose(moved)[0])
        for rows, f in x._terms
    ]
    return Batch(x.n, tuple(x.shape[a] for a in axes), x.dtype, terms)


@batched(np.swapaxes)
def _swapaxes(x: Batch, first: int, second: int) -> Batch:
    axes = list(range(x.ndim))
    axes[first], axes[second] = axes[second], axes[first]
    return _transpose(x, axes)


@batched(np.reshape)
def _reshape(x: Batch, shape: Any, order: str = "C") -> Batch | None:
    shape = np.empty(x.shape).reshape(shape).shape
    if shape == x.shape:
        return x
    return Batch.of(x.rows.reshape(x.n, *shape)) if order == "C" else None


batched(np.moveaxis)(lambda x, *ends: _transpose(x, np.moveaxis(np.empty(range(x.ndim)), *ends).shape))
batched(np.ravel)(lambda x, order="C": _reshape(x, -1, order))
batched(np.expand_dims)(lambda x, axis: _reshape(x, np.expand_dims(np.empty(x.shape), axis).shape))
batched(np.squeeze)(lambda x, axis=None: _reshape(x, np.squeeze(np.empty(x.shape), axis).shape))


@batched(np.sum, total)
def _sum(x: Any, axis: Any = None, keepdims: bool = False, **more: Any) -> Batch | None:
    if more or not isinstance(x, Batch):
        return None
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(a % x.ndim for a in axes)
    if x.ndim == 2 and len(axes) == 1:  # as a product, which needs less where x is stretched
        ones = np.ones(x.shape[axes[0]], x.dtype)
        out = np.matmul(x, ones[:, None]) if axes[0] else np.matmul(ones[None, :], x)
        return out if keepdims else _reshape(out, x.shape[1 - axes[0]])
    return Batch.of(np.sum(x.rows, axis=tuple(a + 1 for a in axes), keepdims=keepdims))


@batched(np.einsum)
def _einsum(subscripts: Any, *operands: Any, **more: Any) -> Batch | None:
    if not isinstance(subscripts, str) or "->" not in subscripts or "." in subscripts:
        return None
    spare = next(c for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in subscripts)
    inputs, result = subscripts.replace(" ", "").split("->")
    inputs = ",".join(spare + t if isinstance(o, Batch) else t for t, o in zip(inputs.split(","), operands))
    arrays = [o.rows if isinstance(o, Batch) else o for o in operands]
    return Batch.of(np.einsum(f"{inputs}->{spare}{result}", *arrays, **more))


# Indexing
def _slices(part: Any) -> bool:
    return isinstance(part, slice) or part is None or part is Ellipsis


def _keeps_first_axis(index: tuple[Any, ...]) -> bool:
    """Whether a slice can be put before `index`; arrays in it that stand apart move axes to the front."""
    arrays = [i for i, part in enumerate(index) if not _slices(part)]
    whole = all(isinstance(index[i], (int, np.integer)) for i in arrays)
    return whole or arrays == list(range(arrays[0], arrays[0] + len(arrays)))


@batched(indexing.scatter)
def _scatter(x: Batch, index: Any, shape: tuple[int, ...]) -> Batch | None:
    index = index if isinstance(index, tuple) else (index,)
    if not all(_slices(part) or isinstance(part, (int, np.integer)) for part in index):
        return None
    rows = np.zeros((x.n, *shape), x.dtype)
    rows[(slice(None), *index)] = x.rows
    return Batch.of(rows)
