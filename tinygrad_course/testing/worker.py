"""The process in which a submission runs: it is asked with inputs, and gives back what the functions return.

It knows neither the right answers nor whether an answer was right.  For each exercise it forks, so that one
exercise finds nothing that another left behind; where there is no fork, it serves one exercise and ends.

    {"start": {...}}  ->  {"ready": true}, or {"missing": true}, or {"error": ...}
    {"ask": inputs}   ->  {"answer": ..., "after": inputs as they are now}, or {"error": ...}
    {"end": true}     ->  {"ended": exit status}, which also comes if the process ends by itself
"""

from __future__ import annotations

import contextlib
import linecache
import os
import signal
import sys
import traceback
import types
from typing import Any, BinaryIO

import numpy as np

from tinygrad_course.testing.wire import read, written

FILE_BYTES = 64 * 2**20
"""So much a submission may write into one file."""


def main() -> None:
    """Serve one exercise after the other."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    answers.write(written({"up": True}))
    for stream in range(3):  # what a submission prints is no answer
        os.dup2(nowhere, stream)
    while line := questions.readline():
        if not hasattr(os, "fork"):
            serve(read(line)["start"], questions, answers)
            return
        if child := os.fork():
            _, status = os.waitpid(child, 0)
            if os.getpid() == 1:  # in a namespace of its own, where nobody else stays
                with contextlib.suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGKILL)
            answers.write(written({"ended": os.waitstatus_to_exitcode(status)}))
            continue
        try:
            serve(read(line)["start"], questions, answers)
        finally:
            os._exit(0)


def serve(start: dict[str, Any], questions: BinaryIO, answers: Any) -> None:
    """One exercise: load the submission, and answer until the end."""
    limit(start["memory"], start["seconds"])
    try:
        module = loaded(start["source"], start["file"])
        solve: Any = getattr(module, start["exercise"], None)
        call = defined(start["call"]) if start["call"] else None
    except BaseException as error:
        answers.write(written({"error": told(error, start["file"])}))
        solve = None
    else:
        answers.write(written({"ready": True} if solve is not None else {"missing": True}))
    while "ask" in (message := read(questions.readline())):
        inputs = message["ask"]
        try:
            got = solve(*inputs) if call is None else call(solve, *inputs)
            reply = written({"answer": got, "after": inputs})
        except BaseException as error:
            reply = written({"error": told(error, start["file"])})
        answers.write(reply)


def limit(memory: int, seconds: float) -> None:
    """So much address space in bytes and time on a core, where the system can hold a process to it."""
    try:
        import resource
    except ModuleNotFoundError:
        return
    cpu = int(seconds) + 1
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # not every system does
            resource.setrlimit(what, (most, most))


def loaded(source: str, file: str) -> types.ModuleType:
    """The submission as a module."""
    module = types.ModuleType("submission")
    module.__file__ = file
    sys.modules["submission"] = module
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), module.__dict__)
    return module


def defined(source: str) -> Any:
    """The function that a text defines; it knows NumPy as np."""
    scope: dict[str, Any] = {"np": np}
    exec(source, scope)
    return [thing for thing in scope.values() if isinstance(thing, types.FunctionType)][-1]


def told(error: BaseException, file: str) -> dict[str, str]:
    """What to say of an error: its kind, its text, and the line of the submission where it came from."""
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    if isinstance(error, SyntaxError) and error.filename == file:
        where = f"line {error.lineno}: {(error.text or '').strip()}"
    else:
        where = f"line {lines[-1].lineno}: {lines[-1].line}" if lines else ""
    return {"kind": type(error).__name__, "text": str(error)[:500], "where": where[:200]}


if __name__ == "__main__":
    main()
