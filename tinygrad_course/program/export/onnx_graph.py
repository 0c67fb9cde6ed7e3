"""The nodes and constants of an ONNX model in the making: each computed once, each with a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..traced import TraceError
from .samples import Size

INT64 = np.dtype(np.int64)


class Graph:
    """What a model consists of so far.

    Attributes
    ----------
    batch : pair of str and int, or None
        The input, and its axis, off which the number of samples is read.
    """

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self.batch: tuple[str, int] | None = None
        self._next: dict[str, int] = {}
        self._made: dict[Any, str] = {}
        self._outputs: set[str] = set()

    def fresh(self, wish: str) -> str:
        """`wish`, or with the first number behind it that is free."""
        name = wish
        while name in self._next:
            self._next[wish] += 1
            name = f"{wish}_{self._next[wish]}"
        self._next[name] = 1
        return name

    def node(self, operator: str, operands: Sequence[str], **attributes: Any) -> str:
        """The result of an operator; the same one again where it is asked for again."""
        key = (operator, *operands, repr(sorted(attributes.items())))
        if key not in self._made:
            name = self._made[key] = self.fresh(operator)
            made = self.onnx.helper.make_node(operator, operands, [name], name=name, **attributes)
            self.nodes.append(made)
        return self._made[key]

    def initializer(self, array: Any, wish: str) -> str:
        """An array of the model under a name of its own."""
        name = self.fresh(wish)
        self.initializers[name] = np.ascontiguousarray(array).reshape(array.shape)
        return name

    def constant(self, array: Any) -> str:
        """An array whose name does not matter; equal ones are one."""
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._made:
            self._made[key] = self.initializer(array, "constant")
        return self._made[key]

    def integers(self, numbers: Sequence[int]) -> str:
        """Whole numbers as an operand."""
        return self.constant(np.array(list(numbers), INT64))

    def cast(self, name: str, has: np.dtype[Any], wanted: np.dtype[Any]) -> str:
        """An operand in another dtype."""
        return name if has == wanted else self.node("Cast", [name], to=self.kind(wanted))

    def kind(self, dtype: np.dtype[Any]) -> int:
        """The number that ONNX gives a dtype."""
        try:
            found: int = self.onnx.helper.np_dtype_to_tensor_dtype(dtype.newbyteorder("="))
        except (KeyError, ValueError):
            raise TraceError(f"emit: ONNX has no arrays of {dtype}; use float32") from None
        return found

    # Sizes that depend on the number of samples
    def size(self, size: Any) -> str:
        """A size as an array of one whole number."""
        if not isinstance(size, Size):
            return self.integers([size])
        assert self.batch is not None
        name, axis = self.batch
        found = self.node("Shape", [name], start=axis, end=axis + 1)
        if size.times != 1:
            found = self.node("Mul", [found, self.integers([size.times])])
        return self.node("Add", [found, self.integers([size.plus])]) if size.plus else found

    def shape(self, sizes: Sequence[Any]) -> str:
        """Sizes as one operand."""
        if not any(isinstance(size, Size) for size in sizes):
            return self.integers(sizes)
        return self.node("Concat", [self.size(size) for size in sizes], axis=0)

    def reshaped(self, name: str, sizes: Sequence[Any]) -> str:
        """An operand in another shape; where one size depends on the samples, that is what is left."""
        open_ones = [a for a, size in enumerate(sizes) if isinstance(size, Size)]
        if len(open_ones) == 1 and 0 not in sizes:
            sizes = [-1 if a == open_ones[0] else size for a, size in enumerate(sizes)]
        return self.node("Reshape", [name, self.shape(sizes)], allowzero=1)

    # The model
    def output(self, name: str, wish: str) -> str:
        """Give what is a result of the model a name of its own."""
        inner = self.is_inner(name)
        given = self.fresh(wish)
        self._outputs.add(given)
        if not inner:
            self.nodes.append(self.onnx.helper.make_node("Identity", [name], [given], name=given))
            return given
        for node in self.nodes:
            for names in (node.input, node.output):
                for i, n in enumerate(names):
                    if n == name:
                        names[i] = given
        return given

    def is_inner(self, name: str) -> bool:
        """Whether a node makes this, and it is no result of the model."""
        return name not in self._outputs and any(name in node.output for node in self.nodes)

    def value(self, name: str, dtype: np.dtype[Any], shape: Sequence[Any]) -> Any:
        """What is said of an array: its name, dtype and shape, where the samples' axis has a name."""
        sizes = [str(size) if isinstance(size, Size) else size for size in shape]
        return self.onnx.helper.make_tensor_value_info(name, self.kind(dtype), sizes)

    def model(self, title: str, inputs: Any, outputs: Any, between: Any, opset: int, version: int) -> Any:
        """The model, checked by onnx."""
        helper = self.onnx.helper
        used = {name for node in self.nodes for name in node.input}
        arrays = [
            self.onnx.numpy_helper.from_array(array, name)
            for name, array in self.initializers.items()
            if name in used
        ]
        graph = helper.make_graph(self.nodes, title, inputs, outputs, arrays, value_info=between)
        model = helper.make_model(
            graph,
            producer_name=__name__.partition(".")[0],
            opset_imports=[helper.make_opsetid("", opset)],
            ir_version=version,
        )
        self.onnx.checker.check_model(model, full_check=True)
        return model
