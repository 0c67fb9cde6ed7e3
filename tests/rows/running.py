"""Cases of what runs along an axis."""

import numpy as np

from rows.registry import Call, along, arrays, axes, call, case, shapes, st, torch
from tinygrad_course.derivatives.numpy_extra.running import running_max, running_min

double = st.just(np.float64)
case(np.cumprod, along(several=False, keepdims=False, options={"dtype": double}))
case(np.cumprod, call(arrays(shapes(min_dims=1, max_side=7)), -1), torch="cumprod")


@st.composite
def so_far(draw):
    x = draw(arrays(shapes(min_dims=1), distinct=True))
    kwargs = {"axis": draw(axes(x.ndim, several=False).filter(lambda a: a is not None))}
    return Call((x,), kwargs if draw(st.booleans()) else {})


for function, ufunc, name in ((running_max, np.maximum, "cummax"), (running_min, np.minimum, "cummin")):
    case(
        function,
        so_far(),
        reference=ufunc.accumulate,
        torch=torch and (lambda x, axis=0, name=name: getattr(torch, name)(x, axis).values),
    )


if hasattr(np, "cumulative_sum"):  # since NumPy 2.1

    @st.composite
    def cumulated(draw):
        x = draw(arrays(shapes(min_dims=1)))
        axis = draw(axes(x.ndim, several=False).filter(lambda a: a is not None or x.ndim == 1))
        optional = {"include_initial": st.booleans(), "dtype": double}
        return Call((x,), {"axis": axis, **draw(st.fixed_dictionaries({}, optional=optional))})

    case(np.cumulative_sum, cumulated())
    case(np.cumulative_prod, cumulated())
