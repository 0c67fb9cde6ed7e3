"""What a module takes for its own, how it shows itself, and what it says to what cannot be."""

import copy
import itertools
import pickle
import sys

import numpy as np
import pytest

from tinygrad_course import Value, nn, no_grad, optim


# What is a parameter
class Remembers(nn.Module):
    """A recurrent network that keeps its state, as a constant, in every place that there is."""

    def __init__(self):
        self.cell = nn.RNNCell(2, 3, rng=0)
        self.h, self.past, self.last = None, [], {}

    def forward(self, x):
        h = self.cell(x, self.h)
        self.h = h.detach()
        self.past.append(h.detach())
        self.last["h"] = Value(h.data, requires_grad=False)
        with no_grad():
            self.size = (h * h).sum()
        return h


def test_what_is_remembered_is_no_parameter_and_the_state_loads():
    module = Remembers()
    names = [name for name, _ in module.named_parameters()]
    state = module.state_dict()
    for _ in range(3):
        module(np.ones((1, 2)))
    assert [name for name, _ in module.named_parameters()] == names
    assert list(module.state_dict()) == list(state) and len(module.past) == 3
    Remembers().load_state_dict(module.state_dict())
    assert module.summary().splitlines()[-1].split() == ["Remembers", "total", "21"]


def test_constants_are_no_parameters():
    module = nn.Module()
    module.scale = Value(2.0, requires_grad=False)
    module.parts = {"weight": Value([1.0]), "factor": Value([3.0], requires_grad=False)}
    module.result = Value(1.0) * 2.0
    assert [name for name, _ in module.named_parameters()] == ["parts.weight"]


def test_what_is_frozen_stays_a_parameter():
    def freeze_at_once():
        layer = nn.Linear(2, 1)
        layer.weight.requires_grad = False
        return layer

    def freeze_all():
        layer = nn.Linear(2, 1)
        for p in layer.parameters():
            p.requires_grad = False
        return layer

    def appended():
        module = nn.Module()
        module.weights = []
        module.weights += [Value([1.0]), Value([2.0])]
        for p in module.parameters():
            p.requires_grad = False
        return module

    def replaced():
        layer = nn.Linear(2, 1)
        layer.weight = layer.weight.detach()
        return layer

    for make in (freeze_at_once, freeze_all, appended, replaced):
        for module in (make(), copy.deepcopy(make()), copy.copy(make()), pickle.loads(pickle.dumps(make()))):
            assert len(module.parameters()) == len(module.state_dict()) == 2, make.__name__
    frozen = freeze_all()
    assert nn.functional_call(frozen, {"weight": np.ones((1, 2))}, [[1.0, 1.0]]).shape == (1, 1)


# Showing
def test_a_layer_that_is_used_twice_has_two_rows():
    layer = nn.Linear(3, 3)
    lines = nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU()).summary().splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["0:", "Linear", "weight", "(3,", "3),", "bias", "(3,)", "12"],
        ["1:", "ReLU", "–", "0"],
        ["2:", "Linear", "those", "of", "0", "0"],
        ["3:", "ReLU", "–", "0"],
        ["Sequential", "total", "12"],
    ]
    block = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    text = nn.Sequential(block, block).summary()
    assert "1: Sequential   those of 0" in text and text.splitlines()[-1].split()[-1] == "6"


def test_equal_layers_fold_in_a_sequential_too():
    network = nn.Sequential(*[nn.Linear(4, 4) for _ in range(3)], nn.Linear(4, 1))
    assert repr(network) == "Sequential(\n  (0-2): 3 × Linear(4, 4)\n  (3): Linear(4, 1)\n)"
    assert network.summary().splitlines()[1].split()[:4] == ["0-2:", "3", "×", "Linear"]
    assert network.summary().splitlines()[1].split()[-1] == "60"


def test_other_names_do_not_fold():
    module = nn.Module()
    module.a1, module.a2, module.b = nn.ReLU(), nn.ReLU(), [nn.ReLU(), nn.ReLU()]
    assert "(a1): ReLU()\n  (a2): ReLU()\n  (b.0-1): 2 × ReLU()" in repr(module)


def test_two_thousand_modules_inside_one_another():
    network = inner = nn.Sequential(nn.Linear(1, 1))
    for _ in range(2000):
        network = nn.Sequential(network)
    assert "Sequential(...)" in repr(network)
    assert len(network.parameters()) == 2 and len(network.state_dict()) == 2
    assert network.summary().splitlines()[-1].split() == ["Sequential", "total", "2"]
    assert network.eval().named_modules()[-2][1] is inner and not inner.training


def test_a_list_that_holds_itself():
    module = nn.Module()
    module.weights = [Value([1.0, 2.0])]
    module.weights.append(module.weights)
    module.deep = {"inside": module.weights}
    module.deep["deeper"] = module.deep
    assert [name for name, _ in module.named_parameters()] == ["weights.0"]
    assert module.summary().splitlines()[-1].split()[-1] == "2" and repr(module) == "Module()"
    nested = [Value(1.0)]
    for _ in range(5000):
        nested = [nested]
    module.nested = nested
    assert len(module.parameters()) == 2


# Loading
@pytest.mark.parametrize("wrong", [[1, 2], None, 3.0, "net.npz", [("weight", np.ones((1, 2)))]])
def test_a_state_is_a_dict(wrong):
    layer = nn.Linear(2, 1)
    with pytest.raises(TypeError, match=r"a Linear takes over a dict of names and arrays.*not a "):
        layer.load_state_dict(wrong)
    with pytest.raises(TypeError, match=r"load_state_dict\(nn\.load\(path\)\)"):
        layer.load_state_dict("net.npz")


def test_interrupted_at_every_line_a_state_is_taken_over_or_not():
    state = {name: np.full_like(a, 7) for name, a in nn.BatchNorm1d(2).state_dict().items()}
    for line in itertools.count():
        layer, left = nn.BatchNorm1d(2), itertools.count(line, -1)
        old = layer.state_dict()

        def tracer(frame, event, argument, left=left):
            if event == "line" and next(left) == 0:
                raise KeyboardInterrupt
            return tracer

        before = sys.gettrace()
        sys.settrace(tracer)
        try:
            layer.load_state_dict(state)
            cut = False
        except KeyboardInterrupt:
            cut = True
        finally:
            sys.settrace(before)
        now = layer.state_dict()
        assert any(all((now[k] == s[k]).all() for k in now) for s in (old, state)), f"line {line}"
        if not cut:
            break
    assert line > 20


# Messages
class Forgets(nn.Module):
    def forward(self, x):
        x * 2


class Two(nn.Module):
    def __init__(self, a, b=1, *, c: int = 2):
        self.made = a, b, c


@pytest.mark.parametrize(
    "make, error, match",
    [
        (lambda: Forgets()(1.0), TypeError, r"Forgets\.forward gave nothing: end it with return"),
        (lambda: nn.Sequential(Forgets(), nn.ReLU())(np.ones(2)), TypeError, "Forgets"),
        (lambda: nn.MLP(2, 4, 1), TypeError, r"one list: MLP\(2, \[4, 1\]\)"),
        (lambda: nn.MLP(2, 4), TypeError, r"one list: MLP\(2, \[4\]\)"),
        (lambda: nn.Linear([2, 1]), TypeError, r"its numbers are no list: Linear\(2, 1\)"),
        (lambda: nn.Linear((2, 1)), TypeError, r"Linear\(in_features, out_features, bias=True, \*, dtype="),
        (lambda: nn.Linear(2.0, 1), TypeError, "Linear: in_features is a whole number, not 2.0"),
        (lambda: nn.Linear(2, "1"), TypeError, "Linear: out_features is a whole number, not '1'"),
        (lambda: nn.Linear(2, -1), ValueError, "out_features is 0 or more"),
        (lambda: nn.Linear(2, 1, biass=True), TypeError, "biass.*it is made as Linear"),
        (lambda: nn.MLP(2, ["4", 1]), TypeError, "nout is a whole number"),
        (lambda: nn.Neuron(None, True), TypeError, "nin is a whole number"),
        (lambda: nn.Conv2d(1.5, 2, 3), TypeError, "in_channels is a whole number"),
        (lambda: nn.Conv2d([1, 2, 3]), TypeError, r"Conv2d\(1, 2, 3\)"),
        (lambda: nn.Embedding("a", 2), TypeError, "num_embeddings is a whole number"),
        (lambda: nn.GRUCell(2, None), TypeError, "hidden_size is a whole number"),
        (lambda: nn.BatchNorm1d(2.0), TypeError, "num_features is a whole number"),
        (lambda: nn.ReLU(0.1), TypeError, r"ReLU is made without arguments: ReLU\(\)"),
        (lambda: Two(1, 2, 3), TypeError, r"Two: too many pos.* made as Two\(a, b=1, \*, c=2\)"),
        (lambda: nn.MSELoss(Value(1.0), 2.0), TypeError, "made first, with its settings"),
    ],
)  # fmt: skip
def test_what_modules_cannot_be_made_of(make, error, match):
    with pytest.raises(error, match=match):
        make()


@pytest.mark.parametrize("x", [np.zeros((4, 2)), np.zeros((4, 2)).tolist(), Value(np.zeros((4, 2)))])
def test_many_samples_into_single_neurons(x):
    with pytest.raises(ValueError, match=r"has 2 inputs and was given 4 rows: give it one sample at a time"):
        nn.MLP(2, [4, 1])(x)


def test_modules_are_made_as_before():
    assert Two(1).made == (1, 1, 2) and Two(1, c=5, b=4).made == (1, 4, 5)
    assert nn.Linear(np.int64(2), 1).weight.shape == (1, 2)
    assert len(optim.Adam(nn.MLP(2, (3, 1)).parameters()).params) == 13
