"""`save`: a file of the graph behind a value, a still picture or the page that plays it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..files import write_whole
from ..program.compiled import Compiled
from .dot import dot_text, find_program, run_program
from .graph import Results
from .pictures import STILL, path_of, still_view, title_of
from .player import PLAYED, player
from .recorder import Recorder
from .svg import svg

SUFFIXES = (".dot", ".svg", ".png", ".pdf", ".html")


def save(
    value: Results | Recorder | Compiled,
    path: str | os.PathLike[str],
    *,
    module: Any = None,
    max_nodes: int | None = None,
) -> Path:
    """Write a picture of the graph that `value` was computed from, of the kind that `path` ends in.

    ``.svg``, ``.dot`` and ``.html`` need no program; the page is that of `player`.  ``.png`` and ``.pdf`` are
    drawn by a Graphviz program.

    Parameters
    ----------
    value : Value, tuple of Values, Recorder or compiled function
        The result, usually a loss; or several results, drawn together.  A recorded training run can only be
        saved as ``.html``, a compiled function, which is drawn as its program, only as a still picture.
    path : str or path
        Where to write; ends in .svg, .png, .pdf, .dot or .html.  Folders that are missing are made.
    module : Module, optional
        The network, for names and layers; see `draw`.
    max_nodes : int, optional
        More nodes than that are not drawn; 500, and 20,000 in a page.

    Returns
    -------
    Path
        Where the picture is.

    Raises
    ------
    ValueError
        If `path` ends otherwise, or the graph has more than `max_nodes` nodes.
    TypeError
        If `value` is something else or `path` no path, or a Recorder is to be a still picture.
    RuntimeError
        If the program for .png or .pdf is missing or fails; the .dot file is then written in place of the
        picture.

    Examples
    --------
    >>> import tempfile
    >>> from tinygrad_course import Value, viz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     viz.save(Value(2.0) * Value(3.0), folder + "/product.svg").name
    'product.svg'
    """
    path = path_of("save", value, path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"save: a picture's path ends in {', '.join(SUFFIXES)}, and this is {path.name!r}")
    if suffix == ".html":
        if isinstance(value, Compiled):
            raise TypeError(f"save: a program is not played; save it as {path.stem}.svg, or play its result")
        player(value, path, module=module, max_nodes=PLAYED if max_nodes is None else max_nodes)
        return path
    if isinstance(value, Recorder):
        raise TypeError(f"save: a training run is played by a page; save it as {path.stem}.html")
    view = still_view(value, module, STILL if max_nodes is None else max_nodes)
    if suffix == ".svg":
        picture = svg(view, title_of(value)).encode()
        return write_whole(path, lambda part: part.write_bytes(picture))
    text = dot_text(view)
    if suffix == ".dot":
        return write_whole(path, lambda part: part.write_bytes(text.encode()))
    program = find_program(suffix)
    try:
        if program is None:
            raise RuntimeError("no Graphviz program was found")
        drawn = run_program(program, text, suffix)
        return write_whole(path, lambda part: part.write_bytes(drawn))
    except RuntimeError as error:
        instead = write_whole(path.with_suffix(".dot"), lambda part: part.write_bytes(text.encode()))
        raise RuntimeError(
            f"save: {path.name} could not be drawn: {error}. The graph was written to {instead} instead. "
            f"For {suffix}, install Graphviz with the system's package manager (apt install graphviz, brew "
            "install graphviz, winget install graphviz); or, for .png only, pip install graphviz-pure; or "
            "save as .svg or .html, which need no program"
        ) from error
