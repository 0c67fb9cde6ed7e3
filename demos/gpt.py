"""A small GPT learns to write like a book, letter by letter: Alice's Adventures in Wonderland.

It reads the letters before and says how probable each letter is as the next one.  Every place asks the places
before it (attention), then thinks for itself (a layer of neurons), two times.  The network is written once,
for this library and for PyTorch; with --torch it learns there too, from the same weights and batches.

The text, alice.txt, is Lewis Carroll's book of 1865, whose copyright has expired: edition 2.9 of Project
Gutenberg, as the Canterbury corpus has it.
"""

import time
from pathlib import Path

import style
import gpt_report
import numpy as np

from tinygrad_course import compile, nn, no_grad, optim

try:
    import torch
except ImportError:
    torch = None

BOOK = Path(__file__).parent / "alice.txt"
CONTEXT, WIDTH, INNER, HEADS, DEPTH, BATCH, RATE = 64, 64, 256, 4, 2, 16, 6e-3
WATCHED = (0, 50, 200, 1000, 2000)  # steps after which it writes something


def gpt(nn, letters):
    """The network, from letters (batch, places) to logits (batch, places, letters); `nn` is either."""

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
            self.ask, self.answer = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.think = nn.Sequential(nn.Linear(WIDTH, INNER), nn.GELU("tanh"), nn.Linear(INNER, WIDTH))

        def forward(self, x):
            batch, places, _ = x.shape
            asked = self.ask(self.norm1(x)).reshape(batch, places, 3, HEADS, WIDTH // HEADS)
            query, key, value = (asked[:, :, i].swapaxes(1, 2) for i in range(3))
            told = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
            x = x + self.answer(told.swapaxes(1, 2).reshape(batch, places, WIDTH))
            return x + self.think(self.norm2(x))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.letters, self.places = nn.Embedding(letters, WIDTH), nn.Embedding(CONTEXT, WIDTH)
            blocks, end = [Block() for _ in range(DEPTH)], nn.Linear(WIDTH, letters)
            self.body = nn.Sequential(*blocks, nn.LayerNorm(WIDTH), end)

        def forward(self, text):
            return self.body(self.letters(text) + self.places.weight[: text.shape[1]])

    return GPT()


def begin(letters, seed):
    """Our network with its first weights."""
    net, rng = gpt(nn, letters), np.random.default_rng(seed)
    for name, p in net.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(p)
        elif p.ndim > 1:
            nn.init.normal_(p, std=0.05, rng=rng)
    return net


def read():
    """The book as numbers of letters, and the letters; a line a paragraph."""
    text = "\n".join(" ".join(part.split()) for part in BOOK.read_text("ascii").split("\n\n"))
    letters = sorted(set(text))
    return np.array([letters.index(letter) for letter in text]), letters


def batch(text, rng, size=BATCH):
    """Pieces of the text, and for each of their letters the one that follows."""
    pieces = text[rng.integers(len(text) - CONTEXT, size=(size, 1)) + np.arange(CONTEXT + 1)]
    return pieces[:, :-1], pieces[:, 1:]


def loss_of(nn, net, x, y):
    """How surprising the letters that follow are, in the mean."""
    return nn.functional.cross_entropy(net(x).flatten(0, 1), y.flatten())


def train(nn, optim, net, made, text, seed, steps, look=lambda done: None):
    """Learn, in the words of both libraries, and look between the steps; gives losses and seconds.

    The step is the one that is `made` of the plain one: compiled, or one that takes NumPy's arrays.
    """
    optimizer = optim.AdamW(net.parameters(), lr=RATE)
    rng, losses, seconds = np.random.default_rng(seed), [], 0.0

    @made
    def step(x, y):
        optimizer.zero_grad()
        loss = loss_of(nn, net, x, y)
        loss.backward()
        optimizer.step()
        return loss

    with style.progress("step", steps) as bar:
        for done in range(steps):
            look(done)
            optimizer.param_groups[0]["lr"] = RATE * min((done + 1) / 200, 1 - done / steps)
            start = time.process_time()
            losses.append(step(*batch(text, rng)).item())
            seconds += time.process_time() - start
            bar(done + 1)
    look(steps)
    return np.array(losses), seconds


def train_torch(net, letters, *how):
    """The same network in PyTorch, from the same weights, on the same pieces of text, on one core."""
    torch.set_num_threads(1)
    twin = gpt(torch.nn, letters)
    twin.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in net.state_dict().items()})
    return train(torch.nn, torch.optim, twin, lambda step: lambda *xy: step(*map(torch.from_numpy, xy)), *how)


def write(net, letters, seed, length, text="Alice "):
    """Go on with a text; letters are drawn as the network says, the likely ones a bit more often."""
    rng, numbers = np.random.default_rng(seed), [letters.index(letter) for letter in text]
    with no_grad():
        while len(numbers) < length:
            z = net(np.array([numbers[-CONTEXT:]])).numpy()[0, -1] / 0.8
            p = np.exp(z - z.max(), dtype=float)
            numbers.append(int(rng.choice(len(letters), p=p / p.sum())))
    return "".join(letters[n] for n in numbers)


def main(argv=None):
    parser = style.Parser(__doc__)
    parser.add_argument("--torch", action="store_true", help="learn the same in PyTorch, and compare")
    args = parser.parse_args(argv)
    if args.torch and torch is None:
        parser.error("--torch needs PyTorch (pip install torch)")
    text, letters = read()
    known, unseen = np.split(text, [len(text) * 9 // 10])
    net, held_out, samples = begin(len(letters), args.seed), {}, {}
    style.note(f"{len(known):,} letters to learn from, {sum(p.size for p in net.parameters()):,} parameters")

    def look(done):
        if done in WATCHED:
            held_out[done] = loss_of(nn, net, *batch(unseen, np.random.default_rng(0), 100)).item()
            samples[done] = write(net, letters, args.seed, 400 if done == steps else 180)

    theirs, rows, steps = None, [], WATCHED[1] if args.quick else WATCHED[-1]
    if args.torch:
        theirs, seconds = train_torch(net, len(letters), known, args.seed, steps)
        rows = [("PyTorch", theirs[0], theirs[-50:].mean(), "", f"{seconds:.1f}")]
    losses, seconds = train(nn, optim, net, compile, known, args.seed, steps, look)
    ours = ("tinygrad_course", losses[0], losses[-50:].mean(), held_out[steps], f"{seconds:.1f}")
    for done, sample in samples.items():
        style.heading(f"Written after {done} steps")
        for paragraph in sample.split("\n"):
            style.note(paragraph)
    style.heading(f"Loss in {steps} steps of {BATCH} × {CONTEXT} letters")
    style.table(["", "first", "last 50", "unseen", "CPU s"], [ours, *rows])
    print()
    style.picture(args.out / "gpt.png", gpt_report.draw, losses, theirs, held_out, samples, size=(11.5, 5.2))
    return losses, theirs


if __name__ == "__main__":
    style.run(main)
