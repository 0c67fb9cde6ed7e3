"""Every operation that its row writes for PyTorch gives there what NumPy gives, or says that it cannot."""

from __future__ import annotations

import numpy as np
import pytest
import rows  # noqa: F401 (fills CASES)
from hypothesis import given, settings
from hypothesis import strategies as st
from rows.registry import CASES, ROWS, fixed, name_of

from tinygrad_course import TraceError, emit
from tinygrad_course.program.source import Printer
from tinygrad_course.trees import leaves

torch = pytest.importorskip("torch")
WRITTEN = [f for f, row in ROWS.items() if (row.torch or Printer.sign(f)) and not row.nondifferentiable]


def is_array(argument):
    """Whether an argument, or each part of it, is an array or a float, so that a program is given it anew."""
    parts = argument if isinstance(argument, (list, tuple)) else [argument]
    return len(parts) > 0 and all(isinstance(part, (np.ndarray, float)) for part in parts)


def checked(function, call):
    """Compare one call; false where PyTorch or the printer refuses it."""
    args = [a.value if isinstance(a, fixed) else a for a in call.args]
    arrays = [a for a in args if is_array(a)]

    def f(*given):
        following = iter(given)
        return function(*[next(following) if is_array(a) else a for a in args], **call.kwargs)

    try:
        text = emit(f, *arrays, target="torch")
    except TraceError as error:
        assert "emit: " in str(error) or "compile: " in str(error)
        return False
    scope = {}
    exec(text, scope)
    program, given = scope["f"], [torch.tensor(np.array(a)) for a in leaves(arrays)]
    if program.__code__.co_argcount != len(given):
        return False  # long constants are arguments
    try:
        got = program(*given)
    except (RuntimeError, TypeError, IndexError):  # PyTorch itself says what it cannot do
        return False
    want = f(*arrays)
    for a, b in zip(*(x if isinstance(x, (list, tuple)) else [x] for x in (got, want)), strict=True):
        assert tuple(a.shape) == np.shape(b), text
        np.testing.assert_allclose(np.asarray(a), b, rtol=1e-9, atol=1e-12, err_msg=text)
    return True


@pytest.mark.parametrize("function", WRITTEN, ids=name_of)
@pytest.mark.filterwarnings("ignore")
def test_it_gives_the_same_numbers(function):
    counted = [0, 0]

    @settings(max_examples=40)
    @given(st.one_of(case.calls for case in CASES if case.function is function))
    def compare(call):
        with np.errstate(all="ignore"):
            counted[checked(function, call)] += 1

    compare()
    assert counted[True] > 5, f"{counted[False]} calls refused"
