"""Learning-rate schedules: PyTorch's numbers, alone and together, and going on from a saved state."""

import itertools

import numpy as np
import pytest

from tinygrad_course import Value, nn, optim

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
        with pytest.raises(ValueError, match="this StepLR keeps kind, steps, base_lr, lr"):
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


# Several schedules of one optimizer
def twins(lr=0.2):
    """An optimizer here and one of PyTorch's, each with the module that its schedules come from."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    theirs = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    return (optim.SGD([Value(0.0)], lr=lr), optim), (theirs, torch.optim.lr_scheduler)


def same_rates(ours, theirs, ours_step, theirs_step, n=60):
    for step in range(n):
        rate = theirs.param_groups[0]["lr"]
        assert ours.lr == pytest.approx(rate, rel=1e-9, abs=1e-12), step
        theirs.step()
        theirs_step()
        if theirs.param_groups[0]["lr"] < -1e-12:  # uphill, without a word
            with pytest.raises(ValueError, match="lr, the learning rate, must be 0 or more"):
                ours_step()
            return
        ours_step()


SOME = [
    ("StepLR", {"step_size": 7, "gamma": 0.5}),
    ("StepLR", {"step_size": 1, "gamma": 0.9}),
    ("LinearLR", {"start_factor": 0.1, "total_iters": 10}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.25, "total_iters": 4}),
    ("CosineAnnealingLR", {"T_max": 12}),
    ("CosineAnnealingLR", {"T_max": 1, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 50, "eta_min": 0.001}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 200}),
]


def made(module, optimizer, name, settings):
    extra = {"cycle_momentum": False} if name == "OneCycleLR" and module is not optim else {}
    return getattr(module, name)(optimizer, **settings, **extra)


@pytest.mark.parametrize("first, second", list(itertools.product(SOME, SOME)))
def test_two_schedules_chain_as_pytorchs(first, second):
    steps = []
    for optimizer, module in twins():
        both = [made(module, optimizer, *which) for which in (first, second)]
        steps.append((optimizer, lambda both=both: [schedule.step() for schedule in both]))
    (ours, ours_step), (theirs, theirs_step) = steps
    same_rates(ours, theirs, ours_step, theirs_step)


@pytest.mark.parametrize("first, second", list(itertools.product(SOME, SOME)))
def test_sequential_and_chained_schedules_are_those_of_pytorch(first, second):
    for wrap in (
        lambda module, optimizer, both: module.SequentialLR(optimizer, both, milestones=[9]),
        lambda module, optimizer, both: module.ChainedScheduler(both),
    ):
        steps = []
        for optimizer, module in twins():
            both = [made(module, optimizer, *which) for which in (first, second)]
            steps.append((optimizer, wrap(module, optimizer, both).step))
        (ours, ours_step), (theirs, theirs_step) = steps
        same_rates(ours, theirs, ours_step, theirs_step, 40)


def test_a_warm_up_before_a_cosine_reaches_the_whole_learning_rate():
    optimizer = optim.SGD([Value(0.0)], lr=0.2)
    warm_up = optim.LinearLR(optimizer, start_factor=0.1, total_iters=5)
    cosine = optim.CosineAnnealingLR(optimizer, T_max=100)
    found = []
    for _ in range(100):
        found.append(optimizer.lr)
        warm_up.step()
        cosine.step()
    assert found[0] == pytest.approx(0.02)
    assert found[6:] == pytest.approx([0.1 * (1 + np.cos(np.pi * t / 100)) for t in range(6, 100)])


def several(optimizer):
    """A sequence with a chain in it."""
    warm_up = optim.LinearLR(optimizer, start_factor=0.1, total_iters=5)
    halves, waves = optim.StepLR(optimizer, 4, 0.5), optim.CosineAnnealingLR(optimizer, 9)
    chain = optim.ChainedScheduler([halves, waves], optimizer)
    return optim.SequentialLR(optimizer, [warm_up, chain], [6])


@pytest.mark.parametrize("saved_at", [0, 3, 5, 6, 7, 20])
def test_several_schedules_go_on_from_their_state(saved_at, tmp_path):
    optimizer = optim.SGD([Value(0.0)], lr=0.2)
    schedule = several(optimizer)
    rates(optimizer, schedule, saved_at)
    nn.save({"schedule": schedule.state_dict()}, tmp_path / "state.npz")
    expected = rates(optimizer, schedule, 30)
    other = optim.SGD([Value(0.0)], lr=0.9)
    resumed = several(other)
    resumed.load_state_dict(nn.load(tmp_path / "state.npz")["schedule"])
    assert rates(other, resumed, 30) == expected  # bit for bit


def test_a_state_of_another_kind_of_schedule_is_refused():
    optimizer = optim.SGD([Value(0.0)], lr=0.2)
    step, cosine = optim.StepLR(optimizer, 3), optim.CosineAnnealingLR(optimizer, 9)
    several_of_them = several(optimizer)
    with pytest.raises(ValueError, match="the state is that of a CosineAnnealingLR, and this is a StepLR"):
        step.load_state_dict(cosine.state_dict())
    state = several_of_them.state_dict()
    state["schedules"]["1"]["schedules"]["0"] = cosine.state_dict()
    before = optimizer.lr
    with pytest.raises(ValueError, match="CosineAnnealingLR"):
        several_of_them.load_state_dict(state)
    assert several_of_them.steps == 0 and optimizer.lr == before
    for wrong in ([1, 2], None, "schedule.npz"):
        with pytest.raises(TypeError, match="goes on from a dict"):
            step.load_state_dict(wrong)


@pytest.mark.parametrize(
    "make, error, match",
    [
        (lambda o, s, t: optim.SequentialLR(o, [s, t], []), ValueError, "2 schedules need 1 milestones"),
        (lambda o, s, t: optim.SequentialLR(o, [s, t, s], [5, 5]), ValueError, "milestones must rise"),
        (lambda o, s, t: optim.SequentialLR(o, [s, t], [2.5]), TypeError, "whole number"),
        (lambda o, s, t: optim.SequentialLR(o, [], []), ValueError, "one schedule at least"),
        (lambda o, s, t: optim.ChainedScheduler([s, "t"]), TypeError, "schedule 1 is a str"),
        (
            lambda o, s, t: optim.ChainedScheduler([s], optim.SGD([Value(1.0)])),
            ValueError,
            "another optimizer",
        ),
        (lambda o, s, t: optim.StepLR(s, 3), TypeError, "which comes first.*this is a StepLR"),
        (lambda o, s, t: optim.StepLR(o, 2.5), TypeError, "step_size counts steps and is a whole number"),
        (lambda o, s, t: optim.StepLR(o, 2, "0.5"), TypeError, "gamma is a number.*without quotes"),
        (lambda o, s, t: optim.CosineAnnealingLR(o, "9"), TypeError, "T_max"),
        (lambda o, s, t: optim.LinearLR(o, start_factor=0), ValueError, "start_factor must be above 0"),
        (lambda o, s, t: optim.LinearLR(o, end_factor=2.0), ValueError, "end_factor must be from 0 to 1"),
        (
            lambda o, s, t: optim.OneCycleLR(o, max_lr=None, total_steps=9),
            TypeError,
            "max_lr is a number, not None",
        ),
        (
            lambda o, s, t: optim.OneCycleLR(o, 1.0, 9, div_factor=0),
            ValueError,
            "div_factor must be 1 or more",
        ),
    ],
)
def test_what_schedules_cannot_be_made_of(make, error, match):
    optimizer = optim.SGD([Value(0.0)], lr=0.2)
    step, cosine = optim.StepLR(optimizer, 3), optim.CosineAnnealingLR(optimizer, 9)
    with pytest.raises(error, match=match):
        make(optimizer, step, cosine)
    assert optimizer.lr == 0.2
