"""v.at[index] against assignment on plain arrays, and the message of v[index] = x."""

import numpy as np
import pytest

from tinygrad_course import Value
from tinygrad_course.testing.gradcheck import gradcheck, gradgradcheck

X = np.arange(12.0).reshape(3, 4) / 8 + 0.25


@pytest.mark.parametrize("index", [1, (slice(None), 2), [2, 0], X > 1, (..., slice(None, None, -2))], ids=str)
def test_set_add_and_multiply_are_what_numpy_does_in_place(index):
    new = np.full(X[index].shape, 1.5)
    for method, update in (("set", lambda a, b: b), ("add", np.add), ("multiply", np.multiply)):
        want = X.copy()
        want[index] = update(want[index], new)
        f = lambda v, w, method=method: getattr(v.at[index], method)(w)
        np.testing.assert_array_equal(f(Value(X), Value(new)).data, want)
        np.testing.assert_array_equal(f(Value(X), 1.5).data, want)
        assert gradcheck(f, X, new)
        assert gradgradcheck(f, X, new)


def test_the_value_itself_stays_as_it_is():
    v = Value(X)
    v.at[0].set(9)
    np.testing.assert_array_equal(v.data, np.arange(12.0).reshape(3, 4) / 8 + 0.25)


def test_an_entry_chosen_twice_keeps_the_last_and_adds_both():
    v, w = Value([1.0, 2.0]), Value([5.0, 7.0])
    out = v.at[[0, 0]].set(w)
    out.sum().backward()
    assert out.data.tolist() == [7, 2] and v.grad.tolist() == [0, 1] and w.grad.tolist() == [0, 1]
    assert v.at[[0, 0]].add(w).data.tolist() == [13, 2]
    with pytest.raises(ValueError, match="twice"):
        v.at[[0, 0]].multiply(w)


def test_float32_stays_float32():
    v, w = Value(X.astype(np.float32)), Value(np.float64(2.0) * np.ones(4))
    out = v.at[0].set(w)
    out.sum().backward()
    assert out.dtype == v.grad.dtype == np.float32 and w.grad.dtype == np.float64


@pytest.mark.parametrize(
    ("index", "written"),
    [
        (2, "v[2] = x"),
        (slice(1, None), "v[1:] = x"),
        ((..., slice(None, None, 2), None), "v[..., ::2, None] = x"),
        (X > 1, "v[mask] = x"),
        ([0, 2], "v[index] = x"),
    ],
)
def test_assignment_raises_and_shows_the_line_to_write(index, written):
    with pytest.raises(TypeError) as caught:
        Value(X)[index] = 1
    left = written.split(" =")[0]
    assert written in str(caught.value)
    assert f"v = {left.replace('v[', 'v.at[')}.set(x)" in str(caught.value)


def test_the_line_uses_the_name_of_the_value():
    with pytest.raises(TypeError, match=r"weights = weights\.at\[0\]\.set\(x\)"):
        Value(X, name="weights")[0] = 1


def test_a_single_number_has_no_entries():
    with pytest.raises(TypeError, match="no entries"):
        Value(1.0).at[0].set(2)
    with pytest.raises(IndexError, match="out of bounds"):
        Value(X).at[7].set(2)
    with pytest.raises(ValueError, match="broadcast"):
        Value(X).at[:2].set([1.0, 2.0])
