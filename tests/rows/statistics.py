"""Cases of statistics."""

import numpy as np

from rows.registry import Call, along, arrays, axes, call, case, shapes, st

double = st.just(np.float64)
spread = along(least=1, distinct=True)
for function, name in ((np.amax, "amax"), (np.amin, "amin")):
    case(function, spread)
    case(function, call(arrays((2, 3), distinct=True)), torch=name)
case(np.ptp, spread)


# Averages
@st.composite
def averaged(draw):
    """Weights for every entry or for one axis or several, or none."""
    x = draw(arrays(shapes(min_dims=1, min_side=1)))
    kind = draw(st.sampled_from(["none", "all", "axis"]))
    axis = draw(axes(x.ndim, several=kind == "all").filter(lambda a: a is not None or kind != "axis"))
    kwargs = draw(st.fixed_dictionaries({}, optional={"keepdims": st.booleans(), "returned": st.booleans()}))
    kwargs["axis"] = axis
    if kind == "none":
        return Call((x,), kwargs)
    shape = x.shape if kind == "all" else (x.shape[axis],)
    return Call((x, kwargs.pop("axis"), draw(arrays(shape, low=0.5, high=2))), kwargs)


case(np.average, averaged())


@st.composite
def observations(draw, weights=True, names=("rowvar", "bias", "ddof")):
    """Variables in rows or columns, a second set of them, frequencies and weights."""
    n = draw(st.integers(4, 5))
    rows = draw(st.integers(2, 3))
    rowvar = draw(st.booleans())
    shape = draw(st.sampled_from([(n,), (rows, n)])) if rowvar else (n, rows)
    x = draw(arrays(shape, distinct=True))
    kwargs = {}
    if not rowvar or draw(st.booleans()):
        kwargs["rowvar"] = rowvar
    args = (x,)
    if draw(st.booleans()):
        args = (x, draw(arrays((2, n) if rowvar else (n, 2), distinct=True)))
    if weights:
        optional = {
            "bias": st.booleans(),
            "ddof": st.integers(0, 1),
            "fweights": st.just(np.arange(n) % 3 + 1),
            "aweights": arrays((n,), low=0.5, high=2),
            "dtype": double,
        }
        kwargs.update(draw(st.fixed_dictionaries({}, optional=optional)))
    return Call(args, kwargs)


case(np.cov, observations())
case(
    np.cov,
    st.tuples(arrays((2, 4), distinct=True), arrays((4,), low=0.5, high=2)).map(
        lambda drawn: Call(drawn[:1], {"aweights": drawn[1], "ddof": 1, "fweights": np.array([1, 2, 1, 3])})
    ),
)
case(np.cov, call(arrays((3, 4), distinct=True)), torch="cov")
steady = lambda call: all(
    np.ptp(a, axis=1 if call.kwargs.get("rowvar", True) and a.ndim > 1 else 0).min() > 0.1 for a in call.args
)
case(np.corrcoef, observations(weights=False).filter(steady))
case(np.corrcoef, call(arrays((3, 4), distinct=True)), torch="corrcoef")
case(
    np.bincount,
    st.lists(st.integers(0, 4), min_size=1, max_size=5).flatmap(
        lambda x: st.builds(
            lambda weights, more: Call((np.array(x, int), weights), more),
            arrays((len(x),)),
            st.sampled_from([{}, {"minlength": 7}]),
        )
    ),
)
