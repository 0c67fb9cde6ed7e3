"""Random graphs, and a digest of the results and gradients of each: run once with either engine."""

from __future__ import annotations

import hashlib
import sys
from importlib import import_module

import numpy as np

from tinygrad_course import Value, grad
from tinygrad_course.engine import backprop
from tinygrad_course.nn import functional as F

UNARY = [
    np.tanh, np.sin, np.exp, np.log, np.sqrt, np.negative, np.square, np.absolute, np.reciprocal, F.relu,
    F.sigmoid, np.transpose, np.cumsum, lambda x: x.sum(), lambda x: x.mean(), lambda x: np.reshape(x, -1),
    lambda x: x**2, lambda x: 2 / x, lambda x: x * 0.5 - 1,
    lambda x: F.softmax(x, axis=-1) if np.ndim(x) else x,
]  # fmt: skip
BINARY = [
    np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.hypot, np.arctan2, np.logaddexp,
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / y, np.power,
    lambda x, y: np.where(np.asarray(getattr(x, "data", x)) > 0, x, y),
    lambda x, y: F.linear(x, y) if fits(x, y) else x,
]  # fmt: skip


def fits(x, y):
    return np.ndim(x) == np.ndim(y) == 2 and np.shape(x)[1] == np.shape(y)[1]


def leaf(rng, kind):
    """A number, or an array of one of few shapes and dtypes, with zeros among its entries."""
    if kind == "number":
        return Value(float(np.round(rng.normal(), 1)))
    shape = [(3,), (2, 3), (1, 3), (2, 1), (), (1,), (3, 3)][rng.integers(7)]
    data = np.round(rng.normal(size=shape), 1).astype(["f8", "f4"][rng.integers(2)])
    return Value(data, requires_grad=bool(rng.random() < 0.85))


def built(rng, values):
    """A few operations on the values; those that NumPy refuses are left out."""
    for _ in range(rng.integers(1, 12)):
        x, y = values[rng.integers(len(values))], values[rng.integers(len(values))]
        if rng.random() < 0.2:
            y = [2, 0.5, np.float64(3.0), np.ones(3, np.float32), np.int64(2), np.float32(0.5)][
                rng.integers(6)
            ]
        try:
            values.append(
                UNARY[rng.integers(len(UNARY))](x)
                if rng.random() < 0.5
                else BINARY[rng.integers(len(BINARY))](x, y)
            )
        except (ValueError, TypeError):
            continue
    return values


def bits(x):
    """The type, shape, dtype and bits of a number or an array; every nan is the same one."""
    data = x.data if isinstance(x, Value) else x
    if data is None:
        return b"none"
    array = np.array(data)
    array[np.isnan(array)] = np.nan
    return f"{type(data).__name__}{array.shape}{array.dtype}".encode() + array.tobytes()


def digest(seed):
    """Of results, of gradients, and of gradients that were recorded and walked once more."""
    rng = np.random.default_rng(seed)
    kinds = [["number"], ["array"], ["number", "array"]][rng.integers(3)]
    leaves = [leaf(rng, kinds[rng.integers(len(kinds))]) for _ in range(rng.integers(1, 4))]
    values = built(rng, list(leaves))
    said = hashlib.sha256()
    result = values[-1]
    for v in values:
        said.update(bits(v))
    if isinstance(result, Value) and result.requires_grad:
        result = result.sum()
        for create_graph in (False, True):
            result.backward(create_graph=create_graph)
            for v in values:
                said.update(bits(v.grad if isinstance(v, Value) else None))
        for v in leaves:
            if isinstance(v.grad, Value) and v.grad.requires_grad:
                g, v.grad = v.grad, None
                (g * g).sum().backward()
                break
        for v in leaves:
            said.update(bits(v.grad))
        if kinds == ["array"]:
            twice = grad(lambda x: (grad(lambda y: (np.tanh(y) * y).sum())(x) ** 2).sum())
            said.update(bits(twice(leaves[0].data)))
    return said.hexdigest()


if __name__ == "__main__":
    if sys.argv[2:] == ["large"]:  # all arrays count as large ones
        import_module("tinygrad_course.fast.walk").LEAST = 0
    with np.errstate(all="ignore"):
        print("plain" if backprop.walk.__module__ == backprop.__name__ else "fast")
        for number in range(int(sys.argv[1])):
            print(digest(number))
