"""Who may ask a Value for its plain number: ``float(v)`` and text; what would lose a gradient may not."""

import math
import warnings

import numpy as np
import pytest

from tinygrad_course import TraceError, Value, compile, lint

V, W = Value(2.0), Value([[3.0]])


class Held:
    loss = V

    def shown(self):
        z = self.loss
        return [(lambda: float(z))(), float(self.loss), max(1.0, float(z)), float(V) + float(W)]


def test_float_and_text_take_the_number_of_a_single_entry():
    assert (float(V), float(W), float(V * W), eval("float(V)")) == (2.0, 3.0, 6.0, 2.0)
    assert Held().shown() == [2.0, 2.0, 2.0, 5.0] and [float(v) for v in (V, W)] == [2.0, 3.0]
    assert f"{float(V):.2f} {round(float(W), 1)}" == "2.00 3.0"
    assert "%.3f" % V == "2.000" and "%g %.1f" % (V, W) == "2 3.0"  # noqa: UP031


@pytest.mark.parametrize(
    "ask",
    [
        lambda: math.exp(V), lambda: math.exp(float(3) + V), lambda: math.hypot(float(V), V),
        lambda: np.zeros(3).fill(V) and float(V), lambda: float(Value([1.0, 2.0])),
        lambda: list(map(float, [V])), lambda: int(V), lambda: [1, 2][V], lambda: complex(V),
        lambda: np.float64(V), lambda: np.full(3, V),
    ],
)  # fmt: skip
def test_nothing_else_does(ask):
    with pytest.raises((TypeError, ValueError)) as caught:
        ask()
    assert "v.numpy()" in str(caught.value.__cause__ or caught.value)


def test_a_plain_array_takes_no_value_and_the_line_to_write_is_told():
    a, b = np.zeros(3), np.zeros((2, 2))
    with pytest.raises(ValueError) as caught:
        a[0] = V * 2
    assert "write a = Value(a).at[0].set(V * 2)" in str(caught.value.__cause__)
    with pytest.raises(ValueError) as caught:
        b[0, 1] += V
    assert "write b = Value(b).at[0, 1].add(V)" in str(caught.value.__cause__)
    assert not a.any() and not b.any()


def test_lint_tells_of_a_number_taken_from_a_record_once_a_line():
    with warnings.catch_warnings(record=True) as caught, lint():
        warnings.simplefilter("always")
        for _ in range(3):
            float(V * W)
        float(V.detach())
    assert [w.message.id for w in caught] == ["left-the-graph"]


def test_in_a_compiled_function_it_is_refused_as_item_is():
    for number in (lambda x: x * float(x), lambda x: x * x.item()):
        for x in (Value(2.0), Value([2.0])):
            with pytest.raises(TraceError, match="turned into a plain number"):
                compile(number)(x)
