"""A submission in which every answer is right."""

import numpy as np


def neuron(x, w, b):
    e = np.exp(b + sum(p * q for p, q in zip(w, x)))
    return e / (1 + e)


def perceptron_step(w, b, x, label):
    z = b
    for i in range(len(w)):
        z += w[i] * x[i]
    if z * label > 0:
        return list(w), b
    return [wi + label * xi for wi, xi in zip(w, x)], b + label


def xor_weights():
    return ((0.5, -1, -1), (1.5, -1, -1), (-0.5, -1, 1))


def softsign_rule(g, out, x):
    size = np.where(x > 0, x, -x)
    return g / (1 + size) ** 2


def cross_entropy_gradient(z, y):
    p = np.exp(z - np.logaddexp.reduce(z))
    return p - (np.arange(len(z)) == y)


def momentum_step(w, v, g, lr, m):
    new = np.add(np.multiply(m, v), g)
    return np.subtract(w, lr * new), new


def learning_rate(s, w, n, t):
    return t * (1 - np.sin(np.pi / 2 * (s - w) / (n - w)) ** 2) if s > w else (t * s / w if w else t)


def he_initialisation(i, o, rng):
    return rng.normal(size=i * o).reshape(o, i) / np.sqrt(i / 2)


def dropout(x, p, training, rng):
    factor = np.full(x.shape, 1 / (1 - p))
    factor[rng.random(x.shape) < p] = 0
    return x * factor if training else x * 1


def early_stopping(losses, n):
    best, loss, bad = 0, losses[0], 0
    for e in range(1, len(losses)):
        bad = 0 if losses[e] < loss else bad + 1
        if bad == 0:
            best, loss = e, losses[e]
        if bad >= n:
            return [e, best]
    return [len(losses) - 1, best]
