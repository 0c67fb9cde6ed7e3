"""Rows of trigonometry: angles, hyperbolic functions, the inverses of both."""

import math

import numpy as np

from ...engine.table import derivative
from ..elementwise import through_kink

derivative(
    np.tan,
    lambda g, out, x: g * (1 + out * out),
    scalar=math.tan,
    javascript="Math.tan(x)",
    formula="tan x",
    domain="cos x ≠ 0",
    torch="tan",
    onnx="Tan",
)
derivative(
    np.arcsin,
    lambda g, out, x: g / np.sqrt(1 - x * x),
    scalar=math.asin,
    javascript="Math.asin(x)",
    formula="arcsin x",
    domain="|x| < 1",
    torch="asin",
    onnx="Asin",
)
derivative(
    np.arccos,
    lambda g, out, x: -g / np.sqrt(1 - x * x),
    scalar=math.acos,
    javascript="Math.acos(x)",
    formula="arccos x",
    domain="|x| < 1",
    torch="acos",
    onnx="Acos",
)

# Hyperbolic functions
derivative(
    np.sinh,
    lambda g, out, x: g * np.cosh(x),
    scalar=math.sinh,
    javascript="Math.sinh(x)",
    formula="sinh x",
    torch="sinh",
    onnx="Sinh",
)
derivative(
    np.cosh,
    lambda g, out, x: g * np.sinh(x),
    scalar=math.cosh,
    javascript="Math.cosh(x)",
    formula="cosh x",
    torch="cosh",
    onnx="Cosh",
)
derivative(
    np.arcsinh,
    lambda g, out, x: g / np.hypot(x, 1),
    scalar=math.asinh,
    javascript="Math.asinh(x)",
    formula="arcsinh x",
    torch="asinh",
    onnx="Asinh",
)
derivative(
    np.arccosh,
    lambda g, out, x: g / np.sqrt(x * x - 1),
    scalar=math.acosh,
    javascript="Math.acosh(x)",
    formula="arccosh x",
    domain="x > 1",
    torch="acosh",
    onnx="Acosh",
)
derivative(
    np.arctanh,
    lambda g, out, x: g / (1 - x * x),
    scalar=math.atanh,
    javascript="Math.atanh(x)",
    formula="arctanh x",
    domain="|x| < 1",
    torch="atanh",
    onnx="Atanh",
)


# Planes and angles
def _per_length(g, x, length, power=1):
    """g · x / length ** power, for an entry x of a vector; 0 at the origin, where the length has a kink."""
    origin = length == 0
    for _ in range(power):
        x = x / (length + origin)
    return through_kink(g, x, origin)


derivative(
    np.arctan2,
    lambda g, out, y, x: _per_length(g, x, np.hypot(x, y), 2),
    lambda g, out, y, x: _per_length(-g, y, np.hypot(x, y), 2),
    scalar=math.atan2,
    javascript="Math.atan2(x, y)",
    formula="angle of the point (y, x) from the x axis",
    kink="0 at the origin",
    torch="atan2",
)
derivative(
    np.hypot,
    lambda g, out, x, y: _per_length(g, x, out),
    lambda g, out, x, y: _per_length(g, y, out),
    scalar=math.hypot,
    javascript="Math.hypot(x, y)",
    formula="√(x² + y²)",
    kink="0 at the origin",
    torch="hypot",
    onnx="Sqrt(Add(Mul(x, x), Mul(y, y)))",
)
for to_radians in (np.deg2rad, np.radians):
    derivative(to_radians, lambda g, out, x: np.radians(g), scalar=math.radians, formula="x · π / 180")
for to_degrees in (np.rad2deg, np.degrees):
    derivative(to_degrees, lambda g, out, x: np.degrees(g), scalar=math.degrees, formula="x · 180 / π")
derivative(
    np.unwrap,
    lambda g, out, x, *_, **__: g,
    formula="x plus multiples of the period, so that neighbours are close",
    kink="the multiple stays as it is",
)
