"""Errors that teach: what was asked, the shapes and dtypes, why it cannot be, what to write instead."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ..derivatives.numpy_extra.unsupported import UNSUPPORTED
from ..engine.record import ancestors
from ..engine.table import Row
from ..engine.value import stripped
from .foreign import lazy_in


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
        return f"[{inside}]" if isinstance(x, list) else f"({inside})"
    if isinstance(x, float):
        return "number"
    if hasattr(x, "shape") and hasattr(x, "dtype") and not isinstance(x, type):
        return f"{tuple(x.shape)} {x.dtype}"
    return (
        repr(x) if isinstance(x, (int, str, slice, type(None))) else getattr(x, "__name__", type(x).__name__)
    )


FAILURES = (ValueError, TypeError, IndexError, AttributeError, OverflowError, np.linalg.LinAlgError)
"""What NumPy raises for arguments that do not fit."""


def explained(row: Row, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> Exception:
    """`error`, which an operation met, with the operation and its arguments named."""
    args, kwargs = stripped(args), {name: stripped(a) for name, a in kwargs.items()}
    if lazy_in((args, kwargs)):
        return _named(row, args, error)
    if row.composition is not None and not any(
        map(callable, args)
    ):  # theirs are the errors of who wrote them
        told = _told_by_numpy(row, args, kwargs)
        return error if told is None and f"{row.name}(" in str(error) else _named(row, args, told or error)
    return error if row.composition is not None else _named(row, args, error)


def _told_by_numpy(row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Exception | None:
    """The error that NumPy raises for a call whose composition failed; None for functions of our own."""
    if isinstance(row.function, (np.ufunc, type(np.sum))):
        try:
            row.function(*args, **kwargs)
        except (*FAILURES, RuntimeError) as error:
            return error
    return None


def _named(row: Row, args: tuple[Any, ...], error: Exception) -> Exception:
    kinds = (
        np.linalg.LinAlgError,
        np.exceptions.AxisError,
        IndexError,
        ValueError,
        OverflowError,
        RuntimeError,
    )
    kind = next((k for k in kinds if isinstance(error, k)), TypeError)
    given = ", ".join(describe(a) for a in args)
    if row.sequence and len(args) > 1 and hasattr(args[1], "shape"):
        return TypeError(f"{row.name}({given}): the arrays come in one list: np.{row.name}([v, w])")
    advice = _advice(row, args, error)
    if advice.startswith(":"):  # it says all, and NumPy's words are about its own insides
        return kind(f"{row.name}({given}){advice}")
    return kind(f"{row.name}({given}): {error}{advice}")


def _advice(row: Row, args: tuple[Any, ...], error: Exception) -> str:
    """What to write instead, where a common slip explains the failure."""
    name, shapes = row.name, [np.shape(a) for a in args if hasattr(a, "shape")]
    if lazy := lazy_in(args):
        return _advice_on_lazy(lazy, str(error))
    if isinstance(error, np.exceptions.AxisError) and shapes and shapes[0]:
        return f"; the axes of shape {shapes[0]} go from 0 to {len(shapes[0]) - 1}, and -1 is the last"
    if isinstance(error, np.linalg.LinAlgError):
        return _advice_on_matrices(str(error))
    if name in _ADVICE:
        return _ADVICE[name].format(shape=shapes[0] if shapes else "")
    if name in ("matmul", "dot") and len(shapes) == 2 and shapes[0] and shapes[1]:
        x, y = shapes
        inner, which = (y[-2], "last but one") if len(y) > 1 else (y[0], "only")
        if x[-1] == inner:
            return ""
        hint = f": the last axis of the first ({x[-1]}) must match the {which} axis of the second ({inner})"
        if len(y) > 1 and x[-1] == y[-1]:
            return hint + "; x @ y.T would fit"
        return hint + ("; x.T @ y would fit" if len(x) == 2 and x[0] == inner else "")
    if name == "linear" and len(shapes) > 1 and len(shapes[1]) == 2 and shapes[0][-1:] != shapes[1][1:]:
        last = shapes[0][-1] if shapes[0] else 1
        return (
            f": the layer takes {shapes[1][1]} inputs, and the last axis of x has {last}; write "
            f"nn.Linear({last}, {shapes[1][0]})"
        )
    if len(shapes) == 2 and shapes[0] != shapes[1]:
        hint = "; shapes are compared from the last axis: they must be equal there, or one of them 1"
        x, y = shapes
        if len(x) == len(y) == 2 and x == y[::-1]:
            return hint + "; y.T would fit"
        for one, other, called in ((y, x, "y"), (x, y, "x")):
            if len(one) == 1 and len(other) == 2 and one[0] == other[0]:
                return hint + f"; {called}[:, None] would fit, a number for each row"
        return hint
    return ""


def _advice_on_lazy(arrays: list[Any], said: str) -> str:
    if "x.compute()" in said:  # which a part of it said
        return ""
    if any(n != n for a in arrays for n in a.shape):
        return "; lengths that are not known (nan) are found by x.compute_chunk_sizes()"
    if any(word in said for word in ("chunk", "block")):
        return "; x.rechunk({0: -1}) cuts x anew, into one piece along axis 0, and x.compute() computes it"
    shapes_differ = "could not be broadcast together" in said
    return "" if shapes_differ else "; x.compute() gives NumPy's array, if there is room for it"


_ADVICE = {  # by operation
    "concatenate": "; only the axis that they are joined along, axis=0 if not said otherwise, may differ",
    "stack": "; np.concatenate joins along an axis that is there, and lengths may differ there",
    "reshape": "; the entries of {shape} stay as many as they are, and -1 finds one length: v.reshape(-1, n)",
    "transpose": "; name each axis of {shape} once: v.transpose(1, 0)",
    "getitem": "; an entry of {shape} has one whole number for each axis, from 0 on, and v[-1] is the last",
}


def _advice_on_matrices(said: str) -> str:
    if "ingular" in said:
        return (
            "; it has no inverse: add a little to its diagonal, x + 1e-6 * np.eye(n), or use np.linalg.pinv"
        )
    return "; for other matrices there is np.linalg.pinv(x) @ y" if "square" in said else ""


def spelled(function: Any) -> str:
    """A function of NumPy or SciPy as a person writes it.

    Examples
    --------
    >>> import numpy as np
    >>> spelled(np.exp), spelled(np.linalg.solve)
    ('np.exp', 'np.linalg.solve')
    """
    name: str = function.__name__
    if not isinstance(function, np.ufunc):
        return f"{function.__module__}.{name}".replace("numpy", "np", 1)
    for module, known in (("numpy", "np"), ("scipy.special._ufuncs", "scipy.special")):
        if getattr(sys.modules.get(module), name, None) is function:
            return f"{known}.{name.lstrip('_')}"
    return name


def no_row(function: Any) -> TypeError:
    """The error for a function that the table does not know: a ufunc, or one of NumPy's."""
    name = spelled(function)
    reason = "it has no row in the table of derivatives"
    if name.startswith("np."):
        reason = UNSUPPORTED.get(function.__name__, reason)
    x = ", ".join("xyzuvw"[: getattr(function, "nin", 1)])
    return TypeError(
        f"{name} cannot take a Value: {reason}. Give it plain arrays, v.numpy(), if no gradient goes through "
        f"it, or add a row, derivative({name}, lambda g, out, {x}: ...), and it records from then on"
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
        f"{name} does not record. Those that do: reduce of np.add, np.multiply, np.maximum and np.minimum; "
        "accumulate, reduceat and outer of functions of two arguments that have a slope; or combine slices "
        "of the Value"
    )


def no_assignment(name: str | None, index: Any) -> TypeError:
    """The error for ``v[index] = x``: that line rewritten."""
    v = name if name and name.isidentifier() else "v"
    i = ", ".join(map(_spelled, index)) if isinstance(index, tuple) and index else _spelled(index)
    return TypeError(
        f"{v}[{i}] = x would change a leaf that requires a gradient; write {v} = {v}.at[{i}].set(x), which "
        "gives a new Value (and .add(x) for +=, .multiply(x) for *=), or write into a copy: "
        f"{v} = {v}.copy()"
    )


def no_writing(shape: tuple[int, ...], reason: str) -> TypeError:
    """The error for ``v[index] = x`` where it could not be seen elsewhere, or not be followed."""
    return TypeError(
        f"v[i] = x: this Value of shape {shape} cannot be written into, as {reason}, or into a copy, "
        "v = v.copy(); v.at[i].set(x) gives a new Value"
    )


def written_over(roots: list[Any]) -> str:
    """What tells of a Value behind `roots` that was written into after something had used it; "" for none."""
    for node in ancestors(roots):
        for parent in node.parents:
            if parent is not None and parent.serial > node.serial:
                used = f" ({node.line})" if node.line else ""
                return (
                    f"an array of shape {parent.shape} was written into ({parent.line}) after "
                    f"{node.row.name}{used} had used it, so its old entries are gone; write into a "
                    "copy, v = v.copy()"
                )
    return ""


def _spelled(index: Any) -> str:
    """One part of an index, as it is written."""
    if isinstance(index, slice):
        start, stop, step = ("" if n is None else str(n) for n in (index.start, index.stop, index.step))
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if isinstance(index, (list, np.ndarray)):
        return "mask" if np.asarray(index).dtype == bool else "index"
    return "..." if index is Ellipsis else str(index)


def no_attribute(name: str) -> AttributeError:
    """The error for a method or attribute that a Value does not have: what to write for it."""
    said = f"a Value has no {name!r}"
    if name in _INSTEAD:
        return AttributeError(f"{said}; write {_INSTEAD[name]}")
    if callable(getattr(np, name, None)):
        return AttributeError(f"{said}; NumPy's functions take Values: np.{name}(v)")
    if hasattr(np.ndarray, name):
        return AttributeError(f"{said}; v.numpy().{name} is that of the plain array")
    return AttributeError(said)


_INSTEAD = {
    "backwards": "v.backward()",
    "clamp": "v.clip(low, high)",
    "grad_fn": "v.row, which is None for a leaf",
    "is_leaf": "v.row is None",
    "pow": "v ** n",
    "repeat": "np.tile(v, n), or np.repeat(v, n) for each entry",
    "requires_grad_": "v.requires_grad = True",
    "softmax": "nn.functional.softmax(v, -1)",
    "zero_": "v.data[...] = 0.0",
    "zero_grad": "v.grad = None",
}


HINTED = (
    *_INSTEAD, "argsort", "conj", "diagonal", "imag", "nonzero", "real",
    "repeat", "round", "searchsorted", "take", "trace",
)  # fmt: skip
"""What people look for among a Value's methods and do not find."""


def refuse_strange(data: Any, name: str) -> None:
    """Raise if `data` is an array with rules of its own: labels, masks, or products in place of ``*``."""
    kind = type(data)
    if kind is np.ndarray or kind is float:
        return
    called, way_out = f"{kind.__module__.partition('.')[0]}.{kind.__name__}", ""
    if isinstance(data, np.ma.MaskedArray):
        way_out = "x.filled(0.0), and multiply by the mask where it matters"
    elif isinstance(data, np.matrix):
        way_out = "np.asarray(x), and @ for products"
    elif (
        hasattr(kind, "__array_ufunc__")
        and not hasattr(kind, "__array_function__")
        and hasattr(data, "values")
    ):
        way_out = "x.to_numpy()"
    if way_out:
        raise TypeError(f"{name}: {called} has rules of its own, which no record can follow; give {way_out}")
