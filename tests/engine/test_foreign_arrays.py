"""Arrays that are not NumPy's but speak its protocols are kept as they are, forward and backward."""

import numpy as np
import pytest

from tinygrad_course import Value
from tinygrad_course.derivatives.neural import relu, softmax

try:
    import dask.array as dask
except ImportError:
    dask = None


class Duck(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that refuses to become one of NumPy's: whoever converts it by the way is found out."""

    def __init__(self, array):
        self._array = np.asarray(array)

    shape = property(lambda self: self._array.shape)
    dtype = property(lambda self: self._array.dtype)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    T = property(lambda self: Duck(self._array.T))

    def astype(self, dtype):
        return Duck(self._array.astype(dtype))

    def __getitem__(self, index):
        return Duck(self._array[index])

    def __setitem__(self, index, new):
        self._array[index] = new._array if isinstance(new, Duck) else new

    def __array__(self, *args, **kwargs):
        raise AssertionError("a duck was turned into an array")

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return wrapped(getattr(ufunc, method)(*unwrapped(inputs), **unwrapped(kwargs)))

    def __array_function__(self, function, types, args, kwargs):
        return wrapped(function(*unwrapped(args), **unwrapped(kwargs)))


def unwrapped(x):
    if isinstance(x, (list, tuple)):
        return type(x)(unwrapped(part) for part in x)
    if isinstance(x, dict):
        return {name: unwrapped(part) for name, part in x.items()}
    return x._array if isinstance(x, Duck) else x


def wrapped(x):
    if isinstance(x, (list, tuple)):
        return type(x)(wrapped(part) for part in x)
    return Duck(x) if isinstance(x, (np.ndarray, np.generic)) else x


def network(x, w, b):
    hidden = np.tanh(x @ w + b)
    more = np.concatenate([hidden[:, :1], relu(hidden) * 2.0], axis=1)
    chosen = np.where(more > 0.5, np.sqrt(more * more + 1.0), np.exp(-more))
    spread = (
        np.reshape(chosen, (-1,)).std()
        + np.max(chosen, axis=0).mean()
        + np.prod(b)
        + chosen.var(axis=1).sum()
    )
    return np.sum(softmax(chosen) * chosen) + spread


RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 2)), RNG.normal(size=2)


def test_duck_arrays_are_kept_as_they_are():
    plain, ducks = [Value(x) for x in INPUTS], [Value(Duck(x)) for x in INPUTS]
    expected, out = network(*plain), network(*ducks)
    assert type(out.data) is Duck
    np.testing.assert_allclose(out.data._array, expected.data)
    expected.backward()
    out.backward()
    for v, duck in zip(plain, ducks):
        assert type(duck.data) is type(duck.grad) is Duck
        np.testing.assert_allclose(duck.grad._array, v.grad)


def test_duck_arrays_beside_values_and_numbers():
    x, w = Duck(INPUTS[0]), Value(Duck(np.array(2.0)))
    for out in (x * w, w * x, w * 2.0 * x, 1.0 / w * x):
        assert isinstance(out, Value) and type(out.data) is Duck
    (x * w).sum().backward()
    assert type(w.grad) is Duck
    np.testing.assert_allclose(w.grad._array, INPUTS[0].sum())


@pytest.mark.skipif(dask is None, reason="dask is not installed")
def test_dask_arrays_are_kept_and_nothing_is_computed_early():
    plain, lazy = [Value(x) for x in INPUTS], [Value(dask.from_array(x, chunks=2)) for x in INPUTS]
    expected, out = network(*plain), network(*lazy)
    expected.backward()
    out.backward()
    assert isinstance(out.data, dask.Array)
    np.testing.assert_allclose(out.data.compute(), expected.data)
    for v, other in zip(plain, lazy):
        assert isinstance(other.grad, dask.Array)
        np.testing.assert_allclose(other.grad.compute(), v.grad)
