"""Cases of special functions."""

import itertools
import math

import numpy as np

from rows.registry import arrays, call, case, st, torch, unary
from tinygrad_course.derivatives.numpy_extra.special import bessel_i, sinc_derivative

case(np.i0, unary(), torch="i0")
case(np.i0, unary(), edges=1)


def slow_bessel_i(x, n):
    """The power series."""
    total = term = (x / 2) ** n / float(np.prod(np.arange(1.0, n + 1)))
    for k in range(1, 60):
        term = term * (x / 2) ** 2 / (k * (k + n))
        total = total + term
    return total


case(
    bessel_i,
    call(arrays(low=-8, high=8), st.integers(0, 4)),
    reference=slow_bessel_i,
    view=lambda out: out + 1,
)
if torch:
    case(
        bessel_i,
        call(arrays(low=-4, high=4), 1),
        reference=slow_bessel_i,
        torch=lambda x, n: torch.special.i1(x),
        view=lambda out: out + 1,
    )

case(np.sinc, unary(avoid=[0]), torch="sinc", edges=1)
case(np.sinc, unary())


def slow_sinc_derivative(x, order):
    """From sinc x = ∫ cos(πxt) dt over 0 < t < 1, by many rectangles and Richardson's extrapolation."""

    def rectangles(n):
        t = (np.arange(n) + 0.5) / n
        shifted = math.pi * np.expand_dims(x, -1) * t + order * math.pi / 2
        return np.mean((math.pi * t) ** order * np.cos(shifted), axis=-1)

    parts = [rectangles(256 * 2**k) for k in range(5)]
    for level in range(1, 5):
        parts = [(4**level * b - a) / (4**level - 1) for a, b in itertools.pairwise(parts)]
    return np.asarray(parts[0], np.asarray(x).dtype)


case(
    sinc_derivative,
    call(arrays(low=-3, high=3), st.integers(0, 4)),
    reference=slow_sinc_derivative,
    view=lambda out: out + 1000,  # the reference is right to 1e-10
)
