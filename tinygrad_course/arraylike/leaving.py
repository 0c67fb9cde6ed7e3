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
import sys
from types import CodeType
from typing import Any

from ..engine.table import Row
from ..engine.watch import watching
from ..lines import asking_line

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
