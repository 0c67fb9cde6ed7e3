"""Cases of the rows of products of vectors and matrices."""

import numpy as np

from rows.registry import Call, arrays, broadcastable, case, numbers, shapes, st, torch

sides = st.integers(0, 3)


@st.composite
def products(draw):
    """Vectors, matrices and stacks of them that broadcast."""
    n, k, m = draw(sides), draw(sides), draw(sides)
    first, second = draw(broadcastable(2, max_dims=2, max_size=4))
    x = draw(arrays(draw(st.sampled_from([(k,), (*first, n, k)]))))
    y = draw(arrays(draw(st.sampled_from([(k,), (*second, k, m)]))))
    return Call((x, y))


case(np.matmul, products(), torch="matmul")


@st.composite
def dots(draw):
    """Two vectors, matrices or arrays of more axes; a number with anything."""
    k = draw(sides)
    first, second = draw(shapes(max_dims=2, max_size=6)), draw(shapes(max_dims=2, max_size=6))
    if draw(st.integers(0, 3)) == 0:
        pair = draw(numbers(first)), draw(numbers(()))
        return Call(pair if draw(st.booleans()) else pair[::-1])
    inner = (*second[:-1], k, *second[-1:]) if second else (k,)
    return Call((draw(arrays((*first, k))), draw(arrays(inner))))


case(np.dot, dots())
case(np.outer, st.tuples(numbers(), numbers(shapes(max_size=6))).map(Call))


@st.composite
def contracted(draw):
    """`axes` as a number, as two axes, as two lists in any order, from the front or from the back."""
    kind = draw(st.sampled_from(["number", "pair", "lists"]))
    pair = kind == "pair"
    summed = draw(shapes(min_dims=pair, max_dims=1 if pair else 2, max_side=3, max_size=6))
    mine, other = draw(shapes(max_dims=2, max_size=4)), draw(shapes(max_dims=2, max_size=4))
    if kind == "number":
        return Call((draw(arrays((*mine, *summed))), draw(arrays((*summed, *other))), len(summed)))

    def mixed(free):
        """A shape of the free and the summed axes in any order, and where the summed ones went."""
        order = draw(st.permutations(range(len(free) + len(summed))))
        sides = (*free, *summed)
        places = [order.index(len(free) + j) for j in range(len(summed))]
        places = [p - len(order) if draw(st.booleans()) else p for p in places]
        return draw(arrays(tuple(sides[a] for a in order))), places

    (x, at), (y, with_) = mixed(mine), mixed(other)
    return Call((x, y), {"axes": (at[0], with_[0]) if pair else (at, with_)})


case(np.tensordot, contracted())

SUBSCRIPTS = """ij,jk->ik  ij,jk  ij,kj->ik  i,i->  i,i  i,j->ji  ii->i  ii->  ii  iij->j  ij->  ij->j  ij->ji
    ji  ijk,ikl->ijl  ij,ij->i  i,ij,j->  i,ij,jk->k  ab,bc,cd->ad  iji->j  ij,i->  ,ij->ij  ij,->i  ii,ij->j
    ...ij,...jk->...ik  ...ij,jk->...ik  i...,i...->...  ...,...  ...i->...  ij...->j...  ...ii->...i
    i...i->...  ...i,ij->...j  aij,bij->ab  ij,ik,il->jkl"""


@st.composite
def summed_products(draw):
    """An einsum of one of these forms, with the axes of an ellipsis broadcasting."""
    text = draw(st.sampled_from(SUBSCRIPTS.split()))
    terms = text.partition("->")[0].split(",")
    size = {letter: draw(st.integers(1, 3)) for letter in sorted(set(text) - set(".,->"))}
    wide = draw(broadcastable(len(terms), max_dims=2, min_side=1, max_side=2))
    operands = []
    for term, more in zip(terms, wide):
        before, dots, after = term.partition("...")
        shape = (*(size[c] for c in before), *(more if dots else ()), *(size[c] for c in after))
        operands.append(draw(arrays(shape)))
    kwargs = {"optimize": draw(st.booleans())} if draw(st.booleans()) else {}
    return Call((text, *operands), kwargs)


@st.composite
def by_lists(draw):
    """The other way to call einsum: every operand followed by the numbers of its axes."""
    n, k, m = (draw(st.integers(1, 3)) for _ in range(3))
    x, y = draw(arrays((n, k))), draw(arrays((k, m)))
    return Call((x, [0, 1], y, [1, 2], *draw(st.sampled_from([(), ([2, 0],), ([0],), ([],)]))))


def einsum_by_torch(text, *operands, optimize=False):
    return torch.einsum(text, *operands)


case(np.einsum, summed_products(), torch=einsum_by_torch)
case(np.einsum, by_lists())
