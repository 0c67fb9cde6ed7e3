"""The checkers judge a table of rules: no wrong one passes and no right one is blamed, at any magnitude.

A function of one number is tried as ``scale * f(x / place)``, so that its results are as large as `scale` and
its features as far apart as `place`; one of several arrays, on arrays of each magnitude.  What holds at 1 has
to hold at 1e-8 and at 1e8, for Python floats, in double and in single precision, in results of any nesting.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from tinygrad_course import derivative, gradcheck, gradgradcheck
from tinygrad_course.testing import arrays, check_operation

MAGNITUDES = [1e-8, 1e-4, 1.0, 1e4, 1e8]
SCALES = {(m, p) for m in MAGNITUDES for p in (1.0, m, 1 / m)} | {(1.0, m) for m in MAGNITUDES}

# Functions of one number: the function, its slope, and what a student may take for its slope
NUMBERS = {
    "sine": (np.sin, np.cos, {"sign": lambda x: -np.cos(x), "itself": np.sin, "1": np.ones_like}),
    "cosine": (np.cos, lambda x: -np.sin(x), {"sign": np.sin, "half": lambda x: -np.sin(x) / 2}),
    "exponential": (np.exp, np.exp, {"as a power": lambda x: x * np.exp(x - 1), "1": np.ones_like}),
    "tanh": (
        np.tanh,
        lambda x: 1 - np.tanh(x) ** 2,
        {"x for out": lambda x: 1 - x**2, "no square": lambda x: 1 - np.tanh(x), "0": np.zeros_like},
    ),
    "sigmoid": (
        lambda x: 1 / (1 + np.exp(-x)),
        lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
        {
            "no second factor": lambda x: 1 / (1 + np.exp(-x)),
            "off by 0.1 %": lambda x: 1.001 * np.exp(-x) / (1 + np.exp(-x)) ** 2,
        },
    ),
    "square": (
        np.square,
        lambda x: 2 * x,
        {"no factor": lambda x: x, "0": np.zeros_like, "twice": lambda x: 4 * x},
    ),
    "cube": (lambda x: x**3, lambda x: 3 * x**2, {"no factor": np.square, "power": lambda x: 3 * x**3}),
    "inverse": (
        lambda x: 1 / x,
        lambda x: -1 / x**2,
        {"sign": lambda x: 1 / x**2, "power": lambda x: -1 / x},
    ),
    "logarithm": (
        np.log,
        lambda x: 1 / x,
        {"base 2": lambda x: 1 / (x * np.log(2)), "0": np.zeros_like},
    ),
    "root": (
        np.sqrt,
        lambda x: 0.5 / np.sqrt(x),
        {"no half": lambda x: 1 / np.sqrt(x), "not inverse": lambda x: 0.5 * np.sqrt(x)},
    ),
    "arctan": (
        np.arctan,
        lambda x: 1 / (1 + x**2),
        {"squared": lambda x: 1 / (1 + x**2) ** 2, "root": lambda x: 1 / np.sqrt(1 + x**2)},
    ),
    "linear": (
        lambda x: 3 * x,
        lambda x: 3 + 0 * x,
        {
            "0": np.zeros_like,
            "off by 0.01 %": lambda x: 3.0003 + 0 * x,
            "nan": lambda x: x + np.nan,
            "infinite": lambda x: x + np.inf,
        },
    ),
    "relu": (
        lambda x: np.maximum(x - 1, 0),
        lambda x: 1.0 * (x > 1),
        {
            "everywhere": np.ones_like,
            "leaky": lambda x: np.where(x > 1, 1, 0.01),
            "before the kink": lambda x: 1.0 * (x > 0.25),
        },
    ),
    "absolute": (
        lambda x: np.abs(x - 1),
        lambda x: np.sign(x - 1),
        {
            "1": np.ones_like,
            "rounded": lambda x: (x - 1) / (np.abs(x - 1) + 1e-2),
            "0": np.zeros_like,
        },
    ),
    "bell": (
        lambda x: np.exp(-(x**2)),
        lambda x: -2 * x * np.exp(-(x**2)),
        {"no factor": lambda x: -x * np.exp(-(x**2)), "no chain": lambda x: np.exp(-(x**2))},
    ),
    "1 + x": (lambda x: 1 + x, np.ones_like, {"0": np.zeros_like, "x": lambda x: x}),
    "softplus": (
        lambda x: np.log(1 + np.exp(x)),
        lambda x: 1 / (1 + np.exp(-x)),
        {"tanh": np.tanh, "mirrored": lambda x: 1 / (1 + np.exp(x))},
    ),
    "power 10": (lambda x: x**10, lambda x: 10 * x**9, {"no factor": lambda x: x**9}),
    "constant": (lambda x: 2 + 0 * x, np.zeros_like, {"1": np.ones_like}),
}


def scaled(f, slope, scale, place):
    """``scale * f(x / place)`` with the rule that `slope`, the derivative of f, makes for it."""
    return derivative(
        lambda x: scale * f(x / place), lambda g, out, x: g * (scale / place) * slope(x / place)
    )


def points(place):
    """Around the same place: a Python float, double and single precision."""
    yield 0.75 * place
    yield place * np.array([[0.5], [1.25]])
    yield (place * np.array([0.375, 1.5])).astype(np.float32)


SLIPS = [(name, slip) for name, row in NUMBERS.items() for slip in row[2]]


@pytest.mark.parametrize("name", NUMBERS)
def test_right_slopes_pass_at_every_magnitude(name):
    f, slope, _ = NUMBERS[name]
    for scale, place in SCALES:
        for x in points(place):
            assert gradcheck(scaled(f, slope, scale, place), x)
            assert gradgradcheck(lambda x, s=scale, p=place: s * f(x / p), x)


@pytest.mark.parametrize(("name", "slip"), SLIPS)
def test_wrong_slopes_are_caught_at_every_magnitude(name, slip):
    f, _, slips = NUMBERS[name]
    for scale, place in SCALES:
        wrong = scaled(f, slips[slip], scale, place)
        for x in points(place):
            with pytest.raises(AssertionError, match="the rules give"):
                gradcheck(wrong, x)
            with pytest.raises(AssertionError, match="the rules give"):
                gradcheck(lambda x, wrong=wrong: {"a": [(wrong(x), 1.0)]}, x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NUMBERS)
def test_operations_are_judged_at_every_magnitude(name, dtype):
    f, slope, slips = NUMBERS[name]
    for scale, place in [(1.0, 1.0), (1e-8, 1.0), (1e8, 1.0), (1.0, 1e-8), (1.0, 1e8)]:
        inputs = st.tuples(arrays((2,), low=0.25 * place, high=1.5 * place, dtype=dtype))
        rule = lambda d, s=scale, p=place: lambda g, out, x: g * (s / p) * d(x / p)
        operation = lambda x, s=scale, p=place: s * f(x / p)
        check_operation(operation, rule(slope), inputs=inputs, examples=10)
        for slip in slips.values():
            with pytest.raises(AssertionError, match="the rule for argument 0 is wrong"):
                check_operation(operation, rule(slip), inputs=inputs, examples=10)


# Functions of arrays: the function, the shapes of its arguments, its rules, and others for one of them
def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def split(x):
    return x[:1], {"rest": [x[1:], (np.sum(x),)]}


def split_rule(g, out, x):
    return np.concatenate([g[0], g[1]]) + g[2]


def standardised(x):
    d = x - np.mean(x)
    return d / np.sqrt(np.mean(d * d))


def standardised_rule(g, out, x):
    return (g - np.mean(g) - out * np.mean(g * out)) / np.std(x)


ROW, MATRIX, SQUARE = (3,), (2, 3), (2, 2)
ARRAYS = {
    "product": (
        np.multiply,
        [MATRIX, ROW],
        [lambda g, out, x, y: g * y, lambda g, out, x, y: g * x],
        {
            "the other": (0, lambda g, out, x, y: g * x),
            "out": (1, lambda g, out, x, y: g * out),
            "not summed": (1, lambda g, out, x, y: (g * x)[0]),
        },
    ),
    "quotient": (
        np.divide,
        [ROW, MATRIX],
        [lambda g, out, x, y: g / y, lambda g, out, x, y: -g * out / y],
        {"sign": (1, lambda g, out, x, y: g * out / y), "as the first": (1, lambda g, out, x, y: g / y)},
    ),
    "difference": (
        np.subtract,
        [MATRIX, MATRIX],
        [lambda g, out, x, y: g, lambda g, out, x, y: -g],
        {"sign": (1, lambda g, out, x, y: g), "0": (0, lambda g, out, x, y: 0 * g)},
    ),
    "matrix product": (
        np.matmul,
        [MATRIX, (3, 2)],
        [lambda g, out, x, y: g @ y.T, lambda g, out, x, y: x.T @ g],
        {
            "transposed": (0, lambda g, out, x, y: (y @ g).T),
            "mirrored": (1, lambda g, out, x, y: (x.T @ g)[::-1]),
        },
    ),
    "sum": (
        lambda x: np.sum(x, 0),
        [MATRIX],
        [lambda g, out, x: np.broadcast_to(g, x.shape)],
        {"shared": (0, lambda g, out, x: np.broadcast_to(g / 2, x.shape))},
    ),
    "mean": (
        lambda x: np.mean(x, 1),
        [MATRIX],
        [lambda g, out, x: np.broadcast_to(g[:, None] / 3, x.shape)],
        {"of the other axis": (0, lambda g, out, x: np.broadcast_to(g[:, None] / 2, x.shape))},
    ),
    "maximum": (
        np.max,
        [ROW],
        [lambda g, out, x: g * (x == out)],
        {"everywhere": (0, lambda g, out, x: g + 0 * x), "first": (0, lambda g, out, x: g * (x == x[0]))},
    ),
    "sorted": (
        lambda x: np.sort(x),
        [ROW],
        [lambda g, out, x: g[np.argsort(np.argsort(x))]],
        {"unsorted": (0, lambda g, out, x: g), "once": (0, lambda g, out, x: g[np.argsort(x)])},
    ),
    "running sum": (
        np.cumsum,
        [ROW],
        [lambda g, out, x: np.cumsum(g[::-1])[::-1]],
        {"forwards": (0, lambda g, out, x: np.cumsum(g))},
    ),
    "transpose": (
        np.transpose,
        [MATRIX],
        [lambda g, out, x: g.T],
        {"reshaped": (0, lambda g, out, x: np.reshape(g, x.shape))},
    ),
    "index": (
        lambda x: x[[0, 2, 0]],
        [ROW],
        [lambda g, out, x: np.array([g[0] + g[2], 0 * g[0], g[1]])],
        {"last wins": (0, lambda g, out, x: np.array([g[2], 0 * g[0], g[1]]))},
    ),
    "nested": (split, [ROW], [split_rule], {"tail": (0, lambda g, out, x: np.concatenate([g[0], g[1]]))}),
    "length": (
        np.linalg.norm,
        [ROW],
        [lambda g, out, x: g * x / out],
        {"squared": (0, lambda g, out, x: g * x), "sign": (0, lambda g, out, x: g * np.sign(x))},
    ),
    "standardised": (
        standardised,
        [ROW],
        [standardised_rule],
        {
            "fixed statistics": (0, lambda g, out, x: g / np.std(x)),
            "fixed deviation": (0, lambda g, out, x: (g - np.mean(g)) / np.std(x)),
        },
    ),
    "solved": (
        np.linalg.solve,
        [SQUARE, (2,)],
        [
            lambda g, out, a, b: -np.outer(np.linalg.solve(a.T, g), out),
            lambda g, out, a, b: np.linalg.solve(a.T, g),
        ],
        {
            "sign": (0, lambda g, out, a, b: np.outer(np.linalg.solve(a.T, g), out)),
            "not transposed": (1, lambda g, out, a, b: np.linalg.solve(a, g)),
        },
    ),
    "determinant": (
        np.linalg.det,
        [SQUARE],
        [lambda g, out, a: g * out * np.linalg.inv(a).T],
        {"not transposed": (0, lambda g, out, a: g * out * np.linalg.inv(a))},
    ),
    "softmax of 1": (
        lambda x: softmax(x / np.max(x)),
        [(1,)],
        [lambda g, out, x: 0 * g],
        {"as if alone": (0, lambda g, out, x: g * out * (1 - out / 2))},
    ),
    "both powers": (
        lambda x, y: x**2 * y**3,
        [ROW, ROW],
        [lambda g, out, x, y: 2 * g * x * y**3, lambda g, out, x, y: 3 * g * x**2 * y**2],
        {"swapped": (1, lambda g, out, x, y: 2 * g * x**2 * y**2)},
    ),
}
ARRAY_SLIPS = [(name, slip) for name, row in ARRAYS.items() for slip in row[3]]


def places(shapes, magnitude, dtype):
    rng = np.random.default_rng(len(shapes))
    return [(magnitude * rng.uniform(0.5, 2.0, shape)).astype(dtype) for shape in shapes]


def operation(function, rules):
    """`function` with these rules; where it gives several arrays, one operation that gives a flat tuple."""
    if function is not split:
        return derivative(lambda *xs: function(*xs), *rules)
    flat = derivative(lambda x: (x[:1], x[1:], np.sum(x)), *rules)

    def nested(x):
        first, rest, total = flat(x)
        return first, {"rest": [rest, (total,)]}

    return nested


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("magnitude", MAGNITUDES)
@pytest.mark.parametrize("name", ARRAYS)
def test_right_rules_of_arrays_pass(name, magnitude, dtype):
    function, shapes, rules, _ = ARRAYS[name]
    if magnitude == 1e8 and name == "both powers":
        magnitude = 1e7
    assert gradcheck(operation(function, rules), *places(shapes, magnitude, dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("magnitude", MAGNITUDES)
@pytest.mark.parametrize(("name", "slip"), ARRAY_SLIPS)
def test_wrong_rules_of_arrays_are_caught(name, slip, magnitude, dtype):
    function, shapes, rules, slips = ARRAYS[name]
    k, wrong = slips[slip]
    with pytest.raises((AssertionError, ValueError), match=f"argument {k}|a rule gave a gradient of shape"):
        gradcheck(
            operation(function, [*rules[:k], wrong, *rules[k + 1 :]]), *places(shapes, magnitude, dtype)
        )


def test_magnitudes_may_be_mixed():
    x = np.array([1e8, 1.0, 1e-8])
    assert gradcheck(np.square, x) and gradgradcheck(np.square, x)
    for k, entry in enumerate(x):
        wrong = derivative(lambda x: x * x, lambda g, out, x, e=entry: g * np.where(x == e, x, 2 * x))
        with pytest.raises(AssertionError, match=f"argument 0, entry {k}"):
            gradcheck(wrong, x)


def test_the_table_is_large():
    assert len(SLIPS) + len(ARRAY_SLIPS) >= 60
    assert len(NUMBERS) + len(ARRAYS) >= 37
