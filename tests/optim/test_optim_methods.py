"""The optimizers' numbers: as PyTorch computed them once, and as it does now where it is installed."""

import numpy as np
import pytest

from tinygrad_course import Value, optim

START = [1.0, -2.0, 0.5, 3.0, -0.1]

# What torch.optim made of START after 100 steps with `gradient(1)` to `gradient(100)`, in float64.
GOLDEN = [
    (
        "SGD",
        {"lr": 0.1},
        [-1.95363629914, -1.73120340835, 0.408872235794, 3.06110343956, -0.230462429568],
    ),
    (
        "SGD",
        {"lr": 0.1, "momentum": 0.9},
        [-26.3094179858, -1.57369176749, 1.02261499638, 3.49166635908, -0.665905531691],
    ),
    (
        "SGD",
        {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        [-10.7455618811, -0.934272401141, 0.383483328268, 2.06894206263, -0.318332840141],
    ),
    (
        "SGD",
        {"lr": 0.1, "weight_decay": 0.1},
        [-1.48700655509, -0.466171515614, 0.0466769142363, 1.14127896869, -0.143375088129],
    ),
    ("Adam", {}, [0.959318308352, -2.0011411484, 0.501333647709, 3.00035362961, -0.102147159538]),
    (
        "Adam",
        {"lr": 0.05, "betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1},
        [-0.957774505477, -0.981256943216, 0.295571375365, 1.77063350715, -0.117602948773],
    ),
    (
        "AdamW",
        {"lr": 0.01},
        [0.585325505619, -1.99135970575, 0.508223599001, 2.97367279549, -0.120288718833],
    ),
    (
        "AdamW",
        {"lr": 0.05, "weight_decay": 0.5},
        [-0.643939753858, -0.135542276835, 0.0335757540216, 0.250979358894, -0.0275086299566],
    ),
    ("RMSprop", {}, [0.148821591181, -1.98792958888, 0.548205720597, 3.0506967038, -0.14081098923]),
    (
        "RMSprop",
        {"lr": 0.02, "alpha": 0.9, "eps": 1e-4, "weight_decay": 0.1, "momentum": 0.5},
        [-0.729831205269, -1.12277931463, 0.34307372084, 1.89369712859, -0.113934961588],
    ),
]
named = pytest.mark.parametrize("name, settings, expected", GOLDEN, ids=[f"{n}-{s}" for n, s, _ in GOLDEN])


def gradient(step):
    i = np.arange(5)
    return np.sin(3.0 * step + i) * (1 + i / 10) + 0.3 * np.cos(0.1 * step * i)


@named
def test_hundred_steps_on_an_array_end_where_pytorch_ended(name, settings, expected):
    p = Value(np.array(START))
    optimizer = getattr(optim, name)([p], **settings)
    for step in range(1, 101):
        p.grad = gradient(step)
        optimizer.step()
    np.testing.assert_allclose(p.data, expected, rtol=1e-9)


@named
def test_hundred_steps_on_python_numbers_end_there_too_and_leave_python_numbers(name, settings, expected):
    ps = [Value(x) for x in START]
    optimizer = getattr(optim, name)(ps, **settings)
    for step in range(1, 101):
        for p, g in zip(ps, gradient(step).tolist()):
            p.grad = g
        optimizer.step()
    assert all(type(p.data) is float for p in ps)
    np.testing.assert_allclose([p.data for p in ps], expected, rtol=1e-9)


@named
def test_float32_stays_float32_and_close(name, settings, expected):
    p, q = Value(np.array(START[:2], np.float32)), Value(np.array(START[2:], np.float32).reshape(3, 1))
    optimizer = getattr(optim, name)([p, q], **settings)
    for step in range(1, 101):
        g = gradient(step).astype(np.float32)
        p.grad, q.grad = g[:2], g[2:].reshape(3, 1)
        optimizer.step()
    assert p.dtype == q.dtype == np.float32
    np.testing.assert_allclose(np.append(p.data, q.data), expected, rtol=1e-5, atol=1e-5)


@named
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pytorch_goes_the_same_way_on_gradients_of_many_sizes(name, settings, expected, dtype):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    rng = np.random.default_rng(5)
    start = [rng.normal(size=shape).astype(dtype) for shape in ((7, 3), (3,), (), (2, 1, 4))]
    ours = [Value(x.copy()) for x in start]
    theirs = [torch.tensor(x, requires_grad=True) for x in start]
    optimizer = getattr(optim, name)(ours, **settings)
    twin = getattr(torch.optim, name)(theirs, **settings)
    for step in range(100):
        for p, t in zip(ours, theirs):
            g = (rng.normal(size=p.shape) * 10.0 ** rng.integers(-4, 3)).astype(dtype)
            skip = step % 7 == 3 and p.ndim == 1
            p.grad, t.grad = (None, None) if skip else (np.asarray(g), torch.tensor(g))
        if step == 60:
            optimizer.lr *= 0.5
            twin.param_groups[0]["lr"] *= 0.5
        optimizer.step()
        twin.step()
        for p, t in zip(ours, theirs):
            scale = 1e-6 * max(1.0, float(t.detach().abs().max()))
            np.testing.assert_allclose(
                p.data, t.detach().numpy(), rtol=0, atol=scale if dtype == "float64" else 20 * scale
            )


def test_clip_grad_norm_gives_the_length_and_shortens_to_the_bound():
    p, q, without = Value(np.zeros((1, 2))), Value(0.0), Value([1.0])
    p.grad, q.grad = np.array([[3.0, 0.0]]), 4.0
    assert optim.clip_grad_norm_([p, q, without], max_norm=10.0) == 5.0
    assert p.grad[0, 0] == 3.0 and q.grad == 4.0
    assert optim.clip_grad_norm_([p, q, without], max_norm=1.0) == 5.0
    np.testing.assert_allclose([p.grad[0, 0], q.grad], [0.6, 0.8], rtol=1e-6)
    assert type(q.grad) is float and without.grad is None
    with pytest.raises(ValueError, match="max_norm"):
        optim.clip_grad_norm_([p], max_norm=-1.0)
    assert optim.clip_grad_norm_([without], max_norm=1.0) == 0.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clip_grad_norm_keeps_the_dtype_and_agrees_with_pytorch(dtype):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    rng = np.random.default_rng(1)
    grads = [rng.normal(size=s).astype(dtype) for s in ((4, 3), (5,))]
    ours = [Value(np.zeros_like(g)) for g in grads]
    theirs = [torch.zeros(g.shape, dtype=getattr(torch, dtype), requires_grad=True) for g in grads]
    for p, t, g in zip(ours, theirs, grads):
        p.grad, t.grad = g.copy(), torch.tensor(g)
    before = optim.clip_grad_norm_(ours, 0.7)
    assert before == pytest.approx(float(torch.nn.utils.clip_grad_norm_(theirs, 0.7)), rel=1e-6)
    for p, t in zip(ours, theirs):
        assert p.grad.dtype == dtype
        np.testing.assert_allclose(p.grad, t.grad.numpy(), rtol=1e-6)


def test_clip_grad_norm_of_recorded_gradients():
    x = Value([1.0, 2.0])
    (x * x).sum().backward(create_graph=True)
    assert optim.clip_grad_norm_([x], 1.0) == pytest.approx(np.sqrt(20))
