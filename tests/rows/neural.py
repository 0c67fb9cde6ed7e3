"""Cases of the operations that neural networks need and NumPy does not have, against plain references."""

import math

import numpy as np

from rows.registry import Call, arrays, case, shapes, st, torch, unary
from tinygrad_course.derivatives import neural

erf = np.vectorize(math.erf, otypes=[float])
some = {"low": -4, "high": 4}
functional = torch and torch.nn.functional


def kept(function):
    """A reference that keeps the dtype of its argument."""
    return lambda x, *args, **kwargs: np.asarray(
        function(np.asarray(x, float), *args, **kwargs), np.asarray(x).dtype
    )


def normal(x):
    return 0.5 * (1 + erf(x / math.sqrt(2)))


def gelu(x, approximate="none"):
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x * normal(x)


case(neural.relu, unary(avoid=[0], **some), reference=kept(lambda x: x * (x > 0)), torch="relu", edges=1)
case(
    neural.leaky_relu,
    unary(avoid=[0], **some),
    reference=kept(lambda x: x * (0.01 + 0.99 * (x > 0))),
    torch="nn.functional.leaky_relu",
    edges=1,
)
case(
    neural.leaky_relu,
    arrays(avoid=[0]).map(lambda x: Call((x,), {"negative_slope": 0.25})),
    reference=kept(lambda x, negative_slope: x * (negative_slope + (1 - negative_slope) * (x > 0))),
    torch="nn.functional.leaky_relu",
)
case(neural.sigmoid, unary(**some), reference=kept(lambda x: 1 / (1 + np.exp(-x))), torch="sigmoid", edges=1)
case(
    neural.softplus,
    unary(**some),
    reference=kept(lambda x: np.log(1 + np.exp(x))),
    torch=lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    edges=1,
)
case(neural.erf, unary(**some), reference=kept(erf), torch="special.erf", edges=1)
case(
    neural.silu,
    unary(**some),
    reference=kept(lambda x: x / (1 + np.exp(-x))),
    torch="nn.functional.silu",
    edges=1,
)
case(neural.gelu, unary(**some), reference=kept(gelu), torch="nn.functional.gelu", edges=1)
case(
    neural.gelu,
    arrays(**some).map(lambda x: Call((x,), {"approximate": "tanh"})),
    reference=kept(gelu),
    torch="nn.functional.gelu",
)


# Softmax and cross-entropy
@st.composite
def over_an_axis(draw):
    x = draw(arrays(shapes(min_dims=1, min_side=1), **some))
    return Call((x,), {"axis": draw(st.integers(-x.ndim, x.ndim - 1))})


def softmax(x, axis=-1):
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


case(neural.softmax, over_an_axis(), reference=softmax, torch="softmax")
case(
    neural.log_softmax,
    over_an_axis(),
    reference=lambda x, axis=-1: np.log(softmax(x, axis)),
    torch="log_softmax",
)


def cross_entropy(logits, target):
    """One sample and one place after the other."""
    if logits.ndim == 1:
        p = softmax(logits)
        return -np.log(p[target]) if np.ndim(target) == 0 else -np.sum(target * np.log(p))
    classes_last = np.moveaxis(logits, 1, -1)
    probabilities = np.ndim(target) == logits.ndim
    out = np.empty(classes_last.shape[:-1], np.result_type(logits, target) if probabilities else logits.dtype)
    target = np.moveaxis(target, 1, -1) if probabilities else target
    for place in np.ndindex(out.shape):
        out[place] = cross_entropy(classes_last[place], target[place])
    return out


@st.composite
def classified(draw, probabilities):
    """Logits of one sample, a batch, or a batch of grids; class numbers, or weights for every class."""
    shape = draw(st.sampled_from([(3,), (1, 2), (4, 3), (2, 3, 2), (2, 2, 1, 2), (0, 3)]))
    logits = draw(arrays(shape, **some))
    if probabilities:
        return Call((logits, draw(arrays(shape, low=0.0, high=1.0))))
    places = shape[:1] + shape[2:] if len(shape) > 1 else ()
    target = np.floor(draw(arrays(places, low=0, high=63)) % shape[min(1, len(shape) - 1)])
    return Call((logits, np.asarray(target, int)))


def by_torch(logits, target):
    return functional.cross_entropy(logits, target, reduction="none")


case(neural.softmax_cross_entropy, classified(False), reference=cross_entropy, torch=by_torch)
case(neural.softmax_cross_entropy, classified(True), reference=cross_entropy, torch=by_torch)


@st.composite
def slopes(draw):
    """What has the shape of logits, two numbers for each sample, and class numbers."""
    logits, target = draw(classified(False)).args
    scale, g = (draw(arrays(target.shape)) for _ in range(2))
    return Call((logits, scale, g, target))


def slope(p, scale, g, target):
    """One sample and one place after the other."""
    if p.ndim == 1:
        out = np.asarray(p * scale, np.result_type(p, scale, g))
        out[target] -= g
        return out
    out = np.empty(np.moveaxis(p, 1, -1).shape, np.result_type(p, scale, g))
    for place in np.ndindex(out.shape[:-1]):
        out[place] = slope(np.moveaxis(p, 1, -1)[place], scale[place], g[place], target[place])
    return np.moveaxis(out, -1, 1)


def slope_by_torch(p, scale, g, target):
    axis = min(1, p.ndim - 1)
    hot = torch.movedim(torch.nn.functional.one_hot(target, p.shape[axis]), -1, axis)
    return p * scale.unsqueeze(axis) - hot * g.unsqueeze(axis)


case(neural.slope, slopes(), reference=slope, torch=slope_by_torch)


@st.composite
def layers(draw):
    """Rows of inputs with any axes before them, with a bias and without."""
    n_in, n_out = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    x = draw(arrays((*draw(shapes(max_dims=2, max_side=3)), n_in)))
    args = (x, draw(arrays((n_out, n_in))), draw(arrays((n_out,))))
    return Call(args if draw(st.booleans()) else args[:2])


def linear(x, weight, bias=None):
    out = np.sum(x[..., None, :] * weight, axis=-1)
    return out if bias is None else out + bias


case(neural.linear, layers(), reference=linear, torch="nn.functional.linear")
