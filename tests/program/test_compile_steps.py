"""Compiled functions that draw random numbers or change things: dropout, statistics, training steps."""

from __future__ import annotations

import pickle
import random
import sys
import threading
import types
from importlib import import_module

import numpy as np
import pytest

from tinygrad_course import TraceError, Value, compile, nn, optim
from tinygrad_course.nn import functional as F
from tinygrad_course.program.randomness import Randomness

X = np.random.default_rng(0).random((32, 20), np.float32)
Y = np.random.default_rng(1).integers(0, 4, 32)


def eager(function):
    return function


def same(one, other):
    assert type(one) is type(other)
    np.testing.assert_array_equal(one, other)


def both(experiment):
    """What an experiment gives with functions as they are and with compiled ones, entry by entry the same."""
    for a, b in zip(experiment(eager), experiment(compile), strict=True):
        same(a, b)


# Randomness
def test_dropout_is_drawn_anew_from_the_same_stream():
    def experiment(prepare):
        drop, w = nn.Dropout(0.5, rng=7), Value(np.ones(20, np.float32))
        f = prepare(lambda x: drop(x * w).sum())
        for n in (32, 32, 8, 32):  # another signature in between
            w.grad = None
            out = f(X[:n])
            out.backward()
            yield out.data
            yield w.grad
        yield drop.rng.random()

    both(experiment)
    values = list(experiment(compile))
    assert values[0] != values[2]


def test_one_backward_uses_the_factors_of_its_own_forward():
    drop, w = nn.Dropout(0.5, rng=7), Value(np.ones(20, np.float32))
    f = compile(lambda: drop(w))
    first, second = f(), f()
    first.backward(np.ones(20))
    same(w.grad, first.data)
    assert not np.array_equal(first.data, second.data)


def test_two_draws_in_one_function_are_two():
    drop = nn.Dropout(0.5, rng=7)
    f = compile(lambda x: (drop(x), drop(x)))
    one, two = f(X)
    assert not np.array_equal(one, two)
    f = compile(lambda x, w: (F.dropout(x * w), F.dropout(x * w)))
    one, two = f(X, Value(1.0))
    assert not np.array_equal(one.data, two.data)
    assert not np.array_equal(f(X, Value(1.0))[0].data, one.data)


def test_a_number_as_rng_is_the_same_choice_each_time():
    f = compile(lambda x: F.dropout(x, 0.5, rng=3))
    same(f(X), F.dropout(X, 0.5, rng=3))
    same(f(X), F.dropout(X, 0.5, rng=3))


def test_a_generator_as_an_argument():
    f = compile(lambda x, rng: F.dropout(x, 0.5, rng=rng))
    for seed in (1, 2, 1):
        ours, theirs = np.random.default_rng(seed), np.random.default_rng(seed)
        for _ in range(2):
            same(f(X, ours), F.dropout(X, 0.5, rng=theirs))


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.random(20),
        lambda rng: np.random.rand(20),  # noqa: NPY002
        lambda rng: random.random(),
    ],
)
def test_plain_random_numbers_are_refused(draw):
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    with pytest.raises(TraceError, match="random numbers"):
        compile(lambda x: x * draw(rng))(X)
    assert rng.bit_generator.state == before


def test_what_another_thread_draws_meanwhile_is_not_the_functions(monkeypatch):
    draws, known, over, two = [random.random] * 5, Randomness.has_strayed, threading.Event(), Value(2.0)

    def drawn_meanwhile(self):
        if draws:
            draws.pop()()
        return known(self)

    monkeypatch.setattr(Randomness, "has_strayed", drawn_meanwhile)
    thread = threading.Thread(target=over.wait, args=(60,))
    thread.start()
    try:
        same(compile(lambda x: two * x)(X).data, X * 2)
        assert not draws
    finally:
        over.set()
        thread.join()


def test_a_generator_made_inside_is_refused():
    with pytest.raises(TraceError, match="make it once, outside"):
        compile(lambda x: F.dropout(x, rng=np.random.default_rng(0)))(X)


# What modules remember
def test_running_statistics_and_the_mode():
    def experiment(prepare):
        model = nn.Sequential(nn.Linear(20, 6, rng=0), nn.BatchNorm1d(6), nn.Dropout(0.2, rng=1))
        f = prepare(lambda x: model(x).sum())
        for mode in (True, True, False, True, False):
            model.train(mode)
            out = f(X)
            model.zero_grad()
            out.backward()
            yield out.data
            yield from (p.grad for p in model.parameters())
            yield (
                model.modules_[1].running_mean
                if hasattr(model, "modules_")
                else model.state_dict()["1.running_mean"]
            )
            yield model.state_dict()["1.num_batches_tracked"]

    both(experiment)


def test_a_compiled_function_may_change_the_mode():
    def experiment(prepare):
        model = nn.Sequential(nn.Linear(20, 4, rng=0), nn.Dropout(0.5, rng=1))

        @prepare
        def evaluate(x):
            model.eval()
            return model(x)

        for _ in range(3):
            model.train()
            yield evaluate(X).data
            yield np.array(model.training)

    both(experiment)


# Whole training steps
OPTIMIZERS = [
    lambda p: optim.SGD(p, lr=0.1),
    lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    lambda p: optim.Adam(p, lr=1e-2),
    lambda p: optim.AdamW(p, lr=1e-2),
    lambda p: optim.RMSprop(p, lr=1e-2),
]


def training(make, zero_first=True, clip=False, frozen=False, schedule=False):
    def experiment(prepare):
        model = nn.Sequential(nn.Linear(20, 8, rng=0), nn.ReLU(), nn.Linear(8, 4, rng=1))
        unused = Value(np.ones(3, np.float32))  # never gets a gradient
        optimizer = make([*model.parameters(), unused])
        rates = optim.StepLR(optimizer, 2, 0.5)
        if frozen:
            next(iter(model.parameters())).requires_grad = False

        @prepare
        def step(x, y):
            loss = F.cross_entropy(model(x), y)
            if zero_first:
                model.zero_grad()
            loss.backward()
            norm = optim.clip_grad_norm_(model.parameters(), 0.1) if clip else loss
            optimizer.step()
            if schedule:
                rates.step()
            return loss, norm

        for n in (32, 32, 16, 32, 16):
            loss, norm = step(X[:n], Y[:n])
            yield loss.data
            yield norm.data if isinstance(norm, Value) else np.array(norm)
            yield optimizer.lr
            yield from (p.data.copy() for p in model.parameters())
            yield from (p.grad for p in model.parameters() if p.grad is not None)
        assert unused.grad is None
        yield unused.data

    return experiment


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_whole_training_steps_have_the_same_bits(make):
    both(training(make))


def test_steps_with_all_that_goes_with_them():
    both(training(OPTIMIZERS[2], clip=True, schedule=True))
    both(training(OPTIMIZERS[3], frozen=True))
    both(training(OPTIMIZERS[0], zero_first=False))  # gradients add up over the calls


def test_tracing_makes_no_step():
    w = Value(np.array([1.0]))
    optimizer = optim.SGD([w], lr=1.0)

    @compile
    def step():
        w.grad = None
        (w * 2.0).sum().backward()
        optimizer.step()

    for n in range(1, 4):
        assert step() is None
        same(w.data, np.array([1.0 - 2 * n]))
        same(w.grad, np.array([2.0]))


def test_two_steps_in_one_program():
    def experiment(prepare):
        w = Value(np.array([1.0, -2.0]), name="w")
        optimizer = optim.SGD([w], lr=0.1)

        @prepare
        def steps(x):
            for _ in range(2):
                optimizer.zero_grad()
                loss = ((w * x) ** 2).sum()
                loss.backward()
                optimizer.step()
            return loss, (w * w).sum()

        for _ in range(3):
            loss, size = steps(np.array([0.5, 2.0]))
            yield loss.data
            yield size.data
            yield w.data.copy()

    both(experiment)


def test_a_step_by_hand():
    def experiment(prepare):
        w, b = Value(np.array([1.0, 2.0])), Value(0.5)

        @prepare
        def step(x):
            w.grad = b.grad = None
            loss = ((w * x + b) ** 2).sum()
            loss.backward()
            for p in (w, b):
                p.data = p.data - 0.1 * p.grad
            return loss

        for _ in range(4):
            yield step(np.array([0.5, 2.0])).data
            yield w.data
            yield b.data

    both(experiment)


def test_backward_inside_brings_gradients_to_arguments_too():
    def experiment(prepare):
        x = Value(np.array([1.0, 2.0]))
        f = prepare(lambda x: (x * x).sum().backward())
        for _ in range(3):
            f(x)
            yield x.grad

    both(experiment)


def test_backward_inside_brings_gradients_to_parameters_that_only_tracing_finds():
    secret = Value(np.array([1.0, 2.0]))
    sys.modules["hidden"] = hidden = types.ModuleType("hidden")  # nothing that one could look into
    hidden.secret = secret

    @compile
    def step(x):
        ((import_module("hidden").secret * x) ** 2).sum().backward()

    for n in (1, 2):
        step(np.array([3.0, 1.0]))
        np.testing.assert_array_equal(secret.grad, n * np.array([18.0, 4.0]))


def test_gradients_never_share_memory():
    a, b = Value(np.ones(3)), Value(np.ones(3))
    compile(lambda: ((a + b) * 2.0).sum())().backward()
    assert not np.shares_memory(a.grad, b.grad)
    a.grad = b.grad = None
    compile(lambda: ((a + b) * 2.0).sum().backward())()
    assert not np.shares_memory(a.grad, b.grad)


def test_what_a_step_has_overwritten_is_refused():
    w = Value(np.array([1.0, 2.0]))
    optimizer = optim.SGD([w], lr=0.1)

    @compile
    def step():
        loss = (w * w).sum()
        loss.backward()
        optimizer.step()
        loss.backward()

    with pytest.raises(TraceError, match="before a step of the optimizer"):
        step()
    same(w.data, np.array([1.0, 2.0]))
    assert w.grad is None


def test_zero_by_zero_inside_a_compiled_backward_is_as_without():
    def experiment(prepare):
        w = Value(np.array([1.0, 1.0]))

        @prepare
        def f(x):
            w.grad = None
            np.where(x > 0, np.log(w * x), 0.0).sum().backward()

        with np.errstate(all="ignore"):
            for x in ([1.0, 2.0], [0.0, 2.0], [1.0, 2.0]):
                f(np.array(x))
                yield w.grad

    both(experiment)


def test_an_argument_changed_in_place_is_refused():
    def count(x):
        x += 1.0
        return x

    with pytest.raises(TraceError, match="in place"):
        compile(count)(np.ones(2))

    def in_place(x):
        h = x * 2.0
        other = h
        h += 1.0
        return other + h

    same(compile(in_place)(np.ones(2)), in_place(np.ones(2)))


def test_python_state_is_seen_or_refused():
    scale, count = 2.0, 0
    f = compile(lambda x: x * scale)
    same(f(np.ones(2)), np.full(2, 2.0))
    scale = 3.0
    same(f(np.ones(2)), np.full(2, 3.0))

    def counting(x):
        nonlocal count
        count += 1
        return x * count

    with pytest.raises(TraceError, match="assigns count"):
        compile(counting)(np.ones(2))
    assert count == 0


def test_another_model_under_the_same_name():
    model = nn.Linear(20, 2, rng=0)
    f = compile(lambda x: model(x).sum())
    f(X)
    model = nn.Linear(20, 2, rng=1)
    same(f(X).data, model(X).sum().data)
    model.bias = Value(np.ones(2, np.float32))
    same(f(X).data, model(X).sum().data)


# Methods, copies, pictures
class Scaled:
    def __init__(self, scale):
        self.w, self.scale = Value(np.ones(2)), scale

    @compile
    def loss(self, x, *more, factor=1.0, **named):
        """The loss."""
        extra = sum(m.sum() for m in more) + sum(v.sum() for v in named.values())
        return ((self.w * x * self.scale) ** 2).sum() * factor + extra


def test_compiled_methods_are_of_one_object():
    one, two = Scaled(2.0), Scaled(3.0)
    assert one.loss(np.ones(2)).item() == 8.0
    assert two.loss(np.ones(2)).item() == 18.0
    assert one.loss(np.ones(2), np.ones(2), factor=3.0, other=np.ones(3)).item() == 29.0
    one.scale = 1.0
    assert one.loss(np.ones(2)).item() == 2.0
    one.loss(np.ones(2)).backward()
    assert one.w.grad is not None and two.w.grad is None
    assert Scaled.loss.__doc__ == "The loss."


def sum_of_squares(x):
    return (x * x).sum()


def test_copies_compile_anew():
    f = compile(sum_of_squares)
    f(Value(X))
    again = pickle.loads(pickle.dumps(f))
    assert not again._programs
    same(again(Value(X)).data, f(Value(X)).data)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(compile(lambda x: x))


def test_in_a_notebook_it_is_its_source():
    f = compile(lambda x: (x < 1) * x)
    assert "0 programs" in repr(f) and f._repr_mimebundle_() == {"text/plain": repr(f)}
    f(X)
    assert repr(f) == "compile(<lambda>), 1 program so far"
    assert "&lt; 1" in f._repr_mimebundle_()["text/html"]


def test_results_of_any_kind():
    got = compile(lambda x: (x, 3, "a", None, {"k": x * 2}))(np.ones(2))
    same(got[0], np.ones(2))
    same(got[4]["k"], np.full(2, 2.0))
    assert got[1:4] == (3, "a", None)
