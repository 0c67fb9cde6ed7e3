"""Cases of differences, slopes and areas."""

import numpy as np

from rows.registry import Call, arrays, axes, call, case, shapes, st, torch


@st.composite
def differences(draw):
    """With numbers or arrays to put before and behind."""
    x = draw(arrays(shapes(min_dims=1, max_dims=3)))
    axis = draw(st.integers(-x.ndim, x.ndim - 1))
    kwargs = {"n": draw(st.integers(0, 3)), "axis": axis}
    for name in ("prepend", "append"):
        kind = draw(st.sampled_from(["none", "number", "array"]))
        if kind == "number":
            kwargs[name] = 0.5
        if kind == "array":
            kwargs[name] = draw(arrays(tuple(2 if a == axis % x.ndim else n for a, n in enumerate(x.shape))))
    return Call((x,), kwargs)


ends = st.one_of(st.just(0.5), arrays((2,)))
case(np.diff, differences())
case(np.diff, call(arrays(shapes(min_dims=1)), st.integers(1, 2), -1), torch="diff")
case(np.ediff1d, call(arrays(), to_end=ends, to_begin=ends))
case(np.ediff1d, call(arrays(), ends, ends))


@st.composite
def sloped(draw):
    """Spacings as numbers or as coordinates, for one axis or for several."""
    edge = draw(st.sampled_from([1, 2]))
    f = draw(arrays(shapes(min_dims=1, max_dims=3, min_side=edge + 1, max_side=5, max_size=30)))
    axis = draw(axes(f.ndim).filter(lambda a: a != ()))
    of = tuple(range(f.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    spacing = draw(st.sampled_from(["none", "one", "each", "coordinates"]))
    if spacing == "none":
        steps = ()
    elif spacing == "one":
        steps = (0.75,)
    else:
        steps = tuple(
            np.cumsum(draw(arrays((f.shape[a],), low=0.5, high=1.5)))
            if spacing == "coordinates" or draw(st.booleans())
            else 0.5
            for a in of
        )
    kwargs = {"axis": axis} if axis is not None or draw(st.booleans()) else {}
    return Call((f, *steps), {**kwargs, "edge_order": edge})


case(np.gradient, sloped())
case(np.gradient, call(arrays((3, 4))), torch=torch and (lambda x: torch.gradient(x)))


@st.composite
def areas(draw):
    y = draw(arrays(shapes(min_dims=1, max_dims=3)))
    axis = draw(st.integers(-y.ndim, y.ndim - 1))
    kind = draw(st.sampled_from(["none", "dx", "line", "grid"]))
    if kind == "none":
        return Call((y,), {"axis": axis})
    if kind == "dx":
        return Call((y,), {"dx": 0.25, "axis": axis})
    x = draw(arrays((y.shape[axis],) if kind == "line" else y.shape))
    return Call((y, x), {"axis": axis}) if draw(st.booleans()) else Call((y,), {"x": x, "axis": axis})


case(np.trapezoid, areas())
case(np.trapezoid, call(arrays((2, 4)), arrays((4,))), torch="trapezoid")
