"""A submission in which every answer is wrong; above each stands what the grader must say."""

import numpy as np


# says: differs for
def neuron(x, w, b):
    return 1 / (1 + np.exp(b + sum(p * q for p, q in zip(w, x))))


# says: changes what it was given
def perceptron_step(w, b, x, label):
    if label * (w @ x + b) > 0:
        return w, b
    w += label * x
    return w, b + label


# says: gives 1 for x = [0, 0]
def xor_weights():
    return ((10, 20, 20), (-30, 20, 20), (10, 20, 20))


# says: AttributeError
def softsign_rule(g, out, x):
    return g * np.asarray(1 / (1 + np.abs(getattr(x, "data", x))) ** 2)


# says: differs for logits = [0.], label = 0
def cross_entropy_gradient(z, y):
    return -np.log(np.exp(z[y]) / np.exp(z).sum())


# says: changes what it was given
def momentum_step(w, v, g, lr, m):
    v *= m
    v += g
    return w - lr * v, v


# says: step = 3, warmup = 2
def learning_rate(s, w, n, t):
    return t * s / w if s < w else t * np.cos(np.pi / 2 * (s - w) / (n - w))


# says: normal distribution
def he_initialisation(i, o, rng):
    return rng.uniform(-np.sqrt(6 / i), np.sqrt(6 / i), (o, i))


# says: must give a Value
def dropout(x, p, t, rng):
    return np.asarray(getattr(x, "numpy", lambda: x)()) * (rng.random(x.shape) >= p) / (1 - p) if t else x


# says: differs for
def early_stopping(losses, n):
    for e in range(1, len(losses)):
        if losses[e] >= losses[e - 1]:
            return e, e - 1
    return len(losses) - 1, len(losses) - 1
