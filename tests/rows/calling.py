"""How the tests of rows call them: which arguments have gradients, and what comes out."""

import warnings

import numpy as np

from rows.registry import fixed
from tinygrad_course import Value


def leaves(part, path=()):
    """Everything in the arguments of a call that is not a list or tuple, with its place."""
    if isinstance(part, (list, tuple)):
        return [pair for i, p in enumerate(part) for pair in leaves(p, (*path, i))]
    return [(path, part)]


def replaced(part, new, path=()):
    """The arguments with what stands at some places replaced."""
    if isinstance(part, (list, tuple)):
        return type(part)(replaced(p, new, (*path, i)) for i, p in enumerate(part))
    return new.get(path, part.value if isinstance(part, fixed) else part)


def differentiable(row, args):
    """The places in `args` that a gradient reaches, with what stands there."""
    rules = row.rules
    return {
        path: x
        for path, x in leaves(args)
        if (type(x) is float or (isinstance(x, np.ndarray) and x.dtype.kind == "f"))
        and (not rules or (path[0] < len(rules) and callable(rules[path[0]])))
    }


def run(case, call, new):
    """The operation on the arguments with some replaced, and what the case looks at of its result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return case.view(case.function(*case.before(*replaced(call.args, new)), **call.kwargs))


def expected(case, call, new=None):
    """The same by the reference, on plain arrays."""
    with np.errstate(all="ignore"):
        out = case.view(case.reference(*case.before(*replaced(call.args, new or {})), **call.kwargs))
    return out.data if isinstance(out, Value) else out  # an array like a Value is a constant Value


def parts(result):
    """The results of an operation, one or several, as a flat list."""
    return [p for r in result for p in parts(r)] if isinstance(result, (list, tuple)) else [result]


def weights(like, seed=0):
    """A gradient to come in for a result: different for every entry, the same in every run, read-only."""
    if type(like) is float:
        return 1.25
    u = np.round(np.random.default_rng(seed).uniform(0.5, 1.5, np.shape(like)) * 64) / 64
    u = np.asarray(u, getattr(like, "dtype", float))
    u.flags.writeable = False
    return u


def backward(outs):
    """Send weights back through all results."""
    for k, out in enumerate(outs):
        if isinstance(out, Value) and out.requires_grad:
            out.backward(weights(out.data, k))


def same(a, b, rtol=1e-12, atol=0.0):
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=rtol, atol=atol, equal_nan=True)


def largest(x):
    return float(np.max(np.abs(x), initial=1.0))
