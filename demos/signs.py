"""Signs that a terminal lacks, and what to print in their place: ASCII."""

import codecs
import sys

TWINS = {
    "│": "|", "─": "-", "┼": "+", "█": "#", "▀": "'", "▄": ".", "░": ".", "·": "*", "×": "x", "−": "-",
    "–": "-", "…": "...", "→": "->", "⇒": "=>", "≤": "<=", "≥": ">=", "≈": "~", "≠": "!=", "±": "+-",
    "σ": "sigmoid", "Σ": "sum ", "∂": "d", "η": "lr", "β": "beta", "δ": "delta", "π": "pi", "√": "sqrt ",
    "²": "^2", "₀": "0", "₁": "1", "₂": "2", "₃": "3", "ŷ": "yhat", "‖": "||", "∧": "and", "¬": "not ",
    "Φ": "Phi", "φ": "phi", "½": "1/2", "✓": "ok", "✗": "X",
}  # fmt: skip


def _twins(error: UnicodeError) -> tuple[str, int]:
    """ASCII in place of what the terminal's encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(TWINS.get(sign, "?") for sign in error.object[error.start : error.end]), error.end


codecs.register_error("twins", _twins)


def plain_signs() -> None:
    """From now on, print ASCII in place of signs that the terminal lacks."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="twins")


def in_signs(text: str) -> str:
    """`text` in the signs that the terminal has (`print` does this by itself, but too late to align them)."""
    encoding = sys.stdout.encoding or "utf-8"  # none at all: not a terminal, it takes every sign
    return text.encode(encoding, "twins").decode(encoding)
