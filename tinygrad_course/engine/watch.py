"""The one hook: who wants to be told what the engine does, and whether it records at all.

Nearly always nobody watches: `recording_mode` is True, or False inside `no_grad`.  While somebody does, a
`Watch` stands in its place, which is told of every operation and every backward pass, and is as true as what
it stands for.  Tools that look for mistakes, remember lines of source or trace a function are such watches;
the engine knows none of them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

# Whether to record, one a thread and a task: True, False, or a Watch
recording_mode: ContextVar[Any] = ContextVar("recording_mode", default=True)

# Whether the operations that are computed just now are those of a backward pass
walking: ContextVar[bool] = ContextVar("walking", default=False)


class Watch:
    """What stands in place of True or False while somebody looks; a kind of look overrides what it needs."""

    def __init__(self, recording: bool = True) -> None:
        self.recording = recording

    def __bool__(self) -> bool:
        return self.recording

    def set_to(self, recording: bool) -> Watch:
        """The same look where recording is switched on or off."""
        return type(self)(recording)

    def saw(self, value: Any, row: Any, args: tuple[Any, ...], operands: tuple[Any, ...]) -> None:
        """An operation was computed."""

    def backward(self, root: Any, seed: Any, oldest: int = 0) -> None:
        """A backward pass is about to start."""

    def step(self, optimizer: Any) -> None:
        """An optimizer is about to change its parameters."""

    def loss(self, who: str, input: Any, target: Any, applies: Any = None) -> None:
        """A loss is computed that applies a function to its input; `target` should lie from 0 to 1."""

    def training(self, who: str) -> None:
        """A layer does what it does in training only."""

    def independent(self, who: str, arguments: list[str]) -> None:
        """A transform found that the function's result was not computed from these arguments."""

    def effect(self, function: Any, args: Any, kwargs: Any, changes: str, example: Any) -> Any:
        """An effect is called: it is made, unless who watches only takes note of it."""
        return function(*args, **kwargs)


@functools.singledispatch
def bring_home(data: Any, gradients: dict[Any, Any]) -> None:
    """Make the gradients of a pass the kinds of array that their values are.

    Who knows arrays of another kind than NumPy's says how, by registering the kind; `data` are the root's.
    """


def watching() -> Watch | None:
    """The watch that is set in this block; None nearly always."""
    mode = recording_mode.get()
    return mode if isinstance(mode, Watch) else None


class recording:
    """A block in which everything is recorded, or nothing, or in which a watch is told what happens.

    Who watches goes on watching when recording is switched.  As a decorator it holds inside the function, and
    in the steps of a generator.
    """

    def __init__(self, wanted: bool | Watch) -> None:
        self.wanted = wanted
        self.tokens: list[Any] = []

    def __enter__(self) -> None:
        watch, wanted = watching(), self.wanted
        mode = wanted if watch is None or isinstance(wanted, Watch) else watch.set_to(wanted)
        self.tokens.append(recording_mode.set(mode))

    def __exit__(self, *error: Any) -> None:
        recording_mode.reset(self.tokens.pop())

    def __call__(self, function: Function) -> Function:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with recording(self.wanted):
                out, inside = function(*args, **kwargs), copy_context()
            return iter(functools.partial(inside.run, next, out), inside) if inspect.isgenerator(out) else out

        return call  # type: ignore[return-value]
