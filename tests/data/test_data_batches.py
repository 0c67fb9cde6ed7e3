"""Batches: every row once an epoch, an order that depends on seed and epoch alone, errors that say why."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_course import data


def rows(batches):
    return [tuple(part.tolist() for part in batch) for batch in batches]


@pytest.mark.filterwarnings("ignore:Batches")
@given(
    n=st.integers(0, 40),
    batch_size=st.integers(1, 50),
    seed=st.integers(0, 2**70),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
)
def test_every_row_comes_once_and_arrays_stay_together(n, batch_size, seed, shuffle, drop_last):
    inputs, targets = np.arange(2 * n).reshape(n, 2), np.arange(n) * 10
    batches = data.Batches(
        inputs, targets, batch_size=batch_size, seed=seed, shuffle=shuffle, drop_last=drop_last
    )
    taken = list(batches)
    assert len(taken) == len(batches)
    sizes = [len(x) for x, _ in taken]
    whole, rest = divmod(n, batch_size)
    assert sizes == [batch_size] * whole + ([rest] if rest and not drop_last else [])
    seen = [int(y) // 10 for _, targets in taken for y in targets]
    assert len(set(seen)) == len(seen) == sum(sizes)
    for x, y in taken:
        np.testing.assert_array_equal(x[:, 0] * 5, y)
    if not shuffle:
        assert seen == list(range(sum(sizes)))


def test_every_epoch_and_every_seed_has_its_own_order():
    orders = set()
    for seed in range(5):
        batches = data.Batches(np.arange(100), batch_size=100, seed=seed)
        for epoch in range(5):
            assert batches.epoch == epoch
            ((order,),) = batches
            orders.add(tuple(order.tolist()))
    assert len(orders) == 25


def test_an_epoch_can_be_taken_up_again():
    numbers = np.arange(50)
    straight = data.Batches(numbers, batch_size=8, seed=3)
    passes = [rows(straight) for _ in range(6)]
    resumed = data.Batches(numbers, batch_size=8, seed=3)
    resumed.epoch = 4
    assert [rows(resumed), rows(resumed)] == passes[4:]
    assert resumed.epoch == 6


def test_a_pass_broken_off_or_interleaved_changes_no_other():
    numbers = np.arange(50)
    plain = data.Batches(numbers, batch_size=8, seed=3)
    passes = [rows(plain) for _ in range(3)]
    batches = data.Batches(numbers, batch_size=8, seed=3)
    next(iter(batches))
    second, third = iter(batches), iter(batches)
    both = list(zip(second, third, strict=True))
    assert rows(batch for batch, _ in both) == passes[1]
    assert rows(batch for _, batch in both) == passes[2]


def test_another_process_finds_the_same_order():
    program = (
        "import numpy as np; from tinygrad_course import data; "
        "b = data.Batches(np.arange(20), batch_size=20, seed=9); b.epoch = 7; "
        "print(next(iter(b))[0].tolist())"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    batches = data.Batches(np.arange(20), batch_size=20, seed=9)
    batches.epoch = 7
    assert result.stdout.strip() == str(next(iter(batches))[0].tolist())


def test_the_arrays_are_left_alone():
    numbers = np.arange(10)
    for (batch,) in data.Batches(numbers, batch_size=4):
        batch[:] = -1
    assert numbers.tolist() == list(range(10))
    (first,) = next(iter(data.Batches(numbers, batch_size=4, shuffle=False)))
    assert np.shares_memory(first, numbers)


def test_lists_will_do():
    batches = data.Batches([[1.0, 2.0], [3.0, 4.0]], ["a", "b"], batch_size=1, shuffle=False)
    assert rows(batches) == [([[1.0, 2.0]], ["a"]), ([[3.0, 4.0]], ["b"])]


@pytest.mark.parametrize(
    ("arrays", "options", "error", "message"),
    [
        ((), {"batch_size": 1}, ValueError, r"one or more arrays .* got shapes \[\]"),
        ((np.zeros((3, 2)), np.zeros(4)), {"batch_size": 1}, ValueError, r"shapes \[\(3, 2\), \(4,\)\]"),
        ((np.zeros(()),), {"batch_size": 1}, ValueError, r"shapes \[\(\)\]"),
        ((np.zeros(3), 5), {"batch_size": 1}, ValueError, r"shapes \[\(3,\), \(\)\]"),
        ((np.zeros(3),), {"batch_size": 0}, ValueError, "batch_size must be 1 or more, and is 0"),
        ((np.zeros(3),), {"batch_size": -2}, ValueError, "batch_size must be 1 or more, and is -2"),
        ((np.zeros(3),), {"batch_size": 1.5}, TypeError, "integer"),
        ((np.zeros(3),), {"batch_size": 1, "seed": -1}, ValueError, "seed must be 0 or more, and is -1"),
        ((np.zeros(3),), {"batch_size": 1, "seed": None}, TypeError, "integer"),
    ],
)
def test_errors_say_why(arrays, options, error, message):
    with pytest.raises(error, match=message):
        data.Batches(*arrays, **options)


def test_drop_last_that_leaves_no_batch_says_so():
    with pytest.warns(UserWarning, match="3 rows do not fill one batch of 5.* no batch at all"):
        batches = data.Batches(np.zeros(3), batch_size=5, drop_last=True)
    assert list(batches) == []


@pytest.mark.parametrize(
    "settings, match",
    [
        ({"batch_size": 2.0}, r"batch_size must be an integer, and is 2\.0 \(float\); write batch_size=2"),
        ({"batch_size": "2"}, "batch_size must be an integer, and is '2'"),
        ({"batch_size": None}, "batch_size must be an integer"),
        ({"batch_size": 2, "seed": 1.5}, "seed must be an integer"),
    ],
)
def test_numbers_of_rows_are_integers(settings, match):
    with pytest.raises(TypeError, match=match):
        data.Batches(np.zeros(3), **settings)
