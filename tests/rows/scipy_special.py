"""Cases of SciPy's special functions; without SciPy they are left out."""

import math

import numpy as np

from rows.registry import Call, apart, binary, broadcastable, case, numbers, st, unary

try:
    from tinygrad_course.derivatives.scipy_distributions import sp
    from tinygrad_course.derivatives.scipy_special import exprel_slope, polygamma, zeta
except ImportError:
    sp = None


@st.composite
def ordered(draw, order, count=1, **domain):
    """Calls whose first arguments are plain numbers, and whose last is drawn from `domain`."""
    return Call((*(draw(order) for _ in range(count)), draw(numbers(**domain))))


def special_functions():
    """The cases; `edges=0` where PyTorch is not right at an edge, or SciPy goes on for ever.

    PyTorch's trigamma is right to nine digits only: see tests/derivatives/test_scipy_special.py.
    """
    # The logistic function, exponentials and logarithms
    case(sp.expit, unary(), torch="special.expit")
    case(sp.logit, unary(low=0.125, high=0.875), torch="special.logit", edges=0)
    case(sp.log_expit, unary(), torch="nn.functional.logsigmoid")
    case(sp.exp2, unary(), torch="special.exp2")
    case(sp.exp10, unary())
    case(sp.expm1, unary(), torch="special.expm1")
    case(sp.log1p, unary(low=-0.75), torch="log1p")
    case(sp.cosm1, unary())
    case(sp.exprel, unary())
    case(exprel_slope, first_orders(), reference=slow_exprel_slope, view=lambda out: out + 1)
    case(sp.boxcox, binary(first={"low": 0.25}))

    # Entropy
    case(sp.xlogy, binary(second={"low": 0.25}), torch="special.xlogy")
    case(sp.xlog1py, binary(second={"low": -0.75}), torch="special.xlog1py")
    case(sp.entr, unary(low=0.25), torch="special.entr")
    case(sp.rel_entr, binary(low=0.25))
    case(sp.kl_div, binary(low=0.25))

    # The error function and the normal distribution
    case(sp.erf, unary(), torch="special.erf")
    case(sp.erfc, unary(), torch="special.erfc")
    case(sp.erfcx, unary(), torch="special.erfcx", edges=0)
    case(sp.erfinv, unary(low=-0.75, high=0.75), torch="special.erfinv")
    case(sp.erfcinv, unary(low=0.25, high=1.75))
    case(sp.ndtr, unary(), torch="special.ndtr")
    case(sp.ndtri, unary(low=0.125, high=0.875), torch="special.ndtri")
    case(sp.log_ndtr, unary(), torch="special.log_ndtr", edges=0)
    case(sp.owens_t, binary())

    # Gamma, beta, zeta
    case(sp.gamma, unary(low=0.25, high=4))
    case(sp.gammaln, unary(low=0.25, high=4))
    case(sp.loggamma, unary(low=0.25, high=4))
    case(sp.psi, unary(low=0.25, high=4))
    case(
        polygamma,
        ordered(st.integers(0, 3), low=0.5, high=4),
        reference=lambda n, x: np.asarray(sp.polygamma(n, x)).astype(np.asarray(x).dtype)[()],
    )
    case(zeta, ordered(st.sampled_from([1.5, 2.0, 4.0]), low=0.5, high=4), edges=0)
    case(sp.beta, binary(low=0.25, high=4))
    case(sp.betaln, binary(low=0.25, high=4))
    shape = st.sampled_from([0.5, 1.0, 2.5])
    case(sp.gammainc, ordered(shape, low=0.25, high=4), edges=0)
    case(sp.gammaincc, ordered(shape, low=0.25, high=4), edges=0)
    case(sp.betainc, ordered(shape, 2, low=0.125, high=0.875), edges=0)

    # Bessel functions
    order = st.sampled_from([0.0, 0.5, 1.0, 2.0])
    case(sp.j0, unary())
    case(sp.j1, unary())
    case(sp.jv, ordered(order, low=0.25), edges=0)
    case(sp.y0, unary(low=0.5))
    case(sp.y1, unary(low=0.5))
    case(sp.yn, ordered(st.integers(0, 3), low=0.5), edges=0)
    case(sp.yv, ordered(order, low=0.5), edges=0)
    case(sp.i0, unary(), torch="special.i0")
    case(sp.i1, unary(), torch="special.i1", edges=0)
    case(sp.iv, ordered(order, low=0.25), edges=0)
    case(sp.k0, unary(low=0.5))
    case(sp.k1, unary(low=0.5))
    case(sp.kn, ordered(st.integers(0, 3), low=0.5), edges=0)
    case(sp.kv, ordered(order, low=0.5), edges=0)
    case(sp.i0e, unary(avoid=[0]), torch="special.i0e")
    case(sp.i1e, unary(avoid=[0]), torch="special.i1e", edges=0)
    case(sp.ive, ordered(order, low=0.25), edges=0)
    case(sp.k0e, unary(low=0.5))
    case(sp.k1e, unary(low=0.5))
    case(sp.kve, ordered(order, low=0.5), edges=0)

    # Exponential integrals, the confluent hypergeometric function
    case(sp.expi, unary(avoid=[0]))
    case(sp.exp1, unary(low=0.25))
    case(sp.hyp1f1, ordered(shape, 2), edges=0)

    # Losses, away from where the second derivative jumps
    case(sp.huber, loss_arguments())
    case(sp.pseudo_huber, binary(first={"low": 0.25}))


def distributions():
    """The cases of scipy_distributions.py."""
    for function in (sp.sindg, sp.cosdg, sp.dawsn, sp.erfi):
        case(function, unary())
    case(sp.tandg, unary(low=-60, high=60))
    case(sp.cotdg, unary(low=30, high=120))
    case(sp.radian, angles())
    case(sp.cbrt, unary(low=0.25))
    case(sp.spence, unary(low=0.25, high=0.875))
    case(sp.boxcox1p, binary(first={"low": -0.75}))
    case(sp.inv_boxcox, binary(low=0.125, high=2))
    case(sp.inv_boxcox1p, binary(low=0.125, high=2))

    case(sp.rgamma, unary(low=0.25, high=4))
    case(sp.binom, binary(first={"low": 2.25, "high": 6}, second={"low": 0.125, "high": 1.875}), edges=0)
    case(sp.poch, binary(low=0.25, high=4), edges=0)
    case(sp.expn, ordered(st.integers(0, 4), low=0.5, high=4), edges=0)
    shape = st.sampled_from([0.5, 1.0, 2.5])
    case(sp.hyp0f1, ordered(shape, low=0.25, high=4), edges=0)
    case(sp.hyperu, ordered(shape, 2, low=0.5, high=4), edges=0)
    for function in (sp.ellipk, sp.ellipe, sp.ellipkm1):
        case(function, unary(low=0.25, high=0.75))
    for function in (sp.ellipkinc, sp.ellipeinc):
        case(function, binary(second={"low": 0.25, "high": 0.75}), edges=0)

    case(sp.pdtr, ordered(st.sampled_from([0.0, 1.0, 3.0]), low=0.25, high=4), edges=0)
    case(sp.pdtrc, ordered(st.sampled_from([0.0, 1.0, 3.0]), low=0.25, high=4), edges=0)
    for function in (sp.chdtr, sp.chdtrc, sp.stdtr):
        case(function, ordered(shape, low=0.25, high=4), edges=0)
    for function in (sp.gdtr, sp.gdtrc):
        case(function, rates(), edges=0)
    for function in (sp.fdtr, sp.fdtrc):
        case(function, ordered(shape, 2, low=0.25, high=4), edges=0)
    case(sp.betaincc, ordered(shape, 2, low=0.125, high=0.875), edges=0)
    for function in (sp.gammaincinv, sp.gammainccinv, sp.chdtri, sp.stdtrit):
        case(function, ordered(shape, low=0.25, high=0.75), edges=0)
    for function in (sp.betaincinv, sp.betainccinv, sp.fdtri):
        case(function, ordered(st.sampled_from([1.0, 2.5]), 2, low=0.25, high=0.75), edges=0)
    case(sp.ndtri_exp, unary(low=-4, high=-0.25))


@st.composite
def angles(draw):
    return Call(tuple(draw(numbers(shape)) for shape in draw(broadcastable(3))))


@st.composite
def rates(draw):
    """Calls whose second argument is a plain number."""
    first, second = draw(broadcastable(2))
    shape = draw(st.sampled_from([0.5, 2.5]))
    return Call((draw(numbers(first, low=0.25, high=2)), shape, draw(numbers(second, low=0.25, high=2))))


@st.composite
def first_orders(draw):
    return Call((draw(numbers()), draw(st.integers(0, 3))))


def slow_exprel_slope(x, n):
    """The power series of ∫ tⁿ exp(x t) dt from 0 to 1."""
    terms = [np.power(x, k) / (math.factorial(k) * (n + k + 1)) for k in range(30)]
    return np.asarray(sum(terms), np.asarray(x).dtype)[()]


@st.composite
def loss_arguments(draw):
    first, second = draw(broadcastable(2))
    delta, r = draw(numbers(first, low=0.25)), draw(numbers(second))
    return Call((apart(delta, 0), apart(r, 1)))


if sp is not None:
    special_functions()
    distributions()
