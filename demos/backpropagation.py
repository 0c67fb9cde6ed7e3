"""Backpropagation by hand: a 2-2-1 network, every partial derivative three times.

Once from the lecture's chain of formulas, once from the engine, and once from trying: nudge that one number
up and down a little and see what the error does.  All three agree, and a step against the gradient pays.
The page it writes plays both passes, one operation at a time.
"""

import style
import numpy as np

from tinygrad_course import Value
from tinygrad_course.nn.functional import sigmoid

X1, X2, TARGET = 1.0, 0.5, 1.0
WEIGHTS = ("w₁₁", "w₁₂", "b₁", "w₂₁", "w₂₂", "b₂", "v₁", "v₂", "c")
NUDGE = 1e-5


def forward(p, keep=lambda name, value: value):
    """The error E of the network for one sample; `keep` sees every number between on its way."""
    z1 = keep("z₁", p["w₁₁"] * X1 + p["w₁₂"] * X2 + p["b₁"])
    z2 = keep("z₂", p["w₂₁"] * X1 + p["w₂₂"] * X2 + p["b₂"])
    h1 = keep("h₁", sigmoid(z1))
    h2 = keep("h₂", sigmoid(z2))
    z3 = keep("z₃", p["v₁"] * h1 + p["v₂"] * h2 + p["c"])
    y = keep("ŷ", sigmoid(z3))
    return 0.5 * (y - TARGET) ** 2


def by_hand(p, n):
    """The lecture's formulas, from the error back to the weights: name -> (formula, number)."""
    d = {}
    d["ŷ"] = "ŷ - t", n["ŷ"] - TARGET
    d["z₃"] = "∂E/∂ŷ · ŷ(1-ŷ)", d["ŷ"][1] * n["ŷ"] * (1 - n["ŷ"])
    d["v₁"] = "∂E/∂z₃ · h₁", d["z₃"][1] * n["h₁"]
    d["v₂"] = "∂E/∂z₃ · h₂", d["z₃"][1] * n["h₂"]
    d["c"] = "∂E/∂z₃", d["z₃"][1]
    for i in "₁₂":
        d["h" + i] = f"∂E/∂z₃ · v{i}", d["z₃"][1] * p["v" + i]
        d["z" + i] = f"∂E/∂h{i} · h{i}(1-h{i})", d["h" + i][1] * n["h" + i] * (1 - n["h" + i])
        d[f"w{i}₁"] = f"∂E/∂z{i} · x₁", d["z" + i][1] * X1
        d[f"w{i}₂"] = f"∂E/∂z{i} · x₂", d["z" + i][1] * X2
        d["b" + i] = f"∂E/∂z{i}", d["z" + i][1]
    return d


def by_engine(p):
    """A forward and a backward pass: E, all numbers on the way and the weights, and the gradient of each."""
    values = {name: Value(number, name=name) for name, number in p.items()}

    def keep(name, value):
        value.name = name
        values[name] = value
        return value

    error = forward(values, keep)
    error.name = "E"
    error.backward()
    numbers = {name: v.item() for name, v in values.items()}
    return error, numbers, {name: v.grad for name, v in values.items()}


def by_trying(p, name):
    """How much the error changes with one number, from two tiny nudges."""

    def error(nudge):
        moved = {n: v + nudge * (n == name) for n, v in p.items()}
        return forward(moved, lambda n, v: v + nudge * (n == name))

    return float(error(NUDGE) - error(-NUDGE)) / (2 * NUDGE)


def show(p, rate=1.0):
    """Print the forward pass, the table of partial derivatives, and what a step along them does."""
    error, numbers, engine = by_engine(p)
    hand = by_hand(p, numbers)
    style.heading(f"Forward: x = ({X1}, {X2}), t = {TARGET:g}")
    between = ("z₁", "h₁", "z₂", "h₂", "z₃", "ŷ")
    style.table([*between, "E"], [[numbers[n] for n in between] + [error.item()]])
    style.heading("Backward: every partial derivative")
    rows = [(f"∂E/∂{n}", text, number, engine[n], by_trying(p, n)) for n, (text, number) in hand.items()]
    style.table(["", "formula", "by hand", "engine", "by trying"], rows, digits=8)
    numeric = np.array([row[2:] for row in rows])
    hand_off, trying_off = (abs(numeric[:, i] - numeric[:, 1]).max() for i in (0, 2))
    style.note(f"largest difference: hand and engine {hand_off:.1e}, engine and trying {trying_off:.1e}")
    after = forward({n: v - rate * engine[n] for n, v in p.items()})
    style.note(f"a step of {rate:g} against the gradient: E falls from {error.item():.6f} to {after:.6f}")
    return error, numbers, engine, rows, float(after)


def draw(figure, p, numbers, engine, error):
    """The network with every number, and below it in colour the error's derivative by that number."""
    from matplotlib.offsetbox import AnnotationBbox, TextArea, VPacker

    axes = figure.subplots()
    axes.set(xlim=(-0.7, 9.2), ylim=(-1.1, 4.1), aspect="equal")
    axes.axis("off")
    at = {"x₁": (0, 3), "x₂": (0, 0), "₁": (4, 3), "₂": (4, 0), "ŷ": (7.6, 1.5)}

    def lines(name):
        yield f"{name} = {p[name]:.2f}", {"fontsize": 10.5}
        yield f"∂E/∂{name} = {engine[name]:+.4f}", {"fontsize": 9.5, "color": style.ORANGE}

    def weight(start, end, name, along):
        style.edge(axes, at[start], at[end])
        label = VPacker(
            children=[TextArea(text, textprops=look) for text, look in lines(name)],
            align="center",
            pad=0,
            sep=4,
        )
        place = np.add(at[start], np.multiply(along, np.subtract(at[end], at[start])))
        paper = {"facecolor": "white", "edgecolor": "none"}
        axes.add_artist(AnnotationBbox(label, place, pad=0.15, bboxprops=paper, zorder=2))

    def bias(node, name):
        x, y = at[node]
        for (text, look), way in zip(lines(name), (0.85, -0.85)):
            axes.text(x, y + way, text, ha="center", va="center", **look)

    for i in "₁₂":
        for j in "₁₂":
            weight("x" + j, i, f"w{i}{j}", 0.27 if i != j else 0.5)
        weight(i, "ŷ", "v" + i, 0.5)
    for name, number in (("x₁", X1), ("x₂", X2)):
        style.node(axes, at[name], f"{name}\n{number:.2f}", style.BLUE, radius=0.5)
    for i in "₁₂":
        style.node(axes, at[i], f"z{i} {numbers['z' + i]:.2f}\nh{i} {numbers['h' + i]:.2f}", radius=0.62)
        bias(i, "b" + i)
    style.node(axes, at["ŷ"], f"z₃ {numbers['z₃']:.2f}\nŷ {numbers['ŷ']:.2f}", radius=0.62)
    bias("ŷ", "c")
    axes.text(
        at["ŷ"][0],
        at["ŷ"][1] - 1.4,
        f"E = ½(ŷ - {TARGET:g})² = {error.item():.4f}",
        ha="center",
        weight="bold",
    )


def main(argv=None):
    args = style.Parser(__doc__).parse_args(argv)
    rng = np.random.default_rng(args.seed)
    p = dict(zip(WEIGHTS, rng.uniform(-1, 1, len(WEIGHTS)).round(2).tolist()))
    error, numbers, engine, _, _ = show(p)
    print()
    style.picture(args.out / "backpropagation.png", draw, p, numbers, engine, error, size=(10.5, 5.6))
    style.graph(args.out / "backpropagation.html", error)


if __name__ == "__main__":
    style.run(main)
