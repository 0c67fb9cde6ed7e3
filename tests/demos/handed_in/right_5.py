"""A submission in which every answer is right."""

import numpy as np

from tinygrad_course.nn.functional import sigmoid


def neuron(x, w, b):
    return sigmoid(b + sum(p * q for p, q in zip(w, x)))


def perceptron_step(w, b, x, label):
    return [(w + label * x, b + label), (w, b)][int(label * (w @ x + b) > 0)]


def xor_weights():
    return ((-0.5, 1, 1), (1.5, -1, -1), (-1.5, 1, 1))


def softsign_rule(g, out, x):
    return g / (1 + 2 * np.abs(x) + x * x)


def cross_entropy_gradient(logits, label):
    top = logits.max()
    e = [np.exp(z - top) for z in logits]
    return [a / sum(e) - (i == label) for i, a in enumerate(e)]


def momentum_step(w, v, g, lr, m):
    return (w - lr * m * v - lr * g, g + v * m)


def learning_rate(s, w, n, t):
    up = s / w if w else 1.0
    down = 0.5 + np.cos(np.pi * (s - w) / (n - w)) / 2
    return t * up if s < w else t * down


def he_initialisation(i, o, rng):
    return [list(rng.normal(0, np.sqrt(2 / i), i)) for _ in range(o)]


def dropout(x, p, t, rng):
    return x / (1 - p) * rng.choice([0.0, 1.0], size=x.shape, p=[p, 1 - p]) if t else x


def early_stopping(losses, n):
    def go(epoch, best):
        if epoch == len(losses):
            return epoch - 1, best
        if losses[epoch] < losses[best]:
            return go(epoch + 1, epoch)
        return (epoch, best) if epoch - best >= n else go(epoch + 1, best)

    return go(0, 0)
