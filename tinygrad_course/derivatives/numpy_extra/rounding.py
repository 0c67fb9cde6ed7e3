"""Rows of operations that cut a number into pieces or put it together: remainders, mantissas, signs.

Which multiple is taken away, which exponent is split off, stays as it is under a small change of the
argument: only the rest has a derivative.
"""

import math
import operator

import numpy as np

from ...engine.table import composed, derivative
from .nondifferentiable import constant

derivative(
    np.fmod,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g * np.trunc(x / y),
    scalar=math.fmod,
    formula="x - y · trunc(x / y)",
    domain="y ≠ 0",
    kink="1 for x at the jumps",
)
derivative(
    np.remainder,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g * np.floor_divide(x, y),
    scalar=operator.mod,
    formula="x - y · floor(x / y)",
    domain="y ≠ 0",
    kink="1 for x at the jumps",
)
composed(
    np.divmod,
    lambda x, y: (np.floor_divide(x, y), np.remainder(x, y)),
    formula="floor(x / y), and what remains",
    domain="y ≠ 0",
)
derivative(np.modf, lambda g, out, x: g[0], formula="x - trunc x, and trunc x", kink="1 at whole numbers")


def _frexp(x):
    exponent = np.frexp(constant(x))[1]
    return np.ldexp(x, -exponent), exponent


composed(np.frexp, _frexp, formula="m and n, with x = m · 2 ** n and 0.5 ≤ |m| < 1")
derivative(np.ldexp, lambda g, out, x, n: np.ldexp(g, n), None, formula="x · 2 ** n")
derivative(np.nextafter, lambda g, out, x, y: g, None, formula="the next number after x on the way to y")

# Signs
derivative(np.fabs, lambda g, out, x: g * np.sign(x), scalar=math.fabs, formula="|x|", kink="0 at 0")
derivative(
    np.copysign,
    lambda g, out, x, y: g * (np.sign(x) * np.sign(out)),
    None,
    scalar=math.copysign,
    formula="|x| with the sign of y",
    kink="0 at x = 0",
)
derivative(
    np.heaviside,
    None,
    lambda g, out, x, y: g * (x == 0),
    formula="0 for x < 0, y at x = 0, 1 for x > 0",
)

# Numbers instead of nan
derivative(
    np.fmax,
    lambda g, out, x, y: g * np.logical_or(x >= y, np.isnan(y)),
    lambda g, out, x, y: g * np.logical_not(np.logical_or(x >= y, np.isnan(y))),
    formula="the larger of x and y, where one is nan the other",
    kink="all to x where x = y",
)
derivative(
    np.fmin,
    lambda g, out, x, y: g * np.logical_or(x <= y, np.isnan(y)),
    lambda g, out, x, y: g * np.logical_not(np.logical_or(x <= y, np.isnan(y))),
    formula="the smaller of x and y, where one is nan the other",
    kink="all to x where x = y",
)
derivative(
    np.nan_to_num,
    lambda g, out, x, *_, **__: np.where(np.isfinite(x), g, 0.0),
    formula="x with numbers in place of nan and ±inf",
    kink="0 where a number was put in place",
)

# Real data: the imaginary part is 0
derivative(np.conjugate, lambda g, out, x: g, formula="x")
composed(np.real, lambda val: val, formula="x")
composed(np.real_if_close, lambda a, tol=100: a, formula="x")
