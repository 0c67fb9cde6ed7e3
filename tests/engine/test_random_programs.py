"""Random programs of NumPy calls: with Values they give what they give with arrays, or say that they cannot.

And where they do, the gradient of what comes out is the slope that is measured, unless there is a kink.
"""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows.registry import ROWS, name_of

from tinygrad_course import Value
from tinygrad_course.testing import arrays

ODD = {
    np.empty_like,  # gives whatever was in memory
    *(np.linalg.cholesky, np.linalg.eigh, np.linalg.eigvalsh),  # have gradients for symmetric changes only
}
FUNCTIONS = sorted((f for f in ROWS if isinstance(f, (np.ufunc, type(np.sum))) and f not in ODD), key=name_of)
FORMS = {
    "f(x)": lambda f, x, y: f(x),
    "f(x, y)": lambda f, x, y: f(x, y),
    "f([x, y])": lambda f, x, y: f([x, y]),
    "f(x, 1)": lambda f, x, y: f(x, 1),
    "f(x, axis=0)": lambda f, x, y: f(x, axis=0),
    "f(x, axis=-1)": lambda f, x, y: f(x, axis=-1),
}
REFUSALS = (TypeError, ValueError, IndexError, np.linalg.LinAlgError)  # what may leave the package


def results(out):
    """All arrays of numbers in what a function gave, Values or not."""
    if isinstance(out, (list, tuple)):
        return [r for part in out for r in results(part)]
    return [out] if isinstance(out, (Value, np.ndarray, float, int, np.generic)) else []


def usable(out):
    """Whether to go on with a result: floats, not many and not large."""
    return out.dtype.kind == "f" and out.size <= 40 and np.all(np.abs(out) < 1e3)


def run(steps, inputs):
    """The results of a program on arrays, in order; `steps` are (function, form, operand, operand)."""
    pool = list(inputs)
    for function, form, i, j in steps:
        out = results(FORMS[form](function, pool[i], pool[j]))
        pool += [frozen(r) for r in out if usable(np.asarray(r))]
    return pool


def frozen(x):
    """A read-only array: f(x, y) shall not write into y."""
    x = np.array(x)
    x.flags.writeable = False
    return x


def plain(x):
    return x.data if isinstance(x, Value) else x


@settings(max_examples=max(100, settings().max_examples))
@pytest.mark.filterwarnings("ignore")
@given(data=st.data())
def test_random_programs_match_or_refuse(data):
    shape = data.draw(st.sampled_from([(3,), (2, 2), (2, 3), (1,), ()]))
    inputs = [data.draw(arrays(shape, low=0.25, distinct=True, layouts=False)) for _ in range(2)]
    values = [Value(np.array(x)) for x in inputs]
    pool, mixed, steps = [frozen(x) for x in inputs], list(values), []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for _ in range(data.draw(st.integers(1, 8))):
            step = (data.draw(st.sampled_from(FUNCTIONS)), data.draw(st.sampled_from(list(FORMS))))
            step += (data.draw(st.integers(0, len(pool) - 1)), data.draw(st.integers(0, len(pool) - 1)))
            function, form, i, j = step
            try:
                expected = FORMS[form](function, pool[i], pool[j])
            except Exception:  # NumPy refuses
                continue
            try:
                got = FORMS[form](function, mixed[i], mixed[j])
            except REFUSALS:
                continue
            told = f"{name_of(function)}: {form} with {pool[i]!r}, {pool[j]!r}"
            assert len(results(got)) == len(results(expected)), told
            for g, e in zip(results(got), results(expected)):
                np.testing.assert_allclose(plain(g), e, rtol=1e-9, atol=1e-9, err_msg=told)
                if usable(np.asarray(e)):
                    pool.append(frozen(e))
                    mixed.append(g if isinstance(g, Value) else np.asarray(g))
            steps.append(step)
        for v, x in zip(values, inputs):
            np.testing.assert_array_equal(v.data, x)
        weights = [np.random.default_rng(k).uniform(0.5, 1.5, p.shape) for k, p in enumerate(pool)]
        loss = sum(np.sum(v * w) for v, w in zip(mixed, weights))
        try:
            loss.backward()
        except REFUSALS:  # some have results without a derivative
            return
        ways = [np.random.default_rng(k).uniform(-1, 1, shape) for k in (8, 9)]
        rise = sum(float(np.sum(v.grad * way)) for v, way in zip(values, ways))
        here, slopes = run(steps, pool[:2]), []
        for h in (-1e-6, 1e-6):
            there = run(steps, [frozen(x + h * way) for x, way in zip(inputs, ways)])
            if [p.shape for p in map(np.asarray, there)] != [p.shape for p in map(np.asarray, here)]:
                return  # at the edge of something
            slopes.append(sum(float(np.sum((b - a) / h * w)) for a, b, w in zip(here, there, weights)))
    if abs(slopes[0] - slopes[1]) < 1e-3 * max(1.0, abs(slopes[0])):
        program = "\n".join(f"{name_of(f)}: {form} {i} {j}" for f, form, i, j in steps)
        assert rise == pytest.approx(np.mean(slopes), rel=2e-3, abs=2e-3), f"{inputs}\n{program}"
