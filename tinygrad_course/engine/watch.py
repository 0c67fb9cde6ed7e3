"""Effects: functions that change parameters or settings, such as an optimizer's step, and give no result.

A compiled function must do these again at each of its runs, and must not do them while it is being traced.
So while a function is traced, a call of an effect is written down and not made.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
_noted: ContextVar[Callable[..., Any] | None] = ContextVar("noted", default=None)


def effect(changes: str = "", example: Any = None) -> Callable[[Function], Function]:
    """Say that a function or method has an effect.

    Parameters
    ----------
    changes : str
        What it changes of the Values that it is given or holds: ``"primal"``, ``"grad"``, or neither.
    example : float or None
        Something like its result, to go on with where the call is not made.
    """

    def marked(function: Function) -> Function:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            note = _noted.get()
            if note is None:
                return function(*args, **kwargs)
            return note(function, args, kwargs, changes, example)

        return call  # type: ignore[return-value]

    return marked


@contextmanager
def noted_by(note: Callable[..., Any] | None) -> Iterator[None]:
    """In this block, calls of effects are not made, but handed to `note`."""
    token = _noted.set(note)
    try:
        yield
    finally:
        _noted.reset(token)
