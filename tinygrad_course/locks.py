"""One thread at a time, with a lock that no interruption leaves locked, and writes with none between them.

A ``with lock:`` block that is interrupted at its very end keeps the lock, and all others wait for ever.
"""

from __future__ import annotations

import operator
import threading
from collections import deque
from collections.abc import Callable, Iterable
from itertools import starmap
from typing import Any, TypeVar

Result = TypeVar("Result")


def alone(lock: threading.RLock, action: Callable[[], Result]) -> Result:
    """``action()``, while no other thread has the `lock`.

    Examples
    --------
    >>> alone(threading.RLock(), lambda: 2 + 3)
    5
    """
    held = []
    try:
        try:
            held = [lock] if lock.acquire() else []
            return action()
        finally:
            while held:
                held.pop().release()
    finally:  # an interruption may have come just before the release above
        while held:
            held.pop().release()


def write_at_once(writes: Iterable[tuple[Any, Any, Any]]) -> None:
    """``container[key] = new`` for each triple: all of them, or none if an interruption comes before.

    Python looks for interruptions between two of its own instructions, and here there is only one.

    Examples
    --------
    >>> numbers, names = [1, 2], {}
    >>> write_at_once([(numbers, 0, 5), (names, "x", 7)])
    >>> numbers, names
    ([5, 2], {'x': 7})
    """
    deque(starmap(operator.setitem, list(writes)), maxlen=0)
