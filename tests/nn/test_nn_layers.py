"""Layers, losses and cells give PyTorch's numbers: values, both derivatives, in both precisions."""

import numpy as np
import pytest

from tinygrad_course import Value, compile, nn
from tinygrad_course.nn import functional as F
from tinygrad_course.testing.gradcheck import gradcheck, gradgradcheck

try:
    import torch
    from torch.nn import functional as T
except ImportError:
    torch = T = None

needs_torch = pytest.mark.skipif(torch is None, reason="compares with PyTorch, which is not installed")
RNG = np.random.default_rng(0)


def numbers(*shape):
    """Different numbers around 0, none of them where an operation has a kink."""
    return np.round(RNG.normal(size=shape) * 64) / 64 + 1 / 512


def distinct(*shape):
    """Numbers of which no two are close."""
    return RNG.permutation(np.arange(np.prod(shape))).reshape(shape) / 32 - 2


def probabilities(*shape):
    return RNG.dirichlet(np.ones(shape[-1]), shape[:-1])


IMAGE, SIGNAL = distinct(2, 4, 6, 5), numbers(2, 4, 7)
TWO = numbers(3, 4), numbers(3, 4)

# name -> a call of a function that both `nn.functional` and PyTorch's namespace n have, the inputs
FUNCTIONS = {
    "conv1d": (lambda n, x, w, b: n.conv1d(x, w, b), SIGNAL, numbers(6, 4, 3), numbers(6)),
    "conv1d, all settings": (
        lambda n, x, w, b: n.conv1d(x, w, b, stride=2, padding=3, dilation=2, groups=2),
        SIGNAL,
        numbers(6, 2, 3),
        numbers(6),
    ),
    "conv2d": (lambda n, x, w: n.conv2d(x, w), IMAGE, numbers(3, 4, 3, 2)),
    "conv2d, one image": (lambda n, x, w: n.conv2d(x, w), IMAGE[0], numbers(3, 4, 3, 2)),
    "conv2d, all settings": (
        lambda n, x, w, b: n.conv2d(x, w, b, stride=(2, 1), padding=(2, 1), dilation=(1, 2), groups=2),
        IMAGE,
        numbers(4, 2, 3, 2),
        numbers(4),
    ),
    "conv2d, same": (
        lambda n, x, w: n.conv2d(x, w, padding="same", dilation=(1, 2)),
        IMAGE,
        numbers(3, 4, 3, 2),
    ),
    "max_pool2d": (lambda n, x: n.max_pool2d(x, 2), IMAGE),
    "max_pool2d, overlapping": (lambda n, x: n.max_pool2d(x, (3, 2), (2, 1), (1, 0), (1, 2)), IMAGE),
    "max_pool2d, ties": (lambda n, x: n.max_pool2d(x, 3, 1), np.round(IMAGE)),
    "avg_pool2d": (lambda n, x: n.avg_pool2d(x, (3, 2), 1, 1), IMAGE),
    "avg_pool2d, without padding": (lambda n, x: n.avg_pool2d(x, 3, 2, 1, count_include_pad=False), IMAGE),
    "pad": (lambda n, x: n.pad(x, (1, 2, 0, 3), value=0.5), IMAGE),
    "pad, negative": (lambda n, x: n.pad(x, (1, -2, -1, 0)), IMAGE),
    "pad, reflect": (lambda n, x: n.pad(x, (1, 2), "reflect"), SIGNAL),
    "pad, replicate": (lambda n, x: n.pad(x, (3, 0, 1, 2), "replicate"), IMAGE),
    "pad, circular": (lambda n, x: n.pad(x, (1, 2, 3, 0), mode="circular"), IMAGE),
    "layer_norm": (
        lambda n, x, w, b: n.layer_norm(x, (3, 4), w, b),
        numbers(2, 5, 3, 4),
        numbers(3, 4),
        numbers(3, 4),
    ),
    "batch_norm": (
        lambda n, x, w, b: n.batch_norm(x, None, None, w, b, training=True, eps=0.1),
        numbers(3, 4, 5),
        numbers(4),
        numbers(4),
    ),
    "normalize": (lambda n, x: n.normalize(x, dim=-1), TWO[0]),
    "normalize, p=3": (lambda n, x: n.normalize(x, 3.0), numbers(3, 4, 2)),
    "cosine_similarity": (
        lambda n, x, y: n.cosine_similarity(x, y, dim=2),
        numbers(3, 1, 4),
        numbers(1, 2, 4),
    ),
    "elu": (lambda n, x: n.elu(x, 0.5), TWO[0]),
    "hardtanh": (lambda n, x: n.hardtanh(x, -0.5, 0.75), TWO[0]),
    "softsign": (lambda n, x: n.softsign(x), TWO[0]),
    "mish": (lambda n, x: n.mish(x), TWO[0]),
    "prelu": (lambda n, x, w: n.prelu(x, w), TWO[0], numbers(1)),
    "prelu, by channel": (lambda n, x, w: n.prelu(x, w), numbers(3, 4, 2), numbers(4)),
    "huber_loss": (lambda n, x, y: n.huber_loss(x, y, delta=0.5), *TWO),
    "smooth_l1_loss": (lambda n, x, y: n.smooth_l1_loss(x, y, reduction="sum", beta=0.75), *TWO),
    "smooth_l1_loss, beta=0": (lambda n, x, y: n.smooth_l1_loss(x, y, reduction="none", beta=0.0), *TWO),
    "kl_div": (lambda n, x, y: n.kl_div(x, y, reduction="batchmean"), TWO[0], probabilities(3, 4)),
    "kl_div, log_target": (lambda n, x, y: n.kl_div(x, y, log_target=True), *TWO),
    "attention": (
        lambda n, q, k, v: n.scaled_dot_product_attention(q, k, v),
        numbers(2, 3, 4),
        numbers(2, 5, 4),
        numbers(2, 5, 3),
    ),
    "attention, causal": (
        lambda n, q, k, v: n.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3),
        numbers(2, 2, 4, 3),
        numbers(2, 2, 4, 3),
        numbers(2, 2, 4, 3),
    ),
}


def compared(ours, theirs, arrays, dtype):
    """Values, gradients, and gradients of the gradients, of everything that either side returns."""
    arrays = [np.asarray(a, dtype) for a in arrays]
    values = [Value(a.copy()) for a in arrays]
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    tolerance = 1e-10 if dtype == "f8" else 1e-5
    outs, answers = ours(*values), theirs(*tensors)
    outs = list(outs) if isinstance(outs, tuple) else [outs]
    answers = list(answers) if isinstance(answers, tuple) else [answers]
    for _ in range(2):
        loss, answer = 0.0, 0.0
        for k, (o, a) in enumerate(zip(outs, answers, strict=True)):
            told = a.detach().numpy(force=True)
            scale = max(1.0, np.abs(told).max(initial=0.0))
            np.testing.assert_allclose(o.data, told, rtol=tolerance, atol=tolerance * scale)
            assert o.dtype == dtype
            u = np.cos(np.arange(o.size) + k).reshape(o.shape).astype(dtype)
            loss = loss + np.sum(o * u)
            answer = answer + (a * torch.tensor(u)).sum()
        for v in values:
            v.grad = None
        loss.backward(create_graph=True)
        answers = torch.autograd.grad(
            answer, tensors, create_graph=True, allow_unused=True, materialize_grads=True
        )
        outs = [Value(np.zeros_like(v.data)) if v.grad is None else v.grad for v in values]
        if not any(isinstance(o, Value) and o.requires_grad for o in outs) or not answer.requires_grad:
            break
    for o, a in zip(outs, answers, strict=True):
        told = a.detach().numpy(force=True)
        scale = max(1.0, np.abs(told).max(initial=0.0))
        np.testing.assert_allclose(o.data, told, rtol=10 * tolerance, atol=10 * tolerance * scale)


def plain_attention():
    """PyTorch's faster kernels have no second derivatives."""
    return torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)


@needs_torch
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_against_pytorch(name, dtype):
    function, *arrays = FUNCTIONS[name]
    with plain_attention():
        compared(lambda *x: function(F, *x), lambda *x: function(T, *x), arrays, dtype)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if "ties" not in name])
def test_functions_against_finite_differences(name):
    function, *arrays = FUNCTIONS[name]
    gradcheck(lambda *x: function(F, *x), *arrays)
    if sum(a.size for a in arrays) < 100:
        gradgradcheck(lambda *x: function(F, *x), *arrays)


# Functions of class numbers
LABELS = np.array([0, 2, 1, 2])


@needs_torch
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("settings", [{}, {"weight": [0.5, 2.0, 1.25]}, {"ignore_index": 2}])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 2), (3,)])
def test_nll_loss(shape, settings, reduction, dtype):
    labels = {(4, 3): LABELS, (2, 3, 2): LABELS.reshape(2, 2), (3,): LABELS[2]}[shape]
    weight = settings.get("weight")
    theirs = {**settings, "weight": None if weight is None else torch.tensor(np.array(weight, dtype))}
    compared(
        lambda x: F.nll_loss(x, labels, reduction=reduction, **settings),
        lambda x: T.nll_loss(x, torch.tensor(labels), reduction=reduction, **theirs),
        [numbers(*shape)],
        dtype,
    )


@needs_torch
@pytest.mark.parametrize("padding_idx", [None, 1, -1])
@pytest.mark.parametrize("numbers_of_rows", [[[0, 3, 3], [1, 3, 0]], 2, []])
def test_embedding(numbers_of_rows, padding_idx):
    rows = np.array(numbers_of_rows, int)
    compared(
        lambda w: F.embedding(rows, w, padding_idx),
        lambda w: T.embedding(torch.tensor(rows), w, padding_idx),
        [numbers(4, 3)],
        "f8",
    )


@needs_torch
@pytest.mark.parametrize("max_norm", [None, 0.7])
@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3, np.inf])
@pytest.mark.parametrize(("padding_idx", "scale_grad_by_freq"), [(None, True), (1, True), (None, False)])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_embedding_with_options(max_norm, norm_type, padding_idx, scale_grad_by_freq, dtype):
    rows, table = np.array([[0, 3, 3], [1, 3, 0]]), numbers(5, 3).astype(dtype)
    options = (padding_idx, max_norm, norm_type, scale_grad_by_freq)
    theirs = torch.tensor(table, requires_grad=True)
    expected = T.embedding(torch.tensor(rows), theirs, *options)
    (expected**2).sum().backward()
    for function in (F.embedding, compile(F.embedding)):
        ours = Value(table.copy())
        out = function(rows, ours, *options)
        (out**2).sum().backward()
        for got, wanted in ((out, expected), (ours, theirs)):
            np.testing.assert_allclose(got.data, wanted.detach().numpy(), rtol=1e-6)
        np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-5)
        assert (out.dtype, ours.grad.dtype) == (dtype, dtype)
    layer = nn.Embedding(5, 3, *options, rng=0)
    layer.weight.data = table.copy()
    np.testing.assert_array_equal(layer(rows).data, F.embedding(rows, table.copy(), *options))


def test_a_table_that_is_a_result_is_not_shortened():
    with pytest.raises(TypeError, match="give a leaf"):
        F.embedding(np.array([0]), Value(np.ones((2, 2))) * 2.0, max_norm=1.0)


@pytest.mark.parametrize(("lookups", "rows", "length"), [(5000, 50, 3), (20_000, 3000, 64), (9000, 1, 64)])
def test_the_gradients_of_rows_looked_up_often_add_up(lookups, rows, length):
    """Some often, most seldom, one all the time; few numbers and more than are added up at a time."""
    names = np.random.default_rng(0).zipf(1.3, lookups) % rows
    table, g = Value(np.zeros((rows, length))), np.random.default_rng(1).normal(size=(lookups, length))
    F.embedding(names, table).backward(g)
    expected = np.zeros((rows, length))
    np.add.at(expected, names, g)
    np.testing.assert_allclose(table.grad, expected, rtol=1e-9, atol=1e-9)


def test_one_hot():
    assert F.one_hot(np.array([[0, 2]])).tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert F.one_hot([1], 4).dtype == np.int64
    if torch is not None:
        told = T.one_hot(torch.tensor(LABELS), 5).numpy()
        assert F.one_hot(LABELS, 5).tolist() == told.tolist()
        assert F.one_hot(LABELS, 5).dtype == told.dtype


# Attention
SEEN = np.array([[True, False, True, True], [False, True, True, False], [False, False, False, False]])


@needs_torch
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize(
    "mask", [SEEN, numbers(3, 4), np.where(SEEN, 0.5, -np.inf)], ids=["bool", "float", "inf"]
)
def test_attention_masks(mask, dtype):
    """A query that may look at nothing gets zeros."""
    plain = mask if mask.dtype == bool else mask.astype(dtype)
    with plain_attention():
        compared(
            lambda q, k, v: F.scaled_dot_product_attention(q, k, v, plain),
            lambda q, k, v: T.scaled_dot_product_attention(q, k, v, torch.tensor(plain)),
            [numbers(2, 3, 4), numbers(2, 4, 4), numbers(2, 4, 3)],
            dtype,
        )


# Modules
def taken_over(ours, theirs):
    """Our module with the state of PyTorch's."""
    ours.load_state_dict({name: t.numpy() for name, t in theirs.state_dict().items()})
    return ours


# name -> our module, PyTorch's, the inputs
MODULES = {
    "Conv1d": (lambda n, **k: n.Conv1d(4, 6, 3, stride=2, padding=1, groups=2, **k), SIGNAL),
    "Conv2d": (lambda n, **k: n.Conv2d(4, 3, (3, 2), padding="same", bias=False, **k), IMAGE),
    "Conv2d, strided": (
        lambda n, **k: n.Conv2d(4, 8, 3, stride=2, padding=(1, 2), dilation=(1, 2), **k),
        IMAGE,
    ),
    "LayerNorm": (lambda n, **k: n.LayerNorm((6, 5), **k), IMAGE),
    "LayerNorm, plain": (lambda n, **k: n.LayerNorm(5, elementwise_affine=False, **k), IMAGE),
    "BatchNorm1d": (lambda n, **k: n.BatchNorm1d(4, **k), numbers(5, 4)),
    "BatchNorm1d, signals": (
        lambda n, **k: n.BatchNorm1d(4, eps=0.1, momentum=0.3, affine=False, **k),
        SIGNAL,
    ),
    "BatchNorm2d": (lambda n, **k: n.BatchNorm2d(4, **k), IMAGE),
    "PReLU": (lambda n, **k: n.PReLU(4, **k), SIGNAL),
    "RNNCell": (lambda n, **k: n.RNNCell(4, 3, **k), numbers(5, 4), numbers(5, 3)),
    "RNNCell, relu": (lambda n, **k: n.RNNCell(4, 3, nonlinearity="relu", **k), numbers(5, 4), numbers(5, 3)),
    "RNNCell, one": (lambda n, **k: n.RNNCell(4, 3, bias=False, **k), numbers(4)),
    "GRUCell": (lambda n, **k: n.GRUCell(4, 3, **k), numbers(5, 4), numbers(5, 3)),
    "GRUCell, first step": (lambda n, **k: n.GRUCell(4, 3, **k), numbers(5, 4)),
}
PRECISIONS = {"f8": "float64", "f4": "float32"}


@needs_torch
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("name", MODULES)
def test_modules_against_pytorch(name, dtype):
    make, *arrays = MODULES[name]
    theirs = make(torch.nn, dtype=getattr(torch, PRECISIONS[dtype]))
    ours = taken_over(
        make(nn, dtype=dtype, rng=0) if "Norm" not in name and name != "PReLU" else make(nn, dtype=dtype),
        theirs,
    )
    compared(ours, theirs, arrays, dtype)
    for mode in (True, False):  # after more training, and when it is over
        ours.train(mode)
        theirs.train(mode)
        compared(ours, theirs, [a + 0.5 for a in arrays], dtype)
    for (key, a), (other, b) in zip(ours.state_dict().items(), theirs.state_dict().items(), strict=True):
        assert key == other
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-6)
        assert a.dtype == b.numpy().dtype


@needs_torch
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("states", [True, False])
def test_lstm_cell_against_pytorch(states, dtype):
    theirs = torch.nn.LSTMCell(4, 3, dtype=getattr(torch, PRECISIONS[dtype]))
    ours = taken_over(nn.LSTMCell(4, 3, dtype=dtype, rng=0), theirs)
    step = lambda cell: lambda x, *hc: cell(x, hc or None)
    arrays = [numbers(5, 4), *([numbers(5, 3), numbers(5, 3)] if states else [])]
    compared(step(ours), step(theirs), arrays, dtype)


@needs_torch
def test_a_loop_over_a_cell_is_backpropagation_through_time():
    theirs = torch.nn.LSTMCell(2, 3, dtype=torch.float64)
    ours = taken_over(nn.LSTMCell(2, 3, dtype=float, rng=0), theirs)

    def last(cell):
        def run(x):
            state = None
            for step in x:
                state = cell(step, state)
            return state[0]

        return run

    compared(last(ours), last(theirs), [numbers(6, 2, 2)], "f8")
    h, told = last(ours)(numbers(6, 2, 2)), None
    h.sum().backward()
    assert all(np.all(np.isfinite(p.grad)) for p in ours.parameters()), told


@needs_torch
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("settings", ["plain", "masked", "padded", "both", "by head", "no weights"])
def test_multihead_attention_against_pytorch(settings, batch_first, dtype):
    theirs = torch.nn.MultiheadAttention(
        4, 2, batch_first=batch_first, dtype=getattr(torch, PRECISIONS[dtype])
    )
    with torch.no_grad():
        for p in theirs.parameters():
            p += 0.1 * torch.arange(p.numel(), dtype=p.dtype).reshape(p.shape).cos()
    ours = taken_over(nn.MultiheadAttention(4, 2, batch_first=batch_first, dtype=dtype, rng=0), theirs)
    q, k = (2, 3, 4), (2, 5, 4)
    arrays = [numbers(*q), numbers(*k), numbers(*k)]
    arrays = arrays if batch_first else [a.swapaxes(0, 1) for a in arrays]
    hidden = np.array([[False, True, False, False, True], [False] * 5, [True, False, False, True, False]])
    masks = {
        "masked": {"attn_mask": hidden},
        "padded": {"key_padding_mask": hidden[:2]},
        "both": {
            "attn_mask": np.where(hidden, -0.5, 0.25).astype(dtype),
            "key_padding_mask": np.where(hidden[:2], -np.inf, 0.0).astype(dtype),
        },
        "by head": {
            "attn_mask": np.stack([hidden, hidden[::-1], hidden[:, ::-1], hidden]),
            "average_attn_weights": False,
        },
        "no weights": {"need_weights": False},
    }.get(settings, {})
    tensors = {name: torch.tensor(m) if isinstance(m, np.ndarray) else m for name, m in masks.items()}
    only = (lambda r: r[0]) if settings == "no weights" else (lambda r: r)
    with plain_attention():
        compared(lambda *x: only(ours(*x, **masks)), lambda *x: only(theirs(*x, **tensors)), arrays, dtype)


@needs_torch
def test_multihead_attention_to_one_sequence_and_to_the_past_only():
    theirs = torch.nn.MultiheadAttention(4, 2, dtype=torch.float64)
    ours = taken_over(nn.MultiheadAttention(4, 2, dtype=float, rng=0), theirs)
    future = ~np.tri(3, dtype=bool)
    with plain_attention():
        compared(
            lambda x: ours(x, x, x, is_causal=True),
            lambda x: theirs(x, x, x, attn_mask=torch.tensor(future)),
            [numbers(3, 4)],
            "f8",
        )


@needs_torch
def test_running_statistics_are_moved_in_place_as_in_pytorch():
    mean, var, x = numbers(3), np.abs(numbers(3)), numbers(4, 3, 2)
    theirs = torch.tensor(mean), torch.tensor(var)
    for training in (True, True, False):
        a = F.batch_norm(x, mean, var, training=training, momentum=0.3)
        b = T.batch_norm(torch.tensor(x), *theirs, training=training, momentum=0.3)
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-12)
        np.testing.assert_allclose(mean, theirs[0].numpy(), rtol=1e-12)
        np.testing.assert_allclose(var, theirs[1].numpy(), rtol=1e-12)


LOSSES = {
    "HuberLoss": (nn.HuberLoss(delta=0.5), lambda x, y: F.huber_loss(x, y, delta=0.5)),
    "SmoothL1Loss": (nn.SmoothL1Loss(beta=0.5), lambda x, y: F.smooth_l1_loss(x, y, beta=0.5)),
    "KLDivLoss": (nn.KLDivLoss(reduction="batchmean"), lambda x, y: F.kl_div(x, y, reduction="batchmean")),
    "CosineSimilarity": (nn.CosineSimilarity(dim=0), lambda x, y: F.cosine_similarity(x, y, axis=0)),
    "ELU": (lambda x, y: nn.ELU(0.5)(x), lambda x, y: F.elu(x, 0.5)),
    "Hardtanh": (lambda x, y: nn.Hardtanh(0.0, 0.5)(x), lambda x, y: F.hardtanh(x, 0.0, 0.5)),
    "Softsign": (lambda x, y: nn.Softsign()(x), lambda x, y: F.softsign(x)),
    "Mish": (lambda x, y: nn.Mish()(x), lambda x, y: F.mish(x)),
    "MaxPool2d": (lambda x, y: nn.MaxPool2d(2, 1)(x[None]), lambda x, y: F.max_pool2d(x[None], 2, 1)),
    "AvgPool2d": (
        lambda x, y: nn.AvgPool2d(2, 1, 1, count_include_pad=False)(x[None]),
        lambda x, y: F.avg_pool2d(x[None], 2, 1, 1, count_include_pad=False),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_modules_are_their_functions(name):
    module, function = LOSSES[name]
    x, y = probabilities(3, 4), probabilities(3, 4)
    np.testing.assert_array_equal(module(x, y), function(x, y))
    np.testing.assert_array_equal(module(Value(x), y).data, function(x, y))


def test_nll_loss_as_a_module():
    x, weight = np.log(probabilities(4, 3)), [0.5, 2.0, 1.25]
    module = nn.NLLLoss(weight, ignore_index=2, reduction="sum")
    assert module(x, LABELS) == F.nll_loss(x, LABELS, weight, ignore_index=2, reduction="sum")
    logits = numbers(4, 3)
    composed = F.nll_loss(F.log_softmax(logits), LABELS)
    assert composed == pytest.approx(F.cross_entropy(logits, LABELS), rel=1e-14)
