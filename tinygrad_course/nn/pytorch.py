"""Networks of PyTorch as networks of this library, and back: layers of the same names, arguments and weights.

A layer is made by the class that has its name on the other side.  Its arguments go by the names in the two
constructors' signatures, and are read from the attributes of these names; `READ` says how where a layer keeps
one elsewhere.  What is inside a layer is converted in the same way and put into its place.  Then the weights
are copied, and what is shared stays shared.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..arraylike import Value
from . import (
    activations,
    attention,
    bags,
    containers,
    convolution,
    distances,
    embedding,
    functional,
    group_norm,
    likelihoods,
    linear,
    losses,
    margins,
    more_activations,
    normalization,
    pooling,
    recurrent,
    resizing,
    sequences,
    transformer,
    transposed,
)
from .module import Module

ROOMS = (
    activations, attention, bags, containers, convolution, distances, embedding, group_norm, likelihoods,
    linear, losses, margins, more_activations, normalization, pooling, recurrent, resizing, sequences,
    transformer, transposed,
)  # fmt: skip
OURS: dict[str, Any] = {
    name: thing
    for room in ROOMS
    for name, thing in vars(room).items()
    if isinstance(thing, type) and issubclass(thing, Module)
}
"""The layers here by name; those of PyTorch that have the same names are what they are converted to."""
for _without_a_forward in ("Module", "ParameterList"):
    del OURS[_without_a_forward]

Reader = Callable[[Any], Any]


def _axis(module: Any) -> Any:
    if module.dim is None:
        raise ValueError("dim=None leaves the axis to a guess; say which, such as dim=-1")
    return module.dim


_bias_of_affine: dict[str, Reader] = {"bias": lambda m: not m.affine or m.bias is not None}
_softmax: dict[str, Reader] = {"dim": _axis}
READ: dict[str, dict[str, Reader]] = {
    "BatchNorm1d": _bias_of_affine,
    "BatchNorm2d": _bias_of_affine,
    "GroupNorm": _bias_of_affine,
    "InstanceNorm1d": _bias_of_affine,
    "InstanceNorm2d": _bias_of_affine,
    "LogSoftmax": _softmax,
    "Softmax": _softmax,
    "Softmin": _softmax,
    "MultiheadAttention": {
        "bias": lambda m: m.in_proj_bias is not None,
        "add_bias_kv": lambda m: getattr(m, "bias_k", None) is not None,
        "kdim": lambda m: None if getattr(m, "kdim", m.embed_dim) == m.embed_dim else m.kdim,
        "vdim": lambda m: None if getattr(m, "vdim", m.embed_dim) == m.embed_dim else m.vdim,
    },
    "PairwiseDistance": {"p": lambda m: m.p if hasattr(m, "p") else m.norm},
    "TransformerEncoder": {"encoder_layer": lambda m: m.layers[0]},
    "TransformerEncoderLayer": {
        "d_model": lambda m: m.self_attn.embed_dim,
        "nhead": lambda m: m.self_attn.num_heads,
        "dim_feedforward": lambda m: m.linear1.out_features,
        "dropout": lambda m: m.dropout.p,
        "layer_norm_eps": lambda m: m.norm1.eps,
        "batch_first": lambda m: m.self_attn.batch_first,
        "bias": lambda m: m.linear1.bias is not None,
    },
}
"""Arguments that a layer does not keep under their own names, and how they are read, on both sides."""

HIDDEN = {
    "RNN": {"nonlinearity": inspect.Parameter("nonlinearity", inspect.Parameter.KEYWORD_ONLY, default="tanh")}
}
"""Arguments of PyTorch's layers that no signature shows."""

PLAIN = {"TransformerEncoder": {"enable_nested_tensor": False}}
"""What PyTorch's layers are made with so that no short cut changes what they compute."""

IGNORED = {
    "device", "dtype", "rng", "inplace", "sparse", "enable_nested_tensor", "mask_check",
}  # fmt: skip
"""Arguments that say where and how something is computed, and not what."""


def from_torch(module: Any) -> Any:
    """The same network as modules of this library: same weights, same outputs, same gradients.

    Parameters
    ----------
    module : torch.nn.Module
        Made of PyTorch's own layers, however deeply nested.  It is left as it is, and shares no memory with
        what comes of it.  The modules' modes (training or not) and frozen parameters are kept.

    Returns
    -------
    Module

    Raises
    ------
    TypeError
        If a module in it has no counterpart here; it is named with its path.  A class of one's own is written
        again with `nn.Module`, and the weights loaded with `load_state_dict`.
    ValueError
        If a layer has an option, a parameter or a dtype that is not known here.

    Examples
    --------
    >>> import pytest
    >>> torch = pytest.importorskip("torch")
    >>> theirs = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    >>> ours = from_torch(theirs)
    >>> ours
    Sequential(
      (0): Linear(2, 3)
      (1): ReLU()
      (2): Linear(3, 1)
    )
    >>> x = np.array([[0.5, -1.0]], np.float32)
    >>> bool(abs(ours(x).numpy() - theirs(torch.tensor(x)).detach().numpy()).max() < 1e-6)
    True
    """
    torch = _pytorch("from_torch")
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"from_torch takes a torch.nn.Module, not a {type(module).__name__}")
    return _FromTorch(torch).of(module)


def to_torch(module: Module) -> Any:
    """The same network as modules of PyTorch: same weights, same outputs, same gradients.

    Parameters
    ----------
    module : Module
        Made of layers that PyTorch has too, however deeply nested; see `from_torch`, the other way round.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    TypeError
        If a module in it has no counterpart in PyTorch; it is named with its path.
    ValueError
        If a layer has an option that PyTorch does not know.
    ImportError
        If PyTorch is missing.

    Examples
    --------
    >>> import pytest
    >>> torch = pytest.importorskip("torch")
    >>> from tinygrad_course import nn
    >>> to_torch(nn.Sequential(nn.Linear(2, 3), nn.Tanh()))
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): Tanh()
    )
    """
    torch = _pytorch("to_torch")
    if not isinstance(module, Module):
        raise TypeError(f"to_torch takes a module of this library, not a {type(module).__name__}")
    with torch.random.fork_rng(devices=[]):  # initial weights are drawn, and then replaced
        return _ToTorch(torch).of(module)


def _pytorch(who: str) -> Any:
    try:
        import torch
    except ImportError:
        raise ImportError(f"{who} needs PyTorch: pip install torch") from None
    return torch


def arguments_of(kind: type, name: str) -> dict[str, inspect.Parameter]:
    """What a class is made with, by name; PyTorch's recurrent layers say so in the class above them."""
    for base in kind.__mro__:
        if "__init__" in vars(base):
            found = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
            named = {p.name: p for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
            if named:
                return {**named, **HIDDEN.get(name, {})}
    return {}


class _Conversion:
    """One conversion: what was made of which module and parameter, and what differs between the two ways."""

    who: str
    namespace: Mapping[str, Any]
    here: Mapping[str, Any]
    there: Mapping[str, Any]
    elsewhere: str

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.theirs: dict[str, type] = {n: vars(torch.nn)[n] for n in OURS if n in vars(torch.nn)}
        self.modules: dict[int, Any] = {}
        self.parameters: dict[int, Any] = {}
        self.dtype: Any = None

    def of(self, module: Any) -> Any:
        """What a whole network becomes; its first dtype is that of layers which hold no numbers."""
        with contextlib.suppress(ValueError):  # told of where its place is known
            self.dtype = next(self.dtypes_of(module, True), None)
        return self.converted_module(module, "")

    def converted_module(self, module: Any, path: str) -> Any:
        """What a module becomes; the same thing again for the same module."""
        if id(module) in self.modules:
            return self.modules[id(module)]
        place = f"{self.who}: {path or 'the module'} ({type(module).__name__})"
        name = self.name_of(module, place)
        try:
            if self.hooks_of(module):
                raise ValueError("it has hooks, which may change what it computes; take them off first")
            given = self.arguments(module, name, path)
            made = self.there[name](**given)
        except ValueError as error:
            raise error if str(error).startswith(self.who) else ValueError(f"{place}: {error}") from error
        self.modules[id(module)] = made
        for part, inner in self.children(module):
            self.put(made, part, self.converted_module(inner, f"{path}.{part}" if path else part), place)
        self.copy_weights(module, made, given, place)
        made.training = module.training
        return made

    def name_of(self, module: Any, place: str) -> str:
        """The name of the layer that a module is, itself or by inheritance."""
        for kind in type(module).__mro__:
            if kind is self.namespace.get(kind.__name__):
                if type(module).forward is kind.forward and kind.__name__ in {*self.here} & {*self.there}:
                    return kind.__name__
                break
        raise TypeError(f"{place} {self.unknown(type(module))}")

    def arguments(self, module: Any, name: str, path: str) -> dict[str, Any]:
        """What the other side's layer is made with."""
        mine, others = arguments_of(self.here[name], name), arguments_of(self.there[name], name)
        given = {}
        for key in {**mine, **others}:
            if key in IGNORED or key.startswith("_"):
                continue
            read = READ.get(name, {}).get(key)
            if read is None and (not hasattr(module, key) or inspect.ismethod(getattr(module, key))):
                continue
            value = getattr(module, key) if read is None else read(module)
            default = (mine.get(key) or others[key]).default
            if default is True and not isinstance(value, bool):
                value = value is not None  # a parameter of the layer, or none, as it was asked for
            if key in others:
                given[key] = self.converted(value, key, path)
            elif default is not inspect.Parameter.empty and not (value is default or value == default):
                raise ValueError(f"{key}={value!r} is not known {self.elsewhere}")
        dtype = next(self.dtypes_of(module), self.dtype)
        return {**given, "dtype": dtype} if dtype is not None and "dtype" in others else given

    def converted(self, value: Any, key: str, path: str) -> Any:
        """The value of an argument on the other side."""
        if self.is_module(value):
            return self.converted_module(value, f"{path}.{key}" if path else key)
        if inspect.isroutine(value):
            return self.function(value, key)
        return value

    # What the two ways do differently
    def unknown(self, kind: type) -> str:
        raise NotImplementedError

    def is_module(self, thing: Any) -> bool:
        raise NotImplementedError

    def dtypes_of(self, module: Any, inside: bool = False) -> Iterator[Any]:
        """The other side's floating-point dtypes of what a module holds, or also of what is inside it."""
        raise NotImplementedError

    def hooks_of(self, module: Any) -> bool:
        raise NotImplementedError

    def children(self, module: Any) -> Iterator[tuple[str, Any]]:
        raise NotImplementedError

    def put(self, made: Any, name: str, part: Any, place: str) -> None:
        raise NotImplementedError

    def function(self, function: Any, key: str) -> Any:
        raise NotImplementedError

    def copy_weights(self, module: Any, made: Any, given: dict[str, Any], place: str) -> None:
        raise NotImplementedError


class _FromTorch(_Conversion):
    who, elsewhere = "from_torch", "here"

    def __init__(self, torch: Any) -> None:
        super().__init__(torch)
        self.namespace, self.here, self.there = vars(torch.nn), self.theirs, OURS

    def unknown(self, kind: type) -> str:
        if kind.__module__.startswith("torch."):
            return "is a layer of PyTorch that this library does not have"
        return (
            "is a class of one's own, and what it computes stands in its forward, which is not converted; "
            "write it again with this library's nn.Module, whose layers have PyTorch's names and arguments, "
            "and load the weights: net.load_state_dict({k: t.numpy() for k, t in module.state_dict().items()}"
            ")"
        )

    def is_module(self, thing: Any) -> bool:
        return isinstance(thing, self.torch.nn.Module)

    def dtypes_of(self, module: Any, inside: bool = False) -> Iterator[Any]:
        for tensor in (*module.parameters(inside), *module.buffers(inside)):
            if tensor.is_floating_point() or tensor.is_complex():
                name = str(tensor.dtype).removeprefix("torch.")
                if name not in ("float16", "float32", "float64"):
                    raise ValueError(
                        f"its numbers are {name}, which is not known here; module.float() converts them"
                    )
                yield np.dtype(name)

    @staticmethod
    def array(tensor: Any) -> Any:
        """A copy of a tensor's numbers."""
        return tensor.detach().cpu().numpy().copy()

    def hooks_of(self, module: Any) -> bool:
        kinds = ("forward", "forward_pre", "backward", "backward_pre")
        return any(getattr(module, f"_{kind}_hooks") for kind in kinds)

    def children(self, module: Any) -> Iterator[tuple[str, Any]]:
        inside = module.named_modules(remove_duplicate=False)
        return ((name, part) for name, part in inside if name and "." not in name)

    def put(self, made: Any, name: str, part: Any, place: str) -> None:
        if hasattr(type(made), name):
            raise ValueError(f"{place}: {name!r} is the name of a method here; rename that part")
        made.add_module(name, part)

    def function(self, function: Any, key: str) -> Any:
        name = getattr(function, "__name__", "")
        theirs = (getattr(space, name, None) for space in (self.torch.nn.functional, self.torch))
        if not any(function is known for known in theirs) or not hasattr(functional, name):
            raise ValueError(f"{key}={name or function} is a function that is not known here")
        return getattr(functional, name)

    def copy_weights(self, module: Any, made: Any, given: dict[str, Any], place: str) -> None:
        own, tensors = dict(made._own_values()), dict(module.named_parameters(recurse=False))
        buffers = {k: b for k, b in module.named_buffers(recurse=False) if k not in given}
        if own.keys() != tensors.keys() or {*made.buffer_names} != buffers.keys():
            there, here = [*tensors, *buffers], [*own, *made.buffer_names]
            raise ValueError(
                f"{place} holds the arrays {', '.join(there) or 'none'}, and the layer of that name here "
                f"{', '.join(here) or 'none'}"
            )
        for name, tensor in tensors.items():
            if id(tensor) in self.parameters:
                setattr(made, name, self.parameters[id(tensor)])
                continue
            value, array = own[name], self.array(tensor)
            if value.shape != array.shape:
                raise ValueError(f"{place}: {name} has shape {array.shape}, and here {value.shape}")
            value.data, value.requires_grad = array, tensor.requires_grad
            self.parameters[id(tensor)] = value
        for name, tensor in buffers.items():
            setattr(made, name, self.array(tensor))


class _ToTorch(_Conversion):
    who, elsewhere = "to_torch", "in PyTorch"

    def __init__(self, torch: Any) -> None:
        super().__init__(torch)
        self.namespace, self.here, self.there = OURS, OURS, self.theirs

    def unknown(self, kind: type) -> str:
        if kind in OURS.values():
            return "is a layer that PyTorch does not have"
        return (
            "is a class of one's own, and what it computes stands in its forward, which is not converted; "
            "write it again with torch.nn.Module, and load the weights: net.load_state_dict({k: "
            "torch.tensor(a) for k, a in module.state_dict().items()})"
        )

    def is_module(self, thing: Any) -> bool:
        return isinstance(thing, Module)

    def dtypes_of(self, module: Any, inside: bool = False) -> Iterator[Any]:
        for _, part in module.named_modules() if inside else [("", module)]:
            arrays = [value.data for _, value in part._own_values()]
            for array in (*arrays, *(getattr(part, name) for name in part.buffer_names)):
                if getattr(array, "dtype", np.dtype(bool)).kind == "f":
                    yield self.torch.from_numpy(np.empty(0, array.dtype)).dtype

    def hooks_of(self, module: Any) -> bool:
        return module._hooks is not None

    def children(self, module: Any) -> Iterator[tuple[str, Any]]:
        inside: Iterator[tuple[str, Any]] = module.named_children()
        return inside

    def put(self, made: Any, name: str, part: Any, place: str) -> None:
        outer, _, last = name.rpartition(".")
        made.get_submodule(outer).add_module(last, part)

    def converted(self, value: Any, key: str, path: str) -> Any:
        if isinstance(value, (Value, np.ndarray)):
            return self.torch.tensor(value.numpy() if isinstance(value, Value) else value)
        return super().converted(value, key, path)

    def arguments(self, module: Any, name: str, path: str) -> dict[str, Any]:
        return {**super().arguments(module, name, path), **PLAIN.get(name, {})}

    def function(self, function: Any, key: str) -> Any:
        name = getattr(function, "__name__", "")
        if getattr(functional, name, None) is not function or not hasattr(self.torch.nn.functional, name):
            raise ValueError(f"{key}={name or function} is a function that is not known in PyTorch")
        return getattr(self.torch.nn.functional, name)

    def copy_weights(self, module: Any, made: Any, given: dict[str, Any], place: str) -> None:
        for name, value in module._own_values():
            if id(value) not in self.parameters:
                tensor = self.torch.tensor(value.data)
                self.parameters[id(value)] = self.torch.nn.Parameter(tensor, value.requires_grad)
            setattr(made, name, self.parameters[id(value)])
        for name in module.buffer_names:
            setattr(made, name, self.torch.tensor(getattr(module, name)))
