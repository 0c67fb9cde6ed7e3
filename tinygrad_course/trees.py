"""Trees: any nesting of lists, tuples, dicts and slices, with numbers and arrays as leaves.

Arguments and results of functions are trees.  The transforms take a tree apart into its leaves, work on
those, and put what they find back into the same tree.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """The leaves of `tree`, in order.

    Examples
    --------
    >>> leaves({"w": [1.0, 2.0], "b": (3.0,)})
    [1.0, 2.0, 3.0]
    """
    if isinstance(tree, slice):
        return leaves([tree.start, tree.stop, tree.step])
    if not isinstance(tree, (list, tuple, dict)):
        return [tree]
    found: list[Any] = []
    for part in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(part, (list, tuple, dict, slice)):
            found += leaves(part)
        else:
            found.append(part)
    return found


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """A tree of the same structure with ``function(leaf)`` in place of every leaf.

    Examples
    --------
    >>> mapped(lambda x: 10 * x, {"w": [1.0, 2.0], "b": (3.0,)})
    {'w': [10.0, 20.0], 'b': (30.0,)}
    """
    if isinstance(tree, dict):
        new = copy.copy(tree)  # keeps the kind of dict, and the order of its keys
        for key, part in tree.items():
            new[key] = mapped(function, part)
        return new
    if isinstance(tree, slice):
        return slice(*(mapped(function, part) for part in (tree.start, tree.stop, tree.step)))
    if not isinstance(tree, (list, tuple)):
        return function(tree)
    parts = [mapped(function, part) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def rebuilt(tree: Any, new: list[Any]) -> Any:
    """A tree of the same structure with the leaves `new`."""
    following = iter(new)
    return mapped(lambda _: next(following), tree)


def paired(tree: Any, other: Any, name: str, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Go through two trees of the same structure together: (place, leaf, leaf of the other).

    Raises
    ------
    ValueError
        Where their structures differ; `name` says what `other` is.

    Examples
    --------
    >>> list(paired({"w": [1.0, 2.0]}, {"w": [3.0, 4.0]}, "tangent"))
    [("['w'][0]", 1.0, 3.0), ("['w'][1]", 2.0, 4.0)]
    """
    if isinstance(tree, dict):
        if not isinstance(other, dict) or other.keys() != tree.keys():
            keys = f"a dict with the keys {list(tree)}"
            got = f"keys {list(other)}" if isinstance(other, dict) else type(other).__name__
            raise ValueError(f"{name}{place} must be {keys}, as its counterpart is; got {got}")
        for key, part in tree.items():
            yield from paired(part, other[key], name, f"{place}[{key!r}]")
    elif isinstance(tree, (list, tuple)):
        if not isinstance(other, (list, tuple)) or len(other) != len(tree):
            got = f"{len(other)} parts" if isinstance(other, (list, tuple)) else type(other).__name__
            wanted = f"a {type(tree).__name__} of {len(tree)} parts"
            raise ValueError(f"{name}{place} must be {wanted}, as its counterpart is; got {got}")
        for i, (part, counterpart) in enumerate(zip(tree, other)):
            yield from paired(part, counterpart, name, f"{place}[{i}]")
    else:
        yield place, tree, other
