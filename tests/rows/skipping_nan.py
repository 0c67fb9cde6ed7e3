"""Cases of what passes over nan."""

import numpy as np

from rows.registry import (
    Call,
    along,
    apart,
    arrays,
    axes,
    binary,
    call,
    case,
    masked,
    shapes,
    st,
    torch,
    unary,
)
from rows.sorting import somewhere, with_nan


@st.composite
def pairs_apart(draw):
    x, y = draw(binary()).args
    return Call((apart(x, 0), apart(y, 2)))


case(np.fmax, pairs_apart(), torch="fmax")
case(np.fmin, pairs_apart(), torch="fmin")


@st.composite
def with_gaps(draw):
    """An array with nan and ±inf in some places, which finite differences cannot move."""
    x = np.array(draw(arrays(shapes(min_dims=1))))
    return Call((x,), {"nan": draw(st.sampled_from([0.0, 1.5])), "posinf": 9.0, "neginf": None})


case(np.nan_to_num, with_gaps(), torch=lambda x, **_: torch.nan_to_num(x))
case(np.nan_to_num, unary(), torch="nan_to_num", edges=1)


# Reductions
def some_nan(calls):
    """The same calls with nan in one place."""
    return calls.map(lambda call: Call((with_nan(call.args[0]), *call.args[1:]), call.kwargs))


start = st.sampled_from([0.0, 1.5, -2.0])
double = st.just(np.float64)
gaps = some_nan(along(least=2, min_dims=1, distinct=True).filter(somewhere))
for function in (np.nansum, np.nanprod):
    case(function, some_nan(along(least=1, options={"dtype": double, "initial": start})))
    case(function, some_nan(masked(along(least=1))))
case(np.nansum, some_nan(call(arrays((2, 3)))), torch="nansum")
for function in (np.nancumsum, np.nancumprod):
    case(function, some_nan(along(least=1, several=False, keepdims=False, options={"dtype": double})))
for function in (np.nanmean, np.nanmax, np.nanmin):
    case(function, gaps)
case(np.nanmean, some_nan(call(arrays((2, 3)))), torch="nanmean")
case(np.nanmax, gaps.map(lambda c: Call(c.args, {**c.kwargs, "initial": -3.0})))
case(
    np.nanmax,
    some_nan(
        call(arrays((4, 3), distinct=True), where=st.just(np.arange(12).reshape(4, 3) % 5 > 0), initial=-3.0)
    ).filter(lambda c: len(c.kwargs) != 1),
)


@st.composite
def spreads(draw):
    x = draw(arrays(st.sampled_from([(3, 3), (4,), (3, 4)]), distinct=True))
    optional = {"ddof": st.sampled_from([0, 1]), "keepdims": st.booleans()}
    kwargs = draw(st.fixed_dictionaries({}, optional=optional))
    return Call((x,), {"axis": draw(axes(x.ndim).filter(lambda a: a != ())), **kwargs})


several = some_nan(spreads())
for function in (np.nanvar, np.nanstd):
    case(function, several)
    case(
        function,
        some_nan(
            call(
                arrays((4,), distinct=True), correction=st.just(1), where=np.array([True, True, False, True])
            )
        ),
    )
