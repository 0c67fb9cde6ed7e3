"""Functions of scipy.signal: convolution of arrays of any number of axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import signal

from ..derivatives import composed, derivative


def _full(a: Any, v: Any, method: str) -> Any:
    """Σ a[n] v[k - n] for every k."""
    return signal.convolve(a, v, "full", method)


def _full_rule(g: Any, other: Any, method: str) -> Any:
    return _convolve(g, np.flip(other), "valid", method)


_full = derivative(
    _full,
    lambda g, out, a, v, method: _full_rule(g, v, method),
    lambda g, out, a, v, method: _full_rule(g, a, method),
    formula="Σ a[n] · v[k - n]",
)


def _convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """The middle of the full convolution: of in1's size ("same"), or where the arrays overlap wholly."""
    out = _full(in1, in2, method)
    if mode == "full":
        return out
    valid = [abs(n - m) + 1 for n, m in zip(in1.shape, in2.shape)]
    sizes = in1.shape if mode == "same" else valid
    starts = [(n - size) // 2 for n, size in zip(out.shape, sizes)]
    return out[tuple(slice(start, start + size) for start, size in zip(starts, sizes))]


convolve = composed(signal.convolve, _convolve, formula="Σ in1[n] · in2[k - n]")
