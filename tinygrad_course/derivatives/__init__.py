"""The table of operations and their derivatives: one row an operation, one file a family.

What a student meets first is here: `elementwise`, `reductions`, `shaping`, `indexing`, `products`,
`neural` and `convolution`; the rest of NumPy is in `numpy_extra`.  The files hold nothing but rows.
"""

from ..engine.backprop import total
from ..engine.table import TABLE, Row, Rule, composed, derivative
from . import convolution, elementwise, indexing, neural, numpy_extra, products, reductions, shaping
from .shaping import cast, result_at

__all__ = [
    "TABLE",
    "Row",
    "Rule",
    "cast",
    "composed",
    "convolution",
    "derivative",
    "elementwise",
    "indexing",
    "neural",
    "numpy_extra",
    "products",
    "reductions",
    "result_at",
    "shaping",
    "total",
]
