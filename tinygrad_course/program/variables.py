"""What a program is made of: named variables, and instructions that call functions on them."""

from __future__ import annotations

import builtins
import keyword
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..trees import leaves


@dataclass(slots=True, eq=False)
class Variable:
    """A named array (or number) of a program: an input, a constant, or what an instruction gives."""

    number: int
    shape: tuple[int, ...]
    dtype: Any
    contiguous: bool = True
    is_number: bool = False  # a Python float or int
    is_input: bool = False
    source: Variable | None = None  # the variable whose memory this one is a view of

    @property
    def root(self) -> Variable:
        """The variable that owns the memory."""
        return self if self.source is None else self.source.root


class Names:
    """Names for variables: Python names, each given once, and none of those that are `reserved`."""

    def __init__(self, given: dict[Variable, str] | None = None, reserved: Iterable[str] = ()) -> None:
        self.given = dict(given or {})
        reserved = {"np", "math", "lease", *dir(builtins), *keyword.kwlist, *reserved}
        self._next = dict.fromkeys(
            reserved | set(self.given.values()), 2
        )  # a name in use -> the next number for it

    def give(self, variable: Variable, wish: str) -> None:
        """Name `variable` as wished, as far as that is a name and free; the first name stays."""
        if variable not in self.given:
            self.given[variable] = self.fresh(wish)

    def fresh(self, wish: str) -> str:
        """`wish`, or with the first number behind it that is free; as Python reads names, x² is x2."""
        letters = unicodedata.normalize("NFKC", wish) or "x"
        wish = "".join(c if f"_{c}".isidentifier() else "_" for c in letters)
        name = wish = wish if wish.isidentifier() else f"_{wish}"
        while name in self._next:
            name, self._next[wish] = f"{wish}{self._next[wish]}", self._next[wish] + 1
        self._next[name] = 2
        return name


@dataclass(slots=True, eq=False)
class Instruction:
    """One call: ``out = function(*args, **kwargs)``, Variables anywhere in the arguments."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    out: Variable
    strict: bool = False  # 0 / 0 is an error here, as in the walk back
    line: str = ""  # of the user's code that asked for it

    @property
    def reads(self) -> list[Variable]:
        """The Variables in its arguments."""
        return variables_in([self.args, self.kwargs])


class Changed(ArithmeticError):
    """A run finds another answer than the traced one: this call goes without the program."""


def expect(answer: bool, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    if function(*args, **kwargs) != answer:
        raise Changed


def variables_in(tree: Any) -> list[Variable]:
    """The Variables in (nested) arguments."""
    return [v for v in leaves(tree) if isinstance(v, Variable)]
