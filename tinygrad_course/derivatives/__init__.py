"""The table of operations and their derivatives: one row an operation, one file a family.

`table` holds the mechanism; the other files hold nothing but rows.  This floor knows NumPy only.
"""

from ..engine.table import TABLE, Row, Rule, composed, derivative
from . import (
    convolution,
    elementwise,
    indexing,
    neural,
    products,
    reductions,
    shaping,
)
from .numpy_extra import (
    choosing,
    decompositions,
    exponentials,
    joining,
    moving,
    norms,
    polynomials,
    rounding,
    running,
    sets,
    signals,
    skipping_nan,
    sorting,
    statistics,
    trigonometry,
)
from .numpy_extra import (
    nondifferentiable as plain,
)
from .reductions import total
from .shaping import cast, result_at

__all__ = [
    "TABLE",
    "Row",
    "Rule",
    "cast",
    "choosing",
    "composed",
    "convolution",
    "decompositions",
    "derivative",
    "elementwise",
    "exponentials",
    "indexing",
    "joining",
    "moving",
    "neural",
    "norms",
    "plain",
    "polynomials",
    "products",
    "reductions",
    "result_at",
    "rounding",
    "running",
    "sets",
    "shaping",
    "signals",
    "skipping_nan",
    "sorting",
    "statistics",
    "total",
    "trigonometry",
]
