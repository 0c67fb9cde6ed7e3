"""einops and opt_einsum given Values: they record, whichever was imported first."""

import subprocess
import sys

import numpy as np
import pytest

from tinygrad_course import Value, grad
from tinygrad_course.testing import gradcheck

X = np.arange(24.0).reshape(2, 3, 4)
einops = pytest.importorskip("einops")
import tinygrad_course.einops  # noqa: E402, F401 (makes Values known)

CALLS = {
    "rearrange": lambda x: einops.rearrange(x, "a b c -> c (b a)"),
    "reduce by mean": lambda x: einops.reduce(x, "a b c -> b", "mean"),
    "reduce by max": lambda x: einops.reduce(x, "a (b two) c -> a b c", "max", b=3, two=1),
    "repeat": lambda x: einops.repeat(x, "a b c -> a b c d", d=2),
    "einsum": lambda x: einops.einsum(x, X, "a b c, a b d -> c d"),
    "pack": lambda x: einops.pack([x, x[0]], "* b c")[0],
    "unpack": lambda x: einops.unpack(x, [(1,), (1,)], "* b c")[1],
    "stack": lambda x: einops.rearrange([x, x * x], "n a b c -> a (n b) c"),
}


@pytest.mark.parametrize("name", CALLS)
def test_it_records(name):
    call = CALLS[name]
    out = call(Value(X))
    assert isinstance(out, Value)
    np.testing.assert_array_equal(out.data, call(X))
    gradcheck(call, X)


@pytest.mark.parametrize("first", ["import einops, tinygrad_course", "import tinygrad_course.einops, einops"])
def test_whichever_is_imported_first(first):
    code = f"{first}; print(einops.rearrange(tinygrad_course.Value([[1.0, 2.0]]), 'a b -> (b a)').shape)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "(2,)\n", done.stderr


def test_the_array_apis_part_works_as_it_is():
    parts = pytest.importorskip("einops.array_api")
    got = grad(
        lambda x: np.sum(parts.reduce(parts.rearrange(x, "a b c -> (a b) c"), "n c -> c", "sum") ** 2)
    )(X)
    np.testing.assert_allclose(got, 2 * np.broadcast_to(X.sum((0, 1)), X.shape))


def test_paths_of_opt_einsum():
    paths = pytest.importorskip("opt_einsum")
    gradcheck(lambda x, y: paths.contract("abc,abd,d->c", x, X, y), X / 10, X[0, 0])
