"""A submission in which every answer is right."""

from functools import reduce

import numpy as np

from tinygrad_course import Value, optim


def neuron(x, w, b):
    return 1 / (1 + np.exp(-reduce(lambda s, p: s + p[0] * p[1], zip(x, w), b)))


def perceptron_step(w, b, x, label):
    full, one = np.append(w, b), np.append(x, 1)
    if (full @ one) * label <= 0:
        full = full + label * one
    return full[:-1], full[-1]


def xor_weights():
    return ((1.5, -1, -1), (0.5, -1, -1), (-0.5, 1, -1))


def softsign_rule(g, out, x):
    return g * (1 / (1 + np.abs(x)) - np.abs(x) / (1 + np.abs(x)) ** 2)


def cross_entropy_gradient(z, y):
    return np.array([1 / np.exp(np.clip(z - zi, None, 700)).sum() - (i == y) for i, zi in enumerate(z)])


def momentum_step(w, v, g, lr, m):
    new = m * v + g
    p = Value(w.copy())
    p.grad = new
    optim.SGD([p], lr=lr).step()
    return p.data, new


def learning_rate(s, w, n, t):
    if s < w:
        return np.interp(s, [0, w], [0, t])
    return t * (1 - np.cos(np.pi * (n - s) / (n - w))) / 2


def he_initialisation(i, o, rng):
    return Value(rng.normal(0, np.sqrt(2 / i), (o, i)))


def dropout(x, p, training, rng):
    p = p if training else 0.0
    return x * ((rng.random(x.shape) >= p) / (1 - p))


def early_stopping(losses, n):
    best = 0
    for e, loss in enumerate(losses):
        if loss < min(losses[:e], default=np.inf):
            best = e
        if e >= best + n:
            return e, best
    return e, best
