"""How large the picture of a value is in its box: the heat map of an array, the coloured mark of a number."""

from __future__ import annotations

import numpy as np

from .events import MOST_CELLS
from .nodes import Node
from .views import Picture

LARGEST = 46.0
"""How wide and how high a heat map is at most."""


def picture_of(node: Node) -> Picture:
    """Width and height, in pixels; nothing for what has no entries, or is several arrays."""
    if isinstance(node.data, tuple) or node.is_bare:
        return 0.0, 0.0
    shape = np.shape(node.data)
    if not shape:
        return LARGEST, 5.0
    wide = min(shape[-1], MOST_CELLS)
    tall = min(int(np.prod(shape[:-1])), MOST_CELLS)
    if not wide or not tall:
        return 0.0, 0.0
    cell = min(LARGEST / wide, LARGEST / tall, 15.0)
    return round(max(wide * cell, 6.0), 1), round(max(tall * cell, 6.0), 1)
