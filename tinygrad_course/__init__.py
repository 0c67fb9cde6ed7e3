"""An autograd engine in pure Python and NumPy that a student can read in one sitting.

The engine itself loads at once; the other rooms load when they are first used.
"""

import os
import sys
from typing import TYPE_CHECKING, Any

from .arraylike import Value
from .arraylike.rules import derivative
from .engine.value import no_grad
from .later import later as _later

if TYPE_CHECKING:
    from . import data as data
    from . import nn as nn
    from . import optim as optim
    from . import parallel as parallel
    from . import testing as testing
    from . import viz as viz
    from .insight import GradientWarning as GradientWarning
    from .insight import blame as blame
    from .insight import detect_anomaly as detect_anomaly
    from .insight import explain as explain
    from .insight import lint as lint
    from .insight import trace_lines as trace_lines
    from .nn import load as load
    from .nn import save as save
    from .program import TraceError as TraceError
    from .program import compile as compile
    from .program import emit as emit
    from .testing import gradcheck as gradcheck
    from .testing import gradgradcheck as gradgradcheck
    from .transforms import checkpoint as checkpoint
    from .transforms import custom_derivative as custom_derivative
    from .transforms import elementwise_grad as elementwise_grad
    from .transforms import flatten as flatten
    from .transforms import grad as grad
    from .transforms import hessian as hessian
    from .transforms import hvp as hvp
    from .transforms import jacobian as jacobian
    from .transforms import jvp as jvp
    from .transforms import stop_gradient as stop_gradient
    from .transforms import value_and_grad as value_and_grad
    from .transforms import vjp as vjp

if not os.environ.get("TINYGRAD_COURSE_PLAIN"):
    from . import fast as _fast  # noqa: F401

if sys.modules.get("einops"):
    from . import einops as _einops  # noqa: F401

__version__ = "0.1.0"

_TRANSFORMS = (
    "checkpoint", "custom_derivative", "elementwise_grad", "flatten", "grad", "hessian", "hvp", "jacobian",
    "jvp", "stop_gradient", "value_and_grad", "vjp",
)  # fmt: skip
_INSIGHT = ("GradientWarning", "blame", "detect_anomaly", "explain", "lint", "trace_lines")
_LATER = {  # what loads on first use -> the room it is in
    **{room: room for room in ("data", "nn", "optim", "parallel", "testing", "viz")},
    **dict.fromkeys(("load", "save"), "nn"),
    **dict.fromkeys(("TraceError", "compile", "emit"), "program"),
    **dict.fromkeys(("gradcheck", "gradgradcheck"), "testing"),
    **dict.fromkeys(_TRANSFORMS, "transforms"),
    **dict.fromkeys(_INSIGHT, "insight"),
}
__all__ = ["Value", "derivative", "no_grad", *_LATER]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"tinygrad_course has no {name!r}; it has {', '.join(sorted(__all__))}")
    room = _LATER[name]
    return _later(room, None if room == name else name)


def __dir__() -> list[str]:
    return sorted(__all__)
