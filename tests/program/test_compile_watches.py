"""Whatever a compiled function depends on is read, watched or refused: it never goes on with stale state."""

from __future__ import annotations

import collections
import contextvars
import dataclasses
import enum
import functools
import operator
import os
import threading
import types
import weakref
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from following import X, follows, same

from tinygrad_course import TraceError, Value, compile, grad, nn, no_grad, optim
from tinygrad_course.nn import functional as F


# Functions
class Net:
    def __init__(self):
        self.w, self.act = Value(X.copy()), F.relu

    def forward(self, x):
        return self.act(self.w * x).sum()

    def __call__(self, x):
        return self.forward(x)


act = np.tanh
scale = 2.0


def test_a_function_in_an_attribute():
    net = Net()
    follows(lambda x: net(x), lambda: setattr(net, "act", F.tanh))
    layer = nn.Sequential(nn.Linear(3, 2, rng=0), nn.ReLU())
    layer.act = F.relu
    x = X.astype(np.float32)
    follows(lambda x: layer.act(layer(x)).sum(), lambda: setattr(layer, "act", F.tanh), args=(x,))


def test_a_global_function(monkeypatch):
    follows(lambda x: act(x).sum(), lambda: monkeypatch.setitem(globals(), "act", np.sin))
    follows(lambda x: np.sum(x), lambda: monkeypatch.setattr(np, "sum", np.max))


def test_a_name_that_hides_a_builtin(monkeypatch):
    follows(lambda x: x * len([1]), lambda: monkeypatch.setitem(globals(), "len", lambda x: 5))


def test_a_loss_in_a_dict():
    w, losses = Value(X.copy()), {"loss": F.mse_loss}
    follows(lambda x: losses["loss"](w, x * 2.0), lambda: losses.update(loss=F.l1_loss))


def test_a_method_that_is_replaced_on_the_object_on_the_class_or_on_a_layer(monkeypatch):
    net = Net()
    follows(lambda x: net(x), lambda: setattr(net, "forward", lambda x: (net.w * x * 5.0).sum()))
    other = Net()
    new = lambda self, x: (self.w * x * 3.0).sum()
    follows(lambda x: other(x), lambda: monkeypatch.setattr(Net, "forward", new))
    layer, old = nn.Linear(3, 2, rng=0), nn.Linear.forward
    new = lambda self, x: old(self, x) * 2.0
    follows(
        lambda x: layer(x).sum(),
        lambda: monkeypatch.setattr(nn.Linear, "forward", new),
        args=(X.astype(np.float32),),
    )


def test_what_no_code_names_is_left_alone():
    class Trainer(Net):
        def __init__(self):
            super().__init__()
            self.seen = 0

        def helped(self, x):
            return (self.w * x).sum() * self.factor()

        def factor(self):
            return scale

        def report(self):
            self.seen += 1
            return os.getpid(), reports.pop()

    trainer, reports = Trainer(), [1, 2]
    f = follows(lambda x: trainer.helped(x))
    reports.pop()
    f(X)
    assert len(f._programs) == 1
    follows(lambda x: trainer.helped(x), lambda: setattr(Trainer, "factor", lambda self: 5.0))


def test_decorated_methods_are_looked_into():
    settings = [2.0]

    class Decorated(Net):
        @no_grad()
        def constant(self, x):
            return (self.w * x).sum() * settings[0]

    net = Decorated()
    follows(
        lambda x: net.constant(x), lambda: settings.__setitem__(0, 3.0), lambda: setattr(net, "w", Value(X))
    )


def test_the_class_of_an_object_and_its_dict():
    class Twice(Net):
        def forward(self, x):
            return (self.w * x * 2.0).sum()

    net = Net()
    follows(
        lambda x: net(x),
        lambda: setattr(net, "__class__", Twice),
        lambda: setattr(net, "__dict__", {"w": Value(X * 2), "act": F.relu}),
    )


def test_callable_objects():
    net, other = Net(), Net()
    follows(net, lambda: setattr(net, "w", other.w * 2.0), lambda: setattr(net, "act", np.tanh))


def test_closure_defaults_and_code_of_a_function():
    def helper(x, k=2.0, *, j=1.0):
        return x * k * j

    def another(x, k=2.0, *, j=1.0):
        return x + k * j

    changes = [
        lambda: setattr(helper, "__defaults__", (3.0,)),
        lambda: helper.__kwdefaults__.update(j=4.0),
        lambda: setattr(helper, "__code__", another.__code__),
    ]
    follows(lambda x: helper(x), *changes)
    helper.__defaults__ = (7.0,)
    follows(helper, lambda: setattr(helper, "__defaults__", (5.0,)))
    helper.factor = 2.0
    follows(lambda x: x * helper.factor, lambda: setattr(helper, "factor", 3.0))


def test_functions_inside_functions_and_behind_decorators():
    settings = {"k": 2.0}

    def outer(x):
        def inner(y):
            return y * settings["k"] * scale

        return [inner(x)][0]

    follows(outer, lambda: settings.update(k=3.0))
    cached = functools.lru_cache(lambda: settings["k"])
    follows(lambda x: x * functools.partial(np.multiply, settings["k"])(x), lambda: settings.update(k=4.0))
    assert cached() == 4.0
    follows(grad(lambda x: (x * x * settings["k"]).sum()), lambda: settings.update(k=5.0))


# Arrays
def test_arrays_in_dicts_lists_tuples_and_attributes():
    batch = {"x": X.copy(), "more": [X * 2, (X * 3, {"deep": X * 4})]}
    net = Net()
    net.mask = np.array([1.0, 0.0, 1.0])
    w = Value(np.ones(3))

    def loss(x):
        more = batch["more"]
        return (w * batch["x"] + more[0] * more[1][0] + more[1][1]["deep"] * net.mask).sum()

    follows(
        loss,
        lambda: batch.update(x=X * 7),
        lambda: batch["x"].fill(2.0),
        lambda: batch["more"].__setitem__(0, X * 9),
        lambda: batch["more"][1][0].__setitem__(0, 5.0),
        lambda: batch["more"].__setitem__(1, (X, {"deep": X})),
        lambda: batch["more"][1][1].update(deep=np.ones(3)),
        lambda: setattr(net, "mask", np.array([0.0, 1.0, 0.0])),
        lambda: batch.update(x=np.ones((2, 3))),
        lambda: batch.update(x=np.ones((2, 3), np.float32)),
    )


def test_training_on_a_batch_in_a_closure_sees_every_batch():
    ends = []
    for prepare in (lambda f: f, compile):
        batch, w = {}, Value(np.zeros(3))
        step = prepare(lambda batch=batch, w=w: ((w - batch["x"]) ** 2).sum())
        for i in range(4):
            batch["x"] = X * i
            w.grad = None
            step().backward()
            w.data = w.data - 0.1 * w.grad
        ends.append(w.data)
    same(*ends)


def test_what_is_computed_from_a_held_array_alone_is_not_folded():
    data, w = X.copy(), Value(np.ones(3))
    changes = [lambda: data.__setitem__(0, 9.0), lambda: data.fill(1.5)]
    follows(lambda x: (w * (x - data.mean()) * (data * 2)).sum(), *changes)
    data[:] = X
    follows(lambda x: w * x * float(data[0]), *changes)  # the entries are needed: their contents are watched
    data[:] = X
    follows(lambda x: x[data > 1.0].sum() + len(np.unique(data)), *changes, args=(X,))


def test_arrays_that_nothing_can_stand_in_for_are_compared_by_contents():
    column, words = np.matrix([[1.0], [2.0]]), np.array(["a", "b"])
    things = np.array([1.0, {"k": 2.0}], object)
    raw = bytearray(b"ab")
    follows(lambda x: x * column.A1[0], lambda: column.__setitem__((0, 0), 5.0))
    follows(lambda x: x * len(words[0]), lambda: words.__setitem__(0, ""))
    follows(
        lambda x: x * things[1]["k"], lambda: things[1].update(k=3.0), lambda: things.put([1], {"k": 4.0})
    )
    follows(lambda x: x * raw[0], lambda: raw.__setitem__(0, 5))
    frozen = frozenset({("k", 2.0)})
    follows(lambda x: x * dict(frozen)["k"])


def test_the_environment_is_watched(monkeypatch):
    changes = [lambda: monkeypatch.setenv("TGC_K", "5"), lambda: monkeypatch.delenv("TGC_K")]
    follows(lambda x: x * float(os.environ.get("TGC_K", "2")), *changes)
    follows(lambda x: x * float(os.getenv("TGC_K", "2")), *changes)


# Numbers, wherever they stand
class Settings:
    k = 2.0
    several = [1.0, 2.0]  # noqa: RUF012

    def __init__(self):
        self._j = 2.0

    @property
    def j(self):
        return self._j


class Slots:
    __slots__ = ("array", "k")

    def __init__(self):
        self.k, self.array = 2.0, X.copy()


@dataclasses.dataclass(frozen=True)
class Frozen:
    k: float
    array: Any


def test_class_attributes_class_level_lists_and_properties(monkeypatch):
    thing = Settings()
    follows(lambda x: x * Settings.k, lambda: monkeypatch.setattr(Settings, "k", 3.0))
    follows(lambda x: x * thing.k, lambda: monkeypatch.setattr(Settings, "k", 4.0))
    follows(lambda x: x * thing.several[0], lambda: Settings.several.__setitem__(0, 7.0))
    new = property(lambda self: 9.0)
    follows(lambda x: x * thing.j, lambda: setattr(thing, "_j", 3.0), lambda: setattr(Settings, "j", new))


def test_attributes_of_pythons_modules():
    module = types.ModuleType("settings")
    module.k, module.inner = 2.0, types.ModuleType("inner")
    module.inner.array = X.copy()
    follows(
        lambda x: x * module.k + module.inner.array,
        lambda: setattr(module, "k", 3.0),
        lambda: module.inner.array.__setitem__(0, 9.0),
        lambda: setattr(module.inner, "array", X * 2),
    )
    follows(lambda x: x * getattr(module, "".join(["k"])), lambda: setattr(module, "k", 4.0))


def test_slots_and_dataclasses():
    slots, frozen = Slots(), Frozen(2.0, X.copy())
    follows(
        lambda x: x * slots.k + slots.array,
        lambda: setattr(slots, "k", 3.0),
        lambda: slots.array.__setitem__(0, 9.0),
        lambda: setattr(slots, "array", X * 2),
    )
    follows(
        lambda x: x * frozen.k + frozen.array,
        lambda: object.__setattr__(frozen, "k", 3.0),
        lambda: frozen.array.__setitem__(0, 9.0),
    )


def test_containers_of_all_kinds():
    some, queue, long = {1, 2}, collections.deque([1.0, X.copy()]), [float(i) for i in range(300)]
    counts, kept = collections.Counter("aab"), collections.OrderedDict(k=2.0)
    other = collections.defaultdict(float, k=2.0)
    pair = collections.namedtuple("Pair", "k array")
    named = [pair(2.0, X.copy())]
    space = types.SimpleNamespace(k=2.0)
    view = types.MappingProxyType(kept)
    follows(lambda x: x * sum(some), lambda: some.add(7), lambda: some.discard(1))
    follows(lambda x: x * queue[0] + queue[1], lambda: queue[1].fill(3.0), lambda: queue.__setitem__(0, 4.0))
    follows(lambda x: x * long[250], lambda: long.__setitem__(250, 3.0))
    follows(lambda x: x * counts["a"], lambda: counts.update("aa"))
    follows(lambda x: x * view["k"], lambda: kept.update(k=3.0))
    follows(lambda x: x * other["k"], lambda: other.update(k=3.0))
    follows(lambda x: x * space.k, lambda: setattr(space, "k", 3.0))
    follows(
        lambda x: x * named[0].k + named[0].array,
        lambda: named[0].array.fill(3.0),
        lambda: named.__setitem__(0, pair(3.0, X)),
    )


def test_attributes_of_things_that_are_numbers_tuples_or_arrays_too():
    kinds = [
        type("Number", (float,), {})(2.0),
        type("Text", (str,), {})("a"),
        type("Listed", (list,), {})([1.0]),
        type("Pair", (tuple,), {})((1.0, X.copy())),
        X.copy().view(type("Array", (np.ndarray,), {})),
    ]
    for thing in kinds:
        thing.k = 2.0
        follows(lambda x, t=thing: x * t.k, lambda t=thing: setattr(t, "k", 3.0))


def test_views_of_a_dict_and_the_same_array_in_two_places():
    getters = [operator.itemgetter(0), operator.attrgetter("ndim")]
    follows(lambda x: x * getters[0]([2.0, 3.0]), lambda: getters.__setitem__(0, operator.itemgetter(1)))
    held, other = {"k": 2.0}, {"a": X.copy()}
    values, items, other["b"] = held.values(), held.items(), other["a"]
    follows(lambda x: x * sum(values), lambda: held.update(k=3.0))
    follows(lambda x: x * next(iter(dict(items).values())), lambda: held.update(k=4.0))
    follows(
        lambda x: x * 2.0 + other["a"] if other["a"] is other["b"] else x * 3.0 + other["b"],
        lambda: other.update(b=X * 2),
        lambda: other.update(a=other["b"]),
    )


def test_moving_an_entry_from_one_list_to_the_next_is_seen():
    lists = [[1.0], [2.0, 3.0]]
    follows(lambda x: x * sum(lists[0]) - sum(lists[1]), lambda: lists[0].append(lists[1].pop(0)))


def test_numbers_that_are_no_floats():
    things = {"f": Fraction(1, 3), "r": range(3), "s": slice(0, 2), "n": 1, "z": 0.0, "g": np.float32(2.0)}
    follows(lambda x: x * float(things["f"]), lambda: things.update(f=Fraction(2, 3)))
    follows(lambda x: x * len(things["r"]), lambda: things.update(r=range(5)))
    follows(lambda x: x[things["s"]] * 2.0, lambda: things.update(s=slice(1, 3)))
    follows(lambda x: np.copysign(x, things["z"]), lambda: things.update(z=-0.0))
    follows(lambda x: x.astype(np.float32) * things["g"], lambda: things.update(g=np.float64(2.0)))
    follows(
        lambda x: [x * 3, x * 4][isinstance(things["n"], bool)],
        lambda: things.update(n=True),
    )


def test_an_object_that_is_given():
    thing = Settings()
    thing.array = X.copy()
    follows(
        lambda x, s: x * s._j + s.array,
        lambda: setattr(thing, "_j", 5.0),
        lambda: thing.array.fill(2.0),
        args=(X, thing),
    )
    f = compile(lambda x, s: x * s._j)
    other = Settings()
    other._j = 11.0
    for s in (thing, other, thing):
        same(f(X, s), X * s._j)
    pair = collections.namedtuple("Pair", "a b")
    g = compile(lambda p: p.a * p.b)
    for n in (2.0, 3.0):
        same(g(pair(X * n, n)), X * n * n)


def test_the_rate_of_an_optimizer_is_read_at_each_call():
    optimizer = optim.SGD([Value(1.0)], lr=0.5)
    follows(lambda x: x * optimizer.lr, lambda: setattr(optimizer, "lr", 0.25))
    schedule = optim.StepLR(optimizer, 1)
    with pytest.raises(TraceError, match="lr"):
        compile(lambda x: (schedule.step(), x * optimizer.lr)[1])(X)
    assert optimizer.lr == 0.25


def test_a_training_step_with_its_batch_and_settings_in_dicts():
    ends = []
    for prepare in (lambda f: f, compile):
        net = nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Dropout(0.3, rng=2))
        optimizer = optim.Adam(net.parameters(), lr=1e-2)
        schedule = optim.StepLR(optimizer, 2, 0.5)
        batch, settings, rng = {}, {"clip": 1.0, "weight": np.array(0.1)}, np.random.default_rng(5)

        @prepare
        def step(net=net, optimizer=optimizer, schedule=schedule, batch=batch, settings=settings):
            loss = F.cross_entropy(net(batch["x"]), batch["y"]) * settings["weight"]
            rate = batch["x"].sum() * optimizer.lr
            optimizer.zero_grad()
            loss.backward()
            optim.clip_grad_norm_(net.parameters(), settings["clip"])
            optimizer.step()
            schedule.step()
            return loss, rate

        seen = []
        for i in range(8):
            batch["x"], batch["y"] = rng.normal(size=(5, 3)).astype(np.float32), rng.integers(0, 2, 5)
            settings["clip"] = 0.01 if i >= 4 else 1.0
            settings["weight"][...] = 0.1 * i
            net.train(i < 6)
            seen += [*step(), optimizer.lr, *(a.copy() for a in net.state_dict().values())]
        ends.append(seen)
    same(*ends)


def test_what_a_thread_a_context_or_a_reference_holds():
    local, variable, box = threading.local(), contextvars.ContextVar("variable", default=2.0), Settings()
    local.k = 2.0
    reference = weakref.ref(box)
    follows(lambda x: x * local.k, lambda: setattr(local, "k", 3.0))
    follows(lambda x: x * variable.get(), lambda: variable.set(3.0))
    follows(lambda x: x * reference()._j, lambda: setattr(box, "_j", 3.0))


def test_members_of_an_enum_and_attributes_of_a_metaclass():
    class Meta(type):
        k = 2.0

    class Kind(metaclass=Meta):
        pass

    class Choice(enum.Enum):
        A = [2.0]  # noqa: RUF012

    follows(lambda x: x * Kind.k, lambda: setattr(Meta, "k", 3.0))
    follows(lambda x: x * Choice.A.value[0], lambda: Choice.A.value.__setitem__(0, 3.0))
    member = Choice.A
    follows(lambda x: x * member.value[0], lambda: Choice.A.value.__setitem__(0, 4.0))


def test_arrays_of_another_library():
    torch = pytest.importorskip("torch")
    tensor = torch.ones(3, dtype=torch.float64)
    follows(lambda x: x * tensor.numpy(), lambda: tensor.mul_(2.0))


def test_a_result_that_was_computed_before():
    w = Value(X.copy())
    held = [np.exp(w)]
    f = lambda x: (held[0] * x).sum()
    compiled = compile(f)
    for new in (held[0], np.sin(w), w * 2.0):
        held[0] = new
        got = []
        for g in (compiled, f, compiled):
            w.grad = None
            out = g(X)
            out.backward()
            got.append([out, w.grad])
        same(got[0], got[1])
        same(got[2], got[1])


def test_a_parameter_that_is_the_result_is_read_at_each_call():
    w = Value(X.copy(), name="w")
    changes = lambda: setattr(w, "data", X + 1.0), lambda: w.data.__isub__(3.0)
    follows(lambda: w, *changes, args=())
    compiled = follows(lambda v: (v, w)[0], *changes[1:], args=(w,))
    compiled(w).sum().backward()
    np.testing.assert_array_equal(w.grad, np.ones(3))
