"""Cases at the edge: nothing counts, is seen or is there, numbers are narrow; with PyTorch's values."""

import threading

import numpy as np
import pytest

from tinygrad_course import Value, nn
from tinygrad_course.nn import functional as F
from tinygrad_course.transforms import checkpoint

torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
T = torch.nn.functional
NAMES = [
    "relu",
    "leaky_relu",
    "sigmoid",
    "tanh",
    "elu",
    "gelu",
    "hardtanh",
    "mish",
    "silu",
    "softsign",
    "softplus",
]


def close(ours, theirs, **tolerance):
    np.testing.assert_allclose(ours, np.asarray(theirs), **{"rtol": 1e-6, "atol": 1e-9} | tolerance)


def both(function, *arrays):
    """The result of the function here and with PyTorch, and the gradients of its sum."""
    ours = [Value(a.copy()) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    out, told = function(F, *ours), function(T, *theirs)
    out.sum().backward()
    told.sum().backward()
    return (out.numpy(), [v.grad for v in ours]), (told.detach().numpy(), [t.grad.numpy() for t in theirs])


# Names
@pytest.mark.parametrize("name", NAMES)
def test_activations_take_input_by_name(name):
    x = np.array([-1.5, 0.0, 2.0])
    close(getattr(F, name)(input=x), getattr(T, name)(input=torch.tensor(x)))
    (ours, (grad,)), (theirs, (told,)) = both(lambda n, x: getattr(n, name)(input=x), x)
    close(ours, theirs)
    close(grad, told)


def test_linear_takes_input_by_name():
    x, w = np.arange(6.0).reshape(2, 3), np.ones((4, 3))
    close(
        F.linear(input=Value(x), weight=w, bias=np.ones(4)).numpy(), x.sum(1, keepdims=True) + np.ones((1, 4))
    )


# Losses in which nothing counts
@pytest.mark.filterwarnings("ignore:(invalid value|divide by zero) encountered")
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("ignored", [[0, 1], [1], []])
@pytest.mark.parametrize("weight", [None, [0.5, 2.0, 0.0]])
@pytest.mark.parametrize("kind", ["cross_entropy", "smooth", "nll_loss"])
def test_ignored_targets(kind, weight, ignored, reduction):
    logits = np.random.default_rng(0).normal(size=(2, 3))
    target = np.array([0, 1])
    target[ignored] = -100

    def loss(n, x):
        there = n is T
        t = torch.tensor(target) if there else target
        w = weight if weight is None else torch.tensor(weight, dtype=x.dtype) if there else np.array(weight)
        if kind == "nll_loss":
            return n.nll_loss(x, t, w, reduction=reduction)
        return n.cross_entropy(x, t, w, reduction=reduction, label_smoothing=0.1 * (kind == "smooth"))

    (ours, (grad,)), (theirs, (told,)) = both(loss, logits)
    close(ours, theirs)
    close(grad, told)
    if len(ignored) == 2:
        assert (grad == 0).all()


@pytest.mark.parametrize("kind", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_ignored_row_may_hold_anything(kind, bad):
    logits = np.array([[bad, 1.0, 2.0], [1.0, 2.0, 3.0]])
    x = Value(logits)
    loss = getattr(F, kind)(x, np.array([-100, 1]))
    loss.backward()
    alone = Value(logits[1:])
    expected = getattr(F, kind)(alone, np.array([1]))
    expected.backward()
    assert loss.item() == expected.item()
    np.testing.assert_array_equal(x.grad, [[0, 0, 0], alone.grad[0]])


# Lengths after broadcasting
@pytest.mark.parametrize(
    "first, second, dim",
    [((2, 1), (2, 3), 1), ((2, 1), (1, 3), 1), ((2, 3), (3,), -1), ((3,), (2, 3), 1), ((4, 1, 3), (2, 1), 2)],
)
def test_cosine_similarity_broadcasts_first(first, second, dim):
    rng = np.random.default_rng(0)
    arrays = rng.normal(size=first), rng.normal(size=second)
    (ours, grads), (theirs, told) = both(lambda n, x, y: n.cosine_similarity(x, y, dim=dim), *arrays)
    close(ours, theirs)
    assert (np.abs(ours) <= 1 + 1e-9).all()
    for grad, expected in zip(grads, told):
        close(grad, expected)


# Attention
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, object])
def test_masks_of_whole_numbers_are_refused(dtype):
    x, mask = np.ones((2, 2, 4)), np.array([[1, 0], [1, 1]]).astype(dtype)
    with pytest.raises(
        TypeError, match=r"attn_mask holds .*mask\.astype\(bool\): True where a query may look"
    ):
        F.scaled_dot_product_attention(x, x, x, mask)
    layer = nn.MultiheadAttention(4, 2, batch_first=True, rng=0)
    for name in ("attn_mask", "key_padding_mask"):
        with pytest.raises(TypeError, match=f"MultiheadAttention: {name} holds .* may not look"):
            layer(x, x, x, **{name: mask})


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("kind", ["bool", "inf", "large"])
def test_a_query_that_sees_nothing_gets_zeros_and_gives_no_gradient(dtype, kind):
    seen = np.array([[True, False, True], [False, False, False], [True, True, True]])
    mask = {"bool": seen, "inf": np.where(seen, 0.0, -np.inf), "large": np.where(seen, 0.0, -1e300)}[kind]
    if kind == "large" and dtype == "float64":
        pytest.skip("is a number there")
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(3, 4)).astype(dtype) for _ in range(3)]
    values = [Value(a) for a in arrays]
    out = F.scaled_dot_product_attention(*values, mask)
    out.sum().backward()
    assert out.dtype == dtype and (out.data[1] == 0).all()
    assert all(np.isfinite(v.grad).all() for v in values) and (values[0].grad[1] == 0).all()
    told = T.scaled_dot_product_attention(
        *(torch.tensor(a.astype(float)) for a in arrays), torch.tensor(seen)
    )
    rows = [0, 2]
    close(out.numpy()[rows], told.numpy()[rows], rtol=4e-3 if dtype == "float16" else 1e-5, atol=1e-3)


# Pooling
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("settings", [(2, 1, 1), (3, 2, 1), (2, 2, 1), (3, 1, 1, 1), (2, 2, 1, 2)])
def test_max_pool_gives_gradients_to_entries_of_minus_infinity_and_never_to_padding(seed, settings):
    rng = np.random.default_rng(seed)
    x = np.where(rng.random((2, 2, 5, 4)) < 0.8, -np.inf, rng.integers(0, 3, (2, 2, 5, 4)).astype(float))
    (ours, (grad,)), (theirs, (told,)) = both(lambda n, x: n.max_pool2d(x, *settings), x)
    close(ours, theirs)
    close(grad, told)
    assert grad.sum() == ours.size


def test_max_pool_of_whole_numbers_with_padding():
    x = np.arange(-8, 8).reshape(1, 1, 4, 4)
    close(F.max_pool2d(x, 2, padding=1), T.max_pool2d(torch.tensor(x), 2, padding=1))


# Batch norm
def test_an_empty_batch_leaves_the_statistics_alone():
    layer, twin = nn.BatchNorm1d(3), torch.nn.BatchNorm1d(3)
    x = Value(np.zeros((0, 3), np.float32))
    out = layer(x)
    out.sum().backward()
    assert out.shape == (0, 3) and (layer.weight.grad == 0).all() and (layer.bias.grad == 0).all()
    twin(torch.zeros(0, 3))
    close(layer.running_mean, twin.running_mean)
    close(layer.running_var, twin.running_var)
    mean, var = np.zeros(3), np.ones(3)
    F.batch_norm(np.zeros((0, 3)), mean, var, training=True)
    assert (mean == 0).all() and (var == 1).all()


def test_batch_norm_without_momentum_keeps_plain_means():
    layer, twin = nn.BatchNorm1d(3, momentum=None), torch.nn.BatchNorm1d(3, momentum=None)
    rng = np.random.default_rng(0)
    for n in (4, 2, 7):
        x = rng.normal(size=(n, 3)).astype(np.float32)
        layer(x), twin(torch.tensor(x))
        close(layer.running_mean, twin.running_mean, rtol=1e-5)
        close(layer.running_var, twin.running_var, rtol=1e-5)
    assert layer.running_mean.dtype == np.float32 and layer.num_batches_tracked == 3
    assert repr(layer) == "BatchNorm1d(3, momentum=None)"


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("given", [(None, np.ones(3)), (np.ones(3), None)])
def test_batch_norm_with_one_statistic_of_two(training, given):
    with pytest.raises(ValueError, match="both running_mean and running_var, or neither"):
        F.batch_norm(np.ones((4, 3)), *given, training=training)


def test_checkpoint_moves_batch_statistics_once():
    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    once, twice = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    once(Value(x)).sum().backward()
    checkpoint(twice)(Value(x)).sum().backward()
    np.testing.assert_array_equal(once.running_mean, twice.running_mean)
    np.testing.assert_array_equal(once.running_var, twice.running_var)
    assert once.num_batches_tracked == twice.num_batches_tracked == 1
    mean, var = np.zeros(3, np.float32), np.ones(3, np.float32)
    checkpoint(lambda x: F.batch_norm(x, mean, var, training=True))(Value(x)).sum().backward()
    np.testing.assert_array_equal(mean, once.running_mean)
    np.testing.assert_array_equal(var, once.running_var)


# float16
def test_layer_norm_of_large_numbers_in_float16():
    x = np.array([[300.0, -300.0, 100.0, -100.0]])
    for function in (
        lambda x: F.layer_norm(x, 4),
        lambda x: F.batch_norm(x.reshape(4, 1), None, None, training=True),
    ):
        wide, narrow = Value(x), Value(x.astype(np.float16))
        g = np.array([1.0, -2.0, 0.5, 3.0])
        expected, found = function(wide), function(narrow)
        assert found.dtype == np.float16
        close(found.numpy(), expected.numpy(), rtol=2e-3)
        expected.backward(g.reshape(expected.shape))
        found.backward(g.reshape(found.shape))
        close(narrow.grad, wide.grad, rtol=5e-3, atol=1e-5)


def test_lengths_in_float16():
    zero, large = np.zeros((1, 2), np.float16), np.array([[300.0, 400.0]], np.float16)
    assert (F.normalize(zero) == 0).all() and F.normalize(zero).dtype == np.float16
    close(F.normalize(large), [[0.6, 0.8]], rtol=1e-3)
    assert F.cosine_similarity(zero, large).tolist() == [0.0]
    close(F.cosine_similarity(large, large), [1.0], rtol=1e-3)
    assert F.cosine_similarity(large, large).dtype == np.float16


# Threads
def in_threads(action, n=8):
    errors = []

    def run(i):
        try:
            action(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_model_used_by_eight_threads_adds_up_all_gradients():
    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Linear(3, 8, dtype=float, rng=rng), nn.Tanh(), nn.Linear(8, 2, dtype=float, rng=rng)
    )
    x, y = rng.normal(size=(8, 5, 3)), rng.integers(0, 2, (8, 5))

    def loss(i):
        return F.cross_entropy(model(x[i]), y[i])

    for i in range(8):
        loss(i).backward()
    expected = [20 * p.grad for p in model.parameters()]
    model.zero_grad()
    in_threads(lambda i: [loss(i).backward() for _ in range(20)])
    for p, grad in zip(model.parameters(), expected):
        close(p.grad, grad, rtol=1e-9)


def test_batch_statistics_count_the_batches_of_all_threads():
    layer = nn.BatchNorm1d(2, momentum=None, dtype=float)
    batches = np.random.default_rng(0).normal(size=(8, 25, 6, 2))
    in_threads(lambda i: [layer(batch) for batch in batches[i]])
    assert layer.num_batches_tracked == 200
    close(layer.running_mean, batches.mean((0, 1, 2)), rtol=1e-9)
    close(layer.running_var, batches.var(2, ddof=1).mean((0, 1)), rtol=1e-9)
