"""Where a derivative does not exist or overflows: the right value, or nan, and never a finite wrong one."""

import numpy as np
import pytest

from tinygrad_course import Value, grad, hessian
from tinygrad_course.nn import functional as F

NAN = float("nan")


# Second derivatives at kinks
@pytest.mark.parametrize(
    "square",
    [
        lambda x: np.linalg.norm(x) ** 2,
        lambda x: np.linalg.vector_norm(x) ** 2,
        lambda x: np.linalg.norm(np.reshape(x, (2, 1))) ** 2,
        lambda x: np.linalg.norm(x, 3) ** 2,
        lambda x: np.linalg.norm(x, 1.5) ** 2,
        lambda x: np.hypot(x[0], x[1]) ** 2,
        lambda x: np.sum(np.linalg.norm(x[:, None] * np.ones(2), axis=1) ** 2),
        lambda x: np.std(x) ** 2,
        lambda x: np.nanstd(x) ** 2,
    ],
)
def test_a_square_of_what_has_a_kink_has_no_finite_wrong_hessian(square):
    """Its slope of 0 there is a choice, the gradient of 0 that comes in a factor: 0 · inf, as in PyTorch."""
    np.testing.assert_array_equal(grad(square)(np.zeros(2)), [0.0, 0.0])
    assert np.isnan(np.diag(hessian(square)(np.zeros(2)))).all()


def test_a_kink_in_one_row_leaves_the_others_right():
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    found = hessian(lambda x: np.sum(np.linalg.norm(x, axis=1) ** 2))(x)
    np.testing.assert_allclose(found[1, :, 1], 2 * np.eye(2), atol=1e-15)
    np.testing.assert_array_equal(found[1, :, 0], np.zeros((2, 2)))


# nan in the data
@pytest.mark.parametrize(
    ("function", "slopes"),
    [
        (F.relu, [NAN, 1.0, 0.0]),
        (F.hardtanh, [NAN, 0.0, 1.0]),
        (lambda x: np.clip(x, -1.0, 1.0), [NAN, 0.0, 1.0]),
        (lambda x: np.maximum(x, 0.5), [NAN, 1.0, 0.0]),
        (lambda x: np.minimum(x, 0.5), [NAN, 0.0, 1.0]),
        (np.abs, [NAN, 1.0, -1.0]),
        (np.max, [NAN, NAN, NAN]),
        (np.amax, [NAN, NAN, NAN]),
        (np.min, [NAN, NAN, NAN]),
        (np.ptp, [NAN, NAN, NAN]),
        (lambda x: np.max(x, axis=0, initial=0.0), [NAN, NAN, NAN]),
        (lambda x: np.linalg.norm(x, np.inf), [NAN, NAN, NAN]),
        (lambda x: np.linalg.norm(x, -np.inf), [NAN, NAN, NAN]),
        (np.nanmax, [0.0, 1.0, 0.0]),
        (np.nanmin, [0.0, 0.0, 1.0]),
    ],
)
def test_nan_in_the_data_is_not_taken_for_a_slope_of_0(function, slopes):
    """The gradient of an entry that is nan is nan, or what came in, as in PyTorch; the others' are right."""
    found = grad(lambda x: np.sum(function(x)))(np.array([NAN, 2.0, -0.25]))
    np.testing.assert_array_equal(found[1:], slopes[1:])
    assert np.isnan(found[0]) if slopes[1] != slopes[1] else found[0] != 0 or slopes[0] == 0


def test_relu_of_nan_as_a_number():
    x = Value(NAN)
    F.relu(x).backward()
    assert x.grad == 1.0  # PyTorch's


# Powers
@pytest.mark.parametrize("dtype", ["f8", "f4", "f2"])
def test_the_power_0_has_the_slope_0_everywhere(dtype):
    """1 / x overflows at a subnormal x, and 0 times it would be nan."""
    smallest = np.finfo(dtype).smallest_subnormal
    x = np.array([smallest, -smallest, 0.0, np.finfo(dtype).tiny, 2.0], dtype)
    for power in (
        lambda x: x**0,
        lambda x: x ** np.zeros(5, dtype),
        lambda x: np.power(x, 0.0),
        lambda x: np.float_power(x, np.zeros(5)),
        lambda x: np.vander(x, 1),
    ):
        np.testing.assert_array_equal(grad(lambda x, f=power: np.sum(f(x)))(x), np.zeros(5))
    found = grad(lambda x: np.sum(x[:, None] ** np.arange(3)))(x)
    np.testing.assert_array_equal(found, 1 + 2 * x)
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.vander(x, 3)))(x), 1 + 2 * x)
    np.testing.assert_array_equal(hessian(lambda x: np.sum(np.vander(x, 3)))(x), 2 * np.eye(5))
    assert grad(lambda x: x**0)(5e-324) == 0.0


# float16: its range is small, so sums of many and squares are taken in float32
def in_float64(function, x, weights):
    """The gradient of Σ weights · function(x) in float64."""
    return grad(lambda x: np.sum(function(x) * weights))(x.astype(float))


MANY = np.linspace(-2, 2, 70_000).astype(np.float16)


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (np.mean, MANY),
        (lambda x: np.mean(x, axis=0, where=np.arange(70_000) % 3 > 0), MANY),
        (np.nanmean, MANY),
        (np.var, MANY[::70]),
        (np.std, MANY[::70]),
        (np.average, MANY),
        (lambda x: F.softmax(x, axis=0), MANY),
        (lambda x: F.log_softmax(x, axis=0), MANY),
        (lambda x: F.logsumexp(x, 0), MANY),
        (lambda x: F.logsumexp(x.reshape(1, -1), (0, 1)), MANY),
        (lambda x: F.cross_entropy(x[None], np.array([3])), MANY),
        (lambda x: F.cross_entropy(x[None], np.full((1, 70_000), 1 / 70_000)), MANY),
        (lambda x: F.layer_norm(x, (2,)), np.array([300.0, -300.0], np.float16)),
        (lambda x: F.layer_norm(x, (4,)), np.array([300.0, -300.0, 250.0, 20.0], np.float16)),
        (lambda x: F.gelu(x, approximate="tanh"), np.array([300.0, -300.0, 1.0], np.float16)),
        (np.arcsinh, np.array([300.0, -300.0], np.float16)),
    ],
)
def test_float16_is_that_of_float64_but_for_rounding(function, x):
    out = function(Value(x))
    assert out.dtype == np.float16
    exact = function(x.astype(float))
    np.testing.assert_allclose(out.data, exact, rtol=4e-3, atol=1e-4)
    weights = np.random.default_rng(0).uniform(0.5, 1.5, np.shape(out)).astype(np.float16)
    found = grad(lambda x: np.sum(function(x) * weights, dtype=np.float64))(x)
    assert found.dtype == np.float16
    want = in_float64(function, x, weights.astype(float))
    np.testing.assert_allclose(found, want, rtol=1e-2, atol=1.2e-7 + 4e-3 * np.max(np.abs(want)))


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (np.arcsinh, lambda x: 1 / abs(x)),
        (lambda x: np.arctan2(x, x), lambda x: 0.0),
        (lambda x: np.arctan2(x, 1.0), lambda x: 0.0),
        (lambda x: np.arctan2(0.0, x), lambda x: 0.0),
        (lambda x: np.hypot(x, 1.0), np.sign),
        (lambda x: F.gelu(x, approximate="tanh"), lambda x: float(x > 0)),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_square_overflows_on_the_way(function, slope):
    for x in (1e200, -1e200):
        np.testing.assert_allclose(grad(function)(x), slope(x), rtol=1e-14)


def test_no_square_underflows_on_the_way():
    """The angle of (y, x) moves by 1 / |x| where y is 0, however small x is."""
    np.testing.assert_allclose(grad(lambda y: np.arctan2(y, 1e-200))(0.0), 1e200)
