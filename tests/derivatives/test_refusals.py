"""What NumPy refuses of an array is refused of a Value too, and what it gives for nothing is given."""

import numpy as np
import pytest

from tinygrad_course import Value

LINE, SQUARE, CUBE = np.arange(1.0, 5), np.arange(1.0, 10).reshape(3, 3), np.ones((2, 3, 4))

CALLS = {
    "apply_along_axis to nothing": (lambda x: np.apply_along_axis(np.sum, 0, x[:0]), SQUARE[:, :0]),
    "array_split into no parts": (lambda x: np.array_split(x, 0), LINE),
    "average with weights that cancel": (lambda x: np.average(x, weights=[1, -1, 1, -1]), LINE),
    "average with weights of no axis": (lambda x: np.average(x, weights=[1.0, 2.0, 3.0]), SQUARE),
    "block of uneven depth": (lambda x: np.block([[x], x]), LINE),
    "choose beyond the choices": (lambda x: np.choose([0, 2], [x[:2], x[2:]]), LINE),
    "compress by a table": (lambda x: np.compress([[True]], x), LINE),
    "cov of three axes": (np.cov, CUBE),
    "cov with half an observation": (lambda x: np.cov(x, fweights=[1, 0.5, 1, 1]), LINE),
    "cov with too few weights": (lambda x: np.cov(x, aweights=[1.0, 1.0]), LINE),
    "diag of three axes": (np.diag, CUBE),
    "diagonal of one axis twice": (lambda x: np.diagonal(x, 0, 1, 1), SQUARE),
    "diff a negative number of times": (lambda x: np.diff(x, -1), LINE),
    "geomspace over 0": (lambda x: np.geomspace(x, 0.0), LINE),
    "gradient at a short edge": (lambda x: np.gradient(x[:2], edge_order=2), LINE),
    "gradient with other coordinates": (lambda x: np.gradient(x, [1.0, 2.0]), LINE),
    "gradient with too many spacings": (lambda x: np.gradient(x, 1.0, 2.0), LINE),
    "hsplit of a number": (lambda x: np.hsplit(x, 2), np.array(1.0)),
    "interp with no period": (lambda x: np.interp(x, [0.0, 1.0], [0.0, 1.0], period=0), LINE),
    "linspace of minus one number": (lambda x: np.linspace(x, 1.0, -1), LINE),
    "meshgrid in another order": (lambda x: np.meshgrid(x, x, indexing="yx"), LINE),
    "pad by less than nothing": (lambda x: np.pad(x, -1), LINE),
    "pad in an unknown way": (lambda x: np.pad(x, 1, mode="unknown"), LINE),
    "pad with another way's keyword": (lambda x: np.pad(x, 1, mode="edge", constant_values=1.0), LINE),
    "piecewise with a function too few": (lambda x: np.piecewise(x, [x > 1, x > 2], [1.0]), LINE),
    "polyder a negative number of times": (lambda x: np.polyder(x, -1), LINE),
    "polydiv by nothing": (lambda x: np.polydiv(x, []), LINE),
    "polyfit of degree -1": (lambda x: np.polyfit(LINE, x, -1), LINE),
    "polyint a negative number of times": (lambda x: np.polyint(x, -1), LINE),
    "polyint with too few constants": (lambda x: np.polyint(x, 3, k=[1.0, 2.0]), LINE),
    "resize below nothing": (lambda x: np.resize(x, (2, -1)), LINE),
    "rollaxis beyond the axes": (lambda x: np.rollaxis(x, 0, 5), SQUARE),
    "select with a choice too few": (lambda x: np.select([LINE > 1] * 2, [x]), LINE),
    "split into uneven parts": (lambda x: np.split(x, 3), LINE),
    "vander of a table": (np.vander, SQUARE),
    "fliplr of a line": (np.fliplr, LINE),
}
EMPTY = {
    "cov of no variables": (np.cov, np.zeros((0, 4))),
    "piecewise with one condition": (lambda x: np.piecewise(x, x > 1, [1.0]), np.array(2.0)),
    "trim_zeros of nothing else": (np.trim_zeros, np.zeros(3)),
    "diag of a table": (np.diag, SQUARE),
}
if np.lib.NumpyVersion(np.__version__) >= "2.2.0":  # what older ones do not know
    CALLS["cumulative_sum of two axes"] = (np.cumulative_sum, SQUARE)
    CALLS["trim_zeros in the middle"] = (lambda x: np.trim_zeros(x, "m"), LINE)
    EMPTY["pad of axes by number"] = (lambda x: np.pad(x, {1: 1}), SQUARE)


@pytest.mark.parametrize("name", CALLS)
def test_what_numpy_refuses_is_refused(name):
    call, array = CALLS[name]
    with pytest.raises(Exception) as numpys:
        call(array)
    with pytest.raises(type(numpys.value)):
        call(Value(array))


@pytest.mark.parametrize("name", EMPTY)
def test_what_numpy_gives_for_little_is_given(name):
    call, array = EMPTY[name]
    given = call(Value(array))
    np.testing.assert_array_equal(given.data if isinstance(given, Value) else given, call(array))
