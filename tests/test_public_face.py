"""The package's own face: what it exports, when rooms load, what a notebook shows."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tinygrad_course
from tinygrad_course import Value, compile, nn
from tinygrad_course.later import later


def in_a_new_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_every_name_can_be_had():
    for name in tinygrad_course.__all__:
        assert getattr(tinygrad_course, name) is not None
    assert sorted(tinygrad_course.__all__) == dir(tinygrad_course)


def test_a_wrong_name_says_what_there_is():
    with pytest.raises(AttributeError, match="has no 'Tensor'"):
        _ = tinygrad_course.Tensor


def test_only_the_engine_loads_at_once():
    rooms = "sorted(m.split('.')[1] for m in sys.modules if m.startswith('tinygrad_course.'))"
    loaded = in_a_new_python(f"import sys, tinygrad_course; print({rooms})")
    for heavy in ("nn", "optim", "viz", "data", "program", "transforms", "insight", "testing", "parallel"):
        assert f"'{heavy}'" not in loaded


def test_the_engine_needs_numpy_only():
    names = "{'hypothesis', 'matplotlib', 'graphviz', 'torch', 'pytest'} & set(sys.modules)"
    assert in_a_new_python(f"import sys, tinygrad_course; print({names})") == "set()"


def test_a_function_is_not_hidden_by_the_module_of_its_name():
    code = "import tinygrad_course.testing.gradcheck as m, tinygrad_course as t; print(callable(t.gradcheck))"
    assert in_a_new_python(code) == "True"


def test_what_loads_later_is_found_once():
    for name in tinygrad_course.__all__:
        assert getattr(tinygrad_course, name) is getattr(tinygrad_course, name)
    before = later.cache_info().misses
    assert tinygrad_course.nn is nn and tinygrad_course.compile is compile
    assert later.cache_info().misses == before


def test_notebooks_show_values_modules_and_programs():
    shown = (Value(2.0) * 3.0)._repr_mimebundle_()
    assert "<svg" in shown["image/svg+xml"] and shown["text/plain"].startswith("Value")
    assert "numbers" in nn.Linear(2, 1)._repr_mimebundle_()["text/html"]
    square = compile(lambda x: x * x)
    square(Value(3.0))
    assert "x * x" in square._repr_mimebundle_()["text/html"]
    assert "text/plain" in compile(lambda x: x)._repr_mimebundle_()  # not run yet: no source, and no error
