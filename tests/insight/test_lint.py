"""Lint: each silent mistake is told with its id, and what is right is not."""

import re
import sys
import warnings
from contextlib import contextmanager

import numpy as np
import pytest

from tinygrad_course import Value, lint, nn, no_grad, optim
from tinygrad_course.insight import KINDS, GradientWarning
from tinygrad_course.nn import functional as F

rng = np.random.default_rng(0)
INPUTS = rng.normal(size=(16, 4)).astype(np.float32)
CLASSES = rng.integers(0, 3, 16)
YES_OR_NO = rng.integers(0, 2, (16, 3))


def network():
    return nn.Sequential(nn.Linear(4, 8, rng=0), nn.ReLU(), nn.Linear(8, 3, rng=1))


@contextmanager
def found(*ids):
    """The warnings of the block are of these kinds, in this order; each points into this file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught
    caught = [w for w in caught if w.category is GradientWarning]
    assert [w.message.id for w in caught] == list(ids)
    for w in caught:
        assert w.filename == __file__
        text = str(w.message)
        assert text.startswith(f"{w.message.id}: {w.message.found}\n  why: ")
        assert KINDS[w.message.id].reason in text and KINDS[w.message.id].fix in text


def train(net, optimizer, steps=3, zero=True):
    for _ in range(steps):
        if zero:
            optimizer.zero_grad()
        nn.CrossEntropyLoss()(net(INPUTS), CLASSES).backward()
        optimizer.step()


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.AdamW])
def test_what_is_right_is_not_told(make):
    net = network()
    with found(), lint(net):
        train(net, make(net.parameters(), lr=0.1))
        for _ in range(3):  # gradients of four batches, added up on purpose
            net.zero_grad()
            for part in np.split(np.arange(16), 4):
                nn.CrossEntropyLoss()(net(INPUTS[part]), CLASSES[part]).backward()
        with no_grad():
            F.softmax(net(INPUTS))
        scaled = net(INPUTS) * 0.5 + 1
        nn.BCEWithLogitsLoss()(scaled, YES_OR_NO).backward()


def test_neurons_one_by_one():
    net = nn.MLP(2, [3, 1], rng=0)
    with found(), lint(net):
        for _ in range(3):
            net.zero_grad()
            (net([1.0, 2.0]) ** 2).backward()
            for p in net.parameters():
                p.data -= 0.1 * p.grad
    with found("stale-gradient") as caught, lint(net):
        for _ in range(3):
            (net([1.0, 2.0]) ** 2).backward()
            for p in net.parameters():
                p.data -= 0.1 * p.grad
    assert re.search(r"the gradient of 'layers.0.neurons.\d.w.0' number, which", caught[0].message.found)


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_backward_again_without_zero_grad(make):
    net = network()
    with found("stale-gradient"), lint():
        train(net, make(net.parameters(), lr=0.1), zero=False)


def test_a_step_without_gradients():
    net = network()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    with found("no-gradient") as caught, lint(net):
        optimizer.step()  # before backward
        optimizer.step()
    assert "SGD makes a step, and no gradient came to '0.weight' (8, 4) float32, " in caught[0].message.found
    other = optim.SGD(network().parameters(), lr=0.1)  # of another network
    with found("no-gradient"), lint():
        nn.CrossEntropyLoss()(net(INPUTS), CLASSES).backward()
        other.step()
    for p in net[0].parameters():
        p.requires_grad = False
    with found(), lint(net):  # frozen on purpose
        train(net, optimizer)


def test_a_loss_that_does_not_depend_on_a_parameter():
    net = network()
    with found("unused-parameter") as caught, lint(net):
        hidden = net[1](net[0](INPUTS)).numpy()
        for _ in range(2):
            nn.CrossEntropyLoss()(net[2](hidden), CLASSES).backward()
    text = caught[0].message.found
    assert text == "the result of mean does not depend on '0.weight' (8, 4) float32, '0.bias' (8,) float32"


@pytest.mark.parametrize(
    "spoil",
    [F.softmax, nn.Softmax(), lambda v: F.softmax(v).reshape(16, 3), lambda v: F.softmax(v).astype(float)],
)
def test_softmax_before_cross_entropy(spoil):
    net = network()
    with found("double-softmax") as caught, lint(net):
        for _ in range(2):
            nn.CrossEntropyLoss()(spoil(net(INPUTS)), CLASSES)
    assert "CrossEntropyLoss was given the result of softmax" in caught[0].message.found
    with found(), lint(net):
        nn.CrossEntropyLoss()(F.log_softmax(net(INPUTS)), CLASSES)  # twice is as once
        nn.CrossEntropyLoss()(net(INPUTS), F.softmax(net(INPUTS)).detach().numpy())  # as targets
        (F.softmax(net(INPUTS)) ** 2).sum()


def test_sigmoid_before_its_cross_entropy():
    net = network()
    with found("double-softmax") as caught, lint():
        nn.BCEWithLogitsLoss()(F.sigmoid(net(INPUTS)), YES_OR_NO)
    assert "BCEWithLogitsLoss was given the result of sigmoid" in caught[0].message.found
    with found(), lint():
        nn.BCELoss()(F.sigmoid(net(INPUTS)), YES_OR_NO)


def test_labels_out_of_range():
    net = network()
    with found("labels") as caught, lint():
        nn.BCEWithLogitsLoss()(net(INPUTS), 2 * YES_OR_NO - 1)
    assert caught[0].message.found == "the targets of BCEWithLogitsLoss go from -1 to 1"
    with found("labels"), lint():
        nn.BCELoss()(F.sigmoid(net(INPUTS)), CLASSES.reshape(16, 1) * np.ones(3))
    with found("labels"), lint():
        nn.CrossEntropyLoss()(net(INPUTS), 2.0 * YES_OR_NO - 1)
    with lint(), pytest.raises(ValueError, match="the numbers of 3 classes go from 0 to 2"):
        nn.CrossEntropyLoss()(net(INPUTS), CLASSES + 1)
    with found(), lint():
        nn.CrossEntropyLoss(label_smoothing=0.1)(net(INPUTS), CLASSES)
        nn.CrossEntropyLoss(weight=[1, 5, 2])(net(INPUTS), np.eye(3)[CLASSES])
        nn.CrossEntropyLoss(ignore_index=0)(net(INPUTS), CLASSES)


def test_float64_in_a_float32_network():
    net = network()
    noise = rng.normal(size=(16, 3))
    with found("float64-in-float32") as caught, lint(net):
        for _ in range(2):
            noisy = net(INPUTS) + noise
    assert caught[0].message.found == (
        "add of the result of linear (16, 3) float32 and an array (16, 3) float64 gave float64"
    )
    with found(), lint(net):
        noisy = net(INPUTS) + noise.astype(np.float32)
        (noisy * 2.0 - np.float32(1)).mean()
        net(INPUTS).astype(float) + noise
        Value(noise) * noise
        net(noise[:, :1] @ np.ones((1, 4)))  # a plain array is taken as float32


@pytest.mark.parametrize("layer", [nn.Dropout(0.5, rng=0), nn.BatchNorm1d(8)], ids=["dropout", "batch norm"])
def test_training_mode_at_evaluation(layer):
    net = nn.Sequential(nn.Linear(4, 8, rng=0), layer, nn.Linear(8, 3, rng=1))
    with found(), lint(net):
        net.train()(INPUTS)
        with no_grad():
            net.eval()(INPUTS)
            nn.LayerNorm(8)(net[0](INPUTS))
    with found("training-mode") as caught, lint(net), no_grad():
        net.train()
        net(INPUTS)
    assert "under no_grad" in caught[0].message.found


def test_every_kind_says_why_and_what_to_write():
    for id, kind in KINDS.items():
        assert id == id.lower() and " " not in id
        assert kind.reason.endswith(".") and kind.fix.endswith(".")
        assert isinstance(GradientWarning(id, "x"), UserWarning)
    assert all(f"``{id}``" in lint.__doc__ for id in list(KINDS)[3:])


def test_it_is_off_outside():
    net = network()
    with lint(net):
        train(net, optim.SGD(net.parameters(), lr=0.1))
    with found():
        train(net, optim.SGD(net.parameters(), lr=0.1), zero=False)
        nn.CrossEntropyLoss()(F.softmax(net(INPUTS)), CLASSES)


@pytest.mark.parametrize(
    "demo", ["neuron", "gates", "xor", "backpropagation", "gradient_descent", "perceptron"]
)
def test_no_false_alarm_in_the_demos(demo, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    from importlib import import_module
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parent.parent.parent))
    with found(), lint():
        import_module(f"demos.{demo}").main(["--quick", "--out", str(tmp_path)])
