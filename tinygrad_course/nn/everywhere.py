"""What is done to a module and to all modules inside it at once, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from ..arraylike import Value
from ..arraylike.hooks import Handle
from .hooks import Hooks

if TYPE_CHECKING:
    from .module import Module

Self = TypeVar("Self", bound="Module")


class Everywhere:
    """The part of `Module` that goes through all modules inside, and what it registers."""

    _hooks: Hooks | None = None

    def modules(self: Module) -> Iterator[Module]:  # type: ignore[misc]
        """This module and all modules inside it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self: Module) -> Iterator[tuple[str, Module]]:  # type: ignore[misc]
        """The modules that are held here, with their names, and not those inside them."""
        return ((name, module) for name, module in self._children())

    def children(self: Module) -> Iterator[Module]:  # type: ignore[misc]
        """The modules that are held here, and not those inside them."""
        return (module for _, module in self._children())

    def named_buffers(self: Module) -> Iterator[tuple[str, Any]]:  # type: ignore[misc]
        """What is saved and never learned, with its names."""
        return ((name, getattr(module, own)) for name, module, own in self._named_buffers())

    def apply(self: Self, function: Callable[[Module], Any]) -> Self:  # type: ignore[misc]
        """Call a function on every module, the inner ones first; returns the module.

        Examples
        --------
        >>> from tinygrad_course import nn
        >>> def zero_bias(module):
        ...     if isinstance(module, nn.Linear):
        ...         module.bias.data[...] = 0.0
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)).apply(zero_bias)
        >>> net[0].bias.data
        array([0., 0., 0.], dtype=float32)
        """
        for _, module in reversed(self.named_modules()):
            function(module)
        return self

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:  # type: ignore[misc]
        """Freeze all parameters, or let them be learned again; returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def to(self: Self, dtype: DTypeLike) -> Self:  # type: ignore[misc]
        """All parameters and floating-point buffers in another dtype; returns the module.

        ``to("cpu")`` is where they are.

        Raises
        ------
        TypeError
            If it is no floating-point dtype; there are no other devices.
        """
        if dtype == "cpu":
            return self
        try:
            wanted = np.dtype(dtype)
        except TypeError:
            wanted = np.dtype(object)
        if wanted.kind != "f":
            raise TypeError(
                f"to({dtype!r}): a dtype of floating-point numbers, such as np.float64, is wanted; all "
                "arrays are in NumPy's memory, and there are no other devices than 'cpu'"
            )
        new = {
            name: data.astype(wanted) if getattr(data, "dtype", np.dtype(bool)).kind == "f" else data
            for name, data in self._state()
        }
        self._replace(new)
        return self

    def float(self: Self) -> Self:  # type: ignore[misc]
        """All parameters in float32; returns the module."""
        return self.to(np.float32)

    def double(self: Self) -> Self:  # type: ignore[misc]
        """All parameters in float64; returns the module."""
        return self.to(np.float64)

    # Registering
    def register_parameter(self, name: str, param: Value | None) -> None:
        """Assign a parameter, or None, as an attribute."""
        setattr(self, name, param)

    def add_module(self, name: str, module: Module) -> None:
        """Assign a module as an attribute."""
        setattr(self, name, module)

    def register_forward_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(module, inputs, output)`` after every `forward`.

        What it returns, unless that is None, is given instead of the output.

        Examples
        --------
        >>> from tinygrad_course import nn
        >>> layer, seen = nn.Linear(2, 3), []
        >>> handle = layer.register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
        >>> _ = layer([[1.0, 2.0]])
        >>> handle.remove()
        >>> seen
        [(1, 3)]
        """
        return self._own_hooks().add("forward", hook)

    def register_full_backward_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(module, grad_input, grad_output)`` when gradients have gone back through the module.

        Both are tuples, with None for what gets no gradient.  What it returns, unless that is None, is a
        tuple in place of `grad_input`.
        """
        return self._own_hooks().add("backward", hook)

    def _own_hooks(self) -> Hooks:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks
