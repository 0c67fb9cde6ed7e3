"""A lock is free again after any interruption, and nobody is with another in its block."""

import itertools
import sys
import threading

import pytest

from tinygrad_course.locks import alone


def is_free(lock):
    """Whether another thread gets the lock."""
    got = []
    thread = threading.Thread(target=lambda: got.append(lock.acquire(timeout=0)))
    thread.start()
    thread.join()
    return got[0]


def test_the_lock_is_free_after_an_interruption_at_any_instruction():
    for line in itertools.count():
        lock, left = threading.RLock(), itertools.count(line, -1)

        def tracer(frame, event, argument, left=left):
            if frame.f_code.co_filename.endswith("locks.py"):
                frame.f_trace_opcodes = True
                if event in ("line", "opcode") and next(left) == 0:
                    raise KeyboardInterrupt
            return tracer

        before = sys.gettrace()
        sys.settrace(tracer)
        try:
            alone(lock, lambda: None)
            cut = False
        except KeyboardInterrupt:
            cut = True
        finally:
            sys.settrace(before)
        assert is_free(lock), f"instruction {line}"
        if not cut:
            break
    assert line > 5  # lines alone, where a Python tells of no instructions


def test_an_error_goes_out_and_frees_the_lock():
    lock = threading.RLock()
    with pytest.raises(ZeroDivisionError):
        alone(lock, lambda: 1 / 0)
    assert is_free(lock)


def test_only_one_thread_is_in_the_block():
    lock, inside, most = threading.RLock(), [], []

    def action():
        inside.append(1)
        most.append(len(inside))
        inside.pop()

    threads = [threading.Thread(target=lambda: [alone(lock, action) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 4000 and max(most) == 1
