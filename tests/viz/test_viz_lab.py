"""The page in which a network can be touched: it computes what Python does, and every control works."""

import numpy as np
import pytest
from reading import wait_a_frame, wait_until
from test_viz_task import CE, GATE, TABLE, hinge, layers, told

from tinygrad_course import Value, data, nn, optim, viz

LAB = "VIEWS.find((view) => view.key === 'network').lab"


# The page computes the same
@pytest.fixture
def opened(browser, tmp_path):
    """Open the page of a network; at the end, nothing was complained about and nothing fetched."""

    def open_page(model, x=GATE, y=TABLE, loss=None, **how):
        viz.lab(model, x, y, loss or nn.BCEWithLogitsLoss(), tmp_path / "lab.html")
        browser.open(tmp_path / "lab.html", **how)
        wait_a_frame(browser)
        return browser

    yield open_page
    assert browser.complaints() == []
    assert browser.requests() == []


def computed(browser):
    """The loss over all points and each parameter's gradient, as the page has them."""
    return browser.run(
        f"(({{ live, net }}) => {{ live.compute(); return [live.loss, "
        f"net.parameters.map((name) => [...live.gradients[net.gradient[name]]])]; }})({LAB})"
    )


def expected(model, x, y, loss):
    """The same in Python."""
    model.zero_grad()
    value = loss(model(x), y)
    value.backward()
    return value.item(), [p.grad.ravel() for p in model.parameters()]


def assert_same(browser, model, x, y, loss, rtol):
    ours, theirs = computed(browser), expected(model, x, y, loss)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=rtol)
    for mine, right in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_allclose(mine, right, rtol=rtol, atol=rtol * max(abs(right).max(), 1e-3))


BLOBS, KINDS = data.blobs(30, classes=3, seed=4)
MOONS, SIDES = data.moons(40, seed=2)
LINE = np.linspace(-1, 2, 9)[:, None]


@pytest.mark.parametrize(
    ("model", "x", "y", "loss", "rtol"),
    [
        (layers(2, 2, 1), GATE, TABLE, nn.BCEWithLogitsLoss(), 1e-12),
        (
            layers(2, 8, 4, 1, between=nn.ReLU),
            MOONS,
            SIDES[:, None],
            nn.BCEWithLogitsLoss(reduction="sum"),
            1e-12,
        ),
        (layers(2, 5, 3, between=nn.GELU), BLOBS, KINDS, CE, 1e-12),
        (
            layers(2, 5, 3, between=nn.Tanh, dtype=np.float32),
            BLOBS,
            np.eye(3)[KINDS],
            CE,
            2e-5,
        ),
        (layers(1, 1), LINE, LINE**2, nn.MSELoss(), 1e-12),
        (layers(4, 3, 2, between=nn.Softplus), np.hstack([BLOBS, BLOBS**2]), BLOBS, nn.L1Loss(), 1e-12),
    ],
)
def test_the_loss_of_all_points_and_its_gradients_are_pythons(opened, model, x, y, loss, rtol):
    assert_same(opened(model, x, y, loss), model, x, y, loss, rtol)


def test_neurons_too(opened):
    model = nn.MLP(2, [3, 2, 1], rng=1)
    browser = opened(model, MOONS, SIDES, hinge)
    loss, gradients = computed(browser)
    right = sum(hinge(model(x), y) for x, y in zip(MOONS.tolist(), SIDES.tolist())) / len(MOONS)
    right.backward()
    assert loss == pytest.approx(right.item(), rel=1e-12)
    weights = [n.w[j].grad for layer in model.layers for n in layer.neurons for j in range(len(n.w))]
    biases = [n.b.grad for layer in model.layers for n in layer.neurons]
    found = [np.concatenate(gradients[start::2]) for start in (0, 1)]
    np.testing.assert_allclose(found[0], weights, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(found[1], biases, rtol=1e-11, atol=1e-14)


def test_training_in_the_page_goes_where_it_goes_in_python(opened):
    model = layers(2, 4, 1, between=nn.Tanh)
    browser = opened(model, MOONS, SIDES[:, None])
    ends = browser.run(
        f"(({{ live, net }}) => {{ live.method = 'adam'; live.rate = 0.05; live.step(30);"
        f"return net.parameters.map((name) => [...live.values[name]]); }})({LAB})"
    )
    optimizer, criterion = optim.Adam(model.parameters(), lr=0.05), nn.BCEWithLogitsLoss()
    for _ in range(30):
        optimizer.zero_grad()
        criterion(model(MOONS), SIDES[:, None]).backward()
        optimizer.step()
    for p, end in zip(model.parameters(), ends, strict=True):
        np.testing.assert_allclose(end, p.data.ravel(), rtol=1e-8)


def test_an_input_and_what_is_between_have_their_share_of_the_gradient_of_all(opened):
    model, loss = layers(2, 3, 1), nn.BCEWithLogitsLoss()
    browser = opened(model, loss=loss)
    shares = browser.run(
        f"(({{ live, net, samples }}) => samples.all.map((_, i) => {{ samples.chosen = i; live.compute();"
        f"return [live.grad(net.x, 0), live.grad(net.x, 1)]; }}))({LAB})"
    )
    x = Value(GATE)
    loss(model(x), TABLE).backward()
    np.testing.assert_allclose(shares, x.grad, rtol=1e-12)


# Touching it
def at(browser, x, y):
    """Where a place of the input plane is on the screen."""
    return browser.run(
        f"(({{ plane, planeCanvas }}) => {{ const [x, y] = plane.toPixel([{x}, {y}]);"
        f"const area = planeCanvas.getBoundingClientRect(); return [area.x + x, area.y + y]; }})({LAB})"
    )


def drag(browser, start, *stops):
    browser.mouse("mousePressed", *start)
    for stop in stops:
        browser.mouse("mouseMoved", *stop)
    browser.mouse("mouseReleased", *(stops or [start])[-1])


def points(browser):
    """The points in the page, and the class of each."""
    return browser.run(f"(({{ samples }}) => samples.all.map((s) => [...s.x, samples.kind(s)]))({LAB})")


def test_points_are_added_dragged_and_removed_and_everything_follows(opened):
    model, loss = layers(2, 3, 1), nn.BCEWithLogitsLoss()
    browser = opened(model, loss=loss)
    assert points(browser) == [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]
    drag(browser, at(browser, 0.5, 0.5))  # a click where there is none
    browser.click("#network .brush")
    drag(browser, at(browser, 0.5, 1.2))
    assert np.round(points(browser), 1).tolist()[4:] == [[0.5, 0.5, 1], [0.5, 1.2, 0]]
    drag(browser, at(browser, 0, 0), at(browser, 0.2, -0.1), at(browser, 0.3, -0.2))
    found = np.array(points(browser))
    np.testing.assert_allclose(found[0], [0.3, -0.2, 0], atol=0.02)
    wait_a_frame(browser)
    assert_same(browser, model, found[:, :2], found[:, 2:], loss, 1e-12)
    x, y = at(browser, 1, 1)
    drag(browser, (x, y), (x, y - 30), (x - 500, y))  # out of the plane
    browser.click("#network .points > button")  # Remove, the chosen one
    assert len(points(browser)) == 4
    found = np.array(points(browser))
    assert_same(browser, model, found[:, :2], found[:, 2:], loss, 1e-12)


def test_the_plane_by_keys(opened):
    browser = opened(layers(2, 3, 1))
    said = "document.querySelector('#network .said').textContent"
    assert browser.run(said) == "drag points; click to add; drag out to remove"
    browser.run(f"{LAB}.planeCanvas.focus()")
    browser.key("PageUp")
    assert browser.run(said) == "point 4 of 4 at 1, 1"
    browser.key("PageDown")
    for key in ("PageDown", "ArrowLeft", "ArrowUp", "Insert", "PageUp", "PageUp", "Delete"):
        browser.key(key)
    found = points(browser)
    assert len(found) == 4
    assert found[1][0] < 0
    assert found[1][1] > 1
    browser.key("Delete")
    browser.key("Delete")
    browser.key("Delete")
    browser.key("Delete")
    assert len(points(browser)) == 1  # one stays
    wait_a_frame(browser)


def test_a_set_and_the_slides_weights_are_taken(opened):
    model = layers(2, 2, 1, dtype=np.float32)
    browser = opened(model)

    def choose(select, option):
        element = f"document.querySelectorAll('#network select')[{select}]"
        browser.run(f"(s => {{ s.value = {option}; s.dispatchEvent(new Event('change')); }})({element})")
        wait_a_frame(browser)

    choose(1, 1)
    assert browser.run(f"{LAB}.live.loss") < 1e-3  # the slide's table
    choose(1, 2)
    assert browser.run(f"{LAB}.live.loss") > 3  # as printed, it never fires
    choose(0, 5)
    x, labels = data.moons(100)
    np.testing.assert_allclose(points(browser), np.column_stack([x, labels]), atol=5e-4)
    choose(1, 0)
    assert_same(browser, model, x.round(3), labels[:, None], nn.BCEWithLogitsLoss(), 1e-5)


def chosen(browser):
    return browser.run(f"{LAB}.live.chosen")


def test_a_line_and_a_circle_choose_their_number(opened):
    model = layers(2, 3, 1)
    browser = opened(model)
    net = told(model)
    hidden, output = net["columns"]
    browser.click("[data-at='1 2']")
    assert chosen(browser) == {"name": hidden["bias"], "index": 2}
    browser.click("[data-at='0 1']")
    assert chosen(browser) == {"name": net["x"], "index": 1}
    line = "document.querySelector(`[data-at='2 0 1'] .wide`)"
    start, end = (browser.run(f"(l => [l.x{i}.baseVal.value, l.y{i}.baseVal.value])({line})") for i in (1, 2))
    stage = browser.run(f"(r => [r.x, r.y])({LAB}.stage.getBoundingClientRect())")
    browser.click("[data-at='2 0']")
    place = [s + 0.3 * a + 0.7 * b for s, a, b in zip(stage, start, end)]
    browser.mouse("mousePressed", *place)
    browser.mouse("mouseReleased", *place)
    assert chosen(browser) == {"name": output["weight"], "index": 1}
    assert browser.run("document.querySelectorAll('.net .chosen').length") == 1


def test_the_network_by_keys_and_in_words(opened):
    model = layers(2, 3, 1)
    browser = opened(model)
    browser.run("document.querySelector(`[data-at='0 0']`).focus()")
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowDown", "Enter"):
        browser.key(key)
        seen.append(browser.run("document.activeElement.dataset.at"))
    assert seen == ["1 0 0", "1 0", "1 1", "1 1 0", "1 1 1", "1 1 1"]
    hidden = told(model)["columns"][0]
    assert chosen(browser) == {"name": hidden["weight"], "index": 3}
    said = browser.run("document.activeElement.getAttribute('aria-label')")
    assert said == f"weight from x₂ to h₂: {model[0].weight.data[1, 1]:+.2f}"
    assert browser.run("document.querySelectorAll('#network [tabindex=\"0\"][data-at]').length") == 1


def test_lines_show_weights_or_gradients(opened):
    model = layers(2, 2, 1)
    browser = opened(model)
    of = "[line.classList[1], Number(line.getAttribute('stroke-width'))]"
    widths = f"[...document.querySelectorAll('.weight .seen')].map((line) => {of})"
    weights = np.concatenate([model[0].weight.data.ravel(), model[2].weight.data.ravel()])
    wait_a_frame(browser)
    for numbers, button in ((weights, 1), (None, 2)):
        if numbers is None:
            browser.click(f"#network .tools .switch button:nth-of-type({button})")
            wait_a_frame(browser)
            gradients = expected(model, GATE, TABLE, nn.BCEWithLogitsLoss())[1]
            numbers = np.concatenate([gradients[0], gradients[2]])
        for number, (sign, width) in zip(numbers, browser.run(widths), strict=True):
            assert sign == ("positive" if number > 0 else "negative")
            assert width == pytest.approx(0.5 + 7 * abs(number) / abs(numbers).max(), abs=0.06)


def test_circles_do_not_cover_the_numbers_of_weights(opened):
    browser = opened(layers(2, 4, 1, between=nn.Tanh), width=390, height=844)
    numbers, circles = (
        np.array(
            browser.run(
                f"[...document.querySelectorAll({these!r})].map((each) => each.getBoundingClientRect())"
                ".map(({ left, right, top, bottom }) => [left, right, top, bottom])"
            )
        )
        for these in (".net .number", ".net .ring")
    )
    assert (len(numbers), len(circles)) == (12, 7)
    for left, right, top, bottom in circles:
        x, y, radius = (left + right) / 2, (top + bottom) / 2, (right - left) / 2
        nearest = np.hypot(
            x - np.clip(x, numbers[:, 0], numbers[:, 1]), y - np.clip(y, numbers[:, 2], numbers[:, 3])
        )
        assert nearest.min() > radius - 3


def test_the_plane_shows_what_the_network_answers(opened):
    model = layers(2, 5, 1, between=nn.Tanh)
    browser = opened(model, MOONS, SIDES[:, None])
    wait_until(browser, f"!{LAB}.sweep.stale")
    places, results, sums = browser.run(
        f"(({{ sweep }}) => [Array.from(sweep.results[0], (_, i) => sweep.place(Math.floor(i / 40), i % 40)),"
        f"[...sweep.results[0]], [...sweep.sums[0][3]]])({LAB})"
    )
    np.testing.assert_allclose(results, model(np.array(places)).data[:, 0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(sums, model[0](np.array(places)).data[:, 3], rtol=1e-5, atol=1e-6)
    features = browser.run(f"{LAB}.samples.all.map((s) => [...s.features])")
    np.testing.assert_allclose(features, model[:2](MOONS).data, rtol=1e-12)


@pytest.mark.parametrize("sizes", [(2, 4, 1), (2, 1)])
def test_after_a_leap_the_points_are_in_sight_again(opened, sizes):
    browser = opened(layers(*sizes, between=nn.ReLU))
    browser.run(f"{LAB}.live.rate = 0.5; {LAB}.live.step(60)")
    wait_a_frame(browser)
    wait_until(browser, f"!{LAB}.features.moving")
    left, right, bottom, top = browser.run(f"{LAB}.features.box")
    if len(sizes) == 2:
        spots = np.array(browser.run(f"{LAB}.samples.all.map((s) => [s.sum, s.result])"))
        assert (spots > [left, bottom]).all() and (spots < [right, top]).all()
    painted = browser.run(
        "((canvas, pen) => { pen.canvas.width = pen.canvas.height = canvas.width;"
        "pen.drawImage(canvas, 0, 0);"
        "const { data } = pen.getImageData(0, 0, canvas.width, canvas.width);"
        "const [blue, orange] = ['--positive', '--negative'].map((name) => Colours.pixel(Colours.of(name)));"
        "const pixels = [...new Uint32Array(data.buffer)];"
        "return [blue, orange].map((one) => pixels.filter((p) => p === one).length); })"
        f"({LAB}.featureCanvas, make('canvas').getContext('2d'))"
    )
    assert min(painted) > 40  # points of both classes are seen


def test_a_regression_shows_its_curve_and_the_loss_over_two_numbers(opened):
    browser = opened(nn.Linear(1, 1, dtype=float, rng=0), LINE, 2 * LINE - 1, nn.MSELoss())
    wait_until(browser, f"{LAB}.features.surface?.lowest")
    lowest = browser.run(f"(({{ features }}) => features.surface.lowest.spot)({LAB})")
    np.testing.assert_allclose(lowest, [2, -1], atol=0.25)
    browser.run(f"(({{ live }}) => {{ live.method = 'sgd'; live.rate = 0.2; live.step(200); }})({LAB})")
    wait_a_frame(browser)
    assert browser.run(f"{LAB}.live.loss") < 1e-6


def test_training_that_goes_wrong_stops_without_a_complaint(opened):
    browser = opened(layers(1, 1), LINE, LINE, nn.MSELoss())
    browser.run(
        f"(({{ live }}) => {{ live.method = 'sgd'; live.rate = 1e9; live.step(12); live.step(40); }})({LAB})"
    )
    wait_a_frame(browser)
    assert browser.run(f"{LAB}.live.loss") is None  # not a finite number
    assert browser.run("document.querySelector('.net .number').textContent") in ("nan", "+inf", "-inf")


def test_rings_show_the_output_of_the_chosen_point(opened):
    model = layers(2, 4, 1, between=nn.Tanh)
    browser = opened(model)
    browser.run(f"{LAB}.plane.pick(2)")
    wait_a_frame(browser)
    stroke = "getComputedStyle(ring).stroke.match(/\\d+/g).map(Number)"
    rings = f"[...document.querySelectorAll('.ring')].map((ring) => {stroke})"
    outputs = [*GATE[2], *model[:2](GATE[2:3]).data[0], *model(GATE[2:3]).data[0]]
    for (red, _, blue), output in zip(browser.run(rings), outputs, strict=True):
        assert (blue > red + 20) == (output > 0.2)
        assert (red > blue + 20) == (output < -0.2)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_everything_is_inside_and_large_enough_to_read(opened, width, height):
    browser = opened(layers(2, 6, 3), BLOBS, KINDS, CE, width=width, height=height)
    wait_a_frame(browser)
    assert browser.run("document.documentElement.scrollWidth") <= width
    small = browser.run(
        "[...document.querySelectorAll('#network *')].filter((e) => !e.children.length && e.textContent &&"
        "!e.hasAttribute('hidden') && parseFloat(getComputedStyle(e).fontSize) < 11).map((e) => e.outerHTML)"
    )
    assert small == []
    circles = browser.run(
        "[...document.querySelectorAll('.ring')].map((c) => c.getBoundingClientRect())"
        ".map(({ left, right }) => [left, right])"
    )
    assert min(left for left, _ in circles) >= 0
    assert max(right for _, right in circles) <= width
    browser.run(f"{LAB}.live.step(200); document.querySelector('#views [data-key=graph]').click()")
    wait_a_frame(browser)
    lines = browser.run("document.querySelector('header').getBoundingClientRect().height") / 45
    assert lines < (1.1 if width > 1000 else 5)


def test_2_16_16_1_on_100_points_trains_while_it_is_shown(opened):
    x, labels = data.moons(100)
    browser = opened(layers(2, 16, 16, 1, between=nn.ReLU, dtype=np.float32), x, labels[:, None])
    browser.call("Performance.enable", timeDomain="threadTicks")  # computing, whatever else the machine does

    def busy():
        metrics = browser.call("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "TaskDuration")

    def play(frames):
        return browser.run(
            f"(({{ live }}) => new Promise((done) => {{ let left = {frames}; const start = performance.now();"
            "const frame = () => { left -= 1; if (left) return requestAnimationFrame(frame);"
            "live.play(false); return done(performance.now() - start); };"
            f"live.play(true); requestAnimationFrame(frame); }}))({LAB})"
        )

    play(30)  # until everything is compiled
    before = busy()
    seconds = play(60) / 1000
    cost = (busy() - before) / 60 * 1000
    print(
        f"\n2-16-16-1 on 100 points: {cost:.1f} ms of computing a frame, {60 / seconds:.0f} frames a second"
    )
    assert browser.run(f"{LAB}.live.steps") > 60
