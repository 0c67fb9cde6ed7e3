"""Steps are made block by block, and gradients are read where they are: neither changes a bit."""

import numpy as np
import pytest

from tinygrad_course import Value, blocks, optim

KINDS = {
    "sgd": lambda ps: optim.SGD(ps, lr=0.1),
    "nesterov": lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "dampening": lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9, dampening=0.5),
    "adam": lambda ps: optim.Adam(ps, lr=0.1),
    "amsgrad": lambda ps: optim.Adam(ps, lr=0.1, amsgrad=True, weight_decay=0.1, maximize=True),
    "adamw": lambda ps: optim.AdamW(ps, lr=0.1),
    "rmsprop": lambda ps: optim.RMSprop(ps, lr=0.1, momentum=0.5, centered=True),
    "adagrad": lambda ps: optim.Adagrad(ps, lr=0.1),
}
SHAPES = ((7, 5), (3,), (), (1,), (50,), (0, 4), (2, 3, 4))


def gradients(step):
    rng = np.random.default_rng(step)
    return [rng.normal(size=shape).astype(np.float32) for shape in SHAPES]


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_and_pieces_give_the_bits_of_each_parameter_alone(kind, monkeypatch):
    together = [Value(np.ones(shape, np.float32)) for shape in SHAPES]
    alone = [Value(np.ones(shape, np.float32)) for shape in SHAPES]
    optimizer, alone_each = KINDS[kind](together), [KINDS[kind]([p]) for p in alone]
    for step in range(4):
        for p, q, g in zip(together, alone, gradients(step)):
            p.grad, q.grad = g, g.T.copy().T  # as it is, and laid out in another order
        together[4].grad = alone[4].grad = None if step == 1 else together[4].grad
        with monkeypatch.context() as small:
            small.setattr(blocks, "BYTES", 64)
            optimizer.step()
        for one in alone_each:
            one.step()
        for p, q, g in zip(together, alone, gradients(step)):
            np.testing.assert_array_equal(p.data, q.data)
            assert p.grad is None or np.array_equal(p.grad, g)


def test_a_gradient_in_the_memory_of_another_parameter_is_what_it_was_before_the_step(monkeypatch):
    monkeypatch.setattr(blocks, "BYTES", 64)
    p, q = Value(np.arange(100.0)), Value(np.ones(100))
    optimizer = optim.SGD([p, q], lr=0.5)
    p.grad, q.grad = np.ones(100), p.data
    optimizer.step()
    np.testing.assert_array_equal(q.data, 1 - 0.5 * np.arange(100.0))
