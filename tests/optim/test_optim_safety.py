"""What optimizers must not get wrong without a word: interruptions, threads, float16, foreign states."""

import copy
import gc
import itertools
import sys
import threading

import numpy as np
import pytest

from tinygrad_course import Value, nn, optim

EVERY = [
    lambda p: optim.SGD(p, lr=0.1),
    lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    lambda p: optim.Adam(p, lr=0.1, weight_decay=0.1),
    lambda p: optim.AdamW(p, lr=0.1),
    lambda p: optim.RMSprop(p, lr=0.1, momentum=0.5),
]
every = pytest.mark.parametrize("make", EVERY)


def interrupted_at(line, action, error=KeyboardInterrupt):
    """Run `action` with `error` raised at its `line`-th line, wherever that is; False if it has fewer."""
    left = itertools.count(line, -1)

    def tracer(frame, event, argument):
        if event == "line" and next(left) == 0:
            raise error
        return tracer

    before = sys.gettrace()
    gc.disable()  # whose callbacks have lines, too, and swallow what is raised there
    sys.settrace(tracer)
    try:
        action()
    except error:
        return True
    finally:
        sys.settrace(before)
        gc.enable()
    return False


def mixed_values():
    return [
        Value(np.array([1.0, -2.0])),
        Value(0.5),
        Value(np.array([[3.0]], np.float32)),
        Value(np.array([2.0, 4.0], np.float16)),
        Value(-1.0),
    ]


def give_gradients(values, seed):
    rng = np.random.default_rng(seed)
    for v in values:
        g = rng.normal(size=v.shape)
        v.grad = float(g) if type(v.data) is float else np.asarray(g, v.dtype)


def everything(values, optimizer):
    return [np.array(v.data).tolist() for v in values], {
        name: np.array(entry).tolist() for name, entry in optimizer.state_dict().items()
    }


# Interruptions
@every
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_interrupted_at_every_line_a_step_is_made_or_not(make, error):
    def made():
        values = mixed_values()
        optimizer = make(values)
        give_gradients(values, 1)
        optimizer.step()
        give_gradients(values, 2)
        return values, optimizer

    values, optimizer = made()
    before = everything(values, optimizer)
    optimizer.step()
    after = everything(values, optimizer)
    give_gradients(values, 3)
    optimizer.step()
    later = everything(values, optimizer)
    for line in itertools.count():
        values, optimizer = made()
        cut = interrupted_at(line, optimizer.step, error)
        state = everything(values, optimizer)
        assert state in (before, after), f"line {line}"
        if state == before:
            optimizer.step()
        give_gradients(values, 3)
        optimizer.step()
        assert everything(values, optimizer) == later, f"line {line}"
        if not cut:
            break
    assert line > 50


def test_an_update_that_fails_half_way_leaves_all_as_it_was():
    class Failing(optim.Optimizer):
        memory = ("sum",)

        def update(self, p, g, scratch, step, *memory):
            p += 1
            memory[0][:] = 7
            if g.dtype == np.float32:
                raise ZeroDivisionError

    values = mixed_values()
    optimizer = Failing(values, lr=0.1)
    before = everything(values, optimizer)
    give_gradients(values, 1)
    with pytest.raises(ZeroDivisionError):
        optimizer.step()
    assert everything(values, optimizer) == before


def test_interrupted_at_every_line_gradients_are_clipped_or_not():
    for line in itertools.count():
        values = mixed_values()
        give_gradients(values, 1)
        cut = interrupted_at(line, lambda values=values: optim.clip_grad_norm_(values, 0.25))
        length = np.sqrt(sum(np.sum(np.square(v.grad, dtype=float)) for v in values))
        assert length == pytest.approx(0.25, rel=1e-3) or length > 1, f"line {line}"
        if not cut:
            break
    assert line > 10 and length == pytest.approx(0.25, rel=1e-3)


@pytest.mark.parametrize("kind", ["alone", "sequential", "chained"])
def test_interrupted_at_every_line_a_schedule_goes_on_or_not(kind):
    def made():
        optimizer = optim.SGD([Value(0.0)], lr=0.2)
        schedules = [optim.LinearLR(optimizer, 0.5, total_iters=3), optim.StepLR(optimizer, 2)]
        schedule = schedules[0]
        if kind == "sequential":
            schedule = optim.SequentialLR(optimizer, schedules, [3])
        if kind == "chained":
            schedule = optim.ChainedScheduler(schedules)
        schedule.step()
        schedule.step()
        return optimizer, schedule

    optimizer, schedule = made()
    rates = []
    for _ in range(4):
        rates.append(optimizer.lr)
        schedule.step()
    for line in itertools.count():
        optimizer, schedule = made()
        cut = interrupted_at(line, schedule.step)
        assert (schedule.steps, optimizer.lr) in ((2, rates[0]), (3, rates[1])), f"line {line}"
        while schedule.steps < 5:
            schedule.step()
        assert optimizer.lr == rates[3], f"line {line}"
        if not cut:
            break
    assert line > 2


# Threads
def test_steps_from_eight_threads_are_all_made():
    values = [Value(np.zeros(1000)), Value(0.0)]
    optimizer = optim.SGD(values, lr=0.25)
    values[0].grad, values[1].grad = np.ones(1000), 1.0

    def work():
        for _ in range(50):
            optimizer.step()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (values[0].data == -100.0).all() and values[1].data == -100.0
    assert optimizer.state_dict()["float64.steps"].tolist() == [400]


# Foreign states
def named(*parts):
    return [Value(np.zeros(shape), name=name) for name, shape in parts]


@pytest.mark.parametrize(
    "state, match",
    [
        (
            lambda: optim.Adam(named(("w", (4,)), ("b", (2, 3)))).state_dict(),
            r"parameter 0 of this Adam is w float64 \(2, 3\), and the state's is w float64 \(4,\)",
        ),
        (lambda: optim.Adam(named(("b", (2, 3)), ("w", (4,)))).state_dict(), "parameter 0 .* is b float64"),
        (
            lambda: optim.Adam(named(("w", (2, 3)))).state_dict() | {"float64.steps": np.array([0, 0])},
            "parameter 1 of this Adam is b .* missing",
        ),
        (
            lambda: optim.AdamW(named(("w", (2, 3)), ("b", (4,)))).state_dict(),
            "that of a AdamW, .* is a Adam",
        ),
    ],
)
def test_a_state_for_other_parameters_or_of_another_kind_is_refused(state, match):
    optimizer = optim.Adam(named(("w", (2, 3)), ("b", (4,))))
    before = everything(optimizer.params, optimizer)
    with pytest.raises(ValueError, match=match):
        optimizer.load_state_dict(state())
    assert everything(optimizer.params, optimizer) == before


@pytest.mark.parametrize("wrong", [[1, 2], None, "run.npz", 3.0])
def test_a_state_is_a_dict(wrong):
    with pytest.raises(TypeError, match=r"an? Adam goes on from a dict, as its state_dict"):
        optim.Adam([Value(1.0)]).load_state_dict(wrong)


def test_a_state_of_a_model_made_anew_is_taken(tmp_path):
    def made():
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 4))
        return model, optim.Adam(model.parameters())

    model, optimizer = made()
    model(np.ones((2, 3))).sum().backward()
    optimizer.step()
    nn.save(optimizer.state_dict(), tmp_path / "state.npz")
    _, other = made()
    other.load_state_dict(nn.load(tmp_path / "state.npz"))
    assert everything([], other) == everything([], optimizer)


# float16
@every
def test_float16_parameters_go_the_way_of_float32_ones(make):
    narrow, wide = Value(np.full(3, 2.0, np.float16)), Value(np.full(3, 2.0, np.float32))
    first, second = make([narrow]), make([wide])
    for step in range(5):
        narrow.grad = np.array([0.0, 300.0, 1e-5], np.float16) * (-1) ** step
        wide.grad = narrow.grad.astype(np.float32)
        first.step()
        second.step()
        assert narrow.dtype == np.float16
        np.testing.assert_allclose(narrow.data, wide.data, rtol=5e-3)
        wide.data = narrow.data.astype(np.float32)  # what is rounded is the parameter


def test_adam_with_a_zero_gradient_in_float16_makes_no_step():
    v = Value(np.ones(2, np.float16))
    optimizer = optim.Adam([v], lr=0.1)
    v.grad = np.zeros(2, np.float16)
    for _ in range(3):
        optimizer.step()
    assert (v.data == 1).all()


def test_adam_overflows_no_earlier_than_a_mean_does():
    large = 1.5e19  # whose square is 2.25e38, of at most 3.4e38 in float32
    for scale, dtype in ((large, np.float32), (6e4, np.float16)):
        v = Value(np.zeros(1, dtype))
        optimizer = optim.Adam([v], lr=0.01)
        for _ in range(20):
            v.grad = np.full(1, scale, dtype)
            optimizer.step()
        assert v.data[0] == pytest.approx(-0.2, rel=1e-2)


# Clipping
def test_one_value_is_clipped_and_not_its_rows():
    x = Value(np.zeros((2, 2)))
    x.grad = np.full((2, 2), 5.0)
    assert optim.clip_grad_norm_(x, 1.0) == pytest.approx(10.0)
    np.testing.assert_allclose(x.grad, 0.5, rtol=1e-6)
    number = Value(1.0)
    number.grad = -4.0
    optim.clip_grad_norm_(number, 1.0)
    assert number.grad == pytest.approx(-1.0) and type(number.grad) is float


def test_a_generator_is_clipped_once_and_a_used_one_is_an_error():
    x = Value([3.0, 4.0])
    x.grad = np.array([3.0, 4.0])
    parameters = (p for p in [x])
    assert optim.clip_grad_norm_(parameters, 1.0) == pytest.approx(5.0)
    with pytest.raises(ValueError, match=r"no parameters.*only once: keep a list"):
        optim.clip_grad_norm_(parameters, 1.0)
    with pytest.raises(ValueError, match="no parameters"):
        optim.clip_grad_norm_([], 1.0)


@pytest.mark.parametrize("wrong", [lambda: nn.Linear(1, 1), lambda: [np.zeros(2)], lambda: 3.0])
def test_only_parameters_are_clipped(wrong):
    with pytest.raises(TypeError, match=r"model\.parameters\(\)"):
        optim.clip_grad_norm_(wrong(), 1.0)


def test_a_parameter_listed_twice_is_clipped_once():
    x = Value([3.0, 4.0])
    x.grad = np.array([3.0, 4.0])
    assert optim.clip_grad_norm_([x, x], 2.5) == pytest.approx(5.0)
    np.testing.assert_allclose(x.grad, [1.5, 2.0], rtol=1e-6)


@pytest.mark.parametrize(
    "dtype, gradient",
    [
        ("float16", [300.0, 400.0]),
        ("float16", [3e4, 4e4]),
        ("float16", [3e-4, 4e-4]),
        ("float32", [3e25, 4e25]),
        ("float32", [3e-30, 4e-30]),
        ("float64", [3e200, 4e200]),
    ],
)
def test_squares_neither_overflow_nor_vanish(dtype, gradient):
    x = Value(np.zeros(2, dtype))
    x.grad = np.array(gradient, dtype)
    length = optim.clip_grad_norm_([x], 1.0)
    assert length == pytest.approx(np.hypot(*gradient), rel=2e-3)
    if length > 1:
        np.testing.assert_allclose(x.grad, [0.6, 0.8], rtol=2e-3)
    assert x.grad.dtype == dtype


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_what_is_not_finite_is_clipped_as_pytorch_does(bad):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    gradients = [np.array([1.0, bad]), np.array([2.0])]
    ours = [Value(np.zeros_like(g)) for g in gradients]
    theirs = [torch.zeros(len(g), dtype=torch.float64, requires_grad=True) for g in gradients]
    for p, q, g in zip(ours, theirs, gradients):
        p.grad, q.grad = g.copy(), torch.tensor(g)
    total = torch.nn.utils.clip_grad_norm_(theirs, 1.0).item()
    np.testing.assert_equal(optim.clip_grad_norm_(ours, 1.0), total)
    for p, q in zip(ours, theirs):
        np.testing.assert_equal(p.grad, q.grad.numpy())


def test_an_infinite_bound_only_measures():
    x = Value([1.0])
    x.grad = np.array([5.0])
    assert optim.clip_grad_norm_([x], float("inf")) == 5.0 and x.grad[0] == 5.0


# Messages
@pytest.mark.parametrize(
    "make, error, match",
    [
        (
            lambda p: optim.Adam(p, lr="0.1"),
            TypeError,
            "Adam: lr, .* is a number, not '0.1' .*without quotes",
        ),
        (lambda p: optim.SGD(p, lr=None), TypeError, "SGD: lr, the learning rate, is a number, not None"),
        (lambda p: optim.SGD(p, lr=[0.1]), TypeError, "is a number, not"),
        (lambda p: optim.SGD(p, lr=Value(0.1)), TypeError, r"v\.item\(\)"),
        (lambda p: optim.SGD(p, lr=1j), TypeError, "is a number"),
        (lambda p: optim.SGD(p, lr=10**400), ValueError, "lr"),
        (lambda p: optim.SGD(p, momentum="0.9"), TypeError, "momentum is a number"),
        (lambda p: optim.Adam(p, betas=0.9), TypeError, "betas are two numbers"),
        (lambda p: optim.Adam(p, betas=("0.9", 0.999)), TypeError, "beta is a number"),
        (lambda p: optim.RMSprop(p, alpha=None), TypeError, "alpha is a number"),
        (lambda p: optim.AdamW(p, weight_decay=float("inf")), ValueError, "weight_decay must be 0 or more"),
    ],
)
def test_settings_that_are_no_numbers(make, error, match):
    with pytest.raises(error, match=match):
        make([Value(1.0)])


def test_a_learning_rate_may_be_any_real_number():
    for lr in (1, np.float32(0.5), np.array(0.5), np.int64(2)):
        optimizer = optim.SGD([Value(1.0)], lr=lr)
        assert type(optimizer.lr) is float and optimizer.lr == float(lr)
    with pytest.raises(TypeError, match="without quotes"):
        optimizer.lr = "0.1"
    assert optimizer.lr == 2.0


def test_an_optimizer_can_be_copied_with_its_lock():
    optimizer = optim.Adam([Value(1.0)])
    assert copy.deepcopy(optimizer).lr == optimizer.lr
