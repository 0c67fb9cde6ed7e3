"""Gradient checking: what the rules say, against what central finite differences measure.

A rule that is wrong trains badly and raises nothing.  These two checks evaluate the function a little to the
left and to the right of every entry of every argument, in double precision, and compare the slope with the
gradient: `gradcheck` for the first derivative, `gradgradcheck` for the second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arraylike import Value
from ..transforms import vjp
from ..trees import leaves, paired, rebuilt
from .slopes import Surroundings, data_of, floats, weights

Checked = Callable[..., list[Any]]


def gradcheck(
    f: Callable[..., Any], *inputs: Any, eps: float = 1e-5, atol: float = 0.0, rtol: float = 1e-5
) -> bool:
    """Compare the gradients of `f` with central finite differences, entry by entry.

    Where `f` gives more than one number, what is compared is the derivative of their sum, each number with a
    weight of its own between 0.5 and 1.5.  Steps and tolerances go with the size of the numbers: a wrong rule
    is as wrong at 1e-8 as at 1e8.

    Parameters
    ----------
    f : callable
        A function of Values that gives a Value, or any nesting of lists, tuples and dicts of them.  Other
        floating-point numbers in it are results that must not change; what else it gives is ignored.
    *inputs : tree
        Where to check: floats, arrays, or lists, tuples and dicts of them.  Arrays are taken in double
        precision.  Whole numbers are, too, unless `f` takes them only as they are (an axis, an index).
        Anything else is handed on as it is.
    eps : float, optional
        The first step, relative to the entry.  If it does not confirm the gradient, steps of all lengths do.
    atol, rtol : float, optional
        How far the two may be apart, besides what finite differences cannot tell:
        ``atol + rtol * abs(measured)``.

    Returns
    -------
    bool
        True.

    Raises
    ------
    AssertionError
        If a gradient is missing, is not finite, has another shape or type than its argument, or differs from
        what was measured; the message names the argument, the entry and both numbers.  Also if `f` has no
        derivative there, as it jumps or has a kink, or gives other results when it is called again.
    TypeError
        If `f` gives no Value at all, or there is no number to check.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import derivative, gradcheck
    >>> gradcheck(lambda x, y: np.tanh(x @ y), np.ones((2, 3)), np.arange(3.0))
    True
    >>> cube = derivative(lambda x: x**3, lambda g, out, x: g * x**2)
    >>> gradcheck(cube, 2.0)
    Traceback (most recent call last):
        ...
    AssertionError: gradcheck: argument 0: the rules give 4.0, finite differences measure 12
    """
    checked, names, points = _numbers(f, inputs)
    with np.errstate(all="ignore"):
        near = Surroundings(checked, points)
        for k, out in enumerate(near.results):
            if not np.all(np.isfinite(data_of(out))):
                raise AssertionError(
                    f"gradcheck: result {k} is not finite: {data_of(out)}; check at another point"
                )
        for k, (name, gradient) in enumerate(zip(names, near.gradients(points))):
            _check_kind(name, points[k], gradient)
            for index in np.ndindex(np.shape(points[k])):
                _compare(name, near, (k, index), float(np.asarray(gradient)[index]), eps, atol, rtol)
    return True


def gradgradcheck(
    f: Callable[..., Any], *inputs: Any, eps: float = 1e-5, atol: float = 0.0, rtol: float = 1e-5
) -> bool:
    """Compare the second derivatives of `f` with finite differences of its gradients.

    The gradients are themselves computed as Values and then checked like any other function: of the inputs,
    and of the gradients that come in from behind `f`, which count as inputs too.

    Parameters
    ----------
    f, *inputs, eps, atol, rtol
        As for `gradcheck`.

    Returns
    -------
    bool
        True.

    Raises
    ------
    AssertionError, TypeError
        As for `gradcheck`.  Arguments after those of `f` are the gradients of its results.

    Examples
    --------
    >>> import numpy as np
    >>> gradgradcheck(lambda x: np.sin(x) * x, np.array([0.5, -1.0]))
    True
    """
    checked, _, points = _numbers(f, inputs)

    def recorded(*values: Any) -> list[Value]:
        return [out for out in checked(*values) if isinstance(out, Value)]

    seeds = [
        1.0 if type(out.data) is float else weights(out.shape, k + 7)
        for k, out in enumerate(recorded(*map(Value, points)))
    ]

    def first(*arguments: Value) -> Any:
        _, pullback = vjp(recorded, *arguments[: len(points)])
        return pullback(list(arguments[len(points) :]))

    return gradcheck(first, *points, *seeds, eps=eps, atol=atol, rtol=rtol)


def _numbers(f: Callable[..., Any], inputs: tuple[Any, ...]) -> tuple[Checked, list[str], list[Any]]:
    """`f` as a function of the numbers in its inputs that gives a flat list, their names, and the numbers."""
    trees = [np.asarray(x) if _is_list_of_numbers(x) else x for x in inputs]
    names = [f"argument {k}{place}" for k, tree in enumerate(trees) for place, _, _ in paired(tree, tree, "")]
    given = [y for x, tree in zip(inputs, trees) for y in (leaves(x) if x is tree else [x])]
    points = list(map(_point, leaves(trees)))
    whole = [i for i, x in enumerate(leaves(trees)) if np.asarray(data_of(x)).dtype.kind in "iu"]
    chosen = [i for i, x in enumerate(points) if x is not None]

    def of_chosen(*values: Any) -> list[Any]:
        now = dict(zip(chosen, values))
        result = f(*rebuilt(trees, [now.get(i, x) for i, x in enumerate(given)]))
        found = floats(result)
        if not isinstance(result, (Value, list, tuple, dict)) or (not found and leaves(result)):
            raise _left(f"the function gave a {type(result).__name__} and no Value")
        return found

    def works() -> bool:
        try:
            of_chosen(*(Value(points[i]) for i in chosen))
        except (TypeError, ValueError, LookupError, AttributeError):
            return False
        return True

    everything = chosen
    if whole and not works():  # perhaps some of them are an axis or an index
        chosen = [i for i in everything if i not in whole]
        for i in whole:
            chosen.append(i)
            if not works():
                chosen.pop()
        if not works():
            chosen = everything
    if not chosen:
        raise TypeError(
            "gradcheck: there is no number to check among the arguments; give floats or arrays of them"
        )
    return of_chosen, [names[i] for i in chosen], [points[i] for i in chosen]


def _left(what: str) -> TypeError:
    """The error for a function that is computed outside of the graph."""
    return TypeError(
        f"gradcheck: {what}, so it has left the graph; use np functions and operators on its arguments, and "
        "not .data, .item() or .numpy()"
    )


def _is_list_of_numbers(x: Any) -> bool:
    parts = leaves(x) if isinstance(x, (list, tuple)) else []
    return bool(parts) and all(isinstance(part, (int, float)) for part in parts)


def _point(x: Any) -> Any:
    """A number in double precision: a Python number as a float, others as arrays; None for anything else."""
    x = data_of(x)
    if isinstance(x, (int, float)) and not isinstance(x, (bool, np.generic)):
        return float(x)
    return np.array(x, dtype=float) if np.asarray(x).dtype.kind in "fiu" else None


def _check_kind(name: str, x: Any, gradient: Any) -> None:
    """Raise if a gradient is not of the kind of its argument."""
    kinds = [
        "a Python float" if type(y) is float else f"{np.asarray(y).dtype} of shape {np.shape(y)}"
        for y in (x, gradient)
    ]
    if kinds[0] != kinds[1]:
        raise AssertionError(f"gradcheck: {name} is {kinds[0]}, its gradient {kinds[1]}")


def _compare(
    name: str, near: Surroundings, place: tuple[int, Any], given: float, eps: float, atol: float, rtol: float
) -> None:
    """Raise if the gradient `given` for one entry is not the slope there."""
    if near.confirms([place], given, eps, atol, rtol):
        return
    if near.is_random():
        raise AssertionError(
            "gradcheck: the function is random: called twice on the same numbers it gives different results; "
            "draw its random numbers outside, or from a generator that it makes anew from a fixed seed"
        )
    slope = near.slope([place])
    measured = sum(slope.whole) / 2
    off = max(slope.whole[0] - given, given - slope.whole[1])
    room = atol + rtol * abs(measured)
    if slope.fault not in ("jump", "edge") and (off <= room or off <= room + near.noise(*place)):
        return
    where = name + (f", entry {', '.join(map(str, place[1]))}" if place[1] else "")
    if slope.fault in ("jump", "edge"):
        what = (
            "jumps at this point"
            if slope.fault == "jump"
            else "is not finite or not defined beside this point"
        )
        raise AssertionError(
            f"gradcheck: {where}: the function {what}, so there is nothing to compare {given!r} with; "
            "check at another point"
        )
    if not any(isinstance(out, Value) for out in near.results):
        raise _left("the results change and none of them is a Value")
    message = f"gradcheck: {where}: the rules give {given!r}, finite differences measure {measured:.10g}"
    if slope.fault == "kink":
        left, right = (sum(side) / 2 for side in (slope.left, slope.right))
        message += f" ({left:.6g} to the left and {right:.6g} to the right: there is a kink at this point)"
    raise AssertionError(message)
