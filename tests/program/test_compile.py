"""Compiled functions give what the eager ones give, bit for bit, and refuse what they cannot hold to."""

from __future__ import annotations

import sys
import threading
import types
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_course import TraceError, Value, compile, grad, hessian, nn, no_grad, value_and_grad
from tinygrad_course.nn import functional as F
from tinygrad_course.testing import graphs

some_graphs = st.booleans().flatmap(lambda scalars: graphs(min_operations=3, scalars=scalars))


def run(function, values):
    """The result and the gradients of `function` on Values, as plain data."""
    for v in values:
        v.grad = None
    out = function(*values)
    out.backward()
    return [out.data, *(v.grad for v in values)]


def same(one, other):
    for a, b in zip(one, other, strict=True):
        assert type(a) is type(b)
        np.testing.assert_array_equal(a, b)
        if a is not None and not isinstance(a, float):
            assert a.dtype == b.dtype and a.shape == b.shape


@settings(max_examples=max(60, settings().max_examples))
@given(some_graphs)
def test_random_programs_have_the_same_bits(graph):
    compiled = compile(graph)
    values = [Value(x) for x in graph.inputs]
    for shift in (0.0, 0.25, -0.5):  # traced at the first, run at the others
        for v, x in zip(values, graph.inputs):
            v.data = x + shift
        same(run(compiled, values), run(graph, values))


@given(some_graphs)
def test_float32_has_the_same_bits(graph):
    values = [Value(np.asarray(x, np.float32)) for x in graph.inputs]
    same(run(compile(graph), values), run(graph, values))


@given(some_graphs)
def test_the_printed_source_runs_on_its_own(graph):
    compiled = compile(graph)
    values = [Value(x) for x in graph.inputs]
    expected = run(compiled, values)
    scope = {}
    exec(compiled.source, scope)
    function = next(f for f in reversed(list(scope.values())) if getattr(f, "__code__", None))
    constants = function.__code__.co_argcount - len(values)
    if constants:
        return  # long constants are arguments of the printed program
    out, gradients = function(*(v.data for v in values))
    np.testing.assert_array_equal(out, expected[0])
    for name, gradient in gradients.items():
        at = function.__code__.co_varnames.index(name)
        np.testing.assert_array_equal(gradient, expected[1 + at])


def test_earlier_results_and_gradients_stay_as_they_were():
    w = Value(np.arange(6.0).reshape(2, 3))
    f = compile(lambda x: np.tanh(x @ w.T))
    first = f(np.ones((4, 3)))
    kept = first.data.copy()
    first.sum().backward()
    gradient, kept_gradient = w.grad, w.grad.copy()
    for _ in range(3):
        w.grad = None
        f(np.full((4, 3), 9.0)).sum().backward()
    np.testing.assert_array_equal(first.data, kept)
    np.testing.assert_array_equal(gradient, kept_gradient)


def test_two_forward_passes_before_their_backward_passes():
    w = Value(np.array([1.0, 2.0]))
    plain = lambda x: np.exp(w * x).sum()
    f = compile(plain)
    for order in ((0, 1), (1, 0)):
        outs = [f(np.array([0.1, 0.2])), f(np.array([0.3, 0.5]))]
        expected = [plain(np.array([0.1, 0.2])), plain(np.array([0.3, 0.5]))]
        for i in order:
            outs[i].backward()
            got, w.grad = w.grad, None
            expected[i].backward()
            np.testing.assert_array_equal(got, w.grad)
            w.grad = None


def test_a_second_backward_adds_the_same_again():
    w = Value(np.array([1.0, 2.0]))
    out = compile(lambda x: np.exp(w * x).sum())(np.array([0.1, 0.2]))
    out.backward()
    first = w.grad.copy()
    out.backward()
    np.testing.assert_array_equal(w.grad, first + first)


def test_the_same_array_as_two_arguments_and_read_only_ones():
    x = np.arange(4.0)
    x.flags.writeable = False
    w = Value(np.ones(4))
    f = lambda a, b: ((a * w + b) * a).sum()
    same(run(lambda: compile(f)(x, x), []), run(lambda: f(x, x), []))
    np.testing.assert_array_equal(x, np.arange(4.0))


def test_arguments_are_never_written_into():
    x = np.arange(4.0)
    w = Value(np.ones(4))
    f = compile(lambda a: (np.exp(np.negative(np.reshape(a, (2, 2)))) * np.reshape(w, (2, 2))).sum())
    for _ in range(3):
        f(x).backward()
    np.testing.assert_array_equal(x, np.arange(4.0))
    f(np.arange(8.0)[::2])  # a reshape of this one is a copy
    np.testing.assert_array_equal(w.data, np.ones(4))


def test_nested_arguments_and_results():
    w = Value(np.array([1.0, 2.0]), name="w")

    def f(batch, scale=1.0):
        hidden = w * batch["x"][0] * scale
        return {"sum": hidden.sum(), "parts": [hidden, np.exp(hidden)], "plain": batch["x"][0] * 2, "one": 1}

    g, batch = compile(f), {"x": [np.array([0.5, 0.25])]}
    for scale in (1.0, 3.0):
        got, expected = g(batch, scale=scale), f(batch, scale=scale)
        assert got["one"] == 1 and isinstance(got["plain"], np.ndarray)
        np.testing.assert_array_equal(got["plain"], expected["plain"])
        grads = []
        for out in (got, expected):
            w.grad = None
            (out["sum"] + (out["parts"][0] * out["parts"][1]).sum()).backward()
            grads.append(w.grad)
        np.testing.assert_allclose(*grads, rtol=1e-15)
    assert len(g._programs) == 1  # another float is not another program


def test_parameters_are_read_at_each_call_however_they_are_held():
    class Model:
        def __init__(self):
            self.parts = [nn.Linear(3, 2, rng=0), {"scale": Value(np.array(2.0))}]

        def __call__(self, x):
            return (self.parts[0](x) * self.parts[1]["scale"]).sum()

    model = Model()
    f = compile(model)
    x = np.ones((4, 3), np.float32)
    for _ in range(3):
        assert f(x).item() == model(x).item()
        model.parts[1]["scale"].data = model.parts[1]["scale"].data + 1.0
        model.parts[0].weight.data = model.parts[0].weight.data * 1.5


def test_parameters_that_only_tracing_finds():
    secret = Value(np.array([1.0, 2.0]))
    sys.modules["hidden"] = hidden = types.ModuleType("hidden")  # nothing that one could look into
    hidden.secret = secret
    f = compile(lambda x: (import_module("hidden").secret * x).sum())
    x = np.array([3.0, 4.0])
    assert f(x).item() == 11.0
    secret.data = np.array([2.0, 2.0])
    out = f(x)
    assert out.item() == 14.0
    out.backward()
    np.testing.assert_array_equal(secret.grad, x)


def test_freezing_is_seen():
    layer = nn.Linear(2, 1, rng=0)
    f = compile(lambda x: layer(x).sum())
    x = np.ones((3, 2), np.float32)
    f(x).backward()
    assert layer.weight.grad is not None
    layer.zero_grad()
    layer.weight.requires_grad = False
    f(x).backward()
    assert layer.weight.grad is None and layer.bias.grad is not None
    layer.weight.data = layer.weight.data + 1  # a frozen parameter is read at each call, too
    assert f(x).item() == layer(x).sum().item()


def test_updates_in_place_are_noticed():
    w = Value(np.array([1.0, 2.0]))
    f = compile(lambda x: np.exp(w * x).sum())
    out = f(np.ones(2))
    w.data -= 0.1
    with pytest.raises(RuntimeError, match="in place"):
        out.backward()


def test_no_grad_gives_constants():
    w = Value(np.array([1.0, 2.0]))
    f = compile(lambda x: np.exp(w * x).sum())
    with no_grad():
        out = f(np.ones(2))
    assert not out.requires_grad
    assert f(np.ones(2)).requires_grad


def test_training_the_lectures_network_is_the_same_as_without():
    from tinygrad_course import optim

    rng = np.random.default_rng(0)
    x, y = rng.random((32, 784), np.float32), rng.integers(0, 10, 32)
    ends = []
    for prepare in (lambda f: f, compile):
        model = nn.MnistMLP(rng=0)
        adam = optim.Adam(model.parameters(), lr=1e-2)
        loss_of = prepare(lambda x, y, model=model: F.cross_entropy(model(x), y))
        for _ in range(5):
            loss = loss_of(x, y)
            model.zero_grad()
            loss.backward()
            adam.step()
        ends.append([p.data.copy() for p in model.parameters()])
    same(*ends)


def test_the_source_of_the_lectures_network_is_the_textbooks():
    model = nn.MnistMLP(rng=0)
    f = compile(lambda x, y: F.cross_entropy(model(x), y))
    f(np.zeros((5, 784), np.float32), np.arange(5))
    forward, backward = f.source.split("# backward")
    assert "x @ model_hidden_weight.T" in forward and "np.maximum" in forward
    assert ".T @ x" in backward  # the weights' gradient: errors of the layer times its inputs
    assert "@ model_output_weight " in backward  # the error carried back through the output layer


def test_labels_are_checked_at_each_call():
    layer = nn.Linear(2, 3, rng=0)
    f = compile(lambda x, y: F.cross_entropy(layer(x), y))
    x = np.ones((2, 2), np.float32)
    assert f(x, np.array([0, 2])).item() == F.cross_entropy(layer(x), np.array([0, 2])).item()
    ignored = np.array([0, -100])
    assert f(x, ignored).item() == F.cross_entropy(layer(x), ignored).item()
    with pytest.raises(ValueError, match="3 classes"):
        f(x, np.array([0, 3]))


@pytest.mark.parametrize(
    ("what", "function", "says"),
    [
        ("branch", lambda x, w: (w * x).sum() if x.sum() > 0 else w.sum(), "branches on a value"),
        ("number", lambda x, w: (w * (w * x).sum().item()).sum(), "plain number"),
        ("mask", lambda x, w: (w * x)[x > 0].sum(), "depends on the data"),
        ("size", lambda x, w: w.sum() * len(np.unique(x)), "depends on the data"),
        ("array", lambda x, w: (w * np.asarray(x)).sum(), "plain one"),
    ],
)
def test_what_depends_on_the_data_is_refused_with_the_line(what, function, says):
    w = Value(np.ones(3))
    with pytest.raises(TraceError, match=says) as error:
        compile(function)(np.arange(3.0), w)
    assert "test_compile.py" in str(error.value)
    np.testing.assert_array_equal(w.data, np.ones(3))  # nothing is left behind


def test_after_a_refusal_parameters_are_as_they_were():
    layer = nn.Linear(2, 1, rng=0)
    before = layer.weight.data
    with pytest.raises(TraceError):
        compile(lambda x: layer(x).sum() if x.sum() > 0 else layer(x).mean())(np.ones((3, 2), np.float32))
    assert layer.weight.data is before
    assert layer.weight.grad is None


def test_numbers_at_the_edges_go_as_they_do_without():
    f = lambda x: 1.0 / x + np.log(x) * x
    compiled = compile(f)
    with np.errstate(all="ignore"):
        for x in (2.0, 0.0, 1e300, -1.0):
            a, b = Value(x), Value(x)
            same([compiled(a).data], [f(b).data])
            compiled(a).backward()
            f(b).backward()
            np.testing.assert_array_equal(a.grad, b.grad)


def test_where_hides_what_is_not_defined():
    f = compile(lambda x: np.where(x > 0, np.log(x), 0.0).sum())
    with np.errstate(all="ignore"):
        for data in (np.ones(3), np.array([0.0, 1.0, 2.0])):
            x = Value(data)
            f(x).backward()
            np.testing.assert_array_equal(x.grad, np.where(data > 0, 1 / np.where(data > 0, data, 1), 0))


def test_with_the_transforms():
    f = lambda x: (np.tanh(x) * x).sum()
    x = np.array([0.3, -0.2])
    np.testing.assert_array_equal(grad(compile(f))(x), grad(f)(x))
    np.testing.assert_array_equal(compile(grad(f))(Value(x)).data, grad(f)(x))
    second = lambda h: grad(lambda x: (grad(h)(x) ** 2).sum())
    np.testing.assert_allclose(second(compile(f))(x), second(f)(x), rtol=1e-12)
    np.testing.assert_array_equal(hessian(compile(f))(x), hessian(f)(x))
    with pytest.raises(TraceError, match=r"hessian\(compile\(f\)\)"):
        compile(hessian(f))(x)
    value, gradient = value_and_grad(compile(f))(x)
    assert value == f(Value(x)).item()
    np.testing.assert_array_equal(gradient, grad(f)(x))


def test_create_graph_goes_through():
    w = Value(np.array([0.5, 2.0]))
    f = compile(lambda x: np.exp(w * x).sum())
    f(np.ones(2)).backward(create_graph=True)
    g, w.grad = w.grad, None
    g.sum().backward()
    np.testing.assert_allclose(w.grad, np.exp(w.data))


def test_threads():
    w = Value(np.arange(5.0))
    plain = lambda x: np.tanh(w * x).sum()
    f = compile(plain)
    wrong = []

    def work(k):
        for i in range(50):
            x = np.full(5, 0.01 * (k + i))
            if f(x).item() != plain(x).item():
                wrong.append((k, i))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong and len(f._programs) == 1


def test_a_function_that_calls_itself_compiled():
    @compile
    def f(x, n):
        return x if n == 0 else np.sin(f(x, n - 1)) * 2.0

    x = Value(np.array([0.3]))
    f(x, 3).backward(np.ones(1))
    expected = grad(lambda x: (np.sin(np.sin(np.sin(x) * 2.0) * 2.0) * 2.0).sum())(np.array([0.3]))
    np.testing.assert_array_equal(x.grad, expected)


def test_programs_are_kept_for_some_signatures_only():
    f = compile(lambda x: (x * x).sum())
    for n in range(40):
        f(np.ones(n + 1))
    assert len(f._programs) <= 16


def test_source_needs_a_call_first():
    with pytest.raises(RuntimeError, match="call it once"):
        _ = compile(lambda x: x).source
    with pytest.raises(TypeError, match="expected a function"):
        compile(3)
