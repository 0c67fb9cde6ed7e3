"""`emit`: a function's program, forward and backward, as text in another notation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, overload

from .compiled import Compiled, compile
from .export.javascript import javascript_source
from .export.latex import latex
from .export.onnx import onnx_model
from .export.torch import torch_source
from .traced import written_for

TARGETS = ("numpy", "torch", "javascript", "latex", "onnx")


@overload
def emit(function: Callable[..., Any], *args: Any, target: Literal["onnx"], batch: int | None = 0) -> Any: ...
@overload
def emit(function: Callable[..., Any], *args: Any, target: str = "numpy", batch: int | None = 0) -> str: ...
def emit(function: Callable[..., Any], *args: Any, target: str = "numpy", batch: int | None = 0) -> Any:
    r"""Write down what a function computes for arguments like these, and how its gradients come back.

    Parameters
    ----------
    function : callable
        As for `compile`.
    *args
        Arguments for one call; the shapes and dtypes count.  Nothing is changed.
    target : {"numpy", "torch", "javascript", "latex", "onnx"}
        NumPy source that runs on its own, the same program for PyTorch, an ES module in JavaScript without a
        library, the steps of the chain rule in LaTeX, one line an operation, or the forward pass as an ONNX
        model, which needs the library onnx (the extra `interop`).
    batch : int or None
        For ONNX: the axis of the arrays among `args` that counts samples.  The model takes any number of them
        (its axis is named "batch"); this is found by running the function with several numbers.  With None
        it is for just these sizes.

    Returns
    -------
    str, or onnx.ModelProto for ONNX
        Source.  The printed functions take the arguments and the parameters that `function` uses, and give
        its result and a dict of gradients.  JavaScript's `forward` and `backward` take and give objects with
        everything by name, numbers and flat typed arrays.  LaTeX is an ``align*`` environment.
        An ONNX model takes the arguments and gives the results; parameters are its initializers, named as in
        `state_dict`.  It has passed onnx's checker; ``onnx.save(model, path)`` writes it.  In float64
        onnxruntime lacks some operators (Conv, AveragePool, Erf, Tan and its kin), which it has in float32.

    Raises
    ------
    TraceError
        If the function cannot be traced, or an operation has no counterpart in the target; for ONNX, if the
        function is for one number of samples only.
    ValueError
        For another target.
    ImportError
        If the library onnx is needed and missing.
    TypeError
        If the target is not given by name.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import Value, emit
    >>> w = Value(np.array([1.0, -2.0]), name="w")
    >>> print(emit(lambda x: ((w * x) ** 2).sum(), np.array([3.0, 1.0]), target="latex"))
    \begin{align*}
    z_{1} &= w \odot x \\
    z_{2} &= z_{1}^{2} \\
    L &= \sum z_{2} \\
    \text{backward} & \\
    \frac{\partial L}{\partial L} &= 1 \\
    \frac{\partial L}{\partial z_{2}} &= \frac{\partial L}{\partial L} \\
    \frac{\partial L}{\partial z_{1}} &= \frac{\partial L}{\partial z_{2}} \cdot 2 \odot z_{1} \\
    \frac{\partial L}{\partial w} &= \frac{\partial L}{\partial z_{1}} \odot x
    \end{align*}
    >>> import pytest
    >>> onnx = pytest.importorskip("onnx")
    >>> model = emit(lambda x: np.tanh(x * w), np.ones((5, 2)), target="onnx")
    >>> [node.op_type for node in model.graph.node], model.graph.initializer[0].name
    (['Mul', 'Tanh'], 'w')
    """
    if target not in TARGETS:
        raise ValueError(f"emit: target is one of {', '.join(map(repr, TARGETS))}, not {target!r}")
    for name in args:
        if isinstance(name, str) and name in TARGETS:
            raise TypeError(
                f"emit: the arguments after the function are those of one call of it, and {name!r} is among "
                f"them; give the target by name: emit(f, x, target={name!r})"
            )
    compiled = function if isinstance(function, Compiled) else compile(function)
    if target == "onnx":
        return onnx_model(compiled.function, args, batch)
    if target == "latex":
        return latex(compiled.function, args)
    if target == "numpy":
        return compiled.program(*args).source
    with written_for(target):
        program = Compiled(compiled.function).program(*args)
    if target == "torch":
        return torch_source(program.parts, getattr(compiled.function, "__name__", "function"))
    return javascript_source(program.parts)
