"""One case for every row of the table: which calls of the operation the tests shall try.

A new row needs one line here, in the file of its family (elementwise.py, reductions.py, shaping.py, ...; any
new file in this folder is picked up by itself), and gets every check of ``tests/test_rows.py``: the forward
result against NumPy, first and second derivatives against finite differences, float32 against float64, Python
floats against arrays, constants, memory layouts, and PyTorch where it has the operation::

    from rows.registry import Call, call, case, unary, binary, arrays, st

    case(np.tanh, unary(), torch="tanh")
    case(np.log, unary(low=0.1), torch="log")              # the domain; stay away from its edge
    case(np.absolute, unary(avoid=[0]), torch="abs")       # stay away from kinks
    case(np.arctan2, binary(avoid=[0]), torch="arctan2")   # two operands that broadcast
    case(np.diff, call(arrays((3, 4)), n=st.integers(0, 2), axis=st.sampled_from([0, -1])))

`unary` and `binary` draw arrays of every shape and layout, and Python floats.  `along` draws an array with an
axis, as reductions take them.  `call` takes a strategy or a plain value an argument; keywords are given or
left out at random.  Where one argument depends on another, write the strategy out and return a `Call`::

    @st.composite
    def rolled(draw):
        x = draw(arrays(shapes(min_dims=1)))
        return Call((x, draw(st.integers(-3, 3))), {"axis": draw(axes(x.ndim))})

Every Python float and float array among the arguments, in lists too, is differentiated, unless the row's rule
for that argument is None; write ``fixed(x)`` for one that shall stay plain.  Several cases for a row add up.

Further parameters of `case`:

- `reference`: a plain, slow NumPy version; needed for functions that are not NumPy's.
- `torch`: a name inside torch, or a function of tensors (`torch` can be imported from rows.registry and is
  None where it is missing); ``axis`` and ``keepdims`` are translated for names.
- `edges`: how many leading arguments to try at 0, -0.0, inf, nan and so on; known by itself for ufuncs.
- `view`: a function of the result, where that is only determined up to a sign, say.
- `before`: what is done to the arguments first, as part of the function: makes them symmetric, say.
- `second=False`: no second derivative.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
