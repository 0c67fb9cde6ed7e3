"""The parts of a page as HTML: tables, printed lines, figures, live pages, code, exercises."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from demos import style

NUMBER = re.compile(r"[-+]?[\d.,]+(e[-+]\d+)?%?|·|")
PICTURES = (".svg", ".png", ".gif")
DOT = 96 / 72  # pixels in a point, in which matplotlib says how large its SVG is


def markdown(text: str) -> str:
    """Markdown as HTML; its headings have names to point at."""
    parser = MarkdownIt("commonmark", {"html": True, "typographer": True})
    parser.enable(["table", "smartquotes", "replacements"])
    tokens = parser.parse(text)
    for token, inside in pairwise(tokens):
        if token.type == "heading_open":
            token.attrs["id"] = slug(inside.content)
    return str(parser.renderer.render(tokens, parser.options, {}))


def slug(text: str) -> str:
    """A heading as a name in an address."""
    return "-".join(re.findall(r"\w+", text.lower()))


def code(source: str) -> str:
    """Python with its words in classes."""
    marked = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))
    return f'<pre class="code" tabindex="0"><code>{marked}</code></pre>'


def printed(parts: Sequence[style.Part]) -> str:
    """What a demo printed under one of its headings."""
    made = {"heading": caption, "table": table, "note": note, "text": lines}
    return f'<section class="output">{"".join(made[part.kind](part.what) for part in parts)}</section>'


def caption(heading: str) -> str:
    """A heading of the output."""
    return f"<h3>{escape(heading)}</h3>"


def note(sentence: str) -> str:
    """A sentence that a demo printed."""
    return f'<p class="note">{escape(sentence)}</p>'


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table: numbers to the right, words to the left."""
    header, *body = rows
    numeric = [all(NUMBER.fullmatch(line[i]) for line in body) for i in range(len(header))]

    def cells(tag: str, line: Sequence[str]) -> str:
        looks = [' class="number"' if right else "" for right in numeric]
        return "".join(f"<{tag}{look}>{escape(cell)}</{tag}>" for look, cell in zip(looks, line))

    filled = "".join(f"<tr>{cells('td', line)}</tr>" for line in body)
    size = " wide" if sum(max(map(len, column)) + 2 for column in zip(*rows)) > 42 else ""
    return (
        f'<div class="table{size}" tabindex="0"><table><thead><tr>{cells("th", header)}</tr></thead>'
        f"<tbody>{filled}</tbody></table></div>"
    )


def lines(text: str) -> str:
    """Printed lines as they are, but for the indent that they share; columns are not broken."""
    rows = text.split("\n")
    indent = min(len(row) - len(row.lstrip()) for row in rows if row.strip())
    look = "lines laid" if re.search(r"\S {4}|[▀▄█]", text) else "lines"
    return f'<pre class="{look}">{escape(chr(10).join(row[indent:] for row in rows))}</pre>'


def figure(address: str, content: bytes, about: str) -> str:
    """A picture and what it shows."""
    width, height = dimensions(address, content)
    said = f"<figcaption>{escape(about)}</figcaption>" if about else ""
    image = f'<img src="{address}" alt="{escape(about)}" width="{width}" height="{height}" loading="lazy">'
    look = (
        "picture" if b"prefers-color-scheme" in content else "picture drawn"
    )  # which has no dark of its own
    return f'<figure class="{look}"><a href="{address}">{image}</a>{said}</figure>'


def dimensions(address: str, content: bytes) -> tuple[int, int]:
    """Width and height of a picture in pixels, as its first bytes say."""
    if address.endswith(".png"):
        return struct.unpack(">II", content[16:24])
    if address.endswith(".gif"):
        return struct.unpack("<HH", content[6:10])
    width, height = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', content).groups()
    dot = DOT if b'pt"' in content[:1000] else 1
    return round(dot * float(width)), round(dot * float(height))


def live(address: str, about: str) -> str:
    """A live page inside the page; it answers to the mouse once somebody asked for it."""
    name = Path(address).name
    return (
        f'<figure class="live"><div><iframe src="{address}" title="live page {name}" loading="lazy"></iframe>'
        f'<button type="button" class="cover"><span>Click to use it</span></button></div>'
        f'<figcaption>{escape(about)} <a href="{address}">Open it alone</a></figcaption></figure>'
    )
