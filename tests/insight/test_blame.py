"""Blame: a fault is planted at a random place, and that place is named."""

import gc
import linecache
import re
import sys
import warnings
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_course import (
    Value,
    blame,
    compile,
    derivative,
    detect_anomaly,
    grad,
    lint,
    nn,
    no_grad,
    trace_lines,
)
from tinygrad_course.insight import GradientWarning
from tinygrad_course.insight.anomalies import SAMPLES
from tinygrad_course.testing import graphs
from tinygrad_course.testing.strategies import _ON_ARRAYS

any_graph = st.booleans().flatmap(lambda scalars: graphs(min_operations=5, scalars=scalars))
many = settings(max_examples=max(40, settings().max_examples))


def spoilt(x, bad):
    """`x` with its last entry spoilt."""
    if isinstance(x, float):
        return bad
    x = np.array(x, order="C")
    x.reshape(-1)[-1:] = bad
    return x


relay = derivative(lambda x, bad: x if bad is None else spoilt(x, float(bad)), lambda g, out, x, bad: g)
relay_back = derivative(lambda x, bad: x, lambda g, out, x, bad: g if bad is None else spoilt(g, float(bad)))


def run(graph, values, place, bad, through=relay):
    """A random graph with a relay after each step, of which one is faulty: its line is the same for all."""
    known, used = list(values), set()
    for k, (operation, operands) in enumerate(graph.steps):
        v = _ON_ARRAYS[operation](*(known[i] for i in operands))
        used.update(operands)
        if isinstance(v, Value):
            v.name = f"step {k}"
            v = through(v, bad if k == place else None)
        known.append(v)
    return sum(np.mean(v) for i, v in enumerate(known) if i not in used), known


@many
@given(any_graph, st.data(), st.sampled_from(["nan", "inf", "-inf"]))
def test_the_first_bad_operation_forward(graph, data, bad):
    place = data.draw(st.integers(0, len(graph.steps) - 1))
    values = [Value(x) for x in graph.inputs]
    with pytest.raises(FloatingPointError) as caught, blame():
        run(graph, values, place, bad)
    text = str(caught.value)
    assert re.match(f"<?lambda>? gave {bad.removeprefix('-')}", text)
    assert f"x: 'step {place}' " in text
    assert "test_blame.py" in text and "v = through(v, bad if k == place else None)" in text


@many
@given(any_graph, st.data(), st.sampled_from(["nan", "inf"]))
def test_the_first_bad_operation_backward(graph, data, bad):
    place = data.draw(st.integers(0, len(graph.steps) - 1))
    values = [Value(x) for x in graph.inputs]
    with blame():
        out, _ = run(graph, values, place, bad, relay_back)
        with pytest.raises(FloatingPointError) as caught:
            out.backward()
    text = str(caught.value)
    assert re.match("backward: <?lambda>? gave ", text)
    assert f"x: 'step {place}' " in text and "upstream gradient" in text
    assert "v = through(v, bad if k == place else None)" in text
    assert all(v.grad is None for v in values)  # found before anything was changed


@many
@given(graphs(min_operations=5), st.data())
def test_data_changed_in_place(graph, data):
    place = data.draw(st.integers(0, len(graph.steps) - 1))
    values = [Value(x) for x in graph.inputs]
    with blame():
        out, known = run(
            graph, values, place, None, derivative(lambda x, bad: np.copy(x), lambda g, out, x, bad: g)
        )
        out.backward()
        changed = known[len(values) + place]
        changed.name = "changed"
        changed.data[...] += 1.0
        with pytest.raises(RuntimeError, match=r"was changed in place after \S+ recorded it") as caught:
            out.backward()
    assert "backward: 'changed' " in str(caught.value)
    assert "test_" in str(caught.value) or "strategies.py" in str(caught.value)


@many
@given(any_graph)
def test_no_false_alarm(graph):
    values = [Value(x) for x in graph.inputs]
    with warnings.catch_warnings():
        warnings.simplefilter("error", GradientWarning)
        with blame():
            graph(*values).backward()
        expected = [Value(x) for x in graph.inputs]
        graph(*expected).backward()
    for v, w in zip(values, expected):
        np.testing.assert_array_equal(v.grad, w.grad)


@given(st.integers(2, 8), st.data(), st.sampled_from([1e-9, 0.0, 1e9]))
def test_where_gradients_vanish_and_explode(depth, data, factor):
    place = data.draw(st.integers(0, depth - 2))
    planted = derivative(lambda x: x, lambda g, out, x: g * factor)
    with blame():
        v = first = Value(np.linspace(-1, 1, 6), name="w")
        for k in range(depth):
            v = np.sin(v) + Value(np.zeros(6), name=f"w{k}")
            if k == place:
                v = planted(v)
                v.name = "planted"
        loss = (v * v).sum()
        with pytest.warns(GradientWarning) as caught:
            loss.backward()
    (found,) = {w.message.id for w in caught}
    assert found == ("exploding-gradient" if factor > 1 else "vanishing-gradient")
    (text,) = {w.message.found for w in caught}
    assert "'planted'" in text and f"(× {factor:.3g})" in text
    named = set(re.findall(r"'(w\d*)'", text.partition(" are ")[0]))
    behind = {"w", *(f"w{k}" for k in range(place + 1))}
    assert named == behind if len(behind) <= 6 else len(named) == 6 and named < behind
    assert caught[0].filename == __file__ and first.grad is not None


def test_vanishing_by_layer_of_a_module():
    parts = [part for i in range(12) for part in (nn.Linear(8, 8, rng=i), nn.Sigmoid())]
    net = nn.Sequential(*parts, nn.Linear(8, 1, rng=99))
    x = np.random.default_rng(0).normal(size=(64, 8))
    with (
        pytest.warns(GradientWarning, match=r"vanishing.* '0' .* beside '24' .* at sigmoid") as caught,
        blame(net),
    ):
        np.square(net(x)).mean().backward()
        np.square(net(x)).mean().backward()
    assert len(caught) == 1
    assert "ReLU for sigmoid" in caught[0].message.fix and caught[0].message.reason in str(caught[0].message)


@given(st.integers(0, 2), st.sets(st.integers(0, 7), min_size=1, max_size=4), st.booleans())
def test_dead_units(layer, dead, by_maximum):
    rng = np.random.default_rng(0)
    linears = [nn.Linear(8, 8, rng=rng, dtype=float) for _ in range(3)]
    for linear in linears:
        linear.weight.data, linear.bias.data = linear.weight.data / 100, np.full(8, 5.0)
    linears[layer].bias.data = np.where([k in dead for k in range(8)], -100.0, 5.0)
    net = nn.Sequential(*linears)
    relu = (lambda v: np.maximum(v, 0)) if by_maximum else nn.functional.relu
    with pytest.warns(GradientWarning, match="dead-relu") as caught, blame(net):
        for _ in range(2):
            v = rng.normal(size=(SAMPLES // 2, 8))
            for linear in linears:
                v = relu(linear(v))
    (found,) = [w.message.found for w in caught]
    which = ", ".join(map(str, sorted(dead)))
    assert (
        f"{len(dead)} of 8 units of" in found
        and f"after '{layer}' ({which}) gave 0 for all 32 samples" in found
    )
    assert ("np.maximum(v, 0)" if by_maximum else "v = relu(linear(v))") in linecache.getline(
        caught[0].filename, caught[0].lineno
    )


def test_units_that_are_alive_for_some_samples_are_not_dead():
    net = nn.Linear(1, 1, rng=0)
    net.weight.data, net.bias.data = np.ones((1, 1), np.float32), np.zeros(1, np.float32)
    with warnings.catch_warnings(), blame(net):
        warnings.simplefilter("error")
        nn.functional.relu(net(np.full((100, 1), -1.0)))
        nn.functional.relu(net(np.full((100, 1), 1.0)))


def test_what_it_says():
    x = Value([4.0, -1.0], name="x")
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError) as caught, blame():
        _ = np.log(x * 2.0)
    assert str(caught.value).splitlines()[:2] == [
        "log gave nan, first at [1]",
        "  x: the result of multiply (2,) float64: -2 there, from -2 to 8",
    ]
    with blame(), pytest.raises(FloatingPointError) as caught:
        np.sqrt(Value([0.0, 4.0], name="area")).sum().backward()
    lines = str(caught.value).splitlines()
    assert lines[0] == "backward: sqrt gave inf for its argument x, by its rule g / (out + out), first at [0]"
    assert lines[1:3] == [
        "  x: 'area' (2,) float64: 0 there, from 0 to 4",
        "  upstream gradient: norm 1.41421",
    ]


def test_a_nan_that_was_given():
    w = Value(np.ones(3), name="w")
    data = np.array([1.0, np.nan, 2.0])
    with (
        blame(),
        pytest.raises(FloatingPointError, match=r"multiply was given a nan: an array \(3,\).* at \[1\]"),
    ):
        _ = w * data
    with blame(), pytest.raises(FloatingPointError, match="add was given a nan: 'bad' number"):
        _ = Value(np.nan, name="bad") + 1.0
    out = Value(np.nan) * 1.0
    with blame(), pytest.raises(FloatingPointError, match="holds nan or inf already"):
        out.backward()


def test_infinite_numbers_that_were_given_are_no_fault():
    scores = Value(np.array([[1.0, 2.0], [3.0, 4.0]]))
    with blame():
        masked = np.where([[True, False], [True, True]], scores, -np.inf)
        loss = (nn.functional.softmax(masked) ** 2).sum()
        loss.backward()
    assert np.isfinite(scores.grad).all()
    with blame(), pytest.raises(FloatingPointError, match="subtract gave nan"):
        _ = Value(np.inf) - np.inf


def test_sums_that_overflow():
    x = Value(np.array([1e308]), name="x")
    big = derivative(lambda x: x * 0.0, lambda g, out, x: x)
    with blame():
        out = (big(x) + big(x)).sum()
        with (
            pytest.raises(FloatingPointError, match=r"come back to 'x' .* add up to more"),
            np.errstate(all="ignore"),
        ):
            out.backward()


def test_under_no_grad_compile_and_transforms():
    with np.errstate(all="ignore"):
        with blame(), no_grad(), pytest.raises(FloatingPointError, match="log gave nan"):
            np.log(Value(-1.0))
        f = compile(lambda v: np.log(v).sum())
        f(Value(np.ones(2)))
        with blame(), pytest.raises(FloatingPointError, match="log gave nan"):
            f(Value(-np.ones(2)))
        with blame(), pytest.raises(FloatingPointError, match="log gave nan"):
            grad(lambda v: np.log(v).sum())(-np.ones(2))
        with blame(), pytest.raises(FloatingPointError, match="backward: sqrt gave inf"):
            grad(lambda v: np.sqrt(v).sum())(np.zeros(2))


def test_it_is_off_outside_and_nests():
    x = Value(-1.0)
    with np.errstate(all="ignore"):
        with detect_anomaly(), blame():
            pass
        assert np.isnan(np.log(x).data)
        with blame():
            with detect_anomaly():
                pass
            with pytest.raises(FloatingPointError):
                np.log(x)


def test_a_module_is_one():
    with pytest.raises(TypeError, match=r"expected a module.*got a list; write blame\(model\)"), blame([1]):
        pass


def test_outside_the_block_no_line_of_it_runs():
    x, y = Value(np.ones(3)), Value(2.0)
    with blame():
        _ = x * x
    called = set()
    sys.setprofile(lambda frame, event, arg: called.add(frame.f_code.co_filename))
    try:
        (np.exp(x * x) + y).sum().backward()
    finally:
        sys.setprofile(None)
    assert called and not any("insight" in file for file in called if not file.endswith("test_blame.py"))


@pytest.mark.parametrize("look", [blame, lint, trace_lines])
def test_no_graph_is_kept_alive(look):
    net = nn.Linear(3, 2, rng=0)
    kept = []
    with look():
        for _ in range(3):
            x = Value(np.ones((4, 3), np.float32))
            hidden = np.tanh(net(x))
            kept += [weakref.ref(x.data), weakref.ref(hidden.data)]
            net.zero_grad()
            hidden.sum().backward()
        del x, hidden
        gc.collect()
        assert [array() for array in kept] == [None] * 6
