"""Modules as functions of their parameters, and their derivatives."""

import copy
import threading

import numpy as np
import pytest

from tinygrad_course import Value, grad, hessian, hvp, jacobian, jvp, nn
from tinygrad_course.nn import functional_call

X = np.random.default_rng(0).normal(size=(6, 2))
Y = np.random.default_rng(1).normal(size=(6, 1))


def network():
    rng = np.random.default_rng(2)
    net = nn.Sequential(nn.Linear(2, 4, rng=rng), nn.Tanh(), nn.Linear(4, 1, rng=rng))
    for p in net.parameters():
        p.data = p.data.astype(float)
    return net


def test_with_its_own_parameters_it_is_the_module():
    net = network()
    right = net(X).numpy()
    assert functional_call(net, {}, X).numpy().tolist() == right.tolist()
    assert functional_call(net, net.state_dict(), X).numpy().tolist() == right.tolist()
    assert functional_call(net, dict(net.named_parameters()), X).numpy().tolist() == right.tolist()
    assert not functional_call(net, net.state_dict(), X).requires_grad


def test_gradients_are_those_of_backward():
    net = network()
    loss = lambda p: ((functional_call(net, p, X) - Y) ** 2).mean()
    found = grad(loss)(net.state_dict())
    assert all(p.grad is None for p in net.parameters())
    ((net(X) - Y) ** 2).mean().backward()
    for name, p in net.named_parameters():
        np.testing.assert_allclose(found[name], p.grad, rtol=1e-12)


def test_the_hessian_of_a_loss_is_one_line():
    net = network()
    found = hessian(lambda p: ((functional_call(net, p, X) - Y) ** 2).mean())(net.state_dict())
    names = list(net.state_dict())
    sizes = [p.size for p in net.parameters()]
    matrix = np.block(
        [[found[a][b].reshape(m, n) for b, n in zip(names, sizes)] for a, m in zip(names, sizes)]
    )
    slope = grad(lambda p: ((functional_call(net, p, X) - Y) ** 2).mean())
    state, column = net.state_dict(), []
    for sign in (1, -1):
        moved = {name: array.copy() for name, array in state.items()}
        moved["0.weight"][2, 1] += sign * 1e-5
        column.append(np.concatenate([g.ravel() for g in slope(moved).values()]))
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    np.testing.assert_allclose(matrix[5], (column[0] - column[1]) / 2e-5, atol=1e-8)
    v = {name: np.ones_like(array) for name, array in state.items()}
    product = hvp(lambda p: ((functional_call(net, p, X) - Y) ** 2).mean(), state, v)
    np.testing.assert_allclose(
        np.concatenate([g.ravel() for g in product.values()]), matrix.sum(1), atol=1e-12
    )


def test_networks_of_neurons_and_other_transforms():
    mlp = nn.MLP(2, [3, 1], rng=np.random.default_rng(0))
    x = [0.5, -1.0]
    found = grad(lambda p: functional_call(mlp, p, x) ** 2)(mlp.state_dict())
    (mlp(x) ** 2).backward()
    for name, p in mlp.named_parameters():
        assert np.isclose(found[name], p.grad)
    net = network()
    rows = jacobian(lambda p: functional_call(net, p, X))(net.state_dict())
    _, tangent = jvp(lambda p: functional_call(net, p, X), (net.state_dict(),), (net.state_dict(),))
    total = sum((rows[k] * v).reshape(6, -1).sum(1) for k, v in net.state_dict().items())
    np.testing.assert_allclose(tangent[:, 0], total)


def test_the_module_stays_as_it_is():
    net = network()
    net.register_buffer("scale", np.full(1, 2.0))
    before, parts = copy.deepcopy(net.state_dict()), [part for _, part in net.named_modules()]
    other = {name: array + 1 for name, array in net.state_dict().items()}
    functional_call(net, other, X)
    with pytest.raises(ValueError):
        functional_call(net, other, X[:, :1])
    assert [part for _, part in net.named_modules()] == parts
    assert all(np.array_equal(before[name], array) for name, array in net.state_dict().items())


class Odd(nn.Module):
    """Parameters in a list, a dict and a tuple, one of them shared; a buffer; a part that is used twice."""

    def __init__(self):
        self.listed = [Value(2.0), {"inside": (Value([1.0, 2.0]),)}]
        self.again = self.listed[0]
        self.first = self.second = nn.Linear(2, 2, rng=np.random.default_rng(0))
        self.first.bias.requires_grad = False
        self.register_buffer("seen", np.zeros(1))
        self.chosen = self.double

    def double(self, x):
        return x * 2

    def forward(self, x, *, offset=0.0):
        self.seen = self.seen + 1
        x = self.second(self.first(x * self.listed[1]["inside"][0])) * self.listed[0] * self.again
        return self.chosen(x) + offset + self.seen


def test_parameters_wherever_they_are():
    odd = Odd()
    x = np.ones((1, 2), np.float32)
    out = functional_call(odd, {"listed.0": 3.0}, x, offset=1.0).numpy() - 2
    np.testing.assert_allclose(out / (functional_call(odd, {}, x).numpy() - 1), 9 / 4, rtol=1e-6)
    assert odd.seen.tolist() == [0.0]
    assert np.allclose(functional_call(odd, {"seen": np.full(1, 7.0)}, x).numpy(), odd(x).numpy() + 7)
    frozen = grad(lambda p: functional_call(odd, p, x).sum())({"first.bias": np.ones(2, np.float32)})
    assert isinstance(frozen["first.bias"], Value)  # the others are Values that it depends on, too


def test_errors_name_the_parameter():
    odd = Odd()
    with pytest.raises(ValueError, match=r"Odd has no parameter 'lost'; it has listed.0, .*seen"):
        functional_call(odd, {"lost": 1.0}, np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"first.weight has shape \(2, 2\), and was given \(3,\)"):
        functional_call(odd, {"first.weight": np.ones(3)}, np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"again is shared, and was given by its other name"):
        functional_call(odd, {"listed.0": 1.0, "again": 1.0}, np.ones((1, 2)))


def test_one_module_in_many_threads():
    net = network()
    loss = lambda p: ((functional_call(net, p, X) - Y) ** 2).mean()
    states = [{k: v + i for k, v in net.state_dict().items()} for i in range(4)]
    right, wrong = [grad(loss)(s) for s in states], []

    def work(i):
        for _ in range(30):
            found = grad(loss)(states[i])
            if not all(np.array_equal(found[k], right[i][k]) for k in found):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_one_newton_step_solves_a_linear_problem():
    net = nn.Linear(2, 1, rng=np.random.default_rng(0))
    for p in net.parameters():
        p.data = p.data.astype(float)
    loss = lambda p: ((functional_call(net, p, X) - (X @ [[3.0], [-1.0]] + 2)) ** 2).mean()
    state = net.state_dict()
    h, g = hessian(loss)(state), grad(loss)(state)
    matrix = np.block([[h[a][b].reshape(state[a].size, -1) for b in state] for a in state])
    step = np.linalg.solve(matrix, np.concatenate([g[a].ravel() for a in state]))
    net.load_state_dict({"weight": state["weight"] - step[:2], "bias": state["bias"] - step[2:]})
    np.testing.assert_allclose(net.weight.numpy(), [[3.0, -1.0]])
    np.testing.assert_allclose(net.bias.numpy(), [2.0])


def test_a_list_that_holds_itself():
    """It is copied once, and its copy holds itself."""

    class Ring(nn.Module):
        def __init__(self):
            self.parts = [nn.Linear(2, 1, rng=0), {}]
            self.parts[1]["again"] = self.parts

        def forward(self, input):
            return self.parts[1]["again"][0](input)

    net, new = Ring(), nn.Linear(2, 1, rng=1)
    assert list(net.state_dict()) == ["parts.0.weight", "parts.0.bias"]
    found = functional_call(net, {f"parts.0.{name}": p for name, p in new.named_parameters()}, X)
    np.testing.assert_array_equal(found.data, new(X).data)
    assert net.parts[1]["again"] is net.parts
