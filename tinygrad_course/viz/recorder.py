"""A training run, recorded for the page: the numbers of every few steps, the graph only once."""

from __future__ import annotations

from typing import Any

from .events import Frame, frame_of
from .graph import Results, graph_of
from .nodes import Graph


class Recorder:
    """Keeps the values and gradients of a training run, to be played by `player` or saved as ``.html``.

    Call `record` with the loss of each step, before the optimizer changes the parameters.  When more than
    `limit` steps were recorded, every other one is forgotten and only every second is kept from then on (then
    every fourth, and so on), so that a run of any length fits.

    Parameters
    ----------
    module : Module, optional
        The network, for names and layers; see `draw`.
    limit : int
        So many steps are kept at most, 2 or more.

    Raises
    ------
    ValueError
        If `limit` is smaller than 2.

    Examples
    --------
    >>> from tinygrad_course import Value, viz
    >>> w = Value(1.0, name="w")
    >>> recorder = viz.Recorder()
    >>> for step in range(5):
    ...     loss = (w * 3.0 - 6.0) ** 2
    ...     loss.backward()
    ...     recorder.record(loss)
    ...     w.data, w.grad = w.data - 0.02 * w.grad, None
    >>> recorder.steps
    [0, 1, 2, 3, 4]
    """

    def __init__(self, module: Any = None, *, limit: int = 100) -> None:
        if limit < 2:
            raise ValueError(f"Recorder: limit is how many steps are kept, at least 2, not {limit}")
        self.module = module
        self.limit = limit
        self.graph: Graph | None = None
        self.frames: list[Frame] = []
        self.steps: list[int] = []
        self._seen = 0
        self._every = 1

    def record(self, loss: Results) -> None:
        """Keep the numbers of this step; of several results, the first is the loss.

        Raises
        ------
        ValueError
            If the graph of `loss` is not made of the same operations as in the steps before.
        RuntimeError
            If parameters were updated in place since `loss` was computed.
        """
        step = self._seen
        self._seen += 1
        if step % self._every:
            return
        graph = graph_of(loss, self.module)
        if self.graph is None:
            self.graph = graph
        elif _structure(graph) != _structure(self.graph):
            raise ValueError(
                f"Recorder: step {step} was computed by other operations than step {self.steps[0]}, so they "
                "cannot be shown on one graph; record the same computation every time, or use a new Recorder"
            )
        frame = frame_of(graph)
        frame["label"] = f"{step}"
        self.frames.append(frame)
        self.steps.append(step)
        if len(self.frames) > self.limit:
            self.frames, self.steps = self.frames[::2], self.steps[::2]
            self._every *= 2


def _structure(graph: Graph) -> list[tuple[str, tuple[tuple[int, int], ...]]]:
    """What each node computes from which others, without the numbers."""
    return [
        (
            node.row.name if node.operation else node.kind,
            tuple((edge.source.id, edge.operand) for edge in node.inputs),
        )
        for node in graph.nodes
    ]
