"""The fast lanes give the same bits as the plain engine, on random graphs of numbers and of arrays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

GRAPHS = 1000
SCRIPT = Path(__file__).with_name("random_graphs.py")


def digests(*more, plain=""):
    settings = {**os.environ, "TINYGRAD_COURSE_PLAIN": plain}
    command = [sys.executable, str(SCRIPT), str(GRAPHS), *more]
    return subprocess.run(command, env=settings, check=True, capture_output=True, text=True).stdout.split()


def test_both_engines_give_the_same_bits():
    pytest.importorskip("tinygrad_course.fast")
    fast, large, plain = digests(), digests("large"), digests(plain="1")
    assert fast[0] == large[0] == "fast" and plain[0] == "plain"
    assert len(fast) == GRAPHS + 1
    different = [i for i, found in enumerate(zip(fast, large, plain)) if i and len(set(found)) > 1]
    assert different == []
