"""Errors that teach: what was asked, the shapes and dtypes, why it cannot be, what to write instead."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .derivatives import Row
from .derivatives.unsupported import UNSUPPORTED


def describe(x: Any) -> str:
    """A few words on an argument: its shape and dtype, or what it is.

    Examples
    --------
    >>> import numpy as np
    >>> describe(np.zeros((2, 3), np.float32))
    '(2, 3) float32'
    >>> describe([1.0, np.zeros(4)])
    '[number, (4,) float64]'
    """
    if isinstance(x, (list, tuple)):
        inside = ", ".join(describe(item) for item in x[:6]) + (", ..." if len(x) > 6 else "")
        return f"[{inside}]"
    if isinstance(x, (int, float)):
        return "number"
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        return f"{tuple(x.shape)} {x.dtype}"
    return repr(x) if isinstance(x, (str, slice, type(None))) else type(x).__name__


def explained(row: Row, args: tuple[Any, ...], error: Exception) -> Exception:
    """`error`, which NumPy raised for an operation, with the operation and its arguments named."""
    kinds = (np.linalg.LinAlgError, np.exceptions.AxisError, IndexError, ValueError)
    kind = next((k for k in kinds if isinstance(error, k)), TypeError)
    given = ", ".join(describe(a) for a in args)
    return kind(f"{row.name}({given}): {error}{_advice(row.name, args)}")


def _advice(name: str, args: tuple[Any, ...]) -> str:
    """What to write instead, where a common slip explains the failure."""
    shapes = [np.shape(a) for a in args if hasattr(a, "shape")]
    if name in ("matmul", "dot") and len(shapes) == 2 and shapes[0] and shapes[1]:
        x, y = shapes
        inner, which = (y[-2], "last but one") if len(y) > 1 else (y[0], "only")
        if x[-1] == inner:
            return ""
        hint = f": the last axis of the first ({x[-1]}) must match the {which} axis of the second ({inner})"
        return hint + ("; x @ y.T would fit" if len(y) > 1 and x[-1] == y[-1] else "")
    if (
        name == "linear"
        and len(shapes) > 1
        and shapes[0]
        and len(shapes[1]) == 2
        and shapes[0][-1] != shapes[1][1]
    ):
        return f": the layer takes {shapes[1][1]} inputs, and the last axis of x has {shapes[0][-1]}"
    if len(shapes) == 2 and shapes[0] != shapes[1]:
        return "; shapes are compared from the last axis: they must be equal there, or one of them 1"
    return ""


def no_row(name: str) -> TypeError:
    """The error for a NumPy function that the table does not know."""
    reason = UNSUPPORTED.get(name.rpartition(".")[2], "it has no row in the table of derivatives")
    name = name.replace("numpy", "np", 1)
    return TypeError(
        f"{name} cannot take a Value: {reason}. Give it plain arrays, v.numpy(), if no gradient goes through "
        f"it, or add a row: derivative({name}, lambda g, out, x: ...)"
    )


def no_method(ufunc: np.ufunc, method: str) -> TypeError:
    """The error for a method of a ufunc that does not record, such as ``np.add.at``."""
    name = f"np.{ufunc.__name__}.{method}"
    if method == "at":
        return TypeError(
            f"{name} writes into an existing array, which a record cannot follow; v.at[index].add(x), "
            ".set(x) or .multiply(x) give a new Value"
        )
    return TypeError(
        f"{name} does not record. Those that do: reduce and accumulate of np.add, np.multiply, np.maximum "
        "and np.minimum, and outer of every function of two arguments; or combine slices of the Value"
    )


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
    name = f"np.{function.__name__}"
    if keywords.get("out") is not None:
        raise TypeError(
            f"{name}: a recorded result cannot be written into an existing array (out=, or array += value); "
            "write array = array + value"
        )
    keywords = {
        key: a for key, a in keywords.items() if key != "out" and not (key == "initial" and a is None)
    }
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


def no_assignment(name: str | None, index: Any) -> TypeError:
    """The error for ``v[index] = x``: that line rewritten."""
    v = name if name and name.isidentifier() else "v"
    i = ", ".join(map(_spelled, index)) if isinstance(index, tuple) and index else _spelled(index)
    return TypeError(
        f"{v}[{i}] = x would change what has been recorded; write {v} = {v}.at[{i}].set(x), which gives "
        "a new Value (and .add(x) for +=, .multiply(x) for *=)"
    )


def _spelled(index: Any) -> str:
    """One part of an index, as it is written."""
    if isinstance(index, slice):
        start, stop, step = ("" if n is None else str(n) for n in (index.start, index.stop, index.step))
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if isinstance(index, (list, np.ndarray)):
        return "mask" if np.asarray(index).dtype == bool else "index"
    return "..." if index is Ellipsis else str(index)
