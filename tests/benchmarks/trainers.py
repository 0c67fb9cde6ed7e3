"""Networks of linear layers with ReLU between, cross-entropy and Adam, written for every engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .works import one_thread

Weights = list[np.ndarray]


@dataclass
class Trainer:
    """A network in training: what an engine does with a batch of images and labels."""

    gradients: Callable[[Any, Any], Any]  # forward and backward, returns the loss
    train: Callable[[Any, Any], float]  # the same and Adam's step, returns the loss
    weights: Callable[[], Weights]
    take: Callable[[np.ndarray], Any] = lambda array: array  # an array as the engine wants it


def hand(first: Weights, n: int) -> Trainer:
    """By hand, for batches of `n`: buffers made once, all results written into one, Adam on a flat vector."""
    f = np.float32
    flat = np.concatenate([w.ravel() for w in first])
    grad, m, v, t = np.zeros_like(flat), np.zeros_like(flat), np.zeros_like(flat), np.empty_like(flat)
    cuts = np.cumsum([w.size for w in first])[:-1]
    weights, grads = (
        [part.reshape(w.shape) for part, w in zip(np.split(whole, cuts), first)] for whole in (flat, grad)
    )
    outs = [np.empty((n, len(b)), f) for b in weights[1::2]]
    forward = list(zip([w.T for w in weights[::2]], weights[1::2], outs))[:-1]
    backward = list(zip(weights[::2], grads[::2], grads[1::2], [None, *outs]))[:0:-1]
    last, last_bias, z = weights[-2].T, weights[-1], outs[-1]
    ones, rows = np.ones(n, f), np.arange(n)
    beta1, rest1, beta2, rest2, eps = (np.array(c, f) for c in (0.9, 0.1, 0.999, 0.001, 1e-8))
    scale, zero, step_number = np.array(1 / n, f), np.array(0, f), 0
    product: Any = np.multiply if n == 1 else np.matmul  # of a column and a row

    def gradients(x: np.ndarray, y: np.ndarray) -> float:
        before = x
        for w, b, h in forward:
            np.matmul(before, w, out=h)
            np.add(h, b, out=h)
            np.maximum(h, zero, out=h)
            before = h
        np.matmul(before, last, out=z)
        np.add(z, last_bias, out=z)
        np.subtract(z, z.max(axis=1, keepdims=True), out=z)
        picked = z[rows, y]
        np.exp(z, out=z)
        total = z.sum(axis=1, keepdims=True)
        loss = float((np.log(total[:, 0]) - picked).mean())
        np.divide(z, total, out=z)
        z[rows, y] -= 1
        np.multiply(z, scale, out=z)
        d = z
        for w, dw, db, h in backward:
            product(d.T, h, out=dw)
            np.matmul(ones, d, out=db)
            positive = h > 0
            np.matmul(d, w, out=h)  # what the layer gave is not needed any more
            np.multiply(h, positive, out=h)
            d = h
        product(d.T, x, out=grads[0])
        np.matmul(ones, d, out=grads[1])
        return loss

    def train(x: np.ndarray, y: np.ndarray) -> float:
        nonlocal step_number
        loss = gradients(x, y)
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

    return Trainer(gradients, train, lambda: weights)


def ours(
    first: Weights,
    n: int,
    prepare: Callable[[Any], Any] = lambda f: f,
    whole_step: Callable[[Any], Any] = lambda f: f,
) -> Trainer:
    from tinygrad_course import nn, optim

    linear = [nn.Linear(w.shape[1], w.shape[0]) for w in first[::2]]
    model = nn.Sequential(*[layer for one in linear for layer in (one, nn.ReLU())][:-1])
    for p, w in zip(model.parameters(), first):
        p.data = w
    adam = optim.Adam(model.parameters(), lr=1e-3)
    loss_of = prepare(lambda x, y: nn.functional.cross_entropy(model(x), y))

    def gradients(x: np.ndarray, y: np.ndarray) -> float:
        loss = loss_of(x, y)
        adam.zero_grad()
        loss.backward()
        return loss.item()

    @whole_step
    def step(x: np.ndarray, y: np.ndarray) -> Any:
        loss = loss_of(x, y)
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss

    return Trainer(gradients, lambda x, y: step(x, y).item(), lambda: [p.numpy() for p in model.parameters()])


def compiled(first: Weights, n: int) -> Trainer:
    from tinygrad_course import compile

    return ours(first, n, compile)


def whole(first: Weights, n: int) -> Trainer:
    """Loss, backward and Adam's step in one compiled program."""
    from tinygrad_course import compile

    return ours(first, n, whole_step=compile)


def torch(first: Weights, n: int) -> Trainer:
    torch = one_thread()
    linear = [torch.nn.Linear(w.shape[1], w.shape[0]) for w in first[::2]]
    model = torch.nn.Sequential(*[layer for one in linear for layer in (one, torch.nn.ReLU())][:-1])
    with torch.no_grad():
        for p, w in zip(model.parameters(), first):
            p.copy_(torch.from_numpy(w))
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def gradients(x: Any, y: Any) -> float:
        loss = torch.nn.functional.cross_entropy(model(x), y)
        adam.zero_grad()
        loss.backward()
        return loss.item()

    def train(x: Any, y: Any) -> float:
        loss = gradients(x, y)
        adam.step()
        return loss

    return Trainer(
        gradients, train, lambda: [p.detach().numpy() for p in model.parameters()], torch.from_numpy
    )


def jax(first: Weights, n: int) -> Trainer:
    import jax
    import jax.numpy as jnp

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        for w, b in zip(params[:-2:2], params[1:-2:2]):
            x = jnp.maximum(x @ w.T + b, 0)
        z = x @ params[-2].T + params[-1]
        return -jax.nn.log_softmax(z)[jnp.arange(len(y)), y].mean()

    def adam_step(state: Any, x: Any, y: Any) -> Any:
        params, m, v, number = state
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        number += 1
        m = [0.9 * a + 0.1 * g for a, g in zip(m, grads)]
        v = [0.999 * a + 0.001 * g * g for a, g in zip(v, grads)]
        rate, root = 1e-3 / (1 - 0.9**number), (1 - 0.999**number) ** -0.5
        params = [p - rate * a / (jnp.sqrt(b) * root + 1e-8) for p, a, b in zip(params, m, v)]
        return loss, (params, m, v, number)

    gradients, step = jax.jit(jax.value_and_grad(loss_of)), jax.jit(adam_step, donate_argnums=0)
    zeros = [[jnp.zeros(w.shape, jnp.float32) for w in first] for _ in range(2)]
    state = ([jnp.array(w) for w in first], *zeros, jnp.float32(0))

    def train(x: Any, y: Any) -> float:
        nonlocal state
        loss, state = step(state, x, y)
        return float(loss)

    return Trainer(
        lambda x, y: float(jax.block_until_ready(gradients(state[0], x, y))[0]),
        train,
        lambda: [np.asarray(p) for p in state[0]],
        jnp.asarray,
    )


def adam_by_hand(params: Weights) -> Callable[[list[Any]], None]:
    """Adam for engines that have none: in place, an array at a time."""
    m, v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
    number = 0

    def update(grads: list[Any]) -> None:
        nonlocal number
        number += 1
        rate, root = 1e-3 / (1 - 0.9**number), (1 - 0.999**number) ** -0.5
        for p, g, m_, v_ in zip(params, grads, m, v):
            m_ *= 0.9
            m_ += 0.1 * g
            v_ *= 0.999
            v_ += 0.001 * (g * g)
            p -= rate * m_ / (np.sqrt(v_) * root + 1e-8)

    return update


def mygrad(first: Weights, n: int) -> Trainer:
    import mygrad as mg
    from mygrad.nnet.losses import softmax_crossentropy

    params = [mg.tensor(w) for w in first]
    update = adam_by_hand([p.data for p in params])

    def gradients(x: np.ndarray, y: np.ndarray) -> float:
        for w, b in zip(params[:-2:2], params[1:-2:2]):
            x = mg.maximum(mg.matmul(x, w.T) + b, 0)
        loss = softmax_crossentropy(mg.matmul(x, params[-2].T) + params[-1], y)
        loss.backward()
        return float(loss.data)

    def train(x: np.ndarray, y: np.ndarray) -> float:
        loss = gradients(x, y)
        update([p.grad for p in params])
        return loss

    return Trainer(gradients, train, lambda: [p.data for p in params])


def autograd(first: Weights, n: int) -> Trainer:
    import autograd
    import autograd.numpy as anp

    params = [w.copy() for w in first]
    update = adam_by_hand(params)

    def loss_of(params: Any, x: np.ndarray, y: np.ndarray) -> Any:
        for w, b in zip(params[:-2:2], params[1:-2:2]):
            x = anp.maximum(anp.dot(x, w.T) + b, 0)
        z = anp.dot(x, params[-2].T) + params[-1]
        z = z - anp.max(z, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(z), axis=1)) - z[np.arange(len(y)), y])

    both = autograd.value_and_grad(loss_of)

    def train(x: np.ndarray, y: np.ndarray) -> float:
        loss, grads = both(params, x, y)
        update(grads)
        return float(loss)

    return Trainer(lambda x, y: float(both(params, x, y)[0]), train, lambda: params)


TRAINERS: dict[str, Callable[[Weights, int], Trainer]] = {
    make.__name__: make for make in (hand, ours, compiled, whole, torch, jax, mygrad, autograd)
}
