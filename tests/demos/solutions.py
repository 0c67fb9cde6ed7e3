"""Solutions of demos/exercises.py, and beside each some wrong ones as students write them."""

import numpy as np


def neuron(x, w, b):
    z = b
    for xi, wi in zip(x, w):
        z = z + wi * xi
    return 1 / (1 + np.exp(-z))


def perceptron_step(w, b, x, label):
    return (w, b) if label * (w @ x + b) > 0 else (w + label * x, b + label)


def xor_weights():
    return (-10, 20, -20), (-10, -20, 20), (-10, 20, 20)


def softsign_rule(g, out, x):
    return g / (1 + np.abs(x)) ** 2


def cross_entropy_gradient(logits, label):
    e = np.exp(logits - logits.max())
    gradient = e / e.sum()
    gradient[label] -= 1
    return gradient


def momentum_step(weights, velocity, gradient, lr, momentum):
    velocity = momentum * velocity + gradient
    return weights - lr * velocity, velocity


def learning_rate(step, warmup, steps, top):
    if step < warmup:
        return top * step / warmup
    return top * (1 + np.cos(np.pi * (step - warmup) / (steps - warmup))) / 2


def he_initialisation(fan_in, fan_out, rng):
    return rng.normal(0, np.sqrt(2 / fan_in), (fan_out, fan_in))


def dropout(x, p, training, rng):
    return x * (rng.random(x.shape) >= p) / (1 - p) if training else x


def early_stopping(losses, patience):
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        elif epoch - best >= patience:
            break
    return epoch, best


def perceptron_in_place(w, b, x, label):
    if label * (w @ x + b) > 0:
        return w, b
    w += label * x
    return w, b + label


def momentum_in_place(weights, velocity, gradient, lr, momentum):
    velocity *= momentum
    velocity += gradient
    return weights - lr * velocity, velocity


WRONG = {  # exercise: (a wrong answer, what the check must say of it)
    "neuron": [
        (lambda x, w, b: 1 / (1 + np.exp(-sum(wi * xi for wi, xi in zip(w, x)))), "x = [], w = [], b = 0.5"),
        (lambda x, w, b: b + sum(wi * xi for wi, xi in zip(w, x)), "x = [], w = [], b = 0.5"),
        (
            lambda x, w, b: 1 / (1 + np.exp(-b - sum(float(wi) * xi for wi, xi in zip(w, x)))),
            "fails for gradient of w[0]",
        ),
    ],
    "perceptron_step": [
        (lambda w, b, x, label: (w + label * x, b + label), "w = [1.0], b = 0.0, x = [1.0], label = 1"),
        (
            lambda w, b, x, label: (w, b) if label * (w @ x + b) >= 0 else (w + label * x, b + label),
            "w = [0.0], b = 0.0, x = [1.0], label = 1",
        ),
        (
            lambda w, b, x, label: (w, b) if label * (w @ x + b) > 0 else (w + x, b + 1),
            "w = [0.0], b = 0.0, x = [1.0], label = -1",
        ),
        (perceptron_in_place, "the array w = [0.0], afterwards"),
    ],
    "xor_weights": [
        (lambda: ((-10, 20, 20), (-30, 20, 20), (-30, 20, -20)), "x = [0, 1]"),
        (lambda: ((-10, 20, 20), (-30, 20, 20), (-10, 20, -20)), "an OR and an AND"),
        (lambda: ((-30, 20, 20), (-10, 20, 20), (-10, -20, 20)), "an OR and an AND"),
        (lambda: ((10, 20, 20), (-30, 20, 20), (10, 20, 20)), "x = [0, 0]"),
    ],
    "softsign_rule": [
        (lambda g, out, x: 1 / (1 + np.abs(x)) ** 2, "g = -2.0, x = 0.0"),
        (lambda g, out, x: g / (1 + np.abs(x)), "g = 1.0, x = 0.5"),
        (lambda g, out, x: g / (1 + x) ** 2, "g = 1.0, x = -0.5"),
        (lambda g, out, x: g * float(np.asarray(1 / (1 + np.abs(x)) ** 2)), "second derivative"),
    ],
    "cross_entropy_gradient": [
        (lambda z, y: np.exp(z) / np.exp(z).sum(), "logits = [0.0], label = 0"),
        (
            lambda z, y: np.exp(z) / np.exp(z).sum() - np.eye(len(z))[y],
            "logits = [1000.0, 0.0, -1000.0], label = 0",
        ),
        (lambda z, y: np.eye(len(z))[y] - np.exp(z) / np.exp(z).sum(), "logits = [0.0, 0.0], label = 0"),
    ],
    "momentum_step": [
        (
            lambda w, v, g, lr, m: (w - lr * (m * v + (1 - m) * g), m * v + (1 - m) * g),
            "velocity = [0.0, 0.0], gradient = [1.0, 0.0], lr = 1.0, momentum = 0.5",
        ),
        (lambda w, v, g, lr, m: (w - (m * v + lr * g), m * v + lr * g), "lr = 0.5, momentum = 0.0"),
        (lambda w, v, g, lr, m: (w - lr * v, m * v + g), "step 1: "),
        (momentum_in_place, "afterwards"),
    ],
    "learning_rate": [
        (lambda s, w, n, t: t * (1 + np.cos(np.pi * s / n)) / 2, "step = 0, warmup = 1, steps = 2"),
        (lambda s, w, n, t: t * s / w if s < w else t * (n - s) / (n - w), "step = 3, warmup = 2, steps = 6"),
        (
            lambda s, w, n, t: t * min(s / w, (1 + np.cos(np.pi * (s - w) / (n - w))) / 2),
            "fails for step = 0, warmup = 0",
        ),
    ],
    "he_initialisation": [
        (lambda i, o, rng: rng.normal(0, np.sqrt(2 / i), (i, o)), "fan_in = 2, fan_out = 3: shape"),
        (lambda i, o, rng: rng.normal(0, 2 / i, (o, i)), "fan_in = 1, fan_out = 100000: standard deviation"),
        (lambda i, o, rng: rng.normal(0, np.sqrt(2 / o), (o, i)), "standard deviation"),
        (
            lambda i, o, rng: rng.uniform(-np.sqrt(6 / i), np.sqrt(6 / i), (o, i)),
            "share within one standard deviation",
        ),
        (
            lambda i, o, rng: np.random.default_rng(0).normal(0, np.sqrt(2 / i), (o, i)),
            "the same from another seed",
        ),
        (
            lambda i, o, rng: np.random.default_rng().normal(0, np.sqrt(2 / i), (o, i)),
            "the same numbers from the same seed",
        ),
    ],
    "dropout": [
        (lambda x, p, t, rng: x * (rng.random(x.shape) >= p) if t else x, "p = 0.5, training: the different"),
        (lambda x, p, t, rng: x * (rng.random(x.shape) >= p) / (1 - p), "p = 0.5, not training"),
        (lambda x, p, t, rng: x * (rng.random(x.shape) < p) / (1 - p) if t else x, "p = 0, training"),
        (
            lambda x, p, t, rng: np.asarray(x) * (rng.random(x.shape) >= p) / (1 - p) if t else x,
            "fails for x = a Value of 10 ones",
        ),
    ],
    "early_stopping": [
        (
            lambda losses, n: (len(losses) - 1, int(np.argmin(losses))),
            "losses = [1.0, 1.0, 0.5], patience = 1",
        ),
        (
            lambda losses, n: next(
                ((e, e - n) for e in range(n, len(losses)) if min(losses[e - n + 1 : e + 1]) > losses[e - n]),
                (len(losses) - 1, int(np.argmin(losses))),
            ),
            "losses = [1.0, 1.0, 0.5], patience = 1",
        ),
        (lambda losses, n: early_stopping(losses, n + 1), "patience = 1"),
    ],
}
