"""Recorded graphs as JavaScript: in Chromium every value and every gradient is what NumPy gives."""

from __future__ import annotations

import numpy as np
import pytest
from javascript import check_graphs, inputs_of, run, wire

from tinygrad_course import TraceError, Value, nn
from tinygrad_course.nn import functional as F
from tinygrad_course.program.export.graphs import graph_program


def lecture():
    return F.cross_entropy(nn.MnistMLP(rng=0)(np.full((5, 784), 0.5, np.float32)), np.arange(5))


def neurons():
    net = nn.MLP(2, [4, 1], rng=0)
    return sum((net([a, b]) - float(a != b)) ** 2 for a in (0.0, 1.0) for b in (0.0, 1.0))


def xor():
    net = nn.Sequential(nn.Linear(2, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1), nn.Sigmoid())
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    return nn.MSELoss()(net(x), np.array([[0], [1], [1], [0]], np.float32))


def test_networks_of_the_lecture(browser):
    check_graphs(browser, [lecture(), neurons(), xor()])


R = np.random.default_rng(0)
single = lambda *shape: Value(R.normal(size=shape).astype(np.float32))
batch = single(4, 5)
maps, rows = single(2, 4, 6, 6), single(2, 4, 8)
positive = Value(R.uniform(0.1, 0.9, (4, 5)).astype(np.float32))
shares, classes = np.full((4, 5), 0.2, np.float32), np.array([0, 4, 2, 2])
signs = np.where(R.normal(size=(4, 5)) > 0, 1, -1).astype(np.float32)
LAYERS = {
    "AdaptiveAvgPool1d": lambda layer: layer(2)(rows),
    "AdaptiveAvgPool2d": lambda layer: layer(4)(maps),
    "AdaptiveMaxPool1d": lambda layer: layer(3)(rows),
    "AdaptiveMaxPool2d": lambda layer: layer(4)(maps),
    "AvgPool1d": lambda layer: layer(3, stride=2, padding=1)(rows),
    "AvgPool2d": lambda layer: layer(2)(maps),
    "BatchNorm1d": lambda layer: layer(5)(batch),
    "BatchNorm2d": lambda layer: layer(4)(maps) + layer(4).eval()(maps),
    "Conv1d": lambda layer: layer(4, 6, 3, padding=1, stride=2, groups=2, rng=0)(rows),
    "Conv2d": lambda layer: layer(4, 2, (2, 3), stride=(2, 1), padding=1, dilation=(1, 2), rng=0)(maps),
    "ConvTranspose1d": lambda layer: layer(4, 2, 3, stride=2, padding=1, rng=0)(rows),
    "ConvTranspose2d": lambda layer: layer(4, 2, 3, stride=2, output_padding=1, rng=0)(maps),
    "Dropout": lambda layer: layer(0.5).eval()(batch) * 2.0,
    "Embedding": lambda layer: layer(7, 3, padding_idx=2, rng=0)(np.array([[1, 2, 2], [0, 6, 1]])),
    "Flatten": lambda layer: layer()(maps),
    "GLU": lambda layer: layer(1)(maps),
    "GRUCell": lambda layer: layer(5, 3, rng=0)(batch, single(4, 3)),
    "LSTMCell": lambda layer: np.multiply(*layer(5, 3, rng=0)(batch, (single(4, 3), single(4, 3)))),
    "LayerNorm": lambda layer: layer(5)(batch),
    "Linear": lambda layer: layer(5, 3, rng=0)(batch),
    "MaxPool1d": lambda layer: layer(3)(rows),
    "MaxPool2d": lambda layer: layer(3, stride=2, padding=1)(maps),
    "MultiheadAttention": lambda layer: layer(8, 2, rng=0)(rows, rows, rows)[0],
    "RNNCell": lambda layer: layer(5, 3, rng=0)(batch, single(4, 3)),
    "Softmax": lambda layer: layer(dim=1)(batch),
    "Softmin": lambda layer: layer(dim=1)(batch),
    "LogSoftmax": lambda layer: layer(dim=1)(batch),
    "Threshold": lambda layer: layer(0.1, -3.0)(batch),
    "Upsample": lambda layer: layer(scale_factor=2)(maps),
    "Unflatten": lambda layer: layer(1, (2, 4))(rows.reshape(8, 8)),
}
LOSSES = {
    "BCELoss": lambda loss: loss()(positive, shares),
    "CosineEmbeddingLoss": lambda loss: loss()(batch, single(4, 5), signs[:, 0]),
    "CosineSimilarity": lambda loss: loss(dim=1)(batch, single(4, 5)),
    "CrossEntropyLoss": lambda loss: loss(label_smoothing=0.1)(batch, classes) + loss()(batch, shares),
    "GaussianNLLLoss": lambda loss: loss()(batch, shares, positive),
    "HingeEmbeddingLoss": lambda loss: loss()(batch, signs),
    "KLDivLoss": lambda loss: loss(reduction="batchmean")(F.log_softmax(batch, dim=1), shares),
    "MarginRankingLoss": lambda loss: loss(margin=0.2)(batch, single(4, 5), signs),
    "MultiMarginLoss": lambda loss: loss()(batch, classes),
    "NLLLoss": lambda loss: loss()(F.log_softmax(batch, dim=1), classes),
    "PairwiseDistance": lambda loss: loss()(batch, single(4, 5)),
    "SoftMarginLoss": lambda loss: loss()(batch, signs),
    "TripletMarginLoss": lambda loss: loss()(batch, single(4, 5), single(4, 5)),
}
NETWORKS = {"MLP", "Layer", "Neuron", "MnistMLP", "Sequential"}  # above
HOLDERS = {"Module", "ModuleDict", "ModuleList", "Parameter", "ParameterList"}


def of_layer(name):
    """One number computed with a layer or a loss; None where it is not known how to call it."""
    made, known = getattr(nn, name), {**LAYERS, **LOSSES}
    try:
        out = known[name](made) if name in known else made()(batch, *[shares] * name.endswith("Loss"))
    except (TypeError, ValueError):
        if name in known:
            raise
        return None  # it takes arguments
    return (out * out).mean() + out.sum()


def test_every_layer_and_loss(browser):
    results = [of_layer(name) for name in nn.__all__ if name[0].isupper() and name not in NETWORKS | HOLDERS]
    check_graphs(browser, [result for result in results if result is not None])
    assert sum(result is not None for result in results) > 65


def test_contributions_add_up_to_the_gradient():
    w = Value(2.0, name="w")
    program = graph_program([w * w + w])
    sum_of, product = sorted(program.contributions)[-1][0], sorted(program.contributions)[0][0]
    assert set(program.contributions) == {(product, 0), (product, 1), (sum_of, 0), (sum_of, 1)}
    assert program.inputs == {"w": w} and program.gradients["w"] == "d_w"


def test_several_results_start_from_one_each(browser):
    w = Value(2.0, name="w")
    first = w * 3.0
    second = first + w
    program = graph_program([first, second, second])
    ((values, gradients, _),) = run(browser, [(program.script("program"), inputs_of(program))])
    assert values[program.values[second.serial]] == 8.0
    assert gradients[program.gradients[program.values[first.serial]]] == 2.0
    assert gradients["d_w"] == 7.0  # 2 · 3 through the first, and 1


def test_what_cannot_be_written_is_named():
    with pytest.raises(TraceError, match="emit: solve cannot be written in JavaScript"):
        graph_program([np.linalg.solve(Value(np.eye(2)), Value(np.ones(2))).sum()])
    with pytest.raises(TraceError, match="float16"):
        graph_program([Value(np.ones(2, np.float16)) * 2.0])
    with pytest.raises(TraceError, match=r"^emit: eigh cannot be written in JavaScript: [^/]*$"):
        graph_program([np.linalg.eigh(Value(np.eye(2)))[0].sum()])


TIMED = """
(() => {
%s
  const v = { %s };
  const run = () => program.backward(program.forward(v));
  const times = [];
  for (let k = 0; k < 21; k++) { // each a mean over some milliseconds, as the clock is coarse
    let [runs, start] = [0, performance.now()];
    while (performance.now() - start < 10) for (let n = 0; n < 10; n++, runs++) run();
    times.push((performance.now() - start) / runs);
  }
  return times.sort((a, b) => a - b)[10];
})()
"""


def test_how_quick_they_are(browser, capsys):
    """Nothing is asserted: the medians are for people to read."""
    rng = np.random.default_rng(0)
    net = nn.Sequential(
        nn.Linear(2, 16, rng=0), nn.ReLU(), nn.Linear(16, 16, rng=1), nn.ReLU(), nn.Linear(16, 1)
    )
    points = rng.normal(size=(100, 2)).astype(np.float32), rng.normal(size=(100, 1)).astype(np.float32)
    scalars = nn.MLP(2, [16, 16, 1], rng=0)
    timed = {
        "XOR, 4 samples": xor(),
        "2-16-16-1 on 100 points": nn.MSELoss()(net(points[0]), points[1]),
        "2-16-16-1 in neurons, one sample": (scalars([0.5, -1.0]) - 1.0) ** 2,
        "MnistMLP, one image": F.cross_entropy(
            nn.MnistMLP(rng=0)(Value(rng.random((1, 784), np.float32))), np.array([3])
        ),
    }
    lines = []
    for what, result in timed.items():
        program = graph_program([result])
        inputs = ", ".join(
            f"{name}: {wire(x)}" if array == "number" else f"{name}: {array}.from({wire(x)})"
            for name, (array, x) in inputs_of(program).items()
        )
        median = browser.run(TIMED % (program.script("program"), inputs))
        lines.append(f"{what}: forward and backward in {median:.4f} ms, {len(program.values)} values")
    with capsys.disabled():
        print("", *lines, sep="\n")
