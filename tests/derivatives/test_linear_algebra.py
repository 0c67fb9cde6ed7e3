"""What linear algebra does where matrices are singular, eigenvalues repeated or complex, and norms 0."""

import itertools

import numpy as np
import pytest

from tinygrad_course import Value, hessian
from tinygrad_course.testing.gradcheck import gradcheck

linalg = np.linalg


def gradient(f, x):
    v = Value(x)
    np.sum(f(v)).backward()
    return v.grad


@pytest.mark.parametrize("order", [None, 1, 2, 3, 1.5, np.inf, 0])
def test_vector_norms_have_derivative_0_at_0(order):
    assert gradient(lambda x: linalg.norm(x, order), np.zeros(3)).tolist() == [0, 0, 0]
    rows = gradient(lambda x: linalg.norm(x, order, axis=1), np.array([[0.0, 0.0], [3.0, 4.0]]))
    assert rows[0].tolist() == [0, 0]
    assert np.all(np.isfinite(rows))


@pytest.mark.parametrize("order", ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_matrix_norms_have_derivative_0_at_0(order):
    assert not gradient(lambda x: linalg.norm(x, order), np.zeros((2, 3))).any()


def test_second_derivative_of_a_norm_at_0_is_0():
    v = Value(np.zeros(2))
    linalg.norm(v).backward(create_graph=True)
    first, v.grad = v.grad, None
    np.sum(first).backward()
    assert v.grad.tolist() == [0, 0]


def test_ties_of_the_largest_entry_share():
    assert gradient(lambda x: linalg.norm(x, np.inf), np.array([2.0, -2.0, 1.0])).tolist() == [0.5, -0.5, 0]
    assert gradient(lambda x: linalg.norm(x, 2), np.eye(2)) == pytest.approx(np.eye(2) / 2)


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_the_determinant_of_a_singular_matrix_has_its_cofactors(rank):
    x = np.diag([2.0] * rank + [0.0] * (3 - rank)) + np.triu(np.ones((3, 3)), 1) * (rank == 2)
    cofactors = [
        [(-1) ** (i + j) * linalg.det(np.delete(np.delete(x, i, 0), j, 1)) for j in range(3)]
        for i in range(3)
    ]
    assert linalg.det(x) == 0
    np.testing.assert_allclose(gradient(linalg.det, x), cofactors, atol=1e-12)
    both = np.stack([x, np.eye(3)])
    np.testing.assert_allclose(gradient(linalg.det, both), [cofactors, np.eye(3)], atol=1e-12)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (linalg.inv, r"inv\(\(2, 2\) float64\): Singular"),
        (lambda x: linalg.slogdet(x)[1], "np.linalg.det has one"),
        (lambda x: linalg.qr(x * 0)[0], "np.linalg.svd"),
    ],
)
def test_singular_matrices_raise(function, says):
    with pytest.raises(linalg.LinAlgError, match=says):
        np.sum(function(Value(np.ones((2, 2))))).backward()


def test_lists_stand_beside_values():
    a, b = np.array([[3.0, 1.0], [0.5, 2.0], [1.0, 1.0]]), [1.0, 2.0, 3.0]
    for first, second in ((Value(a), b), (a.tolist(), Value(b))):
        solution, residuals, rank, _ = linalg.lstsq(first, second)
        told = linalg.lstsq(a, b)
        np.testing.assert_allclose(solution.data, told[0])
        np.testing.assert_allclose(residuals.data, told[1])
        assert rank == told[2]
        np.sum(solution).backward()
    assert np.kron(Value(b), [1.0, 2.0]).shape == (6,)
    assert np.cross([1.0, 0.0, 0.0], Value(b)).data.tolist() == [0, -3, 2]


@pytest.mark.parametrize("function", [linalg.eigvalsh, linalg.svdvals, linalg.eigvals])
def test_values_of_repeated_eigenvalues_have_their_gradient(function):
    np.testing.assert_allclose(gradient(function, np.eye(3)), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(gradient(lambda x: linalg.eigh(x)[0], np.eye(3)), np.eye(3), atol=1e-12)


def test_vectors_of_repeated_eigenvalues_have_none():
    weights = np.arange(9.0).reshape(3, 3)
    assert np.isnan(gradient(lambda x: linalg.eigh(x)[1] * weights, np.eye(3))).any()
    assert np.isnan(gradient(lambda x: linalg.svd(x)[0] * weights, np.eye(3))).any()
    rotated = linalg.qr(weights + np.eye(3))[0]
    almost = rotated @ np.diag([1.0, 1.0, 2.0]) @ rotated.T  # equal up to rounding
    assert np.isnan(gradient(lambda x: linalg.eigh(x)[1] * weights, almost)).any()


def test_a_vector_beside_repeated_eigenvalues_has_its_gradient():
    def turned(x):
        x = np.diag([1.0, 1.0, 5.0]) + 0.5 * (x + np.swapaxes(x, 0, 1))
        return linalg.eigh(x)[1][:, 2] ** 2 * np.arange(3.0)

    gradcheck(turned, np.zeros((3, 3)))
    gradcheck(turned, np.array([[0.0, 0.0, 0.5], [0.0, 0.0, -0.25], [0.5, -0.25, 0.0]]))


def test_second_derivatives_at_repeated_eigenvalues_are_never_silently_wrong():
    v = Value(np.eye(2))
    np.sum(linalg.eigvalsh(v) ** 2).backward(create_graph=True)
    first, v.grad = v.grad, None
    np.sum(first * np.array([[1.0, 3.0], [3.0, 2.0]])).backward()
    assert np.isnan(v.grad).any()


@pytest.mark.parametrize("function", [linalg.eigvalsh, linalg.cholesky, lambda x: linalg.eigh(x)[1]])
def test_gradients_of_symmetric_matrices_are_symmetric(function):
    x = np.array([[4.0, 1.0], [1.0, 2.0]])
    g = gradient(lambda x: function(x) * 0.5, x)
    np.testing.assert_allclose(g, g.T, atol=1e-14)
    v = Value(np.array([[4.0, 100.0], [1.0, 2.0]]))  # the upper triangle is not read
    np.sum(function(v) * 0.5).backward()
    np.testing.assert_allclose(v.grad, g, atol=1e-14)


def test_complex_eigenvalues_are_refused():
    turn = Value([[0.0, -1.0], [1.0, 0.0]])
    for function in (linalg.eig, linalg.eigvals):
        with pytest.raises(TypeError, match=r"complex.*svdvals"):
            function(turn)


def test_arbitrary_vectors_have_no_derivative():
    with pytest.raises(ValueError, match="full_matrices=False"):
        gradient(lambda x: linalg.svd(x)[0], np.array([[1.0], [2.0]]))
    with pytest.raises(ValueError, match="mode='reduced'"):
        gradient(lambda x: linalg.qr(x, "complete")[1], np.array([[1.0], [2.0]]))
    assert gradient(lambda x: linalg.svd(x)[1], np.array([[3.0], [4.0]])) == pytest.approx(
        np.array([[0.6], [0.8]])
    )


def test_the_rank_is_plain():
    assert type(linalg.matrix_rank(Value(np.eye(3)))) is not Value
    assert linalg.matrix_rank(Value(np.eye(3))) == 3
    rank = linalg.lstsq(Value(np.eye(3)), np.ones(3))[2]
    assert type(rank) is int
    assert rank == 3


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda v: linalg.norm(v, "fro", axis=0), r"norm\(\(2, 3\) float64, 'fro'\): .*vectors"),
        (lambda v: linalg.norm(v, 7), r"norm\(.*order"),
        (lambda v: linalg.norm(v, axis=(0, 0)), r"norm\(.*axes"),
        (lambda v: linalg.norm(v[None], 2), r"norm\(.*dimensions"),
        (lambda v: linalg.tensorinv(v, 0), "ind"),
        (lambda v: linalg.matrix_power(v, 2), "square"),
    ],
)
def test_errors_say_what_was_wrong(wrong, error):
    with pytest.raises((ValueError, linalg.LinAlgError), match=error):
        wrong(Value(np.ones((2, 3))))


def test_the_power_0_is_a_constant():
    v = Value(np.full((2, 2), np.inf))
    out = linalg.matrix_power(v, 0)
    out.backward(np.ones((2, 2)))
    assert out.data.tolist() == [[1, 0], [0, 1]]
    assert not v.grad.any()


def test_multi_dot_keeps_numpys_order_of_products_in_the_gradient():
    """A chain that is cheap from the left only: 10^6 numbers would be needed the other way round."""
    a, b, c = (Value(np.ones(s)) for s in ((1, 1000), (1000, 1), (1, 1000)))
    np.sum(linalg.multi_dot([a, b, c])).backward()
    np.testing.assert_allclose(a.grad, 1000)


# Second derivatives of determinants, which are determinants of what is left
@pytest.mark.parametrize(
    "x",
    [
        np.zeros((2, 2)),
        np.zeros((3, 3)),
        np.ones((3, 3)),
        np.diag([1.0, 0.0, 0.0]),
        np.arange(1.0, 10).reshape(3, 3) / 10,  # singular, and its determinant rounded to 1e-17
        np.diag([1.0, 1e-9, 1e-9]),
        np.arange(16.0).reshape(4, 4),
        np.eye(4),
        np.diag([2.0, 2.0, 0.0, 2.0]),
    ],
)
def test_the_hessian_of_a_determinant_of_any_rank(x):
    n = len(x)
    want = np.zeros((n, n, n, n))
    for i, j, k, m in itertools.product(range(n), repeat=4):
        if i != k and j != m:
            left = np.delete(np.delete(x, [i, k], 0), [j, m], 1)
            want[i, j, k, m] = (-1) ** (i + j + k + m + (i > k) + (j > m)) * linalg.det(left)
    np.testing.assert_allclose(hessian(linalg.det)(x), want, atol=1e-13 * max(1, np.max(np.abs(want))))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: linalg.pinv(x, rcond=0.3),
        lambda x: linalg.lstsq(x, np.ones(len(x.data)), rcond=0.3)[0],
        lambda x: linalg.lstsq(x, np.arange(8.0).reshape(4, 2)[: len(x.data)], rcond=0.3)[0],
    ],
)
@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (4, 3), (2, 3)])
def test_singular_values_that_are_cut_off_turn_against_the_others(function, shape):
    """The pseudo-inverse leaves them out, but a change of x mixes them with those that stay."""
    rng = np.random.default_rng(3)
    u, v = (linalg.qr(rng.normal(size=(n, n)))[0] for n in shape)
    s = np.zeros(shape)
    np.fill_diagonal(s, [3.0, 0.25, 1.5])
    assert gradcheck(function, u @ s @ v, eps=1e-6)


def test_a_cut_off_pseudo_inverse_of_a_symmetric_matrix_and_of_a_stack():
    rng = np.random.default_rng(4)
    q = linalg.qr(rng.normal(size=(3, 3)))[0]
    x = q @ np.diag([3.0, -0.25, 1.5]) @ q.T
    assert gradcheck(lambda x: linalg.pinv((x + x.T) / 2, 0.3, hermitian=True), x, eps=1e-6)
    assert gradcheck(lambda x: linalg.pinv(x, 0.3), np.stack([x, np.eye(3)]), eps=1e-6)


def test_polyfit_with_a_cutoff():
    x = np.linspace(0, 1, 6)
    assert gradcheck(lambda x, y: np.polyfit(x, y, 3, rcond=0.1), x, np.cos(3 * x), eps=1e-6)
