"""Kernel + neuron: behind a fixed nonlinear map one neuron solves XOR; a hidden layer learns such a map.

The map φ(x) = (x₁, x₂, x₁x₂) adds the product of the inputs as a third one, and in that space a plane
separates what no line could.  All that the neuron then uses of two inputs is the kernel
k(x, x') = φ(x) · φ(x'), which says how much they are alike.  A fixed map serves the problem that it was
chosen for; the hidden layer of neuron + neuron is a map with weights, and learns the one that is needed.
"""

import style
import feature_space
import gates
import numpy as np
import xor

from tinygrad_course import Value, data, nn

BY_HAND = (-10, 20, 20, -40)  # bias, and the weights of x₁, x₂ and x₁x₂
SETS = {
    "xor": lambda seed: data.cloud("xor", seed=seed),
    "moons": lambda seed: data.moons(200, seed=seed),
    "circles": lambda seed: data.circles(200, noise=0.08, seed=seed),
}


def mapped(x):
    """φ(x) for every row of x."""
    return np.column_stack([x, x[:, 0] * x[:, 1]])


def kernel(x, other):
    """k(x, x') for every row of x and every row of the other: how much their maps are alike."""
    return mapped(x) @ mapped(other).T


def learn(x, target, steps):
    """Gradient descent on the logistic loss of one neuron behind the map; gives its bias and weights."""
    features, w, b = mapped(x), Value(np.zeros(3)), Value(0.0)
    for _ in range(steps):
        z = b + features @ w
        loss = (z.softplus() - target * z).mean()
        w.grad = b.grad = None
        loss.backward()
        w.data -= 4.0 * w.grad
        b.data -= 4.0 * b.grad
    return b.item(), *w.data


def show_map(weights, title):
    """Print the four inputs, the third feature, and what the neuron makes of them."""
    z = gates.pre_activation(weights, mapped(xor.INPUTS))
    style.heading(f"{title}: {', '.join(f'{w:.4g}' for w in weights)}")
    rows = np.column_stack([mapped(xor.INPUTS), z > 0, xor.TARGET]).astype(int).tolist()
    style.table(["x₁", "x₂", "x₁x₂", "z > 0", "XOR", "z"], [(*row, f"{zi:.4g}") for row, zi in zip(rows, z)])
    return z


def show_kernel():
    """Print k of every two inputs, and the same neuron as a sum of kernels, without its weights."""
    bias, *w = BY_HAND
    shares = np.linalg.lstsq(mapped(xor.INPUTS).T, np.array(w, float))[0]  # w = Σ shareᵢ φ(xᵢ)
    alike = kernel(xor.INPUTS, xor.INPUTS)
    names = [f"{a:.0f} {b:.0f}" for a, b in xor.INPUTS]
    style.heading("The kernel k(x, x') = φ(x) · φ(x') of every two inputs")
    rows = [(name, *map(int, row), f"{share:.0f}") for name, row, share in zip(names, alike, shares)]
    style.table(["", *names, "share in w"], rows)
    z = bias + shares @ alike
    style.note(
        f"{bias} and the shares times the kernels of an input give {', '.join(f'{zi:.0f}' for zi in z)}: "
        "the same z, and nobody needed φ itself."
    )
    return z


def show_sets(seed, steps):
    """Print how many points of each set one neuron gets right: with no map, a fixed one, a learned one."""
    rows = []
    for name, make in SETS.items():
        x, target = make(seed)
        x = feature_space.middle(x) / x.std()
        hidden = nn.Sequential(nn.Linear(2, 16, rng=seed), nn.Tanh(), nn.Linear(16, 1, rng=seed))
        shares = [
            feature_space.train(model, places, target, steps)[0]
            for model, places in (
                (nn.Linear(2, 1, rng=seed), x),
                (nn.Linear(3, 1, rng=seed), mapped(x)),
                (hidden, x),
            )
        ]
        rows.append((name, *(f"{share:.1%}" for share in shares)))
    style.heading(f"Points on the right side, after {steps} steps")
    style.table(["set", "neuron", "kernel + neuron", "neuron + neuron"], rows)
    style.note("A fixed map helps where it was chosen well; the hidden layer learns what each set needs.")
    return rows


def draw(figure, weights, network):
    """Above the fixed map, below the learned one: the input plane, and the space in which it is straight."""
    plane, space = figure.add_subplot(221), figure.add_subplot(222, projection="3d")
    box = (-0.5, 1.5, -0.5, 1.5)
    style.plane(plane, lambda p: gates.pre_activation(weights, mapped(p)), box)
    plane.set(title="Kernel + neuron: input plane")
    bias, *w = weights
    height = lambda a, b: -(bias + w[0] * a + w[1] * b) / w[2]  # of the plane z = 0 over a place (a, b)
    across, up = np.meshgrid([-0.2, 1.2], [-0.2, 1.2])
    space.plot_surface(across, up, height(across, up), color=style.INK, alpha=0.15)
    for (a, b, c), label in zip(mapped(xor.INPUTS), xor.TARGET.astype(int)):
        look = {"c": style.CLASSES[label], "marker": style.MARKS[label], "edgecolors": "white"}
        space.plot([a, a], [b, b], [c, height(a, b)], color=style.CLASSES[label], linewidth=1.6)
        space.scatter(a, b, c, s=130, depthshade=False, **look)
        space.text(a, b, c + 0.16 * (-1 if label else 1), f"{a:.0f} {b:.0f}", ha="center", va="center")
    space.set(title="Fixed map (x₁, x₂, x₁x₂)", xlabel="x₁", ylabel="x₂", zlabel="x₁x₂")
    space.set(xticks=[0, 1], yticks=[0, 1], zticks=[0, 1], zlim=(-0.3, 1.3))
    space.set_box_aspect((1, 1, 0.9), zoom=1.15)
    space.view_init(elev=10, azim=-62)

    inputs, hidden = figure.add_subplot(223), figure.add_subplot(224)
    constants = [Value(p, requires_grad=False) for p in network]
    style.plane(inputs, lambda p: xor.network(constants, p)[1].data, box)
    inputs.set(title="Neuron + neuron: input plane")
    style.plane(hidden, lambda h: (h @ network[2] + network[3])[:, 0], (-0.2, 1.2, -0.2, 1.2))
    xor.mark_inputs(hidden, xor.network(constants, xor.INPUTS)[0].data)
    hidden.set(title="Learned map (h₁, h₂)", xlabel="h₁", ylabel="h₂", xticks=[0, 1], yticks=[0, 1])
    for axes in (plane, inputs):
        xor.mark_inputs(axes, xor.INPUTS)
        axes.set(xlabel="x₁", ylabel="x₂", xticks=[0, 1], yticks=[0, 1])


def main(argv=None):
    args = style.Parser(__doc__).parse_args(argv)
    show_map(BY_HAND, "Kernel + neuron, by hand")
    show_kernel()
    weights = learn(xor.INPUTS, xor.TARGET, steps=300 if args.quick else 3000)
    show_map(weights, "Kernel + neuron, learned")
    final, starts = xor.learn([args.seed])
    xor.show_learned([f[0] for f in final], args.seed, starts[0])
    show_sets(args.seed, steps=200 if args.quick else 900)
    print()
    style.picture(args.out / "kernel.png", draw, weights, [f[0] for f in final], size=(9, 8.4))


if __name__ == "__main__":
    style.run(main)
