"""Errors that teach: what was asked, the shapes and dtypes, why it cannot be, what to write instead."""

from __future__ import annotations

from typing import Any

import numpy as np

from .derivatives import Row


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
    kind = next(k for k in (np.linalg.LinAlgError, IndexError, ValueError, TypeError) if isinstance(error, k))
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
    name = name.replace("numpy", "np", 1)
    return TypeError(
        f"{name} has no row in the table of derivatives, so it cannot take a Value. Give it plain arrays, "
        f"v.numpy(), if no gradient goes through it, or add a row: derivative({name}, lambda g, out, x: ...)"
    )
