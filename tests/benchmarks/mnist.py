"""One training step of the lecture's 784-100-10 network: forward, cross-entropy, backward, Adam."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .works import WORKS, Step, Work, batch_of, engine, first_weights

LIMITS = {1: "eager ≤ 2.0 × hand", 50: "eager ≤ 1.35 ×", 128: "eager ≤ 1.2 ×", 1024: "eager ≤ 1.1 ×"}


def hand(n: int) -> Step:
    """By hand: every buffer made once, every result written into one, Adam on one flat vector."""
    x, y = batch_of(n)
    flat = np.concatenate([w.ravel() for w in first_weights()])
    grad, m, v, t = np.zeros_like(flat), np.zeros_like(flat), np.zeros_like(flat), np.empty_like(flat)
    cuts = [0, 78400, 78500, 79500, 79510]
    shapes = [(100, 784), (100,), (10, 100), (10,)]
    w1, b1, w2, b2 = (flat[a:b].reshape(s) for a, b, s in zip(cuts, cuts[1:], shapes))
    g1, c1, g2, c2 = (grad[a:b].reshape(s) for a, b, s in zip(cuts, cuts[1:], shapes))
    h, dh = np.empty((n, 100), np.float32), np.empty((n, 100), np.float32)
    z, ones, rows = np.empty((n, 10), np.float32), np.ones(n, np.float32), np.arange(n)
    f = np.float32
    beta1, rest1, beta2, rest2, eps = (np.array(c, f) for c in (0.9, 0.1, 0.999, 0.001, 1e-8))
    scale, step_number = np.array(1 / n, f), 0

    def step() -> float:
        nonlocal step_number
        np.matmul(x, w1.T, out=h)
        np.add(h, b1, out=h)
        np.maximum(h, 0, out=h)
        np.matmul(h, w2.T, out=z)
        np.add(z, b2, out=z)
        np.subtract(z, z.max(axis=1, keepdims=True), out=z)
        picked = z[rows, y]
        np.exp(z, out=z)
        total = z.sum(axis=1, keepdims=True)
        loss = float((np.log(total[:, 0]) - picked).mean())
        np.divide(z, total, out=z)
        z[rows, y] -= 1
        np.multiply(z, scale, out=z)
        np.matmul(z.T, h, out=g2)
        np.matmul(ones, z, out=c2)
        np.matmul(z, w2, out=dh)
        np.multiply(dh, h > 0, out=dh)
        np.matmul(dh.T, x, out=g1)
        np.matmul(ones, dh, out=c1)
        step_number += 1
        np.multiply(m, beta1, out=m)
        np.multiply(grad, rest1, out=t)
        np.add(m, t, out=m)
        np.multiply(v, beta2, out=v)
        np.multiply(grad, grad, out=t)
        np.multiply(t, rest2, out=t)
        np.add(v, t, out=v)
        np.sqrt(v, out=t)
        np.multiply(t, np.array((1 - 0.999**step_number) ** -0.5, f), out=t)
        np.add(t, eps, out=t)
        np.divide(m, t, out=t)
        np.multiply(t, np.array(1e-3 / (1 - 0.9**step_number), f), out=t)
        np.subtract(flat, t, out=flat)
        return loss

    return step


def ours(n: int, prepare: Callable[[Any], Any] = lambda f: f) -> Step:
    from tinygrad_course import nn, optim

    x, y = batch_of(n)
    model = nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))
    for p, w in zip(model.parameters(), first_weights()):
        p.data = w
    adam = optim.Adam(model.parameters(), lr=1e-3)
    loss_of = prepare(lambda x, y: nn.functional.cross_entropy(model(x), y))

    def step() -> float:
        loss = loss_of(x, y)
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    return step


def compiled(n: int) -> Step:
    from tinygrad_course import compile

    return ours(n, compile)


def torch(n: int) -> Step:
    import torch

    torch.set_num_threads(1)
    x, y = (torch.from_numpy(a) for a in batch_of(n))
    model = torch.nn.Sequential(torch.nn.Linear(784, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10))
    with torch.no_grad():
        for p, w in zip(model.parameters(), first_weights()):
            p.copy_(torch.from_numpy(w))
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def step() -> float:
        loss = torch.nn.functional.cross_entropy(model(x), y)
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    return step


def mygrad(n: int) -> Step:
    import mygrad as mg
    from mygrad.nnet.losses import softmax_crossentropy

    x, y = batch_of(n)
    w1, b1, w2, b2 = params = [mg.tensor(w) for w in first_weights()]
    m, v = [np.zeros_like(p.data) for p in params], [np.zeros_like(p.data) for p in params]
    step_number = 0

    def step() -> float:
        nonlocal step_number
        hidden = mg.maximum(mg.matmul(x, w1.T) + b1, 0)
        loss = softmax_crossentropy(mg.matmul(hidden, w2.T) + b2, y)
        loss.backward()
        step_number += 1
        for p, m_, v_ in zip(params, m, v):
            g = p.grad
            m_ *= 0.9
            m_ += 0.1 * g
            v_ *= 0.999
            v_ += 0.001 * (g * g)
            p.data[...] -= (
                1e-3 / (1 - 0.9**step_number) * m_ / (np.sqrt(v_ / (1 - 0.999**step_number)) + 1e-8)
            )
        return float(loss.data)

    return step


for size, limit in LIMITS.items():
    name = f"mnist-{size}"
    WORKS[name] = Work(f"MNIST step 784-100-10, Adam, batch {size}", limit)
    for setup in (hand, ours, compiled, torch, mygrad):
        engine(name, setup.__name__)(lambda setup=setup, size=size: setup(size))
