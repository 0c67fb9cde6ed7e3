"""Cases of the rows that work entry by entry."""

import numpy as np

from rows.registry import Call, apart, arrays, binary, broadcastable, case, fixed, numbers, st, torch, unary
from tinygrad_course.derivatives.elementwise import power_slope, through_kink

case(np.add, binary(), torch="add")
case(np.subtract, binary(), torch="sub")
case(np.multiply, binary(), torch="mul")
case(np.divide, binary(second={"low": -3, "high": 3, "avoid": [0]}), torch="div")
case(np.negative, unary(), torch="neg")
case(np.positive, unary(), torch="positive")
case(np.square, unary(), torch="square")
case(np.power, binary(first={"low": 0.25}))
case(
    np.power, binary(first={"low": 0.25}, second={"avoid": [0]}), torch="pow"
)  # torch's ∂²/∂x∂y is 0 at y = 0
case(
    power_slope,
    binary(first={"low": 0.25}).map(lambda c: Call((*c.args, 2))),
    reference=lambda x, y, order: np.asarray(y * (y - 1) * x ** (y - 2), np.result_type(x, y))[()],
)
case(np.sqrt, unary(low=0.25), torch="sqrt")
case(np.absolute, unary(avoid=[0]), torch="abs")

case(np.exp, unary(), torch="exp")
case(np.expm1, unary(), torch="expm1")
case(np.log, unary(low=0.25), torch="log")
case(np.log1p, unary(low=-0.75), torch="log1p")

case(np.sin, unary(), torch="sin")
case(np.cos, unary(), torch="cos")
case(np.tanh, unary(), torch="tanh")
case(np.arctan, unary(), torch="atan")


# Choices
@st.composite
def operands_apart(draw, count):
    """Operands of which no two entries are close."""
    return Call(tuple(apart(draw(numbers(s)), k) for k, s in enumerate(draw(broadcastable(count)))))


case(np.maximum, operands_apart(2), torch="maximum")
case(np.minimum, operands_apart(2), torch="minimum")


@st.composite
def choices(draw):
    first, second, third = draw(broadcastable(3))
    return Call((np.asarray(draw(arrays(first)) > 0), draw(numbers(second)), draw(numbers(third))))


case(np.where, choices(), torch="where")


@st.composite
def clipped(draw):
    """Bounds on either side, in the right and in the wrong order, numbers, arrays and None."""
    x, low, high = draw(operands_apart(3)).args
    if draw(st.booleans()):
        low, high = np.minimum(low, high), np.maximum(low, high)
        low, high = (float(b) if isinstance(b, np.float64) else b for b in (low, high))
    none = draw(st.sampled_from(["low", "high", "neither"]))
    return Call((x, None if none == "low" else low, None if none == "high" else high))


def clip_by_torch(x, low, high):
    """PyTorch refuses some empty operands that broadcast, so they are stretched first."""
    stretched = iter(torch.broadcast_tensors(x, *(b for b in (low, high) if b is not None)))
    return torch.clip(next(stretched), *(b if b is None else next(stretched) for b in (low, high)))


case(np.clip, clipped(), torch=clip_by_torch, edges=3)

nowhere = fixed(np.array(False))
case(
    through_kink, binary().map(lambda c: Call((*c.args, nowhere))), reference=lambda g, slope, kink: g * slope
)
