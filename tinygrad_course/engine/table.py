"""The table: one row an operation, and a row is only the operation's mathematics.

A row says how an operation is computed (`function`) and, for each argument, how a gradient comes back
through it (`rules`).  A rule is called as ``rule(g, out, *args, **kwargs)``: `g` is the gradient of the
final result with respect to this operation's output `out`, and what the rule returns is the gradient with
respect to its own argument, before any undoing of broadcasting (the walk does that, once for all)::

    derivative(np.multiply, lambda g, out, x, y: g * y, lambda g, out, x, y: g * x)

Rules use nothing but operators and NumPy calls.  The walk hands them arrays, or Values when the gradient
itself is to be differentiated again: the same line gives derivatives of every order.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Rule = Callable[..., Any]


@dataclass(slots=True, eq=False)
class Row:
    """One operation of the table.

    Attributes
    ----------
    function : callable
        Computes the operation on arrays: the NumPy function itself, or a function of our own.
    rules : tuple of callable, None or ...
        One an argument; None marks an argument without a derivative, and ``...`` one whose derivative is not
        known, which cannot be a Value.  Shorter than the arguments where the last ones (an axis, a shape)
        have none.
    rule_for_all : callable or None
        For operations on any number of operands (concatenate, einsum): one rule for all of them, called as
        ``rule_for_all(i, g, out, *args)`` for operand `i`.
    sequence : bool
        The operands come as one list or tuple, the first argument (as in ``np.stack``).
    composition : callable or None
        For operations that are a few others put together: the same function written in NumPy calls.  It is
        run on the Values themselves, so that its parts are recorded and it needs no rule.
    nondifferentiable : bool
        The result has no useful derivative (argmax, comparisons): it is a plain array.
    scalar : callable or None
        The same operation on Python floats, when something faster than NumPy exists for it.
    residuals : Row or None
        The operation once more, giving a pair: the result, and what its rules would otherwise compute again.
        The rules get that as the keyword `residuals`, or not at all where a gradient is itself recorded.
    chooses : bool
        A rule multiplies by a mask, whose zeros leave entries out (as in relu): they absorb infinite slopes.
    formula, domain, kink : str
        What people want to know: what is computed, where it is defined, and where the derivative jumps
        together with the value that is taken there.
    elementwise : bool
        Every entry of the result depends only on the entries at the same place, and extra axes in front of
        all operands change nothing; known of itself for NumPy's ufuncs.
    shaping : bool
        The result has the entries of the first operand and no others, in another shape, order or dtype.
    shapes_only : bool
        The result depends on shapes and dtypes, never on entries: it is the same for all arrays like these.
    sized_by_data : bool or callable
        The shape of the result depends on entries; or a function of the arguments that tells whether it does.
    draws : bool
        It draws random numbers from a generator, or from the seed that is its last argument.
    batched : callable or None
        The same for a batch of gradients (see transforms.batch), given in place of some arguments; None of it
        for arguments that it does not know.
    reduction : ufunc or None
        The ufunc whose reduction it is: `np.add` for `np.sum`.
    operator : callable or None
        Python's own operator for it, such as ``operator.lt``, unless `scalar` is that already: it is printed
        so.  NumPy's result must be the same, to the last bit, but for `np.power`.
    latex, torch, javascript, onnx : str
        How the operation is written, with the names of its arguments (those of the rule, or of the function
        where there is no rule; a ufunc's are x and y): ``r"\frac{x}{y}"``, ``"torch.sum(x, dim=axis)"``; a
        bare name (``"exp"``) is a call with the arguments as they are.
    result : str
        What printed programs call the result ("z" for `np.matmul`), if not by the operation's name.
    """

    function: Callable[..., Any]
    rules: tuple[Any, ...] = ()
    rule_for_all: Rule | None = None
    composition: Callable[..., Any] | None = None
    sequence: bool = False
    nondifferentiable: bool = False
    scalar: Callable[..., Any] | None = None
    residuals: Row | None = None
    chooses: bool = False
    formula: str = ""
    domain: str = ""
    kink: str = ""
    elementwise: bool = False
    shaping: bool = False
    shapes_only: bool = False
    sized_by_data: bool | Callable[..., bool] = False
    draws: bool = False
    batched: Callable[..., Any] | None = None
    reduction: np.ufunc | None = None
    operator: Callable[..., Any] | None = None
    latex: str = ""
    torch: str = ""
    javascript: str = ""
    onnx: str = ""
    result: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.function, np.ufunc):
            self.elementwise = self.function.signature is None

    @property
    def name(self) -> str:
        """The operation's name, such as ``"multiply"``."""
        return getattr(self.function, "__name__", type(self.function).__name__).strip("_")

    def operands(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments that may have a gradient, as one flat tuple."""
        return (*args[0],) if self.sequence else args

    def with_operands(self, args: tuple[Any, ...], operands: list[Any]) -> tuple[Any, ...]:
        """`args` with its operands replaced: the other way round."""
        return (operands, *args[1:]) if self.sequence else (*operands,)

    def rule(self, i: int) -> Any:
        """The rule for operand `i`, through which a gradient goes."""
        return self.rules[i] if self.rule_for_all is None else functools.partial(self.rule_for_all, i)

    def has_rule(self, i: int) -> bool:
        """Whether a gradient goes through operand `i`; it cannot be a Value if the row says nothing."""
        if self.rule_for_all is not None:
            return True
        if i < len(self.rules) and self.rules[i] is not ...:
            return self.rules[i] is not None
        instead = f"{i + 1} rules with derivative({self.name}, ...), None where there is no derivative"
        raise TypeError(f"its row has no rule for argument {i}; give a plain array, v.numpy(), or {instead}")

    def __repr__(self) -> str:
        return f"<row {self.name}>"


# Every known operation: the function that a person calls -> its row
TABLE: dict[Callable[..., Any], Row] = {}


def derivative(function: Rule, *rules: Rule | None, residuals: Rule | None = None, **facts: Any) -> Rule:
    """Register the rules of a NumPy function, or of a function of our own; see `tinygrad_course.derivative`.

    Returns what to call from now on.  `facts` are those of `Row`, by name.
    """
    saving = None if residuals is None else Row(residuals)
    return register(Row(function, rules, residuals=saving, **facts))


def composed(function: Rule, composition: Rule, **facts: Any) -> Rule:
    """Register `function` as a composition of operations that have rows: no rule of its own is needed."""
    return register(Row(function, composition=composition, **facts))


def nondifferentiable(*functions: Callable[..., Any], **facts: Any) -> list[Callable[..., Any]]:
    """Register functions whose result has no useful derivative: called on Values they give plain arrays.

    Returns what to call from now on, as `derivative` does.
    """
    return [register(Row(function, nondifferentiable=True, **facts)) for function in functions]


def opaque(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, which works in place, so that `compile` calls it as it is and does not follow its steps."""
    return recording_function(Row(function))


def register(row: Row) -> Callable[..., Any]:
    function = row.function
    if not isinstance(function, (np.ufunc, type(np.sum))):  # those two ask a Value themselves
        function = recording_function(row)
    TABLE[function] = row
    return function


def recording_function(row: Row) -> Callable[..., Any]:
    """`row.function`, except that it records when an argument is a Value (as NumPy's functions do)."""
    function = row.function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for arg in (*args, *kwargs.values()) if kwargs else args:
            if (handler := getattr(arg, "apply_row", None)) is not None:
                return handler(row, args, kwargs)
        return function(*args, **kwargs)

    call.__name__ = call.__qualname__ = row.name
    return call
