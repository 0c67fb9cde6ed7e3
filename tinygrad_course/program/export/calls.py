"""How JavaScript writes the calls that need more than an expression: products, indices, joining, clipping."""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from string import ascii_letters
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ...derivatives.indexing import along_axis
from ...derivatives.products import contracted, letters_of
from ..traced import TraceError
from ..variables import Instruction, Variable
from .loops import Place, Shape, collapsed, loops, whole

if TYPE_CHECKING:
    from .javascript import JavaScript


# Products
def _einsum(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    subscripts, *operands = instruction.args
    if not isinstance(subscripts, str):
        raise printer.refused(instruction, " without subscripts as text")
    return _spelled(printer, out, subscripts, operands)


def _spelled(printer: JavaScript, out: Place, subscripts: str, operands: Sequence[Any]) -> list[str]:
    """A sum of products, with a letter for each axis as in ``np.einsum``."""
    places = [printer.place(x) for x in operands]
    terms, result = letters_of(subscripts, places)  # type: ignore[no-untyped-call]
    return printer.contraction(out, result, list(zip(terms, places)))


def _matmul(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    x, y = (len(a.shape) for a in instruction.args)
    left, right = "...a" if x > 1 else "", "b" if y > 1 else ""
    return _spelled(
        printer, out, f"{left}c,{'...' * (y > 1)}c{right}->{'...' + left[3:] + right}", instruction.args
    )


def _paired(
    printer: JavaScript, out: Place, x: Place, y: Place, first: Sequence[int], second: Sequence[int]
) -> list[str]:
    """The products of all entries of `x` and `y`, summed over axes that belong together."""
    left = ascii_letters[: x.ndim]
    right = [*ascii_letters[x.ndim : x.ndim + y.ndim]]
    for a, b in zip(first, second):
        right[b] = left[a]
    summed = {left[a] for a in first}
    result = "".join(c for c in (*left, *right) if c not in summed)
    return printer.contraction(out, result, [(left, x), ("".join(right), y)])


def _tensordot(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    a, b, axes = _named(instruction).values()
    x, y = printer.place(a), printer.place(b)
    return _paired(printer, out, x, y, *contracted(x, y, axes))  # type: ignore[no-untyped-call]


def _dot(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    x, y = map(printer.place, instruction.args)
    if not x.ndim or not y.ndim:
        return _paired(printer, out, x, y, [], [])
    return _paired(printer, out, x, y, [x.ndim - 1], [max(y.ndim - 2, 0)])


def _outer(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    flat = [x.showing(x.positions.ravel()) for x in map(printer.place, instruction.args)]
    if None in flat:
        raise printer.refused(instruction, " of what lies in memory another way")
    x, y = cast(list[Place], flat)
    return _paired(printer, out, x, y, [], [])


def _named(instruction: Instruction) -> dict[str, Any]:
    """The arguments of a call by the names in the function's own signature."""
    bound = inspect.signature(instruction.function).bind(*instruction.args, **instruction.kwargs)
    bound.apply_defaults()
    return bound.arguments


# Convolution: sums of products over windows, which are the padded array with more strides
def _windowed(x: Place, kernel: Shape, positions: Shape, stride: Shape, dilation: Shape) -> Place:
    """The windows of the last axes of `x`: (..., *kernel, *positions)."""
    n = x.ndim - len(kernel)
    within, between = (map(operator.mul, x.strides[n:], steps) for steps in (dilation, stride))
    shape, strides = (*x.shape[:n], *kernel, *positions), (*x.strides[:n], *within, *between)
    return replace(x, shape=shape, strides=strides)


def _split(x: Place, axis: int, groups: int) -> Place:
    """An axis as two: the groups, and what is in each."""
    inside, stride = x.shape[axis] // groups, x.strides[axis]
    shape = (*x.shape[:axis], groups, inside, *x.shape[axis + 1 :])
    return replace(x, shape=shape, strides=(*x.strides[:axis], stride * inside, *x.strides[axis:]))


def _with_margin(
    printer: JavaScript,
    x: Place,
    padding: Any,
    dtype: Any,
    job: Callable[[Place], list[str]],
    fill: float = 0.0,
    adds: bool = False,
) -> list[str]:
    """The lines of ``job(wide)``, where `wide` is `x` with a margin of `fill` around its last axes.

    If the job `adds` to `x`, which is a result, what it adds to the margin is left out.
    """
    wide, before, after = x, [], []
    if any(map(any, padding)):
        pairs = [(0, 0)] * (x.ndim - len(padding)) + [*padding]
        wide = whole(printer.names.fresh("padded"), tuple(n + sum(pair) for n, pair in zip(x.shape, pairs)))
        printer.declare(wide.name, wide.shape, dtype)
        inside = tuple(slice(left, left + n) for n, (left, _) in zip(x.shape, pairs))
        middle = cast(Place, wide.showing(wide.positions[inside]))
        before = [f"{wide.name}.fill({printer.number(fill)});"] if fill else []
        before, after = [*before, *printer.copied(x, middle)], printer.copied(middle, x)
    return [f"{wide.name}.fill(0);", *job(wide), *after] if adds else [*before, *job(wide)]


def _convolution(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    """One of the three arrays in ⟨y, convolution(x, weight)⟩, computed from the two others."""
    given = _named(instruction)
    stride, padding, dilation, groups = [*given.values()][-4:]
    y, x, weight = (printer.place(given[name]) if name in given else out for name in ("y", "x", "weight"))
    d = len(stride)
    k, p = ascii_letters[7 : 7 + d], ascii_letters[7 + d : 7 + 2 * d]

    def summed(wide: Place) -> list[str]:
        seen = _windowed(wide, weight.shape[2:], y.shape[2:], stride, dilation)
        terms = {
            "y": ("ago" + p, _split(y, 1, groups)),
            "x": ("agc" + k + p, _split(seen, 1, groups)),
            "weight": ("goc" + k, _split(weight, 0, groups)),
        }
        letters, result = terms.pop(next(name for name in terms if name not in given))
        return printer.contraction(result, letters, [*terms.values()], assign="+=" if x is out else "=")

    dtype = given.get("x", instruction.out).dtype
    return _with_margin(printer, x, padding, dtype, summed, adds=x is out)


def _overlap_add(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    x, _, kernel, stride, padding, dilation = _named(instruction).values()
    source = printer.place(x)

    def added(wide: Place) -> list[str]:
        seen = _windowed(wide, kernel, source.shape[-len(kernel) :], stride, dilation)
        return printer.copied(source, seen, "+=")

    return _with_margin(printer, out, padding, instruction.out.dtype, added, adds=True)


def _windows(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    x, kernel, stride, padding, dilation, fill = _named(instruction).values()
    if isinstance(fill, Variable):
        raise printer.refused(instruction, " with a fill that is computed")

    def shown(wide: Place) -> list[str]:
        return printer.copied(_windowed(wide, kernel, out.shape[-len(kernel) :], stride, dilation), out)

    return _with_margin(printer, printer.place(x), padding, instruction.out.dtype, shown, fill)


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


def _take_along_axis(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    x, indices, axis = _named(instruction).values()
    if axis is None or any(
        n != m for a, (n, m) in enumerate(zip(x.shape, out.shape)) if a != axis % len(x.shape)
    ):
        raise printer.refused(instruction, " with arrays that broadcast")
    index = along_axis(indices, axis, out.shape)  # type: ignore[no-untyped-call]
    return _chosen(printer, printer.place(x), index, out, "{other} = {chosen};")


def _take(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    a, indices, axis, _, mode = _named(instruction).values()
    x = printer.place(a)
    seen = x.showing(x.positions.ravel()) if axis is None else x
    if seen is None or mode != "raise":
        raise printer.refused(instruction, " in this way")
    index = (*(slice(None),) * ((axis or 0) % seen.ndim), indices)
    return _chosen(printer, seen, index, out, "{other} = {chosen};")


def _slope(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    """scale · p along the axis of the classes, less g at the target classes."""
    p, scale, g, target = instruction.args
    axis = 1 if out.ndim > 1 else 0
    across = printer.place(scale)
    across = cast(Place, across.showing(np.expand_dims(across.positions, axis)))
    lines = printer.entry_by_entry(
        "scale * p", {"scale": across, "p": printer.place(p)}, out, instruction.out
    )
    index: list[Any] = [*np.ogrid[tuple(map(slice, target.shape))]]
    index.insert(axis, target)
    return [*lines, *_chosen(printer, out, tuple(index), printer.place(g), "{chosen} -= {other};")]


# The rest
def _join(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    """Each array copied to where the function puts its entries."""
    arrays, *rest = instruction.args
    places = [printer.place(a) for a in arrays]
    ends = np.cumsum([math.prod(p.shape) for p in places])
    parts = np.split(np.arange(ends[-1]), ends[:-1])
    numbered = [part.reshape(place.shape) for part, place in zip(parts, places)]
    order = np.argsort(instruction.function(numbered, *rest, **instruction.kwargs).ravel())
    lines = []
    for place, numbers in zip(places, numbered):
        target = out.showing(order[numbers])
        if target is None:
            raise printer.refused(instruction, " of such arrays")
        lines += printer.copied(place, target)
    return lines


def _cast(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    kind, x = instruction.out.dtype.kind, printer.place(instruction.args[0])
    return printer.entry_by_entry("Math.trunc(x)" if kind in "iu" else "x", {"x": x}, out, instruction.out)


def _clip(printer: JavaScript, instruction: Instruction, out: Place) -> list[str]:
    values = _named(instruction)
    expression, operands = "x", {"x": printer.place(values["a"])}
    for name, function, names in (("low", "max", ("a_min", "min")), ("high", "min", ("a_max", "max"))):
        bound = next((b for n in names if (b := values.get(n, np._NoValue)) is not np._NoValue), None)
        if bound is not None:
            expression, operands[name] = f"Math.{function}({expression}, {name})", printer.place(bound)
    return printer.entry_by_entry(expression, operands, out, instruction.out)


CALLS: dict[str, Callable[[JavaScript, Instruction, Place], list[str]]] = {
    "matmul": _matmul,
    "einsum": _einsum,
    "tensordot": _tensordot,
    "dot": _dot,
    "outer": _outer,
    **dict.fromkeys(("convolution", "convolution_input", "convolution_weight"), _convolution),
    "windows": _windows,
    "overlap_add": _overlap_add,
    "index": _index,
    "scatter": _scatter,
    "set_at": _set_at,
    "add_at": partial(_set_at, sign="+="),
    "take_along_axis": _take_along_axis,
    "take": _take,
    "slope": _slope,
    "join": _join,
    "cast": _cast,
    "clip": _clip,
}
"""What a row's `javascript` may name besides expressions."""
