"""The lecture's network learns MNIST on a cluster: two processes have half of the images each, and keep them.

    python demos/mnist_dask.py           two workers on this machine, and one process alone beside them
    python demos/mnist_dask.py --kill    one of the workers is killed in the middle of a step

At each step a worker computes the gradient of its half of the batch.  The mean of both goes to the optimizer,
and the new weights go back; images never travel.  The losses are those of one process that has all images.
Dask starts another worker for one that is gone, makes its images there again, and the numbers do not change.
"""

import importlib.util
import os
import signal
import threading
import time

import style
import numpy as np

from tinygrad_course import compile, data, nn, no_grad, optim, parallel
from tinygrad_course.nn import functional as F

try:
    from distributed import Client, LocalCluster
except ImportError:
    Client = None

WORKERS, BATCH = 2, 1000
QUIET = 60  # above all levels of logging: a killed worker is told by the table


def part(k, size):
    """The images and labels that worker `k` keeps: every second one of so many."""
    digits = data.mnist()
    rows = slice(k, size, WORKERS)
    return digits.train_images[rows].reshape(-1, 784), digits.train_labels[rows].astype(np.int64)


def batch(part, k, seed, epoch, step):
    """The part's share of a batch; float64, so that both trainings can be compared to the last digits."""
    images, labels = part
    order = np.random.default_rng([seed, epoch, k]).permutation(len(labels))
    rows = order[step * BATCH // WORKERS : (step + 1) * BATCH // WORKERS]
    return images[rows] / 255.0, labels[rows]


def loss(model, images, labels):
    return F.cross_entropy(model(images), labels)


class Alone:
    """One process that has all images."""

    def __init__(self, model, size):
        self.model, self.loss = model, compile(loss)
        self.parts = [part(k, size) for k in range(WORKERS)]

    def value_and_grad(self, *when):
        shares = [batch(part, k, *when) for k, part in enumerate(self.parts)]
        value = self.loss(self.model, *map(np.concatenate, zip(*shares)))
        self.model.zero_grad()
        value.backward()
        return value.item(), [p.grad for p in self.model.parameters()]


class Shared:
    """Workers that have a part each; where it is lost, Dask makes it again."""

    def __init__(self, model, size, client):
        self.client = client
        self.parts = client.map(part, range(WORKERS), size=size, pure=False)
        self.over = parallel.value_and_grad(compile(loss), model, client)

    def value_and_grad(self, *when):
        shares = [self.client.submit(batch, part, k, *when, pure=False) for k, part in enumerate(self.parts)]
        return self.over(shares)

    def kill_one(self):
        """Kill a worker a moment from now, as a machine may fail: no warning, in the middle of its work."""
        process = min(self.client.run(os.getpid).values())
        threading.Timer(0.005, os.kill, (process, signal.SIGKILL)).start()


def train(trainer, model, args, steps, title, before=lambda epoch, step: None):
    """The losses of all steps, and the seconds of each epoch."""
    optimizer = optim.Adam(model.parameters(), lr=0.002)
    losses, seconds = np.zeros((args.epochs, steps)), []
    with style.progress(title, args.epochs * steps) as done:
        for epoch in range(args.epochs):
            start = time.perf_counter()
            for step in range(steps):
                before(epoch, step)
                losses[epoch, step], gradients = trainer.value_and_grad(args.seed, epoch, step)
                for p, gradient in zip(model.parameters(), gradients):
                    p.grad = gradient
                optimizer.step()
                done(epoch * steps + step + 1)
            seconds.append(time.perf_counter() - start)
    return losses, seconds


def accuracy(model):
    digits = data.mnist()
    with no_grad():
        logits = model(digits.test_images.reshape(-1, 784) / 255.0).numpy()
    return (logits.argmax(axis=1) == digits.test_labels).mean()


def draw(figure, alone, shared, killed):
    """Both losses over each other, and their difference."""
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    step = np.arange(1, alone.size + 1)
    above.plot(step, alone.ravel(), color=style.BLUE, label="one process")
    above.plot(step[::6], shared.ravel()[::6], "x", color=style.ORANGE, label="two workers, every 6th step")
    above.set(ylabel="loss", yscale="log", title="MNIST, 1000 images a step")
    below.plot(step, np.maximum(abs(alone - shared).ravel(), 1e-18), color=style.INK, linewidth=1)
    below.axhline(1e-6, color=style.PURPLE, linestyle="--", linewidth=1.2)
    below.text(1, 1.5e-6, "one millionth", color=style.PURPLE, va="bottom", fontsize=10)
    below.set(xlabel="step", ylabel="difference", yscale="log", ylim=(1e-18, 1e-4))
    for axes in (above, below):
        axes.grid(alpha=0.6)
        if killed is not None:
            label = "a worker is killed" if axes is above else None
            axes.axvline(killed, color=style.GREEN, linestyle=":", label=label)
    above.legend()


def main(argv=None):
    parser = style.Parser(__doc__)
    parser.add_argument("--kill", action="store_true", help="kill a worker in the middle of an epoch")
    parser.add_argument("--epochs", type=int, help="passes over the images (4)")
    args = parser.parse_args(argv)
    if Client is None:
        style.note("left out: this demo needs Dask (pip install 'tinygrad_course[dask]')")
        return None
    args.epochs = args.epochs or (1 if args.quick else 4)
    size = 12_000 if args.quick else 60_000
    steps = size // BATCH
    models = [nn.MnistMLP(rng=args.seed, dtype=np.float64) for _ in range(2)]
    last = (args.epochs - 1, steps // 2)
    with (
        LocalCluster(WORKERS, threads_per_worker=1, dashboard_address=":0", silence_logs=QUIET) as cluster,
        Client(cluster) as client,
    ):
        there = importlib.util.find_spec("bokeh") is not None
        needs = "" if there else " (that page needs bokeh)"
        style.note(f"{WORKERS} workers; watch them at {client.dashboard_link}{needs}")
        shared = Shared(models[1], size, client)
        strike = lambda *when: shared.kill_one() if args.kill and when == last else None
        ours, its = train(shared, models[1], args, steps, f"{WORKERS} workers", strike)
    alone, time_alone = train(Alone(models[0], size), models[0], args, steps, "one process")

    style.heading(f"{args.epochs * steps} steps of {BATCH} images")
    rows = [
        (k + 1, a.mean(), o.mean(), f"{abs(a - o).max():.0e}", f"{s:.1f}", f"{t:.1f}")
        for k, (a, o, s, t) in enumerate(zip(alone, ours, time_alone, its))
    ]
    header = ("epoch", "loss alone", f"of {WORKERS} workers", "difference", "seconds", "theirs")
    style.table(header, rows, digits=6)
    killed = last[0] * steps + last[1] + 1 if args.kill else None
    if killed is not None:
        style.note(f"In step {killed} one of the workers was killed; another was started in its place.")
    right = [accuracy(model) for model in models]
    style.note(
        f"Largest difference of a loss: {abs(alone - ours).max():.1e}. Test accuracy: {right[0]:.2%} alone, "
        f"{right[1]:.2%} on the cluster."
    )
    print()
    style.picture(args.out / "mnist_dask.png", draw, alone, ours, killed, size=(9.5, 5.2))
    return alone, ours


if __name__ == "__main__":
    style.run(main)
