"""The page that plays backpropagation: one HTML file with everything in it, which fetches nothing.

Python does the layout and the arithmetic; what happens is a JSON list of events.  The page's own script
(graph.js, details.js, player.js) shows them in the frame of page.html, styled by graph.css and player.css.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from importlib.resources import files
from typing import Any

from ..insight.edges import rule_text
from .events import Frame, events_of, frame_of
from .graph import graph_of
from .labels import cut, plain
from .layers import short_name
from .layout import arrange
from .looks import style
from .nodes import Edge, Graph, Group, Node
from .scalars import scalar_record
from .states import State, cut_into_parts, levels_of, states_of
from .svg import box_markup, frame_markup, path, tip_markup
from .views import Box, View, texts_of, view_of

MOST_BOXES = 60_000
"""So many boxes are laid out in all states of a graph together; further states are left out."""


def page_of(graph: Graph, frames: list[Frame], title: str) -> str:
    """The whole HTML text for a graph and the numbers of one pass, or of each step of a training run."""
    parts = [_part(0, graph, frames, "")]
    apart = scalar_record(graph) if len(frames) == 1 else None
    if apart is not None:
        scalars = graph_of(apart.results, homes=apart.homes)
        labels = {group.path: group.label for group in graph.groups}
        for group in scalars.groups:
            group.label = labels.get(group.path, group.label)
        data, markup = _part(1, scalars, [frame_of(scalars)], apart.note)
        data["levels"] = [*data["levels"][1:-1], ["Scalars", data["levels"][-1][1]]]  # modules are above
        parts.append((data, markup))
    graphs = [data for data, _ in parts]
    drawings = "".join(markup for _, markup in parts)
    script = "".join(_file(name) for name in ("graph.js", "details.js", "player.js"))
    sheet = style() + _file("player.css")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(sheet)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    filled = {
        "policy": escape(policy),
        "title": escape(plain(title)),
        "style": sheet,
        "drawings": drawings,
        "data": _json({"graphs": graphs}),
        "script": script,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: filled[match[1]], _file("page.html"))


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(data: Any) -> str:
    """JSON inside a script element: nothing in it can end the element or begin another."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _part(number: int, graph: Graph, frames: list[Frame], note: str) -> tuple[dict[str, Any], str]:
    """One graph's description for the script, and its drawing with every box that any state shows."""
    cut_into_parts(graph)
    texts = texts_of(graph)
    states: list[State] = []
    views: list[dict[str, Any]] = []
    boxes = 0
    for state in states_of(graph):
        view = view_of(graph, texts, [group for group in graph.groups if group not in state])
        boxes += len(view.boxes)
        if views and boxes > MOST_BOXES:
            break
        states.append(state)
        views.append(_view(view))
    data = {
        "note": note,
        "levels": [[name, states.index(state)] for name, state in levels_of(graph) if state in states],
        "nodes": [_node(node) for node in graph.nodes],
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
    everything += [Box(node.kind, texts[node], node=node) for node in graph.nodes]
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


def _node(node: Node) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": node.kind, "name": plain(node.name)}
    if node.group is not None:
        data["group"] = node.group.id
    if node.operation:
        row = node.row
        data |= {"operation": row.name, "label": cut(plain(short_name(node)), 16)}
        data |= {key: text for key in ("formula", "domain", "kink") if (text := getattr(row, key))}
    if node.value is None:
        data["constant"] = True
    if node.is_bare:
        data["bare"] = True
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
