"""What `demos/gpt.py` shows when training is over: the loss on the way, and what the network wrote."""

import textwrap

import style
import numpy as np


def draw(figure, losses, theirs, held_out, samples):
    """The loss on the way, and what the network wrote after some of the steps."""
    left, right = figure.subplots(1, 2, width_ratios=[1.2, 1])
    left.plot(losses, color=style.SKY, linewidth=0.8, label="each step")
    if theirs is not None:
        left.plot(np.arange(len(theirs))[::50], theirs[::50], "x", color=style.ORANGE, label="PyTorch")
    left.plot(*zip(*held_out.items()), "-o", color=style.INK, markersize=4, label="end of the book, unseen")
    left.set(xlabel="step", ylabel="loss", title="How surprising the next letter is", ylim=(1, 4.6))
    left.legend()
    parts = [f"after {done} steps\n{textwrap.fill(text[:156], 52)}" for done, text in samples.items()]
    right.text(
        0, 1, "\n\n".join(parts), transform=right.transAxes, va="top", family="monospace", fontsize=9.5
    )
    right.axis("off")
