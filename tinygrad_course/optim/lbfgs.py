"""L-BFGS (Liu and Nocedal 1989): steps that know the curvature from the last gradients, for whole batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..arraylike import Value
from .optimizer import Optimizer
from .settings import number

SUFFICIENT, CURVATURE = 1e-4, 0.9
"""The two numbers of Wolfe's conditions: how much a step must gain, and how much flatter it must end."""


class LBFGS(Optimizer):
    """Newton's method with an inverse Hessian made from the last steps and how the gradient changed in them.

    ``optimizer.step(closure)`` calls `closure` several times: it clears the gradients, computes the loss,
    calls `backward` and gives the loss.

    Parameters
    ----------
    params : iterable of Value
        What to learn, all of one dtype.
    lr : float
        How much of each step is taken (with a line search, where the search begins).
    max_iter : int
        So many steps a call of `step` takes at most.
    max_eval : int, optional
        So many times it calls the closure at most: 5/4 of `max_iter` if not given.
    tolerance_grad : float
        It ends where no entry of the gradient is larger.
    tolerance_change : float
        It ends where neither the loss nor a parameter changes by more.
    history_size : int
        So many steps are remembered.
    line_search_fn : {None, "strong_wolfe"}
        Whether the length of each step is searched for, so that Wolfe's conditions hold (Nocedal and Wright,
        Numerical Optimization, algorithms 3.5 and 3.6).

    Raises
    ------
    ValueError, TypeError
        As `Optimizer`; or if there are groups of parameters or several dtypes, or no such line search.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import Value, optim
    >>> x = Value(np.array([-1.5, 2.0]))
    >>> optimizer = optim.LBFGS([x], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2  # Rosenbrock's valley
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(5):
    ...     loss = optimizer.step(closure)
    >>> x.data.round(3)
    array([1., 1.])
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(f"LBFGS: line_search_fn is None or 'strong_wolfe', not {line_search_fn!r}")
        self.max_iter, self.max_eval = max_iter, max_iter * 5 // 4 if max_eval is None else max_eval
        self.tolerance_grad = number("LBFGS", "tolerance_grad", tolerance_grad, least=0)
        self.tolerance_change = number("LBFGS", "tolerance_change", tolerance_change, least=0)
        self.history_size, self.line_search_fn = history_size, line_search_fn
        super().__init__(params, lr)
        if len({p.dtype for p in self.params}) > 1 or len(self.param_groups) > 1:
            raise ValueError("LBFGS: the parameters are one group of one dtype, as a step is one vector")
        self._forget()

    def _forget(self) -> None:
        self._steps_taken = 0
        self._changes: list[Any] = []  # of the gradient, in each remembered step
        self._moves: list[Any] = []
        self._scale = 1.0
        self._direction = self._gradient_before = np.zeros(sum(p.size for p in self.params))
        self._length = 0.0
        self._loss_before = 0.0

    # The parameters as one vector
    def _gradient(self) -> Any:
        pieces = [np.zeros(p.size) if p.grad is None else np.ravel(p.grad) for p in self.params]
        return np.concatenate(pieces).astype(self.params[0].dtype)

    def _place(self) -> Any:
        return np.concatenate([np.ravel(p.data) for p in self.params])

    def _go(self, place: Any) -> None:
        first = 0
        for p in self.params:
            part = place[first : first + p.size]
            if type(p.data) is float:
                p.data = float(part[0])
            else:
                p.data[...] = part.reshape(p.shape)
            first += p.size

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take up to `max_iter` steps.

        Parameters
        ----------
        closure : callable
            Clears the gradients, computes the loss, calls `backward`, and gives the loss.

        Returns
        -------
        Value or float
            The loss at the beginning.

        Raises
        ------
        TypeError
            If there is no closure.
        """
        if closure is None:
            raise TypeError(
                "LBFGS: step(closure) needs a function that clears the gradients, computes the loss, calls "
                "backward() and gives the loss; it is called several times"
            )
        first = closure()
        loss, g, calls = _number(first), self._gradient(), 1
        if abs(g).max() <= self.tolerance_grad:
            return first
        for iteration in range(1, self.max_iter + 1):
            self._steps_taken += 1
            d = self._downhill(g)
            t = min(1.0, 1.0 / abs(g).sum()) * self.lr if self._steps_taken == 1 else self.lr
            self._gradient_before, self._direction, self._loss_before = g, d, loss
            slope = float(g @ d)
            if slope > -self.tolerance_change:
                self._length = 0.0
                break
            place, last = self._place(), iteration == self.max_iter
            if self.line_search_fn is not None:
                t, loss, g, more = self._searched(closure, place, d, t, loss, slope, g)
                calls += more
                self._go(place + t * d)
            else:
                self._go(place + t * d)
                if not last:
                    loss, g, calls = _number(closure()), self._gradient(), calls + 1
            self._length = t
            flat = abs(g).max() <= self.tolerance_grad
            still = abs(d * t).max() <= self.tolerance_change
            if last or calls >= self.max_eval or flat or still:
                break
            if abs(loss - self._loss_before) < self.tolerance_change:
                break
        return first

    def _downhill(self, g: Any) -> Any:
        """Where to go: minus the gradient, seen through the remembered steps (the two loops of L-BFGS)."""
        if self._steps_taken > 1:
            change, move = g - self._gradient_before, self._direction * self._length
            along = float(change @ move)
            if along > 1e-10:
                self._changes = [*self._changes, change][-self.history_size :]
                self._moves = [*self._moves, move][-self.history_size :]
                self._scale = along / float(change @ change)
        pairs = [(y, s, 1.0 / (y @ s)) for y, s in zip(self._changes, self._moves)]
        d, shares = -g, []
        for y, s, weight in reversed(pairs):
            shares.append(weight * (s @ d))
            d = d - shares[-1] * y
        d = d * self._scale
        for (y, s, weight), share in zip(pairs, reversed(shares)):
            d = d + s * (share - weight * (y @ d))
        return d

    def _searched(
        self,
        closure: Callable[[], Any],
        place: Any,
        d: Any,
        t: float,
        loss: float,
        slope: float,
        g: Any,
    ) -> tuple[float, float, Any, int]:
        """A length that meets Wolfe's conditions, the loss and gradient there, and how often it looked."""
        calls = 0

        def at(length: float) -> tuple[float, float, Any, float]:
            nonlocal calls
            calls += 1
            self._go(place + length * d)
            found = _number(closure())
            gradient = self._gradient()
            return length, found, gradient, float(gradient @ d)

        before = low = (0.0, loss, g, slope)
        high = None
        for trial in range(25):
            here = at(t)
            if here[1] > loss + SUFFICIENT * here[0] * slope or (trial and here[1] >= before[1]):
                low, high = before, here
                break
            if abs(here[3]) <= -CURVATURE * slope:
                return *here[:3], calls
            if here[3] >= 0:
                low, high = here, before
                break
            before, low, t = here, here, 2 * t
        widest = abs(d).max()
        while high is not None and calls < 25 and abs(high[0] - low[0]) * widest > self.tolerance_change:
            here = at(_between(low, high))
            if here[1] > loss + SUFFICIENT * here[0] * slope or here[1] >= low[1]:
                high = here
                continue
            if abs(here[3]) <= -CURVATURE * slope:
                return *here[:3], calls
            high = low if here[3] * (high[0] - low[0]) >= 0 else high
            low = here
        return *low[:3], calls

    def state_dict(self) -> dict[str, Any]:
        """Copies of all that changes from step to step."""
        n = len(self._direction)
        return {
            **super().state_dict(),
            "steps": np.array(self._steps_taken),
            "changes": np.array(self._changes).reshape(-1, n),
            "moves": np.array(self._moves).reshape(-1, n),
            "direction": self._direction.copy(),
            "gradient": self._gradient_before.copy(),
            "numbers": np.array([self._scale, self._length, self._loss_before]),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`; where an error is raised, nothing has changed."""
        own = ("steps", "changes", "moves", "direction", "gradient", "numbers")
        lacking = [name for name in own if name not in state]
        if lacking:
            raise ValueError(f"load_state_dict: the state of an LBFGS has {', '.join(lacking)} too")
        taken = {name: np.array(state[name]) for name in own}
        current = {name: value for name, value in self.state_dict().items() if name in own}
        super().load_state_dict({**state, **current})
        self._steps_taken = int(taken["steps"])
        self._changes, self._moves = list(taken["changes"]), list(taken["moves"])
        self._direction, self._gradient_before = taken["direction"], taken["gradient"]
        self._scale, self._length, self._loss_before = map(float, taken["numbers"])


def _number(loss: Any) -> float:
    return float(loss.item() if hasattr(loss, "item") else loss)


def _between(low: Any, high: Any) -> float:
    """Where the cubic through both ends and their slopes is lowest, kept away from the ends."""
    (a, fa, _, ga), (b, fb, _, gb) = low, high
    bend = ga + gb - 3 * (fa - fb) / (a - b)
    square = bend * bend - ga * gb
    left, right = min(a, b), max(a, b)
    place = (left + right) / 2
    if square >= 0 and np.isfinite(fb):
        root = np.sqrt(square) * np.sign(b - a)
        below = gb - ga + 2 * root
        place = b - (b - a) * (gb + root - bend) / below if below else place
    margin = 0.1 * (right - left)
    return float(min(max(place, left + margin), right - margin))
