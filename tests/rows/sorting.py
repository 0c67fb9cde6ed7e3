"""Cases of order: sort, partition, quantiles."""

import numpy as np

from rows.registry import Call, along, arrays, axes, call, case, fixed, shapes, st, torch

methods = [
    "linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf", "averaged_inverted_cdf",
    "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull", "median_unbiased",
    "normal_unbiased",
]  # fmt: skip
sorts = {"kind": st.sampled_from([None, "quicksort", "stable"])}


def moved(calls):
    """The same calls with their axis by keyword."""
    return calls.filter(lambda call: len(call.args) == 1)


@st.composite
def partitioned(draw):
    x = draw(arrays(shapes(min_dims=1, min_side=1), distinct=True))
    axis = draw(axes(x.ndim, several=False))
    n = x.size if axis is None else x.shape[axis]
    kth = draw(st.integers(-n, n - 1) | st.lists(st.integers(0, n - 1), min_size=1, max_size=2))
    return Call((x, kth), {"axis": axis})


case(np.sort, along(several=False, keepdims=False, min_dims=1, distinct=True, options=sorts))
case(
    np.sort,
    call(arrays(shapes(min_dims=1), distinct=True), st.just(-1)),
    torch=torch and (lambda x, axis: torch.sort(x, axis).values),
)
case(np.partition, partitioned())

shares = st.sampled_from([0.0, 0.25, 0.5, 0.3, 1.0])  # where a quantile may be an entry
between = st.sampled_from([0.137, 0.613])  # and where it is not


def with_nan(x):
    """`x` with nan in one place."""
    x = np.array(x)
    x[(-1,) * x.ndim] = np.nan
    return x


@st.composite
def quantiles(draw, scale=1, nan=False):
    """One or several shares, between entries or at them, every method, any axes; now and then weights."""
    x = draw(arrays(shapes(min_dims=1, max_dims=3, min_side=2 if nan else 1), distinct=True))
    differentiated = draw(st.booleans())
    share = (between if differentiated else shares).map(lambda q: q * scale)
    q = draw(share | st.lists(share, max_size=3).map(np.array))
    axis = draw(axes(x.ndim).filter(lambda a: a != ()))
    kwargs = {"axis": axis, "method": draw(st.sampled_from(methods))}
    if draw(st.booleans()):
        kwargs["keepdims"] = draw(st.booleans())
    if not (nan and isinstance(axis, tuple)) and draw(st.integers(0, 3)) == 0:  # a bug of NumPy 2.0
        kwargs.update(method="inverted_cdf", weights=np.floor(1 + np.abs(draw(arrays(x.shape))) * 2))
    return Call((x, q if differentiated else fixed(q)), kwargs)


for function, scale, nan in (
    (np.quantile, 1, False),
    (np.percentile, 100, False),
    (np.nanquantile, 1, True),
    (np.nanpercentile, 100, True),
):
    case(function, quantiles(scale, nan))
case(
    np.quantile,
    call(
        arrays((3, 4), distinct=True),
        between | (shares | st.just(np.array([0.25, 1.0]))).map(fixed),
        axis=st.sampled_from([0, 1]),
    ),
    torch=lambda x, q, axis=None: torch.quantile(x, torch.as_tensor(q, dtype=x.dtype), dim=axis),
)

somewhere = lambda call: () not in (call.kwargs.get("axis"), *call.args[1:])
case(
    np.nanquantile,
    call(arrays((3, 4), distinct=True).map(with_nan), shares.map(fixed), axis=st.just(1)).filter(
        lambda c: c.kwargs
    ),
    torch=lambda x, q, axis: torch.nanquantile(x, torch.as_tensor(q, dtype=x.dtype), dim=axis),
)
case(np.median, along(least=1, distinct=True).filter(somewhere))
case(np.median, call(arrays((4,), distinct=True)), torch=lambda x: torch.quantile(x, 0.5))
case(
    np.nanmedian,
    along(least=2, min_dims=1, distinct=True)
    .filter(somewhere)
    .map(lambda call: Call((with_nan(call.args[0]), *call.args[1:]), call.kwargs)),
)
