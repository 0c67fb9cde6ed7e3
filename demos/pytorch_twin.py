"""The lecture's MNIST network twice, here and in PyTorch, line for line: same weights, same batches.

Both train for an epoch of the real 60,000 images, and every loss on the way agrees.  Then each takes over the
other's weights.  Without PyTorch ours runs alone, and the demo says what is missing.
"""

import inspect
import time

import style
import numpy as np

from tinygrad_course import data, nn, no_grad, optim

try:
    import torch
except ImportError:
    torch = None


def network_ours():
    return nn.Sequential(
        nn.Linear(784, 100),
        nn.ReLU(),
        nn.Linear(100, 10),
    )


def network_torch():
    return torch.nn.Sequential(
        torch.nn.Linear(784, 100),
        torch.nn.ReLU(),
        torch.nn.Linear(100, 10),
    )


def train_ours(net, batches):
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(net.parameters(), lr=1e-3)
    losses = []
    for images, labels in batches:
        optimizer.zero_grad()
        logits = net(images)
        loss = criterion(logits, labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def train_torch(net, batches):
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    losses = []
    for images, labels in map(tensors, batches):
        optimizer.zero_grad()
        logits = net(images)
        loss = criterion(logits, labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def tensors(arrays):
    """Arrays for PyTorch, in the same memory."""
    return [torch.from_numpy(array) for array in arrays]


def show_code():
    """Print both programs side by side; where they do not fit, one above the other."""
    for pair in ((network_ours, network_torch), (train_ours, train_torch)):
        left, right = (inspect.getsource(function).splitlines() for function in pair)
        middle = max(map(len, left))
        print()
        if middle + max(map(len, right)) + 5 <= style.width():
            print("\n".join(f"  {line:{middle}} │ {twin}" for line, twin in zip(left, right)))
        else:
            print("\n".join([*left, "", *right]))


def timed(train, *args):
    """The losses, and how long they took."""
    start = time.perf_counter()
    losses = train(*args)
    return np.array(losses), time.perf_counter() - start


def predictions_ours(model, images):
    with no_grad():
        return model(images).numpy().argmax(axis=1)


def predictions_torch(model, images):
    with torch.no_grad():
        return model(torch.from_numpy(images)).numpy().argmax(axis=1)


def draw(figure, ours, theirs):
    """Both losses over each other, and their difference."""
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    step = np.arange(1, len(ours) + 1)
    above.plot(step, ours, color=style.BLUE, linewidth=1.2, label="tinygrad_course")
    above.set(ylabel="loss", yscale="log", title="One epoch of MNIST")
    below.set(xlabel="step", ylabel="difference", yscale="log", ylim=(1e-9, 1e-2))
    if theirs is not None:
        above.plot(step[::12], theirs[::12], "x", color=style.ORANGE, label="PyTorch, every 12th step")
        below.plot(step, np.maximum(abs(ours - theirs), 1e-9), color=style.INK, linewidth=1)
    below.axhline(1e-4, color=style.PURPLE, linestyle="--", linewidth=1.2)
    below.text(len(ours), 1.5e-4, "one ten-thousandth", color=style.PURPLE, ha="right", fontsize=10)
    above.legend()
    for axes in (above, below):
        axes.grid(alpha=0.6)


def main(argv=None):
    args = style.Parser(__doc__).parse_args(argv)
    digits = data.mnist()
    pixels = [
        (s.reshape(-1, 784) / 255).astype(np.float32) for s in (digits.train_images, digits.test_images)
    ]
    labels, answers = digits.train_labels.astype(np.int64), digits.test_labels
    batches = list(data.Batches(pixels[0], labels, batch_size=100, seed=args.seed))[
        : 100 if args.quick else None
    ]
    show_code()
    model = network_ours()
    rng = np.random.default_rng(args.seed)
    for p in model.parameters():
        nn.init.uniform_(p, -0.05, 0.05, rng=rng)
    start = {name: array.copy() for name, array in model.state_dict().items()}

    style.heading(f"{len(batches)} steps of 100 images")
    ours, seconds = timed(train_ours, model, batches)
    right = (predictions_ours(model, pixels[1]) == answers).mean()
    rows, theirs = [("tinygrad_course", ours[0], ours[-1], f"{right:.2%}", f"{seconds:.1f}")], None
    if torch is not None:
        torch.set_num_threads(1)
        twin = network_torch()
        twin.load_state_dict(dict(zip(start, tensors(start.values()))))
        theirs, seconds = timed(train_torch, twin, batches)
        right = (predictions_torch(twin, pixels[1]) == answers).mean()
        rows.append(("PyTorch", theirs[0], theirs[-1], f"{right:.2%}", f"{seconds:.1f}"))
    style.table(["", "first loss", "last loss", "test accuracy", "seconds"], rows, digits=6)
    if torch is None:
        style.note("PyTorch is not installed, so ours ran alone (pip install torch)")
    else:
        style.note(f"largest difference of a loss: {abs(ours - theirs).max():.1e}")
        swap(model, twin, pixels[1])
    print()
    style.picture(args.out / "pytorch_twin.png", draw, ours, theirs, size=(9.5, 5.2))
    return ours, theirs


def swap(model, twin, images):
    """Load each network's weights into the other; the predictions must go with them."""
    mine = {name: torch.from_numpy(array.copy()) for name, array in model.state_dict().items()}
    yours = {name: tensor.numpy().copy() for name, tensor in twin.state_dict().items()}
    before = predictions_ours(model, images), predictions_torch(twin, images)
    model.load_state_dict(yours)
    twin.load_state_dict(mine)
    after = predictions_torch(twin, images), predictions_ours(model, images)
    changed = [int((b != a).sum()) for b, a in zip(before, after)]
    style.note(f"state dicts swapped: {changed[0]} and {changed[1]} of {len(images)} predictions differ")


if __name__ == "__main__":
    style.run(main)
