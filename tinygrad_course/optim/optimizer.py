"""What all optimizers share: the parameters in vectors, the gradients in vectors, and one `step` over them.

An optimizer of one's own writes `update`, which is its mathematics on vectors, and names in `memory` the
vectors that it keeps from step to step.  Those here give the same as a list of NumPy's calls, `passes`.
"""

from __future__ import annotations

import operator
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextvars import copy_context
from itertools import starmap, zip_longest
from typing import Any, TypeVar, cast

import numpy as np

from ..arraylike import Value
from ..blocks import blocks, lined_up
from ..engine.watch import watching
from ..locks import alone, write_at_once
from .effects import effect
from .flat import FlatArrays, FlatNumbers
from .groups import ParameterGroup
from .settings import check_keys, number, parameter_list

Self = TypeVar("Self", bound="Optimizer")
_stepping = threading.RLock()  # one step at a time, whoever shares a model
_quiet = copy_context()  # where what overflows is inf: nothing stops half way
_quiet.run(np.seterr, all="ignore")


class Optimizer:
    """The base of all optimizers.

    Parameters
    ----------
    params : iterable of Value, or of dict
        What to learn, as ``model.parameters()`` gives it.  Array parameters of one dtype are moved into one
        vector, of which their `.data` are parts from then on.  Dicts are groups with settings of their own:
        ``[{"params": a}, {"params": b, "lr": 0.01}]``.
    lr : float
        The learning rate.  ``optimizer.lr`` may be changed between steps; those of groups change in the same
        ratio.

    Raises
    ------
    ValueError
        If there are no parameters, one is listed twice or is the result of an operation, or `lr` is not
        above 0.
    TypeError
        If something is not a Value, its data are not in NumPy's memory, or `lr` is not a number.

    Attributes
    ----------
    params : list of Value
    param_groups : list of ParameterGroup
        One, where none were given.
    initial_lr : float or None
        The learning rate that the first schedule found; what later ones start from, too.
    """

    memory: tuple[str, ...] = ()
    """Names of the vectors, 0 at first, that `update` is given and keeps its memory in."""

    maximize: bool = False
    """Whether steps go up, and not down."""

    def __init__(self, params: Iterable[Value] | Iterable[dict[str, Any]], lr: float) -> None:
        who, given = type(self).__name__, cast(Any, params)
        grouped = isinstance(given, (list, tuple)) and bool(given) and isinstance(given[0], dict)
        settings = [{**g, "params": parameter_list(who, g.get("params"))} for g in given] if grouped else []
        self.params = _checked(who, [p for g in settings for p in g["params"]] if grouped else given)
        self.param_groups: list[ParameterGroup] = []
        self.lr = lr
        if self.lr == 0:
            raise ValueError(f"{type(self).__name__}: lr, the learning rate, must be above 0, such as 0.01")
        self.initial_lr: float | None = None
        self.param_groups = [ParameterGroup(self, g) for g in settings or [{"params": self.params}]]
        self._groups: list[FlatArrays | FlatNumbers] = []
        self._makers: list[Any] = []  # for each of those, what has its settings
        self._names: list[str] = []
        for i, group in enumerate(self.param_groups):
            kinds: dict[Any, list[Value]] = {}
            for p in sorted(group.params, key=lambda p: type(p.data) is not float):
                kinds.setdefault(None if type(p.data) is float else p.dtype, []).append(p)
            flat = [FlatNumbers(v) if kind is None else FlatArrays(v) for kind, v in kinds.items()]
            self._groups += flat
            self._makers += [group.maker] * len(flat)
            self._names += [f"{i}.{one.name}" if i else one.name for one in flat]
        self._steps = [[0] * len(group.values) for group in self._groups]
        self._memories = [
            {name: _zeros(g.gradient) for name in maker.memory}
            for g, maker in zip(self._groups, self._makers)
        ]
        self._scratch = [lined_up(g.gradient.shape, g.gradient.dtype) for g in self._groups]

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return self._lr

    @lr.setter
    @effect()
    def lr(self, new: float) -> None:
        self._lr = number(type(self).__name__, "lr, the learning rate,", new, least=0)

    def emptied(self: Self) -> Self:
        """This optimizer without parameters: nothing but its settings."""
        self.params, self.param_groups = [], []
        self._groups, self._makers, self._names, self._steps, self._memories, self._scratch = ([],) * 6
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients: every parameter's `.grad` becomes None, or zeros."""
        for p in self.params:
            if set_to_none or p.grad is None:
                p.grad = None
            else:
                p.grad = 0.0 if type(p.data) is float else np.zeros_like(p.data)

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
        alone(_stepping, self._step_or_not)

    def _step_or_not(self) -> None:
        """A step of all parameters; where it is interrupted, of none.

        First everything is looked at and made ready.  Then NumPy makes all the calls that change something,
        one after the other: no line of Python stands between them, so nothing interrupts them.
        """
        for parameters in self.param_groups:
            if parameters.maker is not self:
                parameters.maker.lr = parameters["lr"]
        ready = [
            group.read(maker.maximize, together=type(maker).passes is Optimizer.passes)
            for group, maker in zip(self._groups, self._makers)
        ]
        steps = [list(counted) for counted in self._steps]
        calls: list[Any] = []
        changed = []
        for k, group in enumerate(self._groups):
            for first, last in _runs(ready[k], steps[k]):
                step = steps[k][first] + 1
                calls += self._calls(k, first, last, step)
                steps[k][first:last] = [step] * (last - first)
                changed.append((group, first, last))
        made: list[bool] = []

        def publish() -> None:
            self._steps = steps
            for group, first, last in changed:
                group.write(first, last)

        try:
            _quiet.copy().run(_make, [*calls, (made.append, True)])
            publish()
        except BaseException:
            if made:
                publish()
            raise

    def _calls(self, k: int, first: int, last: int, step: int) -> list[Any]:
        """The calls that are a step of some parameters of a group, block by block."""
        group = self._groups[k]
        start, stop = group.bounds[first], group.bounds[last]
        vectors = group.data, group.gradient, self._scratch[k], *self._memories[k].values()
        data, gradient, scratch, *memory = [vector[start:stop] for vector in vectors]
        wide = data.astype(gradient.dtype, copy=False)  # itself, but for float16
        calls = self._makers[k].passes(wide, gradient, scratch, step, *memory)
        if wide is not data:
            calls.append((np.positive, wide, data))
        pieces = [(group.bounds[i] - start, group.gradients[i]) for i in range(first, last)]
        cut = blocks(stop - start, gradient.itemsize)
        if len(cut) == 1:
            return _in_pieces(calls, gradient, pieces)
        return [call for part in cut for call in _of_block(calls, part, scratch, gradient, pieces)]

    def passes(self, p: Any, g: Any, scratch: Any, step: int, *memory: Any) -> list[tuple[Any, ...]]:
        """The calls that change the vector `p` by its gradient `g`; the parameters are those of `update`.

        Each is a ufunc, its arguments and where its result goes: ``(np.subtract, p, g, p)``.  They are made
        when all parameters are ready, and in blocks: this itself changes nothing but `g` and `scratch`.
        """
        new = [vector.copy() for vector in (p, *memory)]
        self.update(new[0], g, scratch, step, *new[1:])
        return [(np.positive, after, before) for after, before in zip(new, (p, *memory))]

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

        The settings given when the optimizer was made are not part of it; what kind of optimizer it is, and
        for which parameters, is noted, so that no other takes it over.

        Examples
        --------
        >>> from tinygrad_course import Value, optim
        >>> sorted(optim.SGD([Value(1.0)], lr=0.1, momentum=0.9).state_dict())
        ['kind', 'lr', 'number.steps', 'number.velocity', 'parameters']
        """
        told = {"kind": np.array(type(self).__name__), "parameters": self._told()}
        return alone(_stepping, lambda: told | {name: np.array(vector) for name, vector in self._state()})

    @effect()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`; where an error is raised, nothing has changed.

        Raises
        ------
        ValueError
            If it is the state of another kind of optimizer, or of one for other parameters: other names,
            dtypes or shapes, or in another order.
        TypeError
            If it is no mapping.
        """
        who = type(self).__name__
        own = self.state_dict()
        check_keys(who, state, own)
        new = {name: np.asarray(state[name]) for name in own}
        pairs = zip_longest(own["parameters"].tolist(), np.atleast_1d(new["parameters"]).tolist())
        for i, (mine, its) in enumerate(pairs):
            if mine != its:
                raise ValueError(
                    f"load_state_dict: the state belongs to other parameters: parameter {i} of this {who} is "
                    f"{mine or 'missing'}, and the state's is {its or 'missing'}"
                )
        for name in [name for name in own if name not in ("kind", "parameters")]:
            if new[name].shape != own[name].shape or new[name].dtype != own[name].dtype:
                raise ValueError(
                    f"load_state_dict: {name} of this {who} is {own[name].shape} {own[name].dtype}, and the "
                    f"state's is {new[name].shape} {new[name].dtype}"
                )
        lr = number(type(self).__name__, "lr, the learning rate,", new["lr"].item(), least=0)
        steps = [new[f"{name}.steps"].tolist() for name in self._names]
        writes: list[tuple[Any, Any, Any]] = [(vars(self), "_lr", lr), (vars(self), "_steps", steps)]
        for name, memories in zip(self._names, self._memories):
            writes += [(vector, ..., new[f"{name}.{part}"]) for part, vector in memories.items()]
        for i, group in enumerate(self.param_groups[1:], 1):
            writes.append((group, "lr", new[f"{i}.lr"].item()))
        alone(_stepping, lambda: write_at_once(writes))

    def _told(self) -> Any:
        """The parameters in words, by which they are known again: ``weight float32 (100, 784)``."""
        told = [f"{p.name or 'parameter'} {p.dtype} {p.shape}" for p in self.params]
        return np.array(told)

    def _state(self) -> Iterator[tuple[str, Any]]:
        yield "lr", self.lr
        for name, steps, memories in zip(self._names, self._steps, self._memories):
            yield f"{name}.steps", np.array(steps)
            for part, vector in memories.items():
                yield f"{name}.{part}", vector
        for i, group in enumerate(self.param_groups[1:], 1):
            yield f"{i}.lr", np.array(group["lr"])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({sum(p.size for p in self.params):,} numbers, lr={self.lr:g})"


def _zeros(like: Any) -> Any:
    zeros = lined_up(like.shape, like.dtype)
    zeros.fill(0)
    return zeros


def _checked(who: str, params: Any) -> list[Value]:
    """The parameters as a list, if they are something that can be learned."""
    listed = parameter_list(who, params)
    seen: set[int] = set()
    for i, p in enumerate(listed):
        if id(p) in seen:
            raise ValueError(
                f"{who}: parameter {i} ({p.name or p.shape}) is listed twice and would make two steps; "
                "list it once"
            )
        seen.add(id(p))
        if p.row is not None:
            raise ValueError(
                f"{who}: parameter {i} is the result of {p.row.name}; give the Values it is made from"
            )
        if not isinstance(p.data, (float, np.ndarray)):
            raise TypeError(
                f"{who}: the data of parameter {i} are a {type(p.data).__name__}; optimizers work in "
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


def _in_pieces(calls: list[Any], gradient: Any, pieces: list[Any]) -> list[Any]:
    """Calls that read gradients where they are, piece by piece, until one writes into the vector `gradient`.

    A piece is where it begins in the vector, and the gradient there.
    """
    made: list[Any] = []
    for i, call in enumerate(calls):
        if call[1] is gradient or call[-2] is gradient:
            for start, g in pieces:
                part = slice(start, start + len(g))
                read = [g if a is gradient else a[part] if a.ndim else a for a in call[1:-1]]
                made.append((call[0], *read, call[-1][part]))
        else:
            made.append(call)
        if call[-1] is gradient:
            return made + calls[i + 1 :]
    return made


def _of_block(calls: list[Any], part: slice, scratch: Any, gradient: Any, pieces: list[Any]) -> list[Any]:
    """Calls on vectors as calls on one part of each; `scratch` may be the same for all parts."""
    start, stop = part.start, part.stop
    cut: dict[int, Any] = {id(scratch): scratch[: stop - start], id(gradient): gradient[part]}
    made = []
    for function, *arrays in calls:
        for a in arrays:
            if id(a) not in cut:
                cut[id(a)] = a[part] if a.ndim else a
        made.append((function, *[cut[id(a)] for a in arrays]))
    here = [(max(at - start, 0), g[max(start - at, 0) : stop - at]) for at, g in pieces if at < stop]
    return _in_pieces(made, cut[id(gradient)], [(at, g) for at, g in here if len(g)])


def _make(calls: list[Any]) -> None:
    """Make `calls`, each a function and its arguments."""
    deque(starmap(operator.call, calls), maxlen=0)
