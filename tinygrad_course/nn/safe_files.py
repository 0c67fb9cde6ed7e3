"""States as safetensors files, which PyTorch's users exchange: names, and numbers as they lie in memory.

The library `safetensors` reads and writes them; it is an extra.  Such a file holds nothing but arrays, so it
cannot run code, and its numbers are those of the arrays to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?", "BF16": "<u2",
}  # fmt: skip
"""The dtypes in such a file, as they lie in memory; bfloat16 is the upper half of a float32."""


def library(who: str) -> Any:
    """The library, or an error that says where it comes from."""
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            f"{who}: files that end in .safetensors need the library of that name: pip install "
            "'tinygrad_course[interop]'; files that end in .npz need none"
        ) from None
    return safetensors


def written(state: Mapping[str, Any]) -> bytes:
    """The file for a state of arrays.

    Raises
    ------
    TypeError
        If such a file cannot hold the dtype of an array.
    ValueError
        If it cannot hold a name.
    """
    safetensors = library("save")
    known = {np.dtype(dtype).name for dtype in DTYPES.values()}
    for name, array in state.items():
        if name == "__metadata__" or name.encode("utf-8", "replace").decode() != name:
            raise ValueError(f"save: {name!r} cannot be a name in a safetensors file")
        if array.dtype.name not in known:
            raise TypeError(
                f"save: {name} is {array.dtype}, which a safetensors file cannot hold; it holds real numbers "
                "of 8 to 64 bits, and booleans"
            )
    native = {
        k: np.ascontiguousarray(a, a.dtype.newbyteorder("=")).reshape(a.shape) for k, a in state.items()
    }
    content: bytes = safetensors.numpy.save(native)
    return content


def read(content: bytes) -> dict[str, Any]:
    """The arrays in a file, each in memory of its own; bfloat16, which NumPy lacks, as float32.

    Raises
    ------
    ValueError
        If it is no such file, or NumPy has no dtype for an array in it.
    """
    safetensors = library("load")
    try:
        parts = safetensors.deserialize(content)
    except safetensors.SafetensorError as error:
        raise ValueError(f"it is not a whole safetensors file: {error}") from error
    return {name: _array(name, part) for name, part in parts}


def _array(name: str, part: Mapping[str, Any]) -> Any:
    if part["dtype"] not in DTYPES:
        raise ValueError(
            f"{name!r} is {part['dtype']}, for which NumPy has no dtype; save it in another one, in PyTorch "
            "tensor.float()"
        )
    flat = np.frombuffer(part["data"], DTYPES[part["dtype"]])
    if part["dtype"] == "BF16":
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    return flat.astype(flat.dtype.newbyteorder("=")).reshape(part["shape"])  # astype makes a copy
