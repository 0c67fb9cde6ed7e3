"""Operations that NumPy lacks and neural networks need: activations, softmax, losses, layers.

Each is a function of arrays and a row.  They are stable for large arguments: nothing overflows on the way to
a result that is a number.
"""

import math

import numpy as np

from ..engine.table import derivative, nondifferentiable
from .indexing import scatter
from .products import product
from .reductions import largest
from .shaping import any_foreign, cast, in_wide, wide

SQRT_HALF = math.sqrt(0.5)
SQRT_2_PI = math.sqrt(2 * math.pi)
SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
_erf_of_objects = np.frompyfunc(math.erf, 1, 1)


# Activations
def _relu(input):
    """max(x, 0)."""
    return np.maximum(input, 0)


def _float_relu(x):
    return max(x, 0.0)


def _leaky_relu(input, negative_slope=0.01):
    """x where it is positive, negative_slope · x elsewhere."""
    return np.where(input > 0, input, negative_slope * input)


def _sigmoid(input):
    """1 / (1 + exp -x), from exp of a negative number in both halves."""
    e = np.exp(-np.abs(input))
    return np.where(input >= 0, 1, e) / (1 + e)


def _float_sigmoid(x):
    e = math.exp(-abs(x))
    return (1.0 if x >= 0 else e) / (1.0 + e)


def _softplus(input):
    """log(1 + exp x)."""
    return np.maximum(input, 0) + np.log1p(np.exp(-np.abs(input)))


def _float_softplus(x):
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _silu(input):
    """x · sigmoid(x)."""
    return input * sigmoid(input)


def _erf(x):
    """The error function, 2/√π ∫₀ˣ exp(-t²) dt."""
    if getattr(x, "ndim", 1) == 0:
        return _erf(x[None])[0]
    out = _erf_of_objects(x)
    return np.array(out, getattr(x, "dtype", float)) if type(out) is float else out.astype(x.dtype)


def _gelu(input, approximate="none"):
    """x · Φ(x), Φ the normal distribution function (Hendrycks and Gimpel 2016), or its tanh approximation."""
    return input * _gelu_gate(input, approximate)


def _gelu_gate(x, approximate):
    if approximate == "tanh":
        return 0.5 * (1 + np.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x * x * x)))
    if approximate != "none":
        raise ValueError(f"gelu: approximate is 'none' or 'tanh', not {approximate!r}")
    return 0.5 * (1 + erf(SQRT_HALF * x))


def _gelu_rule(g, out, x, approximate="none"):
    gate = _gelu_gate(x, approximate)
    if approximate == "tanh":
        bent = np.clip(x, -30, 30)  # beyond that the gate is 0 or 1, and a square that overflows gives nan
        slope = 2 * gate * (1 - gate) * SQRT_2_OVER_PI * (1 + 3 * 0.044715 * bent * bent)
    else:
        slope = np.exp(-0.5 * x * x) / SQRT_2_PI
    return g * (gate + x * slope)


relu = derivative(
    _relu,
    lambda g, out, x: g * (out != 0),
    scalar=_float_relu,
    chooses=True,
    javascript="Math.max(x, 0)",
    formula="max(x, 0)",
    kink="0 at 0",
    torch="relu",
    onnx="Relu",
)
leaky_relu = derivative(
    _leaky_relu,
    lambda g, out, x, negative_slope=0.01: np.where(x > 0, g, negative_slope * g),
    formula="x where x > 0, else negative_slope · x",
    kink="negative_slope at 0",
    torch="torch.nn.functional.leaky_relu(x, negative_slope)",
    onnx="LeakyRelu(x, alpha=negative_slope)",
)
sigmoid = derivative(
    _sigmoid,
    lambda g, out, x: g * (out * (1 - out)),
    scalar=_float_sigmoid,
    javascript="sigmoid(x)",
    formula="1 / (1 + exp -x)",
    torch="sigmoid",
    onnx="Sigmoid",
)
softplus = derivative(
    _softplus,
    lambda g, out, x: g * sigmoid(x),
    scalar=_float_softplus,
    javascript="softplus(x)",
    formula="log(1 + exp x)",
    torch="nn.functional.softplus",
    onnx="Softplus",
)
erf = derivative(
    _erf,
    lambda g, out, x: g * (2 / math.sqrt(math.pi)) * np.exp(-x * x),
    scalar=math.erf,
    javascript="erf(x)",
    formula="erf x",
    torch="erf",
    onnx="Erf",
)
silu = derivative(
    _silu,
    lambda g, out, x: g * (sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
    formula="x · sigmoid(x)",
    torch="nn.functional.silu",
    onnx="Mul(x, Sigmoid(x))",
)
gelu = derivative(
    _gelu,
    _gelu_rule,
    formula="x · Φ(x)",
    torch="torch.nn.functional.gelu(x, approximate=approximate)",
)


def _elu(input, alpha=1.0):
    """x where it is positive, alpha · (exp x - 1) elsewhere (Clevert et al. 2015)."""
    return np.where(input > 0, input, alpha * np.expm1(np.minimum(input, 0)))


def _prelu(x, weight):
    """x where it is positive, weight · x elsewhere; the weight is learned (He et al. 2015)."""
    return np.where(x > 0, x, weight * x)


def _hardtanh(input, min_val=-1.0, max_val=1.0):
    """x, but at least min_val and at most max_val."""
    return np.minimum(np.maximum(input, min_val), max_val)


def _softsign(input):
    """x / (1 + |x|)."""
    return input / (1 + np.abs(input))


def _mish(input):
    """x · tanh(softplus(x)) (Misra 2019)."""
    return input * np.tanh(softplus(input))


def _mish_rule(g, out, x):
    gate = np.tanh(softplus(x))
    return g * (gate + x * (sigmoid(x) * (1 - gate * gate)))


elu = derivative(
    _elu,
    lambda g, out, x, alpha=1.0: np.where(x > 0, g, g * (alpha * np.exp(np.minimum(x, 0)))),
    formula="x where x > 0, else alpha · (exp x - 1)",
    kink="alpha at 0",
    torch="torch.nn.functional.elu(x, alpha)",
    onnx="Elu(x, alpha=alpha)",
)
prelu = derivative(
    _prelu,
    lambda g, out, x, weight: np.where(x > 0, g, weight * g),
    lambda g, out, x, weight: np.where(x > 0, 0.0, g * x),
    formula="x where x > 0, else weight · x",
    kink="weight at 0",
)
hardtanh = derivative(
    _hardtanh,
    lambda g, out, x, min_val=-1.0, max_val=1.0: g * np.logical_not((x <= min_val) | (x >= max_val)),
    chooses=True,
    formula="x, but at least min_val and at most max_val",
    kink="0 at the bounds",
    torch="torch.nn.functional.hardtanh(x, min_val, max_val)",
)
softsign = derivative(
    _softsign,
    lambda g, out, x: g / np.square(1 + np.abs(x)),
    formula="x / (1 + |x|)",
    torch="nn.functional.softsign",
)
mish = derivative(_mish, _mish_rule, formula="x · tanh(softplus(x))", torch="nn.functional.mish")


# Softmax and cross-entropy
FEW_CLASSES = 64  # so few are laid out class by class, for all samples: passes over those of one are short
SMALL_BATCH = 2**14  # of more samples, the copy would not stay in the cache


def _exp(away):
    """exp of an intermediate result, in its own memory where that is NumPy's."""
    return np.exp(away, out=away) if type(away) is np.ndarray else np.exp(away)


@in_wide
def _softmax(x, axis=-1):
    """exp x / Σ exp x over `axis`."""
    e = _exp(x - largest(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


@in_wide
def _log_softmax(x, axis=-1):
    """x - log Σ exp x over `axis`."""
    x = x - largest(x, axis)
    return x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True))


def _softmax_rule(g, out, x, axis=-1):
    g = wide(g)
    return out * (g - np.sum(g * out, axis=axis, keepdims=True))


softmax = derivative(
    _softmax,
    _softmax_rule,
    formula="exp x / Σ exp x over axis",
    torch="torch.softmax(x, dim=axis)",
    onnx="Softmax(x, axis=axis)",
)
log_softmax = derivative(
    _log_softmax,
    lambda g, out, x, axis=-1: g - np.exp(out) * np.sum(wide(g), axis=axis, keepdims=True),
    formula="x - log Σ exp x over axis",
    torch="torch.log_softmax(x, dim=axis)",
    onnx="LogSoftmax(x, axis=axis)",
)


def _is_classes(logits, target):
    """Whether targets are class numbers (one axis fewer than the logits) and not probabilities."""
    return np.ndim(target) == logits.ndim - 1


def _only_classes(target, classes, ignored=-1):
    """Whether `target` holds nothing but class numbers, and not that of samples to be ignored."""
    if not target.size:
        return True
    if any_foreign(target):
        return bool(np.all((target >= 0) & (target < classes))) and not 0 <= ignored < classes
    whole = target.view(target.dtype.str.replace("i", "u"))  # without a sign, numbers below 0 are large
    return bool(np.maximum.reduce(whole, None) < classes) and not 0 <= ignored < classes


def _span(target):
    """From where to where its numbers go, in words."""
    return f"from {target.min()} to {target.max()}"


def _complaint(check, *data):
    """What `check` says against these numbers, in words; nothing where they are fine."""
    return check(*data)


only_classes, span, complaint = nondifferentiable(_only_classes, _span, _complaint)


def _class_axis(logits):
    """The axis of the classes: 1, or 0 of a single sample; and the index that puts it back into a result."""
    return (1, (slice(None), None)) if logits.ndim > 1 else (0, None)


def _slope(p, scale, g, target):
    """scale · p along the axis of the classes, less g at the target classes."""
    _, back = _class_axis(p)
    out = p * scale[back]
    if out.ndim == 2 and out.dtype == g.dtype and not any_foreign(out, target):
        out[np.arange(len(target)), target] -= g
        return out
    return out - np.where(_hot(p, target), g[back], 0.0)


def _hot(x, target):
    """Where along the axis of the classes the target class is."""
    axis, back = _class_axis(x)
    classes = np.arange(x.shape[axis]) if not any_foreign(target) else np.arange(x.shape[axis], like=target)
    return target[back] == classes.reshape((-1,) + (1,) * (x.ndim - axis - 1))


def _picked(x, target, axis, back):
    """The entries of x at the target classes."""
    if any_foreign(x, target):
        return np.sum(np.where(_hot(x, target), x, 0.0), axis)
    if x.ndim == 2:
        return x[np.arange(len(target)), target]
    return np.take_along_axis(x, target[back], axis).reshape(target.shape)


def _softmax_cross_entropy(logits, target, residuals=None):
    """-Σ target · log softmax(logits) for every sample, the classes along axis 1 (axis 0 of a single sample).

    `target` holds class numbers, or probabilities in the shape of the logits.
    """
    return _softmax_cross_entropy_saving(logits, target)[0]


def _softmax_cross_entropy_saving(logits, target):
    """The cross-entropy; and the exp and their sums, whose quotient is the softmax."""
    (axis, back), dtype, logits = _class_axis(logits), logits.dtype, wide(logits)
    small = logits.ndim == 2 and logits.shape[1] <= FEW_CLASSES and logits.shape[0] <= SMALL_BATCH
    if small and not any_foreign(logits):
        logits = logits.T.reshape(-1).reshape(logits.shape[::-1]).T
    top = logits.max(axis)
    e = _exp(logits - top[back])
    total = e.sum(axis)
    log_sum = np.log(total) + top
    if _is_classes(logits, target):
        out = log_sum - _picked(logits, target, axis, back)
    else:
        out = log_sum * np.sum(target, axis) - np.sum(target * logits, axis)
    return (out.astype(dtype) if dtype == np.float16 else out), (e, total)


def _softmax_cross_entropy_logits(g, out, logits, target, residuals=None):
    """Softmax minus one-hot target, times g."""
    axis, back = _class_axis(logits)
    e, total = (softmax(logits, axis), np.ones_like(out)) if residuals is None else residuals
    if _is_classes(logits, target):
        return slope(e, g / total, g, target)
    return e * (g * np.sum(target, axis) / total)[back] - g[back] * target


def _softmax_cross_entropy_target(g, out, logits, target, residuals=None):
    axis, back = _class_axis(logits)
    return -g[back] * log_softmax(logits, axis)


slope = derivative(
    _slope,
    lambda g, out, p, scale, down, target: g * scale[_class_axis(p)[1]],
    lambda g, out, p, scale, down, target: np.sum(g * p, _class_axis(p)[0]),
    lambda g, out, p, scale, down, target: -_picked(g, target, *_class_axis(p)),
    javascript="slope",
    formula="scale · p, less g at the target classes",
    latex=r"scale \odot p - down \odot \left[ \mathrm{class} = target \right]",
)
softmax_cross_entropy = derivative(
    _softmax_cross_entropy,
    _softmax_cross_entropy_logits,
    _softmax_cross_entropy_target,
    residuals=_softmax_cross_entropy_saving,
    formula="-Σ target · log softmax(logits)",
)


# The linear layer
def _linear(input, weight, bias=None):
    """input @ weightᵀ + bias: the sums of a whole layer of neurons; `weight` is (out, in)."""
    out = np.matmul(input, weight.T)
    if bias is None:
        return out
    if out.dtype != bias.dtype:
        return out + bias
    out += bias
    return out


def _rows(x):
    """The last axis of x as rows, however many axes there are before it."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def _linear_weight(g, out, x, weight, bias=None):
    return product(_rows(g).T, _rows(x))


def _linear_bias(g, out, x, weight, bias):
    rows = _rows(g)
    if any_foreign(rows):
        return np.sum(rows, axis=0)
    return np.matmul(np.ones(rows.shape[0], g.dtype), rows)  # faster than a sum over the first axis


linear = derivative(
    _linear,
    lambda g, out, x, weight, bias=None: product(g, weight),
    _linear_weight,
    _linear_bias,
    formula="x @ weightᵀ + bias",
    onnx="linear",
)


# Other layers and losses
def _standardize(x, axis, eps, residuals=None):
    """x with mean 0 and variance 1 over `axis`; `eps` is added to the variance, which may be 0."""
    return _standardize_saving(x, axis, eps)[0]


def _standardize_saving(x, axis, eps):
    """The same, and what was divided by."""
    away = wide(x)
    away = away - np.mean(away, axis=axis, keepdims=True)
    deviation = np.sqrt(np.mean(np.square(away), axis=axis, keepdims=True) + eps)
    out = away / deviation
    return (cast(out, x.dtype) if x.dtype == np.float16 else out), deviation


def _standardize_rule(g, out, x, axis, eps, residuals=None):
    """What is left of g after its mean and its part along `out` are taken away (Ioffe and Szegedy 2015)."""
    g = wide(g)
    deviation = np.sqrt(np.var(wide(x), axis=axis, keepdims=True) + eps) if residuals is None else residuals
    mean = np.mean(g, axis=axis, keepdims=True)
    along = np.mean(g * out, axis=axis, keepdims=True)
    return (g - mean - out * along) / deviation


def _embedding(input, weight, padding_idx=None):
    """The rows of `weight` that the whole numbers `input` name."""
    return np.matmul(_marks(input, weight), weight) if any_foreign(input) else np.take(weight, input, axis=0)


def _marks(input, weight):
    """For each of the whole numbers 1 at its place among the rows of `weight`, and 0 elsewhere."""
    return (input[..., None] == np.arange(len(weight), like=input)).astype(weight.dtype)


def _embedding_rule(g, out, input, weight, padding_idx=None):
    if padding_idx is not None:
        g = g * np.expand_dims(input != padding_idx, -1)
    if any_foreign(input):
        axes = tuple(range(input.ndim))
        return np.tensordot(_marks(input, weight), g, (axes, axes))
    return scatter(g, input, weight.shape)


def _kept(x, p, rng):
    """Random factors for x: 0 with probability `p`, else 1 / (1 - p), so that the mean stays what it is."""
    scale = 0.0 if p == 1 else 1 / (1 - p)
    rng = np.random.default_rng(rng)  # a number stands for the same choice each time
    return np.multiply(rng.random(np.shape(x)) >= p, scale, dtype=np.result_type(x))


def _dropout(x, p, rng):
    """x times random factors, and the factors (Srivastava et al. 2014)."""
    factors = _kept(x, p, rng)
    return x * factors, factors


def _huber(x, delta=1.0):
    """x² / 2, going on as a straight line from ±delta (Huber 1964)."""
    size = np.abs(x)
    return np.where(size <= delta, 0.5 * x * x, delta * (size - 0.5 * delta))


standardize = derivative(
    _standardize,
    _standardize_rule,
    residuals=_standardize_saving,
    formula="(x - mean x) / √(var x + eps)",
)
embedding = derivative(_embedding, None, _embedding_rule, formula="rows of weight", onnx="embedding")
dropout = derivative(
    _dropout, lambda g, out, x, p, rng: g[0] * out[1], formula="x · random factors", draws=True
)
huber = derivative(
    _huber,
    lambda g, out, x, delta=1.0: g * np.clip(x, -delta, delta),
    formula="x² / 2 where |x| ≤ delta, else delta · (|x| - delta / 2)",
)
