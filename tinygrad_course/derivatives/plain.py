"""NumPy functions whose result has no useful derivative: called on Values they give plain arrays."""

import numpy as np

from .table import Row, _register, plain


def _constant(x):
    return x


constant = _register(Row(_constant, plain=True))
"""The plain data of a Value, for parts of a rule or a composition that no gradient goes through."""

plain(
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
    np.isfinite, np.isinf, np.isnan, np.signbit, np.sign, np.floor, np.ceil, np.rint, np.trunc,
    np.floor_divide, np.argmax, np.argmin, np.argsort,
    np.nonzero, np.count_nonzero, np.any, np.all, np.searchsorted,
    np.shape, np.ndim, np.size, np.allclose, np.isclose, np.array_equal,
    np.zeros_like, np.ones_like, np.empty_like, np.full_like,
)  # fmt: skip
