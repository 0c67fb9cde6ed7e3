"""How JavaScript writes the calls that need more than an expression: products, indices, joining, clipping."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ...derivatives.products import contracted, letters_of
from ..facts import arguments, row_of
from ..traced import TraceError
from ..variables import Instruction, Variable
from .loops import Place, Shape, collapsed, loops, whole

if TYPE_CHECKING:
    from .javascript import JavaScript

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


# Products
def _matmul(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    x, y = map(printer.place, instruction.args)
    batch = ALPHABET[3 : 3 + max(len(x.shape), len(y.shape), 2) - 2]
    mine = [batch[len(batch) - max(len(p.shape) - 2, 0) :] for p in (x, y)]
    left = mine[0] + ("ik" if len(x.shape) > 1 else "k")
    right = mine[1] + ("kj" if len(y.shape) > 1 else "k")
    result = batch + ("i" if len(x.shape) > 1 else "") + ("j" if len(y.shape) > 1 else "")
    letters = str.maketrans("ijk" + batch, "abc" + ALPHABET[3 : 3 + len(batch)])
    terms = [(left.translate(letters), x), (right.translate(letters), y)]
    return printer.contraction(out, result.translate(letters), terms)


def _einsum(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    subscripts, *operands = instruction.args
    if not isinstance(subscripts, str):
        raise TraceError(printer.refusal(instruction, " without subscripts as text"))
    places = [printer.place(x) for x in operands]
    alike = [np.empty(x.shape, bool) for x in places]
    terms, result = letters_of(subscripts, alike)  # type: ignore[no-untyped-call]
    return printer.contraction(out, result, list(zip(terms, places)))


def _tensordot(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    x, y, axes = (*instruction.args, instruction.kwargs.get("axes", 2))[:3]
    places = printer.place(x), printer.place(y)
    alike = [np.empty(p.shape, bool) for p in places]
    first, second = contracted(alike[0], alike[1], axes)  # type: ignore[no-untyped-call]
    left = ALPHABET[: len(places[0].shape)]
    right = list(ALPHABET[len(left) : len(left) + len(places[1].shape)])
    for a, b in zip(first, second):
        right[b] = left[a]
    shared = {left[a] for a in first}
    result = "".join(c for c in (*left, *right) if c not in shared)
    return printer.contraction(out, result, [(left, places[0]), ("".join(right), places[1])])


def _dot(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    x, y = map(printer.place, instruction.args)
    left = ALPHABET[: len(x.shape)]
    right = ALPHABET[len(left) : len(left) + len(y.shape)]
    if not left or not right:
        return printer.contraction(out, left + right, [(left, x), (right, y)])
    summed = len(right) - 2 if len(right) > 1 else 0
    result = left[:-1] + right[:summed] + right[summed + 1 :]
    right = right[:summed] + left[-1] + right[summed + 1 :]
    return printer.contraction(out, result, [(left, x), (right, y)])


def _outer(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    flat = []
    for thing in instruction.args:
        x = printer.place(thing)
        seen = x.showing(x.positions.ravel())
        if seen is None:
            raise TraceError(printer.refusal(instruction, " of what lies in memory another way"))
        flat.append(seen)
    return printer.contraction(out, "ab", [("a", flat[0]), ("b", flat[1])])


# Convolution: sums of products over windows, which are the padded array with more strides
def _windowed(x: Place, kernel: Shape, positions: Shape, stride: Shape, dilation: Shape) -> Place:
    """The windows of the last axes of `x`: (..., *kernel, *positions)."""
    n = len(kernel)
    steps = x.strides[len(x.strides) - n :]
    strides = (
        *x.strides[: len(x.strides) - n],
        *(s * d for s, d in zip(steps, dilation)),
        *(s * t for s, t in zip(steps, stride)),
    )
    return Place(x.name, (*x.shape[: len(x.shape) - n], *kernel, *positions), strides, x.start)


def _margins(x: Place, padding: Any) -> tuple[Shape, Any]:
    """The shape with a margin around the last axes, and where in it the array itself is."""
    pairs = [(0, 0)] * (len(x.shape) - len(padding)) + [tuple(pair) for pair in padding]
    shape = tuple(n + sum(pair) for n, pair in zip(x.shape, pairs))
    return shape, tuple(slice(before, before + n) for n, (before, _) in zip(x.shape, pairs))


def _padded(
    printer: JavaScript, x: Place, padding: Any, dtype: Any, fill: float = 0.0
) -> tuple[Place, list[str]]:
    """`x` with a margin of `fill` around its last axes, and the lines that copy it there."""
    if not any(map(any, padding)):
        return x, []
    shape, inside = _margins(x, padding)
    wide = whole(printer.names.fresh("padded"), shape)
    printer.declare(wide.name, shape, dtype)
    middle = cast(Place, wide.showing(wide.positions[inside]))
    start = [f"{wide.name}.fill({printer.number(fill)});"] if fill else []
    return wide, [*start, *printer.copied(x, middle)]


def _split(x: Place, axis: int, groups: int) -> Place:
    """An axis as two: the groups, and what is in each."""
    inside = x.shape[axis] // groups
    shape = (*x.shape[:axis], groups, inside, *x.shape[axis + 1 :])
    strides = (*x.strides[:axis], x.strides[axis] * inside, x.strides[axis], *x.strides[axis + 1 :])
    return Place(x.name, shape, strides, x.start)


def _named(instruction: Instruction) -> dict[str, Any]:
    """The arguments of a call by the names in the function's own signature."""
    bound = inspect.signature(instruction.function).bind(*instruction.args, **instruction.kwargs)
    bound.apply_defaults()
    return bound.arguments


def _letters(d: int) -> tuple[str, str]:
    """Letters for the axes of a kernel and of its positions."""
    return ALPHABET[7 : 7 + d], ALPHABET[7 + d : 7 + 2 * d]


def _convolution(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    x, weight, stride, padding, dilation, groups = _named(instruction).values()
    wide, lines = _padded(printer, printer.place(x), padding, x.dtype)
    w, (k, p) = printer.place(weight), _letters(len(stride))
    seen = _split(_windowed(wide, w.shape[2:], out.shape[2:], stride, dilation), 1, groups)
    terms = [("agc" + k + p, seen), ("goc" + k, _split(w, 0, groups))]
    return [*lines, *printer.contraction(_split(out, 1, groups), "ago" + p, terms)]


def _convolution_weight(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    x, y, kernel, stride, padding, dilation, groups = _named(instruction).values()
    wide, lines = _padded(printer, printer.place(x), padding, x.dtype)
    g, (k, p) = printer.place(y), _letters(len(stride))
    seen = _split(_windowed(wide, kernel, g.shape[2:], stride, dilation), 1, groups)
    terms = [("ago" + p, _split(g, 1, groups)), ("agc" + k + p, seen)]
    return [*lines, *printer.contraction(_split(out, 0, groups), "goc" + k, terms)]


def _convolution_input(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    y, weight, _, stride, padding, dilation, groups = _named(instruction).values()
    g, w, (k, p) = printer.place(y), printer.place(weight), _letters(len(stride))
    wide, lines = _gathering(printer, out, padding, instruction.out.dtype)
    seen = _split(_windowed(wide, w.shape[2:], g.shape[2:], stride, dilation), 1, groups)
    terms = [("ago" + p, _split(g, 1, groups)), ("goc" + k, _split(w, 0, groups))]
    summed = printer.contraction(seen, "agc" + k + p, terms, assign="+=")
    return [f"{wide.name}.fill(0);", *summed, *lines]


def _overlap_add(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    x, _, kernel, stride, padding, dilation = _named(instruction).values()
    source = printer.place(x)
    wide, lines = _gathering(printer, out, padding, instruction.out.dtype)
    positions = source.shape[len(source.shape) - len(kernel) :]
    seen = _windowed(wide, kernel, positions, stride, dilation)
    return [f"{wide.name}.fill(0);", *printer.copied(source, seen, "+="), *lines]


def _gathering(printer: JavaScript, out: Place, padding: Any, dtype: Any) -> tuple[Place, list[str]]:
    """`out` with a margin to add into, and the lines that then copy what is inside."""
    if not any(map(any, padding)):
        return out, []
    shape, inside = _margins(out, padding)
    wide = whole(printer.names.fresh("padded"), shape)
    printer.declare(wide.name, shape, dtype)
    middle = cast(Place, wide.showing(wide.positions[inside]))
    return wide, printer.copied(middle, out)


def _windows(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    x, kernel, stride, padding, dilation, fill = _named(instruction).values()
    if isinstance(fill, Variable):
        raise TraceError(printer.refusal(instruction, " with a fill that is computed"))
    wide, lines = _padded(printer, printer.place(x), padding, instruction.out.dtype, fill)
    positions = out.shape[len(out.shape) - len(kernel) :]
    return [*lines, *printer.copied(_windowed(wide, kernel, positions, stride, dilation), out)]


# Indices, parts of which may be known only when the program runs
def _indexed(x: Place, index: Any) -> tuple[Any, list[tuple[Any, int, Variable]]]:
    """What ``x[index]`` chooses.

    These are the positions of the entries, were all variables in the index 0; and for each variable, which of
    its entries counts for which of those, and along which axis.
    """
    parts = list(index) if isinstance(index, tuple) else [index]
    zeros = [np.zeros(p.shape, np.int64) if isinstance(p, Variable) else p for p in parts]
    taken = sum(map(_axes, parts))
    axis, found = 0, []
    for place, part in enumerate(parts):
        if isinstance(part, Variable):
            if part.dtype.kind not in "iu":
                raise TraceError("emit: JavaScript takes numbers as an index, and no mask; use np.where")
            numbers = np.arange(math.prod(part.shape)).reshape(part.shape)
            size = max(1, numbers.size)  # as if the axis were so long, and the index counted along it
            counting = np.arange(size).reshape([size if a == axis else 1 for a in range(len(x.shape))])
            shape = [size if a == axis else n for a, n in enumerate(x.shape)]
            mine = (*zeros[:place], numbers, *zeros[place + 1 :])
            found.append((np.broadcast_to(counting, shape)[mine], axis, part))
        axis += len(x.shape) - taken if part is Ellipsis else _axes(part)
    return x.positions[tuple(zeros)], found


def _axes(part: Any) -> int:
    """How many axes a part of an index is for."""
    if part is None or part is Ellipsis:
        return 0
    return np.ndim(part) if getattr(part, "dtype", None) is np.dtype(bool) else 1


def _chosen(printer: JavaScript, x: Place, index: Any, other: Place, line: str) -> list[str]:
    """Loops over the entries of `x` that an index chooses: `line` with {chosen} and {other} in it."""
    positions, parts = _indexed(x, index)
    base = x.showing(positions)
    tabled = base is None
    if base is None:  # no strides lead there: the positions are in a table
        base = whole(printer.place(np.ascontiguousarray(positions).ravel()).name, positions.shape)
    places = [base, other.stretched(base.shape)]
    for entries, _, part in parts:
        mine = printer.place(part)
        seen = mine.showing(mine.positions.ravel()[entries])
        if seen is None:
            raise TraceError("emit: JavaScript has no loop for an index that is broadcast in such a way")
        places.append(seen)
    base, other, *indices = collapsed(places)

    def body(at: list[str]) -> list[str]:
        terms = [base.at(at) if tabled else base.position(at)]
        for (_, axis, _), place in zip(parts, indices):
            wrapped = f"wrapped({place.at(at)}, {x.shape[axis]})"
            terms.append(wrapped if x.strides[axis] == 1 else f"{x.strides[axis]} * {wrapped}")
        terms = [t for t in terms if t != "0"] or ["0"]
        return [line.format(chosen=f"{x.name}[{' + '.join(terms)}]", other=other.at(at))]

    return loops(base.shape, body)


def _index(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    x, index = instruction.args
    return _chosen(printer, printer.place(x), index, out, "{other} = {chosen};")


def _scatter(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    x, index, _ = instruction.args
    added = _chosen(printer, out, index, printer.place(x), "{chosen} += {other};")
    return [f"{out.name}.fill(0);", *added]


def _set_at(printer: JavaScript, instruction: Instruction, out: Place, sign: str = "=") -> list[str]:
    x, index, new = instruction.args
    written = _chosen(printer, out, index, printer.place(new), f"{{chosen}} {sign} {{other}};")
    return [*printer.copied(printer.place(x), out), *written]


def _add_at(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    return _set_at(printer, instruction, out, "+=")


def _along(index: Any, axis: int, shape: Shape) -> tuple[Any, ...]:
    """An index for all axes in which `index` stands for one and each entry keeps its place in the others."""
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in shape)])
    grid[axis % len(shape)] = index
    return tuple(grid)


def _take_along_axis(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    row = row_of(instruction.function)
    assert row is not None
    x, indices, axis = list(arguments(row, instruction.args, instruction.kwargs).values())[:3]
    source = printer.place(x)
    if axis is None or any(
        n != m for a, (n, m) in enumerate(zip(x.shape, out.shape)) if a != axis % len(x.shape)
    ):
        raise TraceError(printer.refusal(instruction, " with arrays that broadcast"))
    return _chosen(printer, source, _along(indices, axis, out.shape), out, "{other} = {chosen};")


def _take(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    row = row_of(instruction.function)
    assert row is not None
    values = arguments(row, instruction.args, instruction.kwargs)
    x, axis, mode = printer.place(values["a"]), values["axis"], values["mode"]
    seen = x.showing(x.positions.ravel()) if axis is None else x
    if seen is None or mode != "raise":
        raise TraceError(printer.refusal(instruction, " in this way"))
    index = (*(slice(None),) * ((axis or 0) % len(seen.shape)), values["indices"])
    return _chosen(printer, seen, index, out, "{other} = {chosen};")


def _slope(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    """scale · p along the axis of the classes, less g at the target classes."""
    p, scale, g, target = instruction.args
    axis = 1 if len(out.shape) > 1 else 0
    across = printer.place(scale)
    across = cast(Place, across.showing(np.expand_dims(across.positions, axis)))
    lines = printer.entry_by_entry(
        "scale * p", {"scale": across, "p": printer.place(p)}, out, instruction.out
    )
    index: list[Any] = list(np.ogrid[tuple(slice(n) for n in target.shape)]) if target.shape else []
    index.insert(axis, target)
    return [*lines, *_chosen(printer, out, tuple(index), printer.place(g), "{chosen} -= {other};")]


# The rest
def _join(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    """Each array copied to where the function puts its entries."""
    arrays, *rest = instruction.args
    places, lines, first = [printer.place(a) for a in arrays], [], 0
    numbered = []
    for place in places:
        numbered.append(np.arange(first, first + math.prod(place.shape)).reshape(place.shape))
        first += numbered[-1].size
    joined = instruction.function(numbered, *rest, **instruction.kwargs)
    for place, numbers in zip(places, numbered):
        order = np.argsort(joined.ravel(), kind="stable")
        target = out.showing(order[numbers])
        if target is None:
            raise TraceError(printer.refusal(instruction, " of such arrays"))
        lines += printer.copied(place, target)
    return lines


def _cast(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    kind, x = instruction.out.dtype.kind, printer.place(instruction.args[0])
    return printer.entry_by_entry("Math.trunc(x)" if kind in "iu" else "x", {"x": x}, out, instruction.out)


def _clip(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    values, more = list(instruction.args), instruction.kwargs
    low, high = ((*values[1:], None, None))[:2]
    low = next((more[k] for k in ("a_min", "min") if k in more), low)
    high = next((more[k] for k in ("a_max", "max") if k in more), high)
    expression, operands = "x", {"x": printer.place(values[0])}
    if low is not None:
        expression, operands["low"] = f"Math.max({expression}, low)", printer.place(low)
    if high is not None:
        expression, operands["high"] = f"Math.min({expression}, high)", printer.place(high)
    return printer.entry_by_entry(expression, operands, out, instruction.out)


CALLS: dict[str, Callable[[JavaScript, Instruction, Place], list[str]]] = {
    "matmul": _matmul,
    "einsum": _einsum,
    "tensordot": _tensordot,
    "dot": _dot,
    "outer": _outer,
    "convolution": _convolution,
    "convolution_input": _convolution_input,
    "convolution_weight": _convolution_weight,
    "windows": _windows,
    "overlap_add": _overlap_add,
    "index": _index,
    "scatter": _scatter,
    "set_at": _set_at,
    "add_at": _add_at,
    "take_along_axis": _take_along_axis,
    "take": _take,
    "slope": _slope,
    "join": _join,
    "cast": _cast,
    "clip": _clip,
}
"""What a row's `javascript` may name besides expressions."""
