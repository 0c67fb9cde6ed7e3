"""A submission in which every answer is wrong; above each stands what the grader must say."""

import numpy as np


# says: differs for
def neuron(x, w, b):
    return np.tanh(b + sum(p * q for p, q in zip(w, x)))


# says: differs for
def perceptron_step(w, b, x, label):
    return (w, b) if label * (w @ x + b) > 0 else (w + label * x, b)


# says: gives 0 for x = [0, 1]
def xor_weights():
    return ((0, 0, 0), (0, 0, 0), (0, 0, 0))


# says: differs for
def softsign_rule(g, out, x):
    return g * (1 - out**2)


# says: differs for
def cross_entropy_gradient(z, y):
    e = np.exp(z - z.max())
    return (e / e.sum())[y] - 1


# says: differs for
def momentum_step(w, v, g, lr, m):
    return (w + lr * (m * v + g), m * v + g)


# says: differs for
def learning_rate(s, w, n, t):
    return t * s / w if s < w else t * (1 + np.cos(np.pi * (s - w) / n)) / 2


# says: another seed
def he_initialisation(i, o, rng):
    return np.random.default_rng(0).normal(0, np.sqrt(2 / i), (o, i))


# says: not 0 or 2
def dropout(x, p, t, rng):
    return x


# says: losses = [1.0, 2.0], patience = 1
def early_stopping(losses, n):
    best = 0
    for e, loss in enumerate(losses):
        if loss < losses[best]:
            best = e
        elif e - best >= n:
            break
    return best, e
