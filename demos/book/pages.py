"""The site: a page a part, contents, all exercises, and a search whose index is made here.

Nothing is fetched when the pages are read, not even by the search: its index stands in its own page.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import jinja2

from demos import style

from . import parts
from .run import Run
from .texts import Exercise, Mark, exercises, function_source, source_of, text_of, title_of

LOOK = Path(__file__).parent / "look"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'"
)
BLOCKS = {"p", "li", "td", "th", "h1", "h2", "h3", "pre", "figcaption", "summary", "blockquote", "dt", "dd"}


class Page(NamedTuple):
    """A page of the book, but for what all pages share."""

    address: str
    number: str  # of the part; none for contents, exercises and search
    title: str
    about: str  # one line
    body: str
    files: Mapping[str, bytes] = MappingProxyType({})  # what it shows besides, by address


def build(folder: Path, runs: Mapping[str, Run], lines: Mapping[str, str]) -> list[Path]:
    """Write the book of these runs into a folder; gives its pages.

    Parameters
    ----------
    folder : Path
        Where to; made if it is not there.
    runs : mapping
        What each demo printed and wrote, by name and in the lecture's order.
    lines : mapping
        One line about each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chapters = [part_page(name, str(n), run, lines[name]) for n, (name, run) in enumerate(runs.items(), 1)]
    homework = exercises_page(chapters)
    listed = [*chapters, homework]
    contents = contents_page(listed)
    search = search_page(listed)
    written = []
    around = dict(zip([page.address for page in listed], zip([contents, *listed], [*listed[1:], None])))
    for page in (contents, *listed, search):
        previous, following = around.get(page.address, (None, chapters[0] if page is contents else None))
        html = template("page.html").render(
            page=page, contents=listed, previous=previous, following=following, policy=POLICY
        )
        written.append(folder / page.address)
        written[-1].write_text(html, "utf-8")
    for path in LOOK.iterdir():
        if path.suffix in (".css", ".js"):
            shutil.copyfile(path, folder / path.name)
    for page in chapters:
        for address, content in page.files.items():
            (folder / address).parent.mkdir(exist_ok=True)
            (folder / address).write_bytes(content)
    return written


def template(name: str) -> jinja2.Template:
    """A template of the look."""
    loader = jinja2.FileSystemLoader(LOOK)
    settings = {"autoescape": True, "undefined": jinja2.StrictUndefined, "trim_blocks": True}
    return jinja2.Environment(loader=loader, lstrip_blocks=True, **settings).get_template(name)


def is_shown(file: str) -> bool:
    """Whether the book shows a file that a demo wrote."""
    return file.endswith((*parts.PICTURES, ".html"))


# A part
class Group(NamedTuple):
    """What a demo printed under one heading, which is empty before the first."""

    heading: str
    parts: list[style.Part]


def groups(run: Run) -> Iterator[Group]:
    """What a demo printed, by heading."""
    group = Group("", [])
    for part in run.parts:
        if part.kind == "heading":
            if group.parts:
                yield group
            group = Group(part.what, [])
        if part.kind != "file":
            group.parts.append(part)
    if group.parts:
        yield group


class Places:
    """What there is to place on the page of a part, and what of it is left."""

    def __init__(self, name: str, run: Run) -> None:
        self.name, self.run = name, run
        self.groups = list(groups(run))
        said = {part.what[0].name: part.what[1] for part in run.parts if part.kind == "file"}
        self.files = {file: what for file, what in said.items() if is_shown(file)}
        self.shown: dict[str, bytes] = {}  # by address

    def html(self, mark: Mark) -> str:
        """What belongs in a marked place."""
        return getattr(self, mark.kind)(*mark.args)

    def code(self, *functions: str) -> str:
        return parts.code(function_source(self.name, *functions))

    def output(self, words: str = "") -> str:
        found = [g for g in self.groups if words in g.heading and (words or not g.heading)]
        if not found:
            raise SystemExit(f"the text of {self.name} shows {words!r}, which the demo does not print")
        self.groups.remove(found[0])
        return parts.printed(found[0].parts)

    def figure(self, stem: str, about: str = "") -> str:
        address = self.show(self.take(stem, parts.PICTURES))
        return parts.figure(address, self.shown[address], about)

    def live(self, file: str, about: str = "") -> str:
        return parts.live(self.show(self.take(file)), about)

    def show(self, file: str) -> str:
        """The address at which a file will be."""
        address = f"{self.name}/{file}"
        self.shown[address] = self.run.files[file]
        return address

    def without(self, *names: str) -> str:
        for name in names:
            if any(name in (file, Path(file).stem) for file in self.files):
                self.take(name, parts.PICTURES)
            else:
                self.output(name)
        return ""

    def take(self, name: str, endings: tuple[str, ...] = ()) -> str:
        """The file of that name, which may lack one of these endings; it is placed now."""
        for file in self.files:
            if file == name or (Path(file).stem == name and file.endswith(endings)):
                del self.files[file]
                return file
        raise SystemExit(f"the text of {self.name} shows {name}, which the demo does not write")

    def rest(self) -> str:
        """What the text did not place."""
        html = [parts.printed(group.parts) for group in self.groups]
        for file, about in list(self.files.items()):
            html.append(self.live(file, about) if file.endswith(".html") else self.figure(file, about))
        return "\n".join(html)


def part_page(name: str, number: str, run: Run, line: str) -> Page:
    """The page of one demo."""
    text, marks = text_of(name)
    body, places = parts.markdown(text), Places(name, run)
    for i, mark in enumerate(marks):
        body = body.replace(f"<!--{i}-->", places.html(mark))
    source = source_of(name)
    body += template("part.html").render(
        name=name,
        rest=places.rest(),
        exercises=[e for e in exercises() if e.part == name],
        task=task,
        source=parts.code(source),
        lines=source.count("\n"),
    )
    return Page(f"{name}.html", number, title_of(text), line, body, places.shown)


def task(exercise: Exercise) -> str:
    """An exercise: what to write, and its first line."""
    first = exercise.source.split("\n")[0]
    return parts.markdown(exercise.task) + parts.code(f"{first}\n    ...")


# The other pages
def contents_page(listed: list[Page]) -> Page:
    """The page that the book opens with."""
    text, _ = text_of("contents")
    body = parts.markdown(text) + template("contents.html").render(listed=listed)
    return Page("index.html", "", title_of(text), "", body)


def exercises_page(chapters: list[Page]) -> Page:
    """All exercises, and how they are checked."""
    text, _ = text_of("exercises")
    titles = {page.address.removesuffix(".html"): page for page in chapters}
    body = parts.markdown(text)
    body += template("exercises.html").render(exercises=exercises(), titles=titles, task=task)
    return Page("exercises.html", "", title_of(text), "all of them, and how they are checked", body)


def search_page(pages: list[Page]) -> Page:
    """The page that finds words in all others."""
    index = [entry for page in pages for entry in Sections(page).entries]
    said = json.dumps(index, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return Page("search.html", "", "Search", "", template("search.html").render(index=said))


class Sections(HTMLParser):
    """What a page says, by its headings: address, title of the page, heading, words."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self.entries: list[list[Any]] = []
        self.heading, self.skipped = False, 0
        self.feed(page.body)
        for entry in self.entries:
            entry[2:] = [" ".join(text.split()) for text in entry[2:]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        place = dict(attrs).get("id")
        if tag in ("h1", "h2") and (place or not self.entries):
            address = self.page.address if tag == "h1" else f"{self.page.address}#{place}"
            self.entries.append([address, self.page.title, "", ""])
            self.heading = tag == "h2"
        self.skipped += tag == "button"
        if tag in BLOCKS and self.entries:
            self.entries[-1][3] += " "

    def handle_endtag(self, tag: str) -> None:
        if tag == "h2":
            self.heading = False
        self.skipped -= tag == "button"

    def handle_data(self, data: str) -> None:
        if self.entries and not self.skipped:
            self.entries[-1][2 if self.heading else 3] += data
