"""Blocks: so much of a large array is worked on at a time that it stays in the processor's cache.

A chain of passes over arrays that are larger than the cache fetches them from memory at every pass.  Block by
block they are fetched once; blocks that are too short cost more for cutting them out than they save.  What is
worked on again and again should also begin where a line of the cache begins: `lined_up`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

LINE = 64  # bytes of a line of the cache, and of the widest registers
LEAST = 2**18  # bytes of each array in a block at least: 65,536 numbers of float32


def _cache() -> int:
    """The bytes of the processor's largest cache, as Linux tells it; 0 if nobody does."""
    told = Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
    try:
        return max([int(file.read_text().strip().removesuffix("K")) * 1024 for file in told], default=0)
    except (OSError, ValueError):
        return 0


BYTES = max(LEAST, _cache() // 32)  # of each array in a block: some arrays, and room for other programs


def blocks(length: int, itemsize: int) -> list[slice]:
    """The parts, of nearly equal lengths, in which to go through arrays of `length` entries.

    Parameters
    ----------
    length : int
        How many entries there are along the axis that is cut; an entry may be a whole row.
    itemsize : int
        The bytes of one of them.

    Examples
    --------
    >>> blocks(5, BYTES // 2)
    [slice(0, 3, None), slice(3, 5, None)]
    >>> blocks(1000, 4)
    [slice(0, 1000, None)]
    """
    count = max(1, length * itemsize // BYTES)
    count = min(count, length) or 1
    step = -(-length // count)
    return [slice(start, min(start + step, length)) for start in range(0, length, step)] if length else []


def lined_up(shape: int | tuple[int, ...], dtype: DTypeLike) -> Any:
    """``np.empty(shape, dtype)`` that begins where a line of the cache begins.

    Registers as wide as a line are then filled from one line each time, and not from two: a pass over arrays
    in the cache takes two thirds of the time.

    Examples
    --------
    >>> lined_up((3, 100), np.float32).ctypes.data % LINE
    0
    """
    dtype = np.dtype(dtype)
    shape = shape if isinstance(shape, tuple) else (shape,)
    memory = np.empty(math.prod(shape) * dtype.itemsize + LINE, np.uint8)
    return np.ndarray(shape, dtype, memory, -memory.ctypes.data % LINE)
