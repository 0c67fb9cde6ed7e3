"""Recurrent layers, transformers and normalizations give PyTorch's numbers and gradients for its weights."""

import numpy as np
import pytest

from tinygrad_course import Value, nn

RNG = np.random.default_rng(0)


def pytorch():
    return pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")


def with_the_same_weights(ours, theirs):
    """Both modules, in double precision, with PyTorch's state in ours."""
    theirs = theirs.double()
    state = {name: tensor.detach().numpy() for name, tensor in theirs.state_dict().items()}
    own = ours.state_dict()
    assert own.keys() == state.keys()
    for name, p in ours.named_parameters():
        p.data = state[name].copy()
    return ours, theirs


def agree(a, b, value, tensor):
    np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-8, atol=1e-10)
    weights = np.cos(np.arange(a.size)).reshape(a.shape)
    (a * weights).sum().backward()
    (b * pytorch().tensor(weights)).sum().backward()
    np.testing.assert_allclose(value.grad, tensor.grad.numpy(), rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_sequences_agree_with_pytorch(kind, batch_first, bidirectional, layers):
    torch = pytorch()
    how = {"num_layers": layers, "batch_first": batch_first, "bidirectional": bidirectional}
    ours, theirs = with_the_same_weights(
        getattr(nn, kind)(3, 4, **how, dtype=np.float64), getattr(torch.nn, kind)(3, 4, **how)
    )
    x = RNG.normal(size=(2, 5, 3) if batch_first else (5, 2, 3))
    first = RNG.normal(size=(layers * (1 + bidirectional), 2, 4))
    given = (first, -first) if kind == "LSTM" else first
    value, tensor = Value(x), torch.tensor(x, requires_grad=True)
    out, state = ours(value, given)
    expected, last = theirs(
        tensor, tuple(map(torch.tensor, given)) if kind == "LSTM" else torch.tensor(given)
    )
    for mine, its in zip(state, last) if kind == "LSTM" else [(state, last)]:
        np.testing.assert_allclose(mine.numpy(), its.detach().numpy(), rtol=1e-8)
    agree(out, expected, value, tensor)
    for (name, p), its in zip(ours.named_parameters(), theirs.parameters()):
        np.testing.assert_allclose(p.grad, its.grad.numpy(), rtol=1e-7, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_lengths_are_pytorchs_packed_sequences(kind):
    torch = pytorch()
    how = {"num_layers": 2, "bidirectional": True}
    ours, theirs = with_the_same_weights(
        getattr(nn, kind)(3, 4, **how, dtype=np.float64), getattr(torch.nn, kind)(3, 4, **how)
    )
    x, lengths = RNG.normal(size=(5, 3, 3)), [2, 5, 3]
    packed = torch.nn.utils.rnn.pack_padded_sequence(torch.tensor(x), lengths, enforce_sorted=False)
    expected, last = theirs(packed)
    expected, _ = torch.nn.utils.rnn.pad_packed_sequence(expected)
    out, state = ours(x, lengths=lengths)
    np.testing.assert_allclose(out.numpy(), expected.detach().numpy(), rtol=1e-8, atol=1e-12)
    for mine, its in zip(state, last) if kind == "LSTM" else [(state, last)]:
        np.testing.assert_allclose(mine.numpy(), its.detach().numpy(), rtol=1e-8)


def test_a_single_sequence_and_dropout_between_layers():
    rnn = nn.RNN(3, 4, 2, "relu", dropout=0.5, rng=0)
    x = RNG.normal(size=(5, 3))
    out, h = rnn.eval()(x)
    assert (out.shape, h.shape) == ((5, 4), (2, 4))
    np.testing.assert_array_equal(out.numpy(), rnn(x[:, None])[0].numpy()[:, 0])
    assert (rnn.train()(x)[0].numpy() != out.numpy()).any()
    assert repr(rnn) == "RNN(3, 4, num_layers=2, dropout=0.5)"


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_transformers_agree_with_pytorch(norm_first, activation):
    torch = pytorch()
    how = {"dropout": 0.0, "activation": activation, "batch_first": True, "norm_first": norm_first}
    ours = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(8, 2, 16, **how, dtype=np.float64), 2, nn.LayerNorm(8, dtype=np.float64)
    )
    theirs = torch.nn.TransformerEncoder(
        torch.nn.TransformerEncoderLayer(8, 2, 16, **how),
        2,
        torch.nn.LayerNorm(8),
        enable_nested_tensor=False,
    )
    ours, theirs = with_the_same_weights(ours, theirs)
    x = RNG.normal(size=(3, 5, 8))
    padding = np.arange(5) >= np.array([5, 3, 4])[:, None]
    causal = ~np.tri(5, dtype=bool)
    value, tensor = Value(x), torch.tensor(x, requires_grad=True)
    out = ours(value, causal, padding)
    agree(out, theirs(tensor, torch.tensor(causal), torch.tensor(padding)), value, tensor)


NORMS = {
    "GroupNorm": ((2, 6), (4, 6, 3)), "InstanceNorm1d": ((6, 1e-5, 0.1, True, True), (4, 6, 5)),
    "InstanceNorm2d": ((6,), (4, 6, 3, 2)), "RMSNorm": ((6, 1e-3), (4, 6)),
}  # fmt: skip


@pytest.mark.parametrize("name", NORMS)
def test_normalizations_agree_with_pytorch(name):
    torch = pytorch()
    settings, shape = NORMS[name]
    ours, theirs = with_the_same_weights(
        getattr(nn, name)(*settings, dtype=np.float64), getattr(torch.nn, name)(*settings)
    )
    x = RNG.normal(size=shape) + 3
    for _ in range(2):
        value, tensor = Value(x), torch.tensor(x, requires_grad=True)
        agree(ours(value), theirs(tensor), value, tensor)
        ours.eval(), theirs.eval()
    for key, buffer in theirs.named_buffers():
        if key != "num_batches_tracked":
            np.testing.assert_allclose(getattr(ours, key), buffer.numpy(), rtol=1e-10)


@pytest.mark.parametrize(("kind", "shape"), [(nn.Dropout1d, (50, 40, 3)), (nn.Dropout2d, (50, 40, 2, 3))])
def test_whole_channels_are_dropped(kind, shape):
    out = kind(0.3, rng=0)(np.ones(shape)).reshape(*shape[:2], -1)
    assert set(np.unique(out)) == {0.0, 1 / 0.7}
    assert (out == out[..., :1]).all()
    assert abs((out == 0).mean() - 0.3) < 0.03
    assert (kind(0.3).eval()(np.ones(shape)) == 1).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: nn.LSTM(3, 4)(np.ones((5, 2, 2))), r"\(length, N, 3\)"),
        (lambda: nn.LSTM(3, 4)(np.ones((5, 2, 3)), (np.ones((1, 2, 4)),)), "twice"),
        (lambda: nn.GRU(3, 4)(np.ones((5, 2, 3)), lengths=[0, 5]), "whole numbers from 1 to 5"),
        (lambda: nn.RNN(3, 4, nonlinearity="sigmoid"), "'tanh' or 'relu'"),
        (lambda: nn.GroupNorm(4, 6), "do not divide into 4"),
        (lambda: nn.InstanceNorm1d(6)(np.ones((4, 6, 1))), "more than one entry"),
        (lambda: nn.TransformerEncoderLayer(8, 2, activation="tanh"), "'relu', 'gelu' or a function"),
        (lambda: nn.functional.rms_norm(np.ones((2, 3)), 4), "should end in normalized_shape"),
    ],
)
def test_errors_say_what_was_wrong(call, said):
    with pytest.raises(ValueError, match=said):
        call()
