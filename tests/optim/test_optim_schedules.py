"""Learning-rate schedules: PyTorch's numbers, and going on from a saved state."""

import numpy as np
import pytest

from tinygrad_course import Value, optim

AT = (0, 1, 7, 29, 30, 55, 80, 99, 100)

# The learning rates of torch.optim.lr_scheduler at the steps AT, from lr=0.2.
GOLDEN = [
    ("StepLR", {"step_size": 30, "gamma": 0.5}, "0.2 0.2 0.2 0.2 0.1 0.1 0.05 0.025 0.025"),
    (
        "CosineAnnealingLR",
        {"T_max": 80, "eta_min": 0.001},
        "0.2 0.199923289106 0.196264296027 0.142156643885 0.13857700152 0.0452207618145 0.001 "
        "0.0274349103111 0.0301428752719",
    ),
    (
        "LinearLR",
        {"start_factor": 0.1, "end_factor": 0.7, "total_iters": 60},
        "0.02 0.022 0.034 0.078 0.08 0.13 0.14 0.14 0.14",
    ),
    (
        "OneCycleLR",
        {"max_lr": 0.4, "total_steps": 101},
        "0.016 0.0171026041601 0.0675878895329 0.399900679065 0.399903256845 0.283156954082 "
        "0.0739186424305 0.000199018441585 1.6e-06",
    ),
    (
        "OneCycleLR",
        {"max_lr": 0.4, "total_steps": 101, "pct_start": 0.1, "div_factor": 10, "final_div_factor": 100},
        "0.04 0.0506204220348 0.354731934671 0.354579018174 0.350104153144 0.197092747978 "
        "0.0462602576471 0.000519314778064 0.0004",
    ),
]
named = pytest.mark.parametrize("name, settings, expected", GOLDEN)


def rates(optimizer, schedule, n):
    found = []
    for _ in range(n):
        found.append(optimizer.lr)
        schedule.step()
    return found


@named
def test_the_rates_are_those_of_pytorch(name, settings, expected):
    optimizer = optim.SGD([Value(0.0)], lr=0.2)
    found = rates(optimizer, getattr(optim, name)(optimizer, **settings), 101)
    np.testing.assert_allclose([found[t] for t in AT], [float(x) for x in expected.split()], rtol=1e-9)


@named
def test_the_rates_are_those_of_pytorch_live(name, settings, expected):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    twin = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.2)
    extra = {"cycle_momentum": False} if name == "OneCycleLR" else {}
    theirs = getattr(torch.optim.lr_scheduler, name)(twin, **settings, **extra)
    optimizer = optim.SGD([Value(0.0)], lr=0.2)
    ours = getattr(optim, name)(optimizer, **settings)
    for _ in range(100):
        assert optimizer.lr == pytest.approx(twin.param_groups[0]["lr"], rel=1e-6)
        twin.step()
        theirs.step()
        ours.step()


@named
def test_a_schedule_goes_on_from_its_state(name, settings, expected):
    def made(lr):
        optimizer = optim.SGD([Value(0.0)], lr=lr)
        return optimizer, getattr(optim, name)(optimizer, **settings)

    optimizer, schedule = made(0.2)
    rates(optimizer, schedule, 40)
    state, kept = schedule.state_dict(), optimizer.state_dict()
    expected = rates(optimizer, schedule, 50)
    other, resumed = made(0.9)
    other.load_state_dict(kept)
    resumed.load_state_dict(state)
    assert rates(other, resumed, 50) == expected  # bit for bit


def test_one_cycle_stays_at_its_end():
    optimizer = optim.SGD([Value(0.0)], lr=0.2)
    found = rates(optimizer, optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=10), 15)
    assert max(found) <= 1.0
    assert found[9:] == pytest.approx([1.0 / 25 / 1e4] * 6)


@pytest.mark.parametrize("total_steps, pct_start", [(1, 0.3), (2, 0.0), (5, 0.0), (5, 1.0), (5, 0.2)])
def test_one_cycle_with_a_rise_or_fall_of_no_length(total_steps, pct_start):
    optimizer = optim.SGD([Value(0.0)], lr=0.2)
    schedule = optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=total_steps, pct_start=pct_start)
    assert all(0 < rate <= 1 for rate in rates(optimizer, schedule, total_steps))


@pytest.mark.parametrize(
    "name, settings",
    [
        ("StepLR", {"step_size": 0}),
        ("CosineAnnealingLR", {"T_max": 0}),
        ("LinearLR", {"total_iters": 0}),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 0}),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 5, "pct_start": 1.5}),
    ],
)
def test_settings_without_sense_raise_and_leave_the_optimizer_alone(name, settings):
    optimizer = optim.SGD([Value(0.0)], lr=0.2)
    with pytest.raises(ValueError, match=next(iter(settings)) if name != "OneCycleLR" else "total_steps|pct"):
        getattr(optim, name)(optimizer, **settings)
    assert optimizer.lr == 0.2


def test_a_foreign_state_raises_and_changes_nothing():
    optimizer = optim.SGD([Value(0.0)], lr=0.2)
    schedule = optim.StepLR(optimizer, step_size=1)
    schedule.step()
    for state in ({}, {"steps": 3}, optimizer.state_dict()):
        with pytest.raises(ValueError, match="steps and base_lr"):
            schedule.load_state_dict(state)
    assert schedule.steps == 1 and optimizer.lr == pytest.approx(0.02)


def test_a_schedule_of_ones_own_needs_only_a_rate():
    class Warmup(optim.Schedule):
        def rate(self, steps):
            return self.base_lr * min(1.0, (steps + 1) / 4)

    optimizer = optim.SGD([Value(0.0)], lr=0.4)
    assert rates(optimizer, Warmup(optimizer), 5) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4])
    with pytest.raises(NotImplementedError, match="rate"):
        optim.Schedule(optimizer)
