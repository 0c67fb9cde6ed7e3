"""Rows of products of vectors and matrices: matmul, dot, outer, cross, tensordot, einsum and their relatives.

The cotangent rules are those of Giles (2008), "Collected matrix derivative results for forward and reverse
mode algorithmic differentiation".  A product that is another one in disguise is composed of it.
"""

import operator

import numpy as np

from ..engine.table import composed, derivative


def swap(x):
    """`x` with its last two axes exchanged: every matrix of a stack transposed."""
    return np.swapaxes(x, -1, -2)


def product(x, y):
    """x @ y of matrices.  With an inner length of 1 nothing is summed, and to multiply is quicker."""
    return np.multiply(x, y) if x.shape[-1] == 1 else np.matmul(x, y)


def _matmul_x(g, out, x, y):
    if y.ndim == 1:
        return g * y if x.ndim == 1 else g[..., None] * y
    if x.ndim == 1:
        return np.matmul(y, g[..., None])[..., 0]
    return product(g, swap(y))


def _matmul_y(g, out, x, y):
    if x.ndim == 1:
        return g * x if y.ndim == 1 else x[:, None] * g[..., None, :]
    if y.ndim == 1:
        return np.matmul(swap(x), g[..., None])[..., 0]
    return product(swap(x), g)


derivative(
    np.matmul,
    _matmul_x,
    _matmul_y,
    javascript="matmul",
    formula="x @ y",
    operator=operator.matmul,
    latex=r"x \, y",
    result="z",
    onnx="MatMul",
)


def _dot_a(g, out, a, b):
    if np.ndim(a) == 0 or np.ndim(b) <= 1:
        return (
            np.tensordot(g, b, np.ndim(b)) if np.ndim(a) == 0 else g[..., None] * b if np.ndim(b) else g * b
        )
    free = list(range(b.ndim - 1))
    rest = [i for i in range(b.ndim) if i != b.ndim - 2]
    return np.tensordot(g, b, ([i + a.ndim - 1 for i in free], rest))


def _dot_b(g, out, a, b):
    if np.ndim(b) == 0 or np.ndim(a) == 0:
        return np.tensordot(a, g, np.ndim(a)) if np.ndim(b) == 0 else a * g
    free = list(range(a.ndim - 1))
    moved = np.tensordot(a, g, (free, free))  # a's last axis, then b's axes without its last but one
    return moved if b.ndim == 1 else np.moveaxis(moved, 0, b.ndim - 2)


derivative(np.dot, _dot_a, _dot_b, javascript="dot", formula="a · b", torch="dot", onnx="dot")
derivative(
    np.outer,
    lambda g, out, a, b: np.reshape(np.matmul(g, np.ravel(b)), np.shape(a)),
    lambda g, out, a, b: np.reshape(np.matmul(np.ravel(a), g), np.shape(b)),
    javascript="outer",
    formula="a_i · b_j",
    torch="torch.outer(a.ravel(), b.ravel())",
    onnx="outer",
)


def _outer_of_vectors(x1, x2, /):
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(
            f"outer: both are vectors, not of shapes {np.shape(x1)}, {np.shape(x2)}; or np.outer"
        )
    return np.outer(x1, x2)


composed(np.linalg.outer, _outer_of_vectors, formula="a_i · b_j")
composed(np.linalg.matmul, np.matmul, formula="x @ y")
for matrix_transpose in (np.matrix_transpose, np.linalg.matrix_transpose):
    derivative(matrix_transpose, lambda g, out, x: swap(g), formula="every matrix transposed")
composed(
    np.linalg.diagonal, lambda x, offset=0: np.diagonal(x, offset, -2, -1), formula="diagonals of matrices"
)
composed(
    np.linalg.trace,
    lambda x, offset=0, dtype=None: np.trace(x, offset, -2, -1, dtype),
    formula="sum of the diagonal",
)


def _inner(x, y):
    return np.tensordot(x, y, (-1, -1) if np.ndim(x) and np.ndim(y) else 0)


def _kron(a, b):
    """The blocks a[i, j] · b, written with an axis for a beside each axis for b."""
    ndim = max(np.ndim(a), np.ndim(b))
    shape_a = (1,) * (ndim - np.ndim(a)) + np.shape(a)
    shape_b = (1,) * (ndim - np.ndim(b)) + np.shape(b)
    a = np.reshape(a, [n for size in shape_a for n in (size, 1)])
    b = np.reshape(b, [n for size in shape_b for n in (1, size)])
    return np.reshape(a * b, [n * m for n, m in zip(shape_a, shape_b)])


composed(np.inner, _inner, formula="Σ x · y over the last axes")
composed(np.vdot, lambda x, y: np.dot(np.ravel(x), np.ravel(y)), formula="Σ x · y over all entries")
composed(np.kron, _kron, formula="a_ij · b, block by block", torch="kron")


def _vecdot(x, y, axis=-1):
    x, y = (np.moveaxis(v, operator.index(axis), -1) for v in (x, y))
    return np.squeeze(np.matmul(np.expand_dims(x, -2), np.expand_dims(y, -1)), (-1, -2))


def _matvec(x, y):
    return np.squeeze(np.matmul(x, np.expand_dims(y, -1)), -1)


def _vecmat(x, y):
    return np.squeeze(np.matmul(np.expand_dims(x, -2), y), -2)


composed(np.vecdot, _vecdot, formula="Σ x · y along axis")
composed(np.linalg.vecdot, _vecdot, formula="Σ x · y along axis")
if hasattr(np, "matvec"):  # NumPy 2.2
    composed(np.matvec, _matvec, formula="x @ y, y stacked vectors")
    composed(np.vecmat, _vecmat, formula="x @ y, x stacked vectors")


def _cross3(x, y):
    return np.linalg.cross(x, y)


_cross3 = derivative(
    _cross3,
    lambda g, out, x, y: _cross3(y, g),
    lambda g, out, x, y: _cross3(g, x),
    formula="x × y of vectors along the last axis",
)


def _cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """a × b; a vector of two entries lies in the plane, and two of those give the third entry only."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = (np.moveaxis(v, operator.index(i), -1) for v, i in ((a, axisa), (b, axisb)))
    flat = a.shape[-1] == b.shape[-1] == 2
    a, b = (np.concatenate([v, v[..., :1] * 0], -1) if v.shape[-1] == 2 else v for v in (a, b))
    out = _cross3(a, b)
    return out[..., 2] if flat else np.moveaxis(out, -1, axisc)


composed(np.cross, _cross, formula="a × b")
composed(np.linalg.cross, lambda x, y, axis=-1: _cross(x, y, axis, axis, axis), formula="x × y")


def _multi_dot_rule(i, g, out, arrays, **_):
    if len(arrays) == 2:
        return (_dot_a, _dot_b)[i](g, out, *arrays)
    first, last = arrays[0], arrays[-1]
    whole = [
        first[None] if first.ndim == 1 else first,
        *arrays[1:-1],
        last[:, None] if last.ndim == 1 else last,
    ]
    g = np.reshape(g, (whole[0].shape[0], whole[-1].shape[1]))
    turned = [swap(a) for a in whole]
    back = np.linalg.multi_dot([*turned[:i][::-1], g, *turned[i + 1 :][::-1]])
    return np.reshape(back, np.shape(arrays[i]))


derivative(np.linalg.multi_dot, rule_for_all=_multi_dot_rule, sequence=True, formula="x @ y @ z @ ...")


def _matrix_power(a, n):
    """a multiplied with itself by repeated squaring; the inverse's power for negative `n`."""
    n = operator.index(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(f"matrix_power: the matrices must be square, not of shape {a.shape}")
    if n == 0:
        return np.where(True, np.eye(a.shape[-1], dtype=a.dtype), a)
    power = a = np.linalg.inv(a) if n < 0 else a
    for digit in f"{abs(n):b}"[1:]:
        power = np.matmul(power, power)
        power = np.matmul(power, a) if digit == "1" else power
    return power


composed(np.linalg.matrix_power, _matrix_power, formula="a @ a @ ... n times", domain="a invertible if n < 0")


def contracted(x, y, axes):
    """The axes that `tensordot` sums over, as two lists of numbers from 0."""
    if isinstance(axes, (int, np.integer)):
        return list(range(x.ndim - axes, x.ndim)), list(range(axes))
    first, second = ([a] if isinstance(a, (int, np.integer)) else list(a) for a in axes)
    return [a % x.ndim for a in first], [a % y.ndim for a in second]


def _tensordot_a(g, out, a, b, axes=2):
    if not np.ndim(a) or not np.ndim(b):
        return np.tensordot(g, b, np.ndim(b)) if not np.ndim(a) else g * b
    add, with_ = contracted(a, b, axes)
    free_a = [i for i in range(a.ndim) if i not in add]
    free_b = [i for i in range(b.ndim) if i not in with_]
    back = np.tensordot(g, b, (list(range(len(free_a), np.ndim(g))), free_b))  # free axes of a, b's add ones
    order = free_a + [add[with_.index(i)] for i in sorted(with_)]
    return np.transpose(back, [order.index(i) for i in range(a.ndim)])


def _tensordot_b(g, out, a, b, axes=2):
    if not np.ndim(a) or not np.ndim(b):
        return np.tensordot(a, g, np.ndim(a)) if not np.ndim(b) else a * g
    add, with_ = contracted(a, b, axes)
    free_a = [i for i in range(a.ndim) if i not in add]
    free_b = [i for i in range(b.ndim) if i not in with_]
    back = np.tensordot(a, g, (free_a, list(range(len(free_a)))))  # a's add axes, then the free axes of b
    order = [with_[add.index(i)] for i in sorted(add)] + free_b
    return np.transpose(back, [order.index(i) for i in range(b.ndim)])


derivative(
    np.tensordot,
    _tensordot_a,
    _tensordot_b,
    javascript="tensordot",
    formula="sum of products over shared axes",
    torch="torch.tensordot(a, b, dims=axes)",
    onnx="tensordot",
)
composed(np.linalg.tensordot, np.tensordot, formula="sum of products over shared axes")


def letters_of(subscripts, operands):
    """`subscripts` of an einsum with ``...`` and the result spelled out: (one text an operand, result)."""
    text = subscripts.replace(" ", "")
    inputs, arrow, result = text.partition("->")
    terms = inputs.split(",")
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in text]
    widths = [np.ndim(o) - len(t.replace("...", "")) if "..." in t else 0 for t, o in zip(terms, operands)]
    dots = "".join(free[: max(widths, default=0)])
    terms = [t.replace("...", dots[len(dots) - w :]) for t, w in zip(terms, widths)]
    if not arrow:
        once = sorted(c for c in set(inputs) if c.isalpha() and inputs.count(c) == 1)
        return terms, dots + "".join(once)
    return terms, result.replace("...", dots)


def _from_lists(args):
    """The operands and subscripts of an einsum called as ``einsum(x, [0, 1], y, [1, 2], [0, 2])``."""
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    spell = lambda labels: "".join("..." if a is Ellipsis else alphabet[a] for a in labels)
    operands, labels = args[0 : len(args) // 2 * 2 : 2], args[1::2]
    text = ",".join(map(spell, labels[: len(operands)]))
    return (text + "->" + spell(args[-1]) if len(args) % 2 else text), operands


def _einsum_rule(i, g, out, *args, **kwargs):
    if isinstance(args[0], str):
        (subscripts, *operands), i = args, i - 1
    else:
        (subscripts, operands), i = _from_lists(args), i // 2
    terms, result = letters_of(subscripts, operands)
    mine, x = terms[i], operands[i]
    others = [(t, o) for j, (t, o) in enumerate(zip(terms, operands)) if j != i]
    used = set(result).union(*(t for t, _ in others))
    spare = iter(c for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in "".join(terms))
    target = ""
    for axis, letter in enumerate(mine):
        size = x.shape[axis]
        if letter in target:  # a repeated letter took the diagonal: the gradient goes back onto it
            new = next(spare)
            others.append((letter + new, np.eye(size, dtype=g.dtype)))
            target += new
        else:
            if letter not in used:  # add over on its own: the gradient is the same all along it
                others.append((letter, np.ones(size, dtype=g.dtype)))
            target += letter
    text = ",".join([result, *(t for t, _ in others)]) + "->" + target
    return np.einsum(text, g, *(o for _, o in others), **kwargs)


derivative(
    np.einsum,
    rule_for_all=_einsum_rule,
    formula="sum of products named by subscripts",
    torch="einsum",
    javascript="einsum",
    onnx="einsum",
)
