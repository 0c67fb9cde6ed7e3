"""Gradient descent: step downhill on the loss surface, and two ways to step better.

A linear neuron ŷ = w·x + b learns a noisy line, so that the loss is a surface over two weights.  The inputs
lie off zero, which makes it a long narrow valley: plain steps zigzag or crawl, momentum keeps the speed that
it gathered, Adam scales each weight's step for itself.
"""

import style
import numpy as np

from tinygrad_course import Value, nn, optim

METHODS = {
    "SGD, lr 0.02": lambda p: optim.SGD(p, lr=0.02),
    "SGD, lr 0.16": lambda p: optim.SGD(p, lr=0.16),
    "momentum 0.9": lambda p: optim.SGD(p, lr=0.02, momentum=0.9),
    "Adam, lr 0.2": lambda p: optim.Adam(p, lr=0.2),
}
TINTS = dict(zip(METHODS, (style.BLUE, style.ORANGE, style.GREEN, style.PURPLE)))
START = (1.2, 2.6)
SHOWN = (0, 1, 2, 5, 10, 20, 50, 100, 200)


def line(seed, n=60):
    """Points about the line y = 1.2 x - 0.8, the inputs between 1 and 3."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(1, 3, n)
    return x, 1.2 * x - 0.8 + rng.normal(0, 0.2, n)


def mean_squared_error(w, b, x, y):
    return ((w * x + b - y) ** 2).mean()


def descend(method, x, y, steps):
    """Follow a method from START; gives (w, b, loss) before each step and at the end."""
    w, b = (Value(np.array(s)) for s in START)
    optimizer = METHODS[method]([w, b])
    path = []
    for _ in range(steps + 1):
        loss = mean_squared_error(w, b, x, y)
        path.append((w.item(), b.item(), loss.item()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return np.array(path)


def neuron(w, b):
    """The linear neuron as a layer, for the page that descends."""
    layer = nn.Linear(1, 1, dtype=float)
    layer.weight.data, layer.bias.data = np.array([[w]]), np.array([b])
    return layer


def best(x, y):
    """The lowest point of the surface, from the normal equations."""
    design = np.column_stack([x, np.ones_like(x)])
    (w, b), *_ = np.linalg.lstsq(design, y, rcond=None)
    return w, b, mean_squared_error(w, b, x, y)


def show(paths, lowest):
    """Print the loss of each method at some steps, and where each ended."""
    style.heading("Loss")
    steps = [s for s in SHOWN if s < len(next(iter(paths.values())))]
    style.table(["step", *paths], [(s, *(path[s, 2] for path in paths.values())) for s in steps])
    style.heading("Where they end")
    rows = [(name, *path[-1]) for name, path in paths.items()]
    style.table(["", "w", "b", "loss"], [*rows, ("lowest point", *lowest)])


def draw(figure, paths, lowest, x, y):
    """Each method's path over the surface seen from above, and the loss at each step."""
    names = list(paths)
    panels = figure.subplot_mosaic([[*names[:2], "loss"], [*names[2:], "loss"]], width_ratios=[1, 1, 1.5])
    w, b = np.meshgrid(np.linspace(-1.4, 2.2, 201), np.linspace(-1.6, 3.2, 201))
    height = ((w[..., None] * x + b[..., None] - y) ** 2).mean(axis=-1)
    levels = np.geomspace(lowest[2] * 1.2, height.max(), 12)
    for name, path in paths.items():
        axes = panels[name]
        axes.contourf(w, b, height, levels=[0, *levels], cmap="Greys", norm="log", alpha=0.5)
        axes.contour(w, b, height, levels=levels, colors="white", linewidths=0.7)
        axes.plot(*path[:, :2].T, "-o", color=TINTS[name], markersize=3, linewidth=1.5)
        axes.plot(*lowest[:2], "*", color=style.INK, markersize=11)
        axes.set(xlim=(-1.4, 2.2), ylim=(-1.6, 3.2))
        axes.set_title(name, color=TINTS[name])
        panels["loss"].plot(path[:, 2], color=TINTS[name], label=name)
    for name in names:
        axes = panels[name]
        axes.set(xlabel="w" if name in names[2:] else "", ylabel="b" if name in names[::2] else "")
    loss = panels["loss"]
    loss.axhline(lowest[2], color=style.GREY, linewidth=1.2, linestyle=":", label="lowest point")
    loss.set(xlabel="step", ylabel="loss", yscale="log", title="Loss at each step")
    loss.grid(alpha=0.6)
    loss.legend()


def main(argv=None):
    args = style.Parser(__doc__).parse_args(argv)
    x, y = line(args.seed)
    paths = {name: descend(name, x, y, steps=50 if args.quick else 200) for name in METHODS}
    lowest = best(x, y)
    show(paths, lowest)
    print()
    style.picture(args.out / "gradient_descent.png", draw, paths, lowest, x, y, size=(11.5, 5.6))
    style.lab(args.out / "gradient_descent.html", neuron(*START), x[:, None], y[:, None], nn.MSELoss())


if __name__ == "__main__":
    style.run(main)
