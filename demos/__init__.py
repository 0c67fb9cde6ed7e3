"""The lecture, runnable: one demo a part.  ``python -m demos`` lists them."""

import sys
from pathlib import Path

# `python demos/xor.py` finds style.py beside it; this lets `python -m demos.xor` find it by the same name.
sys.path.insert(0, str(Path(__file__).parent))
