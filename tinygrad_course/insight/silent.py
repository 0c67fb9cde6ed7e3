"""Lint: mistakes that raise no error and teach a network the wrong thing, found while it is being trained.

Each is told once, as a `GradientWarning` with an id, the reason and what to write instead.  Only what is
certainly strange is told: adding up gradients before one step, for example, is no mistake.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arraylike import Value
from ..arraylike.leaving import TO_FLOAT
from ..derivatives import TABLE, Row
from ..engine.record import ancestors, next_serial
from ..lines import Line, asking_line
from .findings import warn
from .names import Names, first_bad, is_single
from .watch import Event, Observer, observed_by

_ADD, _SUBTRACT = TABLE[np.add], TABLE[np.subtract]


@contextmanager
def lint(module: Any = None) -> Iterator[None]:
    """Warn of silent mistakes in this block: put it around the training loop, and around the evaluation.

    ========================  =================================================================
    id                        what was found
    ========================  =================================================================
    ``stale-gradient``        backward after a step, and no `zero_grad` in between
    ``no-gradient``           an optimizer steps parameters that got no gradient
    ``unused-parameter``      the loss does not depend on a parameter of `module`, or on what `grad` is asked
                              for
    ``broadcast``             a prediction (n, 1) beside a target (n,), which gives (n, n)
    ``growing-graph``         ``total += loss`` or ``losses.append(loss)`` keeps the graphs of all steps
    ``left-the-graph``        ``float(v)`` of what has a record
    ``not-finite``            the loss or a gradient is nan or infinite, as with too large a learning rate
    ``double-softmax``        softmax before CrossEntropyLoss, sigmoid before BCEWithLogitsLoss
    ``labels``                negative targets, or targets above 1, in a cross-entropy
    ``float64-in-float32``    a float64 array makes a float32 computation float64
    ``training-mode``         dropout or batch statistics under `no_grad`: `eval` was forgotten
    ========================  =================================================================

    Class numbers out of range, shapes that do not fit and the like are errors, with or without this block.
    Outside nothing is checked, and it costs nothing.

    Parameters
    ----------
    module : Module, optional
        The network, for the names of its parameters, and to find those that the loss does not depend on.

    Raises
    ------
    TypeError
        If `module` is none.

    Examples
    --------
    >>> import warnings
    >>> from tinygrad_course import Value, lint, optim
    >>> w = Value(1.0, name="w")
    >>> optimizer = optim.SGD([w], lr=0.1)
    >>> with warnings.catch_warnings(record=True) as caught, lint():
    ...     for step in range(2):
    ...         loss = (w - 3.0) ** 2
    ...         loss.backward()
    ...         optimizer.step()
    >>> print(caught[0].message)
    stale-gradient: backward adds to the gradient of 'w' number, which a step has used already
      why: backward adds to .grad, and after a step the old gradient belongs to parameters that are gone.
      fix: Call optimizer.zero_grad() (or model.zero_grad()) before every backward that follows a step.
    """
    with observed_by(_Lint(Names(module))):
        yield


@dataclass
class _Lint(Observer):
    names: Names
    told: set[Any] = field(default_factory=set)
    walked: dict[int, int] = field(default_factory=dict)  # by leaf, which data it had at its last backward
    mixed: dict[int, int] = field(default_factory=dict)  # the same, where gradients were added to a used one
    roots: set[int] = field(default_factory=set)  # the serials of results that backward went through
    sums: dict[Line | None, int] = field(default_factory=dict)  # by line, of the last sum made there
    kept: dict[Line | None, list[Any]] = field(default_factory=dict)  # by line, see `_of_graph`
    newest: int = 0  # the serial that the next value had got at the last backward
    last: float | None = None  # the loss of the last backward

    def _tell(self, id: str, key: Any, found: str, line: Line | None) -> None:
        if (id, key) not in self.told:
            self.told.add((id, key))
            warn(id, found, line)

    def saw(self, event: Event) -> None:
        if event.row is TO_FLOAT:
            who = self.names.of(event.operands[0])
            self._tell("left-the-graph", event.line, f"float() took the number of {who}", event.line)
            return
        self._look_at_shapes(event)
        if event.row is _ADD and self.roots:
            self._look_at_sum(event)
        if event.row.draws and not event.recorded:
            self._tell("training-mode", event.line, f"{event.row.name} is at work under no_grad", event.line)
        if _dtype(event.value.data) == np.float64 and not event.row.shaping:
            self._look_at_dtypes(event)

    def _look_at_dtypes(self, event: Event) -> None:
        given = list(zip(event.operands, event.row.operands(event.args)))
        narrow = [o for o, data in given if isinstance(o, Value) and _dtype(data) == np.float32 and o.shape]
        wide = [o for o, data in given if _dtype(data) == np.float64]
        if narrow and wide:
            found = (
                f"{event.row.name} of {self.names.of(narrow[0])} and {self.names.of(wide[0])} gave float64"
            )
            self._tell("float64-in-float32", event.line, found, event.line)

    def _look_at_shapes(self, event: Event) -> None:
        """A column beside as many entries that are none; but not where the column was made for that."""
        if not event.row.elementwise or len(event.operands) != 2:
            return
        both = list(zip(event.operands, event.args))
        for (column, a), (flat, b) in (both, both[::-1]):
            crossed = np.size(b) > 1 and np.shape(a) == (*np.shape(b), 1) and not _is_widened(column, a, b)
            if crossed and (event.row is _SUBTRACT or not _has_gradient(flat)):
                what = " and ".join(map(self.names.of, event.operands))
                found = f"{event.row.name} of {what} gave {np.shape(event.value.data)}"
                self._tell("broadcast", event.line, found, event.line)

    def _look_at_sum(self, event: Event) -> None:
        """A sum that goes on from the last one of its line, with results in it that backward went through."""
        behind = _numbers_behind(event.value)
        if self.sums.get(event.line) in behind and not behind.isdisjoint(self.roots):
            found = "a running total takes in results that backward went through, each with all of its graph"
            self._tell("growing-graph", event.line, found, event.line)
        self.sums[event.line] = event.value.serial

    def _look_at_kept(self, root: Value) -> None:
        """Earlier results, each computed after the backward pass of the one before, that are still held."""
        line = asking_line()
        before = self.kept.setdefault(line, [])
        before[:] = [arrays for arrays in before if all(array() is not None for array in arrays)]
        if len(before) >= 3 and "growing-graph" not in dict(self.told):  # a sum holds them too
            found = (
                f"the results of the last {len(before)} backward passes are still held, each with its graph"
            )
            self._tell("growing-graph", line, found, line)
        if root.serial > self.newest and (arrays := _of_graph(root)):
            before.append(arrays)
        self.newest = next_serial()

    def loss(self, who: str, input: Any, target: Any, applies: Row | None) -> None:
        line = asking_line()
        if applies is not None and _made_by(input) is applies:
            self._tell("double-softmax", line, f"{who} was given the result of {applies.name}", line)
        low, high = (np.min(target), np.max(target)) if target is not None and target.size else (0.0, 1.0)
        if low < 0 or high > 1:
            self._tell("labels", line, f"the targets of {who} go from {low:.6g} to {high:.6g}", line)

    def training(self, who: str, recorded: bool) -> None:
        if not recorded:
            line = asking_line()
            self._tell("training-mode", line, f"{who} under no_grad", line)

    def backward(self, root: Value, seed: Any, oldest: int) -> None:
        if is_single(root.data):
            self.roots.add(root.serial)
            if (bad := first_bad(root.data)) is not None:
                before = "" if self.last is None else f", and was {self.last:.6g} the time before"
                self._tell(
                    "not-finite", None, f"backward starts where the loss is {bad[0]}{before}", asking_line()
                )
            self.last = float(root.data)
            if not oldest:
                self._look_at_kept(root)
        leaves = [v for v in reversed(ancestors([root], oldest)) if v.row is None and v.serial >= oldest]
        for leaf in leaves:
            now = id(leaf.data)
            if not _any(leaf.grad):
                self.mixed.pop(leaf.serial, None)
            elif leaf.serial in self.mixed:
                if self.mixed[leaf.serial] != now:  # a step by hand
                    self._tell_stale(leaf)
            elif self.walked.get(leaf.serial, now) != now:
                self.mixed[leaf.serial] = now
            self.walked[leaf.serial] = now
        reached = set(map(id, leaves))
        unused = [p for _, p in self.names.parameters if p.requires_grad and id(p) not in reached]
        if unused and not oldest:
            found = f"the result of {root.row.name if root.row else 'nothing'} does not depend on "
            self._tell("unused-parameter", None, found + self._listed(unused), asking_line())

    def _tell_stale(self, leaf: Value) -> None:
        found = f"backward adds to the gradient of {self.names.of(leaf)}, which a step has used already"
        self._tell("stale-gradient", None, found, asking_line())

    def step(self, optimizer: Any) -> None:
        for p in optimizer.params:
            if p.serial in self.mixed and _any(p.grad):
                self._tell_stale(p)
        without = [p for p in optimizer.params if p.grad is None and p.requires_grad]
        if without:
            found = (
                f"{type(optimizer).__name__} makes a step, and no gradient came to {self._listed(without)}"
            )
            self._tell("no-gradient", id(optimizer), found, asking_line())
        for p in optimizer.params:
            if (bad := first_bad(_plain(p.grad))) is not None:
                found = (
                    f"{type(optimizer).__name__} makes a step, and the gradient of {self.names.of(p)} holds "
                )
                self._tell("not-finite", None, found + bad[0], asking_line())

    def independent(self, who: str, arguments: list[str]) -> None:
        found = f"the result of the function given to {who} does not depend on {', '.join(arguments[:4])}"
        more = f" and {len(arguments) - 4} more" if len(arguments) > 4 else ""
        line = asking_line()
        self._tell("unused-parameter", line, found + more, line)

    def _listed(self, values: list[Value]) -> str:
        some = ", ".join(self.names.of(v) for v in values[:4])
        return some + (f" and {len(values) - 4} more" if len(values) > 4 else "")


def _of_graph(root: Value) -> list[weakref.ref[Any]]:
    """The arrays that a result was computed from, which live as long as its record and keep nothing alive."""
    pairs = zip(root.row.operands(root.args), root.parents) if root.row is not None else ()
    return [weakref.ref(a) for a, parent in pairs if parent is not None and isinstance(a, np.ndarray)]


def _made_by(v: Any) -> Row | None:
    """The row of the operation that made `v`, seen through changes of shape and dtype."""
    while isinstance(v, Value) and v.row is not None:
        if not v.row.shaping:
            return v.row
        v = v.parents[0]
    return None


def _has_gradient(v: Any) -> bool:
    return isinstance(v, Value) and v.requires_grad


def _is_widened(column: Any, a: Any, b: Any) -> bool:
    """Whether `column` is a value with an axis put in, such as v[:, None], or the other operand itself is."""
    if np.may_share_memory(a, b):
        return True
    parents = column.parents if isinstance(column, Value) else ()
    return any(p is not None and p.ndim < column.ndim and np.may_share_memory(p.data, a) for p in parents)


def _numbers_behind(value: Value) -> set[int]:
    """The serials of the single numbers from which `value` was computed in a few steps."""
    behind: set[int] = set()
    layer = [value]
    for _ in range(4):  # total * 0.9 + loss * 0.1
        layer = [p for v in layer for p in v.parents if p is not None and is_single(p.data)]
        behind.update(p.serial for p in layer)
    return behind


def _plain(gradient: Any) -> Any:
    return gradient.data if isinstance(gradient, Value) else gradient


def _dtype(data: Any) -> Any:
    return getattr(data, "dtype", None)  # not that of a Python float, which adapts to what is beside it


def _any(gradient: Any) -> bool:
    return bool(np.any(_plain(gradient)))
