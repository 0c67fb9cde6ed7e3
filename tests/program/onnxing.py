"""Runs ONNX models for the tests: in onnxruntime, or where that lacks an operator in onnx's reference."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_course import Value
from tinygrad_course.trees import leaves

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnx.reference")
onnxruntime = pytest.importorskip("onnxruntime")
onnxruntime.set_default_logger_severity(4)


def run(model, *arrays, reference=True):
    """What a model gives, and whether onnxruntime has run it; without the reference, perhaps None."""
    given = {i.name: np.asarray(a) for i, a in zip(model.graph.input, arrays, strict=True)}
    if any(n.op_type == "Einsum" for n in model.graph.node) and any(a.size == 0 for a in given.values()):
        return None, False  # on arrays without entries onnxruntime's ends the whole process
    try:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        if "NOT_IMPLEMENTED" not in str(error):
            raise
        if not reference:
            return None, False
        return onnx.reference.ReferenceEvaluator(model).run(None, given), False
    return session.run(None, given), True


def data(tree):
    """The arrays of a result, in order."""
    return [np.asarray(x.data if isinstance(x, Value) else x) for x in leaves(tree)]


def same(got, wanted, tolerance, text=""):
    """Compare the results of a model with those of the function; gives the largest difference."""
    worst = 0.0
    for a, b in zip(got, data(wanted), strict=True):
        a = np.asarray(a)
        assert a.shape == b.shape, text
        assert a.dtype == b.dtype, text
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=text)
        if a.size and a.dtype.kind == "f":
            worst = max(worst, float(np.nanmax(np.abs(a - b), initial=0)))
    return worst
