"""AND and OR: a single neuron computes each, first with the lecture's weights, then with weights it learned.

A neuron adds its bias and its weighted inputs, z = b + w₁x₁ + w₂x₂, and fires where z > 0.  In the plane of
its inputs that is one straight line with a side for 1 and a side for 0.
"""

import style
import numpy as np

from tinygrad_course import Value, data, nn

LECTURE = {"and": (-30, 20, 20), "or": (-10, 20, 20)}  # bias, weight of x₁, weight of x₂


def pre_activation(weights, x):
    """z for every row of x."""
    bias, *w = weights
    return bias + x @ np.array(w)


def show(gate, weights):
    """Print the slide's table: both inputs, the pre-activation, the output."""
    x, target = data.gates(gate)
    z = pre_activation(weights, x)
    out = (z > 0).astype(int)
    style.heading("{} with weights {}, {}, {}".format(gate.upper(), *weights))
    style.table(["x₁", "x₂", "z", "z > 0"], np.column_stack([x, z, out]).astype(int).tolist())
    assert (out == target).all()


def learn(gate, seed, steps):
    """Find the weights by gradient descent on the logistic loss; gives bias, w₁, w₂ and the last loss."""
    x, target = data.gates(gate)
    rng = np.random.default_rng(seed)
    w, b = Value(rng.normal(size=2)), Value(0.0)
    for _ in range(steps):
        z = b + x @ w
        loss = (z.softplus() - target * z).mean()  # -log of the probability that the neuron gives the target
        w.grad = b.grad = None
        loss.backward()
        w.data -= 2.0 * w.grad
        b.data -= 2.0 * b.grad
    return (b.item(), *w.data.tolist()), loss.item()


def show_learned(gate, weights, loss):
    """Print the same table for learned weights, with the probability σ(z) that the sigmoid makes of z."""
    x, _ = data.gates(gate)
    z = Value(pre_activation(weights, x))
    style.heading("{}, learned: {:.2f}, {:.2f}, {:.2f} (loss {:.4f})".format(gate.upper(), *weights, loss))
    rows = [(*map(int, row), a, p, int(a > 0)) for row, a, p in zip(x, z.data, z.sigmoid().data)]
    style.table(["x₁", "x₂", "z", "σ(z)", "z > 0"], rows)


def network(weights):
    """The neuron as a network, with a sigmoid for the threshold: at z = ±10 it is as good as 1 and 0."""
    bias, *w = weights
    model = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())
    model[0].weight.data, model[0].bias.data = np.array([w], np.float32), np.array([bias], np.float32)
    return model


def draw(figure, learned):
    """A panel a gate: the four inputs, and the lines of both neurons."""
    for axes, (gate, slide) in zip(figure.subplots(1, len(LECTURE)), LECTURE.items()):
        x, target = data.gates(gate)
        style.plane(axes, lambda p, slide=slide: pre_activation(slide, p), (-0.5, 1.5, -0.5, 1.5))
        style.points(axes, x, target, size=130)
        for place, z in zip(x, pre_activation(slide, x)):
            axes.annotate(f"z = {z:.0f}", place, (0, 11), textcoords="offset points", ha="center")
        across = np.array([-0.5, 1.5])
        bias, w1, w2 = learned[gate]
        axes.plot(across, -(bias + w1 * across) / w2, "--", color=style.PURPLE)
        axes.plot([], [], color=style.INK, label="lecture's weights")
        axes.plot([], [], "--", color=style.PURPLE, label="learned")
        axes.set(title="{}: {}, {}, {}".format(gate.upper(), *slide), xlabel="x₁", ylabel="x₂")
        axes.set(xticks=[0, 1], yticks=[0, 1])
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)


def main(argv=None):
    args = style.Parser(__doc__).parse_args(argv)
    for gate, weights in LECTURE.items():
        show(gate, weights)
    learned = {}
    for gate in LECTURE:
        learned[gate], loss = learn(gate, args.seed, steps=300 if args.quick else 3000)
        show_learned(gate, learned[gate], loss)
    print()
    style.picture(args.out / "gates.png", draw, learned, size=(8.0, 4.6))
    x, target = data.gates("and")
    style.lab(args.out / "gates.html", network(LECTURE["and"]), x, target[:, None], nn.BCELoss())


if __name__ == "__main__":
    style.run(main)
