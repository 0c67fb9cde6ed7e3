"""A submission in which every answer is right."""

import math

import numpy as np


def neuron(x, w, b):
    return 1 / (1 + np.exp(-(b + sum(a * c for a, c in zip(x, w)))))


def perceptron_step(w, b, x, label):
    if np.sign(w @ x + b) == label:
        return w, b
    return w + label * x, b + label


def xor_weights():
    return ((-0.5, 1, -1), (-0.5, -1, 1), (-0.5, 1, 1))


def softsign_rule(g, out, x):
    return g * (1 + np.abs(x)) ** -2


def cross_entropy_gradient(logits, label):
    e = np.exp(logits - max(logits))
    return e / sum(e) - np.eye(len(e))[label]


def momentum_step(w, v, g, lr, m):
    return (w - lr * (m * v + g), m * v + g)


def learning_rate(s, w, n, t):
    return t * s / w if s < w else t / 2 * (1 + math.cos(math.pi * (s - w) / (n - w)))


def he_initialisation(i, o, rng):
    return rng.standard_normal((o, i)) * np.sqrt(2 / i)


def dropout(x, p, training, rng):
    if not training:
        return x
    mask = rng.random(x.shape) >= p
    return x * (mask / (1 - p))


def early_stopping(losses, patience):
    lowest, best, waited = float("inf"), 0, 0
    for epoch, loss in enumerate(losses):
        if loss < lowest:
            lowest, best, waited = loss, epoch, 0
        else:
            waited += 1
            if waited == patience:
                return epoch, best
    return len(losses) - 1, best
