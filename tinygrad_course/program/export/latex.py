r"""The chain rule on paper: what a function computes and how its gradients come back, in LaTeX.

The function is run once on Traced arrays.  A line is printed for each recorded operation, and then, from the
last value to the first, one for each gradient, from the NumPy calls of its rule.  An operation is written as
its row says: by its `latex`, or else its `formula`, with the arguments in place of their names, and in
parentheses where what stands beside them asks for it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ...arraylike import Value
from ...derivatives import Row
from ...engine.backprop import backpropagate
from ...engine.record import ancestors
from ...trees import leaves
from ..closure import held_by
from ..facts import arguments, row_of
from ..kinds import is_module
from ..passes import without_repeats
from ..run import Run, traced
from ..state import Effect
from ..traced import Traced, TraceError, copied, noted_in
from ..variables import Instruction, Variable

SUM, PRODUCT, POWER, ATOM = range(4)  # how strongly the parts of a text hold together
GREEK = set("alpha beta gamma delta epsilon eta theta lambda mu sigma phi rho tau".split())  # noqa: SIM905
FUNCTIONS = set("exp log sin cos tan tanh sinh cosh arctan arcsin arccos max min det".split())  # noqa: SIM905
SYMBOLS = {
    "·": r"\cdot ", "Σ": r"\sum ", "@": r"\, ", "π": r"\pi ", "δ": r"\delta ", "λ": r"\lambda ",
    "Φ": r"\Phi ", "≤": r"\leq ", "≥": r"\geq ", "≠": r"\neq ", "±": r"\pm ", "×": r"\times ",
    "%": r"\%", "∞": r"\infty ", "∫": r"\int ",
}  # fmt: skip
SUBSCRIPTS = "₀₁₂ᵥ"
SCRIPTS = str.maketrans("²³¹⁺⁻ˣᵃᵇᵏ" + SUBSCRIPTS, "231+-xabk012v") | {ord("ᵀ"): r"\top"}
OPERATORS = {
    **dict.fromkeys([*"+-=<>,", r"\leq", r"\geq", r"\neq", r"\ "], SUM),
    **dict.fromkeys(["/", r"\cdot", r"\odot", r"\,", r"\times", r"\sum"], PRODUCT),
}
"""What stands between arguments, and how strongly they have to hold together beside it."""
OPENING = {*"([{|", r"\left(", r"\left[", r"\left|"}
CLOSING = {*")]}|", r"\right)", r"\right]", r"\right|"}
NAME = r"[A-Za-z](?:\w*[A-Za-z0-9])?"
LONG = 70  # a longer expression gets a name of its own


class Formulas:
    """Writes variables of a tape as LaTeX.

    Attributes
    ----------
    names : dict
        What has a symbol.
    lines : list of (str, str)
        Left and right sides so far.
    """

    def __init__(self, instructions: list[Instruction], names: dict[Variable, str]) -> None:
        self.made = {i.out: i for i in instructions}
        self.names = names
        self.lines: list[tuple[str, str]] = []
        self._helpers = 0

    def text(self, thing: Any, least: int = SUM) -> str:
        """An argument, in parentheses if it holds together less than `least`."""
        text, strength = self.expression(thing)
        return rf"\left( {text} \right)" if strength < least else text

    def expression(self, thing: Any) -> tuple[str, int]:
        """An argument, and how strongly its parts hold together."""
        if isinstance(thing, Variable):
            if thing not in self.names:
                text, strength = self.operation(self.made[thing])
                if len(text) <= LONG:
                    return text, strength
                self._helpers += 1
                self.names[thing] = f"a_{{{self._helpers}}}"
                self.lines.append((self.names[thing], text))
            return self.names[thing], ATOM
        if isinstance(thing, (np.ndarray, np.generic)) and np.size(thing):
            first = np.ravel(thing)[0]
            if np.ndim(thing) and first == 1 and np.all(thing == first):
                return r"\mathbf{1}", ATOM
            thing = first.item() if np.all(thing == first) else thing
        if _counts(thing):
            return rf"\left( 0, \ldots, {thing.size - 1} \right)", ATOM
        if isinstance(thing, (int, float)):
            return number(thing), ATOM if thing >= 0 else SUM
        if thing is Ellipsis or isinstance(thing, slice):
            return ":", ATOM
        if isinstance(thing, (tuple, list)):
            return rf"\left( {', '.join(map(self.text, thing))} \right)", ATOM
        return (r"\mathrm{constant}" if isinstance(thing, np.ndarray) else words(str(thing))), ATOM

    def operation(self, made: Instruction) -> tuple[str, int]:
        """The call that makes a variable."""
        if made.function in (float, copied):
            return self.expression(made.args[0])
        return self.written(row_of(made.function) or Row(made.function), made.args, made.kwargs)

    def written(self, row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, int]:
        """An operation as its row writes it, or else by its name."""
        if not (row.latex or row.formula):
            inside = [a for a in args if a is not None and not isinstance(a, (bool, np.dtype, type))]
            return rf"{words(row.name)}\left( {', '.join(map(self.text, inside))} \right)", ATOM
        values = arguments(row, args, kwargs)
        slots = {name: f"«{name}»" for name in values}
        template = from_formula(row.formula, slots)
        if row.latex:
            template = re.sub(rf"(?<![\\A-Za-z]){NAME}", lambda m: slots.get(m[0], m[0]), row.latex)
        if not all(isinstance(a, Variable) and a.shape for a in args):
            template = template.replace(r"\odot", r"\cdot")  # only the product of two arrays is by entries
        for name, a in values.items():  # neither an exponent of 1 is written nor an index of axes only
            if f"^{{«{name}»}}" in template and self.text(a) == "1":
                template = template.replace(f"^{{«{name}»}}", "")
            if a is None or a is inspect.Parameter.empty:  # neither what is not given and only added
                template = template.replace(f" + «{name}»", "").replace(f"«{name}»", words(name))
            if f"_{{«{name}»}}" in template:
                index = self.index(a)
                template = template.replace(f"_{{«{name}»}}", f"_{{{index}}}" if index else "")
        return self.filled(template, values)

    def filled(self, template: str, values: dict[str, Any]) -> tuple[str, int]:
        """A template with the values in it, and how strongly its parts hold together."""
        tokens = [r"\left(", *re.findall(r"«\w+»|\\(?:left|right).|\\[A-Za-z]+|\\.|\S", template), r"\right)"]
        texts, top, own = [], [], ATOM
        for before, token, after in zip(tokens, tokens[1:], tokens[2:]):
            if token[0] == "«":
                left = OPERATORS.get(before, SUM if before in OPENING else ATOM) + (before in "-/")
                left = ATOM if before == r"\ " else left  # a word may be a function's name
                right = OPERATORS.get(after, SUM if after in CLOSING else ATOM)
                text, own = self.expression(values[token[1:-1]])
                text = rf"\left( {text} \right)" if own < max(left, right) else text
                if after in "^_" and ("_" in text or "^" in text) and not (after == "^" and _is_symbol(text)):
                    text = f"{{{text}}}"
                texts.append(text)
        depth = 0
        for token in tokens[1:-1]:
            depth -= token in CLOSING - OPENING
            top += [] if depth else [token]
            depth += token in OPENING - CLOSING
        if len(top) > 1:
            loose = [OPERATORS[t] for t in top if t in OPERATORS]
            script = POWER if {"^", "_", r"\frac"} & {*top} else ATOM
            beside = PRODUCT if script == ATOM and any(t[0] == "«" for t in top) else script
            own = min(loose, default=beside)
        found = iter(texts)
        return re.sub(r"«\w+»", lambda m: next(found), template).strip(), own

    def index(self, index: Any) -> str:
        """An index as a subscript; nothing if it only adds axes or takes everything."""
        parts = index if isinstance(index, tuple) else (index,)
        if all(p is None or p is Ellipsis or (type(p) is slice and p == slice(None)) for p in parts):
            return ""
        texts = ["i" if _counts(p) else ":" if p is Ellipsis or isinstance(p, slice) else p for p in parts]
        return ", ".join(t if isinstance(t, str) else self.text(t) for t in texts if t is not None)


def _is_symbol(text: str) -> bool:
    """Whether this is a letter or a name, perhaps with an index."""
    return re.fullmatch(r"\\?\w+(_\{[^{}]*(\{[^{}]*\})?\})?", text) is not None


def _counts(thing: Any) -> bool:
    """Whether this is 0, 1, 2, ..., which as an index is: row by row."""
    return (
        isinstance(thing, np.ndarray) and thing.dtype == int and np.array_equal(thing, np.arange(thing.size))
    )


def from_formula(formula: str, symbols: dict[str, str]) -> str:
    r"""A formula of the table in LaTeX, with `symbols` for its names.

    Examples
    --------
    >>> print(from_formula("√(x² + y²)", {"x": "a", "y": "b"}))
    \sqrt{a^{2} + b^{2}}
    """

    def written(m: re.Match[str]) -> str:
        text, before = m[0], re.split(r"\W", m.string[: m.start()])[-1]
        if m["inside"]:
            inside = from_formula(m["inside"].removeprefix("(").removesuffix(")"), symbols)
            return {"√": r"\sqrt", "∛": r"\sqrt[3]"}.get(text[0], "^") + f"{{{inside}}}"
        if m["script"]:
            return ("_" if m["script"][0] in SUBSCRIPTS else "^") + f"{{{m['script'].translate(SCRIPTS)}}}"
        if m["gap"]:
            return " " if before in FUNCTIONS | GREEK else r"\ "
        if m["word"] and text not in symbols:
            return rf"\{text} " if text in FUNCTIONS | GREEK else words(text) if len(text) > 1 else text
        return symbols.get(text) or SYMBOLS.get(text, text)

    group = r"\((?:[^()]|\([^()]*\))*\)|[A-Za-z0-9λπ]+"
    parts = [
        rf"(?:√|∛| *\*\*) *(?P<inside>{group})",
        rf"(?P<script>[²³ᵀ⁻¹⁺ˣᵃᵇᵏ]+|[{SUBSCRIPTS}]+)",
        r"(?P<gap>(?<=[A-Za-z0-9)²\]]) (?=[A-Za-z0-9|])|(?<=,) (?=[a-z]{2}))",
        rf"(?P<word>{NAME})",
        ".",
    ]
    return re.sub(" +", " ", re.sub("|".join(parts), written, formula)).strip()


def words(text: str) -> str:
    """Upright text; the name of a function that LaTeX has."""
    if text in FUNCTIONS:
        return rf"\{text}"
    safe = "".join(
        c if c.isascii() and (c.isalnum() or c in " ,.:") else r"\_" if c == "_" else " " for c in text
    )
    return rf"\mathrm{{{safe}}}"


def number(x: float) -> str:
    """A number, with a power of ten where it is written so."""
    text = f"{x:.6g}"
    if text in ("inf", "-inf", "nan"):
        return text.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    mantissa, e, power = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(power)}}}" if e else mantissa


def symbol(name: str) -> str:
    r"""A name as a symbol.

    Examples
    --------
    >>> print(symbol("x1"), symbol("model_hidden_weight"), symbol("theta"), symbol("loss"))
    x_{1} W_{\mathrm{hidden}} \theta \mathrm{loss}
    """
    *path, last = re.split(r"[._]", name)
    letter = {"weight": "W", "bias": "b"}.get(last)
    if letter and path:
        place = path[1:] if len(path) > 1 else path
        return f"{letter}_{{{words(' '.join(place))}}}"
    if match := re.fullmatch(r"([A-Za-z]|" + "|".join(GREEK) + r")(\d*)", name):
        base, digits = match.groups()
        base = rf"\{base}" if base in GREEK else base
        return f"{base}_{{{digits}}}" if digits else base
    return words(name)


def latex(function: Callable[..., Any], args: tuple[Any, ...]) -> str:
    """The forward and the backward pass as an ``align*`` environment."""

    def then(run: Run, result: Any) -> str:
        outs = [o for o in leaves(result) if type(o) is Value and o.parents]
        if any(isinstance(i.function, Effect) for i in run.tape.instructions):
            raise TraceError(
                "emit: LaTeX is for a function that only computes, and makes no optimizer's step"
            )
        if not outs:
            raise TraceError(
                "emit: LaTeX shows how gradients come back, and the result depends on no Value; give as "
                "Values what the gradients are wanted of: emit(f, Value(x), target='latex')"
            )
        if len(outs) > 1:
            raise TraceError(
                f"emit: LaTeX is for one result with a gradient, such as a loss, and the function gives "
                f"{len(outs)}; emit a function that gives one of them"
            )
        for v in [*[v for _, v in run.values], *[v for _, v, _ in run.arguments]]:
            v.grad = None
        data = outs[0].data.data
        seed = run.tape.input(1.0 if type(data) is float else np.ones_like(data))
        backpropagate(outs[0], cast(Any, seed))
        nodes = ancestors(outs)[::-1]
        return _written(run, [(v, v.data, v.grad) for v in nodes if isinstance(v.data, Traced)], seed)

    held = held_by(function, *filter(is_module, args))
    return cast(str, traced(function, args, {}, held, True, then, {})[1])


def _written(run: Run, steps: list[tuple[Value, Traced, Any]], seed: Traced) -> str:
    instructions, same = without_repeats(run.tape.instructions)

    def final(x: Any) -> Any:
        return same.get(x.variable, x.variable) if isinstance(x, Traced) else x

    names: dict[Variable, str] = {}
    taken: set[str] = set()
    for t in run.inputs:
        _give(names, taken, t.variable, symbol(run.names.given[t.variable]), run.names.given[t.variable])
    f = Formulas([*run.tape.instructions, *instructions], names)  # what is made twice is written either way
    operations = [(v, data) for v, data, _ in steps if v.row is not None]
    for k, (v, data) in enumerate(operations, 1):
        wish = symbol(v.name) if v.name else "L" if k == len(operations) else f"z_{{{k}}}"
        right = f.written(cast(Row, v.row), *noted_in((v.args, v.kwargs)))[0]
        _give(names, taken, data.variable, wish, v.name or f"z{k}")
        names.setdefault(final(data), names[data.variable])
        f.lines.append((names[data.variable], right))
    result = names[operations[-1][1].variable]
    forward, f.lines = f.lines, []
    for _, data, g in reversed(steps):  # leaves are older than what was computed from them
        if g is None:
            continue
        left = rf"\frac{{\partial {result}}}{{\partial {names[data.variable]}}}"
        variable = final(g)
        if isinstance(variable, Variable) and variable not in names:
            right = "1" if g is seed else f.operation(f.made[variable])[0]
        else:
            right = f.text(variable)
        if isinstance(variable, Variable):
            names.setdefault(variable, left)
        if right != left:
            f.lines.append((left, right))
    lines = [f"{left} &= {right}" for left, right in [*forward, *f.lines]]
    lines.insert(len(forward), r"\text{backward} &")
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"


def _give(names: dict[Variable, str], taken: set[str], variable: Variable, wish: str, full: str) -> None:
    """Name a variable as wished, or by its full name where the wish is taken."""
    wish = words(full) if wish in taken else wish
    k = 2
    name = wish
    while name in taken:
        name, k = f"{wish}^{{({k})}}", k + 1
    taken.add(name)
    names[variable] = name
