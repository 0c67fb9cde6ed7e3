"""Pictures as files: DOT, SVG, and what a Graphviz program draws; with names that would break them."""

import os
import re
import stat
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_course import Value, nn, viz
from tinygrad_course.viz import dot
from tinygrad_course.viz.labels import cut, plain
from tinygrad_course.viz.looks import style
from tinygrad_course.viz.svg import outline
from tinygrad_course.viz.views import Box

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    'a "quoted" name',
    "{x|y} <port>",
    "<b>bold</b> & &lt;",
    "two\nlines\tand\\N \\l",
    "</title><script>alert(1)</script>",
    "]]> --> <!-- '",
    "näme ☃ 漢字 👩‍🔬",
    "\x00\x1b[31m\u202egnp",
    "\ud800 lone",
]


def neuron(name="w"):
    w, x, b = Value(-3.0, name=name), Value(2.0, name="x"), Value(6.5, name="b")
    return (w * x + b).tanh()


def texts(path):
    root = ET.parse(path).getroot()
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def program(folder, name, script):
    """A program of that name that runs `script`, in a folder to put on the PATH."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(folder)


@pytest.fixture
def no_program(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "empty" / "python"))


def test_draw_gives_a_digraph_whose_source_is_the_dot_file(tmp_path):
    graphviz = pytest.importorskip("graphviz")
    value = neuron()
    picture = viz.draw(value)
    assert isinstance(picture, graphviz.Digraph)
    assert picture.source == viz.save(value, tmp_path / "g.dot").read_text()


def test_dot_text(tmp_path):
    value = neuron()
    text = viz.save(value, tmp_path / "g.dot").read_text()
    assert text == viz.save(value, tmp_path / "again.dot").read_text()
    assert re.findall(r"(\w+) -> (\w+)", text) == [
        ("n0", "n3"),
        ("n1", "n3"),
        ("n3", "n4"),
        ("n2", "n4"),
        ("n4", "n5"),
    ]
    assert 'label="multiply\\n-6.0000\\ngrad –"' in text
    value.backward()
    assert 'label="multiply\\n-6.0000\\ngrad +0.7864"' in viz.save(value, tmp_path / "g.dot").read_text()


def test_kinds_differ_in_shape_and_in_colour():
    kinds = list(dot.SHAPES)
    fills = {re.search(r'fillcolor="([^"]*)"', look).group(1) for look in dot.SHAPES.values()}
    shapes = {(re.search(r"shape=(\w+)", look).group(1), "rounded" in look) for look in dot.SHAPES.values()}
    outlines = {outline(Box(kind, ["text"])) for kind in kinds}
    assert len(fills) == len(shapes) == len(outlines) == len(kinds) == 5
    for kind in kinds:
        assert re.search(rf"\.{kind} \.shape {{ fill: ({'|'.join(fills)});", style())


def test_svg_says_what_the_graph_says(tmp_path):
    value = neuron()
    value.backward()
    path = viz.save(value, tmp_path / "g.svg")
    root = ET.parse(path).getroot()
    nodes = [g for g in root.iter(f"{SVG}g") if "node" in g.get("class", "")]
    assert [g.get("class") for g in nodes] == [
        "node parameter", "node input", "node parameter", "node operation", "node operation", "node loss",
    ]  # fmt: skip
    assert [t.text for t in nodes[0].iter(f"{SVG}text")] == ["w", "-3.0000", "grad +1.5729"]
    links = [p.get("data-ends") for p in root.iter(f"{SVG}path") if p.get("class") == "link"]
    assert links == ["n0 n3", "n1 n3", "n3 n4", "n2 n4", "n4 n5"]
    assert path.read_bytes() == viz.save(value, tmp_path / "again.svg").read_bytes()


def test_without_its_style_sheet_a_picture_looks_the_same(tmp_path):
    net = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Tanh())
    root = ET.parse(viz.save(net(np.ones((1, 2))).sum(), tmp_path / "g.svg", module=net)).getroot()
    painted = [e for e in root.iter() if e.tag in {f"{SVG}{tag}" for tag in ("path", "rect", "text")}]
    assert len(painted) > 30 and all(e.get("fill") for e in painted)
    kinds = set()
    for g in root.iter(f"{SVG}g"):
        kind = g.get("class").removeprefix("node ")
        kinds.add(kind)
        shape = g.find(f"{SVG}rect" if kind == "frame" else f"{SVG}path")
        rule = re.search(rf"\.{kind} (\.shape|rect) {{ fill: (#\w+);.* stroke: (#\w+)", style())
        assert (shape.get("fill"), shape.get("stroke")) == rule.groups()[1:]
    assert kinds == {"input", "parameter", "operation", "loss", "frame"}
    links = [p for p in root.iter(f"{SVG}path") if p.get("class") == "link"]
    assert {p.get("fill") for p in links} == {"none"} and all(p.get("stroke") for p in links)


def test_pictures_in_one_page_have_ids_of_their_own(tmp_path):
    values = [neuron(), neuron("other"), neuron() * 2.0, neuron().sum()]
    found = []
    for value in values:
        text = viz.save(value, tmp_path / "g.svg").read_text()
        ids = re.findall(r'\bid="([^"]*)"', text)
        assert len(ids) == len(set(ids)) > 6
        assert set(re.findall(r"url\(#([^)]*)\)", text)) <= set(ids)
        found += ids
    assert len(found) == len(set(found))


def test_the_gradient_of_an_array_is_its_norm(tmp_path):
    w = Value(np.array([3.0, 4.0]))
    w.grad = np.array([3.0, 4.0])
    assert "‖grad‖ 5.0000" in texts(viz.save(w, tmp_path / "g.svg"))
    w.grad = np.array([np.nan, 4.0])
    assert "‖grad‖ nan" in texts(viz.save(w, tmp_path / "g.svg"))


def test_layers_are_framed(tmp_path):
    net = nn.MnistMLP()
    loss = nn.CrossEntropyLoss()(net(np.zeros((2, 784), np.float32)), np.array([1, 2]))
    svg = viz.save(loss, tmp_path / "g.svg", module=net)
    frames = [g for g in ET.parse(svg).getroot().iter(f"{SVG}g") if g.get("class") == "frame"]
    assert [g.find(f"{SVG}text").text for g in frames] == ["hidden Linear", "output Linear"]
    text = viz.save(loss, tmp_path / "g.dot", module=net).read_text()
    assert re.findall(r'cluster_\d+ \{\s+graph \[label="([^"]*)"', text) == ["hidden Linear", "output Linear"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_draws_as_itself(name, tmp_path):
    shown = cut(plain(name))
    assert shown.replace("\u200d", "").isprintable()
    path = viz.save(neuron(name), tmp_path / "g.svg")
    assert shown in texts(path)
    assert not list(ET.parse(path).getroot().iter(f"{SVG}script"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_one_quoted_string_in_dot(name, tmp_path):
    first = viz.save(neuron(name), tmp_path / "g.dot").read_text().splitlines()[4]
    string = r'"((?:[^"\\]|\\.)*)"'
    found = re.fullmatch(rf"\tn0 \[label={string}, tooltip={string}, shape=box, [^\\]*\]", first)
    title = found[1].rpartition("\\n-3.0000\\n")[0]
    assert re.sub(r"\\(.)", r"\1", title).replace("&amp;", "&") == cut(plain(name))


@given(st.text(max_size=40))
def test_any_name_gives_well_formed_svg(tmp_path_factory, name):
    path = tmp_path_factory.mktemp("svg") / "g.svg"
    shown = texts(viz.save(neuron(name), path))
    assert cut(plain(name)) in shown or not name


@pytest.mark.parametrize("name", HOSTILE)
def test_graphviz_draws_the_name_as_itself(name, tmp_path):
    found = dot.find_program(".svg")
    if found is None:
        pytest.skip("no Graphviz program is installed (apt install graphviz, or pip install graphviz-pure)")
    text = viz.save(neuron(name), tmp_path / "g.dot").read_text()
    drawn = dot.run_program(found, text, ".svg").decode()
    shown = "".join(ET.fromstring(drawn).itertext())
    assert cut(plain(name)).replace(" ", "") in shown.replace("\xa0", "").replace(" ", "")


def test_more_than_500_nodes(tmp_path):
    x = Value(1.0)
    for _ in range(600):
        x = x + x
    with pytest.raises(ValueError, match=r"601 nodes.*max_nodes=601"):
        viz.save(x, tmp_path / "g.svg")
    with pytest.raises(ValueError, match="max_nodes=601"):
        viz.draw(x)
    assert not list(tmp_path.iterdir())
    assert viz.save(x, tmp_path / "g.svg", max_nodes=601).exists()


@pytest.mark.usefixtures("no_program")
@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_without_a_program_the_dot_file_is_written(suffix, tmp_path):
    with pytest.raises(RuntimeError) as caught:
        viz.save(neuron(), tmp_path / f"g{suffix}")
    for way in ("apt install graphviz", "pip install graphviz-pure", ".svg or .html"):
        assert way in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["g.dot"]


@pytest.mark.usefixtures("no_program")
def test_svg_and_dot_need_no_program(tmp_path):
    viz.save(neuron(), tmp_path / "g.svg")
    viz.save(neuron(), tmp_path / "g.dot")


def test_dot_is_found_on_the_path_and_graphviz_pure_beside_python(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    beside = program(tmp_path / "bin", "graphviz-pure", "")
    assert dot.find_program(".png") == os.path.join(beside, "graphviz-pure")
    assert dot.find_program(".pdf") is None
    on_path = program(tmp_path / "path", "dot", "")
    monkeypatch.setenv("PATH", on_path)
    assert dot.find_program(".png") == dot.find_program(".pdf") == os.path.join(on_path, "dot")


def test_a_program_that_fails_is_quoted(monkeypatch, tmp_path):
    script = "import sys; sys.stderr.write('out of ink'); sys.exit(3)"
    monkeypatch.setenv("PATH", program(tmp_path / "path", "dot", script))
    with pytest.raises(RuntimeError, match="out of ink"):
        viz.save(neuron(), tmp_path / "g.png")
    assert (tmp_path / "g.dot").exists() and not (tmp_path / "g.png").exists()


def test_a_program_that_hangs_is_stopped(monkeypatch, tmp_path):
    monkeypatch.setattr(dot, "SECONDS", 0.5)
    monkeypatch.setenv("PATH", program(tmp_path / "path", "dot", "import time; time.sleep(60)"))
    with pytest.raises(RuntimeError, match="too large"):
        viz.save(neuron(), tmp_path / "g.png")


def test_png_is_what_the_program_wrote(tmp_path):
    if dot.find_program(".png") is None:
        pytest.skip("no Graphviz program is installed (apt install graphviz, or pip install graphviz-pure)")
    assert viz.save(neuron(), tmp_path / "g.png").read_bytes().startswith(b"\x89PNG")


def test_another_suffix(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.dot, \.svg"):
        viz.save(neuron(), tmp_path / "g.gif")


def test_a_failed_write_leaves_the_old_file(monkeypatch, tmp_path):
    path = viz.save(neuron(), tmp_path / "g.svg")
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        viz.save(neuron("other"), path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_folders_are_made(tmp_path):
    for suffix in (".svg", ".dot", ".html"):
        path = tmp_path / suffix[1:] / "deep" / f"g{suffix}"
        assert viz.save(neuron(), path) == path and path.stat().st_size > 100
        assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("wrong", ["swapped", "no path"])
@pytest.mark.parametrize("save", [viz.save, viz.player])
def test_what_is_no_path_is_named(save, wrong):
    if wrong == "swapped":
        with pytest.raises(TypeError, match=rf"path .* is Value; write .* {save.__name__}\(value, 'g.svg'\)"):
            save("g.svg", neuron())
    else:
        with pytest.raises(TypeError, match=rf"is int; write {save.__name__}\(value, 'graph.svg'\)"):
            save(neuron(), 3)


# Several results
def test_several_results_stand_in_one_picture(tmp_path):
    w, x = Value(2.0, name="w"), Value(3.0, name="x")
    hidden = w * x
    other, loss = hidden.tanh(), (hidden - 1.0) ** 2
    root = ET.parse(viz.save((other, loss), tmp_path / "g.svg")).getroot()
    assert root.find(f"{SVG}title").text == "The graph behind 2 values"
    kinds = [g.get("class").split()[1] for g in root.iter(f"{SVG}g")]
    assert sorted(kinds) == ["input", "input", "loss", "loss", "operation", "operation", "parameter"]
    text = viz.save([loss, {"a": other}, loss], tmp_path / "g.dot").read_text()
    assert text == viz.save((other, loss), tmp_path / "g.dot").read_text()
    assert len(re.findall("shape=octagon", text)) == 2
    net = nn.MLP(2, [3, 2], rng=0)
    assert viz.save(net([1.0, 2.0]), tmp_path / "net.svg", module=net).stat().st_size > 1000


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [((Value(1.0), 2.0), "float"), ({"loss": "text"}, "str"), ([Value(1.0), None], "NoneType")],
)
def test_what_is_no_value_among_several_is_named(wrong, kind, tmp_path):
    with pytest.raises(TypeError, match=f"this is {kind} in the {type(wrong).__name__}; give the Value"):
        viz.save(wrong, tmp_path / "g.svg")
    with pytest.raises(ValueError, match="this tuple is empty"):
        viz.save((), tmp_path / "g.svg")
