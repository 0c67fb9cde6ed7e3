"""Steps through large arrays are made block by block, in one loop, and give the same bits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from following import same

from tinygrad_course import Value, blocks, compile, nn
from tinygrad_course.nn import functional as F

LONG = 6 * blocks.LEAST // 4 + 37  # seven blocks of float32, the last one shorter


@pytest.fixture(autouse=True)
def short_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "BYTES", blocks.LEAST)


def entries(*shape, dtype=np.float32):
    return np.random.default_rng(0).uniform(0.25, 2.0, shape).astype(dtype)


def results(f, inputs):
    values = [Value(x) for x in inputs]
    out = f(*values)
    out.backward(np.linspace(0.5, 1.5, out.size, dtype=out.dtype).reshape(out.shape))
    return [out.data, *(v.grad for v in values)]


def layer_norm(x):
    y = x - x.mean(1, keepdims=True)
    return y / np.sqrt((y * y).mean(axis=1, keepdims=True) + 1e-5)


ROWS = (LONG // 200, 200)
FUNCTIONS = {
    "a chain": (lambda x: (np.tanh(x * x + x) * x).sum(), [(LONG,)]),
    "many functions": (lambda x: np.exp(-x) + np.log(x) * np.sin(x) / np.sqrt(x) - x**2.5, [(LONG,)]),
    "sigmoid and relu": (lambda x: F.relu(F.sigmoid(x) - 0.6) * np.maximum(x, 1.0), [(LONG,)]),
    "doubles": (lambda x: np.tanh(x) * np.exp(x) + x, [(LONG // 2,)]),
    "softmax": (lambda x: F.softmax(x, 1), [ROWS]),
    "its logarithm": (lambda x: F.log_softmax(x, 1), [ROWS]),
    "cross-entropy": (lambda x: F.cross_entropy(x, np.arange(ROWS[0]) % 200), [ROWS]),
    "a row for all": (lambda x, w: np.tanh(x * w + w) * x, [ROWS, (200,)]),
    "a number for each row": (lambda x, w: np.tanh(x * w) - w, [ROWS, (ROWS[0], 1)]),
    "over rows": (layer_norm, [ROWS]),
    "as many rows as columns": (lambda x, w: (x * w + (w * w).sum()) * np.max(x, 1), [(700, 700), (700,)]),
    "read whole and by rows": (lambda x: (x[:, None] * x + x[:, None]).sum(1) * x, [(700,)]),
    "read by rows and whole": (lambda x, w: (np.tanh(w * x.sum(1)) + w * x).sum(1), [(700, 700), (700,)]),
    "a view that is needed later": (lambda x: np.tanh(x * x).sum() + np.sum(x[:, None]), [(LONG,)]),
    "three axes": (lambda x, w: np.exp(x * w).sum(axis=-1) * w[..., 0], [(400, 30, 50), (400, 30, 1)]),
    "of another layout": (lambda x: np.tanh(x.T * x.T + 1.0).sum(-1), [(200, ROWS[0])]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_blocks_have_the_same_bits(name):
    function, shapes = FUNCTIONS[name]
    inputs = [entries(*shape, dtype=float if name == "doubles" else np.float32) for shape in shapes]
    compiled = compile(function)
    kept = []
    for scale in (1.0, 0.75, 1.0):
        given = [(x * np.asarray(scale, x.dtype)) for x in inputs]
        got = results(compiled, given)
        same(got, results(function, given))
        kept.append((got, [np.array(a) for a in got]))
    for got, copies in kept:
        same(got, copies)  # no later run writes into an earlier result
    assert "# blocks" in compiled.source or name == "of another layout"


def test_what_is_short_has_no_loop():
    f = compile(lambda x: (np.tanh(x * x) * x).sum())
    f(Value(entries(1000)))
    assert "for " not in f.source


def test_the_printed_loop_runs_on_its_own():
    f = compile(lambda x: F.softmax(x, 1).sum() + np.tanh(x * x).sum())
    x = entries(*ROWS)
    v = Value(x)
    out = f(v)
    out.backward()
    scope = {}
    exec(f.source, scope)
    result, gradients = scope["function"](x)
    same([result, gradients["x"]], [out.data, v.grad])
    assert "in range(0, " in f.source


def test_zero_by_zero_in_a_loop_is_as_without():
    x = entries(LONG)
    x[LONG // 2] = 0.0
    f = lambda v: np.where(v > 0, np.log(v) * np.sqrt(v), v * v).sum()
    with np.errstate(all="ignore"):
        same(results(compile(f), [x]), results(f, [x]))


def test_random_chains_of_steps_that_share_results():
    rng = np.random.default_rng(3)
    steps = [np.add, np.multiply, np.maximum, np.subtract]
    for shape, n in itertools.product([(LONG,), ROWS], range(3)):
        picks = [(steps[rng.integers(4)], *rng.integers(0, 2 + k, 2)) for k in range(8)]

        def f(x, y, picks=picks):
            pool = [x, y]
            for step, i, j in picks:
                pool.append(step(pool[i], pool[j]) * 0.5)
                if pool[-1].ndim == 2:
                    pool.append(pool[-1] - pool[-1].max(1, keepdims=True))
            return sum(part.sum() for part in pool[2 + n :])  # noqa: B023

        inputs = [entries(*shape), entries(*shape) + np.float32(n)]
        same(results(compile(f), inputs), results(f, inputs))


def test_a_network_of_wide_layers():
    net = nn.Sequential(nn.Linear(8, 600, rng=0), nn.Tanh(), nn.Linear(600, 600, rng=1), nn.Sigmoid())
    x = entries(1200, 8)
    ends = []
    for loss in (lambda x: (net(x) ** 2).mean(), compile(lambda x: (net(x) ** 2).mean())):
        net.zero_grad()
        out = loss(x)
        out.backward()
        ends.append([out.data, *(p.grad for p in net.parameters())])
    same(*ends)


def test_arrays_are_joined_to_constants_of_other_shapes():
    f = lambda x: np.concatenate([x, np.zeros((x.shape[0], 2)), np.ones_like(x)], axis=1) * 2.0
    x = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(compile(f)(x), f(x))
