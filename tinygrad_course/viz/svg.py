"""A view of a graph as SVG text, with no program and no library: for files, notebooks and the page."""

from __future__ import annotations

from hashlib import sha256
from html import escape

from .labels import plain
from .layout import Layout, Point, arrange
from .looks import attributes, style
from .nodes import Group
from .views import LINE, Box, View


def svg(view: View, title: str) -> str:
    """A whole SVG file of `view`, with its own style sheet, light or dark as the reader's screen is.

    Its ids begin with a mark of what is drawn, so that pictures in one page do not take each other's.
    """
    layout = arrange(view)
    mark = sha256(drawing(view, layout, "").encode()).hexdigest()[:8]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tinygrad" role="img" {attributes("")} '
        f"{extent(layout)}>\n<title>{escaped(title)}</title>\n<style>\n{style()}</style>\n"
        f'<rect class="paper" width="100%" height="100%" {attributes(".paper")}/>\n'
        f"{drawing(view, layout, f'p{mark}-')}</svg>\n"
    )


def extent(layout: Layout) -> str:
    """The size of a picture, as attributes of its root element."""
    w, h = round(layout.width), round(layout.height)
    return f'width="{w}" height="{h}" viewBox="0 0 {w} {h}"'


def drawing(view: View, layout: Layout, prefix: str) -> str:
    """The frames, links and boxes of a view, from back to front; their ids begin with `prefix`."""
    parts = [tip_markup(prefix)]
    parts += [frame_markup(group, place, prefix) for group, place in zip(view.frames, layout.frames)]
    for link, points in zip(view.links, layout.links):
        names = f"{link.source.key} {link.target.key}"
        parts.append(
            f'<path class="link" data-ends="{names}" d="{path(points)}" {attributes(".link")} '
            f'marker-end="url(#{prefix}tip)"/>\n'
        )
    parts += [box_markup(box, place, prefix) for box, place in zip(view.boxes, layout.boxes)]
    return "".join(parts)


def tip_markup(prefix: str, kinds: tuple[str, ...] = ("",)) -> str:
    """The arrow heads of links; a page has some in the colours of each pass too."""
    heads = "".join(
        f'<marker id="{prefix}tip{kind}" class="{kind}" viewBox="0 0 8 8" refX="7.5" refY="4" '
        'markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
        f'<path class="tip" d="M0 0.5 8 4 0 7.5Z" {attributes(".tip")}/></marker>'
        for kind in kinds
    )
    return f"<defs>{heads}</defs>\n"


def frame_markup(group: Group, place: tuple[float, float, float, float], prefix: str) -> str:
    """The frame around an open layer, its name in the upper left corner."""
    x, y, w, h = (f"{n:g}" for n in place)
    label = escaped(group.label)
    return (
        f'<g class="frame" id="{prefix}f{group.id}" transform="translate({x} {y})"><title>{label}</title>'
        f'<rect width="{w}" height="{h}" rx="9" {attributes(".frame rect")}/>'
        f'<text x="10" y="{LINE + 2}" {attributes("text", ".frame text")}>{label}</text></g>\n'
    )


def box_markup(box: Box, place: Point, prefix: str) -> str:
    """A node or a closed layer: its outline and lines of text."""
    classes = ["title", "value", "gradient"] if box.node is not None else ["title", "value", "value"]
    middle = box.w / 2 - (4 if box.kind == "input" else 0)
    text = "".join(
        f'<text class="{kind}" x="{middle:g}" y="{LINE * (i + 1):g}" '
        f"{attributes('text', *([f'text.{kind}'] if kind != 'value' else []))}>{escaped(line)}</text>"
        for i, (kind, line) in enumerate(zip(classes, box.lines))
    )
    x, y = (f"{n:g}" for n in place)
    return (
        f'<g class="node {box.kind}" id="{prefix}{box.key}" transform="translate({x} {y})">'
        f'<title>{escaped(described(box))}</title><path class="shape" d="{outline(box)}" '
        f"{attributes('.shape', f'.{box.kind} .shape')}/>{text}</g>\n"
    )


def described(box: Box) -> str:
    """What a box is, with its full name, for tooltips and screen readers."""
    if box.node is None:
        return ", ".join([box.lines[0], "layer", *box.lines[1:]])
    node = box.node
    parts = [node.operation or node.kind]
    if node.operation and node.value is not None and node.row.formula:
        parts.append(node.row.formula)
    if node.name:
        parts.append(plain(node.name))
    return " | ".join(parts)


def outline(box: Box) -> str:
    """The shape that tells a box's kind, as path data: inputs point to the right, the loss has no corners."""
    w, h = box.w, box.h
    if box.kind == "input":
        return f"M0 0H{w - 12:g}L{w:g} {h / 2:g} {w - 12:g} {h:g}H0Z"
    if box.kind == "loss":
        return f"M9 0H{w - 9:g}L{w:g} 9V{h - 9:g}L{w - 9:g} {h:g}H9L0 {h - 9:g}V9Z"
    if box.kind == "operation":
        return (
            f"M10 0H{w - 10:g}A10 10 0 0 1 {w:g} 10V{h - 10:g}A10 10 0 0 1 {w - 10:g} {h:g}"
            f"H10A10 10 0 0 1 0 {h - 10:g}V10A10 10 0 0 1 10 0Z"
        )
    plate = f"M0 0H{w:g}V{h:g}H0Z"
    return plate + f"M4 {h:g}V{h + 4:g}H{w + 4:g}V4H{w:g}V{h:g}Z" if box.kind == "layer" else plate


def path(points: list[Point]) -> str:
    """A link's way as path data: straight where it stays at its height, else a curve that leaves levelly."""
    (x, y), *rest = points
    data = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        if abs(to_y - y) < 0.05:
            if abs(to_x - x) > 0.1:  # less could be written as a step back, and turn the arrow head around
                data.append(f"H{to_x:.1f}")
        else:
            middle = (x + to_x) / 2
            data.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(data)


def escaped(text: str) -> str:
    """`text` as it stands in SVG and HTML: nothing of it is markup, nor a character that XML forbids."""
    return escape(plain(text))
