"""Values for einops: ``einops.rearrange(v, "b c h w -> b (c h w)")`` records.

einops asks every backend that it knows whether an array is its own.  This one is made known where einops was
imported before this package; otherwise ``import tinygrad_course.einops`` does it.
"""

from __future__ import annotations

from typing import Any

from .arraylike import Value

try:
    from einops._backends import NumpyBackend
except ImportError as error:
    raise ImportError("tinygrad_course.einops needs einops: pip install einops") from error


class ValueBackend(NumpyBackend):  # type: ignore[misc, unused-ignore]
    """What einops calls for Values: NumPy's functions, which record."""

    framework_name = "tinygrad_course"

    def is_appropriate_type(self, tensor: Any) -> bool:
        """Whether einops shall come here."""
        return isinstance(tensor, Value)
