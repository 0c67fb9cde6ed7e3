"""Random programs of any NumPy functions that have a row: compiled they give the same bits or are refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from rows.registry import ROWS, name_of

from tinygrad_course import TraceError, Value, compile, nn
from tinygrad_course.testing import arrays

ODD = {np.empty_like}  # gives whatever was in memory
FUNCTIONS = sorted((f for f in ROWS if isinstance(f, (np.ufunc, type(np.sum))) and f not in ODD), key=name_of)
COMMON = [np.add, np.multiply, np.tanh, np.transpose, np.sum, np.exp, np.matmul, np.maximum, np.where]
FORMS = {
    "f(x)": lambda f, x, y: f(x),
    "f(x, y)": lambda f, x, y: f(x, y),
    "f([x, y])": lambda f, x, y: f([x, y]),
    "f(x, axis=0)": lambda f, x, y: f(x, axis=0),
    "f(x, x > y, y)": lambda f, x, y: f(x > y, x, y),
    "x[1:]": lambda f, x, y: x[1:],
    "x[::-1]": lambda f, x, y: x[::-1],
    "x.T": lambda f, x, y: x.T,
    "x * 2 - y": lambda f, x, y: x * 2 - y,
    "1 / (1 + x * x)": lambda f, x, y: 1 / (1 + x * x),
}
CANNOT = (TypeError, ValueError, IndexError, RuntimeError, np.linalg.LinAlgError)


def values_in(out):
    """The Values of few numbers, none of them large, in what a function gave."""
    if isinstance(out, (list, tuple)):
        return [v for part in out for v in values_in(part)]
    return [out] if isinstance(out, Value) and 0 < out.size <= 60 else []


def program(steps):
    """A function of two Values that makes the steps and adds up all that came of them."""

    def f(x, y):
        pool = [x, y]
        for function, form, i, j in steps:
            pool += values_in(FORMS[form](function, pool[i], pool[j]))
        return sum(np.sum(v) for v in pool)

    return f


def run(f, inputs):
    """The result and the gradients on fresh Values, as plain data."""
    values = [Value(x) for x in inputs]
    out = f(*values)
    out.backward()
    return [out.data, *(v.grad for v in values)]


@settings(max_examples=max(150, settings().max_examples))
@pytest.mark.filterwarnings("ignore")
@given(data=st.data())
def test_programs_of_numpy_functions_have_the_same_bits(data):
    shape = data.draw(st.sampled_from([(3,), (2, 3), (3, 3), (2, 1, 2), ()]))
    dtype = data.draw(st.sampled_from([float, np.float32]))
    some = arrays(shape, low=0.25, high=2.0, dtype=dtype)  # in any order in memory, and read-only ones
    inputs = [data.draw(some) for _ in range(2)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        steps, pool = [], [Value(x) for x in inputs]
        for _ in range(data.draw(st.integers(1, 7))):
            function = data.draw(st.sampled_from(COMMON) | st.sampled_from(FUNCTIONS))
            form = data.draw(st.sampled_from(list(FORMS)))
            i, j = (data.draw(st.integers(0, len(pool) - 1)) for _ in range(2))
            try:
                new = values_in(FORMS[form](function, pool[i], pool[j]))
            except Exception:  # whatever NumPy itself raises
                continue
            if new and all(np.all(np.abs(v.data) < 1e4) for v in new):
                pool += new
                steps.append((function, form, i, j))
        f = program(steps)
        try:
            expected = run(f, inputs)
        except CANNOT:  # a result without a derivative
            return
        compiled = compile(f)
        told = "\n".join(f"{name_of(g)}: {form} {i} {j}" for g, form, i, j in steps)
        try:
            first = run(compiled, inputs)
        except TraceError as refusal:
            event(str(refusal).split(",")[0][:60])
            return
        event("compiled")
        kept = [np.array(x) for x in first]
        others = [np.asarray(np.abs(x) * 0.75 + 0.1, dtype) for x in inputs]
        try:
            second = run(f, others)
        except CANNOT:
            return
        for got, wanted in (
            (first, expected),
            (run(compiled, others), second),
            (run(compiled, inputs), expected),
        ):
            for a, b in zip(got, wanted, strict=True):
                np.testing.assert_array_equal(a, b, err_msg=told)
                assert np.asarray(a).dtype == np.asarray(b).dtype, told
        for a, b in zip(first, kept, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=f"an earlier result has changed\n{told}")


def test_what_computes_entry_by_entry_in_python_is_one_step():
    f = compile(lambda v: (nn.functional.gelu(v) * v).sum())
    for x in (np.linspace(-2.0, 2.0, 7), np.linspace(-1.0, 3.0, 7)):
        v, w = Value(x), Value(x)
        f(v).backward()
        (nn.functional.gelu(w) * w).sum().backward()
        np.testing.assert_array_equal(v.grad, w.grad)
    assert " = _erf(" in f.source
