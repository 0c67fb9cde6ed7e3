"""A submission in which every answer is right."""

import numpy as np

from tinygrad_course.nn import functional as F
from tinygrad_course.nn.functional import softmax


def neuron(x, w, b):
    return (1 + np.exp(-sum([p * q for p, q in zip(w, x)], b))) ** -1


def perceptron_step(w, b, x, label):
    while label * (w @ x + b) <= 0:
        return w + label * x, b + label
    return w + 0, b


def xor_weights():
    return ((-1.5, 1, 1), (0.5, -1, -1), (0.5, -1, -1))


def softsign_rule(g, out, x):
    root = 1 / (1 + np.sqrt(x**2))
    return root * root * g


def cross_entropy_gradient(z, y):
    return softmax(z) - np.identity(len(z))[y]


def momentum_step(w, v, g, lr, m):
    return w + lr * (-(v * m) - g), -(-(v * m) - g)


def learning_rate(s, w, n, t):
    try:
        early = t * s / w
    except ZeroDivisionError:
        early = t
    return early if s < w else t * (1 + np.cos((s - w) / (n - w) * np.pi)) * 0.5


def he_initialisation(i, o, rng):
    return rng.multivariate_normal(np.zeros(1), [[2 / i]], (o, i))[..., 0]


def dropout(x, p, t, rng):
    return F.dropout(x, p, training=t, rng=rng)


def early_stopping(losses, n):
    improving = [0]
    for e in range(1, len(losses)):
        if losses[e] < losses[improving[-1]]:
            improving.append(e)
        elif e - improving[-1] == n:
            return e, improving[-1]
    return len(losses) - 1, improving[-1]
