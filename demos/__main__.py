"""List the demos in the lecture's order, or make what an instructor needs of them.

    python -m demos --book out/book             the whole lecture as an offline site: open out/book/index.html
    python -m demos --notebooks out/notebooks   each demo as a notebook
    python -m demos --figures svg --out FOLDER  every figure for slides, as svg, pdf or png (into out/figures)
    python -m demos --all                       the pictures of README.md

With --quick the demos run for a short time only, to see that it works.
"""

import argparse
import importlib.util
import shutil
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

from demos import style

DEMOS = {  # its picture for README.md, and what it shows
    "neuron": ("neuron.png", "a neuron adds up its weighted inputs and fires above a threshold"),
    "perceptron": (
        "perceptron.png",
        "a line learned from points, its geometry, and several lines for a curve",
    ),
    "gates": ("gates.png", "AND and OR with the lecture's weights, and learned"),
    "xor": ("xor.png", "XOR: no neuron alone, two layers; by hand and learned"),
    "kernel": ("kernel.png", "a fixed map behind which one neuron solves XOR, and a learned one"),
    "feature_space": (
        "feature_space.png",
        "the hidden layer bends the plane until a line separates the classes",
    ),
    "activations": ("activations.png", "the common activation functions and their derivatives"),
    "gradient_descent": ("gradient_descent.png", "SGD, momentum and Adam on their way down a loss surface"),
    "regression": ("regression.png", "a Gaussian process, fitted by SciPy's optimizer with our gradients"),
    "backpropagation": ("backpropagation.png", "every partial derivative by hand, by the engine, by trying"),
    "pytorch_twin": ("pytorch_twin.png", "the same network, weights and batches here and in PyTorch"),
    "mnist": ("mistakes.png", "784-100-10 on the real 60,000 and 10,000 digits"),
    "mnist_dask": ("mnist_dask.png", "the same on a cluster's workers, of which one may be killed"),
    "gpt": ("gpt.png", "a small GPT reads Alice in Wonderland for half a minute, and writes"),
}
LARGEST = 60_000  # bytes of a picture in README.md


def run_all(extra: list[str]) -> Iterator[tuple[str, Path]]:
    """Run every demo; gives its name and the folder with what it wrote, which is gone afterwards."""
    for name in DEMOS:
        style.heading(f"== {name}")
        with tempfile.TemporaryDirectory() as scratch:
            importlib.import_module(f"demos.{name}").main(["--out", scratch, *extra])
            yield name, Path(scratch)


def make_all(folder: Path, extra: list[str]) -> None:
    """Run every demo and keep its picture, small enough for README.md."""
    style.RC["figure.dpi"] = 72
    folder.mkdir(parents=True, exist_ok=True)
    for name, scratch in run_all(extra):
        made = scratch / DEMOS[name][0]
        if not made.exists():
            print(f"left out {made.name}")
        elif made.stat().st_size > LARGEST:
            raise SystemExit(f"{made.name} has {made.stat().st_size:,} bytes, more than {LARGEST:,}")
        else:
            shutil.copyfile(made, folder / f"{name}.png")
    print(f"\nwrote the pictures into {folder}")


def make_figures(form: str, folder: Path, extra: list[str]) -> None:
    """Run every demo and keep all its figures, in the form that is asked for."""
    style.FORMAT = form
    folder.mkdir(parents=True, exist_ok=True)
    kept = [
        shutil.copyfile(made, folder / made.name)
        for _, scratch in run_all(extra)
        for made in sorted(scratch.glob(f"*.{form}"))
    ]
    print(f"\nwrote {len(kept)} figures into {folder}")


def make_book(folder: Path, extra: list[str]) -> None:
    """Run every demo and make the site of what they print and write."""
    needed("jinja2", "markdown_it", "matplotlib", "pygments")
    from demos.book import pages, run

    style.FORMAT = "svg"
    runs = {}
    for name in DEMOS:
        print(f"running {name}", flush=True)
        runs[name] = run.run(name, extra)
    made = pages.build(folder, runs, {name: line for name, (_, line) in DEMOS.items()})
    print(f"\nwrote {len(made)} pages into {folder}; open {folder / 'index.html'}")


def make_notebooks(folder: Path) -> None:
    """Make a notebook of each demo."""
    needed("jinja2", "nbformat")
    from demos.book import notebooks

    made = notebooks.build(folder, DEMOS)
    print(f"wrote {len(made)} notebooks into {folder}")


def needed(*modules: str) -> None:
    """Say what is missing, before the demos run for minutes."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise SystemExit(f"this needs {', '.join(missing)}: pip install -e '.[demos,book]'")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m demos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--book", type=style.folder, metavar="FOLDER", help="run all and make the site there")
    parser.add_argument("--notebooks", type=style.folder, metavar="FOLDER", help="make the notebooks there")
    parser.add_argument("--figures", choices=("svg", "pdf", "png"), help="run all and keep every figure")
    parser.add_argument("--all", action="store_true", help="run all and make the pictures of README.md")
    parser.add_argument("--quick", action="store_true", help="short runs")
    parser.add_argument("--out", type=style.folder, help="where to (out/figures; demos/pictures)")
    style.plain_signs()
    args = parser.parse_args(argv)
    extra = ["--quick"] if args.quick else []
    if args.book:
        make_book(args.book, extra)
    elif args.notebooks:
        make_notebooks(args.notebooks)
    elif args.figures:
        make_figures(args.figures, args.out or Path("out/figures"), extra)
    elif args.all:
        make_all(args.out or Path(__file__).parent / "pictures", extra)
    else:
        for name, (_, line) in DEMOS.items():
            listed = f"python -m demos.{name:18} {line}"
            print(textwrap.fill(listed, style.width(), subsequent_indent=" " * 8))


if __name__ == "__main__":
    style.run(main)
