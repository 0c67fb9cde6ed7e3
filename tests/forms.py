"""Forms of arguments: every row of the table, called in all the ways that NumPy can be called, and judged.

A form is a call of a case of rows/, twisted: arguments by keyword or by place, keywords that the function has
besides, axes as lists, tuples, NumPy's whole numbers or True, other dtypes, byte orders and layouts, nested
lists, numbers of every kind, masks, Values where plain arguments belong.  What comes out is right, or a
documented error that names the operation; everything else is a fault::

    python tests/forms.py 15000       # prints how many forms came out how, and every fault

Right means: NumPy's own result in NumPy's dtype, a gradient that finite differences confirm, the same slope
forward as backward, a second derivative that finite differences of the first confirm, no argument changed.
Run with either engine (TINYGRAD_COURSE_PLAIN=1), it prints the same digest.
"""

import collections
import hashlib
import sys
import traceback
import warnings

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from rows.calling import leaves, replaced, weights
from twists import Form, dtyped, forms, parameters

from tinygrad_course import Value, jvp, vjp
from tinygrad_course.derivatives import neural
from tinygrad_course.files import PACKAGE

DOCUMENTED = (TypeError, ValueError, IndexError, np.linalg.LinAlgError, RuntimeError)
# What NumPy refuses and may be taken: True for 1, a Value for its dtype, what is float64 by then
MORE = ["an integer is required", "as a data type", "float16 is unsupported in linalg"]
DRAWN = [neural.dropout, np.empty_like]  # other numbers at every call


class Fault(Exception):
    """What must not be."""


def check(holds, what):
    if not holds:
        raise Fault(what)


def judged(form):
    """How a form came out, in words; and the bits of what came out.

    Raises
    ------
    Fault
        For everything else.
    """
    place = dict(leaves(form.given))
    values = {}
    for path in dict.fromkeys(form.values):
        if path not in place or np.asarray(place[path]).dtype.kind not in "fiub":
            return "no form", b""
        values[path] = Value(place[path])
    if not values:
        return "no form", b""
    before = {path: np.array(x) for path, x in place.items() if isinstance(x, np.ndarray)}
    own = {path: v.data for path, v in values.items()}
    want = reference(form, own)
    if isinstance(want, Exception):  # perhaps it takes arrays without axes, but no Python numbers
        again = reference(form, {path: np.array(x) for path, x in own.items()})
        want = want if isinstance(again, Exception) else again
    if any(getattr(x, "dtype", None) in (complex, object) for x in (want if isinstance(want, list) else [])):
        want = TypeError("whole objects and complex numbers are no results")
    try:
        got = form.call(form.case.function, values)
    except Exception as error:
        return refused(form, error, want)
    for path, x in before.items():
        check(np.array_equal(place[path], x, equal_nan=x.dtype.kind == "f"), "an argument was changed")
    if isinstance(want, Exception):
        if any(said in str(want) for said in MORE):
            return "more than NumPy takes", b""
        check(not form.plain, f"NumPy refuses it: {type(want).__name__}: {want}")
        return "no reference", b""
    check(not written_into(form), "out= was accepted")
    if form.case.function is np.empty_like:
        return "right, without a slope to measure", b""
    coarse = [x.dtype for x in place.values() if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
    coarse += [np.float16] * ("dtype" in form.names)  # in which NumPy may compute
    compare_results(got, want, max([1e-12, *(8 * float(np.finfo(k).eps) for k in coarse)]), form.plain)
    said, confirmed = [bits(x) for x in got], False
    if form.case.function not in DRAWN and any(isinstance(x, Value) and x.requires_grad for x in got):
        try:
            grads, confirmed = check_slopes(form, values, got)
        except np.linalg.LinAlgError as error:  # such as: a matrix with too few eigenvectors
            return refused(form, error, want)
        said += map(bits, grads)
    return "right, with its slope" if confirmed else "right, without a slope to measure", b"".join(said)


def reference(form, own):
    """What NumPy gives, or the error that it raises."""
    own = {**{path: x.data for path, x in leaves(form.given) if isinstance(x, Value)}, **own}
    try:
        return [] if written_into(form) else form.call(form.case.reference, own)
    except Exception as error:
        return error


def written_into(form):
    """Whether there is an array to write into: it is refused; NumPy may crash where it does not fit."""
    place = len(form.given) - len(form.names)
    names = [*parameters(form.case.function)[:place], *form.names]
    return any(n == "out" and x is not None for n, x in zip(names, form.given))


def refused(form, error, want):
    """The outcome of a call that raised."""
    frames = traceback.extract_tb(error.__traceback__)
    asked = any(frame.name == "apply_row" for frame in frames)
    if not any(frame.filename.startswith(PACKAGE) for frame in frames):
        return "refused by NumPy before it asks", b""
    where = f"{type(error).__name__} at {frames[-1].filename[-40:]}:{frames[-1].lineno}: {error}"
    check(isinstance(error, (*DOCUMENTED, type(want))), f"internal error: {where}")
    names = {form.case.row.name, form.case.name, form.case.function.__name__.strip("_")}
    asked &= not any(map(callable, form.given))  # whose errors may be those of who wrote them
    check(not asked or any(name in str(error) for name in names), f"does not name the operation: {where}")
    if isinstance(want, Exception):
        return "refused as NumPy refuses it", b""
    return f"refused: {str(error)[:150]}", b""


def compare_results(got, want, eps, plain):
    check(len(got) == len(want), f"{len(got)} results, NumPy has {len(want)}")
    for g, w in zip(got, want):
        data = g.data if isinstance(g, Value) else g
        check(np.shape(data) == np.shape(w), f"shape {np.shape(data)}, NumPy's {np.shape(w)}")
        if not isinstance(w, (np.ndarray, np.generic, float)):
            check(str(data) == str(w), f"{data}, NumPy gives {w}")
            continue
        kinds = [np.asarray(x).dtype.newbyteorder("=") for x in (data, w)]
        same = kinds[0] == kinds[1] or kinds[0].kind == kinds[1].kind == "i"
        check(same or not plain, "{}, NumPy's {}".format(*kinds))
        w = np.asarray(w)
        eps = max(eps, 8 * float(np.finfo(w.dtype).eps) if w.dtype.kind == "f" else 0.0)
        close = np.allclose(np.asarray(data), w, rtol=eps, atol=eps * largest(w), equal_nan=True)
        check(close, f"{data!r}, NumPy gives {w!r}")


def largest(x):
    x = np.abs(np.asarray(x, float))
    return float(np.max(x, initial=1.0, where=np.isfinite(x)))


def factors_of(outs):
    """For each result what it is multiplied with before all are added: a different number for every entry."""
    arrays = [weights(np.empty(out.shape, out.dtype), k) for k, out in enumerate(outs)]
    return [float(a) if type(out.data) is float else a for out, a in zip(outs, arrays)]


def total(outs, factors):
    """The weighted sum of all results that are floating-point numbers."""
    floats = [out for out in outs if np.asarray(getattr(out, "data", out)).dtype.kind == "f"]
    return sum(np.sum(out * f) for out, f in zip(floats, factors))


def check_slopes(form, values, got):
    """The gradients of a weighted sum of the results, and whether finite differences could confirm them."""
    paths = list(values)
    recorded = [out for out in got if isinstance(out, Value) and out.requires_grad]
    factors = factors_of(recorded)
    for out, factor in zip(recorded, factors):
        out.backward(factor)
    grads = [v.grad for v in values.values()]
    for v, g in zip(values.values(), grads):
        if g is not None:
            check(
                np.shape(g) == v.shape and type(g) is type(v.data),
                f"gradient {type(g)}{np.shape(g)} for {v.shape}",
            )
            check(
                np.asarray(g).dtype.newbyteorder("=") == v.dtype.newbyteorder("="),
                f"gradient {np.asarray(g).dtype} for {v.dtype}",
            )
    floats = [x for _, x in leaves(form.given) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
    coarse = max(float(np.finfo(v.dtype).eps) for v in (*values.values(), *recorded, *floats))
    points = [
        np.asarray(v.data, float) if v.shape or type(v.data) is not float else v.data for v in values.values()
    ]
    rng = np.random.default_rng(0)
    ways = [t if type(x) is not float else float(t)
            for x in points for t in [np.round(rng.uniform(0.5, 1.5, np.shape(x)) * 64) / 64]]  # fmt: skip
    slope = float(sum(np.sum(g * t) for g, t in zip(grads, ways) if g is not None))
    exact = widened(form)
    others = [np.cos(np.arange(np.size(x))).reshape(np.shape(x)) for x in points]

    def numbers(t, turn=0.0):
        moved = {p: x + t * (w + turn * u) for p, x, w, u in zip(paths, points, ways, others)}
        outs = [
            out
            for i, out in enumerate(exact.call(exact.case.reference, moved))
            if any(got[i] is r for r in recorded)
        ]
        return float(total(outs, factors))

    size = sum(
        float(np.sum(np.abs(np.nan_to_num(np.asarray(g, float) * t))))
        for g, t in zip(grads, ways)
        if g is not None
    )
    confirmed = confirm("slope", slope, numbers, size, 1e-5 if coarse < 1e-10 else 40 * coarse)
    if coarse < 1e-10:
        check_orders(form, paths, points, ways, slope, size)
    return grads, confirmed


def widened(form):
    """The same form in double precision, for finite differences."""
    wide = {
        p: dtyped(x, float)
        for p, x in leaves(form.given)
        if isinstance(x, np.ndarray) and x.dtype.kind == "f"
    }
    given = list(replaced(form.given, wide))
    for i, name in enumerate(form.names, len(given) - len(form.names)):
        if name == "dtype" and given[i] is not None:
            given[i] = float
    return Form(form.case, given, form.names, form.values)


def confirm(what, slope, numbers, size, tolerance):
    """Compare `slope` with central differences; False where those cannot tell: a kink, a jump, too steep."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            here = numbers(0.0)
            rises = [(numbers(h) - numbers(-h)) / (2 * h) for h in (2e-4, 1e-4, 1e-5)]
            turned = [(numbers(1e-4, u) - numbers(-1e-4, u)) / 2e-4 for u in (0.0, -0.5, 0.5)]
            bend = [(numbers(h) - 2 * here + numbers(-h)) / h for h in (1e-4, 1e-5)]
        except Exception:  # not defined around here
            return False
    finer = (4 * rises[1] - rises[0]) / 3
    room = max(1e-6 * max(1.0, size, abs(finer)), abs(rises[1] - rises[0]))
    if (
        not np.isfinite(finer)
        or abs(finer - rises[2]) > 100 * room
        or abs(bend[1]) > 0.2 * abs(bend[0]) + room * 10
        or not np.isfinite(here)
        or abs(turned[1] + turned[2] - 2 * turned[0]) > 100 * room
    ):
        return False
    off = abs(slope - finer)
    check(off <= max(room * 10, tolerance * max(1.0, size)), f"{what} {slope}, finite differences {finer}")
    return True


def check_orders(form, paths, points, ways, slope, size):
    """Forward mode against backward, and the second derivative against differences of the first."""

    def recorded(*xs):
        outs = form.call(form.case.function, dict(zip(paths, xs)))
        return [out for out in outs if isinstance(out, Value) and out.requires_grad]

    def loss(*xs):
        outs = recorded(*xs)
        return total(outs, factors_of(outs))

    _, forward = jvp(loss, tuple(points), tuple(ways))
    forward = float(forward)
    same = np.isclose(forward, slope, rtol=1e-8, atol=1e-8 * max(1.0, size), equal_nan=True)
    check(same, f"forward mode {forward}, backward {slope}")
    if not form.case.second or not np.isfinite(slope):
        return

    def slope_at(*xs):
        _, pullback = vjp(loss, *xs)
        return sum(np.sum(g * w) for g, w in zip(pullback(1.0), ways))

    xs = [Value(x) for x in points]
    result = slope_at(*xs)
    second = 0.0
    if isinstance(result, Value) and result.requires_grad:
        result.backward()
        second = float(sum(np.sum(v.grad * w) for v, w in zip(xs, ways) if v.grad is not None))
    confirm(
        "second derivative", second,
        lambda t, turn=0.0: float(slope_at(*(x + t * w for x, w in zip(points, ways)))),
        abs(second) + size, 1e-4,
    )  # fmt: skip


def bits(x):
    """Type, shape, dtype and bits; every nan is the same one."""
    data = x.data if isinstance(x, Value) else x
    if not isinstance(data, (float, np.ndarray, np.generic)):
        return str(data).encode()
    array = np.array(data)
    if array.dtype.kind == "f":
        array[np.isnan(array)] = np.nan
    return f"{type(data).__name__}{array.shape}{array.dtype}".encode() + array.tobytes()


def tried(count, number=0):
    """Outcomes of so many forms, counted; the faults; and a digest of all bits."""
    outcomes, faults, digest = collections.Counter(), [], hashlib.sha256()
    quiet = settings(
        max_examples=count, phases=[Phase.generate], database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    @seed(number)
    @quiet
    @given(forms())
    def attempt(form):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                outcome, said = judged(form)
            except Fault as fault:
                outcome, said = "wrong", b""
                faults.append(f"{form}\n    {fault}")
            except Exception as error:
                outcome = "wrong"
                at = traceback.extract_tb(error.__traceback__)[-1]
                said = f"{type(error).__name__} at {at.filename[-40:]}:{at.lineno}: {error}"
                faults.append(f"{form}\n    while checking: {said}")
                said = b""
        outcomes[outcome] += 1
        digest.update(said)

    attempt()
    return outcomes, faults, digest.hexdigest()


if __name__ == "__main__":
    outcomes, faults, digest = tried(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(*faults, sep="\n")
    for outcome, n in outcomes.most_common():
        print(f"{n:6} {outcome}")
    print("digest", digest)
