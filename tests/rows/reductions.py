"""Cases of the rows that make one number of many."""

import numpy as np

from rows.registry import Call, along, arrays, axes, call, case, masked, shapes, st, torch
from tinygrad_course.derivatives import total
from tinygrad_course.derivatives.reductions import logsumexp

double = st.just(np.float64)
start = st.sampled_from([0.0, 1.5, -2.0])


def by_torch(name):
    """A reduction of PyTorch's that takes NumPy's arguments, None and tuples for `axis` too."""

    def function(x, axis=None, keepdims=False, ddof=None):
        axis = tuple(range(x.ndim)) if axis is None else axis
        if axis == ():
            return x
        extra = {} if ddof is None else {"correction": ddof}
        return getattr(torch, name)(x, axis, keepdim=keepdims, **extra)

    return function


case(np.sum, along(), torch=by_torch("sum"))
case(np.sum, along(options={"dtype": double, "initial": start}))
case(np.sum, masked(along(options={"initial": start})))
case(np.mean, along(least=1), torch=by_torch("mean"))
case(np.mean, along(least=1, options={"dtype": double}))
case(
    np.mean,
    masked(along(least=1)).filter(lambda c: np.all(np.broadcast_to(c.kwargs["where"], c.args[0].shape))),
)


@st.composite
def averaged(draw, several=True):
    """Calls with a mask that leaves at least two entries for every number of the result."""
    x = draw(arrays(shapes(min_dims=1, max_dims=2, min_side=4), distinct=True))
    where = np.ones(x.shape, bool)
    where.flat[:: draw(st.integers(5, 7))] = False
    return Call((x,), {"axis": draw(axes(x.ndim, several=False)), "where": where})


ddof = {"ddof": st.sampled_from([0, 1, 0.5])}
over_some_axis = lambda call: () not in (call.kwargs.get("axis"), *call.args[1:])
spread = along(least=2, min_dims=1, distinct=True, options=ddof).filter(over_some_axis)
corrected = along(least=2, min_dims=1, options={"correction": st.sampled_from([0, 1])}).filter(over_some_axis)
case(np.mean, averaged())
case(np.var, spread)
case(np.var, along(least=1))
case(np.var, corrected)
case(np.var, averaged())
case(np.std, spread)
case(np.std, averaged())


case(np.max, along(least=1, distinct=True), torch=by_torch("amax"))
case(np.min, along(least=1, distinct=True), torch=by_torch("amin"))
case(
    np.max,
    masked(along(least=1, distinct=True, options={"keepdims": st.just(True)})).map(
        lambda call: Call(call.args, {**call.kwargs, "initial": -3.0})
    ),
)
case(np.min, along(distinct=True).map(lambda call: Call(call.args, {**call.kwargs, "initial": 0.71})))

case(np.prod, along())
case(np.prod, along(options={"dtype": double, "initial": start}))
case(np.prod, masked(along()))
case(np.cumsum, along(several=False, keepdims=False, options={"dtype": double}))
case(np.cumsum, call(arrays(shapes(min_dims=1)), -1), torch="cumsum")

case(
    logsumexp,
    along(least=1),
    reference=lambda x, axis=None, keepdims=False: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
    torch=by_torch("logsumexp"),
)
case(total, call(arrays()), reference=lambda x: float(np.sum(x)))
