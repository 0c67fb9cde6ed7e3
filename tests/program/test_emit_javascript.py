"""`emit(..., target="javascript")`: in Chromium its programs give what NumPy gives, row by row, at random."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest
import rows  # noqa: F401 (fills CASES)
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from javascript import check_graphs, close, data_of, inputs_in, run_emitted
from rows.registry import CASES, ROWS, fixed, name_of

from tinygrad_course import TraceError, Value, emit, nn
from tinygrad_course.nn import functional as F
from tinygrad_course.program.export.graphs import graph_program
from tinygrad_course.testing import graphs
from tinygrad_course.trees import leaves

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, 1e-9, 700.0, -745.0, np.inf, -np.inf, np.nan]
WHOLE = [0, 1, -1, 2, -3, 7, 100, -12345]
ENTRY_BY_ENTRY = [f for f, row in ROWS.items() if isinstance(f, np.ufunc) and row.elementwise]
WRITTEN = [f for f, row in ROWS.items() if row.javascript]
EXACT = {
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.isnan, np.isinf,
    np.isfinite, np.logical_and, np.logical_or, np.logical_not, np.logical_xor, np.sign, np.floor, np.ceil,
    np.trunc, np.rint, np.absolute, np.negative, np.positive, np.maximum, np.minimum, np.signbit,
    np.remainder, np.floor_divide,
}  # fmt: skip


def emitted(f, *args):
    with np.errstate(all="ignore"):
        return emit(f, *args, target="javascript"), [np.array(data_of(x)) for x in leaves(args)]


def compare(browser, wanted, emitted_ones):
    """Each program's results beside those of NumPy: (what it is, the results, how close)."""
    for (what, want, limit), (got, _) in zip(wanted, run_emitted(browser, emitted_ones), strict=True):
        want = list(want) if isinstance(want, (list, tuple)) else [want]
        assert len(got) == len(want), what
        for a, b in zip(got, want):
            np.testing.assert_allclose(a, np.ravel(b).astype(float), limit, limit, err_msg=what)
            zero = a == 0
            if limit == 0 and what not in ("maximum", "minimum"):  # of 0 and -0 either is the larger
                np.testing.assert_array_equal(np.signbit(a[zero]), np.signbit(np.ravel(b)[zero]), what)


@pytest.mark.filterwarnings("ignore:floating point number truncated")
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int32])
def test_operations_on_special_numbers(browser, dtype):
    """Every ufunc on every pair of nan, infinities, zeros of both signs, halves, large and small numbers."""
    numbers = np.array(SPECIAL if np.dtype(dtype).kind == "f" else WHOLE, dtype)
    pairs = [np.repeat(numbers, len(numbers)), np.tile(numbers, len(numbers))]
    wanted, programs = [], []
    for f in ENTRY_BY_ENTRY:
        args = pairs[: f.nin]
        if f in (np.floor_divide, np.remainder, np.fmod, np.reciprocal) and numbers.dtype.kind == "i":
            args = [a[pairs[f.nin - 1] != 0] for a in args]
        try:
            with np.errstate(all="ignore"):
                want = f(*args)
            programs.append(emitted(lambda *a, f=f: f(*a), *args))
        except (TraceError, TypeError, ValueError):
            continue
        single = np.asarray(want).dtype == np.float32
        wanted.append((name_of(f), want, 0 if f in EXACT and not single else 1e-5 if single else 1e-12))
    compare(browser, wanted, programs)
    assert len(programs) > (50 if numbers.dtype.kind == "f" else 20)


def test_calls_of_every_row(browser):
    """The calls that rows are tested with, in one page."""
    wanted, programs = [], []
    for function in WRITTEN:
        cases = [case.calls for case in CASES if case.function is function]
        if cases:
            add_calls(function, st.one_of(cases), wanted, programs)
    compare(browser, wanted, programs)
    assert len({what.split(":")[0] for what, _, _ in wanted}) > 55


def add_calls(function, calls, wanted, programs):
    is_array = lambda a: all(
        isinstance(x, (np.ndarray, float)) for x in (a if type(a) in (list, tuple) else [a])
    )

    @settings(max_examples=settings().max_examples // 2)
    @given(calls)
    def collect(call):
        args = [a.value if isinstance(a, fixed) else a for a in call.args]
        given_anew = [a for a in args if is_array(a) and not (type(a) in (list, tuple) and not a)]

        def f(*given):
            following = iter(given)
            chosen = [next(following) if any(a is g for g in given_anew) else a for a in args]
            return function(*chosen, **call.kwargs)

        try:
            program = emitted(f, *given_anew)
        except TraceError as refusal:
            assert "emit: " in str(refusal) or "compile: " in str(refusal)
            return
        if len(inputs_in(program[0])) != len(program[1]):
            return  # an array in an index is one more argument
        with np.errstate(all="ignore"):
            wanted.append((f"{name_of(function)}: {call}", f(*given_anew), 1e-12))
        programs.append(program)

    collect()


unshrunk = settings(phases=[Phase.explicit, Phase.generate])  # shrinking lists of programs takes minutes
some_graphs = st.booleans().flatmap(lambda scalars: graphs(min_operations=3, scalars=scalars))


def test_pooling(browser):
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 6))
    layers = [nn.MaxPool2d(3, stride=2, padding=1), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(2)]
    programs = [emitted(lambda x, layer=layer: (layer(x) ** 2).sum(), Value(x)) for layer in layers]
    for layer, (got, gradients) in zip(layers, run_emitted(browser, programs), strict=True):
        v = Value(x)
        result = (layer(v) ** 2).sum()
        result.backward()
        close(got[0], result.data, 1e-12, "the result")
        close(*gradients.values(), v.grad, 1e-12, "the gradient")


@unshrunk
@given(st.lists(some_graphs, min_size=2, max_size=4))
def test_random_programs(browser, several):
    programs = [emitted(graph, *map(Value, graph.inputs)) for graph in several]
    for graph, (got, gradients) in zip(several, run_emitted(browser, programs), strict=True):
        values = [Value(x) for x in graph.inputs]
        result = graph(*values)
        result.backward()
        close(got[0], result.data, 1e-12, "the result")
        assert len(gradients) == sum(v.grad is not None for v in values)
        for g, v in zip(gradients.values(), [v for v in values if v.grad is not None], strict=True):
            close(g, v.grad, 1e-12, "a gradient")


@unshrunk
@given(st.lists(st.tuples(some_graphs, st.sampled_from([np.float64, np.float32])), min_size=2, max_size=4))
def test_random_graphs(browser, several):
    results = []
    for graph, dtype in several:
        inputs = [x if isinstance(x, float) else x.astype(dtype) for x in graph.inputs]
        results.append(graph(*[Value(x, name=f"x{i}") for i, x in enumerate(inputs)]))
    check_graphs(browser, results)


@given(st.lists(st.text(min_size=1, max_size=12), min_size=3, max_size=3))
def test_names_cannot_inject(names):
    assert_only_identifiers(
        [*names, "</script>", "alert(1)", "__proto__", "constructor", "let", "v", "a\u2028b"]
    )


def assert_only_identifiers(names):
    values = [Value(float(i + 1), name=name) for i, name in enumerate(names)]
    loss = lambda *v: np.sum(np.stack([x * x for x in v]))
    program = graph_program([loss(*values)])
    for text in (emit(loss, *values, target="javascript"), program.script("program")):
        taken = re.search(r"^  const \{ (.*) \} = v;$", text, re.M)[1].split(", ")
        assert len(set(taken)) == len(names)
        assert all(name.isidentifier() and name not in ("__proto__", "let", "v") for name in taken)
        assert "</" not in text and not re.search("[\u2028\u2029]", text)
        assert [line for line in text.splitlines() if line.startswith("//")] == []
    assert set(program.inputs) == set(taken)


def test_node_takes_it_as_a_module(tmp_path):
    if shutil.which("node") is None:
        pytest.skip("needs node")
    net = nn.MnistMLP(rng=0)
    text = emit(
        lambda x, y: F.cross_entropy(net(x), y),
        np.zeros((5, 784), np.float32),
        np.arange(5),
        target="javascript",
    )
    path = tmp_path / "program.mjs"
    path.write_text(text + "console.log(inputs.join(), results.join(), Object.keys(gradients).length);\n")
    said = subprocess.run(["node", path], capture_output=True, text=True, check=True).stdout
    assert said == ("x,y,net_hidden_weight,net_hidden_bias,net_output_weight,net_output_bias mean2 4\n")


def test_what_cannot_be_written_is_named():
    x = np.eye(2)
    with pytest.raises(TraceError, match="emit: solve cannot be written in JavaScript"):
        emit(lambda x: np.linalg.solve(x, x[0]), x, target="javascript")
    with pytest.raises(TraceError, match="emit: sum with where= cannot be written in JavaScript"):
        emit(lambda x: np.sum(x, where=np.array([True, False])), x, target="javascript")
    with pytest.raises(TraceError, match="float16"):
        emit(lambda x: x * 2, x.astype(np.float16), target="javascript")
    with pytest.raises(TraceError, match="dropout cannot be written in JavaScript: it draws"):
        emit(lambda x: F.dropout(x, 0.5, rng=0), Value(x), target="javascript")
