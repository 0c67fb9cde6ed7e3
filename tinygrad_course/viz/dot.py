"""A view of a graph in DOT, the language of Graphviz, and the search for a program that draws it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from .labels import plain
from .looks import look
from .nodes import Group
from .svg import described
from .views import Box, View

OUTLINES = {
    "input": 'shape=cds, margin="0.2,0.12"',
    "parameter": "shape=box",
    "operation": 'shape=box, style="rounded,filled"',
    "loss": 'shape=octagon, margin="-0.05,-0.05"',
    "layer": "shape=box3d",
}
"""For each kind of box the shape most similar to that of the other pictures."""


def _coloured(kind: str) -> str:
    colours = look(".shape", f".{kind} .shape")
    fill, line, width = colours["fill"], colours["stroke"], colours["stroke-width"]
    return f'{OUTLINES[kind]}, fillcolor="{fill}", color="{line}", penwidth={width}'


SHAPES = {kind: _coloured(kind) for kind in OUTLINES}
"""Those shapes in the colours of all pictures."""

SECONDS = 60
"""How long the program may take for a picture."""


def dot_lines(view: View) -> list[str]:
    """The lines between the braces of a DOT graph, each with its end."""
    order = "" if view.frames else 'ordering="in", '  # programs have crashed over both at once
    lines = [
        f'graph [rankdir=LR, {order}nodesep=0.2, ranksep=0.45, fontname="Courier", fontsize=11]',
        'node [style=filled, fontname="Courier", fontsize=11, margin="0.12,0.06"]',
        f'edge [color="{look(".link")["stroke"]}", arrowsize=0.6]',
    ]

    def fill(frame: Group | None, indent: str) -> None:
        """The boxes directly in `frame`, then the frames in it: as deep as layers are nested."""
        lines.extend(indent + _node(box) for box in view.boxes if box.within is frame)
        for inner in view.frames:
            if inner.parent is frame:
                lines.append(f"{indent}subgraph cluster_{inner.id} {{")
                lines.append(f'{indent}\tgraph [label={quoted([inner.label])}, style="dashed,rounded", ')
                lines[-1] += f'color="{look(".frame rect")["stroke"]}", labeljust=l]'
                fill(inner, indent + "\t")
                lines.append(indent + "}")

    fill(None, "")
    lines += [f"{link.source.key} -> {link.target.key}" for link in view.links]
    return [f"\t{line}\n" for line in lines]


def dot_text(view: View) -> str:
    """A whole DOT file."""
    return "digraph {\n" + "".join(dot_lines(view)) + "}\n"


def _node(box: Box) -> str:
    label, tooltip = quoted(box.lines), quoted([described(box)])
    return f"{box.key} [label={label}, tooltip={tooltip}, {SHAPES[box.kind]}]"


def quoted(lines: list[str]) -> str:
    r"""Lines of text as a quoted string that Graphviz draws letter by letter.

    Examples
    --------
    >>> print(quoted(['say "hi"', "<b> & {x} \\N"]))
    "say \"hi\"\n<b> &amp; {x} \\N"
    """
    safe = [plain(line).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in lines]
    return '"' + "\\n".join(safe) + '"'


def find_program(suffix: str) -> str | None:
    """A program that draws DOT as `suffix`: ``dot`` on the PATH, ``graphviz-pure`` there or beside Python."""
    found = shutil.which("dot")
    if found is None and suffix != ".pdf":  # which graphviz-pure cannot write
        beside = os.path.dirname(sys.executable)
        found = shutil.which("graphviz-pure") or shutil.which("graphviz-pure", path=beside)
    return found


def run_program(program: str, text: str, suffix: str) -> bytes:
    """Have `program` draw a DOT text.

    Raises
    ------
    RuntimeError
        If it fails, or is not done in a minute.
    """
    command = [program, "-Kdot", f"-T{suffix[1:]}", "-q"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise RuntimeError(
            f"{program} was not done after {SECONDS} s: the graph is too large for it. "
            "Write .svg or .html instead, which need no program"
        ) from None
    except OSError as error:
        raise RuntimeError(f"{program} could not be started: {error}") from error
    if done.returncode or not done.stdout:
        why = done.stderr.decode(errors="replace").strip() or "it wrote nothing"
        raise RuntimeError(f"{program} did not draw the graph: {why}")
    return done.stdout
