"""Rows of powers, roots, exponentials and logarithms beyond those in `elementwise`."""

import math

import numpy as np

from ...engine.table import TABLE, derivative
from ..neural import sigmoid

LN2 = math.log(2)
LN10 = math.log(10)

derivative(
    np.exp2,
    lambda g, out, x: g * (out * LN2),
    scalar=math.exp2,
    javascript="2 ** x",
    formula="2 ** x",
    torch="exp2",
    onnx="Pow(2, x)",
)
derivative(
    np.log2,
    lambda g, out, x: g / (x * LN2),
    scalar=math.log2,
    javascript="Math.log2(x)",
    formula="log₂ x",
    domain="x > 0",
    torch="log2",
    onnx="Mul(Log(x), 1.4426950408889634)",
)
derivative(
    np.log10,
    lambda g, out, x: g / (x * LN10),
    scalar=math.log10,
    javascript="Math.log10(x)",
    formula="log₁₀ x",
    domain="x > 0",
    torch="log10",
    onnx="Mul(Log(x), 0.4342944819032518)",
)
derivative(
    np.logaddexp,
    lambda g, out, x, y: g * sigmoid(x - y),
    lambda g, out, x, y: g * sigmoid(y - x),
    javascript="logaddexp(x, y)",
    formula="log(exp x + exp y)",
    torch="logaddexp",
    onnx="Add(Max(x, y), Softplus(Neg(Abs(Sub(x, y)))))",
)
derivative(
    np.logaddexp2,
    lambda g, out, x, y: g * sigmoid((x - y) * LN2),
    lambda g, out, x, y: g * sigmoid((y - x) * LN2),
    formula="log₂(2 ** x + 2 ** y)",
    torch="logaddexp2",
)
derivative(
    np.cbrt,
    lambda g, out, x: g / (3 * out * out),
    scalar=math.cbrt,
    javascript="Math.cbrt(x)",
    formula="∛x",
    kink="inf at 0",
    onnx="Mul(Sign(x), Pow(Abs(x), 0.3333333333333333))",
)
derivative(
    np.reciprocal,
    lambda g, out, x: g * (-out * out),
    javascript="1 / x",
    formula="1 / x",
    domain="x ≠ 0",
    torch="reciprocal",
    onnx="Reciprocal",
)
power = TABLE[np.power]
derivative(
    np.float_power, *power.rules, scalar=power.scalar, formula="x ** y", domain=power.domain, kink=power.kink
)
