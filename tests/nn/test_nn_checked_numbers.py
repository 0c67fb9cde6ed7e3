"""Layers and losses that look at their numbers say the same when compiled, at every call."""

import numpy as np
import pytest

from tinygrad_course import Value, compile, nn

F = nn.functional
TABLE = Value(np.arange(12.0).reshape(4, 3))
LSTM = nn.LSTM(3, 2, rng=0)
CASES = {  # the function, arguments that are right, others, and what is wrong with those
    "binary_cross_entropy": (
        lambda p: F.binary_cross_entropy(p, np.array([0.0, 1.0])),
        [np.array([0.2, 0.7])],
        [np.array([0.2, 1.5])],
        "range from 0.2 to 1.5",
    ),
    "gaussian_nll_loss": (
        lambda var: F.gaussian_nll_loss(np.ones(2), np.zeros(2), var),
        [np.ones(2)],
        [np.array([1.0, -3.0])],
        "a variance is 0 or more, not -3",
    ),
    "embedding_bag": (
        lambda i, starts: F.embedding_bag(i, TABLE, starts),
        [np.array([1, 2, 3]), np.array([0, 2])],
        [np.array([1, 2, 3]), np.array([1, 2])],
        r"rise from 0 up to 3, and are \[1 2\]",
    ),
    "LSTM": (
        lambda x, lengths: LSTM(x, lengths=lengths)[0],
        [np.ones((5, 2, 3), np.float32), np.array([5, 2])],
        [np.ones((5, 2, 3), np.float32), np.array([5, 6])],
        r"2 whole numbers from 1 to 5, not \[5 6\]",
    ),
    "embedding": (lambda i: F.embedding(i, TABLE), [np.array([0, 3])], [np.array([0, 4])], "from 0 to 4"),
    "one_hot": (lambda i: F.one_hot(i, 4), [np.array([0, 3])], [np.array([-1, 3])], "from -1 to 3"),
    "cross_entropy": (
        lambda i: F.cross_entropy(TABLE, i),
        [np.array([0, 1, 2, 0])],
        [np.array([1, 2, 3, 1])],
        "from 1 to 3; count them from 0: target - 1",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_said_by_compiled_functions_too(name):
    function, right, wrong, match = CASES[name]
    compiled = compile(function)
    error = IndexError if name == "embedding" else ValueError
    for f in (function, compiled, compiled):
        with pytest.raises(error, match=match):
            f(*wrong)
        np.testing.assert_array_equal(np.asarray(data_of(f(*right))), np.asarray(data_of(function(*right))))


def data_of(result):
    return result.numpy() if isinstance(result, Value) else result
