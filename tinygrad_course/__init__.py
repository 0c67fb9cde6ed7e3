"""An autograd engine in pure Python and NumPy that a student can read in one sitting."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .derivatives import derivative
from .gradcheck import gradcheck, gradgradcheck  # now, as a module of the same name would hide the function
from .value import Value, no_grad

if TYPE_CHECKING:
    from . import data, nn, optim, program, testing, transforms, viz

__version__ = "0.1.0"

_WHERE = {  # what loads on first use, and from where
    **dict.fromkeys(("data", "nn", "optim", "program", "testing", "transforms", "viz"), ""),
    **dict.fromkeys(("compile", "TraceError"), "program"),
    **dict.fromkeys(("load", "save"), "nn"),
    **dict.fromkeys(
        (
            "checkpoint", "custom_derivative", "grad", "hessian", "hvp", "jacobian", "jvp", "stop_gradient",
            "value_and_grad", "vjp",
        ),
        "transforms",
    ),
}  # fmt: skip
__all__ = ["Value", "derivative", "gradcheck", "gradgradcheck", "no_grad", *_WHERE]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"tinygrad_course has no {name!r}; it has {', '.join(sorted(__all__))}")
    module = import_module(f"{__name__}.{_WHERE[name] or name}")
    return getattr(module, name) if _WHERE[name] else module


def __dir__() -> list[str]:
    return sorted(__all__)
