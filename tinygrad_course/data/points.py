"""The small sets of the lecture: the truth tables of the gates, and clouds of labelled points in the plane.

Every cloud takes the number of points, a `noise` (the standard deviation by which each point is moved off its
place) and a `seed`. Except in `cloud`, labels take turns (0, 1, 0, 1, ...), so any first part of a set is
balanced. Another seed gives other points of the same kind, to test on.
"""

import operator
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Labels = NDArray[np.int64]

GATES = {
    "and": (0, 0, 0, 1),
    "or": (0, 1, 1, 1),
    "xor": (0, 1, 1, 0),
    "nand": (1, 1, 1, 0),
    "nor": (1, 0, 0, 0),
    "xnor": (1, 0, 0, 1),
}

CLOUDS: dict[str, Callable[[Points, Points], NDArray[np.bool_]]] = {
    "simple": lambda x, y: x > 0.5,
    "split": lambda x, y: (x < 0.2) | (x > 0.8),
    "xor": lambda x, y: (x > 0.5) != (y > 0.5),
    "circle": lambda x, y: (x - 0.5) ** 2 + (y - 0.5) ** 2 > 0.1,
}


def gates(name: str) -> tuple[Points, Points]:
    """Give the truth table of a gate with two inputs.

    Parameters
    ----------
    name : str
        "and", "or", "xor", "nand", "nor" or "xnor".

    Returns
    -------
    inputs : ndarray of float64, shape (4, 2)
        The rows (0, 0), (0, 1), (1, 0), (1, 1).
    targets : ndarray of float64, shape (4,)
        The gate's output for each row.

    Raises
    ------
    ValueError
        There is no gate of that name.

    Examples
    --------
    >>> inputs, targets = gates("and")
    >>> for (a, b), target in zip(inputs, targets):
    ...     print(a, b, target)
    0.0 0.0 0.0
    0.0 1.0 0.0
    1.0 0.0 0.0
    1.0 1.0 1.0
    """
    if name not in GATES:
        raise ValueError(f"gates: there is no gate {name!r}; choose from {', '.join(GATES)}")
    return np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array(GATES[name], np.float64)


def cloud(name: str, n: int = 200, *, noise: float = 0.0, seed: int = 0) -> tuple[Points, Labels]:
    """Scatter points evenly over the unit square and label them by where they fall.

    Parameters
    ----------
    name : str
        Where the label is 1: "simple", right of the middle; "split", near the left or the right edge;
        "xor", the upper left and lower right quarters; "circle", outside a disc in the middle.
    n : int, optional
        How many points.
    noise : float, optional
        Standard deviation by which each point is moved after it was labelled.
    seed : int, optional
        Where the random numbers come from.

    Returns
    -------
    points : ndarray of float64, shape (n, 2)
    labels : ndarray of int64, shape (n,)

    Raises
    ------
    ValueError
        There is no cloud of that name, or `n`, `noise` or `seed` is negative.
    TypeError
        `n` or `seed` is not an integer.

    Examples
    --------
    >>> points, labels = cloud("xor", 100)
    >>> points.shape, labels[:8]
    ((100, 2), array([1, 0, 0, 0, 0, 1, 1, 1]))
    """
    if name not in CLOUDS:
        raise ValueError(f"cloud: there is no cloud {name!r}; choose from {', '.join(CLOUDS)}")
    rng, _ = _start("cloud", n, 2, noise, seed)
    points = rng.random((n, 2))
    return _scatter(points, noise, rng), CLOUDS[name](*points.T).astype(np.int64)


def blobs(n: int = 200, *, classes: int = 2, noise: float = 0.2, seed: int = 0) -> tuple[Points, Labels]:
    """Make one round cloud of points a class, their centres spread over the unit circle from 45 degrees on.

    With two classes and the noise left as it is, a line separates them.

    Parameters
    ----------
    n : int, optional
        How many points, all classes together.
    classes : int, optional
        How many classes.
    noise : float, optional
        Standard deviation of a cloud.
    seed : int, optional
        Where the random numbers come from.

    Returns
    -------
    points : ndarray of float64, shape (n, 2)
    labels : ndarray of int64, shape (n,)

    Raises
    ------
    ValueError
        `n`, `noise` or `seed` is negative, or `classes` is below 1.
    TypeError
        `n`, `classes` or `seed` is not an integer.

    Examples
    --------
    >>> points, labels = blobs(6, classes=3, noise=0)
    >>> points.round(2).tolist()[:3], labels
    ([[0.71, 0.71], [-0.97, 0.26], [0.26, -0.97]], array([0, 1, 2, 0, 1, 2]))
    """
    rng, labels = _start("blobs", n, classes, noise, seed)
    return _scatter(_polar(1.0, 1 / 8 + labels / classes), noise, rng), labels


def moons(n: int = 200, *, noise: float = 0.1, seed: int = 0) -> tuple[Points, Labels]:
    """Make two half circles that reach into each other: class 0 the upper one, class 1 the lower one.

    Parameters
    ----------
    n : int, optional
        How many points, both classes together.
    noise : float, optional
        Standard deviation by which each point is moved off its half circle.
    seed : int, optional
        Where the random numbers come from.

    Returns
    -------
    points : ndarray of float64, shape (n, 2)
    labels : ndarray of int64, shape (n,)

    Raises
    ------
    ValueError
        `n`, `noise` or `seed` is negative.
    TypeError
        `n` or `seed` is not an integer.

    Examples
    --------
    >>> points, labels = moons(100, seed=1)
    >>> points.shape, labels[:6]
    ((100, 2), array([0, 1, 0, 1, 0, 1]))
    """
    rng, labels = _start("moons", n, 2, noise, seed)
    upper = _polar(1.0, rng.random(n) / 2)
    points = np.where(labels[:, None] == 0, upper, [1.0, 0.5] - upper)
    return _scatter(points, noise, rng), labels


def circles(n: int = 200, *, noise: float = 0.05, seed: int = 0) -> tuple[Points, Labels]:
    """Make two rings about one centre: class 0 of radius 1, class 1 of radius 0.5.

    Parameters
    ----------
    n : int, optional
        How many points, both classes together.
    noise : float, optional
        Standard deviation by which each point is moved off its ring.
    seed : int, optional
        Where the random numbers come from.

    Returns
    -------
    points : ndarray of float64, shape (n, 2)
    labels : ndarray of int64, shape (n,)

    Raises
    ------
    ValueError
        `n`, `noise` or `seed` is negative.
    TypeError
        `n` or `seed` is not an integer.

    Examples
    --------
    >>> import numpy as np
    >>> points, labels = circles(4, noise=0)
    >>> np.hypot(*points.T).round(6), labels
    (array([1. , 0.5, 1. , 0.5]), array([0, 1, 0, 1]))
    """
    rng, labels = _start("circles", n, 2, noise, seed)
    return _scatter(_polar(1 - labels / 2, rng.random(n)), noise, rng), labels


def spirals(n: int = 200, *, classes: int = 2, noise: float = 0.02, seed: int = 0) -> tuple[Points, Labels]:
    """Make one spiral arm a class, winding out from near the centre to radius 1 in one turn and a quarter.

    Parameters
    ----------
    n : int, optional
        How many points, all classes together.
    classes : int, optional
        How many arms.
    noise : float, optional
        Standard deviation by which each point is moved off its arm.
    seed : int, optional
        Where the random numbers come from.

    Returns
    -------
    points : ndarray of float64, shape (n, 2)
    labels : ndarray of int64, shape (n,)

    Raises
    ------
    ValueError
        `n`, `noise` or `seed` is negative, or `classes` is below 1.
    TypeError
        `n`, `classes` or `seed` is not an integer.

    Examples
    --------
    >>> points, labels = spirals(300, classes=3)
    >>> points.shape, labels[:6]
    ((300, 2), array([0, 1, 2, 0, 1, 2]))
    """
    rng, labels = _start("spirals", n, classes, noise, seed)
    way = 0.1 + 0.9 * rng.random(n)
    return _scatter(_polar(way, 1.25 * way + labels / classes), noise, rng), labels


def _start(name: str, n: int, classes: int, noise: float, seed: int) -> tuple[np.random.Generator, Labels]:
    if operator.index(n) < 0 or operator.index(classes) < 1 or not noise >= 0 or operator.index(seed) < 0:
        raise ValueError(
            f"{name}: n, noise and seed must be 0 or more and classes 1 or more, "
            f"and got n={n}, noise={noise}, seed={seed}, classes={classes}"
        )
    return np.random.default_rng(seed), np.arange(n, dtype=np.int64) % classes


def _polar(radius: float | Points, turns: Points) -> Points:
    angle = 2 * np.pi * turns
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _scatter(points: Points, noise: float, rng: np.random.Generator) -> Points:
    return points + noise * rng.standard_normal(points.shape)
