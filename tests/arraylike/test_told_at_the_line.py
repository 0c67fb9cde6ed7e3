"""Errors end with the line that asked, whatever of the package stands between it and where they arise."""

import traceback

import numpy as np
import pytest

from tinygrad_course import Value, compile, grad, nn, optim

V = Value(np.ones((2, 3)))


class Net(nn.Module):
    def __init__(self):
        self.inside = nn.Linear(2, 4)

    def forward(self, x):
        return self.inside(x)  # the line


def backward_after_writing():
    p = Value(np.ones(3))
    total = (p * p).sum()
    p.data -= 1
    total.backward()  # the line


ASKED = {
    "operator": lambda: V + np.ones((3, 2)),  # the line
    "reflected operator": lambda: np.ones((3, 2)) + V,  # the line
    "ufunc": lambda: np.add(V, np.ones((3, 2))),  # the line
    "function": lambda: np.sum(V, axis=5),  # the line
    "function without a row": lambda: np.busday_count(V, V),  # the line
    "a keyword": lambda: np.exp(V, out=np.ones((2, 3))),  # the line
    "method": lambda: V.sum(axis=5),  # the line
    "index": lambda: V[5],  # the line
    "module": lambda: nn.Linear(4, 2)(V),  # the line
    "module of one's own": lambda: Net()(np.ones((2, 3))),
    "module made wrongly": lambda: nn.Linear([2, 1]),  # the line
    "function of nn": lambda: nn.functional.linear(V, np.ones((2, 4))),  # the line
    "loss": lambda: nn.functional.cross_entropy(V, np.zeros(5, int)),  # the line
    "axes of a function": lambda: nn.functional.softmax(V, dim=1, axis=1),  # the line
    "optimizer": lambda: optim.SGD([V], lr="0.1"),  # the line
    "parameters": lambda: optim.SGD(V, lr=0.1),  # the line
    "transform": lambda: grad(lambda x: x * 2)(np.ones(3)),  # the line
    "writing": lambda: V.__setitem__(0, 1.0),  # the line
    "backward": lambda: (V * 2).backward(),  # the line
    "backward after writing": backward_after_writing,
}


@pytest.mark.parametrize("kind", ASKED)
def test_the_line_that_asked_comes_last(kind):
    with pytest.raises(Exception) as caught:
        ASKED[kind]()
    shown = traceback.format_exception(caught.value)
    assert shown[-1].startswith("your line: test_told_at_the_line.py:") and shown[-1].rstrip().endswith(
        "# the line"
    )
    assert len(caught.value.__notes__) == 1


class Broken(nn.Module):
    def forward(self, x):
        return x / 0


def test_an_error_of_the_users_own_code_needs_no_pointer():
    with pytest.raises(ZeroDivisionError) as caught:
        Broken()(1)
    assert not hasattr(caught.value, "__notes__")


def test_a_comparison_that_is_asked_for_one_truth_says_what_to_write():
    with pytest.raises(ValueError, match=r"a comparison of shape \(2, 3\) .*\(v > 0\)\.any\(\)"):
        assert V > 0
    with pytest.raises(ValueError, match="a comparison"):
        assert (V > 0) & (V < 2)
    assert (V > 0).all() and bool(V.sum() > 0) and repr(V[0] > 0) == "array([ True,  True,  True])"


def test_what_is_computed_from_a_comparison_is_plain():
    mask = V > 0
    for made in (mask * 1.0, mask.astype(float), mask.sum(axis=0), np.where(mask, 1.0, 0.0), mask + mask.T.T):
        assert type(made) is np.ndarray or made.dtype == bool
    np.where(mask, V, 0.0).sum().backward()
    assert type(V.grad) is np.ndarray and type(V.data[mask]) is np.ndarray
    V.grad = None


def test_comparisons_are_arguments_and_parts_of_compiled_functions():
    v, held = Value([1.0, -2.0, 3.0]), {"mask": np.array([True, True, False])}
    held["mask"] = v > 0
    f = compile(lambda x, mask: (np.where(mask, x, 0.0) * held["mask"]).sum())
    assert [f(v, v > 0).item(), f(v, v < 2).item()] == [4.0, 1.0]
    held["mask"] = v < 0
    assert f(v, v < 2).item() == -2.0
