"""Cases of remainders, mantissas, signs, and of what stands in for nan."""

import numpy as np

from rows.registry import Call, apart, arrays, binary, call, case, fixed, numbers, shapes, st, torch, unary

between = unary(low=-3, high=3, avoid=range(-3, 4))


@st.composite
def divided(draw):
    """x and y with x / y away from whole numbers."""
    call = draw(binary(first={"low": -4, "high": 4}, second={"low": 0.5, "high": 2}))
    x, y = call.args
    sign = draw(st.sampled_from([1.0, -1.0]))
    place = abs(x / y) % 1
    moved = x + y * ((place < 0.125) * 0.25 - (place > 0.875) * 0.25) * np.where(x < 0, -1, 1)
    if type(x) is float and np.ndim(y) == 0:
        return Call((float(moved), y * sign))
    return Call((np.asarray(moved, float), y * sign))


for name in ("fmod", "remainder"):
    case(getattr(np, name), divided())
    case(getattr(np, name), divided(), torch=name, edges=0)  # PyTorch gives nan for 1e300 and 1e-300
case(np.divmod, divided(), edges=0)
case(np.modf, between, edges=0)
case(np.modf, between, torch=torch and (lambda x: (torch.frac(x), torch.trunc(x))), edges=0)
case(np.frexp, unary(low=1.125, high=1.875), edges=0)
case(np.frexp, unary(low=-0.875, high=-0.625), edges=0)
case(np.ldexp, call(numbers(), st.integers(-3, 3)), torch=lambda x, n: x * 2.0**n, edges=0)
case(np.ldexp, call(arrays((2, 3)), st.just(np.array([-1, 0, 4]))), edges=0)
case(np.nextafter, binary())

case(np.fabs, unary(avoid=[0]), torch="abs")
case(np.copysign, binary(avoid=[0]), torch=lambda x, y: torch.abs(x) * torch.copysign(torch.ones_like(x), y))
case(np.heaviside, binary(first={"avoid": [0]}))
case(np.heaviside, arrays().map(lambda y: Call((fixed(np.zeros(y.shape)), y))))  # y is what it is at 0


@st.composite
def pairs_apart(draw):
    x, y = draw(binary()).args
    return Call((apart(x, 0), apart(y, 2)))


case(np.fmax, pairs_apart(), torch="fmax")
case(np.fmin, pairs_apart(), torch="fmin")


@st.composite
def with_gaps(draw):
    """An array with nan and ±inf in some places, which finite differences cannot move."""
    x = np.array(draw(arrays(shapes(min_dims=1))))
    return Call((x,), {"nan": draw(st.sampled_from([0.0, 1.5])), "posinf": 9.0, "neginf": None})


case(np.nan_to_num, with_gaps(), torch=lambda x, **_: torch.nan_to_num(x))
case(np.nan_to_num, unary(), torch="nan_to_num", edges=1)
case(np.conjugate, unary(), torch=lambda x: torch.conj(x))
case(np.real, unary())
case(np.real_if_close, unary())
