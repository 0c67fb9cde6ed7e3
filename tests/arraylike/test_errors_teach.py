"""Classic mistakes, each with what its error says: what was asked, why it cannot be, what to write."""

import math

import numpy as np
import pytest

from tinygrad_course import Value, derivative, explain, grad, nn, no_grad, optim, viz
from tinygrad_course.nn import functional as F

NAMES = np.array([0, 1, 2, 0])


def v():
    return Value(np.ones((2, 3)), name="v")


def logits():
    return Value(np.zeros((4, 3)))


def without_record():
    with no_grad():
        loss = (v() * v()).sum()
    loss.backward()


def in_place_before_backward():
    p = Value(np.ones(3), name="p")
    loss = (p * p).sum()
    p.data -= 0.1
    loss.backward()


def write_into(x):
    x[0, 1] = 3.0


def add_to_array():
    array = np.zeros((2, 3))
    array += v()


def set_result():
    y = v() * 2
    y.data = np.ones((2, 3))


class NoForward(nn.Module):
    pass


class Unordered(nn.Module):
    def __init__(self):
        self.parts = {Value(1.0)}


half = derivative(lambda x, y: x * y, lambda g, out, x: g * x)
wrong = derivative(lambda x: x.sum(), lambda g, out, x: np.ones(5))

MISTAKES = {  # what was done: (the mistake, its error, what the message says)
    # Shapes
    "matmul, second one not transposed": (
        lambda: v() @ Value(np.ones((4, 3))), ValueError,
        "matmul((2, 3) float64, (4, 3) float64)", "(3) must match the last but one axis", "x @ y.T would fit",
    ),
    "matmul, first one not transposed": (
        lambda: v() @ np.ones((2, 4)), ValueError,
        "matmul((2, 3) float64, (2, 4) float64)", "(3) must match the last but one", "x.T @ y would fit",
    ),
    "sum of a matrix and its transpose": (
        lambda: v() + np.ones((3, 2)), ValueError,
        "add((2, 3) float64, (3, 2) float64)", "compared from the last axis", "y.T would fit",
    ),
    "a number for each row": (
        lambda: v() * np.ones(2), ValueError,
        "multiply((2, 3) float64, (2,) float64)", "compared from the last axis", "y[:, None] would fit",
    ),
    "concatenate without a list": (
        lambda: np.concatenate(v(), v()), TypeError,
        "concatenate", "come in one list", "np.concatenate([v, w])",
    ),
    "concatenate along the wrong axis": (
        lambda: np.concatenate([v(), np.ones((2, 4))]), ValueError,
        "concatenate([(2, 3) float64, (2, 4) float64])", "only the axis that they are joined along", "axis=0",
    ),
    "stack of two shapes": (
        lambda: np.stack([v(), np.ones((4, 3))]), ValueError,
        "stack([(2, 3) float64, (4, 3) float64])", "same shape", "np.concatenate",
    ),
    "reshape to another size": (
        lambda: v().reshape(4, 2), ValueError,
        "reshape((2, 3) float64, (4, 2))", "stay as many as they are", "v.reshape(-1, n)",
    ),
    "sum over an axis that is not there": (
        lambda: v().sum(axis=2), np.exceptions.AxisError,
        "sum((2, 3) float64)", "axis 2 is out of bounds", "go from 0 to 1, and -1 is the last",
    ),
    "softmax over an axis that is not there": (
        lambda: F.softmax(v(), dim=2), np.exceptions.AxisError,
        "softmax((2, 3) float64)", "axis 2 is out of bounds", "go from 0 to 1, and -1 is the last",
    ),
    "transpose of too many axes": (
        lambda: v().transpose(0, 1, 2), ValueError,
        "transpose((2, 3) float64, (0, 1, 2))", "each axis of (2, 3) once", "v.transpose(1, 0)",
    ),
    "an index too large": (
        lambda: v()[5], IndexError,
        "getitem((2, 3) float64, 5)", "out of bounds for axis 0 with size 2", "v[-1] is the last",
    ),
    "an index that is a float": (
        lambda: v()[1.0], IndexError,
        "getitem((2, 3) float64", "only integers", "whole number for each axis",
    ),
    "solve without a square matrix": (
        lambda: np.linalg.solve(v(), np.ones(2)), np.linalg.LinAlgError,
        "solve((2, 3) float64", "must be square", "np.linalg.pinv(x) @ y",
    ),
    "the inverse of a singular matrix": (
        lambda: np.linalg.inv(Value(np.zeros((2, 2)))), np.linalg.LinAlgError,
        "inv((2, 2) float64)", "it has no inverse", "x + 1e-6 * np.eye(n)",
    ),
    "rows of different lengths": (
        lambda: Value([[1, 2], [3]]), ValueError,
        "Value: the rows of this list", "are not equally long", "keep a list of Values",
    ),
    # backward
    "backward on many numbers": (
        lambda: (v() * 2).backward(), ValueError,
        "backward: a value of shape (2, 3)", "is not a single number", "v.sum(), v.mean()",
    ),
    "backward under no_grad": (
        without_record, RuntimeError,
        "backward: this Value has no record", "under no_grad", "Start from Values with requires_grad=True",
    ),
    "backward on a detached value": (
        lambda: v().detach().sum().backward(), RuntimeError,
        "backward: this Value has no record", "is detached", "Start from Values with requires_grad=True",
    ),
    "backward on a constant leaf": (
        lambda: Value(3.0, requires_grad=False).backward(), RuntimeError,
        "backward: this Value has no record", "requires_grad=False", "Values with requires_grad=True",
    ),
    "backward from a gradient of another shape": (
        lambda: (v() * 2).backward(np.ones(3)), ValueError,
        "backward: gradient has shape (3,)", "the value has shape (2, 3)", "np.ones((2, 3))",
    ),
    "an update in place before backward": (
        in_place_before_backward, RuntimeError,
        "backward: 'p' was updated in place", "its old data is gone", "run the forward pass again",
    ),
    "explain before anything was computed": (
        lambda: explain(v()), ValueError,
        "explain", "does not know what was computed from it", "explain(v, of=loss)",
    ),
    # Leaving the record
    "a list of Values to np.array": (
        lambda: np.array([Value(1.0), Value(2.0)]), TypeError,
        "does not turn into a plain array", "its record would be lost", "np.stack([v, w])",
    ),
    "np.asarray": (
        lambda: np.asarray(v()), TypeError,
        "a Value of shape (2, 3)", "its record would be lost", "write v.numpy()",
    ),
    "math.exp": (
        lambda: math.exp(Value(1.0)), TypeError,
        "math function", "would leave the record", "np.exp(v), not math.exp(v)",
    ),
    "float of several entries": (
        lambda: float(v()), TypeError,
        "float(v)", "would leave the record", "v.item()",
    ),
    "round": (
        lambda: round(Value(1.0)), TypeError,
        "round(v)", "has no slope", "round(v.item(), 2)",
    ),
    "item of many numbers": (
        lambda: v().item(), ValueError,
        "item: a Value of shape (2, 3)", "has 6 entries", "v.numpy()",
    ),
    "a format for one number": (
        lambda: f"{v():.2f}", TypeError,
        "format '.2f'", "shape (2, 3)", "use v.numpy()",
    ),
    "and between arrays": (
        lambda: v() and v(), ValueError,
        "the truth of a Value of shape (2, 3)", "ambiguous", "np.logical_and for 'and'",
    ),
    "if on an array": (
        lambda: 1 if v() else 0, ValueError,
        "the truth of a Value of shape (2, 3)", "ambiguous", "np.where(v > 0, a, b)",
    ),
    "writing into a Value": (
        lambda: write_into(v()), TypeError,
        "v[0, 1] = x", "would change a leaf that requires a gradient", "v = v.at[0, 1].set(x)",
    ),
    "adding to an array in place": (
        add_to_array, TypeError,
        "np.add", "cannot be written into an existing array", "write array = array + value",
    ),
    "np.add.at": (
        lambda: np.add.at(v(), 0, 1.0), TypeError,
        "np.add.at", "which a record cannot follow", "v.at[index].add(x)",
    ),
    "setting the data of a result": (
        set_result, RuntimeError,
        "data of a result of multiply", "its record would no longer be true", "v.detach()",
    ),
    "a Value of a Value": (
        lambda: Value(v()), TypeError,
        "Value(v) of a Value", "copy without its record", "v.detach()",
    ),
    "a Value of text": (
        lambda: Value("3"), TypeError,
        "Value holds real numbers", "got str", "Value(float(text))",
    ),
    "a Value of nothing": (
        lambda: Value(None), TypeError,
        "Value holds real numbers", "got NoneType", "is a return missing?",
    ),
    "a Value of whole numbers": (
        lambda: v().astype(int), TypeError,
        "astype(int64)", "a Value holds floats", "v.numpy().astype(...)",
    ),
    "a function without a rule": (
        lambda: np.fft.fft(v()), TypeError,
        "np.fft.fft", "cannot take a Value", "derivative(np.fft.fft, lambda g, out, x: ...)",
    ),
    "an index into a number": (
        lambda: Value(2.0)[0], TypeError,
        "a Value of a single number", "has no entries to index", "give Value a list or an array",
    ),
    # Losses
    "logits and labels swapped": (
        lambda: F.cross_entropy(NAMES, logits()), ValueError,
        "cross_entropy: for an input of shape (4,)", "and not (4, 3)", "cross_entropy(logits, target)",
    ),
    "labels as floats": (
        lambda: F.cross_entropy(logits(), NAMES.astype(float)), TypeError,
        "cross_entropy", "class numbers are integers", "target.astype(int)",
    ),
    "labels counted from 1": (
        lambda: F.cross_entropy(logits(), NAMES + 1), ValueError,
        "cross_entropy: the numbers of 3 classes", "go from 0 to 2", "target - 1",
    ),
    "labels in a column": (
        lambda: F.cross_entropy(logits(), NAMES[:, None]), ValueError,
        "cross_entropy: for an input of shape (4, 3)", "and not (4, 1)", "target.reshape((4,)) would fit",
    ),
    "a column against a row": (
        lambda: F.mse_loss(np.ones((3, 1)), np.ones(3)), ValueError,
        "mse_loss: input has shape (3, 1), target (3,)", "a target of its own", "target.reshape((3, 1))",
    ),
    "probabilities expected": (
        lambda: F.binary_cross_entropy(np.array([2.0]), np.array([1.0])), ValueError,
        "binary_cross_entropy", "must be probabilities", "binary_cross_entropy_with_logits",
    ),
    "an unknown reduction": (
        lambda: F.mse_loss(np.ones(3), np.ones(3), reduction="average"), ValueError,
        "reduction", "not 'average'", "'mean', 'sum' or 'none'",
    ),
    "a loss class called as the loss": (
        lambda: nn.MSELoss(v(), np.ones((2, 3))), TypeError,
        "MSELoss", "is made first", "nn.MSELoss()(input, target)",
    ),
    # Networks
    "a layer for other inputs": (
        lambda: nn.Linear(4, 2)(np.ones((5, 3))), ValueError,
        "linear((5, 3) float32", "the layer takes 4 inputs", "nn.Linear(3, 2)",
    ),
    "two inputs for a network of three": (
        lambda: nn.MLP(3, [2, 1])([1.0, 2.0]), ValueError,
        "Neuron", "has 3 inputs", "was given 2",
    ),
    "one image without a batch": (
        lambda: nn.MnistMLP()(np.ones((28, 28))), ValueError,
        "MnistMLP takes images of shape (N, 28, 28)", "got (28, 28)", "images[None]",
    ),
    "Sequential of a list": (
        lambda: nn.Sequential([nn.Linear(2, 2)]), TypeError,
        "Sequential: part 0", "is a list, not a Module", "Sequential(*parts)",
    ),
    "an activation without its brackets": (
        lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU), TypeError,
        "Sequential: part 1", "is a type, not a Module", "nn.ReLU()",
    ),
    "a function that is not there": (
        lambda: nn.relu(v()), AttributeError,
        "tinygrad_course.nn", "has no 'relu'", "nn.functional.relu",
    ),
    "a module without forward": (
        lambda: NoForward()(v()), NotImplementedError,
        "NoForward", "has no forward", "def forward(self, x): ...",
    ),
    "parameters in a set": (
        lambda: Unordered().parameters(), TypeError,
        "Unordered.parts", "which has no order", "use a list",
    ),
    "the weights of another network": (
        lambda: nn.Linear(2, 2).load_state_dict({}), ValueError,
        "load_state_dict", "2 missing (weight, bias)", "build the module as it was",
    ),
    # Learning
    "parameters without its brackets": (
        lambda: optim.SGD(nn.Linear(2, 2).parameters, lr=0.1), TypeError,
        "SGD: expected a list of parameters", "got a method", "model.parameters(), with its brackets",
    ),
    "an optimizer of the model": (
        lambda: optim.SGD(nn.Linear(2, 2), lr=0.1), TypeError,
        "SGD: expected a list of parameters", "got a Linear", "model.parameters()",
    ),
    "learning rate and parameters swapped": (
        lambda: optim.Adam(0.1, [v()]), TypeError,
        "Adam: expected a list of parameters", "got a float", "model.parameters()",
    ),
    "an optimizer of a result": (
        lambda: optim.SGD([v() * 2], lr=0.1), ValueError,
        "SGD: parameter 0", "is the result of multiply", "give the Values it is made from",
    ),
    "a negative learning rate": (
        lambda: optim.SGD([v()], lr=-1), ValueError,
        "lr, the learning rate", "must be 0 or more", "is -1",
    ),
    # Derivatives of one's own
    "the gradient of many numbers": (
        lambda: grad(lambda x: x * 2)(np.ones(3)), ValueError,
        "grad", "must give a single number", ".sum(), .mean()",
    ),
    "a function without return": (
        lambda: grad(lambda x: None)(1.0), TypeError,
        "grad: the function must give", "gave None", "is its return missing?",
    ),
    "a rule too few": (
        lambda: half(Value(1.0), Value(2.0)), TypeError,
        "has no rule for argument 1", "None where there is no derivative", "or 2 rules with derivative(",
    ),
    "a rule of the wrong shape": (
        lambda: wrong(v()).backward(), ValueError,
        "a rule gave a gradient of shape (5,)", "for an argument of (2, 3)", "returns the argument's shape",
    ),
    "a rule that is not a function": (
        lambda: derivative(lambda x: x, 3), TypeError,
        "derivative", "got int 3", "lambda g, out, x: ...",
    ),
    "a picture of an array": (
        lambda: viz.draw(np.ones(3)), TypeError,
        "a picture is drawn of a Value", "this is ndarray", "give the Value that the network returned",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_the_error_teaches(name):
    mistake, error, asked, why, instead = MISTAKES[name]
    with pytest.raises(error) as caught:
        mistake()
    assert caught.type is error or issubclass(caught.type, error)
    for part in (asked, why, instead):
        assert part in str(caught.value)


class Forgetful(nn.Module):
    """What would be two mistakes elsewhere: no super().__init__(), and parameters in a plain list."""

    def __init__(self):
        self.weights = [Value(np.ones(2)), Value(np.zeros(3))]

    def forward(self, x):
        return self.weights[0] * x


def test_what_need_not_be_a_mistake_is_none():
    module = Forgetful()
    assert [name for name, _ in module.named_parameters()] == ["weights.0", "weights.1"]
    module(Value([1, 2])).sum().backward()
    np.testing.assert_array_equal(module.weights[0].grad, [1.0, 2.0])


def test_the_corpus_is_no_smaller_than_it_was():
    assert len(MISTAKES) >= 60
