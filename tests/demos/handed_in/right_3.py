"""A submission in which every answer is right."""

import numpy as np

from tinygrad_course import Value, nn


def neuron(x, w, b):
    z = b + 0
    for i in range(len(w)):
        z += w[i] * x[i]
    return 1 / (1 + np.exp(-z))


def perceptron_step(w, b, x, label):
    w = w.copy()
    if label * (w @ x + b) <= 0:
        w += label * x
        b += label
    return w, b


def xor_weights():
    return [(-10, 20, 20), (30, -20, -20), (-30, 20, 20)]


def softsign_rule(g, out, x):
    d = 1 + abs(x)
    return g / (d * d)


def cross_entropy_gradient(logits, label):
    v = Value(logits)
    nn.functional.cross_entropy(v, np.array(label)).backward()
    return v.grad


def momentum_step(w, v, g, lr, m):
    v, w = v.copy(), w.copy()
    v *= m
    v += g
    w -= lr * v
    return w, v


def learning_rate(step, warmup, steps, top):
    if warmup and step <= warmup:
        return step / warmup * top
    share = (step - warmup) / (steps - warmup)
    return top * 0.5 * (1.0 + np.cos(share * np.pi))


def he_initialisation(fan_in, fan_out, rng):
    return rng.normal(scale=(2 / fan_in) ** 0.5, size=(fan_out, fan_in))


def dropout(x, p, training, rng):
    if training:
        keep = rng.uniform(size=x.shape) > p
        x = x * keep * (1 / (1 - p))
    return x


def early_stopping(losses, n):
    epoch = best = 0
    while epoch + 1 < len(losses) and epoch - best < n:
        epoch += 1
        best = epoch if losses[epoch] < losses[best] else best
    return epoch, best
