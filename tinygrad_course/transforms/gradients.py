"""The transforms: from a function of arrays, a function that gives its derivatives.

Reverse mode is one walk back from the result (`vjp`; `grad` is the vjp of a single number with 1).  Forward
mode (`jvp`) is that walk twice: a vjp is linear in its cotangent, and the transpose of that map is the jvp.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arraylike import Value
from ..engine.value import one_like
from ..engine.watch import recording, recording_mode, watching
from ..lines import pointing
from ..trees import leaves, paired, rebuilt
from .tracing import (
    Argnums,
    Function,
    Trace,
    filled,
    has_values,
    matching,
    named,
    pulled,
)


def value_and_grad(
    f: Function, argnums: Argnums = 0, *, argnum: Argnums | None = None, has_aux: bool = False
) -> Function:
    """A function that gives the value of `f` and its gradient.

    Parameters
    ----------
    f : callable
        Gives a single number.  Its arguments at `argnums` are numbers, arrays, or any nesting of lists,
        tuples and dicts of them.
    argnums : int or sequence of int, optional
        The arguments to differentiate with respect to.
    argnum : int or sequence of int, optional
        The same by autograd's word.
    has_aux : bool, optional
        `f` gives a pair ``(number, aux)``, and `aux` is handed on without a derivative.

    Returns
    -------
    callable
        Takes what `f` takes and gives ``(value, gradient)``, or ``((value, aux), gradient)``.  The gradient
        has the structure of the argument, and is a tuple of such if `argnums` is a sequence.

    Raises
    ------
    ValueError
        If `f` does not give a single number, or there is no argument at `argnums`.
    TypeError
        If an argument at `argnums` is not made of real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> value_and_grad(lambda p: (p["w"] * p["w"]).sum() + p["b"])({"w": np.array([1.0, 2.0]), "b": 3.0})
    (array(8.), {'w': array([2., 4.]), 'b': 1.0})
    """
    argnums = argnums if argnum is None else argnum

    @functools.wraps(f, updated=())
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        (value, aux), found = _differentiated("value_and_grad", f, argnums, has_aux, args, kwargs)
        return ((value, aux), found) if has_aux else (value, found)

    return value_and_gradient


def grad(
    f: Function, argnums: Argnums = 0, *, argnum: Argnums | None = None, has_aux: bool = False
) -> Function:
    """A function that gives the gradient of `f`.

    Parameters
    ----------
    f : callable
        Gives a single number.  Its arguments at `argnums` are numbers, arrays, or any nesting of lists,
        tuples and dicts of them.
    argnums : int or sequence of int, optional
        The arguments to differentiate with respect to.
    argnum : int or sequence of int, optional
        The same by autograd's word.
    has_aux : bool, optional
        `f` gives a pair ``(number, aux)``, and `aux` is handed on without a derivative.

    Returns
    -------
    callable
        Takes what `f` takes and gives the gradient, or ``(gradient, aux)``.  Called on numbers and arrays it
        gives numbers and arrays.  Called on Values (as inside another `grad`) it gives Values; and so it does
        where `f` uses recorded Values that are not its arguments, because the gradient depends on them, too.

    Raises
    ------
    ValueError
        If `f` does not give a single number, or there is no argument at `argnums`.
    TypeError
        If an argument at `argnums` is not made of real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(grad(lambda x: x**3)))(2.0)
    6.0
    >>> grad(lambda w, x: (w * x).sum(), argnums=(0, 1))(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    (array([3., 4.]), array([1., 2.]))
    """
    argnums = argnums if argnum is None else argnum

    @functools.wraps(f, updated=())
    def gradient(*args: Any, **kwargs: Any) -> Any:
        (_, aux), found = _differentiated("grad", f, argnums, has_aux, args, kwargs)
        return (found, aux) if has_aux else found

    return gradient


@pointing
def _differentiated(
    name: str, f: Function, argnums: Argnums, has_aux: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """``((value, aux), gradient)`` of a function that gives a single number."""
    trace = Trace(name, f, args, kwargs, argnums, has_aux)
    out = trace.result
    if isinstance(out, (list, tuple, dict)) or (out.size if hasattr(out, "size") else 1) != 1:
        raise ValueError(
            f"{name}: the function must give a single number, and it gave {named(out)}; make it one "
            "(.sum(), .mean()), give (number, more) with has_aux=True, or take jacobian"
        )
    found = pulled([out], [_ones(out)], trace.inputs, trace.linked)
    if (watch := watching()) is not None and any(g is None for g in found):
        watch.independent(name, _unreached(trace.primal, argnums, found))
    return (trace.outward(out), trace.outward(trace.aux)), trace.gradients(found, trace.keep)


def _unreached(primal: Any, argnums: Argnums, found: list[Any]) -> list[str]:
    """What the arguments are called to which no gradient came, and the parts of them."""
    arguments = zip(argnums, primal) if isinstance(argnums, Sequence) else [(argnums, primal)]
    places = [f"argument {i}{place}" for i, tree in arguments for place, _, _ in paired(tree, tree, "")]
    return [place for place, gradient in zip(places, found) if gradient is None]


def vjp(f: Function, *primals: Any, has_aux: bool = False) -> Any:
    """The result of `f`, and the function that carries a cotangent of it back: reverse mode.

    Parameters
    ----------
    f : callable
        Takes the primals; gives a number, an array, or any nesting of lists, tuples and dicts of them.
    *primals : tree
        Where to differentiate; nestings of numbers and arrays, too.
    has_aux : bool, optional
        `f` gives a pair ``(result, aux)``, and `aux` is handed on without a derivative.

    Returns
    -------
    out : tree
        What `f` gave.
    pullback : callable
        Takes a cotangent, of the structure and shapes of `out`, and gives a tuple with a gradient for each of
        the primals: the cotangent times the Jacobian.  It can be called again and again.
    aux : object
        Only with `has_aux`.

    Raises
    ------
    TypeError
        If the primals, or what `f` gives, are not made of real numbers.
    ValueError
        From `pullback`, if a cotangent has another structure or shape than `out`.

    Examples
    --------
    >>> import numpy as np
    >>> out, pullback = vjp(lambda x, y: x * y, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    >>> out
    array([3., 8.])
    >>> pullback(np.array([1.0, 10.0]))
    (array([ 3., 40.]), array([ 1., 20.]))
    """
    trace = Trace("vjp", f, primals, {}, range(len(primals)), has_aux)
    out, pullback = trace.outward(trace.result), functools.partial(_pull_back, trace, "vjp: the cotangent")
    return (out, pullback, trace.outward(trace.aux)) if has_aux else (out, pullback)


def _pull_back(trace: Trace, name: str, cotangent: Any) -> Any:
    """Gradients of the inputs of a run from a cotangent of its result; `name` is for messages."""
    given = matching(trace.result, cotangent, name)
    values = has_values(given)
    create_graph = recording_mode.get() and (trace.linked or values)
    given = given if create_graph else [c.data if isinstance(c, Value) else c for c in given]
    found = pulled(leaves(trace.result), given, trace.inputs, create_graph)
    return trace.gradients(found, trace.keep or values)


def jvp(f: Function, primals: Any, tangents: Any, *, has_aux: bool = False) -> Any:
    """The result of `f`, and how fast it changes when the primals move along the tangents: forward mode.

    Parameters
    ----------
    f : callable
        Takes the primals; gives a number, an array, or any nesting of lists, tuples and dicts of them.
    primals, tangents : tuple or list
        The arguments of `f`, and for each a direction of the same structure and shapes.
    has_aux : bool, optional
        `f` gives a pair ``(result, aux)``, and `aux` is handed on without a derivative.

    Returns
    -------
    out, tangent : tree
        What `f` gave, and the Jacobian times the tangents.
    aux : object
        Only with `has_aux`.

    Raises
    ------
    TypeError
        If the primals, or what `f` gives, are not made of real numbers.
    ValueError
        If the tangents have another structure or shape than the primals.

    Examples
    --------
    >>> import numpy as np
    >>> jvp(lambda x: x**2, (np.array([1.0, 2.0, 3.0]),), (np.array([1.0, 0.0, 0.5]),))
    (array([1., 4., 9.]), array([2., 0., 3.]))
    """
    if not isinstance(primals, (tuple, list)):
        raise TypeError(
            f"jvp: primals must be a tuple of arguments, not {named(primals)}; write jvp(f, (x,), (t,))"
        )
    trace = Trace("jvp", f, tuple(primals), {}, range(len(primals)), has_aux)
    given = matching(rebuilt(trace.primal, trace.inputs), tangents, "jvp: the tangents")
    values = has_values(given)
    create_graph = recording_mode.get() and (trace.linked or values)
    given = given if create_graph else [t.data if isinstance(t, Value) else t for t in given]
    outputs = leaves(trace.result)
    cotangents = [Value(_ones(out)) for out in outputs]
    with recording(True):
        pullback = pulled(outputs, cotangents, trace.inputs, True)
    found = pulled(pullback, given, cotangents, create_graph)
    tangent = rebuilt(trace.result, filled(found, outputs, trace.keep or values))
    out = trace.outward(trace.result)
    return (out, tangent, trace.outward(trace.aux)) if has_aux else (out, tangent)


def hvp(f: Function, x: Any, v: Any) -> Any:
    """The Hessian of `f` at `x` times `v`, at a small multiple of the cost of `f`: it is never formed.

    Parameters
    ----------
    f : callable
        Takes `x`, gives a single number.
    x, v : tree
        Where, and the direction, of the same structure and shapes.

    Returns
    -------
    tree
        In the structure of `x`.

    Raises
    ------
    ValueError
        If `f` does not give a single number, or `v` has another structure or shape than `x`.
    TypeError
        If `x` is not made of real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    trace = Trace("hvp", grad(f), (x,), {})
    return _pull_back(trace, "hvp: v", v)  # the Hessian is symmetric: v may as well come from the left


def _ones(like: Any) -> Any:
    data = like.data if isinstance(like, Value) else like
    return 1.0 if issubclass(type(data), np.generic) else one_like(data)
