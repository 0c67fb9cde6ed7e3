"""Module: a part of a network, which knows its parameters and the modules inside it.

There is no list to keep: whatever a module holds as an attribute belongs to it, in the order in which it was
first assigned.  A `Value` that was not computed from others and requires a gradient is a parameter, and stays
one when it is frozen; other constants, such as a state that ``h.detach()`` gave, are only remembered.  A
`Module` is a part, and lists, tuples and dicts are searched for both.  Names are made as PyTorch makes them:
``layers.0.neurons.1.w.0``.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..arraylike import Value
from ..later import in_a_notebook
from ..lines import point, pointing
from .arguments import check_call
from .everywhere import Everywhere

DEEPEST = 50
"""So many modules inside one another are shown by `repr`."""

Self = TypeVar("Self", bound="Module")
Taken = ParamSpec("Taken")
Given = TypeVar("Given", covariant=True)


class Loaded(NamedTuple):
    """What `load_state_dict` did not find in a state, and what it left alone there."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Forward(Protocol[Taken, Given]):
    """What has a `forward`: for type checkers, which so know what calling a module takes and gives."""

    def forward(self, *inputs: Taken.args, **options: Taken.kwargs) -> Given: ...


class Module(Everywhere):
    """A part of a network: assign parameters and modules as attributes, and write `forward`.

    Calling the module calls `forward`.  ``super().__init__()`` is not needed.

    Attributes
    ----------
    training : bool
        Set by `train` and `eval`, for parts that behave differently while learning.

    Examples
    --------
    >>> from tinygrad_course import Value, nn
    >>> class Line(nn.Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...
    ...     def forward(self, x):
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> line(3.0).item()
    7.0
    >>> [name for name, _ in line.named_parameters()]
    ['slope', 'offset']
    """

    training: bool = True
    buffer_names: tuple[str, ...] = ()
    _learned: frozenset[str] = frozenset()  # names of Values that require a gradient, or did before

    def __new__(cls: type[Self], *given: Any, **settings: Any) -> Self:
        if given or settings:
            pointing(check_call)(cls, given, settings)
        return super().__new__(cls)

    def __setattr__(self, name: str, thing: Any) -> None:
        super().__setattr__(name, thing)
        for place, part in _found(name, thing):
            self._learns(place, part)

    def __call__(self: Forward[Taken, Given], *inputs: Taken.args, **options: Taken.kwargs) -> Given:
        try:
            hooks = getattr(self, "_hooks", None)
            if hooks is None:
                given = self.forward(*inputs, **options)
            else:
                given = hooks.call(self, inputs, options)
            if given is None:
                raise TypeError(
                    f"{type(self).__name__}.forward gave nothing: end it with return and what it has computed"
                )
            return given
        except Exception as error:
            point(error)
            raise

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Compute the output.  Every module of one's own defines this.

        Raises
        ------
        NotImplementedError
            If it does not.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no forward: write def forward(self, x): ... to say what it computes"
        )

    # What it is made of
    def named_modules(self) -> list[tuple[str, Module]]:
        """This module, named ``""``, and all modules inside it with their names, each once."""
        return [(name, module) for name, module, first in self._places() if first is None]

    def _places(self) -> Iterator[tuple[str, Module, str | None]]:
        """Every place of a module in this one: its name, and the first one if the module has one already."""
        seen: dict[int, str] = {}
        waiting: list[tuple[str, Module]] = [("", self)]
        while waiting:
            name, module = waiting.pop()
            yield name, module, seen.get(id(module))
            if id(module) not in seen:
                seen[id(module)] = name
                prefix = f"{name}." if name else ""
                inside = [(prefix + key, part) for key, part in module._children()]
                waiting.extend(reversed(inside))

    def named_parameters(self) -> list[tuple[str, Value]]:
        """The parameters with their names, in the order of assignment; one that is shared is listed once."""
        first: dict[int, tuple[str, Value]] = {}
        for name, value in self._named_values():
            first.setdefault(id(value), (name, value))
        return list(first.values())

    def parameters(self) -> list[Value]:
        """The parameters, in the order of assignment.

        One with ``requires_grad=False`` is frozen: it is listed, saved and loaded, but not learned.

        Raises
        ------
        TypeError
            If a module holds parameters in a set, which has no order.
        """
        return [value for _, value in self.named_parameters()]

    def register_buffer(self, name: str, array: Any) -> None:
        """Assign `array` as an attribute that is saved and loaded with the module, but never learned.

        For what a module remembers without a gradient, such as running statistics.

        Examples
        --------
        >>> import numpy as np
        >>> from tinygrad_course import nn
        >>> counter = nn.Module()
        >>> counter.register_buffer("seen", np.zeros(1))
        >>> counter.state_dict()
        {'seen': array([0.])}
        """
        setattr(self, name, array if hasattr(array, "dtype") else np.asarray(array))
        if name not in self.buffer_names:
            self.buffer_names = (*self.buffer_names, name)

    def _members(self) -> Iterator[tuple[str, Any]]:
        """The Values and Modules among the attributes, also those in lists, tuples and dicts."""
        for attribute, thing in vars(self).items():
            for name, part in _found(attribute, thing):
                if isinstance(part, (set, frozenset)):
                    raise TypeError(
                        f"{type(self).__name__}.{name} is a set of parameters or modules, which has no order "
                        "to name them in; use a list"
                    )
                yield name, part

    def _children(self) -> Iterator[tuple[str, Module]]:
        return ((name, part) for name, part in self._members() if isinstance(part, Module))

    def _named_values(self) -> Iterator[tuple[str, Value]]:
        """Every name that a parameter has."""
        for prefix, module in self.named_modules():
            for name, value in module._own_values():
                yield (f"{prefix}.{name}" if prefix else name), value

    def _own_values(self) -> Iterator[tuple[str, Value]]:
        """The parameters that are held here, and not by a module inside."""
        return ((name, part) for name, part in self._members() if self._learns(name, part))

    def _learns(self, name: str, part: Any) -> bool:
        """Whether `part` is a parameter: it requires a gradient, or did before it was frozen."""
        if not isinstance(part, Value) or part.row is not None:
            return False
        if part.requires_grad and name not in self._learned:
            super().__setattr__("_learned", self._learned | {name})
        return name in self._learned

    def _named_buffers(self) -> Iterator[tuple[str, Module, str]]:
        for prefix, module in self.named_modules():
            for name in module.buffer_names:
                yield (f"{prefix}.{name}" if prefix else name), module, name

    # Learning
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients: every parameter's `.grad` becomes None, or zeros."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = 0.0 if type(parameter.data) is float else np.zeros_like(parameter.data)

    def train(self: Self, mode: bool = True) -> Self:
        """Switch this module and all inside it to learning; returns the module."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self: Self) -> Self:
        """Switch this module and all inside it to being used; returns the module."""
        return self.train(False)

    # Keeping
    def state_dict(self, *, prefix: str = "") -> dict[str, NDArray[Any]]:
        """Copies of all parameters and buffers by name, for `save` and `load_state_dict`.

        Parameters
        ----------
        prefix : str
            What all names are to begin with.

        Raises
        ------
        ValueError
            If two parameters would have the same name.

        Examples
        --------
        >>> from tinygrad_course import nn
        >>> {name: array.shape for name, array in nn.Linear(3, 2).state_dict().items()}
        {'weight': (2, 3), 'bias': (2,)}
        """
        state: dict[str, NDArray[Any]] = {}
        for name, data in self._state():
            name = prefix + name
            if name in state:
                raise ValueError(
                    f"state_dict: two parameters of {type(self).__name__} are named {name!r}; rename a key"
                )
            state[name] = np.array(data) if type(data) is float else data.copy()
        return state

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> Loaded:
        """Take over the parameters and buffers of `state`, which must have exactly this module's.

        Everything is checked first: where an error is raised, the module is as it was.

        Parameters
        ----------
        state : mapping of str to array
            As `state_dict` gives it; PyTorch's arrays fit too (``{k: t.numpy() for k, t in ...}``).
        strict : bool
            With False, those that `state` lacks stay as they are, and what it has besides is left alone.

        Returns
        -------
        Loaded
            ``missing_keys`` and ``unexpected_keys``, two lists.

        Raises
        ------
        ValueError
            If names are missing or unknown, or a shape is wrong.
        TypeError
            If `state` is no mapping, or an entry has another dtype or is no array.
        """
        who = type(self).__name__
        if not isinstance(state, Mapping):
            read = "; read the file first: load_state_dict(nn.load(path))"
            raise TypeError(
                f"load_state_dict: a {who} takes over a dict of names and arrays, as its state_dict() gives "
                f"it, not a {type(state).__name__}" + (read if isinstance(state, (str, os.PathLike)) else "")
            )
        own = dict(self._state())
        missing, unknown = [k for k in own if k not in state], [k for k in state if k not in own]
        if strict and (missing or unknown):
            what = [f"{len(missing)} missing ({_few(missing)})"] if missing else []
            what += [f"{len(unknown)} that it does not have ({_few(unknown)})"] if unknown else []
            raise ValueError(
                f"load_state_dict: the names are not those of this {who}: {' and '.join(what)}; "
                "build the module as it was when its state was saved, or give strict=False to take what fits"
            )
        found = {name: _fitting(who, name, state[name], own[name]) for name in own if name in state}
        self._replace({**own, **found})
        return Loaded(missing, unknown)

    def _replace(self, new: Mapping[str, Any]) -> None:
        """Take over all of a state, or nothing where that is interrupted."""
        own = dict(self._state())
        try:
            self._take(new)
        except BaseException:
            self._take(own)
            raise

    def _take(self, state: Mapping[str, Any]) -> None:
        for name, value in self._named_values():
            value.data = state[name].item() if type(value.data) is float else state[name]
        for name, module, attribute in self._named_buffers():
            setattr(module, attribute, state[name])

    def _state(self) -> Iterator[tuple[str, Any]]:
        for name, value in self._named_values():
            yield name, value.data
        for name, module, attribute in self._named_buffers():
            yield name, getattr(module, attribute)

    # Showing
    def extra_repr(self) -> str:
        """What the module says about itself in `repr`, between its brackets."""
        return ""

    _repr_mimebundle_ = in_a_notebook

    def __repr__(self) -> str:
        return self._text(frozenset())

    def _text(self, outside: frozenset[int]) -> str:
        """The indented text; `outside` are the modules around it, which may be many, or contain it."""
        if id(self) in outside or len(outside) == DEEPEST:
            return f"{type(self).__name__}(...)"
        outside |= {id(self)}
        lines = [line for line in [self.extra_repr()] if line]
        parts = [(name, part._text(outside)) for name, part in self._children()]
        if not parts:
            return f"{type(self).__name__}({''.join(lines)})"
        for name, n, text in _repeats(parts):
            times = f"{n} × " if n > 1 else ""
            lines.append(f"({name}): {times}{text}".replace("\n", "\n  "))
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"

    def summary(self) -> str:
        """A table of the modules: what each holds, in which shapes, and how many numbers that is.

        Examples
        --------
        >>> from tinygrad_course import nn
        >>> print(nn.MnistMLP().summary())
        module           parameters                        numbers
        hidden: Linear   weight (100, 784), bias (100,)     78,500
        output: Linear   weight (10, 100), bias (10,)        1,010
        MnistMLP         total                              79,510
        """
        counted: set[int] = set()
        found: list[tuple[str, tuple[str, str, int]]] = []
        for name, module, first in self._places():
            values = list(module._own_values())
            if first is not None and module.parameters():
                found.append((name, (type(module).__name__, f"those of {first or 'the whole'}", 0)))
            elif values or (name and not any(True for _ in module._children())):
                shapes = _repeats([(n, str(v.shape) if v.shape else "number") for n, v in values])
                text = ", ".join(f"{n} {count} × {s}" if count > 1 else f"{n} {s}" for n, count, s in shapes)
                fresh = {id(v): v.size for _, v in values if id(v) not in counted}
                counted |= set(fresh)
                found.append((name, (type(module).__name__, text or "–", sum(fresh.values()))))
        rows = [("module", "parameters", "numbers")]
        for name, n, (kind, text, size) in _repeats(found):
            times = f"{n} × " if n > 1 else ""
            rows.append((f"{name}: {times}{kind}" if name else kind, text, f"{n * size:,}"))
        parameters = self.parameters()
        rows.append((type(self).__name__, "total", f"{sum(p.size for p in parameters):,}"))
        frozen = sum(p.size for p in parameters if not p.requires_grad)
        if frozen:
            rows.append(("", "of which frozen", f"{frozen:,}"))
        wide = [max(len(row[i]) for row in rows) for i in range(3)]
        return "\n".join(f"{a:{wide[0]}}   {b:{wide[1]}}   {c:>{wide[2]}}" for a, b, c in rows)


def _found(name: str, thing: Any) -> Iterator[tuple[str, Any]]:
    """The Values and Modules in `thing`, and sets of them, with their names."""
    waiting, around = [iter([(name, thing)])], [0]  # the ids of the containers that are being searched
    while waiting:
        name, thing = next(waiting[-1], ("", waiting))
        if thing is waiting:  # the innermost container is at its end
            waiting.pop()
            around.pop()
        elif isinstance(thing, (Value, Module)):
            yield name, thing
        elif isinstance(thing, (dict, list, tuple)) and id(thing) not in around:
            parts = list(thing.items() if isinstance(thing, dict) else enumerate(thing))
            waiting.append(iter([(f"{name}.{key}", part) for key, part in parts]))
            around.append(id(thing))
        elif isinstance(thing, (set, frozenset)) and any(isinstance(i, (Value, Module)) for i in thing):
            yield name, thing


def _repeats(named: list[tuple[str, Any]]) -> list[tuple[str, int, Any]]:
    """Neighbours that are equal but for the last number in their names, as one: ``(w.0-15, 16, ...)``."""
    runs: list[tuple[str, str, int, Any]] = []
    for name, thing in named:
        stem, dot, last = name.rpartition(".")
        if runs and last.isdigit():
            first, end, n, same = runs[-1]
            if same == thing and end == f"{stem}{dot}{int(last) - 1}":
                runs[-1] = (first, name, n + 1, same)
                continue
        runs.append((name, name, 1, thing))
    return [(f"{a}-{b.rpartition('.')[2]}" if n > 1 else a, n, thing) for a, b, n, thing in runs]


def _few(names: list[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def _fitting(who: str, name: str, new: Any, old: Any) -> Any:
    """A copy of `new` to stand in for `old`, if it has its shape and dtype."""
    try:
        if isinstance(new, Value):
            raise TypeError("it is a Value; give its data, v.numpy()")
        array = new if hasattr(type(new), "__array_function__") else np.asarray(new)
    except (TypeError, ValueError) as error:
        raise TypeError(f"load_state_dict: {name} of {who} must be an array: {error}") from error
    shape, dtype = np.shape(old), np.dtype(float) if type(old) is float else old.dtype
    if array.dtype != dtype:
        raise TypeError(
            f"load_state_dict: {name} of {who} is {dtype}, and the state has {array.dtype}; "
            f"convert it if that is meant: state[{name!r}].astype({str(dtype)!r})"
        )
    if array.shape != shape:
        numbers = f"{math.prod(array.shape):,} numbers for {math.prod(shape):,}"
        raise ValueError(
            f"load_state_dict: {name} of {who} has shape {shape}, and the state has {array.shape} ({numbers})"
        )
    return array.copy()
