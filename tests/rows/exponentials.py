"""Cases of powers, roots, exponentials and logarithms."""

import numpy as np

from rows.registry import binary, case, unary

case(np.exp2, unary(), torch="exp2")
case(np.log2, unary(low=0.25), torch="log2")
case(np.log10, unary(low=0.25), torch="log10")
case(np.logaddexp, binary(), torch="logaddexp")
case(np.logaddexp2, binary(), torch="logaddexp2")
case(np.cbrt, unary(avoid=[0]))
case(np.reciprocal, unary(avoid=[0, 0.125, -0.125]), torch="reciprocal")
case(np.float_power, binary(first={"low": 0.25}))
case(np.float_power, binary(first={"low": 0.25}, second={"avoid": [0]}), torch="float_power")
