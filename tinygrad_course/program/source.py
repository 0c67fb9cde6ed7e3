"""Print a program as NumPy source that a student can read, and that runs with only ``import numpy as np``."""

from __future__ import annotations

import builtins
import inspect
import itertools
import math
import operator
import textwrap
import types
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..arraylike import Value
from ..arraylike.errors import spelled
from .facts import parameters, row_of
from .grouped import Group
from .passes import Plan, is_slope
from .state import Effect
from .traced import astype, copied
from .variables import Instruction, Names, Variable, expect, variables_in

SIGNS = {
    operator.add: "{} + {}", operator.sub: "{} - {}", operator.mul: "{} * {}", operator.truediv: "{} / {}",
    operator.pow: "{} ** {}", operator.neg: "-{}", operator.pos: "+{}", operator.matmul: "{} @ {}",
    operator.mod: "{} % {}", operator.floordiv: "{} // {}", operator.invert: "~{}", operator.and_: "{} & {}",
    operator.or_: "{} | {}", operator.xor: "{} ^ {}", operator.lt: "{} < {}", operator.le: "{} <= {}",
    operator.gt: "{} > {}", operator.ge: "{} >= {}", operator.eq: "{} == {}", operator.ne: "{} != {}",
}  # fmt: skip
"""How Python writes its operators."""
DEEPEST = 20  # so many calls, and no more, stand inside one another
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

    library = "np"
    array_of = "np.array"

    def __init__(
        self,
        names: dict[Variable, str],
        plan: Plan | None = None,
        values: dict[int, str] | None = None,
        gradient_of: dict[Variable, Variable] | None = None,
        groups: Sequence[Group] = (),
    ) -> None:
        self.names = Names(names)
        self.plan = plan
        self.buffers = [self.names.fresh(f"_{i}") for i in range(len(plan.buffers))] if plan else []
        self.rooms = {v: self.buffers[i] for v, i in plan.places.items()} if plan else {}
        self.gradient_of = gradient_of or {}
        self.values = values or {}  # id of a parameter -> the name of its data
        self.groups = {i.out: group for group in groups for i in group.instructions}
        self.local: dict[Variable, str] = {}  # in a loop over blocks: the names of what is cut
        self.constants: dict[str, Any] = {}  # name -> array, for what is too long to print
        self.helpers: dict[str, Callable[..., Any]] = {}  # name -> function of our own
        self.once: set[Variable] = set()  # numbers that are written where they are used
        self.depths: dict[Variable, int] = {}  # of those, how many are inside one another

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
            if group := self.groups.get(instruction.out):
                lines += self.loop(group) if instruction is group.instructions[0] else []
                continue
            if isinstance(instruction.function, Effect) and self.plan:
                lines.append("lease.changed = True")
            if instruction.function is expect and not self.plan:
                continue  # of no interest to people
            if instruction.out in self.once and self.inside(instruction):
                continue
            if is_view(instruction) and not self.plan:
                self.names.given[instruction.out] = self.call(instruction)
            else:
                lines.append(self.line(instruction))
            if is_slope(instruction):  # less the gradient at the target classes
                _, _, g, target = map(self.text, instruction.args)
                rows = self.text(np.arange(instruction.out.shape[0]))
                lines.append(f"{self.names.given[instruction.out]}[{rows}, {target}] -= {g}")
        return lines

    def inside(self, instruction: Instruction) -> bool:
        """Whether a call is written where its result is used: not where it would stand too deep."""
        depth = 1 + max([self.depths.get(v, 0) for v in variables_in(instruction.args)], default=0)
        if depth <= DEEPEST:
            self.depths[instruction.out] = depth
            self.names.given[instruction.out] = f"({self.call(instruction)})"
        return depth <= DEEPEST

    def loop(self, group: Group) -> list[str]:
        """The steps of a group, block by block."""
        start, b = self.names.fresh("start"), self.names.fresh("block")
        before = []
        lines = [f"{b} = slice({start}, {start} + {group.step})"]
        for v in group.cut:
            lines.append(f"{(part := self.names.fresh(_part(self.text(v))))} = {self.text(v)}[{b}]")
            self.local[v] = part
        for instruction in group.instructions:
            out, room = instruction.out, self.rooms.get(instruction.out)
            name = self.name(out, instruction)
            if out in group.whole:
                before.append(f"{name} = {room or f'{self.library}.empty({out.shape}, {self.dtype(out)})'}")
                part = self.names.fresh(_part(name))
                by_ufunc = self.plan and isinstance(instruction.function, np.ufunc)
                call = self.into(instruction, f"{name}[{b}]") if by_ufunc else self.call(instruction)
                lines.append(f"{part} = {call}" if by_ufunc else f"{part} = {name}[{b}] = {call}")
                self.local[out] = part
            elif room:
                lines.append(f"{name} = {self.into(instruction, f'{room}[: {group.rows} - {start}]')}")
            else:
                lines.append(f"{name} = {self.call(instruction)}")
        self.local.clear()
        after = [self.line(i) for i in group.views]
        comment = "" if self.plan else "  # blocks that stay in the processor's cache"
        head = f"for {start} in range(0, {group.rows}, {group.step}):{comment}"
        return [*before, head, *(f"    {line}" for line in lines), *after]

    def line(self, instruction: Instruction) -> str:
        """``name = call``, with the shape as a comment where there is one."""
        name, shape = self.name(instruction.out, instruction), instruction.out.shape
        room = self.rooms.get(instruction.out)
        text = f"{name} = {self.into(instruction, room) if room else self.call(instruction)}"
        return f"{text}  # {shape}" if shape and not self.plan else text

    def into(self, instruction: Instruction, room: str) -> str:
        """The call that writes its result somewhere."""
        texts = [self.text(a, instruction) for a in instruction.args]
        function = self.function(instruction.function)
        if is_slope(instruction):
            function, texts = "np.multiply", [texts[0], f"{texts[1]}[:, None]"]
        texts += [f"{k}={self.text(a, instruction)}" for k, a in instruction.kwargs.items()]
        return f"{function}({', '.join(texts)}, out={room})"

    def call(self, instruction: Instruction) -> str:
        """The expression on the right."""
        function, args, kwargs = instruction.function, instruction.args, instruction.kwargs
        texts = [self.text(a, instruction) for a in args]
        if function is operator.getitem:
            return f"{texts[0]}[{self.index(args[1])}]"
        if is_slope(instruction):
            return f"{texts[0]} * {texts[1]}[:, None]"
        if function is astype:
            number = isinstance(args[0], Variable) and args[0].is_number
            return f"np.array({texts[0]}, {texts[1]})" if number else f"{texts[0]}.astype({texts[1]})"
        if function is copied:
            return f"{texts[0]}.copy()"
        if function is np.transpose and (len(args) == 1 or args[1] is None) and not kwargs:
            return f"{texts[0]}.T"
        if self.plan and (quick := self.quickly(instruction, texts)):
            return quick
        sign = self.sign(function)
        if sign and not kwargs and not any(isinstance(a, (list, tuple)) for a in args):
            return sign.format(*texts)
        row = row_of(function)
        usual = parameters(row) if row and kwargs else {}
        texts += [
            f"{k}={self.text(a, instruction)}" for k, a in kwargs.items() if not _is(a, usual.get(k, a))
        ]
        return f"{self.function(function)}({', '.join(texts)})"

    def quickly(self, instruction: Instruction, texts: list[str]) -> str:
        """What some of NumPy's functions do in the end, without what they do before; empty for others."""
        function, args, out = instruction.function, instruction.args, instruction.out
        more = instruction.kwargs
        x = args[0] if args and isinstance(args[0], Variable) else None
        if x is None or len(args) > 2 or more.keys() - {"axis", "keepdims"}:
            return ""
        if function is np.broadcast_to and not x.shape and not x.is_number:
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
        usual = row is not None and function is row.function is not np.power  # whose ** has other last bits
        known = (function, row.scalar, row.operator) if row and usual else (function,)
        return next((SIGNS[f] for f in known if f in SIGNS), "")

    def index(self, index: Any) -> str:
        """What stands between the brackets of ``x[...]``."""
        parts = index if isinstance(index, tuple) else (index,)
        texts = []
        for part in parts:
            if isinstance(part, slice):
                ends = ["" if e is None else self.text(e) for e in (part.start, part.stop, part.step)]
                texts.append(":".join(ends if ends[2] else ends[:2]))
            else:
                texts.append(self.text(part))
        comma = "," if isinstance(index, tuple) and len(texts) == 1 else ""
        return ", ".join(texts) + comma if texts else "()"

    def text(self, thing: Any, instruction: Instruction | None = None) -> str:
        """An argument as Python source."""
        if isinstance(thing, Variable):
            return self.local.get(thing) or self.names.given[thing]
        if isinstance(thing, (tuple, list)):
            inside = ", ".join(self.text(t) for t in thing)
            return f"[{inside}]" if isinstance(thing, list) else f"({inside}{',' if len(thing) == 1 else ''})"
        if isinstance(thing, slice):
            return f"slice({self.text(thing.start)}, {self.text(thing.stop)}, {self.text(thing.step)})"
        if isinstance(thing, Value) and not self.plan and id(thing) in self.values:
            return self.values[id(thing)]
        if isinstance(thing, np.ndarray):
            return self.array(thing)
        if isinstance(thing, np.generic) and np.isfinite(thing):
            return f"np.{thing.dtype.name}({thing.item()!r})"
        if isinstance(thing, np.dtype) or (isinstance(thing, type) and issubclass(thing, np.generic)):
            return f"{self.library}.{np.dtype(thing).name}"
        if isinstance(thing, (str, bool, type(None))):
            return repr(thing)
        if isinstance(thing, (int, float)) and not isinstance(thing, np.generic):
            return self.number(thing, instruction)
        if isinstance(thing, type):
            return thing.__name__
        return "..." if thing is Ellipsis else self.constant(thing)

    def number(self, number: float | int, instruction: Instruction | None) -> str:
        """A Python number; where speed counts, an array without axes, which needs no conversion each time."""
        if self.plan and instruction and isinstance(instruction.function, np.ufunc) and instruction.out.shape:
            dtypes = {v.dtype for v in variables_in(instruction.args)} - {np.dtype(bool)}
            if len(dtypes) == 1 and (dtype := next(iter(dtypes))).kind == "f":
                return self.constant(np.array(number, dtype))
        if isinstance(number, int):
            beside = [instruction.out, *variables_in(instruction.args)] if self.plan and instruction else []
            floats = beside and all(v.is_number and v.dtype == float for v in beside)
            quick = floats and abs(number) < 2**53
            return repr(float(number)) if quick else repr(number)
        if not math.isfinite(number):
            return f'float("{number}")'
        return repr(number) if math.copysign(1, number) > 0 else f"({number!r})"

    def array(self, array: np.ndarray) -> str:
        """An array that was a constant while tracing."""
        if self.plan or not array.size or not np.all(np.isfinite(array)):
            return self.constant(array)
        first, dtype = array.flat[0].item(), self.dtype(array)
        if array.size > 1 and np.all(array == first):
            kind = None if math.copysign(1, first) < 0 else {0.0: "zeros", 1.0: "ones"}.get(first)
            filled = f"{kind}({array.shape}" if kind else f"full({array.shape}, {first!r}"
            return f"{self.library}.{filled}, {dtype})"
        if array.ndim == 1 and array.dtype == int and np.array_equal(array, np.arange(array.size)):
            return f"{self.library}.arange({array.size})"
        return self.constant(array) if array.size > SHORT else f"{self.array_of}({array.tolist()!r}, {dtype})"

    def dtype(self, like: Any) -> str:
        """The argument for a dtype."""
        return self.text(like.dtype)

    def ones(self, like: Variable) -> str:
        """The gradient to start from."""
        return "1.0" if like.is_number else f"{self.library}.ones({like.shape}, {self.dtype(like)})"

    def constant(self, thing: Any) -> str:
        """The name of something that is not printed."""
        return self.known(self.constants, thing, "c" if self.plan else getattr(thing, "__name__", "constant"))

    def helper(self, function: Any) -> str:
        """The name of a function of our own, whose source goes before the program."""
        name = getattr(function, "__name__", "function").replace("<lambda>", "function")
        return self.known(self.helpers, function, name)

    def known(self, things: dict[str, Any], thing: Any, wish: str) -> str:
        """The name of something among `things`, to which it is added if it is new."""
        for name, other in things.items():
            if _is(thing, other):
                return name
        name = self.names.fresh(wish)
        things[name] = thing
        return name

    def listed(self, things: Iterable[Any]) -> str:
        """Arguments, one after the other."""
        return ", ".join(map(self.text, things))

    def function(self, function: Callable[..., Any]) -> str:
        """The name to call a function by."""
        if isinstance(function, Effect):
            return self.constant(function)
        name, owner = getattr(function, "__name__", ""), getattr(function, "__self__", None)
        if isinstance(owner, np.ufunc):
            return f"{self.function(owner)}.{name}"
        scipys = isinstance(function, np.ufunc) and spelled(function).startswith("scipy.")
        if self.plan and (scipys or getattr(math, name, None) is function):
            return self.constant(function)  # found more quickly
        if scipys:
            return spelled(function)
        modules = {"np.": np, "np.linalg.": np.linalg, "math.": math, "": builtins}
        found = (
            prefix + name for prefix, module in modules.items() if getattr(module, name, None) is function
        )
        return next(found, "") or self.helper(function)

    def name(self, variable: Variable, instruction: Instruction) -> str:
        """A name for what an instruction gives: ``d_x`` for the gradient of x."""
        whose = self.names.given.get(self.gradient_of.get(variable, variable), "")
        self.names.give(variable, f"d_{whose}" if whose.isidentifier() else _named_after(instruction))
        return self.names.given[variable]


def _is(thing: Any, other: Any) -> bool:
    """Whether two things are one, or equal numbers in arrays without axes, or both plain and equal."""
    if type(thing) is type(other) is np.ndarray and thing.ndim == other.ndim == 0:
        return thing.dtype == other.dtype and thing.tobytes() == other.tobytes()
    return thing is other or (type(thing) is type(other) is str and thing == other)


def _named_after(instruction: Instruction) -> str:
    if isinstance(instruction.function, Effect):
        return "changed"
    row, name = row_of(instruction.function), getattr(instruction.function, "__name__", "v").strip("_")
    return (row.result if row else "") or (name if name.isidentifier() else "v")


def _part(name: str) -> str:
    return f"{name}_part" if name.isidentifier() else "part"


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


def used_once(parts: Any) -> set[Variable]:
    """The numbers that are computed of numbers, and used in one place, before the program stops next."""
    if any(isinstance(i.function, Effect) for i in parts.forward):
        return set()
    used = Counter(variables_in([parts.outs, parts.gradients]))
    sections = [
        Counter(variables_in([(i.args, i.kwargs) for i in part])) for part in (parts.forward, parts.backward)
    ]
    used.update(sections[0] + sections[1])
    return {
        i.out
        for part, here in zip((parts.forward, parts.backward), sections)
        for i in part
        if used[i.out] == here[i.out] == 1 and _is_of_numbers(i)
    }


def _is_of_numbers(instruction: Instruction) -> bool:
    row, numbers = row_of(instruction.function), [instruction.out, *variables_in(instruction.args)]
    known = instruction.function in SIGNS if row is None else not row.draws
    return known and all(v.is_number for v in numbers)


def executable(parts: Any, plan: Plan) -> Callable[..., Any]:
    """The program as a generator: it yields the outputs, is sent gradients, and yields the arguments'."""
    printer = Printer(parts.names, plan, groups=plan.groups)
    printer.once = used_once(parts)
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


def body_of(printer: Printer, parts: Any) -> list[str]:
    """The lines of a function that runs forward and backward."""
    body = printer.lines(parts.forward)
    results = printer.listed(parts.outs[: parts.results])
    if not parts.gradients:
        return [*body, f"return {results}"]
    body += ["", "# backward: the gradient of the result with respect to everything, last step first"]
    body += [f"{printer.text(seed.variable)} = {printer.ones(seed.variable)}" for seed in parts.seeds]
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
    printer = Printer(parts.names, values=parts.values, gradient_of=parts.gradient_of, groups=parts.groups)
    body = body_of(printer, parts)
    text = definition(printer, parts, title, body)
    imports = ("import math\n\n" if any("math." in line for line in body) else "") + "import numpy as np\n"
    imports += "import scipy.special\n" if any("scipy.special." in line for line in body) else ""
    helpers = "".join(f"\n\n{text}\n" for text in sources_of(printer.helpers))
    return f"{imports}{helpers}\n\n{text}"


def indented(lines: Iterable[str]) -> str:
    """The lines of a function's body."""
    return "".join(f"    {line}\n" if line else "\n" for line in lines)
