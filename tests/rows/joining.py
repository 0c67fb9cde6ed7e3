"""Cases of putting arrays together and taking them apart."""

import numpy as np

from rows.registry import Call, arrays, axes, broadcastable, call, case, numbers, shapes, st, torch

anything = numbers()
for function, name in (
    (np.atleast_1d, "atleast_1d"),
    (np.atleast_2d, "atleast_2d"),
    (np.atleast_3d, "atleast_3d"),
):
    case(function, st.lists(anything, min_size=1, max_size=3).map(lambda xs: Call(tuple(xs))))
    case(function, call(arrays()), torch=name)


# Joining
def alike(vary, min_dims=1, max_dims=3):
    """A list of one to three arrays whose shapes differ along axis `vary` only."""

    @st.composite
    def build(draw):
        shape = draw(shapes(min_dims=min_dims, max_dims=max_dims, max_side=3, max_size=8))
        parts = []
        for _ in range(draw(st.integers(1, 3))):
            mine = list(shape)
            if len(mine) > vary:
                mine[vary] = draw(st.integers(0, 2))
            parts.append(draw(arrays(tuple(mine))))
        return Call((draw(st.sampled_from([list, tuple]))(parts),))

    return build()


side = arrays((2,))
case(np.vstack, alike(0, min_dims=2), torch="vstack")
case(np.vstack, call(st.lists(side | arrays((2, 2)), min_size=1, max_size=3), dtype=st.just(np.float64)))
case(np.hstack, alike(1, min_dims=2), torch="hstack")
case(np.hstack, alike(0, max_dims=1), torch="hstack")
case(np.hstack, call(st.lists(arrays(()) | side, min_size=1, max_size=3), dtype=st.just(np.float64)))
case(np.dstack, alike(2, min_dims=3), torch="dstack")
case(np.dstack, call(st.lists(arrays((2,)) | arrays((1, 2)) | arrays((1, 2, 2)), min_size=1, max_size=3)))
case(
    np.column_stack,
    call(st.lists(arrays((2,)) | arrays((2, 2)), min_size=1, max_size=3)),
    torch="column_stack",
)
case(np.append, call(arrays(), numbers()))
case(np.append, call(arrays((2, 3)), arrays((1, 3)), axis=0))
case(np.append, call(arrays((2, 3)), arrays((2, 2)), -1))
case(
    np.block,
    st.sampled_from(
        [
            lambda draw: draw(arrays((2, 2))),
            lambda draw: [draw(arrays((3,))), 0.5, draw(arrays((1,)))],
            lambda draw: [[draw(arrays((2, 2))), draw(arrays((2, 1)))], [draw(arrays((1, 3)))]],
            lambda draw: [[draw(arrays((1, 2, 2))), draw(arrays((1, 2, 1)))]],
            lambda draw: [[[draw(arrays((2,)))], [draw(arrays((1, 2)))]]],
        ]
    ).flatmap(lambda make: st.composite(lambda draw: Call((make(draw),)))()),
)


# Taking apart
@st.composite
def cut(draw, axis, min_dims, equal=False):
    x = draw(arrays(shapes(min_dims=min_dims)))
    n = x.shape[axis if x.ndim > 1 else 0]
    counts = [k for k in range(1, n + 1) if not n % k] or [1, 2]
    places = st.lists(st.integers(0, n + 1), max_size=3).map(sorted)
    return Call((x, draw(st.sampled_from(counts) | places)))


case(np.hsplit, cut(1, 1))
case(np.hsplit, call(arrays((2, 4)), 2), torch="hsplit")
case(np.vsplit, cut(0, 2))
case(np.vsplit, call(arrays((4, 2)), 2), torch="vsplit")
case(np.dsplit, cut(2, 3))
case(np.dsplit, call(arrays((1, 2, 4)), 2), torch="dsplit")


@st.composite
def with_axis(draw, *more):
    """An array, further arguments (strategies), and an axis by keyword."""
    x = draw(arrays(shapes(min_dims=1)))
    return Call((x, *(draw(m) for m in more)), {"axis": draw(st.integers(-x.ndim, x.ndim - 1))})


if hasattr(np, "unstack"):
    case(np.unstack, with_axis().filter(lambda c: c.args[0].shape[c.kwargs["axis"]]))


# Repeating
@st.composite
def repeated(draw):
    x = draw(arrays(shapes(min_dims=1)))
    axis = draw(axes(x.ndim, several=False))
    n = x.size if axis is None else x.shape[axis]
    counts = st.integers(0, 2) | st.lists(st.integers(0, 2), min_size=n, max_size=n) | st.just([2])
    return Call((x, draw(counts)), {"axis": axis} if axis is not None or draw(st.booleans()) else {})


reps = st.integers(0, 2)
case(np.tile, call(arrays(shapes(max_size=8)), reps | st.lists(reps, max_size=3).map(tuple)))
case(
    np.tile,
    call(arrays((2, 2)), st.lists(st.integers(1, 2), min_size=2, max_size=3).map(tuple)),
    torch="tile",
)
case(np.repeat, repeated())
case(
    np.repeat,
    call(arrays((2, 3)), 2, axis=1),
    torch=torch and (lambda x, n, axis=None: x.repeat_interleave(n, axis)),
)
case(np.resize, call(arrays(), st.integers(0, 9) | st.sampled_from([(2, 3), (0, 2), (1, 2, 4), ()])))


# Inserting and deleting
@st.composite
def inserted(draw):
    x = draw(arrays(shapes(min_dims=1, max_dims=3, max_size=12)))
    axis = draw(axes(x.ndim, several=False))
    n = x.size if axis is None else x.shape[axis]
    rest = () if axis is None else tuple(m for a, m in enumerate(x.shape) if a != axis % x.ndim)
    kind = draw(st.sampled_from(["number", "row", "several", "slice", "one in a list"]))
    place = st.integers(-n, n)
    if kind == "number":
        return Call((x, draw(place), 0.5), {"axis": axis})
    if kind == "row":  # an array at one place: values[i] belongs to arr[:, ..., i]
        return Call((x, draw(place), draw(arrays(rest))), {"axis": axis})
    if kind == "slice":
        return Call((x, slice(0, n, 2), draw(numbers(()))), {"axis": axis})
    if kind == "one in a list":
        shape = (2,) if axis is None else tuple(2 if a == axis % x.ndim else m for a, m in enumerate(x.shape))
        return Call((x, [draw(place)], draw(arrays(shape))), {"axis": axis})
    places = draw(st.lists(place, min_size=2, max_size=3))
    k = len(places)
    shape = (k,) if axis is None else tuple(k if a == axis % x.ndim else m for a, m in enumerate(x.shape))
    return Call((x, places, draw(arrays(shape))), {"axis": axis})


@st.composite
def deleted(draw):
    x = draw(arrays(shapes(min_dims=1)))
    axis = draw(axes(x.ndim, several=False))
    n = x.size if axis is None else x.shape[axis]
    kinds = [st.just(slice(None, None, 2)), st.lists(st.booleans(), min_size=n, max_size=n).map(np.array)]
    if n:
        kinds += [st.integers(-n, n - 1), st.lists(st.integers(-n, n - 1), min_size=1, max_size=3)]
    obj = draw(st.one_of(kinds))
    if isinstance(obj, np.ndarray):
        obj = obj.astype(bool)
    return Call((x, obj), {"axis": axis} if axis is not None or draw(st.booleans()) else {})


case(np.insert, inserted())
case(np.delete, deleted())


# Stretching to one shape
@st.composite
def stretched(draw):
    return Call(tuple(draw(numbers(s)) for s in draw(broadcastable(draw(st.integers(1, 3))))))


@st.composite
def grid(draw):
    xs = [draw(numbers((draw(st.integers(1, 3)),))) for _ in range(draw(st.integers(1, 3)))]
    optional = {"sparse": st.booleans(), "indexing": st.sampled_from(["xy", "ij"]), "copy": st.just(True)}
    return Call(tuple(xs), draw(st.fixed_dictionaries({}, optional=optional)))


case(np.broadcast_arrays, stretched())
case(np.broadcast_arrays, call(arrays((2, 1)), arrays((3,))), torch="broadcast_tensors")
case(np.meshgrid, grid())
case(
    np.meshgrid,
    st.tuples(arrays((2,)), arrays((3,))).map(lambda xs: Call(xs, {"indexing": "ij"})),
    torch=lambda *xs, indexing: torch.meshgrid(*xs, indexing=indexing),
)

square = lambda x: np.sum(x * x)
pairs = lambda x, k=1: np.stack([x * k, x + 1])
case(
    np.apply_along_axis,
    arrays(shapes(min_dims=1, min_side=1, max_dims=3)).flatmap(
        lambda x: st.builds(
            lambda f, axis, k: Call((f, axis, x), {"k": 3.0} if f is pairs and k else {}),
            st.sampled_from([square, np.cumsum, pairs]),
            st.integers(-x.ndim, x.ndim - 1),
            st.booleans(),
        )
    ),
)
case(
    np.apply_over_axes,
    call(st.sampled_from([np.sum, np.cumsum]), arrays((2, 3, 2)), st.sampled_from([0, -1, (0, 2), [1]])),
)
