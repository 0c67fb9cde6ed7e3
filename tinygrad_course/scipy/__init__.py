"""What people use of SciPy beside its ufuncs, for Values: the same modules, names and arguments.

``from tinygrad_course.scipy import stats`` in place of ``from scipy import stats``: given plain numbers, its
functions are SciPy's; given Values, they record, to every order.  What is not here is not known: SciPy's own
function refuses a Value, as it takes the numbers out.
"""

try:
    import scipy  # noqa: F401
except ImportError as error:
    raise ImportError("tinygrad_course.scipy needs SciPy: pip install 'tinygrad_course[scipy]'") from error
