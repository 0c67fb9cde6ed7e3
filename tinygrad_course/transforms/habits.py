"""What programs for HIPS autograd ask for besides: gradients entry by entry, and trees as one vector."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..trees import leaves, rebuilt
from .gradients import grad
from .tracing import Argnums, Function

_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


def elementwise_grad(f: Function, argnum: Argnums = 0) -> Function:
    """A function that gives the derivative of each entry of `f` by the entry of the argument at its place.

    It is the gradient of the sum, and so what is meant only where entry i of the result depends on entry i of
    the argument alone.

    Parameters
    ----------
    f : callable
        Gives an array or a number.
    argnum : int or sequence of int
        The arguments to differentiate with respect to.

    Examples
    --------
    >>> import numpy as np
    >>> elementwise_grad(lambda x: x**3)(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """

    @functools.wraps(f, updated=())
    def summed(*args: Any, **kwargs: Any) -> Any:
        return _numpy.sum(f(*args, **kwargs))

    return grad(summed, argnum)


def flatten(tree: Any) -> tuple[Any, Callable[[Any], Any]]:
    """All numbers of a tree in one vector, and the function that makes such a tree of a vector.

    Both record where they are given Values.

    Parameters
    ----------
    tree : nested lists, tuples and dicts of numbers and arrays

    Returns
    -------
    vector : array or Value
        Of one axis.
    unflatten : callable
        Gives a tree of the same structure and shapes.

    Examples
    --------
    >>> import numpy as np
    >>> vector, unflatten = flatten({"w": np.ones((2, 2)), "b": 3.0})
    >>> vector
    array([1., 1., 1., 1., 3.])
    >>> unflatten(2 * vector)["b"]
    np.float64(6.0)
    """
    parts = leaves(tree)
    shapes = [np.shape(part) for part in parts]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])

    def unflatten(vector: Any) -> Any:
        pieces = [vector[end - int(np.prod(s)) : end] for s, end in zip(shapes, ends.tolist())]
        return rebuilt(tree, [_numpy.reshape(p, s) if s else p[0] for p, s in zip(pieces, shapes)])

    flat = [_numpy.reshape(part, -1) for part in parts]
    return (_numpy.concatenate(flat) if flat else np.zeros(0)), unflatten
