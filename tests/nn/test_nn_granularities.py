"""Neurons one by one and layers as arrays: micrograd's ways work, and both give the same numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_course import Value, nn, optim


def test_the_names_of_micrograd():
    network = nn.MLP(3, [4, 4, 1])
    assert isinstance(network, nn.Module)
    assert [len(layer.neurons) for layer in network.layers] == [4, 4, 1]
    assert [len(layer.neurons[0].w) for layer in network.layers] == [3, 4, 4]
    assert all(isinstance(w, Value) for w in network.layers[0].neurons[0].w)
    assert isinstance(network.layers[0].neurons[0].b, Value)
    assert [layer.neurons[0].nonlin for layer in network.layers] == [True, True, False]
    assert len(network.parameters()) == 41
    names = [name for name, _ in network.named_parameters()]
    assert names[:5] == [f"layers.0.neurons.0.{n}" for n in ("w.0", "w.1", "w.2", "b")] + [
        "layers.0.neurons.1.w.0"
    ]


def test_a_training_loop_as_micrograd_writes_it():
    xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    ys = [1.0, -1.0, -1.0, 1.0]
    network = nn.MLP(3, [4, 4, 1], rng=0)
    for _ in range(150):
        predictions = [network(x) for x in xs]
        loss = sum((p - y) ** 2 for p, y in zip(predictions, ys))
        network.zero_grad()
        loss.backward()
        for p in network.parameters():
            p.data -= 0.02 * p.grad
    assert loss.data < 0.05
    assert all(type(p.data) is float and type(p.grad) is float for p in network.parameters())


def test_one_output_is_a_value_and_several_are_a_list():
    x = [1.0, 2.0]
    assert isinstance(nn.MLP(2, [3, 1])(x), Value)
    out = nn.MLP(2, [3, 2])(x)
    assert isinstance(out, list) and [type(v) for v in out] == [Value, Value]
    assert isinstance(nn.Layer(2, 1)(x), Value) and isinstance(nn.Layer(2, 3)(x), list)


def test_a_hidden_layer_of_one_neuron():
    assert isinstance(nn.MLP(2, [1, 1, 3], rng=0)([1.0, 2.0]), list)


def test_relu_only_where_there_is_one():
    neuron = nn.Neuron(1)
    neuron.w[0].data, neuron.b.data = 1.0, 0.0
    assert neuron([-2.0]).data == 0.0
    neuron.nonlin = False
    assert neuron([-2.0]).data == -2.0
    assert nn.Neuron(1, nonlin=False).nonlin is False
    assert all(n.nonlin is False for n in nn.Layer(1, 2, nonlin=False).neurons)


@pytest.mark.parametrize(
    "x",
    [
        [1.0, 2.0],
        (1, 2),
        np.array([1.0, 2.0]),
        np.array([1, 2], np.uint8),
        [Value(1.0), 2],
        Value([1.0, 2.0]),
    ],
)
def test_every_kind_of_sample(x):
    network = nn.MLP(2, [3, 1], rng=0)
    assert network(x).item() == pytest.approx(network([1.0, 2.0]).item(), abs=1e-15)


def test_arrays_as_samples_stay_on_python_floats():
    out = nn.MLP(2, [3, 1], rng=0)(np.array([1.0, 2.0], np.float32))
    assert type(out.data) is float


@pytest.mark.parametrize("make", [lambda: nn.MLP(3, [4, 1]), lambda: nn.Layer(3, 4), lambda: nn.Neuron(3)])
@pytest.mark.parametrize("x", [[1.0, 2.0], [1.0] * 4, [], 1.0, np.zeros((2, 3)), Value(np.zeros(2))])
def test_the_wrong_number_of_inputs_raises(make, x):
    with pytest.raises(ValueError, match="Neuron has 3 inputs and was given"):
        make()(x)


@pytest.mark.parametrize("x", [np.zeros((3, 2)), np.zeros((3, 3)).tolist(), [1.0, 2.0, Value([1.0, 2.0])]])
def test_many_samples_at_once_raise(x):
    with pytest.raises(ValueError, match="one sample at a time"):
        nn.MLP(3, [4, 1])(x)


def test_the_and_gate_of_the_lecture():
    neuron = nn.Neuron(2, nonlin=False)
    neuron.b.data, neuron.w[0].data, neuron.w[1].data = -30.0, 20.0, 20.0
    assert [neuron([a, b]).data for a in (0, 1) for b in (0, 1)] == [-30.0, -10.0, -10.0, 10.0]


def test_weights_start_between_minus_one_and_one_and_come_from_the_seed():
    one, same, other = (nn.MLP(20, [30, 1], rng=seed) for seed in (0, 0, 1))
    weights = np.array([w.data for n in one.layers[0].neurons for w in n.w])
    assert -1 <= weights.min() < -0.95 and 0.95 < weights.max() <= 1
    assert all(n.b.data == 0.0 for layer in one.layers for n in layer.neurons)
    assert [p.data for p in one.parameters()] == [p.data for p in same.parameters()]
    assert [p.data for p in one.parameters()] != [p.data for p in other.parameters()]
    generator = np.random.default_rng(0)
    assert nn.Neuron(2, rng=generator).w[0].data != nn.Neuron(2, rng=generator).w[0].data


def as_arrays(network):
    """An MLP as a Sequential of Linears."""
    parts = []
    for layer in network.layers:
        parts.append(nn.Linear.from_layer(layer))
        parts += [nn.ReLU()] if layer.neurons[0].nonlin else []
    return nn.Sequential(*parts)


@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    n=st.integers(1, 4),
    seed=st.integers(0, 2**20),
)
def test_both_granularities_give_the_same_outputs_and_gradients(sizes, n, seed):
    network = nn.MLP(sizes[0], sizes[1:], rng=seed)
    arrays = as_arrays(network)
    rng = np.random.default_rng(seed)
    x, target = rng.normal(size=(n, sizes[0])), rng.normal(size=(n, sizes[-1]))

    total, outputs = 0.0, []
    for row, wanted in zip(x.tolist(), target.tolist()):
        out = network(row)
        out = out if isinstance(out, list) else [out]
        outputs.append([v.item() for v in out])
        total = total + sum((v - t) ** 2 for v, t in zip(out, wanted))
    total.backward()
    at_once = arrays(x)
    ((at_once - target) ** 2).sum().backward()

    np.testing.assert_allclose(outputs, at_once.numpy(), rtol=0, atol=1e-12)
    linears = [m for m in arrays if isinstance(m, nn.Linear)]
    for layer, linear in zip(network.layers, linears):
        for neuron, weight, bias in zip(layer.neurons, linear.weight.grad, linear.bias.grad):
            scale = max(1.0, abs(weight).max())
            np.testing.assert_allclose([w.grad for w in neuron.w], weight, rtol=0, atol=1e-12 * scale)
            np.testing.assert_allclose(neuron.b.grad, bias, rtol=0, atol=1e-12 * max(1.0, abs(bias)))


def test_both_granularities_learn_the_same_way():
    network = nn.MLP(2, [4, 1], rng=0)
    arrays = as_arrays(network)
    slow, fast = (optim.Adam(m.parameters(), lr=0.01) for m in (network, arrays))
    x = np.random.default_rng(0).normal(size=(3, 2))
    for _ in range(5):
        slow.zero_grad()
        (sum(network(row) ** 2 for row in x.tolist()) * (1 / 3)).backward()
        slow.step()
        fast.zero_grad()
        (arrays(x) ** 2).mean().backward()
        fast.step()
    for layer, linear in zip(network.layers, (arrays[0], arrays[2])):
        weights = [[w.data for w in n.w] for n in layer.neurons]
        np.testing.assert_allclose(weights, linear.weight.data, rtol=0, atol=1e-10)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_linear_to_layer_and_back(bias, dtype):
    linear = nn.Linear(3, 2, bias=bias, dtype=dtype, rng=0)
    layer = linear.to_layer()
    x = [0.5, -1.0, 2.0]
    np.testing.assert_allclose(
        [v.item() for v in layer(x)],
        linear.weight.data.astype(float) @ x + (linear.bias.data if bias else 0),
        rtol=0,
        atol=1e-12,
    )
    back = nn.Linear.from_layer(layer)
    np.testing.assert_array_equal(back.weight.data, linear.weight.data)
    np.testing.assert_array_equal(back.bias.data, linear.bias.data if bias else np.zeros(2))
    assert [v.item() for v in linear.to_layer(nonlin=True)(x)] == [max(v.item(), 0.0) for v in layer(x)]
