"""Cases of other dtypes."""

import numpy as np

from rows.registry import arrays, call, case, st, torch, unary

case(np.conjugate, unary(), torch=lambda x: torch.conj(x))
case(np.real, unary())
case(np.real_if_close, unary())
if hasattr(np, "astype"):
    case(np.astype, call(arrays(), np.dtype("f8"), copy=st.booleans()))
