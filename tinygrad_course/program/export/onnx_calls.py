"""How ONNX writes the calls that need more than an expression: shapes, indices, products, windows."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...derivatives.convolution import windows
from ...derivatives.products import contracted, letters_of
from ...derivatives.reductions import axes_of
from ..facts import arguments, row_of
from ..variables import Instruction, Variable
from .samples import Grown, Size

if TYPE_CHECKING:
    from .onnx import OnnxPrinter

FIRST, LAST = -(2**63), 2**63 - 1
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _named(step: Instruction) -> dict[str, Any]:
    """The arguments of a call by the names in its row's rules."""
    row = row_of(step.function)
    assert row is not None
    return arguments(row, step.args, step.kwargs)


def _bound(step: Instruction) -> tuple[Any, ...]:
    """The arguments of a call in the order of the function's own signature."""
    bound = inspect.signature(step.function).bind(*step.args, **step.kwargs)
    bound.apply_defaults()
    return tuple(bound.arguments.values())


# Reductions
def reduced(printer: OnnxPrinter, operator: str, name: str, values: dict[str, Any]) -> str:
    """A reduction of `name`, over the axis and with the keepdims of a call."""
    axis, kept = values.get("axis"), int(bool(values.get("keepdims", False)))
    if axis == ():
        return name
    if values.get("where") is not None and values["where"] is not True:
        raise printer.refusal(" with where=")
    over = [] if axis is None else [printer.graph.integers(axis if isinstance(axis, tuple) else (axis,))]
    return printer.graph.node(operator, [name, *over], keepdims=kept)


def _variance(printer: OnnxPrinter, step: Instruction) -> str:
    values, dtype, graph = _named(step), printer.dtype(step.out), printer.graph
    shape = printer.shape(values["x"])
    ddof = values.get("correction", values["ddof"])
    if values.get("mean") is not None or type(ddof) not in (int, float):
        raise printer.refusal(" with these arguments")
    x = printer.operand(values["x"], dtype)
    away = graph.node("Sub", [x, reduced(printer, "ReduceMean", x, {**values, "keepdims": True})])
    squares = graph.node("Mul", [away, away])
    out = reduced(printer, "ReduceMean", squares, values)
    if ddof:
        axes: Any = axes_of(np.empty((0,) * len(shape)), values["axis"])  # type: ignore[no-untyped-call]
        sizes = [shape[a] for a in axes]
        if any(isinstance(n, Size) for n in sizes):
            out = reduced(printer, "ReduceSum", squares, values)
            count = graph.node("Squeeze", [graph.node("ReduceProd", [graph.shape(sizes)], keepdims=0)])
            count = graph.cast(count, np.dtype(np.int64), dtype)
            free = graph.node("Sub", [count, printer.operand(ddof, dtype)])
            out = graph.node("Div", [out, free])
        else:
            n = math.prod(sizes)
            out = graph.node("Mul", [out, printer.operand(n / (n - ddof) if n != ddof else math.inf, dtype)])
    return graph.node("Sqrt", [out]) if step.function is np.std else out


def _argument(printer: OnnxPrinter, step: Instruction) -> str:
    """argmax and argmin, over all entries where no axis is given."""
    x, *_ = step.args
    values, graph = _named(step), printer.graph
    name, axis, kept = printer.operand(x), values.get("axis"), values.get("keepdims")
    if printer.dtype(x).kind == "b":
        name = printer.operand(x, np.int32)
    if axis is None:
        if kept not in (None, False, np._NoValue):
            raise printer.refusal(" with keepdims=True over all axes")
        name, axis, kept = graph.node("Reshape", [name, graph.integers([-1])]), 0, False
    kind = "ArgMax" if step.function is np.argmax else "ArgMin"
    found = graph.node(kind, [name], axis=int(axis), keepdims=int(kept is True))
    return graph.cast(found, np.dtype(np.int64), printer.dtype(step.out))


def _running(printer: OnnxPrinter, step: Instruction) -> str:
    values, graph = _named(step), printer.graph
    name, axis = printer.operand(values["x"], step.out.dtype), values["axis"]
    if axis is None:
        name, axis = graph.node("Reshape", [name, graph.integers([-1])]), 0
    return graph.node("CumSum", [name, graph.constant(np.array(axis, np.int64))])


# Shapes
def _reshape(printer: OnnxPrinter, step: Instruction) -> str:
    if len(step.args) > 1 and step.function.__name__.startswith("atleast"):
        raise printer.refusal(" of several arrays")
    if "C" not in (step.kwargs.get("order", "C"), *step.args[2:]):
        raise printer.refusal(" along columns (order)")
    return printer.graph.reshaped(printer.operand(step.args[0]), printer.shape(step.out))


def _permute(printer: OnnxPrinter, step: Instruction) -> str:
    x, *more = step.args
    if not x.shape:
        return printer.operand(x)
    seen = step.function(np.empty(range(2, 2 + len(x.shape)), bool), *more, **step.kwargs)
    return printer.graph.node("Transpose", [printer.operand(x)], perm=[n - 2 for n in seen.shape])


def _expand(printer: OnnxPrinter, step: Instruction) -> str:
    x = printer.operand(step.args[0], step.out.dtype)
    return printer.graph.node("Expand", [x, printer.graph.shape(printer.shape(step.out))])


def _flip(printer: OnnxPrinter, step: Instruction) -> str:
    x, axis = _named(step)["x"], _named(step)["axis"]
    axes = axes_of(np.empty((0,) * len(x.shape)), axis)  # type: ignore[no-untyped-call]
    return sliced(printer, printer.operand(x), {a: slice(None, None, -1) for a in axes})


def _cast(printer: OnnxPrinter, step: Instruction) -> str:
    return printer.operand(step.args[0], printer.dtype(step.out))


def _join(printer: OnnxPrinter, step: Instruction) -> str:
    """concatenate and stack."""
    values, graph = _named(step), printer.graph
    parts, axis, dtype = step.args[0], values["axis"], printer.dtype(step.out)
    if isinstance(parts, Variable):
        raise printer.refusal(" of one array")
    names = [printer.operand(part, dtype) for part in parts]
    if step.function is np.stack:
        names = [graph.node("Unsqueeze", [name, graph.integers([axis])]) for name in names]
    elif axis is None:
        names, axis = [graph.node("Reshape", [name, graph.integers([-1])]) for name in names], 0
    return graph.node("Concat", names, axis=int(axis))


def _pad(printer: OnnxPrinter, step: Instruction) -> str:
    bound = inspect.signature(np.pad).bind(*step.args, **step.kwargs)
    bound.apply_defaults()
    x, width, mode = (bound.arguments[k] for k in ("array", "pad_width", "mode"))
    more, graph = bound.arguments.get("kwargs", {}), printer.graph
    pairs = np.broadcast_to(np.asarray(width), (len(x.shape), 2))
    name, dtype = printer.operand(x), printer.dtype(step.out)
    fill = more.pop("constant_values", 0) if mode == "constant" else 0
    modes = {"constant": "constant", "reflect": "reflect", "edge": "edge", "wrap": "wrap"}
    short = {"reflect": 1, "wrap": 0}.get(mode)  # wider margins go to and fro in NumPy, and not in ONNX
    sizes = [pair.max() + short if pair.any() else 0 for pair in pairs] if short is not None else []
    if mode not in modes or more or np.ndim(fill) or any(m > n for m, n in zip(sizes, x.shape)):
        raise printer.refusal(f" in mode {mode!r} with these arguments")
    value = [printer.operand(fill, dtype)] if mode == "constant" else []
    return graph.node("Pad", [name, graph.integers(pairs.T.ravel().tolist()), *value], mode=modes[mode])


# Choices
def _clip(printer: OnnxPrinter, step: Instruction) -> str:
    values, dtype = _named(step), printer.dtype(step.out)
    bounds = list(step.args[1:3]) + [None] * (3 - len(step.args))
    x, *_ = step.args
    low = next((b for b in (bounds[0], values.get("a_min"), values.get("min")) if b is not None), None)
    high = next((b for b in (bounds[1], values.get("a_max"), values.get("max")) if b is not None), None)
    name = printer.operand(x, dtype)
    for kind, bound in (("Max", low), ("Min", high)):
        if bound is not None:
            name = printer.graph.node(kind, [name, printer.operand(bound, dtype)])
    return name


# Products
def _dot(printer: OnnxPrinter, step: Instruction) -> str:
    x, y = step.args
    dtype = printer.dtype(step.out)
    ranks = [len(printer.shape(a)) for a in (x, y)]
    if max(ranks) > 2:
        raise printer.refusal(" of more than two axes")
    kind = "MatMul" if min(ranks) else "Mul"
    return printer.graph.node(kind, [printer.operand(x, dtype), printer.operand(y, dtype)])


def _outer(printer: OnnxPrinter, step: Instruction) -> str:
    graph, dtype = printer.graph, printer.dtype(step.out)
    column, row = (
        graph.node("Reshape", [printer.operand(a, dtype), graph.integers(shape)])
        for a, shape in zip(step.args, ([-1, 1], [1, -1]))
    )
    return graph.node("Mul", [column, row])


def _summed(printer: OnnxPrinter, step: Instruction, terms: Sequence[str], result: str, operands: Any) -> str:
    dtype = printer.dtype(step.out)
    names = [printer.operand(x, dtype) for x in operands]
    return printer.graph.node("Einsum", names, equation=f"{','.join(terms)}->{result}")


def _einsum(printer: OnnxPrinter, step: Instruction) -> str:
    subscripts, *operands = step.args
    if not isinstance(subscripts, str):
        raise printer.refusal(" without subscripts as text")
    alike = [np.empty((0,) * len(printer.shape(x)), bool) for x in operands]
    terms, result = letters_of(subscripts, alike)  # type: ignore[no-untyped-call]
    return _summed(printer, step, terms, result, operands)


def _tensordot(printer: OnnxPrinter, step: Instruction) -> str:
    x, y, axes = (*step.args, step.kwargs.get("axes", 2))[:3]
    alike = [np.empty((0,) * len(printer.shape(a)), bool) for a in (x, y)]
    first, second = contracted(alike[0], alike[1], axes)  # type: ignore[no-untyped-call]
    left = LETTERS[: alike[0].ndim]
    right = list(LETTERS[len(left) : len(left) + alike[1].ndim])
    for a, b in zip(first, second):
        right[b] = left[a]
    shared = {left[a] for a in first}
    result = "".join(c for c in (*left, *right) if c not in shared)
    return _summed(printer, step, [left, "".join(right)], result, (x, y))


def _linear(printer: OnnxPrinter, step: Instruction) -> str:
    x, weight, bias = _bound(step)
    dtype, graph = printer.dtype(step.out), printer.graph
    names = [printer.operand(a, dtype) for a in (x, weight, bias) if a is not None]
    if len(printer.shape(x)) == 2 and bias is not None:
        return graph.node("Gemm", names, transB=1)
    turned = graph.node("Transpose", [names[1]], perm=[1, 0])
    out = graph.node("MatMul", [names[0], turned])
    return out if bias is None else graph.node("Add", [out, names[2]])


# Windows
def _pads(pairs: Any) -> list[int]:
    return [before for before, _ in pairs] + [after for _, after in pairs]


def _convolution(printer: OnnxPrinter, step: Instruction) -> str:
    x, weight, stride, padding, dilation, groups = _bound(step)
    dtype = printer.dtype(step.out)
    return printer.graph.node(
        "Conv",
        [printer.operand(x, dtype), printer.operand(weight, dtype)],
        strides=list(stride),
        pads=_pads(padding),
        dilations=list(dilation),
        group=groups,
    )


def _convolution_input(printer: OnnxPrinter, step: Instruction) -> str:
    y, weight, sizes, stride, padding, dilation, groups = _bound(step)
    dtype = printer.dtype(step.out)
    positions, kernel = printer.shape(y)[2:], printer.shape(weight)[2:]
    if any(isinstance(n, Size) for n in (*positions, *sizes)):
        raise printer.refusal(" of a size that depends on the samples")
    whole = [
        s * (p - 1) + d * (k - 1) + 1 - sum(pair)
        for s, p, d, k, pair in zip(stride, positions, dilation, kernel, padding)
    ]
    return printer.graph.node(
        "ConvTranspose",
        [printer.operand(y, dtype), printer.operand(weight, dtype)],
        strides=list(stride),
        pads=_pads(padding),
        dilations=list(dilation),
        group=groups,
        output_padding=[size - n for size, n in zip(sizes, whole)],
    )


def _windows(printer: OnnxPrinter, step: Instruction) -> str:
    """The windows of the last axes, one axis after the other looked up by numbers, and then put in order."""
    x, *how = _bound(step)
    places = printer.shape(step.out)[-len(how[0]) :]
    return _laid_out(
        printer, printer.operand(x, printer.dtype(step.out)), len(printer.shape(x)), places, *how
    )


def _laid_out(
    printer: OnnxPrinter,
    name: str,
    rank: int,
    places: tuple[Any, ...],
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    fill: Any,
) -> str:
    graph, n = printer.graph, len(kernel)
    pairs = [(0, 0)] * (rank - n) + [tuple(pair) for pair in padding]
    if any(map(any, pairs)):
        dtype = printer.dtype(printer.step.out) if printer.step else None
        name = graph.node("Pad", [name, graph.integers(_pads(pairs)), printer.operand(fill, dtype)])
    if any(isinstance(p, Size) for p in places):
        raise printer.refusal(" along the axis of the samples")
    for i, (k, s, d, p) in enumerate(zip(kernel, stride, dilation, places)):
        numbers = np.arange(k)[:, None] * d + np.arange(p) * s
        name = graph.node("Gather", [name, graph.constant(numbers)], axis=rank - n + 2 * i)
    front = list(range(rank - n))
    order = front + [rank - n + 2 * i for i in range(n)] + [rank - n + 2 * i + 1 for i in range(n)]
    return graph.node("Transpose", [name], perm=order)


def _max_pool(printer: OnnxPrinter, step: Instruction) -> str:
    x, kernel, stride, padding, dilation = _bound(step)
    if len(printer.shape(x)) != len(kernel) + 2:
        raise printer.refusal(" of arrays that have no axes of samples and channels")
    return printer.graph.node(
        "MaxPool",
        [printer.operand(x)],
        kernel_shape=list(kernel),
        strides=list(stride),
        pads=_pads(padding),
        dilations=list(dilation),
    )


def _avg_pool(printer: OnnxPrinter, step: Instruction) -> str:
    """As one operator, or in double precision, which few know it in, as the mean of windows."""
    x, kernel, stride, padding, count_include_pad = _bound(step)
    graph, name, rank, n = printer.graph, printer.operand(x), len(printer.shape(x)), len(kernel)
    if rank == n + 2 and printer.dtype(x).itemsize < 8:
        return graph.node(
            "AveragePool",
            [name],
            kernel_shape=list(kernel),
            strides=list(stride),
            pads=_pads(padding),
            count_include_pad=int(count_include_pad),
        )
    sizes, places, one = printer.shape(x)[-n:], printer.shape(step.out)[-n:], (1,) * n
    laid = _laid_out(printer, name, rank, places, kernel, stride, padding, one, 0.0)
    sums = graph.node("ReduceSum", [laid, graph.integers(range(rank - n, rank))], keepdims=0)
    entries = math.prod(kernel)
    if not count_include_pad and any(map(any, padding)):
        entries = windows(np.ones(sizes), kernel, stride, padding, one).sum(tuple(range(n)))
    return graph.node("Div", [sums, printer.operand(entries, printer.dtype(x))])


# Indices
def sliced(printer: OnnxPrinter, name: str, slices: dict[int, slice]) -> str:
    """The entries that slices leave, by axis."""
    kept = {a: s for a, s in slices.items() if s != slice(None) and s != slice(None, None, 1)}
    if not kept:
        return name
    steps = [1 if s.step is None else s.step for s in kept.values()]
    back = [step < 0 for step in steps]
    starts = [(LAST if b else 0) if s.start is None else s.start for b, s in zip(back, kept.values())]
    stops = [(FIRST if b else LAST) if s.stop is None else s.stop for b, s in zip(back, kept.values())]
    shape = printer.graph.shape
    return printer.graph.node("Slice", [name, *map(shape, (starts, stops, list(kept), steps))])


def _index(printer: OnnxPrinter, step: Instruction) -> str:
    x, index = step.args
    graph, shape = printer.graph, printer.shape(x)
    parts = [_settled(part) for part in (index if isinstance(index, tuple) else (index,))]
    parts = [q for p in parts for q in (p if isinstance(p, tuple) else (p,))]
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    rest = [slice(None)] * (len(shape) - taken)
    if not any(p is Ellipsis for p in parts):
        parts.append(Ellipsis)
    at = next(i for i, p in enumerate(parts) if p is Ellipsis)
    parts[at : at + 1] = rest
    axes = [i for i, p in enumerate(parts) if p is not None]
    by_axis = dict(enumerate(parts[i] for i in axes))
    name = sliced(printer, printer.operand(x), {a: p for a, p in by_axis.items() if isinstance(p, slice)})
    chosen = {a: p for a, p in by_axis.items() if not isinstance(p, slice)}
    arrays = {a: p for a, p in chosen.items() if isinstance(p, (Variable, np.ndarray, Grown))}
    if any(printer.dtype(p).kind not in "iu" for p in chosen.values()):
        raise printer.refusal(" by booleans")
    if not arrays:
        for a, p in sorted(chosen.items(), reverse=True):
            name = graph.node("Gather", [name, printer.operand(p, np.int64)], axis=a)
        new, place = [], 0
        for part in parts:
            if part is None:
                new.append(place)
            place += part is None or isinstance(part, slice)
        return graph.node("Unsqueeze", [name, graph.integers(new)]) if new else name
    numbers = sorted(chosen)
    if any(p is None for p in parts) or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        raise printer.refusal(" by arrays and more in this way")
    return _looked_up(printer, name, len(shape), chosen)


def _settled(part: Any) -> Any:
    """A part of an index; a constant array of booleans as numbers."""
    if isinstance(part, list):
        part = np.asarray(part, None if part else int)
    if isinstance(part, np.ndarray) and part.dtype.kind == "b":
        return tuple(np.nonzero(part))
    return part


def _looked_up(printer: OnnxPrinter, name: str, rank: int, chosen: dict[int, Any]) -> str:
    """The entries that whole numbers name along axes that are neighbours."""
    graph, first = printer.graph, min(chosen)
    if len(chosen) == 1:
        return graph.node("Gather", [name, printer.operand(chosen[first], np.int64)], axis=first)
    shapes = [printer.shape(p) for p in chosen.values()]
    wide = _broadcast(shapes)
    indices = []
    for p, shape in zip(chosen.values(), shapes):
        index = printer.operand(p, np.int64)
        if shape != wide:
            index = graph.node("Expand", [index, graph.shape(wide)])
        indices.append(graph.node("Unsqueeze", [index, graph.integers([-1])]))
    others = [a for a in range(rank) if a not in chosen]
    if first:
        name = graph.node("Transpose", [name], perm=[*chosen, *others])
    found = graph.node("GatherND", [name, graph.node("Concat", indices, axis=-1)])
    if not first:
        return found
    n = len(wide)
    places = [*range(n, n + first), *range(n), *range(n + first, n + len(others))]
    return graph.node("Transpose", [found], perm=places)


def _broadcast(shapes: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The shape that several broadcast to."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(s)) + s for s in shapes]
    return tuple(next((n for n in sizes if n != 1), 1) for sizes in zip(*padded))


def _take_along_axis(printer: OnnxPrinter, step: Instruction) -> str:
    values = _named(step)
    x, indices, axis = values["x"], values["indices"], values["axis"]
    if axis is None or len(printer.shape(x)) != len(printer.shape(indices)):
        raise printer.refusal(" without an axis")
    axis %= len(printer.shape(x))
    graph, out = printer.graph, list(printer.shape(step.out))
    name, places = printer.operand(x), printer.operand(indices, np.int64)
    if list(printer.shape(indices)) != out:
        places = graph.node("Expand", [places, graph.shape(out)])
    wide = [n if a == axis else m for a, (n, m) in enumerate(zip(printer.shape(x), out))]
    if list(printer.shape(x)) != wide:
        name = graph.node("Expand", [name, graph.shape(wide)])
    return graph.node("GatherElements", [name, places], axis=axis)


def _take(printer: OnnxPrinter, step: Instruction) -> str:
    values, graph = _named(step), printer.graph
    name, axis = printer.operand(values["a"]), values["axis"]
    if values["mode"] != "raise":
        raise printer.refusal(f" in mode {values['mode']!r}")
    if axis is None:
        name, axis = graph.node("Reshape", [name, graph.integers([-1])]), 0
    return graph.node("Gather", [name, printer.operand(values["indices"], np.int64)], axis=int(axis))


def _embedding(printer: OnnxPrinter, step: Instruction) -> str:
    input, weight = step.args[:2]
    return printer.graph.node("Gather", [printer.operand(weight), printer.operand(input, np.int64)], axis=0)


CALLS: dict[str, Callable[[OnnxPrinter, Instruction], str]] = {
    "argument": _argument,
    "avg_pool": _avg_pool,
    "cast": _cast,
    "clip": _clip,
    "convolution": _convolution,
    "convolution_input": _convolution_input,
    "dot": _dot,
    "einsum": _einsum,
    "embedding": _embedding,
    "expand": _expand,
    "flip": _flip,
    "index": _index,
    "join": _join,
    "linear": _linear,
    "max_pool": _max_pool,
    "outer": _outer,
    "pad": _pad,
    "permute": _permute,
    "reshape": _reshape,
    "running": _running,
    "take": _take,
    "take_along_axis": _take_along_axis,
    "tensordot": _tensordot,
    "variance": _variance,
    "windows": _windows,
}
"""What a row's `onnx` may name besides operators."""
