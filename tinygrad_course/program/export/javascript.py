"""Print a program as JavaScript: plain loops over typed arrays, as the `javascript` of the rows says.

A row gives an expression in the names of its arguments (``"x + y"``, ``"Math.exp(x)"``), which is computed
entry by entry; with `axis` in it (``"sum(x, axis)"``) the call is made once for each line of entries along
the axes.  What only moves entries is not written down at all: the row's own function, called on the positions
of the entries, tells where each comes from.  The few calls that need more than that are written by the
functions in `CALLS`.
"""

from __future__ import annotations

import functools
import json
import math
import operator
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from ...derivatives.reductions import axes_of
from ..facts import arguments, name_of, parameters, row_of
from ..source import Printer
from ..state import Effect
from ..traced import TraceError, astype, copied
from ..variables import Instruction, Names, Variable, expect, variables_in
from .calls import CALLS
from .loops import LETTERS, Place, Shape, collapsed, indented, loops, whole

ARRAYS = {
    "float64": "Float64Array", "float32": "Float32Array", "int64": "Float64Array", "uint64": "Float64Array",
    "int32": "Int32Array", "uint32": "Uint32Array", "int16": "Int16Array", "uint16": "Uint16Array",
    "int8": "Int8Array", "uint8": "Uint8Array", "bool": "Uint8Array",
}  # fmt: skip
"""The typed array for a dtype; whole numbers of 64 bits are exact up to 2 ** 53."""
WORDS = [
    "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do",
    "else", "enum", "export", "extends", "false", "finally", "for", "function", "if", "implements",
    "import", "in", "instanceof", "interface", "let", "new", "null", "package", "private", "protected",
    "public", "return", "static", "super", "switch", "this", "throw", "true", "try", "typeof", "var",
    "void", "while", "with", "yield", "async", "await", "eval", "arguments", "undefined", "NaN",
    "Infinity", "Math", "Number", "Object", "Float64Array", "Float32Array", "Int32Array",
    "Uint32Array", "Int16Array", "Uint16Array", "Int8Array", "Uint8Array", "v", "t", "forward",
    "backward", "__proto__",
]  # fmt: skip
"""Names that mean something in what is printed."""
SIGNS = {operator.invert: "!{}", operator.pow: "power({}, {})"}
"""Python's operators that JavaScript writes in another way."""


DRAWS = "it draws random numbers, which a page would not draw again; call net.eval()"
SAY = 'derivative({}, ..., javascript="..."), or leave it out'


def unwritten(name: str, why: str) -> TraceError:
    """The error for what cannot be printed."""
    return TraceError(f"emit: {name} cannot be written in JavaScript: {why}")


@functools.cache
def helpers() -> dict[str, str]:
    """The functions of ``helpers.js`` by name."""
    text = Path(__file__).with_name("helpers.js").read_text("utf-8")
    return {f[1]: f[0] for f in re.finditer(r"^function (\w+)\(.*?^}\n", text, re.M | re.S)}


class _NumPy(Printer):
    """Says in comments what NumPy's source says."""

    def helper(self, function: Any) -> str:
        return getattr(function, "__name__", "function").strip("_<>")


class JavaScript:
    """Turns the instructions of a program into lines of JavaScript.

    Parameters
    ----------
    names : dict
        Wishes for the names of some variables; the others are named after what makes them.
    inputs : sequence of Variable
        What is given at each call.
    needed : set of Variable
        What gets memory of its own, even if it shows another array in its own way.
    """

    def __init__(
        self,
        names: dict[Variable, str],
        inputs: Sequence[Variable],
        needed: Iterable[Any],
        gradient_of: dict[Variable, Variable] | None = None,
    ) -> None:
        self.numpy = _NumPy({}, gradient_of=gradient_of)
        self.names = self.numpy.names = Names(reserved=[*WORDS, *LETTERS, *helpers()])
        for variable, wish in names.items():
            self.names.give(variable, re.sub(r"\W", "_", unicodedata.normalize("NFKC", wish)))
        self.inputs = list(inputs)
        self.needed = {v for v in needed if isinstance(v, Variable)}
        self.places: dict[Variable, Any] = {v: whole(self.names.given[v], v.shape) for v in inputs}
        self.declared: list[str] = []
        self.constants: list[tuple[Any, Place]] = []

    def lines(self, instructions: Iterable[Instruction]) -> list[str]:
        """The lines of a function's body."""
        return [line for i in instructions if i.function is not expect for line in self.written(i)]

    def written(self, instruction: Instruction) -> list[str]:
        """The lines for one instruction; none for what only shows another array."""
        if self.moves(instruction):
            return self.moved(instruction)
        return self.commented(instruction, self.computed(instruction, self.made(instruction)))

    def commented(self, instruction: Instruction, lines: list[str]) -> list[str]:
        """The lines, and in front of loops what NumPy's source says."""
        if not instruction.out.shape and len(lines) == 1:
            return lines
        text = " ".join(self.numpy.call(instruction).split())  # whatever is in it, on one line
        return [f"// {self.names.given[instruction.out]} = {text}, {instruction.out.shape}", *lines]

    def made(self, instruction: Instruction) -> Place:
        """Memory for what an instruction gives."""
        out, name = instruction.out, self.numpy.name(instruction.out, instruction)
        self.array(out.dtype, name_of(instruction.function))
        self.declare(name, out.shape, out.dtype)
        self.places[out] = whole(name, out.shape)
        return self.places[out]

    def declare(self, name: str, shape: Shape, dtype: Any, entries: str = "") -> None:
        """Keep an array, or a number, from one call to the next."""
        if shape:
            size = entries or str(math.prod(shape))
            self.declared.append(f"const {name} = new {self.array(dtype)}({size}); // {shape}")
        else:
            self.declared.append(f"let {name} = {entries or 0};")

    def array(self, dtype: Any, who: str = "the program") -> str:
        """The class of typed arrays for a dtype."""
        name = "bool" if dtype is None else np.dtype(dtype).name
        if name not in ARRAYS:
            raise unwritten(who, f"it computes in {name}, for which JavaScript has no array; use float32")
        return ARRAYS[name]

    def ones(self, seed: Variable) -> list[str]:
        """The lines that set a gradient to start from."""
        place = self.places[seed] = whole(self.names.given[seed], seed.shape)
        self.declare(place.name, seed.shape, seed.dtype)
        return [f"{place.name} = 1;" if place.number else f"{place.name}.fill(1);"]

    def result(self, thing: Any) -> tuple[str, str]:
        """A name for a result, and the expression that gives it: a constant has a name only here."""
        if isinstance(thing, Variable):
            return self.names.given[thing], self.names.given[thing]
        return self.names.fresh("result"), self.place(thing).name

    # Where things are
    def place(self, thing: Any) -> Place:
        """Where an argument is: a variable's place, or a constant."""
        if isinstance(thing, Variable):
            return self.places[thing]
        if np.ndim(thing) == 0:
            return Place(self.number(np.asarray(thing).item()), number=True)
        array = np.asarray(thing)
        for known, place in self.constants:
            if known is thing:
                return place
        place = whole(self.names.fresh("constant"), array.shape)
        numbers = array.ravel().tolist()
        alike = len(numbers) > 1 == len(set(numbers))
        entries = f"[{', '.join(map(self.number, numbers))}]"
        if alike:
            entries = f"{array.size}).fill({self.number(numbers[0])}"
        self.declare(place.name, array.shape, array.dtype, entries)
        self.constants.append((thing, place))
        return place

    @staticmethod
    def number(x: Any) -> str:
        """A number as JavaScript writes it."""
        if isinstance(x, bool):
            return str(int(x))
        if isinstance(x, float) and not math.isfinite(x):
            return "NaN" if x != x else "Infinity" if x > 0 else "(-Infinity)"
        return repr(x) if math.copysign(1, x) > 0 else f"({x!r})"

    @staticmethod
    def moves(instruction: Instruction) -> bool:
        """Whether the result has entries of the first argument, at places that do not depend on any entry."""
        row, function = row_of(instruction.function), instruction.function
        if row is None or function is astype or not (row.shaping or row.javascript in ("pick", "index")):
            return False
        return not variables_in([instruction.args[1:], instruction.kwargs])

    def moved(self, instruction: Instruction) -> list[str]:
        """Nothing where strides lead to the entries, if no memory is needed; else loops that copy them."""
        out, (x, *rest) = instruction.out, instruction.args
        known: Any = self.place(x)
        if isinstance(known, list):
            seen = known[rest[0]]
        else:
            found: Any = instruction.function(known.positions, *rest, **instruction.kwargs)
            several = isinstance(found, (list, tuple))
            seen = [known.showing(part) for part in found] if several else known.showing(found)
        if isinstance(seen, list) and None in seen:
            raise self.refused(instruction)
        if seen and out not in self.needed:
            self.numpy.names.given.setdefault(out, self.numpy.call(instruction))
            self.places[out] = seen
            return []
        place = self.made(instruction)
        if seen:
            return self.commented(instruction, self.copied(cast(Place, seen), place))
        table = self.place(np.ascontiguousarray(found).ravel())  # says where each entry comes from
        entry = lambda at: [f"{place.name}[{at[0]}] = {known.name}[{table.at(at)}];"]
        return self.commented(instruction, loops((found.size,), entry))

    # What is computed
    def computed(self, instruction: Instruction, out: Place) -> list[str]:
        """The lines that compute an instruction's result."""
        function, row = instruction.function, row_of(instruction.function)
        if function in (copied, float):
            return self.copied(self.place(instruction.args[0]), out)
        expression = expression_of(function)
        if not expression or expression == "pick":
            raise self.refused(instruction)
        if expression in CALLS:
            return CALLS[expression](self, instruction, out)
        args = instruction.args
        values = arguments(row, args, instruction.kwargs) if row else dict(zip("xy", args))
        if row and (strange := set(instruction.kwargs) - set(parameters(row))):
            raise self.refused(instruction, f" with {strange.pop()}=")
        if re.search(r"\baxis\b", expression):
            return self.along(instruction, expression, values, out)
        used = [name for name in values if re.search(rf"(?<![.\w]){name}\b", expression)]
        operands = {name: self.place(values[name]) for name in used}
        return self.entry_by_entry(expression, operands, out, instruction.out)

    def entry_by_entry(
        self, expression: str, operands: dict[str, Place], out: Place, variable: Variable
    ) -> list[str]:
        """Loops that fill `out` with an expression in the names of the operands."""
        names = list(operands)
        wide = [operands[name].stretched(out.shape) for name in names]
        target, *places = collapsed([out, *wide])

        def body(at: list[str]) -> list[str]:
            text = filled(expression, {name: p.at(at) for name, p in zip(names, places)})
            return [f"{target.at(at)} = {self.rounded(text, variable, compares)};"]

        compares = re.fullmatch(r"\w+ [=!<>]=? \w+", expression) is not None
        return loops(target.shape, body)

    def rounded(self, text: str, variable: Variable, compares: bool = False) -> str:
        """An expression as an entry of a variable: numbers of 32 bits are rounded, truth is 0 or 1."""
        name = "bool" if variable.dtype is None else variable.dtype.name
        if name == "float32" and not variable.shape:
            return f"Math.fround({text})"
        if name in ("int64", "uint64"):
            return f"Math.trunc({text}) + 0"  # which is never -0
        if name == "bool" and not compares:
            return f"+(({text}) != 0)"
        if name == "bool" and not variable.shape:
            return f"+({text})"
        return text

    def copied(self, x: Place, out: Place, assign: str = "=") -> list[str]:
        """Loops that copy, or with ``+=`` add, the entries of one place to another."""
        target, source = collapsed([out, x.stretched(out.shape)])
        return loops(target.shape, lambda at: [f"{target.at(at)} {assign} {source.at(at)};"])

    def along(
        self, instruction: Instruction, expression: str, values: dict[str, Any], out: Place
    ) -> list[str]:
        """Loops over the lines of entries along the axes, and a call of a helper for each."""
        row = row_of(instruction.function)
        first = next(iter(values))
        x, axis, initial = self.place(values[first]), values.get("axis"), values.get("initial")
        if values.get("where", True) is not True or row is None:
            raise self.refused(instruction, " with where=")
        axes: Shape = axes_of(x, axis)  # type: ignore[no-untyped-call]
        if x.number:
            x = replace(x, name=f"[{x.name}]", number=False)
        each = x.along([a for a in range(x.ndim) if a not in axes])
        target = replace(whole(out.name, each.shape), number=out.number)
        target, part = collapsed([target, each])
        (inner,) = collapsed([replace(x.along(axes), start=0)])
        n, scratch = math.prod(inner.shape), ""
        if len(inner.shape) > 1:
            scratch = self.names.fresh("line")
            self.declare(scratch, (n,), np.dtype(float))
        more = {
            k: self.number(a)
            for k, a in values.items()
            if k not in (first, "axis") and isinstance(a, (int, float))
        }

        def body(at: list[str]) -> list[str]:
            lines, where = [], part.position(at)
            line = f"{x.name}, {where}, {n}, {inner.strides[0] if inner.shape else 1}"
            if scratch:
                letters = LETTERS[len(at) : len(at) + len(inner.shape)]
                slot = whole(scratch, inner.shape).at(letters)
                entry = f"{x.name}[{where} + {inner.position(letters)}]"
                lines = loops(inner.shape, lambda _: [f"{slot} = {entry};"], after=len(at))
                line = f"{scratch}, 0, {n}, 1"
            text = filled(expression, {first: line, **more}).replace(", axis", "")
            if initial is not None and row.reduction and initial != row.reduction.identity:
                text = filled(expression_of(row.reduction), {"x": text, "y": self.number(initial)})
            return [*lines, f"{target.at(at)} = {self.rounded(text, instruction.out)};"]

        return loops(target.shape, body)

    def contraction(
        self, out: Place, result: str, operands: Sequence[tuple[str, Place]], assign: str = "="
    ) -> list[str]:
        """Loops for a sum of products: axes have letters, and those not in the result are summed over."""
        sizes: dict[str, int] = {}
        steps: list[dict[str, int]] = []
        for letters, place in [(result, out), *operands]:
            steps.append({})
            for letter, n, stride in zip(letters, place.shape, place.strides, strict=True):
                sizes[letter] = n if n != 1 else sizes.get(letter, 1)
                steps[-1][letter] = steps[-1].get(letter, 0) + (stride if n > 1 else 0)
        inner = "".join(letter for letter, n in sizes.items() if letter not in result and n != 1)
        result = "".join(letter for letter in result if sizes[letter] != 1)
        all_letters = result + inner

        def entry(place: Place, mine: dict[str, int], at: list[str]) -> str:
            used = [mine.get(letter, 0) for letter in all_letters]
            return Place(place.name, (0,) * len(used), tuple(used), place.start, place.number).at(at)

        def body(at: list[str]) -> list[str]:
            def term(more: list[str]) -> list[str]:
                return [
                    f"t += {' * '.join(entry(p, s, at + more) for (_, p), s in zip(operands, steps[1:]))};"
                ]

            summed = loops([sizes[letter] for letter in inner], term, after=len(at))
            end = f"{entry(out, steps[0], at)} {assign} t;"
            return ["let t = 0;", *summed, end] if inner else [f"{end[:-2]}{term([])[0][5:]}"]

        lines = loops([sizes[letter] for letter in result], body)
        return lines if result or not inner else ["{", *indented(lines), "}"]

    # What cannot be
    def refused(self, instruction: Instruction, how: str = "") -> TraceError:
        """What to say of an instruction that cannot be printed."""
        name, row = name_of(instruction.function), row_of(instruction.function)
        if isinstance(instruction.function, Effect):
            return TraceError(f"emit: {name} changes parameters; emit the part without it")
        if row is not None and row.draws:
            return unwritten(name, DRAWS)
        return unwritten(name + how, f"its row does not say how; say it, {SAY.format(name)}")


def expression_of(function: Any) -> str:
    """How JavaScript writes a function, as its row or Python's sign for it says; empty if neither does.

    Examples
    --------
    >>> expression_of(np.exp), expression_of(np.add), expression_of(operator.invert)
    ('Math.exp(x)', 'x + y', '!x')
    """
    row = row_of(function)
    sign = SIGNS.get(function) or Printer.sign(function)
    return (row.javascript if row else "") or sign.replace("{}", "x", 1).replace("{}", "y")


def filled(expression: str, texts: dict[str, str]) -> str:
    """An expression with texts in the place of names.

    Examples
    --------
    >>> filled("Math.max(x, y)", {"x": "a[i]", "y": "0.5"})
    'Math.max(a[i], 0.5)'
    """
    names = "|".join(map(re.escape, texts))
    return re.sub(rf"(?<![.\w])(?:{names})\b", lambda m: texts[m[0]], expression) if texts else expression


def module(printer: JavaScript, forward: list[str], backward: list[str], outs: Any, found: Any) -> str:
    """The program without an export: what it keeps, `forward` and `backward`, and the helpers.

    `outs` says what `forward` fills in and `found` what `backward` gives: an expression for each name.
    """
    lines = [
        f"// {place.name}: {v.shape} {printer.array(v.dtype)}"
        for v, place in printer.places.items()
        if v in printer.inputs and v.shape
    ]
    lines += printer.declared
    inputs = [printer.names.given[v] for v in printer.inputs]
    for name, body, given, end in (
        ("forward", forward, outs, "return Object.assign(v, {});"),
        ("backward", backward, found, "return {};"),
    ):
        pairs = ", ".join(key if key == text else f"{key}: {text}" for key, text in given.items())
        ending = end.replace("{}", f"{{ {pairs} }}" if pairs else "{}")
        words = set(
            re.findall(r"\w+", "\n".join(line for line in [*body, ending] if not line.startswith("//")))
        )
        read = ", ".join(n for n in inputs if n in words)
        taken = [f"const {{ {read} }} = v;"] if read else []
        lines += ["", f"function {name}(v) {{", *indented([*taken, *body, ending]), "}"]
    used: dict[str, str] = {}
    waiting = [*forward, *backward]
    while waiting:
        for name in re.findall(r"(?<![.\w])\w+(?=\()", waiting.pop()):
            if name in helpers() and name not in used:
                used[name] = helpers()[name]
                waiting.append(used[name])
    return "\n".join([*lines, *(f"\n{text.rstrip()}" for text in used.values()), ""])


def javascript_source(parts: Any) -> str:
    """A program as an ES module: `forward`, `backward`, and the names of what goes in and comes out."""
    results = parts.outs[: parts.results]
    gradients = {name: g for name, g in zip(parts.targets, parts.gradients) if g is not None}
    printer = JavaScript(parts.names, parts.inputs, [*results, *gradients.values()], parts.gradient_of)
    by_name = {parts.names[v]: printer.names.given[v] for v in parts.inputs}
    forward = printer.lines(parts.forward)
    backward = [line for seed in parts.seeds for line in printer.ones(seed.variable)]
    backward += printer.lines(parts.backward)
    outs = [printer.result(r) for r in results]
    found = {by_name[name]: printer.result(g) for name, g in gradients.items()}
    text = module(printer, forward, backward, dict(outs), dict(found.values()))
    listed = ", ".join(f"{name}: {json.dumps(g)}" for name, (g, _) in found.items())
    end = [
        f"const inputs = {json.dumps(list(by_name.values()))}; // the arguments, then what else is read",
        f"const results = {json.dumps([name for name, _ in outs])};",
        f"const gradients = {{ {listed} }}; // of each input, by name" if listed else "const gradients = {};",
        "",
        "export { forward, backward, inputs, results, gradients };",
    ]
    return "\n".join([text, *end, ""])
