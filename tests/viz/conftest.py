"""A browser for the tests that need one; they are skipped where there is none."""

import chromium
import pytest

from tinygrad_course import viz


@pytest.fixture(scope="module")
def browser():
    if chromium.find() is None:
        pytest.skip("needs a Chromium on the PATH (apt install chromium) to open pages in")
    browser = chromium.Browser()
    yield browser
    browser.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Open the page of a value; at the end, nothing was complained about and nothing fetched."""

    def open_page(value, module=None, **how):
        browser.open(viz.save(value, tmp_path / "page.html", module=module), **how)
        return browser

    yield open_page
    assert browser.complaints() == []
    assert browser.requests() == []
