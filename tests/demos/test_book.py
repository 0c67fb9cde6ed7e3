"""The book: its numbers are those of the slides, its links lead somewhere, and nothing is fetched."""

import json
from contextlib import redirect_stdout
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
from short_runs import AND, OR, XOR, short_run

from demos.__main__ import DEMOS, needed
from demos.book import run

pages = pytest.importorskip("demos.book.pages")
parts = pytest.importorskip("demos.book.parts")
texts = pytest.importorskip("demos.book.texts")
LINES = {name: line for name, (_, line) in DEMOS.items()}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The folder of the whole book, of short runs."""
    folder = tmp_path_factory.mktemp("book")
    pages.build(folder, {name: short_run(name) for name in DEMOS}, LINES)
    return folder


class Reader(HTMLParser):
    """A page's links, the names of its places, its tables by the heading above them, and its code."""

    def __init__(self, path):
        super().__init__()
        self.links, self.places, self.tables, self.code = [], set(), {}, []
        self.heading, self.inside, self.open = "", "", []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("href", "src", "action"):
                self.links.append(value)
            if name == "id":
                assert value not in self.places
                self.places.add(value)
        if tag in ("h3", "td", "th"):
            self.inside = ""
        if tag == "table":
            self.tables[self.heading] = []
        if tag == "tr":
            self.tables[self.heading].append([])
        if tag not in ("meta", "link", "input", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"{tag} closes what is not open"
        if tag == "h3":
            self.heading = self.inside
        if tag in ("td", "th"):
            self.tables[self.heading][-1].append(self.inside)

    def handle_data(self, data):
        self.inside += data
        if self.open and self.open[-1] in ("code", "pre"):
            self.code.append(data)


def test_the_tables_are_those_of_the_slides(book):
    tables = Reader(book / "gates.html").tables
    assert tables["AND with weights -30, 20, 20"] == [["x₁", "x₂", "z", "z > 0"], *AND]
    assert tables["OR with weights -10, 20, 20"] == [["x₁", "x₂", "z", "z > 0"], *OR]
    tables = Reader(book / "xor.html").tables
    slide, needed = (
        next(rows for title, rows in tables.items() if words in title) for words in ("-30,", "-10,")
    )
    assert needed[1:] == [[*row, "✓"] for row in XOR]
    assert [row[4:] for row in slide[1:]] == [
        ["-30", "0", "0", "✓"], ["-10", "0", "1", "✗"], ["-10", "0", "1", "✗"], ["-30", "0", "0", "✓"],
    ]  # fmt: skip
    words = " ".join((book / "gates.html").read_text("utf-8").split())
    assert "the bias -30 and the weights 20 and 20" in words
    assert "one input alone lifts it to -10, which is not enough; both together reach 10" in words
    assert "-30 + 20 = -10, and the neuron stays silent" in " ".join((book / "xor.html").read_text().split())


def test_every_table_that_a_demo_prints_is_in_its_page_but_what_its_text_leaves_out(book):
    left_out = {"xor": 2}  # AND and OR, which are in the page before
    for name in DEMOS:
        printed = [part.what for part in short_run(name).parts if part.kind == "table"]
        shown = [list(map(tuple, rows)) for rows in Reader(book / f"{name}.html").tables.values()]
        assert len(shown) == len(printed) - left_out.get(name, 0)
        assert all(table in printed for table in shown)


def test_every_link_leads_somewhere_and_every_page_is_reached(book):
    read = {path.name: Reader(path) for path in book.glob("*.html")}
    assert len(read) == len(DEMOS) + 3
    used = set()
    for name, page in read.items():
        for link in page.links:
            parts = urlsplit(link)
            assert not parts.scheme and not parts.netloc, link
            path = book / unquote(parts.path or name)
            assert path.is_file(), f"{name}: {link}"
            used.add(path)
            assert not parts.fragment or parts.fragment in read[path.name].places, f"{name}: {link}"
    assert used == {path for path in book.rglob("*") if path.is_file()}
    assert sum(path.stat().st_size for path in used) < 15e6


def test_the_search_knows_every_heading(book):
    text = (book / "search.html").read_text("utf-8")
    index = json.loads(text.split('id="index">')[1].split("</script>")[0])
    read = {path.name: Reader(path) for path in book.glob("*.html")}
    for address, title, _, words in index:
        page, _, place = address.partition("#")
        assert not place or place in read[page].places
        assert title and words
    assert [address for address, *_ in index if "#" not in address] == [
        *(f"{name}.html" for name in DEMOS), "exercises.html",
    ]  # fmt: skip


def test_the_exercises_are_those_that_are_checked(book):
    homework = pytest.importorskip("demos.homework")
    names = [exercise.name for exercise in homework.EXERCISES]
    assert [exercise.name for exercise in texts.exercises()] == names
    assert Reader(book / "exercises.html").places >= set(names)
    of_parts = [e.name for name in DEMOS for e in texts.exercises() if e.part == name]
    assert sorted(of_parts) == sorted(names)


def test_a_demo_without_a_text_is_told_about_by_its_docstring(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "TEXTS", tmp_path)
    page = pages.part_page("gates", "1", short_run("gates"), LINES["gates"])
    assert page.title == "Gates"
    assert "In the plane of" in page.body
    for shown in ("AND with weights -30, 20, 20", "gates/gates.png", 'src="gates/gates.html"'):
        assert shown in page.body


@pytest.mark.parametrize("mark", ['output("NAND")', 'figure("nand")', 'live("nand.html")', 'without("nand")'])
def test_a_text_that_shows_what_there_is_not_is_told(mark, tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "TEXTS", tmp_path)
    (tmp_path / "gates.md").write_text(f"# Gates\n\n{{{{ {mark} }}}}\n")
    with pytest.raises(SystemExit, match=r"the text of gates shows '?(nand|NAND)"):
        pages.part_page("gates", "1", short_run("gates"), "")


def test_what_is_printed_between_is_kept():
    with redirect_stdout(run.style.Sheet()) as sheet:
        print("  first\n\n")
        run.style.heading("Title")
        print("  second\n  third")
        run.style.note("A sentence.")
        print()
    parts_of = [(part.kind, part.what) for part in run.in_parts(sheet)]
    assert parts_of == [
        ("text", "  first"), ("heading", "Title"), ("text", "  second\n  third"), ("note", "A sentence."),
    ]  # fmt: skip


def test_what_is_shown_is_escaped():
    assert "<td>&lt;b&gt;</td>" in parts.table([["x"], ["<b>"]])
    assert "&lt;i&gt;" in parts.lines("<i>") and "&lt;i&gt;" in parts.note("<i>")


def test_what_is_missing_is_said_before_anything_runs():
    with pytest.raises(SystemExit, match=r"needs no_such_module: pip install -e '.\[demos,book\]'"):
        needed("json", "no_such_module")


def test_the_book_in_a_browser(book, browser):
    """Every page from the first on by its next link: no complaint, nothing fetched, no line too wide."""
    browser.open(book / "index.html")
    seen = []
    while True:
        seen.append(browser.run("location.pathname.split('/').at(-1)"))
        frames = browser.run(
            "(frames => { frames.forEach((frame) => { frame.loading = 'eager'; }); return frames.length; })"
            "(document.querySelectorAll('iframe'))"
        )
        while sum(event["method"] == "Page.frameStoppedLoading" for event in browser.events) <= frames:
            browser.run("new Promise((done) => setTimeout(done, 20))")
        assert not browser.complaints(), seen[-1]
        outside = [url for url in browser.requests() if not url.startswith(book.resolve().as_uri())]
        assert not outside, seen[-1]
        browser.size(390, 844)
        assert browser.run("document.documentElement.scrollWidth") == 390, seen[-1]
        following = browser.run("document.querySelector('link[rel=next]')?.getAttribute('href')")
        if not following:
            break
        browser.open(book / following)
    assert seen == ["index.html", *(f"{name}.html" for name in DEMOS), "exercises.html"]


def test_the_search_and_the_switch_in_a_browser(book, browser):
    browser.open(book / "index.html")
    browser.run("localStorage.clear()")
    browser.open(book / "index.html")
    browser.events.clear()
    browser.run("document.querySelector('[name=q]').value = 'x1 chain rule'; document.forms[0].submit()")
    while not any(event["method"] == "Page.loadEventFired" for event in browser.events):
        browser.call("Page.enable")  # any question: until it is answered, events arrive
    first = browser.run("document.querySelector('#found a').getAttribute('href')")
    assert first.startswith("backpropagation.html#")
    assert "chain" in browser.run("document.querySelector('#found mark').textContent").lower()
    paper = "getComputedStyle(document.body).backgroundColor"
    light = browser.run(paper)
    browser.click("#scheme")
    dark = browser.run(paper)
    assert sum(map(int, dark[4:-1].split(","))) < 150 < 600 < sum(map(int, light[4:-1].split(",")))
    browser.open(book / "gates.html")
    assert browser.run(paper) == dark
    browser.run("document.querySelector('.live').scrollIntoView({block: 'center'})")
    browser.click(".live iframe")  # what answers first is the cover
    assert browser.run("document.querySelector('.cover').hidden") is True
    assert browser.run("document.activeElement.tagName") == "IFRAME"
    browser.run("localStorage.clear()")
    assert not browser.complaints()
