"""The live page, in a real browser: whatever is changed, all numbers follow, as Python's would."""

import json
import re
from html import unescape

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import chosen, level, lines, says, set_to, wait_a_frame, wait_until
from test_viz_graph import recorded_graphs
from test_viz_page import data_of, xor_loss, xor_network
from test_viz_pictures import neuron

from tinygrad_course import Value, nn, optim, viz
from tinygrad_course.viz.graph import graph_of
from tinygrad_course.viz.labels import number
from tinygrad_course.viz.live import NotLive

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([[0.0], [1.0], [1.0], [0.0]])


def text(browser, name):
    return browser.run(f"document.getElementById({name!r}).textContent")


def put(browser, value):
    """Type a number into the strip."""
    set_to(browser, "value", value, "change")
    wait_a_frame(browser)


def weights(browser):
    browser.click("#weights")
    given = json.loads(browser.run("document.getElementById('json').value"))
    browser.click("#shut")
    return given


# Numbers that are touched
def test_a_number_is_typed_dragged_and_nudged_and_all_follow(opened):
    def value(w, x=2.0):
        w, x, b = Value(w, name="w"), Value(x, name="x"), Value(6.5, name="b")
        return (w * x + b).tanh()

    browser = opened(neuron())
    assert chosen(browser) == "w" and lines(browser, 5)[1] == "result …"
    for w in (-3.3, -2.5):
        put(browser, w)
        expected = value(w)
        expected.backward()
        for node in graph_of(expected).nodes:  # everything is computed once something was changed
            assert lines(browser, node.id)[1].split()[-1] == number(node.value.data)
            assert lines(browser, node.id)[2] == f"grad {number(node.value.grad)}"
        assert text(browser, "now") == f"result {number(expected.data)}"
    set_to(browser, "slider", -3.25)
    wait_a_frame(browser)
    w = browser.run("Number(document.getElementById('slider').value)")
    assert lines(browser, 0)[1] == number(w) and abs(w + 3.25) < 0.05
    browser.key("]")
    wait_a_frame(browser)
    assert lines(browser, 0)[1] == number(w + 0.01)
    browser.click("#s0-n1")
    assert chosen(browser) == "x"
    put(browser, 1.5)
    assert text(browser, "now") == f"result {number(value(w + 0.01, 1.5).data)}"


def again(value, leaf, new):
    """The same graph recorded once more, with another number in one leaf: its Values, node by node."""
    made = []
    for node in graph_of(value).nodes:
        if not node.operation:
            made.append(Value(new if node.id == leaf else node.data))
            continue
        operands = list(node.row.operands(node.value.args))
        for edge in node.inputs:
            operands[edge.operand] = made[edge.source.id]
        args = node.row.with_operands(node.value.args, operands)
        made.append(Value.apply_row(node.row, args, node.value.kwargs))
    return made


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=recorded_graphs(), new=st.floats(-2, 2), pick=st.integers(0, 4))
def test_in_any_graph_all_numbers_follow(opened, value, new, pick):
    browser = opened(value)
    leaves = [node.id for node in graph_of(value).nodes if not node.operation]
    leaf = leaves[pick % len(leaves)]
    browser.run(
        f"document.getElementById('s0-n{leaf}').dispatchEvent(new Event('click', {{ bubbles: true }}))"
    )
    put(browser, new)
    expected = again(value, leaf, new)
    expected[-1].backward()
    for i, node in enumerate(expected):
        assert lines(browser, i)[1].split()[-1] == number(node.data)
        assert lines(browser, i)[2] == f"grad {number(node.grad)}"


def test_a_nudge_shows_what_a_gradient_is(opened):
    browser = opened(neuron())
    epsilon = 0.1
    set_to(browser, "epsilon", epsilon, "change")
    before, after = np.tanh(-3.0 * 2.0 + 6.5), np.tanh((-3.0 + epsilon) * 2.0 + 6.5)
    assert float(text(browser, "predicted")) == pytest.approx(epsilon * 2.0 * (1 - before**2), abs=1e-6)
    assert float(text(browser, "real")) == pytest.approx(after - before, abs=1e-6)
    browser.click("#more")
    wait_a_frame(browser)
    assert text(browser, "now") == f"result {number(after)}"
    browser.click("#less")
    wait_a_frame(browser)
    assert text(browser, "now") == f"result {number(before)}"
    curve, tangent = (
        browser.run(f"document.getElementById('{line}').getAttribute('d')").replace("M", "L").split("L")[1:]
        for line in ("curve-line", "tangent")
    )
    assert len(curve) >= 9 and len(tangent) == 2
    here = [browser.run(f"Number(document.getElementById('here').getAttribute('{c}'))") for c in ("cx", "cy")]
    (x0, y0), (x1, y1) = (map(float, end.split()) for end in tangent)
    assert y0 + (y1 - y0) * (here[0] - x0) / (x1 - x0) == pytest.approx(here[1], abs=0.5)  # it goes through
    browser.click("#s0-n4")
    assert "follows" in text(browser, "whynot") and browser.run("document.getElementById('value').disabled")


def test_entries_of_arrays_inputs_and_targets_are_changed(opened):
    net = xor_network()
    browser = opened(xor_loss(net), net)
    ids = {n.name: n.id for n in graph_of(xor_loss(net), net).nodes}
    for name, entry, new in [
        ("input", 3, 0.25),
        ("target", 1, -2.0),
        ("0.weight", 2, 1.75),
        ("2.bias", 0, -0.5),
    ]:
        browser.click(f"#s0-n{ids[name]}")
        set_to(browser, "entry", entry, "change")
        put(browser, new)
    x, y = X.copy(), Y.copy()
    x[1, 1], y[1, 0] = 0.25, -2.0
    with_changes = xor_network()
    with_changes[0].weight.data[1, 0], with_changes[2].bias.data[0] = 1.75, -0.5
    loss = nn.MSELoss()(with_changes(x), y)
    loss.backward()
    assert text(browser, "now") == f"result {number(loss.item())} over 4 samples"
    browser.click(f"#s0-n{ids['0.weight']}")
    set_to(browser, "entry", 2, "change")
    assert text(browser, "gradient") == f"grad {number(with_changes[0].weight.grad[1, 0])}"
    browser.click("#reset")
    wait_a_frame(browser)
    assert text(browser, "now") == f"result {number(xor_loss(net).item())} over 4 samples"


def test_the_same_numbers_in_all_levels_and_any_sample(opened):
    net = xor_network()
    browser = opened(xor_loss(net), net)
    put(browser, 0.75)
    net[0].weight.data[0, 0] = 0.75
    level(browser, "Scalars")
    assert chosen(browser) == "0.neurons.0.weight.0"  # the entry that was chosen
    for sample in range(4):
        browser.run(f"document.getElementById('sample').selectedIndex = {sample}")
        browser.run("document.getElementById('sample').dispatchEvent(new Event('change'))")
        wait_a_frame(browser)
        one = nn.MSELoss()(net(X[sample : sample + 1]), Y[sample : sample + 1])
        assert says(browser) == (
            f"sample's loss = {number(one.item())}, and every value has its gradient "
            f"(sample {sample + 1} of 4)."
        )
    put(browser, -1.0)
    net[0].weight.data[0, 0] = -1.0
    assert text(browser, "now") == f"result {number(xor_loss(net).item())} over 4 samples"
    level(browser, "Tensors")
    assert chosen(browser) == "0.weight[0, 0]"


# Training
@pytest.mark.parametrize("method", ["sgd", "momentum", "adam"])
def test_it_trains_as_python_does(opened, method):
    net = xor_network()
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 2)), rng.normal(size=(4, 1))

    def loss_now():
        return nn.MSELoss()(net(x), y)

    browser = opened(loss_now(), net)
    set_to(browser, "method", f"'{method}'", "change")
    set_to(browser, "rate", 0.2, "change")
    make = {
        "sgd": optim.SGD,
        "momentum": lambda p, lr: optim.SGD(p, lr=lr, momentum=0.9),
        "adam": optim.Adam,
    }[method]
    optimizer = make(net.parameters(), lr=0.2)
    losses = [loss_now().item()]
    for _ in range(5):
        browser.click("#one")
        optimizer.zero_grad()
        loss = loss_now()
        loss.backward()
        optimizer.step()
        losses.append(loss_now().item())
    wait_a_frame(browser)
    assert text(browser, "now") == f"result {number(losses[-1])} over 4 samples · step 5"
    given = weights(browser)
    for name, parameter in net.named_parameters():
        np.testing.assert_allclose(given[name], parameter.data, rtol=1e-4, atol=1e-6)
    assert text(browser, "curve-text") == f"loss {number(losses[0])} → {number(losses[-1])}"
    for step in (2, 0, 5):  # back in time, and forth
        set_to(browser, "frame", step)
        wait_a_frame(browser)
        assert text(browser, "frame-label") == f"{step}, loss {number(losses[step])}"
    set_to(browser, "frame", 2)
    wait_a_frame(browser)
    for _ in range(3):
        browser.click("#one")
    wait_a_frame(browser)
    assert text(browser, "now").split()[1] == number(losses[-1])  # the optimizer remembers too
    assert browser.run("document.getElementById('frame').max") == "5"


def test_it_plays_until_it_is_stopped(opened):
    browser = opened(neuron())
    browser.key("t")
    wait_until(browser, "Number(document.getElementById('now').textContent.split(' ').pop()) > 2")
    browser.key("t")
    wait_a_frame(browser)
    steps = int(text(browser, "now").rpartition(" ")[2])
    assert steps > 2 and text(browser, "train") == "Train"
    browser.run("new Promise(done => setTimeout(done, 100))")
    assert int(text(browser, "now").rpartition(" ")[2]) == steps
    assert float(text(browser, "now").split()[1]) < np.tanh(0.5)  # it went down


def test_the_lines_that_load_the_weights_do(opened, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = xor_network()
    browser = opened(xor_loss(model), model)
    browser.click("#one")
    wait_a_frame(browser)
    (tmp_path / "weights.json").write_text(json.dumps(weights(browser)))
    exec(text(browser, "lines"), {"model": model})
    assert number(xor_loss(model).item()) == text(browser, "now").split()[1]
    w, x, b = Value(-3.0, name="w"), Value(2.0, name="x"), Value(6.5, name="b")
    browser = opened((w * x + b).tanh())
    put(browser, 1.25)
    (tmp_path / "weights.json").write_text(json.dumps(weights(browser)))
    exec(text(browser, "lines"), {"w": w, "b": b})
    assert w.data == 1.25 and type(w.data) is float
    same = [Value(1.0, name="__proto__"), Value(2.0, name="w"), Value(3.0, name="w")]
    browser = opened(same[0] * same[1] * same[2])
    given = browser.run("(document.getElementById('weights').click(), document.getElementById('json').value)")
    assert json.loads(given) == {"__proto__": 1.0, "w": 2.0, "w (2)": 3.0}


def test_a_recorded_run_goes_on_in_the_page(opened):
    net = xor_network()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    recorder = viz.Recorder(net)
    for _ in range(3):
        optimizer.zero_grad()
        loss = xor_loss(net)
        loss.backward()
        recorder.record(loss)
        optimizer.step()
    browser = opened(recorder)
    assert text(browser, "frame-label") == f"2, loss {number(loss.item())}"
    browser.click("#one")
    wait_a_frame(browser)
    assert text(browser, "frame-label") == f"3, loss {number(xor_loss(net).item())}"
    set_to(browser, "frame", 0)
    wait_a_frame(browser)
    assert text(browser, "now").split()[1] == number(recorder.frames[0]["loss"])


# Replays
def test_where_it_cannot_be_live_it_says_why(opened):
    dropout = nn.Dropout(0.5, rng=0)
    browser = opened(dropout(Value(np.ones(4), name="w")).sum())
    assert "dropout" in text(browser, "replay")
    assert browser.run("document.getElementById('learning').hidden")
    browser.key("End")
    assert says(browser).startswith("result = ")
    value = neuron()
    value.backward(2.0)
    assert "gradient of its own" in data_of(viz.player(value))["live"]["reason"]
    recorder = viz.Recorder()
    for _ in range(2):
        recorder.record((Value(np.ones(500), name="w") ** 2).sum())
    assert "summaries" in data_of(viz.player(recorder))["live"]["reason"]
    recorder = viz.Recorder()
    for n in (3, 2):
        recorder.record((Value(2.0, name="w") * np.ones(n)).sum())
    assert "shapes" in data_of(viz.player(recorder))["live"]["reason"]


def test_where_only_the_single_numbers_are_still_it_says_why(opened, monkeypatch):
    def refuse(*_):
        raise NotLive("sort cannot be written in JavaScript: its row does not say how")

    monkeypatch.setattr("tinygrad_course.viz.page.lens_part", refuse)
    net = xor_network()
    browser = opened(xor_loss(net), net)
    shown = "document.getElementById('replay').checkVisibility()"
    assert not browser.run(shown)
    level(browser, "Scalars")
    assert browser.run(shown) and "as saved" in text(browser, "replay")
    assert "sort cannot be written in JavaScript" in text(browser, "replay")
    level(browser, "Tensors")
    assert not browser.run(shown)


def test_values_that_are_computed_alike_have_gradients_of_their_own(opened):
    w = Value(2.0, name="w")
    once, again = w * w, w * w
    browser = opened(once + again * 3.0)
    browser.key("End")
    assert [lines(browser, node)[2] for node in (1, 2)] == ["grad +1.0000", "grad +3.0000"]


def test_a_result_that_is_no_single_number_is_live_without_a_loss(opened):
    browser = opened(Value(np.array([1.0, 2.0]), name="w") * 2.0)
    assert "no loss" in text(browser, "whynot")
    put(browser, 5.0)
    browser.click("#s0-n2")
    assert browser.run("Number(document.getElementById('value').value)") == 10.0


def test_blue_is_above_zero_and_orange_below_and_zero_is_grey(opened):
    for dark in (False, True):
        browser = opened(neuron(), dark=dark)
        blue, orange, grey = (browser.run(f"Colours.tint({x}, 1)") for x in (1, -1, 0))
        assert blue[2] > blue[1] > blue[0] and orange[0] > orange[1] > orange[2]
        assert max(grey) - min(grey) < 20
        browser.key("End")
        fill = "document.querySelector('#s0-n{} .of-{}').getAttribute('fill')"
        assert browser.run(fill.format(2, "value")) == f"rgb({' '.join(map(str, blue))})"  # b is +6.5
        assert browser.run(fill.format(0, "value")) == f"rgb({' '.join(map(str, orange))})"  # w is -3


def test_of_several_results_the_sum_is_the_loss(opened):
    w = Value(2.0, name="w")
    browser = opened((w * w, w * 3.0))
    assert text(browser, "now") == "sum of results +10.0000"
    assert float(text(browser, "predicted")) == pytest.approx(0.01 * 7.0)
    assert float(text(browser, "real")) == pytest.approx(2.01**2 + 3 * 2.01 - 10.0, abs=1e-6)


def test_who_wants_no_motion_gets_none(opened):
    browser = opened(neuron())
    moving = "getComputedStyle(document.querySelector('#stage .shape')).transitionDuration"
    assert browser.run(moving) != "0s"
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.call("Emulation.setEmulatedMedia", media="", features=features)
    assert browser.run(moving) == "0s"


def test_every_box_shows_the_name_that_sentences_use():
    network, net = nn.MLP(2, [2, 1], rng=0), xor_network()
    for value, module in [((network([1.0, 0.0]) - 1.0) ** 2, network), (xor_loss(net), net)]:
        page = viz.player(value, module=module)
        for number_of_graph, graph in enumerate(data_of(page)["graphs"]):
            for i, node in enumerate(graph["nodes"]):
                box = page.html.split(f'id="s{number_of_graph}-n{i}"')[1].split("</g>")[0]
                shown = re.findall(r"<text[^>]*>([^<]*)</text>", unescape(box))
                label = node.get("label") or shown[0]  # without the layer that is written around it
                assert label and node["title"].endswith(label) and label in shown[bool(node.get("label"))]


def test_the_text_of_a_page_is_short():
    assert repr(viz.player(neuron())).startswith("<Page of ") and len(repr(viz.player(neuron()))) < 80
