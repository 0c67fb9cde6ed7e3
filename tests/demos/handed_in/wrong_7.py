"""A submission in which every answer is wrong; above each stands what the grader must say."""

import numpy as np


# says: it must give a Value
def neuron(x, w, b):
    return None


# says: differs for
def perceptron_step(w, b, x, label):
    return (w, b) if label * (w @ x + b) > 0 else (w - label * x, b - label)


# says: wrong kind
def xor_weights():
    return None


# says: x = [-0.5]
def softsign_rule(g, out, x):
    return g * np.sign(x) / (1 + np.abs(x)) ** 2


# says: label = 1
def cross_entropy_gradient(z, y):
    e = np.exp(z - z.max())
    p = e / e.sum()
    p[0] -= 1
    return p


# says: differs for
def momentum_step(w, v, g, lr, m):
    return (m * v + g, w - lr * (m * v + g))


# says: step = 0, warmup = 1
def learning_rate(s, w, n, t):
    return t


# says: has mean
def he_initialisation(i, o, rng):
    return 0.1 + rng.normal(0, np.sqrt(2 / i), (o, i))


# says: of the entries to 0
def dropout(x, p, t, rng):
    return x * (rng.random() >= p) / (1 - p) if t else x


# says: differs for
def early_stopping(losses, n):
    return min(losses)
