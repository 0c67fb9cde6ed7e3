"""Layers and losses on Dask arrays: the numbers of NumPy's arrays, in one computation a backward pass."""

import numpy as np
import pytest
from device import Device

from tinygrad_course import Value, nn

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

F = nn.functional
RNG = np.random.default_rng(0)
FLAT, LINES, IMAGES = RNG.normal(size=(6, 4)), RNG.normal(size=(6, 4, 8)), RNG.normal(size=(6, 4, 8, 8))
WORDS, OTHERS, SHARES = RNG.normal(size=(6, 5, 4)), RNG.normal(size=(6, 4)), RNG.uniform(0.1, 0.9, (6, 4))
LABELS, NAMES = RNG.integers(0, 4, 6), RNG.integers(0, 7, (6, 5))

LAYERS = {
    "Linear": (lambda: nn.Linear(4, 3, rng=0), FLAT),
    "Conv1d": (lambda: nn.Conv1d(4, 3, 3, rng=0), LINES),
    "Conv2d": (lambda: nn.Conv2d(4, 3, 3, padding=1, rng=0), IMAGES),
    "ConvTranspose1d": (lambda: nn.ConvTranspose1d(4, 3, 3, rng=0), LINES),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(4), IMAGES),
    "LayerNorm": (lambda: nn.LayerNorm(4), FLAT),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), IMAGES),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(4, affine=True), IMAGES),
    "MaxPool2d": (lambda: nn.Sequential(nn.MaxPool2d(2, padding=1), nn.Conv2d(4, 2, 1, rng=0)), IMAGES),
    "AvgPool2d": (lambda: nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(4, 2, 1, rng=0)), IMAGES),
    "Embedding": (lambda: nn.Embedding(7, 3, rng=0), NAMES),
    "LSTM": (lambda: nn.LSTM(4, 3, batch_first=True, rng=0), WORDS),
    "Transformer": (lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True, rng=0), WORDS),
    "Dropout": (lambda: nn.Sequential(nn.Dropout(0.5, rng=1), nn.Linear(4, 3, rng=0)), FLAT),
    "GELU": (lambda: nn.Sequential(nn.Linear(4, 3, rng=0), nn.GELU(), nn.Softmax(-1)), FLAT),
}
LOSSES = {
    "cross_entropy": (F.cross_entropy, FLAT, LABELS),
    "smoothed": (lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1), FLAT, LABELS),
    "weighted": (lambda x, t: F.cross_entropy(x, t, weight=np.arange(1.0, 5.0)), FLAT, LABELS),
    "ignored": (lambda x, t: F.cross_entropy(x, t, ignore_index=1), FLAT, LABELS),
    "of images": (F.cross_entropy, IMAGES, RNG.integers(0, 4, (6, 8, 8))),
    "of shares": (F.cross_entropy, FLAT, SHARES),
    "nll": (lambda x, t: F.nll_loss(F.log_softmax(x, 1), t), FLAT, LABELS),
    "multi_margin": (F.multi_margin_loss, FLAT, LABELS),
    "binary": (F.binary_cross_entropy, SHARES, (SHARES > 0.5) * 1.0),
    "logits": (F.binary_cross_entropy_with_logits, FLAT, (SHARES > 0.5) * 1.0),
    "mse": (F.mse_loss, FLAT, OTHERS),
    "huber": (F.huber_loss, FLAT, OTHERS),
    "kl_div": (F.kl_div, FLAT, SHARES),
}


class Counting:
    """A scheduler that counts."""

    computed = 0

    def __call__(self, graph, keys, **options):
        self.computed += 1
        return dask.get(graph, keys, **options)


def halves(x):
    return da.from_array(x, tuple((n + 1) // 2 for n in x.shape))


def first(out):
    return out[0] if isinstance(out, tuple) else out


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    make, x = LAYERS[name]
    x = x if x.dtype.kind == "i" else x.astype(np.float32)
    lazy, plain, scheduler = make(), make(), Counting()
    with dask.config.set(scheduler=scheduler):
        out = first(lazy(halves(x)))
        forward = scheduler.computed
        (out * out).sum().backward()
    assert isinstance(out.data, da.Array) and scheduler.computed - forward == 1
    assert forward == (name == "BatchNorm2d")  # whose running statistics are numbers
    want = first(plain(x))
    (want * want).sum().backward()
    np.testing.assert_allclose(out.data.compute(scheduler="sync"), want.data, rtol=1e-4, atol=1e-5)
    for p, q in zip(lazy.parameters(), plain.parameters()):
        assert type(p.grad) is np.ndarray
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-3, atol=1e-4)
    for (_, a), (_, b) in zip(lazy.named_buffers(), plain.named_buffers()):
        assert type(a) is type(b)
        np.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name):
    function, x, target = LOSSES[name]
    lazy, plain, scheduler = Value(halves(x)), Value(x), Counting()
    with dask.config.set(scheduler=scheduler):
        loss = function(lazy, halves(target))
        loss.backward()
    assert isinstance(lazy.grad, da.Array) and not scheduler.computed
    want = function(plain, target)
    want.backward()
    np.testing.assert_allclose(loss.data.compute(scheduler="sync"), want.data)
    np.testing.assert_allclose(lazy.grad.compute(scheduler="sync"), plain.grad, atol=1e-12)


def test_labels_that_are_none_are_found_when_they_are_computed():
    labels = halves(np.array([0, 1, 2, 3, 4, 0]))
    net = nn.Linear(4, 4, rng=0)
    loss = F.cross_entropy(net(halves(FLAT)), labels)
    with pytest.raises(ValueError, match="cross_entropy: the numbers of 4 classes go from 0 to 3"):
        loss.backward()
    assert net.weight.grad is None
    with pytest.raises(IndexError, match="embedding: the rows of the table go from 0 to 2"):
        nn.Embedding(3, 2, rng=0)(labels).sum().backward()
    with pytest.raises(TypeError, match="say num_classes"):
        F.one_hot(labels)


ON_DEVICE = (
    "Linear",
    "Conv2d",
    "ConvTranspose1d",
    "LayerNorm",
    "GroupNorm",
    "AvgPool2d",
    "Embedding",
    "Transformer",
)


@pytest.mark.parametrize("name", ON_DEVICE)
def test_layers_stay_on_a_device(name):
    make, x = LAYERS[name]
    x = x if x.dtype.kind == "i" else x.astype(np.float32)
    there, plain = make(), make()
    for p in there.parameters():
        p.data = Device(p.data)
    out, want = there(Device(x)), plain(x)
    (out * out).sum().backward()
    (want * want).sum().backward()
    for p, q in zip(there.parameters(), plain.parameters()):
        assert type(p.grad) is Device
        np.testing.assert_allclose(p.grad._array, q.grad, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "name", ["cross_entropy", "of images", "of shares", "nll", "binary", "mse", "kl_div"]
)
def test_losses_stay_on_a_device(name):
    function, x, target = LOSSES[name]
    there, plain = Value(Device(x)), Value(x)
    function(there, Device(target)).backward()
    function(plain, target).backward()
    assert type(there.grad) is Device
    np.testing.assert_allclose(there.grad._array, plain.grad, atol=1e-12)


def test_libraries_are_not_mixed():
    with pytest.raises(TypeError, match=r"add\(.*an array of Dask meets a device.Device"):
        Value(Device(OTHERS)) + halves(OTHERS)


@pytest.mark.filterwarnings("error")  # Dask warns where chunks are cut into many more
def test_the_cross_entropy_keeps_the_chunks_of_its_samples():
    logits = da.from_array(RNG.normal(size=(20, 10)), chunks=(2, -1))
    target = da.from_array(RNG.integers(0, 10, 20), chunks=2)
    each = F.cross_entropy(Value(logits), target, reduction="none")
    assert each.data.chunks == target.chunks
