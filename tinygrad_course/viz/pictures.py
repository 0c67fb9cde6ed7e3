"""Still pictures of the graph behind a value: `draw` for Graphviz, and what `save` needs too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..program.compiled import Compiled
from .dot import dot_lines
from .graph import Results, graph_of, results_of
from .nodes import Graph
from .programs import program_graph
from .views import View, texts_of, view_of

if TYPE_CHECKING:
    import graphviz  # type: ignore[import-untyped,import-not-found,unused-ignore]

STILL = 500
"""So many nodes a still picture may have unless more are asked for."""


def draw(value: Results | Compiled, *, module: Any = None, max_nodes: int = STILL) -> graphviz.Digraph:
    """Draw the graph that `value` was computed from.

    One node a value: the operation, its name and number or shape, its gradient (– before backward).  Inputs
    are green arrows, parameters yellow boxes, operations grey and round, the result a purple octagon.

    Parameters
    ----------
    value : Value, tuple of Values, or compiled function
        The result, usually a loss; or several results, drawn together.  A compiled function is drawn as its
        program, the forward pass and the backward pass.
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


def still_view(value: Results | Compiled, module: Any, max_nodes: int) -> View:
    """The graph with everything open, if it is not too large for that."""
    if isinstance(value, Compiled):
        program, texts = program_graph(value)
        return view_of(limited(program, max_nodes), texts)
    advice = (
        "Draw a smaller one (a single sample, fewer neurons), save it as .html, where layers open and close,"
    )
    graph = limited(graph_of(value, module), max_nodes, advice)
    return view_of(graph, texts_of(graph))


def limited(graph: Graph, max_nodes: int, advice: str = "Draw a smaller one,") -> Graph:
    """`graph`, unless it is too large to be looked at."""
    n = len(graph.nodes)
    if n > max_nodes:
        raise ValueError(
            f"the graph has {n:,} nodes, and a picture of more than {max_nodes:,} can hardly be read. "
            f"{advice} or ask for it with max_nodes={n}"
        )
    return graph


def title_of(value: Results | Compiled) -> str:
    """What the picture as a whole is called."""
    if isinstance(value, Compiled):
        return "A compiled program"
    results = results_of(value)
    if names := ", ".join(result.name for result in results if result.name):
        return f"The graph of {names}"
    return "The graph behind a value" if len(results) == 1 else f"The graph behind {len(results)} values"


def path_of(who: str, value: Any, path: Any) -> Path:
    """Where to write a picture of `value`; a TypeError if that is no path."""
    if isinstance(path, (str, os.PathLike)):
        return Path(path)
    instead = f"{who}(value, 'graph.svg')"
    if isinstance(value, (str, os.PathLike)):
        instead = f"the value first and the path second, {who}(value, {os.fspath(value)!r})"
    raise TypeError(
        f"{who}: the path is a string or a Path, and this is {type(path).__name__}; write {instead}"
    )
