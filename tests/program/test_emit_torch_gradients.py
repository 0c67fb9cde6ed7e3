"""PyTorch's own gradient of an emitted forward pass is ours, at kinks, ties and zeros too."""

from __future__ import annotations

import numpy as np
import pytest
import rows  # noqa: F401 (fills CASES)
from hypothesis import given, settings
from hypothesis import strategies as st
from rows.registry import CASES, ROWS, fixed, name_of

from tinygrad_course import TraceError, Value, emit
from tinygrad_course.nn import functional as F
from tinygrad_course.program.source import Printer
from tinygrad_course.trees import leaves, mapped

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle
WRITTEN = [f for f, row in ROWS.items() if (row.torch or Printer.sign(f)) and not row.nondifferentiable]
PLACES = [
    np.zeros(8),
    np.ones(8),
    np.array([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0]),
    np.array([-1.0, -1.0, 0.0, 0.0, 1.0, 1.0, 3.0, 3.0]),
]
KINKS = {
    **{
        name: getattr(F, name)
        for name in [
            "relu",
            "relu6",
            "elu",
            "celu",
            "selu",
            "leaky_relu",
            "gelu",
            "silu",
            "mish",
            "softplus",
            "softsign",
            "hardtanh",
            "hardsigmoid",
            "hardswish",
            "hardshrink",
            "softshrink",
            "tanhshrink",
            "sigmoid",
            "logsigmoid",
            "tanh",
            "softmin",
            "softmax",
            "log_softmax",
        ]
    },
    "threshold": lambda x: F.threshold(x, 0.5, 0.0),
    "gelu, tanh": lambda x: F.gelu(x, "tanh"),
    "l1": lambda x: F.l1_loss(x, np.zeros(8)),
    "huber": lambda x: F.huber_loss(x, np.zeros(8)),
    "smooth l1": lambda x: F.smooth_l1_loss(x, np.zeros(8)),
    "hinge": lambda x: F.hinge_embedding_loss(x, np.ones(8)),
    "margin": lambda x: F.margin_ranking_loss(x, x * 0.5, np.ones(8)),
    "classes": lambda x: F.multi_margin_loss(x.reshape(2, -1), np.array([0, 1])),
    "cross-entropy": lambda x: F.binary_cross_entropy_with_logits(x, np.ones(8)),
    "std": lambda x: np.std(x),
    "max": lambda x: np.max(x, initial=-np.inf) + np.max(x.reshape(2, 4), axis=1).sum(),
    "clip": lambda x: np.clip(x, -1, 1),
    "hypot": lambda x: np.hypot(x, x - 1.0) + np.hypot(x, 0.0),
    "abs": lambda x: np.abs(x) * x + np.maximum(x, -x) + np.fmax(x, 0.0),
}


def compared(f, arrays):
    """Gradients of a sum of all entries, each with its own factor; false where PyTorch or emit refuses."""
    values = mapped(lambda x: Value(np.array(x)), arrays)
    text = emit(f, *values, target="torch")
    scope = {}
    exec(text, scope)
    program, tensors = scope.get("f") or scope["function"], [torch.tensor(v.data) for v in leaves(values)]
    if program.__code__.co_argcount != len(tensors):
        return False  # long constants are arguments
    outs = f(*values)
    outs = outs if isinstance(outs, (list, tuple)) else [outs]
    factors = [np.cos(np.arange(o.size).reshape(o.shape) + 1.0) for o in outs]
    sum((o * w).sum() for o, w in zip(outs, factors)).backward()
    for tensor in tensors:
        tensor.requires_grad_()
    try:
        got = program(*tensors)[: len(outs)]
        sum((o * torch.tensor(w)).sum() for o, w in zip(got, factors)).backward()
    except (RuntimeError, TypeError, IndexError, AttributeError):  # PyTorch itself says what it cannot do
        return False
    for tensor, v in zip(tensors, leaves(values), strict=True):
        ours = np.zeros(v.shape) if v.grad is None else v.grad
        theirs = np.zeros(v.shape) if tensor.grad is None else tensor.grad.numpy()
        np.testing.assert_allclose(theirs, ours, rtol=1e-7, atol=1e-9, err_msg=text)
    return True


@pytest.mark.parametrize("name", KINKS)
def test_at_kinks(name):
    def f(x):
        return KINKS[name](x)

    for x in PLACES:
        assert compared(f, [x])


def at(constant):
    def there(x):
        if isinstance(x, float):
            return constant
        return np.full_like(x, constant) if getattr(x, "dtype", np.dtype(bool)).kind == "f" else x

    return there


def is_array(argument):
    """Whether an argument, or each part of it, is an array or a float, so that a program is given it anew."""
    parts = argument if isinstance(argument, (list, tuple)) else [argument]
    return len(parts) > 0 and all(isinstance(part, (np.ndarray, float)) for part in parts)


@pytest.mark.parametrize("function", WRITTEN, ids=name_of)
@pytest.mark.filterwarnings("ignore")
def test_rows_at_zeros_and_ties(function):
    @settings(max_examples=settings.default.max_examples // 8)
    @given(st.one_of(case.calls for case in CASES if case.function is function))
    def compare(call):
        args = [a.value if isinstance(a, fixed) else a for a in call.args]

        def f(*given):
            following = iter(given)
            return function(*[next(following) if is_array(a) else a for a in args], **call.kwargs)

        arrays = [a for a in args if is_array(a)]
        for place in (at(0.0), at(1.0)):
            with np.errstate(all="ignore"):
                try:
                    compared(f, mapped(place, arrays))
                except (TraceError, TypeError, ValueError, np.linalg.LinAlgError):
                    continue  # outside of what the operation, or PyTorch, is for

    compare()
