"""Rows of more of SciPy's special functions: distributions and their inverses, products, elliptic integrals.

As in scipy_special.py, which has the functions that these are made of; an argument whose derivative has no
form in such functions is refused there by name.  Sections are those of dlmf.nist.gov.
"""

import math

import numpy as np

from ..engine.table import derivative
from .scipy_special import ROOT_2PI, beta_density, exprel_slope, gamma_density, sp, unknown

DEGREE = math.pi / 180


# Trigonometry in degrees, the cube root, the dilogarithm (DLMF 25.12), Dawson's integral (DLMF 7.2)
derivative(sp.sindg, lambda g, out, x: g * DEGREE * sp.cosdg(x), formula="sin of x degrees")
derivative(sp.cosdg, lambda g, out, x: g * -DEGREE * sp.sindg(x), formula="cos of x degrees")
derivative(
    sp.tandg,
    lambda g, out, x: g * DEGREE * (1 + out * out),
    formula="tan of x degrees",
    domain="x no odd multiple of 90",
)
derivative(
    sp.cotdg,
    lambda g, out, x: g * -DEGREE * (1 + out * out),
    formula="cot of x degrees",
    domain="x no multiple of 180",
)
derivative(
    sp.radian,
    lambda g, out, d, m, s: g * DEGREE,
    lambda g, out, d, m, s: g * (DEGREE / 60),
    lambda g, out, d, m, s: g * (DEGREE / 3600),
    formula="x degrees, y minutes and z seconds in radians",
)
derivative(sp.cbrt, lambda g, out, x: g / (3 * out * out), formula="the y with y³ = x", kink="inf at 0")
derivative(
    sp.spence,
    lambda g, out, x: g * np.log(x) / (1 - x),
    formula="∫ log t / (1 - t) dt from 1 to x",
    domain="x > 0, x ≠ 1",
)
derivative(sp.dawsn, lambda g, out, x: g * (1 - 2 * x * out), formula="exp(-x²) ∫ exp t² dt from 0 to x")
derivative(
    sp.erfi,
    lambda g, out, x: g * (2 / math.sqrt(math.pi) * np.exp(x * x)),
    formula="2 / √(π) ∫ exp t² dt from 0 to x",
)

# Powers once more
derivative(
    sp.boxcox1p,
    lambda g, out, x, lmbda: g * (1 + x) ** (lmbda - 1),
    lambda g, out, x, lmbda: g * (np.log1p(x) ** 2 * exprel_slope(lmbda * np.log1p(x), 1)),
    formula="((1 + x) ** y - 1) / y, and log(1 + x) for y = 0",
    domain="x > -1",
)


def _of_inverse(x, lmbda):
    """By the exponent: minus what boxcox changes, divided by its slope."""
    u = np.log(x)
    return -u * u * exprel_slope(lmbda * u, 1) * x ** (1 - lmbda)


derivative(
    sp.inv_boxcox,
    lambda g, out, x, lmbda: g * out ** (1 - lmbda),
    lambda g, out, x, lmbda: g * _of_inverse(out, lmbda),
    formula="the z with boxcox(z, y) = x",
    domain="x y > -1",
)
derivative(
    sp.inv_boxcox1p,
    lambda g, out, x, lmbda: g * (1 + out) ** (1 - lmbda),
    lambda g, out, x, lmbda: g * _of_inverse(1 + out, lmbda),
    formula="the z with boxcox1p(z, y) = x",
    domain="x y > -1",
)

# Relatives of the gamma function (DLMF 5)
derivative(
    sp.rgamma,
    lambda g, out, x: -g * out * sp.psi(x),
    formula="1 / gamma x",
    domain="x no whole number below 1",
)
derivative(
    sp.binom,
    lambda g, out, n, k: g * (out * (sp.psi(n + 1) - sp.psi(n - k + 1))),
    lambda g, out, n, k: g * (out * (sp.psi(n - k + 1) - sp.psi(k + 1))),
    formula="x over y: gamma(x + 1) / (gamma(y + 1) gamma(x - y + 1))",
    domain="-1 < y < x + 1",
)
derivative(
    sp.poch,
    lambda g, out, z, m: g * (out * (sp.psi(z + m) - sp.psi(z))),
    lambda g, out, z, m: g * (out * sp.psi(z + m)),
    formula="gamma(x + y) / gamma x",
    domain="x, x + y > 0",
)


def _expn_slope(g, out, n, x):
    """Minus the one of order n - 1 (DLMF 8.19.13); before order 0, by 8.19.12."""
    below = sp.expn(np.maximum(n - 1, 0), x)
    return -g * np.where(n == 0, (out + np.exp(-x)) / x, below)


derivative(
    sp.expn,
    unknown,
    _expn_slope,
    formula="∫ exp(-y t) / t ** x dt from 1 to ∞",
    domain="x whole, y > 0",
)

# Hypergeometric functions (DLMF 13.3.22, 15.5.1, 16.3.1)
derivative(
    sp.hyp0f1,
    unknown,
    lambda g, out, v, z: g * (sp.hyp0f1(v + 1, z) / v),
    formula="1 + y / x + y² / (x (x + 1) 2!) + ...",
    domain="x no whole number below 1",
)
derivative(
    sp.hyperu,
    unknown,
    unknown,
    lambda g, out, a, b, x: g * (-a * sp.hyperu(a + 1, b + 1, x)),
    formula="U(x, y, z), the second confluent hypergeometric function",
    domain="z > 0",
)

# Elliptic integrals (DLMF 19.4)
derivative(
    sp.ellipk,
    lambda g, out, m: g * ((sp.ellipe(m) / (1 - m) - out) / (2 * m)),
    formula="∫ 1 / √(1 - x sin² t) dt from 0 to π/2",
    domain="x < 1, x ≠ 0",
)
derivative(
    sp.ellipkm1,
    lambda g, out, p: g * ((out - sp.ellipe(1 - p) / p) / (2 * (1 - p))),
    formula="ellipk(1 - x)",
    domain="x > 0, x ≠ 1",
)
derivative(
    sp.ellipe,
    lambda g, out, m: g * ((out - sp.ellipk(m)) / (2 * m)),
    formula="∫ √(1 - x sin² t) dt from 0 to π/2",
    domain="x < 1, x ≠ 0",
)


def _ellipkinc_m(g, out, phi, m):
    corner = np.sin(2 * phi) / (2 * np.sqrt(1 - m * np.sin(phi) ** 2))
    return g * (((sp.ellipeinc(phi, m) - m * corner) / (1 - m) - out) / (2 * m))


derivative(
    sp.ellipkinc,
    lambda g, out, phi, m: g / np.sqrt(1 - m * np.sin(phi) ** 2),
    _ellipkinc_m,
    formula="∫ 1 / √(1 - y sin² t) dt from 0 to x",
    domain="y < 1, y ≠ 0",
)
derivative(
    sp.ellipeinc,
    lambda g, out, phi, m: g * np.sqrt(1 - m * np.sin(phi) ** 2),
    lambda g, out, phi, m: g * ((out - sp.ellipkinc(phi, m)) / (2 * m)),
    formula="∫ √(1 - y sin² t) dt from 0 to x",
    domain="y < 1, y ≠ 0",
)


# Distributions: the slope by where they are asked for is the density
def _t_density(df, t):
    half = (df + 1) / 2
    logarithm = sp.gammaln(half) - sp.gammaln(df / 2) - 0.5 * np.log(math.pi * df)
    return np.exp(logarithm - half * np.log1p(t * t / df))


def _f_density(out, dfn, dfd, x):
    whole = dfd + dfn * x
    return beta_density(out, dfn / 2, dfd / 2, dfn * x / whole) * (dfn * dfd / whole**2)


for _sign, _poisson, _chi, _gamma, _f in (
    (1.0, sp.pdtrc, sp.chdtr, sp.gdtr, sp.fdtr),
    (-1.0, sp.pdtr, sp.chdtrc, sp.gdtrc, sp.fdtrc),
):
    _name = "the distribution" if _sign > 0 else "1 - the distribution"
    derivative(
        _poisson,
        unknown,
        lambda g, out, k, m, s=_sign: g * (s * gamma_density(out, np.floor(k) + 1, m)),
        formula=("1 - " if _sign > 0 else "") + "Σ exp(-y) yᵏ / k! for k from 0 to x",
        domain="x, y ≥ 0",
    )
    derivative(
        _chi,
        unknown,
        lambda g, out, v, x, s=_sign: g * (0.5 * s * gamma_density(out, v / 2, x / 2)),
        formula=f"{_name} of chi square of x degrees at y",
        domain="x > 0, y ≥ 0",
    )
    derivative(
        _gamma,
        lambda g, out, a, b, x, s=_sign: g * (s * x * gamma_density(out, b, a * x)),
        unknown,
        lambda g, out, a, b, x, s=_sign: g * (s * a * gamma_density(out, b, a * x)),
        formula=f"{_name} of gamma of rate x and shape y at z",
        domain="x, y > 0, z ≥ 0",
    )
    derivative(
        _f,
        unknown,
        unknown,
        lambda g, out, dfn, dfd, x, s=_sign: g * (s * _f_density(out, dfn, dfd, x)),
        formula=f"{_name} of F of x and y degrees at z",
        domain="x, y > 0, z ≥ 0",
    )
derivative(
    sp.betaincc,
    unknown,
    unknown,
    lambda g, out, a, b, x: -g * beta_density(out, a, b, x),
    formula="1 - betainc(x, y, z)",
    domain="x, y > 0, 0 ≤ z ≤ 1",
)
derivative(
    sp.stdtr,
    unknown,
    lambda g, out, df, t: g * _t_density(df, t),
    formula="the distribution of Student's t of x degrees at y",
    domain="x > 0",
)

# Their inverses, whose slope is one over the density
derivative(
    sp.gammaincinv,
    unknown,
    lambda g, out, a, y: g / gamma_density(out, a, out),
    formula="the z with gammainc(x, z) = y",
    domain="x > 0, 0 < y < 1",
)
derivative(
    sp.gammainccinv,
    unknown,
    lambda g, out, a, y: -g / gamma_density(out, a, out),
    formula="the z with gammaincc(x, z) = y",
    domain="x > 0, 0 < y < 1",
)
derivative(
    sp.betaincinv,
    unknown,
    unknown,
    lambda g, out, a, b, y: g / beta_density(out, a, b, out),
    formula="the t with betainc(x, y, t) = z",
    domain="x, y > 0, 0 < z < 1",
)
derivative(
    sp.betainccinv,
    unknown,
    unknown,
    lambda g, out, a, b, y: -g / beta_density(out, a, b, out),
    formula="the t with betaincc(x, y, t) = z",
    domain="x, y > 0, 0 < z < 1",
)
derivative(
    sp.chdtri,
    unknown,
    lambda g, out, v, p: -2 * g / gamma_density(out, v / 2, out / 2),
    formula="the z with chdtrc(x, z) = y",
    domain="x > 0, 0 < y < 1",
)
derivative(
    sp.fdtri,
    unknown,
    unknown,
    lambda g, out, dfn, dfd, p: g / _f_density(out, dfn, dfd, out),
    formula="the t with fdtr(x, y, t) = z",
    domain="x, y > 0, 0 < z < 1",
)
derivative(
    sp.stdtrit,
    unknown,
    lambda g, out, df, p: g / _t_density(df, out),
    formula="the z with stdtr(x, z) = y",
    domain="x > 0, 0 < y < 1",
)
derivative(
    sp.ndtri_exp,
    lambda g, out, y: g * ROOT_2PI * np.exp(y + 0.5 * out * out),
    formula="the z with log_ndtr z = x",
    domain="x < 0",
)
