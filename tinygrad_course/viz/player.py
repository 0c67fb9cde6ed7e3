"""`player`: the live page of a forward and a backward pass, or of a whole training run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from ..files import write_whole
from .events import frame_of
from .graph import Results, graph_of
from .page import page_of
from .pictures import limited, path_of, title_of
from .recorder import Recorder

PLAYED = 20_000
"""So many nodes a page may have unless more are asked for."""


@dataclass(frozen=True)
class Page:
    """A page that plays backpropagation: `html` is all of it; notebooks show it in place."""

    html: str

    def __repr__(self) -> str:
        return f"<Page of {len(self.html.encode()) / 1000:,.0f} kB: save it with .save('page.html')>"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file, whole or not at all."""
        return write_whole(path, lambda part: part.write_bytes(self.html.encode()))

    def _repr_html_(self) -> str:
        """The page in a frame of its own, which can run its script and nothing else."""
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts" title="Backpropagation, played" '
            'width="100%" height="760" style="border: 1px solid #8884"></iframe>'
        )


def player(
    value: Results | Recorder,
    path: str | os.PathLike[str] | None = None,
    *,
    module: Any = None,
    max_nodes: int = PLAYED,
) -> Page:
    """Play the forward and the backward pass of `value`, one operation and one gradient at a time.

    The page is one file that needs no network, and it is live: any parameter, input or target can be changed,
    or nudged to compare the change that its gradient predicts with the real one; the page trains, keeps every
    step, and gives the weights back as JSON.  What it cannot compute, it replays, and says why.  Layers open
    and close by a click; a small graph of arrays can also be looked at number by number, for any sample.  No
    `.grad` is changed: the gradients are computed anew.

    Parameters
    ----------
    value : Value, tuple of Values, or Recorder
        The result, usually a loss; several results, played together; or a recorded training run, whose steps
        then have a slider of their own.
    path : str or path, optional
        Where to write the page; without it, it is only returned (and shown, in a notebook).
    module : Module, optional
        The network, for names and layers; see `draw`.
    max_nodes : int
        More nodes than that are not shown.

    Returns
    -------
    Page
        With the text in `.html`.

    Raises
    ------
    ValueError
        If the graph has more than `max_nodes` nodes, or a Recorder has recorded nothing.
    RuntimeError
        If an array was updated in place since it was recorded.

    Examples
    --------
    >>> from tinygrad_course import Value, viz
    >>> w, x = Value(-3.0, name="w"), Value(2.0, name="x")
    >>> page = viz.player((w * x + 1.0).tanh())
    >>> page.html.startswith("<!DOCTYPE html>")
    True
    """
    path = None if path is None else path_of("player", value, path)
    if isinstance(value, Recorder):
        if value.graph is None:
            raise ValueError("player: the Recorder is empty; call recorder.record(loss) in the training loop")
        graph, frames, title = limited(value.graph, max_nodes), value.frames, "A training run"
        module = value.module
    else:
        graph = limited(graph_of(value, module), max_nodes)
        frames, title = [frame_of(graph)], title_of(value)
    page = Page(page_of(graph, frames, title, module=module))
    if path is not None:
        page.save(path)
    return page
