"""Rows of SciPy's special functions, loaded when the first of them meets a Value; SciPy is an extra.

Most rules are other functions of the family, as in the NIST Digital Library of Mathematical Functions
(dlmf.nist.gov), whose sections are named; so one rule gives every order.  A function whose derivative by one
of its arguments has no such form (an order, a shape) is refused there by name.
"""

import inspect
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import special
from scipy.special._ufuncs import _zeta

from ..engine.table import derivative

# The ufuncs themselves: with SCIPY_ARRAY_API=1 functions stand around them
sp: Any = SimpleNamespace(
    **{
        name: inspect.unwrap(function, stop=lambda f: isinstance(f, type(np.sinc)))
        for name, function in vars(special).items()
        if callable(function)
    }
)

unknown: Any = ...
"""In place of a rule: the derivative by this argument is not known, so it cannot be a Value."""

TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)
ROOT_2PI = math.sqrt(2 * math.pi)


def _nan_where(outside):
    """A factor for what is a slope inside the domain only: of it, and of its own derivatives."""
    return np.where(outside, np.nan, 1.0)


# The logistic function and its relatives
derivative(
    sp.expit, lambda g, out, x: g * out * sp.expit(-x), formula="1 / (1 + exp(-x))", torch="special.expit"
)
derivative(
    sp.logit,
    lambda g, out, x: g / (x * (1 - x)) * _nan_where(np.isnan(out)),
    formula="log(x / (1 - x))",
    domain="0 < x < 1",
    torch="special.logit",
)
derivative(
    sp.log_expit,
    lambda g, out, x: g * sp.expit(-x),
    formula="log(1 / (1 + exp(-x)))",
    torch="nn.functional.logsigmoid",
)

# Exponentials and logarithms, which SciPy has once more
derivative(sp.exp2, lambda g, out, x: g * (out * math.log(2)), formula="2 ** x", torch="special.exp2")
derivative(sp.exp10, lambda g, out, x: g * (out * math.log(10)), formula="10 ** x")
derivative(sp.expm1, lambda g, out, x: g * (out + 1), formula="exp x - 1", torch="special.expm1")
derivative(sp.log1p, lambda g, out, x: g / (1 + x), formula="log(1 + x)", domain="x > -1", torch="log1p")
derivative(sp.cosm1, lambda g, out, x: -g * np.sin(x), formula="cos x - 1")


def _exprel_slope(x, n):
    """∫ tⁿ exp(x t) dt from 0 to 1; hyp1f1 would go on for ever far beyond exp's range."""
    near = sp.hyp1f1(n + 1.0, n + 2.0, np.clip(x, -1000.0, 1000.0)) / (n + 1)
    return np.where(x < -1000, math.factorial(n) / np.maximum(-x, 1000.0) ** (n + 1), near)


exprel_slope: Any = derivative(
    _exprel_slope,
    lambda g, out, x, n: g * exprel_slope(x, n + 1),
    formula="the derivative of order n of exprel x",
    elementwise=True,
)
derivative(sp.exprel, lambda g, out, x: g * exprel_slope(x, 1), formula="(exp x - 1) / x, and 1 at 0")


def _boxcox_exponent(g, out, x, lmbda):
    """boxcox is u · exprel(λ u) with u = log x, also where λ is 0."""
    u = np.log(x)
    return g * (u * u * exprel_slope(lmbda * u, 1))


derivative(
    sp.boxcox,
    lambda g, out, x, lmbda: g * x ** (lmbda - 1),
    _boxcox_exponent,
    formula="(x ** y - 1) / y, and log x for y = 0",
    domain="x > 0",
)

# Entropy
derivative(
    sp.xlogy,
    lambda g, out, x, y: g * sp.xlogy((x != 0) | (y > 0), y),
    lambda g, out, x, y: g * x / y,
    formula="x · log y, and 0 where x is",
    domain="y > 0",
    kink="0 for x at x = 0, y = 0",
    torch="special.xlogy",
)
derivative(
    sp.xlog1py,
    lambda g, out, x, y: g * sp.xlog1py((x != 0) | (y > -1), y),
    lambda g, out, x, y: g * x / (1 + y),
    formula="x · log(1 + y), and 0 where x is",
    domain="y > -1",
    kink="0 for x at x = 0, y = -1",
    torch="special.xlog1py",
)
derivative(
    sp.entr,
    lambda g, out, x: -g * (np.log(x) + 1),
    formula="-x · log x, and 0 at 0",
    domain="x ≥ 0",
    kink="inf at 0",
    torch="special.entr",
)
derivative(
    sp.rel_entr,
    lambda g, out, x, y: g * (np.log(x) - np.log(y) + 1),
    lambda g, out, x, y: -g * x / y * _nan_where(x < 0),
    formula="x · log(x / y), and 0 where x is",
    domain="x, y > 0",
)
derivative(
    sp.kl_div,
    lambda g, out, x, y: g * (np.log(x) - np.log(y)),
    lambda g, out, x, y: g * (1 - x / y) * _nan_where(x < 0),
    formula="x · log(x / y) - x + y",
    domain="x, y > 0",
)

# The error function (DLMF 7.2) and the normal distribution
derivative(
    sp.erf,
    lambda g, out, x: g * (TWO_OVER_ROOT_PI * np.exp(-x * x)),
    formula="2 / √(π) ∫ exp(-t²) dt from 0 to x",
    torch="special.erf",
)
derivative(
    sp.erfc,
    lambda g, out, x: g * (-TWO_OVER_ROOT_PI * np.exp(-x * x)),
    formula="1 - erf x",
    torch="special.erfc",
)


def _erfcx_slope(g, out, x):
    """2x erfcx x - 2 / √π; far out, where that is a small difference of large numbers, DLMF 7.12.1."""
    far = x > 50
    square = 1 / np.where(far, x, 50.0) ** 2
    series = -0.5 * square * (1 - 1.5 * square * (1 - 2.5 * square * (1 - 3.5 * square)))
    return g * np.where(far, TWO_OVER_ROOT_PI * series, 2 * x * out - TWO_OVER_ROOT_PI)


derivative(sp.erfcx, _erfcx_slope, formula="exp x² · (1 - erf x)", torch="special.erfcx")
derivative(
    sp.erfinv,
    lambda g, out, x: g * (np.exp(out * out) / TWO_OVER_ROOT_PI),
    formula="the y with erf y = x",
    domain="-1 < x < 1",
    torch="special.erfinv",
)
derivative(
    sp.erfcinv,
    lambda g, out, x: g * (-np.exp(out * out) / TWO_OVER_ROOT_PI),
    formula="the y with erfc y = x",
    domain="0 < x < 2",
)
derivative(
    sp.ndtr,
    lambda g, out, x: g * (np.exp(-0.5 * x * x) / ROOT_2PI),
    formula="1 / √(2π) ∫ exp(-t²/2) dt from -∞ to x",
    torch="special.ndtr",
)
derivative(
    sp.ndtri,
    lambda g, out, x: g * (ROOT_2PI * np.exp(0.5 * out * out)),
    formula="the y with ndtr y = x",
    domain="0 < x < 1",
    torch="special.ndtri",
)


def _log_ndtr_rule(g, out, x):
    """The density divided by ndtr x, which far below 0 is a quotient of two numbers that underflow."""
    below = x < -1
    quotient = math.sqrt(2 / math.pi) / sp.erfcx(-np.where(below, x, -1.0) / math.sqrt(2))
    return g * np.where(below, quotient, np.exp(-0.5 * x * x - out) / ROOT_2PI)


derivative(
    sp.log_ndtr,
    _log_ndtr_rule,
    formula="log ndtr x",
    torch="special.log_ndtr",
)
derivative(
    sp.owens_t,
    lambda g, out, h, a: g * (np.exp(-0.5 * h * h) * sp.erf(a * h / math.sqrt(2)) / (-2 * ROOT_2PI)),
    lambda g, out, h, a: g * (np.exp(-0.5 * h * h * (1 + a * a)) / (2 * math.pi * (1 + a * a))),
    formula="1 / 2π ∫ exp(-x²(1 + t²)/2) / (1 + t²) dt from 0 to y",
)

# The gamma function (DLMF 5) and the zeta function (DLMF 25.11.17)
zeta: Any = derivative(
    _zeta,
    unknown,
    lambda g, out, x, q: g * (-x * zeta(x + 1, q)),
    formula="Σ 1 / (k + y) ** x over k = 0, 1, ...",
    domain="x > 1, y no whole number below 1",
)


def _polygamma(n, x):
    """The derivative of order n of psi: (-1)ⁿ⁺¹ n! ζ(n + 1, x), in the dtype of x."""
    x = np.asarray(x)
    n = np.asarray(n).astype(x.dtype)
    with np.errstate(invalid="ignore"):  # of a sign of no whole order nan is right
        return np.where(n == 0, sp.psi(x), (-1.0) ** (n + 1) * sp.gamma(n + 1) * _zeta(n + 1, x))


polygamma: Any = derivative(
    _polygamma,
    unknown,
    lambda g, out, n, x: g * polygamma(np.asarray(n) + 1, x),
    formula="the derivative of order n of digamma x",
    domain="n whole, x no whole number below 1",
    elementwise=True,
)
derivative(
    sp.psi,
    lambda g, out, x: g * zeta(2.0, x),
    formula="digamma x, the derivative of log gamma x",
    domain="x no whole number below 1",
    torch="special.digamma",
)
derivative(
    sp.gamma,
    lambda g, out, x: g * (out * sp.psi(x)),
    formula="∫ t ** (x - 1) exp(-t) dt from 0 to ∞",
    domain="x no whole number below 1",
)
derivative(
    sp.gammaln,
    lambda g, out, x: g * sp.psi(x),
    formula="log |gamma x|",
    domain="x no whole number below 1",
    torch="special.gammaln",
)
derivative(
    sp.loggamma,
    lambda g, out, x: g * sp.psi(x) * _nan_where(np.isnan(out)),
    formula="log gamma x",
    domain="x > 0",
)
derivative(
    sp.beta,
    lambda g, out, a, b: g * (out * (sp.psi(a) - sp.psi(a + b))),
    lambda g, out, a, b: g * (out * (sp.psi(b) - sp.psi(a + b))),
    formula="gamma x · gamma y / gamma(x + y)",
    domain="x, y > 0",
)
derivative(
    sp.betaln,
    lambda g, out, a, b: g * (sp.psi(a) - sp.psi(a + b)),
    lambda g, out, a, b: g * (sp.psi(b) - sp.psi(a + b)),
    formula="log |beta(x, y)|",
    domain="x, y > 0",
)


def gamma_density(out, a, x):
    return np.exp(sp.xlogy(a - 1, x) - x - sp.gammaln(a)) * _nan_where(np.isnan(out))


def beta_density(out, a, b, x):
    density = np.exp(sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - sp.betaln(a, b))
    return density * _nan_where(np.isnan(out))


# Their incomplete forms (DLMF 8.8.13, 8.17.22)
derivative(
    sp.gammainc,
    unknown,
    lambda g, out, a, x: g * gamma_density(out, a, x),
    formula="1 / gamma x · ∫ t ** (x - 1) exp(-t) dt from 0 to y",
    domain="x > 0, y ≥ 0",
    torch="special.gammainc",
)
derivative(
    sp.gammaincc,
    unknown,
    lambda g, out, a, x: -g * gamma_density(out, a, x),
    formula="1 / gamma x · ∫ t ** (x - 1) exp(-t) dt from y to ∞",
    domain="x > 0, y ≥ 0",
    torch="special.gammaincc",
)
derivative(
    sp.betainc,
    unknown,
    unknown,
    lambda g, out, a, b, x: g * beta_density(out, a, b, x),
    formula="1 / beta(x, y) · ∫ t ** (x - 1) (1 - t) ** (y - 1) dt from 0 to z",
    domain="x, y > 0, 0 ≤ z ≤ 1",
)

# Bessel functions (DLMF 10.6.1 and 10.29.1): the middle of the orders above and below
derivative(
    sp.j0, lambda g, out, x: -g * sp.j1(x), formula="J₀ x, a Bessel function", torch="special.bessel_j0"
)
derivative(
    sp.j1,
    lambda g, out, x: g * (0.5 * (sp.j0(x) - sp.jv(2.0, x))),
    formula="J₁ x, a Bessel function",
    torch="special.bessel_j1",
)
derivative(
    sp.jv,
    unknown,
    lambda g, out, v, x: g * (0.5 * (sp.jv(v - 1, x) - sp.jv(v + 1, x))),
    formula="J of order x at y, a Bessel function",
)
derivative(
    sp.y0,
    lambda g, out, x: -g * sp.y1(x),
    formula="Y₀ x, a Bessel function of the second kind",
    domain="x > 0",
    torch="special.bessel_y0",
)
derivative(
    sp.y1,
    lambda g, out, x: g * (sp.y0(x) - out / x),
    formula="Y₁ x, a Bessel function of the second kind",
    domain="x > 0",
    torch="special.bessel_y1",
)
for ufunc in (sp.yn, sp.yv):
    derivative(
        ufunc,
        unknown,
        lambda g, out, v, x: g * (0.5 * (sp.yv(v - 1, x) - sp.yv(v + 1, x))),
        formula="Y of order x at y, a Bessel function of the second kind",
        domain="y > 0",
    )
derivative(
    sp.i0,
    lambda g, out, x: g * sp.i1(x),
    formula="I₀ x, a modified Bessel function",
    torch="special.i0",
)
derivative(
    sp.i1,
    lambda g, out, x: g * (0.5 * (sp.i0(x) + sp.iv(2.0, np.clip(x, -1000.0, 1000.0)))),
    formula="I₁ x, a modified Bessel function",
    torch="special.i1",
)
derivative(
    sp.iv,
    unknown,
    lambda g, out, v, x: g * (0.5 * (sp.iv(v - 1, x) + sp.iv(v + 1, x))),
    formula="I of order x at y, a modified Bessel function",
)
derivative(
    sp.k0,
    lambda g, out, x: -g * sp.k1(x),
    formula="K₀ x, a modified Bessel function of the second kind",
    domain="x > 0",
    torch="special.modified_bessel_k0",
)
derivative(
    sp.k1,
    lambda g, out, x: -g * (sp.k0(x) + out / x),
    formula="K₁ x, a modified Bessel function of the second kind",
    domain="x > 0",
    torch="special.modified_bessel_k1",
)
for ufunc in (sp.kn, sp.kv):
    derivative(
        ufunc,
        unknown,
        lambda g, out, v, x: g * (-0.5 * (sp.kv(v - 1, x) + sp.kv(v + 1, x))),
        formula="K of order x at y, a modified Bessel function of the second kind",
        domain="y > 0",
    )

# The same times exp(-|x|) or exp x
derivative(
    sp.i0e,
    lambda g, out, x: g * (sp.i1e(x) - np.sign(x) * out),
    formula="exp(-|x|) · I₀ x",
    kink="0 at 0",
    torch="special.i0e",
)


def _i1e_rule(g, out, x):
    """As that of ive, whose values far out SciPy does not know: they follow from those of orders 0 and 1."""
    far = np.abs(x) > 1e6
    far_out = sp.i0e(x) - 2 * out / np.where(far, x, 1.0)
    order_2 = np.where(far, far_out, sp.ive(2.0, np.clip(x, -1e6, 1e6)))
    return g * (0.5 * (sp.i0e(x) + order_2) - np.sign(x) * out)


derivative(
    sp.i1e,
    _i1e_rule,
    formula="exp(-|x|) · I₁ x",
    kink="in the second derivative, at 0",
    torch="special.i1e",
)
derivative(
    sp.ive,
    unknown,
    lambda g, out, v, x: g * (0.5 * (sp.ive(v - 1, x) + sp.ive(v + 1, x)) - np.sign(x) * out),
    formula="exp(-|y|) · I of order x at y",
    kink="that of exp(-|y|) at 0",
)
derivative(
    sp.k0e,
    lambda g, out, x: g * (out - sp.k1e(x)),
    formula="exp x · K₀ x",
    domain="x > 0",
    torch="special.scaled_modified_bessel_k0",
)
derivative(
    sp.k1e,
    lambda g, out, x: g * (out * (1 - 1 / x) - sp.k0e(x)),
    formula="exp x · K₁ x",
    domain="x > 0",
    torch="special.scaled_modified_bessel_k1",
)
derivative(
    sp.kve,
    unknown,
    lambda g, out, v, x: g * (out - 0.5 * (sp.kve(v - 1, x) + sp.kve(v + 1, x))),
    formula="exp y · K of order x at y",
    domain="y > 0",
)

# Exponential integrals (DLMF 6.2) and the confluent hypergeometric function (DLMF 13.3.15)
derivative(
    sp.expi,
    lambda g, out, x: g * (np.exp(x) / x),
    formula="∫ exp t / t dt from -∞ to x",
    domain="x ≠ 0",
)
derivative(
    sp.exp1,
    lambda g, out, x: g * (-np.exp(-x) / x) * _nan_where(np.isnan(out)),
    formula="∫ exp(-t) / t dt from x to ∞",
    domain="x > 0",
)
derivative(
    sp.hyp1f1,
    unknown,
    unknown,
    lambda g, out, a, b, x: g * (a / b * sp.hyp1f1(a + 1, b + 1, x)),
    formula="1 + x / y · z + x (x + 1) / (y (y + 1)) · z² / 2! + ...",
    domain="y no whole number below 1",
)

# Losses
derivative(
    sp.huber,
    lambda g, out, delta, r: g * np.maximum(np.abs(r) - delta, 0.0),
    lambda g, out, delta, r: g * np.clip(r, -delta, delta),
    formula="y² / 2 where |y| ≤ x, else x (|y| - x / 2)",
    domain="x ≥ 0",
    kink="in the second derivative, at |y| = x",
)


def _pseudo_huber_delta(g, out, delta, r):
    """(h - δ)² / h, where h is the hypotenuse: without a difference of large numbers."""
    h = np.hypot(delta, r)
    return g * ((r * r / (h + delta)) ** 2 / h)


derivative(
    sp.pseudo_huber,
    _pseudo_huber_delta,
    lambda g, out, delta, r: g * (r * delta / np.hypot(delta, r)),
    formula="x² (√(1 + (y / x)²) - 1)",
    domain="x > 0",
)
