"""Writing into Values: ``v[index] = x`` records, or raises where a record could not follow it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_course import TraceError, Value, compile, grad, no_grad, trace_lines
from tinygrad_course.nn import functional as F
from tinygrad_course.testing.gradcheck import gradcheck, gradgradcheck

X = np.array([0.5, 1.5, -1.0, 2.0])
ROWS = np.arange(12.0).reshape(3, 4) / 8 + 0.25


def filled(x):
    out = np.zeros_like(x)
    for i in range(len(x)):
        out[i] = x[i] ** 2
    return out


def recurrence(x):
    state = np.zeros_like(x)
    state[0] = x[0]
    for t in range(1, len(x)):
        state[t] = state[t - 1] * 0.5 + x[t] * state[0]
    return state * state


def masked(x):
    y = x * 3.0
    y[y > 2] = 0.5
    return y * x


def added(x):
    y = np.exp(x)
    y[1] += x[0] * y[0]
    y[0:2] *= y[2:4]
    y[[0, 3]] -= 1.0
    return y * y


def over_itself(x):
    y = np.tanh(x)
    y[0:2] = y[0:2] * y[1:3]
    y[...] = y * y[::-1]
    return y


def with_rules_that_need_the_result(x):
    y = F.softmax(x, axis=-1)
    y[0] = 5.0
    return y * x


def by_rows(x):
    out = np.zeros_like(x)
    for i in range(len(x)):
        out[i] = x[i] * i
    out[0] = out[1] * out[2]
    out[1, 2:] = x[0, 2:]
    out[:, 0] += 1.0
    return out * out


PROGRAMS = [filled, recurrence, masked, added, over_itself, with_rules_that_need_the_result]


@pytest.mark.parametrize("f", [*PROGRAMS, by_rows])
def test_a_program_that_writes_has_the_values_of_numpy_and_right_gradients(f):
    x = ROWS if f is by_rows else X
    want = f(x.copy())
    np.testing.assert_array_equal(f(Value(x)).data, want.data if isinstance(want, Value) else want)
    assert gradcheck(f, x) and gradgradcheck(f, x)


@pytest.mark.parametrize("f", [*PROGRAMS, by_rows])
def test_compiled_it_gives_the_same(f):
    v, w = (Value(ROWS if f is by_rows else X) for _ in range(2))
    compiled = compile(lambda x: f(x).sum())
    for _ in range(2):
        compiled(v).backward()
        f(w).sum().backward()
    np.testing.assert_array_equal(v.grad, w.grad)


def test_torch_gives_the_same():
    torch = pytest.importorskip("torch")

    def written(x, zeros):
        out = zeros(x)
        out[0] = x[1] * x[0]
        out[1:3] = x[1:3] ** 2
        out[2] += x[3]
        return (out * x).sum()

    t = torch.tensor(X, requires_grad=True)
    written(t, torch.zeros_like).backward()
    np.testing.assert_allclose(grad(lambda x: written(x, np.zeros_like))(X), t.grad.numpy(), rtol=1e-14)


def in_numpy(start, steps):
    x = start.copy()
    for kind, i, j in steps:
        if kind == "set":
            x[i] = x[j] * x[i] + 1.0
        elif kind == "rows":
            x[i : i + 2] = x[j : j + 2] * 2.0
        elif kind == "add":
            x[i] += start[j]
        else:
            x[x > 1.2345] *= 0.25
    return x


places = st.integers(0, 2)
steps = st.lists(st.tuples(st.sampled_from(["set", "rows", "add", "mask"]), places, places), max_size=6)


@given(steps, st.booleans())
def test_any_order_of_writing_is_differentiated_as_it_was_computed(steps, two_axes):
    start = ROWS.T.copy() if two_axes else X
    f = lambda x: (
        (in_numpy(x * 1.0, steps) * x).sum() if isinstance(x, Value) else (in_numpy(x, steps) * x).sum()
    )
    np.testing.assert_array_equal(in_numpy(Value(start) * 1.0, steps).data, in_numpy(start, steps))
    assert gradcheck(f, start)


# What cannot be followed
def test_what_had_used_the_old_entries_raises_at_backward_and_names_both_lines():
    v = Value(X)
    with trace_lines():
        y = v * 2.0
        z = y * y  # the use
        y[0] = 0.0  # the writing
    for result in (z.sum(), z.sum() + y.sum()):
        with pytest.raises(RuntimeError, match=r"after multiply .* had used it") as caught:
            result.backward()
        assert "y[0] = 0.0  # the writing" in str(caught.value) and "# the use" in str(caught.value)
    assert v.grad is None
    y.sum().backward()
    assert v.grad.tolist() == [0.0, 2.0, 2.0, 2.0]


def test_transforms_and_compiled_functions_say_so_too():
    def wrong(x):
        y = x * 2.0
        z = np.exp(y)
        y[0] = 0.0
        return z.sum() + y.sum()

    with pytest.raises(RuntimeError, match=r"written into .* after exp had used it"):
        grad(wrong)(X)
    with pytest.raises(TraceError, match=r"written into .* after exp had used it"):
        compile(wrong)(Value(X))


def parts():
    v = Value(ROWS)
    y, constant = v * 2.0, np.zeros_like(v)
    return {
        "row": y[0],
        "reshaped": y.reshape(4, 3),
        "transposed": y.T,
        "of a leaf": v[1:],
        "constant": constant[0],
    }


@pytest.mark.parametrize("kind", parts())
def test_views_of_other_memory_are_refused(kind):
    with pytest.raises(TypeError, match=r"it is a view.*v = v\.copy\(\)"):
        parts()[kind][0] = 1.0
    copied = parts()[kind].copy()
    copied[0] = 1.0
    assert copied.data.ravel()[0] == 1.0


def test_leaves_are_refused_and_written_into_under_no_grad():
    v = Value(X.copy(), name="v")
    older = (v * v).sum()
    with pytest.raises(TypeError, match=r"v\[0\] = x would change a leaf .*v = v\.at\[0\]\.set\(x\)"):
        v[0] = 1.0
    with no_grad():
        v[0] = 7.0
        with pytest.raises(TypeError, match="under no_grad"):
            older[...] = 0.0
    assert v.data[0] == 7.0 and v.requires_grad
    with pytest.raises(RuntimeError, match="updated in place"):
        older.backward()


def test_constants_stay_what_they_were_for_older_records():
    v, c = Value(X), Value(np.ones(4), requires_grad=False)
    product = (v * c).sum()
    c[0] = 9.0
    assert not c.requires_grad and c.data.tolist() == [9, 1, 1, 1]
    product.backward()
    assert v.grad.tolist() == [1, 1, 1, 1]
    c[1] = v[0]
    assert c.requires_grad


def test_arrays_like_a_value_are_constant_values():
    v = Value(X.astype(np.float32))
    for made in (np.zeros_like(v), np.ones_like(v), np.full_like(v, 2.0), np.empty_like(v)):
        assert type(made) is Value and not made.requires_grad and made.dtype == np.float32
    assert np.full_like(v, -0.0).data.tobytes() == np.full(4, -0.0, np.float32).tobytes()
    for made in (np.zeros_like(v, dtype=bool), np.full_like(v, 2, dtype=int)):
        assert type(made) is np.ndarray


def test_what_does_not_fit_is_told_and_changes_nothing():
    y = Value(X) * 2.0
    with pytest.raises(IndexError, match="index 7 is out of bounds"):
        y[7] = 1.0
    with pytest.raises(ValueError, match="could not broadcast"):
        y[0:2] = np.ones(3)
    with pytest.raises(TypeError, match=r"np\.stack"):
        y[0:2] = [Value(1.0), Value(2.0)]
    y.sum().backward()
    assert y.data.tolist() == (X * 2).tolist()
