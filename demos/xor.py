"""XOR: no neuron computes it alone, two layers do; first with the lecture's weights, then with learned ones.

The hidden neurons OR and AND move the four inputs to three places that one more neuron separates: XOR is
"OR and not AND".  The slide's table says so, but its output weights do not: this demo shows both.
"""

import itertools

import style
import gates
import numpy as np

from tinygrad_course import Value, data, nn

OUTPUTS = {"as printed on the slide": (-30, 20, -20), "as its table needs": (-10, 20, -20)}
INPUTS, TARGET = data.gates("xor")
SEEDS = 100
NAMES = {
    (0, 0, 0, 1): "AND", (0, 1, 1, 1): "OR", (1, 1, 1, 0): "NAND", (1, 0, 0, 0): "NOR",
    (0, 0, 1, 0): "x₁ and not x₂", (0, 1, 0, 0): "x₂ and not x₁",
    (1, 1, 0, 1): "not x₁, or x₂", (1, 0, 1, 1): "x₁, or not x₂",
}  # fmt: skip


def one_neuron():
    """Try a neuron with every whole weight from -3 to 3: print which tables it makes and its best at XOR."""
    found = {}
    for weights in itertools.product(range(-3, 4), repeat=3):
        out = (gates.pre_activation(weights, INPUTS) > 0).astype(int)
        found[tuple(out.tolist())] = int((out == TARGET).sum())
    style.heading("One neuron on XOR")
    missing = set(itertools.product((0, 1), repeat=4)) - set(found)
    never = ", ".join(" ".join(map(str, outputs)) for outputs in sorted(missing))
    style.note(f"343 neurons make {len(found)} of the 16 possible tables; never made: {never}")
    style.note(f"best on XOR: {max(found.values())} of 4 rows right.  No weights whatever get all four:")
    style.table(
        ["rows", "need", "and", "together"],
        [
            ("0 1, 1 0", "b + w₂ > 0", "b + w₁ > 0", "2b + w₁ + w₂ > 0"),
            ("0 0, 1 1", "b ≤ 0", "b + w₁ + w₂ ≤ 0", "2b + w₁ + w₂ ≤ 0"),
        ],
    )
    return max(found.values()), missing


def lecture_network():
    """Print the slide's table with its two hidden columns, for both versions of the output neuron."""
    hidden = np.column_stack([gates.pre_activation(gates.LECTURE[g], INPUTS) > 0 for g in ("or", "and")])
    rights = []
    for said, weights in OUTPUTS.items():
        z = gates.pre_activation(weights, hidden)
        out = (z > 0).astype(int)
        rights.append(int((out == TARGET).sum()))
        style.heading("Output neuron {}, {}, {} {}".format(*weights, said))
        marks = ["✓" if o == t else "✗" for o, t in zip(out, TARGET)]
        rows = np.column_stack([INPUTS, hidden, z, out, TARGET]).astype(int).tolist()
        header = ["x₁", "x₂", "OR", "AND", "z", "z > 0", "XOR", ""]
        style.table(header, [(*row, mark) for row, mark in zip(rows, marks)])
    w, b = Value([0.0, 0.0]), Value(0.0)
    descend([w, b], lambda: cross_entropy(b + hidden @ w).mean(), steps=2000)
    weights = np.array([b.item(), *w.data]) * 20 / w.data[0]
    found = "{:.1f}, {:.1f}, {:.1f}".format(*weights)
    print()
    style.note(f"Learned on those two hidden columns, and scaled to a first weight of 20: {found}")
    style.note("So the first number on the slide should be -10: with -30 the neuron never fires.")
    return rights, weights


def cross_entropy(z):
    """-log of the probability that σ(z) gives to the XOR of the four inputs."""
    return z.softplus() - TARGET * z


def descend(parameters, loss, steps, rate=4.0):
    """Plain gradient descent."""
    for _ in range(steps):
        for p in parameters:
            p.grad = None
        now = loss()
        now.backward()
        for p in parameters:
            p.data -= rate * p.grad


def network(parameters, x):
    """The 2-2-1 network (or a stack of them): the hidden neurons' outputs, and the output neuron's z."""
    w1, b1, w2, b2 = parameters
    hidden = (x @ w1 + b1).sigmoid()
    return hidden, (hidden @ w2 + b2)[..., 0]


def learn(seeds, steps=2000):
    """Learn a 2-2-1 network for each seed, all at once in stacked arrays; start those again that got stuck.

    Gives the weights, stacked, and how often each network was started.
    """
    starts = np.zeros(len(seeds), int)
    final = [np.zeros((len(seeds), *shape)) for shape in ((2, 2), (1, 2), (2, 1), (1, 1))]
    stuck = np.arange(len(seeds))
    while len(stuck):
        rngs = [np.random.default_rng([seeds[i], starts[i]]) for i in stuck]
        parameters = [Value(np.stack([rng.normal(0, 0.3, f.shape[1:]) for rng in rngs])) for f in final]
        descend(parameters, lambda p=parameters: cross_entropy(network(p, INPUTS)[1]).mean(1).sum(), steps)
        for f, p in zip(final, parameters):
            f[stuck] = p.data
        starts[stuck] += 1
        wrong = abs(network(parameters, INPUTS)[1].sigmoid().data - TARGET) > 0.1
        stuck = stuck[wrong.any(axis=1)]
    return final, starts


def count(starts):
    return f"{starts} start" if starts == 1 else f"{starts} starts"


def show_learned(parameters, seed, starts):
    """Print what the learned network computes, and what its hidden neurons have become."""
    hidden, z = network([Value(p) for p in parameters], INPUTS)
    out = z.sigmoid().data
    style.heading(f"Learned 2-2-1 network, seed {seed} ({count(starts)})")
    rows = [
        (*map(int, x), *h, p, int(p > 0.5), int(t)) for x, h, p, t in zip(INPUTS, hidden.data, out, TARGET)
    ]
    style.table(["x₁", "x₂", "h₁", "h₂", "output", "> 0.5", "XOR"], rows)
    for i, column in enumerate(hidden.data.T):
        name = NAMES.get(tuple((column > 0.5).astype(int).tolist()), "none of the gates")
        style.note(f"hidden neuron {i + 1} has become: {name}")
    return out


def by_hand():
    """The lecture's network as such parameters: the neurons OR and AND, and "OR and not AND"."""
    hidden = np.array([gates.LECTURE["or"], gates.LECTURE["and"]], float).T  # a column a neuron: bias, w₁, w₂
    bias, *w = OUTPUTS["as its table needs"]
    return hidden[1:], hidden[:1], np.array(w, float)[:, None], np.array([[bias]], float)


def draw(figure, learned):
    """A row for the lecture's network and one for the learned one."""
    rows = figure.subplots(2, 3)
    draw_network(rows[0], "By hand", by_hand(), ("OR", "AND"))
    draw_network(rows[1], "Learned", learned, ("h₁", "h₂"))


def draw_network(panels, title, parameters, names):
    """The input plane with its border, the two hidden lines, and the hidden space."""
    w1, b1, w2, b2 = parameters
    left, middle, right = panels
    box = (-0.5, 1.5, -0.5, 1.5)
    constants = [Value(p, requires_grad=False) for p in parameters]
    style.plane(left, lambda p: network(constants, p)[1].data, box)
    left.set(title=f"{title}: input plane")
    across = np.array([-0.5, 1.5])
    for i, tint in enumerate((style.GREEN, style.PURPLE)):
        w, b = w1[:, i], b1[0, i]
        middle.plot(across, -(b + w[0] * across) / w[1], color=tint)
        normal = w / np.hypot(*w)
        foot = 0.5 - normal * (b + w.sum() / 2) / np.hypot(*w)  # the point of the line nearest to the middle
        along = np.abs(normal[::-1]) * [1, -np.sign(w[0] * w[1])]
        foot += 0.5 * along * (1 if w[0] * w[1] < 0 else -1)  # and a way along the line from there
        style.arrow(middle, foot, foot + 0.25 * normal, tint, f"{names[i]} > ½")
    middle.set(title="Lines of the hidden neurons", xlim=box[:2], ylim=box[2:], aspect="equal")
    hidden = network(constants, INPUTS)[0].data
    style.plane(right, lambda h: (h @ w2 + b2)[:, 0], (-0.2, 1.2, -0.2, 1.2))
    right.set(title="Hidden space", xlabel=names[0], ylabel=names[1], xticks=[0, 1], yticks=[0, 1])
    mark_inputs(right, hidden)
    for axes in (left, middle):
        mark_inputs(axes, INPUTS)
        axes.set(xlabel="x₁", ylabel="x₂", xticks=[0, 1], yticks=[0, 1])


def mark_inputs(axes, places):
    """The four inputs where they are now, each with its name; those that fall together share a place."""
    style.points(axes, places, TARGET, size=130)
    for place in {tuple(p) for p in places.round(1)}:
        names = [f"{a:.0f} {b:.0f}" for (a, b), p in zip(INPUTS, places) if tuple(p.round(1)) == place]
        axes.annotate(", ".join(names), place, (0, 11), textcoords="offset points", ha="center")


def graph(parameters):
    """The loss of the network on the four inputs, with its gradients, as a graph to draw."""
    names = ("hidden.weight", "hidden.bias", "output.weight", "output.bias")
    loss = cross_entropy(network([Value(p, name=n) for p, n in zip(parameters, names)], INPUTS)[1]).mean()
    loss.name = "loss"
    loss.backward()
    return loss


def untrained(seed):
    """A 2-2-1 network of layers, for the page in which it learns."""
    rng = np.random.default_rng(seed)
    return nn.Sequential(nn.Linear(2, 2, rng=rng), nn.Sigmoid(), nn.Linear(2, 1, rng=rng))


def main(argv=None):
    args = style.Parser(__doc__).parse_args(argv)
    for gate, weights in gates.LECTURE.items():
        gates.show(gate, weights)
    one_neuron()
    lecture_network()
    final, starts = learn([args.seed])
    parameters = [f[0] for f in final]
    show_learned(parameters, args.seed, starts[0])
    _, starts = learn(range(SEEDS))
    counts = ", ".join(f"{n} after {count(k)}" for k, n in enumerate(np.bincount(starts)) if n)
    style.note(f"seeds 0 to {SEEDS - 1}: all {len(starts)} networks solve XOR: {counts}")
    print()
    style.picture(args.out / "xor.png", draw, parameters, size=(11.5, 8.2))
    loss = graph(parameters)
    style.graph(args.out / "xor-graph.svg", loss)
    style.graph(args.out / "xor-graph.html", loss)
    style.lab(args.out / "xor.html", untrained(args.seed), INPUTS, TARGET[:, None], nn.BCEWithLogitsLoss())


if __name__ == "__main__":
    style.run(main)
