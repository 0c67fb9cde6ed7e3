"""The transforms on every row of the table: many cotangents at once, and forward mode."""

import warnings

import numpy as np
import pytest
import rows  # noqa: F401 (fills CASES)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rows.calling import differentiable, largest, parts, run, weights
from rows.registry import CASES

from tinygrad_course import Value, grad, jacobian, jvp, vjp

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def function_of(case, data):
    """The operation as a function of the arguments that have a gradient, and those arguments."""
    call = data.draw(case.calls)
    places = differentiable(case.row, call.args)
    assume(places and all(np.size(x) for x in places.values()))

    def f(*values):
        return [out for out in parts(run(case, call, dict(zip(places, values)))) if isinstance(out, Value)]

    assume(all(out.size < 40 for out in f(*map(Value, places.values()))))
    return f, list(places.values())


def one_by_one(f, xs):
    """Jacobians from a pullback for every entry of every result."""
    outs, pullback = vjp(f, *xs)
    found = []
    for k, out in enumerate(outs):
        columns = [np.zeros((np.size(out), *np.shape(x))) for x in xs]
        for i in range(np.size(out)):
            units = [np.zeros(np.shape(o)) for o in outs]
            units[k].reshape(-1)[i] = 1.0
            for column, gradient in zip(columns, pullback(units)):
                column[i] = gradient
        found.append([column.reshape(np.shape(out) + np.shape(x)) for column, x in zip(columns, xs)])
    return found


def close(found, right):
    size = max((largest(r) for r in right if np.isfinite(r).all()), default=1.0)
    for a, b in zip(found, right, strict=True):
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11 * size)


@each_case
@settings(max_examples=4)
@given(data=st.data())
def test_jacobians(case, data):
    f, xs = function_of(case, data)
    everything = tuple(range(len(xs)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        right = one_by_one(f, xs)
        for found, one in zip(jacobian(f, everything)(*xs), right, strict=True):
            close(found, one)
        if case.second:
            total = lambda *xs: sum(np.sum(out * out * weights(out.data)) for out in f(*xs))
            slopes = lambda *xs: list(grad(total, everything)(*xs))
            for found, one in zip(jacobian(slopes, everything)(*xs), one_by_one(slopes, xs), strict=True):
                close(found, one)


@each_case
@settings(max_examples=4)
@given(data=st.data())
def test_forward_mode(case, data):
    f, xs = function_of(case, data)
    tangents = [weights(x, 1) for x in xs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        _, found = jvp(f, xs, tangents)
        right = [
            sum(np.tensordot(j, t, np.ndim(t)) for j, t in zip(one, tangents)) for one in one_by_one(f, xs)
        ]
    close(found, right)
