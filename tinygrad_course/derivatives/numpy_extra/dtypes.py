"""Rows of other dtypes.  Values hold real numbers, so conjugate and real part are the numbers themselves."""

import numpy as np

from ...engine.table import composed, derivative

derivative(np.conjugate, lambda g, out, x: g, formula="x")
composed(np.real, lambda val: val, formula="x")
composed(np.real_if_close, lambda a, tol=100: a, formula="x")
if hasattr(np, "astype"):  # since NumPy 2.1
    composed(
        np.astype,
        lambda x, dtype, /, *, copy=True, device=None: x.astype(dtype),
        formula="x in another dtype",
    )
