"""A process of its own for a submission: what it does there cannot reach the grader.

Each submission has a process, each exercise a fork of it, with a limit of time and memory.  Only plain data
comes back (see `wire`).  Where the system lets a user make namespaces (most Linux systems), the process has
no network, sees no process but its own, and takes all that it started with it when it ends.

What a process boundary cannot stop: the submission runs with the rights of whoever grades.  It can read the
files that they can read, an instructor's file of exercises with its reference solutions among them, if it
guesses where that lies, and write where they can write.  Where there are no namespaces it can also use the
network, end other processes of that user, and leave some behind.  So grade strangers' submissions as a user
that owns nothing else, or in a container, never as the administrator.
"""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from . import wire

ANSWER_BYTES = 64 * 2**20
"""No answer is longer."""

_WORKER = Path(__file__).with_name("worker.py")
_STARTING = 60.0
"""Seconds in which an own process must have started."""


class Ended(BaseException):
    """The submission's process will not answer.  No Exception: after one of those hypothesis tries on."""


class Sandbox:
    """The process of one submission.

    Parameters
    ----------
    source : str
        The submission's text.
    file : str
        Its name, for messages.
    seconds : float
        So long it may take for the answers of one exercise altogether.
    memory : int
        So many bytes of address space it may have.
    """

    def __init__(self, source: str, file: str, *, seconds: float = 10.0, memory: int = 2**30) -> None:
        self.source, self.file, self.seconds, self.memory = source, file, seconds, memory
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._lines: queue.Queue[bytes] = queue.Queue(1)
        self._reader: threading.Thread | None = None
        self._left = seconds
        self._running = False

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def start(self, exercise: str, call: str = "") -> dict[str, Any]:
        """Begin an exercise: the submission is loaded anew.  Gives what the process says to that."""
        if self._process is None:
            self._open()
        self._left = self.seconds
        limits = {"seconds": self.seconds, "memory": self.memory}
        start = {"exercise": exercise, "call": call, "source": self.source, "file": self.file}
        return self._asked({"start": {**start, **limits}})

    def ask(self, inputs: tuple[Any, ...]) -> dict[str, Any]:
        """What the submission gives for these inputs.

        Raises
        ------
        Ended
            If it gives nothing: it took too long, or its process is gone.
        """
        return self._asked({"ask": inputs})

    def end(self) -> None:
        """End the exercise; the process is ready for the next."""
        if not self._running:
            return
        try:
            self._left = max(self._left, 1.0)
            self._asked({"end": True})
        except Ended:
            pass
        if self._running:  # it said something else
            self.close()

    def close(self) -> None:
        """End the process and all that it started."""
        process, self._process, self._running = self._process, None, False
        if process is not None:
            if os.name == "posix":
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
            self._read_out()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _read_out(self) -> None:
        """Let the reading thread come to its end."""
        for _ in range(100):
            if self._reader is None or not self._reader.is_alive():
                break
            with contextlib.suppress(queue.Empty):
                self._lines.get(timeout=0.02)

    def _open(self) -> None:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        kept = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TINYGRAD_COURSE_PLAIN")
        environment = {name: os.environ[name] for name in kept if name in os.environ} | {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(_WORKER.parents[2]), *sys.path])),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": self._folder.name,
            "TMPDIR": self._folder.name,
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [*isolation(), sys.executable, "-P", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._folder.name,
            env=environment,
            start_new_session=True,
        )
        self._lines = queue.Queue(1)
        self._reader = threading.Thread(target=_read, args=(self._process.stdout, self._lines), daemon=True)
        self._reader.start()
        self._left = _STARTING
        try:
            self._message(None)
        except Ended:
            assert self._process is not None and self._process.stderr is not None
            self._process.kill()
            said = self._process.stderr.read().decode(errors="replace").strip()
            self.close()
            raise RuntimeError(f"grading: no process for submissions could be started: {said}") from None

    def _asked(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            reply = self._message(message)
        except Ended:
            self.close()
            raise
        self._running = "ended" not in reply
        if not self._running:
            if "end" not in message:  # what ended it may be about to end the process that serves, too
                self.close()
            status = reply["ended"]
            how = f"signal {-status}" if isinstance(status, int) and status < 0 else f"exit status {status}"
            raise Ended(f"ended its process ({how}) and gave no answer")
        return reply

    def _message(self, message: dict[str, Any] | None) -> dict[str, Any]:
        """Send a message, if there is one, and wait for the reply."""
        assert self._process is not None and self._process.stdin is not None
        before = time.monotonic()
        try:
            if message is not None:
                self._process.stdin.write(wire.written(message))
                self._process.stdin.flush()
            line = self._lines.get(timeout=max(self._left, 0.001))
            reply = wire.read(line)
        except queue.Empty:
            raise Ended(f"takes longer than {self.seconds:g} s") from None
        except OSError:
            raise Ended("ended its process and gave no answer") from None
        except ValueError:
            gone = not line
            raise Ended("ended its process and gave no answer" if gone else "gave no answer") from None
        finally:
            self._left -= time.monotonic() - before
        if not isinstance(reply, dict):
            raise Ended("gave no answer")
        return reply


def _read(pipe: Any, lines: queue.Queue[bytes]) -> None:
    """Put the lines of a pipe into a queue; an empty one says that no more come, or one is too long."""
    try:
        while line := pipe.readline(ANSWER_BYTES):
            if not line.endswith(b"\n"):
                break
            lines.put(line)
    except ValueError:  # closed meanwhile
        pass
    lines.put(b"")


@functools.cache
def isolation() -> list[str]:
    """The command that gives a process namespaces of its own; empty where the system has none for a user."""
    command = ["unshare", "--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"]
    for more in (["--mount-proc"], []):
        try:
            tried = subprocess.run(
                [*command, *more, sys.executable, "-c", ""], capture_output=True, timeout=30
            )
        except (OSError, subprocess.TimeoutExpired):
            return []
        if tried.returncode == 0:
            return [*command, *more]
    return []
