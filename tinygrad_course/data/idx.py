"""Read IDX files, the format in which MNIST is published: a short header, then the bare numbers.

The header is two zero bytes, one byte for the type of the numbers, one for how many axes there are, and
four bytes (big-endian) for the length of each axis. A file may come from anywhere, so nothing in its header
is believed: memory grows only with the bytes that are really there.
"""

import gzip
import math
import os
import struct
import zlib
from io import BufferedReader
from typing import Any

import numpy as np
from numpy.typing import NDArray

ELEMENTS = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
CHUNK = 1 << 20
# Pictures shrink to a fifth, all-zero bytes to a thousandth: what grows beyond both limits is no data set.
TRUSTED_SIZE = 1 << 28
TRUSTED_GROWTH = 100


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read one IDX file, gzipped or not, into an array.

    Parameters
    ----------
    path : str or PathLike
        The file. Whether it is gzipped is seen from its first bytes, not from its name.

    Returns
    -------
    ndarray
        A new, writable array with the shape the header gives: uint8, int8, int16, int32, float32 or
        float64, in this machine's byte order.

    Raises
    ------
    ValueError
        The file is not IDX, is shorter or longer than its header says, is a damaged gzip file, or is a
        gzip file that would grow beyond reason (more than 256 MiB and more than a hundredfold).
    OSError
        The file cannot be opened or read (`FileNotFoundError` where there is none).

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "two-by-three")
    ...     _ = path.write_bytes(bytes([0, 0, 0x08, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]))
    ...     read_idx(path)
    array([[1, 2, 3],
           [4, 5, 6]], dtype=uint8)
    """
    with open(path, "rb") as file:
        stream = unpacked(file)
        try:
            dtype, shape = _read_header(stream)
            size = dtype.itemsize * math.prod(shape)
            promise = f"its header promises {dtype.name} of shape {shape}, that is {size:,} bytes"
            trusted = max(TRUSTED_SIZE, TRUSTED_GROWTH * os.fstat(file.fileno()).st_size)
            if stream is not file and size > trusted:
                raise ValueError(
                    f"{promise}, which is beyond reason for a gzip file this small; "
                    "if you trust it, unpack it with gunzip and read the unpacked file"
                )
            numbers = _read_at_most(stream, size + 1)
            if len(numbers) < size:
                raise ValueError(f"{promise}, but only {len(numbers):,} follow; fetch the file again")
            if len(numbers) > size:
                raise ValueError(f"{promise}, but more bytes follow; the file is not what it says it is")
            array = np.ndarray(shape, dtype, buffer=numbers)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"read_idx: {path}: damaged gzip file ({error}); fetch it again") from error
        except ValueError as error:
            raise ValueError(f"read_idx: {path}: {error}") from None
    return array.astype(dtype.newbyteorder("="), copy=False)


def unpacked(file: BufferedReader) -> BufferedReader | gzip.GzipFile:
    """Give the stream of a file's unpacked bytes: the file itself, unless it begins as gzip files do."""
    return gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == b"\x1f\x8b" else file


def _read_header(stream: BufferedReader | gzip.GzipFile) -> tuple[np.dtype[Any], tuple[int, ...]]:
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in ELEMENTS:
        known = ", ".join(f"0x{code:02x}" for code in ELEMENTS)
        raise ValueError(
            f"not an IDX file: it starts with the bytes [{start.hex(' ')}], and an IDX file with 00 00, "
            f"a type (one of {known}) and the number of axes"
        )
    axes = start[3]
    lengths = stream.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise ValueError(f"the file ends inside its header, which should give the lengths of {axes} axes")
    return np.dtype(ELEMENTS[start[2]]), struct.unpack(f">{axes}I", lengths)


def _read_at_most(stream: BufferedReader | gzip.GzipFile, size: int) -> bytearray:
    # stream.read(size) would set aside all of `size` first, however little there is to read.
    content = bytearray()
    while len(content) < size and (chunk := stream.read(min(CHUNK, size - len(content)))):
        content += chunk
    return content
