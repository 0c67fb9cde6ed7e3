"""Settings of the whole suite: generated inputs are the same in every run, and few enough to be quick.

``HYPOTHESIS_PROFILE=thorough pytest`` draws many more, different ones in every run.
"""

import os

import chromium
import pytest
from hypothesis import HealthCheck, Phase, settings

relaxed = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
common = {"deadline": None, "database": None, "suppress_health_check": relaxed}
phases = [Phase.explicit, Phase.generate, Phase.shrink]
settings.register_profile("quick", max_examples=8, derandomize=True, phases=phases, **common)
settings.register_profile("brief", max_examples=3, derandomize=True, phases=phases, **common)
settings.register_profile("thorough", max_examples=100, phases=phases, **common)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_collection_modifyitems(items):
    """``pytest -m oracle`` runs what compares with PyTorch: the tests that say so in their names."""
    for item in items:
        if "torch" in item.name:
            item.add_marker("oracle")


@pytest.fixture(scope="session")
def browser():
    """A browser for the tests that need one; they are skipped where there is none."""
    if chromium.find() is None:
        pytest.skip("needs a Chromium on the PATH (apt install chromium) to open pages in")
    browser = chromium.Browser()
    yield browser
    browser.close()
