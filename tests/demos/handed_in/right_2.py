"""A submission in which every answer is right."""

import numpy as np


def neuron(x, w, b):
    return 1 / (1 + np.exp(-(sum((a * c for a, c in zip(x, w)), b))))


def perceptron_step(w, b, x, label):
    wrong = label * (np.dot(w, x) + b) <= 0
    return w + wrong * label * x, b + wrong * label


def xor_weights():
    return ((-10, -20, 20), (-10, 20, -20), (-10, 20, 20))


def softsign_rule(g, out, x):
    return g * (1 - np.abs(out)) ** 2


def cross_entropy_gradient(logits, label):
    z = logits - logits.max()
    p = np.exp(z - np.log(np.exp(z).sum()))
    p[label] = p[label] - 1
    return p


def momentum_step(w, v, g, lr, m):
    v = v * m
    v = v + g
    w = w - v * lr
    return w, v


def learning_rate(s, w, n, t):
    return t * np.cos(np.pi / 2 * (s - w) / (n - w)) ** 2 if s >= w else t / w * s


def he_initialisation(i, o, rng):
    return np.sqrt(2.0 / i) * rng.standard_normal((i, o)).T


def dropout(x, p, training, rng):
    if not training or p == 0:
        return x
    return x * rng.binomial(1, 1 - p, x.shape) / (1 - p)


def early_stopping(losses, n):
    for e in range(len(losses)):
        best = int(np.argmin(losses[: e + 1]))
        if e - best == n:
            return e, best
    return len(losses) - 1, int(np.argmin(losses))
