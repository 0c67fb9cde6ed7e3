"""Functions of scipy.special that are no ufuncs, so that SciPy cannot hand them Values."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from ..derivatives import composed, reductions
from ..derivatives.scipy_special import polygamma, sp, zeta

__all__ = ["log_softmax", "logsumexp", "multigammaln", "polygamma", "softmax", "softplus", "zeta"]


def _logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    """log Σ b exp a, from numbers that do not overflow."""
    if b is None:
        return reductions.logsumexp(a, axis=axis, keepdims=keepdims)
    largest = reductions.logsumexp(a, axis=axis, keepdims=True)
    inside = np.log(np.sum(b * np.exp(a - largest), axis=axis, keepdims=True)) + largest
    return inside if keepdims else np.squeeze(inside, axis=axis)


def _log_softmax(x: Any, axis: Any = None) -> Any:
    return x - reductions.logsumexp(x, axis=axis, keepdims=True)


def _softmax(x: Any, axis: Any = None) -> Any:
    return np.exp(_log_softmax(x, axis))


def _multigammaln(a: Any, d: int) -> Any:
    """The logarithm of π^(d(d-1)/4) Π Γ(a - j/2) over j = 0, ..., d - 1 (Muirhead 1982, theorem 2.1.12)."""
    return d * (d - 1) / 4 * float(np.log(np.pi)) + sum(sp.gammaln(a - 0.5 * j) for j in range(d))


logsumexp = composed(special.logsumexp, _logsumexp, formula="log Σ b exp a")
log_softmax = composed(special.log_softmax, _log_softmax, formula="x - log Σ exp x")
softmax = composed(special.softmax, _softmax, formula="exp x / Σ exp x")
multigammaln = composed(special.multigammaln, _multigammaln, formula="log of the multivariate gamma function")


def softplus(x: Any) -> Any:
    """log(1 + exp x)."""
    return np.logaddexp(0.0, x)
