"""Cases of sets of numbers."""

import numpy as np

from rows.registry import Call, arrays, call, case, shapes, st

spread = arrays(shapes(max_size=8), distinct=True)
flags = ("return_index", "return_inverse", "return_counts")
case(np.unique, call(spread, **dict.fromkeys(flags, st.booleans())))
case(np.unique, call(arrays((3, 2), distinct=True), axis=st.sampled_from([0, 1, -1])))
for function in (np.unique_all, np.unique_counts, np.unique_inverse):
    case(function, call(spread))
case(np.unique_values, call(spread), view=np.sort)


@st.composite
def overlapping(draw, **options):
    """Two arrays of entries far from each other; a plain one shares entries with the first."""
    x = draw(arrays((4,), distinct=True))
    y = draw(arrays((3,), distinct=True)) + 1 / 64
    return Call((x, y), draw(st.fixed_dictionaries({}, optional=options)))


case(np.union1d, overlapping())
case(np.setdiff1d, overlapping(assume_unique=st.booleans()))
case(np.setxor1d, overlapping(assume_unique=st.booleans()))
case(np.intersect1d, overlapping(assume_unique=st.booleans(), return_indices=st.booleans()))
