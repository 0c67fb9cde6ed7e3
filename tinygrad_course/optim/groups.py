"""Parameter groups: parts of the parameters that are learned with settings of their own."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, MutableMapping
from typing import Any

from ..arraylike import Value


class ParameterGroup(MutableMapping[str, Any]):
    """One of ``optimizer.param_groups``: ``group["lr"]`` and the other settings may be changed between steps.

    Parameters
    ----------
    optimizer : Optimizer
        Whose group it is.
    settings : dict
        "params", and what is different for them.

    Attributes
    ----------
    maker : Optimizer
        Has the group's settings: the optimizer itself, or one of its kind without parameters.
    share : float
        The group's learning rate over the optimizer's, which schedules change.
    """

    def __init__(self, optimizer: Any, settings: MutableMapping[str, Any]) -> None:
        own = {name: given for name, given in settings.items() if name != "params"}
        self.params: list[Value] = list(settings["params"])
        kind, self._optimizer = type(optimizer), optimizer
        names = inspect.signature(kind.__init__).parameters
        self._names = ["lr", *[name for name in list(names)[2:] if name != "lr" and hasattr(optimizer, name)]]
        if unknown := [name for name in own if name not in self._names]:
            raise TypeError(
                f"{kind.__name__}: a group has no setting {unknown[0]!r}; it has params, "
                f"{', '.join(self._names)}"
            )
        self.maker = optimizer
        if own or len(settings["params"]) < len(optimizer.params):
            here = {name: getattr(optimizer, name) for name in self._names}
            self.maker = kind([Value(1.0)], **{**here, **own}).emptied()
        self.share = self.maker.lr / optimizer.lr if optimizer.lr else 1.0

    def __getitem__(self, name: str) -> Any:
        if name == "params":
            return self.params
        if name not in self._names:
            raise KeyError(name)
        return self._optimizer.lr * self.share if name == "lr" else getattr(self.maker, name)

    def __setitem__(self, name: str, new: Any) -> None:
        if name == "params" or name not in self._names:
            raise KeyError(f"a group's {name!r} cannot be set; its settings are {', '.join(self._names)}")
        setattr(self.maker, name, new)
        if name == "lr" and self.maker is not self._optimizer:
            if not self._optimizer.lr:
                raise ValueError("a group's lr is a share of the optimizer's, which is 0: set that first")
            self.share = self.maker.lr / self._optimizer.lr

    def __delitem__(self, name: str) -> None:
        raise KeyError(f"a group keeps its {name!r}")

    def __iter__(self) -> Iterator[str]:
        return iter(["params", *self._names])

    def __len__(self) -> int:
        return 1 + len(self._names)
