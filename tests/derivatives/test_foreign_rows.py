"""Every row on arrays that are not NumPy's: equal to NumPy's result and gradient, or refused by name.

Dask's arrays are cut anywhere, and some do not know their lengths; nothing may be computed while recording
and walking back.  A stand-in for arrays on a GPU forbids to leave it.  The suite tries some rows; all of
them, 20 calls each, with counts::

    FOREIGN=20 PYTHONPATH=. python tests/derivatives/test_foreign_rows.py
"""

import collections
import contextlib
import os
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent.parent))
import rows  # noqa: F401 (fills CASES)
from device import Device
from rows.calling import differentiable, largest, leaves, parts, replaced, run, same, weights
from rows.registry import CASES, Call

from tinygrad_course import Value

try:
    import dask
    import dask.array as da
except ImportError:
    dask = None

REFUSED = (TypeError, ValueError, IndexError, RuntimeError)
NAMED = ("(", "backward: rule", "dispatcher")  # the last one is NumPy's own
ADVICE = ("x.compute()", "dispatcher", "rechunk", "compute_chunk_sizes", "could not be broadcast", "for axis")


class OnDevice:
    """The stand-in: every array of a call is put on it."""

    kind, advice = Device, ("",)

    def wrapped(self, draw, x, learned):
        return Device(x)

    def plain(self, x):
        return x._array if isinstance(x, Device) else x

    @contextlib.contextmanager
    def watched(self, most):
        yield


class OnDask:
    """Dask's arrays: cut anywhere, with lengths that are not known now and then."""

    kind, advice = None if dask is None else da.Array, ADVICE

    def wrapped(self, draw, x, learned):
        if not learned and draw(st.booleans()):
            return x
        cuts = [sorted(draw(st.sets(st.integers(1, max(n - 1, 1)), max_size=2))) for n in x.shape]
        cuts = [at if n > 1 else [] for at, n in zip(cuts, x.shape)]
        chunks = [tuple(b - a for a, b in zip([0, *at], [*at, n])) for at, n in zip(cuts, x.shape)]
        lazy = da.from_array(np.array(x), tuple(chunks))
        unknown = x.ndim and len(x) > 1 and draw(st.integers(0, 4)) == 0
        return lazy[da.from_array(np.ones(len(x), bool), chunks[0])] if unknown else lazy

    def plain(self, x):
        return dask.compute(x, scheduler="sync")[0]

    @contextlib.contextmanager
    def watched(self, most):
        """Nothing is computed here more often than `most` times."""
        made = []

        def scheduler(graph, keys, **options):
            out = dask.get(graph, keys, **options)  # what asks for numbers that are withheld raises
            made.append(keys)
            return out

        with dask.config.set(scheduler=scheduler):
            yield
        assert len(made) <= most, f"computed {len(made)} times"


def outcome(case, call, library, draw):
    """How a call comes out: "equal", or "refused" with the words."""
    places = differentiable(case.row, call.args)
    if not any(isinstance(x, np.ndarray) for x in places.values()):
        return "no array", ""
    plain = {path: Value(x) for path, x in places.items()}
    wanted = parts(run(case, call, plain))
    on = lambda x, learned: library.wrapped(draw, x, learned) if isinstance(x, np.ndarray) else x
    lazy = {p: Value(on(x, True)) for p, x in places.items()}
    others = {p: on(x, False) for p, x in leaves(call.args) if isinstance(x, np.ndarray) and p not in places}
    kwargs = {k: on(x, False) for k, x in call.kwargs.items()}
    recorded = False
    try:
        with library.watched(0):
            got = parts(run(case, Call(replaced(call.args, others), kwargs), lazy))
        recorded = library.kind is not Device  # a stand-in may still refuse on the way back
        back(got, wanted, library)
    except REFUSED as error:
        said = str(error)
        assert not recorded, f"refused only on the way back: {said}"
        assert any(word in said for word in NAMED), f"refused without a name: {said}"
        assert any(word in said for word in library.advice), f"refused without advice: {said}"
        return "refused", said
    for out, want in zip(got, wanted):
        if isinstance(want, Value):
            same(library.plain(out.data), want.data, rtol=1e-9, atol=1e-9 * largest(want.data))
    for path, v in lazy.items():
        g, want = v.grad, plain[path].grad
        assert (g is None) == (want is None), "a gradient is missing"
        if g is not None:
            assert isinstance(g, type(v.data)), f"the gradient of {type(v.data)} is {type(g)}"
            same(library.plain(g), want, rtol=1e-9, atol=1e-9 * largest(want))
    return "equal", ""


def back(got, wanted, library):
    """Send the same weights back through both results."""
    for k, (out, want) in enumerate(zip(got, wanted, strict=True)):
        if not isinstance(want, Value) or not want.requires_grad:
            continue
        unknown = any(n != n for n in out.shape)  # weights would have no place
        g = np.ones_like(want.data) if unknown else weights(want.data, k)
        want.backward(g)
        g = np.ones_like(out.data) if unknown else Device(g) if isinstance(out.data, Device) else g
        with library.watched(1):
            out.backward(g)


def tried(case, library, count):
    """The outcomes of so many calls of a case, counted, and words for each kind of refusal."""
    found, words = collections.Counter(), {}
    few = settings(
        max_examples=count, phases=[Phase.generate], database=None, deadline=None, derandomize=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    @seed(0)
    @few
    @given(st.data())
    def attempt(data):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            how, said = outcome(case, data.draw(case.calls), library, data.draw)
        found[how] += 1
        words.setdefault(how, said)

    attempt()
    return found, words


COUNT = int(os.environ.get("FOREIGN", 2))


@pytest.mark.skipif(dask is None, reason="dask is not installed")
@pytest.mark.parametrize("case", CASES[:: 1 if "FOREIGN" in os.environ else 15], ids=lambda case: case.name)
def test_rows_on_dask_arrays(case):
    tried(case, OnDask(), COUNT)


@pytest.mark.parametrize("case", CASES[:: 1 if "FOREIGN" in os.environ else 4], ids=lambda case: case.name)
def test_rows_on_a_device(case):
    tried(case, OnDevice(), COUNT)


if __name__ == "__main__":
    for library in (OnDask(), OnDevice()):
        calls, kinds, chosen = collections.Counter(), collections.Counter(), sys.argv[1:]
        for case in CASES:
            if chosen and case.name not in chosen:
                continue
            try:
                found, words = tried(case, library, COUNT)
            except BaseException as error:
                found, words = {"wrong": 1}, {"wrong": f"{type(error).__name__}: {str(error)[:400]}"}
            calls.update(found)
            told = "/".join(sorted(set(found) - {"no array"}))
            kinds[told] += 1
            if told != "equal":
                print(f"{case.name:22} {dict(found)} {words.get('wrong', words.get('refused', ''))[:200]!r}")
        print(type(library).__name__, dict(calls), "rows:", dict(kinds))
