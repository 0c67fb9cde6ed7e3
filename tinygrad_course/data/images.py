"""Sets of small images with labels: MNIST out of the package itself, or any set in four IDX files.

MNIST's 70,000 images (training set first) are kept in `mnist.npz` as three arrays: `inked`, one bit a pixel,
set where it is not 0; `values`, the pixels that are not 0, in order; `labels`, one byte an image.
"""

import hashlib
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .idx import read_idx

MNIST_FILE = Path(__file__).with_name("mnist.npz")
MNIST_SHAPE = (70_000, 28, 28)
MNIST_TRAIN = 60_000
# Of all pixels, then all labels, one byte each.
MNIST_SHA256 = "c2069063c1105f2bf96266aef1ff68c6e13bdda7a54e37bf19c16f1db24efc83"

FILE_NAMES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


class ImageSet(NamedTuple):
    """Images and labels to train on and to test on.

    Attributes
    ----------
    train_images, test_images : ndarray of uint8, shape (count, height, width)
        0 is paper, 255 is full ink.
    train_labels, test_labels : ndarray of int64, shape (count,)
        The class of each image, counted from 0. int64, because labels serve as indices and in sums, and
        a uint8 would wrap around there.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]

    def __repr__(self) -> str:
        arrays: dict[str, NDArray[Any]] = self._asdict()
        return f"ImageSet({', '.join(f'{name}: {a.dtype} {a.shape}' for name, a in arrays.items())})"


def mnist() -> ImageSet:
    """Load MNIST, 60,000 handwritten digits to train on and 10,000 to test on, from inside the package.

    The numbers are checked against a SHA-256 on the way; nothing is downloaded.

    Returns
    -------
    ImageSet
        A tuple (train_images, train_labels, test_images, test_labels) whose fields have those names. Images
        are uint8 of shape (count, 28, 28), labels int64. The arrays are new and may be written to.

    Raises
    ------
    ValueError
        The package's file is damaged, or is not MNIST.
    OSError
        The package's file cannot be opened or read (`FileNotFoundError` where there is none).

    Examples
    --------
    >>> digits = mnist()
    >>> digits
    ImageSet(train_images: uint8 (60000, 28, 28), train_labels: int64 (60000,), \
test_images: uint8 (10000, 28, 28), test_labels: int64 (10000,))
    >>> train_images, train_labels, test_images, test_labels = digits
    >>> train_labels[:10]
    array([5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
    >>> print(f"{train_images.mean() / 255:.4f} {train_images.std() / 255:.4f}")
    0.1307 0.3081
    """
    return read_packed_mnist(MNIST_FILE)


def read_packed_mnist(path: Path) -> ImageSet:
    """Read a file such as `python -m tinygrad_course.data.build` writes; raises as `mnist` does."""
    advice = "install the package again, or rebuild the file with python -m tinygrad_course.data.build"
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                pixels, labels = np.zeros(MNIST_SHAPE, np.uint8), np.zeros(MNIST_SHAPE[0], np.uint8)
                inked = np.unpackbits(archive["inked"], count=pixels.size).view(bool)
                pixels[inked.reshape(MNIST_SHAPE)] = archive["values"]
                labels[:] = archive["labels"]
        # A damaged archive makes zipfile, zlib and NumPy raise errors of a dozen kinds.
        except Exception as error:
            raise ValueError(f"mnist: {path} is damaged ({error}); {advice}") from error
    digest = hashlib.sha256(pixels.data)
    digest.update(labels.data)
    if digest.hexdigest() != MNIST_SHA256:
        raise ValueError(f"mnist: the images and labels in {path} are not MNIST's (other SHA-256); {advice}")
    classes = labels.astype(np.int64)
    return ImageSet(pixels[:MNIST_TRAIN], classes[:MNIST_TRAIN], pixels[MNIST_TRAIN:], classes[MNIST_TRAIN:])


def load_folder(folder: str | os.PathLike[str]) -> ImageSet:
    """Load a set of MNIST's form, such as Fashion-MNIST, from the folder that holds its four IDX files.

    Parameters
    ----------
    folder : str or PathLike
        Holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
        t10k-labels-idx1-ubyte, each as it is or gzipped, with .gz at the end (the first, where both are).

    Returns
    -------
    ImageSet
        As from `mnist`; the images may be of another size than 28 by 28.

    Raises
    ------
    ValueError
        A file is not sound (see `read_idx`), or the four do not fit together.
    OSError
        A file cannot be opened or read (`FileNotFoundError` where one is missing).

    Examples
    --------
    >>> clothes = load_folder("fashion-mnist")  # doctest: +SKIP
    """
    arrays = {field: read_idx(path) for field, path in find_files(folder).items()}
    for part in ("train", "test"):
        images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"]
        _check(folder, f"{part}_images", images, "(count, height, width)", 3)
        _check(folder, f"{part}_labels", labels, "(count,)", 1)
        if len(images) != len(labels):
            raise ValueError(
                f"load_folder: {folder} has {len(images):,} {part} images but {len(labels):,} {part} labels; "
                "there must be one label an image, so take both files from the same set"
            )
        arrays[f"{part}_labels"] = labels.astype(np.int64)
    train_size, test_size = arrays["train_images"].shape[1:], arrays["test_images"].shape[1:]
    if train_size != test_size:
        raise ValueError(
            f"load_folder: in {folder} the train images are of size {train_size} and the test images of size "
            f"{test_size}; they must be of one size, so take all four files from the same set"
        )
    return ImageSet(**arrays)


def find_files(folder: str | os.PathLike[str]) -> dict[str, Path]:
    """Find the four IDX files of a folder, by field of `ImageSet`; raises as `load_folder` does."""
    found = {}
    for field, name in FILE_NAMES.items():
        candidates = Path(folder, name), Path(folder, name + ".gz")
        existing = [path for path in candidates if path.is_file()]
        if not existing:
            raise FileNotFoundError(
                f"load_folder: {folder} has neither {name} nor {name}.gz; a set like MNIST is four files: "
                + ", ".join(FILE_NAMES.values())
            )
        found[field] = existing[0]
    return found


def _check(folder: str | os.PathLike[str], field: str, array: NDArray[Any], form: str, axes: int) -> None:
    if array.dtype != np.uint8 or array.ndim != axes:
        raise ValueError(
            f"load_folder: {FILE_NAMES[field]} in {folder} holds {array.dtype.name} of shape {array.shape}; "
            f"{field.replace('_', ' ')} must be uint8 of shape {form}"
        )
