"""Cases of trigonometry."""

import math

import numpy as np

from rows.registry import Call, arrays, axes, binary, case, shapes, st, unary

case(np.tan, unary(low=-1.25, high=1.25), torch="tan")
case(np.arcsin, unary(low=-0.75, high=0.75), torch="arcsin")
case(np.arccos, unary(low=-0.75, high=0.75), torch="arccos")
case(np.sinh, unary(), torch="sinh")
case(np.cosh, unary(), torch="cosh")
case(np.arcsinh, unary(), torch="arcsinh")
case(np.arccosh, unary(low=1.25, high=4), torch="arccosh")
case(np.arctanh, unary(low=-0.75, high=0.75), torch="arctanh")
case(np.arctan2, binary(avoid=[0]))
case(np.arctan2, binary(avoid=[0]), torch="arctan2", edges=0)  # PyTorch squares 1e-300
case(np.hypot, binary(avoid=[0]))
case(np.hypot, binary(avoid=[0]), torch="hypot", edges=0)  # PyTorch has nan at the origin
for to_radians in (np.deg2rad, np.radians):
    case(to_radians, unary(low=-180, high=180), torch="deg2rad")
for to_degrees in (np.rad2deg, np.degrees):
    case(to_degrees, unary(low=-math.pi, high=math.pi), torch="rad2deg")


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
