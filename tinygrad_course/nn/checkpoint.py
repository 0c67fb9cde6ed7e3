"""Save arrays by name in one ``.npz`` file, and load them again, whoever wrote the file.

Nothing is ever pickled, so a file cannot run code; nothing is compressed, so a small file cannot ask for a
lot of memory; and a file is written whole or not at all.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from ..files import write_whole

State = Mapping[str, Any]
"""Names to arrays, numbers or further such mappings."""


def save(state: State, path: str | os.PathLike[str]) -> None:
    """Write `state` to the file `path`, which NumPy's ``np.load`` can read as well.

    Parameters
    ----------
    state : mapping
        Names to arrays or numbers, as `Module.state_dict` gives them; or to further mappings of that kind:
        ``{"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}``.
    path : path
        Where to; by custom it ends in ``.npz``.  Folders that are missing are made, and a file that exists is
        replaced once the new one is whole.

    Raises
    ------
    TypeError
        If `state` holds something other than arrays and numbers, or a name that is not a string.
    ValueError
        If a name is empty or contains ``/``.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from tinygrad_course import nn
    >>> layer, other = nn.Linear(2, 1), nn.Linear(2, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(layer.state_dict(), f"{folder}/layer.npz")
    ...     other.load_state_dict(load(f"{folder}/layer.npz"))
    >>> bool((layer.weight.data == other.weight.data).all())
    True
    """
    entries = dict(_flat(state, ""))

    def fill(part: Path) -> None:
        with zipfile.ZipFile(part, "w") as archive:
            for name, array in entries.items():
                # a fixed date, so that equal states make equal files
                with archive.open(zipfile.ZipInfo(name + ".npy"), "w", force_zip64=True) as file:
                    npy.write_array(file, array, allow_pickle=False)

    write_whole(path, fill)


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a file that `save` wrote.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    dict
        What was saved: names to arrays (a number is an array without axes) or to further dicts.

    Raises
    ------
    ValueError
        If the file is not of this kind, is damaged or cut short, or holds pickled objects.
    OSError
        If it cannot be opened.
    """
    path = Path(path)
    state: dict[str, Any] = {}
    with open(path, "rb") as raw:
        size = os.fstat(raw.fileno()).st_size
        try:
            with zipfile.ZipFile(raw) as archive:
                for info in archive.infolist():
                    _put(state, info.filename, _read(archive, info, size))
        except Exception as error:  # zipfile and NumPy raise a dozen kinds on a file that means harm
            raise ValueError(f"load: {path} is not a whole file written by save: {error}") from error
    return state


def _flat(state: State, prefix: str) -> Iterator[tuple[str, Any]]:
    """Every array of `state` with its whole name, ``optimizer/steps``."""
    if not isinstance(state, Mapping):
        raise TypeError(
            f"save: expected a dict of arrays, such as model.state_dict(), not {type(state).__name__}"
        )
    for name, entry in state.items():
        if not isinstance(name, str):
            raise TypeError(f"save: names are strings, and {name!r} is not one")
        if not name or "/" in name or "\0" in name:
            raise ValueError(f"save: {name!r} cannot be a name; names have letters, and no '/'")
        if isinstance(entry, Mapping):
            yield from _flat(entry, f"{prefix}{name}/")
            continue
        try:
            array = np.asarray(entry)
        except (TypeError, ValueError) as error:
            raise TypeError(f"save: {prefix}{name} is not an array: {error}") from error
        if array.dtype.hasobject:
            raise TypeError(
                f"save: {prefix}{name} is a {type(entry).__name__}, which could only be pickled; "
                "save arrays and numbers"
            )
        yield prefix + name, array


def _put(state: dict[str, Any], filename: str, array: Any) -> None:
    """Enter an array into the nested dicts under its whole name."""
    *outer, last = filename.removesuffix(".npy").split("/")
    for name in outer:
        state = state.setdefault(name, {})
        if not isinstance(state, dict):
            raise ValueError(f"{filename!r} is inside an array")
    if last in state:
        raise ValueError(f"{filename!r} is there twice")
    state[last] = array


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int) -> Any:
    """One array, after a look at what it claims to be; `size` is that of the whole file."""
    if not info.filename.endswith(".npy"):
        raise ValueError(f"{info.filename!r} is not an array")
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{info.filename!r} is compressed, which save never does")
    with archive.open(info) as file:
        shape, dtype = _header(file)
        if dtype.hasobject:
            raise ValueError(
                f"{info.filename!r} holds pickled objects, which could run code; they are not read"
            )
        promised = math.prod(shape) * dtype.itemsize
        there = min(info.file_size, size) - file.tell()
        if min(shape, default=0) < 0 or promised != there:
            raise ValueError(
                f"{info.filename!r} promises {promised:,} bytes of data, and {there:,} are there"
            )
    with archive.open(info) as file:
        return npy.read_array(file, allow_pickle=False)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(file)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(f"version {version} of the array format is not known")
    shape, _, dtype = read(file)
    return shape, dtype
