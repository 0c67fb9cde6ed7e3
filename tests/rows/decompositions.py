"""Cases of inverses, linear systems, determinants, decompositions and norms of matrices.

Most are tried on matrices with a strong diagonal, which are invertible, and whose eigenvalues and singular
values are well apart.  Operations that read one triangle only are given a symmetric matrix made of all of it;
vectors that are known up to their sign are squared.
"""

import numpy as np

from rows.registry import Call, arrays, call, case, shapes, st, torch
from tinygrad_course.derivatives.numpy_extra import decompositions

linalg = np.linalg
stacks = shapes(max_dims=2, max_side=2, max_size=3)


def turned(x):
    return x.mT if torch and isinstance(x, torch.Tensor) else np.swapaxes(x, -1, -2)


def make_symmetric(x):
    return (0.5 * (x + turned(x)),)


@st.composite
def matrices(draw, m=None, n=None, least=0, stack=stacks, low=-0.5):
    """Stacks of m × n matrices with a diagonal of about 3, 6, 9; square ones if `n` is not given."""
    m = draw(st.integers(least, 3)) if m is None else m
    n = m if n is None else n
    before = draw(stack)
    x = draw(arrays((*before, m, n), low=low, high=0.5, layouts=False))
    x = x + 3 * np.arange(1, m + 1)[:, None] * np.eye(m, n)
    return turned(turned(x).copy()) if draw(st.booleans()) else x


@st.composite
def oblong(draw, least=0):
    return draw(matrices(draw(st.integers(least, 3)), draw(st.integers(least, 3))))


one = st.just(())


# Inverses and linear systems
case(linalg.inv, call(matrices()), torch="linalg.inv")


@st.composite
def systems(draw):
    a, k = draw(matrices(least=1)), draw(st.integers(0, 2))
    n = a.shape[-1]
    vector = draw(st.booleans())
    b = draw(arrays((n,) if vector else (*draw(st.sampled_from([(), (1,), a.shape[:-2]])), n, k)))
    return Call((a, b))


def torch_solve(a, b):
    """PyTorch's `solve` takes more for vectors than NumPy's, unless matrices have all axes."""
    columns = b[:, None] if b.ndim == 1 else b
    wide = torch.broadcast_shapes(a.shape[:-2], columns.shape[:-2])
    out = torch.linalg.solve(a, columns.expand(*wide, *columns.shape[-2:]))
    return out[..., 0] if b.ndim == 1 else out


case(linalg.solve, systems(), torch=torch_solve)
case(linalg.pinv, call(oblong(1)), torch="linalg.pinv")
case(linalg.pinv, call(matrices(2, 3), rcond=st.sampled_from([1e-12, 1e-9])))
case(
    linalg.pinv,
    call(matrices(2), hermitian=True),
    before=make_symmetric,
    torch="linalg.pinv",
)
case(
    linalg.pinv,
    call(matrices(3, stack=one)),
    before=lambda x: (x[:, :1] * x[:1],),
    torch="linalg.pinv",
)


@st.composite
def fits(draw):
    m, n = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    b = draw(arrays((m,) if draw(st.booleans()) else (m, draw(st.integers(1, 2)))))
    return Call((draw(matrices(m, n, stack=one)), b))


case(linalg.lstsq, fits())
case(
    linalg.lstsq,
    fits(),
    view=lambda r: r if torch and isinstance(r, torch.Tensor) else r[0],
    torch=lambda a, b: torch.linalg.lstsq(a, b.reshape(len(b), -1)).solution.reshape(-1, *b.shape[1:]),
)
case(
    decompositions._lstsq,
    call(matrices(3, 2, stack=one), arrays((3, 2)), st.none()),
    reference=lambda a, b, rcond: linalg.lstsq(a, b)[0],
)


@st.composite
def folded(draw):
    """A strong 4 × 4 matrix with its axes split and, for `axes`, moved."""
    a = draw(matrices(4, stack=one)).reshape(2, 2, 4)
    b = draw(arrays((2, 2)))
    if draw(st.booleans()):
        return Call((np.moveaxis(a, 2, 0), b), {"axes": (0,)})
    return Call((a, b))


case(linalg.tensorsolve, folded(), torch=lambda a, b, axes=None: torch.linalg.tensorsolve(a, b, dims=axes))
case(
    linalg.tensorinv, call(matrices(4, stack=one).map(lambda x: x.reshape(2, 2, 4))), torch="linalg.tensorinv"
)
case(linalg.tensorinv, call(matrices(4, stack=one).map(lambda x: x.reshape(4, 2, 2)), 1))

# Determinants
case(
    decompositions.cofactors,
    call(matrices(least=1)),
    reference=lambda x: linalg.det(x)[..., None, None] * turned(linalg.inv(x)),
    torch=lambda x: torch.linalg.det(x)[..., None, None] * torch.linalg.inv(x).mT,
)
case(linalg.det, call(matrices()), torch="linalg.det")
case(linalg.slogdet, call(matrices(least=1)), torch="linalg.slogdet")
case(linalg.det, call(arrays((2, 2))), second=False)  # singular ones among them

# Decompositions
case(
    linalg.cholesky,
    call(matrices(), upper=st.booleans()),
    before=make_symmetric,
    torch="linalg.cholesky",
)
case(
    linalg.eigvalsh,
    call(matrices(), UPLO=st.sampled_from(["L", "U"])),
    before=make_symmetric,
    torch="linalg.eigvalsh",
)
case(
    linalg.eigh,
    call(matrices(), UPLO=st.sampled_from(["L", "U"])),
    before=make_symmetric,
    view=lambda r: (r[0], r[1] * r[1]),
    torch="linalg.eigh",
)
full = matrices(least=1, low=0.125)  # of triangular ones LAPACK puts the eigenvalues in another order
real_eig = lambda x: [part.real for part in linalg.eig(x)]  # complex from NumPy 2.5 on
real_eigvals = lambda x: linalg.eigvals(x).real
squared = lambda r: (r[0], r[1] * r[1])  # of eigenvectors the sign is free
case(linalg.eigvals, call(full), reference=real_eigvals, torch=lambda x: torch.linalg.eigvals(x).real)
case(
    linalg.eig,
    call(full),
    reference=real_eig,
    view=squared,
    torch=lambda x: [part.real for part in torch.linalg.eig(x)],
)
case(decompositions._eig, call(full), reference=real_eig, view=squared)
case(decompositions._eigvals, call(full), reference=real_eigvals)


@st.composite
def factors(draw):
    x = draw(oblong(1))
    modes = ["reduced", "r"] + ["complete"] * (x.shape[-2] <= x.shape[-1])
    return Call((x,), {"mode": draw(st.sampled_from(modes))})


def squared(r):
    return [part * part for part in r] if isinstance(r, tuple) else r * r


case(linalg.qr, factors(), view=squared)
case(linalg.qr, call(oblong(1)), view=squared, torch="linalg.qr")


def squares_of(r):
    """Of a singular value decomposition what is determined, whatever the signs."""
    if not isinstance(r, tuple):
        return r
    u, s, vh = r
    k = s.shape[-1]
    return u[..., :k] * u[..., :k], s, vh[..., :k, :] * vh[..., :k, :]


case(linalg.svdvals, call(oblong()), torch="linalg.svdvals")
case(linalg.svd, call(oblong(1), full_matrices=st.booleans(), compute_uv=st.booleans()), view=squares_of)
case(
    linalg.svd,
    call(oblong(1), full_matrices=False),
    view=squares_of,
    torch=lambda x, full_matrices=False: tuple(torch.linalg.svd(x, full_matrices=False)),
)
case(
    linalg.svd,
    call(matrices(least=1), hermitian=True, compute_uv=st.booleans()),
    before=make_symmetric,
    view=squares_of,
)

# Norms
far = {"low": 0.25, "high": 2}
orders = [None, 2, 1, 3, 1.5, 0.5, -1, -2.5, np.inf, -np.inf, 0]


@st.composite
def vectors(draw, orders=orders, keyword="ord"):
    """Arrays without zeros or ties, one axis of vectors."""
    x = draw(
        arrays(shapes(min_dims=1, max_dims=3, min_side=1, max_side=3, max_size=12), distinct=True, **far)
    )
    x = x * np.where(draw(arrays(x.shape, layouts=False)) < 0, -1, 1)
    kwargs = {"axis": draw(st.integers(-x.ndim, x.ndim - 1)), "keepdims": draw(st.booleans())}
    ord = draw(st.sampled_from(orders))
    return Call((x,), kwargs if ord is None else {**kwargs, "ord": ord})


@st.composite
def whole(draw):
    x = draw(arrays(shapes(min_side=1), **far))
    return Call((x,), {"keepdims": draw(st.booleans())})


def uneven(x):
    """`x` with no two sums of rows or columns equal."""
    return x + 0.01 * np.arange(x.size).reshape(x.shape)


@st.composite
def matrix_norms(draw, axes=True):
    x = draw(matrices(draw(st.integers(1, 3)), draw(st.integers(1, 3)), stack=shapes(max_dims=1, max_side=2)))
    x = uneven(x)
    ord = draw(st.sampled_from(["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]))
    kwargs = {"ord": ord, "keepdims": draw(st.booleans())}
    if axes:
        at = draw(st.permutations(range(x.ndim)))[:2]
        kwargs["axis"] = tuple(a - x.ndim if draw(st.booleans()) else a for a in at)
        x = np.moveaxis(x, (-2, -1), at)
    return Call((x,), kwargs)


case(linalg.vector_norm, vectors(), torch="linalg.vector_norm")
case(linalg.vector_norm, whole(), torch="linalg.vector_norm")
case(linalg.norm, vectors(), torch="linalg.norm")
case(linalg.norm, whole(), torch="linalg.norm")
case(linalg.norm, matrix_norms(), torch="linalg.norm")
case(linalg.matrix_norm, matrix_norms(axes=False), torch="linalg.matrix_norm")


def torch_cond(x, p=None):  # PyTorch's own fails for stacks of matrices in the orders that need an inverse
    if p in (None, 2, -2):
        return torch.linalg.cond(x, p)
    return torch.linalg.matrix_norm(x, p) * torch.linalg.matrix_norm(torch.linalg.inv(x), p)


case(
    linalg.cond,
    call(
        matrices(least=1, stack=shapes(max_dims=1, min_side=1, max_side=2)).map(uneven),
        p=st.sampled_from([None, 2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc"]),
    ),
    torch=torch_cond,
)
