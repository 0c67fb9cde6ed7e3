"""The common activation functions and their derivatives, asked of the table that the engine itself uses.

Nothing about the functions is written here but their names: the formula and the kink are what the table says,
the derivative is what a backward pass brings.
"""

import style
import numpy as np

from tinygrad_course import Value
from tinygrad_course.derivatives import TABLE, neural

ACTIVATIONS = (neural.sigmoid, np.tanh, neural.relu, neural.leaky_relu, neural.gelu, neural.softplus)
AT = (-2.0, 0.0, 2.0)


def with_derivative(function, points):
    """f and f' at the points."""
    x = Value(np.array(points))
    out = function(x)
    out.backward(np.ones(x.shape))
    return out.data, x.grad


def show():
    """Print each activation's row of the table, and its values and slopes at three places."""
    style.heading("From the table")
    rows = [TABLE[f] for f in ACTIVATIONS]
    style.table(
        ["activation", "formula", "derivative at the kink"], [(r.name, r.formula, r.kink) for r in rows]
    )
    style.heading("Values and slopes")
    header = ["activation", *(f"f({a:g})" for a in AT), *(f"f'({a:g})" for a in AT), "largest f'"]
    rows = []
    for function in ACTIVATIONS:
        value, slope = with_derivative(function, AT)
        _, everywhere = with_derivative(function, np.linspace(-6, 6, 1201))
        rows.append((TABLE[function].name, *value, *slope, everywhere.max()))
    style.table(header, rows)
    style.note(
        "A sigmoid passes back a quarter of the gradient at most; ten layers of them leave a millionth."
    )
    return rows


def draw(figure):
    """A panel an activation: the function, and its derivative dashed."""
    x = np.linspace(-4, 4, 801)
    for axes, function in zip(figure.subplots(2, 3, sharex=True, sharey=True).flat, ACTIVATIONS):
        value, slope = with_derivative(function, x)
        row = TABLE[function]
        axes.axhline(0, color=style.GREY, linewidth=0.8)
        axes.axvline(0, color=style.GREY, linewidth=0.8)
        axes.plot(x, value, color=style.BLUE, label="f(x)")
        pieces = np.where(abs(x) < 1e-9, np.nan, slope) if row.kink else slope  # a jump is not a line
        axes.plot(x, pieces, "--", color=style.ORANGE, label="f'(x)")
        axes.set(title=row.name, ylim=(-1.3, 2.3))
        axes.text(4.2, -1.15, row.formula, fontsize=10.5, ha="right")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)


def main(argv=None):
    args = style.Parser(__doc__).parse_args(argv)
    show()
    print()
    style.picture(args.out / "activations.png", draw, size=(10.5, 6))


if __name__ == "__main__":
    style.run(main)
