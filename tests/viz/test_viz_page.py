"""The page that plays backpropagation, as text: what is in it, and that nothing in it can do harm."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_viz_graph import recorded_graphs
from test_viz_pictures import HOSTILE, neuron

from tinygrad_course import Value, compile, nn, viz
from tinygrad_course.viz.events import events_of, frame_of
from tinygrad_course.viz.graph import graph_of
from tinygrad_course.viz.labels import number, plain
from tinygrad_course.viz.layers import chain
from tinygrad_course.viz.notebook import mimebundle
from tinygrad_course.viz.scalars import Apart, _record, scalar_record
from tinygrad_course.viz.states import SIDE_BY_SIDE, cut_into_parts, levels_of, states_of
from tinygrad_course.viz.views import texts_of, view_of


class Elements(HTMLParser):
    """What is in a page: its elements with their attributes, and the text in scripts and styles."""

    def __init__(self, html):
        super().__init__()
        self.found, self.inside, self.open = [], {}, None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.open = dict(attrs).get("id", tag) if tag in ("script", "style") else None

    def handle_endtag(self, tag):
        self.open = None

    def handle_data(self, data):
        if self.open is not None:
            self.inside[self.open] = self.inside.get(self.open, "") + data


def data_of(page):
    return json.loads(Elements(page.html).inside["data"])


def xor_loss(network, criterion=None):
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = np.array([[0.0], [1.0], [1.0], [0.0]])
    return (criterion or nn.MSELoss())(network(x), y)


def xor_network(activation=None):
    rng = np.random.default_rng(3)
    return nn.Sequential(nn.Linear(2, 2, rng=rng), activation or nn.Tanh(), nn.Linear(2, 1, rng=rng))


# The file
def test_the_page_is_one_file_that_fetches_nothing(tmp_path):
    net = xor_network()
    path = viz.save(xor_loss(net), tmp_path / "x.html", module=net)
    assert viz.player(xor_loss(net), path, module=net).html == path.read_text()
    elements = Elements(path.read_text())
    for tag, attributes in elements.found:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        assert not {"src", "href", "style", "srcset"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"https?://(?!www\.w3\.org/)", path.read_text())
    assert "import(" not in elements.inside["script"] and "fetch" not in elements.inside["script"]


def test_the_policy_allows_this_script_and_this_style_only():
    elements = Elements(viz.player(neuron()).html)
    policy = next(a["content"] for t, a in elements.found if a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for kind in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(elements.inside[kind].encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"
    assert rules["base-uri"] == rules["form-action"] == "'none'"


def scripts(elements):
    """A page's script without its program, in which nothing but identifiers comes from names."""
    before, rest = elements.inside["script"].split("const program0 = ", 1)
    program, after = rest.split("const PROGRAMS = ", 1)
    assert not re.search(r"""["'`<\\]""", re.sub(r"//.*|use strict", "", program)), program
    return before, after


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_out(name):
    def named(text):
        value = neuron(text)
        value.name = text  # the title of the page
        return Elements(viz.player(value).html)

    ours, plain_ones = named(name), named("plain")
    assert [tag for tag, _ in ours.found] == [tag for tag, _ in plain_ones.found]
    assert scripts(ours) == scripts(plain_ones)
    json.loads(ours.inside["data"])
    assert not re.search("[<>&]", ours.inside["data"])


@given(st.lists(st.text(max_size=12), min_size=3, max_size=3))
def test_no_text_whatever_gets_out_of_its_place(names):
    w, x, b = (Value(float(i), name=name) for i, name in enumerate(names, 1))
    value = (w * x + b).tanh()
    value.name = names[0]
    elements = Elements(viz.player(value).html)
    scripts(elements)
    assert json.loads(elements.inside["data"])["graphs"][0]["nodes"][0]["title"] in (plain(names[0]), "v0")
    assert [tag for tag, _ in elements.found].count("script") == 2


def test_the_page_is_the_same_every_time():
    assert viz.player(neuron()).html == viz.player(neuron()).html


# Its numbers
@given(recorded_graphs())
def test_the_last_numbers_are_those_of_backward(value):
    data = data_of(viz.player(value))["graphs"][0]
    value.backward()
    nodes = graph_of(value).nodes
    assert data["frames"][0]["grad"] == [node.value.grad for node in nodes]
    assert data["frames"][0]["data"] == [node.value.data for node in nodes]
    running = {}
    for kind, edge in data["events"]:
        if kind == "backward":
            source, target = data["edges"][edge][:2]
            local, contribution, before, now = data["frames"][0]["steps"][edge]
            upstream = data["frames"][0]["grad"][target]
            assert before == running.get(source)
            assert now == (contribution if before is None else before + contribution)
            np.testing.assert_allclose(local * upstream, contribution, rtol=1e-12, atol=1e-300)
            running[source] = now
    for node in nodes:
        if node.value is not value:
            assert running[node.id] == node.value.grad


def test_events_go_forward_then_backward():
    graph = graph_of(neuron())
    kinds = [kind for kind, _ in events_of(graph)]
    assert kinds == ["forward"] * 3 + ["seed"] + ["backward"] * 5 + ["done"]


def test_arrays_have_their_statistics_and_values():
    w = Value(np.array([[1.0, -2.0], [0.5, np.inf]]), name="w")
    summary = frame_of(graph_of((w * 2.0).sum()))["data"][0]
    assert summary["shape"] == [2, 2] and summary["values"] == [1.0, -2.0, 0.5, "inf"]
    assert (summary["min"], summary["max"], summary["mean"]) == (-2.0, "inf", "inf")
    assert summary["heat"] == [[50, -100], [25, 0]]


def test_a_large_array_is_summed_up():
    w = Value(np.arange(78_400.0).reshape(100, 784))
    summary = frame_of(graph_of(w.sum()))["data"][0]
    assert len(summary["values"]) == 400
    assert len(summary["heat"]) == len(summary["heat"][0]) == 28
    assert summary["heat"][-1][-1] == 100


def test_empty_arrays():
    frame_of(graph_of(Value(np.ones((0, 3))).sum()))


def test_grad_is_not_touched_and_what_it_holds_more_is_told():
    w = Value(2.0, name="w")
    loss = w * 3.0
    loss.backward()
    (w * 3.0).backward()
    assert w.grad == 6.0
    frame = frame_of(graph_of(loss))
    assert w.grad == 6.0 and frame["grad"][0] == 3.0 and frame["differs"] == [0]


def test_after_an_update_in_place_the_page_is_not_made(tmp_path):
    w = Value(np.ones(3))
    loss = (w * w).sum()
    w.data -= 1.0
    with pytest.raises(RuntimeError, match="in place"):
        viz.save(loss, tmp_path / "x.html")
    assert not list(tmp_path.iterdir())


# States and levels
def test_every_combination_of_a_few_layers_is_laid_out():
    net = xor_network()
    graph = graph_of(xor_loss(net), net)
    states = [sorted(group.path[-1] for group in state) for state in states_of(graph)]
    assert sorted(states) == [[], ["0"], ["0", "2"], ["2"]]
    assert [name for name, _ in levels_of(graph)] == ["Modules", "Tensors"]


def test_levels_of_neurons():
    network = nn.MLP(3, [4, 4, 1], rng=0)
    graph = graph_of(network([1.0, 2.0, 3.0]), network)
    assert [name for name, _ in levels_of(graph)] == ["Layers", "Neurons", "Values"]
    states = set(states_of(graph))
    for group in graph.groups:
        assert any(group in state for state in states)
    for state in states:  # an open layer is in open layers
        assert all(set(chain(group)) <= state for group in state)


@given(st.integers(200, 700), st.integers(0, 5))
def test_a_large_graph_is_cut_into_parts(n, seed):
    rng = np.random.default_rng(seed)
    values = [Value(float(x)) for x in rng.normal(size=8)]
    while len(values) < n:
        i, j = rng.integers(max(0, len(values) - 40), len(values), 2)
        values.append(values[i] * values[j])
    graph = graph_of(sum(values))
    cut_into_parts(graph)
    for group in [None, *graph.groups]:
        side_by_side = {node for node in graph.nodes if node.group is group}
        side_by_side |= {inner for inner in graph.groups if inner.parent is group}
        assert len(side_by_side) <= SIDE_BY_SIDE
    view = view_of(graph, texts_of(graph), closed=graph.groups)
    order = {box: i for i, box in enumerate(view.boxes)}
    behind = {box: set() for box in view.boxes}
    for link in sorted(view.links, key=lambda link: order[link.source]):
        behind[link.target] |= {link.source} | behind[link.source]
    assert all(box not in before for box, before in behind.items())  # no part depends on itself


def test_a_leaf_is_in_the_part_that_uses_it():
    leaves = [Value(float(i)) for i in range(400)]
    total = leaves[0]
    for leaf in leaves[1:]:
        total = total + leaf
    graph = graph_of(total)
    cut_into_parts(graph)
    apart = [
        node for node in graph.nodes if not node.operation and node.group is not node.outputs[0].target.group
    ]
    assert len(graph.groups) == 8 and len(apart) < 8  # at most the one at the end of a part


# Taken apart
@pytest.mark.parametrize("activation", [nn.Tanh(), nn.ReLU(), nn.Sigmoid(), nn.GELU(), nn.LeakyReLU()])
@pytest.mark.parametrize("criterion", [nn.MSELoss(), nn.BCEWithLogitsLoss()])
def test_arrays_taken_apart_have_the_same_gradients(activation, criterion):
    net = xor_network(activation)
    loss = xor_loss(net, criterion)
    apart = Apart()
    assert _record(graph_of(loss, net), apart)
    scalars = apart.results
    scalars.backward()
    loss.backward()
    np.testing.assert_allclose(scalars.data, loss.item(), rtol=1e-5)
    got = {node.name: node.value.grad for node in graph_of(scalars).nodes if node.kind == "parameter"}
    assert len(got) == 9
    for name, parameter in net.named_parameters():
        layer, short = name.split(".")
        for index in np.ndindex(parameter.shape):
            one = ".".join([layer, "neurons", str(index[0]), short, *map(str, index[1:])])
            np.testing.assert_allclose(got[one], parameter.grad[index], rtol=1e-4, atol=1e-7)


def test_one_sample_of_a_batch_is_taken_apart():
    net = xor_network()
    apart = scalar_record(graph_of(xor_loss(net), net))
    root = apart.results
    assert apart.note == "sample 4 of 4" and root.name == "sample's loss"
    with_all = net(np.array([[1.0, 1.0]])).item() ** 2
    np.testing.assert_allclose(root.data, with_all, rtol=1e-5)
    graph = graph_of(root, homes=apart.homes)
    groups = {group.path for group in graph.groups}
    assert [node.group for node in graph.nodes if node.operation == "tanh"] == [
        None,
        None,
    ]  # as among the arrays
    inputs = [node.name for node in graph.nodes if node.kind == "input"]
    assert inputs == ["input.0", "input.1", "target"]
    entries = {node.name: apart.origins[node.value.serial] for node in graph.nodes if not node.operation}
    assert {name: (node.name, entry) for name, (node, entry) in entries.items() if name[0] in "i2t"} == {
        "input.0": ("input", 0), "input.1": ("input", 1), "target": ("target", 0),
        "2.neurons.0.weight.0": ("2.weight", 0), "2.neurons.0.weight.1": ("2.weight", 1),
        "2.neurons.0.bias": ("2.bias", 0),
    }  # fmt: skip
    assert groups == {("0",), ("0", "neurons.0"), ("0", "neurons.1"), ("2",), ("2", "neurons.0")}


def test_cross_entropy_is_taken_apart():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 3))
    x = np.random.default_rng(1).normal(size=(5, 3))
    loss = nn.CrossEntropyLoss()(net(x), np.array([0, 1, 2, 1, 0]))
    apart = scalar_record(graph_of(loss, net))
    expected = nn.CrossEntropyLoss()(net(x[:1]), np.array([0])).item()
    np.testing.assert_allclose(apart.results.data, expected, rtol=1e-5)
    assert apart.note == "sample 1 of 5"


def test_what_moves_entries_is_not_taken_for_entry_by_entry():
    w = Value(np.array([[1.0, 2.0], [2.0, 1.0]]), name="w")  # symmetric: the transpose looks the same
    loss = (np.transpose(w) * np.array([[1.0, 10.0], [100.0, 1000.0]])).sum()
    root = scalar_record(graph_of(loss)).results
    root.backward()
    loss.backward()
    got = {node.name: node.value.grad for node in graph_of(root).nodes}
    assert {name: got[name] for name in ("w.0.1", "w.1.0")} == {"w.0.1": w.grad[0, 1], "w.1.0": w.grad[1, 0]}


def test_what_is_too_large_or_made_of_numbers_is_not_taken_apart():
    assert scalar_record(graph_of(neuron())) is None
    assert scalar_record(graph_of(Value(np.ones((100, 784))).sum())) is None


def test_the_page_offers_the_levels(tmp_path):
    net = xor_network()
    graphs = data_of(viz.player(xor_loss(net), module=net))["graphs"]
    assert [[name for name, _ in graph["levels"]] for graph in graphs] == [
        ["Modules", "Tensors"], ["Neurons", "Scalars"],
    ]  # fmt: skip
    assert [graph["groups"][0]["label"] for graph in graphs] == ["0 Linear", "0 Linear"]


# A training run
def test_a_recorder_keeps_every_step():
    w = Value(1.0, name="w")
    recorder = viz.Recorder()
    expected = []
    for _ in range(4):
        loss = (w * 3.0 - 6.0) ** 2
        loss.backward()
        recorder.record(loss)
        expected.append((loss.data, w.data, w.grad))
        w.data, w.grad = w.data - 0.02 * w.grad, None
    frames = data_of(viz.player(recorder))["graphs"][0]["frames"]
    assert [(f["loss"], f["data"][0], f["grad"][0]) for f in frames] == expected
    assert [f["label"] for f in frames] == ["0", "1", "2", "3"]


def test_a_long_run_is_thinned_evenly():
    w = Value(1.0)
    recorder = viz.Recorder(limit=10)
    for _ in range(100):
        recorder.record(w * 2.0)
    assert recorder.steps == list(range(0, 100, 16))
    assert len(recorder.frames) == len(recorder.steps)


def test_constants_that_change_from_step_to_step_are_kept():
    w = Value(1.0)
    recorder = viz.Recorder()
    for target in (0.0, 1.0):
        recorder.record(w - target)
    frames = data_of(viz.player(recorder))["graphs"][0]["frames"]
    assert [frame["data"][1] for frame in frames] == [0.0, 1.0]
    recorder = viz.Recorder()
    for rate in (0.5, 0.1):
        recorder.record(nn.LeakyReLU(rate)(w))
    frames = data_of(viz.player(recorder))["graphs"][0]["frames"]
    assert [frame["calls"] for frame in frames] == [
        {"1": "leaky_relu(·, 0.5)"}, {"1": "leaky_relu(·, 0.1)"}
    ]  # fmt: skip


def test_a_recorder_refuses_another_computation():
    w = Value(1.0)
    recorder = viz.Recorder()
    recorder.record(w * 2.0)
    with pytest.raises(ValueError, match="step 1 was computed by other operations than step 0"):
        recorder.record(w + 2.0)


def test_a_recorder_has_no_still_picture(tmp_path):
    recorder = viz.Recorder()
    with pytest.raises(ValueError, match="empty"):
        viz.player(recorder)
    with pytest.raises(TypeError, match=r"save it as run\.html"):
        viz.save(recorder, tmp_path / "run.svg")
    with pytest.raises(ValueError, match="at least 2"):
        viz.Recorder(limit=1)


# Notebooks
def test_a_notebook_shows_a_small_graph():
    bundle = mimebundle(neuron())
    assert bundle["image/svg+xml"].startswith("<svg") and bundle["text/plain"].startswith("Value(")


def test_a_notebook_never_raises_and_falls_back_to_text():
    x = Value(1.0)
    for _ in range(5000):
        x = x + 1.0
    assert set(mimebundle(x)) == {"text/plain"}
    assert set(mimebundle(Value(1.0))) == {"text/plain"}

    class Broken(str):
        def __str__(self):
            raise RuntimeError

        __iter__ = isprintable = __str__

    strange = Value(1.0) * 2.0
    strange.name = Broken("x")
    assert set(mimebundle(strange)) == {"text/plain"}


def test_a_notebook_shows_a_module_as_a_table():
    class Odd(nn.Module):
        def summary(self):
            return "<b>"

        def __repr__(self):
            raise ValueError

    assert "78,500" in mimebundle(nn.MnistMLP())["text/html"]
    bundle = mimebundle(Odd())
    assert bundle["text/html"] == "<pre>&lt;b&gt;</pre>" and "Odd" in bundle["text/plain"]
    assert set(mimebundle(object())) == {"text/plain"}
    program = compile(lambda x: (x * x).sum())
    assert set(mimebundle(program)) == {"text/plain"}  # not compiled yet: it has no source
    program(np.ones(3))
    assert "x * x" in mimebundle(program)["text/html"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Value(1.0),
        lambda: Value(np.ones((2, 3)), requires_grad=False),
        lambda: Value(np.ones((2, 3))) * 2.0,
        lambda: Value(np.ones((0, 3))) * 2.0,
        lambda: Value(np.array(3.0)) * 2.0,
        lambda: Value(np.float32([1.0, 2.0])).sum(),
        lambda: Value(0.0).log(),
        lambda: Value(-1.0) ** 0.5,
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_any_value_has_its_pictures(make, tmp_path):
    value = make()
    for suffix in (".svg", ".dot", ".html"):
        assert viz.save(value, tmp_path / f"x{suffix}").stat().st_size > 100
    assert mimebundle(value)["text/plain"] == repr(value)


def test_a_page_shows_itself_in_a_frame():
    html = viz.player(neuron("<script>"))._repr_html_()
    elements = Elements(html)
    assert [tag for tag, _ in elements.found] == ["iframe"]
    assert elements.found[0][1]["sandbox"] == "allow-scripts"
    assert elements.found[0][1]["srcdoc"].startswith("<!DOCTYPE html>")


def test_number_is_what_the_page_writes_too():
    assert number(3e-7) == "+3.0e-07"


def test_more_nodes_than_a_page_can_hold():
    x = Value(1.0)
    for _ in range(20):
        x = x + 1.0
    with pytest.raises(ValueError, match="max_nodes=41"):
        viz.player(x, max_nodes=20)


# Several results
def test_several_results_are_played_together():
    x = Value(3.0, name="x")
    first = x * x
    second, third = first * 2.0, x + 1.0
    frame = frame_of(graph_of((second, third)))
    assert frame["grad"][0] == 4 * 3.0 + 1.0 and frame["loss"] == 18.0
    second.backward()
    third.backward(10.0)
    frame = frame_of(graph_of((second, third)))
    assert frame["grad"][0] == x.grad == 4 * 3.0 + 10.0 and frame["differs"] == []


def test_a_result_that_others_were_computed_from():
    x = Value(3.0, name="x")
    first = x * x
    second = first * 2.0
    second.backward()  # first.grad is 2 now, and none of it is its own
    graph = graph_of((first, second))
    frame = frame_of(graph)
    assert frame["grad"][0] == 2 * 3.0 + 4 * 3.0
    assert frame["seeds"] == {root.id: 1.0 for root in graph.roots}
    assert [event for event in events_of(graph) if event[0] == "seed"] == [("seed", 1), ("seed", 3)]


def test_several_results_are_taken_apart():
    x = Value(np.array([2.0, 3.0]), name="x")
    apart = scalar_record(graph_of(((x * x).sum(), x.sum())))
    assert [r.data for r in apart.results] == [4.0, 2.0] and apart.note == "sample 1 of 2"
