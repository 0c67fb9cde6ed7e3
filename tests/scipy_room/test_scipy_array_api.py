"""SciPy's functions that support the array API, called with Values where SCIPY_ARRAY_API=1 is set.

A line a function: it records and has the right gradient, or it refuses with a TypeError, or its result has no
slope.  Here are those of special, stats, integrate, linalg, constants and optimize in SciPy 1.17, but not
those that take functions (cubature, nsum, qmc_quad, tanhsinh, bootstrap, ks_1samp, cramervonmises, power and
the tests by permutation); the others are in test_scipy_array_api_arrays.py.  The switch is read when SciPy
is imported, so the calls run in a new Python.
"""

import importlib
import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from tinygrad_course import Value
from tinygrad_course.testing import gradcheck

X = np.array([0.3, 0.7, 0.45, 0.6, 0.2, 0.9, 0.55, 0.8])
Y = np.array([0.5, 0.25, 0.8, 0.35, 0.65, 0.15, 0.75, 0.4])
Z = Y[::-1].copy()
MATRIX = np.outer(X, Y) + np.eye(8)

# What is differentiated, and the call
one = ((X,), lambda f, a: f(a))
two = ((X, Y), lambda f, a, b: f(a, b))
three = ((X, Y, Z), lambda f, a, b, c: f(a, b, c))
four = ((X, Y, Z, X), lambda f, a, b, c, d: f(a, b, c, d))
five = ((np.array([0.3, 0.72, 0.45, 0.61, 0.2]),), lambda f, a: f(a))
order_first = ((X,), lambda f, a: f(1, a))
order_last = ((X,), lambda f, a: f(a, 1))
half_last = ((X,), lambda f, a: f(a, 0.5))
matrix = ((MATRIX,), lambda f, a: f(a))
matrices = ((X.reshape(4, 2), Y.reshape(4, 2)), lambda f, a, b: f(a, b))
two_orders = ((X[:3],), lambda f, a: f(2, 1, a))
large_and_three = ((X + 4,), lambda f, a: f(a, 3))
limits = ((X,), lambda f, a: f(a, [0.2, 0.9]))
spread = ((X,), lambda f, a: f(8, a[0]))
degrees = ((X,), lambda f, a: f(a, "Celsius", "Kelvin"))
statistics = ((X, Y, Z), lambda f, a, b, c: f(a, b, 8, c, b, 8))
counts = ((X,), lambda f, a: f(2.0, 5, a))

RECORDS = {
    "constants.convert_temperature": degrees,
    "constants.lambda2nu": one,
    "constants.nu2lambda": one,
    "integrate.cumulative_simpson": one,
    "integrate.cumulative_trapezoid": one,
    "integrate.romb": five,
    "integrate.trapezoid": one,
    "linalg.block_diag": one,
    "linalg.fiedler": one,
    "linalg.orthogonal_procrustes": matrices,
    "optimize.rosen": one,
    "optimize.rosen_der": one,
    "optimize.rosen_hess": one,
    "optimize.rosen_hess_prod": two,
    "special.betaln": two,
    "special.binom": two,
    "special.boxcox": two,
    "special.boxcox1p": two,
    "special.cbrt": one,
    "special.cosdg": one,
    "special.cosm1": one,
    "special.cotdg": one,
    "special.digamma": one,
    "special.ellipk": one,
    "special.ellipkm1": one,
    "special.entr": one,
    "special.erf": one,
    "special.erfc": one,
    "special.erfcx": one,
    "special.erfinv": one,
    "special.exp1": one,
    "special.exp10": one,
    "special.exp2": one,
    "special.expi": one,
    "special.expit": one,
    "special.exprel": one,
    "special.gamma": one,
    "special.gammaln": one,
    "special.huber": two,
    "special.i0": one,
    "special.i0e": one,
    "special.i1": one,
    "special.i1e": one,
    "special.inv_boxcox": two,
    "special.inv_boxcox1p": two,
    "special.j0": one,
    "special.j1": one,
    "special.k0": one,
    "special.k0e": one,
    "special.k1": one,
    "special.k1e": one,
    "special.kl_div": two,
    "special.log_ndtr": one,
    "special.log_softmax": one,
    "special.loggamma": one,
    "special.logit": one,
    "special.logsumexp": one,
    "special.multigammaln": order_last,
    "special.ndtr": one,
    "special.ndtri": one,
    "special.poch": two,
    "special.polygamma": order_first,
    "special.pseudo_huber": two,
    "special.radian": three,
    "special.rel_entr": two,
    "special.rgamma": one,
    "special.sinc": one,
    "special.sindg": one,
    "special.softmax": one,
    "special.spence": one,
    "special.tandg": one,
    "special.xlog1py": two,
    "special.xlogy": two,
    "special.y0": one,
    "special.y1": one,
    "stats.bartlett": two,
    "stats.chisquare": one,
    "stats.circmean": one,
    "stats.circstd": one,
    "stats.circvar": one,
    "stats.combine_pvalues": one,
    "stats.describe": one,
    "stats.differential_entropy": one,
    "stats.directional_stats": matrix,
    "stats.entropy": one,
    "stats.f_oneway": two,
    "stats.gmean": one,
    "stats.gzscore": one,
    "stats.hmean": one,
    "stats.iqr": one,
    "stats.jarque_bera": one,
    "stats.kstat": one,
    "stats.kstatvar": one,
    "stats.kurtosis": one,
    "stats.kurtosistest": one,
    "stats.levene": two,
    "stats.median_abs_deviation": five,
    "stats.normaltest": one,
    "stats.pmean": order_last,
    "stats.power_divergence": one,
    "stats.quantile": two,
    "stats.sem": one,
    "stats.sigmaclip": one,
    "stats.skew": one,
    "stats.skewtest": one,
    "stats.tmax": one,
    "stats.tmin": one,
    "stats.ttest_1samp": order_last,
    "stats.ttest_ind": two,
    "stats.ttest_ind_from_stats": statistics,
    "stats.ttest_rel": two,
    "stats.zmap": two,
    "stats.zscore": one,
}

# Compiled inside, or the parameter has no known derivative; the other lines say so themselves
REFUSES = {
    "special.bdtr": three,
    "special.bdtrc": three,
    "special.bdtri": counts,
    "special.betainc": three,
    "special.betaincc": three,
    "special.betaincinv": three,
    "special.chdtr": two,
    "special.chdtrc": two,
    "special.chdtri": two,
    "special.expn": two,
    "special.fdtr": three,
    "special.fdtrc": three,
    "special.fdtri": three,
    "special.gammainc": two,
    "special.gammaincc": two,
    "special.gammainccinv": two,
    "special.gammaincinv": two,
    "special.gammasgn": one,
    "special.gdtr": three,
    "special.gdtrc": three,
    "special.hyp1f1": three,
    "special.lpmv": two_orders,
    "special.nbdtr": two_orders,
    "special.nbdtrc": two_orders,
    "special.nbdtri": two_orders,
    "special.pdtr": two,
    "special.pdtrc": two,
    "special.pdtri": two,
    "special.stdtr": two,
    "special.stdtrit": two,
    "special.yn": two,
    "special.zeta": one,
    "special.zetac": one,
    "stats.alexandergovern": two,
    "stats.boxcox_llf": order_first,
    "stats.cramervonmises_2samp": two,
    "stats.epps_singleton_2samp": two,
    "stats.false_discovery_control": one,
    "stats.gstd": one,
    "stats.lmoment": one,
    "stats.mode": one,
    "stats.pearsonr": two,
    "stats.spearmanrho": two,
    "stats.tmean": one,
    "stats.trim_mean": spread,
    "stats.tsem": one,
    "stats.tstd": one,
    "stats.tvar": one,
    "stats.variation": one,
    "stats.wilcoxon": one,
    "stats.yeojohnson_llf": order_first,
}

# Ranks, counts and moments about the mean of order 1
PLAIN = {
    "stats.ansari": two,
    "stats.chatterjeexi": two,
    "stats.brunnermunzel": two,
    "stats.fligner": two,
    "stats.friedmanchisquare": three,
    "stats.kruskal": two,
    "stats.mannwhitneyu": two,
    "stats.moment": one,
    "stats.mood": two,
    "stats.rankdata": one,
}


def parts(result):
    """Everything in a result, one after the other."""
    if isinstance(result, (tuple, list)):
        return [part for item in result for part in parts(item)]
    if hasattr(result, "__dict__") and not isinstance(result, (np.ndarray, np.generic)):
        return [part for item in vars(result).values() for part in parts(item)]
    return [result]


def outcome(function, arguments, call):
    """What becomes of a call with Values: "records", "plain", or the error."""
    recorded = lambda *values: [
        p for p in parts(call(function, *values)) if isinstance(p, Value) and p.requires_grad
    ]
    try:
        found = recorded(*map(Value, arguments))
    except TypeError as error:
        return f"refuses: {error}"
    if not found:
        return "plain"
    wanted = [np.asarray(p) for p in parts(call(function, *(a.copy() for a in arguments)))]
    for v in found:
        close = [
            np.allclose(v.data, w, rtol=1e-9) for w in wanted if w.shape == v.shape and w.dtype.kind == "f"
        ]
        assert any(close), f"{v} is none of {wanted}"
    try:
        gradcheck(recorded, *arguments)
    except RuntimeError as error:  # what it wrote into was used before
        return f"refuses: {error}"
    return "records"


def all_outcomes(lines):
    found = {}
    for name, (arguments, call) in lines.items():
        module, _, called = name.rpartition(".")
        function = getattr(importlib.import_module(f"scipy.{module}"), called, None)
        if function is not None:
            try:
                found[name] = outcome(function, arguments, call)
            except Exception as error:
                found[name] = f"{type(error).__name__}: {error}"
    return found


def in_new_python(file):
    """The outcomes that a file of lines prints where the switch is set."""
    scipy = pytest.importorskip("scipy")
    if tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 17):
        pytest.skip("the lines are those of SciPy 1.17")
    done = subprocess.run(
        [sys.executable, file],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def outcomes():
    return in_new_python(__file__)


@pytest.mark.parametrize("name", RECORDS)
def test_it_records_and_is_right(outcomes, name):
    assert outcomes.get(name, "records") == "records"


@pytest.mark.parametrize("name", REFUSES)
def test_it_refuses_and_says_so(outcomes, name):
    """Or a later SciPy lets it record."""
    said = outcomes.get(name, "records")
    assert said == "records" or said.startswith("refuses: ")


@pytest.mark.parametrize("name", PLAIN)
def test_its_result_has_no_slope(outcomes, name):
    assert outcomes.get(name, "plain") == "plain"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(all_outcomes({**RECORDS, **REFUSES, **PLAIN})))
