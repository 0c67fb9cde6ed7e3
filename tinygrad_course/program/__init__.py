"""Programs: a traced function as a straight list of NumPy calls, simplified, printed, and run."""

from .compiled import Compiled, compile
from .emit import emit
from .traced import TraceError

__all__ = ["Compiled", "TraceError", "compile", "emit"]
