"""What a function changes besides giving a result: data and gradients of parameters, arrays of modules.

While it is traced, Traced arrays stand in at these places.  What stands there at the end is put there by the
program at each of its runs; the calls of effects, such as an optimizer's step, are made by the program too,
and find the real arrays in their places.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..arraylike import Value
from ..engine.backprop import settled
from ..trees import leaves

Place = tuple[Any, str]
"""An object, or its number among arguments and then spots, and the name of its attribute."""


def put(place: Place, new: Any) -> None:
    """Assign to a place."""
    thing, attribute = place
    if attribute == "primal":
        thing.data = new
    else:
        setattr(thing, attribute, settled(new) if attribute == "grad" else new)


class Effect:
    """A call of an effect in a program: ``effect(new, *args)`` puts `new` in place first.

    Parameters
    ----------
    function : callable
        The function, without what makes it an effect.
    name : str
        For people.
    puts, reads : list of places
        What is given to the places before, and what is read after the call.
    """

    def __init__(
        self, function: Callable[..., Any], name: str, puts: list[Place], reads: list[Place]
    ) -> None:
        self.function, self.__name__, self.puts, self.reads = function, name, puts, reads

    def __call__(self, new: list[Any], *args: Any, **kwargs: Any) -> list[Any]:
        for place, x in zip(self.puts, new):
            put(place, x)
        result = self.function(*args, **kwargs)
        return [result, *[getattr(thing, attribute) for thing, attribute in self.reads]]

    def __repr__(self) -> str:
        return f"the effect {self.__name__}"


def named_effect(function: Callable[..., Any], args: tuple[Any, ...]) -> str:
    """A name such as ``adam_step`` for a call."""
    owner = type(args[0]).__name__.lower() if "." in function.__qualname__ and args else ""
    return f"{owner}_{function.__name__}" if owner else function.__name__.strip("_")


def values_in(tree: Any) -> list[Value]:
    """The Values in (nested) arguments."""
    return [v for v in leaves(tree) if isinstance(v, Value)]
