"""A submission in which every answer is wrong; above each stands what the grader must say."""

import numpy as np


# says: in gradients of w
def neuron(x, w, b):
    return 1 / (1 + np.exp(-b - sum(float(p) * q for p, q in zip(w, x))))


# says: label = -1
def perceptron_step(w, b, x, label):
    return (w, b) if label * (w @ x + b) > 0 else (w + x, b + 1)


# says: an OR and an AND
def xor_weights():
    return ((-30, 20, 20), (-10, 20, 20), (-10, -20, 20))


# says: |x| is not x
def softsign_rule(g, out, x):
    return g / (1 + x) ** 2


# says: turned round
def cross_entropy_gradient(z, y):
    e = np.exp(z - z.max())
    return np.eye(len(z))[y] - e / e.sum()


# says: the step before
def momentum_step(w, v, g, lr, m):
    return (w - lr * v, m * v + g)


# says: ZeroDivisionError
def learning_rate(s, w, n, t):
    return t * min(s / w, (1 + np.cos(np.pi * (s - w) / (n - w))) / 2)


# says: standard deviation
def he_initialisation(i, o, rng):
    return rng.normal(0, np.sqrt(2 / o), (o, i))


# says: p = 0.0, training = True
def dropout(x, p, t, rng):
    return x * (rng.random(x.shape) < p) / (1 - p) if t else x


# says: losses = [1.0, 1.0]
def early_stopping(losses, n):
    best = 0
    for e, loss in enumerate(losses):
        if loss <= losses[best]:
            best = e
        elif e - best >= n:
            break
    return e, best
