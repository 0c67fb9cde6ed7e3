"""Tools for testing an operation of your own: `check_operation`, and hypothesis strategies to write more.

Generated inputs find what chosen ones miss: an axis of length 1 that was stretched, an empty array, a
transposed view, entries that are equal, a value used twice.  `shapes`, `arrays`, `broadcastable` and `graphs`
are the strategies that this package itself is tested with.

Needs hypothesis (``pip install 'tinygrad_course[test]'``).

Examples
--------
>>> import numpy as np
>>> from hypothesis import given, settings
>>> from tinygrad_course import derivative, gradcheck
>>> from tinygrad_course.testing import arrays
>>> softsign = derivative(lambda x: x / (1 + np.abs(x)), lambda g, out, x: g / (1 + np.abs(x)) ** 2)
>>> @settings(max_examples=20, database=None)
... @given(arrays(avoid=[0]))
... def test_softsign(x):
...     gradcheck(softsign, x)
>>> test_softsign()
"""

from typing import TYPE_CHECKING, Any

from .gradcheck import gradcheck, gradgradcheck

if TYPE_CHECKING:
    from .operations import check_operation as check_operation
    from .strategies import Graph as Graph
    from .strategies import arrays as arrays
    from .strategies import broadcastable as broadcastable
    from .strategies import graphs as graphs
    from .strategies import shapes as shapes

__all__ = [
    "Graph", "arrays", "broadcastable", "check_operation", "gradcheck", "gradgradcheck", "graphs", "shapes",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"tinygrad_course.testing has no {name!r}; it has {', '.join(__all__)}")
    try:
        from . import operations, strategies
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise ImportError(
            f"tinygrad_course.testing.{name} needs hypothesis: pip install 'tinygrad_course[test]'"
        ) from error
    return getattr(operations if name == "check_operation" else strategies, name)
