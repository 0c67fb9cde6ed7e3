"""Many cotangents in one walk: the same derivatives as one by one, for every kind of operation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_course import derivative, grad, hessian, jacobian, nn, vjp
from tinygrad_course.derivatives import cast, indexing, total
from tinygrad_course.transforms import batch, jacobians, tracing
from tinygrad_course.transforms.batch import Batch

rng = np.random.default_rng(0)
F = nn.functional
X, Y = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
S = rng.normal(size=(2, 3, 4))
SPD = np.eye(3) * 3 + 0.1 * rng.normal(size=(3, 3))
ROWS = np.array([0, 2, 2])


def one_by_one(f, x):
    """The Jacobian from a pullback for every entry."""
    out, pullback = vjp(f, x)
    rows = [pullback(unit)[0] for unit in np.eye(out.size, dtype=out.dtype).reshape(-1, *out.shape)]
    return np.stack(rows).reshape(out.shape + np.shape(x))


FUNCTIONS = {
    "arithmetic": (lambda x: (x * x + 1 / (x * x + 1) - x / 3) * -2.0, X),
    "stretched": (lambda x: x[:, :1] * X + x.sum(axis=0) - x[0, 0], X),
    "functions": (lambda x: np.tanh(np.exp(np.sin(x))) * np.sqrt(np.abs(x)), X),
    "matmul": (lambda x: (x @ Y) @ Y.T @ x.T, X),
    "matmul of a vector": (lambda x: X @ (x @ X), rng.normal(size=3)),
    "vector times vector": (lambda x: (x @ X) * (x @ x), rng.normal(size=3)),
    "matmul of stacks": (lambda x: (x @ S.transpose(0, 2, 1)) @ x, S),
    "matmul of a stack and a matrix": (lambda x: S @ (Y @ x), rng.normal(size=(2, 3))),
    "outer": (lambda x: x @ x.T, rng.normal(size=(3, 1))),
    "products": (lambda x: np.einsum("ij,kj->ik", x, x) + np.dot(x, X.T) + np.inner(X, x), X),
    "tensordot": (lambda x: np.tensordot(x, S, ([0, 1], [1, 2])) * np.outer(x[0], x[1]).sum(), X),
    "einsum with dots": (lambda x: np.einsum("...i,...i", x, X), X),
    "sums": (lambda x: x.sum() * x.sum(axis=(0, 2)) + x.mean(1)[0, 1] * x.sum(1)[0, 0], S),
    "reductions": (lambda x: x.max(axis=0) * x.var(axis=0) + x.prod(axis=0) + np.cumsum(x, 1)[0], X),
    "shapes": (lambda x: np.swapaxes(x, 0, -1).reshape(4, -1)[:, None] * np.ravel(x)[3], S),
    "axes": (lambda x: np.moveaxis(x, 0, 2) * np.transpose(x, (1, 2, 0)) + np.squeeze(x[:1])[:, :, None], S),
    "reshape in columns": (lambda x: np.reshape(x, (4, 3), order="F") * np.flip(x).T, X),
    "joined": (lambda x: np.concatenate([x, x * x, X]) * np.stack([x, x])[0, 0, 0], X),
    "slices": (lambda x: x[1:, ::2] * x[0, 1] + x[..., -1:][1:] * x[-1][None, ::2], X),
    "rows twice": (lambda x: x[ROWS] * x[ROWS, 1][:, None] + x[:, ROWS][:, :1], X),
    "indices that stand apart": (lambda x: x[ROWS % 2, :, ROWS] * x[0].T[ROWS], S),
    "masks": (lambda x: np.where(X > 0, x, 0.5 * x)[X < 1] * np.maximum(x, 0)[X < 1], X),
    "losses": (lambda x: F.cross_entropy(x, np.array([0, 3, 1]), reduction="none") + F.softmax(x)[:, 0], X),
    "layers": (lambda x: F.linear(F.gelu(x), Y.T, None) * F.log_softmax(x)[:, :2], X),
    "linear algebra": (lambda x: np.linalg.solve(x, X) * np.linalg.det(x), SPD),
    "a number": (lambda x: x * X + np.exp(x) * X, 0.5),
    "half precision": (lambda x: np.tanh(x @ Y.astype(np.float32)) * 2.0, X.astype(np.float32)),
    "one of several results": (lambda x: np.split(x, 2, axis=1)[1] * np.split(x, 2, axis=1)[0], X),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobians_are_those_of_one_walk_a_row(name, monkeypatch):
    f, x = FUNCTIONS[name]
    both = lambda f: (jacobian(f)(x), one_by_one(f, x))
    scalar = lambda x: (np.sin(f(x)) ** 2).sum()
    tolerance = 1e-5 if np.asarray(x).dtype == np.float32 else 1e-12
    for found, right in (both(f), both(grad(scalar)) if np.ndim(x) else both(f)):
        assert found.dtype == right.dtype
        np.testing.assert_allclose(found, right, rtol=tolerance, atol=tolerance)
    monkeypatch.setattr(jacobians, "MOST_ENTRIES", 1)  # a walk for every row, of a batch of one
    np.testing.assert_allclose(jacobian(f)(x), one_by_one(f, x), rtol=tolerance, atol=tolerance)


def test_steep_places_that_nothing_uses_have_no_gradient():
    x = np.array([0.0, 1.0, -1.0, 4.0])
    with np.errstate(all="ignore"):
        roots = jacobian(lambda x: np.sqrt(np.abs(x)))(x)
        np.testing.assert_array_equal(roots, one_by_one(lambda x: np.sqrt(np.abs(x)), x))
        masked = lambda x: np.where(x > 0, np.log(x), 0.0) @ np.ones((4, 4))
        np.testing.assert_array_equal(jacobian(masked)(x), one_by_one(masked, x))
    assert np.isfinite(jacobian(masked)(x)).all()


def test_a_hessian_takes_one_walk_for_many_rows(monkeypatch):
    walks = []
    walk = tracing.backpropagate
    monkeypatch.setattr(tracing, "backpropagate", lambda *a, **k: walks.append(1) or walk(*a, **k))
    monkeypatch.setattr(batch, "looped", lambda *args, **kwargs: pytest.fail("one array after the other"))
    w = [rng.normal(size=(2, 50)), rng.normal(size=50), rng.normal(size=(50, 1)), rng.normal(size=1)]
    x, y = rng.normal(size=(100, 2)), rng.normal(size=(100, 1))
    hessian(lambda w: ((np.tanh(x @ w[0] + w[1]) @ w[2] + w[3] - y) ** 2).mean())(w)
    assert len(walks) <= 9


def test_a_rule_that_needs_one_array_is_given_one():
    stubborn = derivative(lambda x: x * x, lambda g, out, x: g * 2 * x if float(np.asarray(g).sum()) else g)
    branching = derivative(lambda x: x * x, lambda g, out, x: g * 2 * x if g.any() else g)
    deciding = derivative(lambda x: x * x, lambda g, out, x: 2 * x * g if (g == g).all() else g)
    for square in (stubborn, branching, deciding):
        np.testing.assert_array_equal(jacobian(square)(np.arange(3.0)), np.diag([0.0, 2.0, 4.0]))
    broken = derivative(lambda x: x * x, lambda g, out, x: g * np.ones(7))
    with pytest.raises(ValueError, match="7"):
        jacobian(broken)(np.arange(3.0))


# The batch itself: whatever terms it is made of, an operation does to its rows what it does to each array
def batches(draw):
    """A batch of (3, 4) arrays, made of up to three terms: stretched or not, with a factor or without."""
    n = draw(st.integers(1, 4))
    made = np.random.default_rng(draw(st.integers(0, 1000)))
    out = None
    for _ in range(draw(st.integers(0, 3))):
        rows = made.normal(size=(n, draw(st.sampled_from([1, 3])), draw(st.sampled_from([1, 4]))))
        term = np.broadcast_to(Batch.of(rows), (3, 4))
        if draw(st.booleans()):
            term = term * made.normal(size=draw(st.sampled_from([(3, 4), (1, 4), (3, 1), (4,), ()])))
        out = term if out is None else out + term
    return Batch.of(np.zeros((n, 3, 4))) if out is None else out


A = rng.normal(size=(5, 3))
OPERATIONS = [
    lambda g: g,
    lambda g: -g / 3.0 + g * X,
    lambda g: g - g * X,
    lambda g: g * S,
    lambda g: g + X,
    lambda g: X / (2 + np.sin(g)),
    lambda g: A @ g,
    lambda g: g @ Y,
    lambda g: np.ones(3) @ g,
    lambda g: g @ np.ones(4),
    lambda g: g[:, :1] @ np.ones((1, 6)),
    lambda g: np.matmul(S.transpose(0, 2, 1), g),
    lambda g: np.sum(g, axis=0),
    lambda g: np.sum(g, axis=-1, keepdims=True),
    lambda g: np.sum(g, axis=(0, 1)),
    lambda g: np.sum(g),
    lambda g: np.sum(g, axis=1, initial=2.0),
    lambda g: np.reshape(g, (2, -1)),
    lambda g: np.reshape(g, (4, 3), order="F"),
    lambda g: np.ravel(g),
    lambda g: np.expand_dims(g, (0, 2)),
    lambda g: np.squeeze(np.expand_dims(g, 1)),
    lambda g: np.squeeze(g[:, None], 1),
    lambda g: np.broadcast_to(g, (2, 3, 4)),
    lambda g: np.transpose(g) * X.T,
    lambda g: g.T @ X,
    lambda g: np.swapaxes(g * X, -1, 0),
    lambda g: np.moveaxis(g[None], 0, -1),
    lambda g: np.where(X > 0, g, 0.0),
    lambda g: np.einsum("ij,jk->ki", g, Y),
    lambda g: np.einsum("ij,jk", g, Y),
    lambda g: np.flip(g, 0) + np.cumsum(g, axis=1),
    lambda g: np.concatenate([g, X], axis=0),
    lambda g: np.stack([g, g]),
    lambda g: np.tensordot(g, Y, 1),
    lambda g: g[1, ::2],
    lambda g: g[ROWS, 1:],
    lambda g: g[..., None, ROWS],
    lambda g: g[ROWS, ROWS],
    lambda g: g[ROWS, None, ROWS],
    lambda g: np.maximum.outer(g, np.ones(2)),
    lambda g: indexing.scatter(g, (slice(1, 4), Ellipsis), (6, 4)),
    lambda g: indexing.scatter(g, ROWS, (6, 4)),
    lambda g: total(g),
    lambda g: np.ones(np.shape(g)) * np.ndim(g) * np.size(g) * len(g) * g.size + np.zeros_like(g),
    lambda g: np.divmod(g, 2.0)[1],
    lambda g: np.stack(list(g)),
    lambda g: cast(cast(g, np.float32), np.float64),
]  # fmt: skip


@pytest.mark.parametrize("operation", OPERATIONS)
@given(st.data())
def test_an_operation_on_a_batch_is_that_on_each_array(operation, data):
    g = batches(data.draw)
    rows = Batch(g.n, g.shape, g.dtype, list(g._terms)).rows
    right = np.stack([np.asarray(operation(row)) for row in rows])
    found = operation(g)
    found = found.rows if isinstance(found, Batch) else np.broadcast_to(found, right.shape)
    assert found.shape == right.shape
    np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(g.rows, rows, rtol=1e-12, atol=1e-12)


def test_a_batch_keeps_its_dtype():
    g = Batch.of(np.ones((2, 3, 4), np.float32))
    for product in (
        g * np.ones((3, 1), bool),
        g * np.ones((3, 4), bool),
        g * 2.0,
        np.sum(g * (X[:, :1] > 0), 0),
    ):
        assert product.dtype == np.float32
        assert product.rows.dtype == np.float32
    assert (g * X).dtype == (g * X).rows.dtype == float


def test_a_batch_is_not_taken_for_an_array():
    g = Batch.of(np.ones((2, 3)))
    for misuse in (np.asarray, bool, float, lambda g: np.add(g, g, out=np.ones(3)), lambda g: g.mean()):
        with pytest.raises((TypeError, AttributeError)):
            misuse(g)
