"""Networks and functions as ONNX models: the same numbers in onnxruntime, for any number of samples."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnxing import data, onnx, run, same

from tinygrad_course import TraceError, Value, compile, emit, nn
from tinygrad_course.nn import functional as F
from tinygrad_course.testing import graphs

RNG = np.random.default_rng(0)
MANY = int(os.environ.get("ONNX_PROGRAMS", "0"))  # by hand: so many random programs


class GPT(nn.Module):
    """Characters in, logits out, with a mask from the number of characters."""

    def __init__(self, dtype=np.float32, activation="gelu"):
        self.tokens, self.places = (
            nn.Embedding(11, 8, dtype=dtype, rng=0),
            nn.Embedding(6, 8, dtype=dtype, rng=1),
        )
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                8, 2, 16, activation=activation, batch_first=True, norm_first=True, dtype=dtype, rng=i
            )
            for i in range(2)
        )
        self.norm, self.head = nn.LayerNorm(8, dtype=dtype), nn.Linear(8, 11, bias=False, dtype=dtype, rng=5)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.places(np.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x, is_causal=True)
        return self.head(self.norm(x))


def cnn(dtype=np.float32):
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False, dtype=dtype, rng=0), nn.BatchNorm2d(4, dtype=dtype),
        nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2, dtype=dtype, rng=1),
        nn.SiLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.5),
        nn.Linear(24, 3, dtype=dtype, rng=2), nn.Softmax(-1),
    )  # fmt: skip


def decoder():
    return nn.Sequential(
        nn.Linear(5, 24, rng=0), nn.Unflatten(1, (6, 2, 2)), nn.GroupNorm(2, 6),
        nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1, rng=1), nn.LeakyReLU(0.2),
        nn.Upsample(scale_factor=2), nn.Conv2d(4, 2, 3, padding="same", padding_mode="replicate", rng=2),
        nn.AvgPool2d(2), nn.Hardtanh(), nn.PixelShuffle(1),
    )  # fmt: skip


def signals():
    return nn.Sequential(
        nn.Conv1d(2, 4, 3, dilation=2, padding=2, rng=0), nn.InstanceNorm1d(4), nn.ELU(), nn.MaxPool1d(2),
        nn.ConvTranspose1d(4, 2, 2, stride=2, rng=1), nn.RMSNorm(8), nn.Softplus(), nn.Flatten(0, 1),
    )  # fmt: skip


def pools(x):
    x = F.max_pool2d(x, 3, 2, padding=1, ceil_mode=True)[..., :4, :4] + F.max_pool2d(x, 2, 2, 1, dilation=2)
    x = F.avg_pool2d(x, 2, 1, padding=1) + F.avg_pool2d(x, 2, 1, padding=1, count_include_pad=False)
    x = x + F.avg_pool2d(x, 3, 1, padding=1, divisor_override=4)
    return F.max_pool1d(x.mean(axis=-1), 2), F.avg_pool2d(x, 2, ceil_mode=True), F.adaptive_max_pool2d(x, 2)


def first_of(module):
    return lambda x: module(x)[0]


NETWORKS = {
    "MnistMLP": (lambda: nn.MnistMLP(rng=0), (3, 28, 28), 0),
    "CNN": (cnn, (3, 2, 8, 8), 0),
    "decoder": (decoder, (3, 5), 0),
    "signals": (signals, (3, 2, 8), 0),
    "pools": (lambda: pools, (3, 2, 8, 8), 0),
    "GPT": (GPT, (2, 6, int), 0),
    "encoder, batch second": (lambda: nn.TransformerEncoderLayer(8, 2, 16, rng=0), (5, 3, 8), 1),
    "LSTM": (lambda: first_of(nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True, rng=0)), (2, 4, 3), 0),
    "GRU, batch second": (lambda: nn.GRU(3, 4, rng=0), (4, 2, 3), 1),
    "RNN": (lambda: nn.RNN(3, 4, nonlinearity="relu", batch_first=True, rng=0), (2, 4, 3), 0),
    "cell": (lambda: nn.LSTMCell(3, 4, rng=0), (2, 3), 0),
}


def sample(shape, n, batch, dtype=np.float32):
    shape = tuple(n if a == batch else size for a, size in enumerate(shape))
    if shape[-1] is int:
        return RNG.integers(0, 11, shape[:-1])
    return RNG.normal(size=shape).astype(dtype)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_for_any_number_of_samples(name):
    make, shape, batch = NETWORKS[name]
    network = make()
    if isinstance(network, nn.Module):
        network.eval()
    model = emit(network, sample(shape, 3, batch), target="onnx", batch=batch)
    onnx.checker.check_model(model, full_check=True)
    if name == "CNN":  # what pools is one operator
        assert [n.op_type for n in model.graph.node].count("MaxPool") == 1
    for n in (1, 2, 3, 8):
        x = sample(shape, n, batch)
        got, ran = run(model, x)
        assert ran
        same(got, network(x), 1e-5)


@pytest.mark.parametrize("make", [lambda: nn.MnistMLP(dtype=float, rng=0), lambda: GPT(float, "relu")])
def test_networks_in_double_precision(make):
    network = make().eval()
    shape = (2, 784) if isinstance(network, nn.MnistMLP) else (2, 6, int)
    model = emit(network, sample(shape, 2, 0, float), target="onnx")
    x = sample(shape, 5, 0, float)
    got, ran = run(model, x)
    assert ran and got[0].dtype == np.float64
    same(got, network(x), 1e-12)


def test_convolutions_in_double_precision_are_models_that_onnx_computes():
    network = cnn(float).eval()
    x = sample((2, 2, 8, 8), 2, 0, float)
    got, _ = run(emit(network, x, target="onnx"), x)
    same(got, network(x), 1e-12)
    got, ran = run(emit(pools, x, target="onnx"), x)
    assert ran
    same(got, pools(x), 1e-12)


def test_a_loss_and_its_parts():
    net = nn.MnistMLP(rng=0)
    f = lambda x, y: (
        F.cross_entropy(net(x), y),
        (net(x).argmax(1) == y).mean(),
        F.mse_loss(net(x), net(x) * 2),
    )
    x, y = sample((3, 784), 3, 0), np.array([1, 2, 3])
    model = emit(f, x, y, target="onnx")
    x, y = sample((7, 784), 7, 0), np.arange(7)
    same(run(model, x, y)[0], f(x, y), 1e-5)


def test_what_is_in_the_model_and_how_it_is_called():
    net = nn.Sequential(nn.Linear(4, 3, rng=0), nn.BatchNorm1d(3), nn.Sigmoid()).eval()
    net[1].running_mean[...] = 0.5
    model = emit(net, np.zeros((2, 4), np.float32), target="onnx")
    weights = {a.name: onnx.numpy_helper.to_array(a) for a in model.graph.initializer}
    for name, array in net.state_dict().items():
        if name != "1.num_batches_tracked":
            np.testing.assert_array_equal(weights[name], array)
    kinds = [n.op_type for n in model.graph.node]
    assert (kinds[0], kinds[-1]) == ("Gemm", "Sigmoid")
    said = lambda x: (x.name, [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim])
    assert list(map(said, model.graph.input)) == [("input", ["batch", 4])]
    assert list(map(said, model.graph.output)) == [("output", ["batch", 3])]
    assert model.producer_name == "tinygrad_course" and model.graph.name == "Sequential"
    names = [name for n in model.graph.node for name in n.output]
    assert len({*names}) == len(names) == len({n.name for n in model.graph.node} - {""})
    # what opens such files shows the shapes between nodes: they stand there, and agree with the inferred
    bare = onnx.ModelProto.FromString(model.SerializeToString())
    bare.graph.ClearField("value_info")
    inferred = onnx.shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True)
    found = {v.name: len(v.type.tensor_type.shape.dim) for v in inferred.graph.value_info}
    stated = {v.name: len(v.type.tensor_type.shape.dim) for v in model.graph.value_info}
    assert len(stated) > 5 and stated.items() <= found.items()


def test_parameters_in_a_closure_have_their_paths():
    net, scale = (
        nn.Sequential(nn.Linear(2, 2, rng=0), nn.BatchNorm1d(2)).eval(),
        Value(np.ones(2), name="scale"),
    )
    model = emit(lambda x: net(x) * scale, np.zeros((3, 2), np.float32), target="onnx")
    names = {a.name for a in model.graph.initializer}
    assert {"net.0.weight", "net.0.bias", "net.1.weight", "net.1.running_mean", "scale"} <= names


def test_functions_of_several_arguments_and_results():
    w = Value(np.array([[1.0, -2.0, 0.5]]), name="w")
    f = lambda x, y: {
        "sum": (x * w).sum(axis=1) + y,
        "top": np.maximum(x, y[:, None]).max(),
        "y": y,
        "one": 1.0,
    }
    args = lambda n: (sample((n, 3), n, 0, float), sample((n,), n, 0, float))
    model = emit(f, *args(2), target="onnx")
    assert [i.name for i in model.graph.input] == ["x", "y"]
    assert [o.name for o in model.graph.output] == ["output", "output_2", "output_3", "output_4"]
    values = args(4)
    same(run(model, *values)[0], f(*values), 1e-12)


def test_sizes_that_grow_with_the_samples():
    shapes = {
        "multiples": lambda x: np.reshape(x, (-1, 2)) * 2.0,
        "all": lambda x: np.reshape(x, (x.shape[0] * 4,)) + np.arange(4 * x.shape[0]),
        "square": lambda x: (x @ x.T) / x.shape[0],
        "outer": lambda x: np.reshape(x[:, None] * x[None], (x.shape[0], x.shape[0] * 4)),
        "zeros": lambda x: np.concatenate([x, np.zeros((x.shape[0], 2)), np.ones_like(x)], axis=1),
        "last": lambda x: x[x.shape[0] - 1] + x[-1] + x[1:].sum(0) + x[: x.shape[0] - 1].mean(0),
        "spread": lambda x: np.broadcast_to(x.mean(0), x.shape) - x,
        "variance": lambda x: (x.var(0, ddof=1), x.std(), x.var(ddof=2)),
        "diagonal": lambda x: (x @ x.T)[np.arange(len(x)), np.arange(len(x))],
    }
    for name, f in shapes.items():
        model = emit(f, np.ones((3, 4)), target="onnx")
        for n in (2, 5, 9):
            x = sample((n, 4), n, 0, float)
            same(run(model, x)[0], f(x), 1e-9, name)


def loop(x):
    return sum(x[i] * i for i in range(len(x)))


def inverse(x):
    return x * (1 / x.shape[0])


def fixed(x):
    return np.reshape(x, (3, 2, 2)) * 2.0


def masked(x):
    return x * (np.arange(x.shape[0]) % 2)[:, None]


@pytest.mark.parametrize(
    ("f", "match"),
    [
        (loop, r"takes other steps, in .*test_emit_onnx.py:\d+: return sum\(x\[i\]"),
        (inverse, r"a number depends on how many samples .*0\.2 for 5.*: return x \* \(1 / x\.shape\[0\]\)"),
        (fixed, r"(?s)with 5 samples along axis 0, in place of 3, the function fails.*batch=None"),
        (
            masked,
            r"multiply takes a constant array of shape \(batch, 1\) that is another one.*test_emit_onnx",
        ),
    ],
)
def test_what_is_for_one_number_of_samples_is_refused_with_its_line(f, match):
    x = sample((3, 4), 3, 0, float)
    with pytest.raises(TraceError, match=match):
        emit(f, x, target="onnx")
    same(run(emit(f, x, target="onnx", batch=None), x)[0], f(x), 1e-12)


def test_what_a_model_cannot_do_is_refused():
    net = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Dropout(0.5))
    x = np.zeros((3, 2), np.float32)
    with pytest.raises(TraceError, match=r"dropout draws random numbers.*net\.eval\(\)"):
        emit(net, x, target="onnx")
    net = nn.Sequential(nn.BatchNorm1d(2))
    with pytest.raises(
        TraceError, match=r"changes what it holds \(num_batches_tracked, running_mean.*net\.eval"
    ):
        emit(net, x, target="onnx")
    assert net[0].num_batches_tracked == 0 and not net[0].running_mean.any()
    with pytest.raises(TraceError, match="there is no sample"):
        emit(lambda x: x * 2.0, np.zeros((0, 2)), target="onnx")
    with pytest.raises(TraceError, match=r"ONNX has no arrays of (float128|longdouble)|cannot"):
        emit(lambda x: x * 2.0, np.zeros(2, np.longdouble), target="onnx")


def test_a_compiled_function_and_one_of_numbers():
    f = compile(lambda x: np.exp(x) * 2.0)
    f(np.ones((2, 3)))
    x = np.ones((4, 3))
    same(run(emit(f, np.ones((2, 3)), target="onnx"), x)[0], f(x), 1e-12)
    g = lambda a, b: a * b + 1.0
    same(run(emit(g, 2.0, 3.0, target="onnx"), 4.0, 5.0)[0], 21.0, 0.0)


def test_half_precision():
    net = nn.Sequential(
        nn.Linear(4, 3, dtype=np.float16, rng=0), nn.Tanh(), nn.LayerNorm(3, dtype=np.float16)
    )
    x = sample((5, 4), 5, 0, np.float16)
    got, _ = run(emit(net, x[:2], target="onnx"), x)
    same(got, net(x), 5e-3)


def test_without_the_library_the_message_says_where_it_comes_from(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        ImportError, match=r"needs the library onnx: pip install 'tinygrad_course\[interop\]'"
    ):
        emit(lambda x: x * 2.0, np.ones(3), target="onnx")


@settings(max_examples=MANY or settings.default.max_examples)
@given(st.booleans().flatmap(lambda scalars: graphs(min_operations=3, scalars=scalars)))
def test_random_programs(graph):
    try:
        model = emit(graph, *graph.inputs, target="onnx", batch=None)
    except TraceError as error:  # what ONNX does not have is said
        assert "cannot be written in ONNX" in str(error)
        return
    with np.errstate(all="ignore"):
        got, _ = run(model, *data(list(graph.inputs)))
        same(got, graph(*graph.inputs), 1e-7)


STEPS = {
    "add": lambda a, b: a + b, "multiply": lambda a, b: a * b, "tanh": lambda a, b: np.tanh(a) - b,
    "exp": lambda a, b: np.exp(-np.square(a)) + 0.5 * b, "maximum": lambda a, b: np.maximum(a, b),
    "where": lambda a, b: np.where(a > b, a, 0.1 * b), "sigmoid": lambda a, b: F.sigmoid(a) * b,
    "softmax": lambda a, b: F.softmax(a, -1) + b, "mean": lambda a, b: a - b.mean(-1, keepdims=True),
    "spread": lambda a, b: a / (1 + b.std(0)), "total": lambda a, b: a + b.sum() / b.shape[0],
    "mix": lambda a, b: a @ (b.T @ b), "scores": lambda a, b: F.softmax(a @ b.T) @ b,
    "turn": lambda a, b: np.reshape(np.transpose(np.reshape(a, (a.shape[0], 2, 2)), (0, 2, 1)), b.shape),
    "join": lambda a, b: np.concatenate([a[:, 1:], b[:, :1]], axis=1),
    "roll": lambda a, b: a[:, [3, 0, 1, 2]] - b,
    "stack": lambda a, b: np.stack([a, b, a])[1:].max(0), "flip": lambda a, b: a[::-1] + np.flip(b, 1),
    "running": lambda a, b: np.cumsum(a, axis=1) - b, "norm": lambda a, b: F.layer_norm(a, 4) * b,
    "flat": lambda a, b: np.reshape(np.reshape(a, -1) * np.reshape(b, -1), (-1, 4)),
    "clip": lambda a, b: np.clip(a, -0.5, 0.5) + b, "einsum": lambda a, b: np.einsum("ni,nj->ni", a, b),
    "pad": lambda a, b: np.pad(a, ((0, 0), (1, 1)))[:, 1:-1] * b,
    "abs": lambda a, b: np.sqrt(1 + np.abs(a)) - b,
}  # fmt: skip


@settings(max_examples=MANY or settings.default.max_examples)
@given(
    st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=6), st.integers(1, 9), st.integers(0, 99)
)
def test_random_programs_of_samples(steps, n, seed):
    def f(x, y):
        for step in steps:
            x, y = y, STEPS[step](x, y)
        return x, y

    model = emit(f, np.ones((3, 4)), np.ones((3, 4)), target="onnx")
    x, y = np.random.default_rng(seed).normal(size=(2, n, 4))
    got, ran = run(model, x, y)
    assert ran
    same(got, f(x, y), 1e-7)
