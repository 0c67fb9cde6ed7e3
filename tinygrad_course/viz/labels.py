"""The words and numbers in a picture: fixed-width numbers, shapes, and text from users made safe to draw.

Every picture (DOT, SVG, the page that plays backpropagation) takes its texts from here, so that a value
reads the same everywhere.
"""

from __future__ import annotations

import math
import unicodedata
from typing import Any

import numpy as np

from ..insight.names import is_single

LONGEST = 28
"""Names and calls are cut to so many characters in a picture; the full text is in its tooltip."""

_JOINERS = "\u200d"  # holds the parts of one emoji together


def number(x: float) -> str:
    """A number in a fixed width with its sign.

    Examples
    --------
    >>> number(0.1234), number(-20), number(3e-7), number(float("inf"))
    ('+0.1234', '-20.0000', '+3.0e-07', '+inf')
    """
    if math.isnan(x):
        return "nan"
    if x == 0 or math.isinf(x):
        return f"{x + 0.0:+.4f}"  # no sign before a zero but +
    return f"{x:+.4f}" if 5e-5 <= abs(x) < 1e4 else f"{x:+.1e}"


def plain(text: str) -> str:
    r"""`text` on one line, with nothing in it that does not show: control characters as Python writes them.

    Examples
    --------
    >>> plain("two\nlines")
    'two\\nlines'
    """
    return "".join(
        c if c.isprintable() or c in _JOINERS else
        " " if unicodedata.category(c) == "Zs" else c.encode("unicode_escape").decode("ascii")
        for c in text
    )  # fmt: skip


def cut(text: str, longest: int = LONGEST) -> str:
    """`text`, its end replaced by … where it is too long for a picture."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def width(text: str) -> float:
    """How many character cells `text` takes; wide characters (CJK, emoji) take two."""
    return sum(
        0 if unicodedata.combining(c) or c in _JOINERS else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def as_numpy(data: Any) -> np.ndarray[Any, Any]:
    """`data` as a NumPy array to read numbers from, wherever the array lives."""
    return np.asarray(data.get() if hasattr(data, "get") and hasattr(data, "dtype") else data)


def shape(data: Any) -> str:
    """The shape of an array, or of each result of an operation with several.

    Examples
    --------
    >>> shape(np.zeros((4, 2))), shape(np.zeros(3))
    ('(4, 2)', '(3,)')
    """
    if isinstance(data, tuple):
        return cut(", ".join(shape(part) for part in data))
    return str(tuple(np.shape(data)))


def value_text(data: Any) -> str:
    """The number, or the shape of an array."""
    return number(float(as_numpy(data))) if is_single(data) else shape(data)


def gradient_text(gradient: Any) -> str:
    """The gradient, – before there is one; of an array its norm."""
    if gradient is None:
        return "grad –"
    if isinstance(gradient, tuple):
        parts = [as_numpy(part) for part in gradient if part is not None]
        return f"‖grad‖ {_norm(*parts)}"
    if is_single(gradient):
        return f"grad {number(float(as_numpy(gradient)))}"
    return f"‖grad‖ {_norm(as_numpy(gradient))}"


def _norm(*parts: np.ndarray[Any, Any]) -> str:
    with np.errstate(over="ignore", invalid="ignore"):
        return number(math.sqrt(sum(float(np.sum(np.square(p, dtype=float))) for p in parts))).removeprefix(
            "+"
        )


def call_text(name: str, args: list[str], kwargs: dict[str, Any]) -> str:
    """An operation with its constants: ``power(·, 2)``; only its name where all arguments are drawn as edges.

    Examples
    --------
    >>> call_text("power", ["·", "2.0"], {}), call_text("multiply", ["·", "·"], {})
    ('power(·, 2.0)', 'multiply')
    """
    given = [f"{key}={brief(a)}" for key, a in kwargs.items() if a is not None and a is not False]
    if not given and all(a == "·" for a in args):
        return plain(name)
    while args and args[-1] == "None":
        args = args[:-1]
    return f"{plain(name)}({', '.join([*args, *given])})"


def brief(x: Any) -> str:
    """A constant argument in a few characters."""
    if isinstance(x, (bool, type(None), type(Ellipsis), str)):
        return "…" if x is Ellipsis else plain(repr(x))
    if isinstance(x, (int, float, np.number)):
        return f"{x:.6g}"
    if isinstance(x, slice):
        ends = ["" if part is None else str(part) for part in (x.start, x.stop, x.step)]
        return ":".join(ends if ends[2] else ends[:2])
    if isinstance(x, (tuple, list)):
        inside = ", ".join(brief(part) for part in x[:4]) + (", …" if len(x) > 4 else "")
        return f"({inside})" if isinstance(x, tuple) else f"[{inside}]"
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        return brief(as_numpy(x).item()) if np.size(x) == 1 else f"array{shape(x)}"
    return plain(getattr(x, "__name__", type(x).__name__))
