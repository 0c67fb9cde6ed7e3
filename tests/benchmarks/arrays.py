"""Work on large arrays: elementwise chains, broadcasting, convolution, embedding, softmax.

By hand, by this library and by PyTorch; the other engines do the same in `peers`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .works import WORKS, Step, Work, engine, one_thread, single

WORKS["elementwise"] = Work(
    "chain of 4 operations on 1M float32", "eager ≤ 1.1 × hand, compiled ≤ 0.85 ×", "ms"
)
WORKS["broadcast"] = Work("broadcast add, 2000×2000", "≤ torch", "ms")
WORKS["convolution"] = Work("3×3 on 32×16×28×28 to 32 channels", "≤ 1.3 × torch", "ms")
WORKS["embedding"] = Work("gradient of 20,000 lookups among 10,000×64", "≤ torch", "ms")
WORKS["cross-entropy"] = Work("softmax cross-entropy 1024×1000", "eager ≤ 1.1 × hand, compiled ≤ 0.9 ×", "ms")


def ours_of(f: Callable[..., Any], *data: np.ndarray, prepare: Callable[[Any], Any] = lambda f: f) -> Step:
    """A step that runs `f` on Values, and walks back."""
    from tinygrad_course import Value

    values, g = [Value(d) for d in data], prepare(f)

    def step() -> list[np.ndarray]:
        for v in values:
            v.grad = None
        g(*values).backward()
        return [v.grad for v in values]

    return step


def torch_of(f: Callable[..., Any], *data: np.ndarray) -> Step:
    torch = one_thread()
    tensors = [torch.tensor(d, requires_grad=True) for d in data]

    def step() -> list[Any]:
        for t in tensors:
            t.grad = None
        f(*tensors).backward()
        return [t.grad for t in tensors]

    return step


def ours_both(work: str, setup: Callable[[], tuple[Any, ...]]) -> None:
    """Register the function and data of `setup` as how the library does `work`, eagerly and compiled."""

    def compiled() -> Step:
        from tinygrad_course import compile

        return ours_of(*setup(), prepare=compile)

    engine(work, "ours")(lambda: ours_of(*setup()))
    engine(work, "compiled")(compiled)


def rows_of(high: int, n: int) -> np.ndarray:
    """`n` numbers below `high`: rows to look up, or labels."""
    return np.random.default_rng(1).integers(0, high, n)


def chain(x: Any, module: Any) -> Any:
    return (module.tanh(x * x + x) * x).sum()


def add(a: Any, b: Any) -> Any:
    return (a + b).sum()


def pictures() -> tuple[np.ndarray, np.ndarray]:
    return single(32, 16, 28, 28), single(32, 16, 3, 3)


@engine("elementwise", "hand")
def elementwise_hand() -> Step:
    x = single(1_000_000)
    y, t, g = np.empty_like(x), np.empty_like(x), np.empty_like(x)

    def step() -> list[np.ndarray]:
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
        return [g]

    return step


ours_both("elementwise", lambda: (lambda x: chain(x, np), single(1_000_000)))
engine("elementwise", "torch")(lambda: torch_of(lambda x: chain(x, one_thread()), single(1_000_000)))


@engine("broadcast", "hand")
def broadcast_hand() -> Step:
    a, b, c = single(2000, 1), single(2000), np.empty((2000, 2000), np.float32)

    def step() -> list[np.ndarray]:
        np.add(a, b, out=c)
        c.sum()
        return [np.full((2000, 1), 2000, np.float32), np.full(2000, 2000, np.float32)]

    return step


ours_both("broadcast", lambda: (add, single(2000, 1), single(2000)))
engine("broadcast", "torch")(lambda: torch_of(add, single(2000, 1), single(2000)))


@engine("convolution", "hand")
def convolution_hand() -> Step:
    x, w = pictures()
    g = np.ones((32, 32, 26 * 26), np.float32)
    columns = np.empty((32, 16 * 9, 26 * 26), np.float32)
    out, back, dx = np.empty_like(g), np.empty_like(columns), np.empty_like(x)

    def step() -> list[np.ndarray]:
        view = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3)).transpose(0, 1, 4, 5, 2, 3)
        columns.reshape(32, 16, 3, 3, 26, 26)[...] = view
        flat = w.reshape(32, -1)
        np.matmul(flat, columns, out=out)
        out.sum()
        dw = np.matmul(g, columns.transpose(0, 2, 1)).sum(axis=0)
        np.matmul(flat.T, g, out=back)
        dx[...] = 0
        parts = back.reshape(32, 16, 3, 3, 26, 26)
        for i in range(3):
            for j in range(3):
                dx[:, :, i : i + 26, j : j + 26] += parts[:, :, i, j]
        return [dx, dw]

    return step


def convolution() -> tuple[Any, ...]:
    from tinygrad_course.nn import functional as F

    return lambda x, w: F.conv2d(x, w).sum(), *pictures()


ours_both("convolution", convolution)


@engine("convolution", "torch")
def convolution_torch() -> Step:
    F = one_thread().nn.functional
    return torch_of(lambda x, w: F.conv2d(x, w).sum(), *pictures())


@engine("embedding", "hand")
def embedding_hand() -> Step:
    """The k-th uses of all rows are added in one go.

    The rows that are used most come first, so that those used k times or more are a slice.
    """
    w, rows = single(10_000, 64), rows_of(10_000, 20_000)
    seen, g = np.empty((20_000, 64), np.float32), np.ones((20_000, 64), np.float32)
    sums, part, dw = np.empty_like(w), np.empty_like(w), np.empty_like(w)

    def step() -> list[np.ndarray]:
        np.take(w, rows, axis=0, out=seen, mode="clip")
        seen.sum()
        uses = rows.astype(np.uint16).argsort(kind="stable")  # few bytes sort fast
        counts = np.bincount(rows, minlength=10_000)
        names = (counts.max() - counts).astype(np.uint8).argsort(kind="stable")
        starts = (np.cumsum(counts) - counts)[names]
        used = np.cumsum(np.bincount(counts)[::-1])[::-1]  # used[k]: how many rows are used k times or more
        np.take(g, uses[starts[: used[1]]], axis=0, out=sums[: used[1]], mode="clip")
        for k, n in enumerate(used[2:], 1):
            np.take(g, uses[starts[:n] + k], axis=0, out=part[:n], mode="clip")
            np.add(sums[:n], part[:n], out=sums[:n])
        sums[used[1] :] = 0
        dw[names] = sums
        return [dw]

    return step


def embedding() -> tuple[Any, ...]:
    from tinygrad_course.nn import functional as F

    rows = rows_of(10_000, 20_000)
    return lambda w: F.embedding(rows, w).sum(), single(10_000, 64)


ours_both("embedding", embedding)


@engine("embedding", "torch")
def embedding_torch() -> Step:
    torch = one_thread()
    rows = torch.tensor(rows_of(10_000, 20_000))
    return torch_of(lambda w: torch.nn.functional.embedding(rows, w).sum(), single(10_000, 64))


@engine("cross-entropy", "hand")
def cross_entropy_hand() -> Step:
    x, y = single(1024, 1000), rows_of(1000, 1024)
    z, rows = np.empty_like(x), np.arange(1024)

    def step() -> list[np.ndarray]:
        np.subtract(x, x.max(axis=1, keepdims=True), out=z)
        picked = z[rows, y]
        np.exp(z, out=z)
        total = z.sum(axis=1, keepdims=True)
        (np.log(total[:, 0]) - picked).mean()
        np.divide(z, total, out=z)
        z[rows, y] -= 1
        np.multiply(z, np.float32(1 / 1024), out=z)
        return [z]

    return step


def cross_entropy() -> tuple[Any, ...]:
    from tinygrad_course.nn import functional as F

    y = rows_of(1000, 1024)
    return lambda x: F.cross_entropy(x, y), single(1024, 1000)


ours_both("cross-entropy", cross_entropy)


@engine("cross-entropy", "torch")
def cross_entropy_torch() -> Step:
    torch = one_thread()
    y = torch.tensor(rows_of(1000, 1024))
    return torch_of(lambda x: torch.nn.functional.cross_entropy(x, y), single(1024, 1000))
