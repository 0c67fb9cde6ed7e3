"""Initial values: PyTorch's bounds and spreads, from a source of randomness that is given."""

import math

import numpy as np
import pytest

from tinygrad_course import Value, nn
from tinygrad_course.nn import init


@pytest.mark.parametrize("make", [lambda **k: nn.Linear(50, 200, **k), lambda **k: nn.MnistMLP(**k).hidden])
def test_linear_starts_between_plus_and_minus_one_over_root_fan_in(make):
    layer = make(rng=0)
    bound = 1 / math.sqrt(layer.weight.shape[1])
    for p in (layer.weight, layer.bias):
        assert p.dtype == np.float32
        assert abs(p.data).max() <= bound * (1 + 1e-6)
        assert p.data.min() < -0.9 * bound and p.data.max() > 0.9 * bound
    assert layer.weight.data.std() == pytest.approx(bound / math.sqrt(3), rel=0.02)  # uniform
    assert abs(layer.weight.data.mean()) < 0.02 * bound


def test_the_same_seed_gives_the_same_network_and_another_another():
    one, same, other = (nn.MnistMLP(rng=seed).state_dict() for seed in (3, 3, 4))
    assert all((one[k] == same[k]).all() for k in one)
    assert not any((one[k] == other[k]).all() for k in one)


def test_a_generator_is_used_up_as_it_goes():
    rng = np.random.default_rng(0)
    first, second = nn.Linear(3, 3, rng=rng), nn.Linear(3, 3, rng=rng)
    assert (first.weight.data != second.weight.data).all()
    np.testing.assert_array_equal(first.weight.data, nn.Linear(3, 3, rng=0).weight.data)


def test_without_a_seed_every_network_is_different():
    assert (nn.Linear(3, 3).weight.data != nn.Linear(3, 3).weight.data).all()


SHAPE = (60, 40)
SPREADS = {
    "xavier_uniform_": (lambda p: init.xavier_uniform_(p, 2.0, rng=0), 2 * math.sqrt(2 / 100), True),
    "xavier_normal_": (lambda p: init.xavier_normal_(p, rng=0), math.sqrt(2 / 100), False),
    "kaiming_uniform_": (lambda p: init.kaiming_uniform_(p, rng=0), math.sqrt(2 / 40), True),
    "kaiming_normal_": (
        lambda p: init.kaiming_normal_(p, mode="fan_out", nonlinearity="tanh", rng=0),
        5 / 3 / math.sqrt(60),
        False,
    ),
    "leaky": (lambda p: init.kaiming_uniform_(p, a=math.sqrt(5), rng=0), 1 / math.sqrt(3 * 40), True),
    "uniform_": (lambda p: init.uniform_(p, -2, 4, rng=0), math.sqrt(3), None),
    "normal_": (lambda p: init.normal_(p, 0.0, 0.3, rng=0), 0.3, False),
}


@pytest.mark.parametrize("name", SPREADS)
def test_spreads(name):
    fill, std, uniform = SPREADS[name]
    p = Value(np.zeros(SHAPE, np.float32))
    assert fill(p) is p
    assert p.shape == SHAPE and p.dtype == np.float32
    assert p.data.std() == pytest.approx(std, rel=0.05)
    if uniform is not None:
        assert (abs(p.data).max() <= std * math.sqrt(3) * (1 + 1e-6)) == uniform


def test_constants_and_numbers():
    p, x = Value(np.empty((2, 2), np.float32)), Value(3.0)
    assert (init.ones_(p).data == 1).all() and (init.zeros_(p).data == 0).all()
    assert (init.constant_(p, 0.25).data == 0.25).all() and p.dtype == np.float32
    assert type(init.uniform_(x, 1.0, 2.0, rng=0).data) is float and 1 <= x.data <= 2
    assert init.zeros_(x).data == 0.0


def test_fans_of_a_convolution():
    assert init.fans(Value(np.zeros((8, 3, 5, 5)))) == (75, 200)


@pytest.mark.parametrize(
    "call",
    [
        lambda: init.xavier_uniform_(Value(np.zeros(3))),
        lambda: init.kaiming_normal_(Value(1.0)),
        lambda: init.kaiming_normal_(Value(np.zeros((2, 2))), mode="fan_sideways"),
        lambda: init.kaiming_normal_(Value(np.zeros((2, 2))), nonlinearity="swish"),
        lambda: init.calculate_gain("no such"),
    ],
)
def test_what_cannot_be_meant(call):
    with pytest.raises(ValueError):
        call()


def test_gains_and_spreads_are_those_of_pytorch():
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    for name in ("linear", "sigmoid", "tanh", "relu", "leaky_relu"):
        assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    assert init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)
    for name in ("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"):
        ours = getattr(init, name)(Value(np.zeros((300, 200))), rng=0).data
        theirs = getattr(torch.nn.init, name)(torch.zeros(300, 200)).numpy()
        assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
        if "uniform" in name:
            assert abs(ours).max() == pytest.approx(abs(theirs).max(), rel=1e-3)
