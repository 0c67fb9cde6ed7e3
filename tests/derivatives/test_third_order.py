"""Third derivatives of the functions that work entry by entry and have no kinks, with finite differences."""

import numpy as np
import pytest
import rows  # noqa: F401 (fills CASES)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rows.calling import differentiable, parts, run
from rows.registry import CASES

from tinygrad_course.derivatives import TABLE
from tinygrad_course.derivatives.__main__ import orders
from tinygrad_course.testing.gradcheck import gradgradcheck
from tinygrad_course.transforms import grad

SMOOTH = [case for case in CASES if orders(case.row) == 3]


def test_the_smooth_functions_are_many():
    assert {np.exp, np.tanh, np.divide, np.logaddexp, np.arctan2} - {case.function for case in SMOOTH} == {
        np.arctan2
    }
    assert len(SMOOTH) > 30


@pytest.mark.parametrize("case", SMOOTH, ids=lambda case: case.name)
@settings(max_examples=4)
@given(data=st.data())
def test_third_derivative(case, data):
    call = data.draw(case.calls)
    places = differentiable(case.row, call.args)
    assume(places and all(np.size(x) for x in places.values()))
    total = lambda *values: sum(np.sum(part) for part in parts(run(case, call, dict(zip(places, values)))))
    slopes = grad(total, argnums=tuple(range(len(places))))
    gradgradcheck(lambda *values: list(slopes(*values)), *places.values())


@pytest.mark.parametrize("function", [np.sinc, np.i0])
def test_third_derivative_of_sinc_and_bessel_at_and_around_zero(function):
    assert orders(TABLE[function]) == 2  # as far as every row is checked; these two go on
    x = np.array([-1.25, -0.5, 0.0, 0.75, 1.5, 3.0])
    assert gradgradcheck(grad(lambda x: np.sum(function(x))), x)
    assert gradgradcheck(grad(lambda x: np.sum(grad(lambda x: np.sum(function(x)))(x))), x)
