"""Cases of the rows that work entry by entry."""

import numpy as np
from rows.registry import binary, case, unary

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
