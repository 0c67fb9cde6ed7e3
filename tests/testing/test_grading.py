"""Exercises of one's own, what travels to a submission and back, and what the grader writes."""

import csv
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from tinygrad_course import Value, grade
from tinygrad_course.testing import wire
from tinygrad_course.testing.grading import Exercise, same
from tinygrad_course.testing.grading import grade as graded

EXERCISES = """
import numpy as np
from hypothesis import strategies as st
from tinygrad_course.testing.grading import Exercise

numbers = st.integers(-1000, 1000)

EXERCISES = [
    Exercise(
        "softplus",
        "log(1 + exp(x)) for a number x, as large as 1000 too.",
        answer=lambda x: np.logaddexp(0.0, x),
        inputs=st.tuples(numbers),
        hints=[(lambda x: np.maximum(x, 0.0), "That is relu.")],
        points=2,
    ),
    Exercise("even", "An even number.", rule=lambda got: got % 2 == 0, examples=[()]),
]
"""
RIGHT = "import numpy as np\n\ndef softplus(x):\n    return np.logaddexp(0, x)\n\ndef even():\n    return 4\n"
WRONG = "def softplus(x):\n    return max(x, 0.0)\n\ndef even():\n    return 3\n"


@pytest.fixture
def exercises(tmp_path):
    path = tmp_path / "exercises.py"
    path.write_text(EXERCISES)
    return path


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "handed in"
    (made / "bob").mkdir(parents=True)
    (made / "ann.py").write_text(RIGHT)
    (made / "bob" / "mine.py").write_text(WRONG)
    return made


@pytest.mark.parametrize(
    "thing",
    [
        1, -2.5, float("inf"), None, True, "ümlaut\n", [], (1, [2.0, ("a",)]), {"a": (1,), 2: [None]}, 10**30,
        np.arange(6).reshape(2, 3).T, np.array(1.5, np.float32), np.zeros((0, 2)), np.float32(2.5),
        np.array([True]),
    ],
)  # fmt: skip
def test_plain_data_travels(thing):
    again = wire.read(wire.written(thing))
    assert type(again) is type(thing)
    assert np.array_equal(again, thing) if hasattr(thing, "dtype") else again == thing
    assert getattr(again, "dtype", None) == getattr(thing, "dtype", None)


def test_values_travel_as_data_and_other_things_as_text():
    assert wire.read(wire.written(Value([1.0, 2.0]))).tolist() == [1.0, 2.0]
    assert repr(wire.read(wire.written([sys]))[0]).startswith("<module 'sys'")
    assert not same(wire.read(wire.written(object)), 1.0, 1e9)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{}\n", b"nonsense\n", b"[" * 100_000 + b"\n", b'{"array": ["|O", [1], "AAAA", false]}\n',
        b"\xff\n",
        b'{"array": ["<f8", [1000000000], "AAAA", false]}\n', b'{"array": ["<f8", [-1], "", false]}\n',
        b'{"dict": [[[1], 2]]}\n', b'{"pickle": "gASVAAAA"}\n', b"1" * 10_000 + b"\n",
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused(line):
    with pytest.raises(ValueError):
        wire.read(line)


def test_the_smallest_input_that_differs_is_shown(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def double(x):\n    return 2 * x if x < 17 else 0\n")
    exercise = Exercise(
        "double", "", answer=lambda x: 2 * x, inputs=st.tuples(st.integers(0, 10**6)), attempts=200
    )
    (verdict,) = graded(path, [exercise]).verdicts
    assert verdict.text.splitlines() == ["differs for x = 17", "       expected 34", "       got      0"]
    assert graded(path, [exercise]).verdicts == [verdict]


def test_chance_is_told_from_a_wrong_answer(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import itertools\ncalls = itertools.count()\n\ndef half(x):\n    return x / 2 + next(calls) % 2\n"
    )
    exercise = Exercise("half", "", answer=lambda x: x / 2, inputs=st.tuples(st.integers(0, 100)))
    (verdict,) = graded(path, [exercise]).verdicts
    assert not verdict.right


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "an answer or a rule"),
        ({"answer": abs, "rule": abs, "examples": [(1,)]}, "an answer or a rule"),
        ({"answer": abs}, "examples"),
    ],
)
def test_exercises_that_test_nothing_are_refused(given, said):
    with pytest.raises(ValueError, match=said):
        Exercise("nothing", "", **given)


def test_grading_a_folder_writes_every_kind_of_file(exercises, folder, tmp_path, capsys):
    out = {kind: tmp_path / "out" / f"grades.{kind}" for kind in ("json", "csv", "junit")}
    options = [part for kind, path in out.items() for part in (f"--{kind}", str(path))]
    command = [str(folder), "--exercises", str(exercises), "--workers", "2", *options]
    assert grade.main(command) == 1
    ann, bob = str(folder / "ann.py"), str(folder / "bob" / "mine.py")
    assert f"     3 of 3  {ann}\n     0 of 3  {bob}  not softplus, even\n" in capsys.readouterr().out
    rows = list(csv.reader(out["csv"].open()))
    assert rows[0] == ["submission", "softplus", "even", "points", "of"]
    assert rows[1:] == [[ann, "2", "1", "3", "3"], [bob, "0", "0", "0", "3"]]
    suites = ET.parse(out["junit"]).getroot()
    assert [(s.get("name"), s.get("failures")) for s in suites] == [(ann, "0"), (bob, "2")]
    assert "That is relu." in suites[1][0][0].text
    first = out["json"].read_text()
    assert [g["points"] for g in json.loads(first)["grades"]] == [3, 0]

    bob_again = json.loads(first)
    bob_again["grades"][1]["verdicts"][0]["text"] = "taken from the file"
    out["json"].write_text(json.dumps(bob_again))
    assert grade.main(command) == 1  # what has been graded is not graded again
    assert "taken from the file" in out["json"].read_text()
    (folder / "bob" / "mine.py").write_text(RIGHT)
    assert grade.main(command) == 0
    assert "taken from the file" not in out["json"].read_text()


def test_grading_one_submission(exercises, folder, tmp_path, capsys):
    results = tmp_path / "results.json"
    one = [str(folder / "bob" / "mine.py"), "--exercises", str(exercises), "--gradescope", str(results)]
    assert grade.main(one) == 1
    out = capsys.readouterr().out
    assert "X softplus differs for x = 0" in out and "hint: That is relu." in out
    told = json.loads(results.read_text())
    assert told["score"] == 0 and [t["max_score"] for t in told["tests"]] == [2, 1]
    assert "expected 0.693147" in told["tests"][0]["output"]


@pytest.mark.parametrize(
    ("name", "said"), [("nobody.py", "there is no file or folder"), ("empty", "there is no submission in")]
)
def test_nothing_to_grade(name, said, exercises, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert grade.main([str(tmp_path / name), "--exercises", str(exercises)]) == 2
    assert said in capsys.readouterr().err


def test_the_command_and_an_interruption(exercises, folder, tmp_path):
    journal = tmp_path / "grades.json"
    (folder / "ann.py").write_text("import time\ntime.sleep(1e6)\n")
    command = [sys.executable, "-m", "tinygrad_course.grade", str(folder / "bob"), str(folder / "ann.py")]
    command += ["--exercises", str(exercises), "--json", str(journal), "--workers", "1"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    while not journal.exists() and running.poll() is None:
        os.sched_yield()
    running.send_signal(2)
    assert "stopped after 1 of 2; run it again to go on" in running.communicate()[1]
    assert len(json.loads(journal.read_text())["grades"]) == 1
