"""Cases of powers, roots, exponentials and logarithms."""

import numpy as np

from rows.registry import arrays, binary, call, case, st, torch, unary
from tinygrad_course.derivatives.numpy_extra.exponentials import bessel_i

case(np.exp2, unary(), torch="exp2")
case(np.log2, unary(low=0.25), torch="log2")
case(np.log10, unary(low=0.25), torch="log10")
case(np.logaddexp, binary(), torch="logaddexp")
case(np.logaddexp2, binary(), torch="logaddexp2")
case(np.cbrt, unary(avoid=[0]))
case(np.reciprocal, unary(avoid=[0, 0.125, -0.125]), torch="reciprocal")
case(np.float_power, binary(first={"low": 0.25}), torch="float_power")
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
