"""A submission in which every answer is wrong; above each stands what the grader must say."""

import numpy as np


# says: IndexError
def neuron(x, w, b):
    return 1 / (1 + np.exp(-(b + w[0] * x[0])))


# says: differs for
def perceptron_step(w, b, x, label):
    return (w, b) if label * (w @ x) > 0 else (w + label * x, b + label)


# says: three tuples
def xor_weights():
    return ((-10, 20, -20), (-10, -20, 20))


# says: differs for
def softsign_rule(g, out, x):
    return out / x * g


# says: logits = [0., 0.]
def cross_entropy_gradient(z, y):
    e = np.exp(z - z.max())
    return (e / e.sum() - np.eye(len(z))[y]) / len(z)


# says: momentum = 0.5
def momentum_step(w, v, g, lr, m):
    return (w - lr * g, m * v + g)


# says: top = 0.004
def learning_rate(s, w, n, t):
    return s / w if s < w else (1 + np.cos(np.pi * (s - w) / (n - w))) / 2


# says: from the same seed
def he_initialisation(i, o, rng):
    return np.random.default_rng().normal(0, np.sqrt(2 / i), (o, i))


# says: another for a Value
def dropout(x, p, t, rng):
    return x * (np.random.default_rng().random(x.shape) >= p) / (1 - p) if t else x


# says: losses = [1.0], patience = 1
def early_stopping(losses, n):
    best = 0
    for e, loss in enumerate(losses):
        if loss < losses[best]:
            best = e
        elif e - best >= n:
            break
    return e + 1, best + 1
