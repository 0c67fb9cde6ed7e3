"""What `emit` writes runs, or can be typeset, and says what the function computes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tinygrad_course import TraceError, Value, compile, emit, nn, optim
from tinygrad_course.derivatives import TABLE
from tinygrad_course.nn import functional as F
from tinygrad_course.program.closure import held_by
from tinygrad_course.program.export.latex import Formulas, from_formula
from tinygrad_course.program.run import traced
from tinygrad_course.testing import graphs

X = np.random.default_rng(0).random((5, 784), np.float32)
Y = np.arange(5)
some_graphs = st.booleans().flatmap(lambda scalars: graphs(min_operations=3, scalars=scalars))


def lecture():
    model = nn.MnistMLP(rng=0)

    def loss(x, y):
        return F.cross_entropy(model(x), y)

    return model, loss


def defined(source):
    """The function that a source defines last."""
    scope = {}
    exec(source, scope)
    return [f for f in scope.values() if getattr(f, "__code__", None)][-1]


def parses(side):
    mathtext = pytest.importorskip("matplotlib.mathtext")
    mathtext.MathTextParser("agg").parse(f"${side}$")


def sides(text):
    """The two sides of every line, checked for balanced braces."""
    assert text.startswith("\\begin{align*}\n") and text.endswith("\n\\end{align*}")
    lines = text.split("\n")[1:-1]
    assert all(line.endswith(r" \\") for line in lines[:-1])
    found = []
    for line in lines:
        line = line.removesuffix(r" \\")
        assert line.count("&") == 1
        assert line.count("{") == line.count("}")
        assert line.count(r"\left") == line.count(r"\right")
        if "backward" not in line:
            found.append([side.strip() for side in line.split("&=")])
    return found


def test_numpy_runs_on_its_own():
    model, loss = lecture()
    program = defined(emit(loss, X, Y))
    out, gradients = program(X, Y, *(p.data for p in model.parameters()))
    expected = loss(X, Y)
    expected.backward()
    np.testing.assert_array_equal(out, expected.data)
    for g, p in zip(gradients.values(), model.parameters(), strict=True):
        np.testing.assert_array_equal(g, p.grad)


def test_torch_has_the_same_numbers():
    torch = pytest.importorskip("torch")
    model, loss = lecture()
    program = defined(emit(loss, X, Y, target="torch"))
    data = [torch.tensor(a) for a in (X, Y, *(p.data for p in model.parameters()))]
    out, gradients = program(*data)
    expected = loss(X, Y)
    expected.backward()
    np.testing.assert_allclose(out.numpy(), expected.data, rtol=1e-6)
    for g, p in zip(gradients.values(), model.parameters(), strict=True):
        np.testing.assert_allclose(g.numpy(), p.grad, rtol=1e-5, atol=1e-6)


@settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])  # shrinking these takes minutes
@given(some_graphs)
def test_random_programs_in_torch(graph):
    torch = pytest.importorskip("torch")
    values = [Value(x) for x in graph.inputs]
    try:
        program = defined(emit(graph, *values, target="torch"))
    except TraceError as error:  # what torch does not have is said
        assert "PyTorch" in str(error)
        return
    if program.__code__.co_argcount > len(values):
        return  # long constants are arguments
    out, gradients = program(*(torch.tensor(np.copy(x), dtype=torch.float64) for x in graph.inputs))
    expected = graph(*values)
    expected.backward()
    np.testing.assert_allclose(out, expected.data, rtol=1e-12, atol=1e-12)
    for name, g in gradients.items():
        v = values[program.__code__.co_varnames.index(name)]
        np.testing.assert_allclose(g, v.grad, rtol=1e-11, atol=1e-12)


def test_layers_in_torch():
    torch = pytest.importorskip("torch")
    model = nn.Sequential(
        nn.Linear(6, 5, rng=0), nn.LayerNorm(5), nn.Sigmoid(), nn.Linear(5, 3, rng=1), nn.GELU()
    )
    x = np.random.default_rng(0).random((4, 6), np.float32)
    f = lambda x: F.softmax(np.tanh(model(x)), dim=1)[:, 0].sum()
    try:
        program = defined(emit(f, x, target="torch"))
    except TraceError as error:
        pytest.skip(str(error))
    out, gradients = program(torch.tensor(x), *(torch.tensor(p.data) for p in model.parameters()))
    expected = f(x)
    expected.backward()
    np.testing.assert_allclose(out.numpy(), expected.data, rtol=1e-5)
    for g, p in zip(gradients.values(), model.parameters(), strict=True):
        np.testing.assert_allclose(g.numpy(), p.grad, rtol=1e-4, atol=1e-6)


def test_latex_of_the_lectures_network_is_the_chain_rule():
    _, loss = lecture()
    lines = dict(sides(emit(loss, X, Y, target="latex")))
    assert lines["z_{1}"] == r"x \, W_{\mathrm{hidden}}^{\top} + b_{\mathrm{hidden}}"
    assert lines["z_{2}"] == r"\max (z_{1}, 0)"
    assert lines[r"\frac{\partial L}{\partial W_{\mathrm{output}}}"] == (
        r"{\frac{\partial L}{\partial z_{3}}}^{\top} \, z_{2}"
    )
    assert (
        lines[r"\frac{\partial L}{\partial z_{2}}"]
        == r"\frac{\partial L}{\partial z_{3}} \, W_{\mathrm{output}}"
    )
    for left, right in lines.items():
        parses(left)
        parses(right)


def test_latex_of_a_neuron():
    values = [Value(x, name=n) for n, x in [("w", 2.0), ("x", 1.5), ("b", -3.0)]]
    lines = dict(sides(emit(lambda w, x, b: (w * x + b).tanh(), *values, target="latex")))
    assert lines["z_{2}"] == "z_{1} + b"
    assert lines["L"] == r"\tanh z_{2}"
    assert lines[r"\frac{\partial L}{\partial w}"] == r"\frac{\partial L}{\partial z_{2}} \cdot x"


@given(some_graphs)
def test_latex_of_random_programs_can_be_typeset(graph):
    values = [Value(x) for x in graph.inputs]
    lines = sides(emit(graph, *values, target="latex"))
    assert len({left for left, _ in lines}) == len(lines)  # each line is about something else
    for line in lines[:40]:
        for side in line:
            assert not re.search(r"[^\x20-\x7e]", side)
            parses(side)


def test_every_formula_of_the_table_can_be_typeset():
    for row in TABLE.values():
        if row.formula:
            text = from_formula(row.formula, {"x": "x_{1}", "y": "y_{1}"})
            assert text.isascii(), row.formula
            assert text.count("{") == text.count("}")
            parses(text)


def test_nothing_is_changed_and_nothing_impossible_is_promised():
    model, loss = lecture()
    adam = optim.Adam(model.parameters())
    before = [p.data.copy() for p in model.parameters()]

    def step(x, y):
        out = loss(x, y)
        out.backward()
        adam.step()
        return out

    assert "adam_step(" in emit(step, X, Y)
    for target in ("torch", "latex"):
        with pytest.raises(TraceError, match="emit"):
            emit(step, X, Y, target=target)
    for p, data in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.data, data)
        assert p.grad is None
    with pytest.raises(ValueError, match="target"):
        emit(loss, X, Y, target="fortran")


@pytest.mark.parametrize(
    "names", [("x²", "½"), ("ﬁ", "fi"), ("x²", "x2"), ("0", "_0"), ("1", "0"), ("²", "_2"), ("a.b", "a_b")]
)
def test_names_that_python_does_not_have(names):
    """Named so, Values are printed under names that Python has, each under its own."""
    torch = pytest.importorskip("torch")
    data = np.arange(6.0).reshape(2, 3), np.full((2, 3), 2.5)
    values = [Value(x, name=n) for x, n in zip(data, names)]
    loss = lambda v, w: ((v * w + w).tanh() * v).sum()
    expected = loss(*values)
    expected.backward()
    wanted = [v.grad for v in values]
    for v in values:
        v.grad = None
    got = compile(loss)(*values)
    got.backward()
    assert got.item() == expected.item()
    for v, g in zip(values, wanted, strict=True):
        np.testing.assert_array_equal(v.grad, g)
    for target, array in (("numpy", np.array), ("torch", torch.tensor)):
        out, gradients = defined(emit(loss, *values, target=target))(*map(array, data))
        assert float(out) == pytest.approx(expected.item(), rel=1e-12)
        for g, w in zip(gradients.values(), wanted, strict=True):
            np.testing.assert_allclose(np.asarray(g), w, rtol=1e-12)


def test_messages_say_what_to_write():
    f = lambda x: (x**2).sum()
    with pytest.raises(TypeError, match=r"emit\(f, x, target='latex'\)"):
        emit(f, np.ones(3), "latex")
    with pytest.raises(TraceError, match=r"emit\(f, Value\(x\), target='latex'\)"):
        emit(f, np.ones(3), target="latex")
    with pytest.raises(TraceError, match=r"one result .* gives 2"):
        emit(lambda x: (x.sum(), (x * x).sum()), Value(np.ones(3)), target="latex")


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (lambda x, y: (x + y) * (x - y), r"\left( x + y \right) \odot \left( x - y \right)"),
        (lambda x, y: x - (x - y) - (x + y), r"x - \left( x - y \right) - \left( x + y \right)"),
        (lambda x, y: -(x - y) / (x * y), r"\frac{-\left( x - y \right)}{x \odot y}"),
        (lambda x, y: (x * y) ** 2 + x**-1.0, r"\left( x \odot y \right)^{2} + x^{-1}"),
        (lambda x, y: np.exp(-x) * np.abs(x - y), r"\exp \left( -x \right) \odot \left| x - y \right|"),
        (lambda x, y: np.sqrt(np.square(x) + y), r"\sqrt{x^{2} + y}"),
        (lambda x, y: x[None, :] @ y[:, None], r"x \, y"),
        (lambda x, y: np.maximum(x, y)[1:] * 3.0, r"\max\left( x, y \right)_{:} \cdot 3"),
    ],
)
def test_latex_puts_parentheses_where_they_are_needed(function, line):
    x = np.ones(3)
    run, out = traced(function, (x, x), {}, held_by(function), False, lambda run, result: result.variable, {})
    assert Formulas(run.tape.instructions, run.names.given).text(out) == line


def test_a_keyword_is_left_out_only_where_it_says_what_the_function_does_anyway():
    x = np.arange(6.0).reshape(2, 3)
    for f in (
        lambda v: np.concatenate([v, 2.0 * v], axis=None),
        lambda v: np.copy(v.T, order="C") * 2.0,
        lambda v: np.sum(v, axis=None, keepdims=False) * v,
        lambda v: np.repeat(v, 2, axis=None),
        lambda v: np.roll(v, 1, axis=None),
    ):
        compiled = compile(f)
        for data in (x, x + 1.0):
            np.testing.assert_array_equal(compiled(Value(data)).data, f(data))
            np.testing.assert_array_equal(defined(emit(f, data))(data), f(data))
    assert "np.sum(v)" in emit(lambda v: np.sum(v, axis=None, keepdims=False), x)


def test_a_power_of_a_negative_float_is_what_the_engine_says():
    """Python's ** turns to complex numbers there, which a compiled program must not."""
    f = lambda v: v**0.5
    compiled = compile(f)
    with np.errstate(invalid="ignore"):
        assert compiled(Value(4.0)).item() == 2.0
        assert np.isnan(f(Value(-4.0)).item())
        assert np.isnan(compiled(Value(-4.0)).item())


def test_a_parameter_may_be_an_argument_and_the_result_too():
    w = Value(np.ones(3), name="w")
    f = lambda v: (v, w)[0]
    out, gradients = defined(emit(f, w))(np.ones(3), np.full(3, 2.0))
    assert out.tolist() == [2.0, 2.0, 2.0] and gradients.keys() == {"w2"}
    assert 'const gradients = { w2: "copied" }' in emit(f, w, target="javascript")


def test_an_index_that_is_computed_twice_can_be_typeset():
    edges, heights = np.arange(4.0), Value(np.ones(4))
    assert r"\partial \mathrm{fp}" in emit(lambda fp: np.interp([0.5], edges, fp), heights, target="latex")
