"""Cases of choosing entries."""

import numpy as np

from rows.registry import Call, arrays, axes, broadcastable, call, case, fixed, numbers, shapes, st, torch

modes = st.sampled_from(["raise", "wrap", "clip"])


# By number
@st.composite
def taken(draw):
    x = draw(arrays(shapes(min_dims=1, min_side=1)))
    axis = draw(axes(x.ndim, several=False))
    n = x.size if axis is None else x.shape[axis]
    mode = draw(modes)
    low, high = (-n, n - 1) if mode == "raise" else (-3 * n, 3 * n)
    number = st.integers(low, high)
    index = draw(
        number | st.lists(number, max_size=4).map(lambda i: np.array(i, int)) | st.lists(number, min_size=1)
    )
    if isinstance(index, np.ndarray) and draw(st.booleans()):
        index = index[:, None]
    kwargs = {"axis": axis} if axis is not None or draw(st.booleans()) else {}
    return Call((x, index), {**kwargs, "mode": mode})


@st.composite
def chosen(draw):
    first, *rest = draw(broadcastable(3))
    choices = [draw(numbers(shape)) for shape in rest]
    mode = draw(modes)
    low, high = (0, 1) if mode == "raise" else (-3, 4)
    index = np.round(draw(arrays(first, low=low, high=high))).astype(int)
    return Call((index, choices), {"mode": mode} if mode != "raise" or draw(st.booleans()) else {})


case(np.take, taken())
case(
    np.take,
    call(arrays((2, 3)), st.lists(st.integers(0, 5), min_size=1, max_size=4).map(np.array)),
    torch=lambda x, index: torch.take(x, index),
)
case(np.choose, chosen())


# By condition
@st.composite
def compressed(draw):
    x = draw(arrays(shapes(min_dims=1)))
    axis = draw(axes(x.ndim, several=False))
    n = x.size if axis is None else x.shape[axis]
    condition = draw(st.lists(st.booleans(), max_size=n))
    return Call(
        (np.array(condition, bool), x), {"axis": axis} if axis is not None or draw(st.booleans()) else {}
    )


@st.composite
def extracted(draw):
    x = draw(arrays())
    return Call((np.asarray(draw(arrays(x.shape)) > 0), x))


@st.composite
def selected(draw):
    *conditions, first, second = draw(broadcastable(4))
    conditions = [np.asarray(draw(arrays(shape)) > 0) for shape in conditions]
    choices = [draw(numbers(first)), draw(numbers(second))]
    return Call((conditions, choices), {"default": draw(numbers(()))} if draw(st.booleans()) else {})


@st.composite
def pieces(draw):
    x = draw(arrays(avoid=[-1, 0]))
    conditions = [np.asarray(x < -1), np.asarray(x > 0)]
    functions = [lambda t, k=2.0: k * t * t, fixed(0.5), lambda t, k=2.0: np.sin(k * t)]
    functions = functions[: draw(st.sampled_from([2, 3]))]
    return Call((x, conditions, functions), {"k": 1.5} if draw(st.booleans()) else {})


@st.composite
def with_zeros(draw):
    x = np.array(draw(arrays((6,), avoid=[0])))
    x[: draw(st.integers(0, 6))] = 0
    x[draw(st.integers(0, 6)) :] = 0
    return Call((x,), {"trim": draw(st.sampled_from(["fb", "f", "b"]))} if draw(st.booleans()) else {})


case(np.compress, compressed())
case(np.extract, extracted(), torch=lambda condition, x: torch.masked_select(x, condition))
case(np.select, selected())
case(np.piecewise, pieces())
case(np.trim_zeros, call(arrays((5,), avoid=[0])))
