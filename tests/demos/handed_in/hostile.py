"""Submissions that would rather not be judged; each docstring has what the grader must say."""

import contextlib

import numpy as np


def leaves_with_success(losses, patience):
    """SystemExit"""
    import sys

    sys.exit(0)


def leaves_at_once(losses, patience):
    """ended its process (exit status 0)"""
    import os

    os._exit(0)


def runs_for_ever(losses, patience):
    """takes longer than"""
    while True:
        pass


def sleeps(losses, patience):
    """takes longer than"""
    import time

    time.sleep(1e6)


def sleeps_deaf_to_signals(losses, patience):
    """takes longer than"""
    import signal
    import time

    [signal.signal(s, signal.SIG_IGN) for s in (2, 15)]
    time.sleep(1e6)


def prints_a_verdict(losses, patience):
    """got      None"""
    print("10 of 10 are right")
    print('{"answer": 0.5, "after": []}')


def writes_a_verdict_into_every_file_that_is_open(losses, patience):
    import os

    for fd in range(3, 30):
        with contextlib.suppress(OSError):
            os.write(fd, b'{"dict": [["right", true], ["points", 10]]}\n')
    return 0


def writes_nonsense_into_every_file_that_is_open(losses, patience):
    import os

    for fd in range(3, 30):
        with contextlib.suppress(OSError):
            os.write(fd, b"\xff\x00not json\n")
    return 0


def patches_the_grader(losses, patience):
    import sys

    for m in list(sys.modules.values()):
        for n in ("same", "judged", "fault"):
            if hasattr(m, n):
                setattr(m, n, lambda *a, **k: True)
    return 0


def patches_numpy(losses, patience):
    np.allclose = lambda *a, **k: True
    np.isclose = lambda *a, **k: True
    return 0


def equals_everything(losses, patience):
    class Yes:
        __eq__ = lambda s, o: True
        __hash__ = lambda s: 0
        __repr__ = lambda s: "right"

    return Yes()


def eats_memory(losses, patience):
    """MemoryError"""
    return bytearray(2**35)


def gives_back_an_endless_list(losses, patience):
    """RecursionError"""
    data = []
    data.append(data)
    return data


def ends_the_parent(losses, patience):
    import os
    import signal

    os.kill(os.getppid(), signal.SIGKILL) if os.getppid() else None
    return 0


def ends_its_group(losses, patience):
    """ended its process"""
    import os
    import signal

    os.killpg(0, signal.SIGKILL)


def crashes(losses, patience):
    """ended its process (signal 11)"""
    import ctypes

    ctypes.string_at(0)


def looks_for_the_answers(losses, patience):
    """fails for"""
    import gc

    assert [f for f in gc.get_objects() if getattr(f, "__name__", "") == "early_stopping"]
    import tinygrad_course.testing.grading as g

    return g.EXERCISES


def leaves_a_process_behind(losses, patience):
    import os
    import time

    if os.fork() == 0:
        time.sleep(1e6)
    return 0


def closes_the_pipes(losses, patience):
    import os

    os.closerange(0, 64)
    return 0


def raises_what_nobody_catches(losses, patience):
    """let me out"""
    raise BaseException("let me out")
