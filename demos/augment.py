"""Images moved about by chance, each turned, scaled, sheared and shifted: a network sees no image twice.

Simard, Steinkraus and Platt (2003), "Best practices for convolutional neural networks applied to visual
document analysis", show how much this does for handwritten digits.
"""

from __future__ import annotations

import numpy as np

TURN, SCALE, SHEAR, SHIFT = 12.0, (0.87, 1.15), 0.2, 2.0  # degrees, factors, slope, pixels
MARGIN = 2  # rows and columns of paper around an image: whatever lies beyond reads as paper
AT_A_TIME = 100  # images worked on together, so that everything stays in the processor's cache


def affine(images: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """Move every image in its own way.

    Every pixel of the result looks up where it came from and mixes the four pixels around that place
    (bilinear interpolation).

    Parameters
    ----------
    images : array of shape (N, height, width)
        Any dtype; paper is 0.
    rng : Generator
        Where chance comes from.
    strength : float
        How far the images move: 1 is the whole range, 0 is not at all.

    Returns
    -------
    array of shape (N, height, width), float32

    Examples
    --------
    >>> import numpy as np
    >>> moved = affine(np.ones((3, 28, 28), np.uint8), np.random.default_rng(0))
    >>> moved.shape, moved.dtype, float(moved[:, 14, 14].min())
    ((3, 28, 28), dtype('float32'), 1.0)
    """
    n, height, width = images.shape
    out = np.empty(images.shape, np.float32)
    maps = _inverse_maps(n, rng, strength)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = y - (height - 1) / 2, x - (width - 1) / 2
    for start in range(0, n, AT_A_TIME):
        some = slice(start, min(n, start + AT_A_TIME))
        paper = np.pad(images[some].astype(np.float32), ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)))
        (xx, xy, x0), (yx, yy, y0) = maps[:, :, some, None, None]
        out[some] = _looked_up(paper, yx * x + yy * y + y0, xx * x + xy * y + x0)
    return out


def _inverse_maps(n: int, rng: np.random.Generator, strength: float) -> np.ndarray:
    """From a place in the result to its origin, both seen from the middle.

    For x and for y (axis 0): the factors of x and y and what is added (axis 1), for every image (axis 2).
    """
    turn = strength * np.deg2rad(rng.uniform(-TURN, TURN, n))
    scale = np.exp(strength * rng.uniform(*np.log(SCALE), n))
    shear = strength * rng.uniform(-SHEAR, SHEAR, n)
    dx, dy = strength * rng.uniform(-SHIFT, SHIFT, (2, n))
    cos, sin = np.cos(turn) / scale, np.sin(turn) / scale
    maps = np.array([[cos, cos * shear + sin, dx], [-sin, cos - sin * shear, dy]])
    return maps.astype(np.float32)


def _looked_up(paper: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The images in `paper` at the places (y, x), which count from the middle."""
    n, height, width = paper.shape
    y = np.clip(y + np.float32((height - 1) / 2), 0, height - 1.001, dtype=np.float32)
    x = np.clip(x + np.float32((width - 1) / 2), 0, width - 1.001, dtype=np.float32)
    row, column = y.astype(np.int32), x.astype(np.int32)
    y -= row  # from here on, how far below and to the right of that pixel
    x -= column
    first = (np.arange(n, dtype=np.int32)[:, None, None] * height + row) * width + column
    pixels = paper.ravel()
    upper, lower = (_between(pixels, at, x) for at in (first, first + width))
    lower -= upper
    lower *= y
    lower += upper
    return lower


def _between(pixels: np.ndarray, at: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The mixture of the pixels at a place and right of it."""
    left, right = pixels.take(at, mode="clip"), pixels.take(at + 1, mode="clip")
    right -= left
    right *= share
    right += left
    return right
