"""What is found to be wrong: one class of warnings, and a table of all kinds with their reasons and fixes."""

from __future__ import annotations

import warnings
from typing import NamedTuple

from ..lines import Line


class Kind(NamedTuple):
    """One kind of mistake: why it is one, and what to write instead."""

    reason: str
    fix: str


KINDS = {
    "vanishing-gradient": Kind(
        "So small a gradient hardly changes the layer: it learns next to nothing while the others do.",
        "Look at the operation named here: ReLU for sigmoid and tanh, Kaiming or Xavier initialisation, "
        "normalization, or a connection around it.",
    ),
    "exploding-gradient": Kind(
        "A step along so large a gradient leaves the region for which it was computed, and soon gives nan.",
        "Look at the operation named here: smaller initial weights, scaled inputs and targets, or "
        "optim.clip_grad_norm_ before step().",
    ),
    "dead-relu": Kind(
        "A unit that gives 0 for every sample gets no gradient, so it will never learn again.",
        "A smaller learning rate, a bias that is not far below 0, or nn.LeakyReLU.",
    ),
    "stale-gradient": Kind(
        "backward adds to .grad, and after a step the old gradient belongs to parameters that are gone.",
        "Call optimizer.zero_grad() (or model.zero_grad()) before every backward that follows a step.",
    ),
    "no-gradient": Kind(
        "A parameter without a gradient is not changed by step().",
        "Call loss.backward() before step(), make the optimizer for the model that is trained, and set "
        "requires_grad=False on what shall stay as it is.",
    ),
    "unused-parameter": Kind(
        "The result was not computed from it, so it gets no gradient, or zeros, and is never learned.",
        "Use it in forward, do not go through .numpy(), .item() or .detach() on the way, or take it out.",
    ),
    "broadcast": Kind(
        "NumPy lets every entry of a column (n, 1) meet every entry of (n,): the loss compares each "
        "prediction with all targets, and is lowest where all predictions are the targets' mean.",
        "Give both one shape: prediction.squeeze(-1), or target.reshape(-1, 1).  Where all pairs are meant, "
        "write column - row[None, :].",
    ),
    "growing-graph": Kind(
        "A result remembers what it was computed from, so the graphs of all steps before stay in memory.",
        "Add up and keep numbers: total += loss.item(), losses.append(loss.item()).",
    ),
    "left-the-graph": Kind(
        "A plain number has no record, so no gradient goes through what is computed from it.",
        "Compute with the Value itself; to show the number or keep it, write loss.item().",
    ),
    "not-finite": Kind(
        "From here on the parameters become nan or inf too, and nothing is learned any more.",
        "A smaller learning rate, mostly, or optim.clip_grad_norm_ before step(); blame(model) around the "
        "loop names the operation that it began with.",
    ),
    "double-softmax": Kind(
        "This loss applies the function itself: applied twice, the outputs are flattened and the network "
        "learns slowly and badly.",
        "Give the loss the plain outputs (logits), and use the function only to look at probabilities.",
    ),
    "labels": Kind(
        "The loss is made for targets from 0 to 1 and with others has no lowest value, or one at the wrong "
        "place.",
        "Labels -1 and 1: (labels + 1) / 2.  Class numbers from 0 to n-1: nn.CrossEntropyLoss.",
    ),
    "float64-in-float32": Kind(
        "NumPy computes with the wider of two dtypes: from here on all takes twice the memory and time.",
        "Convert the array once, array.astype(np.float32), or use plain Python numbers for constants.",
    ),
    "training-mode": Kind(
        "Under no_grad a network is being used, not taught, but this layer still behaves as in training: "
        "dropout draws random numbers, batch normalization mixes the samples.",
        "Call model.eval() before, and model.train() afterwards.",
    ),
}
"""Every kind of mistake that `blame` and `lint` warn of, by its id."""


class GradientWarning(UserWarning):
    """A mistake that raises no error but teaches a network the wrong thing, or nothing.

    Attributes
    ----------
    id : str
        The kind of mistake, a key of `tinygrad_course.insight.KINDS`.
    reason, fix : str
        Why it is one, and what to write instead.

    Examples
    --------
    >>> print(GradientWarning("dead-relu", "3 of 8 units gave 0 for all 64 samples"))
    dead-relu: 3 of 8 units gave 0 for all 64 samples
      why: A unit that gives 0 for every sample gets no gradient, so it will never learn again.
      fix: A smaller learning rate, a bias that is not far below 0, or nn.LeakyReLU.
    """

    def __init__(self, id: str, found: str) -> None:
        self.id = id
        self.found = found
        self.reason, self.fix = KINDS[id]
        super().__init__(f"{id}: {found}\n  why: {self.reason}\n  fix: {self.fix}")


def warn(id: str, found: str, line: Line | None) -> None:
    """Issue a `GradientWarning` that points to the user's line."""
    file, number = line or ("<tinygrad_course>", 1)
    warnings.warn_explicit(GradientWarning(id, found), GradientWarning, file, number)
