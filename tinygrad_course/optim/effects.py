"""Effects: functions that change parameters or settings by themselves, such as an optimizer's step.

Who traces a function must not have such things done while tracing, and must do them at each run of the
program; so where somebody watches, the watch is asked to make the call.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from ..engine.watch import watching

Function = TypeVar("Function", bound=Callable[..., Any])


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
            watch = watching()
            if watch is not None:
                return watch.effect(function, args, kwargs, changes, example)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return marked
