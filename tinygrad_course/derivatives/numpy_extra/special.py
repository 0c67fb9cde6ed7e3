"""Rows of special functions: sinc and the modified Bessel function, with their derivatives of every order."""

import math

import numpy as np

from ...engine.table import derivative


def _bessel_i(x, n):
    """The modified Bessel function Iₙ(x), the mean of exp(x cos θ) cos nθ over the circle.

    Equally spaced angles are exact here up to rounding, as the function is smooth and periodic.
    """
    total = 0.0
    for k in range(256):
        angle = math.pi * (k + 0.5) / 256
        total = total + np.expm1(x * math.cos(angle)) * math.cos(n * angle)
    return total / 256 + (n == 0)


def _bessel_i_rule(g, out, x, n):
    return g * ((bessel_i(x, abs(n - 1)) + bessel_i(x, n + 1)) / 2)


bessel_i = derivative(_bessel_i, _bessel_i_rule, formula="modified Bessel function of order n")
derivative(np.i0, lambda g, out, x: g * bessel_i(x, 1), formula="modified Bessel function of order 0")


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
derivative(
    np.sinc, lambda g, out, x: g * sinc_derivative(x, 1), formula="sin(πx) / πx, and 1 at 0", torch="sinc"
)
