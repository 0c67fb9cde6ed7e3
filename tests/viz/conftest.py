"""Pages of values, opened in a browser."""

import pytest
from reading import wait_a_frame

from tinygrad_course import viz


@pytest.fixture
def opened(browser, tmp_path):
    """Open the page of a value; at the end, nothing was complained about and nothing fetched."""

    def open_page(value, module=None, **how):
        browser.open(viz.save(value, tmp_path / "page.html", module=module), **how)
        wait_a_frame(browser)
        return browser

    yield open_page
    assert browser.complaints() == []
    assert browser.requests() == []
