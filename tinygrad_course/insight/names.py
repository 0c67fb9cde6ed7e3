"""How values are called in messages: parameters by their names in a module, results by their operation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arraylike import Value
from ..arraylike.errors import describe


class Names:
    """The names of a module's parameters; of others their own names, or what they are.

    Parameters
    ----------
    module : Module, optional
        Anything with `named_parameters()`.
    """

    def __init__(self, module: Any = None) -> None:
        if module is not None and not hasattr(module, "named_parameters"):
            raise TypeError(
                f"expected a module, such as a network, and got a {type(module).__name__}; write "
                "blame(model) or lint(model), or leave it out"
            )
        self.parameters: list[tuple[str, Value]] = [] if module is None else module.named_parameters()
        self._by_id = {id(p): name for name, p in self.parameters}

    def of(self, value: Any) -> str:
        """What to call a value or an array."""
        if not isinstance(value, Value):
            return f"{value:.6g}" if isinstance(value, (int, float)) else f"an array {describe(value)}"
        shape = describe(value.data) if value.shape else "number"
        if name := self._by_id.get(id(value)) or value.name:
            return f"{name!r} {shape}"
        return f"the result of {value.row.name} {shape}" if value.row is not None else f"a value {shape}"

    def layer(self, value: Value) -> str:
        """The layer that a parameter belongs to: its name without the last part; its own outside a module."""
        if name := self._by_id.get(id(value)):
            return name.rpartition(".")[0] or name
        return value.name or f"a value {describe(value.data)}"


def first_bad(data: Any) -> tuple[str, tuple[int, ...]] | None:
    """Whether there is a nan ("nan") or an infinite number ("inf") in `data`, and where the first is."""
    if type(data) is tuple:
        return next((bad for part in data if part is not None and (bad := first_bad(part))), None)
    if isinstance(data, float):
        return ("nan", ()) if data != data else ("inf", ()) if abs(data) == float("inf") else None
    if not isinstance(data, np.ndarray) or data.dtype.kind != "f" or np.isfinite(data).all():
        return None
    for what, found in (("nan", np.isnan(data)), ("inf", np.isinf(data))):
        if found.any():
            return what, tuple(int(i) for i in np.unravel_index(int(np.argmax(found)), data.shape))
    return None


def is_single(data: Any) -> bool:
    """Whether `data` is a single number without axes."""
    return not isinstance(data, tuple) and np.shape(data) == ()


def norm(g: Any) -> float:
    """How large a gradient is: its size, or its norm; of several, all together."""
    if type(g) is tuple:
        return math.hypot(*(norm(part) for part in g if part is not None))
    g = g.data if isinstance(g, Value) else g
    if np.ndim(g) == 0:
        return abs(float(g))
    g = np.ravel(g)
    top = float(np.max(np.abs(g))) if g.size else 0.0
    return top * float(np.linalg.norm(g / top)) if 0 < top < math.inf else top


def at(data: Any, index: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """The entry of `data` that goes into entry `index` of a result of `shape`, and its range, in words."""
    if isinstance(data, (int, float)):
        return f"{data:.6g}"
    if not isinstance(data, np.ndarray) or data.dtype.kind not in "fiub" or not data.size:
        return ""
    low, high = float(np.min(data)), float(np.max(data))
    spread = f"{low:.6g}" if low == high or data.size == 1 else f"from {low:.6g} to {high:.6g}"
    try:
        entry = np.broadcast_to(data, shape)[index]
    except ValueError:
        return spread
    return spread if data.size == 1 else f"{float(entry):.6g} there, {spread}"
