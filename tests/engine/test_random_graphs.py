"""Random graphs with shared nodes: the walk against finite differences, and against itself."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_course import Value
from tinygrad_course.testing import graphs
from tinygrad_course.testing.gradcheck import gradcheck, gradgradcheck

thorough = settings(max_examples=max(60, settings().max_examples))


def gradients(graph, wrap=lambda x: x):
    """The gradients of a graph at its inputs."""
    values = [Value(wrap(x)) for x in graph.inputs]
    graph(*values).backward()
    return [v.grad for v in values]


@thorough
@given(graphs(min_operations=5))
def test_arrays(graph):
    gradcheck(graph, *graph.inputs)


@thorough
@given(graphs(min_operations=5, scalars=True))
def test_scalars(graph):
    gradcheck(graph, *graph.inputs)


@settings(max_examples=max(30, settings().max_examples))
@given(st.booleans().flatmap(lambda scalars: graphs(min_operations=3, max_operations=15, scalars=scalars)))
def test_second_derivatives(graph):
    gradgradcheck(graph, *graph.inputs)


@given(graphs(min_operations=5, scalars=True))
def test_scalars_are_arrays_of_one_entry(graph):
    for number, array in zip(gradients(graph), gradients(graph, np.array)):
        assert type(number) is float
        assert type(array) is np.ndarray
        np.testing.assert_allclose(number, array, rtol=1e-10, atol=1e-14)


@given(st.booleans().flatmap(lambda scalars: graphs(min_operations=5, scalars=scalars)))
def test_a_second_backward_adds_the_same_again(graph):
    values = [Value(x) for x in graph.inputs]
    out = graph(*values)
    out.backward()
    first = [v.grad * 1.0 for v in values]
    out.backward()
    for v, g in zip(values, first):
        np.testing.assert_allclose(v.grad, 2 * g, rtol=1e-13)


@given(st.booleans().flatmap(lambda scalars: graphs(min_operations=5, scalars=scalars)))
def test_create_graph_gives_the_same_numbers(graph):
    plain = gradients(graph)
    values = [Value(x) for x in graph.inputs]
    graph(*values).backward(create_graph=True)
    for v, g in zip(values, plain):
        np.testing.assert_allclose(v.grad.data, g, rtol=1e-10, atol=1e-12)


@given(st.booleans().flatmap(lambda scalars: graphs(min_operations=5, scalars=scalars)), st.data())
def test_constants_change_nothing_for_the_others(graph, data):
    """Some inputs as plain data: the gradients of the others stay, bit for bit."""
    kept = data.draw(st.integers(0, len(graph.inputs) - 1))
    values = [Value(x) for x in graph.inputs]
    graph(*values).backward()
    alone = Value(graph.inputs[kept])
    graph(*(alone if i == kept else x for i, x in enumerate(graph.inputs))).backward()
    np.testing.assert_array_equal(alone.grad, values[kept].grad)
