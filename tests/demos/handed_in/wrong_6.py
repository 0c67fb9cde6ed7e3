"""A submission in which every answer is wrong; above each stands what the grader must say."""

import numpy as np


# says: TypeError
def neuron(x, w, b):
    return 1 / (1 + np.exp(-(b + w @ x)))


# says: differs for
def perceptron_step(w, b, x, label):
    return w if label * (w @ x + b) > 0 else w + label * x


# says: three tuples
def xor_weights():
    return ((20, -20), (-20, 20), (20, 20))


# says: differs for
def softsign_rule(g, out, x):
    return -g / (1 + np.abs(x)) ** 2


# says: changes what it was given
def cross_entropy_gradient(z, y):
    z -= z.max()
    e = np.exp(z)
    return e / e.sum() - np.eye(len(z))[y]


# says: differs for
def momentum_step(w, v, g, lr, m):
    return w - lr * (m * v + g)


# says: step = 0, warmup = 1
def learning_rate(s, w, n, t):
    return t * (s + 1) / (w + 1) if s < w else t * (1 + np.cos(np.pi * (s - w) / (n - w))) / 2


# says: another seed
def he_initialisation(i, o, rng):
    return np.zeros((o, i))


# says: of the entries to 0
def dropout(x, p, t, rng):
    return x * (rng.random(x.shape) >= p / 2) / (1 - p) if t else x


# says: got      None
def early_stopping(losses, n):
    return None
