"""Densities of scipy.stats: ``norm.logpdf(x, loc, scale)`` and its relatives, by SciPy's names and arguments.

Every parameter may be a Value, but where a count or an order stands.  Outside its support a density is 0 and
has no slope.  The formulas are those of SciPy's documentation, in which each distribution has its page.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import stats

from ..derivatives import composed
from ..derivatives.scipy_special import sp
from .linalg import solve_triangular

LOG_2PI = math.log(2 * math.pi)


def _alike(*args: Any) -> list[Any]:
    """Lists as arrays, and Python's numbers in the dtype of the others, so that float32 stays float32."""
    args = tuple(np.asarray(a) if isinstance(a, (list, tuple)) else a for a in args)
    dtypes = [a.dtype for a in args if hasattr(a, "dtype") and a.dtype.kind == "f"]
    narrow = bool(dtypes) and np.result_type(*dtypes).itemsize < 8
    return [np.asarray(a, dtypes[0]) if narrow and isinstance(a, (int, float)) else a for a in args]


def _family(scipys: Any, log_density: Callable[..., Any], formula: str, kind: str = "pdf") -> SimpleNamespace:
    """A distribution's log density and density, which are SciPy's own for plain numbers."""
    names = {
        f"log{kind}": (log_density, formula),
        kind: (lambda *args, **kwargs: np.exp(log_density(*args, **kwargs)), f"exp({formula})"),
    }
    return SimpleNamespace(
        **{name: composed(getattr(scipys, name), f, formula=text) for name, (f, text) in names.items()}
    )


def _norm_logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    x, loc, scale = _alike(x, loc, scale)
    return -0.5 * ((x - loc) / scale) ** 2 - np.log(scale) - 0.5 * LOG_2PI


def _t_logpdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    x, df, loc, scale = _alike(x, df, loc, scale)
    tails = 0.5 * (df + 1) * np.log1p(((x - loc) / scale) ** 2 / df)
    return (
        sp.gammaln(0.5 * (df + 1)) - sp.gammaln(0.5 * df) - 0.5 * np.log(np.pi * df) - tails - np.log(scale)
    )


def _gamma_logpdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    x, a, loc, scale = _alike(x, a, loc, scale)
    x = (x - loc) / scale
    return np.where(x >= 0, sp.xlogy(a - 1, x) - x - sp.gammaln(a) - np.log(scale), -np.inf)


def _beta_logpdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    x, a, b, loc, scale = _alike(x, a, b, loc, scale)
    x = (x - loc) / scale
    density = sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - sp.betaln(a, b) - np.log(scale)
    return np.where((x >= 0) & (x <= 1), density, -np.inf)


def _poisson_logpmf(k: Any, mu: Any, loc: int = 0) -> Any:
    k = np.asarray(np.asarray(k) - loc, getattr(mu, "dtype", float))
    known = (k >= 0) & (k == np.floor(k))
    return np.where(known, sp.xlogy(k, mu) - sp.gammaln(k + 1) - mu, -np.inf)


def _binom_logpmf(k: Any, n: Any, p: Any, loc: int = 0) -> Any:
    k, n = (np.asarray(a, getattr(p, "dtype", float)) for a in (np.asarray(k) - loc, n))
    known = (k >= 0) & (k <= n) & (k == np.floor(k))
    ways = sp.gammaln(n + 1) - sp.gammaln(k + 1) - sp.gammaln(n - k + 1)
    return np.where(known, ways + sp.xlogy(k, p) + sp.xlog1py(n - k, -p), -np.inf)


def _dirichlet_logpdf(x: Any, alpha: Any) -> Any:
    """`x` is (k,) or (k, n), a point a column; a last entry left out is 1 minus the others."""
    x, alpha = _alike(x, alpha)
    if x.shape[0] == alpha.shape[0] - 1:
        x = np.concatenate([x, 1 - np.sum(x, axis=0, keepdims=True)])
    powers = sp.xlogy(np.reshape(alpha - 1, (-1,) + (1,) * (np.ndim(x) - 1)), x)
    return sp.gammaln(np.sum(alpha)) - np.sum(sp.gammaln(alpha)) + np.sum(powers, axis=0)


def _multivariate_normal_logpdf(
    x: Any, mean: Any = None, cov: Any = 1.0, allow_singular: bool = False
) -> Any:
    """From the Cholesky factor of cov: its inverse times x - mean has the length sought."""
    x, mean, cov = _alike(x, mean, cov)
    d = max((np.shape(a)[-1] for a in (mean, cov) if np.ndim(a)), default=1)
    if np.ndim(cov) < 2:
        cov = cov * np.eye(d, dtype=x.dtype)
    x = np.reshape(x, (-1, d)) if d > 1 or np.ndim(x) < 2 else x
    factor = np.linalg.cholesky(cov)
    z = solve_triangular(factor, np.transpose(x - (0.0 if mean is None else mean)), lower=True)
    log_density = -0.5 * np.sum(z * z, axis=0) - np.sum(np.log(np.diagonal(factor))) - 0.5 * d * LOG_2PI
    return log_density[0] if log_density.shape == (1,) else log_density


norm = _family(stats.norm, _norm_logpdf, "-((x - loc) / scale)² / 2 - log(scale √(2π))")
norm.cdf = composed(
    stats.norm.cdf,
    lambda x, loc=0.0, scale=1.0: sp.ndtr((x - loc) / scale),
    formula="ndtr((x - loc) / scale)",
)
norm.logcdf = composed(
    stats.norm.logcdf,
    lambda x, loc=0.0, scale=1.0: sp.log_ndtr((x - loc) / scale),
    formula="log ndtr((x - loc) / scale)",
)
norm.ppf = composed(
    stats.norm.ppf, lambda q, loc=0.0, scale=1.0: loc + scale * sp.ndtri(q), formula="loc + scale · ndtri q"
)
t = _family(stats.t, _t_logpdf, "-(df + 1) / 2 · log(1 + x² / df) - log(√df · beta(1/2, df/2))")
gamma = _family(stats.gamma, _gamma_logpdf, "(a - 1) log x - x - log gamma a")
beta = _family(stats.beta, _beta_logpdf, "(a - 1) log x + (b - 1) log(1 - x) - log beta(a, b)")
poisson = _family(stats.poisson, _poisson_logpmf, "k log mu - mu - log k!", kind="pmf")
binom = _family(stats.binom, _binom_logpmf, "log (n over k) + k log p + (n - k) log(1 - p)", kind="pmf")
dirichlet = _family(stats.dirichlet, _dirichlet_logpdf, "Σ (alpha - 1) log x - log B(alpha)")
multivariate_normal = _family(
    stats.multivariate_normal, _multivariate_normal_logpdf, "-(x - mu)ᵀ S⁻¹ (x - mu) / 2 - log |2π S| / 2"
)
