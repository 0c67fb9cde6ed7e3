"""Every row of the table, with generated calls: result, derivatives, dtypes, floats, constants, PyTorch.

The calls come from the folder rows/, one case a row; its docstring says how to add one.
"""

import inspect
import itertools
import math
import warnings

import numpy as np
import pytest
import rows  # noqa: F401 (fills CASES)
from hypothesis import assume, given
from hypothesis import strategies as st
from rows.calling import (
    backward,
    differentiable,
    expected,
    largest,
    leaves,
    parts,
    replaced,
    run,
    same,
    weights,
)
from rows.registry import CASES, ROWS, Call, fixed, name_of, torch

from tinygrad_course import Value
from tinygrad_course.derivatives import neural, result_at
from tinygrad_course.testing.gradcheck import gradcheck, gradgradcheck

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 800.0, -800.0, 1e-300, 1e300, math.inf, -math.inf, math.nan]


def is_of_the_scipy_room(row):
    """Whether a row was made in the room of SciPy's names, which has a table of calls in tests/scipy_room."""
    written = (row.composition, row.rule_for_all, *row.rules, row.function)
    return any(
        (getattr(part, "__module__", "") or "").startswith("tinygrad_course.scipy") for part in written
    )


def test_every_row_has_a_case():
    told = {case.function for case in CASES}
    told |= {result_at}  # each operation with several results is picked from
    told |= {f for f, row in ROWS.items() if row.nondifferentiable or is_of_the_scipy_room(row)}
    missing = sorted(name_of(f) for f in ROWS if f not in told)
    assert not missing, f"no case in tests/rows for: {', '.join(missing)}"


def slice_through(f, *xs):
    """`f` along three random directions from `xs`, summed up: the whole Hessian would take long."""
    rng = np.random.default_rng(1)
    ways = [rng.uniform(0.5, 1.5, (3, *x.shape)) for x in xs]

    def along(t):
        outs = f(*(x + t[0] * a + t[1] * b + t[2] * c for x, (a, b, c) in zip(xs, ways)))
        return (
            sum(np.sum(o * weights(o.data, k)) for k, o in enumerate(outs) if isinstance(o, Value)) + t[0] * 0
        )

    return along


@each_case
@given(data=st.data())
def test_forward(case, data):
    """The result is NumPy's: values, shape, dtype, containers; nothing that came in is changed."""
    call = data.draw(case.calls)
    places = differentiable(case.row, call.args)
    assume(places)
    before = [np.array(x) for _, x in leaves(call.args) if isinstance(x, np.ndarray)]
    want = expected(case, call)
    got = run(case, call, {path: Value(x) for path, x in places.items()})
    assert isinstance(got, (type(want), Value)), f"{type(got)} for {type(want)}"
    assert len(parts(got)) == len(parts(want))
    for g, w in zip(parts(got), parts(want)):
        if not isinstance(g, Value):
            same(g, w)
            continue
        same(g.data, w, atol=1e-13)
        assert g.shape == np.shape(w)
        floats = all(type(x) is float for x in places.values()) and np.shape(w) == ()
        if not isinstance(want, (list, tuple)):
            assert (type(g.data) is float) == (floats or type(want) is float)
        assert g.dtype == np.asarray(w).dtype
    for x, b in zip((x for _, x in leaves(call.args) if isinstance(x, np.ndarray)), before):
        np.testing.assert_array_equal(x, b)


@each_case
@given(data=st.data())
def test_first_derivative(case, data):
    """Finite differences, for a choice of the arguments; the others are plain and get no gradient."""
    call = data.draw(case.calls)
    places = differentiable(case.row, call.args)
    assume(places)
    chosen = sorted(places)
    if len(chosen) > 1:
        chosen = data.draw(st.lists(st.sampled_from(chosen), min_size=1, unique=True), label="differentiated")
    gradcheck(
        lambda *values: parts(run(case, call, dict(zip(chosen, values)))),
        *(places[p] for p in chosen),
        eps=1e-5,
    )


@each_case
@given(data=st.data())
def test_second_derivative(case, data):
    """Finite differences of the gradients."""
    if not case.second:
        pytest.skip("its case says that it has no second derivative to check")
    call = data.draw(case.calls)
    places = differentiable(case.row, call.args)
    assume(places)
    f = lambda *values: parts(run(case, call, dict(zip(places, values))))
    if any(type(x) is float for x in places.values()):
        gradgradcheck(f, *places.values())
    else:
        gradgradcheck(slice_through(f, *places.values()), np.zeros(3))


@each_case
@given(data=st.data())
def test_keywords(case, data):
    """Arguments given by the names that NumPy has for them change nothing."""
    try:
        names = list(inspect.signature(case.function).parameters.values())
    except ValueError:
        pytest.skip("NumPy does not tell the names of its arguments")
    call = data.draw(case.calls)
    places = differentiable(case.row, call.args)
    count = len(list(itertools.takewhile(lambda p: p.kind is p.POSITIONAL_OR_KEYWORD, names)))
    if not places or not 1 < len(call.args) <= count:
        return
    grads = []
    for kept in (len(call.args), 1):
        values = {p: Value(x) for p, x in places.items()}
        args = replaced(call.args, values)
        kwargs = {p.name: a for p, a in zip(names[kept:], args[kept:])}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            backward(parts(case.view(case.function(*args[:kept], **kwargs, **call.kwargs))))
        grads.append([v.grad for v in values.values()])
    for positional, named in zip(*grads):
        assert (positional is None) == (named is None)
        same(0 if named is None else named, 0 if named is None else positional)


@each_case
@given(data=st.data())
def test_float32(case, data):
    """float32, and float32 mixed with float64, agree with float64; gradients have the dtype of their data."""
    call = data.draw(case.calls)
    places = differentiable(case.row, call.args)
    assume(any(isinstance(x, np.ndarray) for x in places.values()))
    kinds = {p: data.draw(st.sampled_from(["f4", "f4", "f8"])) for p in places}
    cast = lambda x, kind: x.astype(kind) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x
    call = Call(call.args, {name: cast(x, "f4") for name, x in call.kwargs.items()})
    low = {p: Value(cast(x, kinds[p])) for p, x in places.items()}
    high = {p: Value(cast(cast(x, "f4"), "f8")) for p, x in places.items()}
    others = {p: cast(x, "f4") for p, x in leaves(call.args) if isinstance(x, np.ndarray)}
    got, exact = parts(run(case, call, {**others, **low})), parts(run(case, call, {**others, **high}))
    want = parts(expected(case, call, {**others, **{p: v.data for p, v in low.items()}}))
    backward(got)
    backward(exact)
    for g, e, w in zip(got, exact, want):
        if isinstance(g, Value):
            assert g.dtype == np.asarray(w).dtype, f"result is {g.dtype}, NumPy's {np.asarray(w).dtype}"
            same(g.data, e.data, rtol=1e-5, atol=1e-5 * largest(e.data))
    for p in places:
        g, e = low[p].grad, high[p].grad
        if e is None:
            assert g is None
            continue
        if isinstance(low[p].data, np.ndarray):
            assert g.dtype == low[p].dtype, f"gradient is {g.dtype}, data {low[p].dtype}"
        assert np.shape(g) == low[p].shape
        same(g, e, rtol=1e-5, atol=1e-5 * largest(e))


def gradients(case, args, wrap):
    """Result and gradients of the operation on `args`, of the kind that `wrap` makes."""
    values = [Value(wrap(a)) for a in args]
    out = run(case, Call(tuple(values)), {})
    out.backward(weights(out.data))
    rules = case.row.rules
    return out.data, [
        v.grad for i, v in enumerate(values) if not rules or (i < len(rules) and callable(rules[i]))
    ]


@pytest.mark.parametrize("case", [c for c in CASES if c.edges], ids=lambda case: case.name)
def test_python_floats_behave_like_arrays(case):
    """At every edge: overflow gives inf, log 0 -inf, 0 / 0 nan, nothing raises; floats stay floats."""
    for args in itertools.product(EDGES, repeat=case.edges):
        data, grads = gradients(case, args, float)
        array, arrays = gradients(case, args, lambda a: np.array([a]))
        assert type(data) is float, f"{args}: {type(data)}"
        np.testing.assert_allclose(data, array[0], rtol=1e-14, err_msg=f"{args}")
        for g, a in zip(grads, arrays, strict=True):
            assert type(g) is float, f"{args}: {type(g)}"
            np.testing.assert_allclose(g, 1.25 * (a / weights(array))[0], rtol=1e-12, err_msg=f"{args}")


# PyTorch
def torch_function(case):
    """What PyTorch calls the operation, taking NumPy's keywords."""
    if callable(case.torch):
        return case.torch
    function = torch
    for name in case.torch.split("."):
        function = getattr(function, name)
    known = {"axis": "dim", "keepdims": "keepdim", "ddof": "correction"}
    return lambda *args, **kwargs: function(*args, **{known.get(k, k): v for k, v in kwargs.items()})


def tensor(x):
    """A leaf for PyTorch of the same numbers."""
    return torch.tensor(np.array(x), requires_grad=True)


def tensors(args, new):
    """The arguments as PyTorch takes them: its leaves, and its own constants."""
    constant = lambda x: torch.tensor(np.array(x)) if isinstance(x, (np.ndarray, np.generic)) else x
    return replaced(args, {p: new.get(p, constant(x)) for p, x in leaves(args) if not isinstance(x, fixed)})


needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed")
with_torch = pytest.mark.parametrize("case", [c for c in CASES if c.torch], ids=lambda case: case.name)


@needs_torch
@with_torch
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@given(data=st.data())
def test_against_torch(case, dtype, data):
    """The same function, inputs and cotangents: result, gradient, and the gradient of the gradient."""
    call = data.draw(case.calls)
    places = differentiable(case.row, call.args)
    assume(places)
    points = {p: np.asarray(x, dtype) for p, x in places.items()}
    compare(case, call, points, *((1e-10, 1e-10) if dtype == "f8" else (1e-5, 1e-5)))


def compare(case, call, points, rtol, atol, edges=False):
    """Results, gradients and gradients of gradients beside PyTorch's.

    At the edges the entries have no common size, and where PyTorch has nan, something else may be right.
    """
    ours = {p: Value(x) for p, x in points.items()}
    theirs = {p: tensor(x) for p, x in points.items()}
    outs = [o for o in parts(run(case, call, ours)) if isinstance(o, Value)]
    answers = case.view(torch_function(case)(*case.before(*tensors(call.args, theirs)), **call.kwargs))
    answers = parts(answers if isinstance(answers, torch.Tensor) else list(answers))
    answers = [a for a in answers if isinstance(a, torch.Tensor) and a.dtype.is_floating_point]
    assert len(outs) == len(answers)
    loss, answer = 0.0, 0.0
    for k, (o, a) in enumerate(zip(outs, answers)):
        same(o.data, a.detach().numpy(), rtol, atol if edges else atol * largest(o.data))
        assert o.shape == tuple(a.shape)
        loss = loss + np.sum(o * weights(o.data, k))
        answer = answer + (a * torch.tensor(weights(o.data, k))).sum()
    for order in range(1 + (case.second and not (edges and case.function in ODD_AT_EDGES))):
        for v in ours.values():
            v.grad = None
        loss.backward(create_graph=True)
        known = torch.autograd.grad(
            answer, list(theirs.values()), create_graph=True, allow_unused=True, materialize_grads=True
        )
        loss, answer = 0.0, 0.0
        for k, (v, a) in enumerate(zip(ours.values(), known)):
            g = np.zeros(v.shape, v.dtype) if v.grad is None else v.grad.data
            told = a.detach().numpy(force=True)  # a zero may be without memory
            if edges:
                told = np.where(np.isnan(v.data) | (np.isnan(told) & (order == 1)), g, told)
            same(g, told, rtol, atol if edges else atol * largest(g))
            assert g.dtype == v.dtype
            if v.grad is not None:
                loss = loss + np.sum(v.grad * weights(g, k + 5))
            answer = answer + (a * torch.tensor(weights(g, k + 5))).sum()
        if not isinstance(loss, Value) or not loss.requires_grad or not answer.requires_grad:
            return


# PyTorch's ∂²/∂x∂y of x ** y is 0 at y = 0 (it is 1 / x); elu has no second derivative at 0
ODD_AT_EDGES = [np.power, np.float_power, neural.elu]


@needs_torch
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", [c for c in CASES if c.torch and c.edges], ids=lambda case: case.name)
def test_edges_against_torch(case):
    """Kinks, ties, poles, inf and nan."""
    grid = [g.ravel() for g in np.meshgrid(*[np.array(EDGES)] * case.edges)]
    points = {(i,): x for i, x in enumerate(grid)}
    compare(case, Call(tuple(grid)), points, 1e-10, 1e-14, edges=True)


@pytest.mark.parametrize("kinds", [("f8", "f4"), ("f4", "f8"), ("f4", "f4"), ("f4", "i8")])
def test_the_total_of_an_average_has_numpys_dtype(kinds):
    """NumPy sums the weights in the dtype that they share with what is averaged."""
    a, weights = np.array([1.0, 2.0], kinds[0]), np.array([1, 3], kinds[1])
    got, want = np.average(Value(a), 0, weights, True), np.average(a, 0, weights, True)
    assert [np.dtype(part.dtype) for part in got] == [part.dtype for part in want]
