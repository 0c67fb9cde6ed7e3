"""Pictures of what was recorded: still ones, a page that plays backpropagation, and one to touch networks in.

Examples
--------
>>> import tempfile
>>> from tinygrad_course import Value, viz
>>> w, x = Value(-3.0, name="w"), Value(2.0, name="x")
>>> output = (w * x + 1.0).tanh()
>>> output.backward()
>>> with tempfile.TemporaryDirectory() as folder:
...     picture = viz.save(output, folder + "/neuron.svg")
...     page = viz.save(output, folder + "/neuron.html")
"""

from .digit import digits
from .files import save
from .graph import graph_of
from .lab import lab
from .notebook import mimebundle
from .pictures import draw
from .player import Page, player
from .recorder import Recorder

__all__ = ["Page", "Recorder", "digits", "draw", "graph_of", "lab", "mimebundle", "player", "save"]
