"""Hooks: functions that are shown a gradient on its way back, and may give another one in its place.

A hook is an operation that leaves the data as they are, and whose rule calls the function.  It is put behind
a value that is there already: the value goes on as that operation, and what it was before becomes its parent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..derivatives import result_at
from ..engine.record import Record
from ..engine.table import Row
from ..engine.watch import recording_mode


class Handle:
    """What registering gives: ``handle.remove()`` takes the hook away again."""

    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self.hooks, self.hook = hooks, hook

    def remove(self) -> None:
        """Take the hook away; once is enough."""
        if self.hook in self.hooks:
            self.hooks.remove(self.hook)


def _unchanged(x: Any, hooks: list[Any]) -> Any:
    return x


def _through_hooks(g: Any, out: Any, x: Any, hooks: list[Any]) -> Any:
    for hook in list(hooks):
        new = hook(g)
        g = g if new is None else new
    return g


_HOOKED = Row(_unchanged, (_through_hooks, None))


def attach(value: Any, hook: Callable[[Any], Any]) -> Handle:
    """Show `hook` every gradient of a result; see `Value.register_hook`."""
    if value.row is None:
        raise TypeError(
            "register_hook: a hook belongs to the result of an operation, and this is a leaf: change p.grad "
            "after backward, or hook p * 1.0 and go on with that"
        )
    refuse_traced([value], "a hook on a gradient")
    if value.row is not _HOOKED:
        before: Any = object.__new__(type(value))
        for slot in Record.__slots__:
            setattr(before, slot, getattr(value, slot))
        oldest = max((p.serial for p in value.parents if p is not None), default=value.serial - 1)
        before.serial = (oldest + value.serial) / 2  # younger than its parents, and older than its child
        value.remember(_HOOKED, (value.primal, []), {}, (before, None))
    value.args[1].append(hook)
    return Handle(value.args[1], hook)


def passing(values: Sequence[Any], told: Callable[[list[Any]], Any]) -> tuple[Any, ...]:
    """The same Values again, whose gradients go through ``told(gradients)`` together, once in a pass.

    What it returns, unless that is None, takes the place of the gradients.
    """
    data = tuple(v.primal for v in values)
    active = [i for i, v in enumerate(values) if v.active]
    if not active or not recording_mode.get():
        return tuple(values)
    seen: list[Any] = []

    def rule(i: int, g: Any, out: Any, parts: Any) -> Any:
        if i == active[0]:
            seen[:] = told(list(g)) or g
        return seen[i]

    parents = tuple(v if v.active else None for v in values)
    whole = type(values[0]).recorded(
        data, Row(_together, rule_for_all=rule, sequence=True), (data,), {}, parents
    )
    return tuple(result_at(whole, i) for i in range(len(data)))


def _together(parts: Any) -> Any:
    return tuple(parts)


def refuse_traced(values: Sequence[Any], what: str) -> None:
    """Raise if a value is being compiled: the program would not call Python functions again."""
    for v in values:
        if hasattr(type(v.primal), "refused"):
            raise v.primal.refused(
                f"{what} is used", "take it away first, handle.remove(), or do not compile"
            )
