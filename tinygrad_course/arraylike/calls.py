"""Calls: what NumPy asks of a Value, as a row of the table with its arguments and keywords.

NumPy hands over the function that was called as it was called: a ufunc or one of its methods, arguments that
may be given by keyword, ``out=`` and ``where=``.  Here that becomes one call of a row, or an error that says
what to write instead.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..derivatives.numpy_extra import running
from ..engine.backprop import is_number
from ..engine.table import TABLE, Row
from ..engine.value import NUMBER, Value, computed
from ..engine.watch import recording_mode
from ..later import later
from .errors import no_method, no_row, spelled

_METHODS: dict[tuple[Any, str], Callable[..., Any]] = {
    (np.add, "reduce"): np.sum,
    (np.multiply, "reduce"): np.prod,
    (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min,
    (np.add, "accumulate"): np.cumsum,
    (np.multiply, "accumulate"): np.cumprod,
    (np.maximum, "accumulate"): running.running_max,
    (np.minimum, "accumulate"): running.running_min,
}


def understood(function: Any, method: str, args: Any, kwargs: Any) -> tuple[Row, Any, Any]:
    """What NumPy asks for: a row of the table, the arguments and the keywords.

    Raises
    ------
    TypeError
        For a function without a row, and for arguments that cannot be recorded.
    """
    if isinstance(function, np.ufunc):
        if method == "outer":
            return _OUTER, (function, *args), kwargs
        kwargs = accepted_keywords(function, method, kwargs) if kwargs else kwargs
        if method != "__call__":
            if (function, method) not in _METHODS:
                binary = function.nin == 2 and function.nout == 1 and function in TABLE
                if method not in _STEPS or not binary or TABLE[function].nondifferentiable:
                    raise no_method(function, method)
                return _STEPS[method], (function, *args), kwargs
            return TABLE[_METHODS[function, method]], args, {"axis": 0, **kwargs}
        if function not in TABLE and spelled(function).startswith("scipy.special."):
            read_scipys_rows()
        if function not in TABLE:
            raise no_row(function)
    else:
        if function not in TABLE:
            raise no_row(function)
        if len(args) > (place := place_of_out(function)) and args[place] is not None:
            kwargs = {**kwargs, "out": args[place]}
        if "out" in kwargs:
            kwargs = accepted_keywords(function, "__call__", kwargs)
    return TABLE[function], args, kwargs


def read_scipys_rows() -> None:
    """Add the rows of scipy.special to the table; what somebody registered for one of its functions stays."""
    known = dict(TABLE)
    later("derivatives.scipy_distributions")
    TABLE.update(known)


def _outer(ufunc: Any, x: Any, y: Any, **kwargs: Any) -> Any:
    """``ufunc.outer(x, y)``."""
    return ufunc(np.reshape(x, np.shape(x) + (1,) * np.ndim(y)), y, **kwargs)


_OUTER = Row(_outer, composition=_outer)
_STEPS = {
    "accumulate": Row(running.accumulated, composition=running.accumulated),
    "reduceat": Row(running.reduced_at, composition=running.reduced_at),
}


def as_numbers(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """`args` with NumPy's scalars as Python's floats, if all Values among them hold such.

    Those of another floating-point dtype stay, as their dtype counts.
    """
    if not any(isinstance(a, np.generic) for a in args):
        return args
    if not all(is_number(a.primal) for a in args if isinstance(a, Value)):
        return args
    plain = (np.float64, np.integer, np.bool_)
    return tuple(computed(NUMBER, (a,), {}) if isinstance(a, plain) else a for a in args)


def positional(row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The first argument and Values given by keyword (``np.clip(x, a_min=v)``) in their places."""
    rest = dict(kwargs)
    for place in _parameters(row)[len(args) :]:
        if args and not any(isinstance(a, Value) for a in rest.values()):
            break
        if place.name in rest:
            args = (*args, rest.pop(place.name))
        elif place.default in (None, True, False, 0):
            args = (*args, place.default)
        else:
            break
    for name, a in rest.items():
        if isinstance(a, Value):
            raise TypeError(f"no gradient goes through the keyword {name}; give a plain array, v.numpy()")
    return args, rest


def _parameters(row: Row) -> list[inspect.Parameter]:
    """The parameters of a function; where it does not tell (NumPy 2.0), those of a rule, after g and out."""
    try:
        return list(inspect.signature(row.function).parameters.values())
    except ValueError:
        rule = next(filter(callable, row.rules), lambda g, out: g)
        return list(inspect.signature(rule).parameters.values())[2:]


@functools.cache
def place_of_out(function: Callable[..., Any]) -> int:
    """Which argument of a NumPy function is ``out``, the array to write into; a large number for none."""
    try:
        places = inspect.signature(function).parameters.values()
    except ValueError:  # not every function of NumPy tells
        return 99
    return next((i for i, p in enumerate(places) if p.name == "out" and p.kind is not p.KEYWORD_ONLY), 99)


def accepted_keywords(function: Any, method: str, keywords: dict[str, Any]) -> dict[str, Any]:
    """The keywords of a call, if they can be recorded.

    Raises
    ------
    TypeError
        For ``out=``, which writes over an array, and for those keywords of a ufunc that leave entries unset
        (``where=``) or change its dtypes.
    """
    name = spelled(function) if isinstance(function, np.ufunc) else f"np.{function.__name__}"
    if keywords.get("out") is not None:
        raise TypeError(
            f"{name}: a recorded result cannot be written into an existing array (out=, or array += value); "
            "write array = array + value"
        )
    keywords = {key: a for key, a in keywords.items() if key != "out"}
    if method != "__call__" or not isinstance(function, np.ufunc):
        return keywords
    if keywords.get("where", True) is not True:
        raise TypeError(
            f"{name}: where= without out= leaves the other entries unset; write "
            f"np.where(mask, {name}(...), other)"
        )
    if keywords.get("dtype") is not None:
        raise TypeError(f"{name}: dtype= is not recorded; write {name}(v.astype({keywords['dtype']!r}), ...)")
    keywords = {key: a for key, a in keywords.items() if key not in ("where", "dtype")}
    shaping = {} if function.signature is None or function is np.matmul else {"axes", "axis", "keepdims"}
    if refused := [key for key in keywords if key not in shaping]:
        raise TypeError(f"{name}: the keyword {refused[0]}= is not recorded; leave it out")
    return keywords


def undivided(row: Row, args: tuple[Any, ...]) -> Row:
    """A composed row as one operation, where nothing is recorded and what stands for data keeps it whole."""
    data = [getattr(a, "primal", a) for a in row.operands(args)]
    if recording_mode.get() or not any(hasattr(type(d), "keeps") and d.keeps(row) for d in data):
        return row
    return dataclasses.replace(row, composition=None, rules=(None,) * len(args))
