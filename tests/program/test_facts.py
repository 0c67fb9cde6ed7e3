"""A row's facts are all that other rooms need: no list of operations stands outside the table.

The rows here are registered for these tests alone.  Each has the facts that its test is about, and not a line
is written for it elsewhere.
"""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from tinygrad_course import (
    GradientWarning,
    TraceError,
    Value,
    compile,
    derivative,
    emit,
    jacobian,
    lint,
    no_grad,
    viz,
)
from tinygrad_course.derivatives import TABLE, neural
from tinygrad_course.engine.table import nondifferentiable
from tinygrad_course.nn import functional as F
from tinygrad_course.program.facts import row_of

X = np.array([[0.5, -1.0, 2.0], [0.25, 1.5, -0.75]])


def _swing(x, k=2.0):
    """x · sin(k · x), in steps that a trace does not follow."""
    out = np.empty_like(x)
    np.multiply(x, np.sin(k * x), out=out)
    return out


swing = derivative(
    _swing,
    lambda g, out, x, k=2.0: g * (np.sin(k * x) + k * x * np.cos(k * x)),
    formula="x · sin(k · x)",
    latex=r"x \cdot \sin\left( k \cdot x \right)",
    torch="x * torch.sin(k * x)",
    result="swung",
    elementwise=True,
)
jitter = derivative(
    lambda x, rng: x + np.random.default_rng(rng).normal(size=np.shape(x)),
    lambda g, out, x, rng: g,
    draws=True,
)
(rows_of,) = nondifferentiable(lambda x: len(x), shapes_only=True)
positive = derivative(
    lambda x: x[x > 0], lambda g, out, x: np.where(x > 0, np.sum(g), 0.0), sized_by_data=True
)
upside_down = derivative(lambda x: x[::-1], lambda g, out, x: g[::-1], shaping=True, latex=r"x^{\downarrow}")
(signs,) = nondifferentiable(lambda x: np.copysign(1.0, x))


def slope(x, k):
    return np.sin(k * x) + k * x * np.cos(k * x)


def defined(source):
    scope = {}
    exec(source, scope)
    return scope["function"]


def test_compiled_it_is_one_step_with_the_name_that_it_asks_for():
    f = compile(lambda v: (swing(v, 3.0) * v).sum())
    for x in (X, X + 1):
        v = Value(x)
        f(v).backward()
        np.testing.assert_allclose(v.grad, slope(x, 3.0) * x + x * np.sin(3 * x), rtol=1e-14)
    assert "swung = " in f.source


def test_emitted_for_numpy_torch_and_paper():
    torch = pytest.importorskip("torch")
    f = lambda v: swing(v, 3.0).sum()
    text = emit(f, Value(X, name="x"), target="torch")
    assert "swung = x * torch.sin(3.0 * x)" in text
    out, gradients = defined(text)(torch.tensor(X))
    assert float(out) == pytest.approx(np.sum(X * np.sin(3 * X)), rel=1e-14)
    np.testing.assert_allclose(gradients["x"], slope(X, 3.0), rtol=1e-14)
    text = emit(f, Value(X, name="x"), target="latex")
    assert r"z_{1} &= x \cdot \sin\left( 3 \cdot x \right)" in text
    text = emit(lambda v: swing(v + 1.0, 3.0).sum(), Value(X, name="x"), target="latex")
    assert r"z_{2} &= z_{1} \cdot \sin\left( 3 \cdot z_{1} \right)" in text
    default = emit(lambda v: swing(v).sum(), Value(X, name="x"), target="torch")
    assert "x * torch.sin(2.0 * x)" in default


def test_without_a_fact_the_message_says_what_to_add():
    stretched = derivative(lambda x: np.asarray(x.tolist()) * 2.0, lambda g, out, x: 2.0 * g)
    with pytest.raises(TraceError, match=r"<lambda> has no counterpart .* derivative\(<lambda>, .*torch="):
        emit(lambda v: stretched(v).sum(), Value(X), target="torch")
    with pytest.raises(TraceError, match=r"sum with initial=1\.0 is not known"):
        emit(lambda v: np.sum(v, initial=1.0), Value(X), target="torch")


def test_drawn(tmp_path):
    picture = viz.save(upside_down(swing(Value(X, name="x"))).sum(), tmp_path / "picture.svg")
    assert "swing" in picture.read_text("utf-8")


def test_batched_an_elementwise_row_is_called_once():
    """The rule hands its gradient to a row: whole batches pass through an elementwise one at once."""
    calls = []
    counted = derivative(lambda x: (calls.append(1), _swing(x))[1], elementwise=True)
    through = derivative(lambda x: 2.0 * x, lambda g, out, x: counted(g))
    got = jacobian(lambda x: through(x))(np.arange(1.0, 4.0))
    np.testing.assert_allclose(got, np.diag(np.full(3, np.sin(2.0))), rtol=1e-14)
    assert len(calls) == 1


def test_batched_by_its_own_fact_and_seen_by_shapes():
    seen = []

    def batch(g, factor):
        seen.append(g.shape)
        return g * factor

    scaled = derivative(lambda g, factor: g * factor, lambda g, out, x, factor: g * factor, batched=batch)
    through = derivative(lambda x: 3.0 * x, lambda g, out, x: scaled(g, float(rows_of(g))))
    got = jacobian(lambda x: through(x))(np.arange(1.0, 5.0))
    np.testing.assert_array_equal(got, 4 * np.eye(4))
    assert seen == [(4,)]


def test_what_draws_draws_anew_and_lint_says_where_it_is_at_work():
    eager, compiled = np.random.default_rng(0), np.random.default_rng(0)
    f = compile(lambda v: jitter(v, compiled).sum())
    for _ in range(3):
        assert f(Value(X)).item() == jitter(Value(X), eager).sum().item()
    with pytest.raises(TraceError, match="random"):
        emit(lambda v: jitter(v, compiled).sum(), Value(X), target="torch")
    with pytest.warns(GradientWarning, match="training-mode") as caught, lint(), no_grad():
        jitter(Value(X), eager)
    assert "<lambda> is at work" in str(caught[0].message)


def test_what_looks_at_shapes_only_is_a_number_of_the_program():
    f = compile(lambda v: sum(v[i].sum() for i in range(rows_of(v))))
    v = Value(X)
    f(v).backward()
    np.testing.assert_array_equal(v.grad, np.ones((2, 3)))
    assert f(Value(np.ones((4, 2)))).item() == 8.0


def test_a_size_that_depends_on_the_data_is_refused():
    with pytest.raises(TraceError, match="depends on the data"):
        compile(lambda v: positive(v).sum())(Value(X))


def test_what_is_not_differentiable_is_computed_at_each_call():
    f = compile(lambda v: (signs(v) * v).sum())
    assert f(Value(X)).item() == np.abs(X).sum()
    assert f(Value(-X - 0.5)).item() == np.abs(X + 0.5).sum()


def test_lint_sees_through_what_only_reshapes():
    targets = np.array([0, 2])
    with pytest.warns(GradientWarning, match="double-softmax"), lint():
        F.cross_entropy(upside_down(F.softmax(Value(X), 1)), targets)


def test_an_instructions_row_is_found_by_any_of_its_functions():
    assert row_of(abs) is TABLE[np.absolute]
    assert row_of(TABLE[swing].function) is TABLE[swing]
    assert row_of(print) is None


ROOMS = Path(__file__).parents[2] / "tinygrad_course"
FILES = [
    path for room in ("program", "insight", "transforms") for path in sorted((ROOMS / room).rglob("*.py"))
]


def operations(tree):
    """The functions of NumPy and rows that a piece of source names."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np", "np.linalg", "neural"):
            function = getattr(np, node.attr, None) or getattr(np.linalg, node.attr, None)
            function = function or getattr(neural, node.attr, None)
            found += [node.attr] if callable(function) and not isinstance(function, type) else []
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "TABLE":
            found.append(ast.unparse(node))
    return found


def lists_of_operations(source):
    """Names that a module gives to a collection of three or more operations."""
    return [
        ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])
        for node in ast.parse(source).body
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple))  # one name for each
        if len(operations(node.value)) >= 3
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOMS)))
def test_no_list_of_operations_stands_outside_the_table(path):
    assert lists_of_operations(path.read_text("utf-8")) == []


def test_such_a_list_is_seen():
    assert lists_of_operations("A = {np.add, np.sum, np.exp}\nB = [np.add, np.float64, np.ndarray]") == ["A"]
    assert lists_of_operations("C: dict = {TABLE[np.add]: 1, np.linalg.inv: 2}") == ["C"]
    assert lists_of_operations("D = [TABLE[f] for f in (np.exp, np.log, neural.relu)]") == ["D"]
