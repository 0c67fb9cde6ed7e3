"""Learning-rate schedules: how large the steps are at the beginning, in between and at the end.

Call ``schedule.step()`` after each epoch, or after each batch if its numbers count batches; it sets
``optimizer.lr``.  A schedule goes on from the learning rate that it finds, so two schedules of one optimizer
multiply: each does its part to what the other left.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .effects import effect
from .optimizer import Optimizer
from .settings import check_keys, count, number


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
        The optimizer's learning rate when its first schedule was made.

    Raises
    ------
    TypeError
        If `optimizer` is none, or a setting is not a number.
    ValueError
        If a setting makes no sense.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self._belong_to(optimizer)
        self.start()

    def _belong_to(self, optimizer: Any) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{type(self).__name__}: a schedule sets the learning rate of an optimizer, which comes "
                f"first, {type(self).__name__}(optimizer, ...); this is a {type(optimizer).__name__}"
            )
        if optimizer.initial_lr is None:
            optimizer.initial_lr = optimizer.lr
        self.optimizer, self.base_lr, self.steps = optimizer, optimizer.initial_lr, 0

    def rate(self, steps: int) -> float:
        """The learning rate after so many steps; ``self.optimizer.lr`` is the one before the last of them.

        What is computed from the latter goes together with other schedules; a rate that is computed from
        `steps` and `base_lr` alone replaces theirs.
        """
        raise NotImplementedError(f"{type(self).__name__} has no rate(self, steps)")

    def start(self) -> None:
        """Go to step 0, from the learning rate as it is."""
        self.optimizer.lr, self.steps = self.rate(0), 0

    @effect()
    def step(self) -> None:
        """Go on by one step and set the optimizer's learning rate."""
        self.optimizer.lr, self.steps = self.rate(self.steps + 1), self.steps + 1

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule is, for `load_state_dict`."""
        return {
            "kind": np.array(type(self).__name__),
            "steps": np.array(self.steps),
            "base_lr": np.array(self.base_lr),
            "lr": np.array(self.optimizer.lr),
        }

    @effect()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, and set the optimizer's learning rate.

        Raises
        ------
        ValueError
            If it is not the state of a schedule of this kind.
        TypeError
            If it is no mapping.
        """
        who = type(self).__name__
        check_keys(who, state, self.state_dict())
        base_lr, lr = (number(who, name, state[name], least=0) for name in ("base_lr", "lr"))
        steps = int(number(who, "steps", state["steps"], least=0))
        self.optimizer.lr, self.base_lr, self.steps = lr, base_lr, steps


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
        self.step_size = count("StepLR", "step_size", step_size)
        self.gamma = number("StepLR", "gamma", gamma, least=0)
        super().__init__(optimizer)

    def rate(self, steps: int) -> float:
        lr = self.optimizer.lr
        return lr if steps == 0 or steps % self.step_size else lr * self.gamma


class CosineAnnealingLR(Schedule):
    """Half a cosine wave from the learning rate down to `eta_min` in `T_max` steps; then up again."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = count("CosineAnnealingLR", "T_max", T_max)
        self.eta_min = number("CosineAnnealingLR", "eta_min", eta_min, least=0)
        super().__init__(optimizer)

    def rate(self, steps: int) -> float:
        lr = self.optimizer.lr
        if steps == 0:
            return lr
        if (steps - 1 - self.T_max) % (2 * self.T_max) == 0:  # the wave is at its lowest, and rises again
            return lr + (self.base_lr - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2
        before, now = (1 + math.cos(math.pi * s / self.T_max) for s in (steps - 1, steps))
        return self.eta_min + (lr - self.eta_min) * now / before


class LinearLR(Schedule):
    """A straight line from `start_factor` to `end_factor` times the learning rate, in `total_iters` steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor = number("LinearLR", "start_factor", start_factor, 0, 1)
        self.end_factor = number("LinearLR", "end_factor", end_factor, 0, 1)
        self.total_iters = count("LinearLR", "total_iters", total_iters)
        if self.start_factor == 0:
            raise ValueError("LinearLR: start_factor must be above 0, from which no factor leads away")
        super().__init__(optimizer)

    def rate(self, steps: int) -> float:
        lr, rise = self.optimizer.lr, self.end_factor - self.start_factor
        if steps == 0:
            return lr * self.start_factor
        if steps > self.total_iters:
            return lr
        return lr * (1 + rise / (self.total_iters * self.start_factor + (steps - 1) * rise))


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
        self.max_lr = number("OneCycleLR", "max_lr", max_lr, least=0)
        self.total_steps = count("OneCycleLR", "total_steps", total_steps)
        self.pct_start = number("OneCycleLR", "pct_start", pct_start, 0, 1)
        self.div_factor = number("OneCycleLR", "div_factor", div_factor, least=1)
        self.final_div_factor = number("OneCycleLR", "final_div_factor", final_div_factor, least=1)
        super().__init__(optimizer)
        optimizer.initial_lr = self.base_lr = optimizer.lr  # where it begins, as in PyTorch

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


class _Several(Schedule):
    """What `SequentialLR` and `ChainedScheduler` share: schedules of one optimizer."""

    def _hold(self, schedulers: Iterable[Schedule], optimizer: Any) -> None:
        who, self.schedules = type(self).__name__, list(schedulers)
        if not self.schedules:
            raise ValueError(f"{who}: give it one schedule at least")
        for i, schedule in enumerate(self.schedules):
            if not isinstance(schedule, Schedule):
                raise TypeError(f"{who}: schedule {i} is a {type(schedule).__name__}, not a schedule")
        optimizer = self.schedules[0].optimizer if optimizer is None else optimizer
        for i, schedule in enumerate(self.schedules):
            if schedule.optimizer is not optimizer:
                raise ValueError(
                    f"{who}: schedule {i}, a {type(schedule).__name__}, belongs to another optimizer; make "
                    "all of them for the same one"
                )
        self._belong_to(optimizer)

    def state_dict(self) -> dict[str, Any]:
        """Where the schedules are, for `load_state_dict`."""
        inside = {str(i): schedule.state_dict() for i, schedule in enumerate(self.schedules)}
        return {**super().state_dict(), "schedules": inside}

    @effect()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, and set the optimizer's learning rate; raises as `Schedule.load_state_dict`."""
        who, before = type(self).__name__, self.state_dict()
        check_keys(who, state, before)
        check_keys(who, {**state["schedules"], "kind": who}, {**before["schedules"], "kind": who})
        try:
            self._load(state)
        except BaseException:
            self._load(before)
            raise

    def _load(self, state: Mapping[str, Any]) -> None:
        for i, schedule in enumerate(self.schedules):
            schedule.load_state_dict(state["schedules"][str(i)])
        super().load_state_dict(state)

    @effect()
    def step(self) -> None:
        """Go on by one step."""
        before = self.state_dict()
        try:
            self._advance(self.steps + 1)
        except BaseException:  # interrupted: all of them go on, or none
            self._load(before)
            raise

    def _advance(self, steps: int) -> None:
        raise NotImplementedError


class SequentialLR(_Several):
    """One schedule after the other: the next one begins, from the initial learning rate, at each milestone.

    Parameters
    ----------
    optimizer : Optimizer
        Whose `lr` is set.
    schedulers : list of Schedule
        In order; all made for this optimizer.
    milestones : list of int
        At which steps the second one begins, the third one, and so on.

    Raises
    ------
    ValueError
        If the milestones do not rise, or are not one fewer than the schedules; or if these belong to another
        optimizer.

    Examples
    --------
    >>> from tinygrad_course import Value, optim
    >>> optimizer = optim.SGD([Value(1.0)], lr=1.0)
    >>> warm_up = optim.LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> cosine = optim.CosineAnnealingLR(optimizer, T_max=2)
    >>> schedule = optim.SequentialLR(optimizer, [warm_up, cosine], milestones=[3])
    >>> rates = []
    >>> for _ in range(6):
    ...     rates.append(round(optimizer.lr, 3))
    ...     schedule.step()
    >>> rates
    [0.25, 0.5, 0.75, 1.0, 0.5, 0.0]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Iterable[Schedule], milestones: Iterable[int]
    ) -> None:
        self._hold(schedulers, optimizer)
        self.milestones = [count("SequentialLR", "a milestone", m) for m in milestones]
        if len(self.milestones) != len(self.schedules) - 1:
            raise ValueError(
                f"SequentialLR: {len(self.schedules)} schedules need {len(self.schedules) - 1} milestones, "
                f"at which the next one begins; there are {len(self.milestones)}"
            )
        if self.milestones != sorted(set(self.milestones)):
            raise ValueError(f"SequentialLR: milestones must rise, and are {self.milestones}")
        optimizer.lr = self.base_lr
        self.start()

    def start(self) -> None:
        """Go to step 0 of the first schedule."""
        self.schedules[0].start()
        self.steps = 0

    def _advance(self, steps: int) -> None:
        schedule = self.schedules[bisect_right(self.milestones, steps)]
        if steps in self.milestones:
            self.optimizer.lr = schedule.base_lr
            schedule.start()
        else:
            schedule.step()
        self.steps = steps


class ChainedScheduler(_Several):
    """Several schedules as one: each does its part at every step, one after the other.

    Parameters
    ----------
    schedulers : list of Schedule
        All made for one optimizer.
    optimizer : Optimizer, optional
        That of the schedules.

    Examples
    --------
    >>> from tinygrad_course import Value, optim
    >>> optimizer = optim.SGD([Value(1.0)], lr=1.0)
    >>> halves = optim.StepLR(optimizer, step_size=1, gamma=0.5)
    >>> tenths = optim.StepLR(optimizer, step_size=2, gamma=0.1)
    >>> schedule = optim.ChainedScheduler([halves, tenths])
    >>> rates = []
    >>> for _ in range(4):
    ...     rates.append(round(optimizer.lr, 4))
    ...     schedule.step()
    >>> rates
    [1.0, 0.5, 0.025, 0.0125]
    """

    def __init__(self, schedulers: Iterable[Schedule], optimizer: Optimizer | None = None) -> None:
        self._hold(schedulers, optimizer)

    def start(self) -> None:
        """Go to step 0 of all schedules."""
        for schedule in self.schedules:
            schedule.start()
        self.steps = 0

    def _advance(self, steps: int) -> None:
        for schedule in self.schedules:
            schedule.step()
        self.steps = steps
