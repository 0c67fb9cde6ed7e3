"""Lines of source: which line of the user's asked for what the package does just now."""

from __future__ import annotations

import linecache
import os
import sys
from typing import NamedTuple

import numpy as np

from .files import PACKAGE

_NUMPY = os.path.dirname(os.path.abspath(np.__file__)) + os.sep


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
        if not file.startswith((PACKAGE, _NUMPY)):
            return Line(file, frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return None
