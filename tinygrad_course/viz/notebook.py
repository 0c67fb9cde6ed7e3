"""What a notebook shows for a value: its graph if that is small, its text in any case, and never an error."""

from __future__ import annotations

from ..value import Value
from .graph import graph_of
from .pictures import title_of
from .svg import svg
from .views import texts_of, view_of

SMALL = 60
"""A graph of more nodes than that is not shown unasked."""


def mimebundle(value: Value) -> dict[str, str]:
    """The forms in which a notebook can show `value`, for `_repr_mimebundle_`.

    Examples
    --------
    >>> from tinygrad_course import Value
    >>> sorted(mimebundle(Value(2.0) * Value(3.0)))
    ['image/svg+xml', 'text/plain']
    >>> mimebundle(Value(2.0))
    {'text/plain': 'Value(2.0)'}
    """
    bundle = {"text/plain": repr(value)}
    try:
        if value._row is not None and _is_small(value):
            graph = graph_of(value)
            bundle["image/svg+xml"] = svg(view_of(graph, texts_of(graph)), title_of(value))
    except Exception:  # whatever a strange value may hold, its text is shown
        pass
    return bundle


def _is_small(value: Value) -> bool:
    """Whether few values lie behind `value`, found out without going through all of them."""
    found = {id(value): value}
    waiting = [value]
    while waiting and len(found) <= SMALL:
        for parent in waiting.pop()._parents or ():
            if parent is not None and id(parent) not in found:
                found[id(parent)] = parent
                waiting.append(parent)
    return len(found) <= SMALL
