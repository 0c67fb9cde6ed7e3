"""More schedules and ways of clipping, against PyTorch's."""

import math

import numpy as np
import pytest

from tinygrad_course import Value, compile, nn, optim

SCHEDULES = {
    "MultiStepLR": {"milestones": [2, 5, 5, 9], "gamma": 0.5},
    "ExponentialLR": {"gamma": 0.9},
    "LambdaLR": {"lr_lambda": lambda steps: 0.95**steps + 0.1},
    "CosineAnnealingWarmRestarts": {"T_0": 3, "T_mult": 2, "eta_min": 0.01},
}


def pair(lr=0.5):
    torch = pytest.importorskip("torch")
    p, t = Value([1.0]), torch.ones(1, requires_grad=True)
    return torch.optim.lr_scheduler, optim.SGD([p], lr=lr), torch.optim.SGD([t], lr=lr)


@pytest.mark.filterwarnings("ignore:Detected call of")
@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("other", [None, "ExponentialLR", "MultiStepLR"])
def test_schedules_go_torchs_way_alone_and_together(name, other):
    scheduler, ours, theirs = pair()
    names = [name] if other is None else [other, name]
    mine = [getattr(optim, n)(ours, **SCHEDULES[n]) for n in names]
    his = [getattr(scheduler, n)(theirs, **SCHEDULES[n]) for n in names]
    for _ in range(14):
        assert ours.lr == pytest.approx(theirs.param_groups[0]["lr"], rel=1e-12)
        for schedule in (*mine, *his):
            schedule.step()


@pytest.mark.parametrize(
    "settings",
    [
        {}, {"mode": "max", "patience": 1}, {"factor": 0.5, "cooldown": 2, "patience": 0},
        {"threshold_mode": "abs", "threshold": 0.05, "patience": 1}, {"min_lr": 0.2, "patience": 0},
        {"mode": "max", "threshold_mode": "abs", "threshold": 0.1, "patience": 0, "eps": 0.04},
    ],
)  # fmt: skip
def test_plateaus_are_found_as_torch_finds_them(settings):
    scheduler, ours, theirs = pair()
    mine = optim.ReduceLROnPlateau(ours, **settings)
    his = scheduler.ReduceLROnPlateau(theirs, **settings)
    rng = np.random.default_rng(3)
    for k in range(60):
        loss = float(np.round(1 / (1 + k / 8) + 0.1 * rng.normal(), 2)) if k != 20 else math.nan
        mine.step(Value(loss) if k % 2 else loss)
        his.step(loss)
        assert ours.lr == pytest.approx(theirs.param_groups[0]["lr"], rel=1e-12), k


def test_a_plateau_goes_on_from_its_state():
    _, ours, _ = pair()
    schedule = optim.ReduceLROnPlateau(ours, factor=0.5, patience=2)
    for _ in range(3):
        schedule.step(1.0)
    other = optim.ReduceLROnPlateau(optim.SGD([Value([1.0])], lr=9.0), factor=0.5, patience=2)
    other.load_state_dict(schedule.state_dict())
    for one in (schedule, other):
        one.step(1.0)
    assert other.optimizer.lr == ours.lr == 0.25
    with pytest.raises(ValueError, match="mode is 'min' or 'max'"):
        optim.ReduceLROnPlateau(ours, mode="lowest")
    with pytest.raises(TypeError, match="lr_lambda is a function"):
        optim.LambdaLR(ours, 0.5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("norm_type", [1, 2.0, 3, math.inf, 0.5])
@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_norms_of_every_kind_are_torchs(dtype, norm_type, max_norm):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=shape).astype(dtype) for shape in ((3, 4), (5,), (1,))]
    ours, theirs = [], []
    for g in gradients:
        ours.append(Value(np.zeros_like(g)))
        theirs.append(torch.zeros(g.shape, dtype=torch.tensor(g).dtype, requires_grad=True))
        ours[-1].grad, theirs[-1].grad = g.copy(), torch.tensor(g)
    length = optim.clip_grad_norm_(ours, max_norm, norm_type=norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type=norm_type)
    assert length == pytest.approx(expected.item(), rel=1e-5)
    for v, t in zip(ours, theirs):
        np.testing.assert_allclose(v.grad, t.grad.numpy(), rtol=1e-5)


def test_values_are_cut_off_as_torch_does():
    torch = pytest.importorskip("torch")
    g = np.array([3.0, -0.2, -7.0, math.nan, math.inf])
    v, t = Value(np.zeros(5)), torch.zeros(5, dtype=torch.float64, requires_grad=True)
    number, recorded = Value(1.0), Value([1.0])
    v.grad, t.grad, number.grad, recorded.grad = g.copy(), torch.tensor(g), -4.0, Value([9.0])
    optim.clip_grad_value_([v, number, recorded, Value(1.0)], 0.5)
    torch.nn.utils.clip_grad_value_([t], 0.5)
    np.testing.assert_array_equal(v.grad, t.grad.numpy())
    assert number.grad == -0.5 and recorded.grad.data.tolist() == [0.5]
    with pytest.raises(ValueError, match="clip_value must be 0 or more"):
        optim.clip_grad_value_(v, -1.0)


def test_values_are_cut_off_in_compiled_steps_too():
    def trained(wrap):
        net = nn.Linear(2, 1, rng=0)
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x):
            optimizer.zero_grad()
            (net(x) ** 2).sum().backward()
            optim.clip_grad_value_(net.parameters(), 0.3)
            optimizer.step()

        call = wrap(step)
        for _ in range(3):
            call(np.ones((4, 2), np.float32))
        return net.weight.data.tolist()

    assert trained(compile) == trained(lambda f: f)
