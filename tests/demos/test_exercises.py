"""The check of the exercises knows right answers from wrong ones, and shows the smallest input to differ."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import solutions

from demos import check

NAMES = [exercise.__name__ for exercise in check.EXERCISES]
HERE = Path(__file__).parent


def judge(name, answer):
    exercise = next(e for e in check.EXERCISES if e.__name__ == name)
    return check.judge(exercise, SimpleNamespace(**{name: answer}))


@pytest.mark.parametrize("name", NAMES)
def test_right(name):
    assert judge(name, getattr(solutions, name)) == (True, "is right")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # wrong answers overflow
@pytest.mark.parametrize(("name", "wrong"), [(n, i) for n in NAMES for i in range(len(solutions.WRONG[n]))])
def test_wrong(name, wrong):
    answer, said = solutions.WRONG[name][wrong]
    right, text = judge(name, answer)
    assert not right
    assert said in text


def test_skeletons_are_not_written_yet(capsys):
    exercises = Path(check.__file__).parent / "exercises.py"
    assert check.main([str(exercises)]) == 1
    out = capsys.readouterr().out
    assert out.count("is not written yet") == len(NAMES) == 10
    assert out.endswith("0 of 10 are right\n")


def test_a_solved_file(capsys, tmp_path):
    shutil.copy(HERE / "solutions.py", tmp_path / "mine.py")
    assert check.main([str(tmp_path / "mine.py")]) == 0
    assert "10 of 10 are right" in capsys.readouterr().out


def test_an_answer_of_the_wrong_kind_is_shown(capsys):
    right, text = judge("early_stopping", lambda losses, patience: None)
    assert not right
    assert text.splitlines() == [
        "differs for losses = [1.0], patience = 1",
        "       expected (0, 0)",
        "       got      None",
    ]
    assert judge("early_stopping", None)[1] == "is missing"


@pytest.mark.parametrize(("content", "said"), [(None, "there is no file"), ("def neuron(:", "does not run")])
def test_files_that_cannot_be_checked(content, said, capsys, tmp_path):
    path = tmp_path / "mine.py"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit) as error:
        check.main([str(path)])
    assert error.value.code == 2
    assert said in capsys.readouterr().err
