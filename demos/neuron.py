"""One neuron: it multiplies each input by a weight, adds everything up, and fires above a threshold.

Behind a hard threshold the output does not answer to a small change of a weight, because a step is flat on
both sides; with a sigmoid in its place every weight learns how it should move.
"""

import style
import numpy as np

from tinygrad_course import Value

SMALL = 1e-4


def integrate(x, w, b):
    """Input integration: z = b + w₁x₁ + w₂x₂ + w₃x₃."""
    return sum((wi * xi for wi, xi in zip(w, x)), b)


def threshold(z):
    return 1.0 if z > 0 else 0.0


def sigmoid(z):
    return Value(z).sigmoid().item()


def slope(output, x, parameters, i):
    """How much `output` changes with parameter i (the weights, then the bias), from two tiny steps."""
    ends = []
    for step in (SMALL, -SMALL):
        moved = [p + step * (i == k) for k, p in enumerate(parameters)]
        ends.append(output(integrate(x, moved[:-1], moved[-1])))
    return (ends[0] - ends[1]) / (2 * SMALL)


def show(x, w, b):
    """Print the way from the inputs to both outputs, and how they answer to the weights."""
    style.heading("Input integration")
    rows = [(f"x{s}", xi, wi, wi * xi) for s, xi, wi in zip("₁₂₃", x, w)]
    style.table(["input", "value", "weight", "product"], [*rows, ("1", 1.0, b, b)])
    z = integrate(x, w, b)
    print(f"  sum: z = {z:.4f}")

    style.heading("Output")
    print(f"  threshold: z {'>' if z > 0 else '≤'} 0, so {threshold(z):.0f}")
    print(f"  sigmoid:   σ(z) = {sigmoid(z):.4f}")

    weights = [Value(wi, name=f"w{s}") for s, wi in zip("₁₂₃", w)]
    bias = Value(b, name="b")
    inputs = [Value(xi, name=f"x{s}") for s, xi in zip("₁₂₃", x)]
    output = integrate(inputs, weights, bias).sigmoid()
    output.name = "output"
    output.backward()
    style.heading("How the output changes with each weight")
    rows = []
    for i, v in enumerate((*weights, bias)):
        tried = [slope(f, x, [*w, b], i) for f in (threshold, sigmoid)]
        rows.append((v.name, *tried, v.grad))
    style.table(["", "threshold, tried", "sigmoid, tried", "sigmoid, backward"], rows)
    style.note("Only the sigmoid tells its weights where to go; backward finds what two tiny steps find.")
    return z, rows, output


def draw(figure, x, w, b, z):
    """The neuron as the lecture draws it, and the two functions it may end in."""
    left, right = figure.subplots(1, 2, width_ratios=[1.3, 1])
    left.set(xlim=(-0.5, 5.3), ylim=(-0.5, 3.95), aspect="equal", title="One neuron")
    left.axis("off")
    middle, end = (2.9, 1.725), (4.7, 1.725)
    for i, (xi, wi) in enumerate(zip([*x, None], [*w, b])):
        place = (0, 3.45 - 1.15 * i)
        style.edge(
            left, place, middle, f"w{'₁₂₃'[i]} = {wi:.2f}" if xi is not None else f"b = {wi:.2f}", 0.42
        )
        style.node(left, place, "1" if xi is None else f"x{'₁₂₃'[i]}\n{xi:.2f}", style.BLUE)
    style.edge(left, middle, end)
    style.node(left, middle, f"Σ\nz = {z:.2f}", radius=0.6)
    style.node(left, end, f"σ(z)\n{sigmoid(z):.2f}", style.ORANGE, radius=0.5)

    grid = np.linspace(-6, 6, 481)
    right.step(grid, grid > 0, color=style.GREY, where="post", label="threshold")
    right.plot(grid, Value(grid).sigmoid().data, color=style.ORANGE, label="sigmoid")
    right.plot([z], [sigmoid(z)], "o", color=style.INK, markersize=9, label="this neuron")
    right.set(xlabel="z", ylabel="output", yticks=[0, 0.5, 1], title="Threshold and sigmoid")
    right.grid(alpha=0.6)
    right.legend(loc="upper left")


def main(argv=None):
    args = style.Parser(__doc__).parse_args(argv)
    rng = np.random.default_rng(args.seed)
    x, w = rng.uniform(-2, 2, 3).round(2).tolist(), rng.uniform(-1, 1, 3).round(2).tolist()
    z, _, output = show(x, w, b=0.5)
    print()
    style.picture(args.out / "neuron.png", draw, x, w, 0.5, z, size=(10.5, 4.4))
    style.graph(args.out / "neuron-graph.svg", output)


if __name__ == "__main__":
    style.run(main)
