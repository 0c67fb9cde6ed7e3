"""Finite differences that know how far to trust themselves: how steep a function is at one point.

A step that is too long measures the curve and not the slope, one that is too short measures rounding, and
which is which depends on the numbers.  So steps of every length are taken, from the shortest that moves an
entry at all.  Each gives an interval: the slope between its points, give or take its rounding.  As long as
the intervals meet, a longer step narrows the answer; the first that misses the others has left the
surroundings of the point, and ends the search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arraylike import Value
from ..engine.value import no_grad
from ..transforms import vjp
from ..trees import leaves

Interval = tuple[float, float]
Places = Sequence[tuple[int, Any]]
"""Entries of the arguments: (number of the argument, index)."""

_EPS = float(np.finfo(float).eps)
_ROUNDINGS = 16  # how many units in the last place a result may be off by


class Slope(NamedTuple):
    """How steep a function is.

    Attributes
    ----------
    whole, left, right : (float, float)
        Between which numbers the slope lies: through the point (at a kink: the middle of its two sides), and
        on each side alone.
    fault : str
        "kink" if the two sides differ, "jump" if the function jumps here, "edge" if it is not defined on one
        side; empty where it has a derivative.
    """

    whole: Interval
    left: Interval
    right: Interval
    fault: str

    @property
    def between(self) -> Interval:
        """Where a derivative may lie: at a kink, anywhere between the slopes of the two sides."""
        if self.fault != "kink":
            return self.whole
        return min(self.left[0], self.right[0]), max(self.left[1], self.right[1])


class Surroundings:
    """A function near one point: its results there, and how they change when entries are moved.

    Parameters
    ----------
    f : callable
        Takes a Value for each of the points, and gives any nesting of results.
    points : sequence of float or array
        In double precision.

    Attributes
    ----------
    results : list of Value, float or array
        The floating-point numbers that `f` gives.
    weights : list of array
        One for each of their entries, so that no two errors cancel; 1 if there is a single entry.
    """

    def __init__(self, f: Callable[..., Any], points: Sequence[Any]) -> None:
        self.f, self.points = f, points
        self.results = floats(f(*map(Value, points)))
        outs = [np.asarray(data_of(out)) for out in self.results]
        single = sum(out.size for out in outs) == 1
        self.weights = [np.ones(out.shape) if single else weights(out.shape, k) for k, out in enumerate(outs)]
        self._shapes = [out.shape for out in outs]
        self._here, self._factors = _flat(outs), _flat(self.weights)
        exact = [not isinstance(out, Value) for out in self.results]  # constants
        units = [0.0 if e else _ROUNDINGS * float(np.finfo(out.dtype).eps) for e, out in zip(exact, outs)]
        self._rounding = _flat([np.full(out.shape, unit) for unit, out in zip(units, outs)])

    def change(self, places: Places, step: float) -> Any:
        """How each weighted result changes when these entries move; nan where `f` is not defined."""
        moved = list(self.points)
        for k, index in places:
            moved[k] = _moved(moved[k], index, step)
        return self._change_to(moved)

    def _change_to(self, points: Sequence[Any]) -> Any:
        try:
            there = [np.asarray(data_of(out)) for out in floats(self.f(*map(Value, points)))]
        except (AssertionError, ArithmeticError, TypeError, ValueError):
            there = []
        if [out.shape for out in there] != self._shapes:
            return np.full(self._here.shape, np.nan)
        return self._factors * (_flat(there) - self._here)

    def _shaken(self) -> list[list[Any]]:
        """The same points, all numbers changed in their last places: what differs there is rounding."""
        factors = [1 + units * _EPS for units in (-7, -5, -3, 3, 5, 7)]
        return [[x * f if type(x) is float else np.array(x * f) for x in self.points] for f in factors]

    def is_random(self) -> bool:
        """Whether the function gives other results when it is called again."""
        limit = 1e-9 * np.max(np.abs(self._here), initial=0.0)
        return any(np.any(np.abs(self.change((), 0.0)) > limit) for _ in range(5))

    def gradients(self, points: Sequence[Any]) -> Any:
        """What the rules say there: a gradient for each of the points."""
        with no_grad():  # plain arrays for the rules, whatever Values the function uses besides
            _, pullback = vjp(self.f, *points)
            return pullback(self.weights)

    def noise(self, k: int, index: Any) -> float:
        """How far a gradient is off by the rounding of its rule, where terms cancel."""
        found = [float(np.asarray(self.gradients(points)[k])[index]) for points in self._shaken()]
        short, _, _ = _lengths(self.points, [(k, index)])
        limit = 4 * float(np.sum(np.abs(self._factors * self._here) * self._rounding)) / short
        return float(min(2 * np.nan_to_num(np.ptp(found)), limit))

    def confirms(self, places: Places, given: float, eps: float, atol: float, rtol: float) -> bool:
        """Whether one step to each side gives the slope `given`; if not, `slope` has to tell."""
        short, long, _ = _lengths(self.points, places)
        for step in (eps * short, 0.1 * long):
            rise = float(np.sum(self.change(places, step) - self.change(places, -step))) / (2 * step)
            if not abs(given - rise) <= atol + rtol * abs(rise):
                return False
            if rise:
                return True
        return True  # 0 at both: the first step was not merely too short to change anything

    def slope(self, places: Places) -> Slope:
        """How steep the weighted sum of the results is when these entries move together."""
        short, long, size = _lengths(self.points, places)
        h = np.geomspace(1e-13 * short, 0.1 * long, 14 + int(np.log10(long / short)))
        changes = np.array([[self.change(places, t) for t in (s, -s, 2 * s, -2 * s)] for s in h])
        right, left, right2, left2 = changes.sum(axis=-1).T
        sizes = np.where(np.isfinite(changes), np.abs(changes), 0.0)
        largest, here = sizes.max(axis=1), np.abs(self._factors * self._here)
        reached = largest.any(axis=0)  # the other results are exact, as no step changes them
        for far in (-1e3, -10, 10, 1e3):
            reached |= np.nan_to_num(self.change(places, far * long)) != 0
        rounding = (largest + here) * reached @ self._rounding + 2 * np.sum(_grain(sizes))
        least = np.max(here * self._rounding, initial=0.0)
        jitter = np.ptp(np.nan_to_num(list(map(self._change_to, self._shaken()))), axis=0) @ reached
        if not reached.any():  # a rule may still give what its own rounding leaves
            return Slope((-least, least), (-least, least), (-least, least), "")

        def agreed(rise: Any, run: float, roughness: Any) -> Interval:
            slopes = rise / (run * h)
            inexact = (
                rounding + 2 * jitter + _ROUNDINGS * _EPS * size * np.abs(slopes)
            )  # the entry is rounded, too
            return _meeting(slopes, (inexact + np.maximum.accumulate(np.abs(roughness))) / h)

        whole = agreed(8 * (right - left) - (right2 - left2), 12, right2 + left2 - 4 * (right + left))
        before = agreed(left2 - 4 * left, 2, left2 - 2 * left)
        after = agreed(4 * right - right2, 2, right2 - 2 * right)
        fault = ""
        if not np.isfinite(right[0] + left[0]):
            fault = "edge"
        elif any(_jumps(changes[:, side].sum(axis=-1), max(least, rounding[0])) for side in ([0, 2], [1, 3])):
            fault = "jump"
        elif before[1] < after[0] or after[1] < before[0]:
            fault = "kink"
            whole = (before[0] + after[0]) / 2, (before[1] + after[1]) / 2
        return Slope(whole, before, after, fault)


def _meeting(slopes: Any, errors: Any) -> Interval:
    """What the intervals ``slopes ± errors`` have in common, up to the first that misses those before it."""
    low, high = -np.inf, np.inf
    for slope, error in zip(slopes, errors):
        if not np.isfinite(slope) or slope - error > high or slope + error < low:
            break
        low, high = max(low, slope - error), min(high, slope + error)
    return float(low), float(high)


def _grain(sizes: Any) -> Any:
    """What each result is rounded to inside `f`: the smallest change, where shorter steps give none.

    It shows on both sides; on one side alone it is a kink nearby.
    """
    smallest = np.max(
        [
            np.min(side, axis=(0, 1), where=side > 0, initial=np.inf)
            for side in (sizes[:, ::2], sizes[:, 1::2])
        ],
        axis=0,
    )
    rounded = (sizes == 0).any(axis=(0, 1)) & (smallest < 1e-10 * sizes.max(axis=(0, 1)))
    return np.where(rounded, smallest, 0.0)


def _jumps(changes: Any, rounding: float) -> bool:
    """Whether ever shorter steps change the result as much as long ones."""
    short, longest = np.abs(changes[:6]), np.abs(changes[np.isfinite(changes)][-1])
    return bool(short.min() > max(1e3 * rounding, short.max() / 2, longest / 1e3))


def _lengths(points: Sequence[Any], places: Places) -> tuple[float, float, float]:
    """How long short steps and long ones are for these entries, and the size of the largest of them."""
    sizes = _flat([np.abs(np.asarray(points[k])[index]) for k, index in places])
    size = float(np.max(sizes, initial=0.0))
    if not size:  # 0 has no size of its own, but its neighbours may have one
        sizes = _flat([np.abs(points[k]) for k, _ in places])
    long = max(1.0, size)
    return max(1e-100, float(np.min(sizes[sizes > 0], initial=long))), long, size


def _moved(x: Any, index: Any, step: float) -> Any:
    """`x` with entries moved by `step`."""
    if type(x) is float:
        return x + step
    x = np.array(x)
    x[index] += step
    return x


def _flat(arrays: Sequence[Any]) -> Any:
    """The entries of all of them as one array in double precision."""
    return np.concatenate([np.zeros(0), *map(np.ravel, arrays)])


def weights(shape: tuple[int, ...], k: int) -> Any:
    """Different weights between 0.5 and 1.5 for the entries of result `k`; always the same."""
    return np.random.default_rng(k).uniform(0.5, 1.5, shape)


def floats(results: Any) -> list[Any]:
    """All floating-point numbers, arrays and Values in what a function gave."""
    return [out for out in leaves(results) if np.asarray(data_of(out)).dtype.kind == "f"]


def data_of(x: Any) -> Any:
    """What a Value holds; anything else as it is."""
    return x.data if isinstance(x, Value) else x
