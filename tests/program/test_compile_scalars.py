"""Whole numbers and NumPy's scalars as arguments: inputs of a program, or deciding which program it is."""

from __future__ import annotations

import copy
import fractions
import functools
import math
import warnings

import numpy as np
import pytest
from following import X, same

from tinygrad_course import TraceError, Value, compile, emit
from tinygrad_course.nn import functional as F

V, S = Value(np.linspace(0.3, 2.0, 3)), Value(1.7)
NARROW, WHOLE = X.astype(np.float32), np.arange(5, dtype=np.int8)
KINDS = [int, np.float64, np.float32, np.int64, np.int8]


def rebinding(x, n):
    before = n
    n += 1
    return x * n + before


ARITHMETIC = {
    "products": lambda x, n: n * x * n - x / n + n / x,
    "quotients": lambda x, n: x // n + n // x + x % n + n % x,
    "whole numbers": lambda x, n: x * (n // 2) + (n % 3) - abs(-n),
    "halves": lambda x, n: x * (n / 2) + n / 3,
    "of 32 bits": lambda x, n: NARROW * n + n / 2,
    "of 8 bits": lambda x, n: WHOLE * n,
    "quotients of 8 bits": lambda x, n: WHOLE / n,
    "booleans": lambda x, n: (x > 0) * n + (n > 2),
    "functions": lambda x, n: np.hypot(np.maximum(x, n), np.sqrt(n)),
    "choices": lambda x, n: np.where(x > n, x, n) + np.minimum(n, x),
    "values": lambda x, n: (n - V * n * x + x / n).sum(),
    "numbers": lambda x, n: n / S + S / n - S * n + n,
    "values of 32 bits": lambda x, n: Value(NARROW) * n + V / n,
    "choices of values": lambda x, n: np.where(x > 0, np.maximum(V, n), n),
    "a Value of it": lambda x, n: Value(n, requires_grad=False) * V * NARROW,
    "results": lambda x, n: (n, n + 1, x * n),
    "rebinding": rebinding,
}


@functools.cache
def doubled(n):
    return 2 * n


def matched(n):
    match n:
        case 1:
            return 2.0
        case int():
            return 3.0
    return 4.0


def swallowing(x, n):
    try:
        return x * 100.0 if n > 2 else x
    except Exception:
        return x * 5.0


def found(n):
    try:
        return {1: 2.0, 2: 3.0}[n]
    except KeyError:
        return 9.0


DECIDING = {
    "powers": lambda x, n: WHOLE**n * 2**n,
    "powers of values": lambda x, n: V**n * S**n,
    "bases": lambda x, n: n**V,
    "a branch": lambda x, n: x * 2.0 if n > 2 else x * 3.0,
    "a chain": lambda x, n: x if 0 < n < 3 else -x,
    "truth": lambda x, n: x if not n - 1 else -x,
    "membership": lambda x, n: x if n in (1, 2) else -x,
    "a set": lambda x, n: x if n in {1, 2} else -x,
    "a key": lambda x, n: x * found(n),
    "get": lambda x, n: x * {1: 2.0, 2: 3.0}.get(n, 7.0),
    "a cache": lambda x, n: x * doubled(n),
    "a pattern": lambda x, n: x * matched(n),
    "swallowing": swallowing,
    "text": lambda x, n: x * len(f"{n}" + str(n) + repr(n) + "%s" % n) * (1.0 if str(n) == "1" else 2.0),  # noqa: UP031
    "a spec": lambda x, n: x * {"1.0": 1.0}.get(f"{n:.1f}", 5.0),
    "conversions": lambda x, n: x * float(n) * int(n) * complex(n).real,
    "mathematics": lambda x, n: x * math.exp(n) + math.sqrt(n),
    "rounding": lambda x, n: x * round(n) + math.floor(n) - divmod(n, 2)[1] + divmod(7, n)[0],
    "extremes": lambda x, n: x * min(n, 2) + max(2, n) * sorted([3, n, 1])[0],
    "complex": lambda x, n: x * (n * 1j).imag,
    "copies": lambda x, n: x * copy.copy(n) * copy.deepcopy([n])[0],
    "its type": lambda x, n: x * type(n)(2) * (2.0 if isinstance(n, int) else 3.0) * n.real,
    "arrays of it": lambda x, n: x * np.array([n, 1, 2]) * np.asarray(n) + np.full(3, n),
    "like": lambda x, n: np.full_like(x, n) + np.stack([n, n, n]),
    "a line": lambda x, n: x * np.linspace(0, n, 3),
    "sums": lambda x, n: x * np.sum(n) + np.mean([n, 2.0]),
    "outer": lambda x, n: np.multiply.outer(x, n),
    "a slope": lambda x, n: F.leaky_relu(V * x, n) + F.softplus(V, n),
    "filled": lambda x, n: np.full_like(V, n) * V,
}
OF_WHOLE_NUMBERS = {
    "rounds": lambda x, n: sum((x * i for i in range(n)), x),
    "indices": lambda x, n: x[n % 3] + V[n % 3] + [x, 2 * x, 3 * x, 4 * x, 5 * x, 6 * x][n],
    "slices": lambda x, n: x[:n].sum() + V[n - 1 :].sum(),
    "repetition": lambda x, n: x * len([0] * n) + len(n * (1, 2)) - len("ab" * n),
    "sizes": lambda x, n: x.sum() + np.zeros(n) + np.arange(n) + np.eye(n),
    "axes": lambda x, n: np.sum(np.multiply.outer(x, x[:2]), axis=n % 2),
    "shapes": lambda x, n: np.reshape(np.tile(x, n), (n, 3)) + np.repeat(x, n).sum(),
    "rolling": lambda x, n: np.roll(V, n) * np.take(x, n % 3),
    "bits": lambda x, n: x * (1 << n) + (n & 1) - (n | 4) * (~n ^ 1),
    "seeds": lambda x, n: x * np.random.default_rng(n).normal(),
}
OF_PYTHONS = {
    "fractions": lambda x, n: x * float(n * fractions.Fraction(1, 2)),
    "residues": lambda x, n: x * pow(n, 2, 5) + n.bit_length(),
    "dropout": lambda x, n: F.dropout(V, 0.5, rng=n),
}


def everything(function, *args):
    """The result, its types, and the gradients that it gives, or what it raises."""
    V.grad = S.grad = None
    try:
        result = function(*args)
    except (ArithmeticError, TypeError, ValueError) as error:
        return type(error)
    parts = result if isinstance(result, tuple) else (result,)
    for part in parts:
        if isinstance(part, Value) and part.requires_grad:
            part.backward(0.5 if type(part.data) is float else np.full(part.shape, 0.5, part.dtype))
    plain = [part.data if isinstance(part, Value) else part for part in parts]
    told = [(type(a), type(b), np.asarray(b).dtype) for a, b in zip(parts, plain)]
    return told, plain, [g for g in (V.grad, S.grad) if g is not None]


def check(function, kind, programs):
    compiled = compile(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for n in (1, 2, 5, 3, 2):
            got, expected = everything(compiled, X, kind(n)), everything(function, X, kind(n))
            if isinstance(got, type):
                assert got == expected
                continue
            assert got[0] == expected[0]
            same(got[1:], expected[1:])
    if not isinstance(got, type):
        assert len(compiled._programs) == programs


@pytest.mark.parametrize("name", ARITHMETIC)
@pytest.mark.parametrize("kind", KINDS)
def test_scalars_that_enter_arithmetic_are_inputs(name, kind):
    check(ARITHMETIC[name], kind, 1)


@pytest.mark.parametrize("name", [*DECIDING, *OF_WHOLE_NUMBERS, *OF_PYTHONS])
@pytest.mark.parametrize("kind", [int, np.float32, np.int64])
def test_where_the_value_decides_there_is_a_program_for_each(name, kind):
    if (kind is not int and name in OF_PYTHONS) or (kind is np.float32 and name in OF_WHOLE_NUMBERS):
        return
    check({**DECIDING, **OF_WHOLE_NUMBERS, **OF_PYTHONS}[name], kind, 4)


def test_one_may_decide_and_another_not():
    def f(x, n, *, scale, offsets):
        return x[:n] * scale["by"] + offsets[0] * offsets[1]

    compiled = compile(f)
    for n, by, offset in [(1, 2, 3.0), (1, 3, 4.0), (2, 4, 5.0), (2, 5, 6.0)]:
        for kind in (int, np.float64):
            given = {"scale": {"by": kind(by)}, "offsets": [np.float64(offset), 2]}
            same(compiled(X, n, **given), f(X, n, **given))
    assert len(compiled._programs) == 4


def test_arguments_in_lists_and_tuples_are_told_apart_by_value():
    f = compile(lambda x, shape: np.broadcast_to(x, shape).sum())
    for shape in ((2, 3), (4, 3), (2, 3)):
        same(f(X, shape), np.broadcast_to(X, shape).sum())
    assert len(f._programs) == 2


def test_a_branch_that_is_met_later():
    mode = {"sized": False}

    def f(x, n):
        return x[:n].sum() if mode["sized"] else x.sum() * n

    compiled = compile(f)
    for sized in (False, True, False, True):
        mode["sized"] = sized
        for n in (1, 2, 3):
            same(compiled(X, n), f(X, n))


def test_piling_up_is_said_once_with_argument_and_line():
    f = compile(lambda x, steps: sum((x for _ in range(steps)), x))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for n in range(7):
            f(X, n)
        assert not told
        for n in range(20):
            f(X, n)
    assert [w.category for w in told] == [RuntimeWarning]
    text = str(told[0].message)
    assert "8 values of the argument steps, in " in text and "test_compile_scalars.py:" in text
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g = compile(lambda x, n: x * n)
        for n in range(40):
            same(g(X, n), X * n)
    assert len(g._programs) == 1


def test_what_depends_on_data_as_well_is_refused():
    with pytest.raises(TraceError, match="branches on a value"):
        compile(lambda x, n: x if x.sum() > n else -x)(X, 2)


def test_a_printed_program_takes_the_number_or_is_for_its_value():
    text = emit(lambda x, n: (x * n).sum(), Value(X, name="x"), 2)
    assert "def function(x, n)" in text
    text = emit(lambda x, n: (x**n).sum(), Value(X, name="x"), 2)
    assert "def function(x)" in text and "2" in text
    for target in ("torch", "javascript", "latex"):
        assert " n" in emit(lambda x, n: (x * n).sum(), Value(X, name="x"), 2, target=target)
