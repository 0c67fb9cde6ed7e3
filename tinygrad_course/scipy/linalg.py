"""Functions of scipy.linalg: triangular systems, Cholesky factors, functions of a matrix, matrices built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg

from ..derivatives import composed, derivative


# Triangular systems (Giles 2008, as in `derivatives`: only the triangle that is read has a gradient)
def _solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False
) -> Any:
    """The x with a x = b, or aᵀ x = b where `trans` is 1, and a is triangular."""
    return linalg.solve_triangular(a, b, trans, lower, unit_diagonal)


def _triangular_b(
    g: Any, out: Any, a: Any, b: Any, trans: Any = 0, lower: Any = False, unit_diagonal: Any = False
) -> Any:
    return solve_triangular(a, g, 1 if trans in (0, "N") else 0, lower, unit_diagonal)


def _triangular_a(
    g: Any, out: Any, a: Any, b: Any, trans: Any = 0, lower: Any = False, unit_diagonal: Any = False
) -> Any:
    back = _triangular_b(g, out, a, b, trans, lower, unit_diagonal)
    vector = np.ndim(out) == 1
    product = np.outer(back, out) if vector else np.matmul(back, np.matrix_transpose(out))
    product = product if trans in (0, "N") else np.matrix_transpose(product)
    return -np.tril(product, -1 if unit_diagonal else 0) if lower else -np.triu(product, int(unit_diagonal))


solve_triangular: Any = derivative(
    _solve_triangular, _triangular_a, _triangular_b, formula="a⁻¹ b", domain="a triangular and invertible"
)


def _cho_factor(a: Any, lower: bool = False) -> tuple[Any, bool]:
    factor = np.linalg.cholesky(
        a if lower else np.matrix_transpose(a)
    )  # which reads the lower triangle, SciPy the named one
    return (factor if lower else np.matrix_transpose(factor)), lower


cho_factor = composed(
    linalg.cho_factor,
    _cho_factor,
    formula="the triangular c with cᵀ c = a, and whether it is lower (c cᵀ = a)",
)


def cho_solve(c_and_lower: Any, b: Any) -> Any:
    """The x with a x = b, given ``cho_factor(a)``.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import Value
    >>> a = Value([[2.0, 0.0], [0.0, 4.0]])
    >>> cho_solve(cho_factor(a), np.array([1.0, 1.0]))
    Value([0.5 , 0.25])
    """
    c, lower = c_and_lower
    halfway = solve_triangular(c, b, 0 if lower else 1, lower)
    return solve_triangular(c, halfway, 1 if lower else 0, lower)


# Functions of a matrix
def _of_matrix(function: Callable[..., Any], formula: str, domain: str = "") -> Any:
    """`function` of a matrix, with the derivative that all such functions have.

    f of the block matrix (a e; 0 a) has f a on its diagonal, and beside it the derivative of f at a along e
    (Mathias 1996, "A chain rule for matrix functions"); with aᵀ and the gradient in place of e it comes back.
    """

    def rule(g: Any, out: Any, a: Any) -> Any:
        n, turned = a.shape[-1], np.matrix_transpose(a)
        return recorded(np.block([[turned, g], [np.zeros(a.shape, a.dtype), turned]]))[..., :n, n:]

    recorded = derivative(function, rule, formula=formula, domain=domain)
    return recorded


def _real(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, if its result is real: a Value holds real numbers."""

    def real(a: Any) -> Any:
        out = function(a)
        if np.iscomplexobj(out) and np.any(np.imag(out)):
            raise ValueError(f"{function.__name__} of this matrix is complex, and Values hold real numbers")
        return np.real(out)

    real.__name__ = function.__name__
    return real


expm = _of_matrix(_real(linalg.expm), "Σ a ** k / k!")
sqrtm = _of_matrix(_real(linalg.sqrtm), "the x with x x = a", "a with no eigenvalue at 0 or below")
logm = _of_matrix(_real(linalg.logm), "the x with expm x = a", "a with no eigenvalue at 0 or below")


# Matrices of a pattern
def _block_diag(*arrs: Any) -> Any:
    blocks, left, rows = [np.atleast_2d(a) for a in arrs], 0, []
    width = sum(a.shape[1] for a in blocks)
    for a in blocks:
        rows.append(np.pad(a, ((0, 0), (left, width - left - a.shape[1]))))
        left += a.shape[1]
    return np.concatenate(rows)


def _toeplitz(c: Any, r: Any = None) -> Any:
    """Entry (i, j) is c at i - j, or r at j - i above the diagonal."""
    c = np.ravel(c)
    r = c if r is None else np.ravel(r)
    entries = np.concatenate([np.flip(c), r[1:]])
    i, j = np.ogrid[: c.shape[0], : r.shape[0]]
    return entries[c.shape[0] - 1 - i + j]


block_diag = composed(linalg.block_diag, _block_diag, formula="the matrices along the diagonal")
toeplitz = composed(linalg.toeplitz, _toeplitz, formula="c_{i - j}, r_{j - i} above the diagonal")
