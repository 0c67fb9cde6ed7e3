"""Lines of source: which line of the user's asked for what the package does just now."""

from __future__ import annotations

import functools
import linecache
import os
import sys
from collections.abc import Callable
from typing import NamedTuple, ParamSpec, TypeVar

import numpy as np

from .files import PACKAGE

INSIDE = (PACKAGE, os.path.dirname(os.path.abspath(np.__file__)) + os.sep)
"""Where the files of this package and of NumPy begin."""

Taken = ParamSpec("Taken")
Given = TypeVar("Given")


class Line(NamedTuple):
    """A line of source."""

    file: str
    number: int

    @property
    def code(self) -> str:
        """What is written there; empty where the source is not at hand."""
        return linecache.getline(self.file, self.number).strip()

    def __str__(self) -> str:
        place = f"{os.path.basename(self.file)}:{self.number}"
        return f"{place}: {self.code}" if self.code else place


def asking_line() -> Line | None:
    """The innermost line outside this package and NumPy."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(INSIDE):
            return Line(file, frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return None


def point(error: BaseException) -> None:
    """Let the text of an error that the package raises end with the line that asked: ``your line: ...``.

    Python shows the calls inside the package below that line, so that one looks for it in the middle.
    """
    trace, innermost = error.__traceback__, PACKAGE
    while trace is not None:
        innermost, trace = trace.tb_frame.f_code.co_filename, trace.tb_next
    told = getattr(error, "__notes__", ()) or not innermost.startswith(INSIDE)
    if not told and (line := asking_line()) is not None:
        error.add_note(f"your line: {line}")


def pointing(function: Callable[Taken, Given]) -> Callable[Taken, Given]:
    """`function`, whose errors end with the line that asked."""

    @functools.wraps(function)
    def call(*args: Taken.args, **kwargs: Taken.kwargs) -> Given:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            point(error)
            raise

    return call
