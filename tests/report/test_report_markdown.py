"""Names in a Markdown or HTML page are text, whatever they hold."""

from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from l1met_fpga.report.answer import Answer
from l1met_fpga.report.page import Section, Table
from l1met_fpga.report.render import Page, write_html, write_markdown

NAMES = [
    "<script>alert(1)</script>", "a | b", "[x] done", "[x](http://e.org)", "![i](http://e.org/i)",
    "`code`", "*star* and _line_", "__both__", "# heading", "> quote", "- item", "1. item", "2)", "~~x~~",
    "&lt;", "back\\slash", "two\nlines", "<!-- gone -->", "[1](http://e.org)", "u_par", "$x$",
    "</table>", "---", "+ more", "[0.1, 0.2]", "-0.5 ± 0.1", "***", "```", "a\\|b", "<http://e.org>",
]  # fmt: skip


def page(name: str) -> Page:
    table = Table(name, ("first", name), ((name, "1"),), name)
    return Page(
        name,
        subtitle=name,
        alerts=(name,),
        answers=(Answer(name, name, name, "open", more=name),),
        tables=(table,),
        notes=(name,),
        gains=(name,),
        sections=(Section(name, (table,)), Section("x", (), name)),
        footer=name,
    )


def shown(text: str) -> list[str]:
    """Return the texts that a Markdown viewer shows, block by block."""
    found = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    blocks = [token for token in found if token.type == "inline"]
    kinds = {child.type for block in blocks for child in block.children or []}
    assert kinds <= {"text", "text_special", "softbreak"}, "something was marked up"
    outer = {token.type.rsplit("_", 1)[0] for token in found}
    assert outer <= {
        "heading", "bullet_list", "list_item", "paragraph", "table", "thead", "tbody", "tr", "th",
        "td", "inline",
    }, "a block was opened"  # fmt: skip
    return ["".join(child.content for child in block.children or []) for block in blocks]


@pytest.mark.parametrize("name", NAMES)
def test_markdown_shows_names_as_they_are(name, tmp_path):
    write_markdown(plain(name), tmp_path / "report.md")
    flat = " ".join(name.split())
    texts = [text.replace("\n", " ") for text in shown((tmp_path / "report.md").read_text())]
    assert texts.count(flat) == 14


def plain(name: str) -> Page:
    """A page without our own words for an empty section, which may be marked up."""
    whole = page(name)
    return replace(whole, sections=whole.sections[:1])


@settings(max_examples=60)
@given(st.text(alphabet="ab1 <>|[]()`*_#~!&\\-+.:$\n", min_size=1, max_size=12))
def test_any_name_is_text(tmp_path_factory, name):
    if not name.strip():
        return
    path = tmp_path_factory.mktemp("page") / "report.md"
    write_markdown(plain(name), path)
    flat = " ".join(name.split())
    assert [text.replace("\n", " ") for text in shown(path.read_text())].count(flat) >= 14


class Reader(HTMLParser):
    """Texts and elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: Counter[str] = Counter()

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1

    def handle_data(self, data):
        self.texts.append(data)


def read(page: Page, path: Path) -> Reader:
    write_html(page, path)
    reader = Reader()
    reader.feed(path.read_text())
    return reader


@pytest.mark.parametrize("name", NAMES)
def test_html_shows_names_as_they_are(name, tmp_path):
    found = read(page(name), tmp_path / "report.html")
    assert found.texts.count(name) >= 14
    assert found.tags == read(page("plain"), tmp_path / "plain.html").tags
