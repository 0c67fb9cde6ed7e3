"""Arrays of other libraries, which are kept as they are: Dask's, which are computed later, and a GPU's.

Their own functions do the work, as NumPy's protocols find them.  What is here is little: at the end of a
backward pass gradients become the kinds of array that their values are, all in one computation; and what Dask
cannot follow without looking at numbers is refused where it is recorded.
"""

from __future__ import annotations

import copy
from abc import ABC
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import numpy as np

from ..engine import backprop
from ..engine import value as engine
from ..engine.record import Record, ancestors
from ..engine.table import Row
from ..engine.watch import bring_home, recording_mode

NUMPYS = "compiled programs work in NumPy's memory: call the function as it is, or give it x.compute()"


class Foreign(ABC):  # noqa: B024 (it is a question, not a base)
    """Any array that speaks NumPy's protocols and is not NumPy's: Dask's, CuPy's."""

    @classmethod
    def __subclasshook__(cls, kind: type) -> bool:
        ours = issubclass(kind, (np.ndarray, np.generic)) or hasattr(kind, "apply_row")
        return hasattr(kind, "__array_function__") and not ours


class Withheld(TypeError):
    """Something asked for the numbers of an array that has none yet."""


def is_lazy(x: Any) -> bool:
    """Whether `x` is an array whose numbers are computed when somebody asks for them, as Dask's are."""
    return hasattr(type(x), "__dask_graph__")


def lazy_in(x: Any) -> list[Any]:
    """The lazy arrays in lists, tuples and dicts, and what Values hold of them."""
    if isinstance(x, (list, tuple, dict)):
        return [a for part in (x.values() if isinstance(x, dict) else x) for a in lazy_in(part)]
    data = getattr(x, "primal", x)
    return [data] if is_lazy(data) else []


def fits(shape: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two shapes are equal, as far as their lengths are known."""
    known = [(n, m) for n, m in zip(shape, other) if n == n and m == m]
    return len(shape) == len(other) and all(n == m for n, m in known)


def in_kind_of(data: Any, x: Any) -> Any:
    """An array or a number in the dtype of `data`, and as an array of its kind where that is foreign."""
    if not has_foreign(x):
        x = np.zeros_like(data) + x if has_foreign(data) else np.array(x, data.dtype)
    return x if x.dtype == data.dtype else x.astype(data.dtype)


def all_computed(*arrays: Any) -> tuple[Any, ...]:
    """The same with NumPy's arrays in place of Dask's, all computed in one go."""
    return tuple(_dask().compute(*arrays)) if any(map(is_lazy, arrays)) else arrays


def looked_at(x: Any, check: Callable[[Any], None]) -> Any:
    """`x`, if `check` raises nothing for it; of a Dask array, for each block when that is computed."""

    def seen(block: Any) -> Any:
        check(block)
        return block

    if is_lazy(x):
        return x.map_blocks(seen, dtype=x.dtype, meta=_dask().utils.meta_from_array(x))
    return seen(x)


# At the end of a backward pass
@bring_home.register(Foreign)
@bring_home.register(tuple)  # of several results
def _(data: Any, gradients: dict[Any, Any]) -> None:
    """Compute the gradients of values of NumPy's and Python's kinds, and the loss itself, in one go."""
    away = [v for v, g in gradients.items() if has_foreign(g) and not has_foreign(v.primal)]
    found = [gradients[v] for v in away]
    if any(is_lazy(part) for g in found for part in (g if type(g) is tuple else [g])):
        root = next(iter(gradients))
        single = root.primal is data and not isinstance(data, tuple) and data.size == 1
        *found, number = _dask().compute(*found, data if single else None)
        if single:  # who looks at the loss next need not read all the data again
            root.primal = _dask().from_array(np.asarray(number))
    for v, g in zip(away, found, strict=True):
        gradients[v] = _at_home(g, v.primal)


def _at_home(g: Any, data: Any) -> Any:
    """A gradient that was computed, in memory of its own, as the kind of thing that `data` is."""
    if type(g) is tuple:
        return tuple(None if part is None else _at_home(part, x) for part, x in zip(g, data, strict=True))
    if backprop.is_number(data):
        return float(g)
    return g if has_foreign(g) else np.array(g)


def has_foreign(x: Any) -> bool:
    """Whether `x`, or one of several results, is an array of another library."""
    return isinstance(x, Foreign) or (type(x) is tuple and any(isinstance(part, Foreign) for part in x))


def _dask() -> Any:
    """Dask's arrays; who has one has Dask."""
    try:
        import dask.array
    except ImportError as error:
        raise ImportError("arrays of Dask need Dask: pip install 'tinygrad_course[dask]'") from error
    return dask.array


# Where something is recorded
_followed: set[Any] = set()  # the kinds of call that were tried


def applied_to_lazy(kind: Any, row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`engine.apply`; or an error, if Dask cannot go on from here, and back, without looking at numbers.

    Each kind of call is tried once, on arrays like the given ones whose numbers are withheld.
    """
    for a in (*row.operands(args), *kwargs.values()):
        if hasattr(data := getattr(a, "primal", a), "refused"):  # a traced one
            raise data.refused("an array of Dask takes part", NUMPYS)
        if has_foreign(data) and not lazy_in(data):
            other = f"{type(data).__module__}.{type(data).__name__}"
            raise TypeError(
                f"an array of Dask meets a {other}; put its blocks there, x.map_blocks, or x.compute()"
            )
    wanted = bool(recording_mode.get())
    key = (row, wanted, _likeness(args), _likeness(kwargs))
    try:
        if key not in _followed:
            copy_context().run(_try, kind, row, args, kwargs, wanted)
            _followed.add(key)
        return engine.apply(kind, row, args, kwargs)
    except (AssertionError, KeyError, NotImplementedError) as error:  # all that Dask may say
        raise TypeError(str(error) or "Dask does not know how") from error


def _try(kind: Any, row: Row, args: Any, kwargs: Any, wanted: bool) -> None:
    """Record a call of `row`, without its numbers, and walk back from what it gives."""
    recording_mode.set(wanted)
    out = engine.apply(kind, row, _mapped(_without_numbers, args), _mapped(_without_numbers, kwargs))
    for result in out if isinstance(out, (tuple, list)) else (out,):
        if isinstance(result, Record) and result.active:
            nodes = ancestors([result])
            backprop.walk(backprop.Pass(nodes, {**dict.fromkeys(nodes), result: result.primal}))


def _without_numbers(x: Any) -> Any:
    """The same without numbers, or with a history of its own."""
    if isinstance(x, Record):
        new = object.__new__(type(x))
        Record.__init__(new, _mapped(_without_numbers, x.primal), x.active)
        return new
    if isinstance(x, np.random.Generator):
        return copy.deepcopy(x)  # which draws from it all the same
    if not is_lazy(x):
        return x
    meta = _dask().utils.meta_from_array(x)
    return _dask().map_blocks(_refused, chunks=x.chunks, dtype=x.dtype, meta=meta)


def _refused(*blocks: Any, **info: Any) -> Any:
    raise Withheld("it looks at numbers while it is recorded, and those of a Dask array are computed later")


def _mapped(f: Callable[[Any], Any], x: Any) -> Any:
    """`f` of everything in lists, tuples and dicts."""
    if isinstance(x, (list, tuple)):
        return engine.like_sequence(x, [_mapped(f, part) for part in x])
    return {name: _mapped(f, part) for name, part in x.items()} if isinstance(x, dict) else f(x)


def _likeness(x: Any) -> Any:
    """What counts of an argument for how a call is computed: kinds, axes, words, but no numbers."""
    if isinstance(x, (list, tuple)):
        return tuple(map(_likeness, x))
    if isinstance(x, dict):
        return tuple((name, _likeness(part)) for name, part in x.items())
    if isinstance(x, Record):
        return x.active, _likeness(x.primal)
    if is_lazy(x):
        return "lazy", tuple((n > 1, m == m, m > 1) for n, m in zip(x.numblocks, x.shape))
    if isinstance(x, (str, bool, type(None))):
        return x
    return type(x), np.ndim(x) if hasattr(x, "shape") else 0
