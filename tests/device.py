"""A stand-in for arrays on a GPU, which may not leave it: whoever converts them by the way is found out."""

import numpy as np

from tinygrad_course import Value


class Device(np.lib.mixins.NDArrayOperatorsMixin):
    """An array on a device of its own: it cannot become NumPy's, meet one of those, or be written into.

    Only what was just made by zeros_like and its kind can be filled.  There is no `.flat`, no `.strides`, no
    `.base`, and ``a += b`` makes a new array.
    """

    __slots__ = ("_array", "_fresh")

    def __init__(self, array, fresh=False):
        self._array, self._fresh = np.asarray(array), fresh

    shape = property(lambda self: self._array.shape)
    dtype = property(lambda self: self._array.dtype)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    T = property(lambda self: Device(self._array.T))

    def __iadd__(self, other):
        return self + other

    def __isub__(self, other):
        return self - other

    def __len__(self):
        return len(self._array)

    def __getitem__(self, index):
        return Device(self._array[taken_off(index)])

    def __setitem__(self, index, new):
        if not self._fresh:
            raise TypeError("an array was written into that somebody else may hold")
        self._array[taken_off(index)] = taken_off(new)

    def __array__(self, *args, **kwargs):
        raise TypeError("an array was taken off its device")

    def __bool__(self):
        return bool(self._array)

    def __float__(self):
        return float(self._array)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if any(isinstance(x, Value) for x in inputs):
            return NotImplemented
        if kwargs.get("out") is not None:
            raise TypeError("an array was written into with out=")
        return put_on(getattr(ufunc, method)(*map(taken_off, inputs), **taken_off(kwargs)))

    def __array_function__(self, function, types, args, kwargs):
        if Value in types:
            return NotImplemented
        fresh = function.__name__.endswith("_like") or function is np.copy
        return put_on(function(*map(taken_off, args), **taken_off(kwargs)), fresh)

    def copy(self):
        return Device(self._array.copy(), True)


for name in ("astype", "reshape", "transpose", "ravel", "sum", "mean", "max", "min", "any", "all", "prod"):
    method = lambda self, *args, _name=name, **kwargs: put_on(getattr(self._array, _name)(*args, **kwargs))
    setattr(Device, name, method)


def taken_off(x):
    """The arrays within `x` as the device computes on them; NumPy's own are not let in."""
    if isinstance(x, (list, tuple)):
        return list(map(taken_off, x)) if isinstance(x, list) else tuple(map(taken_off, x))
    if isinstance(x, dict):
        return {name: taken_off(part) for name, part in x.items()}
    if isinstance(x, np.ndarray) and x.ndim:
        raise TypeError("an array on a device met one in NumPy's memory")
    return x._array if isinstance(x, Device) else x


def put_on(x, fresh=False):
    if isinstance(x, (list, tuple)):
        return tuple(put_on(part) for part in x)
    return Device(x, fresh) if isinstance(x, (np.ndarray, np.generic)) else x
