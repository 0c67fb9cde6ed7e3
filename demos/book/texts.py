"""What is told about each part: a Markdown file in texts/, in which the demo's own numbers are asked for.

A text is a template.  ``{{ demo.LECTURE["and"][0] }}`` is a number of the demo itself, so that none is
written twice; ``{{ code("show") }}`` is the source of a function, ``{{ output("AND with") }}`` what was
printed under the heading with these words (``output()``: before the first), ``{{ figure("gates", "The four
inputs") }}`` a picture and what it shows, and ``{{ live("gates.html", "Press Train.") }}`` a live page and
what to do there. What is placed nowhere follows at the end of the page, but for what ``{{
without("step.html") }}`` names.  A demo without such a file is told about by its docstring.  Notebooks take
only the code: they run the rest.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

DEMOS = Path(__file__).parent.parent
TEXTS = Path(__file__).parent / "texts"
MARKS = "output", "figure", "live", "code", "without"


class Mark(NamedTuple):
    """A place in a text where something of the demo belongs, and what."""

    kind: str  # one of MARKS
    args: tuple[str, ...]


def text_of(name: str) -> tuple[str, list[Mark]]:
    """The Markdown of a part, with a line ``<!--0-->`` for its first mark and so on, and the marks."""
    path = TEXTS / f"{name}.md"
    demo = importlib.import_module(f"demos.{name}") if (DEMOS / f"{name}.py").exists() else None
    if not path.exists():
        return f"# {name.replace('_', ' ').capitalize()}\n\n{inspect.getdoc(demo)}", []
    marks: list[Mark] = []

    def marker(kind: str) -> Callable[..., str]:
        def mark(*args: str) -> str:
            marks.append(Mark(kind, args))
            return f"\n\n<!--{len(marks) - 1}-->\n\n"

        return mark

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    template = environment.from_string(path.read_text("utf-8"))
    return template.render(demo=demo, **{kind: marker(kind) for kind in MARKS}), marks


def title_of(markdown: str) -> str:
    """What stands in the heading that a text begins with."""
    return markdown.partition("\n")[0].removeprefix("# ")


def source_of(name: str) -> str:
    """The demo's file."""
    return (DEMOS / f"{name}.py").read_text("utf-8")


def function_source(name: str, *functions: str) -> str:
    """The source of some of a demo's functions, one below the other."""
    demo: Any = importlib.import_module(f"demos.{name}")
    return "\n\n".join(inspect.getsource(getattr(demo, function)).rstrip() for function in functions)


class Exercise(NamedTuple):
    """An exercise as exercises.py has it."""

    part: str  # the demo it belongs to
    name: str
    source: str  # the function that is to be written
    task: str  # its docstring


def exercises() -> list[Exercise]:
    """All exercises; a comment ``# gates.py`` above them names the demo they belong to."""
    text = (DEMOS / "exercises.py").read_text("utf-8")
    lines, part, found = text.splitlines(), "", []
    places = {node.lineno: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    for number, line in enumerate(lines, 1):
        if line.startswith("# ") and line.endswith(".py"):
            part = line.removeprefix("# ").removesuffix(".py")
        if number in places:
            node = places[number]
            source = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            found.append(Exercise(part, node.name, source, ast.get_docstring(node) or ""))
    return found
