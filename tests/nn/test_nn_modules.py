"""Modules: what belongs to them, under which names, and how their state is kept and given back."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from tinygrad_course import Value, nn, no_grad


class Pieces(nn.Module):
    """Parameters and modules in every place where they are looked for; no super().__init__()."""

    def __init__(self):
        self.scale = Value(2.0)
        self.rows = [Value([1.0, 2.0]), (Value(3.0), "text"), 7]
        self.parts = {"left": nn.Linear(2, 3, rng=0), "right": [nn.Linear(3, 1, bias=False, rng=0)]}
        self.nondifferentiable = np.zeros(3)
        self.offset = Value(0.5, requires_grad=False)


NAMES = [
    "scale",
    "rows.0",
    "rows.1.0",
    "parts.left.weight",
    "parts.left.bias",
    "parts.right.0.weight",
]


def test_whatever_is_assigned_belongs_to_the_module():
    module = Pieces()
    assert sorted(name for name, _ in module.named_parameters()) == sorted(NAMES)
    assert [name for name, _ in module.named_modules()] == ["", "parts.left", "parts.right.0"]
    assert list(module.state_dict()) == [name for name, _ in module.named_parameters()]
    assert [p is v for p, (_, v) in zip(module.parameters(), module.named_parameters())] == [True] * 6


def test_parameters_come_in_the_order_of_assignment():
    module = nn.Module()
    module.z, module.a, module.m = Value(1.0), Value(2.0), Value(3.0)
    module.a = Value(4.0)  # keeps its place
    assert [name for name, _ in module.named_parameters()] == ["z", "a", "m"]
    assert [p.data for p in module.parameters()] == [1.0, 4.0, 3.0]
    del module.z
    module.z = Value(5.0)
    assert [name for name, _ in module.named_parameters()] == ["a", "m", "z"]


def test_the_order_does_not_depend_on_the_hash_seed():
    program = (
        "from tinygrad_course import nn\n"
        "net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))\n"
        "net.extra = {k: nn.Neuron(2) for k in ('one', 'two', 'three')}\n"
        "print(list(net.state_dict()))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(runs) == 1


def test_parameters_in_a_set_raise():
    module = nn.Module()
    module.rows = {Value(1.0), Value(2.0)}
    with pytest.raises(TypeError, match=r"Module\.rows is a set .* use a list"):
        module.parameters()
    module.rows = {1, 2}
    assert module.parameters() == []


def test_results_of_operations_are_no_parameters():
    module = nn.Module()
    module.weight = Value(2.0)
    module.last = module.weight * 3
    module.history = [module.last]
    assert [name for name, _ in module.named_parameters()] == ["weight"]


def test_a_shared_parameter_is_listed_once_and_saved_under_both_names():
    class Tied(nn.Module):
        def __init__(self):
            self.first, self.second = nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1)
            self.second.weight = self.first.weight
            self.again = self.first

    tied = Tied()
    assert [n for n, _ in tied.named_parameters()] == ["first.weight", "first.bias", "second.bias"]
    assert list(tied.state_dict()) == ["first.weight", "first.bias", "second.weight", "second.bias"]
    assert [n for n, _ in tied.named_modules()] == ["", "first", "second"]
    tied.load_state_dict({k: np.full_like(a, 3) for k, a in tied.state_dict().items()})
    assert tied.second.weight is tied.first.weight and (tied.first.weight.data == 3).all()


def test_modules_that_contain_each_other():
    inner, outer = nn.Sequential(nn.Linear(1, 1)), nn.Sequential(nn.ReLU())
    inner.parent, outer.inner = outer, inner
    assert len(outer.parameters()) == 2
    assert "Sequential(...)" in repr(outer)
    assert outer.train(False).inner.training is False
    assert len(outer.state_dict()) == 2


def test_zero_grad_forgets_the_gradients():
    network = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    network(np.ones((4, 2))).sum().backward()
    assert all(p.grad is not None for p in network.parameters())
    network.zero_grad()
    assert all(p.grad is None for p in network.parameters())


def test_train_and_eval_reach_everything_and_return_the_module():
    module = Pieces()
    assert module.training
    assert module.eval() is module
    assert [m.training for _, m in module.named_modules()] == [False] * 3
    assert module.train() is module
    assert [m.training for _, m in module.named_modules()] == [True] * 3


def test_calling_calls_forward():
    class Weighted(nn.Module):
        def forward(self, x, *, times=1):
            return x * times

    assert Weighted()(3, times=2) == 6
    with pytest.raises(NotImplementedError, match="Empty has no forward"):
        type("Empty", (nn.Module,), {})()(1.0)


def test_a_module_may_define_init_or_call_the_base():
    class WithSuper(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = Value(1.0)

    assert len(WithSuper().parameters()) == 1


# State
def test_a_state_is_a_copy():
    layer = nn.Linear(2, 1)
    state = layer.state_dict()
    layer.weight.data[...] = 99
    assert (state["weight"] != 99).all()
    layer.load_state_dict(state)
    state["weight"][...] = 77
    assert (layer.weight.data != 77).all()


def test_a_state_goes_round():
    one, two = Pieces(), Pieces()
    for p in one.parameters():
        p.data = p.data + 1.5
    two.load_state_dict(one.state_dict())
    for p, q in zip(one.parameters(), two.parameters()):
        assert type(p.data) is type(q.data) and p.dtype == q.dtype
        np.testing.assert_array_equal(p.data, q.data)
    assert type(two.scale.data) is float


def test_loading_after_the_forward_pass_does_not_change_its_gradients():
    layer = nn.Linear(1, 1, dtype=float, rng=0)
    x = Value(np.ones((1, 1)))
    out, weight = layer(x), layer.weight.data.copy()
    layer.load_state_dict({"weight": np.full((1, 1), 9.0), "bias": np.zeros(1)})
    out.backward(np.ones((1, 1)))
    np.testing.assert_array_equal(x.grad, weight)


STATE = {"weight": np.ones((2, 3), np.float32), "bias": np.ones(2, np.float32)}


@pytest.mark.parametrize(
    "state, error, match",
    [
        ({"weight": STATE["weight"]}, ValueError, r"1 missing \(bias\)"),
        ({**STATE, "more": 1}, ValueError, r"1 that it does not have \(more\)"),
        ({"0.weight": 1, "0.bias": 2}, ValueError, r"2 missing \(weight, bias\) and 2 that it does not have"),
        (
            {**STATE, "weight": STATE["weight"].T},
            ValueError,
            r"weight of Linear has shape \(2, 3\).*\(3, 2\)",
        ),
        ({**STATE, "bias": np.ones((2, 1), np.float32)}, ValueError, r"bias .* \(2,\).*\(2, 1\)"),
        ({**STATE, "bias": np.ones(2)}, TypeError, r"bias of Linear is float32.*float64.*astype"),
        ({**STATE, "bias": np.ones(2, int)}, TypeError, "int64"),
        ({**STATE, "bias": "text"}, TypeError, "bias"),
        ({**STATE, "bias": [[1.0], [1.0, 2.0]]}, TypeError, "bias of Linear must be an array"),
        ({**STATE, "bias": Value(STATE["bias"])}, TypeError, "bias"),
        ({**STATE, "bias": None}, TypeError, "bias"),
    ],
)
def test_a_state_that_does_not_fit_raises_and_changes_nothing(state, error, match):
    layer = nn.Linear(3, 2, rng=0)
    before = layer.state_dict()
    with pytest.raises(error, match=match):
        layer.load_state_dict(state)
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_two_parameters_of_one_name_cannot_be_saved():
    module = nn.Module()
    module.rows = {1: Value(1.0), "1": Value(2.0)}
    with pytest.raises(ValueError, match=r"rows\.1"):
        module.state_dict()


def test_buffers_are_kept_but_not_learned():
    class Counter(nn.Module):
        def __init__(self):
            self.register_buffer("seen", np.zeros(2))
            self.weight = Value(1.0)

        def forward(self, x):
            self.seen = self.seen + x
            return self.weight * x

    one, two = nn.Sequential(Counter()), nn.Sequential(Counter())
    one(np.array([1.0, 2.0]))
    assert [n for n, _ in one.named_parameters()] == ["0.weight"]
    assert sorted(one.state_dict()) == ["0.seen", "0.weight"]
    two.load_state_dict(one.state_dict())
    np.testing.assert_array_equal(two[0].seen, [1.0, 2.0])
    with pytest.raises(ValueError, match="seen"):
        two.load_state_dict({**one.state_dict(), "0.seen": np.zeros(3)})


def test_pytorch_loads_our_state_and_we_load_its():
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    ours = nn.Sequential(nn.Linear(4, 3, rng=0), nn.ReLU(), nn.Linear(3, 2, rng=1))
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    theirs.load_state_dict({k: torch.tensor(a) for k, a in ours.state_dict().items()})
    np.testing.assert_allclose(ours(x).numpy(), theirs(torch.tensor(x)).detach().numpy(), atol=1e-6)
    fresh = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    ours.load_state_dict({k: t.numpy() for k, t in fresh.state_dict().items()})
    np.testing.assert_allclose(ours(x).numpy(), fresh(torch.tensor(x)).detach().numpy(), atol=1e-6)


def test_modules_can_be_copied_and_pickled():
    network = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    x = np.ones((1, 2))
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        np.testing.assert_array_equal(network(x).numpy(), other(x).numpy())
        assert not set(map(id, network.parameters())) & set(map(id, other.parameters()))


# Showing
def test_repr_is_indented_and_folds_what_repeats():
    assert repr(nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False), nn.LeakyReLU(0.2))) == (
        "Sequential(\n  (0): Flatten()\n  (1): Linear(4, 2, bias=False)\n  (2): LeakyReLU(0.2)\n)"
    )
    assert repr(nn.MLP(2, [16, 1])) == (
        "MLP(\n"
        "  (layers.0): Layer(\n"
        "    (neurons.0-15): 16 × Neuron(2, relu)\n"
        "  )\n"
        "  (layers.1): Layer(\n"
        "    (neurons.0): Neuron(16, linear)\n"
        "  )\n"
        ")"
    )


def test_summary_counts_every_number_once():
    text = nn.MLP(2, [16, 16, 1]).summary()
    assert text.splitlines()[-1].split() == ["MLP", "total", "337"]
    assert [line.split()[-1] for line in text.splitlines()[1:-1]] == ["48", "272", "17"]
    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    tied[0].bias.requires_grad = False
    lines = tied.summary().splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["12", "3", "15", "3"]
    assert "frozen" in lines[-1]
    assert "0: ReLU" in nn.Sequential(nn.ReLU()).summary()
    assert nn.ReLU().summary().splitlines()[-1].split() == ["ReLU", "total", "0"]


# Parts
def test_sequential_is_a_sequence():
    parts = nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1)
    network = nn.Sequential(*parts)
    assert len(network) == 3 and list(network) == list(parts)
    assert network[0] is parts[0] and network[-1] is parts[-1]
    assert isinstance(network[:2], nn.Sequential) and list(network[:2]) == list(parts[:2])
    network.eval()
    assert len(network) == 3
    with pytest.raises(IndexError):
        network[3]
    for wrong in ([nn.ReLU()], np.tanh, nn.ReLU):
        with pytest.raises(TypeError, match="part 1 is a"):
            nn.Sequential(nn.ReLU(), wrong)


@pytest.mark.parametrize(
    "shape, dims, expected",
    [
        ((5, 28, 28), (), (5, 784)),
        ((5, 784), (), (5, 784)),
        ((0, 2, 3), (), (0, 6)),
        ((2, 3, 4), (0,), (24,)),
        ((2, 3, 4, 5), (1, 2), (2, 12, 5)),
        ((2, 3, 4, 5), (-2,), (2, 3, 20)),
    ],
)
def test_flatten(shape, dims, expected):
    assert nn.Flatten(*dims)(np.zeros(shape)).shape == expected
    assert nn.Flatten(*dims)(Value(np.zeros(shape))).shape == expected


@pytest.mark.parametrize("shape, dims", [((5,), ()), ((), ()), ((2, 3), (2,)), ((2, 3, 4), (2, 1))])
def test_flatten_without_such_axes(shape, dims):
    with pytest.raises(ValueError, match="Flatten"):
        nn.Flatten(*dims)(np.zeros(shape))


def test_linear_takes_plain_inputs_in_its_own_precision():
    layer = nn.Linear(3, 2, rng=0)
    for x in ([[1, 2, 3]], np.array([[1, 2, 3]], np.uint8), np.array([[1.0, 2.0, 3.0]])):
        out = layer(x)
        assert out.dtype == np.float32
        out.sum().backward()
        assert layer.weight.grad.dtype == np.float32
    assert layer([1.0, 2.0, 3.0]).shape == (2,)
    assert layer(np.zeros((4, 5, 3))).shape == (4, 5, 2)
    assert layer(Value(np.zeros((4, 3)))).dtype == np.float64  # a Value's own precision counts


def test_linear_of_the_wrong_width_says_which():
    with pytest.raises(ValueError, match=r"linear.*layer takes 784 inputs,.* last axis of x has 28"):
        nn.Linear(784, 100)(np.zeros((28, 28), np.float32))


def test_mnist_mlp_takes_images_in_both_shapes_and_no_other():
    network = nn.MnistMLP(rng=0)
    assert sum(p.size for p in network.parameters()) == 79_510
    images = np.random.default_rng(0).random((3, 28, 28), np.float32)
    out = network(images)
    assert out.shape == (3, 10) and out.dtype == np.float32
    np.testing.assert_array_equal(out.numpy(), network(images.reshape(3, 784)).numpy())
    hidden, output = network.hidden, network.output
    by_hand = np.maximum(images.reshape(3, 784) @ hidden.weight.data.T + hidden.bias.data, 0)
    by_hand = by_hand @ output.weight.data.T + output.bias.data
    np.testing.assert_allclose(out.numpy(), by_hand, atol=1e-5)
    assert network(np.zeros((2, 784), np.uint8)).dtype == np.float32
    for shape in ((28, 28), (784,), (2, 1, 28, 28), (2, 783), (2, 28, 27)):
        with pytest.raises(ValueError, match=r"\(N, 28, 28\) or \(N, 784\)"):
            network(np.zeros(shape))
    with pytest.raises(ValueError, match=r"images\[None\]"):
        network(np.zeros((28, 28)))


def test_no_grad_records_nothing():
    with no_grad():
        assert not nn.Linear(2, 1)(np.ones((1, 2))).requires_grad
