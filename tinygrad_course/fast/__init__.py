"""Fast lanes: the engine again, for the cases that are nearly all there are, and nothing else.

Two Python floats or two arrays are recorded without looking further, and the walk knows the shapes of what it
meets.  Whatever is out of the ordinary falls back to the engine.  Nothing imports this room, and the package
is complete without it: delete it, or set ``TINYGRAD_COURSE_PLAIN=1``, and everything takes longer.
"""

import numpy as np

from ..engine import backprop, record
from . import recording, walk

# The C library hands large arrays back to the system when they go, and pages that are fresh again cost more
# than the arithmetic on them: a chain of four operations on a million numbers takes five times as long.  It
# learns what to keep from what is freed, so it is shown one array, as large as it learns from, never written.
np.empty(2**25 - 2**16, np.uint8)

recording.install()
backprop.walk = walk.walk
for module in (record, backprop):  # those who come later find it in the record
    module.ancestors = walk.ancestors  # type: ignore[attr-defined]
