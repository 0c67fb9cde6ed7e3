"""Cases of diagonals and triangles."""

import numpy as np

from rows.registry import Call, arrays, call, case, shapes, st


@st.composite
def diagonals(draw):
    x = draw(arrays(shapes(min_dims=2)))
    first, second = draw(st.permutations(range(x.ndim)))[:2]
    kwargs = {"offset": draw(st.integers(-3, 3)), "axis1": first, "axis2": second - x.ndim}
    return Call((x,), draw(st.sampled_from([kwargs, {}, {"offset": 1}])))


offset = st.integers(-3, 3)
matrices = arrays(shapes(min_dims=2))
double = st.just(np.float64)
case(np.diagonal, diagonals())
case(np.diagonal, call(arrays((3, 4))), torch="diagonal")
case(np.trace, diagonals())
case(np.trace, call(arrays((3, 4)), dtype=double))
case(np.trace, call(arrays((3, 4))), torch="trace")
case(np.diag, call(arrays(shapes(min_dims=1, max_dims=2)), k=offset))
case(np.diag, call(arrays((3,)) | arrays((3, 4)), offset), torch="diag")
case(np.diagflat, call(arrays(shapes(max_size=6)), k=offset))
case(np.diagflat, call(arrays((2, 2)), offset), torch="diagflat")
for function, name in ((np.tril, "tril"), (np.triu, "triu")):
    case(function, call(arrays(shapes(min_dims=1)), k=offset))
    case(function, call(matrices, offset), torch=name)
