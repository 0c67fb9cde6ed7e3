"""What all optimizers share: the parameters in vectors, the gradients in vectors, and one `step` over them.

An optimizer of one's own writes `update`, which is its mathematics on vectors, and names in `memory` the
vectors that it keeps from step to step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..arraylike import Value
from ..engine.watch import effect, watching
from .flat import FlatArrays, FlatNumbers


class Optimizer:
    """The base of all optimizers.

    Parameters
    ----------
    params : iterable of Value
        What to learn, as ``model.parameters()`` gives it.  Array parameters of one dtype are moved into one
        vector, of which their `.data` are parts from then on.
    lr : float
        The learning rate.  ``optimizer.lr`` may be changed between steps.

    Raises
    ------
    ValueError
        If there are no parameters, one is listed twice or is the result of an operation, or `lr` is not
        above 0.
    TypeError
        If something is not a Value, or its data are not in NumPy's memory.
    """

    memory: tuple[str, ...] = ()
    """Names of the vectors, 0 at first, that `update` is given and keeps its memory in."""

    def __init__(self, params: Iterable[Value], lr: float) -> None:
        self.params = _checked(params)
        if not lr > 0:
            raise ValueError(f"lr, the learning rate, must be above 0, such as 0.01, and is {lr!r}")
        self.lr = lr
        numbers = [p for p in self.params if type(p.data) is float]
        arrays: dict[Any, list[Value]] = {}
        for p in self.params:
            if type(p.data) is not float:
                arrays.setdefault(p.dtype, []).append(p)
        self._groups: list[FlatArrays | FlatNumbers] = [FlatNumbers(numbers)] if numbers else []
        self._groups += [FlatArrays(values) for values in arrays.values()]
        self._steps = [[0] * len(group.values) for group in self._groups]
        self._memories = [{name: np.zeros_like(g.data) for name in self.memory} for g in self._groups]
        self._scratch = [np.empty_like(group.data) for group in self._groups]

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return self._lr

    @lr.setter
    @effect()
    def lr(self, new: float) -> None:
        new = float(new)
        if not 0 <= new < math.inf:
            raise ValueError(f"lr, the learning rate, must be a number from 0 up, and is {new!r}")
        self._lr = new

    def zero_grad(self) -> None:
        """Forget all gradients: every parameter's `.grad` becomes None."""
        for p in self.params:
            p.grad = None

    @effect(changes="primal")
    def step(self) -> None:
        """Change every parameter that has a gradient, in place; one whose `.grad` is None is left alone.

        Raises
        ------
        ValueError
            If a gradient does not have the shape of its parameter, or a parameter has got another shape.
        TypeError
            If a parameter has got another dtype, or is no longer in NumPy's memory.
        """
        if (watch := watching()) is not None:
            watch.step(self)
        ready = [group.read() for group in self._groups]  # all are checked before any is changed
        for k, group in enumerate(self._groups):
            steps = self._steps[k]
            for first, last in _runs(ready[k], steps):
                part = slice(group.bounds[first], group.bounds[last])
                step = steps[first] + 1
                memory = [vector[part] for vector in self._memories[k].values()]
                self.update(group.data[part], group.gradient[part], self._scratch[k][part], step, *memory)
                steps[first:last] = [step] * (last - first)
                group.write(first, last)

    def update(self, p: Any, g: Any, scratch: Any, step: int, *memory: Any) -> None:
        """Change the vector `p` in place by its gradient `g`.

        Parameters
        ----------
        p, g : array
            Parameters and gradients; `g` may be overwritten.
        scratch : array
            Room for intermediate results.
        step : int
            The number of this step for these parameters, from 1.
        *memory : array
            The vectors named in `memory`, to be updated in place.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update(self, p, g, scratch, step)")

    # Keeping
    def state_dict(self) -> dict[str, Any]:
        """Copies of all that changes from step to step: with the model's own state, training goes on exactly.

        The settings given when the optimizer was made are not part of it.

        Examples
        --------
        >>> from tinygrad_course import Value, optim
        >>> sorted(optim.SGD([Value(1.0)], lr=0.1, momentum=0.9).state_dict())
        ['lr', 'number.steps', 'number.velocity']
        """
        state: dict[str, Any] = {"lr": np.array(self.lr)}
        for name, vector in self._state():
            state[name] = vector.copy()
        return state

    @effect()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`; where an error is raised, nothing has changed.

        Raises
        ------
        ValueError
            If it is the state of another kind of optimizer, or of one for other parameters.
        """
        own = {"lr": np.array(self.lr), **dict(self._state())}
        new = {name: np.asarray(state[name]) for name in own if name in state}
        who = type(self).__name__
        if set(own) != set(state):
            raise ValueError(
                f"load_state_dict: this {who} keeps {', '.join(own)}, and the state has {', '.join(state)}"
            )
        for name, vector in own.items():
            if new[name].shape != vector.shape or new[name].dtype != vector.dtype:
                raise ValueError(
                    f"load_state_dict: {name} of this {who} is {vector.shape} {vector.dtype}, and the "
                    f"state's is {new[name].shape} {new[name].dtype}; it belongs to other parameters"
                )
        self.lr = new["lr"].item()
        for group, memories in zip(self._groups, self._memories):
            for name, vector in memories.items():
                vector[:] = new[f"{group.name}.{name}"]
        self._steps = [new[f"{group.name}.steps"].tolist() for group in self._groups]

    def _state(self) -> Iterator[tuple[str, Any]]:
        for group, steps, memories in zip(self._groups, self._steps, self._memories):
            yield f"{group.name}.steps", np.array(steps)
            for name, vector in memories.items():
                yield f"{group.name}.{name}", vector

    def __repr__(self) -> str:
        return f"{type(self).__name__}({sum(p.size for p in self.params):,} numbers, lr={self.lr:g})"


def _checked(params: Any) -> list[Value]:
    """The parameters as a list, if they are something that can be learned."""
    if not hasattr(params, "__iter__") or hasattr(params, "parameters") or isinstance(params, Value):
        what = "[value]" if isinstance(params, Value) else "model.parameters()"
        what += ", with its brackets" if callable(params) and not hasattr(params, "parameters") else ""
        raise TypeError(
            f"optimizer: expected a list of parameters, got a {type(params).__name__}; give {what}"
        )
    listed = list(params)
    if not listed:
        raise ValueError("optimizer: there are no parameters to learn; does the model have any?")
    seen: set[int] = set()
    for i, p in enumerate(listed):
        if not isinstance(p, Value):
            raise TypeError(
                f"optimizer: parameter {i} is a {type(p).__name__}, not a Value; give model.parameters()"
            )
        if id(p) in seen:
            raise ValueError(
                f"optimizer: parameter {i} ({p.name or p.shape}) is listed twice and would make two steps; "
                "list it once"
            )
        seen.add(id(p))
        if p.row is not None:
            raise ValueError(
                f"optimizer: parameter {i} is the result of {p.row.name}; give the Values it is made from"
            )
        if not isinstance(p.data, (float, np.ndarray)):
            raise TypeError(
                f"optimizer: the data of parameter {i} is a {type(p.data).__name__}; optimizers work in "
                "NumPy's memory and need np.ndarray"
            )
    return listed


def _runs(ready: list[bool], steps: list[int]) -> Iterator[tuple[int, int]]:
    """The longest stretches (first, last) of parameters that are ready and have made equally many steps."""
    if all(ready) and steps.count(steps[0]) == len(steps):
        yield 0, len(ready)
        return
    first = 0
    for i in range(1, len(ready) + 1):
        if i == len(ready) or ready[i] != ready[first] or steps[i] != steps[first]:
            if ready[first]:
                yield first, i
            first = i
