"""What tests of compiled functions ask: that they follow every change, or refuse to be compiled."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_course import TraceError, Value, compile

X = np.array([0.5, -1.25, 2.0])


def same(one, other):
    """Raise unless two results have the same bits."""
    one, other = (x.data if isinstance(x, Value) else x for x in (one, other))
    if isinstance(one, (tuple, list)):
        for a, b in zip(one, other, strict=True):
            same(a, b)
        return
    a, b = np.asarray(one), np.asarray(other)
    assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()), (one, other)


def follows(function, *changes, args=(X,)):
    """After each change the compiled function gives what the function gives."""
    compiled = compile(function)
    seen = []
    for change in (lambda: None, *changes):
        change()
        for _ in range(2):
            expected = function(*args)
            same(compiled(*args), expected)
        seen.append(np.asarray(expected.data if isinstance(expected, Value) else expected).tobytes())
    assert not changes or len(set(seen)) > 1  # else nothing is tested
    return compiled


def refuses(function, *args, match="compile"):
    """The function is refused at each call."""
    compiled = compile(function)
    for _ in range(2):
        with pytest.raises(TraceError, match=match) as error:
            compiled(*(args or (X,)))
    assert ".py:" in str(error.value) or "an argument is a" in str(error.value)  # the line
