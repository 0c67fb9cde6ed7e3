"""Assignment to entries without changing anything: ``v.at[index].set(x)`` gives a new Value.

A record needs its arrays as they were, so ``v[index] = x`` cannot be recorded; this is its counterpart.
"""

from __future__ import annotations

from typing import Any

from ..derivatives.indexing import add_at, is_last, set_at


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
