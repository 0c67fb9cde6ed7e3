"""Data to learn from: MNIST inside the package, other image sets from IDX files, the lecture's small sets.

Images come as an `ImageSet` (`mnist`, `load_folder`), small sets as inputs and targets (`gates`) or points
and labels (`cloud`, `blobs`, `moons`, `circles`, `spirals`), and `Batches` cuts any of them up for training.

Examples
--------
>>> from tinygrad_course import data
>>> digits = data.mnist()
>>> batches = data.Batches(digits.train_images, digits.train_labels, batch_size=200, seed=0)
>>> for images, labels in batches:
...     inputs = (images.reshape(-1, 784) / 255 - 0.1307) / 0.3081
>>> len(batches), inputs.shape, labels.shape
(300, (200, 784), (200,))
"""

from .batches import Batches
from .idx import read_idx
from .images import ImageSet, load_folder, mnist
from .points import blobs, circles, cloud, gates, moons, spirals

__all__ = [
    "Batches",
    "ImageSet",
    "blobs",
    "circles",
    "cloud",
    "gates",
    "load_folder",
    "mnist",
    "moons",
    "read_idx",
    "spirals",
]
