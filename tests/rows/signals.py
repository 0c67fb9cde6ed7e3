"""Cases of sequences."""

import numpy as np

from rows.registry import Call, arrays, call, case, fixed, numbers, st, torch

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
