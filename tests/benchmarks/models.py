"""A training step of a GPT block, a ResNet block, and a graph of 50,000 numbers; and Adam's step alone.

There is no hand-written form of the blocks: they are compared with PyTorch's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .works import WORKS, Step, Work, engine, one_thread, single

WORKS["gpt-block"] = Work(
    "GPT block, 8×64 tokens of 128, 4 heads, Adam", "eager ≤ 1.1 × torch, whole ≤ 1.0 ×", "ms", before=3
)
WORKS["resnet-block"] = Work(
    "ResNet block, 32×16×14×14, SGD with momentum", "eager ≤ 1.5 × torch, whole ≤ 1.3 ×", "ms", before=3
)
WORKS["scalars-50000"] = Work("50,000 numbers, forward and backward", "eager ≤ 0.25 × micrograd", "ms")
for millions in (1, 10):
    WORKS[f"adam-{millions}m"] = Work(
        f"Adam's step, {millions}M float32", "≤ 0.72 × whole passes by hand", "ms", before=3
    )


def gpt_weights(c: int = 128) -> list[np.ndarray]:
    """Of the two norms, the attention's projections in and out, and the two linear layers."""
    rng = np.random.default_rng(2)
    draw = lambda *shape: rng.standard_normal(shape, dtype=np.float32) * np.float32(0.05)
    norms = [np.ones(c, np.float32), np.zeros(c, np.float32)]
    linear = [(3 * c, c), (3 * c,), (c, c), (c,), (4 * c, c), (4 * c,), (c, 4 * c), (c,)]
    return [*norms, *norms, *[draw(*shape) for shape in linear]]


def gpt_block(F: Any, p: list[Any], x: Any, c: int = 128, heads: int = 4) -> Any:
    """The mean square of what the block gives, in the calls that both libraries spell alike."""
    n, t, _ = x.shape
    g1, b1, g2, b2, w_in, b_in, w_out, b_out, w_up, b_up, w_down, b_down = p
    qkv = F.linear(F.layer_norm(x, (c,), g1, b1), w_in, b_in)
    q, k, v = (
        qkv[..., i * c : (i + 1) * c].reshape(n, t, heads, c // heads).swapaxes(1, 2) for i in range(3)
    )
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).swapaxes(1, 2).reshape(n, t, c)
    x = x + F.linear(mixed, w_out, b_out)
    hidden = F.gelu(F.linear(F.layer_norm(x, (c,), g2, b2), w_up, b_up), approximate="tanh")
    x = x + F.linear(hidden, w_down, b_down)
    return (x * x).mean()


def resnet_weights(c: int = 16) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    kernel = lambda: rng.standard_normal((c, c, 3, 3), dtype=np.float32) * np.float32(0.1)
    return [part for _ in range(2) for part in (kernel(), np.ones(c, np.float32), np.zeros(c, np.float32))]


def resnet_block(F: Any, p: list[Any], x: Any) -> Any:
    """The mean square of relu(x + two convolutions, each with its batch normalised)."""
    w1, g1, b1, w2, g2, b2 = p
    norm = lambda h, g, b: F.batch_norm(h, None, None, g, b, training=True)
    h = F.relu(norm(F.conv2d(x, w1, padding=1), g1, b1))
    h = F.relu(x + norm(F.conv2d(h, w2, padding=1), g2, b2))
    return (h * h).mean()


def stepped(loss_of: Callable[[], Any], optimizer: Any) -> Callable[[], Any]:
    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss

    return step


def block_step(name: str, block: Any, weights: list[np.ndarray], x: np.ndarray, optimizer: Any) -> Step:
    """A training step; `optimizer` is called with a module of optimizers and the parameters."""
    if name == "torch":
        torch = one_thread()
        data, params = torch.from_numpy(x), [torch.tensor(w, requires_grad=True) for w in weights]
        step = stepped(lambda: block(torch.nn.functional, params, data), optimizer(torch.optim, params))
        return lambda: step().item()
    from tinygrad_course import Value, compile, nn, optim

    values = [Value(w.copy()) for w in weights]
    loss_of = lambda: block(nn.functional, values, x)
    if name == "compiled":
        loss_of = compile(loss_of)
    step = stepped(loss_of, optimizer(optim, values))
    if name == "whole":
        step = compile(step)
    return lambda: step().item()


for name in ("torch", "ours", "compiled", "whole"):
    engine("gpt-block", name)(
        lambda name=name: block_step(
            name, gpt_block, gpt_weights(), single(8, 64, 128), lambda m, p: m.Adam(p, lr=1e-3)
        )
    )
    engine("resnet-block", name)(
        lambda name=name: block_step(
            name, resnet_block, resnet_weights(), single(32, 16, 14, 14), lambda m, p: m.SGD(p, 0.01, 0.9)
        )
    )


def many_numbers(Number: Callable[[float], Any], tanh: Callable[[Any], Any]) -> Step:
    """16,600 times y = tanh(y · w + b), each w and b one of fifty: 49,800 operations."""

    def step() -> float:
        w, b = ([Number(start + i / 100) for i in range(50)] for start in (0.5, -0.2))
        y = w[0]
        for i in range(16_600):
            y = tanh(y * w[i % 50] + b[i % 49])
        y.backward()
        return float(y.data) + float(sum(p.grad for p in (*w, *b) if p.grad is not None))

    return step


@engine("scalars-50000", "hand")
def many_numbers_hand() -> Step:
    def step() -> float:
        w, b = ([start + i / 100 for i in range(50)] for start in (0.5, -0.2))
        y, seen = w[0], []
        for i in range(16_600):
            before, y = y, math.tanh(y * w[i % 50] + b[i % 49])
            seen.append((before, y))
        g, gw, gb = 1.0, [0.0] * 50, [0.0] * 50
        for i in range(16_599, -1, -1):
            before, after = seen[i]
            g *= 1 - after * after
            gb[i % 49] += g
            gw[i % 50] += g * before
            g *= w[i % 50]
        gw[0] += g
        return y + sum(gw) + sum(gb)

    return step


@engine("scalars-50000", "ours")
def many_numbers_ours() -> Step:
    from tinygrad_course import Value

    return many_numbers(Value, lambda v: v.tanh())


@engine("scalars-50000", "torch")
def many_numbers_torch() -> Step:
    torch = one_thread()
    return many_numbers(lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True), torch.tanh)


def adam_by_hand(n: int) -> Step:
    """Passes over whole vectors, buffers made once."""
    f = np.float32
    p, g = single(n), single(n)
    m, v, t = np.zeros_like(p), np.zeros_like(p), np.empty_like(p)
    given = g.copy()
    beta1, rest1, beta2, rest2, eps = (np.array(c, f) for c in (0.9, 0.1, 0.999, 0.001, 1e-8))
    number = 0

    def step() -> float:
        nonlocal number
        number += 1
        np.copyto(g, given)  # as gradients come from elsewhere for every engine
        np.multiply(m, beta1, out=m)
        np.multiply(g, rest1, out=t)
        np.add(m, t, out=m)
        np.multiply(v, beta2, out=v)
        np.multiply(g, g, out=t)
        np.multiply(t, rest2, out=t)
        np.add(v, t, out=v)
        np.sqrt(v, out=t)
        np.multiply(t, np.array((1 - 0.999**number) ** -0.5, f), out=t)
        np.add(t, eps, out=t)
        np.divide(m, t, out=t)
        np.multiply(t, np.array(1e-3 / (1 - 0.9**number), f), out=t)
        np.subtract(p, t, out=p)
        return float(p[:100].sum())

    return step


def adam_of(name: str, n: int) -> Step:
    if name == "torch":
        torch = one_thread()
        p = torch.tensor(single(n), requires_grad=True)
        p.grad = torch.from_numpy(single(n))
        adam: Any = torch.optim.Adam([p], lr=1e-3, fused=True)
    else:
        from tinygrad_course import Value, optim

        p = Value(single(n))
        p.grad = single(n)
        adam = optim.Adam([p], lr=1e-3)

    def step() -> float:
        adam.step()
        return float(p.data[:100].sum())

    return step


for millions in (1, 10):
    engine(f"adam-{millions}m", "hand")(lambda n=millions * 10**6: adam_by_hand(n))
    for name in ("ours", "torch"):
        engine(f"adam-{millions}m", name)(lambda name=name, n=millions * 10**6: adam_of(name, n))
