"""Sets of small images with labels: MNIST out of the package itself, or any set in four IDX files.

MNIST's 70,000 images (training set first) are kept in `mnist.npz` as three arrays: `inked`, one bit a pixel,
set where it is not 0; `values`, the pixels that are not 0, in order; `labels`, one byte an image.
"""

import hashlib
import os
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
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

# The same with the name of the set in front, and a few variations: emnist-letters-test-images-idx3-ubyte.gz
FILE_NAME = re.compile(
    r"((?P<name>[^.].*?)-)?(?P<part>train|t10k|test)-(?P<kind>images|labels)[-.]idx[13]-ubyte(\.gz)?",
    re.IGNORECASE,
)


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
    return read_packed_mnist(files(__package__) / "mnist.npz")


def read_packed_mnist(path: Path | Traversable) -> ImageSet:
    """Read a file such as `python -m tinygrad_course.data.build` writes; raises as `mnist` does."""
    advice = "install the package again, or rebuild the file with python -m tinygrad_course.data.build"
    with path.open("rb") as file:
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


def load_folder(
    folder: str | os.PathLike[str],
    *,
    name: str | None = None,
    transposed: bool | None = None,
    first_label: int | None = None,
) -> ImageSet:
    """Load a set of MNIST's form, such as Fashion-MNIST or EMNIST, from the folder of its four IDX files.

    Parameters
    ----------
    folder : str or PathLike
        Holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
        t10k-labels-idx1-ubyte, each as it is or gzipped, with .gz at the end (the first, where both are).
        They may also be named as train-images.idx3-ubyte, have the name of the set in front and "test" for
        "t10k", as in emnist-letters-test-images-idx3-ubyte, and each lie in a folder of its own.
    name : str, optional
        The name of the set in front, such as "emnist-letters", where the folder holds several.
    transposed : bool, optional
        Whether rows and columns of the images are exchanged, and are to be exchanged again.  True for sets
        whose name begins with "emnist", if not given.
    first_label : int, optional
        The number of the first class, which becomes 0.  1 for "emnist-letters" and 0 otherwise, if not given.

    Returns
    -------
    ImageSet
        As from `mnist`; the images may be of another size than 28 by 28.

    Raises
    ------
    ValueError
        A file is not sound (see `read_idx`), the four do not fit together, or there are several sets.
    OSError
        A file cannot be opened or read (`FileNotFoundError` where one is missing).

    Examples
    --------
    >>> clothes = load_folder("fashion-mnist")  # doctest: +SKIP
    >>> letters = load_folder("emnist", name="emnist-letters")  # doctest: +SKIP
    """
    name, paths = find_files(folder, name)
    arrays = {field: read_idx(path) for field, path in paths.items()}
    if transposed is None:
        transposed = name.startswith("emnist")
    if first_label is None:
        first_label = 1 if name == "emnist-letters" else 0
    for part in ("train", "test"):
        images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"]
        _check(paths[f"{part}_images"], f"{part} images", images, "(count, height, width)", 3)
        _check(paths[f"{part}_labels"], f"{part} labels", labels, "(count,)", 1)
        if len(images) != len(labels):
            raise ValueError(
                f"load_folder: {folder} has {len(images):,} {part} images but {len(labels):,} {part} labels; "
                "there must be one label an image, so take both files from the same set"
            )
        if labels.min(initial=255) < first_label:
            raise ValueError(
                f"load_folder: in {folder} there are {part} labels of {labels.min()}, and the first one is "
                f"to be {first_label}; say which it is: load_folder(..., first_label={labels.min()})"
            )
        arrays[f"{part}_labels"] = labels.astype(np.int64) - first_label
        if transposed:
            arrays[f"{part}_images"] = np.ascontiguousarray(images.swapaxes(1, 2))
    train_size, test_size = arrays["train_images"].shape[1:], arrays["test_images"].shape[1:]
    if train_size != test_size:
        raise ValueError(
            f"load_folder: in {folder} the train images are of size {train_size} and the test images of size "
            f"{test_size}; they must be of one size, so take all four files from the same set"
        )
    return ImageSet(**arrays)


def find_files(folder: str | os.PathLike[str], name: str | None = None) -> tuple[str, dict[str, Path]]:
    """Find a set's name and its four IDX files, by field of `ImageSet`; raises as `load_folder` does."""
    sets: dict[str, dict[str, Path]] = {}
    here = Path(folder)
    found = sorted(here.iterdir()) if here.is_dir() else []
    found += [path for near in found if near.is_dir() for path in sorted(near.iterdir())]
    for path in sorted(found, key=lambda path: path.name.endswith(".gz")):
        if (match := FILE_NAME.fullmatch(path.name)) and path.is_file():
            part = "train" if match["part"].lower() == "train" else "test"
            field = f"{part}_{match['kind'].lower()}"
            sets.setdefault((match["name"] or "").lower(), {}).setdefault(field, path)
    if name is None:
        name = "" if "" in sets or not sets else next(iter(sets))
        if name and len(sets) > 1:
            raise ValueError(
                f"load_folder: {folder} holds several sets; say which: "
                + ", ".join(f"name={other!r}" for other in sorted(sets))
            )
    chosen = sets.get(name.lower(), {})
    for field, usual in FILE_NAMES.items():
        if field not in chosen:
            usual = f"{name}-{usual}" if name else usual
            raise FileNotFoundError(
                f"load_folder: {folder} has neither {usual} nor {usual}.gz; a set like MNIST is four files: "
                + ", ".join(FILE_NAMES.values())
            )
    return name.lower(), {field: chosen[field] for field in FILE_NAMES}


def _check(path: Path, what: str, array: NDArray[Any], form: str, axes: int) -> None:
    if array.dtype != np.uint8 or array.ndim != axes:
        raise ValueError(
            f"load_folder: {path.name} in {path.parent} holds {array.dtype.name} of shape {array.shape}; "
            f"{what} must be uint8 of shape {form}"
        )
