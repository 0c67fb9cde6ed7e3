"""Every demo runs, prints the lecture's numbers and writes its picture; what it says is true."""

import contextlib
import importlib
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from short_runs import AND, NARROW, OR, XOR, fresh_run, short_run

from demos import (
    activations,
    backpropagation,
    feature_space,
    gates,
    gpt,
    gradient_descent,
    kernel,
    mnist_dask,
    neuron,
    perceptron,
    pytorch_twin,
    regression,
    xor,
)
from demos.__main__ import DEMOS, LARGEST
from demos.__main__ import main as demos_main
from tinygrad_course import Value, compile, data, nn, optim

MINE = [name for name in DEMOS if name != "mnist"]
FOLDER = Path(gates.__file__).parent


def ran(name):
    """What a demo prints into a narrow window, the files it writes, and what its main returns."""
    if needed := {"regression": "scipy", "mnist_dask": "distributed"}.get(name):
        pytest.importorskip(needed)
    run = short_run(name)
    return run.printed, run.files, run.result


def quietly(function, *args, **kwargs):
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*args, **kwargs)


@pytest.mark.parametrize("name", MINE)
def test_every_demo_writes_its_picture_and_says_where(name):
    printed, files, _ = ran(name)
    picture = DEMOS[name][0]
    assert files[picture].startswith(b"\x89PNG")
    for file in files:
        assert f"{file}\n" in printed
    assert not [file for file in files if file.startswith(".")]


@pytest.mark.parametrize("name", MINE)
def test_everything_printed_has_an_ascii_twin(name):
    printed, _, _ = ran(name)
    assert printed.encode("ascii", "twins").count(b"?") == printed.count("?")


@pytest.mark.parametrize("name", ["neuron", "gates", "gradient_descent"])
def test_a_seed_gives_the_same_again(name):
    assert fresh_run(name).files == short_run(name).files


@pytest.mark.parametrize("name", MINE)
def test_everything_printed_fits_into_a_narrow_window(name):
    lines = [line for line in ran(name)[0].splitlines() if not line.startswith(("wrote ", "left out "))]
    assert max(map(len, lines)) <= NARROW, max(lines, key=len)


def test_style_comes_before_numpy_so_that_numpy_starts_one_thread():
    for path in FOLDER.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "import style" in text and "import numpy" in text:
            assert text.index("import style") < text.index("import numpy"), path
    assert {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"} < set(os.environ)


# The lecture, number for number
def lines(text, start):
    """The rows of the table under a heading, as lists of cells."""
    below = text.split(start, 1)[1].splitlines()[1:]
    rows = []
    for line in below[2:]:
        if "│" not in line:
            break
        rows.append([cell.strip() for cell in line.split("│")])
    return rows


@pytest.mark.parametrize("demo", ["gates", "xor"])
def test_the_tables_of_and_and_or(demo):
    printed, _, _ = ran(demo)
    assert lines(printed, "AND with weights -30, 20, 20") == AND
    assert lines(printed, "OR with weights -10, 20, 20") == OR


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("gate", ["and", "or"])
def test_gates_are_learned(gate, seed):
    weights, loss = gates.learn(gate, seed, steps=300)
    x, target = data.gates(gate)
    assert ((gates.pre_activation(weights, x) > 0) == target).all()
    assert loss < 0.1


def test_the_table_of_xor_as_the_slide_has_it_and_as_its_output_weights_give_it():
    printed, _, _ = ran("xor")
    needed = lines(printed, "-10, 20, -20 as its table needs")
    assert [row[:-1] for row in needed] == XOR
    slide = lines(printed, "-30, 20, -20 as printed on the slide")
    assert [row[4:] for row in slide] == [
        ["-30", "0", "0", "✓"], ["-10", "0", "1", "✗"], ["-10", "0", "1", "✗"], ["-30", "0", "0", "✓"],
    ]  # fmt: skip


def test_the_slip_is_settled_by_learning():
    rights, weights = quietly(xor.lecture_network)
    assert rights == [2, 4]
    np.testing.assert_allclose(weights, (-10, 20, -20), atol=1)


def test_one_neuron_gets_three_of_four():
    best, missing = quietly(xor.one_neuron)
    assert best == 3
    assert missing == {(0, 1, 1, 0), (1, 0, 0, 1)}


def test_every_one_of_100_seeds_solves_xor_and_the_starts_are_said():
    final, starts = xor.learn(range(100))
    w1, b1, w2, b2 = final
    hidden = 1 / (1 + np.exp(-(xor.INPUTS @ w1 + b1)))
    output = 1 / (1 + np.exp(-(hidden @ w2 + b2)[..., 0]))
    assert output.shape == (100, 4)
    assert (abs(output - [0, 1, 1, 0]) < 0.1).all()
    assert starts.min() == 1
    printed, _, _ = ran("xor")
    for count in np.unique(starts):
        assert f"{(starts == count).sum()} after {xor.count(count)}" in " ".join(printed.split())
    assert "all 100 networks solve XOR" in printed


def test_a_network_learned_alone_is_the_one_learned_among_others():
    alone, starts = xor.learn([7])
    among, several = xor.learn(range(9))
    assert starts[0] == several[7]
    for one, stack in zip(alone, among):
        np.testing.assert_allclose(one[0], stack[7], rtol=1e-6)


def test_one_neuron_solves_xor_behind_a_fixed_map():
    printed, _, _ = ran("kernel")
    assert lines(printed, "Kernel + neuron, by hand") == [
        ["0", "0", "0", "0", "0", "-10"], ["0", "1", "0", "1", "1", "10"],
        ["1", "0", "0", "1", "1", "10"], ["1", "1", "1", "0", "0", "-10"],
    ]  # fmt: skip
    assert [row[3:5] for row in lines(printed, "Kernel + neuron, learned")] == [
        ["0", "0"], ["1", "1"], ["1", "1"], ["0", "0"],
    ]  # fmt: skip


def test_a_kernel_is_the_product_of_the_maps_and_gives_the_same_neuron():
    x, other = np.random.default_rng(0).normal(size=(2, 5, 2))
    expected = [[a @ b + a[0] * a[1] * b[0] * b[1] for b in other] for a in x]
    np.testing.assert_allclose(kernel.kernel(x, other), expected)
    np.testing.assert_allclose(quietly(kernel.show_kernel), [-10, 10, 10, -10], atol=1e-9)


def test_a_fixed_map_helps_where_it_was_chosen_well_and_a_learned_one_everywhere():
    shares = {
        name: [float(share.rstrip("%")) for share in row]
        for name, *row in lines(ran("kernel")[0], "Points on the right side")
    }
    alone, fixed, learned = shares["xor"]
    assert alone < 75 and fixed > 95 and learned > 95
    alone, fixed, learned = shares["circles"]
    assert alone < 60 and fixed < 60 and learned > 95


def test_the_lectures_network_as_parameters_gives_its_table():
    hidden, z = xor.network([Value(p) for p in xor.by_hand()], xor.INPUTS)
    np.testing.assert_allclose(hidden.data, [[0, 0], [1, 0], [1, 0], [1, 1]], atol=1e-4)
    np.testing.assert_allclose(z.data, [-10, 10, 10, -10], atol=0.01)


# What the others say
def test_a_threshold_does_not_answer_and_a_sigmoid_does():
    z, rows, output = quietly(neuron.show, [0.5, -1.0, 2.0], [1.0, 0.5, -0.25], 0.5)
    assert z == 0.0
    assert output.item() == 0.5
    z, rows, output = quietly(neuron.show, [0.5, -1.0, 2.0], [1.0, 0.5, 0.25], 0.5)
    assert [row[1] for row in rows] == [0, 0, 0, 0]
    slope = output.item() * (1 - output.item())
    np.testing.assert_allclose([row[3] for row in rows], slope * np.array([0.5, -1, 2, 1]), rtol=1e-12)
    np.testing.assert_allclose([row[2] for row in rows], [row[3] for row in rows], rtol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_the_perceptron_rule_ends_without_a_mistake(seed):
    x, target = perceptron.clouds(seed)
    w, b, mistakes = perceptron.learn_perceptron(x, target)
    assert mistakes[-1] == 0 < mistakes[0]
    assert ((x @ w + b > 0) == target).all()
    longest = (x**2).sum(axis=1).max() + 1
    ours = np.append(-np.ones(2), perceptron.CENTRE.sum()) / np.sqrt(2 + perceptron.CENTRE.sum() ** 2)
    margin = abs(np.column_stack([x, np.ones(len(x))]) @ ours).min()
    assert sum(mistakes) <= longest / margin**2  # Novikoff's bound, from the border that labelled the points
    logistic, _ = perceptron.learn_logistic(x, target, 300)
    assert perceptron.angle(w, logistic) < 30


def test_the_perceptron_rule_step_by_step():
    w, b, mistakes = perceptron.learn_perceptron(np.array([[2.0, 1.0], [1.0, -1.0]]), np.array([1, 0]))
    assert (w.tolist(), b) == ([1, 2], 0)  # (0, 0), 0 and then (2, 1), 1 are wrong; (1, 2), 0 is right
    assert mistakes == [2, 0]


def test_w_is_the_normal_and_the_distance_is_that_formula():
    w, b = np.array([3.0, 4.0]), -5.0
    on_the_line = np.array([[3.0, -1.0], [-1.0, 2.0]])
    np.testing.assert_allclose(perceptron.distance(on_the_line, w, b), 0, atol=1e-12)
    assert w @ (on_the_line[1] - on_the_line[0]) == 0
    assert perceptron.distance(np.array([3.0, 4.0]), w, b) == pytest.approx(4.0)
    assert perceptron.distance(np.zeros(2), w, b) == pytest.approx(-1.0)
    assert perceptron.angle(np.array([1.0, 0.0]), np.array([0.0, 2.0])) == pytest.approx(90)


@pytest.mark.parametrize("n", perceptron.LINES)
def test_half_planes_touch_the_disc_and_close_in_on_it(n):
    w, b = perceptron.half_planes(n)
    np.testing.assert_allclose((perceptron.MIDDLE @ w.T + b) / np.linalg.norm(w, axis=1), perceptron.RADIUS)
    x, target = data.cloud("circle", 500, seed=1)
    fires = perceptron.all_fire(x, w, b) > 0
    assert fires[target == 0].all()  # nothing of the disc is outside
    right = (fires == (target == 0)).mean()
    assert right > {3: 0.7, 4: 0.85, 6: 0.93, 12: 0.98}[n]


def test_activations_have_the_values_and_slopes_they_should():
    rows = {row[0]: row[1:] for row in quietly(activations.show)}
    e = np.exp(2.0)
    np.testing.assert_allclose(rows["sigmoid"][:3], [1 / (1 + e), 0.5, e / (1 + e)])
    assert rows["sigmoid"][-1] == pytest.approx(0.25)
    np.testing.assert_allclose(rows["tanh"][3:6], [1 - np.tanh(2) ** 2, 1, 1 - np.tanh(2) ** 2])
    assert rows["relu"][:6] == (0, 0, 2, 0, 0, 1)
    np.testing.assert_allclose(rows["leaky_relu"][:6], [-0.02, 0, 2, 0.01, 0.01, 1])
    np.testing.assert_allclose(rows["gelu"][:3], [-0.0455, 0, 1.9545], atol=1e-4)
    np.testing.assert_allclose(rows["softplus"][3:6], [1 / (1 + e), 0.5, e / (1 + e)])


def test_descent_takes_the_steps_it_should_and_arrives():
    x, y = gradient_descent.line(seed=3)
    lowest = gradient_descent.best(x, y)
    (w, b), lr = gradient_descent.START, 0.02
    path = gradient_descent.descend("SGD, lr 0.02", x, y, 200)
    for step in range(3):
        np.testing.assert_allclose(path[step, :2], (w, b), rtol=1e-12)
        error = w * x + b - y
        assert path[step, 2] == pytest.approx((error**2).mean())
        w, b = w - lr * 2 * (error * x).mean(), b - lr * 2 * error.mean()
    ends = {name: gradient_descent.descend(name, x, y, 200)[-1] for name in gradient_descent.METHODS}
    for name, end in ends.items():
        assert end[2] >= lowest[2]
        if name != "SGD, lr 0.02":
            np.testing.assert_allclose(end[:2], lowest[:2], atol=0.1)
    assert ends["momentum 0.9"][2] < ends["SGD, lr 0.02"][2]


@pytest.mark.parametrize("seed", range(4))
def test_every_partial_derivative_agrees_three_times(seed):
    numbers = np.random.default_rng(seed).uniform(-2, 2, len(backpropagation.WEIGHTS)).tolist()
    weights = dict(zip(backpropagation.WEIGHTS, numbers))
    error, _, engine, rows, after = quietly(backpropagation.show, weights, rate=0.1)
    assert len(rows) == 15
    assert set(weights) < set(engine)
    hand, by_engine, tried = np.array([row[2:] for row in rows]).T
    np.testing.assert_allclose(hand, by_engine, rtol=1e-12)
    np.testing.assert_allclose(tried, by_engine, rtol=1e-6, atol=1e-9)
    assert after < error.item()


def test_training_starts_at_the_plane_itself_and_separates_it():
    model = feature_space.network(np.random.default_rng(0))
    x, _ = data.circles(100)
    np.testing.assert_allclose(feature_space.look(model, x)[0], x, atol=0.15)
    printed, files, _ = ran("feature_space")
    for name, line, hidden in lines(printed, "Points on the right side"):
        assert float(line.rstrip("%")) < 90, name
        assert float(hidden.rstrip("%")) > 95, name
    image = importlib.import_module("PIL.Image").open(io.BytesIO(files["feature_space.gif"]))
    assert image.format == "GIF"
    assert image.n_frames == 4


def test_the_twin_agrees_throughout():
    pytest.importorskip("torch")
    printed, _, (ours, theirs) = ran("pytorch_twin")
    assert len(ours) == len(theirs) == 100
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)
    assert ours[-10:].mean() < 0.6 < 2 < ours[0]
    assert "0 and 0 of 10000 predictions differ" in printed


def test_without_pytorch_ours_runs_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(pytorch_twin, "torch", None)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        ours, theirs = pytorch_twin.main(["--quick", "--out", str(tmp_path)])
    assert theirs is None
    assert ours[-10:].mean() < 0.6
    assert "PyTorch is not installed" in out.getvalue()


def test_the_cluster_agrees_throughout_even_with_a_worker_killed(tmp_path):
    printed, _, (alone, shared) = ran("mnist_dask")
    np.testing.assert_allclose(shared, alone, rtol=0, atol=1e-12)
    assert alone[0, -1] < 1.2 < 2 < alone[0, 0]
    assert "http://" in printed
    _, with_a_loss = quietly(mnist_dask.main, ["--quick", "--kill", "--out", str(tmp_path)])
    np.testing.assert_array_equal(with_a_loss, shared)


def test_without_dask_the_cluster_is_left_out_in_a_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(mnist_dask, "Client", None)
    assert mnist_dask.main(["--quick", "--out", str(tmp_path)]) is None
    assert "needs Dask (pip install" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_graphs_can_be_drawn():
    for name, words in {"neuron": ["x₁", "w₃", "sigmoid"], "xor": ["hidden", "weight", "softplus"]}.items():
        text = ran(name)[1][f"{name}-graph.svg"].decode()
        for word in words:
            assert word in text
    page = ran("backpropagation")[1]["backpropagation.html"].decode()
    assert page.startswith("<!DOCTYPE html>")
    assert "w₁₂" in page


@pytest.mark.parametrize("name", ["perceptron", "gates", "xor", "feature_space", "gradient_descent"])
def test_a_page_in_which_the_network_can_be_touched(name):
    page = ran(name)[1][f"{name}.html"].decode()
    found = json.loads(page.split('<script type="application/json" id="data">')[1].split("</script>")[0])
    assert found["first"] == "network"
    assert "reason" not in found["live"]
    sizes = {"feature_space": "2-32-2-1", "xor": "2-2-1", "gradient_descent": "1-1"}.get(name, "2-1")
    assert found["network"]["title"] == sizes


def test_the_readme_shows_every_demo_in_the_lectures_order():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    places = [text.index(f"pictures/{name}.png") for name in DEMOS]
    assert places == sorted(places)
    for name in DEMOS:
        assert f"python demos/{name}.py" in text
        picture = (FOLDER / "pictures" / f"{name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) <= LARGEST


def test_the_process_explains_the_points_best_where_it_ends():
    pytest.importorskip("scipy")
    x, y = regression.points(seed=1)
    found, seen, _ = regression.fit(x, y)
    assert seen == sorted(seen, reverse=True)
    for k in range(3):
        for step in (-0.05, 0.05):
            moved = found + step * np.eye(3)[k]
            assert regression.surprise(moved, x, y) > seen[-1]
    mean, deviation = regression.predict(found, x, y, np.array([x[0], 0.5, 40.0]))
    assert deviation[0] < deviation[1] < deviation[2] == pytest.approx(np.exp(found[1]))
    assert abs(mean[2]) < 1e-9


@pytest.mark.parametrize("form, head", [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_figures_for_slides(form, head, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("demos.__main__.DEMOS", {"neuron": DEMOS["neuron"]})
    monkeypatch.setattr("demos.style.FORMAT", "png")  # as it was, afterwards
    printed = io.StringIO()
    for folder in (tmp_path / "once", tmp_path / "twice"):
        with contextlib.redirect_stdout(printed):
            demos_main(["--figures", form, "--quick", "--out", str(folder)])
    graph = ["neuron-graph.svg"] if form == "svg" else []
    assert sorted(p.name for p in (tmp_path / "once").iterdir()) == [*graph, f"neuron.{form}"]
    made = (tmp_path / "once" / f"neuron.{form}").read_bytes()
    assert made.startswith(head)
    assert made == (tmp_path / "twice" / f"neuron.{form}").read_bytes()
    assert f"wrote {1 + len(graph)} figures into {tmp_path / 'once'}" in printed.getvalue()


def test_the_gpt_learns_letters_and_looks_back_only():
    printed, _, (losses, _) = ran("gpt")
    assert losses[0] == pytest.approx(
        np.log(72), abs=0.1
    )  # at first every letter is as probable as any other
    assert losses[-5:].mean() < 3.2
    assert "Written after 50 steps" in printed
    text, letters = gpt.read()
    assert len(letters) == 72 and len(gpt.BOOK.read_bytes()) < 300_000
    net = gpt.begin(len(letters), seed=1)
    before, after = (net(piece).numpy() for piece in (text[None, :20], np.append(text[:19], 5)[None]))
    np.testing.assert_array_equal(before[:, :19], after[:, :19])
    assert not np.allclose(before[:, 19], after[:, 19])


def test_pytorch_learns_the_same_gpt():
    pytest.importorskip("torch")
    text, letters = gpt.read()
    net = gpt.begin(len(letters), seed=0)
    theirs, _ = gpt.train_torch(net, len(letters), text, 0, 12)
    ours, _ = gpt.train(nn, optim, net, compile, text, 0, 12)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def test_a_seed_gives_the_same_gpt():
    states = [gpt.begin(72, seed).state_dict() for seed in (0, 0, 1)]
    for name in states[0]:
        np.testing.assert_array_equal(states[0][name], states[1][name])
    assert (states[0]["letters.weight"] != states[2]["letters.weight"]).any()
