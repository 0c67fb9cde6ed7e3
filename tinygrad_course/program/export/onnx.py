"""Write a function's forward program as an ONNX model, as the `onnx` of the rows says.

A row gives the name of an operator for the arguments as they are (``"Exp"``), or an expression of operators
in the names of its arguments (``"Mul(x, Sigmoid(x))"``, ``"ReduceSum(x, axis)"``), where keywords are the
operators' attributes.  The few calls that need more than that are written by the functions in `CALLS`.
Operands are cast to the dtype that NumPy computes in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...derivatives import Row
from ..closure import held_by
from ..facts import arguments, is_neutral, name_of, parameters, row_of
from ..kinds import is_module
from ..run import argument_names
from ..state import Effect
from ..traced import TraceError, copied, written_for
from ..variables import Instruction, Variable
from .onnx_calls import CALLS, reduced
from .onnx_graph import Graph
from .samples import Grown, Joined, Size, joined

OPSET, IR = 20, 9
"""The version of the operators, and the version of the file's format that goes with it."""
COMPARING = {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}
LOGICAL = {"And", "Or", "Xor", "Not"}
TELLING = COMPARING | LOGICAL | {"IsNaN", "IsInf"}
"""Operators that give booleans."""


def onnx_model(function: Callable[..., Any], args: Sequence[Any], batch: int | None) -> Any:
    """The forward program of `function` as an ``onnx.ModelProto``; see `emit`."""
    try:
        import onnx
    except ImportError:
        raise ImportError(
            "emit: target='onnx' needs the library onnx: pip install 'tinygrad_course[interop]'"
        ) from None
    with written_for("onnx"):
        whole = joined(function, args, batch)
    title = getattr(function, "__name__", type(function).__name__)
    return OnnxPrinter(Graph(onnx), whole, names_of(function, args, whole)).model(re.sub(r"\W", "_", title))


def names_of(function: Callable[..., Any], args: Sequence[Any], whole: Joined) -> dict[Variable, str]:
    """The names of the inputs: arguments by the function's signature, parameters as `state_dict` has them."""
    program, names = whole.programs[0], {v: whole.programs[0].parts.names[v] for v in whole.inputs}
    if len(args) + len(whole.held) == len(whole.inputs):  # each argument is one array or number
        names.update(zip(whole.inputs, argument_names(function, len(args))))
    paths = {id(value): name for name, value in held_by(function).values}
    places = {id(m): name for name, m in getattr(function, "named_modules", list)()}
    for variable, (thing, attribute) in zip(
        whole.inputs[len(whole.inputs) - len(whole.held) :], program.reads
    ):
        if attribute == "primal":
            names[variable] = paths.get(id(thing), names[variable])
        elif is_module(thing):  # its parameters have paths, and a statistic has theirs
            beside = [paths[id(v)].rpartition(".")[0] for v in vars(thing).values() if id(v) in paths]
            path = places.get(id(thing), beside[0] if beside else "")
            names[variable] = f"{path}.{attribute}" if path else attribute
    return names


class OnnxPrinter:
    """Turns the steps of a program into nodes of a graph.

    Parameters
    ----------
    graph : Graph
        The nodes and constants so far.
    whole : Joined
        The program.
    names : dict
        The names of its inputs.
    """

    def __init__(self, graph: Graph, whole: Joined, names: dict[Variable, str]) -> None:
        self.graph, self.whole = graph, whole
        self.names: dict[Variable, str] = {}
        self.step: Instruction | None = None
        self.arguments = whole.inputs[: len(whole.inputs) - len(whole.held)]
        for variable in self.arguments:
            self.names[variable] = graph.fresh(names[variable])
        self.set_batch()
        for variable, array in zip(whole.inputs[len(self.arguments) :], whole.held, strict=True):
            self.names[variable] = graph.initializer(np.asarray(array), names[variable])

    def set_batch(self) -> None:
        """Tell the graph where the number of samples is read off."""
        for variable in self.arguments:
            for axis, size in enumerate(self.whole.shapes[variable]):
                if size == Size(1, 0):
                    self.graph.batch = self.graph.batch or (self.names[variable], axis)

    def model(self, title: str) -> Any:
        """The whole model, checked."""
        program = self.whole.programs[0]
        if program.writes:
            changed = ", ".join(sorted({str(attribute) for _, attribute in program.writes}))
            raise TraceError(
                f"emit: the function changes what it holds ({changed}), which an ONNX model does not; call "
                "net.eval() first, so that nothing is learned or moved"
            )
        for step in self.whole.steps:
            self.step = step
            self.names[step.out] = self.written(step)
        outputs = []
        for result in self.whole.results:
            name = self.graph.output(self.operand(result), "output")
            outputs.append(self.graph.value(name, self.dtype(result), self.shape(result)))
        inputs = [self.graph.value(self.names[v], self.dtype(v), self.shape(v)) for v in self.arguments]
        known = {self.names[s.out]: s.out for s in self.whole.steps}
        between = [
            self.graph.value(name, self.dtype(v), self.shape(v))
            for name, v in known.items()
            if self.graph.is_inner(name) and not isinstance(v.dtype, type(None))
        ]
        return self.graph.model(title, inputs, outputs, between, OPSET, IR)

    # Operands
    def dtype(self, thing: Any) -> np.dtype[Any]:
        """The dtype of an operand; numbers have Python's."""
        if isinstance(thing, Variable):
            return np.dtype(bool) if thing.dtype is None else np.dtype(thing.dtype)
        if isinstance(thing, Size):
            return np.dtype(np.int64)
        return np.asarray(thing.arrays[0] if isinstance(thing, Grown) else thing).dtype

    def shape(self, thing: Any) -> tuple[Any, ...]:
        """The shape of an operand, of numbers and Sizes."""
        if isinstance(thing, Variable):
            return self.whole.shapes[thing]
        return thing.shape if isinstance(thing, Grown) else () if isinstance(thing, Size) else np.shape(thing)

    def operand(self, thing: Any, dtype: Any = None) -> str:
        """The name of an operand in the graph, cast to a dtype."""
        wanted = self.dtype(thing) if dtype is None else np.dtype(dtype)
        if isinstance(thing, Variable):
            return self.graph.cast(self.names[thing], self.dtype(thing), wanted)
        if isinstance(thing, Size):
            number = self.graph.node("Squeeze", [self.graph.size(thing)])
            return self.graph.cast(number, np.dtype(np.int64), wanted)
        if isinstance(thing, Grown):
            return self.graph.cast(self.grown(thing), self.dtype(thing), wanted)
        if isinstance(thing, (list, tuple)) and any(isinstance(x, (Variable, Size)) for x in thing):
            raise self.refusal(" of a list")
        return self.graph.constant(np.asarray(thing).astype(wanted))

    def grown(self, constant: Grown) -> str:
        """A constant array that grows with the samples: one row again and again, or their numbers."""
        axes = [a for a, size in enumerate(constant.shape) if isinstance(size, Size)]
        row = constant.arrays[0].take([0], axis=axes[0]) if len(axes) == 1 else constant.arrays[0].flat[:1]
        if all(np.array_equal(a, np.broadcast_to(row, a.shape)) for a in constant.arrays):
            return self.graph.node("Expand", [self.graph.constant(row), self.graph.shape(constant.shape)])
        if len(constant.shape) == 1 and all(
            a.dtype.kind in "iu" and np.array_equal(a, np.arange(len(a))) for a in constant.arrays
        ):
            ends = [np.array(0), constant.shape[0], np.array(1)]
            numbers = self.graph.node("Range", [self.operand(end, np.int64) for end in ends])
            return self.graph.cast(numbers, np.dtype(np.int64), constant.arrays[0].dtype)
        raise TraceError(
            f"emit: {self.named()} takes a constant array of shape ({', '.join(map(str, constant.shape))}) "
            f"that is another one for another number of samples{self.place()}\ngive it as an argument, or "
            "batch=None for a model of just these sizes"
        )

    # Steps
    def written(self, step: Instruction) -> str:
        """The name of what a step gives."""
        function, row = step.function, row_of(step.function)
        if isinstance(function, Effect):
            raise TraceError(f"emit: {function.__name__} changes parameters; emit the part without it")
        if row is not None and row.draws:
            raise TraceError(
                f"emit: {row.name} draws random numbers, which an ONNX model would not; call net.eval() first"
            )
        if function is copied or function is float:
            return self.operand(step.args[0], self.dtype(step.out))
        fact = row.onnx if row is not None else ""
        if row is None or not fact:
            raise self.refusal()
        if fact in CALLS:
            return CALLS[fact](self, step)
        return self.filled(row, step, fact)

    def filled(self, row: Row, step: Instruction, fact: str) -> str:
        """The expression of a row with the operands of a step in it."""
        dtype = self.dtype(step.out)
        if re.fullmatch(r"\w+", fact):
            names = [f"x{i}" for i in range(len(step.args))]
            values, fact = dict(zip(names, step.args)), f"{fact}({', '.join(names)})"
            values |= step.kwargs
            defaults: dict[str, Any] = {}
        else:
            values, defaults = arguments(row, step.args, step.kwargs), parameters(row)
        expression: Any = ast.parse(fact, mode="eval").body
        mentioned = {n.id for n in ast.walk(expression) if isinstance(n, ast.Name)}
        if expression.func.id.startswith("Reduce"):
            mentioned |= {"keepdims", "dtype", "initial"}
        for name, value in values.items():
            default = defaults.get(name)
            usual = value is default or (type(value) is type(default) and value == default)
            if name not in mentioned and not usual:
                raise self.refusal(f" with {name}={value}")
        name, found = self.evaluated(expression, values, dtype, self.common(values))
        initial = values.get("initial")
        if row.reduction is not None and initial is not None and not is_neutral(row.reduction, initial):
            both = row_of(row.reduction)
            assert both is not None
            name = self.graph.node(both.onnx, [name, self.operand(initial, dtype)])
        return self.graph.cast(name, found, dtype)

    def common(self, values: dict[str, Any]) -> np.dtype[Any]:
        """The dtype in which NumPy compares operands."""
        operands = [x for x in values.values() if isinstance(x, (Variable, np.ndarray, np.generic, Grown))]
        numbers = [x for x in values.values() if isinstance(x, (int, float)) and not isinstance(x, bool)]
        strong = [self.dtype(x) for x in operands if not (isinstance(x, Variable) and x.is_number)]
        weak = [x.dtype.type(0).item() for x in operands if isinstance(x, Variable) and x.is_number]
        try:
            found = np.result_type(*strong, *numbers, *weak) if strong or numbers or weak else np.dtype(bool)
        except (OverflowError, TypeError):
            raise self.refusal(" of these numbers") from None
        return np.dtype(found)

    def evaluated(
        self, node: Any, values: dict[str, Any], dtype: np.dtype[Any], common: np.dtype[Any]
    ) -> tuple[str, np.dtype[Any]]:
        """A part of an expression as a name in the graph, and its dtype, which is `dtype` if that can be."""
        if isinstance(node, ast.Name):
            return self.operand(values[node.id], dtype), dtype
        if not isinstance(node, ast.Call):
            return self.graph.constant(np.array(ast.literal_eval(node), dtype)), dtype
        operator = node.func.id  # type: ignore[attr-defined]
        if operator == "Cast":
            (inner, target) = node.args
            wanted = np.dtype(target.id)  # type: ignore[attr-defined]
            own = self.dtype(values[inner.id]) if isinstance(inner, ast.Name) else dtype
            name, found = self.evaluated(inner, values, own, common)
            return self.graph.cast(name, found, wanted), wanted
        if operator.startswith("Reduce"):
            name, found = self.evaluated(node.args[0], values, dtype, common)
            return reduced(self, operator, name, values), found
        inside = common if operator in COMPARING or operator.startswith("Is") else dtype
        boolean = np.dtype(bool)
        inside = boolean if operator in LOGICAL else inside
        if inside is boolean and operator not in TELLING | {"Where", "Identity"}:
            logic = {"Add": "Or", "Max": "Or", "Mul": "And", "Min": "And"}
            if operator not in logic:
                raise self.refusal(" of booleans")
            operator = logic[operator]
        elif inside is boolean and operator in COMPARING - {"Equal"}:
            inside = np.dtype(np.int32)
        kinds = [boolean if operator == "Where" and i == 0 else inside for i in range(len(node.args))]
        names = [self.evaluated(a, values, kind, common)[0] for a, kind in zip(node.args, kinds)]
        more = {
            str(k.arg): values[k.value.id] if isinstance(k.value, ast.Name) else ast.literal_eval(k.value)
            for k in node.keywords
        }
        if any(isinstance(x, (Variable, Size)) for x in more.values()):
            raise self.refusal(f" with {', '.join(map(str, more))} that is computed")
        return self.graph.node(operator, names, **more), boolean if operator in TELLING else inside

    # What cannot be
    def named(self) -> str:
        """The operation that is written just now."""
        return name_of(self.step.function) if self.step else "a function"

    def place(self) -> str:
        line = self.step.line if self.step else ""
        return f", in {line}" if line else ""

    def refusal(self, how: str = "") -> TraceError:
        """What to say of a step that cannot be written."""
        name = self.named()
        return TraceError(
            f"emit: {name}{how} cannot be written in ONNX{self.place()}: its row does not say how; say it, "
            f'derivative({name}, ..., onnx="..."), or leave it out'
        )
