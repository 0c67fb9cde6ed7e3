"""Cases of trigonometry."""

import itertools
import math

import numpy as np

from rows.registry import Call, arrays, axes, binary, call, case, shapes, st, unary
from tinygrad_course.derivatives.numpy_extra.trigonometry import sinc_derivative

case(np.tan, unary(low=-1.25, high=1.25), torch="tan")
case(np.arcsin, unary(low=-0.75, high=0.75), torch="arcsin")
case(np.arccos, unary(low=-0.75, high=0.75), torch="arccos")
case(np.sinh, unary(), torch="sinh")
case(np.cosh, unary(), torch="cosh")
case(np.arcsinh, unary(), torch="arcsinh")
case(np.arccosh, unary(low=1.25, high=4), torch="arccosh")
case(np.arctanh, unary(low=-0.75, high=0.75), torch="arctanh")
case(np.arctan2, binary(avoid=[0]), torch="arctan2")
case(np.hypot, binary(avoid=[0]))
case(np.hypot, binary(avoid=[0]), torch="hypot", edges=0)  # PyTorch has nan at the origin
for to_radians in (np.deg2rad, np.radians):
    case(to_radians, unary(low=-180, high=180), torch="deg2rad")
for to_degrees in (np.rad2deg, np.degrees):
    case(to_degrees, unary(low=-math.pi, high=math.pi), torch="rad2deg")
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


@st.composite
def wrapped(draw):
    """Angles whose steps stay away from half a period."""
    x = draw(arrays(shapes(min_dims=1), low=-2, high=2))
    turns = np.round(draw(arrays(x.shape)) * 2)
    kwargs = {"axis": draw(axes(x.ndim, several=False).filter(lambda a: a is not None))}
    if draw(st.booleans()):
        return Call((x / 10 + 8 * turns,), {**kwargs, "period": 8.0})
    return Call((x / 10 + turns * 2 * math.pi,), {**kwargs, "discont": draw(st.sampled_from([None, 3.5]))})


case(np.unwrap, wrapped())
case(
    sinc_derivative,
    call(arrays(low=-3, high=3), st.integers(0, 4)),
    reference=slow_sinc_derivative,
    view=lambda out: out + 1000,  # the reference is right to 1e-10
)
