"""How a Value behaves: construction, operators, protocols, errors, copies and no_grad."""

import asyncio
import copy
import inspect
import operator
import pickle
import threading

import numpy as np
import pytest
from hypothesis import given

from tinygrad_course import Value, no_grad
from tinygrad_course.testing import arrays


# What it holds
@pytest.mark.parametrize("data", [2, 2.5, True, -0.0])
def test_python_numbers_stay_python_floats(data):
    v = Value(data)
    assert type(v.data) is float
    assert (v.shape, v.ndim, v.size, v.dtype) == ((), 0, 1, np.dtype(float))
    assert type(v.item()) is float
    assert type(v.numpy()) is np.ndarray


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_arrays_keep_their_dtype_and_are_not_copied(dtype):
    data = np.ones((2, 3), dtype)
    v = Value(data)
    assert v.data is data and v.numpy() is data
    (v * 2 + np.exp(v)).sum().backward()
    assert v.grad.dtype == dtype


@pytest.mark.parametrize("data", [[1, 2], np.arange(2), np.array([True, False]), np.int8(3), np.uint64(3)])
def test_whole_numbers_become_the_default_float(data):
    v = Value(data)
    assert v.dtype == float
    assert isinstance(v.data, float if isinstance(data, np.generic) else np.ndarray)
    np.testing.assert_array_equal(v.data, data)


def test_scalars_of_other_float_dtypes_become_arrays_without_axes():
    v = Value(np.float32(1.5))
    assert type(v.data) is np.ndarray and v.shape == () and v.dtype == np.float32
    assert type((v + v).data) is np.ndarray


@pytest.mark.parametrize("data", [1j, [1j], np.ones(2, complex), "1", ["a"], None, object(), {"a": 1}])
def test_what_is_not_a_real_number_is_refused(data):
    with pytest.raises(TypeError, match="real numbers"):
        Value(data)


def test_a_value_of_a_value_is_refused():
    with pytest.raises(TypeError, match="detach"):
        Value(Value(1.0))


def test_item_and_detach():
    v = Value([[2.0]], name="v")
    assert v.item() == 2.0
    d = (v * 3).detach()
    assert not d.requires_grad and d.item() == 6.0
    with pytest.raises(ValueError, match=r"\(2,\) has 2 entries"):
        Value([1.0, 2.0]).item()


def test_requires_grad_can_be_set_on_leaves_only():
    w = Value([1.0])
    w.requires_grad = False
    assert not (w * 2).requires_grad
    w.requires_grad = True
    y = w * 2
    assert y.requires_grad
    with pytest.raises(RuntimeError, match="multiply"):
        y.requires_grad = False


# Operators
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
OTHERS = [2, 2.5, True, np.float64(2.0), np.float32(2.0), np.int64(2), [1.0, 2.0], (1, 2), np.array([1, 2])]


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.__name__)
@pytest.mark.parametrize("other", OTHERS, ids=repr)
@pytest.mark.parametrize("data", [1.5, np.array([1.5, 2.5]), np.array([[1.5], [2.5]], np.float32)], ids=repr)
def test_operators_with_everything_on_either_side(op, other, data):
    """The result is NumPy's, and the gradient comes back in the kind of the data."""
    for swapped in (False, True):
        x = Value(data)
        out = op(other, x) if swapped else op(x, other)
        plain = np.asarray(other) if isinstance(other, (list, tuple)) else other
        numpy_op = np.power if op is operator.pow else op  # NumPy 2.0's ** forgets the exponent's dtype
        expected = numpy_op(plain, data) if swapped else numpy_op(data, plain)
        assert isinstance(out, Value)
        np.testing.assert_allclose(out.data, expected, rtol=1e-6)
        assert out.dtype == np.asarray(expected).dtype
        out.sum().backward()
        assert type(x.grad) is type(data) and np.shape(x.grad) == np.shape(data)
        eps = 1e-3
        moved = op(plain, data + eps) if swapped else op(data + eps, plain)
        slope = np.sum(np.asarray(moved, float) - np.asarray(expected, float)) / eps
        assert float(np.sum(x.grad)) == pytest.approx(float(slope), rel=2e-2, abs=1e-2)


@pytest.mark.parametrize("other", [[1.0, 2.0], (1, 2), np.array([1.0, 2.0])], ids=repr)
def test_matrix_products_with_everything_on_either_side(other):
    x = Value(np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_array_equal((x @ other).data, [5.0, 11.0])
    np.testing.assert_array_equal((other @ x).data, [7.0, 10.0])
    (other @ x).sum().backward()
    np.testing.assert_array_equal(x.grad, [[1, 1], [2, 2]])


@pytest.mark.parametrize("other", ["a", None, object(), {}, {1}])
def test_operators_with_something_else_raise_as_python_does(other):
    for op in BINARY:
        with pytest.raises(TypeError):
            op(Value(1.0), other)
        with pytest.raises(TypeError):
            op(other, Value([1.0]))


def test_in_place_operators_make_new_values():
    v = w = Value([1.0, 2.0])
    v += 1
    v *= w
    assert v is not w
    v.sum().backward()
    np.testing.assert_array_equal(w.data, [1.0, 2.0])
    np.testing.assert_array_equal(w.grad, [3.0, 5.0])


@pytest.mark.parametrize("data", [1.5, np.array(1.5), np.array([1.5, -2.0])])
def test_negative_positive_absolute(data):
    for f, slope in ((operator.neg, -1), (operator.pos, 1), (abs, np.sign(data))):
        v = Value(data)
        f(v).sum().backward()
        np.testing.assert_array_equal(f(v).data, f(data))
        np.testing.assert_array_equal(v.grad, slope * np.ones_like(data))
        assert f(v) is not v


def test_powers_of_constants():
    x = Value([-2.0, 0.0, 3.0])
    (x**3).sum().backward()
    np.testing.assert_array_equal(x.grad, [12.0, 0.0, 27.0])
    x.grad = None
    (x**0).sum().backward()
    np.testing.assert_array_equal(x.grad, 0)


# Comparisons, truth, hash
@pytest.mark.parametrize(
    "compare", [operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge]
)
def test_comparisons_are_plain_booleans(compare):
    a, b = np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])
    for x, y in ((Value(a), Value(b)), (Value(a), b), (a, Value(b)), (Value(a), 2.0), (2.0, Value(a))):
        out = compare(x, y)
        assert isinstance(out, np.ndarray) and out.dtype == bool
        plain = [v.data if isinstance(v, Value) else v for v in (x, y)]
        np.testing.assert_array_equal(out, compare(*plain))
    assert type(compare(Value(1.0), Value(2.0))) is bool
    assert compare(Value(1.0), 2) is compare(1.0, 2)


def test_truth():
    assert Value(2.0) and Value([3.0]) and not Value(0.0) and not Value([[0.0]])
    with pytest.raises(ValueError, match=r"\(2,\) is ambiguous"):
        bool(Value([1.0, 2.0]))
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Value(np.zeros(0)))


def test_values_are_keys_by_identity():
    a, b = Value(1.0), Value(1.0)
    table = {a: "a", b: "b"}
    assert table[a] == "a" and table[b] == "b" and len({a, b, a}) == 2
    assert hash(Value([1.0, 2.0])) is not None


# A sequence
def test_len_and_iteration():
    v = Value([[1.0, 2.0], [3.0, 4.0]])
    assert len(v) == 2
    first, second = v
    (first * second).sum().backward()
    np.testing.assert_array_equal(v.grad, [[3.0, 4.0], [1.0, 2.0]])
    assert [x.item() for row in v for x in row] == [1.0, 2.0, 3.0, 4.0]
    assert list(Value(np.zeros((0, 2)))) == []
    for number in (Value(1.0), Value(np.array(1.0))):
        with pytest.raises(TypeError, match="single number"):
            len(number)
        with pytest.raises(TypeError, match="single number"):
            iter(number)


def test_indexing_errors_teach():
    v = Value([1.0, 2.0])
    with pytest.raises(IndexError, match="getitem"):
        v[5]
    with pytest.raises(IndexError):
        v["a"]
    with pytest.raises(TypeError, match="single number"):
        Value(1.0)[0]
    with pytest.raises(TypeError, match=r"v\.at\[0\]\.set"):
        v[0] = 3.0
    np.testing.assert_array_equal(v.data, [1.0, 2.0])


# Showing and keeping
def test_repr_and_format():
    assert repr(Value(2)) == "Value(2.0)"
    assert repr(Value([1.0, 2.0], name="w")) == "Value([1., 2.], name='w')"
    assert repr(Value(1.5, requires_grad=False)) == "Value(1.5, requires_grad=False)"
    assert "float32" in repr(Value(np.ones(2, np.float32)))
    assert f"{Value(3.14159):.2f}" == "3.14" and f"{Value([[2.5]]):6.1f}" == "   2.5"
    assert f"{Value(2.0)}" == str(Value(2.0)) == "Value(2.0)"
    with pytest.raises(TypeError, match=r"\(2,\)"):
        f"{Value([1.0, 2.0]):.2f}"
    assert len(repr(Value(np.zeros(1_000_000)))) < 1000


KEEPERS = [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]


@pytest.mark.parametrize("keep", KEEPERS)
@pytest.mark.parametrize("data", [1.5, np.array([1.0, 2.0], np.float32)])
def test_copies_keep_data_gradient_and_name(keep, data):
    v = Value(data, name="v")
    (v * v).sum().backward()
    again = keep(v)
    assert again is not v and again.name == "v" and again.requires_grad
    np.testing.assert_array_equal(again.data, v.data)
    np.testing.assert_array_equal(again.grad, v.grad)
    assert type(again.data) is type(v.data) and again.dtype == v.dtype
    assert not keep(Value(data, requires_grad=False)).requires_grad


@pytest.mark.parametrize("keep", KEEPERS)
def test_copies_are_leaves_without_the_record(keep):
    v = Value([1.0, 2.0])
    y = keep(v * 3)
    y.sum().backward()
    assert v.grad is None
    np.testing.assert_array_equal(y.grad, 1.0)


def test_deep_copies_and_pickles_share_no_memory():
    v = Value([1.0, 2.0])
    v.sum().backward()
    for keep in KEEPERS[1:]:
        again = keep(v)
        again.data[:] = 9.0
        again.grad[:] = 9.0
    np.testing.assert_array_equal(v.data, [1.0, 2.0])
    np.testing.assert_array_equal(v.grad, 1.0)


def test_a_deep_graph_can_be_pickled():
    """Only the value itself is kept, so there is nothing to recurse into."""
    v = Value(1.0)
    for _ in range(100_000):
        v = v + 1.0
    assert pickle.loads(pickle.dumps(v)).data == 100_001.0
    assert copy.deepcopy(v).data == 100_001.0


# Methods and functions of NumPy
@given(arrays((2, 3), low=0.5))
def test_methods_are_the_functions_of_their_name(x):
    v = Value(x)
    calls = [
        ("sum", 0),
        ("mean", 1),
        ("prod",),
        ("max", 0),
        ("min", -1),
        ("var", 0),
        ("std", 0),
        ("cumsum", 1),
    ]
    calls += [("clip", 0.75, 1.25), ("reshape", 3, 2), ("reshape", (-1,)), ("swapaxes", 0, 1), ("squeeze",)]
    calls += [("transpose",), ("transpose", 1, 0), ("transpose", (1, 0)), ("flatten",), ("ravel",), ("copy",)]
    calls += [("astype", np.float32)]
    for name, *args in calls:
        out = getattr(v, name)(*args)
        expected = getattr(x, name)(*args)
        assert isinstance(out, Value) and out.dtype == expected.dtype
        np.testing.assert_array_equal(out.data, expected)
    for name in ("exp", "log", "sqrt", "sin", "cos", "tanh"):
        np.testing.assert_array_equal(getattr(v, name)().data, getattr(np, name)(x))
    np.testing.assert_array_equal(v.T.data, x.T)
    np.testing.assert_array_equal(v.dot(x.T).data, x.dot(x.T))


def test_astype_carries_gradients_across_dtypes():
    v = Value(np.array([1.0, 2.0]))
    low = v.astype(np.float32)
    (low * low).sum().backward()
    assert low.dtype == low.grad.dtype == np.float32
    assert v.grad.dtype == np.float64
    np.testing.assert_array_equal(v.grad, [2.0, 4.0])
    with pytest.raises(TypeError, match="floats"):
        v.astype(int)


def test_methods_of_ufuncs():
    v = Value([[1.0, 5.0], [3.0, 2.0]])
    np.testing.assert_array_equal(np.add.reduce(v).data, [4.0, 7.0])
    np.testing.assert_array_equal(np.maximum.reduce(v, axis=1).data, [5.0, 3.0])
    np.testing.assert_array_equal(np.add.accumulate(v, axis=1).data, [[1.0, 6.0], [3.0, 5.0]])
    np.multiply.reduce(v, axis=None).backward()
    np.testing.assert_array_equal(v.grad, [[30.0, 6.0], [10.0, 15.0]])


def test_values_given_by_keyword():
    x, low = Value([-1.0, 0.5, 3.0]), Value(0.0)
    np.clip(x, a_min=low, a_max=1.0).sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 1.0, 0.0])
    assert low.grad == 1.0
    named = [{"a_min": 0.0, "a_max": 1.0}]
    if "min" in inspect.signature(np.clip).parameters:  # from NumPy 2.1 on
        named.append({"min": 0.0, "max": 1.0})
    for bounds in named:
        x.grad = None
        np.clip(x, **bounds).sum().backward()
        np.testing.assert_array_equal(x.grad, [0.0, 1.0, 0.0])
    with pytest.raises(TypeError, match="keyword"):
        np.sum(Value(np.ones(2)), initial=Value(1.0))


def test_functions_without_a_useful_derivative_give_plain_results():
    v = Value([3.0, 1.0, 2.0])
    assert np.argmax(v) == 0 and np.shape(v) == (3,) and np.ndim(v) == 1 and np.size(v) == 3
    for out in (np.sign(v), np.floor(v), np.isnan(v), np.argsort(v), v > 1):
        assert isinstance(out, np.ndarray)
    assert np.allclose(v, [3.0, 1.0, 2.0]) and np.array_equal(v, v.data)


# no_grad
def test_no_grad_records_nothing_and_ends_with_its_block():
    x = Value(2.0)
    with no_grad():
        y = x * x
        with no_grad():
            pass
        z = np.exp(x)
    assert not y.requires_grad and not z.requires_grad and y.args == ()
    with pytest.raises(RuntimeError, match="no_grad"):
        y.backward()
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert (x * x).requires_grad

    @no_grad()
    def f(v):
        return v * v

    assert not f(x).requires_grad and not f(x).requires_grad and (x * x).requires_grad


def test_no_grad_is_per_thread():
    x, inside, seen = Value(2.0), threading.Barrier(2), {}

    def quiet():
        with no_grad():
            inside.wait()
            seen["quiet"] = (x * x).requires_grad
            inside.wait()

    def loud():
        inside.wait()
        seen["loud"] = (x * x).requires_grad
        inside.wait()

    threads = [threading.Thread(target=quiet), threading.Thread(target=loud)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"quiet": False, "loud": True}


def test_no_grad_is_per_task():
    async def main():
        x, seen = Value(2.0), {}

        async def quiet():
            with no_grad():
                await asyncio.sleep(0)
                seen["quiet"] = (x * x).requires_grad
                await asyncio.sleep(0)

        async def loud():
            await asyncio.sleep(0)
            seen["loud"] = (x * x).requires_grad
            await asyncio.sleep(0)

        await asyncio.gather(quiet(), loud(), quiet())
        return seen

    assert asyncio.run(main()) == {"quiet": False, "loud": True}


# backward
def test_backward_from_more_than_one_number_needs_a_gradient():
    v = Value([1.0, 2.0])
    with pytest.raises(ValueError, match="not a single number"):
        (v * 2).backward()
    (v * 2).backward([1.0, 10.0])
    np.testing.assert_array_equal(v.grad, [2.0, 20.0])
    with pytest.raises(ValueError, match=r"shape \(3,\).*shape \(2,\)"):
        (v * 2).backward(np.ones(3))
    Value([[3.0]]).backward()  # one entry is fine, whatever the axes


def test_backward_of_a_leaf_and_of_a_constant():
    x = Value(3.0)
    x.backward()
    x.backward(2.0)
    assert x.grad == 3.0
    with pytest.raises(RuntimeError, match="no record"):
        Value(3.0, requires_grad=False).backward()


@pytest.mark.parametrize("data", [2.0, np.array(2.0), np.array([2.0]), np.float32(2.0)])
def test_gradients_are_of_the_kind_of_the_data(data):
    x = Value(data)
    y = x * x + np.sin(x)
    y.backward()
    y.backward()
    for v in (x, y):
        assert type(v.grad) is type(v.data) and v.dtype == np.asarray(v.grad).dtype
    assert float(np.sum(x.grad)) == pytest.approx(2 * (4 + np.cos(2.0)), rel=1e-6)


def test_gradients_of_gradients_of_gradients():
    x = Value(2.0)
    y = x**5
    for expected in (80.0, 160.0, 240.0, 240.0, 120.0):
        x.grad = None
        y.backward(create_graph=True)
        y = x.grad
        assert y.data == pytest.approx(expected)
