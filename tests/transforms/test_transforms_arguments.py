"""Which arguments are differentiated, and cotangents of another kind than the result."""

import numpy as np
import pytest

from tinygrad_course import Value, grad, hessian, jacobian, value_and_grad, vjp
from tinygrad_course.nn.functional import cross_entropy


def test_one_argument_named_twice_has_its_gradient_twice():
    f = lambda x, y: x**2 * y
    assert grad(f, argnums=(0, 0))(3.0, 1.5) == (9.0, 9.0)
    assert grad(f, argnums=(0, -2, 1))(3.0, 1.5) == (9.0, 9.0, 9.0)
    assert hessian(f, argnums=(0, 0))(3.0, 1.5) == ((3.0, 3.0), (3.0, 3.0))
    value, found = value_and_grad(lambda p, q: p["a"] * q, argnums=(0, 0))({"a": 2.0}, 5.0)
    assert (value, found) == (10.0, ({"a": 5.0}, {"a": 5.0}))


@pytest.mark.parametrize("transform", [grad, jacobian])
def test_argnums_are_whole_numbers_of_any_kind(transform):
    f = lambda x, y: x**2 * y
    for number in (1, np.int64(1), np.int8(-1), np.array(1)):
        assert transform(f, argnums=number)(3.0, 1.5) == 9.0
    for numbers in ([0, 1], (np.int64(0), 1), range(2), np.array([0, 1])):
        assert transform(f, argnums=numbers)(3.0, 2.0) == (12.0, 9.0)
    for wrong in (True, 1.0, "0", {0, 1}, None, [True]):
        with pytest.raises(TypeError, match="argnums"):
            transform(f, argnums=wrong)(3.0, 1.5)


@pytest.mark.parametrize(
    "f",
    [
        np.linalg.det,
        lambda x: np.linalg.slogdet(x)[1],
        lambda x: np.dot(x[0], x[1]),
        lambda x: np.tensordot(x, x),
        lambda x: np.linalg.norm(x),
        lambda x: np.trapezoid(x[0]),
        lambda x: cross_entropy(x, np.array([0, 1])),
        lambda x: x.sum(),
    ],
)
def test_a_cotangent_may_be_a_value_of_a_number(f):
    for dtype in ("f8", "f4"):
        x = np.array([[2.0, 1.0], [0.5, 3.0]], dtype)
        pullback = vjp(f, x)[1]
        (want,) = pullback(np.array(1.5))
        for cotangent in (Value(1.5), Value(np.array(1.5)), 1.5):
            (found,) = pullback(cotangent)
            found = found.data if isinstance(found, Value) else found
            np.testing.assert_allclose(found, want, rtol=1e-6)
            assert found.dtype == dtype
        weight = Value(1.5)
        np.sum(pullback(weight)[0]).backward()
        np.testing.assert_allclose(weight.grad, np.sum(pullback(1.0)[0]), rtol=1e-6, atol=1e-6)


def test_a_cotangent_of_an_array_for_a_number():
    for cotangent in (Value(np.array(1.5)), np.float32(1.5), 1.5):
        (found,) = vjp(lambda x: x * x, 3.0)[1](cotangent)
        assert (found.data if isinstance(found, Value) else found) == 9.0
