"""NumPy functions whose result has no useful derivative: called on Values they give plain arrays."""

import operator

import numpy as np

from ...engine.table import Row, nondifferentiable, register


def _constant(x):
    return x


constant = register(Row(_constant, nondifferentiable=True))
"""The plain data of a Value, for parts of a rule or a composition that no gradient goes through."""

# Truth and comparisons
nondifferentiable(np.equal, operator=operator.eq, latex=r"\left[ x = y \right]", result="mask", onnx="Equal")
nondifferentiable(
    np.not_equal,
    operator=operator.ne,
    latex=r"\left[ x \neq y \right]",
    result="mask",
    onnx="Not(Equal(x, y))",
)
nondifferentiable(np.less, operator=operator.lt, latex=r"\left[ x < y \right]", result="mask", onnx="Less")
nondifferentiable(
    np.less_equal, operator=operator.le, latex=r"\left[ x \leq y \right]", result="mask", onnx="LessOrEqual"
)
nondifferentiable(
    np.greater, operator=operator.gt, latex=r"\left[ x > y \right]", result="mask", onnx="Greater"
)
nondifferentiable(
    np.greater_equal,
    operator=operator.ge,
    latex=r"\left[ x \geq y \right]",
    result="mask",
    onnx="GreaterOrEqual",
)
for ufunc, javascript, onnx in (
    (np.logical_and, "x != 0 && y != 0", "And"), (np.logical_or, "x != 0 || y != 0", "Or"),
    (np.logical_xor, "(x != 0) !== (y != 0)", "Xor"), (np.logical_not, "x == 0", "Not"),
    (np.isfinite, "Number.isFinite(x)", "Not(Or(IsInf(x), IsNaN(x)))"),
    (np.isinf, "Math.abs(x) === Infinity", "IsInf"), (np.isnan, "Number.isNaN(x)", "IsNaN"),
):  # fmt: skip
    nondifferentiable(ufunc, torch=ufunc.__name__, javascript=javascript, onnx=onnx)
nondifferentiable(np.any, javascript="any(a, axis)", onnx="ReduceMax(Cast(Cast(a, bool), int32), axis)")
nondifferentiable(np.all, javascript="all(a, axis)", onnx="ReduceMin(Cast(Cast(a, bool), int32), axis)")
nondifferentiable(
    np.isneginf, np.isposinf, np.isin, np.isclose, np.allclose, np.array_equal,
    np.array_equiv,
)  # fmt: skip

nondifferentiable(*(getattr(np, name) for name in ("in1d",) if hasattr(np, name)))  # gone since NumPy 2.4

# Steps: flat almost everywhere
nondifferentiable(np.floor_divide, operator=operator.floordiv, javascript="floor_divide(x, y)")
nondifferentiable(np.sign, torch="sign", javascript="Math.sign(x) + 0", onnx="Sign")  # which is never -0
for step, onnx in ((np.floor, "Floor"), (np.ceil, "Ceil"), (np.trunc, "Mul(Sign(x), Floor(Abs(x)))")):
    nondifferentiable(step, torch=step.__name__, javascript=f"Math.{step.__name__}(x)", onnx=onnx)
nondifferentiable(np.signbit, torch="signbit", javascript="x < 0 || Object.is(x, -0)")
nondifferentiable(np.rint, torch="round", javascript="rint(x)", onnx="Round")
nondifferentiable(np.fix, np.round, np.around, np.spacing, np.digitize, np.angle, np.imag)

# Places and counts
nondifferentiable(
    np.argmax,
    torch="torch.argmax(a, dim=axis, keepdim=keepdims)",
    javascript="argmax(a, axis)",
    onnx="argument",
)
nondifferentiable(
    np.argmin,
    torch="torch.argmin(a, dim=axis, keepdim=keepdims)",
    javascript="argmin(a, axis)",
    onnx="argument",
)
nondifferentiable(
    np.count_nonzero, javascript="count_nonzero(a, axis)", onnx="ReduceSum(Cast(Cast(a, bool), int64), axis)"
)
nondifferentiable(
    np.nanargmax, np.nanargmin, np.argsort, np.argpartition, np.lexsort,
    np.searchsorted,
    np.diag_indices_from, np.tril_indices_from, np.triu_indices_from,
)  # fmt: skip
nondifferentiable(np.argwhere, np.nonzero, np.flatnonzero, sized_by_data=True)

# Shapes and dtypes, and arrays of constants
nondifferentiable(
    np.shape, np.ndim, np.size, np.can_cast, np.common_type, np.result_type, np.min_scalar_type,
    np.iscomplexobj, np.isrealobj, np.may_share_memory, np.shares_memory,
    np.zeros_like, np.ones_like, np.empty_like, shapes_only=True,
)  # fmt: skip

# Text and the like
nondifferentiable(
    np.iscomplex, np.isreal, np.einsum_path, np.array2string, np.array_repr, np.array_str,
)  # fmt: skip
