"""The ledger of a gradient: its parts, their sum, the largest paths, and how it is shown."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_course import Value, explain, nn, no_grad, trace_lines
from tinygrad_course.insight import ledger as ledgers
from tinygrad_course.insight import paths as paths_module
from tinygrad_course.testing import graphs

any_graph = st.booleans().flatmap(lambda scalars: graphs(min_operations=5, scalars=scalars))


def summed(ledger):
    """All parts added up, not as the ledger adds them."""
    return sum((part.contribution for part in ledger.rows), ledger.other)


@settings(max_examples=max(40, settings().max_examples))
@given(any_graph, st.integers(1, 3))
def test_the_parts_add_up_to_the_gradient(graph, shown):
    values = [Value(x) for x in graph.inputs]
    out = graph(*values)
    if out.requires_grad:
        out.backward()
    kept, ledgers.SHOWN = ledgers.SHOWN, shown
    try:
        for v in values:
            if v.grad is None:
                with pytest.raises(ValueError, match="was not computed from value"):
                    explain(v, of=out)
                continue
            before = np.copy(v.grad)
            found = explain(v, of=out)
            np.testing.assert_array_equal(found.total, v.grad)  # in the same order as backward: bit for bit
            np.testing.assert_allclose(summed(found), v.grad, rtol=1e-9, atol=1e-12)
            np.testing.assert_array_equal(v.grad, before)
            assert len(found.rows) <= shown
            sizes = [ledgers._size(part.contribution) for part in found.rows]
            assert sizes == sorted(sizes, reverse=True)
    finally:
        ledgers.SHOWN = kept


@given(graphs(min_operations=5), st.data())
def test_one_entry_has_the_entries_of_all_parts(graph, data):
    values = [Value(x) for x in graph.inputs]
    out = graph(*values)
    out.backward()
    for v in values:
        if v.grad is not None:
            index = tuple(data.draw(st.integers(0, n - 1)) for n in v.shape)
            found = explain(v, of=out, index=index)
            assert np.ndim(found.total) == 0
            np.testing.assert_allclose(summed(found), v.grad[index], rtol=1e-9, atol=1e-12)
            assert found.grad == v.grad[index]
            for part in found.rows:
                if part.local is not None:
                    product = part.local * part.upstream
                    np.testing.assert_allclose(product, part.contribution, rtol=1e-9, atol=1e-13)


@given(graphs(min_operations=4, max_operations=9, scalars=True))
def test_the_paths_are_the_largest_of_all(graph):
    values = [Value(x) for x in graph.inputs]
    out = graph(*values)
    out.backward()
    for v in values:
        if v.grad is None or (found := explain(v, of=out).paths) is None:
            continue
        every = sorted(_products(v, out), key=abs, reverse=True)
        assert found.count == len(every)
        shown = [path.product for path in found.shown]
        np.testing.assert_allclose(np.abs(shown), np.abs(every[: len(shown)]), rtol=1e-9)
        assert len(shown) == min(len(every), paths_module.SHOWN)
        np.testing.assert_allclose(math.fsum([*shown, found.other]), v.grad, rtol=1e-9, atol=1e-12)
        for path in found.shown:
            assert path.values[0] is v and path.values[-1] is out
            assert math.prod(path.locals) == pytest.approx(path.product)


def _products(value, root):
    """The product of local derivatives along every path, by going through all of them."""
    if root is value:
        return [1.0]
    return [
        ledgers.contribution(root, i, 1.0) * product
        for i, parent in enumerate(root.parents or ())
        if parent is not None
        for product in _products(value, parent)
    ]


def test_what_it_says():
    w, x = Value(2.0, name="w"), Value(3.0, name="x")
    with trace_lines():
        z = w * x + w**2
    z.name = "z"
    loss = z * 0.5
    loss.backward()
    text = str(explain(w, of=loss))
    assert "w.grad = 3.5 of multiply, from 2 uses" in text
    assert "2  = 4                 × 0.5       power(w, 2)" in text
    assert "test_explain.py:" in text and "z = w * x + w**2" in text
    assert "2 = 4 × 1 × 0.5   w → power → z → multiply" in text
    assert "No lines" not in text and "g * y" in text
    assert str(w.explain()) == text  # the only result there is
    assert "No lines of source" in str(explain(z, of=loss))
    assert explain(z, of=loss).rows[0].name == ""


def test_a_notebook_shows_a_table():
    w = Value(np.ones(3), name="<w>")
    loss = (w * w).sum()
    loss.backward()
    html = explain(w, of=loss)._repr_html_()
    assert html.startswith("<table>") and "&lt;w&gt;" in html and "<w>" not in html
    assert html.count("<tr>") == 4


def test_output_is_bounded_and_the_rest_is_summed():
    w = Value(np.full(2, 1.0), name="w")
    loss = sum((w * i).sum() for i in range(1, 1001))
    loss.backward()
    found = explain(w, of=loss)
    assert [part.contribution[0] for part in found.rows] == list(range(1000, 1000 - ledgers.SHOWN, -1))
    np.testing.assert_array_equal(found.other, [np.sum(np.arange(1, 1001 - ledgers.SHOWN))] * 2)
    assert found.others == 1000 - ledgers.SHOWN
    assert len(str(found).splitlines()) < 20 and "988 others" in str(found)


def test_paths_beyond_counting():
    v = Value(1.0)
    y = v
    for _ in range(3000):
        y = y * 0.5 + y * 0.5
    y.backward()
    found = explain(v, of=y)
    assert found.paths.count == 2**3000
    assert len(found.paths.shown) == paths_module.SHOWN
    assert "about 10^903 paths" in str(found) and max(map(len, str(found).splitlines())) < 400


def test_results_with_several_parts_and_sequences():
    x = Value(np.array([[2.0, 0.5], [0.5, 1.0]]), name="x")
    values, vectors = np.linalg.eigh(x)
    loss = (values * values).sum() + vectors[0, 0] + np.stack([x, x]).sum()
    loss.backward()
    found = explain(x, of=loss)
    np.testing.assert_allclose(summed(found), x.grad)
    assert [part.operation.split("(")[0] for part in found.rows] == ["eigh", "stack", "stack"]


def test_a_gradient_given_to_backward_and_one_between():
    x = Value(np.ones(2))
    h = x * 3
    out = h * h
    out.backward([1.0, 10.0])
    np.testing.assert_array_equal(explain(x, of=out).total, [18.0, 180.0])
    np.testing.assert_array_equal(explain(h, of=out).total, h.grad)
    np.testing.assert_array_equal(explain(out, of=out).total, [1.0, 10.0])
    np.testing.assert_array_equal(x.explain().total, x.grad)


def test_recorded_gradients_are_explained_too():
    x = Value(3.0)
    loss = x * x * x
    loss.backward(create_graph=True)
    assert explain(x, of=loss).total == 27.0


def test_before_backward_and_after_two():
    w = Value(2.0, name="w")
    loss = w * w
    assert "backward was not run" in str(explain(w, of=loss))
    loss.backward()
    assert "not this sum" not in str(explain(w, of=loss))
    loss.backward()
    assert ".grad is 8 and not this sum: it also holds what was there before" in str(explain(w, of=loss))


def test_networks_of_neurons_and_of_arrays():
    for net in (
        nn.MLP(2, [3, 1], rng=0),
        nn.Sequential(nn.Linear(2, 3, rng=0), nn.ReLU(), nn.Linear(3, 1, rng=1)),
    ):
        out = net([0.5, -1.0])
        loss = (out * out).sum() if isinstance(out, Value) else sum(o * o for o in out)
        loss.backward()
        for p in net.parameters():
            np.testing.assert_allclose(summed(explain(p, of=loss)), p.grad, rtol=1e-6, atol=1e-12)


def test_which_result_is_meant():
    w = Value(2.0, name="w")
    with pytest.raises(ValueError, match=r"no result did yet.*explain\(w, of=loss\)"):
        w.explain()
    first = w * w
    first.backward()
    assert w.explain().total == 4.0
    second = w * 3.0
    second.backward()
    with pytest.raises(ValueError, match="2 results have brought a gradient to it"):
        w.explain()
    del first
    assert w.explain().total == 3.0
    assert "explain" in str(second.explain()) or second.explain().total == 1.0


def test_values_that_never_came_to_be_are_no_results():
    w = Value(2.0)
    loss = w * w
    loss.backward()
    with pytest.raises(TypeError) as caught:  # keeps the Value that could not be made alive
        Value("3")
    assert w.explain().total == 4.0
    assert caught.value is not None


def test_errors():
    w, loss = Value(np.ones((2, 3)), name="w"), Value(np.ones((2, 3))) * 2
    with pytest.raises(TypeError, match=r"expected a Value.*got a ndarray; write explain\(w, of=loss\)"):
        explain(np.ones(3))
    with pytest.raises(TypeError, match=r"of: expected a Value.*got a float"):
        explain(w, of=3.0)
    with pytest.raises(ValueError, match=r"shape \(2, 3\) and backward was not called"):
        explain(w, of=loss)
    with pytest.raises(ValueError, match="sum was not computed from w"):
        explain(w, of=loss.sum())
    whole = (w * w).sum()
    for index in (0, (0, 5), (0, 0, 0), "a", (slice(None), 0)):
        with pytest.raises(IndexError, match=r"does not name one entry of a value of shape \(2, 3\)"):
            explain(w, of=whole, index=index)
    w.data -= 1.0
    with pytest.raises(RuntimeError, match="updated in place"):
        explain(w, of=whole)


def test_lines_are_kept_only_where_asked_for():
    x = Value(np.ones(3))
    with trace_lines():
        inside = [np.exp(x), x * 2, -x, x.sum(), np.stack([x, x]), x[0], nn.functional.softmax(x)]
        with no_grad():
            unrecorded = x * x
    outside = x * 2
    assert all(v.line.code.startswith("inside = ") for v in inside)
    assert not unrecorded.requires_grad and outside.line is None
    assert type(outside.kwargs) is dict
    for v, w in itertools.pairwise(inside):
        assert v.line == w.line
    inside[-1][0].backward()  # records work as ever
    np.testing.assert_allclose(x.grad.sum(), 0, atol=1e-15)


def test_no_line_is_found_inside_the_walk():
    x = Value(3.0)
    with trace_lines():
        y = x * x
        y.backward(create_graph=True)
    assert y.line is not None and x.grad.line is None
