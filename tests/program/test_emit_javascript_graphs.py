"""Recorded graphs as JavaScript: in Chromium every value and every gradient is what NumPy gives."""

from __future__ import annotations

import numpy as np
import pytest
from javascript import check_graphs

from tinygrad_course import TraceError, Value, nn
from tinygrad_course.nn import functional as F
from tinygrad_course.program.export.graphs import graph_program


def lecture():
    return F.cross_entropy(nn.MnistMLP(rng=0)(np.full((5, 784), 0.5, np.float32)), np.arange(5))


def neurons():
    net = nn.MLP(2, [4, 1], rng=0)
    return sum((net([a, b]) - float(a != b)) ** 2 for a in (0.0, 1.0) for b in (0.0, 1.0))


def xor():
    net = nn.Sequential(nn.Linear(2, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1), nn.Sigmoid())
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    return nn.MSELoss()(net(x), np.array([[0], [1], [1], [0]], np.float32))


def test_networks_of_the_lecture(browser):
    check_graphs(browser, [lecture(), neurons(), xor()])


def test_contributions_add_up_to_the_gradient():
    w = Value(2.0, name="w")
    program = graph_program([w * w + w])
    sum_of, product = sorted(program.contributions)[-1][0], sorted(program.contributions)[0][0]
    assert set(program.contributions) == {(product, 0), (product, 1), (sum_of, 0), (sum_of, 1)}
    assert program.inputs == {"w": w} and program.gradients["w"] == "d_w"


def test_what_cannot_be_written_is_named():
    with pytest.raises(TraceError, match="emit: solve has no counterpart in JavaScript"):
        graph_program([np.linalg.solve(Value(np.eye(2)), Value(np.ones(2))).sum()])
    with pytest.raises(TraceError, match="float16"):
        graph_program([Value(np.ones(2, np.float16)) * 2.0])
