"""The lecture's small sets: right tables, right shapes, the same points from the same seed."""

import functools

import numpy as np
import pytest

from tinygrad_course import data

CLOUDS = [functools.partial(data.cloud, name) for name in ("simple", "split", "xor", "circle")]
SHAPES = [data.blobs, data.moons, data.circles, data.spirals]
SEVERAL = [data.blobs, data.spirals]


@pytest.mark.parametrize(
    ("name", "gate"),
    [
        ("and", lambda a, b: a and b),
        ("or", lambda a, b: a or b),
        ("xor", lambda a, b: a != b),
        ("nand", lambda a, b: not (a and b)),
        ("nor", lambda a, b: not (a or b)),
        ("xnor", lambda a, b: a == b),
    ],
)
def test_gates(name, gate):
    inputs, targets = data.gates(name)
    assert inputs.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert targets.tolist() == [float(gate(a, b)) for a, b in inputs.tolist()]
    assert inputs.dtype == targets.dtype == np.float64
    targets[:] = 5
    assert data.gates(name)[1].max() == 1


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="no gate 'not'; choose from and, or, xor, nand, nor, xnor"):
        data.gates("not")
    with pytest.raises(ValueError, match="no cloud 'moons'; choose from simple, split, xor, circle"):
        data.cloud("moons")


@pytest.mark.parametrize("make", CLOUDS + SHAPES)
def test_points_come_from_the_seed(make):
    points, labels = make(101, seed=4)
    assert points.shape == (101, 2) and points.dtype == np.float64
    assert labels.shape == (101,) and labels.dtype == np.int64
    assert set(labels.tolist()) == {0, 1}
    again, labels_again = make(101, seed=4)
    np.testing.assert_array_equal(points, again)
    np.testing.assert_array_equal(labels, labels_again)
    assert not np.any(make(101, seed=5)[0] == points)
    assert make(0)[0].shape == (0, 2)


@pytest.mark.parametrize("make", CLOUDS + SHAPES)
def test_noise_moves_the_points_by_its_size_and_keeps_the_labels(make):
    clean, labels = make(2000, noise=0.0)
    noisy, noisy_labels = make(2000, noise=0.3)
    np.testing.assert_array_equal(labels, noisy_labels)
    assert np.std(noisy - clean) == pytest.approx(0.3, rel=0.1)


@pytest.mark.parametrize("make", SHAPES)
def test_any_first_part_is_balanced(make):
    assert make(7)[1].tolist() == [0, 1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize("make", SEVERAL)
@pytest.mark.parametrize("classes", [1, 3, 5])
def test_more_classes(make, classes):
    labels = make(50, classes=classes)[1]
    assert np.bincount(labels).tolist() == [len(range(k, 50, classes)) for k in range(classes)]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("simple", lambda x, y: x > 0.5),
        ("split", lambda x, y: abs(x - 0.5) > 0.3),
        ("xor", lambda x, y: (x - 0.5) * (y - 0.5) < 0),
        ("circle", lambda x, y: np.hypot(x - 0.5, y - 0.5) > np.sqrt(0.1)),
    ],
)
def test_clouds_fill_the_square_and_follow_their_rule(name, rule):
    points, labels = data.cloud(name, 2000)
    np.testing.assert_array_equal(labels, rule(*points.T))
    assert points.min() >= 0 and points.max() <= 1
    assert np.histogram2d(*points.T, bins=4, range=[(0, 1), (0, 1)])[0].min() > 80


def test_moons_are_two_half_circles():
    points, labels = data.moons(400, noise=0)
    for label, centre, side in ((0, (0.0, 0.0), 1), (1, (1.0, 0.5), -1)):
        away = points[labels == label] - centre
        np.testing.assert_allclose(np.hypot(*away.T), 1)
        assert np.all(side * away[:, 1] >= -1e-9)
        assert away[:, 0].min() < -0.9 and away[:, 0].max() > 0.9


def test_circles_lie_one_in_the_other():
    points, labels = data.circles(400, noise=0)
    np.testing.assert_allclose(np.hypot(*points.T), np.where(labels == 0, 1, 0.5))
    assert all(
        np.any((np.sign(points) == quarter).all(axis=1)) for quarter in ((1, 1), (1, -1), (-1, 1), (-1, -1))
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_spirals_are_one_arm_turned(classes):
    points, labels = data.spirals(600, classes=classes, noise=0)
    radius = np.hypot(*points.T)
    assert 0.1 <= radius.min() < 0.15 and 0.95 < radius.max() <= 1
    turned = (points[:, 0] + 1j * points[:, 1]) * np.exp(-2j * np.pi * (1.25 * radius + labels / classes))
    np.testing.assert_allclose(turned, radius, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_a_line_separates_two_blobs(seed):
    points, labels = data.blobs(seed=seed)
    np.testing.assert_array_equal(points.sum(axis=1) > 0, labels == 0)


@pytest.mark.parametrize("make", CLOUDS + SHAPES)
@pytest.mark.parametrize("wrong", [{"n": -1}, {"noise": -0.1}, {"noise": float("nan")}, {"seed": -1}])
def test_numbers_below_zero_are_refused(make, wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"^[a-z]+: .*must be 0 or more.*{name}={wrong[name]}"):
        make(**wrong)


@pytest.mark.parametrize("make", SEVERAL)
def test_classes_below_one_are_refused(make):
    with pytest.raises(ValueError, match="classes=0"):
        make(classes=0)


@pytest.mark.parametrize("make", CLOUDS + SHAPES)
@pytest.mark.parametrize("wrong", [{"n": 2.5}, {"seed": 0.5}, {"seed": None}])
def test_fractions_are_refused(make, wrong):
    with pytest.raises(TypeError, match="integer"):
        make(**wrong)
