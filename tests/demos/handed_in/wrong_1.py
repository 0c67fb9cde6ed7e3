"""A submission in which every answer is wrong; above each stands what the grader must say."""

import numpy as np


# says: differs for x = [], w = [], b = 0.5
def neuron(x, w, b):
    return b + sum(p * q for p, q in zip(w, x))


# says: 0 has no sign
def perceptron_step(w, b, x, label):
    return (w, b) if label * (w @ x + b) >= 0 else (w + label * x, b + label)


# says: an OR and an AND
def xor_weights():
    return ((-10, 20, 20), (-30, 20, 20), (-10, 20, -20))


# says: x = [0.5]
def softsign_rule(g, out, x):
    return g / (1 + np.abs(x))


# says: logits = [ 1000., 0., -1000.], label = 0
def cross_entropy_gradient(z, y):
    return np.exp(z) / np.exp(z).sum() - np.eye(len(z))[y]


# says: not into the velocity
def momentum_step(w, v, g, lr, m):
    return (w - (m * v + lr * g), m * v + lr * g)


# says: straight line
def learning_rate(s, w, n, t):
    return t * s / w if s < w else t * (n - s) / (n - w)


# says: standard deviation
def he_initialisation(i, o, rng):
    return rng.normal(0, 2 / i, (o, i))


# says: training = False
def dropout(x, p, t, rng):
    return x * (rng.random(x.shape) >= p) / (1 - p)


# says: losses = [1.0, 1.0, 0.5]
def early_stopping(losses, n):
    best = 0
    for e, loss in enumerate(losses):
        if loss < losses[best]:
            best = e
        elif e - best > n:
            break
    return e, best
