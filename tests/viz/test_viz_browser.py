"""The page that plays backpropagation, in a real browser: every control, the numbers it shows, its looks."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from reading import (
    boxes,
    chosen,
    count,
    level,
    lines,
    lit,
    pressed,
    says,
    seen,
    set_to,
    wait_a_frame,
    wait_until,
)
from test_viz_graph import recorded_graphs
from test_viz_page import xor_loss, xor_network
from test_viz_pictures import neuron

from tinygrad_course import Value, viz
from tinygrad_course.viz.graph import graph_of
from tinygrad_course.viz.labels import number


# The numbers
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=recorded_graphs())
def test_the_last_frame_is_what_backward_gives(opened, value):
    browser = opened(value)
    browser.key("End")
    value.backward()
    for node in graph_of(value).nodes:
        assert lines(browser, node.id)[1].split()[-1] == number(node.value.data)
        assert lines(browser, node.id)[2] == f"grad {number(node.value.grad)}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=recorded_graphs())
def test_stepping_through_adds_up_to_it(opened, value):
    browser = opened(value)
    shown = {node.id: lines(browser, node.id) for node in graph_of(value).nodes}
    for node in graph_of(value).nodes:
        assert shown[node.id][1].split()[-1] == ("…" if node.operation else number(node.value.data))
        assert shown[node.id][2] == "grad –"
    total = int(count(browser).split("/")[1])
    for _ in range(total - 1):  # the last event says only that it is done
        browser.key("ArrowRight")
    value.backward()
    for node in graph_of(value).nodes:
        assert lines(browser, node.id)[2] == f"grad {number(node.value.grad)}"


@pytest.mark.parametrize(
    "x", [0.0, 1.0, -1.5, 3e-7, -2.5e12, 9999.99994, 12345.6, 4.9e-5, 5.1e-5, np.inf, np.nan]
)
def test_the_page_writes_numbers_as_python_does(opened, x):
    browser = opened(Value(2.0) * 3.0)
    wire = f"{x}" if np.isfinite(x) else f"'{x}'"
    assert browser.run(f"number({wire})") == number(x)


def test_what_it_says(opened):
    w, x, b = Value(-3.0, name="w"), Value(2.0, name="x"), Value(6.5, name="b")
    product = w * x
    product.name = "p"
    browser = opened((product + b).tanh())
    why = "document.getElementById('why').textContent"
    assert browser.run(why).startswith("Step computes p, the multiply of w -3.0000 and x +2.0000; Play")
    assert not browser.run("document.getElementById('step').disabled")
    browser.key("End")
    assert says(browser) == "result = +0.4621, and every value has its gradient."
    browser.key("Home")
    said = [says(browser)]
    for _ in range(7):
        browser.key("ArrowRight")
        said.append(says(browser))
    assert said == [
        "Inputs and parameters are given; nothing is computed yet.",
        "p = multiply of w -3.0000 and x +2.0000 = -6.0000",
        "v4 = add of p -6.0000 and b +6.5000 = +0.5000",
        "result = tanh of v4 +0.5000 = +0.4621",
        "result.grad = +1.0000",
        "v4.grad += local +0.7864 × upstream +1.0000 = +0.7864 (was –, now +0.7864)",
        "p.grad += local +1.0000 × upstream +0.7864 = +0.7864 (was –, now +0.7864)",
        "b.grad += local +1.0000 × upstream +0.7864 = +0.7864 (was –, now +0.7864)",
    ]
    assert browser.run(why) == "add: x + y; the rule for y: g; g is v4.grad +0.7864"
    assert lines(browser, 4)[1] == "v4 +0.5000"  # the box shows the name that sentences use
    assert lit(browser) == ["n2 n4", "s0-n2"]


def test_a_gradient_is_added_to_what_was_there(opened):
    x = Value(3.0, name="x")
    browser = opened(x * x)
    browser.key("End")
    browser.key("ArrowLeft")
    assert says(browser) == "x.grad += local +3.0000 × upstream +1.0000 = +3.0000 (was +3.0000, now +6.0000)"


def test_arrays_are_summed_up(opened):
    net = xor_network()
    browser = opened(xor_loss(net), net)
    browser.key("End")
    browser.key("ArrowLeft")
    assert says(browser).startswith("0.bias.grad += contribution (2,): mean ")
    why = browser.run("document.getElementById('why').textContent")
    assert why.startswith("linear: x @ weightᵀ + bias; the gradient for bias; g is v5.grad (4, 2)")


def test_an_operation_with_several_results(opened):
    parts = np.split(Value(np.arange(6.0), name="x"), 3)
    value = (parts[0] * parts[2]).sum()
    browser = opened(value)
    browser.key("Home")
    for _ in range(12):
        browser.key("ArrowRight")
    value.backward()
    assert lines(browser, 0) == ["x", "(6,)", f"‖grad‖ {number(np.linalg.norm([4, 5, 0, 0, 0, 1]))[1:]}"]


# The controls
PLAYED = "document.getElementById('count').textContent === '10 / 10'"
LEFT, WIDTH = (
    f"document.querySelector('#stage > svg:not([hidden])').viewBox.baseVal.{n}" for n in ("x", "width")
)


def test_buttons_step_back_and_forth(opened):
    browser = opened(neuron())
    assert count(browser) == "0 / 10"
    assert browser.run("document.getElementById('back').disabled")
    browser.key("End")
    browser.click("#back")
    browser.click("#back")
    assert count(browser) == "8 / 10"
    browser.click("#step")
    assert count(browser) == "9 / 10"
    browser.click("#step")
    assert count(browser) == "10 / 10"
    assert browser.run("document.getElementById('step').disabled")


def test_keys_step_jump_and_play(opened):
    browser = opened(neuron())
    for key, expected in [("Home", 0), ("ArrowLeft", 0), ("ArrowRight", 1), ("End", 10), ("ArrowRight", 10)]:
        browser.key(key)
        assert count(browser) == f"{expected} / 10"
    browser.key(" ")
    assert browser.run("document.getElementById('play').textContent") == "Pause"
    assert count(browser) == "0 / 10"  # from the end it begins anew
    browser.key(" ")
    assert browser.run("document.getElementById('play').textContent") == "Play"


def test_play_runs_to_the_end_and_pauses(opened):
    browser = opened(neuron())
    set_to(browser, "speed", 40, "change")
    browser.click("#play")
    wait_until(browser, PLAYED)
    assert browser.run("document.getElementById('play').getAttribute('aria-pressed')") == "false"


def test_speed_changes_while_playing(opened):
    browser = opened(neuron())
    browser.key("Home")
    set_to(browser, "speed", 2000, "change")
    browser.click("#play")
    set_to(browser, "speed", 40, "change")
    wait_until(browser, PLAYED)


def test_the_slider(opened):
    browser = opened(neuron())
    set_to(browser, "position", 3)
    assert count(browser) == "3 / 10" and lit(browser)[-1] == "s0-n5"
    browser.run("document.getElementById('position').focus()")
    browser.key("End")
    assert browser.run("document.getElementById('position').max") == "10"


def test_zoom_pan_fit_and_reset(opened):
    browser = opened(neuron())
    start = seen(browser)
    browser.click("#zoom-in")
    assert seen(browser)[2] == pytest.approx(start[2] / 1.25)
    browser.key("-")
    assert seen(browser) == pytest.approx(start)
    browser.mouse("mouseWheel", 400, 300, deltaX=30, deltaY=20)
    wait_until(browser, f"{LEFT} > {start[0]}")
    assert seen(browser)[2:] == pytest.approx(start[2:])  # scrolled
    browser.mouse("mouseWheel", 400, 300, deltaX=0, deltaY=-100, modifiers=2)
    wait_until(browser, f"{WIDTH} < {start[2]}")
    browser.click("#fit")
    assert seen(browser) == pytest.approx(start)
    x, y = browser.middle("#s0-n4")
    browser.mouse("mousePressed", x, y)
    browser.mouse("mouseMoved", x + 80, y + 40)
    browser.mouse("mouseReleased", x + 80, y + 40)
    assert seen(browser)[0] < start[0] and seen(browser)[1] < start[1]
    assert chosen(browser) == "w"  # a drag is no click
    browser.key("End")
    browser.click("#reset")
    assert seen(browser) == pytest.approx(start) and count(browser) == "0 / 10"


def test_hovering_shows_what_is_connected(opened):
    browser = opened(neuron())
    browser.mouse("mouseMoved", *browser.middle("#s0-n4"))
    near = browser.run("[...document.querySelectorAll('.link.near')].map(p => p.dataset.ends)")
    assert near == ["n3 n4", "n2 n4", "n4 n5"]
    assert browser.run("document.querySelector('#s0-n4 title').textContent") == "add | x + y"


def test_finding_a_name(opened):
    net = xor_network()
    browser = opened(xor_loss(net), net)
    level(browser, "Modules")
    browser.key("/")
    for letter in "bias":
        browser.key(letter)
    assert browser.run("document.getElementById('found').textContent") == "2 found"
    browser.key("Enter", "\r")
    assert browser.run("document.getElementById('found').textContent") == "1 of 2"
    assert chosen(browser) == "0.bias[0]"
    assert "n1" in boxes(browser)  # the layer was opened
    browser.key("Enter", "\r")
    assert chosen(browser) == "2.bias[0]"
    browser.key(" ")
    assert browser.run("document.getElementById('query').value") == "bias "
    assert count(browser) == "0 / 17"  # keys in the field neither step nor play
    assert browser.run("document.getElementById('play').textContent") == "Play"


def test_the_strip_shows_an_array(opened):
    net = xor_network()
    browser = opened(xor_loss(net), net)
    weight = next(node for node in graph_of(xor_loss(net), net).nodes if node.name == "0.weight")
    x, y = browser.middle(f"#s0-n{weight.id} .of-value")
    for kind in ("mousePressed", "mouseReleased"):
        browser.mouse(kind, x + 6, y - 6)  # the cell at the upper right
    assert chosen(browser) == "0.weight[0, 1]"
    assert browser.run("Number(document.getElementById('value').value)") == pytest.approx(weight.data[0, 1])
    painted = browser.run(
        "(c => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size)"
        "(document.getElementById('map'))"
    )
    assert painted > 3
    browser.click("#strip summary")
    wait_a_frame(browser)
    cells = browser.run("document.querySelector('#table table').innerText.split(/\\s+/).filter(Boolean)")
    assert cells == [number(float(entry)) for entry in weight.data.ravel()]
    set_to(browser, "entry", 2, "change")
    assert chosen(browser) == "0.weight[1, 0]"
    browser.key("PageDown")
    assert chosen(browser) == "0.bias[0]"


def test_the_strip_says_where_a_gradient_comes_from(opened):
    x = Value(3.0, name="x")
    browser = opened(x * x + x)
    browser.click("#s0-n0")
    parts = "[...document.querySelectorAll('#ledger li')].map(li => li.textContent)"
    assert browser.run(parts) == [
        "+1.0000 × +1.0000 from result", "+3.0000 × +1.0000 from v1", "+3.0000 × +1.0000 from v1"
    ]  # fmt: skip
    assert browser.run("document.getElementById('gradient').textContent") == "grad +7.0000"
    pending = "document.querySelectorAll('#ledger .pending').length"
    assert browser.run(pending) == 3
    set_to(browser, "position", 5)
    assert browser.run(pending) == 2  # one of them has been added so far
    browser.key("End")
    browser.run("document.querySelector('#stage > svg').focus()")
    browser.key("Enter", "\r")
    assert chosen(browser) == "result"


# Layers
def test_layers_open_and_close_by_clicks_and_keys(opened):
    net = xor_network()
    browser = opened(xor_loss(net), net)
    assert pressed(browser) == "Tensors"
    level(browser, "Modules")
    assert [key for key in boxes(browser) if key[0] == "g"] == ["g0", "g1"]
    browser.click("#s0-g0")
    assert "g1" in boxes(browser) and "g0" not in boxes(browser) and pressed(browser) is None
    browser.run("document.querySelector('#s0-g1').focus()")
    browser.key("Enter", "\r")
    assert pressed(browser) == "Tensors"
    browser.click("#s0-f0 .handle")
    assert "g0" in boxes(browser) and "g1" not in boxes(browser)
    assert browser.run("document.activeElement.id") == "s0-g0"
    assert browser.run("document.activeElement.getAttribute('aria-expanded')") == "false"


def test_what_happens_in_a_closed_layer_lights_the_layer(opened):
    net = xor_network()
    browser = opened(xor_loss(net), net)
    level(browser, "Modules")
    browser.key("End")
    browser.key("ArrowLeft")
    assert lit(browser) == ["s0-g0"]


def test_arrays_open_into_neurons_and_multiply_adds(opened):
    net = xor_network()
    browser = opened(xor_loss(net), net)
    level(browser, "Neurons")
    assert len([key for key in boxes(browser) if key[0] == "g"]) == 3
    level(browser, "Scalars")
    visible = "[...document.querySelectorAll('#stage svg:not([hidden]) .nodes text.title')]"
    titles = browser.run(f"{visible}.map(t => t.textContent)")
    assert titles.count("multiply") == 6 and titles.count("tanh") == 2
    assert "(sample 4 of 4)" in says(browser)
    browser.key("End")
    assert says(browser).startswith("sample's loss = ")
    assert browser.run("document.getElementById('now').textContent").endswith(" over 4 samples")


# A training run
def test_the_second_slider_moves_through_training(opened):
    w = Value(1.0, name="w")
    recorder = viz.Recorder()
    for _ in range(5):
        loss = (w * 3.0 - 6.0) ** 2
        loss.backward()
        recorder.record(loss)
        w.data, w.grad = w.data - 0.02 * w.grad, None
    browser = opened(recorder)
    browser.key("End")
    for step, frame in enumerate(recorder.frames):
        set_to(browser, "frame", step)
        wait_a_frame(browser)
        assert lines(browser, 0)[1:] == [number(frame["data"][0]), f"grad {number(frame['grad'][0])}"]
        label = browser.run("document.getElementById('frame-label').textContent")
        assert label == f"{step}, loss {number(frame['loss'])}"
    assert browser.run("document.querySelector('#curve path').getAttribute('d')").count("L") == 4
    said = browser.run("document.getElementById('curve-text').textContent")
    assert said == f"loss {number(recorder.frames[0]['loss'])} → {number(recorder.frames[-1]['loss'])}"


def test_constants_change_with_the_step(opened):
    w = Value(1.0, name="w")
    recorder = viz.Recorder()
    for target in (0.0, 1.0, 0.0):
        recorder.record(w - target)
    browser = opened(recorder)
    for step, target in enumerate((0, 1, 0)):
        set_to(browser, "frame", step)
        wait_a_frame(browser)
        assert lines(browser, 1)[0] == number(target)
        set_to(browser, "position", 1)
        assert says(browser) == f"result = subtract of w +1.0000 and {number(target)} = {number(1 - target)}"


def test_a_gradient_that_is_no_number(opened):
    w = Value(np.array([0.0, 1.0]), name="w")
    with np.errstate(all="ignore"):
        loss = (w * np.array([np.nan, 1.0])).sum()
    browser = opened(loss)
    browser.key("End")
    assert lines(browser, 0)[2] == "‖grad‖ nan"


def test_several_results_are_played(opened):
    w, x = Value(2.0, name="w"), Value(3.0, name="x")
    p = w * x
    browser = opened((p.tanh(), p - 1.0))
    browser.key("End")
    assert says(browser).startswith("result 1 = +1.0000, result 2 = +5.0000, and every value")
    set_to(browser, "position", 5)
    assert says(browser) == "result 2.grad = +1.0000"
    assert lines(browser, 3)[2] == "grad +1.0000" and lines(browser, 5)[2] == "grad +1.0000"
