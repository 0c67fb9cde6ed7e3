"""A submission in which every answer is wrong; above each stands what the grader must say."""

import numpy as np


# says: x = [1.0], w = [1.0]
def neuron(x, w, b):
    return 1 / (1 + np.exp(-b - sum(p + q for p, q in zip(w, x))))


# says: TypeError
def perceptron_step(w, b, x):
    return (w, b)


# says: TypeError
def xor_weights(x):
    return ((-10, 20, -20), (-10, -20, 20), (-10, 20, 20))


# says: TypeError
def softsign_rule(g, x):
    return g / (1 + np.abs(x)) ** 2


# says: NameError
def cross_entropy_gradient(z, y):
    return z * undefined  # noqa: F821


# says: changes what it was given
def momentum_step(w, v, g, lr, m):
    v = m * v + g
    w -= lr * v
    return w, v


# says: differs for
def learning_rate(s, w, n, t):
    return "fast"


# says: has shape ()
def he_initialisation(i, o, rng):
    return rng.normal(0, np.sqrt(2 / i))


# says: has shape
def dropout(x, p, t, rng):
    return (x * (rng.random(x.shape) >= p) / (1 - p))[:2] if t else x


# says: out of luck
def early_stopping(losses, n):
    raise RuntimeError("out of luck")
