"""A submission in which every answer is right."""

import numpy as np

from tinygrad_course import grad, nn


def neuron(x, w, b):
    return 0.5 * (1 + np.tanh(0.5 * sum((p * q for p, q in zip(w, x)), b)))


def perceptron_step(w, b, x, label):
    z = sum(w * x) + b
    if label == 1 and z <= 0:
        return w + x, b + 1
    if label == -1 and z >= 0:
        return w - x, b - 1
    return w, b


def xor_weights():
    return ((0.5, -1, 1), (0.5, 1, -1), (1.5, -1, -1))


def softsign_rule(g, out, x):
    return g / np.square(1 + np.abs(x))


def cross_entropy_gradient(z, y):
    return grad(lambda v: -nn.functional.log_softmax(v)[y])(z)


def momentum_step(w, v, g, lr, m):
    new = [m * vi + gi for vi, gi in zip(v, g)]
    return [wi - lr * vi for wi, vi in zip(w, new)], new


def learning_rate(s, w, n, t):
    rates = [t * i / w for i in range(w)]
    rates += [t * (0.5 + 0.5 * np.cos(np.pi * i / (n - w))) for i in range(n - w + 1)]
    return rates[s]


def he_initialisation(i, o, rng):
    w = np.empty((o, i))
    for row in w:
        row[:] = rng.normal(0, (2 / i) ** 0.5, i)
    return w


def dropout(x, p, t, rng):
    return np.where(rng.random(x.shape) < p, 0.0, x / (1 - p)) if t else x


def early_stopping(losses, n):
    lows = np.minimum.accumulate(losses)
    new = np.append(True, lows[1:] < lows[:-1])
    last = np.maximum.accumulate(np.where(new, np.arange(len(lows)), 0))
    over = np.arange(len(lows)) - last >= n
    stop = int(np.argmax(over)) if over.any() else len(lows) - 1
    return stop, int(last[stop])
