"""The lecture's ten exercises as `python -m demos.check` and `python -m tinygrad_course.grade` know them.

What is asked of a student stands in exercises.py. Here is, for each, a right answer or a rule, the inputs
that are tried first, a strategy for more of them, and what to say to those who make a known mistake.
"""

import sys
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

sys.path.append(str(Path(__file__).parent.parent))  # a clone that is not installed works too
from tinygrad_course import data
from tinygrad_course.testing.grading import Exercise

numbers = st.integers(-8, 8).map(lambda n: n / 2)  # exact, so that a sum has one value


def vectors(length):
    return arrays(float, length, elements=numbers)


# neuron
def neuron(x, w, b):
    z = b
    for xi, wi in zip(x, w):
        z = z + wi * xi
    return 1 / (1 + np.exp(-z))


def as_numbers_and_as_values(solve, x, w, b):
    from tinygrad_course import Value

    values, bias = [Value(number) for number in w], Value(b)
    out = solve(x, values, bias)
    if not isinstance(out, Value):
        raise TypeError("given Values it must give a Value, or no gradient comes back")
    out.backward()
    return {"output": solve(x, w, b), "gradients of w": [v.grad for v in values], "gradient of b": bias.grad}


@st.composite
def neurons(draw):
    w = draw(st.lists(numbers, max_size=4))
    return draw(st.lists(numbers, min_size=len(w), max_size=len(w))), w, draw(numbers)


# perceptron_step
def perceptron_step(w, b, x, label):
    return (w, b) if label * (w @ x + b) > 0 else (w + label * x, b + label)


@st.composite
def labelled_points(draw):
    n = draw(st.integers(1, 4))
    return draw(vectors(n)), draw(numbers), draw(vectors(n)), draw(st.sampled_from([1, -1]))


# xor_weights
def an_other_xor(neurons):
    inputs, target = data.gates("xor")
    (*hidden, last) = [np.asarray(weights, float) for weights in neurons]
    if len(hidden) != 2 or any(weights.shape != (3,) for weights in (*hidden, last)):
        return "needs three tuples of three numbers"
    fires = np.column_stack([inputs @ weights[1:] + weights[0] > 0 for weights in hidden]).astype(int)
    answers = (fires @ last[1:] + last[0] > 0).astype(int)
    for x, answer, right in zip(inputs.astype(int).tolist(), answers.tolist(), target.astype(int).tolist()):
        if answer != right:
            return f"gives {answer} for x = {x}, where XOR is {right}"
    tables = {tuple(column) for column in fires.T.tolist()}
    if tables == {tuple(data.gates(gate)[1].astype(int).tolist()) for gate in ("or", "and")}:
        return "has an OR and an AND as hidden neurons, as the lecture has"
    return None


# softsign_rule
def softsign_rule(g, out, x):
    return g / (1 + np.abs(x)) ** 2


def rule_and_its_derivative(solve, g, x):
    from tinygrad_course import Value

    out = x / (1 + np.abs(x))
    first = solve(g, out, x)
    v = Value(x)
    solve(g, v / (1 + np.abs(v)), v).sum().backward()
    return {"the rule": first, "its derivative, where the gradient is differentiated again": v.grad}


@st.composite
def gradients_and_places(draw):
    n = draw(st.integers(1, 4))
    away = st.sampled_from([-4.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 4.0])
    return draw(vectors(n)), draw(arrays(float, n, elements=away))


# cross_entropy_gradient
def cross_entropy_gradient(logits, label):
    e = np.exp(logits - logits.max())
    return e / e.sum() - (np.arange(len(e)) == label)


@st.composite
def logits_and_labels(draw):
    n = draw(st.integers(1, 5))
    scale = draw(st.sampled_from([1.0, 100.0]))
    return draw(vectors(n)) * scale, draw(st.integers(0, n - 1))


# momentum_step
def momentum_step(weights, velocity, gradient, lr, momentum):
    velocity = momentum * velocity + gradient
    return weights - lr * velocity, velocity


@st.composite
def momentum_steps(draw):
    n = draw(st.integers(1, 3))
    lr, momentum = draw(st.sampled_from([1.0, 0.5, 0.1])), draw(st.sampled_from([0.0, 0.5, 0.9]))
    return draw(vectors(n)), draw(vectors(n)), draw(vectors(n)), lr, momentum


# learning_rate
def learning_rate(step, warmup, steps, top):
    if step < warmup:
        return top * step / warmup
    return top * (1 + np.cos(np.pi * (step - warmup) / (steps - warmup))) / 2


@st.composite
def schedules(draw):
    warmup = draw(st.integers(0, 100))
    steps = warmup + draw(st.integers(1, 1000))
    return draw(st.integers(0, steps)), warmup, steps, draw(st.sampled_from([1.0, 0.004]))


# he_initialisation
def drawn_twice(solve, fan_in, fan_out, seed):
    drawn = [solve(fan_in, fan_out, np.random.default_rng(s)) for s in (seed, seed, seed + 1)]
    first, again, other = (np.asarray(w.numpy() if hasattr(w, "numpy") else w) for w in drawn)
    return first, bool((first == again).all()), bool((first == other).all())


def he_normal(got, fan_in, fan_out, seed):
    weights, same, unseeded = got
    if weights.shape != (fan_out, fan_in):
        return f"has shape {weights.shape}, not {(fan_out, fan_in)}"
    if not same:
        return "differs from the same seed: the numbers must come from rng"
    if unseeded:
        return "is the same from another seed: the numbers must come from rng"
    if weights.size < 10_000:
        return None
    deviation, wanted = weights.std(), np.sqrt(2 / fan_in)
    if abs(deviation / wanted - 1) > 0.02:
        return f"has standard deviation {deviation:.4g}, not {wanted:.4g}"
    if abs(weights.mean()) > 0.03 * wanted:
        return f"has mean {weights.mean():.4g}, not 0"
    within = (abs(weights) < deviation).mean()
    if abs(within - 0.6827) > 0.015:
        return f"has {within:.1%} within one standard deviation; a normal distribution has 68.3 %"
    return None


# dropout
def dropped(solve, x, p, training, seed):
    from tinygrad_course import Value

    v = Value(x)
    through = solve(v, p, training, np.random.default_rng(seed))
    if not isinstance(through, Value):
        raise TypeError("given a Value it must give a Value, or no gradient comes back")
    through.sum().backward()
    return solve(x, p, training, np.random.default_rng(seed)), through, v.grad


def dropped_right(got, x, p, training, seed):
    plain, through, gradient = (np.asarray(part) for part in got)
    if plain.shape != x.shape:
        return f"has shape {plain.shape}, not {x.shape}"
    if (plain != through).any():
        return "is another for a Value than for an array, though the seed is the same"
    kept = plain / np.where(x == 0, 1, x)
    scale = 1 / (1 - p) if training else 1.0
    wrong = ~(np.isclose(kept, scale) | ((kept == 0) & (training and p > 0)) | (x == 0))
    if wrong.any():
        i = int(np.argmax(wrong))
        return f"makes {x.flat[i]:g} into {plain.flat[i]:g}, not 0 or {x.flat[i] * scale:g}"
    if not np.allclose(gradient, np.where(x == 0, gradient, kept)):
        return f"has the gradient {gradient[:5]}, not the factors {kept[:5]}"
    share = (kept == 0).mean()
    if len(x) > 10_000 and training and abs(share - p) > 0.02:
        return f"sets {share:.1%} of the entries to 0, not {p:.1%}"
    return None


# early_stopping
def early_stopping(losses, patience):
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        elif epoch - best >= patience:
            break
    return epoch, best


def without_bias(x, w, b):
    return neuron(x, w, 0 * b)


ONES = np.ones(20_000)
EXERCISES = [
    Exercise(
        "neuron",
        "The output of a sigmoid neuron.",
        answer=neuron,
        inputs=neurons(),
        examples=[([], [], 0.5), ([1.0], [1.0], 0.0), ([1.0], [2.0], -1.0), ([1.0, 0.5], [1.0, -2.0], 0.5)],
        call=as_numbers_and_as_values,
        hints=[(without_bias, "The bias b is missing.")],
    ),
    Exercise(
        "perceptron_step",
        "One step of the perceptron rule for one point.",
        answer=perceptron_step,
        inputs=labelled_points(),
        examples=[
            (np.array(w), b, np.array(x), label)
            for w, b, x, label in [
                ([0.0], 0.0, [1.0], 1),
                ([0.0], 0.0, [1.0], -1),
                ([1.0], 0.0, [1.0], 1),
                ([1.0], 0.0, [2.0], -1),
            ]
        ],
        hints=[
            (
                lambda w, b, x, label: (w + label * x, b + label),
                "It moves for a point that is right already.",
            ),
            (
                lambda w, b, x, label: (w, b) if label * (w @ x + b) >= 0 else (w + label * x, b + label),
                "A point on the line is not right yet: 0 has no sign.",
            ),
        ],
    ),
    Exercise("xor_weights", "Weights of another network for XOR.", rule=an_other_xor, examples=[()]),
    Exercise(
        "softsign_rule",
        "The rule of a new operation.",
        answer=softsign_rule,
        inputs=gradients_and_places(),
        examples=[(np.array([g]), np.array([x])) for x in (0.5, -0.5, 3.0) for g in (1.0, -2.0)],
        call=rule_and_its_derivative,
        hints=[
            (
                lambda g, out, x: 0 * g + 1 / (1 + np.abs(x)) ** 2,
                "g is missing: the chain rule multiplies by it.",
            ),
            (lambda g, out, x: g / (1 + x) ** 2, "|x| is not x where x is below 0."),
        ],
    ),
    Exercise(
        "cross_entropy_gradient",
        "The gradient of the cross-entropy with respect to the logits.",
        answer=cross_entropy_gradient,
        inputs=logits_and_labels(),
        examples=[
            (np.array(logits), label)
            for logits in ([0.0], [0.0, 0.0], [1.0, 0.0], [0.5, -1.0, 2.0], [1000.0, 0.0, -1000.0])
            for label in range(len(logits))
        ],
        hints=[
            (lambda z, y: -cross_entropy_gradient(z, y), "The sign is turned round."),
            (lambda z, y: np.exp(z) / np.exp(z).sum(), "That is softmax; the label's own entry is one less."),
        ],
    ),
    Exercise(
        "momentum_step",
        "One step of gradient descent with momentum.",
        answer=momentum_step,
        inputs=momentum_steps(),
        examples=[
            (np.array([1.0, -2.0]), np.array(v), np.array([1.0, 0.5]), lr, m)
            for lr, m, v in [(1.0, 0.0, [0.0, 0.0]), (0.5, 0.0, [0.0, 0.0]), (1.0, 0.5, [1.0, 2.0])]
        ],
        hints=[
            (
                lambda w, v, g, lr, m: (w - lr * (m * v + (1 - m) * g), m * v + (1 - m) * g),
                "PyTorch's momentum adds the whole gradient, not a share 1 - momentum of it.",
            ),
            (
                lambda w, v, g, lr, m: (w - (m * v + lr * g), m * v + lr * g),
                "The learning rate belongs to the step, not into the velocity.",
            ),
            (lambda w, v, g, lr, m: (w - lr * v, m * v + g), "It moves by the velocity of the step before."),
        ],
    ),
    Exercise(
        "learning_rate",
        "A schedule with warm-up and half a cosine wave.",
        answer=learning_rate,
        inputs=schedules(),
        examples=[(0, 1, 2, 1.0), (1, 1, 2, 1.0), (2, 1, 2, 1.0), (0, 0, 2, 1.0), (3, 2, 6, 1.0)],
        tolerance=1e-9,
        hints=[
            (
                lambda s, w, n, t: t * s / w if s < w else t * (n - s) / (n - w),
                "The way down is a straight line; half a cosine wave is asked for.",
            )
        ],
    ),
    Exercise(
        "he_initialisation",
        "Normally distributed weights of variance 2 / fan_in.",
        rule=he_normal,
        examples=[(1, 1, 0), (2, 3, 0), (1, 20_000, 0), (2, 10_000, 0), (784, 100, 0)],
        call=drawn_twice,
    ),
    Exercise(
        "dropout",
        "Entries set to 0 by chance while training.",
        rule=dropped_right,
        examples=[
            (np.array([1.0, -2.0, 3.0]), 0.0, True, 0),
            (np.array([1.0, -2.0, 3.0]), 0.5, False, 0),
            (ONES, 0.5, True, 0),
            (ONES, 0.2, True, 0),
        ],
        call=dropped,
    ),
    Exercise(
        "early_stopping",
        "When to stop, given the losses.",
        answer=early_stopping,
        inputs=st.tuples(st.lists(numbers, min_size=1, max_size=8), st.integers(1, 4)),
        examples=[
            ([1.0], 1),
            ([2.0, 1.0], 1),
            ([1.0, 2.0], 1),
            ([1.0, 1.0], 1),
            ([1.0, 1.0, 0.5], 1),
            ([1.0, 2.0, 0.5], 2),
        ],
        hints=[
            (
                lambda losses, n: (len(losses) - 1, int(np.argmin(losses))),
                "It never stops before the last epoch.",
            ),
            (lambda losses, n: early_stopping(losses, n + 1), "It stops an epoch too late."),
        ],
    ),
]
