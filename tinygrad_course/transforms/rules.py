"""Functions that pass gradients back in their own way: by a rule of yours, by a second run, or not at all."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives import Row, result_at
from ..engine.record import next_serial
from ..engine.value import computed
from ..engine.watch import recording, recording_mode
from ..trees import leaves, mapped, rebuilt
from . import gradients
from .tracing import Function, bundled, differentiable, fresh, pulled, recorded


def stop_gradient(tree: Any) -> Any:
    """The same numbers, through which no gradient goes back.

    Parameters
    ----------
    tree : tree
        A Value, or any nesting of lists, tuples and dicts of them.

    Returns
    -------
    tree
        With constants in place of the Values.

    Examples
    --------
    >>> from tinygrad_course.transforms import grad
    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    return mapped(lambda leaf: leaf.detach() if isinstance(leaf, Value) else leaf, tree)


def custom_derivative(f: Function, *, vjp: Function | None = None, jvp: Function | None = None) -> Function:
    """`f` with a derivative of your own, given for one mode and used for both.

    Where `derivative` takes a rule for each argument, this takes one for all arguments together.  `f` itself
    runs on plain numbers and arrays and is not looked into: it may iterate until something converges, or call
    another library.

    Parameters
    ----------
    f : callable
        Takes numbers and arrays and gives a number or an array.  Keywords are handed to it, and to the rule.
    vjp : callable, optional
        Reverse mode: ``vjp(g, out, *args)`` gives a tuple with the gradient of each argument (None for zero),
        where `g` is the gradient of the result `out`.
    jvp : callable, optional
        Forward mode: ``jvp(tangents, out, *args)`` gives the tangent of the result.  Give one of the two:
        each is the transpose of the other.  Rules are written in NumPy calls, so they have derivatives, too.

    Returns
    -------
    callable
        Takes what `f` takes, and records on Values.

    Raises
    ------
    TypeError
        If not exactly one rule is given; when called, if `f` gives no number or array, if a Value comes in a
        list or by keyword, or if `vjp` does not give a gradient for each argument.

    Examples
    --------
    >>> from tinygrad_course.transforms import grad, jvp
    >>> def by_newton(a):
    ...     x = a
    ...     for _ in range(50):
    ...         x = 0.5 * (x + a / x)
    ...     return x
    >>> root = custom_derivative(by_newton, vjp=lambda g, x, a: (g / (2 * x),))
    >>> grad(root)(4.0), grad(grad(root))(4.0), jvp(root, (4.0,), (1.0,))
    (0.25, -0.03125, (2.0, 0.25))
    >>> root = custom_derivative(by_newton, jvp=lambda tangents, x, a: tangents[0] / (2 * x))
    >>> grad(root)(4.0), grad(grad(root))(4.0), jvp(root, (4.0,), (1.0,))
    (0.25, -0.03125, (2.0, 0.25))
    """
    if (vjp is None) == (jvp is None):
        raise TypeError(
            "custom_derivative: give one rule, vjp=... or jvp=...; the other mode is its transpose"
        )
    name = getattr(f, "__name__", "the function")

    @functools.wraps(f, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        values = [a for a in args if isinstance(a, Value)]
        if sum(isinstance(leaf, Value) for leaf in leaves([args, kwargs])) > len(values):
            raise TypeError(f"{name}: a Value goes in as an argument of its own, not in a list or by keyword")
        out = computed(Row(f), tuple(map(_data, args)), kwargs)
        if isinstance(out, Value) or not (isinstance(out, (float, int)) or hasattr(out, "__array_ufunc__")):
            hint = " (is a Value that it uses not an argument?)" if isinstance(out, Value) else ""
            raise TypeError(
                f"{name} has a derivative of its own, so it must give a number or an array, and it gave a "
                f"{type(out).__name__}{hint}"
            )
        if not values:
            return out
        if type(out) is np.float64 and all(type(v.data) is float for v in values):
            out = float(out)
        result = Value(out, requires_grad=False)
        if not (recording_mode.get() and any(map(differentiable, values))):
            return result

        def rule(g: Any, outs: Any, parts: list[Any]) -> Any:
            if jvp is not None:
                moved = lambda *tangents: jvp(tangents, outs[0], *parts, **kwargs)
                return gradients.vjp(moved, *parts)[1](g[0])
            found = vjp(g[0], outs[0], *parts, **kwargs) if vjp is not None else None
            if not isinstance(found, tuple) or len(found) != len(parts):
                got = f"a tuple of {len(found)}" if isinstance(found, tuple) else f"a {type(found).__name__}"
                raise TypeError(
                    f"{name}: its vjp must give a tuple, a gradient for each of its {len(parts)} arguments; "
                    f"it gave {got}"
                )
            return found

        return _operation(f, rule, args, [result.data])[0]

    return call


def checkpoint(f: Function) -> Function:
    """`f`, but what it computes on the way is forgotten, and computed again when a gradient comes back.

    That saves the memory of the graph of `f`, for the time of running it twice.

    Parameters
    ----------
    f : callable
        Takes and gives Values, or any nesting of lists, tuples and dicts of them.  It may use Values that are
        not its arguments, too, such as the parameters of a layer.

    Returns
    -------
    callable
        Takes and gives what `f` does.

    Raises
    ------
    RuntimeError
        On the way back, if the second run is not like the first: because `f` draws random numbers, or because
        something that it uses has changed in between.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course.transforms import grad
    >>> block = checkpoint(lambda x: np.tanh(x) ** 2)
    >>> grad(lambda x: block(block(x)))(0.5) == grad(lambda x: np.tanh(np.tanh(x) ** 2) ** 2)(0.5)
    True
    """

    @functools.wraps(f, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        if not recording_mode.get():
            return f(*args, **kwargs)
        given = leaves([args, kwargs])
        inputs = [leaf for leaf in given if differentiable(leaf)]

        def run(parts: list[Any]) -> tuple[Any, list[Value], list[Value], list[Value]]:
            """Run `f` on fresh Values: its result, those Values, what it recorded, and what else it used."""
            start = next_serial()
            new = [fresh(part, True) for part in parts]
            following = iter(new)
            again = rebuilt([args, kwargs], [next(following) if differentiable(x) else x for x in given])
            result = f(*again[0], **again[1])
            outs = [v for v in leaves(result) if differentiable(v) and v.serial > start]
            known = set(map(id, parts))
            return (
                result,
                new,
                outs,
                [v for v in recorded(outs, start) if v.serial < start and id(v) not in known],
            )

        result, _, outs, used = run([v.data for v in inputs])
        if not outs:
            return result

        def rule(g: Any, then: Any, parts: list[Any]) -> Any:
            with recording(True), np.errstate(all="ignore"):
                _, new, now, also = run(parts[: len(inputs)])
            if not (
                len(now) == len(then)
                and all(np.array_equal(v.data, _data(out), equal_nan=True) for v, out in zip(now, then))
                and all(v.data is _data(part) for v, part in zip(used, parts[len(inputs) :]))
                and set(map(id, also)) <= set(map(id, used))
            ):
                raise RuntimeError(
                    "checkpoint: the second run of the function was not like the first, and its gradient "
                    "would be wrong. Draw random numbers outside, and change nothing it uses in between"
                )
            return pulled(now, g, [*new, *used], any(isinstance(part, Value) for part in parts))

        results = iter(_operation(f, rule, [*inputs, *used], [v.data for v in outs]))
        recorded_here = set(map(id, outs))
        return mapped(lambda leaf: next(results) if id(leaf) in recorded_here else leaf, result)

    return call


def _operation(
    f: Function, rule: Callable[[Any, Any, list[Any]], Any], operands: Sequence[Any], results: list[Any]
) -> list[Value]:
    """Record `f` as one operation, with one rule for all: ``rule(gradients, results, operands)``."""

    def of_all(g: Any, out: Any, parts: Any) -> Any:
        parts = together if any(isinstance(part, Value) for part in g) else parts
        return tuple(rule(g, out, [result_at(parts, i) for i in range(len(operands))]))

    together = bundled(operands, f)
    whole = Value.recorded(tuple(results), Row(f, (of_all,)), (together.data,), {}, (together,))
    return [result_at(whole, i) for i in range(len(results))]


def _data(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x
