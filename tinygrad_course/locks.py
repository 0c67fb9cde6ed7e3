"""One thread at a time, with a lock that no interruption leaves locked.

A ``with lock:`` block that is interrupted at its very end keeps the lock, and all others wait for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

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
