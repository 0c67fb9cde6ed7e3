"""Rows of polynomials, given by their coefficients from the highest power to the constant."""

import operator

import numpy as np

from ...engine.table import composed
from .arguments import array, like


def _vander(x, N=None, increasing=False):
    x = array(x)
    if x.ndim != 1:
        raise ValueError(f"vander: x has one axis, not shape {x.shape}")
    powers = np.arange(x.shape[0] if N is None else operator.index(N))
    return x[:, None] ** (powers if increasing else powers[::-1])


def _polyval(p, x):
    p, x = array(p), array(x)
    out = np.zeros(x.shape, x.dtype)
    for coefficient in p:
        out = out * x + coefficient
    return like(out, np.result_type(p.dtype, x.dtype))


def _same_length(a1, a2):
    """Both with zeros in front where one is shorter."""
    a1, a2 = np.atleast_1d(array(a1)), np.atleast_1d(array(a2))
    n = max(a1.shape[0], a2.shape[0])
    return [
        a if a.shape[0] == n else np.concatenate([np.zeros(n - a.shape[0], a.dtype), a]) for a in (a1, a2)
    ]


def _polyadd(a1, a2):
    a1, a2 = _same_length(a1, a2)
    return a1 + a2


def _polysub(a1, a2):
    a1, a2 = _same_length(a1, a2)
    return a1 - a2


def _line(p):
    """Coefficients as an array with one axis; a single number is one of them."""
    return _coefficients(np.atleast_1d(array(p)))


def _coefficients(p):
    p = array(p)
    if p.ndim != 1:
        raise ValueError(f"a polynomial is one line of coefficients, and not of shape {p.shape}")
    return p


def _trimmed(p):
    """Without zeros in front."""
    p = np.trim_zeros(_line(p), "f")
    return p if p.shape[0] else np.zeros(1, p.dtype)


def _polymul(a1, a2):
    return np.convolve(_trimmed(a1), _trimmed(a2))


def _polydiv(u, v):
    u, v = _line(u) + 0.0, _line(v) + 0.0
    dtype = np.result_type(u.dtype, v.dtype)
    rest, v, n, quotient = like(u, dtype), like(v, dtype), v.shape[0], []
    if not n or not u.shape[0]:
        raise IndexError("polydiv: a polynomial needs at least one coefficient")
    for k in range(u.shape[0] - n + 1):
        quotient.append(rest[k] / v[0])
        rest = np.concatenate([rest[:k], rest[k : k + n] - quotient[-1] * v, rest[k + n :]])
    while rest.shape[0] > 1 and np.allclose(rest[0], 0, rtol=1e-14):
        rest = rest[1:]
    return (np.stack(quotient) if quotient else np.zeros(1, dtype)), rest


def _polyder(p, m=1):
    m, p = int(m), _coefficients(p)
    if m < 0:
        raise ValueError(f"polyder: cannot take the derivative {m} times; np.polyint integrates")
    for _ in range(m):
        p = p[:-1] * np.arange(p.shape[0] - 1, 0, -1)
    return p


def _polyint(p, m=1, k=None):
    m, p = int(m), _coefficients(p)
    if m < 0:
        raise ValueError(f"polyint: cannot integrate {m} times; np.polyder takes derivatives")
    constants = np.zeros(m) if k is None else np.atleast_1d(array(k))
    if constants.shape[0] == 1:
        constants = np.broadcast_to(constants, (m,))
    if constants.shape[0] < m:
        raise ValueError(f"polyint: {m} integrals need {m} constants k, not {constants.shape[0]}")
    for i in range(m):
        p = np.concatenate([p / np.arange(p.shape[0], 0, -1), constants[i : i + 1]])
    return p


def _poly(seq_of_zeros):
    zeros = np.atleast_1d(array(seq_of_zeros))
    if zeros.ndim != 1:
        raise TypeError(
            "poly: the eigenvalues of a matrix may be complex; give np.linalg.eigvalsh of a symmetric one"
        )
    zeros = like(zeros, np.dtype(np.mintypecode(zeros.dtype.char)))
    out = np.ones(1, zeros.dtype)
    for zero in zeros:
        out = np.concatenate([out, np.zeros(1, out.dtype)]) - zero * np.concatenate(
            [np.zeros(1, out.dtype), out]
        )
    return out


def _polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    if full or cov or np.ndim(deg):
        raise TypeError(
            "polyfit: only the coefficients are recorded; leave out full and cov, and give a number deg"
        )
    if deg < 0:
        raise ValueError(f"polyfit: the degree is at least 0, not {deg}")
    x, y = array(x), array(y)
    powers = _vander(x, deg + 1)
    if w is not None:
        w = array(w)
        powers, y = powers * w[:, None], y * (w if y.ndim == 1 else w[:, None])
    scale = np.sqrt(np.sum(powers * powers, 0))
    rcond = x.shape[0] * np.finfo(x.dtype).eps if rcond is None else rcond
    found = np.linalg.lstsq(powers / scale, y, rcond)[0]
    return found / (scale if y.ndim == 1 else scale[:, None])


composed(np.vander, _vander, formula="powers of x, one a column")
composed(np.polyval, _polyval, formula="the polynomial p at x")
composed(np.polyadd, _polyadd, formula="sum of two polynomials")
composed(np.polysub, _polysub, formula="difference of two polynomials")
composed(np.polymul, _polymul, formula="product of two polynomials")
composed(np.polydiv, _polydiv, formula="quotient and remainder of two polynomials")
composed(np.polyder, _polyder, formula="the derivative of a polynomial")
composed(np.polyint, _polyint, formula="the integral of a polynomial")
composed(np.poly, _poly, formula="the polynomial with these zeros")
composed(np.polyfit, _polyfit, formula="the polynomial of degree deg nearest to the points (x, y)")
