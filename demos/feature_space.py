"""Feature learning: the hidden layer bends the plane until a straight line separates the classes.

The network ends like a logistic regression, one neuron with a line; but what it sees are not the inputs, they
are two features computed by the hidden layer.  Training starts where those features are the plane itself, so
the grid shows what learning does to it: it lifts the inner circle off the outer one.
"""

import style
import numpy as np

from tinygrad_course import data, nn, no_grad, optim

SETS = {
    "moons": lambda seed: data.moons(200, seed=seed),
    "circles": lambda seed: data.circles(200, noise=0.08, seed=seed),
    "spirals": lambda seed: data.spirals(200, seed=seed),
}


def middle(x):
    """The same points about the origin."""
    return x - (x.min(axis=0) + x.max(axis=0)) / 2


def network(rng):
    """2 inputs, 32 hidden neurons, 2 features that can be drawn, and a neuron that judges by the second.

    The features begin as the inputs themselves: least squares finds the weights that make them so.
    """
    model = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2), nn.Linear(2, 1))
    first, _, features, last = model
    nn.init.normal_(first.weight, std=1.5, rng=rng)
    nn.init.normal_(first.bias, std=1.0, rng=rng)
    last.weight.data, last.bias.data = np.array([[0, 4]], np.float32), np.zeros(1, np.float32)
    places = rng.uniform(-1.5, 1.5, (500, 2)).astype(np.float32)
    with no_grad():
        hidden = np.column_stack([model[:2](places).numpy(), np.ones(500)])
    weights = np.linalg.solve(hidden.T @ hidden + 0.1 * np.eye(33), hidden.T @ places).astype(np.float32)
    features.weight.data, features.bias.data = weights[:-1].T.copy(), weights[-1]
    return model


def train(model, x, target, steps, watched=()):
    """Learn from all points at once; gives the share that it has right, and a look at it at watched steps."""
    criterion = nn.BCEWithLogitsLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    looks = []
    for step in range(steps + 1):
        z = model(x)
        loss = criterion(z, target[:, None])
        if step in watched:
            looks.append(look(model, x))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(((z.numpy()[:, 0] > 0) == target).mean()), looks


def look(model, x):
    """The hidden space now: the features of the points and of the grid, and the last neuron's w and b."""
    with no_grad():
        points, lines = model[:-1](x).numpy(), model[:-1](grid()).numpy()
    return points, lines, model[-1].weight.data[0].copy(), model[-1].bias.data.copy()


def grid():
    """The lines of a square grid, one after the other, with a gap after each."""
    along = np.append(np.linspace(-1.5, 1.5, 61), np.nan)
    across, up = np.meshgrid(np.linspace(-1.5, 1.5, 19), along)
    lines = np.column_stack([across.T.ravel(), up.T.ravel()])
    return np.concatenate([lines, lines[:, ::-1]])


def draw_hidden(axes, seen, target, box):
    """The features of grid and points, and the line of the last neuron."""
    points, lines, w, b = seen
    style.plane(axes, lambda h: h @ w + b, box)
    axes.plot(*lines.T, color=style.GREY, linewidth=0.7, zorder=1.5)
    style.points(axes, points, target, size=22)
    axes.set(xticks=[], yticks=[], xlabel="first feature", ylabel="second feature", aspect="auto")


def around(*clouds):
    """A box around all of these points, with some air."""
    places = np.concatenate(clouds)
    low, high = places.min(axis=0), places.max(axis=0)
    return np.column_stack([low - 0.1 * (high - low), high + 0.1 * (high - low)]).ravel()


def draw(figure, sets, models, looks):
    """Above each set in the plane, below it in the hidden space of its network, with the same border."""
    for (above, below), (name, (x, target)) in zip(figure.subplots(2, len(sets)).T, sets.items()):
        with no_grad():
            style.plane(above, lambda p, model=models[name]: model(p).numpy()[:, 0], (-1.7, 1.7, -1.7, 1.7))
        above.plot(*grid().T, color=style.GREY, linewidth=0.7, zorder=1.5)
        style.points(above, x, target, size=22)
        above.set(title=name, xticks=[], yticks=[], xlabel="x₁", ylabel="x₂")
        draw_hidden(below, looks[name][-1], target, around(looks[name][-1][0]))


def draw_frame(figure, sets, looks, moment, step):
    """One moment of the training: the hidden spaces of all sets."""
    figure.suptitle(f"step {step}")
    for axes, (name, (_, target)) in zip(figure.subplots(1, len(sets)), sets.items()):
        draw_hidden(axes, looks[name][moment], target, around(looks[name][0][0], looks[name][-1][0]))
        axes.set(title=name)


def main(argv=None):
    args = style.Parser(__doc__).parse_args(argv)
    steps = 200 if args.quick else 900
    watched = (np.linspace(0, 1, 4 if args.quick else 30) ** 2 * steps).astype(int)
    sets = {name: make(args.seed) for name, make in SETS.items()}
    sets = {name: (middle(x), target) for name, (x, target) in sets.items()}
    models, looks, rows = {}, {}, []
    for name, (x, target) in sets.items():
        line, _ = train(nn.Linear(2, 1, rng=args.seed), x, target, steps)
        models[name] = network(np.random.default_rng(args.seed))
        right, looks[name] = train(models[name], x, target, steps, watched)
        rows.append((name, f"{line:.1%}", f"{right:.1%}"))
    style.heading(f"Points on the right side of a straight line, after {steps} steps")
    style.table(["set", "in the plane", "in the hidden space"], rows)
    print()
    style.picture(args.out / "feature_space.png", draw, sets, models, looks, size=(9.6, 6.6))
    frames = [(sets, looks, moment, step) for moment, step in enumerate(watched)]
    style.animation(args.out / "feature_space.gif", draw_frame, frames, size=(9.6, 3.6))
    model, (x, target) = network(np.random.default_rng(args.seed)), sets["circles"]
    style.lab(args.out / "feature_space.html", model, x, target[:, None], nn.BCEWithLogitsLoss())


if __name__ == "__main__":
    style.run(main)
