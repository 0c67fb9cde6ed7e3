"""PyTorch's methods on a Value, against PyTorch's own: results, shapes, gradients."""

import numpy as np
import pytest

from tinygrad_course import Value, compile
from tinygrad_course.testing.gradcheck import gradgradcheck

A = np.array([[3.0, -1.0, 2.5, 0.5], [1.0, 4.0, -2.0, 0.25], [-0.5, 1.5, 2.0, 5.0]])
B = np.arange(24.0).reshape(2, 3, 4) / 7 - 1.3
PLACES = np.array([[0, 2, 1, 0], [1, 1, 0, 2]])
MASK = A > 1

CASES = {
    "view": (A, lambda x: x.view(2, 6)),
    "view with one length found": (B, lambda x: x.view(2, -1)),
    "view of a tuple": (A, lambda x: x.view((4, 3))),
    "abs": (A, lambda x: x.abs()),
    "log10": (A**2, lambda x: x.log10()),
    "clone": (A, lambda x: x.clone() * x),
    "contiguous": (B, lambda x: x.transpose(1, 2).contiguous().view(2, 12)),
    "permute": (B, lambda x: x.permute(2, 0, 1)),
    "permute of a tuple": (B, lambda x: x.permute((1, 2, 0))),
    "transpose": (B, lambda x: x.transpose(1, 2)),
    "transpose from the end": (B, lambda x: x.transpose(-2, -1)),
    "unsqueeze": (A, lambda x: x.unsqueeze(1)),
    "unsqueeze at the end": (A, lambda x: x.unsqueeze(-1)),
    "squeeze": (A[:1], lambda x: x.squeeze(dim=0)),
    "flatten": (B, lambda x: x.flatten()),
    "flatten from an axis on": (B, lambda x: x.flatten(1)),
    "flatten to an axis": (B, lambda x: x.flatten(0, 1)),
    "expand": (A[:1], lambda x: x.expand(3, 4)),
    "expand with axes kept": (A[:1], lambda x: x.expand(2, 5, -1, -1)),
    "split": (A, lambda x: x.split(2, dim=1)[0] * 2 + x.split(2, dim=1)[1]),
    "split of unequal parts": (A, lambda x: x.split(3, 1)[1]),
    "split by sizes": (A, lambda x: x.split([1, 3], 1)[1]),
    "chunk": (A, lambda x: x.chunk(3, 1)[1]),
    "chunk along the first axis": (A, lambda x: x.chunk(2)[0]),
    "gather": (A, lambda x: x.gather(0, index(x, PLACES))),
    "gather along the last axis": (A, lambda x: x.gather(1, index(x, PLACES[:, :2]))),
    "scatter_add": (A, lambda x: x.scatter_add(0, index(x, PLACES), x[:2] * x[1:])),
    "scatter_add along the last axis": (A, lambda x: x.scatter_add(-1, index(x, PLACES[:, :3]), x[1:, :3])),
    "masked_fill": (A, lambda x: x.masked_fill(index(x, MASK), -1e9) * x),
    "sort": (A, lambda x: x.sort(1).values),
    "sort downwards": (A, lambda x: x.sort(dim=0, descending=True)[0]),
    "topk": (A, lambda x: x.topk(2).values),
    "topk of the smallest": (A, lambda x: x.topk(2, dim=0, largest=False)[0]),
    "sum": (B, lambda x: x.sum(dim=1, keepdim=True)),
    "mean over two": (B, lambda x: x.mean(dim=(0, 2))),
    "var": (B, lambda x: x.var(dim=1, unbiased=False)),
    "std": (B, lambda x: x.std(dim=1, correction=1)),
    "cumsum": (B, lambda x: x.cumsum(dim=1)),
}
PLAIN = {
    "argmax": lambda x: x.argmax(), "argmax of rows": lambda x: x.argmax(dim=1),
    "argmin": lambda x: x.argmin(0, keepdim=True), "places of sort": lambda x: x.sort().indices,
    "places of topk": lambda x: x.topk(3, 1)[1], "all": lambda x: x.all(), "any": lambda x: x.any(dim=0),
    "tolist": lambda x: x.tolist(),
}  # fmt: skip


def index(x, array):
    """Whole numbers or booleans in the kind of arrays that `x` is of."""
    return array if isinstance(x, (Value, np.ndarray)) else pytest.importorskip("torch").tensor(array)


@pytest.mark.parametrize("name", CASES)
def test_a_method_does_what_torchs_does(name):
    torch = pytest.importorskip("torch")
    data, method = CASES[name]
    v, t = Value(data.copy()), torch.tensor(data, requires_grad=True)
    ours, theirs = method(v), method(t)
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-14)
    weights = np.cos(np.arange(ours.size)).reshape(ours.shape)
    (ours * weights).sum().backward()
    (theirs * torch.tensor(weights)).sum().backward()
    np.testing.assert_allclose(v.grad, t.grad.numpy(), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", PLAIN)
def test_what_has_no_slope_is_plain(name):
    torch = pytest.importorskip("torch")
    ours, theirs = PLAIN[name](Value(A)), PLAIN[name](torch.tensor(A))
    assert not isinstance(ours, Value)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["gather", "scatter_add", "sort", "topk", "masked_fill", "split"])
def test_they_are_differentiated_twice(name):
    data, method = CASES[name]
    assert gradgradcheck(lambda x: (method(x) ** 3).sum(), data)


@pytest.mark.parametrize(
    "name", ["view", "permute", "expand", "split", "chunk", "masked_fill", "gather", "abs"]
)
def test_they_compile(name):
    data, method = CASES[name]
    v, w = Value(data), Value(data)
    compile(lambda x: method(x).sum())(v).backward()
    method(w).sum().backward()
    np.testing.assert_array_equal(v.grad, w.grad)


def test_two_axes_of_two_are_numpys_order():
    np.testing.assert_array_equal(Value(A).transpose(0, 1).data, A)
    np.testing.assert_array_equal(Value(A).transpose(1, 0).data, A.T)
    np.testing.assert_array_equal(Value(B).transpose(2, 0, 1).data, B.transpose(2, 0, 1))


def test_what_does_not_fit_is_told():
    with pytest.raises(ValueError, match="do not add up to the length 4 of axis 1"):
        Value(A).split([1, 2], 1)
    with pytest.raises(ValueError, match="topk: there are 4 entries along axis -1, and 5"):
        Value(A).topk(5)
