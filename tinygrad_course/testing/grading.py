"""Homework that grades itself: exercises with a right answer or a rule, and verdicts on submissions.

A submission is a file of Python with a function an exercise.  It runs in a process of its own (see `sandbox`,
which also says what that cannot stop) that is given inputs and gives back what the functions return; what is
right is known, and the verdict is formed, only here.  hypothesis draws the inputs and makes the one where an
answer is wrong as small as it can.

An exercise of your own is ten lines::

    import numpy as np
    from hypothesis import strategies as st
    from tinygrad_course.testing.grading import Exercise

    EXERCISES = [
        Exercise(
            "softplus",
            "log(1 + exp(x)) for a number x, as large as 1000 too.",
            answer=lambda x: np.logaddexp(0.0, x),
            inputs=st.tuples(st.floats(-1e3, 1e3)),
            hints=[(lambda x: np.maximum(x, 0.0), "That is relu, which softplus only comes close to.")],
        )
    ]

``python -m tinygrad_course.grade SUBMISSION --exercises FILE`` grades with it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import runpy
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, errors, given, settings
from hypothesis import strategies as st

from .sandbox import Ended, Sandbox
from .wire import Other, read, written

Answer = Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """One exercise: what a submission's function of this name must give.

    Parameters
    ----------
    name : str
        The name of the function.
    text : str
        What is asked, for the student.
    answer : callable, optional
        A right answer, called with the same inputs.
    rule : callable, optional
        In place of one right answer: ``rule(got, *inputs)`` gives None or True for a right result, or
        False, or a text that says what is wrong with it.
    inputs : hypothesis strategy of tuples, optional
        The arguments: numbers, texts, lists, tuples, dicts and arrays.  Without it only `examples` count.
    examples : sequence of tuples, optional
        Inputs that are always tried first, in this order; put small ones in front.
    call : function, optional
        How the submission's function is called, if not with the inputs: ``call(solve, *inputs)`` gives
        what is compared.  It is a ``def`` whose text is sent to the submission's process, where it knows
        nothing but `np` and what it imports itself; it must not hold the right answer.
    hints : sequence of pairs
        Known wrong answers, each with what to tell those who gave it.
    points : float
        What a right answer earns.
    tolerance : float
        How far numbers may differ, relatively and absolutely.
    keeps : bool
        Whether the inputs must be after the call what they were before.
    attempts : int
        So many inputs are drawn.

    Raises
    ------
    ValueError
        If there is neither an answer nor a rule, or nothing to try.
    """

    name: str
    text: str
    answer: Answer | None = None
    rule: Answer | None = None
    inputs: st.SearchStrategy[tuple[Any, ...]] | None = None
    examples: Sequence[tuple[Any, ...]] = ()
    call: Answer | None = None
    hints: Sequence[tuple[Answer, str]] = ()
    points: float = 1.0
    tolerance: float = 1e-6
    keeps: bool = True
    attempts: int = 100

    def __post_init__(self) -> None:
        if (self.answer is None) == (self.rule is None):
            raise ValueError(f"exercise {self.name}: give either an answer or a rule")
        if self.inputs is None and not self.examples:
            raise ValueError(f"exercise {self.name}: give inputs, examples=[()] for a function without any")

    @property
    def call_source(self) -> str:
        """The text of `call`, which travels."""
        return "" if self.call is None else textwrap.dedent(inspect.getsource(self.call))

    def expected(self, answer: Answer, inputs: tuple[Any, ...]) -> Any:
        """What an answer of our own gives for these inputs, which stay as they are."""
        fresh = read(written(inputs))
        with np.errstate(all="ignore"):
            return answer(*fresh) if self.call is None else self.call(answer, *fresh)

    def fault(self, got: Any, inputs: tuple[Any, ...]) -> str:
        """What is wrong with a result; "" if it is right."""
        if self.answer is not None:
            expected, part = self.expected(self.answer, inputs), ""
            if same(got, expected, self.tolerance):
                return ""
            if isinstance(expected, dict) and isinstance(got, dict) and got.keys() == expected.keys():
                name = next(k for k, e in expected.items() if not same(got[k], e, self.tolerance))
                part, got, expected = f"in {name}\n       ", got[name], expected[name]
            return f"{part}expected {shown(expected)}\n       got      {shown(got)}"
        assert self.rule is not None
        try:
            said = self.rule(got, *inputs)
        except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
            said = f"is of the wrong kind ({type(error).__name__}: {error})"
        if said is None or said is True:
            return ""
        return f"{said or 'which is wrong'}\n       got      {shown(got)}"

    def hint(self, seen: Iterable[tuple[tuple[Any, ...], Any]]) -> str:
        """The hint for a wrong answer that is known: it gives all that was seen."""
        for wrong, text in self.hints:
            try:
                if all(same(got, self.expected(wrong, inputs), self.tolerance) for inputs, got in seen):
                    return text
            except Exception:  # a wrong answer may fail for some inputs
                continue
        return ""

    def named(self, inputs: tuple[Any, ...]) -> str:
        """Inputs as a person reads them: ``x = 1, w = [2]``."""
        model = self.call or self.answer or self.rule
        names = list(inspect.signature(model).parameters) if model is not None else []
        names = names if model is self.answer else names[1:]
        return ", ".join(f"{name} = {shown(thing)}" for name, thing in zip(names, inputs)) or "no inputs"


@dataclass(frozen=True)
class Verdict:
    """What became of one exercise of one submission."""

    exercise: str
    right: bool
    text: str
    points: float
    of: float
    hint: str = ""


@dataclass(frozen=True)
class Grade:
    """All verdicts on one submission."""

    submission: str
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def points(self) -> float:
        """What it earned."""
        return sum(verdict.points for verdict in self.verdicts)

    @property
    def of(self) -> float:
        """What it could have earned."""
        return sum(verdict.of for verdict in self.verdicts)


class _Differs(Exception):
    """An input for which a submission is wrong."""


def judged(exercise: Exercise, sandbox: Sandbox) -> Verdict:
    """The verdict on one exercise of the submission in a sandbox.

    Parameters
    ----------
    exercise : Exercise
    sandbox : Sandbox

    Returns
    -------
    Verdict
    """
    seen: list[tuple[tuple[Any, ...], Any]] = []
    said = ""
    tried: tuple[Any, ...] | None = None

    def attempt(inputs: tuple[Any, ...]) -> None:
        nonlocal said, tried
        tried = inputs
        reply = sandbox.ask(inputs)
        said = _said(exercise, inputs, reply)
        if "answer" in reply:
            seen.append((inputs, reply["answer"]))
        if said:
            raise _Differs

    try:
        start = sandbox.start(exercise.name, exercise.call_source)
        if "ready" not in start:
            said = "is missing" if "missing" in start else f"was not reached: the file {_error(start)}"
            return Verdict(exercise.name, False, said, 0.0, exercise.points)
        for inputs in exercise.examples:
            attempt(inputs)
        if exercise.inputs is not None:
            _search(exercise.inputs, exercise.attempts, attempt)
    except _Differs:
        pass
    except errors.Flaky:
        said = f"gives different answers to the same inputs, such as {exercise.named(tried or ())}"
    except Ended as ended:
        said = f"{ended}" if tried is None else f"{ended}, for {exercise.named(tried)}"
    finally:
        sandbox.end()
    if not said:
        return Verdict(exercise.name, True, "is right", exercise.points, exercise.points)
    hint = exercise.hint([*seen[:3], *seen[-3:]]) if seen else ""
    return Verdict(exercise.name, False, said, 0.0, exercise.points, hint)


def _search(
    strategy: st.SearchStrategy[Any], attempts: int, attempt: Callable[[tuple[Any, ...]], None]
) -> None:
    """Draw inputs, the same in every run, until one is found that is answered wrongly, and make it small."""

    @settings(
        max_examples=attempts,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def drawn(inputs: tuple[Any, ...]) -> None:
        attempt(inputs)

    drawn()


def _said(exercise: Exercise, inputs: tuple[Any, ...], reply: dict[str, Any]) -> str:
    """What to say of the reply to these inputs; "" if it is right."""
    if "error" in reply:
        if reply["error"].get("kind") == "NotImplementedError":
            return "is not written yet"
        return f"fails for {exercise.named(inputs)}\n       with {_error(reply)}"
    if fault := exercise.fault(reply.get("answer"), inputs):
        return f"differs for {exercise.named(inputs)}\n       {fault}"
    if exercise.keeps and not same(reply.get("after"), inputs, 0.0):
        return (
            f"changes what it was given: {exercise.named(inputs)}\n       "
            f"afterwards {exercise.named(tuple(reply.get('after') or ()))}"
        )
    return ""


def _error(reply: dict[str, Any]) -> str:
    error = reply.get("error") or {}
    where = f"\n       in {error['where']}" if error.get("where") else ""
    return f"{error.get('kind')}: {error.get('text')}{where}"


def same(got: Any, expected: Any, tolerance: float) -> bool:
    """Whether a result has the expected kind and shape, and its numbers are within the tolerance.

    Lists and tuples, and numbers of all kinds, count as the same kind; a list of numbers as an array does.

    Examples
    --------
    >>> same([1.0, 2.0], np.array([1, 2]), 1e-6), same(1.0, [1.0], 1e-6), same(float("nan"), 0.0, 1.0)
    (True, False, False)
    """
    if isinstance(expected, dict):
        return (
            isinstance(got, dict)
            and got.keys() == expected.keys()
            and all(same(got[key], part, tolerance) for key, part in expected.items())
        )
    if isinstance(expected, tuple | list):
        if isinstance(got, np.ndarray):
            got = list(got)
        return (
            isinstance(got, tuple | list)
            and len(got) == len(expected)
            and all(same(g, e, tolerance) for g, e in zip(got, expected))
        )
    if expected is None or isinstance(expected, str | bool | np.bool_):
        return bool(type(got) in (type(expected), bool, np.bool_) and got == expected)
    try:
        got = np.asarray(got)
        if got.dtype.kind not in "biufc" or got.shape != np.shape(expected):
            return False
        return bool(np.allclose(got, expected, rtol=tolerance, atol=tolerance, equal_nan=True))
    except (TypeError, ValueError):
        return False


def shown(thing: Any) -> str:
    """A result as a person reads it."""
    if isinstance(thing, tuple | list):
        left, right = "()" if isinstance(thing, tuple) else "[]"
        return left + ", ".join(map(shown, thing)) + right
    if isinstance(thing, np.ndarray):
        text = np.array2string(thing, precision=6, separator=", ", threshold=20)
        return " ".join(text.split()) if thing.ndim else f"{thing.item():.6g}"
    if isinstance(thing, float | np.floating):
        number = float(thing)
        return repr(number) if abs(number) < 1e6 and number == round(number, 3) else f"{number:.6g}"
    text = repr(thing.item() if isinstance(thing, np.generic) else thing)
    return text if len(text) <= 200 or isinstance(thing, Other) else text[:197] + "..."


@functools.cache
def loaded(exercises: Path) -> list[Exercise]:
    """The exercises of an instructor's file: what it calls EXERCISES.

    Raises
    ------
    ValueError
        If it has none, or two of one name.
    """
    found = runpy.run_path(str(exercises)).get("EXERCISES")
    if not found or not all(isinstance(exercise, Exercise) for exercise in found):
        raise ValueError(f"{exercises}: EXERCISES must be a list of Exercise")
    names = [exercise.name for exercise in found]
    if len({*names}) < len(names):
        raise ValueError(f"{exercises}: two exercises have one name, in {', '.join(names)}")
    return list(found)


def grade(
    submission: Path, exercises: Sequence[Exercise], *, seconds: float = 10.0, memory: int = 2**30
) -> Grade:
    """The verdicts on one submission.

    Parameters
    ----------
    submission : Path
        A file of Python.
    exercises : sequence of Exercise
    seconds : float
        So long an exercise may take.
    memory : int
        So many bytes of address space its process may have.

    Returns
    -------
    Grade
    """
    try:
        source = submission.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = f"was not reached: the file cannot be read ({type(error).__name__})"
        return Grade(str(submission), [Verdict(e.name, False, said, 0.0, e.points) for e in exercises])
    with Sandbox(source, submission.name, seconds=seconds, memory=memory) as sandbox:
        return Grade(str(submission), [judged(exercise, sandbox) for exercise in exercises])


def grade_all(
    submissions: Sequence[Path], exercises: Path, *, workers: int = 1, **limits: Any
) -> Iterator[Grade]:
    """The verdicts on many submissions, as they come.

    Parameters
    ----------
    submissions : sequence of Path
    exercises : Path
        The file of exercises.
    workers : int
        So many processes grade at the same time.
    **limits
        As for `grade`.

    Yields
    ------
    Grade
    """
    job = functools.partial(_graded, exercises=exercises.resolve(), limits=limits)
    if workers == 1 or len(submissions) < 2:
        yield from map(job, submissions)
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        waiting = [pool.submit(job, submission) for submission in submissions]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _graded(submission: Path, exercises: Path, limits: dict[str, Any]) -> Grade:
    return grade(submission, loaded(exercises), **limits)


def fingerprint(submission: Path, exercises: Path) -> str:
    """What changes when the submission or the exercises do."""
    contents = hashlib.sha256(exercises.read_bytes())
    with contextlib.suppress(OSError):
        contents.update(submission.read_bytes())
    return contents.hexdigest()
