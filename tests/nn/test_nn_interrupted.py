"""Layers under Ctrl-C at any line, and used by many threads at once."""

import threading

import numpy as np
import pytest
from interrupting import Interrupter

from tinygrad_course import nn
from tinygrad_course.nn import functional as F

X = np.random.default_rng(0).normal(size=(6, 3))


def statistics(layer):
    return np.concatenate([np.ravel(getattr(layer, name)) for name in layer.buffer_names])


@pytest.mark.parametrize("momentum", [0.1, None])
def test_batch_statistics_move_whole_or_not_at_all(momentum):
    layer = nn.BatchNorm1d(3, momentum=momentum)
    before = statistics(layer)
    counter = Interrupter()
    counter.run(lambda: layer(X))
    after, seen = statistics(layer), []
    for n in range(1, counter.count + 1):
        layer = nn.BatchNorm1d(3, momentum=momentum)
        if Interrupter(n).run(lambda: layer(X)):  # noqa: B023
            now = statistics(layer)
            assert np.array_equal(now, before) or np.array_equal(now, after), f"line {n} of {counter.count}"
            seen.append(np.array_equal(now, after))
    assert len(seen) > 50


def test_the_statistics_of_the_function_move_whole_or_not_at_all():
    def prepared():
        return np.zeros(3), np.ones(3)

    mean, var = prepared()
    counter = Interrupter()
    counter.run(lambda: F.batch_norm(X, mean, var, training=True))
    after = np.concatenate([mean, var])
    for n in range(1, counter.count + 1):
        mean, var = prepared()
        Interrupter(n).run(lambda: F.batch_norm(X, mean, var, training=True))  # noqa: B023
        now = np.concatenate([mean, var])
        whole = np.array_equal(now, np.concatenate(prepared())) or np.array_equal(now, after)
        assert whole, f"line {n} of {counter.count}"


def in_threads(work, count=8):
    """`work` in so many threads at once; the errors that came."""
    errors = []

    def caught():
        try:
            work()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=caught) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_the_function_in_eight_threads():
    """Whoever comes first, the same batch moves the statistics by the same factor each time."""
    mean, var = np.zeros(3), np.ones(3)
    errors = in_threads(lambda: [F.batch_norm(X, mean, var, training=True) for _ in range(50)])
    assert errors == []
    left = 0.9**400
    np.testing.assert_allclose(mean, X.mean(0) * (1 - left), rtol=1e-9)
    np.testing.assert_allclose(var, left + X.var(0, ddof=1) * (1 - left), rtol=1e-9)


def test_one_model_with_statistics_and_dropout_in_eight_threads():
    """Every gradient arrives, every batch is counted, and dropout drops its share in every thread."""
    net = nn.Sequential(
        nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Dropout(0.5, rng=1), nn.Linear(4, 1, rng=2)
    )
    kept = []

    def work():
        for _ in range(20):
            out = net[:3](X)
            kept.append(float(np.mean(out.data != 0)))
            net(X).sum().backward()

    assert in_threads(work) == []
    assert net[1].num_batches_tracked == 2 * 160
    np.testing.assert_allclose(net[3].bias.grad, [160 * 6.0])
    assert 0.4 < np.mean(kept) < 0.6


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_statistics_of_numbers_whose_squares_overflow_in_float16(dtype):
    x = (400 * X).astype(dtype)
    layer = nn.BatchNorm1d(3, dtype=dtype)
    layer(x)
    wide = x.astype(float)
    np.testing.assert_allclose(layer.running_var, 0.9 + 0.1 * wide.var(0, ddof=1), rtol=2e-3)
    np.testing.assert_allclose(layer.running_mean, 0.1 * wide.mean(0), rtol=2e-3)
    assert layer.running_var.dtype == dtype
    mean, var = np.zeros(3, dtype), np.ones(3, dtype)
    F.batch_norm(x, mean, var, training=True)
    np.testing.assert_array_equal(var, layer.running_var)


def test_layers_take_their_input_by_pytorchs_name():
    for layer, shape in [
        (nn.Linear(3, 2, rng=0), (6, 3)),
        (nn.ReLU(), (6, 3)),
        (nn.BatchNorm1d(3).eval(), (6, 3)),
        (nn.LayerNorm(3), (6, 3)),
        (nn.Flatten(), (6, 3)),
        (nn.Softmax(dim=1), (6, 3)),
        (nn.Sequential(nn.Linear(3, 2, rng=0)), (6, 3)),
        (nn.Conv2d(1, 1, 2, rng=0), (1, 1, 3, 3)),
        (nn.MaxPool2d(2), (1, 1, 4, 4)),
    ]:
        x = np.random.default_rng(1).normal(size=shape)
        out, named = layer(x), layer(input=x)
        np.testing.assert_array_equal(getattr(out, "data", out), getattr(named, "data", named))
