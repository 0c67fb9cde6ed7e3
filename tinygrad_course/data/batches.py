"""Cut arrays into shuffled batches, in an order that depends only on the seed and the number of the epoch."""

import math
import operator
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Batches:
    """Batches of one or more arrays of equal length; every pass over it is one epoch, in a new order.

    Parameters
    ----------
    *arrays : array_like
        Arrays that share the length of their first axis, such as images and labels.
    batch_size : int
        How many rows a batch has. The last batch of an epoch is smaller where the length does not divide.
    seed : int, optional
        Where the orders come from.
    shuffle : bool, optional
        False takes the rows as they come; the batches are then views of the arrays, not copies.
    drop_last : bool, optional
        True leaves out a last batch that would be smaller; a warning says if that leaves none.

    Attributes
    ----------
    epoch : int
        The number of the next pass, counted from 0; each pass adds one as it begins. The order of a pass
        depends on `seed` and this number alone, so a training run that sets `epoch` to where it stopped
        goes on with the very batches it would have seen.

    Raises
    ------
    ValueError
        There is no array, one has no axes, the lengths differ, `batch_size` is below 1, or `seed` below 0.
    TypeError
        `batch_size` or `seed` is not an integer.

    Examples
    --------
    `len` is the number of batches, and each batch is a tuple with a part of every array:

    >>> import numpy as np
    >>> points, labels = np.arange(10).reshape(5, 2), np.array([0, 1, 2, 3, 4])
    >>> batches = Batches(points, labels, batch_size=2, seed=1)
    >>> len(batches)
    3
    >>> first = [y.tolist() for x, y in batches]
    >>> second = [y.tolist() for x, y in batches]
    >>> first == second, sorted(sum(second, []))
    (False, [0, 1, 2, 3, 4])

    Going back to an epoch, or on with it in another program, gives the same batches again:

    >>> batches.epoch
    2
    >>> batches.epoch = 1
    >>> [y.tolist() for x, y in batches] == second
    True
    """

    def __init__(
        self,
        *arrays: ArrayLike,
        batch_size: int,
        seed: int = 0,
        shuffle: bool = True,
        drop_last: bool = False,
    ) -> None:
        self.arrays: tuple[NDArray[Any], ...] = tuple(np.asarray(array) for array in arrays)
        self.batch_size = _whole("batch_size", batch_size)
        self.seed = _whole("seed", seed)
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.epoch = 0
        shapes = [array.shape for array in self.arrays]
        if not shapes or () in shapes or len({shape[0] for shape in shapes}) > 1:
            raise ValueError(
                f"Batches: needs one or more arrays with first axes of one length, and got shapes {shapes}; "
                "give each array one row a sample"
            )
        if self.batch_size < 1:
            raise ValueError(f"Batches: batch_size must be 1 or more, and is {batch_size}")
        if drop_last and (rows := shapes[0][0]) < self.batch_size:
            warnings.warn(
                f"Batches: {rows} rows do not fill one batch of {batch_size}, and drop_last=True leaves out "
                "what is not full, so there is no batch at all; give a smaller batch_size or drop_last=False",
                stacklevel=2,
            )
        if self.seed < 0:
            raise ValueError(f"Batches: seed must be 0 or more, and is {seed}")

    def __len__(self) -> int:
        batches = len(self.arrays[0]) / self.batch_size
        return math.floor(batches) if self.drop_last else math.ceil(batches)

    def __iter__(self) -> Iterator[tuple[NDArray[Any], ...]]:
        self.epoch += 1
        return self._one_pass(self.epoch - 1)

    def _one_pass(self, epoch: int) -> Iterator[tuple[NDArray[Any], ...]]:
        order = None
        if self.shuffle:
            # spawn_key, because seed + epoch would give seed 0 in epoch 1 the order of seed 1 in epoch 0.
            sequence = np.random.SeedSequence(self.seed, spawn_key=(epoch,))
            order = np.random.default_rng(sequence).permutation(len(self.arrays[0]))
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            rows = slice(start, start + self.batch_size)
            picked = rows if order is None else order[rows]
            yield tuple(array[picked] for array in self.arrays)


def _whole(name: str, given: Any) -> int:
    try:
        return operator.index(given)
    except TypeError:
        whole = isinstance(given, float) and given.is_integer()
        raise TypeError(
            f"Batches: {name} must be an integer, and is {given!r} ({type(given).__name__})"
            + (f"; write {name}={int(given)}" if whole else "")
        ) from None
