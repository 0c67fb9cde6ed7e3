"""A notebook of each demo: its text, its functions where the text asks for them, and its main, step by step.

A notebook holds the demo's own lines, and before them a cell that finds the demos and one that says how to
run.  Tables, figures and live pages are made by running it; in their places the text only names them.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
from nbformat import v4

from .texts import Mark, exercises, source_of, text_of

FIND = """\
# The demos are found from here, as this notebook stands somewhere in their repository.
import sys
from pathlib import Path

root = next(folder for folder in Path.cwd().parents if (folder / "demos" / "style.py").exists())
sys.path.insert(0, str(root))
import demos

__file__ = str(root / "demos" / "{name}.py")"""
SETTINGS = """\
argv = ["--out", "out/{name}"]  # "--quick" makes it short, "--seed", "1" draws other numbers"""
PLACE = re.compile(r"<!--(\d+)-->")
WORDS = {"output": "Printed below: {}.", "figure": "Drawn below: {}", "live": "Live below: {}"}


def build(folder: Path, names: Iterable[str]) -> list[Path]:
    """Write a notebook a demo into a folder; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, name in enumerate(names, 1):
        written.append(folder / f"{number:02}-{name}.ipynb")
        nbformat.write(notebook(name), written[-1])
    return written


def notebook(name: str) -> nbformat.NotebookNode:
    """The notebook of a demo."""
    code = Code(source_of(name))
    text, marks = text_of(name)
    opening, *rest = told(text, marks, code)
    cells = [opening, v4.new_code_cell(FIND.format(name=name)), v4.new_code_cell(code.front), *rest]
    if code.functions:
        cells.append(v4.new_markdown_cell("## The rest of the code"))
        cells += map(v4.new_code_cell, code.functions.values())
    cells += [v4.new_markdown_cell("## Run it"), v4.new_code_cell(SETTINGS.format(name=name))]
    cells += map(v4.new_code_cell, code.steps)
    for exercise in exercises():
        if exercise.part == name:
            cells.append(v4.new_markdown_cell(f"## Exercise: {exercise.name}\n\n{exercise.task}"))
            cells.append(v4.new_code_cell(exercise.source))
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # the same each time
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def told(text: str, marks: list[Mark], code: Code) -> Iterator[nbformat.NotebookNode]:
    """The text in cells, between them the functions that it asks for."""
    said = ""
    for i, piece in enumerate(PLACE.split(text)):
        if i % 2 == 0:
            said += piece
        elif marks[int(piece)].kind == "code":
            yield v4.new_markdown_cell(tidy(said))
            yield from (v4.new_code_cell(code.functions.pop(name)) for name in marks[int(piece)].args)
            said = ""
        else:
            said += named(marks[int(piece)])
    if said.strip():
        yield v4.new_markdown_cell(tidy(said))


def named(mark: Mark) -> str:
    """What stands in the text for something that is shown by running."""
    about = mark.args[-1] if mark.args else ""
    return f"*{WORDS[mark.kind].format(about)}*" if mark.kind in WORDS and about else ""


def tidy(markdown: str) -> str:
    """Without lines that something was taken from."""
    return re.sub(r"\n{3,}", "\n\n", markdown).strip()


class Code:
    """A demo's lines, taken apart.

    Attributes
    ----------
    front : str
        Imports, constants and classes, in the demo's order.
    functions : dict
        The other functions by name, in the demo's order.
    steps : list of str
        The body of main, a piece for each thing that it shows.
    """

    def __init__(self, source: str) -> None:
        self.lines = source.split("\n")
        _, *nodes, _ = ast.parse(source).body  # without the docstring, and without what runs a script
        pieces = dict(zip(nodes, self.pieces(nodes, nodes[0].lineno - 1)))
        self.functions = {node.name: pieces.pop(node) for node in nodes if isinstance(node, ast.FunctionDef)}
        main = next(node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == "main")
        self.front = "\n\n".join(pieces.values())
        self.steps = list(self.stepwise(main))
        if len(self.steps) > 1:
            del self.functions["main"]

    def pieces(self, nodes: list[ast.stmt], start: int) -> Iterator[str]:
        """The lines of some nodes that follow each other, each with the comments above it."""
        for node in nodes:
            yield textwrap.dedent("\n".join(self.lines[start : node.end_lineno])).strip("\n")
            start = node.end_lineno or 0

    def stepwise(self, main: ast.FunctionDef) -> Iterator[str]:
        """The body of main, cut behind every statement that may show something."""
        body = main.body
        if isinstance(body[-1], ast.Return):
            body = body[:-1]
        if any(isinstance(node, ast.Return) for statement in body for node in ast.walk(statement)):
            yield "main(argv);"
            return
        for node in body:
            if isinstance(node, ast.Expr):
                self.silence(node)
        step: list[str] = []
        for node, piece in zip(body, self.pieces(body, body[0].lineno - 1)):
            step.append(piece)
            if not isinstance(node, ast.Assign) and ast.unparse(node) != "print()":
                yield "\n".join(step)
                step = []
        if step:
            yield "\n".join(step)

    def silence(self, node: ast.Expr) -> None:
        """A semicolon behind an expression: a notebook does not show its value then."""
        line = self.lines[(node.end_lineno or 0) - 1].encode()
        self.lines[(node.end_lineno or 0) - 1] = (
            line[: node.end_col_offset] + b";" + line[node.end_col_offset :]
        ).decode()
