"""Cases of what layers are made of: windows, convolution, pooling, standardizing, embedding, activations."""

import itertools
import math

import numpy as np

from rows.registry import Call, arrays, binary, call, case, shapes, st, torch, unary
from tinygrad_course.derivatives import convolution, neural

functional = torch and torch.nn.functional
some = {"low": -4, "high": 4}


def kept(function):
    """A reference that keeps the dtype of its argument."""
    return lambda x, *args, **kwargs: np.asarray(function(x, *args, **kwargs), np.asarray(x).dtype)


# Activations and losses of single entries
case(
    neural.elu,
    unary(avoid=[0], **some),
    reference=kept(lambda x, alpha=1.0: np.where(x > 0, x, alpha * (np.exp(x) - 1))),
    torch="nn.functional.elu",
    edges=1,
)
case(
    neural.elu,
    call(arrays(avoid=[0], **some), alpha=0.5),
    reference=kept(lambda x, alpha=1.0: np.where(x > 0, x, alpha * (np.exp(x) - 1))),
    torch="nn.functional.elu",
)
case(
    neural.prelu,
    binary(first={"avoid": [0], **some}, second={"low": -1, "high": 1}),
    reference=lambda x, weight: np.where(np.asarray(x) > 0, x, x * weight),
)
case(
    neural.hardtanh,
    unary(avoid=[-1, 1], **some),
    reference=kept(lambda x: np.clip(x, -1, 1)),
    torch="nn.functional.hardtanh",
    edges=1,
)
case(
    neural.hardtanh,
    call(arrays(avoid=[0, 2], **some), min_val=0.0, max_val=2.0).filter(lambda c: len(c.kwargs) == 2),
    reference=kept(lambda x, min_val, max_val: np.clip(x, min_val, max_val)),
    torch="nn.functional.hardtanh",
)
case(
    neural.softsign,
    unary(avoid=[0], **some),
    reference=kept(lambda x: x / (1 + np.abs(x))),
    torch="nn.functional.softsign",
)
case(
    neural.mish,
    unary(**some),
    reference=kept(lambda x: x * np.tanh(np.log(1 + np.exp(x)))),
    torch="nn.functional.mish",
)


def huber(x, delta=1.0):
    return np.where(np.abs(x) <= delta, x * x / 2, delta * np.abs(x) - delta * delta / 2)


case(
    neural.huber,
    call(arrays(avoid=[-1, 1, -0.5, 0.5], **some), delta=0.5),
    reference=kept(huber),
    torch=lambda x, delta=1.0: functional.huber_loss(x, torch.zeros_like(x), reduction="none", delta=delta),
)


# Windows
def padded(x, padding, fill=0.0):
    return np.pad(x, [(0, 0)] * (x.ndim - len(padding)) + list(padding), constant_values=fill)


def windows(x, kernel, stride, padding, dilation, fill=0.0):
    """One entry after the other."""
    n = len(kernel)
    x = padded(x, padding, fill)
    steps = list(zip(x.shape[x.ndim - n :], kernel, stride, dilation))
    positions = [(size - d * (k - 1) - 1) // s + 1 for size, k, s, d in steps]
    out = np.empty((*x.shape[: x.ndim - n], *kernel, *positions), x.dtype)
    for k in np.ndindex(*kernel):
        for o in np.ndindex(*positions):
            place = [o[i] * stride[i] + k[i] * dilation[i] for i in range(n)]
            out[(..., *k, *o)] = x[(..., *place)]
    return out


def overlap_add(x, sizes, kernel, stride, padding, dilation):
    n = len(kernel)
    out = np.zeros((*x.shape[: x.ndim - 2 * n], *(s + a + b for s, (a, b) in zip(sizes, padding))), x.dtype)
    for k in np.ndindex(*kernel):
        for o in np.ndindex(*x.shape[x.ndim - n :]):
            place = [o[i] * stride[i] + k[i] * dilation[i] for i in range(n)]
            out[(..., *place)] += x[(..., *k, *o)]
    return out[(..., *(slice(a, a + s) for s, (a, _) in zip(sizes, padding)))]


@st.composite
def slid(draw, n=None, pad=2):
    """Sizes of one axis or two, and windows that fit: (sizes, kernel, stride, padding, dilation)."""
    settings = []
    for _ in range(draw(st.integers(1, 2)) if n is None else n):
        k, s, d = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
        padding = draw(st.integers(0, pad)), draw(st.integers(0, pad))
        least = max(1, d * (k - 1) + 1 - sum(padding))
        settings.append((least + draw(st.integers(0, 3)), k, s, padding, d))
    return tuple(zip(*settings))


@st.composite
def windowed(draw):
    sizes, *rest = draw(slid())
    x = draw(arrays((*draw(shapes(max_dims=2, max_side=2)), *sizes)))
    return Call((x, *rest, *([0.5] if draw(st.booleans()) else [])))


@st.composite
def overlapped(draw):
    sizes, *rest = draw(slid())
    shape = windows(np.zeros(sizes), *rest).shape
    return Call((draw(arrays((*draw(shapes(max_dims=1, max_side=2)), *shape))), sizes, *rest))


case(convolution.windows, windowed(), reference=windows)
case(convolution.overlap_add, overlapped(), reference=overlap_add)


@st.composite
def convolved(draw, n=None):
    sizes, kernel, stride, padding, dilation = draw(slid(n))
    if n is not None:  # PyTorch pads both ends alike
        padding = tuple((max(p), max(p)) for p in padding)
    groups = draw(st.integers(1, 2))
    channels, out = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    x = draw(arrays((draw(st.integers(0, 2)), channels, *sizes)))
    weight = draw(arrays((out, channels // groups, *kernel)))
    return Call((x, weight, stride, padding, dilation, groups))


def convolve(x, weight, stride, padding, dilation, groups):
    """One output, one place after the other."""
    x = padded(x, padding)
    n, inner, each = len(stride), weight.shape[1], weight.shape[0] // groups
    spans = [d * (k - 1) + 1 for k, d in zip(weight.shape[2:], dilation)]
    positions = [(size - r) // s + 1 for size, r, s in zip(x.shape[2:], spans, stride)]
    out = np.zeros((x.shape[0], weight.shape[0], *positions), np.result_type(x, weight))
    for c, o in itertools.product(range(weight.shape[0]), np.ndindex(*positions)):
        field = [slice(o[i] * stride[i], o[i] * stride[i] + spans[i], dilation[i]) for i in range(n)]
        first = c // each * inner
        terms = x[(slice(None), slice(first, first + inner), *field)] * weight[c]
        out[(slice(None), c, *o)] = terms.sum(tuple(range(1, n + 2)))
    return out


def torch_convolution(x, weight, stride, padding, dilation, groups):
    function = functional.conv1d if len(stride) == 1 else functional.conv2d
    return function(x, weight, None, stride, [p for p, _ in padding], dilation, groups)


case(convolution.convolution, convolved(), reference=convolve)
case(convolution.convolution, convolved(1), reference=convolve, torch=torch_convolution)
case(convolution.convolution, convolved(2), reference=convolve, torch=torch_convolution)


@st.composite
def taken_back(draw, to_input):
    """Calls of the gradients of a convolution: with an output in place of the input, or of the weight."""
    x, weight, *how = draw(convolved()).args
    y = draw(arrays(convolve(x, weight, *how).shape))
    return Call((y, weight, x.shape[2:], *how) if to_input else (x, y, weight.shape[2:], *how))


def entry_by_entry(shape, pairing, *dtypes):
    """The gradient of a linear function: what it is for each array of `shape` with a single 1."""
    out = np.empty(shape, np.result_type(*dtypes))
    for index in np.ndindex(*shape):
        unit = np.zeros(shape, out.dtype)
        unit[index] = 1
        out[index] = pairing(unit)
    return out


case(
    convolution.convolution_input,
    taken_back(True),
    reference=lambda y, weight, sizes, *how: entry_by_entry(
        (y.shape[0], weight.shape[1] * how[-1], *sizes),
        lambda x: np.sum(y * convolve(x, weight, *how)),
        y,
        weight,
    ),
)
case(
    convolution.convolution_weight,
    taken_back(False),
    reference=lambda x, y, kernel, *how: entry_by_entry(
        (y.shape[1], x.shape[1] // how[-1], *kernel),
        lambda weight: np.sum(y * convolve(x, weight, *how)),
        x,
        y,
    ),
)


@st.composite
def pooled(draw, pad=False, dilate=False):
    """Windows on images with no two entries equal, padded by half a window at most."""
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = tuple((p, p) for p in (draw(st.integers(0, k // 2)) if pad else 0 for k in kernel))
    dilation = draw(st.tuples(st.integers(1, 2), st.integers(1, 2))) if dilate else (1, 1)
    sizes = [d * (k - 1) + 1 + draw(st.integers(0, 2)) for k, d in zip(kernel, dilation)]
    x = draw(arrays((draw(st.integers(1, 2)), 1, *sizes), distinct=True, low=-8, high=8))
    return Call((x, kernel, stride, padding, *([dilation] if dilate else [])))


def max_pool(x, kernel, stride, padding, dilation):
    return windows(x, kernel, stride, padding, dilation, -np.inf).max((-4, -3))


def avg_pool(x, kernel, stride, padding, count_include_pad=True):
    return windows(x, kernel, stride, padding, (1, 1)).sum((-4, -3)) / np.asarray(math.prod(kernel), x.dtype)


case(
    convolution.max_pool,
    pooled(pad=True, dilate=True),
    reference=max_pool,
    torch=lambda x, k, s, p, d: functional.max_pool2d(x, k, s, [a for a, _ in p], d),
)
case(
    convolution.avg_pool,
    pooled(pad=True),
    reference=avg_pool,
    torch=lambda x, k, s, p: functional.avg_pool2d(x, k, s, [a for a, _ in p]),
)


# Layers
@st.composite
def rows(draw):
    """Arrays, the axes over which they are standardized, eps."""
    x = draw(arrays((draw(st.integers(1, 3)), 2, draw(st.integers(2, 3)))))
    return Call(
        (
            x,
            draw(st.sampled_from([(2,), (1, 2), (0, 2), (0,), (0, 1, 2)])),
            draw(st.sampled_from([1.0, 0.25])),
        )
    )


def standardize(x, axis, eps):
    away = x - x.mean(axis, keepdims=True)
    return away / np.sqrt((away**2).mean(axis, keepdims=True) + eps)


def torch_standardize(x, axis, eps):
    away = x - x.mean(axis, keepdim=True)
    return away / torch.sqrt((away**2).mean(axis, keepdim=True) + eps)


case(neural.standardize, rows(), reference=standardize, torch=torch_standardize)


@st.composite
def looked_up(draw):
    """Names of rows, often the same ones."""
    shape = draw(shapes(max_dims=2, max_side=5, max_size=12))
    names = np.floor(draw(arrays(shape, low=0, high=3, layouts=False))).astype(int)
    return Call((names, draw(arrays((4, 2)))))


case(
    neural.embedding,
    looked_up(),
    reference=lambda names, weight: np.array(weight[names]),
    torch="nn.functional.embedding",
)


class Counted(np.random.Generator):
    """The same numbers at every call, so that a layer that draws some is a function."""

    def __init__(self, seed):
        super().__init__(np.random.PCG64(seed))
        self.seed = seed

    def random(self, size=None, dtype=float, out=None):
        return np.random.default_rng(self.seed).random(size, dtype)


def dropout(x, p, rng):
    factors = np.asarray((rng.random(x.shape) >= p) / (1 - p), x.dtype)
    return x * factors, factors


case(
    neural.dropout,
    call(arrays(), st.sampled_from([0.0, 0.25, 0.5]), st.integers(0, 9).map(Counted)),
    reference=dropout,
)
