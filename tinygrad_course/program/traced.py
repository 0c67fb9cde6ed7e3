"""Traced arrays and floats: they hold real data, and write down on a tape what is done with them.

They speak NumPy's protocols, so the engine, which keeps any array that does, runs on them unchanged.  What
depends on the data in any other way (a branch, a size, a conversion to a plain number) is refused with the
line that asked for it.
"""

from __future__ import annotations

import contextlib
import linecache
import operator
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import BuiltinFunctionType, FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arraylike import Value
from ..arraylike.methods import Methods
from ..derivatives import TABLE, Row, cast
from ..derivatives.indexing import set_at
from ..engine.watch import walking
from ..trees import leaves, mapped
from .facts import row_of
from .kinds import is_known_file
from .variables import Variable

if TYPE_CHECKING:
    from .tape import Tape

_notation: ContextVar[str] = ContextVar("notation", default="")


@contextlib.contextmanager
def written_for(notation: str) -> Iterator[None]:
    """In this block, what rows know how to write in a notation ("torch") is traced as one step."""
    token = _notation.set(notation)
    try:
        yield
    finally:
        _notation.reset(token)


class TraceError(RuntimeError):
    """A function cannot be compiled, because what it does depends on the data."""


class Decides(Exception):
    """The value of a scalar argument decides what a function does: its program is for that value only."""


class Traced(Methods):
    """A number or an array that writes down what is done with it."""

    __slots__ = ("__weakref__", "data", "tape", "variable")

    def __init__(self, data: Any, variable: Variable, tape: Tape) -> None:
        self.data, self.variable, self.tape = data, variable, tape

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """For ``isinstance``, whoever asks, this is what it stands for; `type` alone knows better."""
        return type(self) if isinstance(self.data, (tuple, list)) else type(self.data)

    def _in_place(self: Any, new: Any) -> Any:
        """``self += ...``, given ``self + ...``: this very array has other entries from now on."""
        tape, variable = self.tape, self.variable
        if variable in tape.parameters:
            return new
        shown = any(t.variable.root is variable for ref in tape.views if (t := ref()) is not None)
        if variable.is_input or variable.source or shown:
            what = "an argument, a view, or an array with views is changed in place (x += y, x[i] = y)"
            raise refused(what, "make a new one, x = x + y; of a part, x[i] = x[i] + y")
        if new.shape != self.shape:
            raise ValueError(f"an array of shape {self.shape} has no room for a result of {new.shape}")
        if new.dtype != self.dtype:
            new = new.astype(self.dtype)
        self.data, self.variable = new.data, new.variable
        return self

    def astype(self, dtype: Any, **kwargs: Any) -> Any:
        return self.tape.call(astype, (self, np.dtype(dtype)), {})

    # NumPy's protocols, and the one of our own functions
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(type(x) is Value for x in inputs):
            return NotImplemented  # it records, and then calls us on its data
        if method == "at":
            raise refused(*_writes(ufunc.__name__))
        if not {*"".join(ufunc.types)} - {*"O->"}:  # of np.frompyfunc: it gives no numbers to compute with
            raise refused(
                f"{ufunc.__name__} gives Python's objects", "make it a row: derivative(function, ...)"
            )
        return self._call(ufunc if method == "__call__" else getattr(ufunc, method), inputs, kwargs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if Value in types:
            return NotImplemented
        if func not in TABLE:
            raise refused(f"np.{func.__name__} has no row in the table", "call it outside")
        _check_size(TABLE[func], args, kwargs)
        return self._call(func, args, kwargs, TABLE[func].shapes_only)

    def apply_row(self, row: Row, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for value in args:
            if type(value) is Value:
                return value.apply_row(row, args, kwargs)
        tape, function = self.tape, row.function
        if function is float:
            return self if isinstance(self, TracedFloat) else tape.call(float, args, {})
        args = tuple([a.as_data() if isinstance(a, TracedInt) else a for a in args])  # as Values compute
        if row.scalar is not None and all(type(x) is float for x in data_in(args)) and not kwargs:
            with contextlib.suppress(ArithmeticError, ValueError):  # NumPy gives inf or nan
                return tape.call(row.scalar, args, {})
        if isinstance(function, (np.ufunc, type(np.sum), BuiltinFunctionType)):
            return function(*args, **kwargs)
        _check_size(row, args, kwargs)
        if row.nondifferentiable and not row.shapes_only:
            return tape.decided(function, args, kwargs)
        if self.keeps(row):
            return self._call(function, args, kwargs)
        if not (row.draws or row.shapes_only):
            n, tape.looking = len(tape.instructions), tape.looking + 1
            try:
                return function(*args, **kwargs)  # what it consists of
            except (TraceError, TypeError, ValueError, AttributeError):
                # it does more than NumPy calls, and so is one step of the program
                del tape.instructions[n:]
            finally:
                tape.looking -= 1
        return self._call(function, args, kwargs, row.shapes_only)

    @staticmethod
    def keeps(row: Row) -> bool:
        """Whether a row is one step of the program, whatever it consists of."""
        return bool(getattr(row, _notation.get(), ""))

    def _call(self, function: Any, args: Any, kwargs: dict[str, Any], shapes_only: bool = False) -> Any:
        if shapes_only:
            for traced in found((args, kwargs)):
                self.tape.decide(traced)
            out = function(*data_in(args), **data_in(kwargs))
            users = not (self.tape.looking or self.tape.elsewhere or walking.get())
            if not (users and type(out) is np.ndarray and out.ndim):
                return out
            out[...] = 0 if function is np.empty_like else out  # what is in it is the same at each run
            return self.tape.call(copied, (out,), {})  # an array that may be written into
        if kwargs.get("out") is not None:
            raise refused(*_writes(function.__name__))
        return self.tape.call(function, args, kwargs)

    def __setitem__(self, index: Any, new: Any) -> None:
        if self.tape.looking or not isinstance(self.data, np.ndarray):
            raise refused("an array is written into (x[index] = ...)", "make a new one: np.where, np.stack")
        if type(new) is Value:
            raise refused("a Value is written into a plain array", "make it a Value, out = np.zeros_like(v)")
        whole = self.tape.call(TABLE[set_at].function, (self, index, new), {})
        if self._in_place(whole) is not self:
            raise refused("a parameter's data are written into", "rebind them: p.data = np.where(...)")

    # What would make the program depend on the data
    def _plain(self, kind: Callable[[Any], Any], what: str, instead: str) -> Any:
        if self.tape.elsewhere:
            return kind(self.data)
        self.tape.decide(self)
        raise refused(what, instead)

    def _asked(self, default: Callable[..., Any], *args: Any) -> Any:
        """What is asked of Python's numbers alone: of a scalar argument, it decides."""
        if not self.tape.elsewhere:
            self.tape.decide(self)
        return default(self, *args)

    def __str__(self) -> str:
        return str(self._asked(repr))

    def __format__(self, spec: str) -> str:
        return str(self._asked(object.__format__, spec))

    def __hash__(self) -> int:
        return int(self._asked(object.__hash__))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._asked(object.__reduce_ex__, protocol)

    def as_data(self) -> Any:
        """What a Value holds for this: for an argument that is a number, a float."""
        known = isinstance(self.data, (int, np.float64, np.integer, np.bool_))
        return self.tape.call(float, (self,), {}) if known and self.variable in self.tape.scalars else self

    def __bool__(self) -> bool:
        what = "the program branches on a value (if, while, and, or, not)"
        return self._plain(bool, what, "use np.where(condition, a, b)")

    def __float__(self) -> float:
        what = "a traced array is turned into a plain number (item, float, format)"
        instead = "do that outside; an array to write into is made by out = np.zeros_like(x)"
        return self._plain(float, what, instead)

    __int__ = __index__ = __complex__ = __float__

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        what = "a traced array is turned into a plain one (np.asarray, np.array)"
        instead = "use np.stack, or out = np.zeros_like(x), out[i] = ..., or do so outside"
        return self._plain(np.asarray, what, instead)

    def item(self) -> float:
        return self.__float__()

    def numpy(self) -> Any:
        return self.__array__()

    def refused(self, what: str, instead: str) -> TraceError:
        """The error for what cannot be traced, for rooms that do not know this one."""
        return refused(what, instead)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.variable.number}, {self.data!r})"


class TracedFloat(Traced):
    """What stands for a Python float: it has no shape."""

    __slots__ = ()


class TracedInt(Traced):
    """What stands for a Python int: it has no shape either."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if hasattr(int, name):
            return getattr(self._plain(int, f"x.{name} is asked of a number", "do that outside"), name)
        raise AttributeError(f"'int' object has no attribute {name!r}")

    def __repr__(self) -> str:
        return str(self)


class TracedArray(Traced):
    """What stands for an array."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if hasattr(np.ndarray, name) and not name.startswith("__"):
            self.tape.decide(self)
            raise refused(f"x.{name} is asked of an array", "use a function of NumPy's, or do that outside")
        raise AttributeError(f"{type(self).__name__} has no attribute {name}")

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.data)

    @property
    def ndim(self) -> int:
        return np.ndim(self.data)

    @property
    def size(self) -> int:
        return int(np.size(self.data))

    @property
    def dtype(self) -> Any:
        return np.dtype(bool) if isinstance(self.data, bool) else self.data.dtype

    @property
    def T(self) -> Any:
        return self.transpose()

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        if any(isinstance(t, TracedArray) and t.dtype == bool and t.ndim for t in found(index)):
            raise refused("the size of x[mask] depends on the data", "use np.where(mask, x, 0.0)")
        return self.tape.call(operator.getitem, (self, index), {})


def traced_as(data: Any, variable: Variable, tape: Tape) -> Traced:
    """What stands for `data`."""
    kinds: dict[type, type[Traced]] = {float: TracedFloat, int: TracedInt}
    return kinds.get(type(data), TracedArray)(data, variable, tape)


def refused(what: str, instead: str) -> TraceError:
    """The error for what cannot be traced, with the line of the user's code that does it."""
    place = users_line()
    if place:
        name, _, number = place.rpartition(":")
        line = linecache.getline(name, int(number)).strip()
        return TraceError(f"compile: {what}, in {place}: {line}\n{instead}")
    return TraceError(f"compile: {what}; {instead}")


def users_line() -> str:
    """The line of code that is run just now and not Python's, NumPy's or this package's, as ``file:line``."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_known_file(frame.f_code.co_filename):
        frame = frame.f_back
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


class _Types(type):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is not TypeOf:
            return super().__call__(*args, **kwargs)
        asked = len(args) == 1 and isinstance(args[0], Traced)
        kind = args[0].__class__ if asked else type(*args, **kwargs)
        return TypeOf if kind is type else kind

    def __instancecheck__(cls, thing: Any) -> bool:
        return isinstance(thing, type)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, type)


class TypeOf(type, metaclass=_Types):
    """What `type` is while a function is traced: ``type(x)`` is that of what x stands for."""


class OutOfReach:
    """Stands for what is something else each time, such as a clock, while a function is traced."""

    def __init__(self, name: str, thing: Any) -> None:
        self.name, self.thing, self.thread = name, thing, threading.get_ident()

    def __getattr__(self, name: str) -> Any:
        if threading.get_ident() != self.thread:
            return getattr(self.thing, name)
        why = "which gives something else each time"
        if type(self.thing) is float:
            why = "which an effect may have changed before"
        raise refused(
            f"the function uses {self.name} ({described(self.thing)}), {why}",
            "use it outside, and give what comes of it as an argument",
        )


def _passed_on(name: str) -> Callable[..., Any]:
    def method(self: OutOfReach, *args: Any, **kwargs: Any) -> Any:
        return self.__getattr__(name)(*args, **kwargs)

    return method


for _name in (
    "call", "iter", "next", "array_ufunc", "array", "float", "int", "index", "bool", "len", "getitem",
    "contains", "enter", "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "rpow",
    "neg", "abs", "lt", "le", "gt", "ge",
):  # fmt: skip
    setattr(OutOfReach, f"__{_name}__", _passed_on(f"__{_name}__"))


def described(thing: Any) -> str:
    """A few words for a message: ``time.time``, ``a generator``."""
    name = getattr(thing, "__name__", None)
    if name is None or hasattr(type(thing), "__next__"):
        return f"a {type(thing).__name__}"
    return f"{thing.__module__}.{name}"


def found(tree: Any) -> list[Traced]:
    """The Traced arrays in `tree`."""
    return [t for t in leaves(tree) if isinstance(t, Traced)]


def data_in(tree: Any) -> Any:
    """`tree` with data in place of Traced arrays."""
    return mapped(lambda t: t.data if isinstance(t, Traced) else t, tree)


def noted_in(tree: Any) -> Any:
    """`tree` with Variables in place of Traced arrays."""
    return mapped(lambda t: t.variable if isinstance(t, Traced) else t, tree)


def copied(x: Any) -> Any:
    return x.copy()


def _writes(name: str) -> tuple[str, str]:
    return f"{name} writes into an existing array (out=)", "let it return its result"


def _check_size(row: Row, args: Any, kwargs: Any) -> None:
    """Refuse what gives results of another size for other data."""
    by_data = row.sized_by_data
    if by_data(*args, **kwargs) if callable(by_data) else by_data:
        raise refused(f"the size of what {row.name} gives depends on the data", "use np.where(c, x, y)")


astype = TABLE[cast].function


def _operator(name: str) -> tuple[Any, Any, Any]:
    """An operator of Traced arrays, from the left, from the right, and with ``=`` behind it.

    It calls the ufunc of its row; between Python numbers, Python's own operator.
    """
    python = abs if name == "abs" else getattr(operator, name)
    row = row_of(python)
    ufunc = python if row is None or python is operator.pow else row.function  # x ** 2 is not np.power(x, 2)

    def left(*args: Any) -> Any:
        if any(type(a) is Value for a in args):
            return NotImplemented
        traced = next(a for a in args if isinstance(a, Traced))
        numbers = all(type(x) in (float, bool, int) for x in data_in(args))
        if len(args) > 2 or not all(isinstance(a, (float, int, np.ndarray, np.generic)) for a in args):
            for a in found(args):
                a.tape.decide(a)  # [0] * n, pow(n, 2, 5)
        return traced.tape.call(python if numbers else ufunc, args, {})

    def right(self: Traced, other: Any) -> Any:
        return left(other, self)

    def assign(self: Traced, other: Any) -> Any:
        new = left(self, other)
        rebinds = new is NotImplemented or not isinstance(self.data, np.ndarray)
        return new if rebinds else self._in_place(new)

    return left, right, assign


def _of_whole_numbers(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any) -> Any:
        return self._plain(
            lambda data: getattr(data, name)(*args), f"{name} is asked of it", "do that outside"
        )

    return method


for _name in "round trunc floor ceil divmod rdivmod lshift rlshift rshift rrshift".split():  # noqa: SIM905
    setattr(Traced, f"__{_name}__", _of_whole_numbers(f"__{_name}__"))
for _name in "add sub mul truediv pow matmul mod floordiv and_ or_ xor".split():  # noqa: SIM905
    for _side, _method in zip(("", "r", "i"), _operator(_name)):
        setattr(Traced, f"__{_side}{_name.strip('_')}__", _method)
for _name in "neg pos abs invert lt le gt ge eq ne".split():  # noqa: SIM905
    setattr(Traced, f"__{_name}__", _operator(_name)[0])
