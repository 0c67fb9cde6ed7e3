"""Blocks: so much of a large array is worked on at a time that it stays in the processor's cache.

A chain of passes over arrays that are larger than the cache fetches them from memory at every pass.  Block by
block they are fetched once; blocks that are too short cost more for cutting them out than they save.
"""

from __future__ import annotations

BYTES = 2**18  # of each array in a block: 65,536 numbers of float32


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
    >>> blocks(150_000, 4)
    [slice(0, 75000, None), slice(75000, 150000, None)]
    >>> blocks(1000, 4)
    [slice(0, 1000, None)]
    """
    count = max(1, length * itemsize // BYTES)
    count = min(count, length) or 1
    step = -(-length // count)
    return [slice(start, min(start + step, length)) for start in range(0, length, step)] if length else []
