"""Pictures of what was recorded: still ones, and a page that plays backpropagation.

Examples
--------
>>> from tinygrad_course import Value, viz
>>> w, x = Value(-3.0, name="w"), Value(2.0, name="x")
>>> output = (w * x + 1.0).tanh()
>>> output.backward()
>>> picture = viz.draw(output)
"""

from .graph import graph_of
from .pictures import draw, save

__all__ = ["draw", "graph_of", "save"]
