"""Check a file of solved exercises: ``python -m demos.check exercises.py``.

For each exercise it tries inputs from the smallest on and shows the first one where the answer is not what it
should be.  It is the grader of the library with the lecture's exercises, which stand in homework.py.
"""

import argparse
import sys
from pathlib import Path

import style

try:
    import homework

    from tinygrad_course.testing.grading import grade
    from tinygrad_course.testing.reports import student_text
except ModuleNotFoundError as error:
    if error.name != "hypothesis":
        raise
    sys.exit("the check needs hypothesis: pip install -e '.[test]'")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m demos.check", description=__doc__.split("\n\n")[0])
    parser.add_argument("file", type=Path, help="your copy of demos/exercises.py")
    style.plain_signs()
    args = parser.parse_args(argv)
    if not args.file.is_file():
        parser.error(
            f"there is no file {args.file}; start with a copy of {Path(__file__).parent / 'exercises.py'}"
        )
    found = grade(args.file, homework.EXERCISES)
    print(student_text(found, lambda right: "✓" if right else "✗"))
    return int(found.points < found.of)


if __name__ == "__main__":
    sys.exit(style.run(main))
