"""Grades as text for the student, and as files: JSON, JUnit's XML, CSV, and Gradescope's results.json."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from .grading import Grade, Verdict

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def student_text(grade: Grade, mark: Callable[[bool], str] = lambda right: "ok" if right else "X") -> str:
    """What a student reads: each exercise, and where a wrong one differs."""
    lines = []
    for number, verdict in enumerate(grade.verdicts, 1):
        lines.append(f"{number:4} {mark(verdict.right)} {verdict.exercise} {printable(verdict.text)}")
        if verdict.hint:
            lines.append(f"       hint: {verdict.hint}")
    right = sum(verdict.right for verdict in grade.verdicts)
    return "\n".join([*lines, "", f"{right} of {len(grade.verdicts)} are right"])


def as_json(grades: Sequence[Grade], fingerprints: dict[str, str]) -> str:
    """All verdicts, with fingerprints by which a later run knows what it need not grade again."""
    return _json(
        {
            "grades": [
                {**asdict(g), "points": g.points, "of": g.of, "fingerprint": fingerprints.get(g.submission)}
                for g in grades
            ]
        }
    )


def from_json(text: str) -> dict[str, Grade]:
    """The grades of an earlier run, by their fingerprints.

    Raises
    ------
    ValueError
        If the text is something else.
    """
    try:
        return {
            known["fingerprint"]: Grade(known["submission"], [Verdict(**v) for v in known["verdicts"]])
            for known in json.loads(text)["grades"]
        }
    except (KeyError, TypeError) as error:
        raise ValueError("not the JSON of an earlier run") from error


def as_csv(grades: Sequence[Grade]) -> str:
    """A row a submission: its points for each exercise, and their sum."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    names = [verdict.exercise for verdict in grades[0].verdicts] if grades else []
    rows.writerow(["submission", *names, "points", "of"])
    for grade in grades:
        name = f"'{grade.submission}" if grade.submission[:1] in "=+-@" else grade.submission
        rows.writerow(
            [name, *(f"{v.points:g}" for v in grade.verdicts), f"{grade.points:g}", f"{grade.of:g}"]
        )
    return out.getvalue()


def as_junit(grades: Sequence[Grade]) -> str:
    """A test suite a submission, a test case an exercise."""
    suites = ET.Element("testsuites")
    for grade in grades:
        wrong = sum(not verdict.right for verdict in grade.verdicts)
        suite = ET.SubElement(
            suites,
            "testsuite",
            name=printable(grade.submission),
            tests=f"{len(grade.verdicts)}",
            failures=f"{wrong}",
        )
        for verdict in grade.verdicts:
            name = printable(grade.submission)
            case = ET.SubElement(suite, "testcase", classname=name, name=verdict.exercise)
            if not verdict.right:
                failure = ET.SubElement(case, "failure", message=printable(verdict.text.split("\n")[0]))
                failure.text = printable("\n".join(filter(None, [verdict.text, verdict.hint])))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def as_gradescope(grade: Grade) -> str:
    """What Gradescope's autograder reads from results.json."""
    tests = [
        {
            "name": verdict.exercise,
            "score": verdict.points,
            "max_score": verdict.of,
            "status": "passed" if verdict.right else "failed",
            "output": printable("\n".join(filter(None, [verdict.text, verdict.hint]))),
        }
        for verdict in grade.verdicts
    ]
    return _json({"score": grade.points, "tests": tests})


def printable(text: str) -> str:
    """`text` without what no terminal and no XML file should be given."""
    return _UNPRINTABLE.sub("?", text)


def _json(data: Any) -> str:
    return json.dumps(data, indent=1, ensure_ascii=True) + "\n"
