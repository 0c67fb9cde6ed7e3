"""Cases of signs."""

import numpy as np

from rows.registry import Call, arrays, binary, case, fixed, torch, unary

case(np.fabs, unary(avoid=[0]), torch="abs")
case(np.copysign, binary(avoid=[0]), torch=lambda x, y: torch.abs(x) * torch.copysign(torch.ones_like(x), y))
case(np.heaviside, binary(first={"avoid": [0]}))
case(np.heaviside, arrays().map(lambda y: Call((fixed(np.zeros(y.shape)), y))))  # y is what it is at 0
