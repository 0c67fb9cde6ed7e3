"""List the demos in the lecture's order; with --all, run them and make the pictures of README.md."""

import argparse
import importlib
import shutil
import tempfile
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
}
LARGEST = 60_000  # bytes of a picture in README.md


def make_all(folder: Path, extra: list[str]) -> None:
    """Run every demo and keep its picture, small enough for README.md."""
    style.RC["figure.dpi"] = 72
    folder.mkdir(parents=True, exist_ok=True)
    for name, (picture, _) in DEMOS.items():
        style.heading(f"== {name}")
        with tempfile.TemporaryDirectory() as scratch:
            importlib.import_module(f"demos.{name}").main(["--out", scratch, *extra])
            made = Path(scratch) / picture
            if not made.exists():
                print(f"left out {picture}")
            elif made.stat().st_size > LARGEST:
                raise SystemExit(f"{picture} has {made.stat().st_size:,} bytes, more than {LARGEST:,}")
            else:
                shutil.copyfile(made, folder / f"{name}.png")
    print(f"\nwrote the pictures into {folder}")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m demos", description=__doc__)
    parser.add_argument("--all", action="store_true", help="run all and make the pictures of README.md")
    parser.add_argument("--quick", action="store_true", help="with --all: short runs")
    parser.add_argument(
        "--out", type=style.folder, default=Path(__file__).parent / "pictures", help="where to"
    )
    style.plain_signs()
    args = parser.parse_args(argv)
    if args.all:
        make_all(args.out, ["--quick"] if args.quick else [])
        return
    for name, (_, line) in DEMOS.items():
        print(f"python -m demos.{name:18} {line}")


if __name__ == "__main__":
    style.run(main)
