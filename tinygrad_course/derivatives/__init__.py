"""The table of operations and their derivatives: one row an operation, one file a family.

`table` holds the mechanism; the other files hold nothing but rows.  This floor knows NumPy only.
"""

from . import (
    choosing,
    convolution,
    decompositions,
    elementwise,
    exponentials,
    indexing,
    joining,
    moving,
    neural,
    norms,
    plain,
    polynomials,
    products,
    reductions,
    rounding,
    running,
    sets,
    shaping,
    signals,
    skipping_nan,
    sorting,
    statistics,
    trigonometry,
)
from .reductions import total
from .shaping import cast, pick
from .table import TABLE, Row, Rule, composed, derivative

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
    "pick",
    "plain",
    "polynomials",
    "products",
    "reductions",
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
