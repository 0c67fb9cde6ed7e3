"""Print the table: ``python -m tinygrad_course.derivatives``.

One line a function: what it computes, where it is defined, what its derivative is where it has none, and up
to which order the tests compare its derivatives with finite differences.
"""

import contextlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..later import later
from . import TABLE, Row
from .numpy_extra.unsupported import UNSUPPORTED


def full_name(function: Callable[..., Any]) -> str:
    """The name as a person writes it: np.exp, np.linalg.solve, or the name of a function of our own."""
    name: str = function.__name__
    known = {"np": np, "np.linalg": np.linalg, "scipy.special": sys.modules.get("scipy.special")}
    for prefix, module in known.items():
        if getattr(module, name, None) is function:
            return f"{prefix}.{name}"
    return name.strip("_")


def orders(row: Row) -> int:
    """How many orders of derivatives the tests compare with finite differences."""
    return 0 if row.nondifferentiable else 3 if row.elementwise and not row.kink else 2


def lines() -> list[str]:
    """The lines of the printed table, and the counts."""
    rows = {full_name(function): row for function, row in TABLE.items() if not row.nondifferentiable}
    cells = [("function", "formula", "domain", "at a kink or a tie", "orders checked")]
    for name in sorted(rows, key=lambda name: (not name.startswith("np."), name)):
        row = rows[name]
        cells.append((name, row.formula, row.domain, row.kink, str(orders(row))))
    widths = [max(map(len, column)) for column in zip(*cells)]
    table = ["  ".join(c.ljust(w) for c, w in zip(cell, widths)).rstrip() for cell in cells]
    plain = sorted(full_name(function) for function, row in TABLE.items() if row.nondifferentiable)
    refused = [f"np.{name}: {reason}" for name, reason in UNSUPPORTED.items() if hasattr(np, name)]
    numpys, scipys = (sum(name.startswith(f"{library}.") for name in rows) for library in ("np", "scipy"))
    return [
        table[0],
        "-" * (sum(widths) + 2 * len(widths) - 2),
        *table[1:],
        "",
        "These give plain arrays:",
        *plain,
        "",
        "These refuse a Value:",
        *refused,
        "",
        f"{len(rows)} rows ({numpys} of NumPy, {scipys} of SciPy, {len(rows) - numpys - scipys} of our own), "
        f"{sum(row.composition is not None for row in rows.values())} of them compositions of others; "
        f"{len(plain)} functions give plain arrays; {len(refused)} refuse a Value.",
    ]


if __name__ == "__main__":
    with contextlib.suppress(ImportError):  # SciPy's rows, where it is installed
        later("derivatives.scipy_distributions")
    sys.stdout.write("\n".join(lines()) + "\n")
