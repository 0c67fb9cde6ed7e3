"""The ledger of a gradient: which operations used a value, and what each of them brought back to its `.grad`.

The chain rule says that a gradient is a sum, over everything that used the value, of local derivative times
upstream gradient.  `explain` writes that sum down, the largest part first, from the same record and by the
same rules as `backward`.
"""

from __future__ import annotations

import contextlib
import gc
import heapq
import itertools
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from ..arraylike import Value
from ..arraylike.errors import describe
from ..derivatives import Row
from ..engine.backprop import add
from ..engine.record import ancestors
from ..lines import Line
from .edges import contribution, rule_text
from .names import is_single, norm
from .paths import Paths, largest_paths

SHOWN = 12
"""So many parts of a gradient are listed; the rest is one line with its exact sum."""


@dataclass(slots=True, eq=False)
class Part:
    """What one use of a value brought back: local derivative times upstream gradient.

    Attributes
    ----------
    operation : str
        The operation that used the value, with its arguments: ``multiply(w, x)``.
    name : str
        The name of its result, if it has one.
    rule : str
        How the table writes local derivative times upstream `g`.
    local : float or None
        The local derivative, where it is one number.
    upstream, contribution : float or array
        The gradient of the operation's result, and what came back to the value from it.
    line : Line or None
        The line of source that asked for the operation; None if it was not recorded under `trace_lines`.
    """

    operation: str
    name: str
    rule: str
    local: float | None
    upstream: Any
    contribution: Any
    line: Line | None

    @property
    def through(self) -> str:
        """The operation and the name of its result."""
        return f"{self.operation} → {self.name}" if self.name else self.operation


@dataclass(slots=True, eq=False)
class Ledger:
    """Where a gradient came from; printed it is a table, and a notebook shows it as one.

    Attributes
    ----------
    who, of : str
        The value, and the result whose gradient it is.
    rows : list of Part
        The largest parts, the largest first.
    others : int
        How many more there are.
    other : float or array
        The sum of those, 0 if there are none.
    total : float or array
        The sum of all parts.
    grad : float, array or None
        What is in `.grad` (in the chosen entry of it).
    paths : Paths or None
        Where all is plain numbers: the largest paths from the value to the result.
    """

    who: str
    of: str
    rows: list[Part] = field(default_factory=list)
    others: int = 0
    other: Any = 0.0
    total: Any = 0.0
    grad: Any = None
    paths: Paths | None = None

    def _table(self) -> tuple[list[str], list[list[str]]]:
        local = any(part.local is not None for part in self.rows)
        numbers = np.ndim(self.total) == 0
        header = ["contribution" if numbers else "‖contribution‖"]
        header += ["= local derivative"] * local + [("× " if local else "") + "upstream", "through", "rule"]
        lined = any(part.line is not None for part in self.rows)
        table = []
        for part in self.rows:
            row = [_number(part.contribution)]
            if local:
                row.append("" if part.local is None else f"= {_number(part.local)}")
            upstream = part.upstream
            times = "× " if local and part.local is not None else ""
            row += [times + (_number(upstream) if is_single(upstream) else f"‖{_number(upstream)}‖")]
            row += [part.through, part.rule] + [_placed(part.line)] * lined
            table.append(row)
        blank = [""] * (len(header) - 2 + lined)
        if self.others:
            table.append([_number(self.other), f"{self.others:,} others", *blank])
        table.append([_number(self.total), "sum", *blank])
        return header + ["line"] * lined, table

    @property
    def _title(self) -> str:
        uses = len(self.rows) + self.others
        said = f"{self.who}.grad" if self.grad is None else f"{self.who}.grad = {_shown(self.grad)}"
        return f"{said} of {self.of}, from {uses:,} use{'s' * (uses != 1)}"

    @property
    def _remarks(self) -> list[str]:
        remarks = []
        if self.grad is None:
            remarks.append(".grad is None: backward was not run; the sum is what it would bring.")
        elif not np.allclose(self.grad, self.total, rtol=1e-5, atol=1e-12, equal_nan=True):
            remarks.append(
                f".grad is {_shown(self.grad)} and not this sum: it also holds what was there before (an "
                "earlier backward without zero_grad), or was changed afterwards."
            )
        if self.rows and all(part.line is None for part in self.rows):
            remarks.append("No lines of source: compute the result inside `with trace_lines():` to see them.")
        return remarks

    def __str__(self) -> str:
        header, table = self._table()
        wide = [max(len(row[i]) for row in [header, *table] if i < len(row)) for i in range(len(header))]
        lines = [self._title]
        for row in [header, *table]:
            cells = [f"{cell:{'>' if i == 0 else '<'}{wide[i]}}" for i, cell in enumerate(row)]
            lines.append("  " + "  ".join(cells).rstrip())
        if self.paths is not None:
            lines += ["", *str(self.paths).splitlines()]
        return "\n".join([*lines, *self._remarks])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        header, table = self._table()
        head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table
        )
        after = [] if self.paths is None else [f"<pre>{escape(str(self.paths))}</pre>"]
        after += [f"<p>{escape(remark)}</p>" for remark in self._remarks]
        return (
            f"<table><caption>{escape(self._title)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>{''.join(after)}"
        )


def explain(value: Value, *, of: Value | None = None, index: Any = None) -> Ledger:
    """Tell where the gradient of a value came from: what each operation that used it brought back.

    Parameters
    ----------
    value : Value
        Any value of the graph, a parameter or something between.
    of : Value, optional
        The result that `backward` was called on.  A value does not know what was computed from it, so without
        this the results that are alive are searched, and there must be just one.
    index : int or tuple of int, optional
        Look at this one entry of an array.

    Returns
    -------
    Ledger
        Its parts add up to ``value.grad``.

    Raises
    ------
    TypeError
        If `value` or `of` is not a Value.
    ValueError
        If `of` does not depend on `value`, or it is not clear which result is meant.
    IndexError
        If `index` does not name one entry.
    RuntimeError
        If an array was updated in place since it was recorded.

    Examples
    --------
    >>> from tinygrad_course import Value, explain
    >>> w, x = Value(2.0, name="w"), Value(3.0, name="x")
    >>> loss = w * x + w**2
    >>> loss.backward()
    >>> print(explain(w, of=loss))  # doctest: +NORMALIZE_WHITESPACE
    w.grad = 7 of add, from 2 uses
      contribution  = local derivative  × upstream  through        rule
                 4  = 4                 × 1         power(w, 2)
                 3  = 3                 × 1         multiply(w, x) g * y
                 7  sum
    <BLANKLINE>
    2 paths
      4 = 4 × 1   w → power → add
      3 = 3 × 1   w → multiply → add
    No lines of source: compute the result inside `with trace_lines():` to see them.
    """
    for what, v in (("explain", value), ("explain: of", of)):
        if not isinstance(v, Value) and not (v is None and what != "explain"):
            raise TypeError(
                f"{what}: expected a Value, such as a parameter and a loss, and got a {type(v).__name__}; "
                "write explain(w, of=loss)"
            )
    root = _result_of(value) if of is None else of
    seed = _seed(root)
    place = (
        "" if index is None else f"[{', '.join(map(str, index if isinstance(index, tuple) else (index,)))}]"
    )
    entry = _entry(value, index)
    ledger = Ledger(_called(value, "value") + place, _called(root, root.row.name if root.row else "itself"))
    ledger.grad = None if value.grad is None else entry(_plain(value.grad))
    kept: list[tuple[float, int, Part]] = []
    count = itertools.count(0, -1)  # of equal parts the first used stays in front
    parts: Any = _parts(value, root, seed)
    for part, where, i in parts:
        part.contribution = entry(part.contribution)
        if where is not None and _one_to_one(where, i, value, index):
            ones = 1.0 if type(where.data) is float else np.ones_like(where.data)
            part.local, part.upstream = entry(contribution(where, i, ones)), entry(part.upstream)
        ledger.total = part.contribution if not kept else add(ledger.total, part.contribution)
        heapq.heappush(kept, (_size(part.contribution), next(count), part))
        if len(kept) > SHOWN:
            smallest = heapq.heappop(kept)[2].contribution
            ledger.other = add(ledger.other, smallest) if ledger.others else smallest
            ledger.others += 1
    if not kept:
        raise ValueError(
            f"explain: {ledger.of} was not computed from {ledger.who}, so nothing comes back to it; give a "
            "result that depends on it as of="
        )
    ledger.rows = [part for _, _, part in sorted(kept, reverse=True)]
    for part in ledger.rows:
        if part.local is not None:
            part.local = float(part.local)
    if type(value.data) is float and value is not root:
        ledger.paths = largest_paths(value, root, seed)
    return ledger


def _parts(value: Value, root: Value, seed: Any) -> Any:
    """Every part of the gradient of `value`, with the operation and the operand's number, youngest first."""
    if value is root:
        yield Part("the result itself, where backward started", "", "", None, seed, seed, None), None, 0
    gradients: dict[int, Any] = {id(root): seed}
    for node in ancestors([root], value.serial):
        if node.serial <= value.serial:
            return
        g = gradients.pop(id(node), None)
        if node.row is None or g is None:
            continue
        for i, parent in enumerate(node.parents):
            if parent is None or parent.serial < value.serial:
                continue
            c = contribution(node, i, g)
            if parent is value:
                rule = _rule(node.row, i)
                yield Part(_call(node), node.name or "", rule, None, g, c, node.line), node, i
            else:
                known = gradients.get(id(parent))
                gradients[id(parent)] = c if known is None else add(known, c)


def _result_of(value: Value) -> Value:
    """The one living result of which `value` has got its gradient.

    A value knows what it was computed from and not what was computed from it, which lets the memory of a
    graph be given back; so Python's garbage collector is asked for all Values there are.
    """
    reached, used, found = {id(value)}, set(), []
    for v in sorted((v for v in gc.get_objects() if _walked(v)), key=lambda v: v.serial):
        if parents := reached.intersection(map(id, v.parents)):
            reached.add(id(v))
            used |= parents
            found.append(v)
    ends = [v for v in found if id(v) not in used]
    if not found and _walked(value):
        return value
    if len(ends) != 1:
        said = f"{len(ends)} results have brought a gradient to it" if ends else "no result did yet"
        raise ValueError(
            f"explain: a value does not know what was computed from it, and {said}; name the one that "
            f"you mean: explain({_called(value, 'v')}, of=loss)"
        )
    return ends[0]


def _walked(v: Any) -> bool:
    """Whether `v` is the result of an operation through which a backward pass has gone."""
    if type(v) is not Value or not hasattr(v, "serial"):  # which is set last: this one is not finished
        return False
    return v.row is not None and v.grad is not None


def _seed(root: Value) -> Any:
    """The gradient that `backward` started from at `root`."""
    if root.grad is not None and root.row is not None:
        return _plain(root.grad)
    if root.size != 1:
        raise ValueError(
            f"explain: the result has shape {root.shape} and backward was not called on it, so it is not "
            "known which gradient to start from; call backward first, or make it one number: v.sum()"
        )
    return 1.0 if type(root.data) is float else np.ones_like(root.data)


def _entry(value: Value, index: Any) -> Any:
    """Takes one entry out of an array like `value`, or everything if no index was given."""
    if index is None:
        return lambda array: array
    chosen: Any = None
    with contextlib.suppress(IndexError, TypeError):
        chosen = value.numpy()[index]
    if chosen is None or np.ndim(chosen):
        raise IndexError(
            f"explain: index {index!r} does not name one entry of a value of shape {value.shape}; give as "
            "many whole numbers as it has axes, such as index=(2, 3)"
        )
    return lambda array: array[index].item() if isinstance(array, np.ndarray) else array[index]


def _one_to_one(node: Value, i: int, value: Value, index: Any) -> bool:
    """Whether each entry of the result depends on one entry of the value: there is one local derivative."""
    if type(node.data) is float and type(value.data) is float:
        return True
    assert node.row is not None
    return index is not None and node.row.elementwise and node.shape == value.shape


def _plain(gradient: Any) -> Any:
    """A gradient that was recorded itself, as numbers."""
    return gradient.data if isinstance(gradient, Value) else gradient


def _size(x: Any) -> float:
    """How large a contribution is: the norm of an array; nan is larger than everything."""
    with np.errstate(all="ignore"):
        size = norm(x)
    return float("inf") if size != size else size


def _rule(row: Row, i: int) -> str:
    """The rule for an operand as the table writes it, if it is short enough for a column."""
    text = rule_text(row, i)
    return text if len(text) <= 40 else ""


def _called(v: Value, otherwise: str) -> str:
    return v.name or otherwise


def _call(node: Value) -> str:
    """The operation with its operands: names, numbers, or shapes."""
    row = node.row
    assert row is not None
    said = []
    for operand, parent in zip(row.operands(node.args), node.parents):
        if parent is not None and parent.name:
            said.append(parent.name)
        elif parent is not None and parent.row is not None:
            said.append("·")
        else:
            said.append(f"{operand:.4g}" if isinstance(operand, (int, float)) else describe(operand))
    return f"{row.name}({', '.join(said[:4])}{', …' if len(said) > 4 else ''})"


def _number(x: Any) -> str:
    """A number, or the norm of an array."""
    return f"{float(x) if is_single(x) else _size(x):.6g}"


def _shown(x: Any) -> str:
    return _number(x) if np.ndim(x) == 0 else f"array of shape {np.shape(x)} and norm {_number(x)}"


def _placed(line: Line | None) -> str:
    return "–" if line is None else str(line)
