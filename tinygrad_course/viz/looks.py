"""How everything in a picture looks: one table, from which each renderer takes its colours.

A picture may be shown where style sheets are taken out (by a site that cleans what it is given, or a
converter to PDF), so every element carries its look as attributes too; the style sheet adds what only it can,
the dark scheme.  Kinds of nodes differ in shape and in colour; the colours (after Okabe and Ito) can be told
apart with every common kind of colour blindness.  None of them is blue or orange: those two mean numbers
above and below zero, everywhere.
"""

from __future__ import annotations

from importlib.resources import files

LOOKS = {
    "": {
        "font-family": "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace",
        "font-size": "11px",
    },
    ".paper": {"fill": "#ffffff"},
    "text": {"fill": "#1d2329", "text-anchor": "middle"},
    "text.title": {"font-weight": "bold"},
    "text.gradient": {"fill": "#7a2e6b"},
    ".shape": {"stroke-width": "1.3", "stroke-linejoin": "round"},
    ".operation .shape": {"fill": "#f4f5f7", "stroke": "#5b6672"},
    ".parameter .shape": {"fill": "#fbf3d0", "stroke": "#8a6d00"},
    ".input .shape": {"fill": "#e1f3ea", "stroke": "#00734f"},
    ".loss .shape": {"fill": "#f8e3f2", "stroke": "#93307f", "stroke-width": "2.4"},
    ".layer .shape": {"fill": "#ebe8f7", "stroke": "#5d51a3"},
    ".frame rect": {
        "fill": "#5b6672",
        "fill-opacity": "0.05",
        "stroke": "#8b96a1",
        "stroke-dasharray": "5 3",
    },
    ".frame text": {"fill": "#4b5661", "text-anchor": "start", "font-weight": "bold"},
    ".link": {"fill": "none", "stroke": "#76818c", "stroke-width": "1.2"},
    ".tip": {"fill": "#76818c"},
}
"""For each selector its properties; what a later one says holds."""


def look(*selectors: str) -> dict[str, str]:
    """What these selectors say together.

    Examples
    --------
    >>> look("text", "text.gradient")
    {'fill': '#7a2e6b', 'text-anchor': 'middle'}
    """
    return {name: value for selector in selectors for name, value in LOOKS[selector].items()}


def attributes(*selectors: str) -> str:
    """The look as attributes of an element.

    Examples
    --------
    >>> attributes("text", "text.gradient")
    'fill="#7a2e6b" text-anchor="middle"'
    """
    return " ".join(f'{name}="{value}"' for name, value in look(*selectors).items())


def style() -> str:
    """The style sheet of a graph."""
    rules = [
        f".tinygrad {selector} {{ {'; '.join(map(': '.join, properties.items()))}; }}\n"
        for selector, properties in LOOKS.items()
    ]
    return "".join(rules) + files(__package__).joinpath("graph.css").read_text("utf-8")
