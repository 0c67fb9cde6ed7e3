"""Rows of moving entries around without changing them: rolling, turning, mirroring, padding."""

import numpy as np

from ...engine.table import composed, derivative
from .arguments import along, one_axis


def _quarters(k):
    """How often this NumPy turns by 90 degrees for `k`, which may be no whole number."""
    corners = np.array([[0, 1], [3, 2]])
    return int(np.rot90(corners, k)[0, 0])


derivative(
    np.roll,
    lambda g, out, a, shift, axis=None: np.roll(g, -np.array(shift, int), axis),
    javascript="pick",
    formula="a shifted along axis, what leaves at one end enters at the other",
    torch="torch.roll(a, shifts=shift, dims=axis)",
)
derivative(
    np.rot90,
    lambda g, out, m, k=1, axes=(0, 1): np.rot90(g, -_quarters(k), axes),
    javascript="pick",
    formula="m turned k times by 90 degrees",
)


def _halves(sign):
    """Half of each axis is rolled to the other end, as np.fft.fftshift does (1) and undoes (-1)."""

    def composition(x, axes=None):
        axes = tuple(range(np.ndim(x))) if axes is None else axes
        several = axes if isinstance(axes, (tuple, list)) else (axes,)
        return np.roll(x, [sign * (x.shape[a] // 2) for a in several], tuple(several))

    return composition


composed(np.fft.fftshift, _halves(1), formula="x with its first half behind its second, along each axis")
composed(np.fft.ifftshift, _halves(-1), formula="what fftshift is of")


def _windows(x, window_shape, axis=None, *, subok=False, writeable=False):
    np.lib.stride_tricks.sliding_window_view(np.empty(np.shape(x)), window_shape, axis)  # NumPy judges
    sizes = tuple(window_shape) if np.iterable(window_shape) else (window_shape,)
    axes = range(np.ndim(x)) if axis is None else axis if np.iterable(axis) else (axis,)
    for a, size in zip([a % np.ndim(x) for a in axes], sizes):
        places = np.arange(x.shape[a] - size + 1)[:, None] + np.arange(size)
        x = np.moveaxis(np.take(x, places, a), a + 1, -1)
    return x


composed(
    np.lib.stride_tricks.sliding_window_view,
    _windows,
    formula="all windows of window_shape in x, each along new last axes",
)


def _mirrored(name, axis):
    def composition(m):
        if np.ndim(m) <= axis:
            raise ValueError(f"{name}: needs at least {axis + 1} axes, and got shape {np.shape(m)}")
        return np.flip(m, axis)

    return composition


composed(np.fliplr, _mirrored("fliplr", 1), formula="m with its second axis backwards")
composed(np.flipud, _mirrored("flipud", 0), formula="m with its first axis backwards")


def _rollaxis(a, axis, start=0):
    axis, start = one_axis(a, axis), start + a.ndim if start < 0 else start
    if not 0 <= start <= a.ndim:
        raise ValueError(f"rollaxis: start={start} is not between 0 and the {a.ndim} axes of shape {a.shape}")
    return np.moveaxis(a, axis, start - (axis < start))


composed(np.rollaxis, _rollaxis, formula="a with one axis moved in front of another")


# Padding
def _pairs(given, ndim):
    """What np.pad takes for all ends, for the two ends of every axis, or for both of each: a pair an axis."""
    if isinstance(given, dict):
        pairs = [(0, 0)] * ndim
        for axis, pair in given.items():
            pairs[axis] = pair if np.ndim(pair) else (pair, pair)
        return pairs
    return np.broadcast_to(np.asarray(given), (ndim, 2)).tolist()


def _ends(x, axis, pair, fill):
    """`x` between what `fill` gives for either end: it is called with that end's width and number, 0 or 1."""
    parts = [fill(width, end) for end, width in enumerate(pair)]
    return np.concatenate([parts[0], x, parts[1]], axis)


def _pad_constant(x, axis, pair, values=(0, 0)):
    shape = list(x.shape)

    def fill(width, end):
        shape[axis] = width
        return np.full(shape, values[end], x.dtype)

    return _ends(x, axis, pair, fill)


def _pad_ramp(x, axis, pair, values=(0, 0)):
    def fill(width, end):
        edge = along(x, axis, slice(-1, None) if end else slice(0, 1))
        steps = np.arange(width, dtype=x.dtype)
        steps = np.reshape(steps[::-1] if end else steps, [-1 if a == axis else 1 for a in range(x.ndim)])
        return (edge - values[end]) / max(width, 1) * steps + values[end]

    return _ends(x, axis, pair, fill)


def _pad_statistic(statistic):
    def pad(x, axis, pair, lengths=(None, None)):
        def fill(width, end):
            n = x.shape[axis]
            length = n if lengths[end] is None else min(lengths[end], n)
            if length < 0:
                raise ValueError(f"pad: stat_length counts entries, so it is not {length}")
            part = along(x, axis, slice(n - length, n) if end else slice(0, length))
            shape = [width if a == axis else m for a, m in enumerate(x.shape)]
            return np.broadcast_to(statistic(part, axis=axis, keepdims=True), shape)

        return _ends(x, axis, pair, fill)

    return pad


def _pad_repeated(mode):
    """Modes whose new entries are old ones: which, NumPy tells when it pads the numbers of the entries."""

    def pad(x, axis, pair, type="even"):
        n = x.shape[axis]
        if type == "even":
            extra = {} if mode in ("edge", "wrap") else {"reflect_type": type}
            return along(x, axis, np.pad(np.arange(n), pair, mode, **extra))
        weights = np.pad(np.eye(n, dtype=x.dtype), (pair, (0, 0)), mode, reflect_type=type)
        return np.moveaxis(np.tensordot(weights, x, (1, axis)), 0, axis)

    return pad


_PADDING = {  # mode: the function for one axis, and the keyword that it takes
    "constant": (_pad_constant, "constant_values"),
    "empty": (_pad_constant, None),
    "linear_ramp": (_pad_ramp, "end_values"),
    "maximum": (_pad_statistic(np.max), "stat_length"),
    "minimum": (_pad_statistic(np.min), "stat_length"),
    "mean": (_pad_statistic(np.mean), "stat_length"),
    "median": (_pad_statistic(np.median), "stat_length"),
    "edge": (_pad_repeated("edge"), None),
    "wrap": (_pad_repeated("wrap"), None),
    "reflect": (_pad_repeated("reflect"), "reflect_type"),
    "symmetric": (_pad_repeated("symmetric"), "reflect_type"),
}


def _pad(array, pad_width, mode="constant", **kwargs):
    if callable(mode) or mode not in _PADDING:
        raise ValueError(f"pad: mode is one of {', '.join(_PADDING)}, not {mode!r}")
    if not isinstance(pad_width, dict) and np.asarray(pad_width).dtype.kind != "i":
        raise TypeError(f"pad: pad_width is made of whole numbers, not {pad_width!r}")
    pad, keyword = _PADDING[mode]
    if wrong := set(kwargs) - {keyword}:
        raise ValueError(f"pad: mode {mode!r} has no keyword {wrong.pop()}")
    option = kwargs.get(keyword)
    if option is not None and keyword != "reflect_type":
        option = _pairs(option, array.ndim)
    for axis, pair in enumerate(_pairs(pad_width, array.ndim)):
        if min(pair) < 0:
            raise ValueError(
                f"pad: axis {axis} cannot be padded by {tuple(pair)}; leave entries out with v[...]"
            )
        if max(pair):
            if not array.shape[axis] and mode not in ("constant", "empty"):
                raise ValueError(f"pad: mode {mode!r} finds no entries along axis {axis} of {array.shape}")
            more = () if option is None else (option,) if keyword == "reflect_type" else (option[axis],)
            array = pad(array, axis, tuple(pair), *more)
    return array


composed(np.pad, _pad, formula="array with a margin around it", onnx="pad")
