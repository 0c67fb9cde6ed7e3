"""Modules that hold others, or parameters, as lists and dicts do; and `Identity`.

A plain list of modules as an attribute is found too; these have PyTorch's names, so that its programs and
saved parameters fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from ..arraylike import Value
from .module import Module

Parameter = Value
"""A parameter is a Value that requires a gradient and that a module holds."""


class _List(Module):
    """A list whose parts are named ``"0"``, ``"1"``, ..."""

    _kind: ClassVar[type] = Module

    def __init__(self, parts: Iterable[Any] = ()) -> None:
        self.extend(parts)

    def __iter__(self) -> Iterator[Any]:
        return (part for part in vars(self).values() if isinstance(part, self._kind))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, i: int | slice) -> Any:
        parts = list(self)
        return type(self)(parts[i]) if isinstance(i, slice) else parts[i]

    def __setitem__(self, i: int, part: Any) -> None:
        parts = list(self)
        parts[i] = part
        self._hold(parts)

    def __delitem__(self, i: int | slice) -> None:
        parts = list(self)
        del parts[i]
        self._hold(parts)

    def append(self, part: Any) -> Any:
        """Add a part at the end; returns the list."""
        return self.extend([part])

    def extend(self, parts: Iterable[Any]) -> Any:
        """Add several parts at the end; returns the list."""
        self._hold([*self, *parts])
        return self

    def __iadd__(self, parts: Iterable[Any]) -> Any:
        return self.extend(parts)

    def insert(self, i: int, part: Any) -> None:
        """Add a part in front of the one at `i`."""
        parts = list(self)
        parts.insert(i, part)
        self._hold(parts)

    def _hold(self, parts: list[Any]) -> None:
        for i, part in enumerate(parts):
            if not isinstance(part, self._kind):
                raise TypeError(
                    f"{type(self).__name__}: part {i} is a {type(part).__name__}, not a {self._kind.__name__}"
                )
        for name in [name for name in vars(self) if name.isdigit()]:
            delattr(self, name)
        for i, part in enumerate(parts):
            setattr(self, str(i), part)


class ModuleList(_List):
    """Modules in a list, which knows their parameters; who holds it calls them one by one.

    Examples
    --------
    >>> from tinygrad_course import nn
    >>> layers = nn.ModuleList([nn.Linear(2, 3), nn.ReLU()])
    >>> layers.append(nn.Linear(3, 1))
    ModuleList(
      (0): Linear(2, 3)
      (1): ReLU()
      (2): Linear(3, 1)
    )
    >>> [name for name, _ in layers.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """


class ParameterList(_List):
    """Parameters in a list; arrays and numbers in it become parameters.

    Examples
    --------
    >>> from tinygrad_course import nn
    >>> list(nn.ParameterList([1.0, [2.0, 3.0]]))
    [Value(1.0), Value([2., 3.])]
    """

    _kind: ClassVar[type] = Value

    def extend(self, parts: Iterable[Any]) -> Any:
        """Add several parameters at the end; returns the list."""
        return super().extend(part if isinstance(part, Value) else Value(part) for part in parts)

    def extra_repr(self) -> str:
        return ", ".join(str(part.shape) for part in self)


class ModuleDict(Module):
    """Modules by name.

    Raises
    ------
    TypeError
        If one is not a Module.
    ValueError
        If a name is that of a method of modules.

    Examples
    --------
    >>> from tinygrad_course import nn
    >>> heads = nn.ModuleDict({"mean": nn.Linear(4, 1), "scale": nn.Linear(4, 1)})
    >>> "mean" in heads, len(heads), heads["scale"]
    (True, 2, Linear(4, 1))
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()) -> None:
        self.update(modules)

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules, in place of those of the same names."""
        for name, module in modules.items() if isinstance(modules, Mapping) else modules:
            self[name] = module

    def __setitem__(self, name: str, module: Module) -> None:
        if not isinstance(module, Module):
            raise TypeError(f"ModuleDict: {name!r} is a {type(module).__name__}, not a Module")
        if hasattr(type(self), name):
            raise ValueError(f"ModuleDict: {name!r} is a method of modules; take another name")
        setattr(self, name, module)

    def _parts(self) -> dict[str, Module]:
        return {name: part for name, part in vars(self).items() if isinstance(part, Module)}

    def __getitem__(self, name: str) -> Module:
        return self._parts()[name]

    def __delitem__(self, name: str) -> None:
        del self._parts()[name]
        delattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts())

    def __len__(self) -> int:
        return len(self._parts())

    def __contains__(self, name: object) -> bool:
        return name in self._parts()

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._parts().keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._parts().values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Names and modules."""
        return self._parts().items()

    def pop(self, name: str) -> Module:
        """Take a module out."""
        module = self[name]
        del self[name]
        return module


class Identity(Module):
    """What it is given, whatever that is; arguments for another module in its place are ignored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """`input` itself."""
        return input
