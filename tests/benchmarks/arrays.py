"""Work on large arrays: elementwise chains, broadcasting, convolution, embedding, softmax, second order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .works import WORKS, Step, Work, engine

WORKS["elementwise"] = Work("chain of 4 operations on 1M float32", "eager ≤ torch, compiled ≤ 1.2 × hand")
WORKS["broadcast"] = Work("broadcast add, 2000×2000", "≤ 0.5 × torch")
WORKS["convolution"] = Work("3×3 on 32×16×28×28 to 32 channels", "≤ 1.1 × hand")
WORKS["embedding"] = Work("gradient of 20,000 lookups among 10,000×64", "≤ torch")
WORKS["cross-entropy"] = Work("softmax cross-entropy 1024×1000", "≤ 1.2 × hand")
WORKS["second-order"] = Work("gradient of a gradient, 1,000 numbers", "≤ torch")
WORKS["hessian"] = Work("Hessian of 201 parameters (MLP 2-50-1)", "≤ 12 ms")
rng = np.random.default_rng(0)


def single(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def one_thread() -> Any:
    import torch

    torch.set_num_threads(1)
    return torch


def ours_of(f: Callable[..., Any], *data: np.ndarray, prepare: Callable[[Any], Any] = lambda f: f) -> Step:
    """A step that runs `f` on Values, and walks back; the check value is the sum of the first gradient."""
    from tinygrad_course import Value

    values, g = [Value(d) for d in data], prepare(f)

    def step() -> float:
        for v in values:
            v.grad = None
        g(*values).backward()
        return float(values[0].grad.sum())

    return step


def torch_of(f: Callable[..., Any], *data: np.ndarray) -> Step:
    torch = one_thread()
    tensors = [torch.tensor(d, requires_grad=True) for d in data]

    def step() -> float:
        for t in tensors:
            t.grad = None
        f(*tensors).backward()
        return float(tensors[0].grad.sum())

    return step


def chain(x: Any, module: Any) -> Any:
    return (module.tanh(x * x + x) * x).sum()


@engine("elementwise", "hand")
def elementwise_hand() -> Step:
    x = single(1_000_000)
    y, t, g = np.empty_like(x), np.empty_like(x), np.empty_like(x)

    def step() -> float:
        np.multiply(x, x, out=y)
        np.add(y, x, out=y)
        np.tanh(y, out=y)
        np.multiply(y, x, out=t)
        t.sum()
        np.multiply(y, y, out=t)
        np.subtract(1, t, out=t)
        np.multiply(t, x, out=t)
        np.multiply(t, x, out=g)
        np.add(g, g, out=g)
        np.add(g, t, out=g)
        np.add(g, y, out=g)
        return float(g.sum())

    return step


engine("elementwise", "ours")(lambda: ours_of(lambda x: chain(x, np), single(1_000_000)))


@engine("elementwise", "compiled")
def elementwise_compiled() -> Step:
    from tinygrad_course import compile

    return ours_of(lambda x: chain(x, np), single(1_000_000), prepare=compile)


engine("elementwise", "torch")(lambda: torch_of(lambda x: chain(x, one_thread()), single(1_000_000)))
engine("broadcast", "torch")(lambda: torch_of(lambda a, b: (a + b).sum(), single(2000, 1), single(2000)))


@engine("broadcast", "hand")
def broadcast_hand() -> Step:
    a, b, c = single(2000, 1), single(2000), np.empty((2000, 2000), np.float32)

    def step() -> float:
        np.add(a, b, out=c)
        c.sum()
        return float(np.full((2000, 1), 2000, np.float32).sum())

    return step


engine("broadcast", "ours")(lambda: ours_of(lambda a, b: (a + b).sum(), single(2000, 1), single(2000)))


@engine("convolution", "hand")
def convolution_hand() -> Step:
    x, w = single(32, 16, 28, 28), single(32, 16, 3, 3)
    g = np.ones((32, 32, 26 * 26), np.float32)
    columns = np.empty((32, 16 * 9, 26 * 26), np.float32)
    back, dx = np.empty_like(columns), np.empty_like(x)

    def step() -> float:
        view = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3)).transpose(0, 1, 4, 5, 2, 3)
        columns.reshape(32, 16, 3, 3, 26, 26)[...] = view
        flat = w.reshape(32, -1)
        np.matmul(flat, columns)
        np.matmul(g, columns.transpose(0, 2, 1)).sum(axis=0)
        np.matmul(flat.T, g, out=back)
        dx[...] = 0
        parts = back.reshape(32, 16, 3, 3, 26, 26)
        for i in range(3):
            for j in range(3):
                dx[:, :, i : i + 26, j : j + 26] += parts[:, :, i, j]
        return float(dx.sum())

    return step


@engine("convolution", "ours")
def convolution_ours() -> Step:
    from tinygrad_course.nn import functional as F

    return ours_of(lambda x, w: F.conv2d(x, w).sum(), single(32, 16, 28, 28), single(32, 16, 3, 3))


@engine("convolution", "torch")
def convolution_torch() -> Step:
    F = one_thread().nn.functional
    return torch_of(lambda x, w: F.conv2d(x, w).sum(), single(32, 16, 28, 28), single(32, 16, 3, 3))


@engine("embedding", "ours")
def embedding_ours() -> Step:
    from tinygrad_course.nn import functional as F

    rows = np.random.default_rng(1).integers(0, 10_000, 20_000)
    return ours_of(lambda w: F.embedding(rows, w).sum(), single(10_000, 64))


@engine("embedding", "torch")
def embedding_torch() -> Step:
    torch = one_thread()
    rows = torch.tensor(np.random.default_rng(1).integers(0, 10_000, 20_000))
    return torch_of(lambda w: torch.nn.functional.embedding(rows, w).sum(), single(10_000, 64))


@engine("cross-entropy", "hand")
def cross_entropy_hand() -> Step:
    x, y = single(1024, 1000), np.random.default_rng(1).integers(0, 1000, 1024)
    z, rows = np.empty_like(x), np.arange(1024)

    def step() -> float:
        np.subtract(x, x.max(axis=1, keepdims=True), out=z)
        picked = z[rows, y]
        np.exp(z, out=z)
        total = z.sum(axis=1, keepdims=True)
        (np.log(total[:, 0]) - picked).mean()
        np.divide(z, total, out=z)
        z[rows, y] -= 1
        np.multiply(z, np.float32(1 / 1024), out=z)
        return float(z.sum())

    return step


@engine("cross-entropy", "ours")
def cross_entropy_ours() -> Step:
    from tinygrad_course.nn import functional as F

    y = np.random.default_rng(1).integers(0, 1000, 1024)
    return ours_of(lambda x: F.cross_entropy(x, y), single(1024, 1000))


@engine("cross-entropy", "compiled")
def cross_entropy_compiled() -> Step:
    from tinygrad_course import compile
    from tinygrad_course.nn import functional as F

    y = np.random.default_rng(1).integers(0, 1000, 1024)
    return ours_of(lambda x: F.cross_entropy(x, y), single(1024, 1000), prepare=compile)


@engine("cross-entropy", "torch")
def cross_entropy_torch() -> Step:
    torch = one_thread()
    y = torch.tensor(np.random.default_rng(1).integers(0, 1000, 1024))
    return torch_of(lambda x: torch.nn.functional.cross_entropy(x, y), single(1024, 1000))


@engine("second-order", "torch")
def second_order_torch() -> Step:
    torch = one_thread()
    x = torch.linspace(-1, 1, 1000, dtype=torch.float64, requires_grad=True)

    def step() -> float:
        (g,) = torch.autograd.grad((torch.tanh(x) * x).sum(), x, create_graph=True)
        (h,) = torch.autograd.grad((g * g).sum(), x)
        return float(h.sum())

    return step


@engine("second-order", "ours")
def second_order_ours() -> Step:
    from tinygrad_course import grad

    x = np.linspace(-1, 1, 1000)
    first = grad(lambda x: (np.tanh(x) * x).sum())
    second = grad(lambda x: (first(x) ** 2).sum())
    return lambda: float(second(x).sum())


@engine("second-order", "autograd")
def second_order_autograd() -> Step:
    import autograd.numpy as anp
    from autograd import grad

    x = np.linspace(-1, 1, 1000)
    first = grad(lambda x: anp.sum(anp.tanh(x) * x))
    second = grad(lambda x: anp.sum(first(x) ** 2))
    return lambda: float(second(x).sum())


def small_network(w: Any, module: Any, x: Any, y: Any) -> Any:
    """Mean squared error of an MLP 2-50-1 whose 201 parameters are one vector."""
    hidden = module.tanh(x @ w[:100].reshape(2, 50) + w[100:150])
    return ((hidden @ w[150:200] + w[200] - y) ** 2).mean()


def hessian_set() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, 2))
    return rng.standard_normal(201) * 0.3, x, np.sin(x[:, 0])


@engine("hessian", "ours")
def hessian_ours() -> Step:
    from tinygrad_course import hessian

    w, x, y = hessian_set()
    h = hessian(lambda w: small_network(w, np, x, y))
    return lambda: float(np.abs(h(w)).sum())


@engine("hessian", "torch")
def hessian_torch() -> Step:
    torch = one_thread()
    w, x, y = map(torch.tensor, hessian_set())
    f = lambda w: small_network(w, torch, x, y)
    return lambda: float(torch.autograd.functional.hessian(f, w).abs().sum())
