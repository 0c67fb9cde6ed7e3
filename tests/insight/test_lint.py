"""Lint: each silent mistake is told with its id, and what is right is not."""

import re
import sys
import warnings
from contextlib import contextmanager

import numpy as np
import pytest

from tinygrad_course import Value, derivative, grad, lint, nn, no_grad, optim, value_and_grad
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


def test_two_networks_in_turn():
    """The second loss goes through the first network too, whose gradients are zeroed before they are used."""
    maker, judge = nn.Linear(4, 4, rng=0), nn.Linear(4, 1, rng=1)
    makers, judges = optim.SGD(maker.parameters(), lr=0.1), optim.SGD(judge.parameters(), lr=0.1)
    criterion = nn.BCEWithLogitsLoss()

    def turn(forget=judges.zero_grad):
        made = maker(INPUTS)
        forget()
        criterion(judge(made.detach()), np.zeros((16, 1))).backward()
        judges.step()
        makers.zero_grad()
        criterion(judge(made), np.ones((16, 1))).backward()
        makers.step()

    with found(), lint():
        for _ in range(3):
            turn()
    with found("stale-gradient"), lint():
        for _ in range(2):
            turn(lambda: None)


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
    for shares in (2.0 * YES_OR_NO - 1, 2.0 * YES_OR_NO):
        with found("labels"), lint():
            nn.CrossEntropyLoss()(net(INPUTS), shares)
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


COLUMN = rng.normal(size=(4, 1))
FLAT = rng.normal(size=4)


@pytest.mark.parametrize(
    "crossed",
    [
        lambda: ((Value(COLUMN) - FLAT) ** 2).mean(),
        lambda: ((FLAT - Value(COLUMN)) ** 2).mean(),
        lambda: np.abs(Value(FLAT) - COLUMN).sum(),
        lambda: np.abs(Value(COLUMN) - Value(FLAT)).sum(),
        lambda: (Value(COLUMN).reshape(2, 2).reshape(4, 1) - FLAT).sum(),
        lambda: -(np.arange(4) % 2 * np.log(F.sigmoid(Value(COLUMN)))).mean(),
        lambda: np.square(nn.Linear(4, 1, rng=0)(INPUTS) - CLASSES).mean(),
        lambda: (Value(np.ones((3, 3, 1))) - np.ones((3, 3))).mean(),
        lambda: np.hypot(Value(COLUMN), FLAT).mean(),
    ],
)
def test_a_column_beside_as_many_entries(crossed):
    with found("broadcast") as caught, lint():
        crossed()
    assert re.search(r" of .*(, 1\).* and .*,\)|,\).* and .*, 1\)|3\)).* gave \(", caught[0].message.found)


def test_a_column_that_is_meant():
    x = Value(FLAT)
    with found(), lint():
        (x[:, None] - x).sum()  # all pairs
        (Value(FLAT[:, None]) - FLAT).sum()
        (x[:, None] - FLAT[::-1]).sum()
        (np.expand_dims(x, 1) - FLAT[::-1]).sum()
        (FLAT[:, None] - x[None, :]).sum()
        (Value(COLUMN) - FLAT[:, None]).sum()
        (Value(COLUMN[:1]) - FLAT[:1]).sum()  # one entry each
        (Value(COLUMN) - rng.normal(size=5)).sum()  # not as many
        (INPUTS * np.ones((16, 1)) * Value(FLAT)).sum()
        (Value(COLUMN) * x + x).sum()  # one input, four units, four samples
        nn.Linear(1, 4, rng=0)(COLUMN)


@pytest.mark.parametrize(
    "added",
    [
        lambda total, loss: total + loss,
        lambda total, loss: loss + total,
        lambda total, loss: total + loss * 16,
        lambda total, loss: 0.9 * total + 0.1 * loss,
        lambda total, loss: np.add(total, loss / 3),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_running_total_of_losses(added, first):
    net = network()
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    with found("growing-graph"), lint(net):
        total = 0.0
        for _ in range(4):
            optimizer.zero_grad()
            loss = nn.CrossEntropyLoss()(net(INPUTS), CLASSES)
            if first:
                total = added(total, loss)
            loss.backward()
            optimizer.step()
            if not first:
                total = added(total, loss)


def test_a_running_total_of_numbers():
    w, net = Value(1.0), nn.MLP(2, [3, 1], rng=0)
    with found("growing-graph"), lint():
        total = 0
        for _ in range(3):
            w.grad = None
            loss = (w - 3.0) ** 2
            loss.backward()
            total += loss
    with found(), lint():
        total = 0
        for _ in range(3):
            net.zero_grad()
            loss = sum((net([1.0, float(i)]) - 1.0) ** 2 for i in range(4))
            loss = loss + sum(p * p for p in net.parameters()) * 1e-3
            loss.backward()
            total += loss.item()
            total = total + loss.detach()
            with no_grad():
                total = total + loss


def trained(keep):
    """Five steps; `keep` gets each loss."""
    w = Value([1.0, 2.0])
    for _ in range(5):
        w.grad = None
        loss = ((w - 3.0) ** 2).mean()
        loss.backward()
        keep(loss)


def test_a_list_of_losses():
    losses, best = [], {}
    with found("growing-graph") as caught, lint():
        trained(losses.append)
    assert "last 3 backward passes" in str(caught[0].message)
    with found(), lint():
        trained(lambda loss: losses.append(loss.item()))
        trained(lambda loss: losses.append(loss.detach()))
        trained(lambda loss: best.update(loss=loss))
        w = Value([2.0])
        for loss in [(w * k).sum() for k in range(5)]:  # computed before, all held by one list
            loss.backward()


def test_a_learning_rate_that_ends_in_nan():
    net = network()
    data = rng.normal(size=(16, 3)).astype(np.float32)
    with np.errstate(all="ignore"), found("not-finite") as caught, lint(net):
        optimizer = optim.SGD(net.parameters(), lr=1e4)
        for _ in range(30):
            optimizer.zero_grad()
            nn.MSELoss()(net(INPUTS), data).backward()
            optimizer.step()
    assert re.fullmatch(
        r"backward starts where the loss is (nan|inf), and was \S+e\+\d+ the time before",
        caught[0].message.found,
    )
    w = Value(1.0)
    with np.errstate(all="ignore"), found("not-finite"), lint():
        for _ in range(2000):
            w.grad = None
            ((w - 3.0) ** 2).backward()
            w.data -= 1.5 * w.grad
    w = Value(0.0, name="w")
    with np.errstate(all="ignore"), found("not-finite") as caught, lint():
        np.sqrt(w).backward()
        optim.SGD([w], lr=0.1).step()
    assert caught[0].message.found == "SGD makes a step, and the gradient of 'w' number holds inf"


@pytest.mark.parametrize("of", [grad, value_and_grad])
def test_a_result_that_does_not_depend_on_the_argument(of):
    with found("unused-parameter", "unused-parameter", "unused-parameter") as caught, lint():
        of(lambda x: x.item() ** 2)(3.0)
        of(lambda x: Value(x.numpy()).sum())(np.ones(2))
        of(lambda p, x: (p["a"] * x.data).sum(), (0, 1))({"a": np.ones(2), "b": [1.0]}, np.ones(2))
    name = of.__name__
    assert (
        caught[0].message.found == f"the result of the function given to {name} does not depend on argument 0"
    )
    assert caught[2].message.found.endswith("depend on argument 0['b'][0], argument 1")
    with found(), lint():
        of(lambda p, x: (p["a"] * x).sum(), (0, 1))({"a": np.ones(2)}, np.ones(2))
        of(lambda x: x**2)(3.0)
        of(grad(lambda x: x**3))(3.0)


def test_a_new_row_is_linted_by_its_facts():
    apart = derivative(lambda x, y: x - 2 * y, lambda g, out, x, y: g, elementwise=True)
    shifted = derivative(lambda x: x[::-1], lambda g, out, x: g[::-1], shaping=True)
    noisy = derivative(lambda x, rng: x * rng.random(x.shape), lambda g, out, x, rng: g, draws=True)
    with found("broadcast"), lint():
        apart(Value(COLUMN), FLAT)
    with found("double-softmax"), lint():
        nn.CrossEntropyLoss()(shifted(F.softmax(network()(INPUTS))), CLASSES)
    with found("training-mode"), lint(), no_grad():
        noisy(Value(FLAT), np.random.default_rng(0))


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
