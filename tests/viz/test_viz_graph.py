"""The description of a recorded graph: nodes, edges, layers, and what flows along an edge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_course import Value, derivative, nn
from tinygrad_course.derivatives import TABLE
from tinygrad_course.insight.edges import argument_name, contribution, rule_text
from tinygrad_course.viz.flow import backward_steps
from tinygrad_course.viz.graph import graph_of
from tinygrad_course.viz.layers import chain, short_name


def names(graph):
    return [node.name or node.operation for node in graph.nodes]


def test_a_shared_value_is_one_node():
    x = Value(2.0, name="x")
    square = x * x
    graph = graph_of(square + square)
    assert names(graph) == ["x", "multiply", "add"]
    assert [(e.source.id, e.target.id, e.operand) for e in graph.edges] == [
        (0, 1, 0), (0, 1, 1), (1, 2, 0), (1, 2, 1),
    ]  # fmt: skip


def test_arguments_keep_their_order_whatever_their_age():
    a, b = Value(1.0, name="a"), Value(2.0, name="b")
    graph = graph_of(b - a)
    assert [e.source.name for e in graph.root.inputs] == ["b", "a"]
    assert [e.argument for e in graph.root.inputs] == ["x", "y"]


def test_kinds():
    w, x = Value([[1.0, 2.0]], name="w"), Value([[1.0], [1.0]], name="x")
    graph = graph_of((w @ x + np.ones((1, 1)) - np.zeros((3, 1))).sum())
    kinds = [(node.kind, node.name, node.operation) for node in graph.nodes]
    assert kinds == [
        ("parameter", "w", ""),
        ("input", "x", ""),
        ("operation", "", "matmul"),
        ("input", "input", ""),
        ("operation", "", "add"),
        ("input", "input 2", ""),
        ("operation", "", "subtract"),
        ("loss", "", "sum"),
    ]


@pytest.mark.parametrize("name", ["x", "x1", "x₁", "X_2", "inputs", "target"])
def test_without_a_module_inputs_are_known_by_their_names(name):
    assert graph_of(Value(1.0, name=name) * 2.0).nodes[0].kind == "input"


@pytest.mark.parametrize("name", ["w", "xor", "", "hidden.x"])
def test_without_a_module_the_others_are_parameters(name):
    assert graph_of(Value(1.0, name=name) * 2.0).nodes[0].kind == "parameter"


def test_a_module_tells_inputs_from_parameters_and_names_them():
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    clue = Value(np.ones((4, 2), np.float32), name="clue")
    graph = graph_of(net(clue).sum(), net)
    assert {node.name: node.kind for node in graph.nodes if not node.operation} == {
        "clue": "input",
        **{name: "parameter" for name, _ in net.named_parameters()},
    }
    assert [group.label for group in graph.groups] == ["0 Linear", "2 Linear"]


def test_a_frozen_parameter_keeps_its_name_and_layer():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    net.parameters()[0].requires_grad = False
    graph = graph_of(net(np.ones((4, 2), np.float32)).sum(), net)
    frozen = next(node for node in graph.nodes if node.name == "0.weight")
    assert (frozen.kind, frozen.value, frozen.group.label) == ("parameter", None, "0 Linear")


def test_layers_nested_without_end_stay_shallow():
    w = Value(1.0, name=".".join(["a"] * 5000))
    graph = graph_of(w * 2.0)
    assert len(graph.groups) == 8


def test_settings_stand_in_the_operation_and_what_is_calculated_with_are_inputs():
    w = Value(np.ones((3, 2)), name="w")
    graph = graph_of(np.sum(w[0] ** 2 * np.ones(2), axis=0))
    assert names(graph) == ["w", "getitem(·, 0)", "power(·, 2)", "input", "multiply", "sum(·, axis=0)"]
    graph = graph_of(sum([Value(2.0, name="w") * 3.0, 1]))  # which starts from 0
    assert names(graph) == ["w", "", "multiply", "add(0, ·)", "", "add"]
    assert [node.data for node in graph.nodes if node.kind == "input"] == [3.0, 1]


def test_the_inputs_of_neurons_are_boxes_that_neurons_share():
    network = nn.MLP(2, [2, 1], rng=0)
    losses = [(network([x1, x2]) - y) ** 2 for x1, x2, y in [(0.0, 0.0, 0.0), (0.0, 1.0, 1.0)]]
    graph = graph_of(losses[0] + losses[1], network)
    inputs = {n.name: (n.data, len(n.outputs)) for n in graph.nodes if n.kind == "input"}
    assert inputs == {
        "x1": (0.0, 2), "x2": (0.0, 2), "target": (0.0, 1),
        "x1 2": (0.0, 2), "x2 2": (1.0, 2), "target 2": (1.0, 1),
    }  # fmt: skip


def test_what_meets_the_output_is_the_target():
    net = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())
    y = np.ones((4, 1), np.float32)
    loss = nn.MSELoss()(net(y @ [[0.0, 1.0]]), y)
    assert [n.name for n in graph_of(loss, net).nodes if n.kind == "input"] == ["input", "target"]
    graph = graph_of(nn.BCELoss()(net(y @ [[0.0, 1.0]]), y), net)  # which computes 1 - y beforehand
    assert [n.name for n in graph.nodes if n.kind == "input"] == ["input", "target", "target 2"]
    assert "subtract(1, ·)" in names(graph)  # a loss keeps its own numbers to itself
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3))
    loss = nn.CrossEntropyLoss()(net(np.ones((4, 2), np.float32)), np.array([0, 1, 2, 1]))
    assert [n.name for n in graph_of(loss, net).nodes if n.kind == "input"] == ["input", "target"]


class Blocks(nn.Module):
    """A network whose parts call what a name does not tell: activations, and one part twice."""

    def __init__(self):
        self.first, self.act, self.last = nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 3, rng=0)
        self.gate = nn.GELU()

    def forward(self, x):
        h = self.act(self.first(x)) * 2.0
        return self.last(self.last(h).relu())


def test_a_group_holds_what_its_module_called():
    net = Blocks()
    loss = nn.MSELoss()(net(np.ones((4, 2), np.float32)), np.ones((4, 3), np.float32))
    graph = graph_of(loss, net)
    where = [(n.operation, n.group.label if n.group else None) for n in graph.nodes if n.operation]
    assert where == [
        ("linear", "first Linear"), ("tanh", None), ("multiply(·, 2)", None),
        ("linear", "last Linear"), ("relu", None),
        ("linear", "last Linear, use 2"), ("subtract", None), ("square", None), ("mean", None),
    ]  # fmt: skip


def test_a_network_is_left_as_it_was_when_its_picture_is_made():
    net = nn.Sequential(
        nn.Linear(2, 3, rng=0), nn.BatchNorm1d(3), nn.Dropout(0.5, rng=1), nn.Linear(3, 1, rng=2)
    )
    loss = net(np.ones((4, 2), np.float32)).mean()
    before = {name: np.array(array) for name, array in net.state_dict().items()}
    graph = graph_of(loss, net)
    assert all(np.array_equal(before[name], array) for name, array in net.state_dict().items())
    assert "forward" not in vars(net[0])
    assert [g.label for g in graph.groups] == ["0 Linear", "1 BatchNorm1d", "3 Linear", "2 Dropout"]


def test_the_same_constant_array_is_one_node():
    x = np.ones(3)
    graph = graph_of((Value(np.ones(3)) * x + Value(np.ones(3)) * x).sum())
    assert sum(node.kind == "input" for node in graph.nodes) == 1


def test_layers_are_found_in_dotted_names():
    w = Value(1.0, name="hidden.weight")
    b = Value(1.0, name="hidden.bias")
    v = Value(1.0, name="output.weight")
    hidden = (w * 2.0 + b).tanh()
    loss = (v * hidden - 1.0) ** 2
    graph = graph_of(loss)
    where = {node.name or node.operation: node.group and node.group.label for node in graph.nodes}
    assert where == {
        "hidden.weight": "hidden",
        "hidden.bias": "hidden",
        "output.weight": "output",
        "multiply(·, 2)": "hidden",
        "add": "hidden",
        "tanh": "hidden",
        "multiply": "output",
        "target": None,
        "subtract": None,
        "power(·, 2)": None,
    }
    assert short_name(graph.nodes[0]) == "weight"


def test_neurons_are_layers_in_layers():
    network = nn.MLP(2, [2, 1], rng=0)
    graph = graph_of(network([1.0, 2.0]), network)
    inside = [node for node in graph.nodes if node.kind != "input"]
    assert {" / ".join(g.label for g in chain(node.group)) for node in inside} == {
        "layers.0 Layer / neurons.0 Neuron",
        "layers.0 Layer / neurons.1 Neuron",
        "layers.1 Layer / neurons.0 Neuron",
    }


def test_a_layer_used_twice_is_two_groups():
    w = Value(0.5, name="cell.w")
    x = Value(1.0, name="x")
    for _ in range(3):
        x = (w * x).tanh() * 2.0  # the number takes it out of the layer
    graph = graph_of(x)
    assert [group.label for group in graph.groups] == ["cell", "cell, use 2", "cell, use 3"]
    for group in graph.groups:
        inside = [node for node in graph.nodes if node.group is group and node.operation]
        assert [node.operation for node in inside] == ["multiply", "tanh"]


OPERATIONS = {
    "add": lambda a, b: a + b,
    "multiply": lambda a, b: a * b,
    "subtract": lambda a, b: a - b,
    "tanh": lambda a, b: a.tanh(),
}


@st.composite
def recorded_graphs(draw, layered=False):
    """A random graph of scalar values, with shared ones; `layered` gives the leaves dotted names."""
    named = (lambda i: f"a{i % 3}.b{i % 2}.w{i}") if layered else (lambda i: f"w{i}")
    values = [Value(draw(st.floats(-2, 2)), name=named(i)) for i in range(draw(st.integers(1, 5)))]
    for name in draw(st.lists(st.sampled_from(sorted(OPERATIONS)), min_size=1, max_size=25)):
        a, b = (values[draw(st.integers(0, len(values) - 1))] for _ in range(2))
        values.append(OPERATIONS[name](a, b))
    return values[-1]


@given(recorded_graphs(layered=True))
def test_no_layer_depends_on_itself_through_something_outside(value):
    graph = graph_of(value)
    for group in graph.groups:
        behind = set()  # outside the group, and computed from something inside
        for node in graph.nodes:
            inside = group in chain(node.group)
            sources = [edge.source for edge in node.inputs]
            if inside:
                assert not any(source in behind for source in sources)
            elif any(s in behind or (s.operation and group in chain(s.group)) for s in sources):
                behind.add(node)


@given(recorded_graphs())
def test_steps_are_the_numbers_of_backward(value):
    graph = graph_of(value)
    got = {graph.root.id: 1.0}
    for step in backward_steps(graph, 1.0):
        assert step.upstream == got[step.edge.target.id]
        assert step.before == got.get(step.edge.source.id)
        got[step.edge.source.id] = step.now
    assert all(node.value.grad is None for node in graph.nodes)
    value.backward()
    assert got == {node.id: node.value.grad for node in graph.nodes}


def test_steps_of_arrays_are_those_of_backward():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    loss = nn.CrossEntropyLoss()(net(x), np.array([0, 1, 1, 0, 1]))
    got = {step.edge.source.id: step.now for step in backward_steps(graph_of(loss), np.float32(1.0))}
    loss.backward()
    for node in graph_of(loss).nodes:
        if node.value is not None and node.value is not loss:
            np.testing.assert_array_equal(got[node.id], node.value.grad)


def test_an_operation_with_several_results():
    three = np.split(Value(np.arange(6.0), name="x"), 3)
    loss = (three[0] * three[2]).sum()
    *_, last = backward_steps(graph_of(loss), np.array(1.0))
    loss.backward()
    node = graph_of(loss).nodes[0]
    np.testing.assert_array_equal(last.now, node.value.grad)


def test_broadcasting_is_undone_in_a_contribution():
    x, y = Value(np.ones((2, 3))), Value(np.ones(3))
    np.testing.assert_array_equal(contribution(x * y, 1, np.ones((2, 3))), [2.0, 2.0, 2.0])


def test_a_constant_gets_no_contribution():
    with pytest.raises(ValueError, match="operand 1 is a constant"):
        contribution(Value(np.ones(2)) * np.ones(2), 1, np.ones(2))


def test_an_array_updated_in_place_is_not_explained_wrongly():
    w = Value(np.ones(3))
    loss = (w * w).sum()
    w.data -= 0.5
    with pytest.raises(RuntimeError, match="in place"):
        list(backward_steps(graph_of(loss), np.array(1.0)))


def test_rules_read_as_in_the_table():
    assert rule_text(TABLE[np.multiply], 1) == "g * x"
    assert rule_text(TABLE[np.tanh], 0) == "g * (1 - out * out)"
    assert rule_text(TABLE[np.where], 1) == "np.where(condition, g, 0.0)"


def test_a_new_operation_is_described_without_another_line():
    cube = derivative(lambda x: x * x * x, lambda g, out, x: 3 * g * x**2, formula="x³")
    graph = graph_of(cube(Value(2.0)))
    row = graph.root.row
    assert (row.formula, argument_name(row, 0), rule_text(row, 0)) == ("x³", "x", "3 * g * x**2")


def test_a_long_chain_is_read_without_recursion():
    x = Value(1.0)
    for _ in range(20_000):
        x = x + 1.0
    assert len(graph_of(x).nodes) == 40_001  # each 1.0 has a box


def test_only_a_value_has_a_graph():
    with pytest.raises(TypeError, match="give the Value"):
        graph_of(3.0)
