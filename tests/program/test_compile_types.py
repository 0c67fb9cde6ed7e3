"""Whoever asks a traced array for its type, however it is done, hears what it stands for; or is refused."""

from __future__ import annotations

import builtins
import functools

import numpy as np
import pytest
from following import X, follows

from tinygrad_course import TraceError, Value, compile

kind_of = type
held = {"type": type}


def by_name(x):
    return x * 2.0 if type(x) is np.ndarray else x * 3.0


def by_match(x):
    match x:
        case np.ndarray():
            return x * 2.0
        case float():
            return x * 5.0
    return x * 3.0


@functools.singledispatch
def by_dispatch(x):
    return x * 3.0


by_dispatch.register(np.ndarray, lambda x: x * 2.0)
by_dispatch.register(float, lambda x: x * 5.0)


def with_classes(x):
    class Meta(type):
        pass

    class Thing(metaclass=Meta):
        pass

    right = type(Thing) is Meta and isinstance(Thing, type) and issubclass(Meta, type) and type(int) is type
    return x * 2.0 if right and type("Made", (), {})().__class__.__name__ == "Made" else x


@pytest.mark.parametrize(
    "function",
    [
        by_name,
        by_match,
        lambda x: by_dispatch(x),
        with_classes,
        lambda x: x * 2.0 if x.__class__ is np.ndarray else x * 3.0,
        lambda x: x * 2.0 if kind_of(x) is float else x * 3.0,
        lambda x: x * 2.0 if held["type"](x) == np.ndarray else x * 3.0,
        lambda x: x * 2.0 if issubclass(type(x), (float, np.floating)) else x * 3.0,
        lambda x: x * 2.0 if isinstance(x, (int, float)) else x * 3.0,
        lambda x: x * float(len(type(x).__name__)),
        lambda x: x * 2.0 if type(np.sum(x)) is np.float64 else x * 3.0,
    ],
)
@pytest.mark.parametrize("x", [X, X.astype(np.float32), np.array(2.0), 2.0], ids=str)
def test_it_is_what_it_stands_for(function, x):
    follows(function, args=(x,))


def test_types_of_values_and_of_their_data():
    v = Value(X.copy())
    follows(lambda x: type(v)(x) * v)
    follows(lambda w: w * 2.0 if type(w.data) is np.ndarray else w * 3.0, args=(v,))
    assert "type" not in globals() and held["type"] is type


def test_what_cannot_be_told_is_refused():
    with pytest.raises(TraceError, match=r"builtins\.type"):
        compile(lambda x: x * 2.0 if builtins.type(x) is np.ndarray else x * 3.0)(X)


def test_what_is_something_else_each_time_is_kept_away_wherever_it_stands():
    scopes = [{"__name__": f"scope{i}"} for i in range(2)]
    for scope in scopes:
        exec("from time import localtime\ndef year(): return localtime().tm_year", scope)
    for function in (lambda x: x * scopes[0]["year"](), lambda x: x * (scopes[0] and scopes[1]["year"]())):
        with pytest.raises(TraceError, match="localtime"):
            compile(function)(X)
