"""Ways around slow passes over memory: each gives what the plain NumPy call gives."""

import numpy as np
import pytest

from tinygrad_course.derivatives import convolution
from tinygrad_course.derivatives.indexing import OFTEN, scatter
from tinygrad_course.derivatives.products import product
from tinygrad_course.derivatives.shaping import laid_over

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("rows", [3, 40, 5000])  # named often, now and then, and mostly once
@pytest.mark.parametrize("layout", ["in order", "stretched", "turned"])
def test_rows_that_are_named_again_add_up(rows, layout):
    index = RNG.integers(-rows, rows, 900)
    g = RNG.normal(size=(900, 4))
    if layout == "stretched":
        g = np.broadcast_to(g[:1], g.shape)
    if layout == "turned":
        g = np.asfortranarray(g)
    expected = np.zeros((rows, 4))
    np.add.at(expected, index, g)
    np.testing.assert_allclose(scatter(g, index, (rows, 4)), expected, atol=1e-12)


@pytest.mark.parametrize("times", [OFTEN - 1, OFTEN, OFTEN + 1])
def test_one_row_named_so_often(times):
    index = np.array([1] * times + [0, 2, 2])
    out = scatter(np.ones((len(index), 2)), index, (4, 2))
    np.testing.assert_array_equal(out[:, 0], [1, times, 2, 0])


@pytest.mark.parametrize(
    "x, shape",
    [
        (np.array(2.0), (3, 2)),
        (np.array(2.0), ()),
        (RNG.normal(size=(3, 1)), (3, 4)),
        (RNG.normal(size=(1, 4)), (3, 4)),
        (RNG.normal(size=(1, 4)), (0, 4)),
        (RNG.normal(size=(2, 1, 3)), (2, 5, 3)),
        (RNG.normal(size=(4, 3)).T, (3, 4)),
        (RNG.normal(size=4), (3, 4)),
        (np.zeros((1, 0)), (3, 0)),
        (2.0, (2, 2)),
    ],
)
def test_what_is_laid_over_a_shape_is_broadcast(x, shape):
    out = laid_over(x, np.zeros(shape))
    np.testing.assert_array_equal(out, np.broadcast_to(x, shape))
    assert out.dtype == np.float64 and not out.flags.writeable


@pytest.mark.parametrize(
    "shapes", [((3, 1), (1, 4)), ((5, 3, 1), (1, 4)), ((3, 2), (2, 4)), ((0, 1), (1, 2))]
)
def test_a_product_of_matrices(shapes):
    x, y = (RNG.normal(size=shape) for shape in shapes)
    np.testing.assert_allclose(product(x, y), x @ y, rtol=1e-14)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_convolution_goes_back_line_by_line_as_window_by_window(axes):
    for _ in range(20):
        sizes, kernel = RNG.integers(1, 7, axes).tolist(), RNG.integers(1, 4, axes).tolist()
        dilation, padding = RNG.integers(1, 3, axes).tolist(), RNG.integers(0, 3, (axes, 2)).tolist()
        x = RNG.normal(size=(2, 4, *sizes))
        reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel)]
        if any(n + sum(pair) < r for n, pair, r in zip(sizes, padding, reach)):
            continue
        weight, how = RNG.normal(size=(6, 2, *kernel)), ([1] * axes, padding, dilation, 2)
        out = convolution.convolution(x, weight, *how)
        y = RNG.normal(size=out.shape)
        back = convolution.convolution_input(y, weight, sizes, *how)
        np.testing.assert_allclose(np.sum(x * back), np.sum(out * y), rtol=1e-10, atol=1e-10)
