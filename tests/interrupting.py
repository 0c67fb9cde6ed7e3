"""Ctrl-C at a chosen line of the package."""

import sys

from tinygrad_course.files import PACKAGE


class Interrupter:
    """Raises KeyboardInterrupt at line event number `n` in the package; counts them where `n` is None."""

    def __init__(self, n=None):
        self.n, self.count = n, 0

    def __call__(self, frame, event, arg):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            self.count += 1
            if self.count == self.n:
                raise KeyboardInterrupt
        return self

    def run(self, work):
        before = sys.gettrace()
        sys.settrace(self)
        try:
            work()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
        return False
