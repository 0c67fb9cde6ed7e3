"""Jacobians and Hessians: the derivatives of every entry of a result by every entry of an argument.

A walk back from a result gives one row of its Jacobian.  Here one walk gives many, as its cotangent is a
`Batch`.
"""

from __future__ import annotations

import functools
import math
from contextvars import copy_context
from typing import Any

import numpy as np

from ..arraylike import Value
from ..arraylike.foreign import Foreign, all_computed, in_kind_of
from ..trees import leaves, rebuilt
from .batch import Batch
from .gradients import _ones, grad
from .tracing import Argnums, Function, Trace, filled, pulled, recorded

MOST_ENTRIES = 2**19
"""How many entries of the largest array one walk carries, so that they stay in the processor's cache."""

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def jacobian(
    f: Function, argnums: Argnums = 0, *, argnum: Argnums | None = None, has_aux: bool = False
) -> Function:
    """A function that gives the derivative of every entry of what `f` gives.

    Parameters
    ----------
    f : callable
        Gives a number, an array, or any nesting of lists, tuples and dicts of them; so may its arguments be.
    argnums : int or sequence of int, optional
        The arguments to differentiate with respect to.
    argnum : int or sequence of int, optional
        The same by autograd's word.
    has_aux : bool, optional
        `f` gives a pair ``(result, aux)``, and `aux` is handed on without a derivative.

    Returns
    -------
    callable
        Takes what `f` takes.  Gives the structure of the result, in each of its places the structure of the
        argument, in it arrays of shape ``result.shape + argument.shape``; with `has_aux` also `aux`.

    Raises
    ------
    ValueError
        If there is no argument at `argnums`.
    TypeError
        If an argument at `argnums`, or what `f` gives, is not made of real numbers.

    Examples
    --------
    >>> jacobian(lambda x: np.stack([x[0] * x[1], x.sum()]))(np.array([2.0, 3.0]))
    array([[3., 2.],
           [1., 1.]])
    >>> jacobian(lambda p: {"twice": 2 * p[0], "both": p[0] * p[1]})([3.0, 4.0])
    {'twice': [2.0, 0.0], 'both': [4.0, 3.0]}
    """
    argnums = argnums if argnum is None else argnum

    @functools.wraps(f, updated=())
    def all_derivatives(*args: Any, **kwargs: Any) -> Any:
        trace = Trace("jacobian", f, args, kwargs, argnums, has_aux)
        parts = [trace.gradients(_rows(out, trace), trace.keep) for out in leaves(trace.result)]
        jacobians = rebuilt(trace.result, parts)
        return (jacobians, trace.outward(trace.aux)) if has_aux else jacobians

    return all_derivatives


def hessian(
    f: Function, argnums: Argnums = 0, *, argnum: Argnums | None = None, has_aux: bool = False
) -> Function:
    """A function that gives the second derivatives of `f`: the Jacobian of its gradient.

    Parameters
    ----------
    f : callable
        Gives a single number.
    argnums : int or sequence of int, optional
        The arguments to differentiate with respect to, each any nesting of lists, tuples and dicts.
    argnum : int or sequence of int, optional
        The same by autograd's word.
    has_aux : bool, optional
        `f` gives a pair ``(number, aux)``, and `aux` is handed on without a derivative.

    Returns
    -------
    callable
        Takes what `f` takes.  Gives the structure of the argument, in each of its places that structure once
        more, in it arrays of shape ``one.shape + other.shape``; with `has_aux` also `aux`.

    Raises
    ------
    ValueError
        If `f` does not give a single number, or there is no argument at `argnums`.
    TypeError
        If an argument at `argnums` is not made of real numbers.

    Examples
    --------
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]))
    array([[6., 4.],
           [4., 0.]])
    >>> hessian(lambda p: p["a"] ** 2 * p["b"])({"a": 2.0, "b": 3.0})
    {'a': {'a': 6.0, 'b': 4.0}, 'b': {'a': 4.0, 'b': 0.0}}
    """
    argnums = argnums if argnum is None else argnum
    return jacobian(grad(f, argnums, has_aux=has_aux), argnums, has_aux=has_aux)


def _rows(out: Any, trace: Trace) -> list[Any]:
    """For each input, the derivatives of all entries of `out`, of shape ``out.shape + input.shape``."""
    data = out.data if isinstance(out, Value) else out
    shape, n = np.shape(data), math.prod(np.shape(data))
    shapes = [shape + v.shape for v in trace.inputs]
    if not shape:
        return _row(out, _ones(out), trace)
    if hasattr(data, "refused"):  # an array that traces: which terms of a batch are zero depends on the data
        raise data.refused(
            "all rows of a Jacobian or Hessian are found at once",
            "compile the function that is differentiated: hessian(compile(f))",
        )
    if not n:
        return [np.zeros(whole, v.dtype) for whole, v in zip(shapes, trace.inputs)]

    def units(i: int, many: int) -> Any:
        return np.eye(min(many, n - i), n, i, data.dtype).reshape(-1, *shape)

    if isinstance(data, Foreign):  # recorded: then nothing is computed before all rows are there
        found = [pulled([out], [in_kind_of(data, units(i, 1)[0])], trace.inputs, True) for i in range(n)]
        rows = [filled(row, trace.inputs, True) for row in found]
        stacked = [_numpy.stack(parts).reshape(whole) for parts, whole in zip(zip(*rows), shapes)]
        return stacked if trace.linked else _at_once([v.data for v in stacked], trace.inputs)
    if not trace.linked:
        step = max(1, MOST_ENTRIES // _largest(recorded(out, trace._start)))
        try:
            blocks = [copy_context().run(_block, out, units(i, step), trace) for i in range(0, n, step)]
            return [np.concatenate(parts).reshape(whole) for parts, whole in zip(zip(*blocks), shapes)]
        except (TypeError, ValueError, AttributeError):
            pass  # a rule needs arrays: if it fails on them, too, it says so below
    rows = [_row(out, units(i, 1)[0], trace) for i in range(n)]
    return [_numpy.stack(parts).reshape(whole) for parts, whole in zip(zip(*rows), shapes)]


def _at_once(arrays: list[Any], inputs: list[Value]) -> list[Any]:
    """The arrays that belong to inputs of NumPy's and Python's kinds computed, in one go."""
    stay = [isinstance(v.data, Foreign) for v in inputs]
    done = iter(all_computed(*[a for a, stays in zip(arrays, stay) if not stays]))
    return [a if stays else next(done) for a, stays in zip(arrays, stay)]


def _largest(values: list[Value]) -> int:
    """The number of entries of the largest array."""
    data = [part for v in values for part in (v.data if type(v.data) is tuple else (v.data,))]
    return max(map(np.size, data), default=1)


def _row(out: Any, cotangent: Any, trace: Trace) -> list[Any]:
    """For each input, the gradient that `cotangent` brings back."""
    return filled(pulled([out], [cotangent], trace.inputs, trace.linked), trace.inputs, False)


def _block(out: Any, cotangents: Any, trace: Trace) -> list[Any]:
    """The same for many cotangents in one walk, side by side along a new first axis."""
    n, found = len(cotangents), _row(out, Batch.of(cotangents), trace)
    return [g.rows if isinstance(g, Batch) else np.broadcast_to(g, (n, *np.shape(g))) for g in found]
