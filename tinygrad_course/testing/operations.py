"""Check the rules of an operation of your own against finite differences, at ever smaller inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import Phase, Verbosity, given, settings
from hypothesis import strategies as st

from ..arraylike import Value
from ..derivatives import Row, Rule
from ..engine.table import recording_function
from .strategies import arrays, broadcastable


def check_operation(
    function: Callable[..., Any],
    *rules: Rule,
    inputs: st.SearchStrategy[tuple[Any, ...]] | None = None,
    low: float = -2.0,
    high: float = 2.0,
    avoid: Sequence[float] = (),
    examples: int = 200,
) -> None:
    """Look for an input at which the rules of an operation are wrong, and tell the smallest in words.

    Gradients are compared with finite differences.  At a kink, where the slopes to the left and to the right
    differ, a rule may give anything between them, as long as the gradients of all entries add up rightly.

    Parameters
    ----------
    function : callable
        Computes the operation on arrays.
    *rules : callable
        Its rules as for `derivative`, one an argument.
    inputs : strategy of tuple of array, optional
        The arguments to try.  If not given: arrays that broadcast together, of every shape and layout.
    low, high, avoid
        The domain of the operation, as in `arrays`; not used where `inputs` is given.
    examples : int, optional
        How many inputs to try.

    Raises
    ------
    AssertionError
        If a rule is wrong; the message has the smallest input found, what was expected and what came.
    ValueError
        If the function itself gives nan or inf somewhere; then its domain is smaller than said.

    Examples
    --------
    >>> import numpy as np
    >>> check_operation(np.multiply, lambda g, out, x, y: g * y, lambda g, out, x, y: g * x)
    >>> check_operation(np.square, lambda g, out, x: g * x)
    Traceback (most recent call last):
        ...
    AssertionError: square: the rule for argument 0 is wrong:
      argument 0 = 1.
      expected 2, got 1
    """
    operation = recording_function(Row(function, rules))
    special: list[tuple[Any, ...]] = []  # where derivatives like to jump, which chance may miss
    if inputs is None:
        clear = [c for c in (0.0, 1.0, -1.0) if low <= c <= high and all(abs(c - k) > 0.1 for k in avoid)]
        special = [tuple(np.array(c) for _ in rules) for c in clear]
        each = lambda shape: arrays(shape, low=low, high=high, avoid=avoid)
        inputs = broadcastable(len(rules), max_size=12).flatmap(lambda found: st.tuples(*map(each, found)))
    smallest: list[tuple[Any, ...]] = []

    def attempt(points: tuple[Any, ...]) -> None:
        if _what_is_wrong(operation, points) is not None:
            smallest[:] = [points]
            raise AssertionError

    search = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        phases=[Phase.generate, Phase.shrink],
    )(given(inputs)(attempt))

    try:
        search()
        for points in special:
            attempt(points)
    except AssertionError:
        what, numbers = _what_is_wrong(operation, smallest[0]) or ("", "")
        when = _circumstances(operation, smallest[0])
        raise AssertionError(
            f"{Row(function).name}: {what}{when}:\n{_told(smallest[0])}\n  {numbers}"
        ) from None


def _what_is_wrong(operation: Callable[..., Any], points: tuple[Any, ...]) -> tuple[str, str] | None:
    """What is wrong with the rules of `operation` at these arguments, and the numbers that show it."""
    values = [Value(x) for x in points]
    with np.errstate(all="ignore"):
        out = operation(*values)
        weights = np.ones(out.shape)
        if out.size > 1:
            weights = np.random.default_rng(0).uniform(0.5, 1.5, out.shape)

        def result(*xs: Any) -> float:
            return float(np.sum(weights * operation(*xs)))

        here = result(*points)
        if not np.isfinite(here):
            raise ValueError(
                f"check_operation: the function gives {out.data} at\n{_told(points)}\n"
                "say where it is defined with low=, high= and avoid=, or give inputs="
            )
        try:
            out.backward(weights)
        except Exception as error:
            return "a rule raised an error", f"{type(error).__name__}: {error}"
        together = 0.0
        for k, (v, x) in enumerate(zip(values, points)):
            got = np.zeros_like(x) if v.grad is None else v.grad
            together += float(np.sum(got))
            for index in np.ndindex(x.shape):
                left, right = _slopes(result, here, points, {k: index})
                low, high = min(left, right), max(left, right)
                if not low - 1e-4 <= got[index] <= high + 1e-4 and np.isfinite(left + right):
                    expected = f"something between {low:.4g} and {high:.4g}"
                    if high - low < 1e-2:
                        expected = f"{(low + high) / 2:.4g}"
                    entry = f"for entry {index} " if x.ndim else ""
                    return (
                        f"the rule for argument {k} is wrong",
                        f"expected {entry}{expected}, got {got[index]:.4g}",
                    )
        left, right = _slopes(result, here, points, dict.fromkeys(range(len(points)), ...))
    if abs(left - right) < 1e-2 and abs(together - right) > 1e-3 * max(1.0, abs(right)):
        return (
            "the gradients do not add up",
            f"all entries together: expected {right:.4g}, got {together:.4g}",
        )
    return None


def _slopes(
    f: Callable[..., float], here: float, points: tuple[Any, ...], moved: dict[int, Any], step: float = 1e-5
) -> list[float]:
    """How steep `f` is to the left and to the right, where the entries at `moved` move together."""
    found = []
    for h in (-step, step):
        there = list(points)
        for k, index in moved.items():
            there[k] = np.array(points[k])
            there[k][index] += h
        found.append((f(*there) - here) / h)
    return found


def _circumstances(operation: Callable[..., Any], points: tuple[Any, ...]) -> str:
    """What is special about the smallest arguments that show an error: simpler ones would have been right."""
    if len({x.shape for x in points}) > 1:
        return " when the arguments have different shapes"
    if not all(x.flags.writeable for x in points):
        return " when an argument is read-only"
    if not all(x.flags.c_contiguous for x in points):
        return " when an argument is a view with other strides (transposed, every second entry, backwards)"
    apart = np.linspace(0, 0.01, 1 + sum(x.size for x in points))
    moved = tuple(
        x + apart[sum(y.size for y in points[:k]) :][: x.size].reshape(x.shape) for k, x in enumerate(points)
    )
    if _what_is_wrong(operation, moved) is None:
        return (
            " when entries are equal"
            if len({float(a) for x in points for a in x.flat}) < len(apart) - 1
            else ""
        )
    return " when there is more than one entry" if any(x.size > 1 for x in points) else ""


def _told(points: tuple[Any, ...]) -> str:
    """The arguments, one a line."""
    return "\n".join(
        f"  argument {k} = {np.array2string(x, separator=', ', prefix='  argument 0 = ')}"
        + (f", of shape {x.shape}" if x.ndim else "")
        for k, x in enumerate(points)
    )
