"""Networks of PyTorch here, and back: the same outputs and gradients, and what cannot be is named."""

import numpy as np
import pytest

from tinygrad_course import Value, nn

torch = pytest.importorskip("torch")
T = torch.nn
pytestmark = pytest.mark.oracle


def data_of(tree):
    """The arrays in a result, of either library, in order."""
    if isinstance(tree, (tuple, list)):
        return [a for part in tree for a in data_of(part)]
    return (
        [] if tree is None else [tree.detach().numpy() if hasattr(tree, "detach") else np.asarray(tree.data)]
    )


def total(tree):
    """A number that every entry of a result goes into, each in its own way."""
    if isinstance(tree, (tuple, list)):
        return sum(map(total, tree))
    return (tree * (tree.cos() if isinstance(tree, torch.Tensor) else np.cos(tree))).sum()


def compared(theirs, ours, x, tolerance=1e-6):
    """Outputs, gradients of the input and of all parameters, and buffers afterwards."""
    t = torch.tensor(x, requires_grad=x.dtype.kind == "f")
    v = Value(x) if x.dtype.kind == "f" else x
    a, b = theirs(t), ours(v)
    worst = 0.0
    for one, other in zip(data_of(a), data_of(b), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(other, one, rtol=tolerance, atol=tolerance)
        worst = max(worst, float(np.abs(one - other).max(initial=0)))
    total(a).backward()
    total(b).backward()
    gradients = {n: p.grad for n, p in theirs.named_parameters() if p.grad is not None}
    mine = {n: p.grad for n, p in ours.named_parameters() if p.grad is not None}
    assert mine.keys() == gradients.keys()
    pairs = [(gradients[n].numpy(), mine[n]) for n in mine]
    if x.dtype.kind == "f":
        pairs.append((t.grad.numpy(), v.grad))
    for one, other in pairs:
        scale = max(1.0, float(np.abs(one).max(initial=0)))
        np.testing.assert_allclose(other / scale, one / scale, rtol=0, atol=10 * tolerance)
    for (name, one), (same, other) in zip(theirs.named_buffers(), ours.named_buffers(), strict=True):
        assert name == same
        np.testing.assert_allclose(other, one.numpy(), rtol=tolerance, atol=tolerance)
    return worst


def data_tensor(module, x):
    """The first result of a module of PyTorch."""
    return torch.as_tensor(data_of(module(torch.tensor(x)))[0])


def text_of(module):
    """What a module of PyTorch says it is; the layer at the end of attention has a name of its own there."""
    return repr(module).replace("NonDynamicallyQuantizable", "")


class Block(T.Sequential):
    """A class of one's own that only says what it consists of."""

    def __init__(self, n):
        super().__init__(T.Linear(n, n), T.Tanh())


def encoder(**settings):
    layer = T.TransformerEncoderLayer(8, 2, 16, dropout=0.0, **settings)
    return T.TransformerEncoder(layer, 2, T.LayerNorm(8), enable_nested_tensor=False)


NETWORKS = {
    "mlp": (
        lambda: T.Sequential(T.Linear(6, 5), T.ReLU(), T.Linear(5, 3, bias=False), T.Softmax(-1)),
        (4, 6),
    ),
    "nested": (
        lambda: T.Sequential(
            T.Sequential(Block(6), T.Sequential(T.Linear(6, 6), T.GELU("tanh"))),
            T.Identity(),
            T.LeakyReLU(0.2),
        ),
        (4, 6),
    ),
    "cnn": (
        lambda: T.Sequential(
            T.Conv2d(2, 4, 3, padding=1, bias=False),
            T.BatchNorm2d(4, eps=1e-3, momentum=0.3),
            T.ReLU(),
            T.MaxPool2d(2),
            T.Conv2d(4, 6, (3, 1), stride=(2, 1), padding=(1, 0), groups=2),
            T.BatchNorm2d(6, momentum=None),
            T.SiLU(),
            T.AdaptiveAvgPool2d(2),
            T.Flatten(),
            T.Linear(24, 3),
        ),
        (3, 2, 8, 8),
    ),
    "modes": (
        lambda: T.Sequential(
            T.Conv2d(2, 3, 3, padding=(2, 1), padding_mode="reflect"),
            T.Conv2d(3, 3, 3, padding="same", padding_mode="circular", dilation=2),
            T.Conv2d(3, 3, (2, 3), padding="same", padding_mode="replicate"),
        ),
        (2, 2, 7, 6),
    ),
    "signals": (
        lambda: T.Sequential(
            T.Conv1d(2, 4, 3, padding=2, padding_mode="circular"),
            T.BatchNorm1d(4, affine=False),
            T.ELU(0.5),
            T.ConvTranspose1d(4, 2, 4, stride=2, output_padding=1),
            T.AvgPool1d(2, ceil_mode=True),
            T.GroupNorm(1, 2, eps=1e-4),
            T.InstanceNorm1d(2, affine=True, track_running_stats=True),
            T.PReLU(2, 0.1),
        ),
        (3, 2, 9),
    ),
    "images": (
        lambda: T.Sequential(
            T.ConvTranspose2d(2, 4, 3, stride=2, padding=1, bias=False),
            T.PixelShuffle(2),
            T.Upsample(scale_factor=2),
            T.Unfold(2, stride=2),
            T.Unflatten(1, (2, 2)),
            T.Flatten(1, 2),
            T.Hardtanh(-0.5, 0.7),
            T.Softplus(2.0),
        ),
        (2, 2, 4, 4),
    ),
    "lstm": (lambda: T.LSTM(3, 4, 2, batch_first=True, bidirectional=True), (2, 5, 3)),
    "lstm without bias": (lambda: T.LSTM(3, 4, bias=False), (5, 2, 3)),
    "gru": (lambda: T.GRU(3, 4, 2, bidirectional=True), (5, 2, 3)),
    "rnn": (lambda: T.RNN(3, 4, 2, nonlinearity="relu", batch_first=True), (2, 5, 3)),
    "cells": (
        lambda: T.Sequential(T.RNNCell(3, 4, nonlinearity="relu"), T.GRUCell(4, 2, bias=False)),
        (2, 3),
    ),
    "encoder": (
        lambda: encoder(batch_first=True, norm_first=True, activation="gelu", layer_norm_eps=1e-3),
        (2, 5, 8),
    ),
    "encoder, post": (lambda: encoder(bias=False), (5, 2, 8)),
    "encoder of modules": (lambda: encoder(batch_first=True, activation=T.SiLU()), (2, 5, 8)),
    "gpt": (
        lambda: T.Sequential(
            T.Embedding(11, 8, padding_idx=3),
            T.LayerNorm(8, eps=1e-6),
            encoder(batch_first=True, norm_first=True),
            T.RMSNorm(8),
            T.Linear(8, 11, bias=False),
            T.LogSoftmax(dim=-1),
        ),
        (2, 5, int),
    ),
    "without weights": (
        lambda: T.Sequential(
            T.LayerNorm(6, elementwise_affine=False), T.Dropout(0.0), T.Sigmoid(), T.Hardswish()
        ),
        (4, 6),
    ),
}


def sample(shape, dtype):
    rng = np.random.default_rng(0)
    if shape[-1] is int:
        return rng.integers(0, 11, shape[:-1])
    return rng.normal(size=shape).astype(dtype)


def seeded(make, dtype=torch.float32):
    torch.manual_seed(0)
    module = make().to(dtype)
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.1 * torch.randn_like(p))
        for b in module.buffers():
            if b.is_floating_point():
                b.add_(0.1 * torch.rand_like(b))
    return module


@pytest.mark.parametrize(
    ("name", "training", "dtype"),
    [(name, training, "float32") for name in NETWORKS for training in (True, False)]
    + [(name, True, "float64") for name in ("cnn", "lstm", "gpt")],
)
def test_the_same_outputs_and_gradients_there_and_back(name, training, dtype):
    make, shape = NETWORKS[name]
    theirs = seeded(make, getattr(torch, dtype)).train(training)
    ours = nn.from_torch(theirs)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    back = nn.to_torch(ours)
    assert text_of(back) == text_of(theirs) or name in (
        "nested",
        "images",
    )  # a Block is a Sequential; integers
    assert back.state_dict().keys() == theirs.state_dict().keys()
    for key, tensor in theirs.state_dict().items():
        assert torch.equal(back.state_dict()[key], tensor)
        assert back.state_dict()[key].dtype == tensor.dtype
    x, tolerance = sample(shape, dtype), 1e-6 if dtype == "float32" else 1e-12
    compared(seeded(make, getattr(torch, dtype)).train(training), ours, x, tolerance)
    assert torch.equal(*(data_tensor(m, x) for m in (back, theirs)))


def test_each_part_keeps_its_mode_and_what_is_frozen_stays_so():
    theirs = T.Sequential(T.Dropout(0.5), T.Sequential(T.BatchNorm1d(3), T.Linear(3, 2)))
    theirs[1].eval()
    theirs[1][1].weight.requires_grad_(False)
    for made in (nn.from_torch(theirs), nn.to_torch(nn.from_torch(theirs))):
        assert (made.training, made[0].training, made[1].training, made[1][0].training) == (
            True,
            True,
            False,
            False,
        )
        assert [p.requires_grad for p in made.parameters()] == [True, True, False, True]
    assert nn.from_torch(theirs)[0].p == 0.5


def test_what_is_shared_stays_shared():
    layer = T.Linear(3, 3)
    theirs = T.Sequential(T.Embedding(5, 3), layer, layer, T.Linear(3, 5, bias=False))
    theirs[3].weight = theirs[0].weight
    ours = nn.from_torch(theirs)
    assert ours[1] is ours[2] and ours[3].weight is ours[0].weight
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    back = nn.to_torch(ours)
    assert back[1] is back[2] and back[3].weight is back[0].weight
    compared(theirs, ours, np.array([[0, 4, 2]]))


def test_no_memory_is_shared_and_nothing_is_drawn():
    theirs = T.Sequential(T.Linear(2, 2), T.BatchNorm1d(2))
    before = {k: t.clone() for k, t in theirs.state_dict().items()}
    state = torch.random.get_rng_state()
    ours = nn.from_torch(theirs)
    back = nn.to_torch(ours)
    assert torch.equal(state, torch.random.get_rng_state())
    kept = ours.state_dict()
    with torch.no_grad():
        for p in back.parameters():
            p.zero_()
    for name, array in ours.state_dict().items():
        np.testing.assert_array_equal(array, kept[name])
    for p in ours.parameters():
        p.data[...] = 7.0
    ours[1].running_mean[...] = 7.0
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_lists_and_dicts_and_named_parts():
    theirs = T.ModuleDict({"mean": T.ModuleList([T.Linear(2, 1), T.ReLU()]), "scale": T.Linear(2, 1)})
    ours = nn.from_torch(theirs)
    assert (
        isinstance(ours, nn.ModuleDict) and isinstance(ours["mean"], nn.ModuleList) and len(ours["mean"]) == 2
    )
    assert ours.state_dict().keys() == theirs.state_dict().keys() == nn.to_torch(ours).state_dict().keys()
    from collections import OrderedDict

    theirs = T.Sequential(OrderedDict(first=T.Linear(2, 3), then=T.Tanh()))
    ours = nn.from_torch(theirs)
    assert [n for n, _ in ours.named_parameters()] == ["first.weight", "first.bias"]
    compared(theirs, ours, sample((4, 2), "float32"))


def test_networks_that_were_made_here():
    layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", batch_first=True, rng=0)
    ours = nn.Sequential(
        nn.TransformerEncoder(layer, 2, nn.LayerNorm(8)), nn.Linear(8, 3, dtype=np.float64, rng=0)
    )
    theirs = nn.to_torch(ours)
    assert theirs.state_dict().keys() == ours.state_dict().keys()
    assert theirs[1].weight.dtype == torch.float64
    compared(nn.to_torch(ours[0]), ours[0], sample((2, 3, 8), "float32"))


def test_parts_of_a_layer_that_were_changed_by_hand():
    layer = T.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    layer.norm1, layer.norm2 = T.RMSNorm(8), T.LayerNorm(8, eps=0.1)
    layer.linear1 = T.Linear(8, 5)
    layer.linear2 = T.Linear(5, 8, bias=False)
    compared(layer, nn.from_torch(layer), sample((2, 3, 8), "float32"))
