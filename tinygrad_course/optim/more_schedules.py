"""More schedules: by milestones, by a function, in waves that begin anew, by how well the model learns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from .effects import effect
from .optimizer import Optimizer
from .schedules import Schedule
from .settings import check_keys, count, number


class MultiStepLR(Schedule):
    """The learning rate times `gamma` at each of `milestones`; one that is listed twice counts twice.

    Examples
    --------
    >>> from tinygrad_course import Value, optim
    >>> optimizer = optim.SGD([Value(1.0)], lr=1.0)
    >>> schedule = optim.MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
    >>> rates = []
    >>> for _ in range(5):
    ...     rates.append(optimizer.lr)
    ...     schedule.step()
    >>> rates
    [1.0, 0.5, 0.5, 0.25, 0.25]
    """

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1) -> None:
        self.milestones = [count("MultiStepLR", "a milestone", m) for m in milestones]
        self.gamma = number("MultiStepLR", "gamma", gamma, least=0)
        super().__init__(optimizer)

    def rate(self, steps: int) -> float:
        times = self.milestones.count(steps)
        return self.optimizer.lr * self.gamma**times


class ExponentialLR(Schedule):
    """The learning rate times `gamma` at every step."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = number("ExponentialLR", "gamma", gamma, least=0)
        super().__init__(optimizer)

    def rate(self, steps: int) -> float:
        return self.optimizer.lr * (self.gamma if steps else 1.0)


class LambdaLR(Schedule):
    """The initial learning rate times a function of the number of steps, whatever other schedules do.

    Examples
    --------
    >>> from tinygrad_course import Value, optim
    >>> optimizer = optim.SGD([Value(1.0)], lr=2.0)
    >>> schedule = optim.LambdaLR(optimizer, lambda steps: 1 / (1 + steps))
    >>> schedule.step()
    >>> optimizer.lr
    1.0
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]) -> None:
        if not callable(lr_lambda):
            raise TypeError(
                f"LambdaLR: lr_lambda is a function of the number of steps, not a {type(lr_lambda).__name__}"
            )
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def rate(self, steps: int) -> float:
        return self.base_lr * self.lr_lambda(steps)


class CosineAnnealingWarmRestarts(Schedule):
    """Half cosine waves from the initial learning rate down to `eta_min`, each followed by the next one.

    The first takes `T_0` steps, and each other one `T_mult` times as many as the one before it (Loshchilov
    and Hutter 2017).
    """

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> None:
        self.T_0 = count("CosineAnnealingWarmRestarts", "T_0", T_0)
        self.T_mult = count("CosineAnnealingWarmRestarts", "T_mult", T_mult)
        self.eta_min = number("CosineAnnealingWarmRestarts", "eta_min", eta_min, least=0)
        super().__init__(optimizer)

    def rate(self, steps: int) -> float:
        length = self.T_0
        while steps >= length:
            steps -= length
            length *= self.T_mult
        return self.eta_min + (self.base_lr - self.eta_min) * (1 + math.cos(math.pi * steps / length)) / 2


class ReduceLROnPlateau(Schedule):
    """The learning rate times `factor` where a loss has not become better for more than `patience` steps.

    ``schedule.step(loss)`` is told the loss, or with ``mode="max"`` an accuracy.

    Parameters
    ----------
    optimizer : Optimizer
        Whose `lr` is set.
    mode : str
        ``"min"`` if less is better, ``"max"`` if more is.
    factor : float
        Below 1.
    patience : int
        So many steps that are no better are waited for.
    threshold : float
        By how much a loss has to be better.
    threshold_mode : str
        ``"rel"``: as a share of the best one; ``"abs"``: as it is.
    cooldown : int
        So many steps after a reduction are not counted.
    min_lr, eps : float
        The learning rate does not go below `min_lr`, and not by less than `eps`.

    Examples
    --------
    >>> from tinygrad_course import Value, optim
    >>> optimizer = optim.SGD([Value(1.0)], lr=1.0)
    >>> schedule = optim.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in [3.0, 2.0, 2.0, 2.0, 1.0]:
    ...     schedule.step(loss)
    ...     print(optimizer.lr, end=" ")
    1.0 1.0 1.0 0.5 0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        who = "ReduceLROnPlateau"
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"{who}: mode is 'min' or 'max', threshold_mode 'rel' or 'abs', not {mode!r} and "
                f"{threshold_mode!r}"
            )
        self.mode, self.threshold_mode = mode, threshold_mode
        self.factor = number(who, "factor", factor, 0, math.nextafter(1, 0))
        self.patience, self.cooldown = (
            int(number(who, *pair, least=0)) for pair in (("patience", patience), ("cooldown", cooldown))
        )
        self.threshold, self.min_lr, self.eps = (
            number(who, name, given, least=0)
            for name, given in (("threshold", threshold), ("min_lr", min_lr), ("eps", eps))
        )
        self._belong_to(optimizer)
        self.start()

    def start(self) -> None:
        """Begin anew: no loss has been seen."""
        self.best = math.inf if self.mode == "min" else -math.inf
        self.steps = self.worse = self.resting = 0

    def _is_better(self, loss: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "abs":
            return sign * loss < sign * self.best - self.threshold
        return sign * loss < sign * self.best * (1 - sign * self.threshold)

    @effect()
    def step(self, metrics: Any) -> None:  # type: ignore[override]
        """Go on by one step, after which the loss was `metrics`."""
        loss = float(metrics.item() if hasattr(metrics, "item") else metrics)
        better = self._is_better(loss)
        best, worse = (loss, 0) if better else (self.best, self.worse + 1)
        resting = max(self.resting - 1, 0)
        worse = 0 if self.resting else worse
        lr = self.optimizer.lr
        if worse > self.patience:
            new = max(lr * self.factor, self.min_lr)
            lr, worse, resting = new if lr - new > self.eps else lr, 0, self.cooldown
        self.optimizer.lr, self.steps, self.best, self.worse, self.resting = (
            lr, self.steps + 1, best, worse, resting,
        )  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule is, for `load_state_dict`."""
        seen = {name: np.array(getattr(self, name)) for name in ("best", "worse", "resting")}
        return {**super().state_dict(), **seen}

    @effect()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, and set the optimizer's learning rate; raises as `Schedule.load_state_dict`."""
        check_keys(type(self).__name__, state, self.state_dict())
        best, worse, resting = float(state["best"]), int(state["worse"]), int(state["resting"])
        super().load_state_dict(state)
        self.best, self.worse, self.resting = best, worse, resting
