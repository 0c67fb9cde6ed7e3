"""Pictures of compiled programs: the instructions of the printed source, in two frames."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from tinygrad_course import Value, compile, nn, viz
from tinygrad_course.viz.programs import program_graph


@pytest.fixture
def compiled():
    model = nn.Sequential(nn.Linear(4, 3, rng=0), nn.Tanh(), nn.Linear(3, 2, rng=1))
    loss_of = compile(lambda images, labels: nn.functional.cross_entropy(model(images), labels))
    loss_of(np.ones((5, 4), np.float32), np.zeros(5, int))
    return loss_of


def test_every_line_of_the_source_is_a_node(compiled):
    graph, _ = program_graph(compiled)
    drawn = {node.name: {edge.source.name for edge in node.inputs} for node in graph.nodes if node.inputs}
    lines = re.findall(r"^    (\w+) = (.*?)(?:  #.*)?$", compiled.source, re.MULTILINE)
    printed = {name: right for name, right in lines if name != "g"}
    assert set(drawn) == set(printed)
    names = {node.name for node in graph.nodes}
    for name, right in printed.items():
        assert drawn[name] >= set(re.findall(r"(?<!np\.)\b\w+", right)) & names, name
    kinds = {node.name: node.kind for node in graph.nodes}
    assert kinds["images"] == kinds["labels"] == "input" and kinds["mean"] == "loss"
    assert [name for name, kind in kinds.items() if kind == "parameter"] == [
        f"model_{i}_{name}" for i in (0, 2) for name in ("weight", "bias")
    ]


def test_the_backward_pass_stands_in_a_frame_of_its_own(compiled):
    graph, _ = program_graph(compiled)
    within = {node.name: node.group.label for node in graph.nodes if node.group}
    assert within["mean"] == "forward" and within["d_model_0_weight"] == "backward"
    forward_only = compile(lambda x: np.tanh(x) * 2)
    forward_only(np.ones(3))
    graph, _ = program_graph(forward_only)
    assert [group.label for group in graph.groups] == ["forward"]


def test_files(compiled, tmp_path):
    root = ElementTree.parse(viz.save(compiled, tmp_path / "program.svg")).getroot()
    text = " ".join(root.itertext())
    assert "d_model_2_bias (2,)" in text and "backward" in text
    assert "subgraph cluster_1" in viz.save(compiled, tmp_path / "program.dot").read_text()
    with pytest.raises(TypeError, match=r"program\.svg"):
        viz.save(compiled, tmp_path / "program.html")
    with pytest.raises(ValueError, match="nodes"):
        viz.save(compiled, tmp_path / "small.svg", max_nodes=3)
    assert {path.name for path in tmp_path.iterdir()} == {"program.svg", "program.dot"}


def test_a_function_that_was_not_called_has_no_program(tmp_path):
    with pytest.raises(RuntimeError, match="call it once"):
        viz.save(compile(lambda x: Value(1.0) * x), tmp_path / "program.svg")
