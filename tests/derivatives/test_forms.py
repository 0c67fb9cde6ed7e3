"""Forms of arguments, generated anew from the cases of rows/: right, or refused with the operation's name.

``python tests/forms.py 15000`` tries many more.
"""

import numpy as np
import pytest
from forms import tried

from tinygrad_course import Value, grad


def test_forms_are_right_or_refused_by_name():
    outcomes, faults, _ = tried(200)
    assert faults == []
    assert outcomes["right, with its slope"] > 80


A, B = np.array([3.0, 1.0, 2.0]), np.arange(6.0).reshape(2, 3) + 0.5


@pytest.mark.parametrize(
    ("call", "x"),
    [
        (lambda x: np.dot(x, b=A), A),
        (lambda x: np.dot(a=x, b=B.T), A),
        (lambda x: np.stack(arrays=[x, A]), A),
        (lambda x: np.linalg.multi_dot(arrays=[x, B.T]), B),
        (lambda x: np.linalg.multi_dot([x, 2.0]), np.array(3.0)),
        (lambda x: np.prod(x, initial=None), A),
        (lambda x: np.multiply.reduce(x, initial=None), A),
        (lambda x: np.take(x, [0, 0], axis=0), np.array(3.0)),
        (lambda x: np.compress([True], x, axis=0), np.array(3.0)),
        (lambda x: np.var(x, ddof=[1]), A),
        (lambda x: np.inner(x, np.float32([1, 2])), np.array(0.5)),
    ],
)
def test_arguments_by_name_and_of_few_axes(call, x):
    v = Value(x)
    out = call(v)
    np.testing.assert_array_equal(out.data, call(x))
    assert out.dtype == np.asarray(call(x)).dtype
    out.sum().backward()
    t = np.cos(np.arange(x.size)).reshape(x.shape)
    rise = (np.sum(call(x + 1e-6 * t)) - np.sum(call(x - 1e-6 * t))) / 2e-6
    np.testing.assert_allclose(np.sum(v.grad * t), rise, rtol=1e-8)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda v: np.delete(v, v[0]), "delete"),
        (lambda v: np.insert(v, v[0], 1.0), "insert"),
        (lambda v: np.repeat(v, v), "repeat"),
        (lambda v: np.hsplit(v, Value(3)), "hsplit"),
        (lambda v: np.corrcoef(v, v, dtype=complex), "corrcoef"),
        (lambda v: np.sum(v, dtype=np.float64, initial=Value(1.0)), "sum.*keyword initial"),
        (lambda v: np.linalg.outer(v, Value(2.0)), "outer: both are vectors"),
        (lambda v: np.select([v], [v]), "select.*True and False"),
        (lambda v: np.nanmean(v, where=v), "nanmean.*True and False"),
        (lambda v: np.cov(v, ddof=0.5), "cov.*whole number"),
        (lambda v: np.cov(v, fweights=[1, 2]), "cov"),
        (lambda v: np.linalg.norm(Value(2.0), 1, axis=(0, 1)), "norm"),
        (lambda v: np.full_like(v, v[0], int), "full_like"),
        (lambda v: np.pad(v, 1.5), "pad"),
        (lambda v: np.pad(v[:0], 1, mode="mean"), "pad"),
    ],
)
def test_what_is_refused_names_the_operation(call, says):
    with pytest.raises((TypeError, ValueError, IndexError, RuntimeError), match=says):
        call(Value(A))


def test_a_matrix_with_too_few_eigenvectors_has_no_derivative():
    with pytest.raises(np.linalg.LinAlgError, match="eig: a matrix with fewer eigenvectors than columns"):
        grad(lambda x: np.sum(np.linalg.eigvals(x)))(np.eye(3, k=1))


def test_a_single_column_is_never_cut_off():
    slope = grad(lambda y: np.polyfit(A, y, 0, rcond=2.0)[0])(A)
    np.testing.assert_allclose(slope, np.full(3, 1 / 3))
