"""Leaving the record: who may ask a Value for its plain number, and what the others should write.

Python asks by one and the same `__float__` for ``float(loss)``, which people write to show a number, for
``math.exp(v)`` and for ``array[0] = v``, which would lose a gradient without a word.  What the asking line is
about to do tells them apart.
"""

from __future__ import annotations

import ast
import contextlib
import dis
import functools
import inspect
import itertools
import operator
import os
import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

from ..engine.table import Row
from ..engine.watch import watching
from ..later import later
from ..lines import INSIDE, asking_line

TO_FLOAT = Row(float, nondifferentiable=True)
"""What whoever watches is told of where a Value gives its number to ``float(v)``."""


def as_float(value: Any) -> float:
    """The single entry of `value` for ``float(v)`` and ``"%.3f" % v``.

    Raises
    ------
    TypeError
        If something else asks, or there are several entries.
    """
    frame = sys._getframe(2)
    how = _asks(frame.f_code, frame.f_lasti)
    plainly = how == "format" or (how == "float" and frame.f_globals.get("float", float) is float)
    if plainly and value.size == 1:
        if (watch := watching()) is not None and value.active:
            watch.saw(type(value)(value.item(), requires_grad=False), TO_FLOAT, (value.data,), (value,))
        return value.item()
    if how == "store":
        raise TypeError(
            "a plain array keeps no record of the Values that are written into it: make it with "
            f"np.zeros_like(v), or write {_with_at()}"
        )
    raise TypeError(
        "a math function of v would leave the record, and so would float(v) of several entries: write "
        "np.exp(v), not math.exp(v), v.item() for the number of a single-entry Value, v.numpy() for the array"
    )


@functools.lru_cache(maxsize=256)
def _asks(code: CodeType, at: int) -> str:
    """What code does there: "format" is ``text % v``, "store" ``x[i] = v``, "float" ``float(v)``, or "call".

    A call and the name of what is called begin at one place in the source.
    """
    instructions = {i.offset: i for i in dis.get_instructions(code)}
    now = instructions[at]
    if now.opname.startswith(("STORE", "BINARY")):
        return "store" if now.opname.startswith("STORE") else "format"
    place = now.positions and now.positions[::2]
    called = [i.argval for i in instructions.values() if i.positions and i.positions[::2] == place]
    return "float" if place and None not in place and "float" in called else "call"


def _with_at() -> str:
    """The line that asks, an assignment to entries of an array, as it can be recorded."""
    line = asking_line()
    with contextlib.suppress(SyntaxError, ValueError):
        for node in ast.parse(line.code if line else "").body:
            method = _METHODS.get(type(getattr(node, "op", node)))
            if method and isinstance(node, (ast.Assign, ast.AugAssign)):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if isinstance(target, ast.Subscript):
                    array, index, new = map(ast.unparse, (target.value, target.slice, node.value))
                    index = index[1:-1] if isinstance(target.slice, ast.Tuple) else index
                    return f"{array} = Value({array}).at[{index}].{method}({new})"
    return "array = Value(array).at[i].set(v)"


_METHODS: dict[type, str] = {ast.Assign: "set", ast.Add: "add", ast.Mult: "multiply"}


def no_array(value: Any) -> TypeError:
    """The error for ``np.asarray(v)``: who asked for the plain array, and what records in its place."""
    asked = _library_function()
    if asked is None:
        return TypeError(
            f"a Value of shape {value.shape} does not turn into a plain array by itself, as its record would "
            "be lost: write v.numpy() for the numbers, np.stack([v, w]) to join Values, and in place of "
            "array[i] = v, Value(array).at[i].set(v)"
        )
    said = f"{asked} takes the numbers out of the Value that it is given, and the record would be lost"
    if _in_our_room(asked):
        return TypeError(f"{said}; tinygrad_course.{asked} records, and takes the same arguments")
    ways = [f"f = derivative({asked}, lambda g, out, x: ...) registers its rule, and then call f"]
    if asked.startswith("scipy.") and not os.environ.get("SCIPY_ARRAY_API"):
        ways.append(
            "many of SciPy's functions record where SCIPY_ARRAY_API=1 is set before SciPy is imported"
        )
    return TypeError(f"{said}; {'; '.join(ways)}; give it v.numpy() if no gradient goes through it")


def _library_function() -> str | None:
    """The function of an installed library that asks, as people call it; None for the user's own code."""
    frame, found, package = sys._getframe(2), None, ""
    while frame is not None:
        file, here = frame.f_code.co_filename, frame.f_globals.get("__name__", "").partition(".")[0]
        if not file.startswith(INSIDE):
            package = package or here
            if here != package or "-packages" not in file:
                break
            found = next(_public_names(frame), found)
        frame = frame.f_back  # type: ignore[assignment]
    return found


def _public_names(frame: FrameType) -> Iterator[str]:
    """What people may have called to get here: this function, its class, or what it stands around."""
    name, local, module = frame.f_code.co_name, frame.f_locals, frame.f_globals["__name__"]
    owner = local.get("self")
    candidates = [(module, owner, name), (module, None, type(owner).__name__ if name == "__init__" else name)]
    wrapped = (inspect.unwrap(local[free]) for free in frame.f_code.co_freevars if callable(local.get(free)))
    candidates += [(f.__module__, None, f.__name__) for f in wrapped if hasattr(f, "__name__")]
    for module, owner, name in candidates:
        public = ".".join(itertools.takewhile(lambda part: not part.startswith("_"), str(module).split(".")))
        known = vars(sys.modules.get(public, sys))
        if owner is None and name in known:
            yield f"{public}.{name}"
        yield from (
            f"{public}.{called}.{name}" for called, thing in known.items() if thing is owner is not None
        )


def _in_our_room(name: str) -> bool:
    """Whether the room scipy/ has a function of SciPy's."""
    library, _, rest = name.partition(".")
    module, _, function = rest.partition(".")
    with contextlib.suppress(ImportError, AttributeError):
        return library == "scipy" and bool(operator.attrgetter(function)(later(f"scipy.{module}")))
    return False
