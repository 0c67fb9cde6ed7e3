"""Rows of operations that work entry by entry: arithmetic, powers, exponentials, trigonometry, choices.

These are the ones that everybody needs.  The others are in `numpy_extra`.

`scalar` is the same operation on Python floats.  Where it raises (1 / 0, log 0, overflow) NumPy is asked.
"""

import math
import operator
from typing import Any

import numpy as np

from ..engine.table import derivative

# Arithmetic
derivative(
    np.add,
    lambda g, out, x, y: g,
    lambda g, out, x, y: g,
    scalar=operator.add,
    formula="x + y",
    latex="x + y",
    result="s",
    onnx="Add",
)
derivative(
    np.subtract,
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g,
    scalar=operator.sub,
    formula="x - y",
    latex="x - y",
    result="diff",
    onnx="Sub",
)
derivative(
    np.multiply,
    lambda g, out, x, y: g * y,
    lambda g, out, x, y: g * x,
    scalar=operator.mul,
    formula="x · y",
    latex=r"x \odot y",
    result="p",
    onnx="Mul",
)
derivative(
    np.divide,
    lambda g, out, x, y: g / y,
    lambda g, out, x, y: -g * out / y,
    scalar=operator.truediv,
    formula="x / y",
    domain="y ≠ 0",
    latex=r"\frac{x}{y}",
    result="q",
    onnx="Div",
)
derivative(np.negative, lambda g, out, x: -g, scalar=operator.neg, formula="-x", result="minus", onnx="Neg")
derivative(np.positive, lambda g, out, x: g, scalar=operator.pos, formula="x", onnx="Identity")
derivative(
    np.square,
    lambda g, out, x: g * (x + x),
    scalar=lambda x: x * x,
    javascript="x * x",
    formula="x²",
    torch="square",
    latex="x^{2}",
    onnx="Mul(x, x)",
)


def _power_x(g, out, x, y):
    if issubclass(type(y), (int, float)) and y != 0:  # NumPy is quick where the exponent is one number
        return g * y * x ** (y - 1)
    return g * power_slope(x, y, 1)


def _power_slope(x, y, order):
    """y (y - 1) ... · x ** (y - order), the derivative of x ** y by x; 0 · x ** -1 is 0 even where x is."""
    factor = math.prod(y - k for k in range(order))
    return factor * np.power(x, (y - order) * (factor != 0))


def _power_slope_y(g, out, x, y, order):
    factors = [y - k for k in range(order)]
    others = sum(math.prod(factors[:k] + factors[k + 1 :]) for k in range(order))
    return g * (out * np.log(x + ((x == 0) & (out == 0))) + others * np.power(x, y - order))


power_slope: Any = derivative(
    _power_slope,
    lambda g, out, x, y, order: g * power_slope(x, y, order + 1),
    _power_slope_y,
    formula="derivative of x ** y by x of an order",
    elementwise=True,
)


derivative(
    np.power,
    _power_x,
    lambda g, out, x, y: g * out * np.log(x + ((x == 0) & (y >= 0))),
    scalar=math.pow,
    javascript="power(x, y)",
    formula="x ** y",
    domain="x > 0, or x any and y whole",
    kink="0 for y at x = 0, y ≥ 0",
    operator=operator.pow,
    torch="x ** y",
    latex="x^{y}",
    onnx="Pow",
)
derivative(
    np.sqrt,
    lambda g, out, x: g / (out + out),
    scalar=math.sqrt,
    javascript="Math.sqrt(x)",
    formula="√x",
    domain="x ≥ 0",
    kink="inf at 0",
    torch="sqrt",
    latex=r"\sqrt{x}",
    onnx="Sqrt",
)
derivative(
    np.absolute,
    lambda g, out, x: g * np.sign(x),
    scalar=abs,
    javascript="Math.abs(x)",
    formula="|x|",
    kink="0 at 0",
    torch="abs",
    latex=r"\left| x \right|",
    onnx="Abs",
)

# Exponentials and logarithms
derivative(
    np.exp,
    lambda g, out, x: g * out,
    scalar=math.exp,
    javascript="Math.exp(x)",
    formula="exp x",
    torch="exp",
    result="e",
    onnx="Exp",
)
derivative(
    np.expm1,
    lambda g, out, x: g * (out + 1),
    scalar=math.expm1,
    javascript="Math.expm1(x)",
    formula="exp x - 1",
    torch="expm1",
    onnx="Mul(Tanh(Div(x, 2)), Add(Exp(x), 1))",
)
derivative(
    np.log,
    lambda g, out, x: g / x,
    scalar=math.log,
    javascript="Math.log(x)",
    formula="log x",
    domain="x > 0",
    torch="log",
    onnx="Log",
)
derivative(
    np.log1p,
    lambda g, out, x: g / (1 + x),
    scalar=math.log1p,
    javascript="Math.log1p(x)",
    formula="log(1 + x)",
    domain="x > -1",
    torch="log1p",
    onnx="Where(Equal(Add(x, 1), 1), x, Mul(Log(Add(x, 1)), Div(x, Sub(Add(x, 1), 1))))",
)

# Trigonometry
derivative(
    np.sin,
    lambda g, out, x: g * np.cos(x),
    scalar=math.sin,
    javascript="Math.sin(x)",
    formula="sin x",
    torch="sin",
    onnx="Sin",
)
derivative(
    np.cos,
    lambda g, out, x: -g * np.sin(x),
    scalar=math.cos,
    javascript="Math.cos(x)",
    formula="cos x",
    torch="cos",
    onnx="Cos",
)
derivative(
    np.tanh,
    lambda g, out, x: g * (1 - out * out),
    scalar=math.tanh,
    javascript="Math.tanh(x)",
    formula="tanh x",
    torch="tanh",
    onnx="Tanh",
)
derivative(
    np.arctan,
    lambda g, out, x: g / (1 + x * x),
    scalar=math.atan,
    javascript="Math.atan(x)",
    formula="arctan x",
    torch="atan",
    onnx="Atan",
)

# Choices
derivative(
    np.maximum,
    lambda g, out, x, y: g * (1 - 0.5 * (x < y) - 0.5 * (x <= y)),
    lambda g, out, x, y: g * (1 - 0.5 * (y < x) - 0.5 * (y <= x)),
    chooses=True,
    javascript="Math.max(x, y)",
    formula="the larger of x and y",
    kink="half to each where x = y",
    torch="maximum",
    latex=r"\max\left( x, y \right)",
    result="m",
    onnx="Max",
)
derivative(
    np.minimum,
    lambda g, out, x, y: g * (1 - 0.5 * (x > y) - 0.5 * (x >= y)),
    lambda g, out, x, y: g * (1 - 0.5 * (y > x) - 0.5 * (y >= x)),
    chooses=True,
    javascript="Math.min(x, y)",
    formula="the smaller of x and y",
    kink="half to each where x = y",
    torch="minimum",
    latex=r"\min\left( x, y \right)",
    onnx="Min",
)
derivative(
    np.where,
    None,
    lambda g, out, condition, x, y: np.where(condition, g, 0.0),
    lambda g, out, condition, x, y: np.where(condition, 0.0, g),
    javascript="condition ? x : y",
    formula="x where the condition holds, else y",
    elementwise=True,
    sized_by_data=lambda condition, *choices, **more: not choices and not more,
    torch="where",
    onnx="Where(condition, x, y)",
)


def _clip_rule(slope):
    """A rule for `clip` from the slope as a function of (x, low, high), whatever the bounds were called."""

    def rule(g, out, x, a_min=None, a_max=None, min=None, max=None, **_):
        return g * slope(x, min if a_min is None else a_min, max if a_max is None else a_max)

    return rule


def _within(x, low, high):
    """Where `clip` leaves its argument as it is (None is no bound), nan too."""
    above = True if low is None else x >= low
    below = True if high is None else x <= high
    return np.logical_or(np.logical_and(above, below), np.isnan(x))


derivative(
    np.clip,
    _clip_rule(_within),
    _clip_rule(lambda x, low, high: np.logical_and(x < low, True if high is None else low < high)),
    _clip_rule(lambda x, low, high: np.logical_or(x > high, False if low is None else low > high)),
    chooses=True,
    formula="x, but at least low and at most high",
    kink="1 at the bounds",
    javascript="clip",
    torch="clip",
    onnx="clip",
)


# Kinks
def _through_kink(g, slope, kink):
    """g · slope, in the rule of what has a kink where `kink` holds: there the slope, 0, jumps."""
    return g * slope


def _jump(c, out, g, slope, kink):
    """The slope counts as constant at a kink, but a g that is 0 makes that 0 · inf."""
    return np.where(kink, np.where((g == 0) & (c != 0), np.nan, 0.0), c * g)


through_kink = derivative(
    _through_kink,
    lambda c, out, g, slope, kink: c * slope,
    _jump,
    None,
    formula="g · slope",
    kink="nan at the kink of the slope where g is 0, else 0",
    batched=lambda g, slope, kink: g * slope,
)
