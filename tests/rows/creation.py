"""Cases of new arrays."""

import numpy as np

from rows.registry import Call, arrays, broadcastable, call, case, fixed, numbers, st, torch
from tinygrad_course import Value


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

# Constant arrays
model = fixed(Value(np.zeros((2, 3))))  # NumPy asks a Value only where the first argument is one
case(np.full_like, call(model, numbers(()) | arrays((3,)), dtype=st.just(np.float64)))
case(
    np.full_like,
    call(model, arrays((2, 1)), shape=st.just((2, 4)), order=st.just("C")).filter(
        lambda c: "shape" in c.kwargs
    ),
)
