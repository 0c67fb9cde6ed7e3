"""Learning-rate schedules: how large the steps are at the beginning, in between and at the end.

A schedule is a function from the number of its steps to a learning rate.  Call ``schedule.step()`` after each
epoch, or after each batch if its numbers count batches; it sets ``optimizer.lr``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..engine.watch import effect
from .optimizer import Optimizer


class Schedule:
    """The base of all schedules; one of one's own writes `rate`.

    Parameters
    ----------
    optimizer : Optimizer
        Whose `lr` is set, at once and at every step.

    Attributes
    ----------
    steps : int
        How often `step` was called.
    base_lr : float
        The optimizer's learning rate when the schedule was made.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.base_lr = optimizer.lr
        self.steps = 0
        optimizer.lr = self.rate(0)

    def rate(self, steps: int) -> float:
        """The learning rate after so many steps."""
        raise NotImplementedError(f"{type(self).__name__} has no rate(self, steps)")

    @effect()
    def step(self) -> None:
        """Go on by one step and set the optimizer's learning rate."""
        self.steps += 1
        self.optimizer.lr = self.rate(self.steps)

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule is, for `load_state_dict`."""
        return {"steps": np.array(self.steps), "base_lr": np.array(self.base_lr)}

    @effect()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, and set the optimizer's learning rate.

        Raises
        ------
        ValueError
            If it is not the state of a schedule.
        """
        if set(state) != {"steps", "base_lr"}:
            raise ValueError(
                f"load_state_dict: a schedule keeps steps and base_lr, and the state has {', '.join(state)}"
            )
        steps, base_lr = int(state["steps"]), float(state["base_lr"])
        self.steps, self.base_lr = steps, base_lr
        self.optimizer.lr = self.rate(steps)


class StepLR(Schedule):
    """The learning rate times `gamma`, once every `step_size` steps.

    Examples
    --------
    >>> from tinygrad_course import Value, optim
    >>> optimizer = optim.SGD([Value(1.0)], lr=1.0)
    >>> schedule = optim.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for _ in range(5):
    ...     rates.append(optimizer.lr)
    ...     schedule.step()
    >>> rates
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        _at_least_one("step_size", step_size)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def rate(self, steps: int) -> float:
        return self.base_lr * self.gamma ** (steps // self.step_size)


class CosineAnnealingLR(Schedule):
    """Half a cosine wave from the learning rate down to `eta_min` in `T_max` steps; then up again."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        _at_least_one("T_max", T_max)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def rate(self, steps: int) -> float:
        return _cosine(self.base_lr, self.eta_min, steps / self.T_max)


class LinearLR(Schedule):
    """A straight line from `start_factor` to `end_factor` times the learning rate, in `total_iters` steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        _at_least_one("total_iters", total_iters)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer)

    def rate(self, steps: int) -> float:
        share = min(steps / self.total_iters, 1.0)
        return self.base_lr * (self.start_factor + (self.end_factor - self.start_factor) * share)


class OneCycleLR(Schedule):
    """Up to `max_lr` and down again, both as half cosine waves, in `total_steps` steps (Smith 2018).

    It begins at ``max_lr / div_factor``, ends at ``max_lr / div_factor / final_div_factor`` and stays there.
    The optimizer's momentum is left as it is (PyTorch's ``cycle_momentum=False``).

    Parameters
    ----------
    optimizer : Optimizer
        Whose `lr` is set.
    max_lr : float
        The highest learning rate.
    total_steps : int
        How many steps there are, usually batches times epochs.
    pct_start : float
        The share of the steps that go up.
    div_factor, final_div_factor : float
        How far below the beginning and the end are.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float,
        total_steps: int,
        pct_start: float = 0.3,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
    ) -> None:
        _at_least_one("total_steps", total_steps)
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start is from 0 to 1, and not {pct_start}")
        self.max_lr, self.total_steps, self.pct_start = max_lr, total_steps, pct_start
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        super().__init__(optimizer)

    def rate(self, steps: int) -> float:
        first = self.max_lr / self.div_factor
        peak, end = self.pct_start * self.total_steps - 1, self.total_steps - 1
        if steps <= peak and peak > 0:
            return _cosine(first, self.max_lr, steps / peak)
        share = (steps - peak) / (end - peak) if end > peak else 1.0
        return _cosine(self.max_lr, first / self.final_div_factor, min(share, 1.0))


def _cosine(start: float, end: float, share: float) -> float:
    """From `start` to `end` along half a cosine wave, of which `share` is done."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def _at_least_one(name: str, number: int) -> None:
    if number < 1:
        raise ValueError(f"schedule: {name} must be 1 or more, and is {number!r}")
