"""A module as a function of its parameters, which is what the transforms differentiate."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arraylike import Value
from ..engine.value import like_sequence
from .module import Module


def functional_call(module: Module, parameters: Mapping[str, Any], *inputs: Any, **options: Any) -> Any:
    """What `module` computes with other parameters; the module itself stays as it is.

    Parameters
    ----------
    module : Module
        The network.
    parameters : mapping of str to Value, array or number
        Parameters and buffers by name, as `Module.state_dict` gives them.  For those left out the module has
        its own.
    *inputs, **options
        What the module is called with.

    Returns
    -------
    Value
        What it gives.  Attributes that `forward` assigns, such as running statistics, are not kept.

    Raises
    ------
    ValueError
        If the module has no parameter of a name, a shape is wrong, or one that is shared is given twice.

    Examples
    --------
    The Hessian of a network's loss is one line:

    >>> import numpy as np
    >>> from tinygrad_course import hessian, nn
    >>> net = nn.Linear(1, 1, rng=np.random.default_rng(0))
    >>> x, y = np.array([[1.0], [2.0]]), np.array([[0.0], [1.0]])
    >>> found = hessian(lambda p: ((nn.functional_call(net, p, x) - y) ** 2).mean())(net.state_dict())
    >>> found["weight"]["bias"].item()
    3.0
    """
    who = f"functional_call: {type(module).__name__}"
    values = dict(module._named_values())
    buffers = {name: (part, attribute) for name, part, attribute in module._named_buffers()}
    new: dict[Any, Any] = {}
    for name, given in parameters.items():
        if name in values:
            own: Any = values[name]
            key: Any = id(own)
            given = given if isinstance(given, Value) else Value(given, requires_grad=False)
        elif name in buffers:
            part, attribute = buffers[name]
            key, own = (id(part), attribute), getattr(part, attribute)
        else:
            raise ValueError(f"{who} has no parameter {name!r}; it has {', '.join([*values, *buffers])}")
        if np.shape(given) != np.shape(own):
            raise ValueError(f"{who}.{name} has shape {np.shape(own)}, and was given {np.shape(given)}")
        if key in new:
            raise ValueError(f"{who}.{name} is shared, and was given by its other name, too; give it once")
        new[key] = given
    return _copied(module, new, {})(*inputs, **options)


def _copied(thing: Any, new: dict[Any, Any], copies: dict[int, Any]) -> Any:
    """`thing` with what is in `new` in place of its parameters and buffers.

    Modules and containers are copied, each once, also where they hold themselves; nothing else is.
    """
    if isinstance(thing, Value):
        return new.get(id(thing), thing)
    if isinstance(thing, tuple):
        return like_sequence(thing, [_copied(part, new, copies) for part in thing])
    if isinstance(thing, (Module, list, dict)) and id(thing) not in copies:
        other: Any = copy.copy(thing)
        copies[id(thing)] = other
        if isinstance(thing, list):
            other[:] = [_copied(part, new, copies) for part in thing]
        else:
            parts = vars(other) if isinstance(thing, Module) else other
            for name, part in list(parts.items()):
                parts[name] = _copied(new.get((id(thing), name), part), new, copies)
    return copies.get(id(thing), thing)
