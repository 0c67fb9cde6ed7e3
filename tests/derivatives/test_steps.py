"""accumulate and reduceat of ufuncs of two arguments, which are made of their steps."""

import functools

import numpy as np
import pytest

from tinygrad_course import Value, compile
from tinygrad_course.testing import gradcheck

X = np.array([[0.3, 1.2, 0.7, 0.9], [1.1, 0.4, 0.8, 1.3], [0.6, 1.7, 0.2, 0.5]])
UFUNCS = [np.logaddexp, np.logaddexp2, np.hypot, np.subtract, np.divide, np.power, np.add, np.multiply]


def folded(ufunc, rows):
    """By the definition: NumPy's own reduceat leaves entries out where its loops of power are vectorized."""
    return functools.reduce(ufunc, rows)


@pytest.mark.parametrize("ufunc", [*UFUNCS, np.fmax, np.arctan2])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_both_are_numpys_and_their_slopes_are_right(ufunc, axis):
    rows = np.moveaxis(X, axis, 0)
    parts = [rows[:2], rows[2:3], rows[1:]]
    for call, wanted in (
        (lambda x: ufunc.accumulate(x, axis), [folded(ufunc, rows[: i + 1]) for i in range(len(rows))]),
        (lambda x: ufunc.reduceat(x, [0, 2, 1], axis=axis), [folded(ufunc, part) for part in parts]),
    ):
        wanted = np.moveaxis(np.stack(wanted), 0, axis)
        np.testing.assert_allclose(call(Value(X)).data, wanted, rtol=1e-12)
        gradcheck(call, X)
        np.testing.assert_allclose(compile(call)(Value(X)).data, wanted, rtol=1e-12)


def test_forms_are_numpys():
    x = Value(X.astype("f4"))
    assert np.logaddexp.accumulate(x).dtype == np.float32
    assert np.logaddexp.accumulate(x, dtype=float).dtype == np.float64
    assert np.logaddexp.accumulate(Value(np.ones((0, 2)))).shape == (0, 2)
    far = Value([1000.0, 0.0, 1000.0])
    out = np.logaddexp.accumulate(far)
    np.testing.assert_allclose(out.data, np.logaddexp.accumulate(far.data))
    out[2].backward()
    np.testing.assert_allclose(far.grad, [0.5, 0.0, 0.5])
    with pytest.raises(IndexError):
        np.hypot.reduceat(x, [0, 9])
    for refused in (np.less.accumulate, np.hypot.reduce, lambda x: np.floor_divide.reduceat(x, [0])):
        with pytest.raises(TypeError, match="does not record"):
            refused(x)
    with pytest.raises(TypeError, match="complex"):
        np.fft.rfft(x)
