"""The page to draw digits on: its numbers are the network's, strokes become MNIST's pixels, controls work."""

import base64
import json

import numpy as np
import pytest
from reading import wait_a_frame

from tinygrad_course import Value, data, nn, viz

MEAN, DEVIATION = 0.1307, 0.3081


@pytest.fixture(scope="module")
def images():
    return data.mnist().test_images[:200]


@pytest.fixture(scope="module")
def model():
    model, rng = nn.MnistMLP(rng=0), np.random.default_rng(0)
    for p in model.parameters():
        p.data = (p.data + rng.normal(scale=0.02, size=p.shape)).astype(np.float32)
    return model


@pytest.fixture
def page(browser, tmp_path, model, images):
    samples = [(images[i], f"image {i} of </script>") for i in range(10)]
    path = viz.digits(model, samples, tmp_path / "digit.html")
    assert path.stat().st_size <= 700_000
    browser.open(path)
    yield browser
    assert browser.complaints() == []
    assert browser.requests() == []


def drawn(browser, points):
    """Draw with the mouse through points of the sheet, 0 to 1."""
    x, y, wide = browser.run("(r => [r.x, r.y, r.width])(by('ink').getBoundingClientRect())")
    for k, (right, down) in enumerate(points):
        browser.mouse("mouseMoved" if k else "mousePressed", x + right * wide, y + down * wide)
    browser.mouse("mouseReleased", x + points[-1][0] * wide, y + points[-1][1] * wide)
    wait_a_frame(browser)


def test_logits_and_gradients_are_the_networks_own(page, model, images):
    text = base64.b64encode(images.tobytes()).decode()
    found = page.run(
        f"""(() => {{
          const bytes = bytesOf({json.dumps(text)});
          return Array.from({{ length: 200 }}, (_, n) => {{
            const image = Float32Array.from(bytes.subarray(784 * n, 784 * n + 784), (p) => p / 255);
            const {{ logits, slopes, probabilities }} = look(image, n % 10);
            return [logits, Array.from(slopes), probabilities];
          }});
        }})()"""
    )
    pixels = Value(images.reshape(200, 784).astype(np.float32) / np.float32(255))
    logits = model((pixels - MEAN) / DEVIATION)
    logits[np.arange(200), np.arange(200) % 10].sum().backward()
    for n, (got, slopes, probabilities) in enumerate(found):
        np.testing.assert_allclose(got, logits.data[n], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(slopes, pixels.grad[n], rtol=1e-4, atol=1e-4)
        e = np.exp(logits.data[n] - logits.data[n].max())
        np.testing.assert_allclose(probabilities, e / e.sum(), rtol=1e-4, atol=1e-6)


def test_strokes_become_pixels_as_in_mnist(page):
    """A bar drawn small in a corner fills 20 of 28 rows, centred, and as dark as ink."""
    drawn(page, [(0.15, 0.1 + 0.02 * k) for k in range(16)])
    image = np.reshape(page.run("Array.from(state.image)"), (28, 28))
    rows, columns = np.flatnonzero(image.max(1) > 0.3), np.flatnonzero(image.max(0) > 0.3)
    assert 19 <= len(rows) <= 21 and 3 <= len(columns) <= 6
    places = np.arange(28) + 0.5
    assert image.sum(1) @ places / image.sum() == pytest.approx(14, abs=0.05)
    assert image.sum(0) @ places / image.sum() == pytest.approx(14, abs=0.05)
    assert image.max() == 1


def test_what_is_shown_follows(page, images, model):
    text = lambda id: page.run(f"by({id!r}).textContent")
    assert text("says") == "" and page.run("!by('hint').hidden")
    page.click("#samples button:nth-child(4)")
    wait_a_frame(page)
    np.testing.assert_allclose(page.run("Array.from(state.image)"), images[3].ravel() / 255, rtol=1e-6)
    x = (images[3].reshape(1, 784).astype(np.float32) / 255 - MEAN) / DEVIATION
    logits = model(x).data[0]
    assert text("says").startswith(f"It is a {logits.argmax()}, says the network")
    assert text("note") == "image 3 of </script>"
    pressed = "[...document.querySelectorAll('#bars [aria-pressed=true]')].map((b) => b.ariaLabel[0]).join()"
    assert page.run(pressed) == str(logits.argmax())
    other = int(logits.argmin())
    page.click(f"#bars button:nth-child({other + 1})")
    assert page.run(pressed) == str(other)
    assert (
        page.run("[...document.querySelectorAll('.answer')].map((b) => b.textContent).join()")
        == f"{other},{other}"
    )
    active = np.maximum(model.hidden(x).data[0], 0)
    captions = page.run("[...document.querySelectorAll('#strongest figcaption')].map((c) => c.textContent)")
    assert [int(c.split(":")[0][1:]) - 1 for c in captions] == np.argsort(-active, kind="stable")[:6].tolist()
    shown = (
        "by('slopes').toDataURL() !== Object.assign(make('canvas'), { width: 560, height: 560 }).toDataURL()"
    )
    assert page.run(shown)
    page.click("#overlay")
    assert not page.run(shown)
    drawn(page, [(0.5, 0.3), (0.5, 0.7)])  # a new drawing takes the place of the test image
    assert text("note") == "" and page.run("!state.loaded")
    page.click("#clear")
    wait_a_frame(page)
    assert text("says") == "" and page.run("!inkOf().some((x) => x > 0)")


def test_it_fits_a_phone(page):
    page.size(390, 844, mobile=True)
    wait_a_frame(page)
    assert page.run("document.documentElement.scrollWidth") <= 390


def test_images_of_another_size_are_refused(tmp_path):
    with pytest.raises(ValueError, match="28 × 28 pixels"):
        viz.digits(nn.MnistMLP(rng=0), [(np.zeros((8, 8)), "small")], tmp_path / "digit.html")


def test_it_is_quick(page, capsys):
    """Nothing is asserted: the medians are for people to read."""
    median = page.run(
        """(() => {
          look(new Float32Array(784).fill(0.5));
          const times = Array.from({ length: 60 }, () => {
            const start = performance.now();
            for (let k = 0; k < 5; k++) PROGRAM.backward(PROGRAM.forward(values));
            return (performance.now() - start) / 5;
          });
          return times.sort((a, b) => a - b)[30];
        })()"""
    )
    with capsys.disabled():
        print(f"\nMnistMLP, one image, forward and backward in the browser: {median:.3f} ms (median)")
