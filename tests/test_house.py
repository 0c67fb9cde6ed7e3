"""The house is kept: who may import whom, which names are private, how long a file may be.

Nothing of the package is run here. Its files are parsed, and each rule is one test that lists what breaks it
as ``file:line``.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tinygrad_course"

# A room imports from the floors below it; rooms on one floor may know each other, but not in a circle.
# The entry for the file itself, or else for the folder above it, gives the file's floor.
FLOORS = {
    "engine/table.py": 1,
    "engine/record.py": 1,
    "blocks.py": 1,
    "files.py": 1,
    "later.py": 1,
    "lines.py": 1,
    "locks.py": 1,
    "engine": 2,
    "arraylike": 3,
    "derivatives": 3,
    "einops.py": 4,
    "fast": 4,
    "trees.py": 4,
    "transforms": 5,
    "program": 5,
    "scipy": 6,
    "nn": 6,
    "optim": 6,
    "data": 6,
    "insight": 7,
    "parallel.py": 7,
    "testing": 7,
    "grade.py": 8,
    "viz": 8,
    "__init__.py": 9,
}
PYTHONS_OWN = {"_asdict", "_exit", "_fields", "_getframe", "_make", "_replace", "_NoValue"}  # or NumPy's
SAME_MEANING = {  # names that two rooms make, and mean alike
    "Value",  # the engine's, and the one that everybody uses, which completes it
    "derivative",  # the table's, and the one that people call, which looks at what it is given
    "softplus",  # the row, and the function around it that takes PyTorch's arguments
}


@cache
def files() -> dict[str, ast.Module]:
    """Every file of the package, by its path in it."""
    found = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}
    return {name: ast.parse(path.read_text("utf-8")) for name, path in found.items()}


def room(file: str) -> str:
    """The folder or the loose file at the top that a file belongs to."""
    return file.split("/")[0]


def floor(file: str) -> int:
    for place in (file, *map(str, Path(file).parents)):
        if place in FLOORS:
            return FLOORS[place]
    raise AssertionError(f"tinygrad_course/{file} has no floor: give its room one in {__file__}")


def file_of(module: tuple[str, ...]) -> str | None:
    """The file of a module of the package, named by its parts; None where there is no such module."""
    candidates = ("/".join(module) + ".py", "/".join((*module, "__init__.py")))
    return next((name for name in candidates if name in files()), None)


def imports(file: str, tree: ast.AST) -> list[tuple[int, str | None, str]]:
    """What is imported under ``tree``: line, the package's file or None, and the name."""
    here = Path(file).parent.parts
    taken = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first, *rest = alias.name.split(".")
                target = file_of(tuple(rest)) if first == PACKAGE.name else None
                taken.append((node.lineno, target, alias.name))
        elif isinstance(node, ast.ImportFrom):
            module = tuple(node.module.split(".")) if node.module else ()
            ours = node.level > 0 or module[0] == PACKAGE.name
            if node.level:
                module = here[: len(here) - node.level + 1] + module
            elif ours:
                module = module[1:]
            for alias in node.names:
                target = (file_of((*module, alias.name)) or file_of(module)) if ours else None
                taken.append((node.lineno, target, alias.name if ours else str(node.module)))
    return taken


def for_types_only(tree: ast.Module) -> set[int]:
    """The lines that stand under ``if TYPE_CHECKING``."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            lines.update(*(range(child.lineno, (child.end_lineno or 0) + 1) for child in node.body))
    return lines


def for_extras(tree: ast.Module) -> set[int]:
    """The lines that try to import what a user may lack, and say so."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        caught = [ast.unparse(h.type) for h in node.handlers if h.type] if isinstance(node, ast.Try) else []
        if {"ImportError", "ModuleNotFoundError"} & set(caught):
            lines.update(*(range(child.lineno, (child.end_lineno or 0) + 1) for child in node.body))
    return lines


@cache
def links() -> list[tuple[str, int, str, str]]:
    """The imports inside the package that run: file, line, the file imported, and the name."""
    found = []
    for file, tree in files().items():
        skipped = for_types_only(tree)
        for line, target, name in imports(file, tree):
            if target is not None and target != file and line not in skipped:
                found.append((file, line, target, name))
    return found


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def is_private(name: str) -> bool:
    """One underscore in front; ``__len__`` and a notebook's ``_repr_html_`` are protocols."""
    return name.startswith("_") and not name.endswith("_") and not name.startswith("__")


def top_names(tree: ast.Module) -> dict[str, int]:
    """The functions, classes and variables that a file itself makes at its top level, and their lines."""
    made: dict[str, int] = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            made[node.name] = node.lineno
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for part in ast.walk(node):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    made[part.id] = node.lineno
    return made


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def own_private_names(trees: list[ast.Module]) -> set[str]:
    """The private names that a room's files make: functions, variables, slots and attributes of ``self``."""
    names: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value):
            names.add(node.attr)
        elif isinstance(node, ast.Assign) and any("__slots__" in ast.unparse(t) for t in node.targets):
            names.update(part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant))
    return {name for name in names if is_private(name)}


def private_reads(tree: ast.Module) -> list[tuple[int, str]]:
    """The private attributes of something else than ``self`` that are read or set, with their lines."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and not is_self(node.value):
            found.append((node.lineno, node.attr))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "setattr", "hasattr"):
            thing, name, *_ = node.args
            if isinstance(name, ast.Constant) and is_private(str(name.value)) and not is_self(thing):
                found.append((node.lineno, name.value))
    return found


BROKEN = """\
from __future__ import annotations
from ..engine.value import Value, _secret
if TYPE_CHECKING:
    from ..nn import Module
def late(v):
    import scipy.special
    try:
        import graphviz
    except ImportError: raise
    v._other, self._mine, v._repr_html_, v.__len__
    return getattr(v, "_by_name"), getattr(self, "_mine")
class Own:
    __slots__ = ("_slot",)
    def __init__(self):
        self._mine = _local = 1
"""


def test_what_breaks_the_rules_is_seen():
    """The other tests are only as good as what finds names in source."""
    tree = ast.parse(BROKEN)
    assert imports("transforms/tracing.py", tree) == [
        (1, None, "__future__"),
        (2, "engine/value.py", "Value"),
        (2, "engine/value.py", "_secret"),
        (4, "nn/__init__.py", "Module"),
        (6, None, "scipy.special"),
        (8, None, "graphviz"),
    ]
    assert (for_types_only(tree), for_extras(tree)) == ({4}, {8})
    assert private_reads(tree) == [(10, "_other"), (11, "_by_name")]
    assert own_private_names([tree]) == {"_slot", "_mine", "_local"}
    assert top_names(tree) == {"late": 5, "Own": 12}


def none_of(found: list[str], rule: str) -> None:
    assert not found, f"{rule}:\n  " + "\n  ".join(sorted(set(found)))


def test_every_file_has_a_floor():
    assert all(floor(file) for file in files())
    empty = [place for place in FLOORS if place != "fast" and not (PACKAGE / place).exists()]  # which may go
    none_of(empty, "these floors are for rooms that are not there")


def test_no_room_imports_upward():
    upward = [
        f"{file}:{line} (floor {floor(file)}) imports {target} (floor {floor(target)})"
        for file, line, target, _ in links()
        if floor(target) > floor(file)
    ]
    none_of(upward, "a room imports only from the floors below it")


def test_only_the_public_face_knows_the_fast_lanes():
    known = [f"{file}:{line}" for file, line, target, _ in links() if room(target) == "fast" != room(file)]
    none_of([place for place in known if not place.startswith("__init__.py:")], "fast/ can be deleted")


@pytest.mark.parametrize("of", ["files", "rooms"])
def test_no_circles(of):
    needs = defaultdict(set)
    for file, _, target, _ in links():
        ends = (file, target) if of == "files" else (room(file), room(target))
        if ends[0] != ends[1]:
            needs[ends[0]].add(ends[1])
    left, before = set(needs), set()
    while left != before:  # take away what needs nothing that is left, and what nothing left needs
        before = left
        needed = set().union(*(needs[one] for one in left))
        left = {one for one in left if needs[one] & left and one in needed}
    none_of([f"{one} needs {', '.join(sorted(needs[one] & left))}" for one in left], "circles")


def test_imports_stand_at_the_top():
    hidden = [
        f"{file}:{line} imports {name}"
        for file, tree in files().items()
        for function in functions(tree)
        for line, _, name in imports(file, function)
        if line not in for_extras(tree)
    ]
    none_of(hidden, "only an optional extra is imported inside a function")


def test_importing_by_name_is_the_work_of_one_helper():
    calls = [
        f"{file}:{node.lineno}"
        for file, tree in files().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__"))
    ]
    calls = [place for place in calls if not place.startswith("later.py:")]
    none_of(calls, "later(room, name) is the only user of import_module")


def test_no_private_name_is_taken_from_another_room():
    taken = [
        f"{file}:{line} takes {name} from {target}"
        for file, line, target, name in links()
        if room(file) != room(target) and is_private(name.split(".")[-1])
    ]
    none_of(taken, "underscore names stay in their room")


def test_no_private_attribute_of_another_rooms_object_is_read():
    rooms = defaultdict(list)
    for file, tree in files().items():
        rooms[room(file)].append(tree)
    own = {name: own_private_names(trees) | PYTHONS_OWN for name, trees in rooms.items()}
    read = [
        f"{file}:{line} {name}"
        for file, tree in files().items()
        for line, name in private_reads(tree)
        if name not in own[room(file)]
    ]
    none_of(read, "private attributes are read in their own room only")


def test_one_name_has_one_meaning():
    """A name that one room takes from another is made in no third; only fast/ makes the engine's again."""
    made: dict[str, dict[str, str]] = defaultdict(dict)
    for file, tree in files().items():
        for name, line in top_names(tree).items():
            if room(file) != "fast":
                made[name].setdefault(room(file), f"{file}:{line}")
    shared = {name for file, _, target, name in links() if room(file) != room(target)}
    twice = [f"{name}: {', '.join(made[name].values())}" for name in shared if len(made[name]) > 1]
    none_of([line for line in twice if line.split(":")[0] not in SAME_MEANING], "these names mean two things")


def test_no_file_is_longer_than_500_lines():
    ours = [path for place in (PACKAGE, ROOT / "tests", ROOT / "demos") for path in place.rglob("*")]
    sizes = {path: path.read_text("utf-8").count("\n") for path in ours if path.suffix in (".py", ".js")}
    long = [f"{path.relative_to(ROOT)}: {lines} lines" for path, lines in sizes.items() if lines > 500]
    none_of(long, "split these files")


def code_lines(path: Path) -> int:
    """The lines that hold code: neither blank, nor a comment, nor part of a docstring."""
    text = path.read_text("utf-8")
    docs: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str):
            docs.update(range(node.lineno, (node.end_lineno or 0) + 1))
    lines = enumerate((line.strip() for line in text.splitlines()), 1)
    return sum(1 for number, line in lines if line and not line.startswith("#") and number not in docs)


def test_the_engine_can_be_read_in_one_sitting():
    lines = {path.name: code_lines(path) for path in sorted((PACKAGE / "engine").glob("*.py"))}
    assert sum(lines.values()) <= 400, lines


def test_the_readme_counts_the_engine_as_it_is():
    lines = {path.name: code_lines(path) for path in sorted((PACKAGE / "engine").glob("*.py"))}
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"five files, {sum(lines.values())} lines of code" in readme
    for name, n in lines.items():
        assert name == "__init__.py" or f"`engine/{name}` ({n})" in readme


if __name__ == "__main__":
    for path in sorted((PACKAGE / "engine").glob("[a-z]*.py")):
        print(f"{code_lines(path):4}  {path.relative_to(ROOT)}")
    print(f"{sum(map(code_lines, (PACKAGE / 'engine').glob('*.py'))):4}  together")
