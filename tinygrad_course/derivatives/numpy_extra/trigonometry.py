"""Rows of trigonometry: angles, hyperbolic functions, the inverses of both, sinc."""

import math

import numpy as np

from ...engine.table import derivative

derivative(
    np.tan, lambda g, out, x: g * (1 + out * out), scalar=math.tan, formula="tan x", domain="cos x ≠ 0"
)
derivative(
    np.arcsin,
    lambda g, out, x: g / np.sqrt(1 - x * x),
    scalar=math.asin,
    formula="arcsin x",
    domain="|x| < 1",
)
derivative(
    np.arccos,
    lambda g, out, x: -g / np.sqrt(1 - x * x),
    scalar=math.acos,
    formula="arccos x",
    domain="|x| < 1",
)

# Hyperbolic functions
derivative(np.sinh, lambda g, out, x: g * np.cosh(x), scalar=math.sinh, formula="sinh x")
derivative(np.cosh, lambda g, out, x: g * np.sinh(x), scalar=math.cosh, formula="cosh x")
derivative(np.arcsinh, lambda g, out, x: g / np.sqrt(x * x + 1), scalar=math.asinh, formula="arcsinh x")
derivative(
    np.arccosh,
    lambda g, out, x: g / np.sqrt(x * x - 1),
    scalar=math.acosh,
    formula="arccosh x",
    domain="x > 1",
)
derivative(
    np.arctanh, lambda g, out, x: g / (1 - x * x), scalar=math.atanh, formula="arctanh x", domain="|x| < 1"
)


# Planes and angles
def _squared_length(x, y):
    """x² + y², and 1 at the origin, where it only divides zeros."""
    length = x * x + y * y
    return length + (length == 0)


derivative(
    np.arctan2,
    lambda g, out, y, x: g * (x / _squared_length(x, y)),
    lambda g, out, y, x: g * (-y / _squared_length(x, y)),
    scalar=math.atan2,
    formula="angle of the point (y, x) from the x axis",
    kink="0 at the origin",
)
derivative(
    np.hypot,
    lambda g, out, x, y: g * (x / (out + (out == 0))),
    lambda g, out, x, y: g * (y / (out + (out == 0))),
    scalar=math.hypot,
    formula="√(x² + y²)",
    kink="0 at the origin",
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


def _sinc_derivative(x, order):
    """The derivative of sinc of an order, from x · sinc x = sin(πx) / π differentiated that many times.

    That divides by x once an order; near 0 the power series is used instead.
    """
    near = np.abs(x) < 1
    series = 0.0
    for k in range(order + order % 2, order + 30, 2):
        power = (-1) ** (k // 2) * math.pi**k / math.factorial(k + 1) * math.perm(k, order)
        series = series + power * np.where(near, x, 0.0) ** (k - order)
    x = np.where(near, 1.0, x)
    far = np.sin(math.pi * x) / (math.pi * x)
    for n in range(1, order + 1):
        far = (math.pi ** (n - 1) * np.sin(math.pi * x + n * math.pi / 2) - n * far) / x
    return np.where(near, series, far)


def _sinc_derivative_rule(g, out, x, order):
    return g * sinc_derivative(x, order + 1)


sinc_derivative = derivative(
    _sinc_derivative, _sinc_derivative_rule, formula="derivative of sinc x of an order"
)
derivative(np.sinc, lambda g, out, x: g * sinc_derivative(x, 1), formula="sin(πx) / πx, and 1 at 0")
