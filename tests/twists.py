"""Forms of calls: those of rows/, twisted into everything that NumPy can be called with (see forms.py)."""

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import rows  # noqa: F401 (fills CASES)
from hypothesis import strategies as st
from rows.calling import leaves, parts, replaced
from rows.registry import CASES, ROWS, Case


@dataclass
class Form:
    """A call: arguments by place first, those by keyword behind, and which of them are Values."""

    case: Case
    given: list[Any]
    names: list[str]
    values: list[Any]

    def call(self, function, new=None):
        """`function` called in this form, with what stands at some places replaced."""
        given = replaced(self.given, new or {})
        place = len(given) - len(self.names)
        first = self.case.before(*given[:place])
        return parts(self.case.view(function(*first, **dict(zip(self.names, given[place:])))))

    @property
    def plain(self):
        """Whether NumPy's function is called on these arguments as they are, and nothing around it."""
        return self.case.reference is self.case.function and not self.case.before.__code__.co_argcount

    def __str__(self):
        place = len(self.given) - len(self.names)
        values = {path: Seen(x) for path, x in leaves(self.given) if path in self.values}
        told = list(map(shown, replaced(self.given, values)))
        named = [f"{name}={x}" for name, x in zip(self.names, told[place:])]
        return f"{self.case.name}({', '.join([*told[:place], *named])})"


@dataclass
class Seen:
    """An argument that is a Value, for showing."""

    data: Any


def shown(x):
    """An argument as text: its kind, and its entries where they are few."""
    if isinstance(x, Seen):
        return f"Value({shown(x.data)})"
    if isinstance(x, (list, tuple)):
        return ("[{}]" if isinstance(x, list) else "({})").format(", ".join(map(shown, x)))
    if isinstance(x, np.ndarray):
        return (
            f"{x.dtype.str[0] * (x.dtype.str[0] == '>')}{x.dtype}{x.shape}{x.tolist() if x.size < 13 else ''}"
        )
    return getattr(x, "__name__", repr(x))


# Twists: each takes a form and gives another one
SCALARS = [
    np.float32,
    np.float64,
    np.float16,
    np.int64,
    np.int8,
    np.uint8,
    int,
    float,
    bool,
    np.bool_,
    np.array,
]
WHOLE = [
    np.int64,
    np.int8,
    np.uint8,
    bool,
    float,
    np.array,
    lambda i: [i],
    lambda i: (i,),
    lambda i: np.array([i]),
]
KEYWORDS = {
    "keepdims": [True, False, np.True_, 1, 0],
    "where": [True, np.array(True), np.array([True]), [True, False], np.array([[True], [False]])],
    "initial": [None, 0.0, 1, np.float32(2.0), -1.5],
    "dtype": [None, "f4", np.float64, np.float16, float, int, ">f8", complex],
    "out": [None, np.zeros(()), np.zeros((2, 3)), (np.zeros(3),)],
    "order": ["C", "F", "A", "K", None, "X"],
    "axis": [None, 0, 1, -1, -2, 2, -3, (), (0,), [0], (0, 1), (-1, 0), (0, 0), [0, 1], True, 0.0],
    "ddof": [0, 1, 0.5, 7],
    "casting": ["same_kind", "unsafe", "no"],
    "subok": [True, False],
    "copy": [True, False, None],
    "n": [0, 1, 2, -1, True],
    "k": [0, 1, -1, True, np.int64(1)],
}  # fmt: skip


def dtyped(x, kind):
    """`x` in another dtype, which may not hold its entries."""
    with np.errstate(all="ignore"):
        return x.astype(kind)


LAYOUTS = [
    lambda x: dtyped(x, "f4"),
    lambda x: dtyped(x, "f2"),
    lambda x: dtyped(x, ">f8"),
    lambda x: dtyped(x, ">f4"),
    lambda x: np.asfortranarray(x),
    lambda x: np.repeat(x, 2, -1)[..., ::2] if x.ndim else x,
    lambda x: np.broadcast_to(x[:1], x.shape) if x.ndim else x,
    lambda x: x[:0] if x.ndim else x,
    lambda x: x[..., :0] if x.ndim else x,
    lambda x: x[:1] if x.ndim else x,
    lambda x: x[None],
    lambda x: np.array(x.flat[0]) if x.size else x,
    lambda x: x.T,
]
CONSTANTS = [
    lambda x: x.tolist(),
    lambda x: tuple(x.tolist()) if x.ndim else x,
    lambda x: dtyped(x, int),
    lambda x: dtyped(x, "u1"),
    lambda x: dtyped(x, bool),
    lambda x: x.flat[0] if x.size else x,
    lambda x: float(x.flat[0]) if x.size else x,
    lambda x: int(x.flat[0]) if x.size else x,
    lambda x: list(map(np.asarray, x)) if x.ndim else x,
]


def plain_leaves(form, kind):
    """The places of arguments of a kind that are no Values."""
    return [p for p, x in leaves(form.given) if isinstance(x, kind) and p not in form.values]


def put(form, path, x):
    return Form(form.case, list(replaced(form.given, {path: x})), form.names, form.values)


@st.composite
def other_array(draw, form):
    """An array, a Value or not, in another dtype or layout, or of another shape."""
    places = [p for p, x in leaves(form.given) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
    if not places:
        return form
    path = draw(st.sampled_from(places))
    layouts = LAYOUTS if form.plain else LAYOUTS[:7]  # which leave the shape as it is
    twist = draw(st.sampled_from(layouts if path in form.values or not form.plain else LAYOUTS + CONSTANTS))
    return put(form, path, twist(dict(leaves(form.given))[path]))


@st.composite
def other_number(draw, form):
    """A number or a whole number of another kind; an axis as a list, or True."""
    places = plain_leaves(form, (int, float, np.generic)) if form.plain else []
    if not places:
        return form
    path = draw(st.sampled_from(places))
    x = dict(leaves(form.given))[path]
    kinds = WHOLE if isinstance(x, (int, np.integer)) else SCALARS
    try:
        return put(form, path, draw(st.sampled_from(kinds))(x))
    except (OverflowError, ValueError):
        return form


@st.composite
def other_way_around(draw, form):
    """An axis from the other end; a tuple as a list or an array, or the other way around."""
    if not form.plain:
        return form
    i = draw(st.integers(0, len(form.given) - 1))
    x = form.given[i]
    if isinstance(x, (tuple, list)) and not any(p[0] == i for p in form.values):
        kinds = [list, tuple] + [np.array] * all(isinstance(a, (int, float)) for a in x)
        x = draw(st.sampled_from(kinds))(x)
    elif type(x) is int:
        x = draw(st.sampled_from([-1 - x, -x, x + 1, x - 1]))
    return Form(form.case, [*form.given[:i], x, *form.given[i + 1 :]], form.names, form.values)


@st.composite
def by_name(draw, form):
    """The last arguments by keyword."""
    names, place = parameters(form.case.function), len(form.given) - len(form.names)
    kept = draw(st.integers(0, place))
    if len(names) < place or "" in names[kept:place] or not form.plain:
        return form
    return Form(form.case, form.given, [*names[kept:place], *form.names], form.values)


def by_place(form):
    """A keyword that comes next by its place."""
    names, place = parameters(form.case.function), len(form.given) - len(form.names)
    if not form.plain or not form.names or names[place : place + 1] != form.names[:1]:
        return form
    return Form(form.case, form.given, form.names[1:], form.values)


@st.composite
def one_keyword_more(draw, form):
    """A keyword that the function has, or that ufuncs have."""
    known, place = parameters(form.case.function, True), len(form.given) - len(form.names)
    names = [n for n in KEYWORDS if (n in known[place:] or not known) and n not in form.names]
    if not names:
        return form
    name = draw(st.sampled_from(names))
    return Form(
        form.case, [*form.given, draw(st.sampled_from(KEYWORDS[name]))], [*form.names, name], form.values
    )


@st.composite
def value_there(draw, form):
    """A Value where a plain argument belongs."""
    places = plain_leaves(form, (float, int, np.ndarray, np.generic)) if form.plain else []
    more = [draw(st.sampled_from(places))] if places else []
    return Form(form.case, form.given, form.names, [*form.values, *more])


@st.composite
def number_as_value(draw, form):
    """A Value that holds a Python float in place of an array."""
    if not form.values or not form.plain:
        return form
    path = draw(st.sampled_from(form.values))
    x = np.ravel(dict(leaves(form.given))[path])
    return put(form, path, float(x[0]) if x.size else 0.5)


TWISTS = [
    other_array, other_array, other_number, other_way_around, by_name, by_place, one_keyword_more,
    one_keyword_more, value_there, number_as_value,
]  # fmt: skip


def parameters(function, all_of_them=False, needed=False):
    """The names of a function's arguments, "" for one that has none; [] where it does not tell."""
    try:
        found = inspect.signature(function).parameters.values()
    except ValueError:
        return []
    kinds = [inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD]
    kinds += [inspect.Parameter.KEYWORD_ONLY] * all_of_them
    return [
        p.name if p.kind > p.POSITIONAL_ONLY else ""
        for p in found
        if p.kind in kinds and (p.default is p.empty or not needed)
    ]


FLAT = [
    Case(f, st.nothing(), f, None, 0, lambda out: out, lambda *args: args, False)
    for f, row in ROWS.items()
    if row.nondifferentiable and isinstance(f, (np.ufunc, type(np.sum)))
]


@st.composite
def forms(draw):
    """A call of any row, twisted up to three times."""
    case = draw(st.sampled_from(CASES + FLAT * draw(st.sampled_from([0, 0, 0, 1]))))
    if case.row.nondifferentiable:
        count = getattr(case.function, "nin", None) or len(parameters(case.function, needed=True)) or 1
        given, names = [draw(st.sampled_from(ARRAYS)) for _ in range(count)], []
    else:
        call = draw(case.calls)
        given, names = [*call.args, *call.kwargs.values()], list(call.kwargs)
    given = list(replaced(given, {p: x.copy() for p, x in leaves(given) if isinstance(x, np.ndarray)}))
    floats = [
        p for p, x in leaves(given) if isinstance(x, (float, np.ndarray)) and np.asarray(x).dtype.kind == "f"
    ]
    floats = [p for p in floats if case.row.nondifferentiable or p[0] < len(given) - len(names)]
    rules = case.row.rules
    floats = [p for p in floats if not rules or (p[0] < len(rules) and rules[p[0]])] or floats
    values = draw(st.lists(st.sampled_from(floats), min_size=1, unique=True)) if floats else []
    form = Form(case, given, names, values)
    for twist in draw(st.lists(st.sampled_from(TWISTS), min_size=1, max_size=3)):
        form = by_place(form) if twist is by_place else draw(twist(form))
    return form


ARRAYS = [
    np.array([[1.0, -2.0, 3.0], [0.5, 0.0, 1.0]]),
    np.array([1.5, -1.0]),
    np.array(2.0),
    np.zeros((0, 3)),
    1.5,
]
