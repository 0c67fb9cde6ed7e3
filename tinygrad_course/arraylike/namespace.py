"""The array API's namespace of Values: NumPy's functions, except that what makes arrays makes Values.

Code that is written for the array API (SciPy's with SCIPY_ARRAY_API=1, `einops.array_api`) asks a Value for
its `__array_namespace__` and calls what it finds here.  Real numbers become constant Values, which such code
combines with others and writes into; whole numbers and truth stay plain arrays, as a Value holds neither.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..engine.value import stripped
from ..later import later

_MAKERS = ("arange", "empty", "eye", "full", "linspace", "ones", "zeros")
_MAKERS_LIKE = ("empty_like", "full_like", "ones_like", "zeros_like")
_numpy: Any = np  # NumPy's type stubs do not know that its functions take Values


class Namespace:
    """NumPy for Values of a kind; there is one such object a kind, so that two Values have the same.

    Parameters
    ----------
    kind : type
        What constants are made of.

    Examples
    --------
    >>> from tinygrad_course import Value
    >>> v = Value([1.0, 2.0])
    >>> xp = v.__array_namespace__()
    >>> xp.asarray([0.5, 1.5]) * v
    Value([0.5, 3. ])
    """

    __name__ = "tinygrad_course"

    def __init__(self, kind: type) -> None:
        self.kind = kind
        for name in (*_MAKERS, *_MAKERS_LIKE):
            setattr(self, name, self._making(getattr(np, name)))

    def __repr__(self) -> str:
        return "<namespace of Values: arrays beside them are to be Value(x, requires_grad=False)>"

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def asarray(self, obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
        """`obj` as a Value, which it may be already; in another dtype, or a copy, where that is asked for."""
        if isinstance(obj, (list, tuple)) and any(isinstance(part, self.kind) for part in obj):
            obj = _numpy.stack(obj)
        if not isinstance(obj, self.kind):
            return self._constant(np.array(obj, dtype, copy=copy))
        return (
            _numpy.positive(obj)
            if copy and dtype is None
            else obj
            if dtype is None
            else self.astype(obj, dtype)
        )

    def astype(self, x: Any, dtype: Any, *, copy: bool = True, device: Any = None) -> Any:
        """`x` in another dtype; whole numbers and truth are plain, and complex numbers are refused."""
        whole = np.dtype(dtype).kind in "biu"
        return self._constant((stripped(x) if whole else x).astype(dtype))

    @property
    def special(self) -> Any:
        """SciPy's special functions, which it looks for here."""
        room = later("scipy.special")
        ours = {name: getattr(room, name) for name in room.__all__ if name != "zeta"}
        return SimpleNamespace(**{**vars(later("derivatives.scipy_distributions").sp), **ours})

    def _constant(self, array: Any) -> Any:
        """Real numbers as a Value without a gradient; anything else as it is."""
        plain = isinstance(array, (np.ndarray, np.generic)) and array.dtype.kind == "f"
        return self.kind(np.asarray(array), requires_grad=False) if plain else array

    def _making(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of NumPy that makes an array, as one that makes a constant Value."""

        def make(*args: Any, device: Any = None, **kwargs: Any) -> Any:
            return self._constant(function(*stripped(args), **{k: stripped(a) for k, a in kwargs.items()}))

        return make
