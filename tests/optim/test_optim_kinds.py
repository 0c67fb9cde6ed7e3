"""Every optimizer and setting goes PyTorch's way, also where a parameter has no gradient for a while."""

import inspect

import numpy as np
import pytest

from tinygrad_course import Value, optim

KINDS = [
    ("SGD", {"momentum": 0.9, "dampening": 0.5}),
    ("SGD", {"momentum": 0.9, "dampening": 1.0, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"maximize": True}),
    ("Adam", {"amsgrad": True}),
    ("Adam", {"maximize": True, "weight_decay": 0.1}),
    ("Adam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "amsgrad": True}),
    ("AdamW", {"amsgrad": True, "maximize": True}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.3, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"weight_decay": 0.1, "betas": (0.8, 0.9), "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"weight_decay": 0.1, "momentum_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {}),
    ("RAdam", {"betas": (0.8, 0.9), "weight_decay": 0.1}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
]
named = pytest.mark.parametrize(("name", "settings"), KINDS, ids=[f"{n}-{'-'.join(s)}" for n, s in KINDS])


@named
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_are_pytorchs(name, settings, dtype):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    rng = np.random.default_rng(5)
    start = [rng.normal(size=shape).astype(dtype) for shape in ((7, 3), (3,), (2, 1, 4))]
    ours, theirs = [Value(x.copy()) for x in start], [torch.tensor(x, requires_grad=True) for x in start]
    mine = getattr(optim, name)(ours, lr=0.02, **settings)
    twin = getattr(torch.optim, name)(theirs, lr=0.02, **settings)
    rtol = 1e-6 if dtype == "float64" else 5e-5
    for step in range(60):
        for p, t in zip(ours, theirs):
            g = rng.normal(size=p.shape).astype(dtype)
            skip = step % 7 == 3 and p.ndim == 1
            p.grad, t.grad = (None, None) if skip else (g, torch.tensor(g))
        mine.step()
        twin.step()
        for p, t in zip(ours, theirs):
            np.testing.assert_allclose(p.data, t.detach().numpy(), rtol=rtol, atol=rtol)
            assert p.dtype == dtype


@named
def test_scalars_go_the_way_of_arrays_and_states_are_kept(name, settings):
    numbers, array = [Value(1.5), Value(-0.5)], Value(np.array([1.5, -0.5]))
    first, second = (getattr(optim, name)(p, lr=0.1, **settings) for p in (numbers, [array]))
    for step in range(20):
        for p, g in zip(numbers, (1.0 + step, -0.3)):
            p.grad = g
        array.grad = np.array([1.0 + step, -0.3])
        first.step(), second.step()
        if step == 9:
            again = getattr(optim, name)([array], lr=0.1, **settings)
            again.load_state_dict(second.state_dict())
            second = again
    np.testing.assert_allclose([p.data for p in numbers], array.data, rtol=1e-12)


@pytest.mark.parametrize("name", sorted({name for name, _ in KINDS}))
def test_settings_have_pytorchs_names_and_defaults(name):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    ours = inspect.signature(getattr(optim, name)).parameters
    left_out = {"params", "foreach", "capturable", "differentiable", "fused"}
    assert theirs.keys() - left_out == ours.keys() - left_out
    for key in ours.keys() - left_out:
        assert ours[key].default == theirs[key].default, key
