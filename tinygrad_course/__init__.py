"""An autograd engine in pure Python and NumPy that a student can read in one sitting."""

from .derivatives import derivative
from .value import Value, no_grad

__version__ = "0.1.0"
__all__ = ["Value", "derivative", "no_grad"]
