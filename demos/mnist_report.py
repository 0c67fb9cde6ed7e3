"""What `demos/mnist.py` shows when training is over: a confusion matrix, the surest mistakes, and figures."""

from __future__ import annotations

from typing import Any

import style
import numpy as np

INK_LEVEL = 96  # of 255: what counts as inked on a terminal


def confusion(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    """How often each class (row) got each answer (column)."""
    return np.bincount(labels * classes + answers, minlength=classes * classes).reshape(classes, classes)


def surest_mistakes(labels: np.ndarray, probabilities: np.ndarray, n: int) -> np.ndarray:
    """The numbers of the `n` wrong answers that were given with the highest probability."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")[:n]]


def plain_answers(labels: np.ndarray, answers: np.ndarray) -> list[int]:
    """For every class the number of the first image that is answered rightly, where there is one."""
    found = [np.flatnonzero((labels == k) & (answers == k)) for k in range(10)]
    return [int(places[0]) for places in found if places.size]


def said(label: int, answer: int) -> str:
    """What a test image is, and what it was taken for."""
    return f"a test image of a {label}" + (f", which was taken for a {answer}" if answer != label else "")


def print_confusion(counts: np.ndarray) -> None:
    """The confusion matrix as a table; a dot for never."""
    classes = range(len(counts))
    style.heading("Answers (columns) to the digits (rows)")
    style.table(
        ["", *classes, "right %"],
        [
            [i, *("·" if n == 0 else n for n in row), f"{100 * row[i] / max(1, row.sum()):.1f}"]
            for i, row in zip(classes, counts)
        ],
    )


def in_blocks(image: np.ndarray) -> list[str]:
    """An image as lines of half-block signs, two rows of pixels a line."""
    inked = image > INK_LEVEL
    inked = np.vstack([inked, np.zeros((len(inked) % 2, inked.shape[1]), bool)])
    signs = np.array([" ", "▄", "▀", "█"])
    return ["".join(line) for line in signs[2 * inked[0::2] + inked[1::2]]]


def print_mistakes(
    images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, which: np.ndarray
) -> None:
    """The surest mistakes, drawn side by side as far as the terminal is wide."""
    style.heading("The surest mistakes")
    width = images.shape[2] + 2
    together = max(1, style.width() // width)
    for start in range(0, len(which), together):
        some = which[start : start + together]
        titles = [
            f"a {labels[i]}, said {p.argmax()} ({p.max():.1%})" for i, p in zip(some, probabilities[some])
        ]
        print("".join(title.ljust(width) for title in titles).rstrip())
        for lines in zip(*(in_blocks(images[i]) for i in some)):
            print("".join(line.ljust(width) for line in map(style.in_signs, lines)).rstrip())


def draw_curves(figure: Any, history: np.ndarray) -> None:
    """Loss and accuracy epoch by epoch (columns of `history` as in the printed table)."""
    epoch, _, loss, train, test, _ = history.T
    left, right = figure.subplots(1, 2)
    left.plot(epoch, loss, marker="o", markersize=4)
    left.set(xlabel="epoch", ylabel="training loss", title="Loss", ylim=(0, None))
    for accuracy, name, mark in ((train, "training", "o"), (test, "test", "s")):
        right.plot(epoch, 100 * accuracy, marker=mark, markersize=4, label=name)
    right.set(xlabel="epoch", ylabel="right answers in %", title="Accuracy")
    right.legend(loc="lower right")
    for axes in (left, right):
        axes.grid(axis="y")
        axes.xaxis.get_major_locator().set_params(integer=True)


def draw_confusion(figure: Any, counts: np.ndarray) -> None:
    """The confusion matrix; the colour shows the mistakes, the numbers everything."""
    axes = figure.subplots()
    mistakes = counts * (1 - np.eye(len(counts)))
    darkness = np.sqrt(mistakes / max(1, mistakes.max()))
    axes.imshow(darkness, cmap="Oranges")
    for (i, j), n in np.ndenumerate(counts):
        look = {
            "weight": "bold" if i == j else "normal",
            "color": "white" if darkness[i, j] > 0.7 else style.INK,
        }
        if n:
            axes.text(j, i, str(n), ha="center", va="center", fontsize=9, **look)
    axes.set(xlabel="answer", ylabel="digit", title="Confusion matrix")
    axes.set(xticks=range(len(counts)), yticks=range(len(counts)))


def draw_mistakes(
    figure: Any, images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, which: np.ndarray
) -> None:
    """The surest mistakes as images."""
    grid = figure.subplots(3, 8).ravel()
    for axes in grid:
        axes.axis("off")
    for axes, i in zip(grid, which):
        axes.imshow(images[i], cmap="gray_r")
        answer = probabilities[i].argmax()
        axes.set_title(
            f"{labels[i]} as {answer} ({probabilities[i, answer]:.0%})", fontsize=9, weight="normal"
        )
    figure.suptitle("The surest mistakes", weight="bold")


def draw_weights(figure: Any, weights: np.ndarray, shape: tuple[int, int]) -> None:
    """The first layer: each hidden neuron's weights as an image of what it looks for."""
    limit = np.quantile(np.abs(weights), 0.995)
    columns = 20
    grid = figure.subplots(-(-len(weights) // columns), columns).ravel()
    for axes in grid:
        axes.axis("off")
    for axes, w in zip(grid, weights):
        axes.imshow(w.reshape(shape), cmap="PuOr", vmin=-limit, vmax=limit)
    figure.suptitle("First-layer weights of the hidden neurons (orange −, purple +)", weight="bold")
