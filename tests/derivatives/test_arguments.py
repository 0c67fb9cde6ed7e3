"""Forms of arguments that NumPy takes: the result is NumPy's, the derivative fits, no input is changed."""

import numpy as np
import pytest

from tinygrad_course import Value, grad, jacobian
from tinygrad_course.nn import functional as F
from tinygrad_course.testing import gradcheck

A = np.array([3.0, 1.0, 2.0])
B = np.arange(6.0).reshape(2, 3) + 0.5


# What may work in the memory of its argument
@pytest.mark.parametrize(
    "call",
    [
        lambda v: np.median(v, overwrite_input=True),
        lambda v: np.median(v, None, None, True),
        lambda v: np.nanmedian(v, overwrite_input=True),
        lambda v: np.percentile(v, 50, overwrite_input=True),
        lambda v: np.percentile(v, 50, None, None, True),
        lambda v: np.nanpercentile(v, 50, overwrite_input=True),
        lambda v: np.quantile(v, 0.5, overwrite_input=True, method="linear"),
        lambda v: np.nanquantile(v, 0.5, None, None, True, "linear"),
    ],
)
def test_an_input_is_not_overwritten(call):
    v = Value(A.copy())
    out = call(v)
    assert v.data.tolist() == A.tolist()
    assert out.data == 2.0
    out.backward()
    assert v.grad.tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("call", [lambda v: np.nan_to_num(v, copy=False), lambda v: np.nan_to_num(v, False)])
def test_nan_is_not_replaced_in_place(call):
    v = Value([np.nan, 1.0])
    with pytest.raises(TypeError, match=r"v = np\.nan_to_num\(v\)"):
        call(v)
    assert np.isnan(v.data[0])


# Whole numbers in other clothes, and axes as lists
@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.take(x, [True, False]),
        lambda x: np.take(x, np.array([[True, False]]), axis=1),
        lambda x: np.take(x, np.uint8(1), axis=0),
        lambda x: np.rot90(x, 0.5),
        lambda x: np.rot90(x, -0.5),
        lambda x: np.rot90(x, np.int64(-1)),
        lambda x: np.rot90(x, True),
        lambda x: np.roll(x, True),
        lambda x: np.roll(x, [1, -2], axis=[0, 1]),
        lambda x: np.roll(x, 1.0),
        lambda x: np.roll(x, np.uint8(2)),
        lambda x: np.transpose(x[0], 0),
        lambda x: np.transpose(x[0], -1),
        lambda x: np.transpose(x, [1, 0]),
        lambda x: np.transpose(x, np.array([1, 0])),
        lambda x: np.permute_dims(x[0], 0),
        lambda x: np.average(x, axis=[0]),
        lambda x: np.average(x, axis=[0, -1]),
        lambda x: np.average(x, axis=np.int64(1), weights=np.array([1.0, 2.0, 3.0])),
        lambda x: np.average(x, axis=True),
        lambda x: np.linalg.norm(x, axis=1.0),
        lambda x: np.linalg.norm(x, axis=True),
        lambda x: np.median(x, axis=[0, 1]),
        lambda x: np.flip(x, [0, 1]),
        lambda x: np.cumprod(x[0, 0], axis=0),
        lambda x: np.cumsum(x[0, 0], axis=-1),
        lambda x: np.sum(x[0, 0], axis=0),
        lambda x: np.prod(x[0, 0], axis=-1),
        lambda x: np.piecewise(x, [x > 99], [np.sin]),
        lambda x: np.piecewise(x, [x > 1], [1.0, 2.0]),
    ],
)
@pytest.mark.filterwarnings("ignore:Passing a value for k:DeprecationWarning")  # since NumPy 2.5
def test_unusual_arguments_are_those_of_numpy(call):
    try:
        expected = call(B)
    except (TypeError, ValueError):  # older NumPys do not take them
        with pytest.raises((TypeError, ValueError)):
            call(Value(B))
        return
    got = call(Value(B))
    np.testing.assert_array_equal(got.data, expected)
    found = jacobian(call)(B)
    for i in np.ndindex(*B.shape):
        step = np.zeros_like(B)
        step[i] = 1e-6
        np.testing.assert_allclose(found[(..., *i)], (call(B + step) - call(B - step)) / 2e-6, atol=1e-8)


# Numbers with an axis, and axes without entries
@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("x", [3.0, np.array(3.0)])
def test_a_single_number_with_an_axis(x, axis):
    for function in (np.sum, np.prod, np.max, np.min, F.logsumexp):
        v = Value(x)
        out = function(v, axis)
        assert out.shape == ()
        assert out.data == 3.0
        out.backward()
        assert v.grad == 1.0
    assert F.softmax(Value(x), 0).data == 1.0
    assert grad(lambda x: F.log_softmax(x, -1))(x) == 0.0


def test_axes_without_entries():
    """The sum of none is 0, its logarithm -inf, as in PyTorch."""
    empty = Value(np.zeros((2, 0)))
    assert F.softmax(empty, 1).shape == F.log_softmax(empty, 1).shape == (2, 0)
    total = F.logsumexp(empty, 1)
    assert total.data.tolist() == [-np.inf, -np.inf]
    total.sum().backward()
    assert empty.grad.shape == (2, 0)
    empty.grad = None
    np.linalg.norm(empty, axis=1).sum().backward()
    assert empty.grad.shape == (2, 0)
    assert grad(lambda x: F.softmax(x, 0)[0, 1])(np.ones((2, 3))).tolist() == [[0, 0.25, 0], [0, -0.25, 0]]


@pytest.mark.parametrize("fill", [2.0, Value(2.0)])
@pytest.mark.parametrize(
    ("how", "said"),
    [({"order": "X"}, "order must be one of"), ({"shape": -1}, "negative"), ({"dtype": "no"}, "no")],
)
def test_full_like_judges_its_arguments_whatever_fills(fill, how, said):
    with pytest.raises((TypeError, ValueError), match=f"full_like.*{said}"):
        np.full_like(Value([1.0, 2.0]), fill, **how)


@pytest.mark.parametrize("function", [np.nanquantile, np.nanpercentile])
def test_where_numpy_mixes_up_the_axes_of_quantiles_there_is_no_gradient(function):
    x, q = np.arange(24.0).reshape(2, 3, 4), np.array([[0.41], [0.83]])
    for a, b in ((Value(x), q), (x, Value(q))):
        with pytest.raises(
            TypeError, match=r"with q of shape \(2, 1\) over the axes \(0, 2\).*np\.ravel\(q\)"
        ):
            function(a, b, axis=(0, 2)).sum().backward()
    assert gradcheck(lambda a, b: function(a, b, axis=(0, 2)), x, q.ravel())
    assert gradcheck(lambda a, b: function(a, b, axis=1), x, q)
