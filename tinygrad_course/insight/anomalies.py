"""Blame: under it, the first operation that goes wrong is named, with its operands and the user's line.

A nan in a loss says nothing of where it began, as everything computed from a nan is nan.  Inside `blame` each
operation is looked at when it is computed, and each step of the backward pass before it is made.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives import TABLE, neural
from ..engine.backprop import add
from ..engine.record import ancestors
from ..lines import Line
from .edges import argument_name, contribution, rule_text
from .findings import warn
from .names import Names, at, first_bad, is_single, norm
from .watch import Event, Observer, observed_by

VANISHED = 1e-6
"""A layer whose gradient is so small a part of the largest layer's has vanished."""

EXPLODED = 1e6
"""A gradient so many times as large as the loss (as 1, if that is smaller) has exploded."""

SAMPLES = 32
"""A unit that gave 0 for so many samples, and for all there were, is called dead."""


@contextmanager
def blame(module: Any = None) -> Iterator[None]:
    """Name the operation that goes wrong: nan and inf, lost and exploding gradients, dead ReLUs.

    In this block

    * the first operation that makes a nan or an infinite number out of finite ones, forward or backward,
      raises FloatingPointError with its operands and the line that asked for it,
    * data that changed between recording and backward raise RuntimeError, also where that was done behind
      the back of the record (``array[:] = ...``),
    * vanishing and exploding gradients are warned of by layer, with the operation where they are lost or
      grow, and so, at the end of the block, are units that gave 0 for all samples (`GradientWarning`).

    Infinite numbers that were given (a mask of ``-np.inf``) are nobody's fault.  NumPy's own warnings of such
    numbers, which know less, are quiet here.  Outside the block nothing is
    checked, and it costs nothing.

    Parameters
    ----------
    module : Module, optional
        The network, for the names of its parameters and layers.

    Raises
    ------
    FloatingPointError, RuntimeError
        As said above.
    TypeError
        If `module` is none.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import Value, blame
    >>> x = Value([4.0, -1.0], name="x")
    >>> with blame():
    ...     y = np.sqrt(x).sum()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    FloatingPointError: sqrt gave nan, first at [1]
      x: 'x' (2,) float64: -1 there, from -1 to 4
      line: ...
    """
    observer = _Blame(Names(module))
    with observed_by(observer), np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        yield
    observer.name_dead_units()


detect_anomaly = blame
"""PyTorch's name for it."""


@dataclass
class _Units:
    """The units of one ReLU layer: which were ever above 0, for how many samples, and how to call them."""

    alive: Any
    who: str
    line: Line | None
    samples: int = 0


@dataclass
class _Blame(Observer):
    names: Names
    warned: set[tuple[str, str]] = field(default_factory=set)
    units: dict[Any, _Units] = field(default_factory=dict)
    looks: dict[int, list[int | None]] = field(default_factory=dict)  # of the arrays of each record

    # Forward
    def saw(self, event: Event) -> None:
        value = event.value
        if (bad := first_bad(value.data)) is not None:
            self._judge(event, *bad)
        if value.row is not None:
            self.looks[value.serial] = _looks(value)
        if event.row is TABLE[neural.relu] or (event.row is TABLE[np.maximum] and 0 in _numbers(event.args)):
            self._count(event)

    def _judge(self, event: Event, what: str, index: tuple[int, ...]) -> None:
        """Raise if this operation made the nan or inf, or if a nan was given to it."""
        for operand, data in zip(event.operands, event.row.operands(event.args)):
            given = first_bad(data)
            if given is not None and given[0] == "nan" == what:
                raise FloatingPointError(
                    f"{event.row.name} was given a nan: {self.names.of(operand)} holds one"
                    f"{_place(given[1])}, and nothing in this block made it\n  line: {_line(event.line)}"
                )
            if given is not None and what == "inf":
                return  # infinite numbers came in, and so they may go out
        raise FloatingPointError(
            f"{event.row.name} gave {what}{', first' * bool(index)}{_place(index)}\n"
            + self._operands(event.value, event.row, event.operands, event.args, index)
            + f"  line: {_line(event.line)}"
        )

    def _operands(self, value: Value, row: Any, operands: Any, args: Any, index: tuple[int, ...]) -> str:
        shape = () if type(value.data) is tuple else value.shape
        lines = []
        for i, (operand, data) in enumerate(zip(operands, row.operands(args))):
            if hasattr(data, "shape") or isinstance(data, (int, float)):
                numbers = at(data, index if len(index) == len(shape) else (), shape)
                called = self.names.of(operand)
                said = called if called == numbers or not numbers else f"{called}: {numbers}"
                lines.append(f"  {argument_name(row, i)}: {said}\n")
        return "".join(lines[:6]) + ("  ...\n" if len(lines) > 6 else "")

    def _count(self, event: Event) -> None:
        """Remember which units of a layer gave more than 0."""
        out = event.value.data
        if not isinstance(out, np.ndarray) or out.ndim < 2 or not out.size:
            return
        axis = 1 if out.ndim == 4 else out.ndim - 1  # the channels of pictures, else the last
        alive = (out > 0).any(axis=tuple(a for a in range(out.ndim) if a != axis))
        owner = _owner(event.operands)
        key = (owner.serial if owner is not None else event.line, alive.shape)
        if key not in self.units:
            after = f" after {self.names.layer(owner)!r}" if owner is not None and owner.row is None else ""
            self.units[key] = _Units(alive, f"{event.row.name}{after}", event.line)
        self.units[key].alive |= alive
        self.units[key].samples += out.shape[0]

    def name_dead_units(self) -> None:
        """Warn of the units that were 0 for every sample of the block."""
        for units in self.units.values():
            dead = np.flatnonzero(~units.alive).tolist()
            if dead and units.samples >= SAMPLES:
                which = ", ".join(map(str, dead[:8])) + (", ..." if len(dead) > 8 else "")
                found = f"{len(dead)} of {len(units.alive)} units of {units.who} ({which}) gave 0"
                warn("dead-relu", f"{found} for all {units.samples:,} samples", units.line)

    # Backward
    def backward(self, root: Value, seed: Any, oldest: int) -> None:
        if first_bad(seed) is not None or first_bad(root.data) is not None:
            raise FloatingPointError(
                f"backward: {self.names.of(root)} or the gradient it starts from holds nan or inf already; "
                "compute it inside the block, and the operation is named that made it"
            )
        gradients: dict[int, Any] = {id(root): seed}
        norms = {id(root): norm(seed)}
        main: dict[
            int, tuple[float, float, Value]
        ] = {}  # for each value where most of its gradient comes from
        leaves = []
        for node in ancestors([root], oldest):
            g = gradients.pop(id(node), None)
            if g is None or node.serial < oldest:
                continue
            norms[id(node)] = norm(g)
            if node.row is None:
                leaves.append(node)
                continue
            self._check_unchanged(node)
            for i, parent in enumerate(node.parents):
                if parent is None or parent.serial < oldest:
                    continue
                c = contribution(node, i, g)
                if first_bad(c) is not None:
                    self._raise_backward(node, i, g, c)
                known = gradients.get(id(parent))
                gradients[id(parent)] = c if known is None else add(known, c)
                if known is not None and first_bad(gradients[id(parent)]) is not None:
                    raise FloatingPointError(
                        f"backward: the gradients that come back to {self.names.of(parent)} add up to more "
                        f"than its dtype can hold\n  line: {_line(parent.line)}"
                    )
                step = (norm(c), norms[id(node)], node)
                main[id(parent)] = max(main.get(id(parent), step), step, key=lambda s: s[:2])
        self._compare_layers(root, leaves, norms, main)

    def _check_unchanged(self, node: Value) -> None:
        """Raise if an array of the record is not what it was when it was recorded."""
        if node.serial not in self.looks:
            return
        row, parents = node.row, node.parents
        assert row is not None and parents is not None
        operands = [a if p is None else p for p, a in zip(parents, row.operands(node.args))]
        for i, (then, now) in enumerate(zip(self.looks[node.serial], _looks(node))):
            if then != now:
                called = self.names.of(_in_memory(operands[i] if i < len(operands) else node))
                raise RuntimeError(
                    f"backward: {called} was changed in place after {row.name} recorded it, so the gradient "
                    "would be that of other numbers; run the forward pass again, or change a copy\n"
                    f"  line: {_line(node.line)}"
                )

    def _raise_backward(self, node: Value, i: int, g: Any, c: Any) -> None:
        row = node.row
        assert row is not None
        what, index = first_bad(c) or ("nan", ())
        operands = [p if p is not None else a for p, a in zip(node.parents, row.operands(node.args))]
        rule = f", by its rule {text}" if (text := rule_text(row, i)) else ""
        upstream = f"{float(g):.6g}" if is_single(g) else f"norm {norm(g):.6g}"
        raise FloatingPointError(
            f"backward: {row.name} gave {what} for its argument {argument_name(row, i)}{rule}"
            f"{', first' * bool(index)}{_place(index)}\n"
            + self._operands(node, row, operands, node.args, index)
            + f"  upstream gradient: {upstream}\n  line: {_line(node.line)}"
        )

    def _compare_layers(self, root: Value, leaves: list[Value], norms: Any, main: Any) -> None:
        """Warn of layers whose gradient is lost, or much larger than the loss."""
        layers: dict[str, list[Value]] = {}
        for leaf in leaves:
            layers.setdefault(self.names.layer(leaf), []).append(leaf)
        sizes = {name: math.hypot(*(norms[id(v)] for v in values)) for name, values in layers.items()}
        if not any(sizes.values()):
            return
        sizes = dict(sorted(sizes.items(), key=lambda item: item[1]))
        smallest, largest = next(iter(sizes)), next(reversed(sizes))
        ways = {
            name: list(_way(root, max(values, key=lambda v: norms[id(v)]), main))
            for name, values in layers.items()
        }
        limit = EXPLODED * norms[id(root)] * max(1.0, norm(root.data))
        if large := {name: size for name, size in sizes.items() if size > limit}:
            found = f"gradient norms {_listed(large)} are far above the loss; they grow most {{}}"
            self._warn_once("exploding-gradient", large, found, max(ways[largest], key=_ratio))
            return
        if below := {name: size for name, size in sizes.items() if size < VANISHED * sizes[largest]}:
            shared = {id(node) for _, node in ways[largest]}
            own = [step for step in ways[smallest] if id(step[1]) not in shared] or ways[smallest]
            beside = _listed({largest: sizes[largest]})
            found = f"gradient norms {_listed(below)} are next to nothing beside {beside}; most is lost {{}}"
            self._warn_once("vanishing-gradient", below, found, min(own, key=_ratio))

    def _warn_once(self, id: str, layers: Any, found: str, step: tuple[float, Value]) -> None:
        new = {(id, name) for name in layers} - self.warned
        self.warned |= new
        if new:
            ratio, node = step
            assert node.row is not None
            name = f" → {node.name!r}" if node.name else ""
            where = f"at {node.row.name}{name} (× {ratio:.3g})"
            warn(id, found.format(where), node.line)


def _way(root: Value, leaf: Value, main: Any) -> Iterator[tuple[float, Value]]:
    """The main way from a leaf to the result: each operation, and how it changes the gradient's norm."""
    v = leaf
    while v is not root:
        size, upstream, v = main[id(v)]
        yield size / upstream if upstream else 1.0, v


def _ratio(step: tuple[float, Value]) -> float:
    return step[0]


def _listed(sizes: dict[str, float]) -> str:
    """Names of layers with the norms of their gradients, of many only a few."""
    some = [f"{name!r} {size:.3g}" for name, size in itertools.islice(sizes.items(), 6)]
    return ", ".join(some) + (f" and {len(sizes) - 6} more" if len(sizes) > 6 else "")


def _looks(value: Value) -> list[int | None]:
    """A fingerprint of each array operand of a record, and last of its result."""
    assert value.row is not None
    return [_fingerprint(a) for a in (*value.row.operands(value.args), value.data)]


def _in_memory(v: Any) -> Any:
    """The value whose array `v` is a view of: itself, if its data are its own."""
    while isinstance(v, Value) and v.row is not None:
        parent = next((p for p in v.parents if p is not None), None)
        if parent is None or not np.may_share_memory(v.data, parent.data):
            return v
        v = parent
    return v


def _fingerprint(a: Any) -> int | None:
    return hash(a.tobytes()) if isinstance(a, np.ndarray) and a.dtype.kind in "fiub" else None


def _numbers(args: Any) -> list[Any]:
    return [a.item() if isinstance(a, np.ndarray) else a for a in args if np.size(a) == 1 and np.isreal(a)]


def _owner(operands: Any) -> Value | None:
    """The parameter that came last into what a ReLU was given, which is its layer's bias or weight."""
    v = next((o for o in operands if isinstance(o, Value)), None)
    while v is not None and v.row is not None:
        parents = [p for p in v.parents if p is not None]
        if leaves := [p for p in parents if p.row is None]:
            return leaves[-1]
        v = parents[0] if parents else None
    return v


def _place(index: tuple[int, ...]) -> str:
    return f" at [{', '.join(map(str, index))}]" if index else ""


def _line(line: Line | None) -> str:
    return "not known, as it was not recorded inside the block" if line is None else str(line)
