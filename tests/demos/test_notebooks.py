"""The notebooks: every demo's lines are in its own, and they run."""

import ast
import os
import textwrap

import pytest

from demos.__main__ import DEMOS, main

nbformat = pytest.importorskip("nbformat")
notebooks = pytest.importorskip("demos.book.notebooks")
texts = pytest.importorskip("demos.book.texts")
pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The notebooks by the names of their demos."""
    folder = tmp_path_factory.mktemp("notebooks")
    main(["--notebooks", str(folder)])
    paths = sorted(folder.iterdir())
    assert [path.name for path in paths] == [f"{n:02}-{name}.ipynb" for n, name in enumerate(DEMOS, 1)]
    return {name: nbformat.read(path, 4) for name, path in zip(DEMOS, paths)}


def sources(notebook, kind):
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


@pytest.mark.parametrize("name", DEMOS)
def test_it_holds_the_text_and_all_lines_of_the_demo(made, name):
    nbformat.validate(made[name])
    assert made[name].cells[0].source.startswith(f"# {texts.title_of(texts.text_of(name)[0])}\n")
    assert not [text for text in sources(made[name], "markdown") if "<!--" in text or "{{" in text]
    code = sources(made[name], "code")
    here = {ast.unparse(node).strip() for cell in code for node in ast.parse(cell).body}
    demo = ast.parse(texts.source_of(name)).body
    main = next(node for node in demo if getattr(node, "name", "") == "main")
    steps = [] if "main(argv);" in code else main.body
    for node in [*demo[1:-1], *steps]:
        assert (node is main and steps) or isinstance(node, ast.Return) or ast.unparse(node) in here


def test_they_are_the_same_each_time(made):
    for name, notebook in made.items():
        assert notebooks.notebook(name) == notebook


def test_main_is_cut_behind_what_it_shows():
    body = "a = 1\n# why\nb = 2\nshow(a,\n     'ŷ')  # both\nprint()\npicture(b)\nreturn a\n"
    source = (
        '"""Doc."""\nimport style\n\n\ndef main(argv=None):\n' + textwrap.indent(body, "    ") + "\nmain()\n"
    )
    code = notebooks.Code(source)
    assert code.steps == ["a = 1\n# why\nb = 2\nshow(a,\n     'ŷ');  # both", "print();\npicture(b);"]
    early = source.replace("    b = 2", "    if a:\n        return b")
    assert notebooks.Code(early).steps == ["main(argv);"]
    assert list(notebooks.Code(early).functions) == ["main"]


def run(notebook, folder, monkeypatch):
    """What the cells of a notebook give in a short run."""
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    notebook = nbformat.reads(nbformat.writes(notebook), 4)
    settings = next(cell for cell in notebook.cells if cell.source.startswith("argv = "))
    settings.source = f'argv = ["--quick", "--out", {str(folder)!r}]'
    place = {"metadata": {"path": str(texts.DEMOS.parent / "demos")}}
    nbclient.NotebookClient(notebook, timeout=300, resources=place).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type in ("execute_result", "error")]
    return outputs


def test_it_runs(made, tmp_path, monkeypatch):
    outputs = run(made["gates"], tmp_path, monkeypatch)
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    assert "AND with weights -30, 20, 20" in printed
    shown = [set(output.data) for output in outputs if output.output_type == "display_data"]
    assert [kind for kinds in shown for kind in kinds if kind != "text/plain"] == ["image/png", "text/html"]


@pytest.mark.skipif("NOTEBOOKS" not in os.environ, reason="takes two minutes; NOTEBOOKS=all runs them")
@pytest.mark.parametrize("name", DEMOS)
def test_all_run(made, name, tmp_path, monkeypatch):
    assert run(made[name], tmp_path, monkeypatch)
