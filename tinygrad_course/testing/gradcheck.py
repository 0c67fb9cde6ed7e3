"""Gradient checking: what the rules say, against what central finite differences measure.

A rule that is wrong trains badly and raises nothing.  These two checks evaluate the function a little to the
left and to the right of every entry of every argument, in float64, and compare the slope with the gradient:
`gradcheck` for the first derivative, `gradgradcheck` for the second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arraylike import Value
from ..engine.backprop import backpropagate

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def gradcheck(
    f: Callable[..., Any], *inputs: Any, eps: float = 1e-5, atol: float = 1e-6, rtol: float = 1e-5
) -> bool:
    """Compare the gradients of `f` with central finite differences, entry by entry.

    Where `f` gives more than one number, what is compared is the derivative of their sum, each number with a
    weight of its own between 0.5 and 1.5.

    Parameters
    ----------
    f : callable
        A function of Values that gives a Value, or a tuple or list of them.  What else it gives is ignored.
    *inputs : float or array
        Where to check.  Arrays are taken in float64; a Python float is passed as one.
    eps : float, optional
        The step, relative to the entry where that is larger than 1.
    atol, rtol : float, optional
        How far the two may be apart: ``atol + rtol * abs(measured)``.

    Returns
    -------
    bool
        True.

    Raises
    ------
    AssertionError
        If a gradient is missing, is not finite, has another shape or dtype than its argument, or differs from
        what was measured; the message names the argument, the entry and both numbers.
    TypeError
        If `f` gives no Value at all.

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
    AssertionError: gradcheck: argument 0: the rules give 4.0, finite differences measure 12.000...
    """
    points = [_point(x) for x in inputs]
    values = [Value(x) for x in points]
    outputs = _outputs(f(*values))
    for k, out in enumerate(outputs):
        if not np.all(np.isfinite(out.data)):
            raise AssertionError(f"gradcheck: result {k} is not finite: {out.data}; check at another point")
    cotangents = [
        _weights(out.shape, k) if len(outputs) > 1 or out.size > 1 else np.ones(out.shape)
        for k, out in enumerate(outputs)
    ]
    gradients = _gradients(outputs, cotangents, values)
    for k, (x, gradient) in enumerate(zip(points, gradients)):
        _check_kind(k, x, gradient)
        for index in np.ndindex(np.shape(x)):

            def along(step: float, k: int = k, index: tuple[int, ...] = index) -> float:
                moved = [*points[:k], _moved(points[k], index, step), *points[k + 1 :]]
                again = _outputs(f(*map(Value, moved)))
                return sum(
                    float(np.sum(u * (b.data - a.data))) for u, a, b in zip(cotangents, outputs, again)
                )

            given = float(gradient if type(x) is float else gradient[index])
            _compare(k, index, given, along, eps * max(1.0, abs(float(np.asarray(x)[index]))), atol, rtol)
    return True


def gradgradcheck(
    f: Callable[..., Any], *inputs: Any, eps: float = 1e-5, atol: float = 1e-6, rtol: float = 1e-5
) -> bool:
    """Compare the second derivatives of `f` with finite differences of its gradients.

    The gradients are themselves computed as Values (``create_graph=True``) and then checked like any other
    function: of the inputs, and of the gradients that come in from behind `f`, which count as inputs too.

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
    points = [_point(x) for x in inputs]
    outputs = _outputs(f(*map(Value, points)))
    seeds = [1.0 if type(out.data) is float else _weights(out.shape, k + 7) for k, out in enumerate(outputs)]

    def first(*arguments: Value) -> list[Any]:
        values, cotangents = arguments[: len(points)], arguments[len(points) :]
        return _gradients(_outputs(f(*values)), cotangents, values, create_graph=True)

    if not any(isinstance(g, Value) for g in first(*map(Value, points), *map(Value, seeds))):
        return True  # nothing depends on the inputs, so the gradients are all zero
    return gradcheck(first, *points, *seeds, eps=eps, atol=atol, rtol=rtol)


def _point(x: Any) -> Any:
    """An input in double precision: a Python float stays one, anything else becomes an array."""
    x = x.data if isinstance(x, Value) else x
    if isinstance(x, (int, float)) and not isinstance(x, np.generic):
        return float(x)
    return np.asarray(x, dtype=float)


def _outputs(result: Any) -> list[Value]:
    """All Values in what a function gave, in order."""
    if isinstance(result, Value):
        return [result]
    if not isinstance(result, (tuple, list)):
        raise TypeError(
            f"gradcheck: the function gave a {type(result).__name__} and no Value, so it has left the graph; "
            "use np functions and operators on its arguments, and not .data, .item() or .numpy()"
        )
    return [part for part in result if isinstance(part, Value)]


def _weights(shape: tuple[int, ...], k: int) -> Any:
    """Different weights for the entries of result `k`, so that no two errors cancel; always the same."""
    return np.random.default_rng(k).uniform(0.5, 1.5, shape)


def _gradients(
    outputs: list[Value], cotangents: Any, inputs: Any, *, create_graph: bool = False
) -> list[Any]:
    """The gradients of the weighted sum of all outputs with respect to the inputs; zeros for none."""
    weighted: Any = 0.0
    for out, u in zip(outputs, cotangents):
        weighted = weighted + _numpy.sum(out * u)
    found = [None] * len(inputs)
    if isinstance(weighted, Value) and weighted.requires_grad:
        one: Any = 1.0 if type(weighted.data) is float else np.ones(())
        seed = Value(one, requires_grad=False) if create_graph else one
        found = backpropagate(weighted, seed, inputs=inputs, create_graph=create_graph)
    return [_zeros(x.data) if g is None else g for x, g in zip(inputs, found)]


def _zeros(x: Any) -> Any:
    return 0.0 if type(x) is float else np.zeros_like(x)


def _moved(x: Any, index: tuple[int, ...], step: float) -> Any:
    """`x` with one entry moved by `step`."""
    if type(x) is float:
        return x + step
    x = np.array(x)
    x[index] += step
    return x


def _check_kind(k: int, x: Any, gradient: Any) -> None:
    """Raise if a gradient is not of the kind of its argument."""
    if type(gradient) is not type(x):
        raise AssertionError(
            f"gradcheck: argument {k} is a {type(x).__name__}, its gradient a {type(gradient).__name__}"
        )
    if np.shape(gradient) != np.shape(x):
        raise AssertionError(
            f"gradcheck: argument {k} has shape {np.shape(x)}, its gradient {np.shape(gradient)}"
        )
    if type(x) is not float and gradient.dtype != x.dtype:
        raise AssertionError(f"gradcheck: argument {k} is {x.dtype}, its gradient {gradient.dtype}")


def _compare(
    k: int,
    index: tuple[int, ...],
    given: float,
    along: Callable[[float], float],
    eps: float,
    atol: float,
    rtol: float,
) -> None:
    """Raise if the gradient `given` for one entry is not the slope of `along` at 0."""
    right, left = along(eps) / eps, along(-eps) / -eps
    measured = (right + left) / 2
    if abs(given - measured) <= atol + rtol * abs(measured):
        return
    where = f"argument {k}" + (f", entry {', '.join(map(str, index))}" if index else "")
    message = f"gradcheck: {where}: the rules give {given!r}, finite differences measure {measured!r}"
    if abs(right - left) > 1e-2 * max(1.0, abs(right), abs(left)):
        message += f" ({left!r} to the left and {right!r} to the right: is there a kink at this point?)"
    raise AssertionError(message)
