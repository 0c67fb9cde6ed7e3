"""What SciPy's special functions do with Values beyond what every row is checked for."""

import importlib
import subprocess
import sys

import numpy as np
import pytest

from tinygrad_course import Value, compile, derivative, grad

sp = pytest.importorskip("scipy.special")
from tinygrad_course.derivatives import TABLE, scipy_special  # noqa: E402 (needs SciPy)

INF, NAN = np.inf, np.nan


def fresh(code):
    """What a program says that starts anew."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_scipy_is_loaded_by_who_uses_it():
    assert fresh("import sys, tinygrad_course; print('scipy' in sys.modules)") == "False\n"


def test_the_rows_come_with_the_first_value_and_leave_others_alone():
    code = """
import scipy.special as sp
from tinygrad_course import Value, derivative
from tinygrad_course.derivatives import TABLE
derivative(sp.erf, lambda g, out, x: g * 100.0)
print(sp.expit in TABLE)
for function in (sp.expit, sp.erf):
    x = Value(0.0)
    function(x).backward()
    print(x.grad)
"""
    assert fresh(code) == "False\n0.25\n100.0\n"


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda v: sp.gammainc(v, 2.0), "gammainc"),
        (lambda v: sp.betainc(2.0, v, 0.5), "betainc"),
        (lambda v: sp.jv(v, 2.0), "jv"),
        (lambda v: sp.kv(v, np.array([1.0, 2.0])), "kv"),
        (lambda v: sp.hyp1f1(v, 2.0, 1.0), "hyp1f1"),
        (lambda v: sp.zeta(v, 2.0), "zeta"),
        (lambda v: scipy_special.polygamma(v, 2.0), "polygamma"),
    ],
)
def test_what_has_no_known_derivative_is_refused_by_name(call, name):
    with pytest.raises(TypeError, match=rf"{name}\(.*no rule for argument [01]; give a plain array"):
        call(Value(1.5))
    call(Value(1.5, requires_grad=False))  # for which no gradient is wanted


def test_a_function_without_a_row_is_named_as_it_is_called():
    with pytest.raises(
        TypeError,
        match=r"scipy\.special\.voigt_profile cannot .* derivative\(scipy\.special\.voigt_profile, .*x, y, z",
    ):
        sp.voigt_profile(Value(1.0), 1.0, 1.0)
    laguerre = sp.eval_genlaguerre
    derivative(laguerre, None, None, lambda g, out, n, a, x: -g * laguerre(n - 1, a + 1, x))
    try:
        v = Value(1.5)
        laguerre(2.0, 1.0, v).backward()  # of x² / 2 - 3 x + 3
        assert v.grad == pytest.approx(-1.5)
    finally:
        del TABLE[laguerre]


EDGES = {  # points, slopes there, second derivatives there; from the limits of the functions themselves
    "expit": ([800.0, -800.0, INF], [0, 0, 0], [0, 0, 0]),
    "logit": ([0.0, 1.0, -0.5, 2.0], [INF, INF, NAN, NAN], [NAN, NAN, NAN, NAN]),
    "log_expit": ([-800.0, 800.0], [1, 0], [0, 0]),
    "exprel": ([0.0, -1e300, 800.0, 1e300], [1 / 2, 0, INF, INF], [1 / 3, 0, INF, INF]),
    "entr": ([0.0], [INF], [-INF]),
    "erfcx": (
        [1e4, 1e8, INF],
        [-5.6418957510e-9, -5.6418958355e-17, 0],
        [1.128379150e-12, 1.1283791671e-24, NAN],
    ),
    "erfinv": ([1.0, 1.5], [INF, NAN], [INF, NAN]),
    "log_ndtr": ([-1e10, -40.0, 40.0, 800.0], [1e10, 40.02496880, 0, 0], [-1, -0.99937694, 0, 0]),
    "gammaln": ([0.0, -1.0], [-INF, NAN], [INF, INF]),
    "loggamma": ([-0.5], [NAN], [NAN]),
    "i0": ([0.0, 1e300], [0, INF], [0.5, INF]),
    "i1": ([0.0, 800.0, 1e300], [0.5, INF, INF], [0, INF, NAN]),
    "i1e": ([0.0, 1e9, 1e300, INF], [0.5, -6.307831e-15, 0, 0], [0, 0, 0, 0]),
    "k0": ([0.0, INF], [-INF, 0], [INF, 0]),
    "k1": ([0.0, INF], [-INF, 0], [INF, 0]),
    "y0": ([0.0, -1.0], [INF, NAN], [NAN, NAN]),
    "exp1": ([0.0, -1.0], [-INF, NAN], [INF, NAN]),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", EDGES)
def test_at_the_edges_the_derivative_is_right_or_nan(name):
    points, *orders = EDGES[name]
    function = lambda x: np.sum(getattr(sp, name)(x))
    for expected in orders:
        function = (lambda f: lambda x: np.sum(grad(f)(x)))(function)
        found = [float(function(np.array([point]))) for point in points]
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-17)


def test_two_arguments_at_their_edges():
    slopes = lambda f, *xs: [float(g) for g in grad(f, argnums=(0, 1))(*xs)]
    assert slopes(sp.xlogy, 0.0, 2.0) == [np.log(2.0), 0.0]
    assert slopes(sp.xlogy, 0.0, 0.0)[0] == 0.0
    assert slopes(sp.boxcox, 2.0, 0.0) == pytest.approx([0.5, np.log(2.0) ** 2 / 2], rel=1e-14)
    assert slopes(sp.boxcox, 2.0, 1e-12) == pytest.approx([0.5, np.log(2.0) ** 2 / 2], rel=1e-10)
    assert slopes(sp.pseudo_huber, 1.0, 1e-6) == pytest.approx([2.5e-25, 1e-6], rel=1e-10)
    assert grad(lambda x: sp.gammainc(1.0, x))(0.0) == 1.0
    assert grad(lambda x: sp.betainc(1.0, 1.0, x))(0.0) == 1.0
    assert np.isnan(grad(lambda x: sp.gammainc(1.0, x))(-1.0))


def test_compiled_and_in_float32():
    x = np.linspace(0.5, 3.0, 5)
    f = lambda v: np.sum(sp.erf(v) * sp.gammaln(v) + sp.iv(1, v))
    v, w = Value(x), Value(x)
    f(v).backward()
    program = compile(f)
    program(w).backward()
    np.testing.assert_allclose(w.grad, v.grad, rtol=1e-14)
    assert "import scipy.special" in program.source
    scope = {}
    exec(program.source, scope)  # it runs on its own
    np.testing.assert_allclose(scope["function"](x)[1]["v"], v.grad, rtol=1e-14)
    low = Value(x.astype(np.float32))
    out = f(low)
    out.backward()
    assert (out.dtype, low.grad.dtype) == (np.float32, np.float32)
    np.testing.assert_allclose(low.grad, v.grad, rtol=1e-5)


def test_the_gamma_functions_beside_pytorchs():
    torch = pytest.importorskip("torch")
    x = np.linspace(0.25, 5.0, 20)
    for name, theirs in (("gammaln", "gammaln"), ("psi", "digamma")):
        v, t = Value(x), torch.tensor(x, requires_grad=True)
        getattr(sp, name)(v).sum().backward()
        getattr(torch.special, theirs)(t).sum().backward()
        np.testing.assert_allclose(v.grad, t.grad.numpy(), rtol=1e-8)


@pytest.mark.parametrize(
    ("module", "call", "said"),
    [
        (
            "special",
            lambda s, v: s.logsumexp(v),
            "scipy.special.logsumexp takes .*course.scipy.special.logsumexp records",
        ),
        (
            "special",
            lambda s, v: s.polygamma(1, v),
            "course.scipy.special.polygamma records, and takes the same",
        ),
        (
            "stats",
            lambda s, v: s.norm.logpdf(v),
            "scipy.stats.norm.logpdf takes .*course.scipy.stats.norm.logpdf records",
        ),
        (
            "stats",
            lambda s, v: s.multivariate_normal.logpdf(v),
            "course.scipy.stats.multivariate_normal.logpdf rec",
        ),
        (
            "interpolate",
            lambda s, v: s.CubicSpline([0, 1, 2], v),
            "course.scipy.interpolate.CubicSpline records",
        ),
        (
            "linalg",
            lambda s, v: s.svd(v),
            r"scipy.linalg.svd takes .*; f = derivative\(scipy.linalg.svd, .* call f",
        ),
        ("stats", lambda s, v: s.skew(v), "scipy.stats.skew takes .*SCIPY_ARRAY_API=1 .*v.numpy"),
    ],
)
def test_scipys_function_that_takes_the_numbers_out_is_named(module, call, said):
    with pytest.raises(TypeError, match=said):
        call(importlib.import_module(f"scipy.{module}"), Value([1.0, 2.0, 4.0]))


def test_ones_own_code_is_not_taken_for_a_library():
    with pytest.raises(TypeError, match=r"does not turn into a plain array by itself.*write v\.numpy\(\)"):
        np.asarray(Value([1.0]))


UFUNCS = [name for name in dir(sp) if isinstance(getattr(sp, name), np.ufunc)]


@pytest.mark.parametrize("name", UFUNCS)
def test_each_ufunc_of_scipy_has_a_row_or_is_refused_by_name(name):
    ufunc = getattr(sp, name)
    if ufunc in TABLE:
        return
    with pytest.raises(TypeError, match=rf"{name} .*v\.numpy\(\)"):
        ufunc(*[Value(0.5)] * ufunc.nin)
