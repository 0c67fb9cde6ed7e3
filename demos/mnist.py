"""The lecture's network 784-100-10 learns the 60,000 handwritten digits of MNIST.

    python demos/mnist.py                    16 epochs, a few seconds of computing
    python demos/mnist.py --best             many more epochs on digits that are turned, scaled and shifted
    python demos/mnist.py --data FOLDER      any set of four IDX files of that form (Fashion-MNIST)
    python demos/mnist.py --resume           go on after Ctrl-C, or after the last epoch that was finished

Prints a row an epoch and a report, and writes its figures, the graph of one step and the weights to --out.
The settings were chosen on 10,000 of the training images held out, never on the test images.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import style
import mnist_report as show
import numpy as np
from augment import affine

from tinygrad_course import data, nn, no_grad, optim, viz
from tinygrad_course.nn import functional as F

SHAPE, CLASSES = (28, 28), 10


class Recipe(NamedTuple):
    """How to train; what the command line says goes before it."""

    epochs: int
    batch_size: int
    lr: float  # the highest learning rate; it falls to 0 along a cosine
    warm_up: float  # the part of the training in which it rises to that first
    decay: float  # decoupled weight decay
    dropped: float  # the part of the input pixels that is set to 0
    moved: float  # how far the images are moved about in the last epoch, of 1 in the first


DEFAULT = Recipe(epochs=16, batch_size=100, lr=4e-3, warm_up=0.1, decay=0.1, dropped=0.2, moved=0)
BEST = Recipe(epochs=300, batch_size=200, lr=2e-3, warm_up=0, decay=0.05, dropped=0, moved=0.6)
COLUMNS = ("epoch", "rate", "loss", "train %", "test %", "seconds")


def parse(argv: Sequence[str] | None) -> Any:
    """The command line."""
    parser = style.Parser(__doc__ or "")
    parser.add_argument("--best", action="store_true", help="train long, on images that are moved about")
    parser.add_argument("--data", type=Path, help="folder of four IDX files to learn instead of MNIST")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--epochs", type=int, help="passes over the training images (16; 300 with --best)")
    parser.add_argument("--batch-size", type=int, help="images a step (100; 200 with --best)")
    parser.add_argument("--lr", type=float, help="highest learning rate (0.004; 0.002 with --best)")
    parser.add_argument("--quiet", action="store_true", help="the table only: no report, no figures")
    args = parser.parse_args(argv)
    recipe = BEST if args.best else DEFAULT
    asked = {name: getattr(args, name) for name in ("epochs", "batch_size", "lr")}
    args.recipe = recipe._replace(**{name: x for name, x in asked.items() if x is not None})
    if args.quick:
        args.recipe = args.recipe._replace(epochs=asked["epochs"] or 1)
    if args.recipe.epochs < 1 or args.recipe.batch_size < 1 or args.recipe.lr <= 0:
        parser.error("--epochs, --batch-size and --lr must be positive")
    return args


def main(argv: Sequence[str] | None = None) -> float:
    """Train, report, and return the accuracy on the test images."""
    args = parse(argv)
    recipe = args.recipe
    images = load(args.data)
    model = nn.MnistMLP(rng=args.seed)
    optimizer = optim.AdamW(model.parameters(), lr=recipe.lr, weight_decay=recipe.decay)
    steps = recipe.epochs * -(-len(images.train_images) // recipe.batch_size)
    schedule: Any
    if recipe.warm_up:
        schedule = optim.OneCycleLR(optimizer, recipe.lr, total_steps=steps + 1, pct_start=recipe.warm_up)
    else:
        schedule = optim.CosineAnnealingLR(optimizer, T_max=steps)
    run = Run(model, optimizer, schedule, args)
    count = sum(p.size for p in model.parameters())
    style.note(f"784 → 100 ReLU → 10: {count:,} parameters, seed {args.seed}")
    if args.resume:
        run.load()
    style.row(COLUMNS)
    for row in run.history:
        print_row(row)
    try:
        train(run, images)
    except KeyboardInterrupt:
        done = len(run.history)
        if not done:
            sys.exit("\nstopped before the first epoch was finished: nothing to keep")
        print(f"\nstopped in epoch {done + 1}; epoch {done} is kept, go on with --resume")
        run.load()  # the weights as they were when that epoch ended
    report(run, images)
    return float(run.history[-1][4])


def load(folder: Path | None) -> data.ImageSet:
    """The images, checked to fit the network."""
    try:
        images = data.load_folder(folder) if folder else data.mnist()
    except (ValueError, OSError) as error:
        sys.exit(f"cannot read the images: {error}")
    highest = max(images.train_labels.max(), images.test_labels.max())
    if images.train_images.shape[1:] != SHAPE or images.test_images.shape[1:] != SHAPE or highest >= CLASSES:
        sys.exit(
            f"the network takes 28×28 images of classes 0 to 9; {folder} has "
            f"{images.train_images.shape[1:]} and classes up to {highest}"
        )
    source = f"from {folder}" if folder else "of MNIST (SHA-256 verified)"
    style.note(f"{len(images.train_images):,} training and {len(images.test_images):,} test images {source}")
    return images


class Run:
    """What a training run consists of, kept in one file so that it can go on as if it had never stopped."""

    def __init__(self, model: nn.Module, optimizer: Any, schedule: Any, args: Any) -> None:
        self.model, self.optimizer, self.schedule, self.args = model, optimizer, schedule, args
        self.history: list[list[float]] = []  # a row an epoch, as in the table
        self.path = args.out / "checkpoint.npz"
        self.settings = np.array([*args.recipe, args.seed], float)

    def parts(self) -> dict[str, Any]:
        """What has a state."""
        return {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}

    def save(self) -> None:
        """Write everything after an epoch."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        state = {name: part.state_dict() for name, part in self.parts().items()}
        nn.save({**state, "history": np.array(self.history), "settings": self.settings}, self.path)

    def load(self) -> None:
        """Take everything back; a run with other settings cannot go on from here."""
        try:
            state = nn.load(self.path)
            if not np.array_equal(state["settings"], self.settings):
                sys.exit(f"{self.path} is of a run with other --epochs, --batch-size, --lr, --seed or --best")
            self.history = state["history"].tolist()
            for name, part in self.parts().items():
                part.load_state_dict(state[name])
        except (OSError, ValueError, TypeError, KeyError) as error:
            sys.exit(f"cannot go on from {self.path}: {error}")


def train(run: Run, images: data.ImageSet) -> None:
    """The epochs that are left: a row printed and a checkpoint written after each."""
    recipe, seed = run.args.recipe, run.args.seed
    x_train, x_test = normalised(images.train_images), normalised(images.test_images)
    for epoch in range(len(run.history), recipe.epochs):
        start, total = time.perf_counter(), 0.0
        rng = np.random.default_rng([seed, epoch])  # an epoch's chances do not depend on those before
        moved = x_train
        if recipe.moved:
            strength = 1 - (1 - recipe.moved) * epoch / max(1, recipe.epochs - 1)
            moved = normalised(affine(images.train_images, rng, strength))
        batches = data.Batches(moved, images.train_labels, batch_size=recipe.batch_size, seed=seed)
        batches.epoch = epoch
        with style.progress(f"{epoch + 1:>8}", len(batches), not run.args.quiet) as step:
            for done, (x, y) in enumerate(batches, 1):
                loss = F.cross_entropy(run.model(speckled(x, recipe.dropped, rng)), y)
                run.model.zero_grad()
                loss.backward()
                run.optimizer.step()
                rate = run.optimizer.lr
                run.schedule.step()
                total += loss.item() * len(x)
                step(done)
        right = [
            np.mean(answers(run.model, x).argmax(axis=1) == y)
            for x, y in ((x_train, images.train_labels), (x_test, images.test_labels))
        ]
        run.history.append([epoch + 1, rate, total / len(x_train), *right, time.perf_counter() - start])
        print_row(run.history[-1])
        run.save()


def normalised(images: np.ndarray) -> np.ndarray:
    """Pixels as float32 with MNIST's mean 0 and deviation 1."""
    x = images.reshape(len(images), -1).astype(np.float32)
    x -= np.float32(255 * 0.1307)
    x *= np.float32(1 / (255 * 0.3081))
    return x


def speckled(x: np.ndarray, dropped: float, rng: np.random.Generator) -> np.ndarray:
    """Dropout on the input: some of the pixels set to 0, so that no neuron relies on a few of them."""
    if not dropped:
        return x
    kept = np.frombuffer(rng.bytes(x.size), np.uint8).reshape(x.shape) >= round(256 * dropped)
    return x * kept * np.float32(1 / (1 - dropped))


def answers(model: nn.Module, x: np.ndarray) -> np.ndarray:
    """The logits of many images, without recording."""
    with no_grad():
        return np.concatenate([model(x[i : i + 1000]).numpy() for i in range(0, len(x), 1000)])


def print_row(row: list[float]) -> None:
    """An epoch's line of the table."""
    epoch, rate, loss, train, test, seconds = row
    style.row((f"{epoch:.0f}", f"{rate:.5f}", f"{loss:.4f}", f"{train:.2%}", f"{test:.2%}", f"{seconds:.2f}"))


def report(run: Run, images: data.ImageSet) -> None:
    """The final figures on the test images, in words and pictures."""
    labels, x = images.test_labels, normalised(images.test_images)
    with no_grad():
        probabilities = F.softmax(answers(run.model, x), dim=1)
    chosen = probabilities.argmax(axis=1)
    wrong = int(np.sum(chosen != labels))
    print(f"\ntest accuracy {np.mean(chosen == labels):.2%}: {wrong} errors in {len(labels):,}")
    out = run.args.out
    nn.save(run.model.state_dict(), out / "model.npz")
    style.wrote(out / "model.npz")
    if run.args.quiet:
        return
    counts = show.confusion(labels, chosen, CLASSES)
    surest = show.surest_mistakes(labels, probabilities, 24)
    show.print_confusion(counts)
    show.print_mistakes(images.test_images, labels, probabilities, surest[:5])
    print()
    weights = run.model.hidden.weight.numpy()
    style.picture(out / "curves.png", show.draw_curves, np.array(run.history), size=(9, 4))
    style.picture(out / "confusion.png", show.draw_confusion, counts, size=(6, 6))
    style.picture(
        out / "mistakes.png",
        show.draw_mistakes,
        images.test_images,
        labels,
        probabilities,
        surest,
        size=(10, 5),
    )
    style.picture(out / "weights.png", show.draw_weights, weights, SHAPE, size=(10, 3.2))
    chosen_images = [*show.plain_answers(labels, chosen)[:6], *surest[:4]]
    samples = [(images.test_images[i], show.said(labels[i], chosen[i])) for i in chosen_images]
    style.wrote(viz.digits(run.model, samples, out / "digit.html"), "a page to draw digits on")
    loss = F.cross_entropy(run.model(x[:100]), labels[:100])
    run.model.zero_grad()
    loss.backward()
    loss.name = "loss"
    for name, what in (("step.svg", "the graph of one step"), ("step.html", "a page that plays it")):
        viz.save(loss, out / name, module=run.model)
        style.wrote(out / name, what)


if __name__ == "__main__":
    style.run(main)
