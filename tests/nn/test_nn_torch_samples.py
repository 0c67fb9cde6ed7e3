"""The functions of nn.functional over PyTorch's own samples: values, gradients, gradients of gradients.

``TORCH_SAMPLES=all pytest tests/nn/test_nn_torch_samples.py`` takes every sample, not a few of each function.
"""

import os
from collections import Counter

import numpy as np
import pytest

from tinygrad_course import Value
from tinygrad_course.nn import functional as F

A_FEW = 12  # samples of each function, evenly from all

OURS = {  # PyTorch's samples of these have their first two arguments in turn
    "embedding": lambda weight, input, **how: F.embedding(input, weight, **how),
    "embedding_bag": lambda weight, input, *rest, **how: F.embedding_bag(input, weight, *rest, **how),
}
LEFT_OUT = {  # samples that have no counterpart: the function, and which of its samples
    "avg_pool2d": lambda sample: () in sample.args,  # PyTorch takes an empty stride for none
    "batch_norm": lambda sample: sample.input.ndim < 2,  # PyTorch takes an empty vector
    "cosine_similarity": lambda sample: not sample.input.ndim,  # PyTorch gives a number an axis
    "dropout2d": lambda sample: sample.kwargs.get("training", True) and 0 < sample.kwargs.get("p", 0.5) < 1,
    "dropout": lambda sample: sample.kwargs.get("training", True) and 0 < sample.kwargs.get("p", 0.5) < 1,
    "interpolate": lambda sample: (
        sample.input.ndim > 4 or sample.kwargs["mode"] not in ("nearest", "linear", "bilinear")
    ),
    "multi_margin_loss": lambda sample: not sample.input.ndim,  # one class
    "normalize": lambda sample: not sample.input.ndim,
    "scaled_dot_product_attention": lambda sample: sample.kwargs.get("dropout_p"),  # other random numbers
}


def samples():
    """PyTorch's samples by function and variant."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    pytest.importorskip("expecttest", reason="PyTorch's samples need expecttest")
    from torch.testing._internal.common_methods_invocations import op_db

    for op in op_db:
        name = op.name.removeprefix("nn.functional.")
        if name != op.name and hasattr(F, name) and torch.float64 in op.dtypes:
            yield name, op


def translated(thing, torch, pairs):
    """An argument for our function; leaves are paired with PyTorch's."""
    if isinstance(thing, torch.Tensor):
        array = thing.detach().numpy().copy()
        if not thing.requires_grad:
            return array
        pairs.append((Value(array), thing))
        return pairs[-1][0]
    if isinstance(thing, list | tuple):
        return type(thing)(translated(part, torch, pairs) for part in thing)
    return np.dtype(str(thing).removeprefix("torch.")) if isinstance(thing, torch.dtype) else thing


def first(out):
    """The result that counts, of several."""
    return out[0] if isinstance(out, tuple) else out


def close(ours, theirs, what):
    theirs = np.asarray(theirs.detach().numpy(force=True) if hasattr(theirs, "detach") else theirs)
    ours = np.asarray(ours.numpy() if isinstance(ours, Value) else ours)
    assert ours.shape == theirs.shape, f"{what}: {ours.shape}, not {theirs.shape}"
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9, err_msg=what)


def compare(ours, theirs, sample, torch):
    pairs = []
    args, kwargs = translated((sample.input, *sample.args), torch, pairs), {}
    for key, part in sample.kwargs.items():
        kwargs[key] = translated(part, torch, pairs)
    a = first(ours(*args, **kwargs))
    b = first(theirs(sample.input, *sample.args, **sample.kwargs))
    close(a, b, "value")
    if not (b.requires_grad and b.numel()):
        return
    weights = np.cos(np.arange(b.numel())).reshape(tuple(b.shape))
    (a * weights).sum().backward(create_graph=True)
    gradients = torch.autograd.grad(
        (b * torch.tensor(weights)).sum(), [t for _, t in pairs], create_graph=True, allow_unused=True
    )
    mine, its = 0.0, 0.0
    for i, ((v, t), g) in enumerate(zip(pairs, gradients)):
        close(
            np.zeros(v.shape) if v.grad is None else v.grad,
            torch.zeros_like(t) if g is None else g,
            f"gradient {i}",
        )
        if v.grad is not None and g is not None:
            w = np.sin(1 + np.arange(g.numel())).reshape(tuple(g.shape))
            mine, its = mine + (v.grad * w).sum(), its + (g * torch.tensor(w)).sum()
        v.grad = None
    if isinstance(mine, Value) and mine.requires_grad:
        mine.backward()
    seconds = [None] * len(pairs)
    if isinstance(its, torch.Tensor) and its.requires_grad:
        try:
            seconds = torch.autograd.grad(its, [t for _, t in pairs], allow_unused=True)
        except RuntimeError as error:  # PyTorch has no second derivative of some
            assert "is not implemented" in str(error)
            return
    for i, ((v, t), g) in enumerate(zip(pairs, seconds)):
        close(
            np.zeros(v.shape) if v.grad is None else v.grad,
            torch.zeros_like(t) if g is None else g,
            f"second {i}",
        )


def test_all_functions_agree_with_pytorch_on_its_samples():
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    compared, wrong = Counter(), []
    for name, op in samples():
        drawn = [
            sample
            for sample in op.sample_inputs("cpu", torch.float64, requires_grad=True)
            if not (name in LEFT_OUT and LEFT_OUT[name](sample))
        ]
        step = 1 if os.environ.get("TORCH_SAMPLES") == "all" else max(1, len(drawn) // A_FEW)
        for sample in drawn[::step]:
            try:
                compare(OURS.get(name) or getattr(F, name), op.op, sample, torch)
                compared[name] += 1
            except Exception as error:
                wrong.append(
                    f"{name}({sample.input.shape}, {sample.kwargs}): {type(error).__name__}: {error}"
                )
    print(f"{sum(compared.values())} samples of {len(compared)} functions agree: {dict(compared)}")
    assert not wrong, "\n".join(wrong[:20])
    assert len(compared) > 40
