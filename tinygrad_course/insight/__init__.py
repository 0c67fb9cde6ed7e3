"""Why is this gradient this number, and where did it go wrong?"""

from .ledger import Ledger, explain
from .watch import trace_lines

__all__ = ["Ledger", "explain", "trace_lines"]
