"""The chain rule on paper: what a function computes and how its gradients come back, in LaTeX.

The function is run once on Traced arrays.  A line is printed for each recorded operation, from the formula of
its row, and then, from the last value to the first, one for each gradient, from the NumPy calls of its rule.
"""

from __future__ import annotations

import inspect
import operator
import re
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ...arraylike import Value
from ...derivatives import Row
from ...engine.backprop import backpropagate
from ...engine.record import ancestors
from ...trees import leaves
from ..closure import held_by, is_module
from ..passes import without_repeats
from ..run import Run, traced
from ..state import Effect
from ..tape import Instruction, Traced, TraceError, Variable, _astype, _copied

SUM, PRODUCT, POWER, ATOM = range(4)  # how strongly the parts of a text hold together
GREEK = {
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "eta",
    "theta",
    "lambda",
    "mu",
    "sigma",
    "phi",
    "rho",
    "tau",
}
FUNCTIONS = {
    "exp",
    "log",
    "sin",
    "cos",
    "tan",
    "tanh",
    "sinh",
    "cosh",
    "arctan",
    "arcsin",
    "arccos",
    "max",
    "min",
    "det",
}
SYMBOLS = {
    "·": r"\cdot ", "Σ": r"\sum ", "@": r"\, ", "π": r"\pi ", "Φ": r"\Phi ", "≤": r"\leq ",
    "≥": r"\geq ", "±": r"\pm ", "²": "^{2}", "³": "^{3}", "ᵀ": r"^{\top}", "⁻": "^{-", "¹": "1}",
    "⁺": "^{+}", "₂": "_{2}", "₁": "_{1", "₀": "0}", "×": r"\times ", "∛": r"\sqrt[3]", "√": r"\sqrt",
    "%": r"\%", "_": r"\_", "∞": r"\infty ", "'": "'", "∫": r"\int ",
}  # fmt: skip
OPERATORS = {
    np.add: (" + ", SUM), operator.add: (" + ", SUM), np.subtract: (" - ", SUM),
    operator.sub: (" - ", SUM), np.matmul: (r" \, ", PRODUCT), np.greater: (" > ", SUM),
    operator.gt: (" > ", SUM), np.less: (" < ", SUM), operator.lt: (" < ", SUM),
    np.greater_equal: (r" \geq ", SUM), operator.ge: (r" \geq ", SUM), np.less_equal: (r" \leq ", SUM),
    operator.le: (r" \leq ", SUM), np.equal: (" = ", SUM), operator.eq: (" = ", SUM),
    np.not_equal: (r" \neq ", SUM), operator.ne: (r" \neq ", SUM),
}  # fmt: skip
SHAPING = {np.reshape, np.broadcast_to, np.expand_dims, np.squeeze, np.ravel, _astype, _copied, float}
"""What changes the shape or the type only, of which formulas on paper say nothing."""
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
        if (
            isinstance(thing, (np.ndarray, np.generic))
            and np.size(thing)
            and np.all(thing == np.ravel(thing)[0])
        ):
            if np.ndim(thing) and np.ravel(thing)[0] == 1:
                return r"\mathbf{1}", ATOM
            thing = np.ravel(thing)[0].item()
        if _counts(thing):
            return rf"\left( 0, \ldots, {thing.size - 1} \right)", ATOM
        if isinstance(thing, (int, float)):
            return number(thing), ATOM if thing >= 0 else SUM
        if isinstance(thing, (tuple, list)):
            return rf"\left( {', '.join(map(self.text, thing))} \right)", ATOM
        return (r"\mathrm{constant}" if isinstance(thing, np.ndarray) else words(str(thing))), ATOM

    def operation(self, made: Instruction) -> tuple[str, int]:
        """The call that makes a variable."""
        function, args = made.function, made.args
        name = getattr(function, "__name__", "f")
        if function in SHAPING or (function is operator.getitem and _only_axes(args[1])):
            return self.expression(args[0])
        if function is operator.getitem:
            return f"{self.base(args[0])}_{{{self.index(args[1])}}}", POWER
        if function in (np.transpose, np.swapaxes):
            return rf"{self.base(args[0])}^{{\top}}", POWER
        if function in OPERATORS:
            sign, strength = OPERATORS[function]
            text = sign.join(
                [self.text(args[0], strength), self.text(args[1], strength + (name in ("subtract", "sub")))]
            )
            if made.out.dtype == bool:
                return rf"\left[ {text} \right]", ATOM
            return text, strength
        if function in (np.multiply, operator.mul):
            arrays = all(isinstance(a, Variable) and a.shape for a in args)
            sign = r" \odot " if arrays else r" \cdot "
            return sign.join(self.text(a, PRODUCT) for a in args), PRODUCT
        if function in (np.divide, operator.truediv):
            return rf"\frac{{{self.text(args[0])}}}{{{self.text(args[1])}}}", POWER
        if function in (np.power, operator.pow):
            power = self.text(args[1])
            return self.expression(args[0]) if power == "1" else (f"{self.base(args[0])}^{{{power}}}", POWER)
        if function is np.square:
            return f"{self.base(args[0])}^{{2}}", POWER
        if function in (np.negative, operator.neg):
            return f"-{self.text(args[0], PRODUCT)}", SUM
        if function is np.sqrt:
            return rf"\sqrt{{{self.text(args[0])}}}", ATOM
        if function in (np.absolute, abs):
            return rf"\left| {self.text(args[0])} \right|", ATOM
        if function is np.sum:
            return rf"\sum {self.text(args[0], PRODUCT)}", PRODUCT
        inside = ", ".join(
            self.text(a) for a in args if a is not None and not isinstance(a, (bool, np.dtype, type))
        )
        return rf"{called(name)}\left( {inside} \right)", ATOM

    def base(self, thing: Any) -> str:
        """Something that gets an index or an exponent."""
        text = self.text(thing, ATOM)
        return f"{{{text}}}" if "_" in text or "^" in text else text

    def index(self, index: Any) -> str:
        """An index as a subscript."""
        parts = index if isinstance(index, tuple) else (index,)
        texts = []
        for part in parts:
            if _counts(part):
                texts.append("i")  # row by row
            elif part is Ellipsis or isinstance(part, slice):
                texts.append(":")
            elif part is not None:
                texts.append(self.text(part))
        return ", ".join(texts)

    def recorded(self, row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """The formula of a row, with the arguments of one operation in it."""
        given = [self._plain(a) for a in args]
        function = row.function if row.composition is None else row.composition
        if function in OPERATORS or function in SHAPING or function in SIMPLE or not row.formula:
            return self.operation(Instruction(function, tuple(given), kwargs, Variable(-1, (), float)))[0]
        names = _parameters(row.function, len(args))
        symbols = {name: self.text(a, ATOM) for name, a in zip(names, given)}
        symbols |= {name: self.text(a, ATOM) for name, a in kwargs.items()}
        return from_formula(row.formula, symbols)

    def _plain(self, thing: Any) -> Any:
        if isinstance(thing, Traced):
            return thing.variable
        if isinstance(thing, (list, tuple)):
            return type(thing)(self._plain(t) for t in thing)
        return thing


SIMPLE = {
    np.multiply, np.divide, np.power, np.square, np.negative, np.sqrt, np.absolute, np.sum, np.mean,
    np.transpose, np.swapaxes, operator.getitem,
}  # fmt: skip


def _counts(thing: Any) -> bool:
    """Whether this is 0, 1, 2, ..."""
    return (
        isinstance(thing, np.ndarray) and thing.dtype == int and np.array_equal(thing, np.arange(thing.size))
    )


def _only_axes(index: Any) -> bool:
    """Whether an index only adds axes or takes everything."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(p is None or p is Ellipsis or (type(p) is slice and p == slice(None)) for p in parts)


def _parameters(function: Callable[..., Any], n: int) -> list[str]:
    if isinstance(function, np.ufunc):
        return ["x", "y"][:n]
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ["x", "y"]


def from_formula(formula: str, symbols: dict[str, str]) -> str:
    r"""A formula of the table in LaTeX, with `symbols` for its names.

    Examples
    --------
    >>> print(from_formula("√(x² + y²)", {"x": "a", "y": "b"}))
    \sqrt{a^{2} + b^{2}}
    """
    tokens = re.findall(r"\w*[A-Za-z]\w*|\d+(?:\.\d+)?|\*\*|\s+|.", _split(formula))
    return _joined(tokens, symbols)


def _split(formula: str) -> str:
    """Keep letters apart from what is written above and below them."""
    return re.sub(r"([²³ᵀ⁻¹⁺₀₁₂])", r" \1", formula).replace(" ₁ ₀", " ₁₀")


def _joined(tokens: list[str], symbols: dict[str, str]) -> str:
    texts: list[str] = []
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if token in ("√", "∛", "**") and i + 1 < len(tokens):
            i += 1
            while tokens[i].isspace():
                i += 1
            end = _group(tokens, i)
            inside = tokens[i + 1 : end] if tokens[i] == "(" else tokens[i : end + 1]
            sign = {"√": r"\sqrt", "∛": r"\sqrt[3]", "**": "^"}[token]
            texts.append(f"{sign}{{{_joined(inside, symbols)}}}")
            i = end
        elif token in symbols:
            texts.append(symbols[token])
        elif token.isidentifier() and token not in SYMBOLS:
            texts.append(rf"\{token} " if token in FUNCTIONS | GREEK else words(token) + " ")
        elif token.isspace():
            following = tokens[i + 1] if i + 1 < len(tokens) else ""
            texts.append(
                ""
                if following and following in "²³ᵀ⁻¹⁺₀₁₂"
                else r"\ "
                if _between_words(tokens, i, symbols)
                else " "
            )
        else:
            texts.append(SYMBOLS.get(token, token))
        i += 1
    return re.sub(r" +", " ", "".join(texts)).replace("^{-1}", "^{-1}").strip()


def _between_words(tokens: list[str], i: int, symbols: dict[str, str]) -> bool:
    beside = [t for t in tokens[max(i - 1, 0) : i + 2] if not t.isspace()]
    return any(
        t.isidentifier() and t not in symbols and t not in FUNCTIONS and t not in SYMBOLS for t in beside
    )


def _group(tokens: list[str], i: int) -> int:
    """Where the parenthesis that opens at `i` closes; `i` itself if none opens there."""
    if tokens[i] != "(":
        return i
    depth = 0
    for j in range(i, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[j], 0)
        if not depth:
            return j
    return len(tokens) - 1


def words(text: str) -> str:
    """Upright text."""
    safe = "".join(
        c if c.isascii() and (c.isalnum() or c in " ,.:") else r"\_" if c == "_" else " " for c in text
    )
    return rf"\mathrm{{{safe}}}"


def called(name: str) -> str:
    """A function's name."""
    name = {"maximum": "max", "minimum": "min"}.get(name.strip("_"), name.strip("_"))
    return rf"\{name}" if name in FUNCTIONS else words(name)


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
    return cast(str, traced(function, args, {}, held, True, then)[1])


def _written(run: Run, steps: list[tuple[Value, Traced, Any]], seed: Traced) -> str:
    instructions, same = without_repeats(run.tape.instructions)

    def final(x: Any) -> Any:
        return same.get(x.variable, x.variable) if isinstance(x, Traced) else x

    names: dict[Variable, str] = {}
    taken: set[str] = set()
    for t in run.inputs:
        _give(names, taken, t.variable, symbol(run.names.given[t.variable]), run.names.given[t.variable])
    f = Formulas(instructions, names)
    operations = [(v, data) for v, data, _ in steps if v.row is not None]
    for k, (v, data) in enumerate(operations, 1):
        wish = symbol(v.name) if v.name else "L" if k == len(operations) else f"z_{{{k}}}"
        right = f.recorded(cast(Row, v.row), v.args, v.kwargs)
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
