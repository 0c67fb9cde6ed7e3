"""The switch between light and dark: as the screen until it is touched, then as the reader wants."""

import numpy as np
from reading import wait_a_frame, wait_until
from test_viz_page import xor_loss, xor_network
from test_viz_task import layers

from tinygrad_course import data, nn, viz

BACK = "getComputedStyle(document.body).backgroundColor"
NODE = "getComputedStyle(document.querySelector('#stage .operation .shape')).fill"
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 23, 27)"


def screen(browser, scheme):
    """What the reader's screen asks for."""
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    wait_a_frame(browser)


def is_dark(browser):
    """Whether the page is dark; everything in it has to agree."""
    found = browser.run(BACK)
    assert found in (LIGHT, DARK)
    dark = found == DARK
    assert browser.run("document.getElementById('scheme').getAttribute('aria-pressed')") == str(dark).lower()
    assert browser.run("SCHEME.dark") == dark
    assert sum(browser.run("Colours.of('--paper')")) == (sum((20, 23, 27)) if dark else 3 * 255)
    return dark


def test_it_follows_the_screen_until_it_is_touched(opened):
    net = xor_network()
    browser = opened(xor_loss(net), net)
    fills = {False: browser.run(NODE)}
    assert not is_dark(browser)
    screen(browser, "dark")
    fills[True] = browser.run(NODE)
    assert is_dark(browser) and fills[True] != fills[False]
    screen(browser, "light")
    assert not is_dark(browser)
    browser.click("#scheme")
    assert is_dark(browser) and browser.run(NODE) == fills[True]
    assert browser.run("getComputedStyle(document.documentElement).colorScheme") == "dark"
    for scheme in ("dark", "light"):  # from now on it is the reader's
        screen(browser, scheme)
        assert is_dark(browser)
    browser.click("#scheme")
    assert not is_dark(browser) and browser.run(NODE) == fills[False]
    screen(browser, "dark")
    assert not is_dark(browser) and browser.run(NODE) == fills[False]


def test_a_page_around_it_says_how_it_looks(opened):
    browser = opened(xor_loss(xor_network()))
    for dark in (True, False, True):
        browser.run(f"window.postMessage({{ dark: {str(dark).lower()} }}, '*')")
        wait_until(browser, f"SCHEME.dark === {str(dark).lower()}")
        assert is_dark(browser) == dark
    for nonsense in ("{}", "null", "{ dark: 'no' }", "7"):
        browser.run(f"window.postMessage({nonsense}, '*')")
    wait_a_frame(browser)
    assert is_dark(browser)
    assert not browser.complaints()


def test_keys_and_a_screen_reader_reach_it(opened):
    browser = opened(xor_loss(xor_network()))
    browser.run("document.getElementById('scheme').focus()")
    for key, text in (("Enter", "\r"), (" ", "")):
        before = is_dark(browser)
        browser.key(key, text)
        assert is_dark(browser) != before
    assert browser.run("document.getElementById('count').textContent").startswith("0 /")  # and nothing played
    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    node = next(n for n in tree if n.get("name", {}).get("value") == "Dark colours")
    assert node["role"]["value"] in ("button", "ToggleButton")
    assert any(p["name"] == "pressed" for p in node["properties"])


def test_paper_stays_white(opened):
    browser = opened(xor_loss(xor_network()))
    browser.click("#scheme")
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.run(BACK) == LIGHT
    assert browser.run(NODE) != "rgb(36, 42, 49)"


def test_the_network_turns_too_and_its_colours_keep_their_meaning(browser, tmp_path):
    x, y = data.gates("xor")
    viz.lab(layers(2, 3, 1), x, y[:, None], nn.BCEWithLogitsLoss(), tmp_path / "lab.html")
    browser.open(tmp_path / "lab.html")
    lab = "VIEWS.find((view) => view.key === 'network').lab"
    corner = (
        f"(pen => (pen.drawImage({lab}.planeCanvas, 0, 0),"
        " [...pen.getImageData(3, 3, 1, 1).data].slice(0, 3)))"
        "(make('canvas').getContext('2d'))"
    )
    seen = []
    for _ in range(2):
        wait_a_frame(browser)
        wait_until(browser, f"!{lab}.sweep.stale")
        wait_a_frame(browser)
        lines = browser.run(
            "[...document.querySelectorAll('.weight .seen.positive')].map((l) => getComputedStyle(l).stroke)"
        )
        assert lines
        for line in lines:
            red, _, blue = (int(n) for n in line[4:-1].split(", "))
            assert blue > red
        for sign in (1, -1):
            red, _, blue = browser.run(f"Colours.tint({sign}, 1)")
            assert (blue - red) * sign > 0
        seen.append(sum(browser.run(corner)))
        browser.click("#scheme")
    assert seen[0] > seen[1] + 90  # the canvas was painted anew, darker
    assert browser.complaints() == []


def test_a_drawn_digit_stays(browser, tmp_path):
    viz.digits(nn.MnistMLP(rng=0), [(np.eye(28, dtype=np.uint8) * 255, "a stroke")], tmp_path / "digit.html")
    browser.open(tmp_path / "digit.html")
    browser.click("#samples button")
    wait_a_frame(browser)
    ink = "Math.max(...sheet.getImageData(5, 5, 1, 1).data.slice(0, 3))"
    says = "document.getElementById('says').textContent"
    light, said = browser.run(ink), browser.run(says)
    browser.click("#scheme")
    wait_a_frame(browser)
    assert is_dark(browser)
    assert light < 60 and browser.run(ink) > 200
    assert said and browser.run(says) == said
    assert browser.complaints() == []
