"""Rules of one's own: `derivative` as a person calls it, who may have got the shape of a rule wrong."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ..engine import table


def derivative(
    function: Callable[..., Any],
    *rules: Callable[..., Any] | None,
    rule_for_all: Callable[..., Any] | None = None,
    residuals: Callable[..., Any] | None = None,
    **facts: Any,
) -> Callable[..., Any]:
    """Register the derivative of a NumPy function, or of a function of your own.

    Parameters
    ----------
    function : callable
        A NumPy function (or any ufunc), or a Python function of arrays.
    *rules : callable or None
        One an argument, ``rule(g, out, *args, **kwargs)``, written in NumPy calls and operators; None for an
        argument without a derivative.  Arguments after the last rule have none either.
    rule_for_all : callable, optional
        Instead of `rules`, for any number of operands: ``rule_for_all(i, g, out, *args, **kwargs)``.
    residuals : callable, optional
        The operation once more, giving the result and something that its rules can use again: they get it as
        the keyword `residuals`, None where they have to do without.  `function` takes `residuals` too.
    **facts
        What else is known of the operation, by the names of `Row`: ``formula="x³"``, ``torch="exp"``, ...

    Returns
    -------
    callable
        What to call from now on: `function` itself if NumPy can hand it Values, and otherwise a function
        that records when it is given a Value and is `function` when it is not.

    Raises
    ------
    TypeError
        If `function` or a rule cannot be called, both `rules` and `rule_for_all` are given, or a fact is none
        of `Row`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_course import Value, derivative
    >>> cube = derivative(lambda x: x * x * x, lambda g, out, x: 3 * g * x**2)
    >>> x = Value(2.0)
    >>> cube(x).backward()
    >>> x.grad
    12.0
    """
    if rules and rule_for_all:
        raise TypeError("derivative: give one rule an argument, or `rule_for_all` for all operands, not both")
    for part in (function, *rules, rule_for_all, residuals):
        if part is not None and not callable(part):
            raise TypeError(
                f"derivative: expected a function, got {type(part).__name__} {part!r}; "
                "write rules as lambda g, out, x: ..., and None for an argument without one"
            )
    for rule in rules:
        _check_arguments(rule, "rule(g, out, *args)", 3)
    _check_arguments(rule_for_all, "rule_for_all(i, g, out, *args)", 4)
    return table.derivative(function, *rules, rule_for_all=rule_for_all, residuals=residuals, **facts)


def _check_arguments(rule: Callable[..., Any] | None, called: str, n: int) -> None:
    """Raise if `rule` cannot take `n` arguments, which are the fewest that it is called with."""
    try:
        places = inspect.signature(rule).parameters.values() if rule is not None else ()
    except (TypeError, ValueError):  # not every built-in function tells
        return
    positional = [p for p in places if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    many = any(p.kind is p.VAR_POSITIONAL for p in places)
    if rule is not None and not many and len(positional) < n:
        takes = ", ".join(p.name for p in positional)
        raise TypeError(
            f"derivative: a rule is called as {called}: the gradient g of the result, the result, and the "
            f"arguments as they were; this one takes ({takes}); write lambda g, out, x: ..."
        )
