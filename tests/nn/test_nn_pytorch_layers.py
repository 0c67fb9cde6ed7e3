"""Layers of PyTorch here, and back: every argument arrives, and what cannot be converted is named."""

import inspect
import sys

import numpy as np
import pytest

from tinygrad_course import nn
from tinygrad_course.nn import pytorch

torch = pytest.importorskip("torch")
T = torch.nn
pytestmark = pytest.mark.oracle


def text_of(module):
    """What a module of PyTorch says it is; the layer at the end of attention has a name of its own there."""
    return repr(module).replace("NonDynamicallyQuantizable", "")


OPTIONS = {
    "Conv2d": {
        "in_channels": 4,
        "out_channels": 6,
        "kernel_size": (3, 2),
        "stride": 2,
        "padding": 1,
        "dilation": 2,
        "groups": 2,
        "bias": False,
        "padding_mode": "circular",
    },
    "ConvTranspose2d": {
        "in_channels": 4,
        "out_channels": 6,
        "kernel_size": 3,
        "stride": 2,
        "padding": 1,
        "output_padding": 1,
        "groups": 2,
        "bias": False,
        "dilation": 2,
    },
    "BatchNorm2d": {"num_features": 3, "eps": 0.1, "momentum": None, "affine": False},
    "InstanceNorm2d": {
        "num_features": 3,
        "eps": 0.1,
        "momentum": 0.3,
        "affine": True,
        "track_running_stats": True,
    },
    "GroupNorm": {"num_groups": 2, "num_channels": 4, "eps": 0.1, "affine": False},
    "LayerNorm": {"normalized_shape": (2, 3), "eps": 0.1, "elementwise_affine": True, "bias": False},
    "RMSNorm": {"normalized_shape": (3,), "eps": 0.1, "elementwise_affine": False},
    "Embedding": {"num_embeddings": 5, "embedding_dim": 3, "padding_idx": 2},
    "EmbeddingBag": {
        "num_embeddings": 5,
        "embedding_dim": 3,
        "mode": "sum",
        "include_last_offset": True,
        "padding_idx": 1,
    },
    "LSTM": {
        "input_size": 3,
        "hidden_size": 4,
        "num_layers": 2,
        "bias": False,
        "batch_first": True,
        "dropout": 0.3,
        "bidirectional": True,
    },
    "RNN": {"input_size": 3, "hidden_size": 4, "nonlinearity": "relu"},
    "RNNCell": {"input_size": 3, "hidden_size": 4, "bias": False, "nonlinearity": "relu"},
    "MultiheadAttention": {
        "embed_dim": 8,
        "num_heads": 2,
        "dropout": 0.3,
        "bias": False,
        "batch_first": True,
    },
    "TransformerEncoderLayer": {
        "d_model": 8,
        "nhead": 2,
        "dim_feedforward": 5,
        "dropout": 0.3,
        "layer_norm_eps": 0.1,
        "batch_first": True,
        "norm_first": True,
        "bias": False,
    },
    "Bilinear": {"in1_features": 2, "in2_features": 3, "out_features": 4, "bias": False},
    "MaxPool2d": {
        "kernel_size": 2,
        "stride": 1,
        "padding": 1,
        "dilation": 2,
        "return_indices": True,
        "ceil_mode": True,
    },
    "AvgPool2d": {
        "kernel_size": 2,
        "stride": 1,
        "padding": 1,
        "ceil_mode": True,
        "count_include_pad": False,
        "divisor_override": 3,
    },
    "CrossEntropyLoss": {
        "weight": torch.tensor([1.0, 2.0]),
        "ignore_index": 1,
        "reduction": "sum",
        "label_smoothing": 0.1,
    },
    "BCEWithLogitsLoss": {"pos_weight": torch.tensor([2.0]), "reduction": "none"},
    "HuberLoss": {"reduction": "sum", "delta": 0.5},
    "PairwiseDistance": {"p": 1.0, "eps": 0.1, "keepdim": True},
    "Upsample": {"scale_factor": 2.0, "mode": "bilinear", "align_corners": True},
    "Threshold": {"threshold": 1.0, "value": 2.0},
    "PReLU": {"num_parameters": 3, "init": 0.5},
    "Unflatten": {"dim": 1, "unflattened_size": (2, 3)},
    "Fold": {"output_size": (4, 4), "kernel_size": 2, "dilation": 1, "padding": 1, "stride": 2},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_argument_arrives(name):
    theirs = getattr(T, name)(**OPTIONS[name])
    ours = nn.from_torch(theirs)
    assert type(ours) is getattr(nn, name)
    back = nn.to_torch(ours)
    assert type(back) is type(theirs)
    for key, given in OPTIONS[name].items():
        for made in (theirs, ours, back):
            read = pytorch.READ.get(name, {}).get(key, lambda m, key=key: getattr(m, key))(made)
            if given is False and key == "bias":
                assert read is None or read is False
            else:
                np.testing.assert_array_equal(np.asarray(read), np.asarray(given), err_msg=key)


def test_every_layer_with_its_defaults_goes_there_and_back():
    """What is required is made up; each layer of both libraries is met, and none loses its type."""
    made_up = {
        "kernel_size": 2,
        "num_heads": 1,
        "nhead": 1,
        "dim": 1,
        "unflattened_size": (1, 3),
        "output_size": (4, 4),
    }
    count = 0
    for name in pytorch.OURS:
        if name in ("MnistMLP", "Loss", "TransformerEncoder") or not hasattr(T, name):
            continue
        known = pytorch.arguments_of(getattr(T, name), name)
        required = [k for k, p in known.items() if p.default is inspect.Parameter.empty and k != "mode"]
        module = getattr(T, name)(**{k: made_up.get(k, 3) for k in required})
        if name in ("Softmax", "LogSoftmax", "Softmin"):
            with pytest.raises(ValueError, match=r"dim=None leaves the axis to a guess"):
                nn.from_torch(module)
            module.dim = -1
        ours = nn.from_torch(module)
        assert type(ours).__name__ == name
        assert text_of(nn.to_torch(ours)) == text_of(module)
        count += 1
    assert count > 80


class Own(T.Module):
    def __init__(self):
        super().__init__()
        self.linear = T.Linear(2, 1)

    def forward(self, x):
        return self.linear(x) + x


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (
            lambda: T.Sequential(T.ReLU(), T.Sequential(T.CTCLoss())),
            TypeError,
            r"from_torch: 1\.0 \(CTCLoss\) is a layer of",
        ),
        (Own, TypeError, r"the module \(Own\) is a class of one's own.*forward.*load_state_dict"),
        (lambda: T.ModuleDict({"a": Own()}), TypeError, r"from_torch: a \(Own\)"),
        (
            lambda: T.Sequential(T.Embedding(3, 2, sparse=True), T.EmbeddingBag(3, 2, max_norm=1.0)),
            ValueError,
            r"from_torch: 1 \(EmbeddingBag\): max_norm=1\.0 is not known here",
        ),
        (
            lambda: T.BatchNorm2d(3, track_running_stats=False),
            ValueError,
            "track_running_stats=False is not known",
        ),
        (lambda: T.LSTM(3, 4, proj_size=2), ValueError, "proj_size=2 is not known"),
        (lambda: T.MultiheadAttention(4, 2, kdim=3), ValueError, "kdim=3 is not known"),
        (lambda: T.MultiheadAttention(4, 2, add_bias_kv=True), ValueError, "add_bias_kv=True is not known"),
        (
            lambda: T.MultiheadAttention(4, 2, add_zero_attn=True),
            ValueError,
            "add_zero_attn=True is not known",
        ),
        (
            lambda: T.Linear(2, 1).bfloat16(),
            ValueError,
            r"\(Linear\): its numbers are bfloat16.*module\.float\(\)",
        ),
        (lambda: T.Linear(2, 1).to(torch.complex64), ValueError, "its numbers are complex64"),
        (
            lambda: T.TransformerEncoderLayer(4, 2, activation=lambda x: x),
            ValueError,
            "activation=<lambda> is a function",
        ),
        (
            lambda: T.utils.parametrizations.weight_norm(T.Linear(2, 1)),
            TypeError,
            r"weight \(ParametrizationList\)",
        ),
        (lambda: T.Sequential(T.LazyLinear(3)), TypeError, r"0 \(LazyLinear\) is a layer of PyTorch"),
        (lambda: torch.zeros(3), TypeError, "takes a torch.nn.Module, not a Tensor"),
    ],
)
def test_what_is_not_known_is_named_with_its_path(make, error, match):
    with pytest.raises(error, match=match):
        nn.from_torch(make())


class OwnHere(nn.Module):
    def forward(self, x):
        return x


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (
            lambda: nn.Sequential(nn.ReLU(), OwnHere()),
            TypeError,
            r"to_torch: 1 \(OwnHere\) is a class of one's own",
        ),
        (
            lambda: nn.Sequential(nn.MnistMLP()),
            TypeError,
            r"0 \(MnistMLP\) is a layer that PyTorch does not have",
        ),
        (lambda: nn.MLP(2, [2, 1]), TypeError, r"the module \(MLP\) is"),
        (lambda: torch.nn.Linear(2, 1), TypeError, "takes a module of this library, not a Linear"),
    ],
)
def test_what_pytorch_does_not_know_is_named_with_its_path(make, error, match):
    with pytest.raises(error, match=match):
        nn.to_torch(make())


def test_hooks_and_other_ways_to_change_a_layer_are_refused():
    layer = T.Linear(2, 1)
    layer.register_forward_hook(lambda module, inputs, output: 2 * output)
    with pytest.raises(ValueError, match=r"0 \(Linear\): it has hooks"):
        nn.from_torch(T.Sequential(layer))


def test_dropout_draws_anew_while_training_and_nothing_after():
    ours = nn.from_torch(T.Dropout(0.25))
    x = np.ones(10_000)
    assert abs((ours(x) == 0).mean() - 0.25) < 0.02
    np.testing.assert_array_equal(ours.eval()(x), x)


def test_without_pytorch_the_message_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="to_torch needs PyTorch: pip install torch"):
        nn.to_torch(nn.Linear(2, 1))
