"""What a notebook shows for a value or a module: a picture or a table, always its text, never an error."""

from __future__ import annotations

from html import escape
from typing import Any

from ..arraylike import Value
from ..engine.record import ancestors
from .graph import graph_of
from .pictures import title_of
from .svg import svg
from .views import texts_of, view_of

SMALL = 60
"""A graph of more nodes than that is not shown unasked."""


def mimebundle(shown: Any) -> dict[str, str]:
    """The forms in which a notebook can show something, for its `_repr_mimebundle_`.

    A Value is shown as its graph if that is small, a Module as its `summary()`, a compiled program as its
    `source`.

    Examples
    --------
    >>> from tinygrad_course import Value, nn
    >>> sorted(mimebundle(Value(2.0) * Value(3.0)))
    ['image/svg+xml', 'text/plain']
    >>> mimebundle(Value(2.0))
    {'text/plain': 'Value(2.0)'}
    >>> sorted(mimebundle(nn.Linear(2, 1)))
    ['text/html', 'text/plain']
    """
    bundle = {"text/plain": _text(shown)}
    try:
        if isinstance(shown, Value):
            if shown.row is not None and len(ancestors([shown])) <= SMALL:
                graph = graph_of(shown)
                bundle["image/svg+xml"] = svg(view_of(graph, texts_of(graph)), title_of(shown))
        else:
            text = shown.summary() if hasattr(shown, "summary") else shown.source
            bundle["text/html"] = f"<pre>{escape(text)}</pre>"
    except Exception:  # whatever a strange value may hold, its text is shown
        pass
    return bundle


def _text(shown: Any) -> str:
    try:
        return repr(shown)
    except Exception:
        return object.__repr__(shown)
