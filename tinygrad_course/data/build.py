"""Rebuild `mnist.npz` from MNIST's four IDX files: python -m tinygrad_course.data.build FOLDER [--out FILE]

The files, gzipped or not, are checked against the MD5 sums of the published ones, and the new file is read
back before it takes its place. The same NumPy and zlib write the same bytes every time.
"""

import argparse
import hashlib
import os
import sys
from pathlib import Path

import numpy as np

from ..files import write_whole
from .idx import CHUNK, unpacked
from .images import MNIST_FILE, ImageSet, find_files, load_folder, read_packed_mnist

# Of the unpacked files: gzip's own bytes differ from one copy to the next.
MD5 = {
    "train_images": "6bbc9ace898e44ae57da46a324031adb",
    "train_labels": "a25bea736e30d166cdddb491f175f624",
    "test_images": "2646ac647ad5339dbf082846283269ea",
    "test_labels": "27ae3e4e09519cfbb04c329615203637",
}


def build(folder: str | os.PathLike[str], out: str | os.PathLike[str] = MNIST_FILE) -> None:
    """Pack the four IDX files of MNIST into one `.npz`, which is written whole or not at all.

    Parameters
    ----------
    folder : str or PathLike
        Holds the four files, under the names `load_folder` knows.
    out : str or PathLike, optional
        The file to write; the package's own unless given.

    Raises
    ------
    ValueError
        A file is not sound, or is not the one published as MNIST's.
    OSError
        A file cannot be read or written.
    """
    digits = load_folder(folder)
    for field, path in find_files(folder)[1].items():
        md5 = hashlib.md5(usedforsecurity=False)
        with open(path, "rb") as file:
            stream = unpacked(file)
            while chunk := stream.read(CHUNK):
                md5.update(chunk)
        if md5.hexdigest() != MD5[field]:
            raise ValueError(
                f"build: {path} is not MNIST's file: its MD5 is {md5.hexdigest()}, and should be {MD5[field]}"
            )
    write_packed(digits, Path(out))


def write_packed(digits: ImageSet, out: Path) -> None:
    """Write `digits` in the form that `images.py` describes, read it back, and only then call it `out`."""
    pixels = np.concatenate([digits.train_images, digits.test_images])
    labels = np.concatenate([digits.train_labels, digits.test_labels]).astype(np.uint8)
    inked = pixels != 0

    def fill(part: Path) -> None:
        with open(part, "wb") as file:
            np.savez_compressed(file, inked=np.packbits(inked), values=pixels[inked], labels=labels)
        read_packed_mnist(part)

    write_whole(out, fill)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tinygrad_course.data.build",
        description="Pack MNIST's four IDX files into one .npz file.",
    )
    parser.add_argument("folder", help="holds the four IDX files, gzipped or not")
    parser.add_argument("--out", default=MNIST_FILE, metavar="FILE", help="the package's own unless given")
    options = parser.parse_args(arguments)
    try:
        build(options.folder, options.out)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"wrote {options.out} ({os.path.getsize(options.out):,} bytes)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
