"""Rows of operations that cut a number into pieces or put it together: remainders, fractions, mantissas.

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
    javascript="x % y",
    formula="x - y · trunc(x / y)",
    domain="y ≠ 0",
    kink="1 for x at the jumps",
    torch="fmod",
    onnx="Mod(x, y, fmod=1)",
)
derivative(
    np.remainder,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g * np.floor_divide(x, y),
    scalar=operator.mod,
    javascript="remainder(x, y)",
    formula="x - y · floor(x / y)",
    domain="y ≠ 0",
    kink="1 for x at the jumps",
    operator=operator.mod,
    onnx="Mod(Add(Mod(x, y, fmod=1), y), y, fmod=1)",
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
