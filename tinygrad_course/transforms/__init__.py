"""Transforms: functions that take a function and give its derivatives, to any order.

They take functions of numbers and arrays, or of any nesting of lists, tuples and dicts of them, and give
numbers and arrays back; called on Values they give Values back, which is how they nest.
"""

from .gradients import grad, hvp, jvp, value_and_grad, vjp
from .habits import elementwise_grad, flatten
from .jacobians import hessian, jacobian
from .rules import checkpoint, custom_derivative, stop_gradient

__all__ = [
    "checkpoint",
    "custom_derivative",
    "elementwise_grad",
    "flatten",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]
