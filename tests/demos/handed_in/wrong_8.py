"""A submission in which every answer is wrong; above each stands what the grader must say."""

import numpy as np


# says: it must give a Value
def neuron(x, w, b):
    return 1.0 * (b + sum(p * q for p, q in zip(w, x)) > 0)


# says: differs for
def perceptron_step(w, b, x, label):
    return (w, b) if label == (w @ x + b > 0) else (w + label * x, b + label)


# says: wrong kind
def xor_weights():
    return "xor"


# says: differs for
def softsign_rule(g, out, x):
    return out


# says: differs for logits = [0.], label = 0
def cross_entropy_gradient(z, y):
    return np.zeros(3)


# says: differs for
def momentum_step(w, v, g, lr, m):
    return (w - lr * (m * v + g), v)


# says: differs for
def learning_rate(s, w, n, t):
    return t * s // w if s < w else t * (1 + np.cos(np.pi * (s - w) / (n - w))) / 2


# says: standard deviation
def he_initialisation(i, o, rng):
    return rng.normal(0, np.sqrt(2 / (i + o)), (o, i))


# says: training = False
def dropout(x, p, t, rng):
    return x * (rng.random(x.shape) >= p) / (1 - p) if t else x * (1 - p)


# says: differs for losses = [2.0, 1.0]
def early_stopping(losses, n):
    losses.sort()
    return 0, 0
