"""Rows of choosing entries: by number, and by condition."""

import numpy as np

from ...engine.table import composed
from ..indexing import set_at
from ..shaping import cast
from .arguments import all_axes, along, array, one_axis


# By number
def _wrapped(index, n, mode):
    """Numbers beyond 0 to n - 1 brought back, as `mode` says."""
    if mode == "raise":
        return index
    return np.clip(index, 0, n - 1) if mode == "clip" else np.mod(index, n)


def _take(a, indices, axis=None, out=None, mode="raise"):
    a = np.ravel(array(a)) if axis is None or not np.ndim(a) else array(a)
    axis = one_axis(a, 0 if axis is None else axis)
    indices = np.asarray(indices).astype(int, casting="same_kind")  # no mask: True is 1
    return along(a, axis, _wrapped(indices, a.shape[axis], mode))


def _in_common(out, choices):
    """`out` in the dtype of all `choices` together, in which numbers have no say beside arrays."""
    weak = lambda c: type(c) in (bool, int, float) or type(getattr(c, "data", None)) is float
    dtype = np.result_type(*(0.0 if weak(c) else array(c).dtype for c in choices))
    return out if out.dtype == dtype else cast(out, dtype)


def _choose(a, choices, out=None, mode="raise"):
    index, n = _wrapped(np.asarray(a), len(choices), mode), len(choices)
    if np.size(index) and (np.min(index) < 0 or np.max(index) >= n):
        raise ValueError(f"choose: a must name one of the {n} choices; or give mode='wrap' or 'clip'")
    out = 0
    for k, choice in enumerate(choices):
        out = np.where(np.equal(index, k), choice, out)
    return _in_common(out, choices)


composed(np.take, _take, formula="a at indices along axis", javascript="take", onnx="take")
composed(np.choose, _choose, formula="entries of the choices that a names")


# By condition
def _compress(condition, a, axis=None, out=None):
    if np.ndim(condition) != 1:
        raise ValueError(f"compress: condition has one axis, not shape {np.shape(condition)}")
    return _take(a, np.nonzero(condition)[0], axis)


def _extract(condition, arr):
    return np.ravel(arr)[np.nonzero(np.ravel(condition))[0]]


def _select(condlist, choicelist, default=0):
    if any(array(condition).dtype != bool for condition in condlist):
        raise TypeError("select: a condition is made of True and False; compare first: v > 0")
    if len(condlist) != len(choicelist):
        raise ValueError(f"select: {len(condlist)} conditions for {len(choicelist)} choices")
    out = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist)):
        out = np.where(condition, choice, out)
    return _in_common(out, [*choicelist, default])


def _piecewise(x, condlist, funclist, *args, **kw):
    shape, x = np.shape(x), np.atleast_1d(array(x))
    if np.isscalar(condlist) or (shape and not isinstance(condlist[0], (list, np.ndarray))):
        condlist = [condlist]
    conditions = np.asarray(condlist, bool)
    conditions = conditions if shape else conditions[:, None]
    if len(funclist) == len(conditions) + 1:
        conditions = [*conditions, ~np.any(conditions, axis=0)]
    if len(funclist) != len(conditions):
        raise ValueError(f"piecewise: {len(funclist)} functions for {len(condlist)} conditions")
    out = np.where(False, x, np.zeros(x.shape, x.dtype))  # recorded, also where no condition holds
    for condition, f in zip(conditions, funclist):
        part = x[condition]
        if condition.any():
            out = set_at(out, condition, f(part, *args, **kw) if callable(f) else f)
    return np.reshape(out, shape)


def _trim_zeros(filt, trim="fb", axis=None):
    trim = trim.lower()
    if trim not in ("fb", "bf", "f", "b"):
        raise ValueError(f"trim_zeros: trim is 'f' for the front, 'b' for the back, or 'fb', not {trim!r}")
    cuts = [slice(None)] * filt.ndim
    places = np.nonzero(filt) if cuts else ()
    for a in all_axes(filt, axis):
        if places[a].size:
            start, stop = int(places[a].min()), int(places[a].max()) + 1
            cuts[a] = slice(start if "f" in trim else None, stop if "b" in trim else None)
        else:
            cuts[a] = slice(0, 0)
    return filt[tuple(cuts)]


composed(np.trim_zeros, _trim_zeros, formula="filt without the zeros at its ends", sized_by_data=True)
composed(np.compress, _compress, formula="a along axis where the condition holds", sized_by_data=True)
composed(np.extract, _extract, formula="entries of arr where the condition holds", sized_by_data=True)
composed(np.select, _select, formula="the choice of the first condition that holds")
composed(np.piecewise, _piecewise, formula="of each function the part where its condition holds")
