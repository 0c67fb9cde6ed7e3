"""Dask arrays: recorded without being computed, and all gradients found in one computation."""

import numpy as np
import pytest

from tinygrad_course import Value, compile, grad, hessian, hvp, jacobian, jvp, nn, optim, vjp

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(10, 3)), RNG.normal(size=(10, 2))


class Counting:
    """A scheduler that counts: how often somebody computed, and how often each chunk of data was read."""

    def __init__(self):
        self.computed, self.read = 0, []

    def __call__(self, graph, keys, **options):
        self.computed += 1
        return dask.get(graph, keys, **options)

    def array(self, x, chunks):
        """`x` in chunks, each of which tells when it is read."""

        def chunk(block_info):
            place = block_info[None]["array-location"]
            self.read.append(place)
            return x[tuple(slice(*ends) for ends in place)]

        chunks = da.core.normalize_chunks(chunks, x.shape)
        return da.map_blocks(chunk, chunks=chunks, dtype=x.dtype, meta=x[:0])


@pytest.fixture
def scheduler():
    counting = Counting()
    with dask.config.set(scheduler=counting):
        yield counting


def network():
    return nn.Sequential(nn.Linear(3, 4, rng=0, dtype=float), nn.Tanh(), nn.Linear(4, 2, rng=1, dtype=float))


def test_one_computation_a_backward_reads_every_chunk_once(scheduler):
    x, y, net, plain = scheduler.array(X, (4, 3)), scheduler.array(Y, (4, 2)), network(), network()
    loss = nn.MSELoss()(net(x), y)
    assert isinstance(loss.data, da.Array) and not scheduler.computed
    loss.backward()
    assert scheduler.computed == 1
    assert len(scheduler.read) == len(set(map(str, scheduler.read))) == 6  # three chunks of x, three of y
    expected = nn.MSELoss()(plain(X), Y)
    expected.backward()
    for p, q in zip(net.parameters(), plain.parameters()):
        assert type(p.grad) is np.ndarray and p.grad.dtype == p.dtype
        np.testing.assert_allclose(p.grad, q.grad)
    assert loss.item() == pytest.approx(expected.item())
    assert len(scheduler.read) == 6  # the loss was computed with the gradients


def test_gradients_add_up_and_optimizers_step():
    x, net, plain = da.from_array(X, (3, 2)), network(), network()
    for model, data in ((net, x), (plain, X)):
        optimizer = optim.Adam(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            for _ in range(2):
                nn.MSELoss()(model(data), Y).backward()
            optimizer.step()
    for p, q in zip(net.parameters(), plain.parameters()):
        np.testing.assert_allclose(p.data, q.data)


def test_numbers_have_numbers_for_gradients(scheduler):
    w, b, h = Value(2.0), Value(0.5), Value(np.array([1.0, 2.0, 3.0]))
    ((w * da.from_array(X, (4, 2)) + b) @ (h * w)).sum().backward()
    assert scheduler.computed == 1
    assert type(w.grad) is type(b.grad) is float and type(h.grad) is np.ndarray
    assert b.grad == pytest.approx(10 * 2.0 * 6.0)


def test_where_computing_fails_nothing_has_changed():
    def broken(block):
        raise OSError("the disk is gone")

    net = network()
    loss = net(da.from_array(X, (4, 3)).map_blocks(broken, meta=X[:0])).sum()
    with pytest.raises(OSError, match="the disk is gone"):
        loss.backward()
    assert all(p.grad is None for p in net.parameters())


def test_gradients_of_dask_arrays_stay_uncomputed(scheduler):
    x = Value(da.from_array(X, (4, 2)))
    (np.tanh(x) ** 2).sum().backward()
    assert isinstance(x.grad, da.Array) and not scheduler.computed
    np.testing.assert_allclose(x.grad.compute(), 2 * np.tanh(X) * (1 - np.tanh(X) ** 2))


def test_what_needs_the_numbers_is_refused_where_it_is_recorded(scheduler):
    x = Value(da.from_array(X, (4, 3)))
    with pytest.raises(TypeError, match=r"(?s)det\(.*looks at numbers.*x\.compute\(\)"):
        np.linalg.det(x[:3])
    with pytest.raises(ValueError, match=r"(?s)inv\(.*x\.rechunk"):
        np.linalg.inv(Value(da.from_array(np.eye(3), (2, 3))))
    assert not scheduler.read


def test_lengths_that_are_not_known(scheduler):
    x = da.from_array(X[:, 0], 4)
    w = Value(3.0)
    y = w * x[x > 0] + 1.0
    y.sum().backward()
    assert w.grad == pytest.approx(X[X[:, 0] > 0, 0].sum()) and scheduler.computed == 1
    with pytest.raises(ValueError, match=r"compute_chunk_sizes"):
        y + Value(np.ones(3))


def test_transforms_compute_once(scheduler):
    x, w = da.from_array(X, (4, 3)), np.array([0.5, -1.0, 2.0])
    on = lambda data: lambda w: (np.tanh(data @ w) ** 2).sum()
    inner = lambda data: lambda w: np.tanh(data @ w)
    for transform in (
        lambda data: grad(on(data))(w),
        lambda data: vjp(inner(data), w)[1](np.arange(10.0))[0],
        lambda data: hvp(on(data), w, w),
        lambda data: jacobian(inner(data))(w),
        lambda data: hessian(on(data))(w),
    ):
        scheduler.computed = 0
        found = transform(x)
        assert type(found) is np.ndarray and scheduler.computed == 1
        np.testing.assert_allclose(found, transform(X))
    scheduler.computed = 0
    tangent = jvp(np.tanh, (x,), (X,))[1]
    (pulled,) = vjp(np.tanh, x)[1](x)
    assert isinstance(tangent, da.Array) and isinstance(pulled, da.Array) and not scheduler.computed
    np.testing.assert_allclose(tangent.compute(), X / np.cosh(X) ** 2)
    np.testing.assert_allclose(pulled.compute(), X / np.cosh(X) ** 2)


def test_compile_says_that_it_needs_numpys_memory():
    x = da.from_array(X, (4, 3))
    with pytest.raises(RuntimeError, match=r"(?s)compile: a Array of dask.*x\.compute\(\)"):
        compile(lambda x: (x * 2.0).sum())(x)
    with pytest.raises(RuntimeError, match=r"(?s)compile: an array of Dask takes part.*x\.compute\(\)"):
        compile(lambda w: (x * w).sum())(Value(2.0))
