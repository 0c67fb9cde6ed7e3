"""The layered layout: nothing overlaps, links run from left to right, large graphs are quick."""

import re
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from interrupting import Interrupter
from test_viz_graph import recorded_graphs

from tinygrad_course import Value
from tinygrad_course.viz.graph import graph_of
from tinygrad_course.viz.labels import number
from tinygrad_course.viz.layering import _rising
from tinygrad_course.viz.layout import arrange
from tinygrad_course.viz.svg import path
from tinygrad_course.viz.views import texts_of, view_of


def view_of_all(value):
    graph = graph_of(value)
    return view_of(graph, texts_of(graph))


def rectangles(view, layout):
    return [(x, y, x + box.w, y + box.h) for box, (x, y) in zip(view.boxes, layout.boxes)]


def apart(a, b):
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def contains(outer, inner):
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


@given(recorded_graphs(layered=True), st.data())
def test_nothing_overlaps_and_frames_hold_what_is_theirs(value, data):
    graph = graph_of(value)
    closed = [group for group in graph.groups if data.draw(st.booleans())]
    view = view_of(graph, texts_of(graph), closed)
    layout = arrange(view)
    places = rectangles(view, layout)
    frames = {g: (x, y, x + w, y + h) for g, (x, y, w, h) in zip(view.frames, layout.frames)}
    for i, place in enumerate(places):
        assert contains((0, 0, layout.width, layout.height), place)
        assert all(apart(place, other) for other in places[:i])
        for group, frame in frames.items():
            within, around = view.boxes[i].within, False
            while within is not None:
                around |= within is group
                within = within.parent
            assert contains(frame, place) if around else apart(frame, place)
    for link, points in zip(view.links, layout.links):
        source, target = places[view.boxes.index(link.source)], places[view.boxes.index(link.target)]
        np.testing.assert_allclose(points[0], (source[2], (source[1] + source[3]) / 2))
        assert points[-1][0] == target[0] and target[1] <= points[-1][1] <= target[3]


@given(recorded_graphs())
def test_without_layers_every_link_runs_to_the_right(value):
    layout = arrange(view_of_all(value))
    for points in layout.links:
        assert all(a[0] <= b[0] + 1e-9 for a, b in pairwise(points))


def test_the_first_argument_enters_above_the_second():
    a, b = Value(1.0), Value(2.0)
    view = view_of_all(b - a)
    first, second = (points[-1][1] for points in arrange(view).links)
    assert first < second


def test_a_chain_is_a_straight_line():
    value = Value(1.0).tanh().exp().tanh()
    heights = {y for _, y in arrange(view_of_all(value)).boxes}
    assert len(heights) == 1


def test_closed_layers_hide_what_is_in_them():
    w, v = Value(1.0, name="a.w"), Value(1.0, name="b.w")
    graph = graph_of(((w * 2.0).tanh() * v).tanh() * 2.0)
    view = view_of(graph, texts_of(graph), closed=graph.groups)
    assert [box.lines[0] for box in view.boxes] == ["a", "b", "multiply(·, 2)"]
    assert [(link.source.key, link.target.key) for link in view.links] == [("g0", "g1"), ("g1", "n6")]


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=12))
def test_rising_numbers_nearest_to_the_wanted_ones(wanted):
    got = _rising([float(w) for w in wanted], [1.0] * len(wanted))
    assert all(a <= b + 1e-9 for a, b in pairwise(got))
    # the known formula: the largest over starts of the smallest over ends of the means between
    n = len(wanted)
    for i in range(n):
        best = max(min(np.mean(wanted[j : k + 1]) for k in range(i, n)) for j in range(i + 1))
        assert abs(got[i] - best) < 1e-9


def work(value):
    """How many lines of the package the layout of everything behind `value` runs through."""
    view, counter = view_of_all(value), Interrupter()
    counter.run(lambda: arrange(view))
    return counter.count


def product_of_many(n):
    """A graph of `n` numbers in which each is the product of two of the hundred before it."""
    rng = np.random.default_rng(0)
    values = [Value(float(x)) for x in rng.normal(size=100)]
    while len(values) < n:
        i, j = (len(values) - 1 - int(k) for k in rng.integers(0, 100, 2))
        values.append(values[i] * values[j])
    total = values[-1]
    for value in values[-100:-1]:
        total = total + value
    return total


def shared_weight(steps):
    w, x = Value(0.9, name="w"), Value(1.0)
    for _ in range(steps):
        x = (w * x).tanh()
    return x


def test_the_work_grows_no_faster_than_large_graphs_can_bear():
    assert work(product_of_many(1000)) < 4 * work(product_of_many(250))
    assert work(shared_weight(400)) < 10 * work(shared_weight(100))


def test_ten_thousand_nodes_are_laid_out():
    assert len(arrange(view_of_all(product_of_many(10_000))).boxes) > 5000


def test_numbers_have_one_width():
    assert [number(x) for x in (0.1234, -0.1234, 0.0, -0.0, 1.0)] == [
        "+0.1234", "-0.1234", "+0.0000", "+0.0000", "+1.0000",
    ]  # fmt: skip
    assert [number(x) for x in (1e-9, -2.5e12, np.nan, -np.inf)] == ["+1.0e-09", "-2.5e+12", "nan", "-inf"]


def xs(data):
    """Where the ends of the pieces of a link are, from left to right, as they are written."""
    return [float(piece.split()[-2 if " " in piece else 0]) for piece in re.findall(r"[MHC]([^MHC]*)", data)]


def test_an_arrow_head_is_not_turned_around_by_rounding():
    for end in (10.15, 10.149999, 10.150001, 10.2):
        written = xs(path([(0.0, 5.0), (10.15, 5.0), (end, 5.0)]))
        assert written == sorted(written)


@given(recorded_graphs())
def test_links_are_written_from_left_to_right(value):
    view = view_of_all(value)
    for points in arrange(view).links:
        written = xs(path(points))
        assert written == sorted(written)
