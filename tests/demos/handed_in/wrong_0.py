"""A submission in which every answer is wrong; above each stands what the grader must say."""

import numpy as np


# says: The bias b is missing
def neuron(x, w, b):
    return 1 / (1 + np.exp(-sum((p * q for p, q in zip(w, x)), 0 * b)))


# says: for a point that is right already
def perceptron_step(w, b, x, label):
    return (w + label * x, b + label)


# says: gives 0 for x = [0, 1]
def xor_weights():
    return ((-10, 20, 20), (-30, 20, 20), (-30, 20, -20))


# says: g is missing
def softsign_rule(g, out, x):
    return 0 * g + 1 / (1 + np.abs(x)) ** 2


# says: That is softmax
def cross_entropy_gradient(z, y):
    return np.exp(z) / np.exp(z).sum()


# says: not a share
def momentum_step(w, v, g, lr, m):
    return (w - lr * (m * v + (1 - m) * g), m * v + (1 - m) * g)


# says: step = 0, warmup = 1, steps = 2
def learning_rate(s, w, n, t):
    return t * (1 + np.cos(np.pi * s / n)) / 2


# says: has shape (2, 3), not (3, 2)
def he_initialisation(i, o, rng):
    return rng.normal(0, np.sqrt(2 / i), (i, o))


# says: not 0 or 2
def dropout(x, p, t, rng):
    return x * (rng.random(x.shape) >= p) if t else x


# says: never stops
def early_stopping(losses, n):
    return (len(losses) - 1, int(np.argmin(losses)))
