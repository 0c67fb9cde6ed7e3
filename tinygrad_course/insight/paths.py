"""The largest paths from a number to a result: along each, the local derivatives are multiplied.

A gradient is the sum over all paths, of which there may be more than atoms; the few largest are found without
looking at the others, as for every value the largest product from there to the result is known beforehand.
"""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import dataclass
from typing import Any

from ..arraylike import Value
from ..engine.record import ancestors
from .edges import contribution

SHOWN = 5
"""So many paths are listed."""

_LONGEST = 8
"""Of a longer path the middle is left out."""


@dataclass(slots=True, eq=False)
class Path:
    """One way from a value to the result.

    Attributes
    ----------
    values : list of Value
        From the value to the result.
    locals : list of float
        The local derivatives along it, in the same order; last the gradient of the result, if that is not 1.
    product : float
        What this path adds to the gradient.
    """

    values: list[Value]
    locals: list[float]
    product: float

    def __str__(self) -> str:
        factors = _shortened([f"{x:.4g}" for x in self.locals])
        names = [v.name or (v.row.name if v.row is not None else "value") for v in self.values]
        return f"{self.product:.6g} = {' × '.join(factors)}   {' → '.join(_shortened(names))}"


@dataclass(slots=True, eq=False)
class Paths:
    """The largest paths, how many there are, and the sum of those that are not listed."""

    shown: list[Path]
    count: int
    other: float

    def __str__(self) -> str:
        count = f"{self.count:,}" if self.count < 10**12 else f"about 10^{len(str(self.count)) - 1}"
        lines = [f"{count} path{'s' * (self.count != 1)}", *(f"  {path}" for path in self.shown)]
        if self.count > len(self.shown):
            rest = self.count - len(self.shown)
            others = f"{rest:,}" if rest < 10**12 else "all"
            lines.append(f"  {self.other:.6g} along {others} other path{'s' * (rest != 1)} together")
        return "\n".join(lines)


def largest_paths(value: Value, root: Value, seed: float) -> Paths | None:
    """The largest paths from `value` to `root`; None if an array lies between, or a number is not finite."""
    uses: dict[
        int, list[tuple[Value, float]]
    ] = {}  # by identity: what used a value, and the local derivative
    best = {id(root): 1.0}  # the largest product of local derivatives from there to the result, in size
    counts = {id(root): 1}
    gradients = {id(root): seed}
    for node in ancestors([root], value.serial):
        if id(node) not in best or node.serial <= value.serial:
            continue
        for i, parent in enumerate(node.parents):
            if parent is None or parent.serial < value.serial:
                continue
            if type(node.data) is not float or type(parent.data) is not float:
                return None
            local = contribution(node, i, 1.0)
            uses.setdefault(id(parent), []).append((node, local))
            best[id(parent)] = max(best.get(id(parent), 0.0), abs(local) * best[id(node)])
            counts[id(parent)] = counts.get(id(parent), 0) + counts[id(node)]
            gradients[id(parent)] = gradients.get(id(parent), 0.0) + local * gradients[id(node)]
            if not math.isfinite(best[id(parent)]):
                return None
    if id(value) not in best:
        return None
    shown: list[Path] = []
    order = itertools.count(0, -1)  # of equal ones, that which was begun last is the furthest
    waiting: list[Any] = [(-best[id(value)], next(order), value, 1.0, None)]
    while waiting and len(shown) < SHOWN:
        _, _, v, product, way = heapq.heappop(waiting)
        if v is root:
            shown.append(_path(value, way, seed))
            continue
        for user, local in uses[id(v)]:
            size = abs(product * local) * best[id(user)]
            heapq.heappush(waiting, (-size, next(order), user, product * local, (user, local, way)))
    rest = math.fsum([gradients[id(value)], *(-path.product for path in shown)])
    return Paths(shown, counts[id(value)], rest if counts[id(value)] > len(shown) else 0.0)


def _path(value: Value, way: Any, seed: float) -> Path:
    """The path that ends in the linked list `way`, of the last step and what was before it."""
    values, factors = [], []
    while way is not None:
        user, local, way = way
        values.append(user)
        factors.append(local)
    factors = [*reversed(factors), *([seed] if seed != 1.0 or not factors else [])]
    return Path([value, *reversed(values)], factors, math.prod(factors))


def _shortened(texts: list[str]) -> list[str]:
    half = _LONGEST // 2
    return (
        texts if len(texts) <= _LONGEST else [*texts[:half], f"…({len(texts) - _LONGEST})…", *texts[-half:]]
    )
