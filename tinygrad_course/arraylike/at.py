"""Assignment to entries: ``v.at[index].set(x)`` gives a new Value, and ``v[index] = x`` writes into this one.

A record needs its arrays as they were.  So a Value that is written into takes over the record of `at`: what
it was before becomes a Value of its own, which nobody sees, and which the new entries' computation is
attached to.  Whatever else has used the old entries finds at backward that they are gone, and says so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..derivatives.indexing import add_at, is_last, set_at
from ..engine.record import Record, ancestors
from ..engine.table import TABLE
from ..engine.value import stripped
from ..engine.watch import recording_mode, watching
from ..lines import asking_line
from .errors import FAILURES, explained, no_assignment, no_writing

_SET = TABLE[set_at]
_KEEP_NOTHING = (_SET, TABLE[add_at])  # rows whose rules do not look at entries


class At:
    """What ``v.at`` is: index it to choose entries, and call a method of those.

    Examples
    --------
    >>> from tinygrad_course import Value
    >>> v, x = Value([1.0, 2.0, 3.0]), Value(10.0)
    >>> w = v.at[1:].set(x)
    >>> w
    Value([ 1., 10., 10.])
    >>> w.sum().backward()
    >>> v.grad, x.grad
    (array([1., 0., 0.]), 2.0)
    >>> v.at[[0, 0, 2]].add(1)
    Value([3., 2., 4.])
    """

    __slots__ = ("_index", "_value")

    def __init__(self, value: Any, index: Any = None) -> None:
        self._value, self._index = value, index

    def __getitem__(self, index: Any) -> At:
        if type(self._value.data) is float:
            raise TypeError(
                "a Value of a single number has no entries to index; give Value a list or an array"
            )
        return At(self._value, index)

    def set(self, new: Any) -> Any:
        """The Value with `new` at the chosen entries; the last one where an entry is chosen repeatedly."""
        return set_at(self._value, self._index, new)

    def add(self, new: Any) -> Any:
        """The Value with `new` added to the chosen entries, every time that an entry is chosen."""
        return add_at(self._value, self._index, new)

    def multiply(self, new: Any) -> Any:
        """The Value with the chosen entries multiplied by `new`.

        Raises
        ------
        ValueError
            If an entry is chosen more than once.
        """
        if not is_last(self._index, self._value.shape).all():
            raise ValueError(
                f"v.at[index].multiply: index chooses an entry of shape {self._value.shape} twice; "
                "multiply the factors of one entry first, or call multiply once for each"
            )
        return set_at(self._value, self._index, self._value[self._index] * new)


def write(value: Any, index: Any, new: Any) -> None:
    """``value[index] = new``, recorded.

    Raises
    ------
    TypeError
        If `value` is a leaf that requires a gradient, a view of other memory, a number, or a recorded result
        under `no_grad`.
    """
    data, row, recording = value.primal, value.row, recording_mode.get()
    content = np.asarray(new) if isinstance(new, (list, tuple)) else stripped(new)
    stands_in = any(hasattr(type(a), "apply_row") for a in (data, index, content))
    if row is None and value.active:
        if recording:
            raise no_assignment(value.name, index)
        data[index] = content
        value.data = data
        return
    if not (stands_in or isinstance(data, np.ndarray)) or (row is not None and not recording):
        raise no_writing(value.shape, "it is a number, foreign data, or recorded and we are under no_grad")
    if not stands_in and row is not _SET and _is_view(value):
        raise no_writing(value.shape, "it is a view: write into what it is a part of")
    before: Any = object.__new__(type(value))
    for slot in Record.__slots__:
        setattr(before, slot, getattr(value, slot))
    copies = {} if row is None else _taken_apart(value, before, new)
    try:
        if stands_in:
            fresh = set_at(data, index, content)
        else:  # older records still hold the old array: of a result they can tell by its memory
            if row is not None:
                before.primal = copies.get(id(data), data) if row in _KEEP_NOTHING else data.copy()
            fresh = data.copy() if row is None else data.view()
            fresh[index] = content
    except FAILURES as error:
        raise explained(_SET, (data, index, content), {}, error) from None
    given = new if isinstance(new, type(value)) and new.active and recording else None
    parents = (before if before.active else None, None, given)
    Record.__init__(value, fresh, any(p is not None for p in parents), value.name)
    if value.active:
        value.remember(_SET, (before.primal, index, content), {}, parents)
        value.line = asking_line()
    if (watch := watching()) is not None:
        watch.saw(value, _SET, (before.primal, index, content), (before, index, new))


def _is_view(value: Any) -> bool:
    """Whether the array of a Value lies in memory that something else is made of, too."""
    if value.row is None:
        return value.primal.base is not None
    operands = value.row.operands(value.args)
    return any(isinstance(a, np.ndarray) and np.may_share_memory(a, value.primal) for a in operands)


def _taken_apart(value: Any, before: Any, new: Any) -> dict[int, Any]:
    """Attach to `before` what `new` was computed by, with copies of what is going to be written over."""
    copies: dict[int, Any] = {}

    def apart(a: Any) -> Any:
        shared = isinstance(a, np.ndarray) and np.may_share_memory(a, value.primal)
        return copies.setdefault(id(a), a.copy()) if shared else a

    for node in ancestors([new], value.serial) if isinstance(new, type(value)) else ():
        if node.row is not None and node.serial > value.serial:
            operands = [apart(a) for a in node.row.operands(node.args)]
            parents = tuple(before if p is value else p for p in node.parents)
            node.primal = apart(node.primal)
            node.remember(node.row, node.row.with_operands(node.args, operands), node.kwargs, parents)
    return copies
