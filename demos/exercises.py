"""Exercises, one for each part of the lecture.  Copy this file, write the bodies, and let it be checked:

    cp demos/exercises.py exercises.py
    python -m demos.check exercises.py

The check says which are right, and for a wrong one shows the smallest input where it differs.  NumPy is all
that is needed; where it says "Values", operators and np. functions work on them as on arrays.
"""

import numpy as np  # noqa: F401


# neuron.py
def neuron(x, w, b):
    """The output of a sigmoid neuron.

    x and w are lists of equal length, b is a number; any of them may be or contain Values.
    Give σ(b + w₁x₁ + w₂x₂ + …), where σ(z) = 1 / (1 + exp(-z)).
    """
    raise NotImplementedError


# perceptron.py
def perceptron_step(w, b, x, label):
    """One step of the perceptron rule for one point.

    w and x are arrays of equal length, b is a number, label is -1 or 1.  A point counts as right only if
    w·x + b has the sign of its label (0 has none).  Give the new w and b, and leave the array w as it was.
    """
    raise NotImplementedError


# xor.py
def xor_weights():
    """Weights of a network of threshold neurons for XOR in which the hidden neurons are not an OR and an AND.

    Give three tuples (bias, weight of the first input, weight of the second): the two hidden neurons, which
    see x₁ and x₂, and the output neuron, which sees them.  A neuron fires (1) where its sum is above 0.
    """
    raise NotImplementedError


# activations.py
def softsign_rule(g, out, x):
    """The rule of a new operation, softsign(x) = x / (1 + |x|), for the engine's table.

    g is the gradient of the loss with respect to out = softsign(x); give the gradient with respect to x.
    All are arrays of one shape, or Values when the gradient itself is differentiated.
    """
    raise NotImplementedError


# backpropagation.py
def cross_entropy_gradient(logits, label):
    """The gradient of -log softmax(logits)[label] with respect to the logits, an array; label is a number.

    It must hold for logits as large as 1000.
    """
    raise NotImplementedError


# gradient_descent.py
def momentum_step(weights, velocity, gradient, lr, momentum):
    """One step of gradient descent with momentum, as PyTorch takes it.

    The velocity keeps a share `momentum` of itself and gains the gradient; the weights move against it by lr.
    Give the new weights and the new velocity, and leave the arrays as they were.
    """
    raise NotImplementedError


def learning_rate(step, warmup, steps, top):
    """A schedule: from 0 at step 0 in a straight line to `top` at step `warmup`, then down to 0 at `steps`.

    The way down is half a cosine wave: flat at both ends, half of `top` in the middle.
    """
    raise NotImplementedError


# mnist.py
def he_initialisation(fan_in, fan_out, rng):
    """Normally distributed weights for a layer followed by ReLU, an array of shape (fan_out, fan_in).

    Their variance is 2 / fan_in (He et al. 2015), and they come from the generator rng.
    """
    raise NotImplementedError


def dropout(x, p, training, rng):
    """Each entry of x, an array or a Value, set to 0 with probability p while training; otherwise x as it is.

    The entries that stay grow so that the expected value does not change.  The chance comes from rng.
    """
    raise NotImplementedError


def early_stopping(losses, patience):
    """When to stop, given the validation loss after each epoch.

    Stop after the first epoch that is the `patience`-th in a row without a new lowest loss, and if there is
    none after the last.  Give two epoch numbers, counted from 0: the last that was run, and the best.
    """
    raise NotImplementedError
