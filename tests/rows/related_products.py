"""Cases of the products of vectors and matrices that are another one in disguise."""

import itertools
import math

import numpy as np

from rows.registry import Call, arrays, broadcastable, call, case, shapes, st, torch
from tinygrad_course.derivatives import products

sides = st.integers(0, 3)
few = shapes(max_dims=2, max_side=3, max_size=6)


def array(draw, *shape):
    return draw(arrays(shape))


@st.composite
def inner(draw):
    first, second, k = draw(few), draw(few), draw(sides)
    if draw(st.integers(0, 3)) == 0:
        return Call((array(draw, *first), draw(arrays(()))))
    return Call((array(draw, *first, k), array(draw, *second, k)))


@st.composite
def flat(draw):
    """Two arrays of the same number of entries."""
    shape = draw(shapes())
    return Call(
        (array(draw, *shape), array(draw, *draw(st.sampled_from([shape[::-1], (math.prod(shape),)]))))
    )


case(np.inner, inner(), torch="inner")
case(np.vdot, flat(), torch=lambda x, y: torch.vdot(x.reshape(-1), y.reshape(-1)))


def kron_by_torch(x, y):
    """With as many axes in both: otherwise PyTorch fails on some layouts."""
    axes = max(x.ndim, y.ndim)
    return torch.kron(*(t.reshape((1,) * (axes - t.ndim) + t.shape).contiguous() for t in (x, y)))


case(np.kron, call(arrays(few), arrays(few)), torch=kron_by_torch)
case(np.matrix_transpose, call(arrays(shapes(min_dims=2))), torch=lambda x: x.mT)
case(np.linalg.matrix_transpose, call(arrays(shapes(min_dims=2))), torch=lambda x: x.mT)
case(
    np.linalg.diagonal,
    call(arrays(shapes(min_dims=2)), offset=st.integers(-2, 2)),
    torch=lambda x, offset=0: torch.diagonal(x, offset, -2, -1),
)
case(
    np.linalg.trace,
    call(arrays(shapes(min_dims=2)), offset=st.integers(-2, 2)),
    torch=lambda x, offset=0: torch.diagonal(x, offset, -2, -1).sum(-1),
)
case(np.linalg.outer, call(arrays(shapes(min_dims=1, max_dims=1)), arrays((3,))), torch="outer")
case(np.linalg.matmul, call(arrays((2, 1, 3)), arrays((1, 3, 2))), torch="matmul")
case(
    np.linalg.tensordot,
    call(arrays((2, 2, 2)), arrays((2, 2, 2)), axes=st.sampled_from([1, 2, ((1,), (0,))])),
)


@st.composite
def stacked(draw, first, second):
    """Operands with these last axes (letters are lengths), and axes before them that broadcast."""
    length = {c: draw(sides) for c in first + second}
    pair = draw(broadcastable(2, max_dims=2, max_side=2, max_size=4))
    return Call(tuple(array(draw, *b, *(length[c] for c in own)) for b, own in zip(pair, (first, second))))


@st.composite
def dotted(draw):
    """Vectors along any axis; a positive one only if both operands have as many axes."""
    x, y = draw(stacked("n", "n")).args
    axis = draw(st.integers(-min(x.ndim, y.ndim), x.ndim - 1 if x.ndim == y.ndim else -1))
    return Call((np.moveaxis(x, -1, axis), np.moveaxis(y, -1, axis)), {"axis": axis})


case(np.vecdot, stacked("n", "n"), torch="linalg.vecdot")
case(np.vecdot, dotted(), torch="linalg.vecdot")
case(np.linalg.vecdot, dotted(), torch="linalg.vecdot")
if hasattr(np, "matvec"):
    case(np.matvec, stacked("mn", "n"), torch=lambda x, y: (x @ y[..., None])[..., 0])
    case(np.vecmat, stacked("n", "nm"), torch=lambda x, y: (x[..., None, :] @ y)[..., 0, :])


@st.composite
def in_space(draw):
    """Vectors of three entries along the axes that are named."""
    first, second = draw(broadcastable(2, max_dims=2, max_side=2, max_size=4))
    x, y, wide = array(draw, *first, 3), array(draw, *second, 3), max(len(first), len(second))
    at = [draw(st.integers(-n - 1, n)) for n in (len(first), len(second), wide)]
    kwargs = dict(zip(("axisa", "axisb", "axisc"), at))
    if draw(st.booleans()):
        return Call((x, y))
    return Call((np.moveaxis(x, -1, at[0]), np.moveaxis(y, -1, at[1])), kwargs)


case(np.cross, in_space())
case(products._cross3, call(arrays((2, 3)), arrays((3,))), reference=np.cross)
case(np.cross, call(arrays((2, 3)), arrays((2, 3)), axis=1), torch="linalg.cross")
case(
    np.linalg.cross,
    call(arrays((3, 3)), arrays((3, 3)), axis=st.sampled_from([0, 1, -1])),
    torch="linalg.cross",
)


@st.composite
def chain(draw):
    """Matrices that fit one another; a vector may begin and end them."""
    n = [draw(st.integers(1, 3)) for _ in range(draw(st.integers(3, 5)))]
    parts = [array(draw, a, b) for a, b in itertools.pairwise(n)]
    if draw(st.booleans()):
        parts[0] = array(draw, n[1])
    if draw(st.booleans()):
        parts[-1] = array(draw, n[-2])
    return Call((parts,))


case(np.linalg.multi_dot, chain(), torch="linalg.multi_dot")


@st.composite
def powers(draw):
    n = draw(st.integers(-3, 6))
    x = draw(arrays((*draw(shapes(max_dims=1, max_side=2)), 2, 2), low=-0.5, high=0.5)) + np.diag([2.0, -1.5])
    return Call((x, n))


case(np.linalg.matrix_power, powers(), torch="linalg.matrix_power")
