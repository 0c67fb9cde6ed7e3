"""How long an import takes: a fresh Python that imports one library, above a Python that imports nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from .works import ENGINES, WORKS, Step, Work, engine

WORKS["import"] = Work(
    "import, over bare Python (hand: NumPy alone)", "NumPy + 25 ms", "ms", own=True, tolerance=0
)
TIMES = 7


def start_of(module: str) -> Step:
    """The best of several starts; the very first, which writes the bytecode, is not counted."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def seconds(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        return time.perf_counter() - start

    def step() -> tuple[float, float]:
        seconds(f"import {module}")
        bare, whole = zip(*[(seconds("pass"), seconds(f"import {module}")) for _ in range(TIMES)])
        return (min(whole) - min(bare)) * 1e3, 0.0

    return step


for name in ("hand", "ours", "torch", "jax", "mygrad", "autograd", "micrograd"):
    # micrograd's package is empty: its engine is what a user imports
    module = "micrograd.engine" if name == "micrograd" else ENGINES[name]
    engine("import", name)(lambda module=module: start_of(module))
