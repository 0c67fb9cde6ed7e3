"""Where the package lies, and how it writes files: whole or not at all, whoever else writes there.

A file is first written under a name of its own beside the place where it belongs, and takes that place in one
step once it is whole. So a reader finds the old file or the new one, never half of one; two writers do not
meet; and what a killed process left behind is removed by the next write into that folder.
"""

from __future__ import annotations

import errno
import os
import platform
import secrets
import time
from collections.abc import Callable
from pathlib import Path

PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
"""What the file names of the package's own code begin with."""

_MARK = ".tinygrad_course"
_DAY = 24 * 60 * 60


def write_whole(path: str | os.PathLike[str], fill: Callable[[Path], object]) -> Path:
    """Write a file whole or not at all; folders that are missing are made.

    Parameters
    ----------
    path : path
        Where the file belongs.  One that is there is replaced once the new one is whole.
    fill : callable
        Writes the file to the path that it is given.  Where it raises, or is interrupted, nothing is left of
        what it wrote.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    OSError
        If the file cannot be written, or something other than a file is there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_whole(folder + "/new/hello.txt", lambda part: part.write_text("Hello"))
    ...     path.read_text(), len(list(path.parent.iterdir()))
    ('Hello', 1)
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(
            errno.ENOTDIR, "a file is where the folder should be", error.filename
        ) from None
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "a folder is where the file should be", str(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "a device or pipe is where the file should be", str(path))
    _remove_left_over(path.parent)
    part = path.with_name(f"{_MARK}-{platform.node()}-{os.getpid()}-{secrets.token_hex(8)}.part")
    try:
        try:
            fill(part)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        if error.errno and error.filename in (None, str(part)):  # nobody asked for a file of that name
            raise type(error)(error.errno, error.strerror, str(path)) from None
        raise
    finally:  # an interruption may have come just before the removal above
        part.unlink(missing_ok=True)
    return path


def _remove_left_over(folder: Path) -> None:
    """Remove parts that nobody will finish, as their process was killed."""
    for part in folder.glob(f"{_MARK}-*.part"):
        try:
            if _is_left_over(part):
                part.unlink()
        except OSError:  # finished or removed by somebody else just now, or not ours to remove
            pass


def _is_left_over(part: Path) -> bool:
    """Whether the process that wrote `part` has ended; where none can tell, whether it is a day old."""
    machine, pid, _ = part.name.removeprefix(f"{_MARK}-").rsplit("-", 2)
    if machine == platform.node() and os.name == "posix":  # elsewhere, signal 0 is not a question
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except OSError:  # it runs, under another user
            pass
    return time.time() - part.stat().st_mtime > _DAY
