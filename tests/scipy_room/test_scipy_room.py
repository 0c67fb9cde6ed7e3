"""The room scipy/ beside SciPy: numbers, first and second derivatives, float32, and what it refuses."""

import importlib
import warnings

import numpy as np
import pytest

from tinygrad_course import Value, grad, hessian
from tinygrad_course.testing import gradcheck

scipy = pytest.importorskip("scipy")
for name in ("integrate", "interpolate", "linalg", "signal", "special", "stats"):
    importlib.import_module(f"scipy.{name}")


from tinygrad_course.scipy import integrate, interpolate, linalg, signal, special, stats  # noqa: E402

rng = np.random.default_rng(0)
LINE, OTHER, PROBABILITIES = rng.normal(size=4), rng.normal(size=3), np.array([0.2, 0.5, 0.9])
POINTS, MEAN, TABLE = rng.normal(size=(5, 3)), rng.normal(size=3), rng.normal(size=(3, 4))
SQUARE = rng.normal(size=(3, 3))
COVARIANCE = SQUARE @ SQUARE.T + np.eye(3)
UPPER = np.triu(SQUARE) + 3 * np.eye(3)
SIDES = rng.normal(size=(3, 2))
KNOTS = np.arange(6.0)
CURVES = np.sin(np.arange(12.0)).reshape(2, 6)


def symmetric(c):
    return (c + np.swapaxes(c, 0, 1)) / 2


def closed(y):
    return np.concatenate([y, y[:1]])


CALLS = {  # function of the room or of SciPy, given either; what is differentiated
    "norm.logpdf": (lambda s: lambda x, m, d: s.stats.norm.logpdf(x, m, d), (LINE, 0.3, 1.7)),
    "norm.pdf": (lambda s: lambda x, m, d: s.stats.norm.pdf(x, loc=m, scale=d), (LINE, 0.3, 1.7)),
    "norm.cdf": (lambda s: lambda x, m, d: s.stats.norm.cdf(x, m, d), (LINE, 0.3, 1.7)),
    "norm.logcdf": (lambda s: lambda x, m, d: s.stats.norm.logcdf(x, m, d), (LINE, 0.3, 1.7)),
    "norm.ppf": (lambda s: lambda x, m, d: s.stats.norm.ppf(x, m, d), (PROBABILITIES, 0.3, 1.7)),
    "t": (lambda s: lambda x, n, m, d: s.stats.t.logpdf(x, n, m, d), (LINE, 2.5, 0.3, 1.7)),
    "gamma": (lambda s: lambda x, a, m, d: s.stats.gamma.logpdf(x, a, m, d), (abs(LINE) + 1, 2.5, 0.3, 1.7)),
    "beta": (lambda s: lambda x, a, b: s.stats.beta.logpdf(x, a, b), (PROBABILITIES, 2.5, 0.3)),
    "beta.pdf": (lambda s: lambda x, a, b: s.stats.beta.pdf(x, a=a, b=b), (PROBABILITIES, 2.5, 0.3)),
    "poisson": (lambda s: lambda mu: s.stats.poisson.logpmf([0, 1, 5, -1], mu), (2.5,)),
    "binom": (lambda s: lambda p: s.stats.binom.logpmf([0, 1, 7, 8], 7, p), (0.3,)),
    "dirichlet": (lambda s: lambda a: s.stats.dirichlet.logpdf([0.2, 0.5], a), (np.array([1.5, 0.7, 2.0]),)),
    "mvn": (
        lambda s: lambda x, m, c: s.stats.multivariate_normal.logpdf(x, m, symmetric(c)),
        (POINTS, MEAN, COVARIANCE),
    ),
    "mvn of a point": (lambda s: lambda x: s.stats.multivariate_normal.logpdf(x, cov=2.0), (LINE[:1],)),
    "mvn of one axis": (
        lambda s: lambda x, m: s.stats.multivariate_normal.logpdf(x, m, 2.0),
        (LINE, LINE[:1]),
    ),
    "cho_solve": (
        lambda s: lambda c, b: s.linalg.cho_solve(s.linalg.cho_factor(symmetric(c)), b),
        (COVARIANCE, SIDES),
    ),
    "cho_solve, lower": (
        lambda s: lambda c, b: s.linalg.cho_solve(s.linalg.cho_factor(symmetric(c), lower=True), b),
        (COVARIANCE, SIDES[:, 0]),
    ),
    "expm": (lambda s: s.linalg.expm, (SQUARE,)),
    "sqrtm": (lambda s: s.linalg.sqrtm, (COVARIANCE,)),
    "logm": (lambda s: s.linalg.logm, (COVARIANCE,)),
    "block_diag": (lambda s: s.linalg.block_diag, (SQUARE, LINE, SIDES)),
    "toeplitz": (lambda s: s.linalg.toeplitz, (LINE,)),
    "toeplitz of two": (lambda s: s.linalg.toeplitz, (LINE, OTHER)),
    "CubicSpline": (
        lambda s: lambda x, y: s.interpolate.CubicSpline(KNOTS, y)(x),
        (PROBABILITIES * 4.9, CURVES[0]),
    ),
    "CubicSpline's slope": (
        lambda s: lambda x, y: s.interpolate.CubicSpline(KNOTS, y, axis=1, bc_type="natural")(x, 1),
        (PROBABILITIES * 4.9, CURVES),
    ),
    "CubicSpline's places": (
        lambda s: lambda x, y, t: s.interpolate.CubicSpline(t, y)(x),
        (PROBABILITIES * 4.9, CURVES[0], KNOTS + 0.1 * CURVES[1]),
    ),
    "CubicSpline of few places": (
        lambda s: lambda x, y, t: s.interpolate.CubicSpline(t, y)(x, 1),
        (PROBABILITIES, CURVES[0, :3], KNOTS[:3] + 0.1 * CURVES[1, :3]),
    ),
    "CubicSpline, clamped": (
        lambda s: lambda x, y, t: s.interpolate.CubicSpline(t, y, 1, "clamped")(x),
        (PROBABILITIES, CURVES, KNOTS + 0.1 * CURVES[1]),
    ),
    "CubicSpline, periodic": (
        lambda s: lambda x, y, t: s.interpolate.CubicSpline(t, closed(y), bc_type="periodic")(x, 1),
        (PROBABILITIES * 9.0 - 2.0, CURVES[0, :5], KNOTS + 0.1 * CURVES[1]),
    ),
    "multigammaln": (lambda s: lambda a: s.special.multigammaln(a, 3), (3.3,)),
    "polygamma": (lambda s: lambda a: s.special.polygamma(2, a), (3.3,)),
    "softplus": (lambda s: lambda a: s.special.softplus(a), (LINE,)),
}
for axis in (None, 0, (0, 1)):
    over = {"axis": axis}
    CALLS[f"logsumexp {axis}"] = (lambda s, o=over: lambda a: s.special.logsumexp(a, **o), (TABLE,))
    CALLS[f"logsumexp {axis} with b"] = (
        lambda s, o=over: lambda a, b: s.special.logsumexp(a, b=b, keepdims=True, **o),
        (TABLE, abs(TABLE)),
    )
    CALLS[f"softmax {axis}"] = (lambda s, o=over: lambda a: s.special.softmax(a, **o), (TABLE,))
    CALLS[f"log_softmax {axis}"] = (lambda s, o=over: lambda a: s.special.log_softmax(a, **o), (TABLE,))
for kind in np.ndindex(2, 2, 2):
    CALLS[f"solve_triangular {kind}"] = (
        lambda s, k=kind: lambda a, b: s.linalg.solve_triangular(a, b, *map(bool, k)),
        (UPPER.T if kind[1] else UPPER, SIDES),
    )
for mode in ("full", "same", "valid"):
    CALLS[f"convolve {mode}"] = (
        lambda s, m=mode: lambda a, b: s.signal.convolve(a, b, m),
        (rng.normal(size=(4, 3)), rng.normal(size=(2, 3))),
    )


class Ours:
    integrate, interpolate, linalg, signal, special, stats = (
        integrate, interpolate, linalg, signal, special, stats,
    )  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_it_is_scipys_and_its_derivatives_are_those_of_finite_differences(name):
    call, arguments = CALLS[name]
    if name == "softplus" and not hasattr(scipy.special, "softplus"):
        pytest.skip("this SciPy has no softplus")
    wanted = call(scipy)(*arguments)
    got = call(Ours)(*map(Value, arguments))
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-10, atol=1e-12)
    assert got.shape == np.shape(wanted)
    np.testing.assert_allclose(call(Ours)(*arguments), wanted, rtol=1e-12)  # of plain numbers
    finite = lambda *a: np.where(np.isfinite(wanted), call(Ours)(*a), 0.0)
    gradcheck(finite, *arguments)
    weights = np.cos(np.arange(np.size(wanted))).reshape(np.shape(wanted))
    slopes = grad(lambda *a: np.sum(finite(*a) * weights), argnums=tuple(range(len(arguments))))
    ways = [np.cos(1 + np.arange(np.size(a)).reshape(np.shape(a))) for a in arguments]
    gradcheck(lambda t: list(slopes(*(a + t * way for a, way in zip(arguments, ways)))), 0.0)


def test_float32_stays_float32():
    x = Value(LINE.astype("f4"))
    p = Value(np.array([0.25], "f4"))
    results = [
        stats.norm.logpdf(x, 0.5, 2.0), stats.norm.cdf(x), stats.t.pdf(x, 3.0), stats.gamma.logpdf(x, 2.0),
        stats.beta.logpdf(x, 2.0, 2.0), stats.poisson.logpmf([1, 2], p), stats.binom.logpmf([1, 2], 3, p),
        stats.multivariate_normal.logpdf(x), special.softmax(x), special.logsumexp(x),
        linalg.expm(Value(SQUARE.astype("f4"))), linalg.toeplitz(x), signal.convolve(x, LINE.astype("f4")),
    ]  # fmt: skip
    assert {out.dtype for out in results} == {np.dtype("f4")}
    assert type(stats.norm.logpdf(Value(0.5)).data) is float


def test_outside_its_support_a_density_has_no_slope():
    for density, outside in ((stats.gamma, (-1.0, 2.0)), (stats.beta, (1.5, 2.0, 2.0))):
        v = Value(outside[0])
        out = density.pdf(v, *outside[1:])
        out.backward()
        assert (out.data, v.grad) == (0.0, 0.0)


# Differential equations
TIMES = np.linspace(0.0, 2.0, 4)


def swing(t, y, a, b):
    return [y[1], -a * y[0] - b[0] * y[1] ** 3 + np.sin(t)]


SOLVERS = {
    "odeint": lambda s, y0, a, b: s.odeint(
        swing, y0, TIMES, args=(a, b), tfirst=True, rtol=1e-10, atol=1e-10
    ),
    "solve_ivp": lambda s, y0, a, b: (
        s.solve_ivp(swing, (0.0, 2.0), y0, t_eval=TIMES[1:], args=(a, b), rtol=1e-9, atol=1e-9).y
    ),
    "solve_ivp at its own steps": lambda s, y0, a, b: (
        s.solve_ivp(swing, (0.0, 2.0), y0, "RK23", args=(a, b), max_step=0.5, rtol=1e-3).y
    ),
}
ARGUMENTS = (np.array([1.0, 0.2]), 1.3, np.array([0.4]))


@pytest.mark.parametrize("name", SOLVERS)
def test_paths_and_their_gradients(name):
    solver = SOLVERS[name]
    got = solver(integrate, *map(Value, ARGUMENTS))
    wanted = solver(scipy.integrate, *ARGUMENTS)
    loose = name.endswith("steps")
    np.testing.assert_allclose(got.numpy(), wanted, atol=1e-2 if loose else 1e-7)
    if not loose:
        gradcheck(lambda *a: solver(integrate, *a), *ARGUMENTS, eps=1e-5, rtol=1e-4, atol=1e-5)


def test_the_adjoint_equation_has_derivatives_itself():
    """y = exp(-a t), so d²/da² of y(1)² is 4 exp(-2a)."""
    end = lambda a: integrate.odeint(lambda y, t, a: -a * y, [1.0], [0.0, 1.0], args=(a,))[-1, 0] ** 2
    assert hessian(end)(0.7) == pytest.approx(4 * np.exp(-1.4), rel=1e-5)


def test_what_cannot_be_followed_is_refused():
    hidden = Value(0.5)
    with pytest.raises(TypeError, match=r"uses a Value that is none of its arguments: hand it over in args="):
        integrate.odeint(lambda y, t: -hidden * y, [1.0], [0.0, 1.0])
    with pytest.raises(TypeError, match=r"bc_type 'open' is not known here"):
        interpolate.CubicSpline(KNOTS, KNOTS, bc_type="open")
    for match, given in (("6 heights", (KNOTS[:4], KNOTS)), ("must increase", (-KNOTS, KNOTS))):
        with pytest.raises(ValueError, match=match):
            interpolate.CubicSpline(*map(Value, given))
    with pytest.raises(ValueError, match="first and the last height"):
        interpolate.CubicSpline(KNOTS, Value(KNOTS), bc_type="periodic")
    with warnings.catch_warnings(), pytest.raises(ValueError, match="logm of this matrix is complex"):
        warnings.simplefilter("ignore")
        linalg.logm(Value(-np.eye(2)))
