"""Cases of polynomials."""

import numpy as np

from rows.registry import Call, arrays, call, case, numbers, st, torch

line = st.integers(1, 4).flatmap(lambda n: arrays((n,)))
led = st.integers(1, 4).flatmap(lambda n: arrays((n,), avoid=[0]))  # no zeros in front
case(np.vander, call(line, N=st.integers(0, 4), increasing=st.booleans()))
case(
    np.vander,
    call(arrays((3,)), st.just(3), st.just(True)),
    torch=torch and (lambda x, N, increasing: torch.linalg.vander(x, N=N)),
)
case(np.polyval, call(line, numbers()))
for function in (np.polyadd, np.polysub):
    case(function, call(line, line))
    case(function, call(line, numbers(())))
case(np.polymul, call(led, led))
divisor = st.integers(1, 3).flatmap(
    lambda n: arrays((n,), low=1, high=2).map(lambda y: y + 0.013 * np.arange(n))
)
rest_at_a_point = lambda out: (out[0], np.polyval(out[1], 0.7))  # its zeros in front: rounding
case(np.polydiv, call(led, divisor), view=rest_at_a_point)
case(np.polyder, call(line, m=st.integers(0, 2)))
case(np.polyint, call(line, m=st.just(1), k=numbers(())))
case(np.polyint, call(line, 2, k=arrays((2,))))
case(np.poly, call(line))


@st.composite
def fitted(draw):
    n, deg = 5, draw(st.integers(0, 2))
    x = np.arange(n) / 2 + draw(arrays((n,))) / 16
    y = draw(arrays((n,)) | arrays((n, 2)))
    return Call(
        (x, y, deg), draw(st.sampled_from([{}, {"w": np.array([1.0, 2.0, 0.5, 1.0, 1.5])}, {"rcond": 1e-9}]))
    )


case(np.polyfit, fitted(), view=lambda out: out + 10)
