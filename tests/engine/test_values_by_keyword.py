"""Values given by keyword are differentiated like those given by position."""

import numpy as np
import pytest

from tinygrad_course import Value
from tinygrad_course.testing.gradcheck import gradcheck, gradgradcheck

X = np.array([0.25, 1.5, -0.75])
W = np.array([1.0, 0.5, 2.0])
XP = np.array([-0.5, 0.5, 1.0])

CALLS = {
    "average": (lambda x, w: np.average(x, weights=w), X, W),
    "bincount": (lambda w: np.bincount([0, 2, 0], weights=w), W),
    "clip": (lambda x, low: np.clip(x, a_max=1.0, a_min=low), X, 0.5),
    "cov": (lambda x, w: np.cov(np.stack([x, x * x]), aweights=w, ddof=0), X, W),
    "diff": (lambda x, a, b: np.diff(x, prepend=a, append=b), X, 0.5, W),
    "ediff1d": (lambda x, a, b: np.ediff1d(x, to_begin=a, to_end=b), X, 0.5, W),
    "full_like": (lambda x, fill: np.full_like(x, fill_value=fill) * x, X, 1.5),
    "insert": (lambda x, values: np.insert(x, 1, values=values), X, W),
    "interp": (lambda fp, a, b: np.interp([-3.0, 0.0, 0.75, 3.0], XP, fp, left=a, right=b), X, 0.5, 2.0),
    "interp points": (lambda xp, fp: np.interp([-0.25, 0.75], xp=xp, fp=fp), XP, X),
    "logspace": (lambda a, base: np.logspace(a, 2.0, 4, base=base), 0.5, 3.0),
    "polyfit": (lambda y, w: np.polyfit(XP, y, 1, w=w), X, W),
    "polyint": (lambda p, k: np.polyint(p, k=k), X, 0.5),
    "select": (lambda x, default: np.select([X > 1], [x], default=default), X, 0.5),
    "sum": (lambda x: np.sum(a=x, axis=0), X),
    "trapezoid": (lambda y, x: np.trapezoid(y, x=x), X, XP),
    "diff of a": (lambda a: np.diff(a=a, n=2), X),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_by_keyword(name):
    f, *inputs = CALLS[name]
    assert gradcheck(f, *inputs)
    assert gradgradcheck(f, *inputs)


def test_where_no_gradient_goes_through_a_keyword_it_raises():
    for use in (
        lambda: np.sum(Value(X), initial=Value(1.0)),
        lambda: np.pad(Value(X), 1, constant_values=Value(1.0)),
    ):
        with pytest.raises(TypeError, match=r"v\.numpy\(\)"):
            use()
