"""Where everything goes: a small layered layout, from left to right, with a frame around each open layer.

Each frame is laid out on its own, the inner ones first, and is then one large box in the frame around it; so
frames never overlap.  In a frame, every box stands in a column, as far right as what uses it allows (the
longest path to the result decides).  A link that passes other columns gets a lane through each of them, which
all links from the same box share.  The order within a column follows the mean place of the neighbours (the
barycentre heuristic: Sugiyama, Tagawa and Toda 1981); then all boxes move towards the height of their
neighbours as far as those beside them in the column allow.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field

from .labels import width
from .layering import Joint, columns_of, first_order, heights_of, ordered
from .nodes import Group
from .views import CELL, LINE, Box, Link, View

COLUMN_GAP, LANE = 27.0, 6.0
PADDING, TITLE = 14.0, LINE + 10.0

Point = tuple[float, float]
Child = Box | Group


@dataclass(slots=True, eq=False)
class Layout:
    """The upper left corners of boxes, the rectangles of frames, the corners of each link's way."""

    width: float
    height: float
    boxes: list[Point]
    frames: list[tuple[float, float, float, float]]
    links: list[list[Point]]


@dataclass(slots=True, eq=False)
class _Route:
    """How the links from one box pass a frame: from `origin` (None: from outside) to `targets`, and out."""

    origin: Child | None
    targets: dict[tuple[Child, Link | None], None] = field(default_factory=dict)
    leaves: bool = False
    lanes: list[int] = field(default_factory=list)  # one cell a column passed


@dataclass(slots=True, eq=False)
class _Frame:
    """The inside of one open layer, or of the whole picture."""

    group: Group | None
    children: list[Child] = field(default_factory=list)
    routes: dict[Box, _Route] = field(default_factory=dict)
    cell: dict[Child, int] = field(default_factory=dict)
    column: list[int] = field(default_factory=list)  # of each cell
    y: list[float] = field(default_factory=list)  # of each cell's middle
    left: list[float] = field(default_factory=list)  # edges of each column
    right: list[float] = field(default_factory=list)
    w: float = 0.0
    h: float = 0.0


def arrange(view: View) -> Layout:
    """Lay out a view."""
    frames: dict[Group | None, _Frame] = {group: _Frame(group) for group in (None, *view.frames)}
    for box in view.boxes:
        frames[box.within].children.append(box)
    for group in view.frames:
        frames[group.parent].children.append(group)
    for link in view.links:
        _enter(frames, link)
    ports = _Ports(view, frames)
    for group in reversed(view.frames):
        _place(frames[group], frames, ports)
    _place(frames[None], frames, ports)
    corner: dict[Child | None, Point] = {None: (0.0, 0.0)}
    for frame in frames.values():
        x, y = corner[frame.group]
        for child in frame.children:
            i = frame.cell[child]
            w, h = _extent(child, frames)
            middle = (frame.left[frame.column[i]] + frame.right[frame.column[i]]) / 2
            corner[child] = (x + middle - w / 2, y + frame.y[i] - h / 2)
    return Layout(
        frames[None].w,
        frames[None].h,
        [corner[box] for box in view.boxes],
        [(*corner[group], frames[group].w, frames[group].h) for group in view.frames],
        [_way(link, frames, ports, corner) for link in view.links],
    )


def _extent(child: Child, frames: dict[Group | None, _Frame]) -> Point:
    return (child.w, child.h) if isinstance(child, Box) else (frames[child].w, frames[child].h)


def _steps(box: Box) -> list[tuple[Group | None, Child]]:
    """The frames around a box, from the inside out, each with its child that holds the box."""
    steps: list[tuple[Group | None, Child]] = [(box.within, box)]
    group = box.within
    while group is not None:
        steps.append((group.parent, group))
        group = group.parent
    return steps


def _split(link: Link) -> tuple[list[tuple[Group | None, Child]], ...]:
    """The frames that a link leaves, the one it crosses (with the child at either end), those it enters."""
    out, into = _steps(link.source), _steps(link.target)
    while len(out) > 1 and len(into) > 1 and out[-2][0] is into[-2][0]:
        out.pop()
        into.pop()
    return out[:-1], [out[-1], into[-1]], into[:-1]


def _enter(frames: dict[Group | None, _Frame], link: Link) -> None:
    """Note a link in every frame that it passes."""
    leaving, (start, end), entering = _split(link)
    source = link.source
    for group, child in leaving:
        frames[group].routes.setdefault(source, _Route(child)).leaves = True
    for group, child, last in [
        (start[0], end[1], not entering),
        *((g, c, c is link.target) for g, c in entering),
    ]:
        origin = start[1] if group is start[0] else None
        route = frames[group].routes.setdefault(source, _Route(origin))
        route.targets[child, link if last else None] = None


class _Ports:
    """At which height of a box or frame a link ends or begins, relative to its middle."""

    def __init__(self, view: View, frames: dict[Group | None, _Frame]) -> None:
        self.frames = frames
        self.entries: dict[Link, float] = {}
        into: dict[Box, list[Link]] = defaultdict(list)
        for link in view.links:
            into[link.target].append(link)
        for box, links in into.items():  # links come in the order of the operands
            step = min(12.0, 0.7 * box.h / len(links))
            for i, link in enumerate(links):
                self.entries[link] = (i - (len(links) - 1) / 2) * step

    def out_of(self, child: Child, source: Box) -> float:
        """Where the links from `source`, which is in `child`, come out of it."""
        if isinstance(child, Box):
            return 0.0
        frame = self.frames[child]
        return _last(frame, frame.routes[source], self, source) - frame.h / 2

    def into(self, child: Child, link: Link | None, source: Box) -> float:
        """Where a link, or all links from `source`, go into `child`."""
        if isinstance(child, Box):
            return 0.0 if link is None else self.entries[link]
        frame = self.frames[child]
        return _first(frame, frame.routes[source], self, source) - frame.h / 2


def _last(frame: _Frame, route: _Route, ports: _Ports, source: Box) -> float:
    if route.lanes:
        return frame.y[route.lanes[-1]]
    assert route.origin is not None
    return frame.y[frame.cell[route.origin]] + ports.out_of(route.origin, source)


def _first(frame: _Frame, route: _Route, ports: _Ports, source: Box) -> float:
    if route.lanes:
        return frame.y[route.lanes[0]]
    ends = [frame.y[frame.cell[child]] + ports.into(child, link, source) for child, link in route.targets]
    return sum(ends) / len(ends)


def _place(frame: _Frame, frames: dict[Group | None, _Frame], ports: _Ports) -> None:
    """Lay out one frame whose children have their sizes."""
    n = len(frame.children)
    frame.cell = {child: i for i, child in enumerate(frame.children)}
    after: list[set[int]] = [set() for _ in range(n)]
    for route in frame.routes.values():
        if route.origin is not None:
            after[frame.cell[route.origin]].update(frame.cell[child] for child, _ in route.targets)
    frame.column = columns_of(after)
    last = max(frame.column, default=0)
    size = [_extent(child, frames) for child in frame.children]
    heights = [h for _, h in size]
    _add_lanes(frame, heights, last)
    joints = _joints(frame, ports)
    columns: list[list[int]] = [[] for _ in range(last + 1)]
    for cell in first_order(len(heights), joints):
        columns[frame.column[cell]].append(cell)
    columns = ordered(columns, frame.column, joints)
    frame.y = heights_of(columns, joints, heights, n)
    _measure(frame, columns, joints, ports, heights, size)


def _add_lanes(frame: _Frame, heights: list[float], last: int) -> None:
    """Give each route a cell in every column that it passes, the short ones first; too many get none."""
    spans = []
    for route in frame.routes.values():
        ends = [frame.column[frame.cell[child]] for child, _ in route.targets] + [last + 1] * route.leaves
        start = 0 if route.origin is None else frame.column[frame.cell[route.origin]] + 1
        spans.append((max(ends) - start, start, max(ends), route))
    room = 6 * len(heights) + 3000
    for length, start, end, route in sorted(spans, key=lambda span: span[0]):
        room -= max(length, 0)
        if room < 0:
            break
        route.lanes = list(range(len(heights), len(heights) + end - start))
        frame.column.extend(range(start, end))
        heights.extend([LANE] * (end - start))


def _joints(frame: _Frame, ports: _Ports) -> list[Joint]:
    """Every piece of a route between two cells of neighbouring columns (or farther, without lanes)."""
    joints: list[Joint] = []
    for source, route in frame.routes.items():
        lanes = route.lanes
        joints.extend((a, b, 0.0, 0.0) for a, b in itertools.pairwise(lanes))
        start: tuple[int, float] | None = None
        if route.origin is not None:
            start = frame.cell[route.origin], ports.out_of(route.origin, source)
            if lanes:
                joints.append((start[0], lanes[0], start[1], 0.0))
        for child, link in route.targets:
            end, port = frame.cell[child], ports.into(child, link, source)
            passed = bisect_left(lanes, frame.column[end], key=frame.column.__getitem__)
            if passed:
                joints.append((lanes[passed - 1], end, 0.0, port))
            elif start is not None:
                joints.append((start[0], end, start[1], port))
    return joints


def _measure(
    frame: _Frame,
    columns: list[list[int]],
    joints: list[Joint],
    ports: _Ports,
    heights: list[float],
    size: list[Point],
) -> None:
    """Set the columns' edges and the frame's size, and move everything to begin at its corner.

    The gap before a column is wider where links rise or fall steeply.
    """
    steepest = [0.0] * len(columns)
    for a, b, below_a, below_b in joints:
        rise = abs(frame.y[a] + below_a - frame.y[b] - below_b)
        steepest[frame.column[b]] = max(steepest[frame.column[b]], rise)
    for source, route in frame.routes.items():
        if route.origin is None and not route.lanes:  # into the first column
            start = _first(frame, route, ports, source)
            for child, link in route.targets:
                rise = abs(frame.y[frame.cell[child]] + ports.into(child, link, source) - start)
                steepest[0] = max(steepest[0], rise)
    x = PADDING - COLUMN_GAP
    for cells, rise in zip(columns, steepest):
        x += COLUMN_GAP + min(0.12 * rise, 70.0)
        frame.left.append(x)
        x += max((size[cell][0] for cell in cells if cell < len(size)), default=0.0)
        frame.right.append(x)
    top = min((y - h / 2 for y, h in zip(frame.y, heights)), default=0.0)
    bottom = max((y + h / 2 for y, h in zip(frame.y, heights)), default=0.0)
    title = TITLE if frame.group is not None else PADDING
    frame.y = [y - top + title for y in frame.y]
    frame.w = max(x + PADDING, width(frame.group.label) * CELL + 2 * PADDING if frame.group else 0.0)
    frame.h = bottom - top + title + PADDING


def _way(
    link: Link, frames: dict[Group | None, _Frame], ports: _Ports, corner: dict[Child | None, Point]
) -> list[Point]:
    """The corners of a link's way: straight through columns, and curved between each two."""
    leaving, (start, end), entering = _split(link)
    x, y = corner[link.source]
    points = [(x + link.source.w, y + link.source.h / 2)]
    stages: list[tuple[Group | None, Child | None, Child | None]] = [
        *((group, child, None) for group, child in leaving),
        (start[0], start[1], end[1]),
        *((group, None, child) for group, child in reversed(entering)),
    ]
    for group, origin, target in stages:
        frame, (x, y) = frames[group], corner[group]
        route = frame.routes[link.source]
        stop = len(frame.left) if target is None else frame.column[frame.cell[target]]
        if origin is not None:
            i = frame.cell[origin]
            height = y + frame.y[i] + ports.out_of(origin, link.source)
            points.append((x + frame.right[frame.column[i]], height))
        for lane in route.lanes:
            c = frame.column[lane]
            if c < stop:
                points += [(x + frame.left[c], y + frame.y[lane]), (x + frame.right[c], y + frame.y[lane])]
        if target is None:
            points.append((x + frame.w, points[-1][1]))
        elif not _is_first(frames, target, link):
            i = frame.cell[target]
            last = link if target is link.target else None
            height = y + frame.y[i] + ports.into(target, last, link.source)
            points.append((x + frame.left[stop], height))
    x, y = corner[link.target]
    points.append((x, y + link.target.h / 2 + ports.entries[link]))
    return points


def _is_first(frames: dict[Group | None, _Frame], entered: Child, link: Link) -> bool:
    """Whether a link that enters a frame ends in its first column, so that it can go there straight away."""
    if isinstance(entered, Box):
        return False
    child: Child = link.target
    while (around := child.within if isinstance(child, Box) else child.parent) is not entered:
        assert around is not None
        child = around
    return frames[entered].column[frames[entered].cell[child]] == 0
