"""Compare two runs of a function: what differs changes by itself, and no program could do it again.

A clock that is hidden somewhere, a generator of random numbers that is made at each call, or a file that is
read give other constants the second time.
"""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from ..arraylike import Value
from .state import Effect
from .traced import Traced, TraceError
from .variables import Variable


def check_alike(one: Any, other: Any) -> None:
    """Refuse if two runs of a function (see run) have not written down the same.

    Raises
    ------
    TraceError
        With the line where the first difference is.
    """
    first, second = one.tape.instructions, other.tape.instructions
    for a, b in zip(first, second):
        parts = (a.function, a.args, a.kwargs, a.out), (b.function, b.args, b.kwargs, b.out)
        if not alike(*parts):
            raise _different(b.line)
    if len(first) != len(second):
        raise _different((first + second)[-1].line)
    if not alike(one.result, other.result):
        raise _different(second[-1].line if second else "")


def _different(line: str) -> TraceError:
    place = f", in {line}" if line else ""
    return TraceError(
        f"compile: what the function computes with is something else each time it is run{place}\n"
        "it may come from a clock, a file, or random numbers from a generator that is made anew: get it "
        "outside, and give it as an argument"
    )


def alike(a: Any, b: Any, depth: int = 0) -> bool:
    """Whether two arguments or results of two runs are the same.

    Examples
    --------
    >>> alike((1.0, [np.ones(2)]), (1.0, [np.ones(2)])), alike(0.0, -0.0), alike(1, True)
    (True, False, False)
    """
    if a is b:
        return True
    if type(a) is not type(b) or depth > 20:
        return False
    deeper = depth + 1
    if isinstance(a, Traced):
        return alike(a.variable, b.variable, deeper)
    if isinstance(a, Value):
        return a.requires_grad == b.requires_grad and alike(a.data, b.data, deeper)
    if isinstance(a, Variable):
        return (a.number, a.shape, a.dtype, a.is_float) == (b.number, b.shape, b.dtype, b.is_float)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(alike(x, y, deeper) for x, y in zip(a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and alike(list(a.values()), list(b.values()), deeper)
    if isinstance(a, (np.ndarray, np.generic)):
        if a.dtype == object:
            return bool(a.shape == b.shape) and alike(a.tolist(), b.tolist(), deeper)
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, (float, complex)):
        return repr(a) == repr(b)
    if isinstance(a, types.FunctionType):
        own, others = ([f.__defaults__, *[c.cell_contents for c in f.__closure__ or ()]] for f in (a, b))
        return a.__code__ is b.__code__ and alike(own, others, deeper)
    if isinstance(a, types.MethodType):
        return alike((a.__self__, a.__func__), (b.__self__, b.__func__), deeper)
    if isinstance(a, Effect):
        return alike((a.function, a.__name__), (b.function, b.__name__), deeper)
    try:
        return bool(a == b) or (bool(vars(a)) and alike(vars(a), vars(b), deeper))
    except (TypeError, ValueError):
        return False
