"""Rows of signs: the size of a number without its sign, with another one's, and the unit step."""

import math

import numpy as np

from ...engine.table import derivative

derivative(np.fabs, lambda g, out, x: g * np.sign(x), scalar=math.fabs, formula="|x|", kink="0 at 0")
derivative(
    np.copysign,
    lambda g, out, x, y: g * (np.sign(x) * np.sign(out)),
    None,
    scalar=math.copysign,
    formula="|x| with the sign of y",
    kink="0 at x = 0",
    torch="copysign",
)
derivative(
    np.heaviside,
    None,
    lambda g, out, x, y: g * (x == 0),
    formula="0 for x < 0, y at x = 0, 1 for x > 0",
    torch="heaviside",
)
