"""Interruptions: Ctrl-C at any line of ours leaves everything as it was, and the next pass is right."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest
from interrupting import Interrupter

import tinygrad_course
from tinygrad_course import Value, compile, grad, hessian, nn, optim
from tinygrad_course.engine.watch import recording_mode, walking


def graph():
    """A graph of floats and one of arrays, with an operation of three operands."""
    w, x = Value(0.5, name="w"), Value([[1.0, -2.0]])
    layer = nn.Linear(2, 2, rng=0)
    return w, x, layer


def scenarios(tmp_path):
    """(name, prepare -> state, work(state), what can be seen of the state)."""
    mse = nn.functional.mse_loss

    def loss_of(state):
        w, x, layer = state
        return mse(layer(x * w).tanh(), np.ones((1, 2))) + w * w

    def backward(state):
        state[3].backward()

    def prepared():
        state = graph()
        return (*state, loss_of(state))

    def with_gradients():
        state = prepared()
        state[3].backward()
        return (*state[:3], loss_of(state[:3]))

    def grads(state):
        return [None if p.grad is None else np.array(p.grad) for p in (*state[:2], *state[2].parameters())]

    def f(x):
        return (np.tanh(x) * x).sum()

    square = compile(lambda x: (np.tanh(x) * x).sum())
    square(Value(np.ones(2))).backward()

    def nothing(state):
        return []

    yield "forward", graph, loss_of, grads
    yield "backward", prepared, backward, grads
    yield "second backward", with_gradients, backward, grads
    yield "grad", lambda: None, lambda state: grad(f)(np.ones(2)), nothing
    yield "hessian", lambda: None, lambda state: hessian(f)(np.ones(2)), nothing
    yield "compiled", lambda: Value(np.ones(2)), lambda x: square(x).backward(), nothing


def same(a, b):
    return len(a) == len(b) and all(
        (x is None and y is None) or (x is not None and y is not None and np.array_equal(x, y))
        for x, y in zip(a, b)
    )


def test_an_interruption_at_any_line_leaves_everything_as_it_was(tmp_path):
    tried = 0
    for name, prepare, work, seen in scenarios(tmp_path):
        counter = Interrupter()
        counter.run(lambda: work(prepare()))  # noqa: B023
        after = seen((state := prepare(), work(state))[0])
        for n in range(1, counter.count + 1):
            state = prepare()
            before, errors = seen(state), np.geterr()
            stopped = Interrupter(n).run(lambda: work(state))  # noqa: B023
            if not stopped:
                continue
            tried += 1
            told = f"{name}, line {n} of {counter.count}"
            assert gc.isenabled() and np.geterr() == errors, told
            assert recording_mode.get() is True and walking.get() is False, told
            now = seen(state)
            assert same(now, before) or same(now, after), told
        state = prepare()
        work(state)
        assert same(seen(state), after), name
        free = []
        thread = threading.Thread(target=lambda: free.append(work(prepare())))  # noqa: B023
        thread.start()
        thread.join(20)
        assert len(free) == 1, f"{name}: another thread waits for ever"
    assert tried > 500


def test_an_interrupted_step_is_seen_whole_or_not_at_all():
    target = np.ones((3, 2))

    def prepare():
        layer = nn.Linear(2, 2, rng=0)
        optimizer = optim.Adam(layer.parameters(), lr=0.1)
        nn.functional.mse_loss(layer(np.ones((3, 2))), target).backward()
        return layer, optimizer

    def numbers(layer):
        return np.concatenate([p.data.ravel() for p in layer.parameters()])

    layer, optimizer = prepare()
    before = numbers(layer)
    optimizer.step()
    after = numbers(layer)
    counter = Interrupter()
    counter.run(prepare()[1].step)
    for n in range(1, counter.count + 1):
        layer, optimizer = prepare()
        if Interrupter(n).run(optimizer.step):
            now = numbers(layer)
            assert np.array_equal(now, before) or np.array_equal(now, after), f"line {n} of {counter.count}"


def test_one_model_in_eight_threads():
    net = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1))
    x = np.random.default_rng(0).normal(size=(5, 3))
    net(x).sum().backward()
    once = [np.array(p.grad) for p in net.parameters()]
    net.zero_grad()
    failed = []

    def work():
        try:
            for _ in range(20):
                net(x).sum().backward()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    for p, g in zip(net.parameters(), once):
        np.testing.assert_allclose(p.grad, 160 * g, rtol=1e-4)


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_a_rule_that_is_interrupted_leaves_the_gradients(error):
    def rule(g, out, x):
        raise error

    broken = tinygrad_course.derivative(lambda x: x * 1.0, rule)
    x = Value([1.0, 2.0])
    (x * x).sum().backward()
    before = x.grad.copy()
    with pytest.raises(error):
        (broken(x) + x).sum().backward()
    np.testing.assert_array_equal(x.grad, before)
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad, 2 * before)


def test_an_optimizers_state_is_loaded_whole_or_not_at_all():
    def prepare():
        parameters = [Value(np.ones(2), name="a"), Value(2.0, name="b")]
        optimizer = optim.Adam(parameters, lr=0.1)
        for p in parameters:
            p.grad = p.data * 0.5
        optimizer.step()
        state = optimizer.state_dict()
        optimizer.step()
        optimizer.lr = 0.7
        return optimizer, state

    def told(optimizer):
        return {name: np.array(a).tolist() for name, a in optimizer.state_dict().items()}

    optimizer, state = prepare()
    before = told(optimizer)
    counter = Interrupter()
    counter.run(lambda: optimizer.load_state_dict(state))
    after = told(optimizer)
    assert before != after
    for n in range(1, counter.count + 1):
        optimizer, state = prepare()
        if Interrupter(n).run(lambda: optimizer.load_state_dict(state)):  # noqa: B023
            assert told(optimizer) in (before, after), f"line {n} of {counter.count}"
