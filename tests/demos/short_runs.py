"""Each demo run once and briefly, for all tests of a process; and the tables that the slides have."""

import functools

import pytest

from demos.book.run import run

AND = [["0", "0", "-30", "0"], ["0", "1", "-10", "0"], ["1", "0", "-10", "0"], ["1", "1", "10", "1"]]
OR = [["0", "0", "-10", "0"], ["0", "1", "10", "1"], ["1", "0", "10", "1"], ["1", "1", "30", "1"]]
XOR = [  # inputs, OR, AND, the output neuron's z as its table needs it, the output, and what it should be
    ["0", "0", "0", "0", "-10", "0", "0"],
    ["0", "1", "1", "0", "10", "1", "1"],
    ["1", "0", "1", "0", "10", "1", "1"],
    ["1", "1", "1", "1", "-10", "0", "0"],
]


NARROW = 60  # columns of a window


@functools.cache
def short_run(name):
    """What came out of a demo that ran with --quick in a narrow window."""
    pytest.importorskip("matplotlib")
    return run(name, ["--quick"], columns=NARROW)
