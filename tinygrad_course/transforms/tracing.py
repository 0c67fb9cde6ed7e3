"""Tracing: run a function once on fresh Values, and carry gradients back through what it recorded.

Every transform starts here.  Each number or array in an argument becomes a Value of its own, younger than
everything outside, so the walk back from the result ends there and touches nothing else.  A Value becomes a
recorded copy of itself: that ties the result to the graph outside, and it is all that makes transforms nest.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arraylike import Value
from ..arraylike.errors import describe, written_over
from ..arraylike.foreign import Foreign, fits, in_kind_of
from ..derivatives import Row, cast
from ..engine.backprop import backpropagate, is_number, total
from ..engine.record import ancestors, next_serial
from ..engine.watch import recording, recording_mode, watching
from ..trees import leaves, mapped, paired, rebuilt

Function = Callable[..., Any]
Argnums = int | Sequence[int]


class Trace:
    """One run of a function on fresh Values.

    Parameters
    ----------
    name : str
        The transform that asks, for messages.
    f : callable
        What to run.
    args, kwargs : tuple and dict
        What to run it on.
    argnums : int or sequence of int
        The arguments with respect to which gradients will be asked for.
    has_aux : bool
        Whether `f` gives a pair, of which the second part is only passed on.

    Attributes
    ----------
    primal : tree
        The argument at `argnums`; a tuple of them if `argnums` is a sequence.
    inputs : list of Value
        One for each leaf of `primal`, in order.
    result, aux : tree
        What `f` gave.
    linked : bool
        Whether what it gave depends on Values outside: then gradients have to be recorded, too.
    keep : bool
        Whether results stay Values, because Values came in.
    """

    __slots__ = ("_start", "aux", "inputs", "keep", "linked", "primal", "result")

    def __init__(
        self,
        name: str,
        f: Function,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: Argnums = 0,
        has_aux: bool = False,
    ) -> None:
        chosen = _chosen(name, args, argnums)
        one = _is_index(argnums)
        self.primal = args[chosen[0]] if one else tuple([args[i] for i in chosen])
        records = bool(recording_mode.get())
        self._start = next_serial()
        called, new = list(args), {}
        for i in dict.fromkeys(chosen):
            try:
                new[i] = [fresh(leaf, records) for leaf in leaves(args[i])]
            except (TypeError, ValueError) as error:
                raise _unsuitable(f"{name}: argument {i}", args[i]) from error
            called[i] = rebuilt(args[i], new[i])
        self.inputs = [value for i in chosen for value in new[i]]
        if records:
            self.result, self.aux = f(*called, **kwargs), None
        else:
            with recording(True):
                self.result, self.aux = f(*called, **kwargs), None
        if has_aux:
            if not isinstance(self.result, tuple) or len(self.result) != 2:
                raise TypeError(
                    f"{name}: with has_aux=True the function must give a pair (result, aux), "
                    f"and it gave {named(self.result)}"
                )
            self.result, self.aux = self.result
        for out in leaves(self.result):
            if not isinstance(out, (Value, float, int, np.ndarray, np.generic, Foreign)):
                raise TypeError(
                    f"{name}: the function must give Values, or lists, tuples and dicts of them, and it gave "
                    + named(out)
                    + (" (is its return missing?)" if out is None else "")
                )
        self.linked = records and self._reaches_outside()
        self.keep = self.linked or has_values((args, kwargs))

    def _reaches_outside(self) -> bool:
        """Whether an input came from a Value, or a result was computed from one that was there before."""
        if any(v.row is not None for v in self.inputs):
            return True
        found = recorded((self.result, self.aux), self._start)
        return bool(found) and found[-1].serial < self._start

    def outward(self, tree: Any) -> Any:
        """A result as the caller gets it: Values if Values came in, and otherwise plain data."""
        return tree if self.linked else mapped(self._outward, tree)

    def _outward(self, leaf: Any) -> Any:
        if not isinstance(leaf, Value) or leaf.serial < self._start:
            return leaf
        return leaf.detach() if self.keep else leaf.data

    def gradients(self, found: list[Any], keep: bool) -> Any:
        """Gradients of the inputs as the caller gets them: a tree like `primal`, zeros where none came."""
        return rebuilt(self.primal, filled(found, self.inputs, keep))


def pulled(
    outputs: Sequence[Any], cotangents: Sequence[Any], inputs: Sequence[Value], create_graph: bool
) -> list[Any]:
    """Gradients of `inputs`, from a cotangent for each of `outputs`; None for zero."""
    oldest = min((v.serial for v in inputs), default=0)
    pairs = [
        (out, as_value(cotangent) if create_graph else cotangent)
        for out, cotangent in zip(outputs, cotangents, strict=True)
        if differentiable(out) and out.serial >= oldest
    ]
    if not pairs or not inputs:
        return [None] * len(inputs)
    root, cotangent = pairs[0]
    if len(pairs) > 1:
        roots, cotangent = zip(*pairs, strict=True)
        root = bundled(roots)
    if not create_graph and (watch := watching()) is not None:
        watch.backward(root, cotangent, oldest)
    try:
        return backpropagate(root, cotangent, inputs=inputs, create_graph=create_graph)
    except Exception:
        if told := written_over([root]):
            raise RuntimeError(f"backward: {told}") from None
        raise


def bundled(parts: Sequence[Any], f: Function = tuple) -> Value:
    """Several Values (and constants) as one, to walk from all at once; `f` gives messages its name."""
    data = [v.data if isinstance(v, Value) else v for v in parts]
    parents = tuple(v if differentiable(v) else None for v in parts)
    row = Row(f, rule_for_all=lambda i, g, out, parts: g[i], sequence=True)
    return Value.recorded(tuple(data), row, (data,), {}, parents)


def recorded(tree: Any, start: int) -> list[Value]:
    """The Values that `tree` was computed from, and its own; of those from before `start` only the last."""
    return ancestors(dict.fromkeys([v for v in leaves(tree) if differentiable(v)]), start + 1)


def differentiable(x: Any) -> bool:
    """Whether `x` is a Value with a gradient."""
    return isinstance(x, Value) and x.active


def has_values(tree: Any) -> bool:
    """Whether any leaf is a Value."""
    return any(isinstance(leaf, Value) for leaf in leaves(tree))


def as_value(x: Any) -> Value:
    """`x` itself if it is a Value, and otherwise a constant."""
    return x if isinstance(x, Value) else Value(x, requires_grad=False)


def filled(found: list[Any], likes: Sequence[Any], keep: bool) -> list[Any]:
    """`found` with zeros, like the one in `likes`, in place of None; as Values if `keep`."""
    full = [_zeros(like) if x is None else x for x, like in zip(found, likes, strict=True)]
    return [as_value(x) for x in full] if keep else full


def _zeros(like: Any) -> Any:
    data = like.data if isinstance(like, Value) else like
    return 0.0 if is_number(data) or isinstance(data, np.generic) else np.zeros_like(data)


def matching(tree: Any, given: Any, name: str) -> list[Any]:
    """The leaves of `given`, which must have the structure and shapes of `tree`, in the dtypes of `tree`."""
    matched: list[Any] = []
    for place, like, x in paired(tree, given, name):
        known = isinstance(x, (Value, float, int, np.ndarray, np.generic, Foreign))
        if not known or not fits(np.shape(x), np.shape(like)):
            raise ValueError(
                f"{name}{place} must have the shape {np.shape(like)} of its counterpart; got {named(x)}"
            )
        matched.append(_alike(like, x) if isinstance(like, Value) else x)
    return matched


def _alike(like: Value, x: Any) -> Any:
    """`x`, of the same shape as `like`, as a number or an array of that dtype, as `like` is."""
    number = type(like.data) is float
    if not isinstance(x, Value):
        return float(x) if number else in_kind_of(like.data, x)
    if number:
        return x if type(x.data) is float else total(x)
    if type(x.data) is float:  # a number times an array is an array
        return x * as_value(np.ones((), like.dtype))
    return x if x.dtype == like.dtype else cast(x, like.dtype)


def _chosen(name: str, args: tuple[Any, ...], argnums: Argnums) -> list[int]:
    """`argnums` as places in `args`."""
    if type(argnums) is int and 0 <= argnums < len(args):
        return [argnums]
    several = isinstance(argnums, (Sequence, np.ndarray)) and not _is_index(argnums)
    numbers: list[Any] = list(argnums) if several else [argnums]  # type: ignore[arg-type]
    for i in numbers:
        if not _is_index(i):
            raise TypeError(
                f"{name}: argnums must be the number of an argument or a tuple of them; got {argnums!r}"
            )
        if not -len(args) <= i < len(args):
            raise ValueError(
                f"{name}: argnums={argnums!r}, but the function was called with {len(args)} positional "
                "arguments (counted from 0; those given by keyword have no gradient)"
            )
    return [operator.index(i) % len(args) for i in numbers]


def _is_index(argnums: Any) -> bool:
    """Whether `argnums` is one whole number, of Python or of NumPy, and not several."""
    if type(argnums) is int:
        return True
    try:
        operator.index(argnums)
    except TypeError:
        return False
    return not isinstance(argnums, bool)


def fresh(leaf: Any, records: bool) -> Value:
    """A Value that only this run knows: a leaf, or a recorded copy of a Value that has a gradient itself."""
    if isinstance(leaf, Value):
        return +leaf if records and leaf.requires_grad else Value(leaf.data)
    return Value(leaf)


def _unsuitable(name: str, argument: Any) -> TypeError:
    """The error for an argument that there is no gradient of: it names the first leaf that is not numbers."""
    for place, leaf, _ in paired(argument, argument, name):
        try:
            fresh(leaf, False)
        except (TypeError, ValueError):
            return TypeError(
                f"{name}{place} is {named(leaf)}; a gradient needs real numbers or arrays, or lists, tuples "
                "and dicts of them. Choose the arguments to differentiate with argnums"
            )
    raise AssertionError(f"{name}: every leaf is suitable")


def named(x: Any) -> str:
    """A few words on what a function gave or was given."""
    return describe(mapped(lambda leaf: leaf.data if isinstance(leaf, Value) else leaf, x))
