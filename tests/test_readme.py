"""What the README shows is what happens: its examples run in order, and say what it says they do."""

from __future__ import annotations

import re
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```python\n(.*?)```(?:\n```\n(.*?)```)?", re.DOTALL)


def happened(code: str, scope: dict, capsys: pytest.CaptureFixture) -> str:
    """What running `code` prints, warns of and raises, as one text."""
    texts = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(code, scope)
        except Exception as error:
            texts.append(f"{type(error).__name__}: {error}")
    texts += [f"{w.category.__name__}: {w.message}" for w in caught]
    return capsys.readouterr().out + "\n".join(texts)


def test_the_examples(capsys, tmp_path, monkeypatch):
    """All blocks in order, as they are printed, in one namespace and an empty folder."""
    monkeypatch.chdir(tmp_path)
    scope, compared = {}, 0
    for code, expected in BLOCK.findall(README):
        if "dask" in code and not find_spec("dask"):
            continue
        said = " ".join(happened(code, scope, capsys).split())
        for alarm in ("Error: ", "Warning: "):  # the README shows whatever goes wrong
            assert (alarm in said) == (alarm in expected), said
        for line in expected.splitlines():
            if ".py:" not in line:  # places in a file that is not there
                assert " ".join(line.split()) in said
                compared += 1
    assert compared > 10
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "loss.svg",
        "loss.html",
        "lab.html",
        "program.svg",
    }


def test_the_commands_install_and_run():
    assert README.count("python3 -m venv .venv && .venv/bin/pip install -e") == 2
