"""The package works out of a zip file, with the MNIST inside it."""

import os
import subprocess
import sys
import zipfile

from tinygrad_course.data import images


def test_mnist_comes_out_of_a_zip_file_too(tmp_path):
    package = images.MNIST_FILE.parent.parent
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        for path in package.rglob("*"):
            if "__pycache__" not in path.parts and path.is_file():
                archive.write(path, path.relative_to(package.parent))
    program = (
        "import tinygrad_course; from tinygrad_course import data\n"
        "print(tinygrad_course.__file__, data.mnist().train_labels[:5].tolist())"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "package.zip")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.stderr == "" and "package.zip" in run.stdout and "[5, 0, 4, 1, 9]" in run.stdout
