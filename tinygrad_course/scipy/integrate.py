"""Functions of scipy.integrate: ordinary differential equations, with the adjoint method for their gradients.

The gradient with respect to where a path began follows the path backwards: with λ(t) the gradient with
respect to y(t), dλ/dt = -λ ∂f/∂y, and a parameter p gathers ∫ λ ∂f/∂p dt on the way (Pontryagin et al. 1962;
Chen et al. 2018, "Neural ordinary differential equations").  That is a differential equation in turn, solved
by the same row, so derivatives of every order are there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import integrate

from ..arraylike import Value
from ..derivatives import derivative
from ..transforms import vjp

Field = Callable[..., Any]  # (t, y, *args) -> dy / dt


def _along(state: Any, solve: Callable[..., Any], field: Field, t: Any, n: int) -> Any:
    """The path at the times t, shape (len(t), n); the state is the n numbers that it begins with, and p."""
    start, p = state[:n], state[n:]

    def slope(now: Any, y: Any) -> Any:
        dy = field(now, y, p)
        if isinstance(dy, Value):
            raise TypeError(
                "the function uses a Value that is none of its arguments: hand it over in args=(...)"
            )
        return dy

    return solve(slope, start, t)


def _along_rule(g: Any, out: Any, state: Any, solve: Any, field: Field, t: Any, n: int) -> Any:
    """Backwards from the last time to the first: (y, λ, what p has gathered), with y set anew at each."""
    p, m = state[n:], state.shape[0] - n

    def backwards(now: Any, augmented: Any, p: Any) -> Any:
        y, λ = augmented[:n], augmented[n : 2 * n]
        dy, pull = vjp(lambda y, p: field(now, y, p), y, p)
        to_y, to_p = pull(λ)
        return np.concatenate([dy, -to_y, -to_p])

    λ, gathered = g[-1], np.zeros(m)
    for i in range(len(t) - 1, 0, -1):
        begin = np.concatenate([out[i], λ, gathered, p])
        end = path(begin, solve, backwards, np.array([t[i], t[i - 1]]), 2 * n + m)[-1]
        λ, gathered = end[n : 2 * n] + g[i - 1], end[2 * n :]
    return np.concatenate([λ, gathered])


path: Any = derivative(_along, _along_rule, formula="y(t) with dy/dt = f(t, y, p)")


def _flat_problem(fun: Field, y0: Any, args: tuple[Any, ...]) -> tuple[Any, Field, int]:
    """The state of `path`, with the parameters in one vector, and `fun` of that."""
    parts = [a if isinstance(a, Value) else np.asarray(a) for a in args]
    y0 = np.atleast_1d(y0 if isinstance(y0, Value) else np.asarray(y0, float))
    ends = np.cumsum([0, *(np.size(a) for a in parts)])

    def field(t: Any, y: Any, p: Any) -> Any:
        given = [np.reshape(p[i:j], a.shape) for i, j, a in zip(ends, ends[1:], parts)]
        dy = fun(t, y, *given)
        return np.stack(dy) if isinstance(dy, (list, tuple)) else np.reshape(dy, y.shape)

    return np.concatenate([y0, *(np.ravel(a) for a in parts)]), field, y0.shape[0]


def odeint(
    func: Callable[..., Any],
    y0: Any,
    t: Any,
    args: tuple[Any, ...] = (),
    tfirst: bool = False,
    rtol: float = 1.49012e-8,
    atol: float = 1.49012e-8,
) -> Any:
    """The path of dy/dt = func(y, t, *args) from y0 at t[0], at the times t.

    Parameters
    ----------
    func : callable
        ``func(y, t, *args)``, or ``func(t, y, *args)`` with `tfirst`, written in NumPy calls: the slope of y.
    y0, args : Values, arrays or numbers
        Where the path begins, shape (n,), and the parameters of `func`; gradients go to both.
    t : array, shape (m,)
        Times; no gradient goes there.
    rtol, atol : float
        How exact the path is, and the gradient.

    Returns
    -------
    Value or array, shape (m, n)

    Raises
    ------
    TypeError
        If `func` uses a Value that is none of its arguments.

    Examples
    --------
    >>> from tinygrad_course import Value
    >>> rate = Value(0.5)
    >>> end = odeint(lambda y, t, rate: -rate * y, [1.0], [0.0, 1.0], args=(rate,))[-1, 0]
    >>> end.backward()
    >>> round(end.item(), 6), round(rate.grad, 6)  # exp(-rate), and its slope
    (0.606531, -0.606531)
    """
    state, field, n = _flat_problem(func if tfirst else lambda t, y, *p: func(y, t, *p), y0, args)

    def solve(slope: Any, start: Any, times: Any) -> Any:
        return integrate.odeint(slope, start, times, tfirst=True, rtol=rtol, atol=atol)

    return path(state, solve, field, np.asarray(t, float), n)


def solve_ivp(
    fun: Field,
    t_span: tuple[float, float],
    y0: Any,
    method: str = "RK45",
    t_eval: Any = None,
    args: tuple[Any, ...] = (),
    **options: Any,
) -> Any:
    """SciPy's `solve_ivp`, of which `y` records: gradients go to y0 and args.

    Without `t_eval` the times are those of SciPy's own steps.  The adjoint equation is solved by the same
    method and with the same `options`; SciPy's usual ``rtol=1e-3`` is meant for plots, not for gradients.
    """
    state, field, n = _flat_problem(fun, y0, args)
    plain = state.numpy() if isinstance(state, Value) else state

    def solve(slope: Any, start: Any, times: Any) -> Any:
        return integrate.solve_ivp(slope, (times[0], times[-1]), start, method, times, **options).y.T

    result = integrate.solve_ivp(
        lambda t, y: field(t, y, plain[n:]), t_span, plain[:n], method, t_eval, **options
    )
    if isinstance(state, Value) and len(result.t):
        times = np.concatenate([np.asarray(t_span[:1], float), result.t])
        result.y = np.transpose(path(state, solve, field, times[int(result.t[0] == times[0]) :], n))
        result.y = result.y[:, result.y.shape[1] - len(result.t) :]
    return result
