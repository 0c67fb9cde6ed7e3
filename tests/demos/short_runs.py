"""Each demo run once and briefly, for all tests in all processes; and the tables that the slides have."""

import fcntl
import functools
import os
import pickle

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
folder = None  # of this run of the suite, where it has one


@pytest.fixture(scope="session", autouse=True)
def shared(tmp_path_factory):
    """Where the processes of pytest-xdist leave the runs for each other."""
    global folder
    own = tmp_path_factory.getbasetemp()
    folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def fresh_run(name):
    """What comes out of a demo that runs with --quick in a narrow window."""
    return run(name, ["--quick"], columns=NARROW)


@functools.cache
def short_run(name):
    """The same, run by the first process that asks; the others wait for it."""
    pytest.importorskip("matplotlib")
    with open(folder / f"run-{name}", "a+b") as kept:
        fcntl.flock(kept, fcntl.LOCK_EX)
        kept.seek(0)
        if not (content := kept.read()):
            content = pickle.dumps(fresh_run(name))
            kept.write(content)
        return pickle.loads(content)
