"""Activations and losses: what they are by definition, PyTorch's numbers, and slips that must raise."""

import math

import numpy as np
import pytest

from tinygrad_course import Value, nn
from tinygrad_course.nn import functional as F

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4)) * 3
LABELS = np.array([0, 3, 2, 2, 1, 0])
SHARES = RNG.dirichlet(np.ones(4), 6)
WEIGHT = np.array([0.5, 1.0, 2.0, 0.25])


def pytorch():
    return pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")


def agree(ours, theirs, x, *, dtype="float64", targets=()):
    """`ours` and `theirs` give the same value and the same gradients, for x and for each of the targets."""
    torch = pytorch()
    mine = [Value(np.array(a, dtype)) for a in (x, *targets)]
    its = [torch.tensor(np.array(a, dtype), requires_grad=True) for a in (x, *targets)]
    a, b = ours(*mine), theirs(*its)
    rtol = 1e-10 if dtype == "float64" else 2e-5
    np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=rtol, atol=rtol)
    assert a.dtype == dtype and a.shape == tuple(b.shape)
    weights = np.cos(np.arange(a.size)).reshape(a.shape).astype(dtype)
    (a * weights).sum().backward()
    (b * torch.tensor(weights)).sum().backward()
    for v, t in zip(mine, its):
        np.testing.assert_allclose(v.grad, t.grad.numpy(), rtol=rtol, atol=rtol)


# Activations
ACTIVATIONS = {
    "ReLU": (nn.ReLU(), F.relu, lambda x: max(x, 0.0)),
    "LeakyReLU": (nn.LeakyReLU(0.2), lambda x: F.leaky_relu(x, 0.2), lambda x: x if x > 0 else 0.2 * x),
    "Sigmoid": (nn.Sigmoid(), F.sigmoid, lambda x: 1 / (1 + math.exp(-x))),
    "Tanh": (nn.Tanh(), F.tanh, math.tanh),
    "Softplus": (nn.Softplus(2.0), lambda x: F.softplus(x, 2.0), lambda x: math.log(1 + math.exp(2 * x)) / 2),
    "GELU": (nn.GELU(), F.gelu, lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2),
    "SiLU": (nn.SiLU(), F.silu, lambda x: x / (1 + math.exp(-x))),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_their_formulas_as_module_and_as_function(name):
    module, function, formula = ACTIVATIONS[name]
    expected = np.vectorize(formula, otypes=[float])(X)
    for form in (module, function):
        np.testing.assert_allclose(form(Value(X)).numpy(), expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(form(X), expected, rtol=1e-12, atol=1e-14)
        assert form(Value(0.5)).data == pytest.approx(formula(0.5), rel=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations_agree_with_pytorch(name, dtype):
    torch = pytorch()
    module = ACTIVATIONS[name][0]
    settings = [s for s in vars(module).values() if s != "none"]
    agree(module, getattr(torch.nn, name)(*settings), X, dtype=dtype)


def test_gelu_approximated():
    torch = pytorch()
    agree(nn.GELU("tanh"), torch.nn.GELU("tanh"), X)
    agree(lambda x: F.gelu(x, approximate="tanh"), torch.nn.GELU("tanh"), X)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax_and_its_kin_agree_with_pytorch_under_both_names_of_the_axis(dim):
    torch = pytorch()
    for name in ("softmax", "log_softmax", "logsumexp"):
        ours, theirs = getattr(F, name), getattr(torch, name)
        agree(lambda x, f=ours: f(x, dim), lambda x, f=theirs: f(x, dim), X)
        agree(lambda x, f=ours: f(x, axis=dim), lambda x, f=theirs: f(x, dim), X)
        agree(lambda x, f=ours: f(x, dim=dim), lambda x, f=theirs: f(x, dim), X)
        with pytest.raises(TypeError, match=f"{name}: dim and axis"):
            ours(X, 0, axis=0)
    agree(lambda x: F.logsumexp(x, dim, True), lambda x: torch.logsumexp(x, dim, True), X)
    agree(nn.Softmax(dim), torch.nn.Softmax(dim), X)
    agree(nn.LogSoftmax(dim), torch.nn.LogSoftmax(dim), X)


def test_softmax_is_over_the_last_axis_unless_said_otherwise():
    for axis in ({}, {"axis": -1}, {"dim": 1}):
        np.testing.assert_allclose(F.softmax(X, **axis).sum(1), np.ones(6))
    np.testing.assert_allclose(np.exp(F.log_softmax(X)), F.softmax(X))
    assert F.logsumexp([0.0, 0.0]) == pytest.approx(math.log(2))


# Losses
def test_losses_by_their_formulas():
    a, b = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3))
    assert F.mse_loss(a, b) == pytest.approx(((a - b) ** 2).mean())
    assert F.l1_loss(a, b, reduction="sum") == pytest.approx(abs(a - b).sum())
    p, t = SHARES[:, 0], np.array([0.0, 1, 1, 0, 1, 0])
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    np.testing.assert_allclose(F.binary_cross_entropy(p, t, reduction="none"), expected)
    logits = np.log(p / (1 - p))
    np.testing.assert_allclose(F.binary_cross_entropy_with_logits(logits, t, reduction="none"), expected)
    log = X - np.log(np.exp(X).sum(1, keepdims=True))
    np.testing.assert_allclose(F.cross_entropy(X, LABELS), -log[range(6), LABELS].mean())
    np.testing.assert_allclose(F.cross_entropy(X, SHARES, reduction="none"), -(SHARES * log).sum(1))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_losses_agree_with_pytorch(reduction, dtype):
    torch = pytorch()
    y = RNG.normal(size=X.shape)
    p, t = 1 / (1 + np.exp(-X)), RNG.random(X.shape)
    for ours, theirs, x, target in (
        (nn.MSELoss, torch.nn.MSELoss, X, y),
        (nn.L1Loss, torch.nn.L1Loss, X, y),
        (nn.BCELoss, torch.nn.BCELoss, p, t),
        (nn.BCEWithLogitsLoss, torch.nn.BCEWithLogitsLoss, X, t),
    ):
        fixed = torch.tensor(target.astype(dtype))
        mine, its = ours(reduction=reduction), theirs(reduction=reduction)
        agree(lambda a, f=mine, y=target: f(a, y), lambda a, f=its, y=fixed: f(a, y), x, dtype=dtype)
        if theirs is not torch.nn.BCELoss:  # whose target PyTorch holds fixed
            agree(mine, its, x, targets=[target], dtype=dtype)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_weights_of_binary_losses_agree_with_pytorch(reduction):
    torch = pytorch()
    t = RNG.random(X.shape)
    w, fixed = torch.tensor(WEIGHT), torch.tensor(t)
    agree(
        lambda x: nn.BCEWithLogitsLoss(WEIGHT, reduction=reduction, pos_weight=2 * WEIGHT)(x, t),
        lambda x: torch.nn.BCEWithLogitsLoss(w, reduction=reduction, pos_weight=2 * w)(x, fixed),
        X,
    )
    agree(
        lambda x: F.binary_cross_entropy(x, t, WEIGHT, reduction=reduction),
        lambda x: torch.nn.functional.binary_cross_entropy(x, fixed, w.expand_as(fixed), reduction=reduction),
        1 / (1 + np.exp(-X)),
    )


CROSS_ENTROPY = {
    "labels": (X, LABELS),
    "shares": (X, SHARES),
    "one sample": (X[0], np.array(2)),
    "one sample's shares": (X[0], SHARES[0]),
    "ignored": (X, np.array([0, -100, 2, -100, 1, 0])),
    "pixels": (RNG.normal(size=(2, 4, 3, 2)), RNG.integers(0, 4, (2, 3, 2))),
    "pixels, some ignored": (
        RNG.normal(size=(2, 4, 3)),
        np.array([[0, -100, 3], [1, 1, -100]]),
    ),
    "shares of pixels": (RNG.normal(size=(2, 4, 3)), np.swapaxes(RNG.dirichlet(np.ones(4), (2, 3)), 1, 2)),
}


@pytest.mark.parametrize("name", CROSS_ENTROPY)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_cross_entropy_agrees_with_pytorch(name, reduction, weight, label_smoothing):
    torch = pytorch()
    x, target = CROSS_ENTROPY[name]
    ours = nn.CrossEntropyLoss(weight, reduction=reduction, label_smoothing=label_smoothing)
    theirs = torch.nn.CrossEntropyLoss(
        None if weight is None else torch.tensor(weight), reduction=reduction, label_smoothing=label_smoothing
    )
    agree(lambda v: ours(v, target), lambda t: theirs(t, torch.tensor(target)), x)


def test_an_ignored_class_that_is_one_of_the_classes():
    torch = pytorch()
    for reduction in ("mean", "sum", "none"):
        agree(
            lambda v, r=reduction: F.cross_entropy(v, LABELS, ignore_index=2, reduction=r),
            lambda t, r=reduction: torch.nn.functional.cross_entropy(
                t, torch.tensor(LABELS), ignore_index=2, reduction=r
            ),
            X,
        )


def test_cross_entropy_takes_labels_of_any_integer_kind_and_one_hot_rows():
    expected = F.cross_entropy(X, LABELS)
    for labels in (LABELS.astype(np.uint8), LABELS.astype(np.int32), LABELS.tolist()):
        assert F.cross_entropy(X, labels) == expected
    for hot in (np.eye(4, dtype=int)[LABELS], np.eye(4)[LABELS], np.eye(4, dtype=bool)[LABELS]):
        assert F.cross_entropy(X, hot) == pytest.approx(expected, rel=1e-12)
    v = Value(X.astype(np.float32))
    assert F.cross_entropy(v, np.eye(4)[LABELS]).dtype == np.float32
    assert F.cross_entropy(v, LABELS, WEIGHT, label_smoothing=0.1).dtype == np.float32


def test_losses_are_stable_far_out():
    far = np.array([[1000.0, -1000.0, 0.0]])
    for dtype in (np.float32, np.float64):
        v = Value(far.astype(dtype))
        loss = F.cross_entropy(v, np.array([1]))
        loss.backward()
        assert loss.item() == 2000.0
        np.testing.assert_array_equal(v.grad, [[1.0, -1.0, 0.0]])
        v = Value(far[0].astype(dtype))
        each = F.binary_cross_entropy_with_logits(v, [0.0, 1.0, 1.0], reduction="none")
        np.testing.assert_allclose(each.numpy(), [1000.0, 1000.0, math.log(2)], rtol=1e-6)
        each.sum().backward()
        np.testing.assert_array_equal(v.grad, [1.0, -1.0, -0.5])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_probability_of_0_for_the_truth_costs_100_as_in_pytorch(dtype):
    p = Value(np.array([0.0, 1.0, 0.0, 1.0], dtype))
    each = F.binary_cross_entropy(p, [1.0, 0.0, 0.0, 1.0], reduction="none")
    np.testing.assert_array_equal(each.numpy(), [100.0, 100.0, 0.0, 0.0])
    each.sum().backward()
    assert np.isfinite(p.grad).all()


def test_losses_of_single_numbers_stay_python_numbers():
    for loss in (F.mse_loss, F.l1_loss, F.binary_cross_entropy, F.binary_cross_entropy_with_logits):
        x = Value(0.25)
        out = loss(x, 1.0)
        out.backward()
        assert type(out.data) is float and type(x.grad) is float


LOSSES = [nn.MSELoss(), nn.L1Loss(), nn.BCELoss(), nn.BCEWithLogitsLoss()]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    "shapes", [((3, 1), (3,)), ((3,), (3, 1)), ((3, 1), (1, 3)), ((3,), ()), ((4, 3), (3,)), ((2,), (3,))]
)
def test_shapes_that_only_agree_by_broadcasting_raise(loss, shapes):
    a, b = (np.full(shape, 0.5) for shape in shapes)
    for x, y in ((Value(a), b), (a, b), (Value(a), Value(b)), (a.tolist(), b.tolist())):
        with pytest.raises(ValueError, match=r"input has shape .*, target "):
            loss(x, y)


def test_the_message_tells_how_to_reshape():
    with pytest.raises(ValueError, match=r"target\.reshape\(\(3, 1\)\)"):
        F.mse_loss(np.zeros((3, 1)), np.zeros(3))


@pytest.mark.parametrize("loss", [*LOSSES, nn.CrossEntropyLoss()])
def test_an_unknown_reduction_raises(loss):
    loss.reduction = "average"
    with pytest.raises(ValueError, match="'mean', 'sum' or 'none', not 'average'"):
        loss(np.full((2, 2), 0.5), np.full((2, 2), 0.5))


@pytest.mark.parametrize("p", [[1.5], [-0.1], [float("nan")]])
def test_binary_cross_entropy_of_no_probability_raises(p):
    with pytest.raises(ValueError, match="with_logits"):
        F.binary_cross_entropy(p, [1.0])


def test_weights_that_do_not_broadcast_to_the_input_raise():
    with pytest.raises(ValueError, match="weight"):
        F.binary_cross_entropy([0.5], [1.0], weight=np.ones((2, 1)))
    with pytest.raises(ValueError, match="weight"):
        F.binary_cross_entropy_with_logits([0.5, 0.5], [1.0, 0.0], weight=np.ones(3))


@pytest.mark.parametrize(
    "target, error, match",
    [
        (np.array([0, 1, 2, 3, 4, 0]), ValueError, r"4 classes go from 0 to 3.*from 0 to 4"),
        (np.array([0, 1, 2, 3, -1, 0]), ValueError, r"from -1 to 3"),
        (LABELS.astype(float), TypeError, r"integers.*float64.*astype\(int\)"),
        (LABELS > 1, TypeError, "integers.*bool"),
        (Value(LABELS), TypeError, "in a Value"),
        (LABELS[:, None], ValueError, r"shape \(6,\) \(class numbers\) or \(6, 4\).*not \(6, 1\)"),
        (LABELS[:5], ValueError, r"not \(5,\)"),
        (SHARES.T, ValueError, r"not \(4, 6\)"),
        (3, ValueError, r"not \(\)"),
    ],
)
def test_targets_that_cannot_be(target, error, match):
    for x in (X, Value(X)):
        with pytest.raises(error, match=match):
            F.cross_entropy(x, target)


@pytest.mark.parametrize(
    "settings, match",
    [
        ({"weight": np.ones(3)}, r"weight has shape \(3,\), and there are 4 classes"),
        ({"label_smoothing": 1.5}, "label_smoothing"),
        ({"label_smoothing": -0.1}, "label_smoothing"),
    ],
)
def test_settings_of_cross_entropy_that_cannot_be(settings, match):
    with pytest.raises(ValueError, match=match):
        F.cross_entropy(X, LABELS, **settings)


def test_cross_entropy_of_one_number_raises():
    with pytest.raises(ValueError, match="one number"):
        F.cross_entropy(Value(1.0), 0)


def test_a_step_of_the_lectures_network_is_few_records():
    """A layer is one record, the loss one and its mean: what an eager step costs depends on it."""
    network, criterion = nn.MnistMLP(rng=0), nn.CrossEntropyLoss()
    loss = criterion(network(np.zeros((2, 784), np.float32)), np.array([0, 1]))
    names, value = [], loss
    while value.row is not None:
        names.append(value.row.name)
        value = value.parents[0] if value.parents[0] is not None else value.parents[1]
    assert names == ["mean", "softmax_cross_entropy", "linear", "relu", "linear"]


@pytest.mark.parametrize("dtype", ["i1", "<i2", ">i4", "<i8", ">i8", "u1"])
def test_class_numbers_are_checked_in_every_integer_dtype(dtype):
    logits = np.zeros((3, 4))
    right = np.array([0, 3, 1], dtype)
    assert F.cross_entropy(logits, right) == pytest.approx(np.log(4))
    for wrong in (4, 100, *((-1, -4) if "i" in dtype else ())):
        with pytest.raises(ValueError, match="classes"):
            F.cross_entropy(logits, np.array([0, wrong, 1], dtype))
