"""Cases of sequences."""

import numpy as np

from rows.registry import Call, arrays, broadcastable, call, case, fixed, numbers, st, torch
from tinygrad_course import Value

mode = st.sampled_from(["full", "same", "valid"])
lines = st.integers(1, 5).flatmap(lambda n: arrays((n,)))
case(np.correlate, call(lines, lines, mode=mode))
for sides in ((2, 5), (5, 2), (4, 1), (3, 4)):
    case(np.correlate, st.builds(Call, st.tuples(*(arrays((n,)) for n in sides)), st.just({"mode": "same"})))
case(np.convolve, call(lines, lines, mode=mode))
case(np.convolve, call(lines, numbers(())))
case(
    np.correlate,
    call(arrays((5,)), arrays((2,))),
    torch=torch and (lambda a, v: torch.nn.functional.conv1d(a[None, None], v[None, None])[0, 0]),
)


# Interpolation
@st.composite
def points(draw):
    """Points on a grid of 1/2 and places that stay away from them, outside too."""
    n = draw(st.integers(1, 4))
    xp = np.cumsum(np.round(1 + np.abs(draw(arrays((n,)))))) / 2 - 2
    x = draw(numbers(low=-4, high=4))
    x = np.floor(x * 4) / 4 + 0.125
    x = float(x) if np.ndim(x) == 0 else np.asarray(x)
    ends = {"left": st.sampled_from([0.5, None]), "right": numbers(())}
    if draw(st.integers(0, 2)) == 0:
        return Call(
            (x, xp[::-1].copy(), draw(arrays((n,)))), {"period": draw(st.sampled_from([16.0, -16.0]))}
        )
    return Call((x, xp, draw(arrays((n,)))), draw(st.fixed_dictionaries({}, optional=ends)))


case(np.interp, points())
case(
    np.interp,
    st.tuples(arrays((3,), low=-3, high=-2), st.just(fixed(np.arange(-1.0, 2))), arrays((3,))).map(
        lambda args: Call(args, {"left": 0.5, "right": None})
    ),
)


# Evenly spaced numbers
def spaced(low, **options):
    """Start and stop that broadcast, some of them numbers."""

    @st.composite
    def build(draw):
        ends = [draw(numbers(shape, low=low, high=3)) for shape in draw(broadcastable(2, max_dims=2))]
        optional = {"num": st.integers(0, 4), "endpoint": st.booleans(), "dtype": st.just(np.float64)}
        kwargs = draw(st.fixed_dictionaries({}, optional={**optional, **options}))
        return Call(tuple(ends), {"num": 5, **kwargs})

    return build().filter(lambda call: call.kwargs["num"] > 1 or not call.kwargs.get("retstep"))


last = {"axis": st.sampled_from([0, -1])}
case(np.linspace, spaced(-2, retstep=st.booleans(), **last))
case(
    np.linspace,
    call(arrays((2,)), numbers((2,)), num=st.just(4)).filter(lambda c: c.kwargs),
    torch=lambda a, b, num: a + (b - a) * (torch.arange(num).to(a.dtype) / (num - 1)).reshape(-1, 1),
)
case(np.logspace, spaced(-2, base=st.sampled_from([2.0, 10.0]), **last))
case(np.logspace, call(arrays((2,)), arrays((2,)), st.just(3), st.booleans(), arrays((2,), low=0.5, high=3)))
case(np.geomspace, spaced(0.5, **last))
case(np.geomspace, call(arrays((2,), low=-2, high=-1), arrays((2,), low=-2, high=-1), num=st.integers(0, 4)))

# Constant arrays, and other dtypes
model = fixed(Value(np.zeros((2, 3))))  # NumPy asks a Value only where the first argument is one
case(np.full_like, call(model, numbers(()) | arrays((3,)), dtype=st.just(np.float64)))
case(
    np.full_like,
    call(model, arrays((2, 1)), shape=st.just((2, 4)), order=st.just("C")).filter(
        lambda c: "shape" in c.kwargs
    ),
)
if hasattr(np, "astype"):
    case(np.astype, call(arrays(), np.dtype("f8"), copy=st.booleans()))
