"""A recorded graph as a JavaScript program in which nothing is left out: every value and every gradient.

The rows of the graph run once more on traced leaves, and so do their rules, from the last value to the first:
the chain rule, with a name for every product in it.  A page can then change any leaf and have all numbers
follow.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arraylike import Value
from ...derivatives import Row
from ...engine.backprop import add, fitted
from ...engine.record import ancestors
from ...engine.value import computed
from ...trees import mapped
from ..facts import parameters
from ..passes import without_dead, without_repeats
from ..tape import Tape
from ..traced import Traced, TracedArray, TraceError, copied
from ..variables import Instruction, Variable
from .javascript import DRAWS, SAY, JavaScript, module, unwritten


@dataclass
class GraphProgram:
    """A graph's forward and backward pass in JavaScript, and what everything in it is called there.

    Attributes
    ----------
    source : str
        An ES module with two functions.  ``forward(v)`` takes an object with every input by name, fills in
        every recorded value, and returns it; ``backward(v)``, called after it, returns an object of all
        gradients and contributions.  Arrays are flat, row by row; a value without axes is a number.
    inputs : dict of str to leaf
        The Values, plain arrays and plain numbers that the graph was computed from.
    values : dict of int to str
        For the serial of each recorded Value, and of each leaf that is one, its name.
    operands : dict of (int, int) to str
        For the serial of an operation's result and the number of an operand that is a plain array or number,
        the name of that leaf.
    gradients : dict of str to str
        For the name of a value or leaf that a gradient reaches, the name of its gradient.  Values that are
        computed alike share a name; `gradient_names` tells their gradients apart.
    gradient_names : dict of int to str
        The same for the serial of each recorded Value, and of each leaf that is one.
    contributions : dict of (int, int) to str
        For the serial of a result and the number of an operand, what comes back along there.  One name may
        stand for several: a sum hands its gradient on as it is.
    shapes, arrays : dict of str to tuple or str
        For every name its shape, and ``"number"`` or the class of its typed array.
    """

    source: str
    inputs: dict[str, Any]
    values: dict[int, str]
    operands: dict[tuple[int, int], str]
    gradients: dict[str, str]
    gradient_names: dict[int, str]
    contributions: dict[tuple[int, int], str]
    shapes: dict[str, tuple[int, ...]]
    arrays: dict[str, str]

    def script(self, name: str) -> str:
        """The program as one statement for a page's script: ``const name = (() => { ... })();``."""
        body = self.source.replace("export {", "return {").replace("</", "<\\/")
        return f"const {name} = (() => {{\n{body}}})();\n"


@contextmanager
def _naming(row: Row | None) -> Iterator[None]:
    """Have what goes wrong with an operation say its name, and nothing of whose code it went wrong in."""
    try:
        yield
    except Exception as error:  # rows of people's own may fail in any way
        if row is None or str(error).startswith(f"emit: {row.name}"):
            raise
        why = str(error).removeprefix("emit: ")
        if not isinstance(error, TraceError) or why == str(error):
            say = f"say how JavaScript writes it, {SAY.format(row.name)}"
            why = f"it, or its rule, does what only plain arrays can; {say}"
        raise unwritten(row.name, why) from error


class _Replay:
    """One more run of a graph, on traced leaves."""

    def __init__(self, numbers: Mapping[tuple[int, int], Hashable]) -> None:
        self.tape, self.numbers = Tape(), numbers
        self.leaves: dict[Any, tuple[Traced, Any]] = {}  # a key for each leaf -> its stand-in, and itself
        self.wishes: list[tuple[Variable, str]] = []
        self.traced: dict[Value, Any] = {}  # what stands in for each Value's data
        self.calls: dict[Value, tuple[Any, ...]] = {}  # the arguments and keywords, and the operands
        self.plain: dict[tuple[int, int], Traced] = {}
        self.gradients: dict[Any, Any] = {}
        self.contributions: dict[tuple[int, int], Any] = {}
        self.rows: dict[Variable, Row] = {}  # whose operation or rule an instruction is a step of

    def replayed(self, step: Callable[[Value], None], value: Value) -> None:
        """Do a step for a value, and remember which operation its instructions belong to."""
        row, start = value.row, len(self.tape.instructions)
        with _naming(row):
            step(value)
        if row is not None:
            self.rows.update((i.out, row) for i in self.tape.instructions[start:])

    def lines(self, printer: JavaScript, instructions: Iterable[Instruction]) -> list[str]:
        """The instructions in JavaScript."""
        lines = []
        for instruction in instructions:
            with _naming(self.rows.get(instruction.out)):
                lines += printer.lines([instruction])
        return lines

    def leaf(self, key: Any, leaf: Any, name: str) -> Traced:
        """The stand-in for a leaf: a number stands as an array without axes, which never raises."""
        if key not in self.leaves:
            traced = self.tape.input(np.array(leaf.data if isinstance(leaf, Value) else leaf))
            self.leaves[key] = traced, leaf
            self.wishes.append((traced.variable, name))
        return self.leaves[key][0]

    def forward(self, value: Value) -> None:
        """Run the operation that made a value."""
        row, args = value.row, value.args
        if row is None:
            self.traced[value] = self.leaf(value, value, value.name or "x")
            return
        if row.draws:
            raise unwritten(row.name, DRAWS)
        names = list(parameters(row))
        operands = []
        for i, (operand, parent) in enumerate(zip(row.operands(args), value.parents)):
            name = names[i] if i < len(names) and row.rule_for_all is None else "x"
            known = parent is not None
            operands.append(self.traced[parent] if known else self.given(value, i, operand, row, name))
        args = mapped(self.array, row.with_operands(args, operands))
        kwargs = {k: mapped(self.array, a) for k, a in value.kwargs.items() if k != "residuals"}
        out = self.called(row, args, kwargs)
        if row.residuals is not None:
            out, kwargs["residuals"] = out
        if isinstance(out, TracedArray) and out.dtype != value.dtype:
            out = out.astype(value.dtype)
        self.traced[value], self.calls[value] = out, (args, kwargs, tuple(row.operands(args)))
        if isinstance(out, Traced):
            self.wishes.append((out.variable, value.name or row.result or row.name))

    def called(self, row: Row, args: Any, kwargs: Any) -> Any:
        """The operation on traced arrays, as one step where its row says how that is written."""
        if row.javascript and not row.residuals:
            return self.tape.call(row.function, args, kwargs)
        return computed(row.residuals or row, args, kwargs)

    def given(self, value: Value, i: int, operand: Any, row: Row, name: str) -> Any:
        """The stand-in for an operand that is no Value, where it can be changed; else the operand."""
        key: Any = ("array", id(operand))
        if isinstance(operand, (bool, str)) or not issubclass(type(operand), (int, float, np.ndarray)):
            return operand
        if not isinstance(operand, np.ndarray):
            if not _has_rule(row, i) or (row.function is np.power and i == 1):
                return operand
            place = value.serial, i
            key = ("number", self.numbers[place]) if place in self.numbers else ("use", *place)
        traced = self.plain[value.serial, i] = self.leaf(key, operand, name)
        return traced

    def array(self, thing: Any) -> Any:
        """The stand-in for an array anywhere in the arguments."""
        plain = issubclass(type(thing), np.ndarray)
        return self.leaf(("array", id(thing)), thing, "x") if plain else thing

    def backward(self, value: Value) -> None:
        """Run the rules of the operation that made a value, and add what they give."""
        g, row = self.gradients.get(value), value.row
        if row is None or g is None:
            return
        (args, kwargs, operands), out = self.calls[value], self.traced[value]
        if type(g) is tuple:
            g = tuple(np.zeros_like(o) if part is None else part for part, o in zip(g, out))
        for i, (operand, parent) in enumerate(zip(operands, value.parents)):
            plain = isinstance(operand, TracedArray) and operand.dtype.kind == "f" and _has_rule(row, i)
            if parent is None and not plain:
                continue
            like = tuple(operand) if isinstance(operand, tuple) else operand
            c = fitted(row.rule(i)(g, out, *args, **kwargs), like, row)
            if issubclass(type(c), np.ndarray):
                c = self.tape.call(copied, (c,), {})
            whose = operand if parent is None else parent
            self.contributions[value.serial, i] = c
            self.gradients[whose] = add(self.gradients.get(whose), c)


def _has_rule(row: Row, i: int) -> bool:
    return row.rule_for_all is not None or (i < len(row.rules) and row.rules[i] is not None)


def graph_program(
    results: Sequence[Value], numbers: Mapping[tuple[int, int], Hashable] | None = None
) -> GraphProgram:
    """Write a recorded graph as a JavaScript program in which every value and every gradient has a name.

    Parameters
    ----------
    results : sequence of Value
        Usually one, a loss.  The backward pass starts from 1 at each of them.
    numbers : mapping of (int, int) to anything hashable, optional
        Plain numbers that belong together: for the serial of a result and the number of an operand a key,
        which is the same for one input used in several places.  Without it each is an input of its own.

    Returns
    -------
    GraphProgram

    Raises
    ------
    TraceError
        If an operation cannot be written in JavaScript; it is named.

    Examples
    --------
    >>> w = Value(2.0, name="w")
    >>> program = graph_program([w * 3.0])
    >>> program.inputs["w"] is w, sorted(program.inputs), list(program.gradients.items())[:2]
    (True, ['w', 'y'], [('p', 'd_p'), ('w', 'd_w')])
    """
    results = list(dict.fromkeys(results))
    nodes = ancestors(results)
    replay = _Replay(numbers or {})
    with np.errstate(all="ignore"):
        for value in reversed(nodes):
            replay.replayed(replay.forward, value)
        middle = len(replay.tape.instructions)
        for value in results:
            one = replay.tape.call(copied, (np.ones(value.shape, value.dtype),), {})
            replay.gradients[value] = add(replay.gradients.get(value), one)
        for value in nodes:
            replay.replayed(replay.backward, value)
    return _printed(replay, nodes, middle)


def _printed(replay: _Replay, nodes: list[Value], middle: int) -> GraphProgram:
    forward_only = {i.out for i in replay.tape.instructions[:middle]}
    instructions, same = without_repeats(replay.tape.instructions)

    def final(traced: Any) -> Variable:
        return same.get(traced.variable, traced.variable)

    values = {v: final(t) for v, t in replay.traced.items() if isinstance(t, Traced)}
    contributions = {k: final(c) for k, c in replay.contributions.items() if isinstance(c, Traced)}
    gradients = {}
    of_values = {}
    for whose, g in replay.gradients.items():
        owner = whose if isinstance(whose, Traced) else replay.traced[whose]
        if isinstance(owner, Traced) and isinstance(g, Traced):
            gradients[final(owner)] = final(g)
            if isinstance(whose, Value):
                of_values[whose] = final(g)
    needed = [*values.values(), *contributions.values(), *gradients.values(), *of_values.values()]
    instructions = without_dead(instructions, needed)
    inputs = [t.variable for t, _ in replay.leaves.values()]
    wishes: dict[Variable, str] = {}
    for v, wish in replay.wishes:
        wishes.setdefault(same.get(v, v), wish)
    of = {g: x for x, g in gradients.items()}
    printer = JavaScript(wishes, inputs, needed, of)
    forward = replay.lines(printer, (i for i in instructions if i.out in forward_only))
    backward = replay.lines(printer, (i for i in instructions if i.out not in forward_only))
    name = printer.names.given
    program = GraphProgram(
        source="",
        inputs={name[t.variable]: leaf for t, leaf in replay.leaves.values()},
        values={v.serial: name[variable] for v, variable in values.items()},
        operands={k: name[t.variable] for k, t in replay.plain.items()},
        gradients={name[x]: name[g] for x, g in gradients.items()},
        gradient_names={v.serial: name[g] for v, g in of_values.items()},
        contributions={k: name[c] for k, c in contributions.items()},
        shapes={name[v]: v.shape for v in [*inputs, *needed]},
        arrays={name[v]: printer.array(v.dtype) if v.shape else "number" for v in [*inputs, *needed]},
    )
    outs = {n: n for n in program.values.values() if n not in program.inputs}
    names = (program.gradients, program.gradient_names, program.contributions)
    found = {n: n for named in names for n in named.values()}
    program.source = module(printer, forward, backward, outs, found) + "\nexport { forward, backward };\n"
    return program
