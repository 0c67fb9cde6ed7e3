"""Every operation that its row writes for ONNX gives there what NumPy gives, or says that it cannot."""

from __future__ import annotations

import numpy as np
import pytest
import rows  # noqa: F401 (fills CASES)
from hypothesis import given, settings
from hypothesis import strategies as st
from onnxing import data, run, same
from rows.registry import CASES, ROWS, fixed, name_of

from tinygrad_course import TraceError, derivative, emit
from tinygrad_course.trees import mapped

WRITTEN = [f for f, row in ROWS.items() if row.onnx and any(case.function is f for case in CASES)]


def is_array(argument):
    """Whether an argument, or each part of it, is an array or a float, so that a model is given it anew."""
    parts = argument if isinstance(argument, (list, tuple)) else [argument]
    return len(parts) > 0 and all(isinstance(part, (np.ndarray, float)) for part in parts)


def single(x):
    return x.astype(np.float32) if getattr(x, "dtype", None) == np.float64 else x


def checked(function, call, seen):
    """Compare one call, in float64, or where onnxruntime lacks that in float32."""
    args = [a.value if isinstance(a, fixed) else a for a in call.args]
    for kind in (lambda x: x, single):
        given = [mapped(kind, a) for a in args]
        arrays = [a for a in given if is_array(a)]

        def f(*anew, given=given):
            following = iter(anew)
            return function(*[next(following) if is_array(a) else a for a in given], **call.kwargs)

        try:
            model = emit(f, *arrays, target="onnx", batch=None)
        except TraceError as error:
            assert "emit: " in str(error) or "compile: " in str(error)
            seen["refused"] += 1
            return
        got, ran = run(model, *data(arrays), reference=False)
        if ran:
            same(got, f(*arrays), 1e-9 if kind is not single else 1e-4, str(call))
            seen["right"] += 1
            return
    seen["not run"] += 1


@pytest.mark.parametrize("function", WRITTEN, ids=name_of)
@pytest.mark.filterwarnings("ignore")
def test_it_gives_the_same_numbers(function):
    seen = {"right": 0, "refused": 0, "not run": 0}

    @settings(max_examples=settings.default.max_examples // 2)
    @given(st.one_of(case.calls for case in CASES if case.function is function))
    def compare(call):
        with np.errstate(all="ignore"):
            checked(function, call, seen)

    compare()
    assert seen["right"] > 0 and seen["not run"] <= seen["right"], seen


X = np.array([[-1.5, 0.0, 2.5], [np.nan, np.inf, -0.5]])
TELLING = {
    "comparisons": lambda x, y: (x == y, x != y, x < y, x <= y, x > 0, y <= 1.0),
    "logic": lambda x, y: (np.logical_and(x > 0, y), np.logical_or(x, y > 0), np.logical_xor(x < 0, y < 0)),
    "not": lambda x, y: (np.logical_not(x), np.logical_not(x > y)),
    "finite": lambda x, y: (np.isfinite(x), np.isinf(x), np.isnan(x)),
    "all and any": lambda x, y: (np.all(x > 0, axis=1), np.any(y, axis=0, keepdims=True), np.any(x < 9)),
    "counts": lambda x, y: (np.count_nonzero(x, axis=1), np.count_nonzero(y > 0)),
    "steps": lambda x, y: (np.sign(y), np.floor(x), np.ceil(y), np.trunc(y), np.rint(x)),
    "places": lambda x, y: (np.argmax(y), np.argmin(y, axis=0), np.argmax(y, axis=1, keepdims=True)),
    "whole numbers": lambda x, y: (np.argmax(y, axis=1) * 2 + 1, np.argmax(y, axis=0) * 0.5, (y > 0) * 3),
    "booleans": lambda x, y: (np.maximum(x > 0, y > 0), (x > 0) * (y > 0), np.where(x > 0, y > 1, y < 0)),
    "mixed": lambda x, y: ((y > 0) * y - (x > 0), np.where(y > 0, 1, y), np.where(x > 0, 1, 0) + 0.5),
    "nothing": lambda x, y: (x, 1.0, np.ones(2), y, x),
}


@pytest.mark.parametrize("name", TELLING)
def test_what_has_no_slope(name):
    y = np.array([[-1.5, 2.0, 2.5], [3.0, -2.5, 0.0]])
    with np.errstate(all="ignore"):
        got, _ = run(emit(TELLING[name], X, y, target="onnx", batch=None), X, y)
        same(got, TELLING[name](X, y), 0.0)


INDICES = {
    "steps": np.s_[::2, ::-1, 1:-1],
    "single": np.s_[-1, 2],
    "new axes": np.s_[None, 1, ..., None, 0, None],
    "nothing": np.s_[...],
    "a list": np.s_[[0, -1, 1]],
    "inside": np.s_[:, [[0, -1], [2, 1]], 1:],
    "two": np.s_[[0, 1, 0], [2, 0, -1]],
    "two inside": np.s_[:, [[0], [2]], [1, -1]],
    "with a number": np.s_[1, [2, 0], :2],
    "booleans": np.s_[np.array([True, False])],
    "an empty list": np.s_[:, []],
}


@pytest.mark.parametrize("name", INDICES)
def test_indices(name):
    x = np.arange(24.0).reshape(2, 3, 4)
    f = lambda x: x[INDICES[name]] * 1.0
    same(run(emit(f, x, target="onnx", batch=None), x)[0], f(x), 0.0)


def test_indices_that_are_given():
    x, rows_, columns = np.arange(12.0).reshape(3, 4), np.array([2, -1]), np.array([[0], [3]])
    g = lambda x, i, j: (x[i, j], x[:, j], np.take(x, i, axis=1))
    same(
        run(emit(g, x, rows_, columns, target="onnx", batch=None), x, rows_, columns)[0],
        g(x, rows_, columns),
        0,
    )


def test_a_row_of_ones_own_says_how_it_is_written():
    double = derivative(lambda x: np.asarray(x.tolist()) * 2.0, lambda g, out, x: 2.0 * g, onnx="Add(x, x)")
    x = np.array([1.0, -2.0])
    model = emit(lambda x: double(x), x, target="onnx")
    assert [n.op_type for n in model.graph.node] == ["Add"]
    same(run(model, np.arange(5.0))[0], 2 * np.arange(5.0), 0.0)


def test_without_a_fact_the_message_says_what_to_add():
    odd = derivative(lambda x: np.asarray(x.tolist()) * 2.0, lambda g, out, x: 2.0 * g)
    with pytest.raises(
        TraceError, match=r"<lambda> cannot be written in ONNX.*test_emit_onnx_rows.py:\d+.*onnx="
    ):
        emit(lambda x: odd(x), np.ones(2), target="onnx")
    for f, what in (
        (lambda x: np.sort(x), "sort cannot be written"),
        (lambda x: np.sum(x, where=x > 0), r"sum with where=.* cannot be written"),
        (lambda x: np.reshape(x, (4,), order="F"), r"reshape along columns \(order\) cannot"),
        (lambda x: np.linalg.inv(x + np.eye(2)), "inv cannot be written"),
        (lambda x: np.negative(x > 0) if False else x[x.argmax(0) > 0], "depends on the data"),
    ):
        with pytest.raises(TraceError, match=what):
            emit(f, np.ones((2, 2)), target="onnx", batch=None)
