"""Which calls share a program, how its variables are named, and how it goes with the transforms."""

from __future__ import annotations

import functools
import math
import warnings

import numpy as np
import pytest
from following import X, follows, refuses, same

from tinygrad_course import Value, compile, custom_derivative, grad, optim


# Equal is not the same
def test_two_closure_arrays_that_are_equal_at_first():
    a, b, w = X.copy(), X.copy(), Value(np.ones(3))
    follows(lambda x: (w * a - x * b).sum(), lambda: a.fill(8.0), lambda: b.fill(9.0))


def test_the_sign_of_zero_and_nan_belong_to_values_that_decide():
    f = compile(lambda x, k: np.copysign(x, math.exp(k)))
    for k in (np.float64(0.0), np.float64(-0.0), np.float32(-0.0)):
        same(f(X, k), np.copysign(X, math.exp(k)))
    n = len(f._programs)
    assert n == 3
    f(X, np.float64("nan"))
    f(X, np.float64("nan"))
    assert len(f._programs) == n + 1


def test_masked_arrays_are_refused():
    masked = np.ma.masked_array(X, [0, 1, 0])
    refuses(lambda x: x * 2.0, masked, match="MaskedArray")
    refuses(lambda x: x * masked, match="MaskedArray")


def test_a_parameter_without_a_part_in_the_loss_gets_no_gradient():
    class Two:
        def __init__(self):
            self.used, self.unused = Value(np.ones(3)), Value(np.ones(2))

        def __call__(self, x):
            return (self.used * x).sum()

    two = Two()
    ends = []
    for f in (two, compile(two)):
        optimizer = optim.AdamW([two.used, two.unused], lr=0.1, weight_decay=0.5)
        optimizer.zero_grad()
        f(X).backward()
        assert two.unused.grad is None
        optimizer.step()
        ends.append(two.unused.data.copy())
    same(*ends)
    f = compile(lambda x, y: (x * 2.0).sum())
    x, y = Value(X.copy()), Value(X.copy())
    f(x, y).backward()
    assert y.grad is None
    same(x.grad, np.full(3, 2.0))


# Names
def test_names_of_values_never_meet_those_of_buffers():
    def loss(x, v):
        h = np.exp(np.sin(x) * v)
        return (np.tanh(h * v) * np.exp(h)).sum()

    v = Value(np.array(0.3), name="0")

    def with_default(x, v=v):
        return loss(x, v)

    follows(with_default)
    follows(functools.partial(lambda v, x: loss(x, v), v))
    for name in ("0", "_0", "c", "x²", "½", "ｘ", "lease", "np", "for", "", "a b"):
        w = Value(np.array(0.7), name=name)
        follows(lambda x, w=w: loss(x, w) * v)


# Which programs are kept
def test_programs_are_kept_by_recent_use_and_said_once_when_too_few():
    f = compile(lambda x: (x * x).sum(), kept=3)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for n in (1, 2, 3, 1, 4):  # 2 makes room
            f(np.ones(n))
        assert not told
        kept = list(f._programs)
        f(np.ones(1))
        assert set(kept) == set(f._programs)
        for _ in range(3):
            for n in range(1, 5):
                f(np.ones(n))
    assert [w.category for w in told] == [RuntimeWarning]
    assert "kept=" in str(told[0].message)
    with pytest.raises(ValueError, match="kept"):
        compile(lambda x: x, kept=0)


def test_more_shapes_than_were_kept_at_first_are_kept_once_they_come_again():
    f, made = compile(lambda x: (x * x).sum()), []
    for _ in range(4):
        for n in range(1, 41):
            before = set(map(id, f._programs.values()))
            f(np.ones(n))
            made.append(len(set(map(id, f._programs.values())) - before))
    assert sum(made[80:]) == 0 and len(f._programs) == 40  # none in the last two rounds
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f(np.ones(41))


# With the transforms
def test_the_gradient_of_a_tree_has_zeros_of_its_shapes():
    f = grad(lambda p: (p["a"] ** 2).sum())
    given = {"a": np.ones(3), "b": np.ones(3)}
    got, expected = compile(f)(given), f(given)
    assert list(got) == list(expected)
    same(list(got.values()), list(expected.values()))


def test_gradients_of_functions_without_a_sum():
    for f in (lambda x: -2 * x, lambda x: x, lambda x: x[0] * 3.0):
        same(compile(grad(f))(np.ones(1)), grad(f)(np.ones(1)))
        same(compile(grad(lambda x: x * 2.0))(1.5), grad(lambda x: x * 2.0)(1.5))


def test_gradients_of_a_product_of_vectors():
    for f in (lambda x: np.dot(x * x, x), lambda x: np.dot(grad(lambda x: np.sum(x**3))(x), x)):
        same(compile(grad(f))(X), grad(f)(X))


def test_a_custom_derivative_is_not_looked_into():
    def by_newton(a):
        x = a
        while abs(x * x - a) > 1e-12:
            x = 0.5 * (x + a / x)
        return x

    root = custom_derivative(by_newton, vjp=lambda g, x, a: (g / (2 * x),))
    f = compile(lambda a: root(a) * 3.0)
    for number in (2.0, 3.0, 9.0):
        a, b = Value(number), Value(number)
        got, expected = f(a), root(b) * 3.0
        got.backward()
        expected.backward()
        same([got, a.grad], [expected, b.grad])


def test_values_that_the_function_makes_itself():
    w = Value(np.ones(3))
    follows(lambda x: (Value(x) * w).sum())
    refuses(lambda x: (Value(x) * 2.0).sum(), match="makes itself")


def test_numbers_used_once_stand_inside_one_another_but_not_too_deep():
    def chain(x, y):
        for k in range(300):
            x = math.pi - x * y if k % 3 else (x + y) / (1.0 + x * x)
        return x * 2.0

    results = []
    for f in (chain, compile(chain)):
        x, y = Value(0.3), Value(0.7)
        out = f(x, y)
        out.backward()
        results.append((out.data, x.grad, y.grad))
    assert results[0] == results[1]


def test_a_division_by_zero_inside_an_expression_is_numpys():
    f = compile(lambda x: (1.0 / (x - 1.0)) * 2.0 + 3.0)
    assert f(Value(2.0)).data == 5.0
    with np.errstate(all="ignore"):
        assert f(Value(1.0)).data == math.inf
