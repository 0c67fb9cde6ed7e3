"""Files are written whole or not at all: side by side, interrupted at any line, and after a kill."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from tinygrad_course import nn
from tinygrad_course.files import PACKAGE, write_whole

OLD, NEW = b"what was there", b"something new"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def interrupted_at(line, action, error=KeyboardInterrupt):
    """Run `action`, with `error` raised at its `line`-th line, wherever that is; False if it has fewer."""
    left, reached = itertools.count(line, -1), []

    def tracer(frame, event, argument):
        if event == "line" and next(left) == 0:
            reached.append(line)
            raise error
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        action()
    except BaseException as raised:
        if not isinstance(raised, error) and not isinstance(raised.__context__, error):
            raise
    finally:
        sys.settrace(before)
    return bool(reached)


# What is written
def test_a_file_is_made_with_its_folders(tmp_path):
    path = tmp_path / "some" / "new" / "file.txt"
    assert write_whole(str(path), lambda part: part.write_bytes(NEW)) == path
    assert path.read_bytes() == NEW and names(path.parent) == ["file.txt"]


def test_a_file_without_a_folder_is_written_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_whole("file.txt", lambda part: part.write_bytes(NEW))
    assert names(tmp_path) == ["file.txt"]


@pytest.mark.parametrize("error", [OSError("disk full"), ValueError("no"), KeyboardInterrupt(), SystemExit()])
def test_nothing_is_left_of_what_failed(tmp_path, error):
    def half(part):
        part.write_bytes(b"half")
        raise error

    path = tmp_path / "file.txt"
    path.write_bytes(OLD)
    with pytest.raises(type(error)) as caught:
        write_whole(path, half)
    assert caught.value is error
    assert path.read_bytes() == OLD and names(tmp_path) == ["file.txt"]


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path):
    path = tmp_path / ("n" * 255)
    write_whole(path, lambda part: part.write_bytes(NEW))
    assert path.read_bytes() == NEW


@pytest.mark.parametrize(
    "name, kind",
    [(".", IsADirectoryError), ("file/below.txt", NotADirectoryError), ("file/a/b.txt", NotADirectoryError)],
)
def test_errors_name_what_was_asked_for(tmp_path, name, kind):
    (tmp_path / "file").write_bytes(OLD)
    with pytest.raises(kind) as caught:
        write_whole(tmp_path / name, lambda part: part.write_bytes(NEW))
    assert str(tmp_path) in str(caught.value) and ".part" not in str(caught.value)
    assert (tmp_path / "file").read_bytes() == OLD and names(tmp_path) == ["file"]


def test_an_error_of_the_system_names_the_file_and_not_its_part(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(tmp_path / "file.txt", lambda part: part.open("rb"))
    assert caught.value.filename == str(tmp_path / "file.txt")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_not_a_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="a device or pipe is where the file should be"):
        write_whole(tmp_path / "pipe", lambda part: part.write_bytes(NEW))
    assert (tmp_path / "pipe").is_fifo()


# Interruptions
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_interrupted_at_every_line_a_file_is_the_old_or_the_new_one(tmp_path, error):
    path = tmp_path / "file.txt"
    for line in itertools.count():
        path.write_bytes(OLD)
        cut = interrupted_at(line, lambda: write_whole(path, lambda part: part.write_bytes(NEW)), error)
        assert path.read_bytes() in (OLD, NEW) and names(tmp_path) == ["file.txt"], f"line {line}"
        if not cut:
            break
    assert line > 10 and path.read_bytes() == NEW


def test_interrupted_at_every_line_a_write_that_fails_leaves_nothing(tmp_path):
    def half(part):
        part.write_bytes(b"half")
        raise ValueError("no")

    def fails():
        with pytest.raises(ValueError, match="no"):
            write_whole(tmp_path / "file.txt", half)

    for line in itertools.count():
        cut = interrupted_at(line, fails)
        assert names(tmp_path) == [], f"line {line}"
        if not cut:
            break
    assert line > 10


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # zipfile's own __del__
def test_interrupted_at_every_line_save_leaves_the_old_or_the_new_state(tmp_path):
    path = tmp_path / "state.npz"
    for line in itertools.count():
        nn.save({"old": np.zeros(2)}, path)
        cut = interrupted_at(line, lambda: nn.save({"new": {"weight": np.ones((2, 2)), "step": 3}}, path))
        assert list(nn.load(path)) in (["old"], ["new"]) and names(tmp_path) == ["state.npz"], f"line {line}"
        if not cut:
            break
    assert line > 100 and list(nn.load(path)) == ["new"]


# Side by side
def test_threads_that_save_to_one_path(tmp_path):
    path, errors = tmp_path / "state.npz", []
    nn.save({"weight": np.zeros(1000)}, path)
    writing = threading.Event()

    def run(action):
        try:
            action()
        except BaseException as error:
            errors.append(error)

    def write(number):
        for _ in range(20):
            nn.save({"weight": np.full(1000, number)}, path)

    def read():
        while not writing.is_set():
            weight = nn.load(path)["weight"]
            assert weight.shape == (1000,) and len(set(weight.tolist())) == 1

    writers = [threading.Thread(target=run, args=(lambda i=i: write(i),)) for i in range(6)]
    reader = threading.Thread(target=run, args=(read,))
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    writing.set()
    reader.join()
    assert errors == [] and names(tmp_path) == ["state.npz"]


WRITER = """
import sys, time
from pathlib import Path
from tinygrad_course.files import write_whole

def fill(part):
    with open(part, "wb") as file:
        for _ in range(50):
            file.write(sys.argv[2].encode() * 100)

for _ in range(100):
    write_whole(sys.argv[1], fill)
"""

SLEEPER = """
import sys, time
from tinygrad_course.files import write_whole

def fill(part):
    part.write_bytes(b"half")
    print("half", flush=True)
    time.sleep(600)

write_whole(sys.argv[1], fill)
"""


def start(program, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(PACKAGE))},
        **options,
    )


def test_processes_that_write_to_one_path(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(b"c" * 5000)
    writers = [start(WRITER, path, letter) for letter in "ab"]
    while any(writer.poll() is None for writer in writers):
        content = path.read_bytes()
        assert len(content) == 5000 and len(set(content)) == 1
    assert [writer.returncode for writer in writers] == [0, 0] and names(tmp_path) == ["file.txt"]


@pytest.mark.skipif(os.name != "posix", reason="processes are not killed so elsewhere")
def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(OLD)
    with start(SLEEPER, path, stdout=subprocess.PIPE) as writer:
        writer.stdout.readline()
        write_whole(path, lambda part: part.write_bytes(NEW))
        assert len(names(tmp_path)) == 2  # it is being written, and left alone
        writer.send_signal(signal.SIGKILL)
    assert len(names(tmp_path)) == 2 and path.read_bytes() == NEW
    write_whole(tmp_path / "other.txt", lambda part: part.write_bytes(OLD))
    assert names(tmp_path) == ["file.txt", "other.txt"]


@pytest.mark.parametrize("age, stays", [(60, True), (25 * 3600, False)])
def test_what_another_machine_writes_is_left_alone_for_a_day(tmp_path, age, stays):
    part = tmp_path / ".tinygrad_course-another-machine-1-0123.part"
    part.write_bytes(b"half")
    then = time.time() - age
    os.utime(part, (then, then))
    write_whole(tmp_path / "file.txt", lambda part: part.write_bytes(NEW))
    assert part.exists() == stays
