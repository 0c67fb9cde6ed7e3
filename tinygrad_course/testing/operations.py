"""Check the rules of an operation of your own against finite differences, at ever smaller inputs."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from ..arraylike import Value
from ..derivatives import Row, Rule
from ..engine.table import recording_function
from ..transforms import vjp
from .slopes import Slope, Surroundings, data_of, floats, weights
from .strategies import arrays, broadcastable

_RTOL = 1e-5  # how far a gradient may be off, besides what finite differences cannot tell


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

    Gradients are compared with finite differences, in double precision.  At a kink, where the slopes to the
    left and to the right differ, a rule may give anything between them, as long as the gradients of all
    entries add up rightly.  Where the function jumps there is nothing to compare.  Rules that take Values, as
    those in NumPy's functions and operators do, are themselves differentiated and checked in the same way.

    Parameters
    ----------
    function : callable
        Computes the operation on arrays.
    *rules : callable
        Its rules as for `derivative`, one an argument; None for an argument that is not checked.
    inputs : strategy of tuple, optional
        The arguments to try: arrays and floats, and for those without a rule anything (an axis, an index).
        If not given: arrays that broadcast together, of every shape and layout.
    low, high, avoid
        The domain of the operation, as in `arrays`; not used where `inputs` is given.
    examples : int, optional
        How many inputs to try.

    Raises
    ------
    AssertionError
        If a rule, or the derivative of a rule, is wrong; the message has the smallest input found, what was
        expected and what came.  Also if the function is random.
    ValueError
        If the function itself gives nan or inf, or raises, somewhere; then its domain is smaller than said.

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
    smallest: list[Any] = []  # the arguments, what is wrong there, and the numbers
    look: list[Any] = [None]

    def attempt(points: tuple[Any, ...]) -> None:
        if not isinstance(points, tuple):
            raise TypeError(
                f"check_operation: inputs gave a {type(points).__name__}, and not a tuple with an entry for "
                "each argument; write inputs=st.tuples(arrays((3,)))"
            )
        if (wrong := look[0](operation, rules, points)) is not None:
            smallest[:] = [points, *wrong]
            raise _Wrong

    def search(examples: int) -> Callable[[], None]:
        return settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            report_multiple_bugs=False,
            verbosity=Verbosity.quiet,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )(given(inputs)(attempt))

    try:
        # Inside of a student's own test hypothesis refuses to make another one, but only in the same thread
        with ThreadPoolExecutor(1) as elsewhere:
            for look[0], count in ((_what_is_wrong, examples), (_what_is_wrong_twice, examples // 10)):
                if count:
                    elsewhere.submit(search, count).result()()
                for points in special:
                    attempt(points)
    except Flaky:
        raise AssertionError(
            f"{Row(function).name}: the function or a rule is random: at\n{_told(smallest[0])}\n"
            f"  {smallest[1]} ({smallest[2]}), but not when it was called again"
        ) from None
    except _Wrong:
        points, what, numbers = smallest
        when = _circumstances(look[0], operation, rules, points)
        raise AssertionError(f"{Row(function).name}: {what}{when}:\n{_told(points)}\n  {numbers}") from None


class _Wrong(Exception):
    """A rule is wrong; not an AssertionError, as the operation may raise those itself."""


def _what_is_wrong(
    operation: Callable[..., Any], rules: tuple[Rule | None, ...], arguments: tuple[Any, ...]
) -> tuple[str, str] | None:
    """What is wrong with the rules of `operation` at these arguments, and the numbers that show it."""
    checked, of_checked, points = _numbers(operation, rules, arguments)
    if not checked:
        return None
    names = [f"the rule for argument {k} is wrong" for k in checked]
    with np.errstate(all="ignore"):
        return _compared(_defined(of_checked, points, arguments), points, names, rules, arguments)


def _what_is_wrong_twice(
    operation: Callable[..., Any], rules: tuple[Rule | None, ...], arguments: tuple[Any, ...]
) -> tuple[str, str] | None:
    """The same for the gradients as functions of the arguments and of the gradient that comes in."""
    checked, of_checked, points = _numbers(operation, rules, arguments)

    def gradients(*values: Any) -> Any:
        _, pullback = vjp(of_checked, *values[: len(checked)])
        return pullback(list(values[len(checked) :]))

    with np.errstate(all="ignore"):
        try:
            outs = of_checked(*map(Value, points))
            shapes = [np.shape(data_of(out)) for out in outs]
            points += [
                weights(shape, k) if math.prod(shape) > 1 else np.ones(shape)
                for k, shape in enumerate(shapes)
            ]
            near = Surroundings(gradients, points)
            near.gradients(points)
        except Exception:  # the rules are written for arrays only
            return None
        if not checked or not all(np.all(np.isfinite(data_of(out))) for out in near.results):
            return None
        names = [f"the derivative of a rule by argument {k} is wrong" for k in checked]
        names += ["the derivative of a rule by g is wrong"] * len(outs)
        return _compared(near, points, names, rules, arguments)


def _numbers(
    operation: Callable[..., Any], rules: tuple[Rule | None, ...], arguments: tuple[Any, ...]
) -> tuple[list[int], Callable[..., list[Any]], list[Any]]:
    """The arguments that have rules, the operation as a function of these alone, and where they are."""
    checked = [k for k, _ in enumerate(arguments) if k < len(rules) and rules[k] is not None]

    def of_checked(*values: Any) -> list[Any]:
        now = dict(zip(checked, values))
        return floats(operation(*(now.get(k, x) for k, x in enumerate(arguments))))

    return checked, of_checked, [_in_double_precision(arguments[k]) for k in checked]


def _compared(
    near: Surroundings, points: list[Any], names: list[str], rules: Any, arguments: tuple[Any, ...]
) -> tuple[str, str] | None:
    """The gradients of a function compared with its slopes; `names` says what is wrong if one differs."""
    try:
        gradients = near.gradients(points)
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        return "a rule raised an error", told + _advice(error, rules, arguments)
    kinks = False
    for k, (x, gradient) in enumerate(zip(points, gradients)):
        for index in np.ndindex(np.shape(x)):
            got = float(np.asarray(gradient)[index])
            if near.confirms([(k, index)], got, eps=1e-5, atol=0.0, rtol=_RTOL):
                continue
            if near.is_random():
                return "the function is random", "it gives other results when it is called again"
            slope = near.slope([(k, index)])
            if (
                slope.fault in ("jump", "edge")
                or _within(got, slope)
                or _within(got, slope, near.noise(k, index))
            ):
                kinks = kinks or slope.fault == "kink"
                continue
            entry = f"for entry {index} " if np.ndim(x) else ""
            expected, shown = _apart(slope, got)
            numbers = f"expected {entry}{expected}, got {shown}"
            return names[k], numbers
    if not kinks:
        return None
    slope = near.slope([(k, ...) for k, _ in enumerate(points)])
    total, size = (sum(float(np.sum(part(g))) for g in gradients) for part in (np.positive, np.abs))
    if slope.fault in ("jump", "edge") or _within(total, slope, _RTOL * size):
        return None
    expected, shown = _apart(slope, total)
    return "the gradients do not add up", f"all entries together: expected {expected}, got {shown}"


def _defined(f: Callable[..., Any], points: list[Any], arguments: tuple[Any, ...]) -> Surroundings:
    """The function near these points, where it is defined."""
    domain = f"at\n{_told(arguments)}\nsay where it is defined with low=, high= and avoid=, or give inputs="
    try:
        near = Surroundings(f, points)
    except Exception as error:
        raise ValueError(
            f"check_operation: the function raises {type(error).__name__}: {error} {domain}"
        ) from error
    for out in map(data_of, near.results):
        if not np.all(np.isfinite(out)):
            raise ValueError(f"check_operation: the function gives {out} {domain}")
    return near


def _in_double_precision(x: Any) -> Any:
    """A float, or an array of them that is laid out in memory as `x` is."""
    if isinstance(x, (int, float)) and not isinstance(x, np.generic):
        return float(x)
    x = np.asarray(x)
    if x.dtype == float:
        return x
    wide = x.astype(float, order="K")
    wide.flags.writeable = x.flags.writeable
    return wide


def _within(given: float, slope: Slope, room: float = 0.0) -> bool:
    """Whether a gradient may be the derivative, give or take."""
    low, high = slope.between
    room += _RTOL * max(abs(low), abs(high))
    return low - room <= given <= high + room


def _apart(slope: Slope, got: float) -> tuple[str, str]:
    """What was expected and what came, in as many digits as it takes to tell them apart."""
    for digits in range(4, 18):
        low, high = slope.between
        told = [f"{x:.{digits}g}" for x in (low, high, (low + high) / 2, got)]
        if told[3] not in told[:3]:
            break
    return f"something between {told[0]} and {told[1]}" if slope.fault == "kink" else told[2], told[3]


def _advice(error: Exception, rules: tuple[Rule | None, ...], arguments: tuple[Any, ...]) -> str:
    """What to write instead, where it can be told from the error of a rule."""
    for rule in filter(None, rules):
        try:
            inspect.signature(rule).bind(None, None, *arguments)
        except TypeError:
            return "\n  a rule is called as rule(g, out, ...), with all arguments of the operation at the end"
        except ValueError:  # a function that does not tell its arguments
            continue
    if "converted to Python scalars" in str(error):
        return "\n  a rule gets arrays: write np.cos(x), and not math.cos(x) or float(x)"
    return ""


def _circumstances(
    look: Callable[..., Any],
    operation: Callable[..., Any],
    rules: tuple[Rule | None, ...],
    arguments: tuple[Any, ...],
) -> str:
    """What is special about the smallest arguments that show an error: simpler ones would have been right."""
    given = [x for x in arguments if isinstance(x, np.ndarray)]
    if len({x.shape for x in given}) > 1:
        return " when the arguments have different shapes"
    if not all(x.flags.writeable for x in given):
        return " when an argument is read-only"
    if not all(x.flags.c_contiguous for x in given):
        return " when an argument is a view with other strides (transposed, every second entry, backwards)"
    entries = [float(a) for x in given if x.dtype.kind == "f" for a in x.flat]
    apart = iter(np.linspace(0, 0.01, 1 + len(entries)) * max([1.0, *map(abs, entries)]))
    moved = tuple(
        np.reshape([a + next(apart) for a in x.flat], x.shape)
        if isinstance(x, np.ndarray) and x.dtype.kind == "f"
        else x
        for x in arguments
    )
    try:
        if look(operation, rules, moved) is None:
            return " when entries are equal" if len(set(entries)) < len(entries) else ""
    except ValueError:  # it is not defined there
        return ""
    return " when there is more than one entry" if any(x.size > 1 for x in given) else ""


def _told(arguments: tuple[Any, ...]) -> str:
    """The arguments, one a line."""
    lines = []
    for k, x in enumerate(arguments):
        shown, shape = repr(x), ""
        if isinstance(x, np.ndarray):
            shown = np.array2string(x, separator=", ", prefix="  argument 0 = ")
            shape = f", of shape {x.shape}" if x.ndim else ""
        lines.append(f"  argument {k} = {shown}{shape}")
    return "\n".join(lines)
