"""The arithmetic of the layered layout: columns, the order within them, and heights, all of numbered cells.

A cell is a box, or a lane by which a link passes a column.  A joint is a piece of a link between two cells.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections import defaultdict

ROW_GAP, LANE_GAP = 14.0, 6.0
MANY_CELLS = 1500  # cells, from where fewer rounds are made

Joint = tuple[int, int, float, float]
"""The cells on the left and on the right, and how far below the middle of each the joint ends."""


def columns_of(after: list[set[int]]) -> list[int]:
    """The column of each cell: all the way right, but left of everything that uses it.

    Where layers use each other in a circle, links that close it are left out of account.
    """
    n = len(after)
    before: list[list[int]] = [[] for _ in range(n)]
    for i, targets in enumerate(after):
        for j in targets:
            before[j].append(i)
    waiting = [len(targets) for targets in after]
    distance = [0] * n  # to the last column
    done = [False] * n
    ready = [i for i in range(n) if not waiting[i]]
    for later in range(n - 1, -2, -1):  # if nothing is ready, the last one not done is taken
        while ready:
            i = ready.pop()
            done[i] = True
            for j in before[i]:
                if not done[j]:
                    distance[j] = max(distance[j], distance[i] + 1)
                    waiting[j] -= 1
                    if waiting[j] == 0:
                        ready.append(j)
        if later >= 0 and not done[later]:
            ready.append(later)
    last = max(distance, default=0)
    return [last - d for d in distance]


def first_order(n: int, joints: list[Joint]) -> list[int]:
    """Cells 0 to n - 1 as a walk back from the results meets them: what belongs together comes together."""
    before: list[list[int]] = [[] for _ in range(n)]
    is_used = [False] * n
    for a, b, _, _ in sorted(joints, key=lambda joint: joint[3]):
        before[b].append(a)
        is_used[a] = True
    order: dict[int, None] = {}
    stack = sorted(range(n), key=lambda cell: (not is_used[cell], -cell))
    while stack:
        cell = stack.pop()
        if cell not in order:
            order[cell] = None
            stack.extend(reversed(before[cell]))
    return list(order)


Near = list[list[tuple[int, float, float]]]
"""For each cell its neighbours on one side: the other cell, how far below its middle, and below one's own."""


def _neighbours(n: int, joints: list[Joint]) -> tuple[Near, Near]:
    before: Near = [[] for _ in range(n)]
    after: Near = [[] for _ in range(n)]
    for a, b, below_a, below_b in joints:
        after[a].append((b, below_b, below_a))
        before[b].append((a, below_a, below_b))
    return before, after


def ordered(columns: list[list[int]], column: list[int], joints: list[Joint]) -> list[list[int]]:
    """Sort each column by the mean place of its neighbours, from both sides in turns.

    The order with the fewest crossings is kept.
    """
    before, after = _neighbours(len(column), joints)
    place = [0.0] * len(column)

    def settle(cells: list[int]) -> None:
        for i, cell in enumerate(cells):
            place[cell] = (i + 0.5) / len(cells)

    def mean_place(cell: int, sides: tuple[Near, Near]) -> float:
        near = sides[0][cell] or sides[1][cell]
        if not near:
            return place[cell]
        return sum(place[other] + below * 1e-5 for other, below, _ in near) / len(near)

    for cells in columns:
        settle(cells)
    best, fewest = [cells[:] for cells in columns], _crossings(columns, column, joints)
    for turn in range(2 if len(column) > MANY_CELLS else 10):
        if not fewest:
            break
        sides = (before, after) if turn % 2 else (after, before)
        for cells in columns if turn % 2 else reversed(columns):
            key = {cell: mean_place(cell, sides) for cell in cells}
            cells.sort(key=key.__getitem__)
            settle(cells)
        crossings = _crossings(columns, column, joints)
        if crossings < fewest:
            best, fewest = [cells[:] for cells in columns], crossings
    return best


def _crossings(columns: list[list[int]], column: list[int], joints: list[Joint]) -> int:
    """How many pairs of joints between the same two columns cross."""
    rank = {cell: i for cells in columns for i, cell in enumerate(cells)}
    between: dict[tuple[int, int], list[tuple[int, int, float]]] = defaultdict(list)
    for a, b, _, below in joints:
        between[column[a], column[b]].append((rank[a], rank[b], below))
    count = 0
    for ends in between.values():
        seen: list[tuple[int, float]] = []
        for _, b, below in sorted(ends):
            count += len(seen) - bisect_right(seen, (b, below))
            insort(seen, (b, below))
    return count


def heights_of(columns: list[list[int]], joints: list[Joint], h: list[float], boxes: int) -> list[float]:
    """The height at which each cell's middle is: as near to its neighbours as its column allows.

    `h` is how high each cell is; the first `boxes` cells are boxes, the others lanes.
    """
    before, after = _neighbours(len(h), joints)
    y = [0.0] * len(h)
    places = []  # as close together as can be
    for cells in columns:
        top, packed = 0.0, [0.0]
        for above, cell in itertools.pairwise(cells):
            lanes = above >= boxes and cell >= boxes
            top += (h[above] + h[cell]) / 2 + (LANE_GAP if lanes else ROW_GAP)
            packed.append(top)
        for cell, place in zip(cells, packed):
            y[cell] = place - top / 2
        places.append(packed)

    def wish(cell: int, sides: tuple[Near, ...]) -> tuple[float, float]:
        """Where a cell would be best, and how much that counts: lanes shall be straight."""
        total = weight = 0.0
        for side in sides:
            for other, below_other, below in side[cell]:
                w = 4.0 if cell >= boxes and other >= boxes else 1.0
                total += w * (y[other] + below_other - below)
                weight += w
        return (total / weight, weight) if weight else (y[cell], 0.1)

    turns = 3 if len(h) > MANY_CELLS else 12
    for turn in range(turns):
        sides = (before, after) if turn == turns - 1 else (before,) if turn % 2 else (after,)
        for i in range(len(columns)) if turn % 2 else range(len(columns) - 1, -1, -1):
            wishes = [wish(cell, sides) for cell in columns[i]]
            shifts = [middle - place for (middle, _), place in zip(wishes, places[i])]
            fitted = _rising(shifts, [weight for _, weight in wishes])
            for cell, place, shift in zip(columns[i], places[i], fitted):
                y[cell] = place + shift
    return y


def _rising(wanted: list[float], weights: list[float]) -> list[float]:
    """The rising numbers nearest to `wanted` (isotonic regression: adjacent violators are pooled)."""
    means: list[float] = []
    totals: list[float] = []
    counts: list[int] = []
    for mean, total in zip(wanted, weights):
        count = 1
        while means and means[-1] > mean:
            before = totals.pop()
            mean = (means.pop() * before + mean * total) / (before + total)
            total += before
            count += counts.pop()
        means.append(mean)
        totals.append(total)
        counts.append(count)
    return [mean for mean, count in zip(means, counts) for _ in range(count)]
