"""A page to draw digits on: a trained network answers at every stroke, by the program that its graph becomes.

The network's forward and backward pass for one image are recorded once and written as JavaScript; so the page
knows nothing of this network but its weights, and shows the very numbers that Python would compute.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from ..arraylike import Value
from ..derivatives.neural import relu
from ..files import write_whole
from ..program.export.graphs import graph_program
from .page import _file, _hash, _json

SIDE = 28  # pixels along each side of an image
SCRIPTS = ("scheme.js", "colours.js", "words.js", "ink.js", "digit.js")


def digits(
    model: Any,
    samples: Sequence[tuple[Any, str]],
    path: str | os.PathLike[str],
    *,
    mean: float = 0.1307,
    deviation: float = 0.3081,
) -> Path:
    """Write a page on which digits are drawn, and a network of two layers says what they are.

    Parameters
    ----------
    model : Module
        With two layers, `hidden` and `output`, as `MnistMLP`: 784 pixels in, ten logits out.
    samples : sequence of (array of shape (28, 28), str)
        Images that can be loaded with a click, of uint8, and what to say of each.
    path : str or path
        The HTML file, written with everything in it; it fetches nothing.
    mean, deviation : float
        Of all pixels that the network was trained on, in parts of white; its inputs are (pixel - mean) /
        deviation.

    Returns
    -------
    Path
        The file's path.

    Raises
    ------
    ValueError
        If the network does not take images of 28 × 28 pixels, or a sample is none.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from tinygrad_course import nn, viz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = viz.digits(nn.MnistMLP(rng=0), [(np.eye(28) * 255, "a stroke")], folder + "/digit.html")
    ...     "Draw a digit" in page.read_text("utf-8")
    True
    """
    weight = model.hidden.weight.data
    if weight.shape[1] != SIDE * SIDE or any(np.shape(image) != (SIDE, SIDE) for image, _ in samples):
        raise ValueError(
            f"digits: images are of {SIDE} × {SIDE} pixels; the network takes {weight.shape[1]}, and the "
            f"samples are of {sorted({np.shape(image) for image, _ in samples})}"
        )
    script, data = _program(model, mean, deviation)
    data["samples"] = [
        {"pixels": _base64(np.asarray(image, np.uint8)), "says": says} for image, says in samples
    ]
    script += "".join(map(_file, SCRIPTS))
    sheet = _file("digit.css")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(sheet)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    filled = {"policy": escape(policy), "style": sheet, "data": _json(data), "script": script}
    text = re.sub(r"\{\{(\w+)\}\}", lambda match: filled[match[1]], _file("digit.html"))
    return write_whole(path, lambda new: new.write_text(text, "utf-8"))


def _program(model: Any, mean: float, deviation: float) -> tuple[str, dict[str, Any]]:
    """The network for one image as a script; and the inputs, and what the page wants, by name."""
    pixels, chosen = Value(np.zeros((1, SIDE * SIDE), np.float32), name="pixels"), np.array([0])
    active = relu(model.hidden((pixels - mean) / deviation))
    logits = model.output(active)
    answer = logits[0, chosen].sum()
    program = graph_program([answer])
    inputs = {
        name: {"array": program.arrays[name], "data": _data(leaf, program.arrays[name])}
        for name, leaf in program.inputs.items()
    }
    names = {key: program.values[value.serial] for key, value in {"active": active, "logits": logits}.items()}
    names |= {"pixels": program.values[pixels.serial]}
    names |= {"slopes": program.gradients[names["pixels"]]}
    of_leaf = {id(leaf): name for name, leaf in program.inputs.items()}
    leaves = {"chosen": chosen, "weights": model.hidden.weight, "outputs": model.output.weight}
    names |= {key: of_leaf[id(leaf)] for key, leaf in leaves.items()}
    return program.script("PROGRAM"), {"inputs": inputs, "names": names, "hidden": active.shape[1]}


def _data(leaf: Any, array: str) -> Any:
    data = leaf.data if isinstance(leaf, Value) else leaf
    if array == "number":
        return float(data)
    return _base64(np.asarray(data, "<f8" if array == "Float64Array" else "<f4"))


def _base64(array: Any) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
