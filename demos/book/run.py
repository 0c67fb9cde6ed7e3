"""Run a demo as somebody would on the command line, and keep what it printed, in parts, and what it wrote."""

from __future__ import annotations

import contextlib
import importlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from demos import style


class Run(NamedTuple):
    """What came out of a demo."""

    printed: str
    parts: list[style.Part]  # all that it printed: those of a `Sheet` but for rows, and "text"
    files: dict[str, bytes]  # name -> content
    result: Any  # what its main gave back


def run(name: str, extra: Sequence[str] = (), columns: int = 80) -> Run:
    """Run the demo of that name, with more arguments if there are any, in a window of so many columns."""
    demo = importlib.import_module(f"demos.{name}")
    sheet = style.Sheet()
    with contextlib.redirect_stdout(sheet), tempfile.TemporaryDirectory() as folder, window(columns):
        result = demo.main(["--out", folder, *extra])
        files = {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
    return Run(sheet.getvalue(), in_parts(sheet), files, result)


@contextlib.contextmanager
def window(columns: int) -> Iterator[None]:
    """Meanwhile, nobody's own terminal decides how lines are broken."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(columns)
    try:
        yield
    finally:
        os.environ.pop("COLUMNS") if before is None else os.environ.update(COLUMNS=before)


def in_parts(sheet: style.Sheet) -> list[style.Part]:
    """The sheet's parts, and between them whatever else was printed, without blank lines around it.

    Rows that follow each other are one table.
    """
    text, parts, at = sheet.getvalue(), [], 0
    for part in [*sheet.parts, style.Part("end", None, len(sheet.getvalue()), 0)]:
        between = text[at : part.start].strip("\n")
        if between.strip():
            parts.append(style.Part("text", between, at, part.start))
        if part.kind != "row":
            parts.append(part)
        elif parts and parts[-1].kind == "table" and parts[-1].end == part.start:
            parts[-1] = parts[-1]._replace(what=[*parts[-1].what, part.what], end=part.end)
        else:
            parts.append(part._replace(kind="table", what=[part.what]))
        at = part.end
    return parts[:-1]
