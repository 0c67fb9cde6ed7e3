"""What all demos share: their command line, what they print, and one style for their figures.

A demo reads ``args = style.Parser(__doc__).parse_args(argv)``, prints with plain `print` (signs that the
terminal does not know become ASCII by themselves), hands a function that draws to `picture`, and ends with
``style.run(main)``.  Without matplotlib a demo still runs: `picture` says what it leaves out.  On a terminal
rich draws tables and the line of progress; without it, and into a file, they are plain text.
"""

from __future__ import annotations

import argparse
import builtins
import html
import io
import os
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # matrices this small gain nothing from more threads;
os.environ.setdefault("MKL_NUM_THREADS", "1")  # NumPy reads this once: demos import style before NumPy

import numpy as np
from signs import in_signs, plain_signs

sys.path.append(str(Path(__file__).parent.parent))  # a clone that is not installed works too
from tinygrad_course.files import write_whole

# Okabe and Ito's palette, which people with any colour vision tell apart; classes differ in their mark too.
BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"
INK, GREY = "#222222", "#8A8A8A"
CLASSES = (BLUE, ORANGE)
MARKS = ("o", "s")
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW)

RC = {
    "figure.dpi": 110,
    "font.size": 12,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2.2,
    "legend.frameon": False,
    "grid.color": "#DDDDDD",
    "image.cmap": "cividis",
    "svg.hashsalt": "the same names of its parts each time",
}
FORMAT = "png"  # of the pictures


# The command line
class Parser(argparse.ArgumentParser):
    """The command line of a demo: ``--seed --out --quick``, and what the demo adds with `add_argument`.

    Parameters
    ----------
    doc : str
        The demo's docstring: what ``--help`` shows.
    """

    def __init__(self, doc: str) -> None:
        text = "\n\n".join(map(_fitting, doc.split("\n\n")))
        super().__init__(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.add_argument("--seed", type=_natural, default=0, help="where the random numbers come from (0)")
        self.add_argument("--out", type=folder, default=Path("out"), help="folder for what it writes (out)")
        self.add_argument("--quick", action="store_true", help="a short run, to see that it works")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, once `print` is safe on a terminal that does not know every sign."""
        plain_signs()
        return super().parse_args(args, namespace)


def _fitting(paragraph: str) -> str:
    """A paragraph in lines that fit; what is indented are examples, each on a line of its own."""
    lines = paragraph.splitlines() if paragraph.startswith("    ") else [paragraph]
    inside = " " * (8 if len(lines) > 1 else 0)
    return "\n".join(textwrap.fill(line, width(), subsequent_indent=inside) for line in lines)


def run(main: Callable[[], Any]) -> Any:
    """Run a demo from the command line; what stops it is told in one line."""
    try:
        result = main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        _stop("stopped", 130)  # as a shell tells of Ctrl-C
    except BrokenPipeError:
        _stop("stopped: nobody reads on (head has seen enough)", 1)
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        _stop(f"stopped: {error.strerror or error}{place}", 1)
    return result


def _stop(line: str, code: int) -> NoReturn:
    """Say why, on a line of its own, and end, even where what was printed finds no place."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    print(f"\n{line}" if sys.stderr.isatty() else line, file=sys.stderr)
    sys.exit(code)


def folder(text: str) -> Path:
    """What --out names: a folder, or a place where one can be made."""
    path = Path(text)
    there = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not there.is_dir():
        raise argparse.ArgumentTypeError(f"{there} is a file; give the name of a folder, for several files")
    if not os.access(there, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"no permission to write into the folder {there}")
    return path


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 0 or more")
    return int(text)


# What it prints
class Part(NamedTuple):
    """A part of what a demo printed: its kind, what it is, and where its text begins and ends."""

    kind: str  # "heading", "table", "row", "note" or "file"
    what: (
        Any  # the words of a heading or note, rows of cells or one row, a file's path and what is said of it
    )
    start: int
    end: int


class Sheet(io.StringIO):
    """A stdout that keeps the text, and knows which of it are headings, tables, notes and files.

    Examples
    --------
    >>> import contextlib
    >>> with contextlib.redirect_stdout(Sheet()) as sheet:
    ...     heading("AND")
    ...     table(["x", "z"], [(1, 0.5)], digits=1)
    >>> [(part.kind, part.what) for part in sheet.parts]
    [('heading', 'AND'), ('table', [('x', 'z'), ('1', '0.5')])]
    """

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[Part] = []

    @contextmanager
    def part(self, kind: str, what: Any) -> Iterator[None]:
        """Whatever is printed meanwhile is one part."""
        start = self.tell()
        yield
        self.parts.append(Part(kind, what, start, self.tell()))


def _part(kind: str, what: Any) -> AbstractContextManager[None]:
    """Tell a `Sheet`, if that is where it goes, what is printed next."""
    return sys.stdout.part(kind, what) if isinstance(sys.stdout, Sheet) else nullcontext()


def width() -> int:
    """How many signs fit into a line; 80 where nobody says (COLUMNS does)."""
    return shutil.get_terminal_size().columns


def terminal() -> Any:
    """rich's console, if somebody looks and rich is installed; None where plain text goes."""
    if not sys.stdout.isatty():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(highlight=False)


def say(*parts: str | tuple[str, str]) -> None:
    """Print a line; a part may have a look on a terminal, as in ``say(("right", "green"), " at once")``."""
    if (console := terminal()) is None:
        print(*(part if isinstance(part, str) else part[0] for part in parts), sep="")
    else:
        from rich.text import Text

        console.print(Text.assemble(*parts), soft_wrap=True)


def heading(text: str) -> None:
    """Print the title of the next part."""
    with _part("heading", text):
        say("\n", (textwrap.fill(in_signs(text), width()), "bold"))


def note(text: str) -> None:
    """Print a sentence that belongs to the table above it."""
    with _part("note", text):
        print(textwrap.fill(in_signs(text), width(), initial_indent="  ", subsequent_indent="  "))


def table(header: Sequence[str], rows: Iterable[Sequence[Any]], digits: int = 4) -> None:
    """Print rows under a header; floats with `digits` places, everything aligned to the right.

    Columns that are too many for the width follow below, beside the first one again.
    """

    def cell(entry: Any) -> str:
        return in_signs(f"{entry:.{digits}f}" if isinstance(entry, float | np.floating) else str(entry))

    lines = [tuple(map(cell, row)) for row in (header, *rows)]
    with _part("table", lines):
        for number, columns in enumerate(_side_by_side([max(map(len, column)) for column in zip(*lines)])):
            if number:
                print()
            _print_table([[line[i] for i in columns] for line in lines])


def row(cells: Sequence[str], width: int = 8) -> None:
    """Print the next line of a table that grows, or its header."""
    with _part("row", tuple(cells)):
        print("  ".join(f"{cell:>{width}}" for cell in cells), flush=True)


def _side_by_side(widths: Sequence[int]) -> list[list[int]]:
    """The numbers of the columns that stand side by side, the first one in each group."""
    groups, room = [[0]], width() - 2
    for i in range(1, len(widths)):
        if len(groups[-1]) > 1 and sum(widths[k] + 3 for k in groups[-1]) + widths[i] > room:
            groups.append([0])
        groups[-1].append(i)
    return groups


def _print_table(lines: Sequence[Sequence[str]]) -> None:
    """Print cells, the header's in the first line."""
    if (console := terminal()) is not None:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        grid = Table(box=SIMPLE_HEAD, show_edge=False)
        for name in lines[0]:
            grid.add_column(Text(name), justify="right", overflow="fold")
        for line in lines[1:]:
            grid.add_row(*map(Text, line))
        console.print(grid)
        return
    widths = [max(map(len, column)) for column in zip(*lines)]
    text = [" │ ".join(c.rjust(w) for c, w in zip(line, widths)) for line in lines]
    text.insert(1, "─┼─".join("─" * w for w in widths))
    print("\n".join(f"  {line}" for line in text))


@contextmanager
def progress(title: str, steps: int, wanted: bool = True) -> Iterator[Callable[[int], None]]:
    """A line that fills as its function is told how many steps are done; gone at the end, and in files."""
    if not wanted or not sys.stdout.isatty():
        yield lambda done: None
    elif (console := terminal()) is None:
        room = width() - 1
        try:
            yield lambda done: print(f"\r{title}  {done}/{steps}"[:room], end="", flush=True)
        finally:
            print(f"\r{' ' * room}\r", end="", flush=True)
    else:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        columns = title, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=console, transient=True, refresh_per_second=4) as bar:
            task = bar.add_task("", total=steps)
            yield lambda done: bar.update(task, completed=done)


# What it writes
def write(path: Path, content: bytes) -> None:
    """Write a whole file or none, and print its path."""
    write_whole(path, lambda part: part.write_bytes(content))
    wrote(path)


def wrote(path: Path, what: str = "") -> None:
    """Print the path of a file that was written, and what it is if its name does not say so."""
    with _part("file", (path, what)):
        print(f"wrote {path}, {what}" if what else f"wrote {path}")
    if hasattr(getattr(builtins, "get_ipython", object)(), "kernel"):  # in a notebook it is seen at once
        _show_in_notebook(path)


def _show_in_notebook(path: Path) -> None:
    """Show a picture or a live page below the cell."""
    from IPython.display import SVG, Image, display

    if path.suffix == ".html":
        page = html.escape(path.read_text("utf-8"))
        frame = f'<iframe srcdoc="{page}" style="width: 100%; height: 680px; border: 0"></iframe>'
        display({"text/html": frame, "text/plain": str(path)}, raw=True)
    elif path.suffix in (".png", ".gif", ".svg"):
        display((SVG if path.suffix == ".svg" else Image)(filename=str(path)))


def picture(path: Path, draw: Callable[..., None], *args: Any, size: tuple[float, float]) -> None:
    """Save what ``draw(figure, *args)`` draws; without matplotlib, say what is left out.

    Parameters
    ----------
    path : Path
        Where to.  Its ending gives way to `FORMAT`: png, or svg or pdf for slides.
    draw : callable
        Puts axes on the figure it is given (``figure.subplots``) and draws on them.
    *args
        For `draw`.
    size : tuple of float
        Width and height in inches of 110 dots.
    """
    path = path.with_suffix(f".{FORMAT}")
    with _matplotlib_or_without(path):
        drawn = _drawn(draw, args, size, FORMAT, bbox_inches="tight")
        if FORMAT == "png":
            content = io.BytesIO()
            _image(drawn).save(content, format="png", optimize=True)
            drawn = content.getvalue()
        write(path, drawn)


def animation(
    path: Path,
    draw: Callable[..., None],
    frames: Sequence[tuple[Any, ...]],
    *,
    size: tuple[float, float],
    seconds: float = 0.1,
) -> None:
    """Save ``draw(figure, *frame)`` for each frame as a moving GIF, and as an MP4 where there is ffmpeg.

    Each frame is shown for so many seconds, the last one ten times as long.
    """
    with _matplotlib_or_without(path):
        images = [_image(_drawn(draw, frame, size, "png")) for frame in frames]
        times = [round(1000 * seconds)] * (len(images) - 1) + [round(10000 * seconds)]
        content = io.BytesIO()
        images[0].save(content, format="gif", save_all=True, append_images=images[1:], duration=times, loop=0)
        write(path, content.getvalue())
        _film(path.with_suffix(".mp4"), draw, [*frames, *frames[-1:] * 9], size, seconds)


def _film(
    path: Path,
    draw: Callable[..., None],
    frames: Iterable[tuple[Any, ...]],
    size: tuple[float, float],
    seconds: float,
) -> None:
    """The same as a film, which is much smaller; matplotlib needs the program ffmpeg for it."""
    from matplotlib.animation import FFMpegWriter

    if not FFMpegWriter.isAvailable():
        print(f"left out {path}: it needs the program ffmpeg")
        return
    with _figure(size) as figure, tempfile.TemporaryDirectory() as folder:
        film, writer = Path(folder) / path.name, FFMpegWriter(fps=1 / seconds)
        with writer.saving(figure, film, figure.dpi):
            for frame in frames:
                figure.clear()
                draw(figure, *frame)
                writer.grab_frame()
        write(path, film.read_bytes())


@contextmanager
def _matplotlib_or_without(path: Path) -> Iterator[None]:
    """Where matplotlib is missing, say that `path` is left out."""
    try:
        yield
    except ImportError:
        print(f"left out {path}: it needs matplotlib (pip install 'tinygrad_course[demos]')")


def _drawn(
    draw: Callable[..., None], args: Sequence[Any], size: tuple[float, float], form: str, **how: Any
) -> bytes:
    """What `draw` draws, as a file of that form; the same each time."""
    content = io.BytesIO()
    with _figure(size) as figure:
        draw(figure, *args)
        undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form)
        figure.savefig(content, format=form, metadata=undated, **how)
    return content.getvalue()


@contextmanager
def _figure(size: tuple[float, float]) -> Iterator[Any]:
    """An empty figure in the lecture's style, whatever settings a person has."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RC)
        matplotlib.rcParams["axes.prop_cycle"] = matplotlib.cycler(color=CYCLE)
        yield Figure(figsize=size, layout="constrained")


def _image(png: bytes) -> Any:
    """A PNG as an image of 128 colours: a third of the size, and it looks the same."""
    from PIL import Image

    coverage = Image.Quantize.MAXCOVERAGE  # keeps a colour that few pixels have
    return Image.open(io.BytesIO(png)).convert("RGB").quantize(128, method=coverage, dither=Image.Dither.NONE)


def graph(path: Path, value: Any) -> None:
    """Save the graph that a Value was computed from: a picture (.svg), or the page that plays it (.html)."""
    from tinygrad_course import viz  # only now: a clone is found through sys.path, see above

    path.parent.mkdir(parents=True, exist_ok=True)
    wrote(viz.save(value, path))


def lab(path: Path, model: Any, x: np.ndarray, y: np.ndarray, loss: Callable[..., Any]) -> None:
    """Save the page in which a network can be touched: its weights, its points, its training."""
    from tinygrad_course import viz

    viz.lab(model, x, y, loss, path)
    wrote(path)


# What several of them draw
def points(axes: Any, places: np.ndarray, labels: np.ndarray, size: float = 40) -> None:
    """Points of two classes in the plane: the second in another colour and with another mark."""
    for label, (tint, mark) in enumerate(zip(CLASSES, MARKS)):
        these = places[np.asarray(labels) == label]
        axes.scatter(*these.T, s=size, c=tint, marker=mark, edgecolors="white", linewidths=0.8, zorder=3)


def plane(
    axes: Any, score: Callable[[np.ndarray], np.ndarray], box: tuple[float, float, float, float]
) -> None:
    """Tint the side of the plane where ``score(points)`` is positive and the other, and draw the border.

    `box` is (left, right, bottom, top).
    """
    x, y = np.meshgrid(np.linspace(*box[:2], 301), np.linspace(*box[2:], 301))
    height = score(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape)
    axes.contourf(x, y, height > 0, levels=[-0.5, 0.5, 1.5], colors=["#D6E6F2", "#F8DDCF"])
    axes.contour(x, y, height, levels=[0], colors=[INK], linewidths=2)
    axes.set(xlim=box[:2], ylim=box[2:], aspect="equal")


def arrow(axes: Any, start: Sequence[float], end: Sequence[float], tint: str, label: str = "") -> None:
    """An arrow between two points of the plane, and what it is called at its tip."""
    look = {"arrowstyle": "-|>", "color": tint, "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=look, zorder=4)
    away = np.sign(np.subtract(end, start)) * 3
    sides = {"ha": "left" if away[0] >= 0 else "right", "va": "bottom" if away[1] >= 0 else "top"}
    axes.annotate(label, end, away, textcoords="offset points", color=tint, weight="bold", **sides)


def node(axes: Any, place: Sequence[float], text: str, tint: str = INK, radius: float = 0.42) -> None:
    """A neuron or an input of a network drawn by hand: a disc and what stands in it."""
    from matplotlib.patches import Circle

    axes.add_patch(Circle(place, radius, facecolor="white", edgecolor=tint, linewidth=2, zorder=3))
    axes.text(*place, text, ha="center", va="center", fontsize=10.5, zorder=5, linespacing=1.4)


def edge(axes: Any, start: Sequence[float], end: Sequence[float], text: str = "", along: float = 0.5) -> None:
    """A connection between two such discs, and its weight a part of the way along."""
    axes.plot(*zip(start, end), color=GREY, linewidth=1.6, zorder=1)
    x, y = np.add(start, np.multiply(along, np.subtract(end, start)))
    label = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
    if text:
        axes.text(x, y, text, ha="center", va="center", fontsize=10.5, bbox=label, zorder=2, linespacing=1.4)
