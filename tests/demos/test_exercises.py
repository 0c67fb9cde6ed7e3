"""The lecture's exercises: right answers are right, wrong ones are told where, hostile ones gain nothing.

The submissions in handed_in/ are as students write them.
"""

import inspect
import re
from pathlib import Path

import pytest
from handed_in import hostile

from demos import check, homework
from tinygrad_course.testing import grading, sandbox

NAMES = [exercise.name for exercise in homework.EXERCISES]
HANDED_IN = Path(__file__).parent / "handed_in"
HOSTILE = {name: thing for name, thing in vars(hostile).items() if inspect.isfunction(thing)}
XOR = "def xor_weights():\n    return (-10, 20, -20), (-10, -20, 20), (-10, 20, 20)"
QUICK = [exercise for exercise in homework.EXERCISES if exercise.name in ("early_stopping", "xor_weights")]


def written(folder, definitions):
    path = folder / "mine.py"
    path.write_text("import numpy as np\n\n\n" + "\n\n\n".join(definitions) + "\n")
    return path


def test_ten_right_and_ten_wrong_answers_an_exercise_and_twenty_hostile_submissions():
    files = sorted(path.name for path in HANDED_IN.glob("*_?.py"))
    assert files == [f"{kind}_{k}.py" for kind in ("right", "wrong") for k in range(10)]
    for name in files:
        assert re.findall(r"(?m)^def (\w+)", (HANDED_IN / name).read_text()) == NAMES
    assert (len(NAMES), len(HOSTILE)) == (10, 20)


@pytest.mark.parametrize("k", range(10))
def test_right(k):
    found = grading.grade(HANDED_IN / f"right_{k}.py", homework.EXERCISES, seconds=60)
    assert [verdict.text for verdict in found.verdicts] == ["is right"] * 10
    assert found.points == found.of == 10


@pytest.mark.parametrize("k", range(10))
def test_wrong(k):
    path = HANDED_IN / f"wrong_{k}.py"
    says = {name: said for said, name in re.findall(r"# says: (.*)\ndef (\w+)", path.read_text())}
    for verdict in grading.grade(path, homework.EXERCISES, seconds=60).verdicts:
        assert not verdict.right and verdict.points == 0
        assert says[verdict.exercise] in f"{verdict.text} {verdict.hint}"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(name, tmp_path):
    text = inspect.getsource(HOSTILE[name]).replace(name, "early_stopping", 1)
    path = written(tmp_path, ["import contextlib", text, XOR])
    first, second = grading.grade(path, QUICK[::-1], seconds=2).verdicts
    assert (first.exercise, first.right, first.points) == ("early_stopping", False, 0)
    assert (HOSTILE[name].__doc__ or "") in first.text
    assert second.right  # another exercise of the same submission is judged as if nothing had been


@pytest.mark.parametrize("name", ["leaves_at_once", "ends_the_parent", "ends_its_group", "runs_for_ever"])
def test_hostile_without_namespaces(name, tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "isolation", list)
    test_hostile(name, tmp_path)


def test_what_is_done_while_the_file_is_read_gains_nothing(tmp_path):
    early = ["import sys", "sys.exit(0)", XOR]
    for verdict in grading.grade(written(tmp_path, early), QUICK, seconds=2).verdicts:
        assert not verdict.right
        assert "was not reached: the file SystemExit" in verdict.text


def test_skeletons_are_not_written_yet(capsys):
    exercises = Path(check.__file__).parent / "exercises.py"
    assert check.main([str(exercises)]) == 1
    out = capsys.readouterr().out
    assert out.count("is not written yet") == len(NAMES)
    assert out.endswith("0 of 10 are right\n")


def test_a_solved_file(capsys):
    assert check.main([str(HANDED_IN / "right_0.py")]) == 0
    assert "10 of 10 are right" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "said"), [("def neuron(:", "SyntaxError"), ("1 / 0", "in line 1: 1 / 0"), ("", "is missing")]
)
def test_files_that_cannot_be_run(content, said, capsys, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(content)
    assert check.main([str(path)]) == 1
    assert capsys.readouterr().out.count(said) == 10


def test_a_file_that_is_not_there(capsys, tmp_path):
    with pytest.raises(SystemExit) as error:
        check.main([str(tmp_path / "mine.py")])
    assert error.value.code == 2
    assert "there is no file" in capsys.readouterr().err
