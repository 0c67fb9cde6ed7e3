"""What loads when it is first asked for, so that only the engine loads with the package.

A Value that explains its gradient, or shows itself in a notebook, needs a room above its own: it asks for it
here, when it is called.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any


@cache
def later(room: str, name: str | None = None) -> Any:
    """A room of the package, or something in it; what was found once is kept.

    Examples
    --------
    >>> later("transforms", "grad")(lambda x: x * x)(3.0)
    6.0
    """
    found = import_module(f"{__package__}.{room}")
    return found if name is None else getattr(found, name)


def in_a_notebook(shown: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
    """The method `_repr_mimebundle_` of what notebooks show as a picture or a table, and as text."""
    bundle: dict[str, str] = later("viz", "mimebundle")(shown)
    return bundle
