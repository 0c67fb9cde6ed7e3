"""Rows of sets of numbers: the entries that they consist of are taken from the arguments."""

import numpy as np

from ...engine.table import composed
from .arguments import like
from .nondifferentiable import constant


def _unique(ar, return_index=False, return_inverse=False, return_counts=False, axis=None, **more):
    _, index, *rest = np.unique(constant(ar), True, return_inverse, return_counts, axis, **more)
    extra = ([index] if return_index else []) + rest
    values = np.take(ar, index, axis)
    return (values, *extra) if extra else values


def _first_places(x):
    """Where each different entry of `x` is found first, in rising order; nan differs from nan."""
    return np.unique(constant(x), return_index=True, equal_nan=False)[1]


def _with_values(function):
    """A row for unique_all, unique_counts, unique_inverse: a named tuple whose values are taken from `x`."""

    def composition(x, /):
        return function(constant(x))._replace(values=np.ravel(x)[_first_places(x)])

    return composition


def _unique_values(x, /):
    values = np.unique_values(constant(x))  # in any order
    return np.ravel(x)[_first_places(x)[np.argsort(np.argsort(values))]]


def _union1d(ar1, ar2):
    return _unique(np.concatenate([ar1, ar2], axis=None))


def _intersect1d(ar1, ar2, assume_unique=False, return_indices=False):
    plain, *places = np.intersect1d(constant(ar1), constant(ar2), assume_unique, True)
    values = like(np.ravel(ar1)[places[0]], plain.dtype)
    return (values, *places) if return_indices else values


def _setdiff1d(ar1, ar2, assume_unique=False):
    ar1 = np.ravel(ar1) if assume_unique else _unique(ar1)
    return ar1[np.isin(ar1, ar2, invert=True)]


def _setxor1d(ar1, ar2, assume_unique=False):
    ar1, ar2 = (np.ravel(a) if assume_unique else _unique(a) for a in (ar1, ar2))
    both = np.concatenate([ar1, ar2])
    _, index, counts = np.unique(constant(both), return_index=True, return_counts=True)
    return both[index[counts == 1]]


facts = {"kink": "the first among equal entries", "sized_by_data": True}
composed(np.unique, _unique, formula="the entries of ar in rising order, each once", **facts)
composed(np.unique_values, _unique_values, formula="the entries of x, each once", **facts)
for function in (np.unique_all, np.unique_counts, np.unique_inverse):
    composed(function, _with_values(function), formula="the entries of x, each once, and more", **facts)
composed(np.union1d, _union1d, formula="the entries of either array, each once", **facts)
composed(
    np.intersect1d,
    _intersect1d,
    formula="the entries of both arrays, each once",
    kink="those of the first array",
    sized_by_data=True,
)
composed(np.setdiff1d, _setdiff1d, formula="the entries of ar1 that are not in ar2, each once", **facts)
composed(np.setxor1d, _setxor1d, formula="the entries of only one of two arrays, each once", **facts)
