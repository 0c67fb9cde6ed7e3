"""Every public function of NumPy is in exactly one list, so that a release that adds one shows up here."""

import inspect
import subprocess
import sys

import numpy as np
import pytest

from tinygrad_course import Value
from tinygrad_course.derivatives import TABLE
from tinygrad_course.derivatives.numpy_extra.unsupported import NEVER_ASKED, UNSUPPORTED

PUBLIC = [
    (name, getattr(module, name), module)
    for module in (np, np.linalg)
    for name in sorted(module.__all__)
    if callable(getattr(module, name)) and not isinstance(getattr(module, name), type) and name[0] != "_"
]
V = Value([[2.0, 1.0], [1.0, 3.0]])


def lists_of(name, function):
    """The lists that a function is in."""
    row = TABLE.get(function)
    found = ["row" if not row.nondifferentiable else "plain"] if row is not None else []
    found += ["unsupported"] if name in UNSUPPORTED else []
    return found + (["never asked"] if name in NEVER_ASKED else [])


def asks(function):
    """Whether NumPy hands a function's arguments to `__array_function__` or `__array_ufunc__`."""
    return isinstance(function, (np.ufunc, type(np.sum)))


@pytest.mark.parametrize("module", [np, np.linalg], ids=lambda module: module.__name__)
def test_every_public_function_is_in_exactly_one_list(module):
    found = {name: lists_of(name, function) for name, function, where in PUBLIC if where is module}
    assert len(found) > 25
    assert {name: lists for name, lists in found.items() if len(lists) != 1} == {}


def test_functions_that_are_never_asked_are_those_that_do_not_dispatch():
    wrong = [name for name, function, _ in PUBLIC if (name in NEVER_ASKED) == asks(function)]
    assert wrong == []


REFUSING = [(name, function) for name, function, _ in PUBLIC if name in UNSUPPORTED]


@pytest.mark.parametrize(("name", "function"), REFUSING, ids=[name for name, _ in REFUSING])
def test_unsupported_functions_raise_naming_themselves_and_the_way_to_a_row(name, function, tmp_path):
    if isinstance(function, np.ufunc):
        args = (V,) * function.nin
    else:
        args = {
            "copyto": (np.zeros((2, 2)), V),
            "place": (V, V.data > 1, [0.0]),
            "put": (V, [0], [1.0]),
            "put_along_axis": (V, np.zeros((2, 1), int), 1.0, 1),
            "putmask": (V, V.data > 1, 0.0),
            "fill_diagonal": (V, 0.0),
            "histogram2d": (V[0], V[1]),
            "busday_count": (V, V),
            "busday_offset": (V, 1),
            "ravel_multi_index": ((V, V), (2, 2)),
            "unravel_index": (V, (2, 2)),
            "save": (tmp_path / "x", V),
            "savetxt": (tmp_path / "x", V),
            "savez": (tmp_path / "x", V),
            "savez_compressed": (tmp_path / "x", V),
        }.get(name, (V,))
    name = function.__name__
    with pytest.raises(TypeError, match=rf"np\.{name} cannot take a Value: its? .*derivative\(np\.{name}, "):
        function(*args)


@pytest.mark.parametrize("name", ["asarray", "array", "full", "eye", "arange", "kaiser", "require"])
def test_functions_that_are_never_asked_do_not_take_the_numbers_out_in_silence(name):
    args = {"full": (3, V), "kaiser": (5, V[0, 0])}.get(name, (V,))
    with pytest.raises(TypeError, match=r"v\.(numpy|item)\(\)|np\.copyto"):
        getattr(np, name)(*args)


PLAIN = {
    "lexsort": ((V[0], V[1]),),
    "einsum_path": ("ij,jk", V, V),
    "can_cast": (V, np.float32),
    "diag_indices_from": (V,),
    "digitize": (V, np.array([1.0, 2.0])),
    "searchsorted": (np.array([1.0, 2.0]), V),
    "argpartition": (V, 1),
}


def plain_data(a):
    if isinstance(a, (list, tuple)):
        return type(a)(map(plain_data, a))
    return a.data if isinstance(a, Value) else a


def holds_value(a):
    return any(map(holds_value, a)) if isinstance(a, (list, tuple)) else isinstance(a, Value)


@pytest.mark.parametrize(
    ("name", "function"),
    [(name, f) for name, f, _ in PUBLIC if lists_of(name, f) == ["plain"]],
    ids=lambda x: x if isinstance(x, str) else "",
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_plain_functions_give_what_numpy_gives_and_no_value(name, function):
    n = function.nin if isinstance(function, np.ufunc) else 1
    two = (
        "allclose",
        "isclose",
        "array_equal",
        "array_equiv",
        "isin",
        "in1d",
        "may_share_memory",
        "shares_memory",
    )
    args = PLAIN.get(name, (V,) * (2 if name in two else n))
    got, want = function(*args), function(*plain_data(args))
    likes = name in ("zeros_like", "ones_like", "empty_like")  # which are to be written into
    assert holds_value(got) == likes and not (likes and got.requires_grad)
    got = plain_data(got)
    if name != "empty_like":
        assert str(got) == str(want)


def test_plain_functions_take_values_by_keyword_too():
    assert np.isclose(V, b=V).all()
    assert np.searchsorted(a=np.array([1.0, 2.0]), v=V[0]).tolist() == [1, 0]


def test_compositions_take_the_arguments_of_their_function():
    """By position and by the same names, but for `out`, which is refused before."""
    kinds = inspect.Parameter
    wrong = []
    for function, row in TABLE.items():
        if row.composition is None or not isinstance(function, type(np.sum)) or row.composition in TABLE:
            continue
        try:
            theirs = inspect.signature(function).parameters.values()
        except ValueError:  # some of NumPy 2.0 do not tell
            continue
        ours = inspect.signature(row.composition).parameters.values()
        any_name, any_place = (
            any(p.kind is kind for p in ours) for kind in (kinds.VAR_KEYWORD, kinds.VAR_POSITIONAL)
        )
        names = {p.name for p in theirs if p.kind is not kinds.POSITIONAL_ONLY and p.name != "out"}
        missing = set() if any_name else names - {p.name for p in ours}
        places = [len([p for p in ps if p.kind in (0, 1) and p.name != "out"]) for ps in (theirs, ours)]
        if function is np.corrcoef:
            continue  # before NumPy 2.4 it has two more, which do nothing
        if missing or (places[0] > places[1] and not any_place):
            wrong.append((row.name, missing))
    assert wrong == []


def test_the_table_prints():
    printed = subprocess.run(
        [sys.executable, "-m", "tinygrad_course.derivatives"],
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    ).stdout.splitlines()
    assert len([line for line in printed if line.startswith("np.exp ")]) == 1
    assert any(line.startswith("np.linalg.solve ") for line in printed)
    assert any(
        line.startswith("np.sort ") and "equal entries" in line and line.endswith(" 2") for line in printed
    )
    rows = printed.index("") - 2  # below the header
    assert rows > 250
    assert printed[-1].startswith(f"{rows} rows (") and "refuse a Value" in printed[-1]


def module_of(function):
    return getattr(function, "__module__", "numpy")  # a ufunc of NumPy 2.0 has none


def test_every_row_has_a_formula():
    rows = [row for row in TABLE.values() if module_of(row.function).startswith(("numpy", "tinygrad_course"))]
    assert [row.name for row in rows if not row.nondifferentiable and not row.formula] == []


@pytest.mark.parametrize("data", [1j, [1j, 2.0], np.ones(2, complex)], ids=str)
def test_complex_data_raises_a_clear_error(data):
    with pytest.raises(TypeError, match=r"complex|real numbers"):
        Value(data)


def test_complex_results_and_operands_raise_a_clear_error():
    rotation = Value([[0.0, -1.0], [1.0, 0.0]])
    for use in (
        lambda: np.linalg.eig(rotation),
        lambda: V * 1j,
        lambda: np.multiply(V, 1j),
        lambda: V + np.ones(2, complex),
        lambda: np.concatenate([V, np.ones((1, 2), complex)]),
        lambda: V.astype(complex),
        lambda: np.sum(V, dtype=complex),
        lambda: np.linalg.eigvals(rotation),
    ):
        with pytest.raises(TypeError, match=r"complex|real"):
            use()


def test_whole_results_raise_and_do_not_become_values():
    with pytest.raises(TypeError, match="floating-point"):
        np.sum(V, dtype=int)
    with pytest.raises(TypeError, match="floats"):
        V.astype(int)


@pytest.mark.parametrize(
    ("use", "kind", "says"),
    [
        (lambda: np.diff(V, axis=5), ValueError, r"diff\(\(2, 2\) float64\): axis 5 is out of bounds"),
        (lambda: np.tile(V, "a"), ValueError, r"tile\(\(2, 2\) float64, 'a'\)"),
        (lambda: np.vstack([V, [1.0]]), ValueError, r"vstack\(\[\(2, 2\) float64, \[number\]\]\)"),
        (lambda: np.trim_zeros(V, 3), TypeError, "trim_zeros"),
        (lambda: np.take(V, 9), IndexError, r"take\(.*out of bounds"),
        (lambda: np.interp(V, [0.0, 1.0], [1.0]), ValueError, "interp"),
        (lambda: np.polyfit(V[0], V[0], 1, full=True), TypeError, "only the coefficients are recorded"),
    ],
)
def test_errors_of_compositions_name_the_function_that_was_called(use, kind, says):
    with pytest.raises(kind, match=says):
        use()
