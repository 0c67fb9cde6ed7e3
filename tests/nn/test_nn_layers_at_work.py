"""Layers at work: in a network that learns or is compiled, how they start, and what they say."""

import numpy as np
import pytest
from test_nn_layers import IMAGE, LABELS, SEEN, TWO, numbers

from tinygrad_course import Value, nn
from tinygrad_course import compile as compile_
from tinygrad_course.nn import functional as F


# Dropout
def test_dropout_keeps_the_mean_and_drops_the_share_asked_for():
    x = Value(np.ones(100_000, np.float32))
    out = F.dropout(x, 0.3, rng=0)
    assert out.dtype == np.float32
    assert np.mean(out.data == 0) == pytest.approx(0.3, abs=0.01)
    assert np.mean(out.data) == pytest.approx(1.0, abs=0.01)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, out.data)


def test_the_randomness_of_dropout_is_in_the_open():
    x = np.ones(50)
    np.testing.assert_array_equal(F.dropout(x, rng=3), F.dropout(x, rng=3))
    layer = nn.Dropout(0.5, rng=3)
    first, second = layer(x), layer(x)
    assert (first != second).any()
    np.testing.assert_array_equal(first, nn.Dropout(0.5, rng=3)(x))
    assert layer.eval()(x) is x
    assert F.dropout(x, 0.0) is x
    assert not F.dropout(x, 1.0).any()
    assert np.array_equal(F.dropout(x, training=False), x)


def test_dropout_of_a_compiled_network_drops_anew_each_time():
    layer = nn.Dropout(0.5, rng=0)
    run = compile_(lambda x: np.sum(layer(x) ** 2))
    grads = []
    for _ in range(3):
        x = Value(np.ones(64))
        run(x).backward()
        grads.append(x.grad)
    assert (grads[0] != grads[1]).any() and (grads[1] != grads[2]).any()
    assert set(np.unique(grads)) == {0.0, 8.0}


def test_batch_norm_of_a_compiled_network_keeps_its_statistics():
    eager, compiled = nn.BatchNorm1d(3, dtype=float), nn.BatchNorm1d(3, dtype=float)
    run = compile_(compiled)
    for _ in range(3):
        x = numbers(5, 3)
        np.testing.assert_allclose(run(Value(x)).data, eager(Value(x)).data, rtol=1e-12)
    for name, array in eager.state_dict().items():
        np.testing.assert_allclose(compiled.state_dict()[name], array, rtol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, rng=0),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(36, 3, rng=0),
        ),
        lambda: nn.Sequential(
            nn.Conv2d(1, 2, 3, rng=0),
            nn.Mish(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.LayerNorm(8),
            nn.Linear(8, 3, rng=0),
        ),
    ],
    ids=["max", "avg"],
)
def test_compiled_convolutional_networks_give_the_eager_gradients(make):
    images = np.random.default_rng(0).normal(size=(4, 1, 6, 6)).astype("f4")
    eager, compiled = make(), make()
    run = compile_(lambda x: F.cross_entropy(compiled(x), LABELS))
    for _ in range(2):
        loss = run(images)
        loss.backward()
        told = F.cross_entropy(eager(images), LABELS)
        told.backward()
        assert loss.item() == pytest.approx(told.item(), rel=1e-6)
    for a, b in zip(compiled.parameters(), eager.parameters()):
        np.testing.assert_allclose(a.grad, b.grad, rtol=1e-5, atol=1e-6)


# What starts where, and what is said
def test_initial_values_are_pytorchs():
    layer = nn.Conv2d(16, 32, 3, groups=2, rng=0)
    bound = 1 / np.sqrt(8 * 9)
    for p in layer.parameters():
        assert p.dtype == np.float32
        assert np.abs(p.data).max() <= bound
    assert np.abs(layer.weight.data).max() > 0.99 * bound
    cell = nn.GRUCell(5, 16, rng=0)
    assert all(0.2 < np.abs(p.data).max() <= 0.25 for p in cell.parameters())
    table = nn.Embedding(1000, 50, padding_idx=3, rng=0)
    assert table.weight.data.std() == pytest.approx(1, abs=0.02)
    assert not table.weight.data[3].any()
    attention = nn.MultiheadAttention(8, 2, rng=0)
    assert np.abs(attention.in_proj_weight.data).max() <= np.sqrt(6 / 32)
    assert not attention.in_proj_bias.data.any() and not attention.out_proj.bias.data.any()


def test_layers_say_what_they_are():
    said = {
        "Conv1d(1, 2, kernel_size=(3,), stride=2, bias=False)": nn.Conv1d(1, 2, 3, stride=2, bias=False),
        "MaxPool2d(kernel_size=2)": nn.MaxPool2d(2),
        "AvgPool2d(kernel_size=3, stride=1, padding=1)": nn.AvgPool2d(3, 1, 1),
        "LayerNorm((4,))": nn.LayerNorm(4),
        "BatchNorm2d(4, momentum=0.3, affine=False)": nn.BatchNorm2d(4, momentum=0.3, affine=False),
        "Dropout(0.5)": nn.Dropout(),
        "Embedding(5, 3, padding_idx=0)": nn.Embedding(5, 3, 0),
        "PReLU(1)": nn.PReLU(),
        "ELU(0.5)": nn.ELU(0.5),
        "Hardtanh(-1.0, 1.0)": nn.Hardtanh(),
        "GRUCell(3, 4)": nn.GRUCell(3, 4),
    }
    for text, layer in said.items():
        assert repr(layer) == text
    assert "MultiheadAttention(\n  4, 2\n  (out_proj): Linear(4, 4)" in repr(nn.MultiheadAttention(4, 2))


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda: F.conv2d(IMAGE, numbers(3, 5, 2, 2)), ValueError, r"4 channels.*takes 5"),
        (lambda: F.conv2d(IMAGE, numbers(3, 2, 2, 2), groups=2), ValueError, r"groups=2"),
        (lambda: F.conv2d(IMAGE, numbers(3, 4, 2)), ValueError, r"4 axes"),
        (lambda: F.conv2d(IMAGE[0, 0], numbers(3, 4, 2, 2)), ValueError, r"\(N, channels, height, width\)"),
        (lambda: F.conv2d(IMAGE, numbers(3, 4, 7, 2)), ValueError, r"reaches over 7 .*only 6"),
        (lambda: F.conv2d(IMAGE, numbers(3, 4, 2, 2), numbers(4)), ValueError, r"bias.*3 output"),
        (lambda: F.conv2d(IMAGE, numbers(3, 4, 2, 2), stride=0), ValueError, r"stride.*from 1"),
        (lambda: F.conv2d(IMAGE, numbers(3, 4, 2, 2), padding=(1, 1, 1)), ValueError, r"padding.*2 of them"),
        (lambda: F.conv2d(IMAGE, numbers(3, 4, 2, 2), padding="full"), ValueError, r"'same'"),
        (lambda: F.conv2d(IMAGE, numbers(3, 4, 2, 2), stride=2, padding="same"), ValueError, r"stride 1"),
        (lambda: F.max_pool2d(IMAGE, 2, padding=2), ValueError, r"half of the window"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, r"2 groups"),
        (lambda: F.pad(IMAGE, (1, 2, 3)), ValueError, r"two numbers an axis"),
        (lambda: F.pad(IMAGE, (1, 2), "mirror"), ValueError, r"'mirror'"),
        (lambda: F.pad(IMAGE, (1, 2), "reflect", 1.0), ValueError, r"value"),
        (lambda: F.layer_norm(IMAGE, 4), ValueError, r"end in normalized_shape, \(4,\)"),
        (
            lambda: F.batch_norm(numbers(1, 3), None, None, training=True),
            ValueError,
            r"one entry to a channel",
        ),
        (lambda: F.batch_norm(numbers(2, 3), None, None), ValueError, r"running_mean"),
        (lambda: nn.BatchNorm1d(3)(numbers(2, 4)), ValueError, r"4 channels"),
        (lambda: nn.BatchNorm2d(3)(numbers(2, 3)), ValueError, r"BatchNorm2d takes .*width"),
        (lambda: F.dropout(IMAGE, 1.5), ValueError, r"probability"),
        (lambda: nn.Dropout(-0.1), ValueError, r"probability"),
        (lambda: F.embedding(np.array([5]), numbers(4, 3)), IndexError, r"from 0 to 3"),
        (lambda: F.embedding(np.array([-1]), numbers(4, 3)), IndexError, r"from 0 to 3"),
        (lambda: F.embedding(np.array([0.0]), numbers(4, 3)), TypeError, r"astype\(int\)"),
        (lambda: F.one_hot([3], 3), ValueError, r"3 classes"),
        (lambda: F.one_hot([]), TypeError, r"integers"),
        (lambda: F.nll_loss(numbers(4, 3), LABELS[:3]), ValueError, r"\(4,\)"),
        (lambda: F.nll_loss(numbers(4, 3), LABELS + 1), ValueError, r"from 0 to 2"),
        (lambda: F.huber_loss(numbers(4, 1), numbers(4)), ValueError, r"reshape"),
        (lambda: F.huber_loss(*TWO, delta=0), ValueError, r"positive"),
        (lambda: F.prelu(IMAGE, numbers(3)), ValueError, r"takes 1, or 4"),
        (lambda: F.normalize(TWO[0], dim=1, axis=1), TypeError, r"two names"),
        (
            lambda: F.scaled_dot_product_attention(TWO[0], TWO[1], TWO[1], SEEN, is_causal=True),
            ValueError,
            r"not both",
        ),
        (lambda: F.scaled_dot_product_attention(TWO[0], numbers(3, 5), TWO[1]), ValueError, r"last axis"),
        (lambda: nn.MultiheadAttention(5, 2), ValueError, r"2 heads"),
        (lambda: nn.RNNCell(3, 4)(numbers(2, 5)), ValueError, r"\(N, 3\)"),
        (lambda: nn.RNNCell(3, 4)(numbers(2, 3), numbers(2, 3)), ValueError, r"\(2, 4\)"),
        (lambda: nn.RNNCell(3, 4, nonlinearity="gelu"), ValueError, r"'tanh' or 'relu'"),
    ],
)
def test_slips_say_what_to_do(wrong, error, says):
    with pytest.raises(error, match=says):
        wrong()


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda: F.embedding([0], Value([1.0])), ValueError, r"two axes, not of shape \(1,\)"),
        (
            lambda: F.embedding([0], Value(np.ones((2, 2))), padding_idx=5),
            IndexError,
            "no row of a table of 2",
        ),
        (lambda: F.one_hot(np.zeros(0, int)), ValueError, "say num_classes"),
        (lambda: F.smooth_l1_loss([1.0], [2.0], beta=-1.0), ValueError, "at least 0, not -1"),
        (lambda: F.gelu(Value(1.0), "erf"), ValueError, "'none' or 'tanh', not 'erf'"),
        (lambda: nn.cross_entropy, AttributeError, "the function is nn.functional.cross_entropy"),
    ],
)
def test_more_slips_say_what_to_do(wrong, error, says):
    with pytest.raises(error, match=says):
        wrong()


def test_activations_say_their_settings():
    made = [nn.Softplus(2.0), nn.Softplus(), nn.GELU("tanh"), nn.GELU(), nn.Softmax(1), nn.LogSoftmax(1)]
    said = ["Softplus(2.0)", "Softplus()", "GELU('tanh')", "GELU()", "Softmax(dim=1)", "LogSoftmax(dim=1)"]
    assert list(map(repr, made)) == said


def test_losses_take_whole_numbers():
    assert F.mse_loss([1, 2], [1, 4]) == 2.0
