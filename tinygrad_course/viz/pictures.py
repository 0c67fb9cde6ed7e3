"""Still pictures of the graph behind a value: `draw` for Graphviz, `save` for files of every kind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..value import Value
from .dot import dot_lines, dot_text, find_program, run_program
from .graph import graph_of
from .nodes import Graph
from .svg import svg
from .views import View, view_of

if TYPE_CHECKING:
    import graphviz  # type: ignore[import-untyped,import-not-found,unused-ignore]

STILL = 500
"""So many nodes a still picture may have unless more are asked for."""

SUFFIXES = (".dot", ".svg", ".png", ".pdf")


def draw(value: Value, *, module: Any = None, max_nodes: int = STILL) -> graphviz.Digraph:
    """Draw the graph that `value` was computed from.

    One node a value: the operation, its name and number or shape, its gradient (– before backward).  Inputs
    are blue arrows, parameters yellow boxes, operations grey and round, the result an orange octagon.

    Parameters
    ----------
    value : Value
        The result, usually a loss.
    module : Module, optional
        The network: names its parameters, and frames its layers.  Without it, layers are known from
        parameters with dotted names, ``Value(0.1, name="hidden.weight")``.
    max_nodes : int
        More nodes than that are not drawn.

    Returns
    -------
    graphviz.Digraph
        Shown by notebooks if a ``dot`` program is installed; `.source` is the DOT text.

    Raises
    ------
    ImportError
        If the Python package graphviz is missing.
    ValueError
        If the graph has more than `max_nodes` nodes.

    Examples
    --------
    >>> from tinygrad_course import Value, viz
    >>> w, x = Value(2.0, name="w"), Value(3.0, name="x")
    >>> print(viz.draw(w * x).source)
    digraph {
    ...
        n0 -> n2
        n1 -> n2
    }
    """
    try:
        import graphviz  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        raise ImportError(
            "viz.draw needs the Python package graphviz: pip install 'tinygrad_course[viz]'; "
            "viz.save(value, 'graph.svg') and .dot and .html need nothing"
        ) from None
    view = still_view(value, module, max_nodes)
    return graphviz.Digraph(body=dot_lines(view))


def save(
    value: Value, path: str | os.PathLike[str], *, module: Any = None, max_nodes: int | None = None
) -> Path:
    """Write a picture of the graph that `value` was computed from, of the kind that `path` ends in.

    ``.svg``, ``.dot`` and ``.html`` need no program; the page is that of `player`.  ``.png`` and ``.pdf`` are
    drawn by a Graphviz program.

    Parameters
    ----------
    value : Value
        The result, usually a loss.
    path : str or path
        Where to write; ends in .svg, .png, .pdf, .dot or .html.
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
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"save: a picture's path ends in {', '.join(SUFFIXES)}, and this is {path.name!r}")
    view = still_view(value, module, STILL if max_nodes is None else max_nodes)
    if suffix == ".svg":
        return written(path, svg(view, title_of(value)).encode())
    text = dot_text(view)
    if suffix == ".dot":
        return written(path, text.encode())
    program = find_program(suffix)
    try:
        if program is None:
            raise RuntimeError("no Graphviz program was found")
        return written(path, run_program(program, text, suffix))
    except RuntimeError as error:
        instead = written(path.with_suffix(".dot"), text.encode())
        raise RuntimeError(
            f"save: {path.name} could not be drawn: {error}. The graph was written to {instead} instead. "
            f"For {suffix}, install Graphviz with the system's package manager (apt install graphviz, brew "
            "install graphviz, winget install graphviz); or, for .png only, pip install graphviz-pure; or "
            "save as .svg or .html, which need no program"
        ) from error


def still_view(value: Value, module: Any, max_nodes: int) -> View:
    """The graph with everything open, if it is not too large for that."""
    return view_of(limited(graph_of(value, module), max_nodes))


def limited(graph: Graph, max_nodes: int) -> Graph:
    """`graph`, unless it is too large to be looked at."""
    n = len(graph.nodes)
    if n > max_nodes:
        raise ValueError(
            f"the graph has {n:,} nodes, and a picture of more than {max_nodes:,} can hardly be read. Draw a "
            "smaller one (a single sample, fewer neurons), save it as .html, where layers open and close, "
            f"or ask for it with max_nodes={n}"
        )
    return graph


def title_of(value: Value) -> str:
    """What the picture as a whole is called."""
    return f"The graph of {value.name}" if value.name else "The graph behind a value"


def written(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path
