"""The MNIST demo: it learns, goes on as if never stopped, and says what is wrong with what it is given."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from demos import mnist, mnist_report
from demos.augment import affine
from tinygrad_course import data, nn


def write_idx(path: Path, array: np.ndarray) -> None:
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(head + array.astype(np.uint8).tobytes())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first images of MNIST as a set of files of its own."""
    folder, all_images = tmp_path_factory.mktemp("idx"), data.mnist()
    for name, array in {
        "train-images-idx3-ubyte": all_images.train_images[:2000],
        "train-labels-idx1-ubyte": all_images.train_labels[:2000],
        "t10k-images-idx3-ubyte": all_images.test_images[:500],
        "t10k-labels-idx1-ubyte": all_images.test_labels[:500],
    }.items():
        write_idx(folder / name, array)
    return folder


def test_it_learns_the_real_images_in_one_short_epoch(tmp_path, capsys):
    assert mnist.main(["--quick", "--quiet", "--out", str(tmp_path)]) > 0.95
    printed = capsys.readouterr().out
    assert "79,510 parameters" in printed and "SHA-256 verified" in printed
    assert "\r" not in printed  # no bar in a file


def test_the_report_names_every_file_it_wrote(folder, tmp_path, capsys):
    mnist.main(["--data", str(folder), "--epochs", "2", "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    pictures = (
        "curves.png",
        "confusion.png",
        "mistakes.png",
        "weights.png",
        "step.svg",
        "step.html",
        "digit.html",
    )
    for name in (*pictures, "model.npz"):
        assert (tmp_path / name).stat().st_size > 0
        assert str(tmp_path / name) in printed
    assert "surest mistakes" in printed and "▀" in printed


@pytest.mark.parametrize("best", [[], ["--best", "--batch-size", "100"]], ids=["default", "best"])
def test_a_resumed_run_ends_with_the_same_bits(folder, tmp_path, monkeypatch, best):
    common = ["--data", str(folder), "--epochs", "3", "--quiet", *best]
    mnist.main([*common, "--out", str(tmp_path / "straight")])

    plain, calls = mnist.speckled, iter(range(1000))

    def interrupted(x, dropped, rng):
        if next(calls) == 25:  # 20 steps an epoch: in the middle of the second
            raise KeyboardInterrupt
        return plain(x, dropped, rng)

    monkeypatch.setattr(mnist, "speckled", interrupted)
    mnist.main([*common, "--out", str(tmp_path / "stopped")])
    monkeypatch.setattr(mnist, "speckled", plain)
    mnist.main([*common, "--out", str(tmp_path / "stopped"), "--resume"])
    straight, stopped = (nn.load(tmp_path / name / "model.npz") for name in ("straight", "stopped"))
    for key in straight:
        np.testing.assert_array_equal(straight[key], stopped[key])


def test_stopped_before_an_epoch_it_keeps_nothing(folder, tmp_path, monkeypatch):
    def at_once(x, dropped, rng):
        raise KeyboardInterrupt

    monkeypatch.setattr(mnist, "speckled", at_once)
    with pytest.raises(SystemExit, match="nothing to keep"):
        mnist.main(["--data", str(folder), "--out", str(tmp_path)])


@pytest.mark.parametrize(
    "other", [["--lr", "0.1"], ["--epochs", "5"], ["--seed", "3"], ["--batch-size", "7"]]
)
def test_a_run_with_other_settings_cannot_go_on(folder, tmp_path, other):
    common = ["--data", str(folder), "--quiet", "--out", str(tmp_path)]
    mnist.main([*common, "--epochs", "1"])
    with pytest.raises(SystemExit, match="other --epochs"):
        mnist.main([*common, "--epochs", "1", *other, "--resume"])


def test_without_a_checkpoint_there_is_nothing_to_resume(folder, tmp_path):
    with pytest.raises(SystemExit, match="cannot go on from"):
        mnist.main(["--data", str(folder), "--out", str(tmp_path), "--resume"])


def test_images_of_another_size_are_refused(folder, tmp_path):
    write_idx(tmp_path / "train-images-idx3-ubyte", np.zeros((10, 5, 5)))
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(10))
    write_idx(tmp_path / "t10k-images-idx3-ubyte", np.zeros((10, 5, 5)))
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", np.zeros(10))
    with pytest.raises(SystemExit, match="28×28"):
        mnist.main(["--data", str(tmp_path), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match="cannot read"):
        mnist.main(["--data", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")])


def test_images_are_moved_about_but_stay_themselves():
    images = data.mnist().train_images[:200]
    moved = affine(images, np.random.default_rng(0))
    assert moved.shape == images.shape and moved.dtype == np.float32
    assert moved.min() >= 0 and moved.max() <= 255
    assert 0.8 < moved.sum() / images.sum() < 1.25
    np.testing.assert_array_equal(moved, affine(images, np.random.default_rng(0)))
    assert not np.array_equal(moved, affine(images, np.random.default_rng(1)))
    np.testing.assert_allclose(affine(images, np.random.default_rng(0), 0.0), images, atol=0.3)


def test_every_number_of_the_confusion_matrix_is_legible():
    colors = pytest.importorskip("matplotlib.colors")
    figure = pytest.importorskip("matplotlib.figure").Figure()
    counts = np.arange(100).reshape(10, 10) ** 2
    mnist_report.draw_confusion(figure, counts)
    (axes,) = figure.axes
    (image,) = axes.images

    def light(colour):  # relative luminance, as accessibility guidelines define it
        rgb = np.array(colors.to_rgb(colour))
        return np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [
            0.2126,
            0.7152,
            0.0722,
        ]

    for text in axes.texts:
        column, row = text.get_position()
        paper, ink = light(image.to_rgba(image.get_array())[row, column, :3]), light(text.get_color())
        assert (max(paper, ink) + 0.05) / (min(paper, ink) + 0.05) > 3.5, text.get_text()
