"""Zeros: one that comes from a choice absorbs an infinite slope, and one that is a real factor does not.

Where the truth is finite but a factor on the way is infinite and another zero, nan is what PyTorch gives,
too; a finite number would be a wrong one.
"""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_course import Value, compile, grad, jacobian, jvp
from tinygrad_course.nn import functional as F

FACTORS = {  # at 0, where the truth is 1, 1, 1, ...
    "exp(log x)": lambda x: np.exp(np.log(x)),
    "sqrt(x) ** 2": lambda x: np.sqrt(x) ** 2,
    "square(sqrt x)": lambda x: np.square(np.sqrt(x)),
    "1 / (1 / x)": lambda x: 1 / (1 / x),
    "sigmoid(log x)": lambda x: F.sigmoid(np.log(x)),
    "a constant of zeros": lambda x: np.log(x) * np.array([0.0, 1.0]),
    "x * log x": lambda x: x * np.log(x),
}
CHOICES = {
    "where": lambda x: np.where(x > 0, np.log(x), 0.0),
    "where of where": lambda x: np.where(x > 0, 3 * np.where(x > 0, np.sqrt(x), 1.0), 2.0),
    "a factor behind a choice": lambda x: np.where(x > 0, -2.0 * np.log(x), 0.0) * 7.0,
    "index": lambda x: np.log(x)[1:],
    "slice of a stack": lambda x: np.stack([np.log(x), x])[1],
    "maximum": lambda x: np.maximum(np.log(x), -5.0),
    "minimum": lambda x: np.minimum(-np.log(x), 5.0),
    "fmax": lambda x: np.fmax(np.log(x), -5.0),
    "clip": lambda x: np.clip(np.log(x), -5.0, 5.0),
    "relu": lambda x: F.relu(np.log(x) + 1.0),
    "hardtanh": lambda x: F.hardtanh(np.log(x)),
    "max": lambda x: np.max(np.log(x)),
    "concatenate": lambda x: np.concatenate([np.log(x), x])[1:],
    "sort": lambda x: np.sort(np.sqrt(x))[1:],
    "take": lambda x: np.take(np.log(x), [1]),
}


def slopes(f, x):
    """By backward, by grad, by a recorded gradient, by the rows of the Jacobian, and compiled."""
    v = Value(x)
    f(v).sum().backward()
    yield v.grad
    yield grad(lambda x: f(x).sum())(x)
    v.grad = None
    f(v).sum().backward(create_graph=True)
    yield v.grad.data
    yield np.sum(np.atleast_2d(jacobian(f)(x)), axis=0)
    v.grad = None
    compile(f)(v).sum().backward()
    yield v.grad


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("name", FACTORS)
def test_a_real_factor_of_zero_does_not_absorb(name, dtype):
    for slope in slopes(FACTORS[name], np.array([0.0, 1.0], dtype)):
        assert not np.isfinite(slope[0]), slope
        assert np.isfinite(slope[1])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", [name for name in FACTORS if "constant" not in name])
def test_numbers_go_as_arrays_do(name):
    x = Value(0.0)
    FACTORS[name](x).backward()
    assert not np.isfinite(x.grad)
    _, tangent = jvp(FACTORS[name], (np.array([0.0, 1.0]),), (np.array([1.0, 0.0]),))
    assert not np.isfinite(tangent[0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_absorbs(name, dtype):
    for slope in slopes(CHOICES[name], np.array([0.0, 2.0], dtype)):
        assert slope[0] == (1.0 if name in ("slice of a stack", "concatenate") else 0.0), slope
        assert np.isfinite(slope[1])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_choice_in_one_use_does_not_hide_the_other():
    x = Value([0.0, 1.0])
    y = np.log(x)
    (np.where(x.data > 0, y, 0.0) + np.exp(y)).sum().backward()
    assert np.isnan(x.grad[0]) and x.grad[1] == 2.0
