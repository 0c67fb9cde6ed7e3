"""Cases of remainders, fractions and mantissas."""

import numpy as np

from rows.registry import Call, arrays, binary, call, case, numbers, st, torch, unary

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
