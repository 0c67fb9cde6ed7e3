"""The lecture, runnable: one demo a part.  ``python -m demos`` lists them."""

import sys
from pathlib import Path

# `python demos/xor.py` finds the files beside it by their names alone.  This lets `python -m demos.xor` do so
# too, with style.py one module under both of its names.
sys.path.insert(0, str(Path(__file__).parent))

from . import style

sys.modules["style"] = style
