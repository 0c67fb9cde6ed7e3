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
>>> softsign = derivative(lambda x: x / (1 + np.abs(x)), lambda g, out, x: g / (1 + np.abs(x)) ** 2)
>>> @settings(max_examples=20, database=None)
... @given(arrays(avoid=[0]))
... def test_softsign(x):
...     gradcheck(softsign, x)
>>> test_softsign()
"""

try:
    from .operations import check_operation
    from .strategies import Graph, arrays, broadcastable, graphs, shapes
except ModuleNotFoundError as error:
    if error.name != "hypothesis":
        raise
    raise ImportError(
        "tinygrad_course.testing needs hypothesis: pip install 'tinygrad_course[test]'"
    ) from error

__all__ = ["Graph", "arrays", "broadcastable", "check_operation", "graphs", "shapes"]
