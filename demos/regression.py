"""Regression with a Gaussian process: a prior over curves, and what is left of it where points are known.

A curve is a draw from a normal distribution in which near inputs have near outputs.  Three numbers say how:
how far apart inputs must be to know nothing of each other, how high the curves go, and how noisy the points
are.  They are found by maximising the likelihood of the points: SciPy's optimizer walks, and this library
gives it the gradient, through the Cholesky factor of the covariance and the densities of `scipy.stats`.
"""

import style
import numpy as np

from tinygrad_course import value_and_grad

try:
    import scipy.optimize

    from tinygrad_course.scipy import linalg, stats
except ImportError:
    scipy = None

START = np.log([0.3, 0.5, 0.5])  # logarithms, so that whatever the optimizer tries is above 0
NAMES = ("length", "height", "noise")


def points(seed, n=30):
    """Noisy points of a curve, with a gap where nothing is known."""
    rng = np.random.default_rng(seed)
    x = np.sort(np.concatenate([rng.uniform(-4, -0.5, n // 2), rng.uniform(1.5, 4, n - n // 2)]))
    return x, np.sin(1.5 * x) + 0.3 * x + rng.normal(0, 0.2, n)


def covariance(x, other, length, height):
    """height² · exp(-(x - x')² / (2 length²)), for every pair of inputs."""
    return height**2 * np.exp(-0.5 * ((x[:, None] - other) / length) ** 2)


def surprise(logs, x, y):
    """The negative log likelihood of the points."""
    length, height, noise = np.exp(logs)
    spread = covariance(x, x, length, height) + noise**2 * np.eye(len(x))
    return -stats.multivariate_normal.logpdf(y, cov=spread)


def fit(x, y, start=START):
    """The three numbers at which the points surprise least, and the surprise at every step."""
    objective, seen = value_and_grad(lambda logs: surprise(logs, x, y)), [float(surprise(start, x, y))]
    found = scipy.optimize.minimize(
        objective,
        start,
        jac=True,
        method="BFGS",
        callback=lambda now: seen.append(float(surprise(now, x, y))),
    )
    return found.x, seen, found.nfev


def predict(logs, x, y, where):
    """Mean and standard deviation of the curve at `where`, given the points."""
    length, height, noise = np.exp(logs)
    factor = linalg.cho_factor(covariance(x, x, length, height) + noise**2 * np.eye(len(x)))
    beside = covariance(where, x, length, height)
    mean = beside @ linalg.cho_solve(factor, y)
    variance = height**2 - np.sum(beside * linalg.cho_solve(factor, beside.T).T, axis=1)
    return mean, np.sqrt(np.maximum(variance, 0))


def draw(figure, x, y, fits, seen):
    """What is known before and after the fit, and how the surprise falls."""
    panels = figure.subplot_mosaic([["before", "after", "steps"]], width_ratios=[1.4, 1.4, 1])
    where = np.linspace(-6, 6, 241)
    for name, logs in fits.items():
        axes, (mean, deviation) = panels[name], predict(logs, x, y, where)
        axes.fill_between(where, mean - 2 * deviation, mean + 2 * deviation, color=style.BLUE, alpha=0.2)
        axes.plot(where, mean, color=style.BLUE)
        axes.plot(x, y, "o", color=style.ORANGE, markersize=4)
        axes.set(xlabel="x", ylim=(-2.6, 2.6), title=f"{name}: length {np.exp(logs[0]):.2f}")
    panels["before"].set(ylabel="y, and two standard deviations")
    panels["steps"].plot(seen, "-o", color=style.PURPLE, markersize=4)
    panels["steps"].set(xlabel="step of BFGS", title="-log likelihood")


def main(argv=None):
    args = style.Parser(__doc__).parse_args(argv)
    if scipy is None:
        raise SystemExit("this demo needs SciPy: pip install -e '.[demos]'")
    x, y = points(args.seed)
    found, seen, calls = fit(x, y)
    style.heading("What the points say")
    style.table(["", *NAMES, "-log likelihood"], [
        ("before", *np.exp(START), seen[0]),
        ("after", *np.exp(found), seen[-1]),
    ])  # fmt: skip
    style.note(f"BFGS took {len(seen) - 1} steps and {calls} gradients.")
    print()
    fits = {"before": START, "after": found}
    style.picture(args.out / "regression.png", draw, x, y, fits, seen, size=(11.5, 4.2))
    return found


if __name__ == "__main__":
    style.run(main)
