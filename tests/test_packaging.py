"""What is handed out is whole: a source archive, the wheel built from it, and the installed copy at work.

Everything is built with the setuptools that is installed, so nothing is downloaded.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

import tinygrad_course

if os.environ.get("TINYGRAD_COURSE_PLAIN"):
    pytest.skip("what is handed out is the same in both modes", allow_module_level=True)
pytest.importorskip("setuptools", minversion="77", reason="builds with the setuptools of the extra 'test'")

ROOT = Path(__file__).parent.parent
OUTSIDE = ("PYTHONPATH", "PYTHONHOME", "MYPYPATH", "PYTEST_ADDOPTS")
SHORT = ("test_public_face.py", "engine/test_value.py", "data/test_data_files.py", "viz/test_viz_page.py")


def run(*command: object, cwd: Path, **variables: str) -> str:
    """What a command says, in an environment that does not know the checkout."""
    known = {name: text for name, text in os.environ.items() if name not in OUTSIDE}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**known, **variables}, capture_output=True, text=True
    )
    assert done.returncode == 0, "\n".join((str(command), done.stdout[-4000:], done.stderr[-4000:]))
    return done.stdout


def build(hook: str, source: Path, into: Path) -> Path:
    """The archive that one of setuptools' build hooks makes of a source tree."""
    code = f"import setuptools.build_meta as made; print('made', made.{hook}({str(into)!r}))"
    return into / run(sys.executable, "-c", code, cwd=source).split("made ")[-1].strip()


def ours(folder: Path) -> set[str]:
    """The files under a folder of the checkout that belong to the project."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(ROOT)) for p in found if "__pycache__" not in p.parts and p.name[0] != "."}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the checkout, so that building leaves nothing in it."""
    copy = tmp_path_factory.mktemp("source") / "tree"
    for name in ("tinygrad_course", "tests", "demos", ".ci"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    for name in ("LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.cfg"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def sdist(source, tmp_path_factory):
    """The source archive, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    archive = build("build_sdist", source, folder)
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """The wheel that the source archive gives."""
    return build("build_wheel", sdist, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder with the wheel installed, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, wheel, cwd=folder)
    return folder


def test_the_source_archive_holds_what_its_tests_need(sdist):
    held = {str(path.relative_to(sdist)) for path in sdist.rglob("*") if path.is_file()}
    needed = set.union(*(ours(ROOT / name) for name in ("tinygrad_course", "tests", "demos")))
    needed |= {"README.md", "LICENSE", "setup.cfg", "pyproject.toml", ".ci/run"}
    assert needed <= held, sorted(needed - held)


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as packed:
        held = {name for name in packed.namelist() if ".dist-info/" not in name}
        licences = [name for name in packed.namelist() if "licenses/" in name]
    assert held == ours(ROOT / "tinygrad_course")
    assert {Path(name).suffix for name in held} >= {".py", ".js", ".css", ".html", ".npz", ".typed"}
    assert sorted(map(os.path.basename, licences)) == ["LICENSE", "MNIST_LICENSE.md"]


def test_the_version_is_written_once(wheel):
    assert wheel.name.split("-")[1] == tinygrad_course.__version__
    places = [ROOT / "setup.cfg", ROOT / "pyproject.toml", *(ROOT / "tinygrad_course").rglob("*.py")]
    said = [path.name for path in places if f'"{tinygrad_course.__version__}"' in path.read_text("utf-8")]
    assert said == ["__init__.py"]


def test_building_needs_no_numpy(sdist):
    """The version is read, not imported: a build environment holds setuptools alone."""
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "import setuptools.build_meta as made; print('made', made.prepare_metadata_for_build_wheel('.'))"
    )
    assert f"tinygrad_course-{tinygrad_course.__version__}" in run(sys.executable, "-c", code, cwd=sdist)


def test_the_pythons_that_are_named_are_those_that_are_meant():
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg", "utf-8")
    classifiers = settings["metadata"]["classifiers"].splitlines()
    named = [line.split(" :: ")[-1] for line in classifiers if "3." in line]
    floor = settings["options"]["python_requires"].removeprefix(">=")
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    assert named[0] == floor == settings["mypy"]["python_version"]
    assert tools["ruff"]["target-version"] == "py" + floor.replace(".", "")
    assert named == sorted(named, key=lambda version: int(version.split(".")[1]))


def test_the_installed_copy_works(installed, tmp_path):
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    where = "import tinygrad_course as t; print(t.__file__, t.data.mnist()[0].shape)"
    said = run(sys.executable, "-c", where, cwd=tmp_path, PYTHONPATH=str(installed))
    assert said.startswith(str(installed)), said
    tests = [f"tests/{name}" for name in SHORT]
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert " passed" in run(*command, cwd=tmp_path, PYTHONPATH=str(installed))


PROGRAM = '''\
"""A student's first program, in a folder of its own."""

import numpy as np

from tinygrad_course import Value, compile, grad, nn, no_grad, optim

v, w = Value(2.0, name="v"), Value([1.0, -2.0])
reveal_type(v * 2.0 + w)
reveal_type(2.0 * v)
reveal_type(w[0])
reveal_type(w.tanh())
reveal_type(w.sum())
reveal_type(w.mean(axis=0).reshape(1))
reveal_type(sum([v, v], Value(0.0)))

net = nn.Sequential(nn.Linear(2, 4, rng=0), nn.ReLU(), nn.Linear(4, 1, rng=1))
x, target = np.zeros((3, 2)), np.zeros((3, 1))
reveal_type(net(x))
reveal_type(nn.MnistMLP(rng=0)(np.zeros((1, 784))))
reveal_type(nn.MSELoss()(net(x), target))
reveal_type(nn.CrossEntropyLoss()(net(x), np.zeros(3, int)))
loss = nn.functional.mse_loss(net(x), target)
reveal_type(loss)

optimizer = optim.SGD(net.parameters(), lr=0.1)
loss.backward()
optimizer.step()
optimizer.zero_grad()
with no_grad():
    print(loss.item(), v.grad, w.shape, w.dtype)


class Line(nn.Module):
    def __init__(self) -> None:
        self.slope = Value(2.0)

    def forward(self, x: Value) -> Value:
        return self.slope * x


def square(x: Value) -> Value:
    return x * x


reveal_type(Line()(v))
print(grad(square)(3.0), compile(square)(v).sum())
'''
REVEALED = PROGRAM.count("reveal_type")


@pytest.fixture(scope="module")
def editor(source, tmp_path_factory):
    """A Python with README's editable install of the package, which sees this one's other packages."""
    folder = tmp_path_factory.mktemp("editor")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv/bin/python"
    folders = "import sysconfig; print(sysconfig.get_path('purelib'))"
    (Path(run(python, "-c", folders, cwd=folder).strip()) / "others.pth").write_text(
        run(sys.executable, "-c", folders, cwd=folder)
    )
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps")
    run(*pip, "--no-build-isolation", "-e", source, cwd=folder)
    (folder / "program.py").write_text(PROGRAM, "utf-8")
    return folder


def test_mypy_finds_the_package_and_types_a_small_program(editor):
    pytest.importorskip("mypy")
    python = editor / "venv/bin/python"
    command = (sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "program.py")
    said = run(*command, cwd=editor)
    assert said.count('Revealed type is "tinygrad_course.arraylike.Value"') == REVEALED, said


def test_pyright_finds_the_package_and_types_a_small_program(editor):
    pyright = shutil.which("pyright", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if pyright is None:
        pytest.skip("pyright is not installed")
    said = run(pyright, "--pythonpath", editor / "venv/bin/python", "program.py", cwd=editor)
    assert said.count('is "Value"') == REVEALED, said
