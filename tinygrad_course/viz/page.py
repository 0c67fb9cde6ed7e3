"""The page that plays backpropagation: one HTML file with everything in it, which fetches nothing.

Python does the layout and writes the graph as a program, with which the page computes everything anew when a
number changes; what happens in both passes is a JSON list of events.  The page's own script shows that in
the frame of page.html, styled by graph.css and player.css.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from ..insight.edges import rule_text
from .events import Frame, events_of, frame_of
from .graph import graph_of
from .labels import cut, plain
from .layout import arrange
from .live import NotLive, Part, history, lens_part, live_part, loading_lines
from .looks import style
from .nodes import Edge, Graph, Group, Node
from .pixels import picture_of
from .scalars import Apart, scalar_record
from .states import State, cut_into_parts, levels_of, states_of
from .svg import box_markup, frame_markup, path, tip_markup
from .views import Box, Picture, Texts, View, label_of, texts_of, titles_of, view_of

MOST_BOXES = 60_000
"""So many boxes are laid out in all states of a graph together; further states are left out."""

SCRIPTS = (
    *("scheme.js", "colours.js", "words.js", "numbers.js", "graph.js", "story.js"),
    *("training.js", "live.js", "strip.js"),
)
"""The page's script, but for the programs before it and what extra views and the page itself add to it."""

LAST = ("trainer.js", "finder.js", "player.js")


@dataclass
class Extra:
    """What a view other than the graph adds to a page.

    `scripts` and `sheets` are files of this folder, `sections` the elements beside the graph's stage, `data`
    is added to the page's, `first` is the view that is shown on opening, and `loss` the name of the loss that
    is shown and trained, if it is not the result.
    """

    scripts: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    sections: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    first: str = "graph"
    loss: str | None = None


def page_of(
    graph: Graph, frames: list[Frame], title: str, *, module: Any = None, extra: Extra | None = None
) -> str:
    """The whole HTML text for a graph and the numbers of one pass, or of each step of a training run."""
    extra = extra or Extra()
    apart = scalar_record(graph) if len(frames) == 1 else None
    parts = [_part(0, graph, frames)]
    programs: list[Part] = []
    live: dict[str, Any] = {}
    try:
        programs.append(live_part(graph, titles_of(graph), "program0", extra.loss))
        live = programs[0].data
        if len(frames) > 1:
            live["history"] = history(programs[0], graph, frames)
            live["inputs"] = {
                name: {**given, "data": live["history"][-1]["inputs"].get(name, given["data"])}
                for name, given in live["inputs"].items()
            }
    except NotLive as why:
        programs, live = [], {"reason": str(why)}
    if apart is not None:
        parts.append(_part_of_numbers(graph, apart, programs))
    for (data, _), part in zip(parts, programs):
        data |= {"names": part.names, "gradients": part.gradients, "contributions": part.contributions}
    drawings = "".join(markup for _, markup in parts)
    names = ", ".join(part.data["program"] for part in programs)
    script = "".join(map(_file, SCRIPTS)) + "".join(part.script for part in programs)
    script += f"const PROGRAMS = {{ {names} }};\n" + "".join(map(_file, (*extra.scripts, *LAST)))
    sheet = style() + _file("player.css") + "".join(map(_file, extra.sheets))
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(sheet)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    filled = {
        "policy": escape(policy),
        "title": escape(plain(title)),
        "style": sheet,
        "drawings": drawings,
        "sections": extra.sections,
        "loading": escape(loading_lines(graph, module)),
        "data": _json({"graphs": [d for d, _ in parts], "live": live, "first": extra.first, **extra.data}),
        "script": script,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: filled[match[1]], _file("page.html"))


def _part_of_numbers(graph: Graph, apart: Apart, programs: list[Part]) -> tuple[dict[str, Any], str]:
    """The same graph number by number; its program is added to `programs` if it is live too."""
    scalars = graph_of(apart.results, homes=apart.homes)
    labels = {group.path: group.label for group in graph.groups}
    for group in scalars.groups:
        group.label = labels.get(group.path, group.label)
    data, markup = _part(1, scalars, [frame_of(scalars)])
    data["levels"] = [*data["levels"][1:-1], ["Scalars", data["levels"][-1][1]]]  # modules are above
    if apart.sample is not None:
        data["apart"] = {"sample": apart.sample, "samples": apart.samples}
    if programs:
        try:
            lens = lens_part(programs[0], apart, scalars, titles_of(scalars), "program1")
            programs.append(lens)
            data["lens"] = lens.data
        except NotLive as why:
            data["still"] = str(why)
    return data, markup


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(data: Any) -> str:
    """JSON inside a script element: nothing in it can end the element or begin another."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _part(number: int, graph: Graph, frames: list[Frame]) -> tuple[dict[str, Any], str]:
    """One graph's description for the script, and its drawing with every box that any state shows."""
    cut_into_parts(graph)
    titles = titles_of(graph)
    texts = texts_of(graph, titles)
    pictures = {node: picture_of(node) for node in graph.nodes}
    states: list[State] = []
    views: list[dict[str, Any]] = []
    boxes = 0
    for state in states_of(graph):
        view = view_of(graph, texts, [group for group in graph.groups if group not in state], pictures)
        boxes += len(view.boxes)
        if views and boxes > MOST_BOXES:
            break
        states.append(state)
        views.append(_view(view))
    data = {
        "levels": [[name, states.index(state)] for name, state in levels_of(graph) if state in states],
        "nodes": [_node(node, titles, texts, pictures[node]) for node in graph.nodes],
        "edges": [_edge(edge) for edge in graph.edges],
        "groups": [_group(group) for group in graph.groups],
        "states": [sorted(group.id for group in state) for state in states],
        "views": views,
        "events": events_of(graph),
        "frames": _thinned(frames),
        "roots": [root.id for root in graph.roots],
    }
    prefix = f"s{number}-"
    everything: list[Box] = [Box("layer", texts[group], group=group) for group in graph.groups]
    everything += [Box(node.kind, texts[node], node=node, picture=pictures[node]) for node in graph.nodes]
    markup = [
        '<svg class="tinygrad" role="group" tabindex="0" aria-label="Graph" hidden>',
        tip_markup(prefix, ("", "-forward", "-backward")),
        '<g class="frames"></g><g class="links"></g><g class="nodes"></g></svg>\n<template><svg>',
        *(frame_markup(group, (0, 0, 0, 0), prefix) for group in graph.groups),
        *(box_markup(box, (0, 0), prefix) for box in everything),
        "</svg></template>\n",
    ]
    return data, "".join(markup)


def _view(view: View) -> dict[str, Any]:
    """Where everything is in one state."""
    layout = arrange(view)
    return {
        "size": [round(layout.width), round(layout.height)],
        "boxes": {box.key: [round(x, 1), round(y, 1)] for box, (x, y) in zip(view.boxes, layout.boxes)},
        "frames": {
            f"f{group.id}": [round(n, 1) for n in place] for group, place in zip(view.frames, layout.frames)
        },
        "links": [
            [link.source.key, link.target.key, path(points), [edge.id for edge in link.edges]]
            for link, points in zip(view.links, layout.links)
        ],
    }


def _node(node: Node, titles: dict[Node, str], texts: Texts, picture: Picture) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": node.kind, "title": titles[node]}
    if node.group is not None:
        data["group"] = node.group.id
    if node.operation:
        row = node.row
        data |= {"operation": row.name, "label": cut(label_of(node, titles), 16)}
        data |= {key: text for key in ("formula", "domain", "kink") if (text := getattr(row, key))}
    if node.value is None:
        data["constant"] = True
    if node.is_bare:
        data["bare"] = True
    if picture[0]:
        box = Box(node.kind, texts[node], node=node, picture=picture)
        shown = 1 if node.value is None else 2
        left = (box.w - (10 if node.kind == "input" else 0) - shown * picture[0] - 6 * (shown - 1)) / 2
        data["picture"] = [round(left, 1), box.h - picture[1] - 7, *picture]
        if np.ndim(node.data) == 0:
            data["single"] = True
    return data


def _edge(edge: Edge) -> list[Any]:
    return [edge.source.id, edge.target.id, edge.argument, rule_text(edge.target.row, edge.operand)]


def _group(group: Group) -> dict[str, Any]:
    return {"label": plain(group.label), "parent": group.parent.id if group.parent is not None else None}


def _thinned(frames: list[Frame]) -> list[Frame]:
    """Frames without what is the same in all of them: the operations as they were called."""
    first = frames[0]["calls"]
    thin = []
    for i, frame in enumerate(frames):
        calls = {
            n: cut(call) for n, call in enumerate(frame["calls"]) if call and (i == 0 or call != first[n])
        }
        thin.append({**frame, "calls": calls})
    return thin
