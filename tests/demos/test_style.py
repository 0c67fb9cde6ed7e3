"""What the demos share: tables on every terminal, whole files or none, and runs without matplotlib."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from demos import style

ROOT = Path(style.__file__).parent.parent


def run(*args, cwd, **environment):
    return subprocess.run(
        [sys.executable, *map(str, args)],
        cwd=cwd,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment},
        capture_output=True,
        check=False,
    )


def test_a_script_runs_from_any_folder_on_a_terminal_without_signs(tmp_path):
    done = run(ROOT / "demos" / "gates.py", "--quick", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr.decode()
    text = done.stdout.decode("ascii")
    assert "   0 |  0 | -30 |     0" in text
    assert "sigmoid(z)" in text
    assert "\x1b" not in text
    assert (tmp_path / "out" / "gates.png").exists() or "left out" in text


def test_a_module_runs_and_help_names_the_options():
    done = run("-m", "demos.gates", "--help", cwd=ROOT, PYTHONIOENCODING="utf-8", COLUMNS="60")
    assert done.returncode == 0, done.stderr.decode()
    assert max(map(len, done.stdout.decode().splitlines())) <= 60
    for word in ("--seed", "--out", "--quick", "AND and OR"):
        assert word in done.stdout.decode()
    listed = run("-m", "demos", cwd=ROOT).stdout.decode()
    assert listed.splitlines()[0].startswith("python -m demos.neuron ")


@pytest.mark.parametrize("seed", ["-1", "1.5", "x", ""])
def test_a_seed_is_a_whole_number(seed, capsys):
    with pytest.raises(SystemExit) as error:
        style.Parser("doc").parse_args(["--seed", seed])
    assert error.value.code == 2
    assert "not a whole number" in capsys.readouterr().err


def test_tables_are_aligned_in_the_signs_of_the_terminal(monkeypatch):
    for encoding, lines in {
        "utf-8": ["  ŷ │    z", "  ──┼─────", "  1 │ -0.5"],
        "ascii": ["  yhat |    z", "  -----+-----", "     1 | -0.5"],
    }.items():
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="twins")
        monkeypatch.setattr(sys, "stdout", stream)
        style.table(["ŷ", "z"], [(1, -0.5)], digits=1)
        stream.flush()
        assert stream.buffer.getvalue().decode(encoding).splitlines() == lines


def test_columns_that_do_not_fit_follow_below_beside_the_first(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "20")  # with 21, two would stand beside each other
    style.table(["", "one", "two", "three"], [("first", 1.5, 22, 333), ("second", 2.5, 44, 555)], digits=2)
    assert capsys.readouterr().out.splitlines() == [
        "         │  one",
        "  ───────┼─────",
        "   first │ 1.50",
        "  second │ 2.50",
        "",
        "         │ two",
        "  ───────┼────",
        "   first │  22",
        "  second │  44",
        "",
        "         │ three",
        "  ───────┼──────",
        "   first │   333",
        "  second │   555",
    ]
    style.note("a sentence that does not fit")
    assert capsys.readouterr().out == "  a sentence that\n  does not fit\n"


def test_on_a_narrow_terminal_no_number_is_cut(monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())
    style.table(["name", *"abcd"], [("one", 0.1234, 1.2345, 2.3456, 3.4567)])
    text = sys.stdout.getvalue()
    for cell in ("0.1234", "1.2345", "2.3456", "3.4567"):
        assert cell in text
    assert "…" not in text


class Terminal(io.StringIO):
    def isatty(self):
        return True


def on_a_terminal(monkeypatch, **settings):
    """What a table, a word in colour and a line of progress print on a terminal."""
    for name, setting in {"TERM": "xterm", "NO_COLOR": None, **settings}.items():
        monkeypatch.delenv(name, raising=False) if setting is None else monkeypatch.setenv(name, setting)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    style.say(("right", "green"), " at once")
    style.table(["a", "b"], [(1, 0.5)], digits=1)
    with style.progress("epoch", 3) as step:
        step(2)
    monkeypatch.undo()
    return terminal.getvalue()


def test_colour_is_for_people_who_want_it(monkeypatch, capsys):
    style.say(("right", "green"), " at once")
    assert capsys.readouterr().out == "right at once\n"  # nobody looks
    pytest.importorskip("rich")
    assert "\x1b[32mright\x1b[0m at once" in on_a_terminal(monkeypatch)
    for settings in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b[32m" not in on_a_terminal(monkeypatch, **settings)


def test_without_rich_a_terminal_gets_plain_text(monkeypatch):
    for name in [m for m in sys.modules if m.split(".")[0] == "rich"] or ["rich", "rich.console"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    text = on_a_terminal(monkeypatch)
    assert "right at once\n" in text and "a │   b" in text and "\repoch  2/3" in text and "\x1b" not in text


def test_progress_is_not_for_files(capsys):
    with style.progress("epoch", 3) as step:
        step(2)
    assert capsys.readouterr().out == ""


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path, capsys):
    (tmp_path / "taken").write_text("")
    for name in ("taken", "taken/below"):
        with pytest.raises(SystemExit):
            style.Parser("A demo.").parse_args(["--out", str(tmp_path / name)])
        assert "taken is a file; give the name of a folder" in capsys.readouterr().err


def test_a_folder_that_may_not_be_written_is_told_before_the_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    with pytest.raises(SystemExit) as error:
        style.Parser("A demo.").parse_args(["--out", str(tmp_path / "new" / "one")])
    assert error.value.code == 2
    assert f"no permission to write into the folder {tmp_path}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "what, code, line",
    [
        (OSError(28, "No space left on device", "a.png"), 1, "stopped: No space left on device: a.png"),
        (OSError("no room"), 1, "stopped: no room"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_what_stops_a_demo_is_told_in_one_line(what, code, line, capsys):
    def fail():
        raise what

    with pytest.raises(SystemExit) as error:
        style.run(fail)
    assert error.value.code == code
    assert capsys.readouterr().err == f"{line}\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_for_what_is_printed(tmp_path):
    command = f"{sys.executable} -m demos.gates --quick --out {tmp_path} > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (1, "stopped: No space left on device\n")


def test_nobody_reads_on(tmp_path):
    command = f"{sys.executable} -m demos.gates --quick --out {tmp_path} | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT)
    assert "Traceback" not in done.stderr and len(done.stdout.splitlines()) == 1


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch, capsys):
    path = tmp_path / "new" / "file.png"
    style.write(path, b"one")
    assert path.read_bytes() == b"one"
    assert capsys.readouterr().out == f"wrote {path}\n"

    def fail(*_):
        raise OSError("no room")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no room"):
        style.write(path, b"two")
    assert [p.name for p in path.parent.iterdir()] == ["file.png"]
    assert path.read_bytes() == b"one"


def test_without_matplotlib_a_picture_is_left_out_and_said_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    style.picture(tmp_path / "a.png", lambda figure: figure.subplots(), size=(2, 2))
    assert "left out" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_a_picture_does_not_depend_on_a_persons_own_settings(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")

    def draw(figure):
        axes = figure.subplots()
        axes.plot([0, 1], [1, 0])
        style.plane(axes, lambda p: p[:, 0] - 0.5, (0, 1, 0, 1))
        style.points(axes, np.array([[0.2, 0.2], [0.8, 0.8]]), np.array([0, 1]))
        style.arrow(axes, (0, 0), (1, 1), style.GREEN, "w")

    style.picture(tmp_path / "a.png", draw, size=(3, 2))
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9}):
        style.picture(tmp_path / "b.png", draw, size=(3, 2))
        assert matplotlib.rcParams["font.size"] == 30  # and leaves them as they were
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_rare_colour_survives_the_palette(tmp_path):
    image = pytest.importorskip("PIL.Image")

    def draw(figure):
        axes = figure.subplots()
        axes.imshow(np.arange(10_000).reshape(100, 100), cmap="Oranges")
        axes.plot([50], [50], "o", color=style.GREEN, markersize=4)

    style.picture(tmp_path / "a.png", draw, size=(4, 4))
    colours = image.open(tmp_path / "a.png").convert("RGB").getcolors(100_000)
    green = np.array([0x00, 0x9E, 0x73])
    assert min(abs(np.array(colour) - green).sum() for _, colour in colours) < 12


def test_a_sheet_knows_headings_tables_and_files(tmp_path):
    with contextlib.redirect_stdout(style.Sheet()) as sheet:
        style.heading("AND")
        style.table(["x", "z"], [(1, 0.5)], digits=1)
        print("  a line")
        style.write(tmp_path / "and.txt", b"")
        style.wrote(tmp_path, "a folder")
    assert [(part.kind, part.what) for part in sheet.parts] == [
        ("heading", "AND"),
        ("table", [("x", "z"), ("1", "0.5")]),
        ("file", (tmp_path / "and.txt", "")),
        ("file", (tmp_path, "a folder")),
    ]
    text = sheet.getvalue()
    said = [text[part.start : part.end] for part in sheet.parts]
    assert said[0] == "\nAND\n"
    assert said[1] == "  x │   z\n  ──┼────\n  1 │ 0.5\n"
    assert text == "".join([*said[:2], "  a line\n", *said[2:]])


def test_a_film_is_made_where_there_is_ffmpeg(tmp_path, monkeypatch, capsys):
    animation = pytest.importorskip("matplotlib.animation")

    def draw(figure, moment):
        figure.suptitle(f"step {moment}")

    for there in {False, animation.FFMpegWriter.isAvailable()}:
        monkeypatch.setattr(animation.FFMpegWriter, "isAvailable", lambda there=there: there)
        style.animation(tmp_path / "a.gif", draw, [(1,), (2,)], size=(2, 2))
        film = tmp_path / "a.mp4"
        assert film.exists() == there
        said = f"wrote {film}" if there else f"left out {film}: it needs the program ffmpeg"
        assert capsys.readouterr().out.splitlines() == [f"wrote {tmp_path / 'a.gif'}", said]
