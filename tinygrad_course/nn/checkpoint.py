"""Save arrays by name in one file, ``.npz`` or ``.safetensors``, and load them again, whoever wrote the file.

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
from . import safe_files

State = Mapping[str, Any]
"""Names to arrays, numbers or further such mappings."""

SAFE = ".safetensors"
"""What names of files end in that PyTorch's users exchange."""

LONGEST = 2**16 - 1
"""So many bytes a name in a zip file can have."""


def save(state: State, path: str | os.PathLike[str]) -> None:
    """Write `state` to the file `path`, which NumPy's ``np.load``, or PyTorch's users, can read as well.

    Parameters
    ----------
    state : mapping
        Names to arrays or numbers, as `Module.state_dict` gives them; or to further mappings of that kind:
        ``{"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}``.
    path : path
        Where to.  If it ends in ``.safetensors``, the file is of that kind, in which PyTorch's users exchange
        weights, and which the library safetensors (the extra `interop`) writes; else it is NumPy's, and by
        custom ends in ``.npz``.  Folders that are missing are made, and a file that exists is replaced once
        the new one is whole.

    Raises
    ------
    TypeError
        If `state` holds something other than arrays and numbers, a name that is not a string, or, for
        safetensors, mappings inside it or a dtype that it does not have.
    ValueError
        If a name is empty or contains ``/``, or a whole name is too long for a file of this kind.
    ImportError
        If the library safetensors is needed and missing.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from tinygrad_course import nn
    >>> layer, other = nn.Linear(2, 1), nn.Linear(2, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(layer.state_dict(), f"{folder}/layer.npz")
    ...     _ = other.load_state_dict(load(f"{folder}/layer.npz"))
    >>> bool((layer.weight.data == other.weight.data).all())
    True
    """
    if _is_safe(path):
        content = safe_files.written(_arrays(state))
        write_whole(path, lambda part: part.write_bytes(content))
        return
    entries = dict(_flat(state))

    def fill(part: Path) -> None:
        with zipfile.ZipFile(part, "w") as archive:
            for name, array in entries.items():
                # a fixed date, so that equal states make equal files
                with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as file:
                    if array is not None:
                        npy.write_array(file, array, allow_pickle=False)

    write_whole(path, fill)


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a file that `save` wrote, or one that ends in ``.safetensors``, whoever wrote it.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    dict
        What was saved: names to arrays (a number is an array without axes) or to further dicts.  bfloat16,
        which NumPy does not have, comes as float32, in which it is exact.

    Raises
    ------
    ValueError
        If the file is not of this kind, is damaged or cut short, or holds pickled objects.
    ImportError
        If the library safetensors is needed and missing.
    OSError
        If it cannot be opened.
    """
    path = Path(path)
    if _is_safe(path):
        try:
            return safe_files.read(path.read_bytes())
        except ValueError as error:
            raise ValueError(f"load: {path}: {error}") from error
    state: dict[str, Any] = {}
    with open(path, "rb") as raw:
        size = os.fstat(raw.fileno()).st_size
        try:
            with zipfile.ZipFile(raw) as archive:
                if (promised := sum(info.compress_size for info in archive.infolist())) > size:
                    raise ValueError(f"its parts overlap: {promised:,} bytes of data in a file of {size:,}")
                for info in archive.infolist():
                    if info.filename.endswith("/"):
                        _dict_at(state, info.filename.split("/")[:-1], info.filename)
                    else:
                        _put(state, info.filename, _read(archive, info, size))
        except Exception as error:  # zipfile and NumPy raise a dozen kinds on a file that means harm
            raise ValueError(f"load: {path} is not a whole file written by save: {error}") from error
    return state


def _is_safe(path: str | os.PathLike[str]) -> bool:
    return Path(path).suffix.lower() == SAFE


def _arrays(state: State) -> dict[str, Any]:
    """The arrays of a state without mappings inside it."""
    for name, entry in _items(state):
        if isinstance(entry, Mapping):
            raise TypeError(
                f"save: {name} is a {type(entry).__name__}, and a safetensors file has no more than arrays; "
                f"save(state[{name!r}], ...) writes that alone, and a file that ends in .npz holds all of it"
            )
    return {name: _array(name, entry) for name, entry in _items(state)}


def _flat(state: State) -> Iterator[tuple[str, Any]]:
    """Every array of `state` with its entry's name, ``optimizer/steps.npy``; for {}, ``scores/`` and None."""
    waiting = [("", iter(_items(state)))]
    while waiting:
        prefix, items = waiting[-1]
        name, entry = next(items, (None, None))
        if name is None:
            waiting.pop()
            continue
        _check_name(prefix, name)
        whole = f"{prefix}{name}"
        if not isinstance(entry, Mapping):
            yield f"{whole}.npy", _array(whole, entry)
        elif entry:
            waiting.append((f"{whole}/", iter(_items(entry))))
        else:
            yield f"{whole}/", None


def _items(state: Any) -> list[tuple[Any, Any]]:
    if not isinstance(state, Mapping):
        raise TypeError(
            f"save: expected a dict of arrays, such as model.state_dict(), not {type(state).__name__}"
        )
    for name in state:
        if not isinstance(name, str):
            raise TypeError(f"save: names are strings, and {name!r} is not one")
    return list(state.items())


def _check_name(prefix: str, name: str) -> None:
    if not name or "/" in name or "\0" in name:
        raise ValueError(f"save: {name!r} cannot be a name; names have letters, and no '/'")
    try:
        length = len(f"{prefix}{name}.npy".encode())
    except UnicodeEncodeError:
        raise ValueError(f"save: {name!r} cannot be a name; it holds half of a character") from None
    if length > LONGEST:
        raise ValueError(
            f"save: the whole name {prefix[:20]}{name[:20]}... has {length:,} bytes, and a file of this kind "
            f"has room for {LONGEST:,}; give a shorter name, or dicts that are not as deep"
        )


def _array(name: str, entry: Any) -> Any:
    try:
        array = np.asarray(entry)
    except (TypeError, ValueError) as error:
        raise TypeError(f"save: {name} is not an array: {error}") from error
    if array.dtype.hasobject:
        raise TypeError(
            f"save: {name} is a {type(entry).__name__}, which could only be pickled; save arrays and numbers"
        )
    return array


def _put(state: dict[str, Any], filename: str, array: Any) -> None:
    """Enter an array into the nested dicts under its whole name."""
    *outer, last = filename.removesuffix(".npy").split("/")
    state = _dict_at(state, outer, filename)
    if last in state:
        raise ValueError(f"{filename!r} is there twice")
    state[last] = array


def _dict_at(state: dict[str, Any], names: list[str], filename: str) -> dict[str, Any]:
    """The dict inside the nested dicts, made where there is none."""
    for name in names:
        state = state.setdefault(name, {})
        if not isinstance(state, dict):
            raise ValueError(f"{filename!r} is inside an array")
    return state


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int) -> Any:
    """One array, after a look at what it claims to be; `size` is that of the whole file."""
    if info.filename.endswith(".pkl"):
        raise ValueError(
            "it holds pickled objects, which could run code; they are not read: in PyTorch, save the weights "
            "with safetensors.torch.save_file(model.state_dict(), 'model.safetensors')"
        )
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
