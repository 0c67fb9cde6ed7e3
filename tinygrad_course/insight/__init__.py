"""Why is this gradient this number, and where did it go wrong?"""

from .anomalies import blame, detect_anomaly
from .findings import KINDS, GradientWarning
from .ledger import Ledger, explain
from .silent import lint
from .watch import trace_lines

__all__ = ["KINDS", "GradientWarning", "Ledger", "blame", "detect_anomaly", "explain", "lint", "trace_lines"]
