"""Print a program as PyTorch source: the same steps, forward and backward, with torch's names for them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ...derivatives import TABLE, indexing
from ..facts import row_of
from ..source import Printer, body_of, definition
from ..state import Effect
from ..tape import Instruction, TraceError, Variable, _astype, _copied, expect

RENAMED = {
    np.absolute: "abs", np.negative: "neg", np.arcsin: "asin", np.arccos: "acos", np.arctan: "atan",
    np.arctan2: "atan2", np.arcsinh: "asinh", np.arccosh: "acosh", np.arctanh: "atanh", np.divide: "div",
    np.power: "pow", np.max: "amax", np.min: "amin", np.concatenate: "cat", np.stack: "stack",
    np.linalg.norm: "linalg.norm", np.linalg.inv: "linalg.inv", np.linalg.solve: "linalg.solve",
    np.linalg.det: "linalg.det", np.take_along_axis: "take_along_dim", np.expand_dims: "unsqueeze",
    np.invert: "bitwise_not", np.copy: "clone",
}  # fmt: skip
SAME = set(
    """
    exp expm1 log log1p log2 exp2 sin cos tan tanh sinh cosh sqrt square sign floor ceil trunc
    reciprocal maximum minimum where sum mean prod cumsum cumprod reshape broadcast_to swapaxes moveaxis
    squeeze flip tril triu outer dot einsum logaddexp isnan isfinite logical_and logical_or logical_not
    hypot argmax argmin diagonal kron matmul clip roll ravel tensordot atleast_1d atleast_2d atleast_3d
    bitwise_and bitwise_or
    """.split()  # noqa: SIM905
)
"""NumPy functions that torch has under the same name, with the same arguments but for `dim` and `keepdim`."""
SAME |= {"erf", "relu", "sigmoid"}
OURS = {"total": "sum", "softplus": "nn.functional.softplus"}
NAMES = {
    function: RENAMED.get(row.function) or OURS.get(row.name) or row.name
    for row in TABLE.values()
    for function in (row.scalar, row.function)
    if row.function in RENAMED or row.name in SAME or row.name in OURS
}
"""Functions of the table that torch has; Python's floats are tensors without axes here."""
SCATTER = TABLE[indexing.scatter].function
NUMBERS = {np.maximum, np.minimum, np.logaddexp, np.hypot, np.arctan2}
"""Functions that take no plain number in torch."""
KEYWORDS = {"axis": "dim", "keepdims": "keepdim"}
PLACES = {np.sum: 1, np.mean: 1, np.max: 1, np.min: 1, np.prod: 1}  # where the axis stands


class TorchPrinter(Printer):
    """Turns the instructions of a program into lines of Python that call torch."""

    def call(self, instruction: Instruction) -> str:
        function, args, kwargs = instruction.function, instruction.args, dict(instruction.kwargs)
        row = row_of(function)
        if isinstance(function, Effect) or (row is not None and row.draws):
            what = function.__name__ if isinstance(function, Effect) else "a random choice (dropout)"
            raise TraceError(f"emit: {what} has no counterpart in PyTorch; emit the part without it")
        if function is np.where:
            args = tuple([np.asarray(a) if isinstance(a, list) else a for a in args])
        texts = [self.text(a, instruction) for a in args]
        if function is SCATTER:
            return self.scattered(texts[0], args[1], args[2], self.text(instruction.out.dtype))
        if function in NAMES and function not in PLACES and not self.is_symbol(function):
            return self.named(f"torch.{NAMES[function]}", self.tensors(texts, instruction), kwargs)
        if function is abs:
            return f"torch.abs({texts[0]})"
        if function is _copied:
            return f"{texts[0]}.clone()"
        if function is _astype:
            return f"torch.as_tensor({texts[0]}).to({texts[1]})"
        if function is np.transpose:
            axes = args[1] if len(args) > 1 else kwargs.get("axes")
            order = tuple(reversed(range(len(args[0].shape)))) if axes is None else tuple(axes)
            return f"{texts[0]}.T" if order == (1, 0) else f"{texts[0]}.permute({order})"
        if function is float:
            return texts[0]  # a tensor without axes is as good
        if function in (np.var, np.std):
            kwargs["correction"] = kwargs.pop("ddof", 0)
            return self.named(f"torch.{function.__name__}", texts, kwargs)
        if function in (np.subtract, operator.sub) and any(_is_bool(a) for a in args):
            texts = [
                f"{t}.to({self.text(instruction.out.dtype)})" if _is_bool(a) else t
                for a, t in zip(args, texts)
            ]
            return " - ".join(texts)
        if function is operator.getitem and any(
            isinstance(p, slice) and (p.step or 1) < 0
            for p in (args[1] if isinstance(args[1], tuple) else (args[1],))
        ):
            raise TraceError("emit: PyTorch has no slices that go backwards; use np.flip")
        if function in (np.max, np.min) and len(args) + len(kwargs.keys() & {"axis"}) == 1:
            kwargs["axis"] = tuple(range(len(args[0].shape)))
        if function in (np.mean, np.sum, np.prod) and instruction.out.dtype != args[0].dtype:
            kwargs["dtype"] = instruction.out.dtype
        if self.is_symbol(function) and not kwargs:
            return super().call(instruction)
        if function in PLACES and () in (kwargs.get("axis"), *args[1:2]):
            return texts[0]  # over no axis at all, which torch takes for over all of them
        if function in PLACES and len(texts) > 1:
            kwargs, texts = {"axis": args[1], **kwargs}, texts[:1]
        kwargs = {
            k: a
            for k, a in kwargs.items()
            if (k, a) not in (("axis", None), ("keepdims", False), ("out", None))
        }
        return self.named(f"torch.{self.torch_name(function)}", self.tensors(texts, instruction), kwargs)

    def tensors(self, texts: list[str], instruction: Instruction) -> list[str]:
        """The arguments, with tensors in place of plain numbers where torch wants them."""
        if instruction.function not in NUMBERS:
            return texts
        dtype = self.text(instruction.out.dtype)
        return [
            f"torch.tensor({t}, dtype={dtype})" if isinstance(a, (int, float)) else t
            for a, t in zip(instruction.args, texts)
        ]

    def scattered(self, x: str, index: Any, shape: tuple[int, ...], dtype: str) -> str:
        """Zeros with `x` added in at `index`, which may name an entry several times."""
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(p, slice) and (p.step or 1) < 0 for p in parts):
            raise TraceError("emit: PyTorch has no slices that go backwards; use np.flip")
        n = math.prod(shape)
        where = f"torch.arange({n}).reshape({shape})[{self.index(index)}].reshape(-1)"
        if not any(isinstance(p, Variable) for p in parts):  # what is added may be broadcast to its place
            x = f"torch.broadcast_to({x}, {np.broadcast_to(True, shape)[index].shape})"
        zeros = f"torch.zeros({n}, dtype={dtype})"
        return f"{zeros}.index_add(0, {where}, {x}.reshape(-1)).reshape({shape})"

    def named(self, name: str, texts: list[str], kwargs: dict[str, Any]) -> str:
        """A call with torch's keywords."""
        keywords = [f"{KEYWORDS.get(k, k)}={self.text(a)}" for k, a in kwargs.items()]
        return f"{name}({', '.join(texts + keywords)})"

    def torch_name(self, function: Callable[..., Any]) -> str:
        """What torch calls a function."""
        name = getattr(function, "__name__", repr(function)).strip("_")
        if function in NAMES or function in RENAMED:
            return NAMES.get(function) or RENAMED[function]
        if getattr(np, name, None) is function and name in SAME:
            return name
        raise TraceError(
            f"emit: {name} has no counterpart in PyTorch that is known here; target='numpy' prints it"
        )

    def text(self, thing: Any, instruction: Instruction | None = None) -> str:
        if isinstance(thing, np.generic) and np.isfinite(thing):
            return f"torch.tensor({thing.item()!r}, dtype={self.text(thing.dtype)})"
        if isinstance(thing, type) and issubclass(thing, np.generic):
            thing = np.dtype(thing)
        if isinstance(thing, np.dtype):
            return f"torch.{thing.name}"
        return super().text(thing, instruction)

    def array(self, array: np.ndarray) -> str:
        dtype = f"dtype={self.text(array.dtype)}"
        if array.size and array.size > 1 and np.all(array == array.flat[0]) and np.isfinite(array.flat[0]):
            return f"torch.full({array.shape}, {array.flat[0].item()!r}, {dtype})"
        if array.ndim == 1 and array.dtype == int and np.array_equal(array, np.arange(array.size)):
            return f"torch.arange({array.size})"
        short = array.size <= 8 and bool(np.all(np.isfinite(array)))
        return f"torch.tensor({array.tolist()!r}, {dtype})" if short else self.constant(array)

    def constant(self, thing: Any) -> str:
        if not isinstance(thing, np.ndarray):
            raise TraceError(f"emit: {thing!r} cannot be written in PyTorch")
        return super().constant(thing)

    def helper(self, function: Any) -> str:
        if function is expect:
            return super().helper(function)
        name = getattr(function, "__name__", repr(function)).strip("_")
        raise TraceError(f"emit: {name} is more than NumPy calls and has no counterpart in PyTorch here")


def _is_bool(thing: Any) -> bool:
    if isinstance(thing, Variable) and thing.dtype is None:
        return True  # what a comparison of two floats gives
    return getattr(getattr(thing, "dtype", None), "kind", "") == "b"


def torch_source(parts: Any, title: str) -> str:
    """The program for PyTorch: a function of tensors, which gives the results and the gradients."""
    printer = TorchPrinter(parts.names, gradient_of=parts.gradient_of)
    body = body_of(printer, parts, lambda s: f"torch.ones({s.shape}, dtype=torch.{s.dtype})")
    return f"import torch\n\n\n{definition(printer, parts, title, body)}"
