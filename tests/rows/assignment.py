"""Cases of assignment: v.at[index].set(x) and .add(x)."""

import numpy as np

from rows.indexing import advanced, basic, masks, slow_scatter
from rows.registry import Call, arrays, case, shapes, st
from tinygrad_course.derivatives.indexing import add_at, set_at


@st.composite
def assigned(draw):
    """An array, any index of it (entries may repeat), and what broadcasts to the entries chosen."""
    x = draw(arrays(shapes(min_dims=1)))
    index = draw(draw(st.sampled_from([basic, advanced, masks]))(x.shape))
    shape = np.shape(x[index])
    shape = tuple(1 if draw(st.booleans()) else n for n in shape[draw(st.integers(0, len(shape))) :])
    new = draw(st.one_of(arrays(shape), st.just(0.5)))
    return Call((x, index, new))


def slow_set(x, index, new):
    out = np.array(x)
    places = np.arange(x.size).reshape(x.shape)[index]
    for place, entry in zip(np.ravel(places), np.ravel(np.broadcast_to(new, np.shape(places)))):
        out[np.unravel_index(place, x.shape)] = entry
    return out


def slow_add(x, index, new):
    added = np.broadcast_to(np.asarray(new, x.dtype), np.shape(x[index]))
    return x + slow_scatter(added, index, x.shape)


case(set_at, assigned(), reference=slow_set)
case(add_at, assigned(), reference=slow_add)
