"""Methods and keywords of ufuncs: those that record give NumPy's result, the others say what to write."""

import numpy as np
import pytest

from tinygrad_course import Value
from tinygrad_course.testing.gradcheck import gradcheck, gradgradcheck

X = np.array([[3.0, -1.0, 0.5], [2.0, 4.0, -0.25]])
V = Value(X)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"axis": 1},
        {"axis": None},
        {"axis": (0, 1)},
        {"keepdims": True},
        {"initial": 3.5},
        {"initial": None},
        {"initial": -1.5, "where": X > 0},
    ],
    ids=str,
)
def test_reduce(ufunc, kwargs):
    f = lambda v: ufunc.reduce(v, **kwargs)
    np.testing.assert_allclose(f(V).data, ufunc.reduce(X, **kwargs), rtol=1e-14)
    assert gradcheck(f, X)
    assert gradgradcheck(f, X)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum])
@pytest.mark.parametrize("args", [(), (1,), (-2,)], ids=str)
def test_accumulate(ufunc, args):
    f = lambda v: ufunc.accumulate(v, *args)
    np.testing.assert_allclose(f(V).data, ufunc.accumulate(X, *args), rtol=1e-14)
    assert gradcheck(f, X)
    assert gradgradcheck(f, X)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum, np.arctan2, np.subtract])
def test_outer(ufunc):
    y = np.array([1.25, -2.0])
    for args in ((X, y), (y, X), (X, 1.5)):
        np.testing.assert_array_equal(ufunc.outer(*map(Value, args)).data, ufunc.outer(*args))
        assert gradcheck(ufunc.outer, *args)
    np.testing.assert_array_equal(ufunc.outer([1, 2], V).data, ufunc.outer([1, 2], X))


def test_dtype_of_a_reduction():
    v = Value(X.astype(np.float32))
    out = np.add.reduce(v, dtype=np.float64)
    out.sum().backward()
    assert out.dtype == np.float64 and v.grad.dtype == np.float32


@pytest.mark.parametrize(
    ("use", "says"),
    [
        (lambda: np.add.at(V, 0, 1.0), r"v\.at\[index\]\.add"),
        (lambda: np.subtract.reduce(V), "reduce and accumulate"),
        (lambda: np.add(V, 1, where=X > 0), r"np\.where"),
        (lambda: np.exp(V, dtype=np.float32), "astype"),
        (lambda: np.exp(V, casting="no"), "casting"),
        (lambda: np.add(V, 1, out=X.copy()), "existing array"),
        (lambda: np.sum(V, out=np.zeros(())), "existing array"),
        (lambda: np.add.reduce(V, out=np.zeros(3)), "existing array"),
        (lambda: np.matmul(X.copy(), V, axes=[(0, 1), (1, 0), (0, 1)]), "axes"),
        (lambda: np.gcd(V, 2), "gcd"),
    ],
)
def test_what_cannot_be_recorded_raises_and_says_what_to_write(use, says):
    with pytest.raises(TypeError, match=says):
        use()


def test_keywords_at_their_defaults_change_nothing():
    np.testing.assert_array_equal(np.exp(V, where=True, dtype=None).data, np.exp(X))
    np.testing.assert_array_equal(np.sum(V, out=None).data, np.sum(X))


def test_in_place_operators_on_arrays_raise():
    x = X.copy()
    with pytest.raises(TypeError, match="array = array"):
        x += V


def test_remainders_and_whole_quotients():
    v = Value([5.0, -7.0])
    np.testing.assert_array_equal((v % 3).data, [2, 2])
    np.testing.assert_array_equal((9 % v).data, [4, -5])
    assert isinstance(v // 3, np.ndarray) and (v // 3).tolist() == [1, -3]
    assert (9 // v).tolist() == [1, -2]
    whole, rest = divmod(v, 3)
    assert whole.tolist() == [1, -3]
    rest.sum().backward()
    assert v.grad.tolist() == [1, 1]
    assert divmod(9, Value(4.0))[1].data == 1.0


def test_lists_beside_values_are_constants():
    for f in (np.dot, np.tensordot, np.matmul, np.arctan2, np.outer):
        v = Value([3.0, 4.0])
        args = (1,) if f is np.tensordot else ()
        np.sum(f([1.0, 2.0], v, *args)).backward()
        w = Value([3.0, 4.0])
        np.sum(f(np.array([1.0, 2.0]), w, *args)).backward()
        np.testing.assert_array_equal(v.grad, w.grad)


def test_an_array_to_write_into_is_refused_by_position_too():
    for use in (
        lambda: np.take(V, [0], None, np.zeros(1)),
        lambda: np.ptp(V, 0, np.zeros(3)),
        lambda: np.median(V, 0, np.zeros(3)),
        lambda: np.nansum(V, 0, None, np.zeros(3)),
    ):
        with pytest.raises(TypeError, match="existing array"):
            use()
