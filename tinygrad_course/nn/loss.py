"""What all losses share."""

from __future__ import annotations

from typing import Any, Self

from ..arraylike import Value
from .module import Module


class Loss(Module):
    """What all losses share: a hint for those who call the class as if it were the loss."""

    def __new__(cls, *given: Any, **settings: Any) -> Self:
        if any(isinstance(x, Value) for x in given) or (len(given) > 1 and hasattr(given[0], "__len__")):
            raise TypeError(
                f"{cls.__name__} is made first, with its settings, and called then: "
                f"nn.{cls.__name__}()(input, target)"
            )
        return super().__new__(cls, *given, **settings)
