"""The fast lanes give the same bits as the plain engine, on random graphs of numbers and of arrays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

GRAPHS = 1000
SCRIPT = Path(__file__).with_name("random_graphs.py")


def digests(plain):
    settings = {**os.environ, "TINYGRAD_COURSE_PLAIN": "1" if plain else ""}
    command = [sys.executable, str(SCRIPT), str(GRAPHS)]
    return subprocess.run(command, env=settings, check=True, capture_output=True, text=True).stdout.split()


def test_both_engines_give_the_same_bits():
    pytest.importorskip("tinygrad_course.fast")
    fast, plain = digests(plain=False), digests(plain=True)
    assert fast[0] == "fast" and plain[0] == "plain"
    assert len(fast) == GRAPHS + 1
    different = [i for i, (a, b) in enumerate(zip(fast, plain)) if i and a != b]
    assert different == []
