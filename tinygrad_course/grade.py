"""Grade submissions: ``python -m tinygrad_course.grade SUBMISSION... --exercises FILE``.

A submission is a file of Python, or a folder of such files, or of folders with one such file each.  Every
submission runs in a process of its own: ``help(tinygrad_course.testing.sandbox)`` tells what that keeps out.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .files import write_whole

try:
    from .testing import grading, reports, sandbox
except ModuleNotFoundError as error:
    if error.name != "hypothesis":
        raise
    sys.exit("tinygrad_course.grade needs hypothesis: pip install 'tinygrad_course[test]'")


def main(argv: list[str] | None = None) -> int:
    """Grade what the command line names; 0 if all is right, 1 if not, 2 if nothing was graded."""
    args = _arguments(argv)
    try:
        grading.loaded(args.exercises.resolve())
        submissions = list(_submissions(args.submissions))
        known = reports.from_json(args.json.read_text("utf-8")) if args.json and args.json.exists() else {}
    except (OSError, ValueError) as problem:
        print(f"grade: {problem}", file=sys.stderr)
        return 2
    if not sandbox.isolation():
        print(
            "grade: this system gives no namespaces; see help(tinygrad_course.testing.sandbox)",
            file=sys.stderr,
        )
    prints = {str(path): grading.fingerprint(path, args.exercises) for path in submissions}
    grades = {path: known[prints[str(path)]] for path in submissions if prints[str(path)] in known}
    waiting = [path for path in submissions if path not in grades]
    limits = {"workers": args.workers, "seconds": args.seconds, "memory": args.memory * 2**20}

    def ordered() -> list[grading.Grade]:
        return [grading.Grade(str(path), grades[path].verdicts) for path in submissions if path in grades]

    stopped = False
    try:
        done = grading.grade_all(waiting, args.exercises, **limits)
        for grade in _with_progress(done, len(waiting)):
            grades[Path(grade.submission)] = grade
            if args.json:
                _write(args.json, reports.as_json(ordered(), prints))
    except KeyboardInterrupt:
        stopped = True
    found = ordered()
    if args.json:
        _write(args.json, reports.as_json(found, prints))
    if args.csv:
        _write(args.csv, reports.as_csv(found))
    if args.junit:
        _write(args.junit, reports.as_junit(found))
    if args.gradescope and len(found) == 1:
        _write(args.gradescope, reports.as_gradescope(found[0]))
    for grade in found:
        if len(submissions) == 1:
            print(reports.student_text(grade))
        else:
            wrong = ", ".join(verdict.exercise for verdict in grade.verdicts if not verdict.right)
            print(
                f"{grade.points:6g} of {grade.of:g}  {grade.submission}" + (f"  not {wrong}" if wrong else "")
            )
    if stopped:
        again = "run it again to go on" if args.json else "with --json FILE a later run goes on from there"
        print(f"stopped after {len(found)} of {len(submissions)}; {again}", file=sys.stderr)
    return int(stopped or any(grade.points < grade.of for grade in found))


def _arguments(argv: list[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m tinygrad_course.grade", description=__doc__)
    parser.add_argument(
        "submissions", nargs="+", type=Path, metavar="SUBMISSION", help="a file, or a folder of them"
    )
    parser.add_argument(
        "--exercises", required=True, type=Path, metavar="FILE", help="the file with EXERCISES"
    )
    parser.add_argument("--json", type=Path, help="write all verdicts here; a later run goes on from there")
    parser.add_argument("--csv", type=Path, help="write a row a submission here")
    parser.add_argument("--junit", type=Path, help="write JUnit's XML here")
    parser.add_argument("--gradescope", type=Path, help="write results.json here, for a single submission")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes at the same time")
    parser.add_argument("--seconds", type=float, default=10.0, help="for the answers of one exercise (10)")
    parser.add_argument(
        "--memory", type=int, default=1024, help="MiB of address space for a submission (1024)"
    )
    args = parser.parse_args(argv)
    if args.workers < 1 or args.seconds <= 0 or args.memory < 1:
        parser.error("--workers, --seconds and --memory are positive")
    return args


def _submissions(places: list[Path]) -> Iterator[Path]:
    """The files that the command line names, folders opened."""
    for place in places:
        if place.is_file():
            yield place
            continue
        if not place.is_dir():
            raise FileNotFoundError(f"there is no file or folder {place}")
        files = sorted(place.glob("*.py"))
        for folder in sorted(path for path in place.iterdir() if path.is_dir()):
            inside = sorted(folder.glob("*.py"))
            if len(inside) > 1:
                raise ValueError(f"{folder} holds {len(inside)} files of Python; name the one to grade")
            files += inside
        if not files:
            raise FileNotFoundError(f"there is no submission in {place}")
        yield from files


def _with_progress(grades: Iterable[grading.Grade], total: int) -> Iterator[grading.Grade]:
    """The same, with a bar where somebody looks and rich is there."""
    try:
        from rich.console import Console
        from rich.progress import track
    except ModuleNotFoundError:
        yield from grades
        return
    console = Console(stderr=True)
    yield from track(grades, "grading", total, console=console, disable=not console.is_terminal or total < 2)


def _write(path: Path, text: str) -> None:
    write_whole(path, lambda part: part.write_text(text, "utf-8"))


if __name__ == "__main__":
    sys.exit(main())
