"""Modules that are a function with settings: they give what the function gives, and what PyTorch's give."""

import inspect

import numpy as np
import pytest

from tinygrad_course import Value, nn
from tinygrad_course.nn import functional as F

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6)) * 3
Y = RNG.normal(size=(4, 6))
SIGNS = np.where(RNG.random(4) < 0.5, -1, 1)
CLASSES = np.array([0, 5, 2, 2])

ACTIVATIONS = {
    "CELU": (0.7,), "SELU": (), "GLU": (0,), "Hardshrink": (0.3,), "Softshrink": (0.3,), "Tanhshrink": (),
    "Threshold": (0.1, 20.0),
    "ReLU6": (), "Hardsigmoid": (), "Hardswish": (), "LogSigmoid": (), "Softmin": (0,),
}  # fmt: skip
LOSSES = {
    "MarginRankingLoss": ((0.5,), (X, Y, np.sign(Y))),
    "HingeEmbeddingLoss": ((0.5,), (np.abs(X), np.sign(Y))),
    "SoftMarginLoss": ((), (X, np.sign(Y))),
    "CosineEmbeddingLoss": ((0.1,), (X, Y, SIGNS)),
    "MultiMarginLoss": ((2, 0.8), (X, CLASSES)),
    "TripletMarginLoss": ((1.0, 2.0, 1e-6, True), (X, Y, Y[::-1].copy())),
    "GaussianNLLLoss": ((), (X, Y, np.abs(Y) + 0.1)),
    "PoissonNLLLoss": ((True, True), (X, np.floor(np.abs(Y) * 3))),
}


@pytest.mark.parametrize("name", [*ACTIVATIONS, *LOSSES])
def test_modules_agree_with_pytorch(name):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    settings, given = (ACTIVATIONS[name], (X,)) if name in ACTIVATIONS else LOSSES[name]
    ours, theirs = getattr(nn, name)(*settings), getattr(torch.nn, name)(*settings)
    value, tensor = Value(given[0]), torch.tensor(given[0], requires_grad=True)
    out = ours(value, *given[1:])
    expected = theirs(tensor, *map(torch.tensor, given[1:]))
    np.testing.assert_allclose(out.numpy(), expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    out.sum().backward()
    expected.sum().backward()
    np.testing.assert_allclose(
        value.grad, tensor.grad.numpy(), rtol=1e-6, atol=1e-12
    )  # some of PyTorch's constants are float32
    np.testing.assert_array_equal(ours(*given), out.numpy())
    assert repr(ours).startswith(name)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_called_before_they_are_made_say_so(name):
    with pytest.raises(TypeError, match="is made first"):
        getattr(nn, name)(Value(X), Y)


RESIZING = {
    "MaxPool1d": ((2, 1, 1, 2, True, True), (2, 3, 9)), "AvgPool1d": ((3, 2, 1, True, False), (2, 3, 9)),
    "MaxPool2d": ((2, 2, 1, 1, True, True), (2, 3, 7, 9)),
    "AvgPool2d": ((3, 2, 1, True, True, 5), (2, 3, 7, 8)),
    "AdaptiveAvgPool1d": ((4,), (2, 3, 9)), "AdaptiveAvgPool2d": (((2, None),), (2, 3, 7, 9)),
    "AdaptiveMaxPool1d": ((4, True), (2, 3, 9)), "AdaptiveMaxPool2d": ((3,), (2, 3, 7, 9)),
    "Unfold": (((2, 3), 2, 1, 2), (2, 3, 7, 9)), "Fold": (((4, 5), 2, 1, 1, 2), (2, 12, 9)),
    "Upsample": ((None, 2.5, "bilinear", True), (2, 3, 4, 5)), "PixelShuffle": ((2,), (2, 8, 3, 4)),
    "PixelUnshuffle": ((2,), (2, 3, 4, 6)), "ConvTranspose1d": ((3, 4, 3, 2, 1, 1), (2, 3, 9)),
    "ConvTranspose2d": ((4, 6, 3, 2, 0, 1, 2, True, 2), (2, 4, 5, 6)),
}  # fmt: skip


@pytest.mark.parametrize("name", RESIZING)
def test_layers_of_pooling_and_resizing_agree_with_pytorch(name):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    settings, shape = RESIZING[name]
    ours, theirs = getattr(nn, name)(*settings), getattr(torch.nn, name)(*settings).double()
    x = RNG.normal(size=shape)
    value, tensor = Value(x), torch.tensor(x, requires_grad=True)
    for mine, its in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert mine.shape == tuple(its.shape)
        if mine.size > 30:  # drawn from the same range
            assert abs(mine.numpy()).max() == pytest.approx(abs(its.detach().numpy()).max(), rel=0.15)
        mine.data = its.detach().numpy().copy()
    out, expected = ours(value), theirs(tensor)
    if isinstance(expected, tuple):
        np.testing.assert_array_equal(out[1], expected[1].numpy())
        out, expected = out[0], expected[0]
    np.testing.assert_allclose(out.numpy(), expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    (out * out).sum().backward()
    (expected * expected).sum().backward()
    np.testing.assert_allclose(value.grad, tensor.grad.numpy(), rtol=1e-9, atol=1e-12)
    assert repr(ours).startswith(f"{name}(")


def test_constructors_take_pytorchs_arguments():
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    old = {"inplace", "size_average", "reduce", "self", "args", "kwargs"}
    extra = {"dtype", "rng", "device", "padding_mode"}
    for name in [*ACTIVATIONS, *LOSSES, *RESIZING]:
        theirs = [
            p for p in inspect.signature(getattr(torch.nn, name).__init__).parameters if p not in old | extra
        ]
        ours = [p for p in inspect.signature(getattr(nn, name).__init__).parameters if p not in old | extra]
        assert ours == theirs, name


@pytest.mark.parametrize(
    "name", ["celu", "hardshrink", "hardsigmoid", "hardswish", "relu6", "selu", "softshrink"]
)
def test_slopes_where_they_jump_are_pytorchs(name):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    places = np.array([-6.0, -3.0, -0.5, 0.0, 0.5, 3.0, 6.0])
    value, tensor = Value(places), torch.tensor(places, requires_grad=True)
    getattr(F, name)(value).sum().backward()
    getattr(torch.nn.functional, name)(tensor).sum().backward()
    np.testing.assert_allclose(value.grad, tensor.grad.numpy(), rtol=1e-6)


def test_gumbel_softmax_draws_classes_as_often_as_they_are_probable():
    p = np.array([0.1, 0.2, 0.7])
    drawn = F.gumbel_softmax(np.log(np.tile(p, (20_000, 1))), hard=True, rng=0)
    np.testing.assert_allclose(drawn.mean(0), p, atol=0.01)
    assert set(np.unique(drawn)) == {0.0, 1.0}
    logits = Value(np.log(p))
    hard, soft = (F.gumbel_softmax(logits, 0.5, hard, rng=3) for hard in (True, False))
    assert sorted(hard.numpy().round(12)) == [0, 0, 1]
    for out in (hard, soft):
        (out * np.array([1.0, 2.0, 3.0])).sum().backward()
    np.testing.assert_allclose(logits.grad, 2 * soft_gradient(p), rtol=1e-10)


def soft_gradient(p):
    """The gradient of the soft choice, from its definition."""
    z = (np.log(p) + np.random.default_rng(3).gumbel(size=3)) / 0.5
    s = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    w = np.array([1.0, 2.0, 3.0])
    return s * (w - s @ w) / 0.5


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: F.glu(np.ones(3)), "two halves"),
        (lambda: F.celu(1.0, 0), "not 0"),
        (lambda: F.softshrink(1.0, -1), "0 or more"),
        (lambda: F.gumbel_softmax(np.ones(3), 0), "tau is positive"),
        (lambda: F.multi_margin_loss(X, CLASSES, p=3), "p is 1 or 2"),
        (lambda: F.multi_margin_loss(X, CLASSES * 0 - 1), "and those of the target from -1 to -1"),
        (lambda: F.gaussian_nll_loss(X, Y, -np.ones((4, 6))), "0 or more"),
        (lambda: F.gaussian_nll_loss(X, Y, np.ones(3)), "takes that"),
        (lambda: F.cosine_embedding_loss(X, Y, Y), r"\(N, D\) and \(N,\)"),
    ],
)
def test_errors_say_what_was_wrong(call, said):
    with pytest.raises(ValueError, match=said):
        call()
