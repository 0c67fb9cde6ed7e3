"""What Python tells the page of a network that can be touched: layers, classes, sets, and what is refused."""

import itertools

import numpy as np
import pytest

from tinygrad_course import TraceError, Value, data, nn, viz
from tinygrad_course.viz.lab import described
from tinygrad_course.viz.task import task_of
from tinygrad_course.viz.wiring import columns_of

GATE, XOR = data.gates("xor")
TABLE = XOR[:, None]
CE, UNEQUAL = nn.CrossEntropyLoss(), nn.CrossEntropyLoss(np.array([1.0, 3.0]))


def layers(*sizes, between=nn.Sigmoid, dtype=float, rng=0):
    """A network of Linear layers with an activation between them."""
    rng = np.random.default_rng(rng)
    parts = []
    for inputs, outputs in itertools.pairwise(sizes):
        parts += [nn.Linear(inputs, outputs, dtype=dtype, rng=rng), between()]
    return nn.Sequential(*parts[:-1])


def hinge(out, target):
    """The loss of a single neuron's answer for classes 0 and 1."""
    return (1 - (2 * target - 1) * out).relu()


def told(model, x=GATE, y=TABLE, loss=None):
    """What the page's script is told."""
    return described(task_of(model, x, y, loss or nn.BCEWithLogitsLoss()))[1]


def test_the_layers_are_found_however_they_are_put_together():
    class Deep(nn.Module):
        def __init__(self):
            self.out = nn.Linear(3, 1, rng=2)
            self.hidden = [nn.Linear(2, 4, bias=False, rng=0), nn.Linear(4, 3, rng=1)]

        def forward(self, x):
            first = np.tanh(self.hidden[0](x)) * 2.0
            return self.out(nn.functional.leaky_relu(self.hidden[1](first)))

    model, x = Deep(), Value(np.ones((1, 2), np.float32))
    columns = columns_of(model, x, model(x))
    assert [column.name for column in columns] == ["hidden.0", "hidden.1", "out"]
    assert [column.activation for column in columns] == ["tanh, multiply", "leaky_relu", ""]
    assert [column.bias is None for column in columns] == [True, False, False]
    np.testing.assert_array_equal(columns[0].outputs.data, 2 * np.tanh(columns[0].sums.data))


def test_neurons_are_computed_as_layers():
    model = nn.MLP(2, [3, 1], rng=0)
    task = task_of(model, GATE, XOR, hinge)
    ours = [task.loss_of(task.network(task.x[i : i + 1]), task.target(i)).item() for i in range(4)]
    theirs = [hinge(model(x), y).item() for x, y in zip(GATE.tolist(), XOR.tolist())]
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    for part, n in ((nn.Neuron(2, rng=0), 1), (nn.Layer(2, 3, rng=0), 3)):
        task = task_of(part, GATE, XOR, hinge)
        numbers = task.network(task.x)
        for i, x in enumerate(GATE.tolist()):
            np.testing.assert_allclose(
                numbers.data[i], [v.item() for v in ([part(x)] if n == 1 else part(x))], rtol=1e-12
            )


@pytest.mark.parametrize(
    ("last", "loss", "y", "border", "mean"),
    [
        (nn.Sigmoid, nn.BCELoss(), TABLE, 0.5, True),
        (None, nn.BCEWithLogitsLoss(), TABLE, 0.0, True),
        (None, nn.BCEWithLogitsLoss(reduction="sum"), TABLE, 0.0, False),
        (None, nn.MSELoss(), TABLE, 0.5, True),
        (nn.Tanh, nn.MSELoss(reduction="sum"), 2 * TABLE - 1, 0.0, False),
        (None, nn.MSELoss(), 10 * TABLE + 20, 25.0, True),
        (None, nn.L1Loss(), TABLE, 0.5, True),
    ],
)
def test_the_border_is_where_both_classes_cost_the_same(last, loss, y, border, mean):
    model = layers(2, 2, 1)
    network = told(nn.Sequential(*model, last()) if last else model, y=y, loss=loss)
    assert network["border"] == border
    assert network["mean"] is mean
    assert network["classes"] == np.unique(y)[:, None].tolist()


def test_classes_are_told_from_numbers():
    three = layers(2, 3)
    assert told(three, y=np.array([0, 2, 2, 0]), loss=CE)["classes"] == [[0], [1], [2]]
    assert told(three, y=np.eye(3)[[0, 2, 2, 0]], loss=CE)["classes"] == np.eye(3).tolist()
    assert told(three, y=np.full((4, 3), 1 / 3), loss=CE)["classes"] is None
    assert told(layers(2, 1), y=np.arange(4.0)[:, None], loss=nn.MSELoss())["classes"] is None


def test_the_lectures_sets_and_networks_are_offered_where_they_fit():
    names = [each["name"] for each in told(layers(2, 2, 1))["sets"]]
    assert names == ["as given", "AND", "OR", "XOR", "blobs", "moons", "circles", "spirals"]
    offered = {
        shape: [w["name"] for w in told(layers(*shape))["weights"]]
        for shape in ((2, 1), (2, 2, 1), (2, 3, 1))
    }
    assert offered == {
        (2, 1): ["AND of the slide", "OR of the slide"],
        (2, 2, 1): ["XOR of the slide's table", "XOR as the slide prints it"],
        (2, 3, 1): [],
    }
    assert told(layers(2, 2, 1, between=nn.ReLU))["weights"] == []  # there it would not be XOR
    moons = told(layers(2, 2, 1), y=2 * TABLE - 1, loss=nn.MSELoss())["sets"][5]
    x, labels = data.moons(100)
    np.testing.assert_allclose(moons["points"], x, atol=5e-4)
    np.testing.assert_array_equal(np.ravel(moons["targets"]), 2 * labels - 1)
    assert len(told(layers(3, 1), x=np.ones((4, 3)))["sets"]) == 1


class Passing(nn.Module):
    """A layer with a way around it."""

    def __init__(self):
        self.one, self.two = nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1)

    def forward(self, x):
        return self.two(self.one(x)) + x


class Twice(nn.Module):
    """A layer used twice."""

    def __init__(self):
        self.one = nn.Linear(2, 2, rng=0)

    def forward(self, x):
        return self.one(self.one(x))


@pytest.mark.parametrize(
    ("model", "x", "y", "loss", "kind", "words"),
    [
        (Passing(), GATE, np.arange(4) % 2, CE, ValueError, "goes past two.*viz.player"),
        (Twice(), GATE, np.arange(4) % 2, CE, ValueError, "one is used twice"),
        (nn.Sequential(nn.Tanh(), *layers(2, 1)), GATE, TABLE, nn.MSELoss(), ValueError, "sample as it is"),
        (nn.Tanh(), GATE, GATE, nn.MSELoss(), ValueError, "this Tanh is something else"),
        (layers(2, 65, 1), GATE, TABLE, nn.MSELoss(), ValueError, "2-65-1.*more than 64"),
        (layers(2, 1), np.ones((1001, 2)), np.ones((1001, 1)), nn.MSELoss(), ValueError, "1,001 points"),
        (layers(2, 1), GATE, TABLE, lambda out, y: out - y, ValueError, r"shape \(1, 1\)"),
        (layers(2, 1), GATE, TABLE, lambda out, y: 1.0, ValueError, "not a float"),
        (layers(2, 1), GATE, TABLE, lambda out, y: ((out - 1) ** 2).mean(), ValueError, "does not use y"),
        (layers(2, 2), GATE, np.arange(4) % 2, UNEQUAL, ValueError, "mean .* sum .*weights of classes"),
        (layers(2, 1), GATE, TABLE[:3], nn.MSELoss(), ValueError, r"\(4, 2\) and \(3, 1\)"),
        (layers(2, 1), XOR, TABLE, nn.MSELoss(), ValueError, r"\(4,\) and \(4, 1\)"),
        (layers(2, 1), GATE * np.nan, TABLE, nn.MSELoss(), ValueError, "x must be finite"),
        (layers(2, 1), GATE, TABLE.astype(str), nn.MSELoss(), ValueError, "y must be finite real"),
        (lambda x: x, GATE, TABLE, nn.MSELoss(), TypeError, "not a function"),
        (layers(2, 1), GATE, TABLE, None, TypeError, "such as nn.MSELoss.*NoneType"),
        (layers(2, 2, 1, between=nn.Dropout), GATE, TABLE, nn.MSELoss(), TraceError, "random.*net.eval"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_with_what_to_do(model, x, y, loss, kind, words):
    with pytest.raises(kind, match=f"(?s){words}"):
        viz.lab(model, x, y, loss)
