"""The words of autograd and micrograd: argnum, elementwise_grad, flatten, optim.tree, label, _prev, _op."""

import inspect

import numpy as np
import pytest

from tinygrad_course import Value, elementwise_grad, flatten, grad, hessian, jacobian, optim, value_and_grad

X, Y = np.array([0.5, 1.5, -2.0]), np.array([2.0, 3.0, 0.25])
TREE = {"w": np.arange(6.0).reshape(2, 3), "rest": [np.array(2.0), (np.ones(2), 4.0)]}


def test_argnum_is_argnums():
    f = lambda x, y: (x * y**2).sum()
    for transform in (grad, jacobian, hessian):
        np.testing.assert_array_equal(transform(f, argnum=1)(X, Y), transform(f, argnums=1)(X, Y))
    value, (gx, gy) = value_and_grad(f, argnum=(0, 1))(X, Y)
    assert value == f(X, Y)
    np.testing.assert_array_equal(gx, Y**2)
    np.testing.assert_array_equal(gy, 2 * X * Y)


def test_elementwise_gradients_of_every_order():
    np.testing.assert_allclose(elementwise_grad(np.tanh)(X), 1 - np.tanh(X) ** 2, rtol=1e-14)
    third = elementwise_grad(elementwise_grad(elementwise_grad(np.sin)))
    np.testing.assert_allclose(third(X), -np.cos(X), rtol=1e-14)
    np.testing.assert_allclose(elementwise_grad(np.multiply, 1)(X, Y), X)
    assert elementwise_grad(lambda x: x**2)(3.0) == 6.0


def test_flatten_there_and_back_also_recorded():
    vector, back = flatten(TREE)
    assert vector.shape == (10,)
    again = back(vector)
    assert list(again) == ["w", "rest"] and isinstance(again["rest"][1], tuple)
    np.testing.assert_array_equal(again["w"], TREE["w"])
    assert again["rest"][1][1] == 4.0 and np.shape(again["rest"][0]) == ()
    f = lambda tree: (tree["w"] ** 2).sum() * tree["rest"][0] + tree["rest"][1][0].sum() ** 2
    expected, _ = flatten(grad(f)(TREE))
    np.testing.assert_array_equal(grad(lambda v: f(back(v)))(vector), expected)
    np.testing.assert_array_equal(grad(lambda tree: (flatten(tree)[0] ** 2).sum())(TREE)["w"], 2 * TREE["w"])
    assert flatten([])[0].shape == (0,)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam"])
def test_tree_optimizers_go_autograds_way(name):
    theirs = getattr(pytest.importorskip("autograd.misc.optimizers"), name)
    slope = grad(lambda p, i: ((p["a"] - X) ** 2).sum() * (1 + i % 3) + (p["b"][0] * Y).sum() ** 2)
    start = {"a": np.zeros(3), "b": [np.ones(3)]}
    seen = ([], [])
    keep = lambda told: lambda x, i, g: told.append((i, x["a"].copy(), g["a"].copy()))
    mine = getattr(optim.tree, name)(slope, start, keep(seen[0]), num_iters=20, step_size=0.05)
    his = theirs(slope, start, keep(seen[1]), num_iters=20, step_size=0.05)
    np.testing.assert_allclose(mine["a"], his["a"], rtol=1e-12)
    np.testing.assert_allclose(mine["b"][0], his["b"][0], rtol=1e-12)
    assert [i for i, *_ in seen[0]] == [i for i, *_ in seen[1]] == list(range(20))
    np.testing.assert_array_equal(start["a"], 0)


def test_tree_adam_is_the_optimizers_adam():
    p = Value(np.ones(3))
    optimizer = optim.Adam([p], lr=0.01)
    for _ in range(10):
        optimizer.zero_grad()
        ((p - X) ** 2).sum().backward()
        optimizer.step()
    x = optim.tree.adam(grad(lambda x, i: ((x - X) ** 2).sum()), np.ones(3), num_iters=10, step_size=0.01)
    np.testing.assert_allclose(x, p.data, rtol=1e-6)


def test_tree_optimizers_are_short():
    lines = inspect.getsource(optim.tree).splitlines()
    assert len([line for line in lines if line.strip()]) < 60


def test_micrograds_words():
    a, b = Value(2.0), Value(-3.0, name="b")
    a.label = "a"
    c = a * b
    assert (a.name, a.label, b.label, c.label, Value(1.0).label) == ("a", "a", "b", "", "")
    assert c._prev == (a, b) or [p is q for p, q in zip(c._prev, (a, b))] == [True, True]
    assert (c * 2)._prev[0] is c and a._prev == () and a._op == ""
    made = (a + b, a * b, a - b, a / b, a**2, a.tanh(), -a, a.relu())
    assert [v._op for v in made] == ["+", "*", "-", "/", "**", "tanh", "negative", "relu"]
    unreached = Value(1.0)
    c.backward()
    assert unreached.grad is None and a.grad == -3.0
