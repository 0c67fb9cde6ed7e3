"""The perceptron: a line learned from labelled points, its geometry, and several lines for a curve.

The rule of 1957 looks at one point at a time and moves the line only where it is wrong.  The weights w stand
at right angles to the line, and |w·x + b| / ‖w‖ is how far a point is from it.  The logistic loss finds much
the same line.  Several neurons, and one that asks whether all of them fire, enclose what no line separates.
"""

import style
import numpy as np

from tinygrad_course import Value, data, nn

CENTRE, NEW = np.array([1.0, 0.5]), np.array([2.3, -0.6])
LINES = (3, 4, 6, 12)
MIDDLE, RADIUS = np.array([0.5, 0.5]), np.sqrt(0.1)  # of the disc in data.cloud("circle")


def clouds(seed):
    """Two clouds that a line separates: blobs off the origin, labelled by side, none near the border."""
    x, _ = data.blobs(120, noise=0.35, seed=seed)
    x = x[abs(x.sum(axis=1)) > 0.3]
    return x + CENTRE, (x.sum(axis=1) < 0).astype(int)


def learn_perceptron(x, target):
    """The perceptron rule, until a pass over all points goes by without a mistake.

    Gives w, b, and the number of mistakes in each pass.  The points must be separable by a line.
    """
    w, b, mistakes = np.zeros(x.shape[1]), 0.0, []
    sign = 2 * target - 1  # the classes as -1 and 1
    while not mistakes or mistakes[-1]:
        mistakes.append(0)
        for xi, si in zip(x, sign):
            if si * (w @ xi + b) <= 0:
                w, b = w + si * xi, b + si
                mistakes[-1] += 1
    return w, b, mistakes


def learn_logistic(x, target, steps):
    """Gradient descent on the logistic loss of the same neuron."""
    w, b = Value(np.zeros(x.shape[1])), Value(0.0)
    for _ in range(steps):
        z = x @ w + b
        loss = (z.softplus() - target * z).mean()
        w.grad = b.grad = None
        loss.backward()
        w.data -= 2.0 * w.grad
        b.data -= 2.0 * b.grad
    return w.data, b.item()


def distance(x, w, b):
    """How far x is from the line; negative on the side of class 0."""
    return (x @ w + b) / np.linalg.norm(w)


def angle(u, v):
    """Degrees between two vectors."""
    return np.degrees(np.arccos(np.clip(u @ v / np.linalg.norm(u) / np.linalg.norm(v), -1, 1)))


def half_planes(n):
    """n neurons whose lines touch the disc from outside, each firing on the disc's side: weights, biases."""
    turns = 2 * np.pi * (np.arange(n) / n + 0.25)
    w = -np.column_stack([np.cos(turns), np.sin(turns)])
    return w, RADIUS - w @ MIDDLE


def all_fire(x, w, b):
    """The second layer, z of one neuron: it fires where all n of the first do (weights 1, bias ½ - n)."""
    return (x @ w.T + b > 0).sum(axis=1) - (len(b) - 0.5)


def show(x, target, perceptron, logistic):
    """Print how the rule went, both lines, and where the new point falls."""
    w, b, mistakes = perceptron
    style.heading(f"Perceptron rule on {len(x)} points")
    style.note(f"mistakes in each pass: {' '.join(map(str, mistakes))}")
    style.heading("The two lines")
    rows = []
    for name, (w, b) in {"perceptron": perceptron[:2], "logistic loss": logistic}.items():
        right = int(((x @ w + b > 0) == target).sum())
        rows.append((name, *w, b, f"{right} of {len(x)}", abs(distance(x, w, b)).min()))
    style.table(["", "w₁", "w₂", "b", "right", "nearest point"], rows)
    style.note(f"angle between their normals: {angle(perceptron[0], logistic[0]):.1f} degrees")
    w, b, _ = perceptron
    far = distance(NEW, w, b)
    style.heading("A new point, ({:g}, {:g})".format(*NEW))
    style.note(f"w·x + b = {NEW @ w + b:.4f}, so class {int(far > 0)}, {abs(far):.4f} from the line")


def show_curve(x, target):
    """Print how well 3, 4, 6, 12 lines enclose the disc."""
    style.heading("A curve approximated by several lines")
    rights = [float(((all_fire(x, *half_planes(n)) > 0) == (target == 0)).mean()) for n in LINES]
    style.table(["lines", "points right"], [(n, f"{right:.1%}") for n, right in zip(LINES, rights)])
    return rights


def neuron(w, b):
    """The same line as a network of one neuron with a sigmoid, which says how sure it is."""
    model = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())
    model[0].weight.data, model[0].bias.data = w[None].astype(np.float32), np.array([b], np.float32)
    return model


def draw(figure, x, target, perceptron, logistic, cloud):
    """The line with its normal vector, and six half-planes that enclose a disc."""
    left, right = figure.subplots(1, 2)
    w, b, _ = perceptron
    box = (-0.9, 2.9, -1.4, 2.4)
    style.plane(left, lambda p: p @ w + b, box)
    across = np.array(box[:2])
    left.plot([], [], color=style.INK, label="perceptron")
    left.plot(across, -(logistic[1] + logistic[0][0] * across) / logistic[0][1], "--", color=style.PURPLE,
              label="logistic loss")  # fmt: skip
    style.points(left, x, target)
    foot = CENTRE + np.array([-0.8, 1.0])
    foot -= distance(foot, w, b) * w / np.linalg.norm(w)
    style.arrow(left, foot, foot + 0.6 * w / np.linalg.norm(w), style.INK, "w")
    nearest = NEW - distance(NEW, w, b) * w / np.linalg.norm(w)
    left.plot(*zip(NEW, nearest), ":", color=style.GREEN)
    left.plot(*NEW, "*", color=style.GREEN, markersize=16, label="new point", linestyle="")
    left.set(title="Perceptron", xlabel="x₁", ylabel="x₂")
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, columnspacing=1, handlelength=1.5)

    lines = half_planes(6)
    style.plane(
        right, lambda p: -(p @ lines[0].T + lines[1]).min(axis=1), (0, 1, 0, 1)
    )  # all fire: the least does
    for (w1, w2), b in zip(*lines):
        right.axline(
            (-b * w1, -b * w2), slope=-w1 / w2 if abs(w2) > 1e-9 else np.inf, color=style.GREY, lw=1.2
        )
    style.points(right, *cloud, size=22)
    right.set(title="Six lines for a curve", xlabel="x₁", ylabel="x₂")


def main(argv=None):
    args = style.Parser(__doc__).parse_args(argv)
    x, target = clouds(args.seed)
    perceptron = learn_perceptron(x, target)
    logistic = learn_logistic(x, target, steps=100 if args.quick else 1000)
    show(x, target, perceptron, logistic)
    cloud = data.cloud("circle", 400, seed=args.seed)
    show_curve(*cloud)
    print()
    style.picture(args.out / "perceptron.png", draw, x, target, perceptron, logistic, cloud, size=(10, 5))
    model = neuron(*perceptron[:2])  # the page goes on from the perceptron's line, by the logistic loss
    style.lab(args.out / "perceptron.html", model, x, target[:, None], nn.BCELoss())


if __name__ == "__main__":
    style.run(main)
