"""Every operation whose row does not say how JavaScript writes it is refused by name, or made of others."""

import re

import numpy as np
import pytest
import rows  # noqa: F401 (fills CASES)
from hypothesis import HealthCheck, Phase, given, settings
from rows.registry import CASES, fixed

from tinygrad_course import TraceError, Value
from tinygrad_course.engine.record import ancestors
from tinygrad_course.program.export.graphs import graph_program


def recorded(argument):
    """The argument as a Value, if it can be differentiated."""
    if isinstance(argument, fixed):
        return argument.value
    if isinstance(argument, (list, tuple)):
        return type(argument)(map(recorded, argument))
    is_float = isinstance(argument, float) or getattr(argument, "dtype", np.dtype(bool)).kind == "f"
    return Value(argument) if is_float else argument


def refusal(case, call):
    """What is said of a call of an operation, and the operations in its graph; None if it can be written."""
    row = case.row
    whole = row.rule_for_all is not None or row.composition is not None
    args = [
        recorded(a) if whole or any(map(callable, row.rules[i : i + 1])) else getattr(a, "value", a)
        for i, a in enumerate(call.args)
    ]
    with np.errstate(all="ignore"):
        out = case.function(*args, **call.kwargs)
    values = [v for v in (out if isinstance(out, tuple) else [out]) if isinstance(v, Value)][:1]
    try:
        graph_program(values)
    except TraceError as error:
        return str(error), {v.row.name for v in ancestors(values) if v.row is not None}
    return None


UNWRITTEN = [case for case in CASES if not case.row.javascript and not case.row.nondifferentiable]


@pytest.mark.filterwarnings("ignore")
def test_every_row_that_cannot_be_written_is_named():
    refused = set()
    for case in UNWRITTEN:

        @settings(max_examples=1, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @given(case.calls)
        def ask(call):
            if found := refusal(case, call):  # noqa: B023 (it is called at once)
                said, names = found
                named = "|".join(map(re.escape, names))
                assert re.fullmatch(
                    rf"emit: ({named})( [^:/]*)? cannot be written in JavaScript: [^/\n]*", said
                )
                refused.add(case.row.name)  # noqa: B023

        ask()
    assert len(refused) > 60  # more than 120 where SciPy is there
