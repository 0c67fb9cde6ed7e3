"""Writing into arrays that a compiled function makes: recorded, or refused with the line."""

from __future__ import annotations

import numpy as np
import pytest
from following import refuses, same

from tinygrad_course import Value, compile, emit

X = np.array([3.0, 1.0, 2.0])
V = Value(np.array([1.0, 2.0, 3.0]))


def entry_by_entry(x):
    out = np.zeros_like(x)
    for i in range(3):
        out[i] = out[i - 1] + x[i] ** 2
    return out


def parts(x):
    out = np.ones_like(x, shape=(2, 3))
    out[0] = x
    out[1, 1:] = out[0, :-1] * out[1, 1:] + x[1:]
    out *= 2.0
    return out


def masks(x):
    out = np.empty_like(x)
    out[:] = 1.0
    out[x > 1.5] = 9.0
    out += x
    return out


def whole_numbers(x):
    out = np.zeros_like(x, dtype=int)
    out[0], out[1] = x[0], 2.7
    return out


def filled(x):
    out = np.full_like(x, x[0])
    out[1:] = out[1:] + x[1:]
    return out


def copies(x):
    out = x.copy()
    out[0] = 5.0
    return out, x * out


def aliases(x):
    out = x * 1.0
    other = [out]
    out[1] = x[0]
    return other[0] + 1.0, out


def used_before(x):
    out = np.zeros_like(x)
    y = x + out
    out[0] = 5.0
    return y, x * out


def constants(x):
    out, places = np.ones(3), np.arange(3)
    y, z = x * out, x[places]
    out[1:][0], places[0] = 7.0, 2
    return y, z, x * out, x[places]


def constants_beside_values(x):
    out = np.ones(3)
    y = V * out
    out[0] = 7.0
    return (y * x * out).sum()


def beside_values(x):
    out = np.zeros_like(x)
    y = V * out
    out[1] = x[0]
    return (y * out).sum() + (V * out).sum()


def numbers(x):
    most = x.max()
    same_number = most
    most += 1.0
    return most, same_number


RIGHT = [
    entry_by_entry, parts, masks, whole_numbers, filled, copies, aliases, used_before, constants,
    constants_beside_values, beside_values, numbers,
]  # fmt: skip


@pytest.mark.parametrize("function", RIGHT)
def test_writing_gives_what_it_gives_without_compile(function):
    compiled = compile(function)
    for x in (X, 2 * X, X):
        found = []
        for f in (compiled, function):
            V.grad = None
            out = f(x.copy())
            if isinstance(out, Value):
                out.backward()
            found.append([out, V.grad] if isinstance(out, Value) else out)
        same(*found)


@pytest.mark.parametrize(
    "function", [np.zeros_like, lambda x: np.arange(3), lambda x: Value(np.ones(3), requires_grad=False)]
)
def test_results_belong_to_the_caller(function):
    compiled = compile(function)
    first = compiled(X)
    before = np.array(getattr(first, "data", first))
    data = first.data if isinstance(first, Value) else first
    data += 1
    same(compiled(X), before)


def write(function):
    """`function` writes into an array and gives another."""

    def written(x):
        out = np.zeros_like(x)
        shown = function(out, x)
        out[0] = x[1]
        return out if shown is None else shown

    return written


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (write(lambda out, x: out[1:][::-1]), "with views"),
        (write(lambda out, x: [out.reshape(3, 1)][0]), "with views"),
        (write(lambda out, x: Value(out[1:], requires_grad=False)), "with views"),
        (lambda x: x.__setitem__(0, 1.0), "an argument"),
        (lambda x: np.zeros(3).__setitem__(0, x[0]), "zeros_like"),
        (lambda x: np.zeros((3, 3)).__setitem__(0, x), "zeros_like"),
        (lambda x: np.zeros_like(x).__setitem__(0, V[0]), r"np.zeros_like\(v\)"),
        (lambda x: np.add(x, 1.0, out=np.zeros_like(x)), "existing array"),
        (lambda x: np.add.at(np.zeros_like(x), [0, 0], x[0]), "existing array"),
        (lambda x: (x * 1.0).sort(), "x.sort"),
        (lambda x: np.zeros_like(x).fill(x[0]), "x.fill"),
    ],
)
def test_what_cannot_be_written_is_refused_with_the_line(function, match):
    refuses(function, X, match=match)


def test_data_of_arguments_may_be_replaced():
    def halved(v):
        v.data = v.data * 0.5
        return (v * v).sum()

    compiled, ours, theirs = compile(halved), Value(X.copy()), Value(X.copy())
    for _ in range(3):
        for f, v in ((compiled, ours), (halved, theirs)):
            v.grad = None
            f(v).backward()
        same([ours.data, ours.grad], [theirs.data, theirs.grad])


def test_printed_programs_write_too():
    text = emit(entry_by_entry, X)
    scope: dict = {}
    exec(text, scope)
    same(scope["entry_by_entry"](X), entry_by_entry(X))
    assert "set_at" in emit(parts, X, target="javascript")
