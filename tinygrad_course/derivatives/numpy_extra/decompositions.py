"""Rows of inverses, linear systems, determinants and decompositions of matrices, and of stacks of them.

The rules for the inverse, the determinant and the eigenvalues are those of Giles (2008), "Collected matrix
derivative results for forward and reverse mode algorithmic differentiation"; the others name their paper.

Eigenvectors that belong to a repeated eigenvalue have no derivative: any rotation of them would do as well.
If the result depends on them, its gradient is nan; if it depends on the eigenvalues only, all is well.
Operations that read one triangle of a symmetric matrix get a symmetric gradient, half of it in each triangle.
"""

import numpy as np

from ...engine.table import composed, derivative, nondifferentiable
from ..products import swap
from ..reductions import product_of_others
from ..shaping import cast
from .arguments import array
from .nondifferentiable import constant

REPEATED = "nan for vectors of a repeated {0}, if they are used (also by the second derivative of the {0}s)"
SYMMETRIC = "the gradient is symmetric, although only one triangle is read"

nondifferentiable(np.linalg.matrix_rank)


def _some(condition):
    return bool(np.any(condition))


(some,) = nondifferentiable(
    _some
)  # a function of its own, so that a compiled program checks that the answer stays


def _symmetric(x):
    return 0.5 * (x + swap(x))


def _over(x, gap, scale):
    """x / gap.  A gap that is only rounding gives nan, or 0 where x is 0: nothing depends on it there."""
    none = np.abs(gap) <= 10 * np.finfo(gap.dtype).eps * gap.shape[-1] * scale
    return np.where(none, np.where(x == 0, 0.0, np.nan), x / (gap + none))


def _over_gaps(x, w):
    """x_ij / (w_j - w_i), and 0 on the diagonal: how eigenvectors turn into one another."""
    off_diagonal = ~np.eye(w.shape[-1], dtype=bool)
    return _over(x * off_diagonal, w[..., None, :] - w[..., :, None], _largest(w)[..., None])


def _largest(w):
    return np.max(np.abs(w), axis=-1, keepdims=True, initial=0)


# Inverses and linear systems
def _inv_rule(g, out, x):
    return -np.matmul(np.matmul(swap(out), g), swap(out))


def _solve_a(g, out, a, b):
    back = _solve_b(g, out, a, b)
    return -back[..., :, None] * out[..., None, :] if np.ndim(b) == 1 else -np.matmul(back, swap(out))


def _solve_b(g, out, a, b):
    if np.ndim(b) == 1:  # NumPy 2 takes only this for a vector
        return np.linalg.solve(swap(a), g[..., None])[..., 0]
    return np.linalg.solve(swap(a), g)


def _pinv_rule(g, out, x, rcond=None, hermitian=False, **_):
    """Golub and Pereyra (1973): the rank stays as it is."""
    rest = constant(x) - np.matmul(constant(x), np.matmul(constant(out), constant(x)))
    exact = 10 * np.finfo(x.dtype).eps * max(x.shape[-2:])
    if some(np.abs(rest) > exact * np.max(np.abs(constant(x)), (-2, -1), keepdims=True, initial=0)):
        back = _cut_pinv_rule(g, out, x)
    else:
        g, turned = swap(g), swap(out)
        back = (
            np.matmul(np.matmul(g - np.matmul(x, np.matmul(out, g)), out), turned)
            + np.matmul(turned, np.matmul(out, g - np.matmul(np.matmul(g, out), x)))
            - np.matmul(np.matmul(turned, swap(g)), turned)
        )
    return _symmetric(back) if hermitian else back


def _cut_pinv_rule(g, out, x):
    """The same where singular values other than 0 were cut off, so that x is more than out is the inverse of.

    The kept ones, inverted, and the others, made 0, are a function f of the singular values s.  Where x is
    diagonal, what is symmetric in its change comes back times Δf / Δs, and what is not times Σf / Σs.
    """
    n = max(x.shape[-2:])
    square = lambda a: np.pad(a, [(0, 0)] * (a.ndim - 2) + [(0, n - size) for size in a.shape[-2:]])
    u, s, vh = np.linalg.svd(square(x))
    turned = lambda a: swap(np.matmul(np.matmul(vh, square(a)), u))
    kept = s * np.diagonal(turned(out), 0, -2, -1) > 0.5
    f = kept / (s + ~kept)
    (s, f, kept), (s_, f_, kept_) = ([np.expand_dims(a, axis) for a in (s, f, kept)] for axis in (-1, -2))
    apart = kept != kept_
    even = np.where(apart, (f - f_) / (s - s_ + ~apart), -f * f_)
    odd = np.where(apart, (f + f_) / (s + s_ + ~apart), f * f_)
    g = turned(g)
    back = np.matmul(np.matmul(u, 0.5 * ((even + odd) * g + (even - odd) * swap(g))), vh)
    return back[..., : x.shape[-2], : x.shape[-1]]


derivative(np.linalg.inv, _inv_rule, formula="x⁻¹", domain="x invertible", torch="linalg.inv")
derivative(np.linalg.solve, _solve_a, _solve_b, formula="a⁻¹ b", domain="a invertible", torch="linalg.solve")
derivative(np.linalg.pinv, _pinv_rule, formula="x⁺", domain="the rank of x does not change nearby")


def _lstsq(a, b, rcond):
    """The columns x of least |a x - b|."""
    return np.linalg.lstsq(a, b, rcond)[0]


_lstsq = derivative(
    _lstsq,
    lambda g, out, a, b, rcond: _pinv_rule(np.matmul(g, swap(b)), np.linalg.pinv(a, rcond), a),
    lambda g, out, a, b, rcond: np.matmul(swap(np.linalg.pinv(a, rcond)), g),
    formula="the x of least |a x - b|",
    domain="the rank of a does not change nearby",
)


def _lstsq_results(a, b, rcond=None):
    """The solution, sums of squared residuals (of a tall a of full rank), the rank, singular values."""
    a, b = array(a), array(b)
    (m, n), vector = a.shape, b.ndim == 1
    columns = np.expand_dims(b, 1) if vector else b
    eps = np.finfo(np.promote_types(a.dtype, b.dtype)).eps
    rcond = eps * max(m, n) if rcond is None else eps if rcond < 0 else rcond
    rcond *= min(m, n) > 1  # a single singular value is never cut off
    x = _lstsq(a, columns, rcond)
    s = np.linalg.svdvals(a if a.dtype == x.dtype else cast(a, x.dtype))
    rank = int(np.sum(s > rcond * np.max(s, initial=0)))
    residuals = np.sum((columns - np.matmul(a, x)) ** 2, 0) if rank == n < m else np.zeros(0, s.dtype)
    return (x[:, 0] if vector else x), residuals, rank, s


def _tensorsolve(a, b, axes=None):
    if axes is not None:
        a = np.moveaxis(a, axes, range(-len(axes), 0))
    shape = np.shape(a)[np.ndim(b) :]
    return np.reshape(np.linalg.solve(np.reshape(a, (np.size(b), -1)), np.ravel(b)), shape)


def _tensorinv(a, ind=2):
    if ind <= 0:
        raise ValueError(f"tensorinv: ind counts the first axes, so it is 1 or more, not {ind}")
    rows, columns = a.shape[:ind], a.shape[ind:]
    if not rows:
        raise ValueError("tensorinv: a number has no axes to turn around; 1 / a is its inverse")
    return np.reshape(np.linalg.inv(np.reshape(a, (int(np.prod(rows)), -1))), (*columns, *rows))


composed(
    np.linalg.lstsq,
    _lstsq_results,
    formula="the x of least |a x - b|, and more",
    domain="the rank of a does not change nearby",
)
composed(np.linalg.tensorsolve, _tensorsolve, formula="the x with tensordot(a, x) = b", domain="a invertible")
composed(np.linalg.tensorinv, _tensorinv, formula="a⁻¹ for tensordot", domain="a invertible")


# Determinants
def _orthogonal(x):
    """The singular value decomposition, and the sign of the determinants of its two rotations."""
    u, s, vh = np.linalg.svd(x)
    return u, s, vh, (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]


def _products_of_others(s):
    """For each entry along the last axis the product of all others."""
    return np.moveaxis(product_of_others(np.moveaxis(s, -1, 0)), 0, -1)


def _cofactors(x):
    """The gradient of det x, from singular values and without dividing: x may be singular."""
    u, s, vh, sign = _orthogonal(x)
    return sign * np.matmul(u * _products_of_others(s)[..., None, :], vh)


def _cofactors_rule(g, out, x):
    """Where x is diagonal, a cofactor moves with the entry across the diagonal, times all s but those two."""
    u, s, vh, sign = _orthogonal(x)
    g = sign * np.matmul(np.matmul(swap(u), g), swap(vh))
    diagonal = np.eye(s.shape[-1], dtype=bool)
    but_two = np.where(diagonal, 0, _products_of_others(np.where(diagonal, 1, s[..., None, :])))
    along = np.sum(np.diagonal(g, 0, -2, -1)[..., None, :] * but_two, -1)
    return np.matmul(np.matmul(u, diagonal * along[..., None, :] - swap(g) * but_two), vh)


cofactors = derivative(
    _cofactors,
    _cofactors_rule,
    formula="det of x without a row and a column, with signs",
    kink=REPEATED.format("singular value"),
)


def _det_rule(g, out, x):
    """The cofactors: from the inverse where that and its own derivatives are exact enough."""
    g = g[..., None, None]
    if some(out == 0):
        return g * cofactors(x)
    inverse = np.linalg.inv(x)
    sizes = [np.sum(np.square(constant(a)), (-2, -1)) for a in (x, inverse)]
    if some(sizes[0] * sizes[1] > np.finfo(x.dtype).eps ** -0.5):
        return g * cofactors(x)
    return g * out[..., None, None] * swap(inverse)


def _slogdet_rule(g, out, x):
    if some(out[0] == 0):
        raise np.linalg.LinAlgError(
            "slogdet: the logarithm of the determinant of a singular matrix, -inf, has no derivative; "
            "np.linalg.det has one"
        )
    return g[1][..., None, None] * swap(np.linalg.inv(x))


derivative(np.linalg.det, _det_rule, formula="det x", torch="linalg.det")
derivative(
    np.linalg.slogdet,
    _slogdet_rule,
    formula="sign of det x, log |det x|",
    domain="x invertible",
)


# Decompositions
def _cholesky_rule(g, out, x, upper=False):
    """Murray (2016), "Differentiation of the Cholesky decomposition"."""
    lower, g = (swap(out), swap(g)) if upper else (out, g)
    n = x.shape[-1]
    half = (np.tri(n) - 0.5 * np.eye(n)).astype(x.dtype)
    inner = np.linalg.solve(swap(lower), half * np.matmul(swap(lower), g))
    return _symmetric(np.linalg.solve(swap(lower), swap(inner)))


derivative(
    np.linalg.cholesky,
    _cholesky_rule,
    formula="the triangular l with l lᵀ = x",
    domain="x symmetric and positive definite",
    kink=SYMMETRIC,
)


def _eigh_rule(g, out, x, UPLO="L"):
    (gw, gv), (w, v) = g, out
    turn = _over_gaps(np.matmul(swap(v), gv), w)
    return _symmetric(np.matmul(np.matmul(v, turn) + v * gw[..., None, :], swap(v)))


def _eigvalsh_rule(g, out, x, UPLO="L"):
    _, v = np.linalg.eigh(x, UPLO)
    return np.matmul(v * g[..., None, :], swap(v))


derivative(
    np.linalg.eigh,
    _eigh_rule,
    formula="eigenvalues w and eigenvectors v of a symmetric matrix: x v = v w",
    domain="x symmetric",
    kink=f"{REPEATED.format('eigenvalue')}; {SYMMETRIC}",
)
derivative(
    np.linalg.eigvalsh,
    _eigvalsh_rule,
    formula="eigenvalues of a symmetric matrix",
    domain="x symmetric",
    kink=f"{REPEATED.format('eigenvalue')}; {SYMMETRIC}",
)


def _real(values, *vectors):
    """The results of `np.linalg.eig` as real numbers; NumPy from 2.5 on always gives complex ones."""
    if np.any(np.imag(values)):
        raise TypeError(
            "the eigenvalues of this matrix are complex, and Values hold real numbers; of a symmetric matrix "
            "they are real: np.linalg.eigh, and singular values always are: np.linalg.svdvals"
        )
    return [np.real(result) for result in (values, *vectors)]


def _eig(a):
    """Eigenvalues and eigenvectors, if they are real."""
    results = np.linalg.eig(a)
    return type(results)(*_real(*results))


def _eigvals(a):
    """Eigenvalues, if they are real."""
    return _real(np.linalg.eigvals(a))[0]


def _eig_rule(g, out, x):
    """As for a symmetric matrix, but the inverse of v is not its transpose, and its columns keep length 1."""
    (gw, gv), (w, v) = g, out
    gv = gv - v * np.sum(v * gv, axis=-2, keepdims=True)
    turn = np.matmul(_over_gaps(np.matmul(swap(v), gv), w), swap(v))
    return _solved(swap(v), turn + gw[..., :, None] * swap(v))


def _eigvals_rule(g, out, x):
    _, v = _eig(x)
    return _solved(swap(v), g[..., :, None] * swap(v))


def _solved(v, b):
    try:
        return np.linalg.solve(v, b)
    except np.linalg.LinAlgError:
        said = "eig: a matrix with fewer eigenvectors than columns has no derivative"
        raise np.linalg.LinAlgError(said) from None


_eig = derivative(
    _eig,
    _eig_rule,
    formula="eigenvalues w and eigenvectors v: x v = v w",
    domain="x with real eigenvalues, and as many eigenvectors as columns",
    kink=REPEATED.format("eigenvalue"),
)
_eigvals = derivative(
    _eigvals,
    _eigvals_rule,
    formula="eigenvalues",
    domain="x with real eigenvalues, and as many eigenvectors as columns",
    kink=REPEATED.format("eigenvalue"),
)
composed(np.linalg.eig, _eig, formula="eigenvalues w and eigenvectors v: x v = v w")
composed(np.linalg.eigvals, _eigvals, formula="eigenvalues")


def _thin_qr_rule(gq, gr, q, r):
    if some(np.diagonal(r, 0, -2, -1) == 0):
        raise np.linalg.LinAlgError(
            "qr: the first columns of the matrix depend on one another, and then q has no derivative; "
            "np.linalg.svd or np.linalg.pinv take such a matrix"
        )
    low = np.tri(r.shape[-1], dtype=r.dtype)
    m = np.matmul(r, swap(gr)) - np.matmul(swap(gq), q)
    m = low * m + swap((low - np.eye(r.shape[-1], dtype=r.dtype)) * m)
    return swap(np.linalg.solve(r, swap(gq + np.matmul(q, m))))


def _qr_rule(g, out, x, mode="reduced"):
    """Seeger et al. (2017), "Auto-differentiating linear algebra".

    The columns of a wide matrix after the square part are q times those of r.
    """
    m, n = x.shape[-2:]
    if mode == "raw" or (mode == "complete" and m > n):
        raise ValueError(
            f"qr: mode {mode!r} of a matrix with {m} rows and {n} columns has no derivative, as columns of q "
            "are arbitrary; use mode='reduced' (or 'r')"
        )
    if mode == "r":
        q, r = np.linalg.qr(x)
        gq, gr = np.zeros_like(q), g
    else:
        (gq, gr), (q, r) = g, out
    if m >= n:
        return _thin_qr_rule(gq, gr, q, r)
    rest = gr[..., m:]
    square = _thin_qr_rule(gq + np.matmul(x[..., m:], swap(rest)), gr[..., :m], q, r[..., :m])
    return np.concatenate([square, np.matmul(q, rest)], axis=-1)


derivative(
    np.linalg.qr,
    _qr_rule,
    formula="orthonormal q and triangular r with q r = x",
    domain="x with as many independent first columns as it can have",
)


def _svd_rule(g, out, x, full_matrices=True, compute_uv=True, hermitian=False):
    """Townsend (2016), "Differentiating the singular value decomposition".

    Where u and v turn together, differences of singular values divide; where they turn apart, sums.
    """
    if not compute_uv:
        back = _svdvals_rule(g, out, x)
        return _symmetric(back) if hermitian else back
    (gu, gs, gvh), (u, s, vh) = g, out
    k = s.shape[-1]
    if some(gu[..., k:] != 0) or some(gvh[..., k:, :] != 0):
        raise ValueError(
            f"svd: the columns of u (rows of vh) after the first {k} are arbitrary, so what depends on them "
            "has no derivative; use full_matrices=False"
        )
    u, gu, v, gv = u[..., :k], gu[..., :k], swap(vh[..., :k, :]), swap(gvh[..., :k, :])
    turn_u, turn_v = np.matmul(swap(u), gu), np.matmul(swap(v), gv)
    together = _symmetric(_over_gaps(turn_u, s) + _over_gaps(turn_v, s))
    against = turn_u - swap(turn_u) - turn_v + swap(turn_v)
    largest, sums = _largest(s)[..., None], s[..., None, :] + s[..., :, None]
    inner = together + 0.5 * _over(against, sums, largest)
    left = np.matmul(u, inner) + u * gs[..., None, :]
    if u.shape[-2] > k:
        left = left + _over(gu - np.matmul(u, turn_u), s[..., None, :], largest)
    back = np.matmul(left, swap(v))
    if v.shape[-2] > k:
        away = _over(gv - np.matmul(v, turn_v), s[..., None, :], largest)
        back = back + np.matmul(u, swap(away))
    return _symmetric(back) if hermitian else back


def _svdvals_rule(g, out, x):
    u, _, vh = np.linalg.svd(x, full_matrices=False)
    return np.matmul(u * (g * np.sign(out))[..., None, :], vh)


derivative(
    np.linalg.svd,
    _svd_rule,
    formula="orthonormal u and v, and singular values s, with u s vᵀ = x",
    kink=REPEATED.format("singular value"),
)
derivative(
    np.linalg.svdvals,
    _svdvals_rule,
    formula="singular values",
    kink="0 at 0 exactly; nan for the second derivative where two are equal",
)
