"""Watching: while somebody looks, they are shown every operation, with the user's line that asked for it.

A record keeps no line of source, as that would cost every operation something.  Inside `trace_lines`, `blame`
and `lint` each operation takes the slow path of recording, its line is kept with the record, and the
observers of the block see it.  Outside, nothing is checked and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives import TABLE, Row
from ..engine import watch as engine_watch
from ..lines import Line, asking_line


@dataclass(slots=True, frozen=True)
class Event:
    """One operation that was computed just now: `operands` are its arguments, Values among them."""

    value: Value
    row: Row
    args: tuple[Any, ...]
    operands: tuple[Any, ...]
    line: Line | None
    recorded: bool


class Observer:
    """What an `Audience` shows things to; each kind of look overrides what it wants to see."""

    def saw(self, event: Event) -> None:
        """An operation was computed."""

    def backward(self, root: Value, seed: Any, oldest: int) -> None:
        """A backward pass is about to start from `root`; it stops at values born before `oldest`."""

    def step(self, optimizer: Any) -> None:
        """An optimizer is about to change its parameters."""

    def loss(self, who: str, input: Any, target: Any, applies: Row | None) -> None:
        """A loss was given these; it applies an operation to `input` itself; targets are from 0 to 1."""

    def training(self, who: str, recorded: bool) -> None:
        """A layer does what it does in training only."""

    def independent(self, who: str, arguments: list[str]) -> None:
        """A transform found that the function's result was not computed from these arguments."""


class Audience(engine_watch.Watch):
    """What is told of everything, and shows it to the observers."""

    def __init__(self, observers: tuple[Observer, ...], recording: bool) -> None:
        super().__init__(recording)
        self.observers = observers

    def set_to(self, recording: bool) -> Audience:
        return Audience(self.observers, recording)

    def saw(self, value: Value, row: Row, args: tuple[Any, ...], operands: tuple[Any, ...]) -> None:
        """Keep the line of an operation and show it around."""
        if engine_watch.walking.get():  # a rule at work, which may well meet 0 / 0 on its way to a number
            return
        value.line = line = asking_line()
        event = Event(value, row, args, operands, line, self.recording)
        for observer in self.observers:
            observer.saw(event)

    def backward(self, root: Value, seed: Any, oldest: int = 0) -> None:
        """Tell the observers that a backward pass starts."""
        seed = seed.data if isinstance(seed, Value) else seed
        for observer in self.observers:
            observer.backward(root, seed, oldest)

    def step(self, optimizer: Any) -> None:
        """Tell the observers that an optimizer makes a step."""
        for observer in self.observers:
            observer.step(optimizer)

    def loss(self, who: str, input: Any, target: Any, applies: Any = None) -> None:
        """Show the observers what a loss was given."""
        target = None if target is None else np.asarray(target.data if isinstance(target, Value) else target)
        for observer in self.observers:
            observer.loss(who, input, target, TABLE.get(applies))

    def training(self, who: str) -> None:
        """Tell the observers that a layer does what it does in training only."""
        for observer in self.observers:
            observer.training(who, self.recording)

    def independent(self, who: str, arguments: list[str]) -> None:
        """Tell the observers which arguments a result does not depend on."""
        for observer in self.observers:
            observer.independent(who, arguments)


@contextmanager
def observed_by(*observers: Observer) -> Iterator[None]:
    """Show every operation of this block to `observers`, and to those of the blocks around it."""
    outer = engine_watch.recording_mode.get()
    others = outer.observers if isinstance(outer, Audience) else ()
    with engine_watch.recording(Audience((*others, *observers), bool(outer))):
        yield


@contextmanager
def trace_lines() -> Iterator[None]:
    """Keep, for every operation in this block, the line that asked for it: `explain` shows it.

    Recording takes several times as long in the block, and nothing more outside it.

    Examples
    --------
    >>> from tinygrad_course import Value, explain, trace_lines
    >>> w = Value(3.0, name="w")
    >>> with trace_lines():
    ...     loss = w * w
    >>> loss.backward()
    >>> explain(w, of=loss).rows[0].line.number
    2
    """
    with observed_by():
        yield
