"""L-BFGS: PyTorch's steps without a line search, minima with one, and a state that goes on."""

from itertools import pairwise

import numpy as np
import pytest

from tinygrad_course import Value, optim

START = np.array([-1.2, 1.0, 0.5, 2.0])


def valley(x):
    """Rosenbrock's function in four dimensions."""
    return ((1 - x[:-1]) ** 2).sum() + 10 * ((x[1:] - x[:-1] ** 2) ** 2).sum()


def closure_of(optimizer, x):
    def closure():
        optimizer.zero_grad()
        loss = valley(x)
        loss.backward()
        return loss

    return closure


@pytest.mark.parametrize(
    "settings", [{"lr": 0.05}, {"lr": 0.1, "history_size": 3, "max_iter": 7}, {"max_eval": 5, "lr": 0.1}]
)
def test_steps_are_pytorchs(settings):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    x, t = Value(START.copy()), torch.tensor(START, requires_grad=True)
    ours, theirs = optim.LBFGS([x], **settings), torch.optim.LBFGS([t], **settings)
    for _ in range(6):
        mine, its = ours.step(closure_of(ours, x)), theirs.step(closure_of(theirs, t))
        assert mine.item() == pytest.approx(its.item(), rel=1e-9)
        np.testing.assert_allclose(x.data, t.detach().numpy(), rtol=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_line_search_finds_the_minimum(dtype):
    x = Value(START.astype(dtype))
    optimizer = optim.LBFGS([x], line_search_fn="strong_wolfe")
    losses = [optimizer.step(closure_of(optimizer, x)).item() for _ in range(8)]
    assert all(b <= a for a, b in pairwise(losses))
    np.testing.assert_allclose(x.data, 1.0, atol=2e-5 if dtype == "float64" else 5e-3)
    assert x.dtype == dtype


def test_scalars_and_arrays_are_learned_together_and_the_state_goes_on():
    def made():
        return Value(3.0), Value(-2.0), Value(2.0)

    def run(values, optimizer, times):
        def closure():
            optimizer.zero_grad()
            a, b, c = values
            loss = (a - 1) ** 2 + (b - a) ** 4 + 3 * (c - b) ** 2
            loss.backward()
            return loss

        for _ in range(times):
            optimizer.step(closure)

    values = made()
    whole = optim.LBFGS(values, lr=0.2, max_iter=4)
    run(values, whole, 6)
    again = made()
    first = optim.LBFGS(again, lr=0.2, max_iter=4)
    run(again, first, 3)
    second = optim.LBFGS(again, lr=0.2, max_iter=4)
    second.load_state_dict(first.state_dict())
    run(again, second, 3)
    assert [v.data for v in values] == [v.data for v in again]


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda: optim.LBFGS([Value(1.0)]).step(), TypeError, r"step\(closure\)"),
        (lambda: optim.LBFGS([Value(1.0)], line_search_fn="golden"), ValueError, "strong_wolfe"),
        (lambda: optim.LBFGS([Value(1.0), Value(np.ones(2, "f"))]), ValueError, "one dtype"),
        (lambda: optim.LBFGS([Value(1.0)]).load_state_dict({}), ValueError, "changes"),
    ],
)
def test_errors_say_what_was_wrong(call, kind, said):
    with pytest.raises(kind, match=said):
        call()
