"""NumPy's scalars: as data of a Value a Python float, and beside a Value what they are beside an array."""

import operator
import sys

import numpy as np
import pytest

from tinygrad_course import Value

KINDS = [np.float64, np.float32, np.float16, np.longdouble, np.int8, np.int64, np.uint16, np.bool_]
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]


@pytest.mark.parametrize("kind", KINDS)
def test_a_scalar_is_a_python_float_unless_its_dtype_is_another_floats(kind):
    v = Value(kind(1))
    kept = kind in (np.float32, np.float16, np.longdouble)
    assert v.dtype == (kind if kept else float) and v.shape == () and float(v) == 1.0
    assert (type(v.data) is float) is not kept
    (v * v + v).backward()
    assert v.grad == 3 and np.asarray(v.grad).dtype == v.dtype


@pytest.mark.parametrize("operate", OPERATORS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("data", [3.0, np.full(2, 3.0), np.full(2, 3.0, np.float32), np.array(3.0)])
def test_beside_a_value_a_scalar_is_what_it_is_beside_an_array(operate, kind, data):
    scalar = kind(1) if kind is np.bool_ else kind(2)
    if operate is operator.sub and kind is np.bool_:
        data = np.asarray(data)
    numpys = np.power if operate is operator.pow else operate  # NumPy 2.0's ** forgets the scalar's dtype
    for first in (True, False):
        v = Value(data)
        out = operate(v, scalar) if first else operate(scalar, v)
        plain = numpys(data, scalar) if first else numpys(scalar, data)
        assert out.dtype == plain.dtype and np.array_equal(out.data, plain)
        out.sum().backward()
        w = Value(data)
        same = operate(w, np.array(scalar)) if first else operate(np.array(scalar), w)
        same.sum().backward()
        # an exponent of few bits is not rounded to them where it is a number beside a number
        close = np.finfo(np.float16).eps if operate is operator.pow and type(data) is float else 0
        np.testing.assert_allclose(v.grad, w.grad, rtol=close)
        assert np.asarray(v.grad).dtype == v.dtype


def test_numbers_stay_numbers():
    for out in (Value(2.0) * np.float64(3), np.float64(3) * Value(2.0), np.int64(3) + Value(2.0)):
        assert type(out.data) is float
        assert all(isinstance(a, float) for a in out.args if not isinstance(a, np.integer))
    assert type(np.exp(Value(np.float64(0.0))).data) is float


def test_the_quick_lane_takes_numpys_scalars():
    """What the quick lane records of ``v * np.float64(3)`` is what it records of ``v * 3.0``."""
    recording = sys.modules.get("tinygrad_course.fast.recording")
    if recording is None:
        pytest.skip("the engine is the plain one")
    before, asked = recording.recorded, []
    recording.recorded = lambda *given: asked.append(given) or before(*given)
    try:
        for v in (Value(2.0), Value(np.ones(2)), Value(np.ones(2, np.float32))):
            for scalar in (np.float64(3), np.int64(3)):
                v * scalar, scalar * v, v**scalar, scalar - v
    finally:
        recording.recorded = before
    assert len(asked) == 24
