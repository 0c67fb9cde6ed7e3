"""The demos lie beside the package, not in it: make ``from demos import ...`` work from any folder."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from short_runs import shared  # noqa: E402, F401  a fixture for all tests here
