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
    held: list[threading.RLock] = []
    try:
        try:
            held.extend(filter(_acquire, (lock,)))
            return action()
        finally:
            _let_go(held)
    finally:  # an interruption may have come just before the line above
        _let_go(held)


# Python looks for interruptions between two of its own instructions.  Taking a lock and noting that it is
# held are one of them here, and so are striking it out and letting go.
_acquire, _release = operator.methodcaller("acquire"), operator.methodcaller("release")


def _let_go(held: list[threading.RLock]) -> None:
    deque(map(_release, map(held.pop, [-1] * len(held))), maxlen=0)


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
