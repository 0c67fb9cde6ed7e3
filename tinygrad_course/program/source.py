"""Print a program as NumPy source that a student can read, and that runs with only ``import numpy as np``."""

from __future__ import annotations

import inspect
import itertools
import math
import operator
import textwrap
import types
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..arraylike import Value
from .facts import row_of
from .passes import Plan, is_slope, variables_in
from .state import Effect
from .traced import _astype, _copied
from .variables import Instruction, Names, Variable, expect

SIGNS = {
    operator.add: "{} + {}", operator.sub: "{} - {}", operator.mul: "{} * {}", operator.truediv: "{} / {}",
    operator.pow: "{} ** {}", operator.neg: "-{}", operator.pos: "+{}", operator.matmul: "{} @ {}",
    operator.mod: "{} % {}", operator.floordiv: "{} // {}", operator.invert: "~{}", operator.and_: "{} & {}",
    operator.or_: "{} | {}", operator.xor: "{} ^ {}", operator.lt: "{} < {}", operator.le: "{} <= {}",
    operator.gt: "{} > {}", operator.ge: "{} >= {}", operator.eq: "{} == {}", operator.ne: "{} != {}",
}  # fmt: skip
"""How Python writes its operators."""
DEFAULTS = [("axis", None), ("keepdims", False), ("dtype", None), ("out", None), ("order", "C")]
SHORT = 8  # constants of at most so many entries are printed, larger ones are arguments


class Printer:
    """Turns the instructions of a program into lines of Python.

    Parameters
    ----------
    names : dict
        Names for some of the variables (inputs, parameters); the others are named after what makes them.
    plan : Plan, optional
        Where results are written (``out=``); without it, a plain readable program.
    """

    def __init__(
        self,
        names: dict[Variable, str],
        plan: Plan | None = None,
        values: dict[int, str] | None = None,
        gradient_of: dict[Variable, Variable] | None = None,
    ) -> None:
        self.names = Names(names)
        self.plan = plan
        self.buffers = [self.names.fresh(f"_{i}") for i in range(len(plan.buffers))] if plan else []
        self.gradient_of = gradient_of or {}
        self.values = values or {}  # id of a parameter -> the name of its data
        self.constants: dict[str, Any] = {}  # name -> array, for what is too long to print
        self.helpers: dict[str, Callable[..., Any]] = {}  # name -> function of our own

    def lines(self, instructions: Sequence[Instruction], strict: bool = False) -> list[str]:
        """One line an instruction; views, such as a transpose, stand where they are used.

        Where it is to be executed and not `strict` all along, what was traced in a walk back gets the walk's
        settings for 0 / 0.
        """
        if not self.plan or strict:
            return self._lines(instructions)
        lines = []
        for walking, part in itertools.groupby(instructions, lambda i: i.strict):
            inside = self._lines(part)
            if walking and inside:
                lines.append(
                    "with np.errstate(divide='ignore', over='ignore', under='ignore', invalid='raise'):"
                )
                inside = [f"    {line}" for line in inside]
            lines += inside
        return lines

    def _lines(self, instructions: Iterable[Instruction]) -> list[str]:
        lines = []
        for instruction in instructions:
            if isinstance(instruction.function, Effect) and self.plan:
                lines.append("lease.changed = True")
            if instruction.function is expect and not self.plan:
                continue  # of no interest to people
            if is_view(instruction) and not self.plan:
                self.names.given[instruction.out] = self.call(instruction)
            elif is_slope(instruction):
                lines += self.slope(instruction)
            else:
                lines.append(self.line(instruction))
        return lines

    def line(self, instruction: Instruction) -> str:
        """``name = call``, with the shape as a comment where there is one."""
        name = self.name(instruction.out, instruction)
        place = self.plan.places.get(instruction.out) if self.plan else None
        if place is None:
            text = f"{name} = {self.call(instruction)}"
        else:
            arguments = [self.text(a, instruction) for a in instruction.args]
            arguments += [f"{k}={self.text(a, instruction)}" for k, a in instruction.kwargs.items()]
            arguments.append(f"out={self.buffers[place]}")
            text = f"{name} = {self.function(instruction.function)}({', '.join(arguments)})"
        shape = instruction.out.shape
        return f"{text}  # {shape}" if shape and not self.plan else text

    def slope(self, instruction: Instruction) -> list[str]:
        """The gradient of the softmax cross-entropy: a product, and a subtraction at the target classes."""
        p, scale, g, target = map(self.text, instruction.args)
        name, out = self.name(instruction.out, instruction), instruction.out
        place = self.plan.places.get(out) if self.plan else None
        text = (
            f"{p} * {scale}[:, None]"
            if place is None
            else f"np.multiply({p}, {scale}[:, None], out={self.buffers[place]})"
        )
        note = "" if self.plan else f"  # {out.shape}"
        return [f"{name} = {text}{note}", f"{name}[{self.text(np.arange(out.shape[0]))}, {target}] -= {g}"]

    def call(self, instruction: Instruction) -> str:
        """The expression on the right."""
        function, args, kwargs = instruction.function, instruction.args, instruction.kwargs
        texts = [self.text(a, instruction) for a in args]
        if function is operator.getitem:
            return f"{texts[0]}[{self.index(args[1])}]"
        if function is _astype:
            number = isinstance(args[0], Variable) and args[0].is_float
            return f"np.array({texts[0]}, {texts[1]})" if number else f"{texts[0]}.astype({texts[1]})"
        if function is _copied:
            return f"{texts[0]}.copy()"
        if function is np.transpose and (len(args) == 1 or args[1] is None) and not kwargs:
            return f"{texts[0]}.T"
        if self.plan and (quick := self.quickly(instruction, texts)):
            return quick
        if (
            (sign := self.sign(function))
            and not kwargs
            and not any(isinstance(a, (list, tuple)) for a in args)
        ):
            return sign.format(*texts)
        keywords = [f"{k}={self.text(a, instruction)}" for k, a in kwargs.items() if (k, a) not in DEFAULTS]
        return f"{self.function(function)}({', '.join(texts + keywords)})"

    def quickly(self, instruction: Instruction, texts: list[str]) -> str:
        """What some of NumPy's functions do in the end, without what they do before; empty for others."""
        function, args, out = instruction.function, instruction.args, instruction.out
        more = instruction.kwargs
        x = args[0] if args and isinstance(args[0], Variable) else None
        if x is None or len(args) > 2 or more.keys() - {"axis", "keepdims"}:
            return ""
        if function is np.broadcast_to and not x.shape and not x.is_float:
            shape = self.text(out.shape)
            return f"np.ndarray({shape}, {texts[0]}.dtype, {texts[0]}, 0, {self.text((0,) * len(out.shape))})"
        kept = ", keepdims=True" if more.get("keepdims") else ""
        row = row_of(function)
        if row and row.reduction and x.shape:
            axis = self.text(more.get("axis", args[1] if len(args) > 1 else None))
            return f"{self.function(row.reduction)}.reduce({texts[0]}, {axis}{kept})"
        n = math.prod(x.shape) // max(1, math.prod(out.shape))
        if function is np.mean and x.dtype in (np.float32, np.float64) and 0 < n < 2**24 and not out.shape:
            return f"np.add.reduce({texts[0]}, None{kept}) / {n}"
        return ""

    @staticmethod
    def sign(function: Callable[..., Any]) -> str:
        """How Python writes a function that is one of its operators; empty for others."""
        row = row_of(function)
        known = (function, row.scalar, row.operator) if row and function is not np.power else (function,)
        return next((SIGNS[f] for f in known if f in SIGNS), "")

    def index(self, index: Any) -> str:
        """What stands between the brackets of ``x[...]``."""
        parts = index if isinstance(index, tuple) else (index,)
        texts = []
        for part in parts:
            if isinstance(part, slice):
                ends = ["" if e is None else self.text(e) for e in (part.start, part.stop)]
                texts.append(":".join(ends) + ("" if part.step is None else f":{self.text(part.step)}"))
            else:
                texts.append("..." if part is Ellipsis else self.text(part))
        return (
            ", ".join(texts) + ("," if isinstance(index, tuple) and len(texts) == 1 else "")
            if texts
            else "()"
        )

    def text(self, thing: Any, instruction: Instruction | None = None) -> str:
        """An argument as Python source."""
        if isinstance(thing, Variable):
            return self.names.given[thing]
        if isinstance(thing, (tuple, list)):
            inside = ", ".join(self.text(t) for t in thing)
            return f"[{inside}]" if isinstance(thing, list) else f"({inside}{',' if len(thing) == 1 else ''})"
        if isinstance(thing, slice):
            return f"slice({self.text(thing.start)}, {self.text(thing.stop)}, {self.text(thing.step)})"
        if isinstance(thing, Value) and not self.plan and id(thing) in self.values:
            return self.values[id(thing)]
        if isinstance(thing, np.ndarray):
            return self.array(thing)
        if isinstance(thing, np.generic):
            return f"np.{thing.dtype.name}({thing.item()!r})" if _finite(thing) else self.constant(thing)
        if isinstance(thing, np.dtype):
            return f"np.{thing.name}"
        if isinstance(thing, type):
            return f"np.{thing.__name__}" if issubclass(thing, np.generic) else thing.__name__
        if isinstance(thing, (str, bool, type(None))):
            return repr(thing)
        if isinstance(thing, (int, float)):
            return self.number(thing, instruction)
        return "..." if thing is Ellipsis else self.constant(thing)

    def number(self, number: float | int, instruction: Instruction | None) -> str:
        """A Python number; where speed counts, an array without axes, which needs no conversion each time."""
        if self.plan and instruction and isinstance(instruction.function, np.ufunc) and instruction.out.shape:
            dtypes = {v.dtype for v in variables_in(instruction.args)} - {np.dtype(bool)}
            if len(dtypes) == 1 and (dtype := next(iter(dtypes))).kind == "f":
                return self.constant(np.array(number, dtype))
        if isinstance(number, int):
            quick = self.plan and instruction and instruction.out.is_float and abs(number) < 2**53
            return repr(float(number)) if quick else repr(number)
        if not math.isfinite(number):
            return f'float("{number}")'
        return repr(number) if math.copysign(1, number) > 0 else f"({number!r})"

    def array(self, array: np.ndarray) -> str:
        """An array that was a constant while tracing."""
        if self.plan or not array.size or not np.all(np.isfinite(array)):
            return self.constant(array)
        first, dtype = array.flat[0].item(), f"np.{array.dtype.name}"
        if array.size > 1 and np.all(array == first):
            kind = {0.0: "zeros", 1.0: "ones"}.get(first)
            kind = None if math.copysign(1, first) < 0 else kind
            return (
                f"np.{kind}({array.shape}, {dtype})"
                if kind
                else f"np.full({array.shape}, {first!r}, {dtype})"
            )
        if array.ndim == 1 and array.dtype == int and np.array_equal(array, np.arange(array.size)):
            return f"np.arange({array.size})"
        return self.constant(array) if array.size > SHORT else f"np.array({array.tolist()!r}, {dtype})"

    def constant(self, thing: Any) -> str:
        """The name of something that is not printed."""
        for name, known in self.constants.items():
            if known is thing or (type(known) is type(thing) is np.ndarray and _same(known, thing)):
                return name
        wish = "c" if self.plan else getattr(thing, "__name__", "constant")
        name = self.names.fresh(wish)
        self.constants[name] = thing
        return name

    def listed(self, things: Iterable[Any]) -> str:
        """Arguments, one after the other."""
        return ", ".join(map(self.text, things))

    def function(self, function: Callable[..., Any]) -> str:
        """The name to call a function by."""
        if isinstance(function, Effect):
            return self.constant(function)
        if isinstance(function, np.ufunc):
            return (
                f"np.{function.__name__}"
                if getattr(np, function.__name__, None) is function
                else self.helper(function)
            )
        owner = getattr(function, "__self__", None)
        if isinstance(owner, np.ufunc):
            return f"np.{owner.__name__}.{function.__name__}"
        module, name = getattr(function, "__module__", None) or "", getattr(function, "__name__", "")
        if module in ("numpy", "numpy.linalg") and hasattr(np if module == "numpy" else np.linalg, name):
            return f"{module.replace('numpy', 'np')}.{name}"
        if module == "math":
            return self.constant(function) if self.plan else f"math.{name}"
        return "abs" if function is abs else "float" if function is float else self.helper(function)

    def helper(self, function: Any) -> str:
        """The name of a function of our own, whose source goes before the program."""
        name = getattr(function, "__name__", "function").replace("<lambda>", "function")
        for known, other in self.helpers.items():
            if other is function:
                return known
        name = self.names.fresh(name)
        self.helpers[name] = function
        return name

    def name(self, variable: Variable, instruction: Instruction) -> str:
        """A name for what an instruction gives: ``d_x`` for the gradient of x."""
        whose = self.names.given.get(self.gradient_of.get(variable, variable), "")
        self.names.give(variable, f"d_{whose}" if whose.isidentifier() else _named_after(instruction))
        return self.names.given[variable]


def _finite(number: Any) -> bool:
    return bool(np.isfinite(number))


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.ndim == 0 and a.tobytes() == b.tobytes()


def _named_after(instruction: Instruction) -> str:
    if isinstance(instruction.function, Effect):
        return "changed"
    row, name = row_of(instruction.function), getattr(instruction.function, "__name__", "v").strip("_")
    return (row.result if row else "") or (name if name.isidentifier() else "v")


def is_view(instruction: Instruction) -> bool:
    """Whether what is made only shows another array in its own way, and so is printed where it is used."""
    row = row_of(instruction.function)
    shows = instruction.function is operator.getitem or (row is not None and row.shaping)
    return shows and instruction.out.source is not None


def sources_of(helpers: dict[str, Callable[..., Any]]) -> list[str]:
    """The definitions of functions of our own that a program calls, and of what those use."""
    texts: dict[str, str] = {}
    waiting = list(helpers.items())
    while waiting:
        name, thing = waiting.pop()
        if name in texts:
            continue
        function = inspect.unwrap(thing) if callable(thing) else thing
        if isinstance(function, types.FunctionType):
            text = textwrap.dedent(inspect.getsource(function)).rstrip()
            alias = f"\n\n\n{name} = {function.__name__}" if name != function.__name__ else ""
            texts[name] = text + alias
            known = function.__globals__
            waiting += [
                (n, known[n]) for n in function.__code__.co_names if n in known and n not in ("np", "math")
            ]
        elif isinstance(function, (int, float, str)):
            texts[name] = f"{name} = {function!r}"
        else:
            texts[name] = f"# {name} is {function!r}"
    return sorted(texts.values(), key=lambda text: text.startswith("def "))


def executable(parts: Any, plan: Plan) -> Callable[..., Any]:
    """The program as a generator: it yields the outputs, is sent gradients, and yields the arguments'."""
    printer = Printer(parts.names, plan)
    lines = [f"{', '.join(printer.buffers)}, = lease.arrays"] if printer.buffers else []
    lines += printer.lines(parts.forward)
    outs = f"[{printer.listed(parts.outs)}]"
    if parts.gradients:
        lines.append(f"[{printer.listed([s.variable for s in parts.seeds])}] = yield {outs}")
        lines += printer.lines(parts.backward, strict=True)
        lines.append(f"yield [{printer.listed(parts.gradients)}]")
    else:
        lines.append(f"yield {outs}")
    text = f"def program({', '.join(['lease', *map(printer.text, parts.inputs)])}):\n{indented(lines)}"
    scope: dict[str, Any] = {"np": np, "math": math, **printer.constants, **printer.helpers}
    exec(compile(text, "<compiled program>", "exec"), scope)
    return scope["program"]


def body_of(printer: Printer, parts: Any, one: Callable[[Any], str]) -> list[str]:
    """The lines of a function that runs forward and backward; `one` writes the gradient to start from."""
    body = printer.lines(parts.forward)
    results = printer.listed(parts.outs[: parts.results])
    if not parts.gradients:
        return [*body, f"return {results}"]
    body += ["", "# backward: the gradient of the result with respect to everything, last step first"]
    body += [f"{printer.text(seed.variable)} = {one(seed.variable)}" for seed in parts.seeds]
    body += printer.lines(parts.backward)
    pairs = [f"{k!r}: {printer.text(g)}" for k, g in zip(parts.targets, parts.gradients) if g is not None]
    return [*body, f"return {results}, {{{', '.join(pairs)}}}"]


def definition(printer: Printer, parts: Any, title: str, body: list[str]) -> str:
    """The function with these lines; what is too long to print is one of its arguments."""
    arguments = ", ".join([*map(printer.text, parts.inputs), *printer.constants])
    shapes = [f"# {printer.text(v)}: {v.shape} {v.dtype}" for v in parts.inputs if v.shape]
    for name, thing in printer.constants.items():
        what = repr(thing) if isinstance(thing, Effect) else f"{np.shape(thing)}, a constant of the function"
        shapes.append(f"# {name}: {what}")
    return f"def {title if title.isidentifier() else 'function'}({arguments}):\n{indented(shapes + body)}"


def readable(parts: Any, title: str) -> str:
    """The program for people: plain NumPy, forward and then backward, shapes as comments."""
    printer = Printer(parts.names, values=parts.values, gradient_of=parts.gradient_of)
    body = body_of(
        printer,
        parts,
        lambda s: "1.0" if s.is_float else f"np.ones({s.shape}, np.{s.dtype})",
    )
    text = definition(printer, parts, title, body)
    imports = ("import math\n\n" if any("math." in line for line in body) else "") + "import numpy as np\n"
    helpers = "".join(f"\n\n{text}\n" for text in sources_of(printer.helpers))
    return f"{imports}{helpers}\n\n{text}"


def indented(lines: Iterable[str]) -> str:
    """The lines of a function's body."""
    return "".join(f"    {line}\n" if line else "\n" for line in lines)
