"""Print a program as PyTorch source: the same steps, forward and backward, as the `torch` of the rows says.

A row gives a name, for a call with the same arguments (``torch="exp"``), or an expression in the names of its
arguments (``torch="torch.sum(x, dim=axis)"``), from which a keyword is left out that is None or False.  The
few calls that need more than names are written by the functions in `CALLS`.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from ...derivatives import Row
from ..facts import arguments, is_neutral, name_of, parameters, row_of
from ..passes import is_slope
from ..source import Printer, body_of, definition
from ..state import Effect
from ..traced import TraceError, copied
from ..variables import Instruction, Variable, variables_in


class TorchPrinter(Printer):
    """Turns the instructions of a program into lines of Python that call torch."""

    def call(self, instruction: Instruction) -> str:
        function, args = instruction.function, instruction.args
        row = row_of(function)
        if function is float:
            return self.text(args[0])  # a tensor without axes is as good
        if function is copied:
            return f"{self.text(args[0])}.clone()"
        if isinstance(function, Effect) or (row is not None and row.draws):
            what = function.__name__ if isinstance(function, Effect) else "a random choice (dropout)"
            raise TraceError(f"emit: {what} has no counterpart in PyTorch; emit the part without it")
        if function is operator.sub or function is np.subtract:
            dtype = self.text(instruction.out.dtype)
            return " - ".join(f"{self.text(a)}.to({dtype})" if _is_bool(a) else self.text(a) for a in args)
        if self.sign(function) or function is operator.getitem or is_slope(instruction):
            return super().call(instruction)
        if row is None or not row.torch:
            name = name_of(function)
            raise TraceError(
                f"emit: {name} has no counterpart in PyTorch that its row knows; say how PyTorch writes it, "
                f'derivative({name}, ..., torch="..."), or take target="numpy"'
            )
        if row.torch in CALLS:
            return CALLS[row.torch](self, instruction)
        if re.fullmatch(r"[\w.]+", row.torch):
            texts = [self.tensor(a, instruction) if row.elementwise else self.text(a) for a in args]
            keywords = [f"{k}={self.text(a)}" for k, a in instruction.kwargs.items()]
            return f"torch.{row.torch}({', '.join(texts + keywords)})"
        return self.filled(row, instruction)

    def filled(self, row: Row, instruction: Instruction) -> str:
        """The expression of a row with the arguments of an instruction in it."""
        expression = ast.parse(row.torch, mode="eval").body
        mentioned = {n.id for n in ast.walk(expression) if isinstance(n, ast.Name)}
        defaults, values = parameters(row), arguments(row, instruction.args, instruction.kwargs)
        x, out = next(iter(values.values())), instruction.out
        if "keepdims" in mentioned and values["keepdims"] and values["axis"] is None:
            values["axis"] = tuple(range(len(x.shape)))
        if "dtype" in mentioned and values["dtype"] is None and out.dtype != x.dtype:
            values["dtype"] = out.dtype
        absent = {name for name, a in values.items() if a is None or a is False}
        for name, a in values.items():
            default = defaults.get(name)
            usual = a is default or (type(a) is type(default) and a == default)
            usual = usual or (name == "initial" and is_neutral(row.reduction, a))
            none = name in absent and not (default is None or default is False)
            if not usual and (none or name not in mentioned):
                raise TraceError(
                    f"emit: {row.name} with {name}={a} is not known in PyTorch; its row says {row.torch}"
                )
        texts = {name: self.text(a) for name, a in values.items() if name in mentioned}
        if values.get("axis") == ():  # over no axis at all, which torch takes for over all of them
            texts |= {next(iter(values)): f"{self.text(x)}[..., None]", "axis": "-1"}
            absent.add("keepdims")
        return ast.unparse(_Filled(texts, absent).visit(expression))

    def tensor(self, thing: Any, instruction: Instruction) -> str:
        """An argument of an elementwise function, which takes no plain numbers and lists in torch."""
        text = self.text(np.asarray(thing) if isinstance(thing, list) else thing)
        number = isinstance(thing, (int, float))
        return f"torch.tensor({text}, dtype={self.text(instruction.out.dtype)})" if number else text

    def index(self, index: Any) -> str:
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(p, slice) and (p.step or 1) < 0 for p in parts):
            raise TraceError("emit: PyTorch has no slices that go backwards; use np.flip")
        return super().index(index)

    library = "torch"
    array_of = "torch.tensor"

    def text(self, thing: Any, instruction: Instruction | None = None) -> str:
        if isinstance(thing, np.generic) and np.isfinite(thing):
            return f"torch.tensor({thing.item()!r}, {self.dtype(thing)})"
        return super().text(thing, instruction)

    def dtype(self, like: Any) -> str:
        return f"dtype={self.text(like.dtype)}"

    def ones(self, like: Variable) -> str:
        return f"torch.ones({like.shape}, {self.dtype(like)})"

    def constant(self, thing: Any) -> str:
        if not isinstance(thing, np.ndarray):
            raise TraceError(f"emit: {thing!r} cannot be written in PyTorch")
        return super().constant(thing)


class _Filled(ast.NodeTransformer):
    """Puts texts in the place of names, and leaves out keywords whose argument is absent."""

    def __init__(self, texts: dict[str, str], absent: set[str]) -> None:
        self.texts, self.absent = texts, absent

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.keywords = [k for k in node.keywords if getattr(k.value, "id", None) not in self.absent]
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.texts.get(node.id, node.id))


def _permute(printer: TorchPrinter, instruction: Instruction) -> str:
    x, axes = (*instruction.args, instruction.kwargs.get("axes"))[:2]
    order = tuple(range(len(x.shape)))[::-1] if axes is None else tuple(map(int, axes))
    return f"{printer.text(x)}.T" if order == (1, 0) else f"{printer.text(x)}.permute({order})"


def _reshape(printer: TorchPrinter, instruction: Instruction) -> str:
    """What changes nothing but the shape, which is known."""
    if len(instruction.args) > 1 and instruction.function.__name__.startswith("atleast"):
        raise TraceError("emit: give atleast_1d and its kin one array at a time")
    if "C" not in (instruction.kwargs.get("order", "C"), *instruction.args[2:]):
        raise TraceError("emit: PyTorch reshapes along rows only (order='C')")
    return f"{printer.text(instruction.args[0])}.reshape({instruction.out.shape})"


def _flip(printer: TorchPrinter, instruction: Instruction) -> str:
    x, axis = (*instruction.args, instruction.kwargs.get("axis"))[:2]
    dims = tuple(range(len(x.shape))) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return f"torch.flip({printer.text(x)}, {dims})"


def _running(printer: TorchPrinter, instruction: Instruction) -> str:
    """cumsum and cumprod, which run through all of x where no axis is given."""
    x, axis = (*instruction.args, instruction.kwargs.get("axis"))[:2]
    text, dim = (f"{printer.text(x)}.ravel()", 0) if axis is None else (printer.text(x), axis)
    return (
        f"torch.{instruction.function.__name__}({text}, {dim}, dtype={printer.text(instruction.out.dtype)})"
    )


def _dot(printer: TorchPrinter, instruction: Instruction) -> str:
    x, y = instruction.args
    if any(len(getattr(a, "shape", ())) not in (1, 2) for a in (x, y)):
        raise TraceError(
            "emit: np.dot is known in PyTorch for vectors and matrices; use np.matmul or np.tensordot"
        )
    return f"{printer.text(x)} @ {printer.text(y)}"


def _solve(printer: TorchPrinter, instruction: Instruction) -> str:
    """b as matrices, where PyTorch might take it for a stack of vectors."""
    a, b = map(printer.text, instruction.args)
    matrices, sides = (len(x.shape) for x in instruction.args)
    return f"torch.linalg.solve({a}, {b}[None])" if 1 < sides < matrices else f"torch.linalg.solve({a}, {b})"


def _scattered(printer: TorchPrinter, instruction: Instruction) -> str:
    """Zeros with `x` added in at `index`, which may name an entry several times."""
    x, index, shape = instruction.args
    n, text = math.prod(shape), printer.text(x)
    where = f"torch.arange({n}).reshape({shape})[{printer.index(index)}].reshape(-1)"
    if not variables_in(index):  # what is added may be broadcast to its place
        text = f"torch.broadcast_to({text}, {np.broadcast_to(True, shape)[index].shape})"
    zeros = f"torch.zeros({n}, dtype={printer.text(instruction.out.dtype)})"
    return f"{zeros}.index_add(0, {where}, {text}.reshape(-1)).reshape({shape})"


def _hypot(printer: TorchPrinter, instruction: Instruction) -> str:
    """hypot, away from where PyTorch's gradient is nan: both are 0."""
    x, y = (printer.tensor(a, instruction) for a in instruction.args)
    zero = f"(({x} == 0) & ({y} == 0))"
    return f"torch.hypot({x} + {zero}, {y}) * ~{zero}"


CALLS: dict[str, Callable[[TorchPrinter, Instruction], str]] = {
    "permute": _permute,
    "reshape": _reshape,
    "flip": _flip,
    "cumsum": _running,
    "cumprod": _running,
    "dot": _dot,
    "hypot": _hypot,
    "linalg.solve": _solve,
    "index_add": _scattered,
}
"""What a row's `torch` may name besides functions of torch with the same arguments."""


def _is_bool(thing: Any) -> bool:
    if isinstance(thing, Variable) and thing.dtype is None:
        return True  # what a comparison of two floats gives
    return getattr(getattr(thing, "dtype", None), "kind", "") == "b"


def torch_source(parts: Any, title: str) -> str:
    """The program for PyTorch: a function of tensors, which gives the results and the gradients."""
    printer = TorchPrinter(parts.names, gradient_of=parts.gradient_of)
    body = body_of(printer, parts)
    return f"import torch\n\n\n{definition(printer, parts, title, body)}"
