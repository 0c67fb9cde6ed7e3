"""Hooks of modules: functions that see what goes through a module, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..arraylike import Value
from ..arraylike.hooks import Handle, passing, refuse_traced


class Hooks:
    """The hooks of one module."""

    def __init__(self) -> None:
        self.forward: list[Callable[..., Any]] = []
        self.backward: list[Callable[..., Any]] = []

    def add(self, kind: str, hook: Callable[..., Any]) -> Handle:
        """Add a hook, if it can be called."""
        if not callable(hook):
            raise TypeError(f"a hook is a function, and this is a {type(hook).__name__}")
        hooks = getattr(self, kind)
        hooks.append(hook)
        return Handle(hooks, hook)

    def call(self, module: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Call `forward` between the hooks."""
        refuse_traced([x for x in inputs if isinstance(x, Value)], f"a hook of {type(module).__name__}")
        if not self.backward:
            return self._told(module, inputs, module.forward(*inputs, **options))
        places = [i for i, x in enumerate(inputs) if isinstance(x, Value)]
        came: list[Any] = [None]

        def given_back(gradients: list[Any]) -> Any:
            """Let the hooks see the gradients of the inputs, and take what they give instead."""
            for hook in list(self.backward):
                filled: list[Any] = [None] * len(inputs)
                for i, g in zip(places, gradients):
                    filled[i] = g
                if (new := hook(module, tuple(filled), came[0])) is not None:
                    new = new if isinstance(new, tuple) else (new,)
                    gradients = [new[i] for i in places]
            return gradients

        def reached(gradients: list[Any]) -> None:
            came[0] = tuple(gradients)
            if not any(inputs[i].requires_grad for i in places):
                given_back([None] * len(places))

        marked = list(inputs)
        for i, x in zip(places, passing([inputs[i] for i in places], given_back) if places else ()):
            marked[i] = x
        out = self._told(module, inputs, module.forward(*marked, **options))
        if isinstance(out, Value):
            return passing([out], reached)[0]
        if isinstance(out, tuple) and all(isinstance(part, Value) for part in out):
            return passing(out, reached)
        raise TypeError(
            f"{type(module).__name__} has a backward hook, and so gives a Value or a tuple of Values, not a "
            f"{type(out).__name__}"
        )

    def _told(self, module: Any, inputs: tuple[Any, ...], out: Any) -> Any:
        for hook in list(self.forward):
            new = hook(module, inputs, out)
            out = out if new is None else new
        return out
